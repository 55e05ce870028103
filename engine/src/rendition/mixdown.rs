//! Thread: worker. Parts become stems, a pre-master sum and the finished mix.
//!
//! The stems are rounded to 24 bits before they are summed, and a sum of such values below full scale is again one: stems
//! written to files add up to the pre-master exactly.

use super::limiter::{Compressor, limiter_gain, true_peak_curve};
use super::loudness::{EnergyCurve, SILENCE_LUFS, measure, weighted_power};
use super::part::db;
use super::{Loudness, Stem};
use crate::audio::AudioBuffer;
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
    for sample in stems.iter_mut().flat_map(|stem| &mut stem.audio.channels).flatten() {
        if !sample.is_finite() {
            *sample = 0.0;
        }
    }
    let lead_over_backing_lu = balance_lead(&mut stems, rate, frames, context)?;
    context.progress(Stage::Mix, 0.4)?;
    let rough = sum(&stems, rate, frames);
    let length = end_tail(&mut stems, &rough, region);
    trim(&mut stems, &rough, context)?;
    let premaster = sum(&stems, rate, length);
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
    let gain = limiter_gain(&peaks, 1.0, db(CEILING_DBTP), mix.rate);
    let mut held = mix.clone();
    for channel in &mut held.channels {
        context.check()?;
        channel.iter_mut().zip(&gain).for_each(|(sample, gain)| *sample *= gain);
    }
    held.quantise_24_bit();
    let (lufs, peak) = measure(&held, context)?;
    turned_down(held, lufs, peak, context)
}

/// The whole mix turned down until its peak is allowed: what is left when a limiter cannot follow, as with bare clicks.
fn turned_down(mut mix: AudioBuffer, lufs: f32, peak: f32, context: &JobContext) -> Result<(AudioBuffer, f32, f32)> {
    if peak <= PEAK_DBTP {
        return Ok((mix, lufs, peak));
    }
    scale(&mut mix, db(PEAK_DBTP - peak - 0.02));
    mix.quantise_24_bit();
    let (lufs, peak) = measure(&mix, context)?;
    Ok((mix, lufs, peak))
}

/// The sum of all stems, each sample added in double precision: exact for 24-bit values.
pub fn sum(stems: &[Stem], rate: SampleRate, frames: usize) -> AudioBuffer {
    let channels = (0..2)
        .map(|channel| {
            let mut total = vec![0.0_f64; frames];
            for samples in stems.iter().filter_map(|stem| stem.audio.channels.get(channel)) {
                total.iter_mut().zip(samples).for_each(|(sum, sample)| *sum += f64::from(*sample));
            }
            total.into_iter().map(|sample| sample as f32).collect()
        })
        .collect();
    AudioBuffer { rate, channels }
}

fn scale(audio: &mut AudioBuffer, gain: f32) {
    audio.channels.iter_mut().flatten().for_each(|sample| *sample *= gain);
}

/// Moves the lead until it stands as far over the backing as it should; how far it stands, 0 without a lead or a backing.
fn balance_lead(stems: &mut [Stem], rate: SampleRate, frames: usize, context: &JobContext) -> Result<f32> {
    let Some(lead) = stems.iter().position(|stem| stem.role == Role::Lead) else { return Ok(0.0) };
    let mut backing = AudioBuffer::silent(rate, 2, frames);
    for stem in stems.iter().filter(|stem| stem.role != Role::Lead) {
        context.check()?;
        backing.add(&stem.audio, crate::time::Frames(0));
    }
    context.check()?;
    let lead_power = weighted_power(&stems[lead].audio, context)?;
    context.check()?;
    let backing_power = weighted_power(&backing, context)?;
    let loudness = |power: &[f32]| EnergyCurve::of(power, rate).integrated_lufs();
    let (Some(lead_lufs), Some(backing_lufs)) = (loudness(&lead_power), loudness(&backing_power)) else {
        return Ok(0.0);
    };
    let over = lead_lufs - backing_lufs;
    let wanted = over.clamp(*LEAD_LU.start(), *LEAD_LU.end());
    let correction = (wanted - over).clamp(-LEAD_CORRECTION_DB, LEAD_CORRECTION_DB);
    scale(&mut stems[lead].audio, db(correction));
    Ok(over + correction)
}

