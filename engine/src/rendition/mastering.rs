//! Thread: worker. The loud version: a sum of stems is glued, brought to its loudness, and its peaks held.

use super::limiter::{Compressor, Curve, limiter_gain, true_peak_curve};
use super::loudness::{SILENCE_LUFS, WeightedPower, measure, measure_changed};
use super::mixdown::PEAK_DBTP;
use super::part::db;
use super::passes;
use crate::audio::{AudioBuffer, at_24_bit};
use crate::error::Result;
use crate::job_context::{JobContext, Stage};

/// Integrated loudness of the loud version, in LUFS.
pub const LOUD_LUFS: f32 = -14.0;
/// What the limiter aims for: another meter's interpolator may read a little more.
const CEILING_DBTP: f32 = -1.12;
/// More peak reduction than this is shared with a compressor.
const PLAIN_LIMITING_DB: f32 = 3.0;

/// Keeps a mix that was mastered before under the peak ceiling and changes nothing else. The mix in 24-bit values, its integrated
/// loudness in LUFS and its true peak in dBTP.
///
/// # Errors
/// [`crate::Error::Cancelled`], [`crate::Error::Internal`] from the meter.
pub fn hold_peaks(mix: &AudioBuffer, context: &JobContext) -> Result<(AudioBuffer, f32, f32)> {
    let peaks = true_peak_curve(mix, context)?;
    let gain = limiter_gain(&peaks, 1.0, db(CEILING_DBTP), mix.rate, context)?;
    let mut held = mix.clone();
    apply(&mut held, &[&gain], context)?;
    let (lufs, peak) = measure(&held, context)?;
    turned_down(held, lufs, peak, context)
}

/// Multiplies by gains and rounds to 24 bits.
fn apply(mix: &mut AudioBuffer, gains: &[&Curve], context: &JobContext) -> Result<()> {
    passes::change(mix, context, |from, piece| {
        gains.iter().for_each(|gain| gain.apply(from, piece));
        piece.iter_mut().for_each(|sample| *sample = at_24_bit(*sample));
    })
}

/// The whole mix turned down until its peak is allowed: what is left when a limiter cannot follow, as with bare clicks.
fn turned_down(mut mix: AudioBuffer, lufs: f32, peak: f32, context: &JobContext) -> Result<(AudioBuffer, f32, f32)> {
    if peak <= PEAK_DBTP {
        return Ok((mix, lufs, peak));
    }
    passes::scale_to_24_bit(&mut mix, db(PEAK_DBTP - peak - 0.02), context)?;
    let (lufs, peak) = measure(&mix, context)?;
    Ok((mix, lufs, peak))
}

/// Brings a pre-master to a loudness in LUFS under the peak ceiling. The mix in 24-bit values, its
/// integrated loudness in LUFS and its true peak in dBTP.
///
/// # Errors
/// [`crate::Error::Cancelled`], [`crate::Error::Internal`] from the meter.
pub fn master(premaster: AudioBuffer, target_lufs: f32, context: &JobContext) -> Result<(AudioBuffer, f32, f32)> {
    let rate = premaster.rate;
    let mut mix = premaster;
    let power = WeightedPower::of(&mix, context)?;
    let Some(lufs) = power.energy().integrated_lufs() else {
        // Silence, or a click too short to have a loudness: left as it is.
        let (lufs, peak) =
            if passes::peak(&mix, context)? > 0.0 { measure(&mix, context)? } else { (SILENCE_LUFS, -120.0) };
        passes::scale_to_24_bit(&mut mix, 1.0, context)?;
        return Ok((mix, lufs, peak));
    };
    let mut peaks = true_peak_curve(&mix, context)?;
    let peak_db = 20.0 * peaks.largest().max(1e-6).log10();
    let over = peak_db + (target_lufs - lufs) - CEILING_DBTP;
    let mut bus = Curve { block: peaks.block, values: vec![1.0] };
    if over > PLAIN_LIMITING_DB {
        let compressor = Compressor { threshold_db: lufs + 5.0, ratio: if over > 8.0 { 3.0 } else { 2.0 } };
        bus = compressor.gain(&peaks, rate, context)?;
        peaks.values.iter_mut().zip(&bus.values).for_each(|(peak, gain)| *peak *= gain);
    }
    let compressed = power.shaped(&[&bus]).integrated_lufs().unwrap_or(lufs);
    let most_drive = target_lufs - compressed + 9.0;
    let (mut drive, mut ceiling) = (target_lufs - compressed, CEILING_DBTP);
    let mut attempts = 0;
    loop {
        let mut gain;
        let mut tries = 0;
        loop {
            gain = limiter_gain(&peaks, db(drive), db(ceiling), rate, context)?;
            let got = power.shaped(&[&gain, &bus]).integrated_lufs().unwrap_or(target_lufs);
            tries += 1;
            if tries == 8 || (got - target_lufs).abs() < 0.03 || drive >= most_drive && got < target_lufs {
                break;
            }
            drive = (drive + 1.1 * (target_lufs - got)).min(most_drive);
        }
        context.progress(Stage::Mix, 0.7)?;
        // Heard before it is done, so that no second copy of the whole mix is needed for another attempt.
        let changed = |from: usize, piece: &mut [f32]| {
            gain.apply(from, piece);
            bus.apply(from, piece);
            piece.iter_mut().for_each(|sample| *sample = at_24_bit(*sample));
        };
        let (lufs, peak) = measure_changed(&mix, changed, context)?;
        attempts += 1;
        if peak <= PEAK_DBTP || attempts == 4 {
            apply(&mut mix, &[&gain, &bus], context)?;
            return turned_down(mix, lufs, peak, context);
        }
        ceiling -= peak - PEAK_DBTP + 0.03;
    }
}
