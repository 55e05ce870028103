//! No clicks in what is held, and hats that choke.

use super::scores::{note, score, track};
use super::{rms_db, stem};
use cantus_engine::generation::score::Role;

/// The largest jump of the third difference against its usual size nearby: about 7 to 12 for what is held, far more at a click.
fn roughest(sound: &[f32]) -> f64 {
    let third: Vec<f64> = sound
        .windows(4)
        .map(|four| {
            (f64::from(four[3]) - 3.0 * f64::from(four[2]) + 3.0 * f64::from(four[1]) - f64::from(four[0])).abs()
        })
        .collect();
    let around = 2_000;
    let mean = |window: &[f64]| window.iter().sum::<f64>() / window.len() as f64;
    third
        .chunks(around)
        .map(|chunk| chunk.iter().fold(0.0, |a: f64, &b| a.max(b)) / mean(chunk).max(1e-9))
        .fold(0.0, f64::max)
}

const LIMIT: f64 = 18.0;

#[test]
fn held_and_joined_notes_do_not_click() {
    for (program, name) in
        [(48, "Strings"), (73, "Flute"), (66, "Tenor Sax"), (16, "Organ"), (60, "Horns"), (71, "Clarinet")]
    {
        let mut bent = note(0.0, 2.0, 69, 90);
        bent.bend = (0..40).map(|step| (step as f32 * 0.05, (step as f32 * 0.9).sin() * 0.4)).collect();
        bent.expression_db = vec![(0.0, -6.0), (1.0, 0.0), (2.0, -6.0)];
        let notes = vec![bent, note(2.0, 2.0, 71, 90), note(4.0, 4.0, 67, 80)];
        let sound = stem(&score(120.0, 8.0, vec![track(Role::Lead, name, 0, program, notes)]), Role::Lead, 48_000);
        // Past the first attack, before the end.
        let held = &sound[12_000..180_000];
        let rough = roughest(held);

        assert!(rough < LIMIT, "{name}: {rough}");
        let mut broken = held.to_vec();
        let step = 0.3 * held.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        broken[60_000..].iter_mut().for_each(|sample| *sample += step);

        assert!(roughest(&broken) > LIMIT, "{name}: a step of a third of the peak is not seen");
    }
}

#[test]
fn a_closed_hat_chokes_the_open_one() {
    for kit in [0, 16, 24, 25, 32, 40] {
        let ring =
            |notes| stem(&score(120.0, 8.0, vec![track(Role::Drums, "Kit", 128, kit, notes)]), Role::Drums, 48_000);
        let open = ring(vec![note(0.0, 0.5, 46, 110), note(6.0, 0.5, 36, 100)]);
        let choked = ring(vec![note(0.0, 0.5, 46, 110), note(0.25, 0.25, 42, 1), note(6.0, 0.5, 36, 100)]);
        // The closed hat, struck as softly as can be, falls at frame 6000.
        let (long, short) = (rms_db(&open[7_500..12_000]), rms_db(&choked[7_500..12_000]));
        let before = rms_db(&open[2_000..5_000]) - rms_db(&choked[2_000..5_000]);
        assert!(long - short - before > 12.0, "kit {kit}: {long} dB open, {short} dB choked, {before} dB apart before");
    }
}
