//! A part's strip.

use super::super::spectrum::{noise, power_spectrum, tone, tone_db};
use super::super::{all_finite, metered, rms_db};
use super::{RATE, both, check_rises, grid, part, stereo, through_strip, unevenness_db};
use cantus_engine::Error;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::generation::score::Strip;
use cantus_engine::job_context::{CancelToken, JobContext};
use cantus_engine::rendition::effects::{StripSong, apply_strip};
use std::sync::Arc;

const NOTHING: Strip = Strip {
    low_cut_hz: 0.0,
    high_cut_hz: 0.0,
    tilt_db: 0.0,
    drive: 0.0,
    compress: 0.0,
    chorus: 0.0,
    tremolo: 0.0,
    crush: 0.0,
    duck: 0.0,
    delay: 0.0,
    width: 0.0,
};

const EVERYTHING: Strip = Strip {
    low_cut_hz: 80.0,
    high_cut_hz: 9_000.0,
    tilt_db: 6.0,
    drive: 1.0,
    compress: 1.0,
    chorus: 1.0,
    tremolo: 1.0,
    crush: 1.0,
    duck: 1.0,
    delay: 1.0,
    width: 1.0,
};

#[test]
fn nothing_asked_for_changes_nothing() {
    let audio = stereo(RATE, noise(1, 0.5, 20_000), noise(2, 0.9, 20_000));
    // The send to the echo is no matter of the strip's own.
    for strip in [NOTHING, Strip { delay: 1.0, ..NOTHING }, Strip { drive: f32::NAN, ..NOTHING }] {
        assert!(through_strip(&audio, &strip, &[500]) == audio, "{strip:?}");
    }
    let one_each = [
        Strip { low_cut_hz: 20.0, ..NOTHING },
        Strip { high_cut_hz: 18_000.0, ..NOTHING },
        Strip { tilt_db: 0.1, ..NOTHING },
        Strip { drive: 0.01, ..NOTHING },
        Strip { compress: 0.05, ..NOTHING },
        Strip { chorus: 0.01, ..NOTHING },
        Strip { tremolo: 0.01, ..NOTHING },
        Strip { crush: 0.01, ..NOTHING },
        Strip { duck: 0.01, ..NOTHING },
        Strip { width: 0.01, ..NOTHING },
    ];
    for strip in one_each {
        assert!(through_strip(&audio, &strip, &[500]) != audio, "{strip:?} changes nothing");
    }
}

#[test]
fn whatever_comes_in_what_goes_out_is_finite() {
    let mut wild = noise(3, 1.0, 30_000);
    for (index, value) in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30, -1e-40].into_iter().enumerate() {
        wild[1_000 * (index + 1)] = value;
    }
    for rate in [8_000, 192_000] {
        for samples in [wild.clone(), vec![0.0; 30_000], vec![1e-30; 30_000], vec![]] {
            let mut audio = stereo(rate, samples.clone(), samples.clone());
            let song = StripSong { grid: &grid(120.0), kicks: &[0, 9_000, usize::MAX] };
            apply_strip(&mut audio, &EVERYTHING, &song, &JobContext::detached()).expect("a strip");
            assert!(all_finite(&audio), "{rate} Hz");
            assert_eq!(audio.frames(), samples.len());
            if samples.iter().all(|sample| *sample == 0.0) {
                assert_eq!(audio.peak(), 0.0, "silence became sound");
            }
        }
    }
    let cancel = CancelToken::default();
    cancel.cancel();
    let mut audio = both(&part(1.0));
    let song = StripSong { grid: &grid(120.0), kicks: &[] };
    let stopped = apply_strip(&mut audio, &EVERYTHING, &song, &JobContext::new(cancel, Arc::new(|_| ())));
    assert!(matches!(stopped, Err(Error::Cancelled)));
}

/// How much louder a tone comes out than it went in, in dB.
fn response_db(strip: &Strip, hz: f64) -> f64 {
    let sine = tone(hz, 0.1, RATE, 24_000);
    let out = through_strip(&both(&sine), strip, &[]);
    tone_db(&out.channels[0][8_000..], hz, RATE) - tone_db(&sine[8_000..], hz, RATE)
}

#[test]
fn cuts_cut_twelve_decibels_an_octave_and_tilt_tilts() {
    for hz in [80.0, 250.0, 1_000.0] {
        let low_cut = Strip { low_cut_hz: hz, ..NOTHING };
        let high_cut = Strip { high_cut_hz: hz, ..NOTHING };
        let hz = f64::from(hz);
        for (strip, stopped, passed) in [(low_cut, hz / 4.0, hz * 4.0), (high_cut, hz * 4.0, hz / 4.0)] {
            let corner = response_db(&strip, hz);
            assert!((corner + 3.0).abs() < 0.5, "{strip:?}: {corner} dB at the corner");
            let stopped = response_db(&strip, stopped);
            assert!((stopped + 24.0).abs() < 1.5, "{strip:?}: {stopped} dB two octaves beyond");
            assert!(response_db(&strip, passed).abs() < 0.3);
        }
    }
    let tilts: Vec<f64> = [-6.0, -3.0, 3.0, 6.0]
        .map(|tilt_db| {
            let strip = Strip { tilt_db, ..NOTHING };
            let tilt = response_db(&strip, 12_000.0) - response_db(&strip, 50.0);
            assert!((tilt - f64::from(tilt_db)).abs() < 0.6, "{tilt_db} dB are {tilt} dB");
            tilt
        })
        .to_vec();
    check_rises("tilt", &tilts, 2.0);
}

