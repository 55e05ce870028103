//! The take itself beside its rendition: in its place, at its tempo, and as loud.

use super::host::*;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::beside::beside;
use cantus_engine::rendition::loudness::measure;
use cantus_engine::time::{Beats, Bpm, SampleRate, Seconds, SongGrid, TempoMap};

const REGION: Region = Region { rate: 48_000, tempo: 120.0, start_beats: 4.0, length_beats: 8.0 };

/// Bursts of a tone on every beat of so many.
fn bursts(beats: usize, tempo: f64, rate: u32) -> AudioBuffer {
    let beat = 60.0 / tempo * f64::from(rate);
    let frames = (beat * beats as f64).round() as usize;
    let sample = |frame: usize| {
        let since = frame as f64 % beat / f64::from(rate);
        (0.05 * (since * 440.0 * std::f64::consts::TAU).sin() * (-since * 8.0).exp()) as f32
    };
    AudioBuffer { rate: SampleRate(rate), channels: vec![(0..frames).map(sample).collect()] }
}

/// Frames at which a burst begins after quiet.
fn onsets(samples: &[f32]) -> Vec<usize> {
    let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    let mut found: Vec<usize> = Vec::new();
    for (frame, sample) in samples.iter().enumerate() {
        if sample.abs() > peak * 0.5 && found.last().is_none_or(|last| frame > last + 9_000) {
            found.push(frame);
        }
    }
    found
}

fn grid(start: f64, tempo: f64) -> SongGrid {
    SongGrid {
        start: Beats(start),
        start_seconds: Seconds(start * 60.0 / tempo),
        tempo: TempoMap::constant(Bpm(tempo)),
        metre: Default::default(),
    }
}

#[test]
fn the_take_lies_where_it_was_sung_as_loud_as_its_rendition() {
    // The take begins with the rendition, two beats into it, or a beat before it; at its tempo, or at another, from another rate.
    let rows = [(4.0, 120.0, 48_000), (6.0, 120.0, 44_100), (3.0, 120.0, 48_000), (4.0, 100.0, 44_100)];
    for (start, tempo, rate) in rows {
        let mut rendition = REGION.sine(200.0, 0.0);
        rendition.loudness.integrated_lufs = -20.0;
        let take = bursts(6, tempo, rate);
        let context = JobContext::detached();
        let laid = beside(&take, &grid(start, tempo), Beats(6.0), &rendition, &context).unwrap();
        assert_eq!((laid.rate, laid.frames()), (rendition.mix.rate, rendition.mix.frames()));
        let beat = |number: f64| (number - REGION.start_beats) * 24_000.0;
        let due: Vec<f64> =
            (0..6).map(|number| beat(start + f64::from(number))).filter(|&frame| frame >= 0.0).collect();
        let found = onsets(&laid.channels[0]);
        assert_eq!(found.len(), due.len(), "from {start} at {tempo} BPM: {found:?}");
        for (found, due) in found.iter().zip(&due) {
            let off_ms = (*found as f64 - due) / 48.0;
            // Stretching may move an attack a little; what was not stretched stays.
            let bar = if tempo == REGION.tempo { 2.0 } else { 15.0 };
            assert!(off_ms.abs() < bar, "from {start} at {tempo} BPM: {off_ms} ms off");
        }
        let (lufs, peak) = measure(&laid, &context).unwrap();
        assert!((lufs + 20.0).abs() < 1.5 || peak > -1.5, "from {start} at {tempo} BPM: {lufs} LUFS, {peak} dBTP");
        let (before, _) = measure(&take, &context).unwrap();
        assert!((before + 20.0).abs() > 3.0, "the take was that loud anyway");
    }
}
