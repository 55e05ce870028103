//! Thread: main. How fast the band is: eight bars for six parts, from the score to measured audio, and when its first two bars can be heard.

use cantus_engine::analysis::{Analysis, analyse};
use cantus_engine::audio::AudioBuffer;
use cantus_engine::capture::file::read_take;
use cantus_engine::generation::band::{ARRANGER_VERSION, arrange};
use cantus_engine::generation::score::Score;
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::generation::{EngineKind, Recipe, Request, Timing};
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::render_early;
use cantus_engine::time::{Beats, Bpm, Metre, SampleRate};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Parts of the scores that are measured; styles of fewer are left out, of more lose their last ones.
const PARTS: usize = 6;
const BARS: f64 = 8.0;
/// The quickest of so many tries is what the work takes.
const TRIES: usize = 5;

/// Prints, for every style with enough parts, the time on the cores this process may use.
pub fn run(input: &Path, tempo: Bpm) -> Result<(), String> {
    let context = JobContext::detached();
    let say = |error: cantus_engine::Error| error.to_string();
    let take = read_take(input, Some(tempo), Metre::default()).map_err(say)?;
    let analysis = analyse(&take, &context).map_err(say)?;
    let library = StyleLibrary::builtin().map_err(say)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{BARS} bars at {} BPM, {PARTS} parts, {cores} core(s):", tempo.0);
    for style in library.list() {
        let (request, mut score) = arranged(&analysis, &style.name, &library)?;
        if score.tracks.len() < PARTS {
            continue;
        }
        score.tracks.truncate(PARTS);
        score.length = Beats(score.length.0.min(BARS * score.grid.metre.bar().0));
        let (mut first, mut whole) = (Duration::MAX, Duration::MAX);
        for _ in 0..TRIES {
            let begun = Instant::now();
            let heard = Mutex::new(None);
            let early = |_: AudioBuffer| {
                if let Ok(mut heard) = heard.lock() {
                    *heard = Some(begun.elapsed());
                }
            };
            render_early(&score, &request, "bench", SampleRate(48_000), Some(&early), &context).map_err(say)?;
            whole = whole.min(begun.elapsed());
            first = first.min(heard.into_inner().ok().flatten().unwrap_or(Duration::MAX));
        }
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        println!("  {:<16} first two bars {:>5.0} ms  whole {:>5.0} ms", style.name, ms(first), ms(whole));
    }
    Ok(())
}

fn arranged(analysis: &Analysis, style: &str, library: &StyleLibrary) -> Result<(Request, Score), String> {
    let recipe = Recipe {
        engine: EngineKind::Band,
        prompt: style.to_owned(),
        seed: 1,
        freedom: 0.0,
        timing: Timing::AsSung,
        direction: Default::default(),
        song: Default::default(),
        engine_version: ARRANGER_VERSION,
    };
    let request = Request { analysis: analysis.clone(), recipe };
    let score = arrange(&request, library, &JobContext::detached()).map_err(|error| error.to_string())?;
    Ok((request, score))
}
