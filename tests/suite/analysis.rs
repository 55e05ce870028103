//! Tests of analysis: each part against the outside reference it follows, then the whole stage on hums whose notes are known.

mod band;
mod doubts;
pub(crate) mod edits;
mod files;
pub(crate) mod hum;
mod hums;
mod key;
mod melody;
pub(crate) mod midi_files;
mod music;
mod parity;
mod polyphony;
mod predominant;
mod quantise;
mod resampling;
mod rhythm;
mod robustness;
mod separation;
mod tunes;

use cantus_engine::analysis::{Analysis, analyse};
use cantus_engine::audio::AudioBuffer;
use cantus_engine::capture::take::{Take, TakeSource};
use cantus_engine::job_context::JobContext;
use cantus_engine::time::{Bpm, Metre, SongGrid};
use std::path::PathBuf;

/// A file of `tests/data/analysis`.
fn data(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/data/analysis")).join(name)
}

/// A take at 120 BPM from the start of the song.
fn take(audio: AudioBuffer) -> Take {
    let grid = SongGrid::at_origin(Bpm(120.0), Metre::default());
    let length = grid.beat_at(audio.length().seconds(audio.rate));
    Take {
        id: 1,
        source: TakeSource::Free,
        audio,
        notes: Vec::new(),
        grid,
        on_grid: true,
        length,
        lost_frames: 0,
        remarks: Vec::new(),
        margins: Default::default(),
    }
}

fn analysis_of(audio: AudioBuffer) -> Analysis {
    analyse(&take(audio), &JobContext::detached()).expect("analysis")
}