/// Cuts all stems where the sum has rung out, never inside the region, and fades the end. The new length in frames.
fn end_tail(stems: &mut [Stem], sum: &AudioBuffer, region: usize) -> usize {
    let frames = sum.frames();
    let peak = sum.peak();
    let last = sum
        .channels
        .iter()
        .filter_map(|channel| channel.iter().rposition(|sample| sample.abs() > TAIL_FLOOR * peak.max(1e-3)))
        .max();
    let length = last.map_or(region, |last| last + 1).max(region).min(frames);
    // A ring that fills the longest tail is led out over a third of it; a short one only loses its last crumbs.
    let fade = if length == frames { (frames - region) / 3 } else { (length - region).min(sum.rate.0 as usize / 50) };
    for channel in stems.iter_mut().flat_map(|stem| &mut stem.audio.channels) {
        channel.truncate(length);
        let start = length - fade.min(length);
        for (index, sample) in channel[start..].iter_mut().enumerate() {
            let share = (index + 1) as f32 / fade as f32;
            *sample *= 0.5 + 0.5 * (std::f32::consts::PI * share).cos();
        }
    }
    length
}

/// One gain for all stems: the pre-master as loud as the finished mix where the peaks allow it. Then 24 bits.
fn trim(stems: &mut [Stem], sum: &AudioBuffer, context: &JobContext) -> Result<()> {
    let peak = stems.iter().map(|stem| stem.audio.peak()).fold(sum.peak(), f32::max);
    if peak < 1e-6 {
        return Ok(());
    }
    context.check()?;
    let by_peak = db(STEM_PEAK_DB) / peak;
    let lufs = EnergyCurve::of(&weighted_power(sum, context)?, sum.rate).integrated_lufs();
    let gain = lufs.map_or(by_peak, |lufs| db(TARGET_LUFS - lufs).min(by_peak));
    for stem in stems {
        context.check()?;
        scale(&mut stem.audio, gain);
        stem.audio.quantise_24_bit();
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
    let power = weighted_power(&premaster, context)?;
    context.check()?;
    let Some(lufs) = EnergyCurve::of(&power, rate).integrated_lufs() else {
        // Silence, or a click too short to have a loudness: left as it is.
        let (lufs, peak) = if premaster.peak() > 0.0 { measure(&premaster, context)? } else { (SILENCE_LUFS, -120.0) };
        let mut mix = premaster;
        mix.quantise_24_bit();
        return Ok((mix, lufs, peak));
    };
    let mut peaks = true_peak_curve(&premaster, context)?;
    context.check()?;
    let peak_db = 20.0 * peaks.iter().fold(1e-6_f32, |a, &b| a.max(b)).log10();
    let over = peak_db + (TARGET_LUFS - lufs) - CEILING_DBTP;
    let mut bus = Vec::new();
    if over > PLAIN_LIMITING_DB {
        let compressor = Compressor { threshold_db: lufs + 5.0, ratio: if over > 8.0 { 3.0 } else { 2.0 } };
        bus = compressor.gain(&peaks, rate);
        peaks.iter_mut().zip(&bus).for_each(|(peak, gain)| *peak *= gain);
    }
    let compressed = EnergyCurve::shaped(&power, &bus, rate).integrated_lufs().unwrap_or(lufs);
    let most_drive = TARGET_LUFS - compressed + 9.0;
    let (mut drive, mut ceiling) = (TARGET_LUFS - compressed, CEILING_DBTP);
    let mut attempts = 0;
    loop {
        let mut gain = Vec::new();
        for _ in 0..8 {
            context.check()?;
            gain = limiter_gain(&peaks, db(drive), db(ceiling), rate);
            gain.iter_mut().for_each(|gain| *gain *= db(drive));
            if !bus.is_empty() {
                gain.iter_mut().zip(&bus).for_each(|(gain, bus)| *gain *= bus);
            }
            let got = EnergyCurve::shaped(&power, &gain, rate).integrated_lufs().unwrap_or(TARGET_LUFS);
            if (got - TARGET_LUFS).abs() < 0.03 || drive >= most_drive && got < TARGET_LUFS {
                break;
            }
            drive = (drive + 1.1 * (TARGET_LUFS - got)).min(most_drive);
        }
        let mut mix = premaster.clone();
        for channel in &mut mix.channels {
            channel.iter_mut().zip(&gain).for_each(|(sample, gain)| *sample *= gain);
        }
        mix.quantise_24_bit();
        context.progress(Stage::Mix, 0.7)?;
        let (lufs, peak) = measure(&mix, context)?;
        attempts += 1;
        if peak <= PEAK_DBTP || attempts == 4 {
            return turned_down(mix, lufs, peak, context);
        }
        ceiling -= peak - PEAK_DBTP + 0.03;
    }
}
