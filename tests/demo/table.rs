//! Thread: main. The short table at the end.

use cantus_engine::rendition::{Fidelity, Loudness, Timings};
use std::path::Path;

/// What was captured.
pub struct Facts {
    pub notes: usize,
    pub key: String,
    pub tuning_cents: f32,
    pub bars: f64,
    pub bpm: f64,
    /// Wall time from the understood take to the first rendition, as the host saw it.
    pub first_ms: f64,
}

/// One rendition.
pub struct Row {
    pub style: String,
    pub fidelity: Fidelity,
    pub loudness: Loudness,
    pub timings: Timings,
    /// Frames off the grid; `None` when what was heard is not the rendition.
    pub offset: Option<i64>,
    pub peak: f32,
    pub stems: usize,
    /// Median, 99.99th percentile and maximum of the audio thread's processor time, in percent of a block.
    pub cpu: [f64; 3],
}

/// Prints everything.
pub fn print(facts: &Facts, rows: &[Row], out: &Path) {
    println!(
        "captured  {} bars at {} BPM: {} notes, {}, tuning {:+.0} cents; first rendition after {:.0} ms",
        facts.bars, facts.bpm, facts.notes, facts.key, facts.tuning_cents, facts.first_ms
    );
    println!(
        "{:<12} {:>6} {:>6} {:>7} {:>7} {:>8} {:>6} {:>7} {:>8}   {:<20}",
        "style", "lead %", "mix %", "LUFS", "dBTP", "lead LU", "stems", "offset", "made ms", "audio thread CPU %"
    );
    for row in rows {
        let made = row.timings.arrangement_ms + row.timings.render_ms + row.timings.mix_ms;
        let offset = row.offset.map_or_else(|| "wrong".to_owned(), |offset| offset.to_string());
        println!(
            "{:<12} {:>6.1} {:>6.1} {:>7.1} {:>7.1} {:>8.1} {:>6} {:>7} {:>8.0}   p50 {:.2}  p99.99 {:.2}  max {:.2}",
            row.style,
            row.fidelity.lead_chroma * 100.0,
            row.fidelity.mix_chroma * 100.0,
            row.loudness.integrated_lufs,
            row.loudness.true_peak_dbtp,
            row.loudness.lead_over_backing_lu,
            row.stems,
            offset,
            made,
            row.cpu[0],
            row.cpu[1],
            row.cpu[2]
        );
    }
    println!("written to {}", out.display());
}
