//! The tune matters: it can be told from the rendition alone, and every instrument that may lead carries it.

mod leads;
mod retrieval;

use cantus_engine::analysis::{Analysis, Chroma};
use cantus_engine::generation::band::{ARRANGER_VERSION, arrange};
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::generation::{EngineKind, Recipe, Request, Timing};
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::{Rendition, render};
use cantus_engine::time::SampleRate;

const STYLES: [&str; 3] = ["jazz", "reggae", "orchestral"];
/// The rate the chroma extractor listens at, so that nothing is spent on resampling.
const RATE: SampleRate = SampleRate(32_000);
/// Seconds between two chroma frames.
const HOP_SECONDS: f64 = 4_096.0 / 32_000.0;

/// A note of the truth: onset and end in seconds of the take, and its key.
type TrueNote = (f64, f64, u8);

fn rendered(analysis: &Analysis, prompt: &str, seed: u64, rate: SampleRate) -> Rendition {
    let recipe = Recipe {
        engine: EngineKind::Band,
        prompt: prompt.to_owned(),
        seed,
        freedom: 0.0,
        timing: Timing::AsSung,
        direction: Default::default(),
        song: Default::default(),
        engine_version: ARRANGER_VERSION,
    };
    let request = Request { analysis: analysis.clone(), recipe };
    let (library, context) = (StyleLibrary::builtin().expect("styles"), JobContext::detached());
    let score = arrange(&request, &library, &context).expect("a score");
    render(&score, &request, "Test 1", rate, &context).expect("a rendition")
}

/// Class of the note that sounds at the centre of each chroma frame.
fn sounding(notes: &[TrueNote], frame: usize) -> Option<u8> {
    let centre = frame as f64 * HOP_SECONDS;
    let note = notes.iter().find(|(onset, end, _)| (*onset..*end).contains(&centre));
    note.map(|(.., key)| key % 12)
}

/// Share of the notes' frames whose loudest class is the note's, and how many frames there are.
fn agreement(chroma: &Chroma, notes: &[TrueNote]) -> (f64, usize) {
    let (mut agree, mut frames) = (0, 0);
    for (frame, loudest) in chroma.argmax.iter().enumerate() {
        if let Some(class) = sounding(notes, frame) {
            frames += 1;
            agree += usize::from(*loudest == class);
        }
    }
    (agree as f64 / frames.max(1) as f64, frames)
}
