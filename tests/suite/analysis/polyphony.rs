//! Several notes at once: the network against the outputs of its original, and notes of played chords.

use super::parity::Reference;
use cantus_engine::Error;
use cantus_engine::analysis::polyphony::{self, Posteriors, posteriors};
use cantus_engine::job_context::{CancelToken, JobContext};
use std::f64::consts::TAU;
use std::sync::Arc;

/// Largest difference of any answer from the reference, which holds every fourth frame.
fn error(answer: &Posteriors, reference: &Reference) -> f32 {
    fn worst<const N: usize>(rows: &[[f32; N]], expected: &[f32]) -> f32 {
        let rows: Vec<f32> = rows.iter().step_by(4).flatten().copied().collect();
        assert_eq!(rows.len(), expected.len());
        rows.iter().zip(expected).fold(0.0, |worst, (a, b)| worst.max((a - b).abs()))
    }
    worst(&answer.onset, &reference.floats("onset"))
        .max(worst(&answer.note, &reference.floats("note")))
        .max(worst(&answer.contour, &reference.floats("contour")))
}

/// 1e-4: the original computes in single precision in another order, and differs from double precision by 5e-5 itself.
#[test]
fn answers_are_those_of_the_original_network() {
    let reference = Reference::load("basic_pitch_reference.safetensors");
    let audio = reference.signal("audio_i16");
    let context = JobContext::detached();
    let off = error(&posteriors(&audio, &context).expect("answers"), &reference);
    assert!(off < 1e-4, "off by {off}");

    // Broken on purpose: audio one sample late must not pass, or the bar above would say nothing.
    let late: Vec<f32> = std::iter::once(0.0).chain(audio.iter().copied()).take(audio.len()).collect();
    let off = error(&posteriors(&late, &context).expect("answers"), &reference);
    assert!(off > 1e-3, "the bar cannot tell a shift of one sample: {off}");
}

#[test]
fn answers_do_not_depend_on_the_chunks() {
    let audio = Reference::load("basic_pitch_reference.safetensors").signal("audio_i16");
    let context = JobContext::detached();
    let whole = posteriors(&audio, &context).expect("answers");
    for chunk in [1, 30, 100] {
        let other = polyphony::posteriors_in_chunks(&audio[..20_000], chunk, &context).expect("answers");
        let same = polyphony::posteriors_in_chunks(&audio[..20_000], usize::MAX / 2, &context).expect("answers");
        assert!(other == same, "chunks of {chunk} frames differ");
        assert_eq!(other.frames(), 20_000 / polyphony::HOP + 1);
    }
    assert_eq!(whole.frames(), audio.len() / polyphony::HOP + 1);
}

#[test]
fn nothing_and_silence_have_no_notes() {
    let context = JobContext::detached();
    assert_eq!(posteriors(&[], &context).expect("answers"), Posteriors::default());
    for length in [1, 100, 22_050] {
        let answer = posteriors(&vec![0.0; length], &context).expect("answers");
        assert!(answer.note.iter().flatten().all(|value| value.is_finite()));
        assert_eq!(polyphony::notes(&answer), [], "{length} samples of silence");
    }
}

#[test]
fn a_cancelled_job_stops_listening() {
    let cancel = CancelToken::default();
    cancel.cancel();
    assert_eq!(posteriors(&[0.1; 50_000], &JobContext::new(cancel, Arc::new(|_| ()))), Err(Error::Cancelled));
}

/// A tone of eight harmonics that is struck and dies away: onset and length in seconds, MIDI key.
type Struck = (f64, f64, u8);

/// Tones at the model's rate, each under a peak of 0.15.
fn played(tones: &[Struck], seconds: f64) -> Vec<f32> {
    let rate = polyphony::RATE.hz();
    let mut audio = vec![0.0_f32; (seconds * rate) as usize];
    for &(onset, length, key) in tones {
        let hz = 440.0 * ((f64::from(key) - 69.0) / 12.0).exp2();
        for (index, sample) in audio.iter_mut().enumerate().skip((onset * rate) as usize) {
            let time = index as f64 / rate - onset;
            let envelope = (time / 0.005).min((length - time) / 0.03).clamp(0.0, 1.0) * (-2.0 * time).exp();
            let tone: f64 = (1..=8).map(f64::from).map(|k| (TAU * k * hz * time).sin() / k.powf(1.3)).sum();
            *sample += (0.1 * envelope * tone) as f32;
        }
    }
    audio
}

/// Keys and onsets in order, and no more than those.
fn check_notes(tones: &[Struck], what: &str) {
    let audio = played(tones, 3.5);
    let heard = polyphony::notes(&posteriors(&audio, &JobContext::detached()).expect("answers"));
    let mut keys: Vec<(f64, u8)> = heard.iter().map(|note| (note.onset.0, note.key)).collect();
    assert_eq!(keys.len(), tones.len(), "{what}: {keys:?}");
    for &(onset, _, key) in tones {
        let near = keys.iter().position(|heard| heard.1 == key && (heard.0 - onset).abs() < 0.04);
        let near = near.unwrap_or_else(|| panic!("{what}: key {key} at {onset} s is missing in {keys:?}"));
        keys.remove(near);
    }
    for note in &heard {
        assert!((0.0..=1.0).contains(&note.confidence) && note.level_db <= 0.0 && note.offset > note.onset, "{note:?}");
        assert!((note.pitch.0 - f32::from(note.key)).abs() < 0.15, "{what}: {note:?}");
    }
}

#[test]
fn chords_are_found_note_by_note() {
    check_notes(
        &[(0.3, 1.0, 48), (0.3, 1.0, 55), (0.3, 1.0, 64), (1.5, 1.0, 50), (1.5, 1.0, 57), (1.5, 1.0, 65)],
        "chords",
    );
    check_notes(&[(0.3, 0.4, 60), (0.3, 0.4, 64), (0.8, 0.4, 60), (0.8, 0.4, 64), (1.3, 0.8, 60)], "repeated chords");
    check_notes(&[(0.3, 2.5, 48), (0.8, 0.4, 64), (1.3, 0.4, 67), (1.8, 0.4, 71)], "a held note under a line");
    check_notes(&[(0.5, 0.5, 45), (1.2, 0.5, 57), (1.9, 0.5, 69)], "one note at a time, octaves apart");
}
