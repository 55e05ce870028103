//! The demo hum all the way: listened to, arranged in every style, played.

use cantus_engine::analysis::{Analysis, analyse};
use cantus_engine::capture::file::read_take;
use cantus_engine::generation::band::{ARRANGER_VERSION, arrange};
use cantus_engine::generation::score::Score;
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::generation::{EngineKind, Recipe, Request, Timing};
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::{Rendition, render};
use cantus_engine::time::{Bpm, Metre, SampleRate};
use std::path::Path;
use std::sync::OnceLock;

pub const STYLES: [&str; 3] = ["jazz", "reggae", "orchestral"];

/// What the analysis hears in the demo hum.
pub fn hum() -> &'static Analysis {
    static HUM: OnceLock<Analysis> = OnceLock::new();
    HUM.get_or_init(|| {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/demo/hum.flac"));
        let take = read_take(path, Some(Bpm(100.0)), Metre::default()).expect("the demo hum");
        analyse(&take, &JobContext::detached()).expect("analysis")
    })
}

pub fn arranged(style: &str) -> (Request, Score) {
    let recipe = Recipe {
        engine: EngineKind::Band,
        prompt: style.into(),
        seed: 1,
        freedom: 0.0,
        timing: Timing::AsSung,
        direction: Default::default(),
        song: Default::default(),
        engine_version: ARRANGER_VERSION,
    };
    let request = Request { analysis: hum().clone(), recipe };
    let score = arranged_for(&request);
    (request, score)
}

pub fn arranged_for(request: &Request) -> Score {
    let library = StyleLibrary::builtin().expect("styles");
    arrange(request, &library, &JobContext::detached()).expect("score")
}

/// One style's rendition at 48 kHz, made once.
pub fn rendition(style: &str) -> &'static Rendition {
    static MADE: [OnceLock<Rendition>; 3] = [const { OnceLock::new() }; 3];
    let index = STYLES.iter().position(|known| *known == style).expect("a style");
    MADE[index].get_or_init(|| {
        let (request, score) = arranged(style);
        render(&score, &request, &format!("{style} 1"), SampleRate(48_000), &JobContext::detached()).expect("rendition")
    })
}
