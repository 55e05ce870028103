//! Starts the processes that try inputs, and collects what ended them.

use crate::driver::{self, Desk};
use crate::targets::{TARGETS, Target};
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};
use std::time::Duration;

/// Failures of one target after which it is left alone: they want mending first.
const MOST_FAILURES: usize = 40;
/// Bytes of checked-in inputs a target.
const ROOM: usize = 48_000;

const USAGE: &str = "\
cantus-fuzz [TARGET…] [--minutes N] [--seed S] [--state DIR]
  Tries inputs for N minutes of processor time a target (default 1).
  --replay     runs the checked-in inputs only; with --input FILE that one, which names its target
  --keep       puts the smallest inputs that reach the most into the checked-in corpus
  --report     says how long each target was attacked on this machine";

#[derive(Default)]
struct Options {
    targets: Vec<String>,
    minutes: f64,
    seed: u64,
    state: PathBuf,
    word: String,
    input: Option<PathBuf>,
    inside: bool,
}

fn options() -> Result<Options, String> {
    use lexopt::prelude::{Long, Value, ValueExt};
    let mut options = Options { minutes: 1.0, state: std::env::temp_dir().join("cantus-fuzz"), ..Options::default() };
    let mut arguments = lexopt::Parser::from_env();
    let text = |error: lexopt::Error| format!("{error}\n\n{USAGE}");
    while let Some(argument) = arguments.next().map_err(text)? {
        match argument {
            Value(name) => options.targets.push(name.string().map_err(text)?),
            Long("minutes") => options.minutes = arguments.value().and_then(|value| value.parse()).map_err(text)?,
            Long("seed") => options.seed = arguments.value().and_then(|value| value.parse()).map_err(text)?,
            Long("state") => options.state = arguments.value().map_err(text)?.into(),
            Long("input") => options.input = Some(arguments.value().map_err(text)?.into()),
            Long("in") => options.inside = true,
            Long(word @ ("replay" | "keep" | "report")) => word.clone_into(&mut options.word),
            other => return Err(text(other.unexpected())),
        }
    }
    for name in &options.targets {
        if !TARGETS.iter().any(|target| target.name == name) {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            return Err(format!("There is no target \"{name}\". There are: {}.", names.join(", ")));
        }
    }
    Ok(options)
}

/// The program.
pub fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(sentence) => {
            eprintln!("{sentence}");
            return ExitCode::from(2);
        }
    };
    let chosen = TARGETS
        .iter()
        .filter(|target| options.targets.is_empty() || options.targets.iter().any(|name| name == target.name));
    if options.inside {
        chosen.for_each(|target| inside(target, &options));
        return ExitCode::SUCCESS;
    }
    let mut failures = 0;
    for target in chosen {
        if options.word == "report" {
            report(target, &options.state);
            continue;
        }
        if target.needs_bundle && std::env::var_os("CANTUS_BUNDLE").is_none() {
            println!("{}: left out, because CANTUS_BUNDLE names no built plugin", target.name);
            continue;
        }
        failures += attack(target, &options);
    }
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The process that tries inputs.
fn inside(target: &Target, options: &Options) {
    let desk = Desk::new(&options.state, target.name);
    match options.word.as_str() {
        "replay" => {
            let only: Vec<Vec<u8>> = options.input.iter().map(|path| fs::read(path).unwrap()).collect();
            let count = driver::replay(target, &desk, &only);
            println!("{}: {count} inputs, no failure", target.name);
            std::process::exit(0);
        }
        "keep" => {
            driver::keep(target, &desk, ROOM);
            std::process::exit(0);
        }
        _ => driver::explore(target, &desk, options.seed, Duration::from_secs_f64(options.minutes * 60.0)),
    }
}

/// Runs processes for a target until its time is over; returns how many failures there were.
fn attack(target: &Target, options: &Options) -> usize {
    let desk = Desk::new(&options.state, target.name);
    let folder = options.state.join(target.name);
    fs::create_dir_all(folder.join("failures")).unwrap();
    let explores = options.word.is_empty();
    let mut left = options.minutes * 60.0;
    let mut failures = 0;
    let mut round = 0;
    while left > 0.5 && failures < MOST_FAILURES {
        for old in [&desk.reason, &desk.ledger, &desk.printed] {
            fs::remove_file(old).ok();
        }
        let status = start(target, options, left / 60.0, options.seed.wrapping_add(round), &desk);
        let spent = explores.then(|| book(&desk, &folder)).flatten();
        round += 1;
        if status.success() {
            if let Some((line, _)) = spent {
                println!("{}: {line}", target.name);
            }
            break;
        }
        failures += 1;
        keep_failure(target, &desk, &folder, status);
        if !explores {
            break;
        }
        left -= spent.map_or(1.0, |(_, seconds)| seconds).max(1.0);
    }
    failures
}

