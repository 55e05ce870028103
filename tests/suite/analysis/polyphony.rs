//! Several notes at once: the network against the outputs of its original, and notes of played chords.

use super::parity::Reference;
use cantus_engine::Error;
use cantus_engine::analysis::polyphony::{self, Posteriors, posteriors};
use cantus_engine::job_context::{CancelToken, JobContext};
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
