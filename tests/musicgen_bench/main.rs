//! Thread: main. Measures a MusicGen-melody checkpoint: loading, memory, steps a second, how fast it stops, and how far a quantised model
//! is from the exact one.
//!
//! One process measures one precision, so that memory is its own.

mod agreement;
mod arguments;

use arguments::Arguments;
use cantus_engine::generation::musicgen::{AudioRequest, LoadOptions, Melody, MusicGen, Sampling};
use cantus_engine::job_context::{CancelToken, JobContext};
use cantus_engine::time::Seconds;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

const TEXT: &str = "warm lofi piano with soft vinyl crackle and a slow swing beat";

fn main() -> ExitCode {
    match Arguments::parse().and_then(|arguments| run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("cantus-musicgen-bench: {sentence}\n\n{}", arguments::USAGE);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let sentence = |error: cantus_engine::Error| error.to_string();
    let context = JobContext::detached();
    let options = LoadOptions {
        precision: arguments.precision,
        weights_cache: arguments.cache.clone(),
        threads: arguments.threads,
        device: arguments.device,
    };
    print_load();
    let start = Instant::now();
    let (model, report) = MusicGen::load_with(&arguments.folder, &options, &context).map_err(sentence)?;
    let loaded = start.elapsed().as_secs_f64();
    println!("{:?}: loaded in {loaded:.1} s, quantised weights {:?}", arguments.precision, report.quantised);
    println!("missing {:?}, unused {:?}", report.missing, report.unused);
    println!("memory after loading: {}", memory());
    println!("keys and values of 30 s, two rows: {:.2} GB", model.cache_bytes(Seconds(30.0)) as f64 / 1e9);
    for &context_positions in &arguments.contexts {
        steps(&model, context_positions, arguments.steps).map_err(sentence)?;
    }
    if arguments.cancels > 0 {
        cancels(&model, arguments.cancels)?;
    }
    if let Some(seconds) = arguments.generate {
        generate(&model, seconds).map_err(sentence)?;
    }
    agreement::run(&model, arguments)?;
    println!("peak memory: {}", memory());
    print_load();
    Ok(())
}

/// Steps of one column in two rows at a position, each timed.
fn steps(model: &MusicGen, positions: usize, count: usize) -> cantus_engine::Result<()> {
    let context = JobContext::detached();
    let prefix = model.prefix(TEXT, &Melody::None, &context)?;
    let (start, worked) = (Instant::now(), processor_seconds());
    let mut stepper = model.stepper(&prefix, positions + count + 2, &context)?;
    let prefill = start.elapsed().as_secs_f64();
    let prefill_worked = processor_seconds() - worked;
    let prefix = stepper.positions();
    stepper.pretend(positions.saturating_sub(prefix))?;
    let config = &model.config().decoder;
    let mut times = Vec::with_capacity(count);
    let mut worked = processor_seconds();
    for step in 0..count + 2 {
        let column: Vec<u32> =
            (0..config.num_codebooks).map(|k| ((step * 31 + k * 7) % config.vocab_size) as u32).collect();
        let start = Instant::now();
        stepper.step(&column, &context)?;
        // The first two warm up.
        if step >= 2 {
            times.push(start.elapsed().as_secs_f64());
        } else {
            worked = processor_seconds();
        }
    }
    let worked = (processor_seconds() - worked) / count as f64;
    times.sort_by(f64::total_cmp);
    let (median, best) = (times[times.len() / 2], times[0]);
    println!(
        "context {positions}: prefix of {prefix} in {prefill:.1} s (processor {prefill_worked:.1} s), then median {:.1} ms, best {:.1} ms, {:.2} steps/s, best {:.2}, processor {:.1} ms a step; {}",
        median * 1e3,
        best * 1e3,
        1.0 / median,
        1.0 / best,
        worked * 1e3,
        memory()
    );
    Ok(())
}

/// How long a cancelled generation takes to come back, at different moments.
fn cancels(model: &MusicGen, count: usize) -> Result<(), String> {
    let mut waits = Vec::new();
    for number in 0..count {
        let token = CancelToken::default();
        let context = JobContext::new(token.clone(), Arc::new(|_| ()));
        // Another text each time, so that the prefix is computed again; early cancels meet it, late ones the steps.
        let request = request(&format!("{TEXT} {number}"), 30.0, number as u64);
        let after = Duration::from_millis(300 + 1700 * number as u64);
        let waited = std::thread::scope(|scope| {
            let canceller = scope.spawn(move || {
                std::thread::sleep(after);
                token.cancel();
                Instant::now()
            });
            let outcome = model.generate(&request, &context, &mut |_| ());
            let end = Instant::now();
            match (outcome, canceller.join()) {
                (Err(cantus_engine::Error::Cancelled), Ok(start)) => Ok(end.duration_since(start).as_secs_f64()),
                other => Err(format!("a cancel came to something else: {:?}", other.0.map(|audio| audio.frames()))),
            }
        })?;
        waits.push(waited * 1e3);
    }
    println!("stopped after a cancel in ms: {waits:.0?}");
    Ok(())
}

fn generate(model: &MusicGen, seconds: f64) -> cantus_engine::Result<()> {
    let start = Instant::now();
    let mut first = None;
    let audio = model.generate(&request(TEXT, seconds, 1), &JobContext::detached(), &mut |_| {
        first.get_or_insert_with(|| start.elapsed().as_secs_f64());
    })?;
    let took = start.elapsed().as_secs_f64();
    let first = first.unwrap_or(took);
    println!(
        "{seconds} s of music: {} frames, peak {:.2}, in {took:.1} s, first sound after {first:.1} s; {}",
        audio.frames(),
        audio.peak(),
        memory()
    );
    Ok(())
}

fn request(text: &str, seconds: f64, seed: u64) -> AudioRequest {
    AudioRequest {
        text: text.to_owned(),
        melody: Melody::None,
        seconds: Seconds(seconds),
        seed,
        sampling: Sampling::default(),
        continue_from: None,
    }
}

/// Peak and present memory of this process, where the system tells.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(format!("{name} {:.2} GB", kilobytes * 1024.0 / 1e9))
    };
    ["VmHWM", "VmRSS", "RssAnon", "RssFile"].into_iter().filter_map(field).collect::<Vec<_>>().join(", ")
}

/// Seconds that all threads of this process have worked, where the system tells; 0 elsewhere.
fn processor_seconds() -> f64 {
    #[cfg(unix)]
    {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the call fills the structure that it is given.
        let outcome = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
        if outcome == 0 {
            return time.tv_sec as f64 + time.tv_nsec as f64 / 1e9;
        }
    }
    0.0
}

fn print_load() {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load of the machine: {}", load.trim());
}