fn start(target: &Target, options: &Options, minutes: f64, seed: u64, desk: &Desk) -> ExitStatus {
    let printed = OpenOptions::new().create(true).append(true).open(&desk.printed).unwrap();
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command
        .arg(target.name)
        .args(["--in", "--minutes", &minutes.to_string(), "--seed", &seed.to_string(), "--state"])
        .arg(&options.state);
    if !options.word.is_empty() {
        command.arg(format!("--{}", options.word));
    }
    if let Some(input) = &options.input {
        command.arg("--input").arg(input);
    }
    let data = options.state.join(target.name).join("data");
    fs::create_dir_all(&data).unwrap();
    // What the plugin logs goes where its panics are looked for; takes and models go where nobody's are.
    command.env("CANTUS_DATA_DIR", &data).env("CANDLE_NUM_THREADS", "1").env("NICE_LOG", "stderr").stderr(printed);
    command.status().expect("this program can be started again")
}

/// Adds what a process did to the target's account; the line for people and the seconds.
fn book(desk: &Desk, folder: &Path) -> Option<(String, f64)> {
    let line = fs::read_to_string(&desk.ledger).ok()?;
    let numbers: Vec<f64> = line.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    let [inputs, seconds, edges, answers, pool] = numbers[..] else { return None };
    let account = folder.join("account");
    let (inputs_before, seconds_before) = read_account(&account);
    fs::write(&account, format!("{} {:.1}\n", inputs_before + inputs, seconds_before + seconds)).unwrap();
    Some((
        format!(
            "{inputs} inputs in {seconds:.0} s of processor time, {edges} edges, {answers} answers, {pool} inputs kept"
        ),
        seconds,
    ))
}

fn read_account(account: &Path) -> (f64, f64) {
    let text = fs::read_to_string(account).unwrap_or_default();
    let mut numbers = text.split_whitespace().filter_map(|number| number.parse().ok());
    (numbers.next().unwrap_or(0.0), numbers.next().unwrap_or(0.0))
}

fn report(target: &Target, state: &Path) {
    let folder = state.join(target.name);
    let (inputs, seconds) = read_account(&folder.join("account"));
    let failures = driver::files(&folder.join("failures")).len() / 2;
    println!(
        "{:<8} {:>7.1} CPU minutes  {inputs:>10} inputs  {failures} failures on file",
        target.name,
        seconds / 60.0
    );
}

/// Keeps the input of a failure, the shortest one of each reason, with the reason beside it.
fn keep_failure(target: &Target, desk: &Desk, folder: &Path, status: ExitStatus) {
    let printed = fs::read(&desk.printed).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let tail: String =
        printed.lines().rev().take(12).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n");
    let reason = fs::read_to_string(&desk.reason).unwrap_or_else(|_| format!("ended by {status}: {tail}"));
    let Ok(input) = fs::read(&desk.current) else {
        println!("{}: failed before its first input: {reason}", target.name);
        return;
    };
    // A panic is named by its place; digits of values do not make it another one.
    let first: String = reason.lines().next().unwrap_or_default().chars().take(90).collect();
    let name: String = first.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
    let path = folder.join("failures").join(name.trim_matches('-'));
    let shorter = fs::metadata(&path).map_or(true, |old| old.len() > input.len() as u64);
    if shorter {
        fs::write(&path, &input).unwrap();
        let mut file = File::create(path.with_extension("txt")).unwrap();
        std::io::Write::write_all(&mut file, reason.as_bytes()).unwrap();
    }
    if !shorter {
        println!("{}: failed again as in {}", target.name, path.display());
        return;
    }
    println!(
        "{}: FAILED: {}\n  {} ({} bytes)",
        target.name,
        reason.lines().take(3).collect::<Vec<_>>().join(" "),
        path.display(),
        input.len()
    );
}
