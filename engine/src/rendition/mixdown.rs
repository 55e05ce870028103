//! Thread: worker. Parts become stems, a pre-master sum and the finished mix.
//!
//! The stems are rounded to 24 bits before they are summed, and a sum of such values below full scale is again one: stems
//! written to files add up to the pre-master exactly.

use super::limiter::{Compressor, Curve, limiter_gain, true_peak_curve};
use super::loudness::{SILENCE_LUFS, WeightedPower, measure, measure_changed};
use super::part::db;
use super::{Loudness, Stem, passes};
use crate::audio::{AudioBuffer, at_24_bit};
use crate::error::Result;
use crate::generation::score::Role;
use crate::job_context::{JobContext, Stage};
use crate::time::SampleRate;

/// Integrated loudness of a finished mix.
const TARGET_LUFS: f32 = -14.0;
/// Largest true peak allowed, and what the limiter aims for: another meter's interpolator may read a little more.
const PEAK_DBTP: f32 = -1.0;
const CEILING_DBTP: f32 = -1.12;
/// Where the lead stands over everything else together, in LU.
const LEAD_LU: std::ops::RangeInclusive<f32> = 1.0..=2.3;
/// Most the balance moves the lead, in dB.
const LEAD_CORRECTION_DB: f32 = 9.0;
/// Peak of the pre-master and of every stem, in dBFS, at most.
const STEM_PEAK_DB: f32 = -1.0;
/// More peak reduction than this is shared with a compressor.
const PLAIN_LIMITING_DB: f32 = 3.0;
/// Below this the tail is over: -84 dBFS.
const TAIL_FLOOR: f32 = 6e-5;

/// The stems and what became of their sum.
pub struct Mixdown {
    /// The parts, balanced, 24-bit values.
    pub stems: Vec<Stem>,
    /// The finished mix, 24-bit values.
    pub mix: AudioBuffer,
    /// Its levels.
    pub loudness: Loudness,
}

/// Mixes parts that are all as long as the region and the longest tail.
///
/// # Errors
/// [`crate::Error::Cancelled`], [`crate::Error::Internal`] from the meter.
pub fn mix_down(
    mut stems: Vec<Stem>,
    rate: SampleRate,
    region: usize,
    frames: usize,
    context: &JobContext,
) -> Result<Mixdown> {
    context.progress(Stage::Mix, 0.2)?;
    for stem in &mut stems {
        passes::change(&mut stem.audio, context, |_, piece| {
            piece.iter_mut().filter(|sample| !sample.is_finite()).for_each(|sample| *sample = 0.0);
        })?;
    }
    let lead_over_backing_lu = balance_lead(&mut stems, rate, frames, context)?;
    context.progress(Stage::Mix, 0.4)?;
    let rough = passes::sum(&stems, rate, frames, context)?;
    let length = end_tail(&mut stems, &rough, region, context)?;
    trim(&mut stems, &rough, context)?;
    drop(rough);
    let premaster = passes::sum(&stems, rate, length, context)?;
    context.progress(Stage::Mix, 0.5)?;
    let (mix, integrated_lufs, true_peak_dbtp) = master(premaster, context)?;
    Ok(Mixdown { stems, mix, loudness: Loudness { integrated_lufs, true_peak_dbtp, lead_over_backing_lu } })
}

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

/// Moves the lead until it stands as far over the backing as it should; how far it stands, 0 without a lead or a backing.
fn balance_lead(stems: &mut [Stem], rate: SampleRate, frames: usize, context: &JobContext) -> Result<f32> {
    let Some(lead) = stems.iter().position(|stem| stem.role == Role::Lead) else { return Ok(0.0) };
    let lead_power = WeightedPower::of(&stems[lead].audio, context)?;
    // The backing is what is left of the sum without the lead: taken out for the sum, and put back.
    let silent = AudioBuffer { rate, channels: Vec::new() };
    let lead_audio = std::mem::replace(&mut stems[lead].audio, silent);
    let backing = passes::sum(stems, rate, frames, context);
    stems[lead].audio = lead_audio;
    let backing_power = WeightedPower::of(&backing?, context)?;
    let (lead_lufs, backing_lufs) = (lead_power.energy().integrated_lufs(), backing_power.energy().integrated_lufs());
    let (Some(lead_lufs), Some(backing_lufs)) = (lead_lufs, backing_lufs) else { return Ok(0.0) };
    let over = lead_lufs - backing_lufs;
    let wanted = over.clamp(*LEAD_LU.start(), *LEAD_LU.end());
    let correction = (wanted - over).clamp(-LEAD_CORRECTION_DB, LEAD_CORRECTION_DB);
    passes::scale(&mut stems[lead].audio, db(correction), context)?;
    Ok(over + correction)
}

