//! Thread: main. `cantus models`: the models of neural engines, listed, fetched, checked and removed.

pub mod arguments;
mod check;
mod show;

use crate::progress;
use arguments::{Fetch, Order};
use cantus_engine::data_dir::data_dir;
use cantus_engine::job_context::JobContext;
use cantus_engine::models::space::size_words;
use cantus_engine::models::{FetchRequest, Finding, Licence, MODELS, ModelLibrary, ModelState, Removal, catalog};
use cantus_engine::{Error, Result};
use std::io::{IsTerminal, Write, stderr, stdin, stdout};

/// Does what was ordered.
pub fn run(order: &Order) -> Result<()> {
    let data_dir = data_dir().ok_or_else(|| Error::File {
        action: "find",
        path: "the user's data folder".into(),
        reason: "set the environment variable CANTUS_DATA_DIR to a folder".to_owned(),
    })?;
    let library = ModelLibrary::open(&data_dir)?;
    match order {
        Order::List { json } => list(&library, *json),
        Order::Fetch(order) => fetch(&library, order),
        Order::Verify { name } => verify(&library, name),
        Order::Add { dir } => {
            let status = library.add_folder(dir)?;
            println!("{}: {}", status.id, show::state(&status));
            Ok(())
        }
        Order::Remove { name, yes } => remove(&library, name, *yes),
        Order::Check(order) => check::run(&library, order),
        Order::Path { name: None } => {
            println!("{}", library.folder().display());
            Ok(())
        }
        Order::Path { name: Some(name) } => {
            println!("{}", library.find(name)?.dir.display());
            Ok(())
        }
    }
}

fn list(library: &ModelLibrary, json: bool) -> Result<()> {
    let (rows, acceptances) = (library.list()?, library.acceptances()?);
    if json {
        println!("{}", show::as_json(&rows, &acceptances));
        return Ok(());
    }
    show::list(&rows);
    let mut licences: Vec<&Licence> = MODELS.iter().map(|model| model.licence).collect();
    licences.dedup();
    for licence in licences {
        println!();
        show::licence(licence, &acceptances);
    }
    println!(
        "\nBy hand: download {}, {}, {} and every model-….safetensors from a model's page\n\
         (huggingface.co/facebook/…) into the folder above, or `cantus models add` the folder they are in.",
        catalog::CONFIG,
        catalog::TOKENIZER,
        catalog::INDEX
    );
    Ok(())
}

fn fetch(library: &ModelLibrary, order: &Fetch) -> Result<()> {
    if let Some(model) = catalog::find(&order.name)
        && !library.has_accepted(model.licence)?
    {
        accept(library, model.licence, order.accepts_licence)?;
    }
    let request = FetchRequest {
        endpoint: order.endpoint.clone(),
        revision: order.revision.clone(),
        to: order.to.clone(),
        token: std::env::var("HF_TOKEN").ok(),
        ..FetchRequest::default()
    };
    let fetched = library.fetch(&order.name, &request, &JobContext::detached(), &show::progress(true));
    progress::clear();
    let status = fetched?;
    println!("{}: {}", status.id, show::state(&status));
    println!("{}", status.dir.display());
    Ok(())
}

/// Records the acceptance when the user gave it: as an option, or by typing it.
fn accept(library: &ModelLibrary, licence: &Licence, given: bool) -> Result<()> {
    if given {
        return library.accept_licence(licence);
    }
    show::licence(licence, &[]);
    if !stdin().is_terminal() || !stderr().is_terminal() {
        println!("If you accept it, run the command again with --accept-licence.");
        return Ok(());
    }
    if asked("Do you accept it? Type yes: ") { library.accept_licence(licence) } else { Ok(()) }
}

fn verify(library: &ModelLibrary, name: &str) -> Result<()> {
    let checked = library.verify(name, &JobContext::detached(), &show::progress(false));
    progress::clear();
    let report = checked?;
    show::report(&report);
    if report.is_good() {
        println!("complete: {}", report.dir.display());
        return Ok(());
    }
    let wrong = report.files.iter().filter(|file| matches!(file.finding, Finding::Wrong(_))).count();
    let reason = match &report.state {
        ModelState::Partial { interrupted: true, .. } => "a fetch of this model was not finished".to_owned(),
        _ if wrong == 1 => "one file is wrong or missing".to_owned(),
        _ => format!("{wrong} files are wrong or missing"),
    };
    let path = report.dir;
    Err(Error::ModelFolder { path, reason: format!("{reason}. `cantus models fetch` fetches what is not right") })
}

fn remove(library: &ModelLibrary, name: &str, yes: bool) -> Result<()> {
    if !yes {
        let status = library.find(name)?;
        let (path, bytes) = (status.dir, size_words(status.inspection.bytes_on_disk));
        if !stdin().is_terminal() || !stderr().is_terminal() {
            let reason = "nothing was removed. To really remove it, run the command again with --yes".to_owned();
            return Err(Error::ModelFolder { path, reason });
        }
        if !asked(&format!("Remove {} ({bytes})? Type yes: ", path.display())) {
            println!("Nothing was removed.");
            return Ok(());
        }
    }
    match library.remove(name)? {
        Removal::Deleted { dir, bytes } => println!("removed {} ({} freed)", dir.display(), size_words(bytes)),
        Removal::Forgotten { dir } => println!("no longer listed; its files stay in {}", dir.display()),
    }
    Ok(())
}

fn asked(question: &str) -> bool {
    let mut answer = String::new();
    let _ = write!(stderr(), "{question}");
    let _ = stdout().flush();
    stdin().read_line(&mut answer).is_ok() && answer.trim().eq_ignore_ascii_case("yes")
}
