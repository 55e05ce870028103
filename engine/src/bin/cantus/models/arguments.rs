//! Thread: main. Arguments of `cantus models`.

use super::check;
use crate::arguments::{Command, path, text};
use lexopt::prelude::*;
use std::path::PathBuf;

const WORDS: &str = "there are list, fetch, verify, add, remove, path and check";

/// What to do with models.
#[derive(Debug)]
pub enum Order {
    List { json: bool },
    Fetch(Fetch),
    Verify { name: String },
    Add { dir: PathBuf },
    Remove { name: String, yes: bool },
    Path { name: Option<String> },
    Check(check::Order),
}

/// `cantus models fetch`.
#[derive(Debug)]
pub struct Fetch {
    pub name: String,
    pub endpoint: Option<String>,
    pub revision: Option<String>,
    pub to: Option<PathBuf>,
    pub accepts_licence: bool,
}

/// Reads what follows `models`; the error is a sentence.
pub fn parse(parser: &mut lexopt::Parser) -> Result<Command, String> {
    let say = |error: lexopt::Error| error.to_string();
    let word = match parser.next().map_err(say)? {
        Some(Value(word)) => word.to_string_lossy().into_owned(),
        Some(Long("help") | Short('h')) => return Ok(Command::Help),
        Some(other) => return Err(other.unexpected().to_string()),
        None => return Err(format!("models needs a word that says what to do: {WORDS}")),
    };
    let mut given = Given::default();
    while let Some(argument) = parser.next().map_err(say)? {
        match (word.as_str(), argument) {
            (_, Long("help") | Short('h')) => return Ok(Command::Help),
            ("list", Long("json")) => given.json = true,
            ("fetch", Long("accept-licence" | "accept-license")) => given.accepts_licence = true,
            ("fetch", Long("endpoint")) => given.endpoint = Some(text(parser)?),
            ("fetch", Long("revision")) => given.revision = Some(text(parser)?),
            ("fetch", Long("to")) => given.to = Some(path(parser)?),
            ("remove", Long("yes" | "y") | Short('y')) => given.yes = true,
            ("check", Long("reference")) => given.reference = Some(path(parser)?),
            ("check", Long("dump")) => given.dump = Some(path(parser)?),
            ("fetch" | "verify" | "add" | "remove" | "path" | "check", Value(name)) if given.name.is_none() => {
                given.name = Some(name.to_string_lossy().into_owned());
            }
            (_, other) => return Err(other.unexpected().to_string()),
        }
    }
    let Given { name, json, endpoint, revision, to, accepts_licence, yes, reference, dump } = given;
    let needed = || name.clone().ok_or_else(|| format!("{word} which model? `cantus models list` names them"));
    let order = match word.as_str() {
        "list" => Order::List { json },
        "fetch" => Order::Fetch(Fetch { name: needed()?, endpoint, revision, to, accepts_licence }),
        "verify" => Order::Verify { name: needed()? },
        "add" => Order::Add { dir: name.ok_or("add which folder?")?.into() },
        "remove" => Order::Remove { name: needed()?, yes },
        "path" => Order::Path { name },
        "check" if dump.is_some() && reference.is_none() => {
            return Err("--dump writes what was computed from a reference's inputs, so it needs --reference".to_owned());
        }
        "check" => Order::Check(check::Order { name: needed()?, reference, dump }),
        "help" => return Ok(Command::Help),
        other => return Err(format!("models does not know \"{other}\"; {WORDS}")),
    };
    Ok(Command::Models(order))
}

#[derive(Default)]
struct Given {
    name: Option<String>,
    json: bool,
    endpoint: Option<String>,
    revision: Option<String>,
    to: Option<PathBuf>,
    accepts_licence: bool,
    yes: bool,
    reference: Option<PathBuf>,
    dump: Option<PathBuf>,
}