/// Cuts all stems where the sum has rung out, never inside the region, and fades the end. The new length in frames.
fn end_tail(stems: &mut [Stem], sum: &AudioBuffer, region: usize, context: &JobContext) -> Result<usize> {
    let frames = sum.frames();
    let floor = TAIL_FLOOR * passes::peak(sum, context)?.max(1e-3);
    let last = passes::last_over(sum, floor, context)?;
    let length = last.map_or(region, |last| last + 1).max(region).min(frames);
    // A ring that fills the longest tail is led out over a third of it; a short one only loses its last crumbs.
    let fade = if length == frames { (frames - region) / 3 } else { (length - region).min(sum.rate.0 as usize / 50) };
    for channel in stems.iter_mut().flat_map(|stem| &mut stem.audio.channels) {
        context.check()?;
        channel.truncate(length);
        let start = length - fade.min(length);
        for (index, sample) in channel[start..].iter_mut().enumerate() {
            let share = (index + 1) as f32 / fade as f32;
            *sample *= 0.5 + 0.5 * (std::f32::consts::PI * share).cos();
        }
    }
    Ok(length)
}

/// One gain for all stems: the pre-master as loud as the finished mix where the peaks allow it. Then 24 bits.
fn trim(stems: &mut [Stem], sum: &AudioBuffer, context: &JobContext) -> Result<()> {
    let mut peak = passes::peak(sum, context)?;
    for stem in stems.iter() {
        peak = peak.max(passes::peak(&stem.audio, context)?);
    }
    if peak < 1e-6 {
        return Ok(());
    }
    let by_peak = db(STEM_PEAK_DB) / peak;
    let lufs = WeightedPower::of(sum, context)?.energy().integrated_lufs();
    let gain = lufs.map_or(by_peak, |lufs| db(TARGET_LUFS - lufs).min(by_peak));
    for stem in stems {
        passes::scale_to_24_bit(&mut stem.audio, gain, context)?;
    }
    Ok(())
}

/// Brings a pre-master of at most full scale to the target loudness under the peak ceiling. The mix in 24-bit values, its
/// integrated loudness in LUFS and its true peak in dBTP.
///
/// # Errors
/// [`crate::Error::Cancelled`], [`crate::Error::Internal`] from the meter.
pub fn master(premaster: AudioBuffer, context: &JobContext) -> Result<(AudioBuffer, f32, f32)> {
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
    let over = peak_db + (TARGET_LUFS - lufs) - CEILING_DBTP;
    let mut bus = Curve { block: peaks.block, values: vec![1.0] };
    if over > PLAIN_LIMITING_DB {
        let compressor = Compressor { threshold_db: lufs + 5.0, ratio: if over > 8.0 { 3.0 } else { 2.0 } };
        bus = compressor.gain(&peaks, rate, context)?;
        peaks.values.iter_mut().zip(&bus.values).for_each(|(peak, gain)| *peak *= gain);
    }
    let compressed = power.shaped(&[&bus]).integrated_lufs().unwrap_or(lufs);
    let most_drive = TARGET_LUFS - compressed + 9.0;
    let (mut drive, mut ceiling) = (TARGET_LUFS - compressed, CEILING_DBTP);
    let mut attempts = 0;
    loop {
        let mut gain;
        let mut tries = 0;
        loop {
            gain = limiter_gain(&peaks, db(drive), db(ceiling), rate, context)?;
            let got = power.shaped(&[&gain, &bus]).integrated_lufs().unwrap_or(TARGET_LUFS);
            tries += 1;
            if tries == 8 || (got - TARGET_LUFS).abs() < 0.03 || drive >= most_drive && got < TARGET_LUFS {
                break;
            }
            drive = (drive + 1.1 * (TARGET_LUFS - got)).min(most_drive);
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
