//! Thread: worker. A record's surface: dust, crackle and a breath of noise, under the music by a set distance.

use super::filter::{OnePole, Section, Tuning};
use super::level::programme_level;
use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::job_context::JobContext;
use crate::rendition::part::db;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Specks of dust and scratches a second at full amount.
const SPECKS_A_SECOND: f32 = 14.0;
const SCRATCHES_A_SECOND: f32 = 0.9;
/// Levels against the music at full amount, in dB.
const SPECK_DB: f32 = -8.0;
const NOISE_DB: f32 = -37.0;
/// The same record every time.
const SEED: u64 = 0x0076_696e_796c;

/// Lays the surface of a record over the music, from 0 to 1. Over silence there is none.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn vinyl(audio: &mut AudioBuffer, amount: f32, context: &JobContext) -> Result<()> {
    let Some(level) = programme_level(audio, true, context)? else { return Ok(()) };
    let rate = audio.rate;
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let frames = audio.frames();
    let mut surface = [vec![0.0_f32; frames], vec![0.0_f32; frames]];
    let chance = |a_second: f32| amount * a_second / rate.0.max(1) as f32;
    let (speck, scratch) = (chance(SPECKS_A_SECOND), chance(SCRATCHES_A_SECOND));
    for frame in 0..frames {
        if frame % crate::rendition::passes::CHECK_EVERY == 0 {
            context.check()?;
        }
        let draw = unit(&mut random);
        if draw < speck + scratch {
            // Most specks are faint. A scratch is not.
            let size = if draw < scratch { 1.0 + 1.5 * unit(&mut random) } else { 0.05 + unit(&mut random).powi(4) };
            let place = unit(&mut random) * 0.8 - 0.4;
            let sign = if unit(&mut random) < 0.5 { -1.0 } else { 1.0 };
            let body = (0.000_15 + 0.000_5 * f64::from(unit(&mut random))) * rate.hz();
            add_speck(&mut surface, frame, sign * size * level * db(SPECK_DB) * amount.sqrt(), place, body as f32);
        }
    }
    let noise = level * db(NOISE_DB) * amount;
    for channel in &mut surface {
        context.check()?;
        let (mut dark, mut rumble) = (OnePole::at(5_500.0, rate), Section::default());
        let low_cut = Tuning::new(60.0, 0.7, rate);
        for sample in channel.iter_mut() {
            let hiss = (2.0 * unit(&mut random) - 1.0) * noise * 1.7;
            *sample = rumble.step(dark.low(*sample + hiss), &low_cut).high;
        }
    }
    // The needle is set down and lifted gently.
    let fade = ((0.02 * rate.hz()) as usize).clamp(1, frames.max(1));
    for (channel, surface) in audio.channels.iter_mut().zip(&surface) {
        for (frame, (sample, add)) in channel.iter_mut().zip(surface).enumerate() {
            let edge = (frame.min(frames - 1 - frame) as f32 / fade as f32).min(1.0);
            *sample += edge * add;
        }
    }
    Ok(())
}

/// A number from 0 to below 1.
fn unit(random: &mut ChaCha8Rng) -> f32 {
    (random.next_u32() >> 8) as f32 / 16_777_216.0
}

/// A stroke against the needle: it jumps and swings back.
fn add_speck(surface: &mut [Vec<f32>; 2], at: usize, size: f32, place: f32, body: f32) {
    let body = body.max(1.0);
    for (side, channel) in surface.iter_mut().enumerate() {
        let gain = size * if side == 0 { 1.0 - place } else { 1.0 + place };
        for (index, sample) in channel.iter_mut().skip(at).take((8.0 * body) as usize + 2).enumerate() {
            let time = index as f32 / body;
            *sample += gain * (-time).exp() * (2.2 * time).cos();
        }
    }
}
