//! Inputs nobody hums on purpose: each gives an analysis and, where something is wrong, a sentence.

use super::hum::{TUNE, hum, noise};
use super::{analysis_of, take};
use cantus_engine::Error;
use cantus_engine::analysis::{Analysis, analyse};
use cantus_engine::audio::AudioBuffer;
use cantus_engine::job_context::{CancelToken, JobContext};
use cantus_engine::time::SampleRate;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const RATE: SampleRate = SampleRate(44_100);

/// What an analysis must be whatever went in.
pub(super) fn check_sane(analysis: &Analysis, what: &str) {
    let numbers = [
        analysis.tuning_cents,
        analysis.level_dbfs,
        analysis.confidence,
        analysis.key.confidence,
        analysis.tempo_confidence,
        analysis.tempo().0 as f32,
        analysis.length.0 as f32,
    ];
    assert!(numbers.iter().all(|number| number.is_finite()), "{what}: {numbers:?}");
    assert!((0.0..=1.0).contains(&analysis.confidence), "{what}");
    assert!(analysis.f0.iter().all(|frame| frame.hz.is_finite() && frame.confidence.is_finite()), "{what}");
    assert!(analysis.chroma.frames.iter().flatten().all(|value| value.is_finite()), "{what}");
    for note in &analysis.notes {
        assert!(note.onset < note.offset && note.sung.0.is_finite() && note.loudness.is_finite(), "{what}: {note:?}");
        assert!(
            note.bend.iter().chain(&note.level_db).all(|point| point.0.is_finite() && point.1.is_finite()),
            "{what}"
        );
    }
}

#[test]
fn every_rate_hears_the_same_tune() {
    for hz in [8_000, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000] {
        let analysis = analysis_of(hum(&TUNE, 0.0, 0.5, SampleRate(hz)));
        let keys: Vec<f64> = analysis.notes.iter().map(|note| f64::from(note.key)).collect();
        assert_eq!(keys, TUNE.map(|note| note.2), "{hz} Hz");
        check_sane(&analysis, &format!("{hz} Hz"));
    }
}

#[test]
fn strange_takes_give_an_empty_analysis_and_a_reason() {
    let second = RATE.0 as usize;
    let mono = |samples: Vec<f32>| AudioBuffer::mono(RATE, samples);
    let hiss = |peak: f32| noise(3 * second, peak, 11);
    let click = {
        let mut samples = vec![0.0; second];
        samples[second / 2] = 1.0;
        samples
    };
    // What, the take, and words among its doubts.
    let rows: Vec<(&str, AudioBuffer, &str)> = vec![
        ("no channels", AudioBuffer { rate: RATE, channels: Vec::new() }, "silent"),
        ("no samples", mono(Vec::new()), "silent"),
        ("one sample", mono(vec![0.5]), "too short"),
        ("one silent sample", mono(vec![0.0]), "silent"),
        ("300 samples", mono(noise(300, 0.5, 3)), "too short"),
        ("silence", mono(vec![0.0; 2 * second]), "silent"),
        ("rounding noise", mono(hiss(1e-5)), "silent"),
        ("constant", mono(vec![0.4; 2 * second]), "No pitch found"),
        ("one click", mono(click), "No pitch found"),
        ("loud noise", mono(hiss(0.9)), "only noise"),
        ("soft noise", mono(hiss(0.001)), "only noise"),
        (
            "stereo noise",
            AudioBuffer { rate: RATE, channels: vec![hiss(0.3), noise(3 * second, 0.3, 12)] },
            "only noise",
        ),
        ("only NaN", mono(vec![f32::NAN; second]), "44100 damaged samples"),
        ("only infinity", mono(vec![f32::NEG_INFINITY; second]), "damaged"),
        ("huge values", mono(noise(second, 1e30, 4)), "clipped"),
        ("channels of two lengths", AudioBuffer { rate: RATE, channels: vec![vec![0.0; 9], vec![0.0; 4]] }, "silent"),
    ];
    for (what, audio, words) in rows {
        let analysis = analysis_of(audio);
        check_sane(&analysis, what);
        assert!(analysis.doubts.iter().any(|doubt| doubt.contains(words)), "{what}: {:?}", analysis.doubts);
        assert_eq!((analysis.notes.len(), analysis.confidence), (0, 0.0), "{what}");
    }
}

#[test]
fn a_damaged_hum_is_still_a_tune() {
    let clean = hum(&TUNE, 0.0, 0.5, RATE);
    let changed = |change: &dyn Fn(usize, f32) -> f32| {
        AudioBuffer::mono(
            RATE,
            clean.channels[0].iter().enumerate().map(|(frame, &sample)| change(frame, sample)).collect(),
        )
    };
    let hiss = noise(clean.frames(), 0.05, 9);
    let rows = [
        ("clipped", changed(&|_, sample| (sample * 8.0).clamp(-1.0, 1.0)), "clipped"),
        ("with NaN", changed(&|frame, sample| if frame % 9973 == 0 { f32::NAN } else { sample }), "damaged"),
        ("with an offset", changed(&|_, sample| sample + 0.3), ""),
        ("with noise", changed(&|frame, sample| sample + hiss[frame]), ""),
        ("upside down", changed(&|_, sample| -sample), ""),
    ];
    for (what, audio, words) in rows {
        let analysis = analysis_of(audio);
        check_sane(&analysis, what);
        let keys: Vec<f64> = analysis.notes.iter().map(|note| f64::from(note.key)).collect();
        assert_eq!(keys, TUNE.map(|note| note.2), "{what}");
        assert!(
            words.is_empty() || analysis.doubts.iter().any(|doubt| doubt.contains(words)),
            "{what}: {:?}",
            analysis.doubts
        );
    }
}

#[test]
fn impossible_rates_are_refused_in_words() {
    for hz in [0, 4_000, 384_000_u32] {
        let result = analyse(&take(AudioBuffer::silent(SampleRate(hz), 1, 100)), &JobContext::detached());
        assert!(matches!(result, Err(Error::OutOfRange { .. })), "{hz} Hz: {result:?}");
    }
}

#[test]
fn progress_grows_and_a_cancelled_analysis_stops() {
    let long = hum(&TUNE, 0.0, 0.5, RATE).channels[0].repeat(6);
    let take = take(AudioBuffer::mono(RATE, long));
    let reports = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reports);
    let context = JobContext::new(
        CancelToken::default(),
        Arc::new(move |progress| {
            assert!((0.0..=1.0).contains(&progress.fraction));
            counted.fetch_add(1, Ordering::Relaxed);
        }),
    );
    analyse(&take, &context).expect("analysis");
    let total = reports.load(Ordering::Relaxed);
    assert!(total > 10, "only {total} reports for 28 s of audio");

    for after in [1, total / 2, total - 1] {
        let cancel = CancelToken::default();
        let (seen, stop) = (AtomicUsize::new(0), cancel.clone());
        let report = move |_| {
            if seen.fetch_add(1, Ordering::Relaxed) + 1 == after {
                stop.cancel();
            }
        };
        assert_eq!(
            analyse(&take, &JobContext::new(cancel, Arc::new(report))),
            Err(Error::Cancelled),
            "after {after} reports"
        );
    }
}