/// Power of a driven tone outside of its partials, as far up as one hears, against all of it, in dB.
fn aliases_db(samples: &[f32], hz: f64) -> f64 {
    let spectrum = power_spectrum(samples);
    let bin_hz = f64::from(RATE) / samples.len() as f64;
    let (mut inside, mut outside) = (0.0, 0.0);
    for (bin, power) in spectrum.iter().enumerate().take((20_000.0 / bin_hz) as usize).skip(20) {
        let partial = bin as f64 * bin_hz / hz;
        let near = (partial - partial.round()).abs() * hz < 6.0 * bin_hz;
        if near { inside += power } else { outside += power }
    }
    10.0 * (outside / (inside + outside)).log10()
}

#[test]
fn drive_adds_partials_and_no_aliases_and_keeps_the_loudness() {
    let sine = tone(1_000.0, 0.05, RATE, 40_000);
    let distortion = |drive: f32| {
        let out = through_strip(&both(&sine), &Strip { drive, ..NOTHING }, &[]);
        let partial = |hz: f64| tone_db(&out.channels[0][4_000..], hz, RATE);
        10.0 * (10.0_f64.powf(partial(2_000.0) / 10.0) + 10.0_f64.powf(partial(3_000.0) / 10.0)).log10()
            - partial(1_000.0)
    };
    check_rises("distortion", &[0.1, 0.3, 0.5, 0.75, 1.0].map(distortion), 2.0);
    assert!((-25.0..-5.0).contains(&distortion(1.0)), "full drive distorts by {} dB", distortion(1.0));
    for hz in [2_711.0, 5_003.0, 7_919.0] {
        let sine = tone(hz, 0.2, RATE, 40_000);
        let out = through_strip(&both(&sine), &Strip { drive: 1.0, ..NOTHING }, &[]);
        let level = aliases_db(&out.channels[0][4_000..36_768], hz);
        assert!(level < -60.0, "{hz} Hz: aliases at {level} dB");
        // The same curve sample by sample folds back.
        let naive: Vec<f32> =
            sine.iter().map(|sample| 14.0 * sample / (1.0 + (14.0 * sample).powi(2)).sqrt()).collect();
        assert!(aliases_db(&naive[4_000..36_768], hz) > -45.0, "{hz} Hz: aliases of a plain curve are not seen");
    }
    check_keeps_loudness("drive", |drive| Strip { drive, ..NOTHING });
}

fn check_keeps_loudness(what: &str, strip: impl Fn(f32) -> Strip) {
    let audio = both(&part(6.0));
    let quiet = both(&part(6.0).iter().map(|sample| sample * 0.03).collect::<Vec<_>>());
    for audio in [audio, quiet] {
        let before = metered(RATE, &audio.channels).0;
        for amount in [0.1, 0.5, 1.0] {
            let out = through_strip(&audio, &strip(amount), &[]);
            let off = metered(RATE, &out.channels).0 - before;
            assert!(off.abs() < 1.0, "{what} {amount}: {off} LU louder");
        }
    }
}

#[test]
fn compression_evens_out_and_keeps_the_loudness() {
    let audio = both(&part(6.0));
    let even = |compress: f32| -unevenness_db(&through_strip(&audio, &Strip { compress, ..NOTHING }, &[]));
    check_rises("evenness", &[0.0, 0.3, 0.6, 1.0].map(even), 0.3);
    check_keeps_loudness("compression", |compress| Strip { compress, ..NOTHING });
}

#[test]
fn chorus_spreads_a_line_and_keeps_its_level() {
    let audio = both(&tone(440.0, 0.2, RATE, 3 * 65_536));
    let beside = |chorus: f32| {
        let out = through_strip(&audio, &Strip { chorus, ..NOTHING }, &[]);
        let level = rms_db(&out.channels[0]) - rms_db(&audio.channels[0]);
        assert!(level.abs() < 1.6, "chorus {chorus}: {level} dB");
        let spectrum = power_spectrum(&out.channels[0][65_536..2 * 65_536]);
        let line = (440.0 / f64::from(RATE) * 65_536.0) as usize;
        let sum = |from: usize, to: usize| spectrum[from..to].iter().sum::<f64>();
        10.0 * ((sum(line - 40, line - 5) + sum(line + 6, line + 41)) / sum(line - 40, line + 41) + 1e-12).log10()
    };
    check_rises("chorus", &[0.0, 0.25, 0.5, 1.0].map(beside), 0.5);
    let out = through_strip(&audio, &Strip { chorus: 1.0, ..NOTHING }, &[]);
    assert!(out.channels[0] != out.channels[1], "both sides sway alike");
}

