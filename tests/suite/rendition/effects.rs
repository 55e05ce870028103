//! Effects: what each amount does, that none of them does more than it says, and that 0 is nothing at all.

mod echo;
mod master;
mod room;
mod strip;

use cantus_engine::audio::AudioBuffer;
use cantus_engine::generation::score::Strip;
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::effects::{StripSong, apply_strip};
use cantus_engine::time::{Bpm, Metre, SampleRate, SongGrid};

const RATE: u32 = 48_000;

fn grid(tempo: f64) -> SongGrid {
    SongGrid::at_origin(Bpm(tempo), Metre { numerator: 4, denominator: 4 })
}

fn stereo(rate: u32, left: Vec<f32>, right: Vec<f32>) -> AudioBuffer {
    AudioBuffer { rate: SampleRate(rate), channels: vec![left, right] }
}

fn both(samples: &[f32]) -> AudioBuffer {
    stereo(RATE, samples.to_vec(), samples.to_vec())
}

/// What a strip makes of audio at 120 BPM, with kicks at frames.
fn through_strip(audio: &AudioBuffer, strip: &Strip, kicks: &[usize]) -> AudioBuffer {
    let mut out = audio.clone();
    let song = StripSong { grid: &grid(120.0), kicks };
    apply_strip(&mut out, strip, &song, &JobContext::detached()).expect("a strip");
    out
}

/// A part with notes and rests: struck tones of several partials.
fn part(seconds: f64) -> Vec<f32> {
    let frames = (seconds * f64::from(RATE)) as usize;
    let mut out = vec![0.0_f32; frames];
    for (index, start) in (0..frames).step_by(RATE as usize / 4).enumerate() {
        if index % 8 == 7 {
            continue;
        }
        let hz = 110.0 * 2.0_f64.powf([0.0, 7.0, 3.0, 12.0, 10.0][index % 5] / 12.0);
        let loud = if index % 2 == 0 { 0.22 } else { 0.12 };
        for (age, sample) in out[start..].iter_mut().take(RATE as usize / 4).enumerate() {
            let time = age as f64 / f64::from(RATE);
            let tone: f64 = (1..7)
                .map(|partial| (std::f64::consts::TAU * hz * f64::from(partial) * time).sin() / f64::from(partial))
                .sum();
            *sample += (loud * tone * (-9.0 * time).exp() * (time * 300.0).min(1.0)) as f32;
        }
    }
    out
}

/// How much louder the loud strokes of [`part`] are than the soft ones, in dB.
fn unevenness_db(audio: &AudioBuffer) -> f64 {
    let stroke = RATE as usize / 4;
    let level = |parity: usize| {
        let strokes = audio.channels[0].chunks_exact(stroke).enumerate().filter(|(index, _)| index % 8 != 7);
        let levels: Vec<f64> =
            strokes.filter(|(index, _)| index % 2 == parity).map(|(_, stroke)| super::rms_db(stroke)).collect();
        levels.iter().sum::<f64>() / levels.len() as f64
    };
    level(0) - level(1)
}

/// Each value lies beyond the one before by at least `step`.
fn check_rises(what: &str, values: &[f64], step: f64) {
    assert!(values.windows(2).all(|two| two[1] > two[0] + step), "{what} does not rise: {values:?}");
}
