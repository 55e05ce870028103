//! The demo hum all the way: listened to, arranged in every style, played.

use cantus_engine::analysis::{Analysis, analyse};
use cantus_engine::capture::file::read_take;
use cantus_engine::generation::band::{ARRANGER_VERSION, arrange};
use cantus_engine::generation::score::Score;
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::generation::{EngineKind, Recipe, Request};
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
        engine_version: ARRANGER_VERSION,
    };
    let request = Request { analysis: hum().clone(), recipe };
    let library = StyleLibrary::builtin().expect("styles");
    let score = arrange(&request, &library, &JobContext::detached()).expect("score");
    (request, score)
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

#[test]
fn zz_seeds() {
    let library = StyleLibrary::builtin().expect("styles");
    for style in STYLES {
        for seed in 1..=12 {
            let (mut request, _) = arranged(style);
            request.recipe.seed = seed;
            let score = arrange(&request, &library, &JobContext::detached()).expect("score");
            let made = render(&score, &request, "x", SampleRate(48_000), &JobContext::detached()).expect("rendition");
            if let Some(folder) = std::env::var_os("CANTUS_PROBE")
                && seed == 7
            {
                cantus_engine::export::write_rendition(&Path::new(&folder).join(format!("{style}7")), &made).unwrap();
            }
            let keys = score.tracks[0].notes.iter().map(|note| note.key).min();
            println!(
                "{style} {seed} {} {keys:?} {:?} lead over {}",
                score.tracks[0].instrument, made.fidelity, made.loudness.lead_over_backing_lu
            );
        }
    }
}

#[test]
fn zz_probe() {
    for style in STYLES {
        let rendition = rendition(style);
        println!("{style}: {:?} {:?} {:?}", rendition.timings, rendition.loudness, rendition.fidelity);
        for track in &rendition.score.as_ref().unwrap().tracks {
            println!(
                "   {} {} {} notes gain {}",
                track.role.name(),
                track.instrument,
                track.notes.len(),
                track.gain_db
            );
        }
        if let Some(folder) = std::env::var_os("CANTUS_PROBE") {
            cantus_engine::export::write_rendition(&Path::new(&folder).join(style), rendition).unwrap();
        }
    }
    if let Some(folder) = std::env::var_os("CANTUS_PROBE") {
        let all: Vec<&Rendition> = STYLES.iter().map(|style| rendition(style)).collect();
        let png = cantus_engine::export::picture::picture(hum(), &all).unwrap();
        std::fs::write(Path::new(&folder).join("picture.png"), png).unwrap();
    }
}
