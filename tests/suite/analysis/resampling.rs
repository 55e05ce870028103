//! Sample rate conversion: lengths, places, levels, and errors.

use cantus_engine::Error;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::resample::resample;
use cantus_engine::time::SampleRate;

const RATES: [u32; 8] = [8_000, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000];

fn every_pair(mut check: impl FnMut(SampleRate, SampleRate)) {
    for from in RATES {
        for to in RATES {
            check(SampleRate(from), SampleRate(to));
        }
    }
}

/// Centre of gravity of a buffer's energy, in seconds.
fn centre(audio: &AudioBuffer) -> f64 {
    let (mut sum, mut weighted) = (0.0, 0.0);
    for (frame, sample) in audio.channels[0].iter().enumerate() {
        let energy = f64::from(*sample).powi(2);
        sum += energy;
        weighted += energy * frame as f64;
    }
    weighted / sum / audio.rate.hz()
}

#[test]
fn a_click_stays_in_place() {
    every_pair(|from, to| {
        for at in [0.05, 0.1234, 0.21] {
            let mut audio = AudioBuffer::silent(from, 1, (0.26 * from.hz()) as usize);
            let frame = (at * from.hz()).round() as usize;
            audio.channels[0][frame] = 1.0;
            let moved = centre(&resample(&audio, to).expect("resampled")) - frame as f64 / from.hz();
            assert!(moved.abs() < 1e-4, "{} to {} Hz moves a click by {moved} s", from.0, to.0);
        }
    });
}

#[test]
fn lengths_are_exact() {
    every_pair(|from, to| {
        for frames in [0, 1, 2, 999, 10_007] {
            let result = resample(&AudioBuffer::silent(from, 2, frames), to).expect("resampled");
            let expected = (frames as f64 * to.hz() / from.hz()).round() as usize;
            assert_eq!(
                result.channels.iter().map(Vec::len).collect::<Vec<_>>(),
                [expected; 2],
                "{} to {}",
                from.0,
                to.0
            );
            assert_eq!(result.rate, to);
        }
    });
}

#[test]
fn tones_keep_their_level_or_vanish() {
    let tone = |hz: f64, rate: SampleRate| {
        let sample = |frame: usize| (std::f64::consts::TAU * hz * frame as f64 / rate.hz()).sin() as f32;
        AudioBuffer::mono(rate, (0..rate.0 as usize / 2).map(sample).collect())
    };
    let middle_rms = |audio: &AudioBuffer| {
        let samples = &audio.channels[0][audio.frames() / 4..audio.frames() * 3 / 4];
        (samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len() as f64).sqrt()
    };
    every_pair(|from, to| {
        let nyquist = f64::from(from.0.min(to.0)) / 2.0;
        for share in [0.1, 0.5, 0.9] {
            let result = resample(&tone(nyquist * share, from), to).expect("resampled");
            let error = (middle_rms(&result) * std::f64::consts::SQRT_2 - 1.0).abs();
            assert!(error < 2e-3, "{} to {} Hz at {share} of Nyquist is off by {error}", from.0, to.0);
        }
        if from.0 > to.0 {
            // Halfway between what the new rate can hold and what the old one can.
            let lost = (nyquist + f64::from(from.0) / 2.0) / 2.0;
            let rest = middle_rms(&resample(&tone(lost, from), to).expect("resampled"));
            assert!(rest < 1e-4, "{} to {} Hz leaves {rest} of a tone that cannot be kept", from.0, to.0);
        }
    });
}

#[test]
fn unusual_rates_are_converted_or_refused_in_words() {
    for (from, to) in [(44_099, 44_100), (11_025, 192_000), (8_001, 16_000)] {
        let audio = AudioBuffer::silent(SampleRate(from), 1, 1000);
        assert!(resample(&audio, SampleRate(to)).is_ok(), "{from} to {to}");
    }
    for (from, to) in [(7_999, 16_000), (44_100, 192_001), (0, 44_100), (44_100, 0)] {
        let result = resample(&AudioBuffer::silent(SampleRate(from), 1, 10), SampleRate(to));
        assert!(matches!(result, Err(Error::OutOfRange { .. })), "{from} to {to}");
    }
}

#[test]
fn damaged_samples_do_not_spread() {
    let mut audio = AudioBuffer::silent(SampleRate(44_100), 1, 5000);
    audio.channels[0][100] = f32::NAN;
    audio.channels[0][200] = f32::INFINITY;
    let result = resample(&audio, SampleRate(16_000)).expect("resampled");
    assert!(result.channels[0].iter().all(|sample| *sample == 0.0));
}
