//! Every preset at several keys and velocities: sound, nothing but sound, and none of it broken off.

use super::{RATE, db, played};
use crate::rendition::scores::{note, score, track};
use cantus_engine::generation::score::{Preset, Role};
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::levels::sounds;
use cantus_engine::rendition::part::render_part;
use cantus_engine::time::SampleRate;

fn rms_db(sound: &[f32]) -> f64 {
    let power = sound.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / sound.len().max(1) as f64;
    10.0 * (power + 1e-18).log10()
}

fn peak(sound: &[f32]) -> f64 {
    f64::from(sound.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs())))
}

/// The largest step between two samples around a frame, against the largest anywhere before it.
fn step_at(sound: &[f32], frame: usize) -> f64 {
    let largest =
        |stretch: &[f32]| stretch.windows(2).map(|two| f64::from((two[1] - two[0]).abs())).fold(0.0, f64::max);
    let around = frame.saturating_sub(8)..(frame + 120).min(sound.len());
    largest(&sound[around]) / largest(&sound[..frame.min(sound.len())]).max(1e-9)
}

fn keys(preset: Preset, (low, high): (u8, u8)) -> Vec<u8> {
    if preset.is_kit() { vec![36, 38, 42, 46] } else { vec![low, low + (high - low) / 2, high] }
}

#[test]
fn it_sounds_and_ends_without_a_click() {
    for facts in sounds().expect("the table").all().iter().filter(|facts| !facts.preset.is_synthetic()) {
        let preset = facts.preset;
        for key in keys(preset, facts.keys) {
            for velocity in [24, 127] {
                let name = format!("{} key {key} velocity {velocity}", facts.name);
                let sound = played(preset, key, velocity, 0.35);
                assert!(sound.iter().all(|sample| sample.is_finite()), "{name}: not finite");
                let level = rms_db(&sound[..sound.len().min(RATE as usize / 3)]);
                assert!(level > -75.0 && peak(&sound) < 1.5, "{name}: {level} dB, peak {}", peak(&sound));
                let last = sound.last().copied().map_or(0.0, f64::from).abs();
                assert!(db(last / peak(&sound)) < -60.0, "{name}: breaks off at {last}");
                let let_go = (0.35 * f64::from(RATE)) as usize;
                if sound.len() > let_go + 200 {
                    let step = step_at(&sound, let_go);
                    assert!(step < 1.6, "{name}: a step of {step} where the key is let go");
                    let mut broken = sound;
                    broken[let_go..].fill(0.0);
                    broken[let_go] = 3.0 * peak(&broken) as f32;
                    assert!(step_at(&broken, let_go) > 1.6, "{name}: a broken end is not seen");
                }
            }
        }
    }
}

#[test]
fn levels_are_the_tables_own() {
    for facts in sounds().expect("the table").all().iter().filter(|facts| !facts.preset.is_synthetic()) {
        let preset = facts.preset;
        let (low, high) = facts.keys;
        let keys: Vec<u8> = if preset.is_kit() {
            (36..58).step_by(2).collect()
        } else {
            (low..=high).step_by(usize::from(((high - low) / 8).max(3))).collect()
        };
        let half = RATE as usize / 2;
        let mut levels: Vec<f64> = keys
            .iter()
            .map(|key| {
                let mut sound = played(preset, *key, 100, 1.0);
                sound.resize(half, 0.0);
                rms_db(&sound)
            })
            .collect();
        levels.sort_by(f64::total_cmp);
        let middle = 0.5 * (levels[(levels.len() - 1) / 2] + levels[levels.len() / 2]);
        let off = middle - f64::from(facts.level_db);
        assert!(off.abs() < 1.0, "{}: {middle} dB, the table says {}", facts.name, facts.level_db);
    }
}

#[test]
fn parts_carry_no_offset() {
    for facts in sounds().expect("the table").all().iter().filter(|facts| !facts.preset.is_synthetic()) {
        let role = if facts.preset.is_kit() { Role::Drums } else { Role::Chords };
        let key = if facts.preset.is_kit() { 38 } else { u8::midpoint(facts.keys.0, facts.keys.1) };
        let part = track(role, &facts.name, facts.preset.bank, facts.preset.program, vec![note(0.0, 1.0, key, 100)]);
        let score = score(120.0, 2.0, vec![]);
        let context = JobContext::detached();
        let audio = render_part(&part, &score.grid, SampleRate(RATE), 48_000, 72_000, &context, &|| Ok(()));
        let left = &audio.expect("a part").channels[0];
        let offset = left.iter().map(|sample| f64::from(*sample)).sum::<f64>() / left.len() as f64;
        assert!(db(offset.abs()) < -70.0, "{}: an offset of {} dB", facts.name, db(offset.abs()));
    }
}