#[test]
fn tremolo_keeps_time_with_the_song() {
    let audio = both(&tone(1_000.0, 0.2, RATE, 4 * RATE as usize));
    // Level every millisecond, over whole periods of the tone.
    let levels = |tremolo: f32| -> Vec<f32> {
        let out = through_strip(&audio, &Strip { tremolo, ..NOTHING }, &[]);
        out.channels[0].chunks_exact(48).map(|chunk| rms_db(chunk) as f32).collect()
    };
    let depth = |tremolo: f32| {
        let levels = levels(tremolo);
        f64::from(levels.iter().fold(f32::MIN, |a, &b| a.max(b)) - levels.iter().fold(f32::MAX, |a, &b| a.min(b)))
    };
    check_rises("tremolo", &[0.0, 0.3, 0.6, 1.0].map(depth), 1.5);
    // Eighths at 120 BPM: four a second, the loudest on the beat.
    let levels = levels(0.6);
    for beat in 0..7 {
        let around = |millisecond: usize| levels[millisecond];
        let at = 500 * beat;
        assert!(around(at + 2) > around(at + 125) + 4.0, "beat {beat}: the off-beat is as loud");
        assert!((around(at + 2) - around(at + 252)).abs() < 0.3, "beat {beat}: no eighths");
    }
    let level = rms_db(&through_strip(&audio, &Strip { tremolo: 1.0, ..NOTHING }, &[]).channels[0]);
    assert!((level - rms_db(&audio.channels[0])).abs() < 0.5);
}

#[test]
fn crushing_coarsens() {
    let audio = both(&tone(997.0, 0.2, RATE, 40_000));
    let error = |crush: f32| {
        let out = through_strip(&audio, &Strip { crush, ..NOTHING }, &[]);
        let difference: Vec<f32> = out.channels[0].iter().zip(&audio.channels[0]).map(|(a, b)| a - b).collect();
        rms_db(&difference) - rms_db(&audio.channels[0])
    };
    check_rises("error", &[0.05, 0.3, 0.6, 1.0].map(error), 3.0);
    let levels = |crush: f32| {
        let mut levels: Vec<u32> = through_strip(&audio, &Strip { crush, ..NOTHING }, &[]).channels[0]
            .iter()
            .map(|sample| sample.to_bits())
            .collect();
        levels.sort_unstable();
        levels.dedup();
        levels.len()
    };
    assert!(levels(1.0) <= 34 && levels(0.5) > 100, "{} and {} levels", levels(1.0), levels(0.5));
}

/// Level of a stretch after a frame.
fn level_db(audio: &AudioBuffer, from: usize, frames: usize) -> f64 {
    rms_db(&audio.channels[0][from..from + frames])
}

#[test]
fn a_ducked_part_steps_back_for_the_kick_and_returns_in_half_a_beat() {
    let audio = both(&tone(500.0, 0.2, RATE, 3 * RATE as usize));
    let kick = RATE as usize;
    let down = |duck: f32| {
        let out = through_strip(&audio, &Strip { duck, ..NOTHING }, &[kick]);
        let free = level_db(&audio, 0, 9_600);
        assert!((level_db(&out, kick - 9_600, 9_000) - free).abs() < 0.05, "it steps back before the kick");
        // Half a beat at 120 BPM is 12000 frames.
        assert!((level_db(&out, kick + 12_100, 9_600) - free).abs() < 0.05, "it is not back in time");
        free - level_db(&out, kick, 960)
    };
    check_rises("ducking", &[0.0, 0.25, 0.5, 1.0].map(down), 1.5);
    assert!(down(1.0) > 15.0);
    let never = through_strip(&audio, &Strip { duck: 1.0, ..NOTHING }, &[]);
    assert_eq!(never, audio);
}

#[test]
fn width_spreads_and_disappears_in_mono() {
    let audio = both(&part(3.0));
    let side = |width: f32| {
        let out = through_strip(&audio, &Strip { width, ..NOTHING }, &[]);
        let pair = || out.channels[0].iter().zip(&out.channels[1]);
        let side: Vec<f32> = pair().map(|(left, right)| 0.5 * (left - right)).collect();
        let mono: Vec<f32> = pair().map(|(left, right)| 0.5 * (left + right)).collect();
        // In mono it is the part again, a little softer.
        let gain = rms_db(&mono) - rms_db(&audio.channels[0]);
        let scale = 10.0_f32.powf(gain as f32 / 20.0);
        let rest: Vec<f32> = mono.iter().zip(&audio.channels[0]).map(|(mono, dry)| mono - scale * dry).collect();
        assert!(gain > -2.3 && rms_db(&rest) - rms_db(&mono) < -80.0, "width {width} colours mono");
        rms_db(&side) - rms_db(&mono)
    };
    check_rises("width", &[0.0, 0.3, 0.6, 1.0].map(side), 1.5);
    let level = rms_db(&through_strip(&audio, &Strip { width: 1.0, ..NOTHING }, &[]).channels[0]);
    assert!((level - rms_db(&audio.channels[0])).abs() < 1.5);
}
