//! Thread: worker. The melody in a mix: one voice followed through many.
//!
//! Two networks that were trained on other things are asked together. SwiftF0 knows one voice and what its harmonics look like;
//! in a mix its best guess jumps to whatever is loudest, but the melody's pitch stays among its guesses. Basic Pitch hears
//! several pitches and cannot tell whose they are. The melody is the path that both believe in, that moves like a voice, and
//! that keeps to one register. The bass is left out before the guesses are compared, not filtered out of the sound: its
//! harmonics would stay.

mod path;
mod salience;

use crate::analysis::polyphony::Posteriors;
use crate::analysis::{F0Frame, f0};
use crate::error::Result;
use crate::job_context::JobContext;
use crate::time::{MidiNote, Seconds};
use salience::{PITCHES, Salience};

/// Semitones around the middle of the melody that cost nothing, and what each one beyond costs a frame. A second look with
/// this prior brings back notes that were followed an octave off, into the chords or the bass.
const REGISTER: f32 = 8.0;
const OUT_OF_REGISTER: f32 = 0.2;
/// Weights of the certainty that the melody sounds: a constant, SwiftF0's belief in the pitch, Basic Pitch's, and decibels of
/// the fundamental above its median along the path. Fitted to mixes whose melody is known.
const VOICING: [f32; 4] = [4.4, 0.6, 1.6, 0.16];

/// The melody of a mix: mono audio at 16 kHz, and what Basic Pitch says of the same. Frames as [`f0::track`] gives them.
///
/// # Errors
/// As [`f0::track`].
pub fn track(mono_16k: &[f32], posteriors: &Posteriors, context: &JobContext) -> Result<Vec<F0Frame>> {
    let beliefs = f0::beliefs(mono_16k, context)?;
    let mut salience = Salience::new(&beliefs, posteriors);
    context.check()?;
    let first = path::best(&salience.total);
    let mut sorted = first.clone();
    sorted.sort_unstable();
    if let Some(&middle) = sorted.get(sorted.len() / 2) {
        let middle = salience::note(middle).0;
        let register: [f32; PITCHES] = std::array::from_fn(|pitch| {
            -OUT_OF_REGISTER * ((salience::note(pitch).0 - middle).abs() - REGISTER).max(0.0)
        });
        for frame in &mut salience.total {
            frame.iter_mut().zip(register).for_each(|(total, prior)| *total += prior);
        }
    }
    context.check()?;
    let path = path::best(&salience.total);
    Ok(frames(&salience, &beliefs, posteriors, &path))
}

fn frames(salience: &Salience, beliefs: &[f0::Pitch], posteriors: &Posteriors, path: &[usize]) -> Vec<F0Frame> {
    let levels: Vec<f32> = path.iter().zip(&salience.level_db).map(|(&pitch, level)| level[pitch]).collect();
    let mut sorted = levels.clone();
    sorted.sort_by(f32::total_cmp);
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
    (0..path.len())
        .map(|frame| {
            let pitch = path[frame];
            let [constant, believed, heard, louder] = VOICING;
            let evidence = constant
                + believed * salience.believed[frame][pitch]
                + heard * salience.heard[frame][pitch]
                + louder * (levels[frame] - median).max(-30.0);
            let confidence = 1.0 / (1.0 + (-evidence).exp());
            let MidiNote(note) = salience::refined(pitch, &beliefs[frame], posteriors, frame);
            let time = Seconds((frame * f0::HOP) as f64 / f0::RATE.hz());
            F0Frame { time, hz: MidiNote(note).hz().0, confidence, voiced: confidence >= f0::VOICED }
        })
        .collect()
}
