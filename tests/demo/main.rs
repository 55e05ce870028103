//! Thread: main. The demo: the bundled plugin in a headless host does its whole job on a hum, and what the host heard is kept.

mod arguments;
mod band;
mod bench;
mod files;
mod flow;
mod progress;
mod table;
mod trace;

use arguments::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match Arguments::parse() {
        Ok(Some(arguments)) => arguments,
        Ok(None) => return ExitCode::SUCCESS,
        Err(misuse) => {
            eprintln!("cantus-demo: {misuse}");
            return ExitCode::from(2);
        }
    };
    let result = if arguments.bench_band {
        band::run(&arguments.input, cantus_engine::time::Bpm(arguments.bpm))
    } else if arguments.bench {
        bench::run(&arguments)
    } else {
        flow::run(&arguments)
    };
    progress::clear();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("cantus-demo: {failure}");
            ExitCode::FAILURE
        }
    }
}
