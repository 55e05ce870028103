//! The sampler and rustysynth play the same notes: what both do alike must agree.

use super::{RATE, db, oracle, played};
use crate::rendition::melody::cents_from;
use cantus_engine::generation::score::Preset;
use cantus_engine::rendition::levels::sounds;

/// What the sampler plays louder throughout: the level of a full sound, over a half-power side.
const LOUDER: f64 = 0.803 / std::f64::consts::FRAC_1_SQRT_2;

/// Level in a band an octave wide, in dB, by a second-order band-pass run twice.
fn band_db(sound: &[f32], hz: f64) -> f64 {
    let turn = std::f64::consts::TAU * hz / f64::from(RATE);
    let alpha = turn.sin() / (2.0 * 1.414);
    let (b, a0) = (alpha, 1.0 + alpha);
    let (a1, a2) = (-2.0 * turn.cos(), 1.0 - alpha);
    let pass = |sound: Vec<f64>| {
        let (mut x, mut y) = ([0.0; 2], [0.0; 2]);
        sound
            .into_iter()
            .map(|input| {
                let output = (b * (input - x[1]) - a1 * y[0] - a2 * y[1]) / a0;
                (x, y) = ([input, x[0]], [output, y[0]]);
                output
            })
            .collect::<Vec<f64>>()
    };
    let band = pass(pass(sound.iter().map(|sample| f64::from(*sample)).collect()));
    10.0 * (band.iter().map(|sample| sample * sample).sum::<f64>() / band.len() as f64 + 1e-18).log10()
}

/// Chords of many presets, one after another, by both players. At full velocity no modulator of the set does anything.
fn dense() -> [Vec<f32>; 2] {
    let mut sums = [Vec::new(), Vec::new()];
    for (program, root) in
        [(0, 48), (4, 60), (16, 55), (24, 52), (32, 33), (48, 55), (60, 50), (66, 57), (73, 72), (11, 65), (61, 55)]
    {
        for key in [root, root + 4, root + 7] {
            let preset = Preset { bank: 0, program };
            let pair = [played(preset, key, 127, 1.0), oracle::played(preset, key, 127, 1.0, RATE)];
            for (sum, sound) in sums.iter_mut().zip(pair) {
                sum.resize(sum.len().max(RATE as usize), 0.0);
                sum.iter_mut().zip(sound).for_each(|(sum, sample)| *sum += sample);
            }
        }
    }
    sums
}

#[test]
fn a_dense_piece_has_the_oracles_spectrum() {
    let [own, oracle] = dense();
    let off = |own: &[f32], hz: f64| band_db(own, hz) - band_db(&oracle, hz) - db(LOUDER);
    for hz in [62.5, 125.0, 250.0, 500.0, 1_000.0, 2_000.0] {
        println!("{hz:>6} Hz: {:+.2} dB", off(&own, hz));
        assert!(off(&own, hz).abs() < 1.0, "{hz} Hz: {} dB off", off(&own, hz));
    }
    // Above, linear interpolation takes treble away and adds images; only the direction is known.
    for hz in [4_000.0, 8_000.0] {
        println!("{hz:>6} Hz: {:+.2} dB", off(&own, hz));
        assert!(off(&own, hz).abs() < 3.0, "{hz} Hz: {} dB off", off(&own, hz));
    }
    let mut dull = own;
    let mut last = 0.0;
    dull.iter_mut().for_each(|sample| {
        last += 0.2 * (*sample - last);
        *sample = last;
    });
    assert!(off(&dull, 2_000.0).abs() > 1.0, "a piece without treble is not seen");
}

#[test]
fn every_preset_is_tuned_as_the_oracle_has_it() {
    for facts in sounds()
        .expect("the table")
        .all()
        .iter()
        .filter(|facts| !facts.preset.is_synthetic())
        .filter(|facts| !facts.preset.is_kit() && facts.preset.program != 119)
    {
        let preset = facts.preset;
        let key = u8::midpoint(facts.keys.0, facts.keys.1);
        let pair = [played(preset, key, 100, 1.0), oracle::played(preset, key, 100, 1.0, RATE)];
        let [own, theirs] = pair.map(|mut sound| {
            sound.resize(RATE as usize, 0.0);
            cents_from(&sound[9_600..24_000], RATE, f32::from(key))
        });
        // A synthetic lead's two layers lie some cents apart by a modulator.
        assert!((own - theirs).abs() < 5.0, "{}: {own} cents, the oracle {theirs}", facts.name);
    }
}

/// Seconds from a frame on until a sound stays under a share of its level there.
fn falls_after(sound: &[f32], frame: usize, share: f32) -> f64 {
    let level =
        |at: usize| sound[at..(at + 480).min(sound.len())].iter().fold(0.0_f32, |peak, value| peak.max(value.abs()));
    let before = level(frame - 480);
    let over = (frame..sound.len()).step_by(48).rposition(|at| level(at) > share * before).unwrap_or(0);
    over as f64 * 48.0 / f64::from(RATE)
}

#[test]
fn releases_last_about_as_long() {
    // A release is written as the time of a whole fall, which the specification takes for 100 dB and the oracle for 80.
    for (program, key) in [(16, 60), (48, 60), (60, 55), (66, 60), (73, 76), (89, 60), (61, 60)] {
        let preset = Preset { bank: 0, program };
        let pair = [played(preset, key, 127, 1.0), oracle::played(preset, key, 127, 1.0, RATE)];
        let [own, theirs] = pair.map(|sound| falls_after(&sound, RATE as usize, 0.05));
        println!("{program}: {own:.3} s, the oracle {theirs:.3} s");
        assert!(own > 0.65 * theirs - 0.02 && own < 1.1 * theirs + 0.02, "{program}: {own} s, the oracle {theirs} s");
    }
}

#[test]
fn the_oracle_starts_at_its_blocks_and_the_sampler_anywhere() {
    use crate::rendition::scores::{note, score, track};
    use cantus_engine::generation::score::Role;
    let stroke = 37;
    let mut synthesizer = oracle::synthesizer_of_the_set(Preset { bank: 0, program: 0 }, RATE);
    let (mut left, mut right) = (vec![0.0; 1_000], vec![0.0; 1_000]);
    synthesizer.render(&mut left[..stroke], &mut right[..stroke]);
    synthesizer.note_on(0, 60, 100);
    synthesizer.render(&mut left[stroke..], &mut right[stroke..]);
    let begins = |sound: &[f32]| sound.iter().position(|sample| *sample != 0.0).expect("sound");
    assert!(begins(&left) >= oracle::BLOCK, "the oracle has learned to start at {}", begins(&left));

    let beats = 120.0 / 60.0 * stroke as f64 / f64::from(RATE);
    let piano = vec![track(Role::Chords, "Piano", 0, 0, vec![note(beats, 1.0, 60, 100)])];
    let sound = crate::rendition::stem(&score(120.0, 4.0, piano), Role::Chords, RATE);
    assert!((stroke..stroke + 5).contains(&begins(&sound)), "begins at {}", begins(&sound));
}
