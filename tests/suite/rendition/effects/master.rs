//! The touch on the sum.

use super::super::spectrum::{band_db, noise, power_spectrum, tone};
use super::super::{all_finite, metered, rms_db};
use super::{RATE, both, check_rises, part, stereo, unevenness_db};
use crate::rendition::oscillator::crossings_hz;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::generation::score::Master;
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::effects::apply_master;

const NOTHING: Master = Master { tilt_db: 0.0, glue: 0.0, tape: 0.0, vinyl: 0.0, crush: 0.0 };

fn mastered(audio: &AudioBuffer, master: Master) -> AudioBuffer {
    let mut out = audio.clone();
    apply_master(&mut out, &master, &JobContext::detached()).expect("a master");
    out
}

#[test]
fn nothing_asked_for_changes_nothing_and_nothing_breaks() {
    let audio = stereo(RATE, noise(1, 0.5, 20_000), noise(2, 0.9, 20_000));
    assert!(mastered(&audio, NOTHING) == audio);
    let one_each = [
        Master { tilt_db: 0.1, ..NOTHING },
        Master { glue: 0.05, ..NOTHING },
        Master { tape: 0.01, ..NOTHING },
        Master { vinyl: 0.01, ..NOTHING },
        Master { crush: 0.01, ..NOTHING },
    ];
    for master in one_each {
        assert!(mastered(&audio, master) != audio, "{master:?} changes nothing");
    }
    let all = Master { tilt_db: 9.0, glue: 1.0, tape: 1.0, vinyl: 1.0, crush: 1.0 };
    let mut wild = noise(3, 1.0, 30_000);
    [f32::NAN, f32::INFINITY, 1e38, -1e-40]
        .into_iter()
        .zip([9, 99, 999, 9_999])
        .for_each(|(value, at)| wild[at] = value);
    for rate in [8_000, 192_000] {
        for samples in [wild.clone(), vec![0.0; 30_000], vec![]] {
            let out = mastered(&stereo(rate, samples.clone(), samples.clone()), all);
            assert!(all_finite(&out), "{rate} Hz");
            assert!(samples.iter().any(|sample| *sample != 0.0) || out.peak() == 0.0, "silence became sound");
        }
    }
}

#[test]
fn the_sum_keeps_its_loudness() {
    let audio = both(&part(6.0));
    let before = metered(RATE, &audio.channels).0;
    for amount in [0.2, 0.6, 1.0] {
        for master in [Master { glue: amount, ..NOTHING }, Master { tape: amount, ..NOTHING }] {
            let off = metered(RATE, &mastered(&audio, master).channels).0 - before;
            assert!(off.abs() < 1.0, "{master:?}: {off} LU louder");
        }
    }
}

#[test]
fn glue_holds_together() {
    let audio = both(&part(6.0));
    let even = |glue: f32| -unevenness_db(&mastered(&audio, Master { glue, ..NOTHING }));
    check_rises("evenness", &[0.0, 0.4, 1.0].map(even), 0.15);
}

#[test]
fn tape_is_softer_on_top_and_wavers_a_little() {
    let hiss = both(&noise(7, 0.05, 65_536));
    let dark = |tape: f32| {
        let out = mastered(&hiss, Master { tape, ..NOTHING });
        -band_db(&power_spectrum(&out.channels[0]), RATE, 9_000.0, 18_000.0)
    };
    check_rises("softness", &[0.0, 0.3, 0.6, 1.0].map(dark), 0.3);
    // The pitch of a tone, a tenth of a second at a time.
    let frames = 6 * RATE as usize;
    let sine = both(&tone(1_000.0, 0.05, RATE, frames));
    let waver = |tape: f32| {
        let out = mastered(&sine, Master { tape, ..NOTHING });
        let pitches: Vec<f64> =
            out.channels[0][4_800..frames - 4_800].chunks_exact(4_800).map(cents_from_1000).collect();
        let mean = pitches.iter().sum::<f64>() / pitches.len() as f64;
        assert!(mean.abs() < 1.0, "tape {tape} detunes by {mean} cents");
        pitches.iter().fold(0.0_f64, |most, cents| most.max((cents - mean).abs()))
    };
    check_rises("waver", &[0.0, 0.3, 0.6, 1.0].map(waver), 0.4);
    assert!((3.0..14.0).contains(&waver(1.0)), "{} cents", waver(1.0));
}

fn cents_from_1000(samples: &[f32]) -> f64 {
    1200.0 * (crossings_hz(samples) / 1_000.0).log2()
}

#[test]
fn a_record_crackles_the_same_every_time_and_under_the_music() {
    let audio = both(&part(6.0));
    let surface = |vinyl: f32| -> Vec<f32> {
        let out = mastered(&audio, Master { vinyl, ..NOTHING });
        out.channels[0].iter().zip(&audio.channels[0]).map(|(with, without)| with - without).collect()
    };
    let music = rms_db(&audio.channels[0]);
    let level = |vinyl: f32| rms_db(&surface(vinyl)) - music;
    check_rises("surface", &[0.1, 0.3, 0.6, 1.0].map(level), 1.0);
    assert!((-40.0..-14.0).contains(&level(1.0)), "a full surface lies at {} dB", level(1.0));
    assert_eq!(surface(0.5), surface(0.5));
    // Specks stand out of the noise.
    let specks = surface(1.0);
    let peak = 20.0 * f64::from(specks.iter().fold(0.0_f32, |a, b| a.max(b.abs()))).log10();
    assert!(peak - rms_db(&specks) > 15.0, "{} dB of crest: no crackle", peak - rms_db(&specks));
}
