//! Thread: main. The table of the presets' levels, as the sampler plays them.

use cantus_engine::Error;
use cantus_engine::generation::score::Preset;
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::levels::sounds;
use cantus_engine::rendition::sampler::{NoteShape, Sampler};
use cantus_engine::time::SampleRate;

const RATE: u32 = 44_100;

fn rms_db(sampler: &Sampler, preset: Preset, key: u8) -> Result<f64, Error> {
    let shape = NoteShape { preset, key, velocity: 100, held: Some(u64::from(RATE)) };
    let sound = sampler.play(shape, &[], &JobContext::detached())?.to_mono();
    let half = RATE as usize / 2;
    let power = sound.iter().take(half).map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / half as f64;
    Ok(10.0 * (power + 1e-18).log10())
}

/// Prints the level of each preset in the table's own way: the median of some keys, their first half second, velocity 100.
pub fn print() -> Result<(), String> {
    let say = |error: Error| error.to_string();
    let sampler = Sampler::new(SampleRate(RATE)).map_err(say)?;
    for facts in sounds().map_err(say)?.all().iter().filter(|facts| !facts.preset.is_synthetic()) {
        let preset = facts.preset;
        let (low, high) = facts.keys;
        let keys: Vec<u8> = if preset.is_kit() {
            (36..58).step_by(2).collect()
        } else {
            (low..=high).step_by(usize::from(((high - low) / 8).max(3))).collect()
        };
        let levels = keys.iter().map(|key| rms_db(&sampler, preset, *key)).collect::<Result<Vec<f64>, _>>();
        let mut levels = levels.map_err(say)?;
        levels.sort_by(f64::total_cmp);
        let middle = 0.5 * (levels[(levels.len() - 1) / 2] + levels[levels.len() / 2]);
        println!(
            "{:>3} {:>3} {:<20} {middle:>7.1} table {:>7.1} difference {:>6.1}",
            facts.preset.bank,
            facts.preset.program,
            facts.name,
            facts.level_db,
            middle - f64::from(facts.level_db)
        );
    }
    Ok(())
}
