//! Thread: worker. Stems add up to the mix, which is measured, and turned down where its peaks leave no choice.
//!
//! Stems are 24-bit values, and a sum of such values below full scale is again one: stems written to files add up to the mix exactly.

use super::loudness::{WeightedPower, measure, measure_roughly};
use super::masking::masking;
use super::part::db;
use super::{Loudness, Stem, passes};
use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::generation::score::Role;
use crate::job_context::JobContext;
use crate::side_by_side::side_by_side;
use crate::time::SampleRate;

/// Largest true peak of anything that leaves the renderer, in dBTP.
pub const PEAK_DBTP: f32 = -1.0;
/// Kept free under it where it is aimed for: another meter's interpolator may read a little more.
const MARGIN_DB: f32 = 0.05;
/// As near to it as this, the peak is measured by the book.
const ROUGH_DB: f32 = 1.0;

/// Adds stems up, and turns all of them down by one amount when the sum, or one of them, would stand above the largest true peak.
/// Returns the sum, its integrated loudness in LUFS, its true peak in dBTP, and by how much it was turned down, in dB.
///
/// # Errors
/// [`crate::Error::Cancelled`], [`crate::Error::Internal`] from the meter.
pub fn add_up(
    stems: &mut [Stem],
    rate: SampleRate,
    frames: usize,
    context: &JobContext,
) -> Result<(AudioBuffer, f32, f32, f32)> {
    let mut turned_down_db = 0.0;
    loop {
        let mix = passes::sum(stems, rate, frames, context)?;
        let (mut lufs, mut peak_dbtp) = measure_roughly(&mix, context)?;
        if peak_dbtp > PEAK_DBTP - ROUGH_DB {
            (lufs, peak_dbtp) = measure(&mix, context)?;
        }
        // A stem is seldom louder than the sum, so its samples are looked at, not what lies between them.
        let mut highest_db = peak_dbtp;
        for stem in stems.iter() {
            highest_db = highest_db.max(20.0 * passes::peak(&stem.audio, context)?.max(1e-6).log10());
        }
        if highest_db <= PEAK_DBTP {
            return Ok((mix, lufs, peak_dbtp, turned_down_db));
        }
        drop(mix);
        let down_db = PEAK_DBTP - MARGIN_DB - highest_db;
        for stem in stems.iter_mut() {
            passes::scale_to_24_bit(&mut stem.audio, db(down_db), context)?;
        }
        turned_down_db -= down_db;
    }
}

/// How the lead stands against everything else: its loudness over theirs, in LU, and how it is masked. 0 and nothing without a lead or a
/// backing. The mix is the sum of the stems.
///
/// # Errors
/// [`crate::Error::Cancelled`], [`crate::Error::Internal`] from a transform.
pub fn lead_and_backing(stems: &[Stem], mix: &AudioBuffer, context: &JobContext) -> Result<Loudness> {
    let Some(lead) = stems.iter().find(|stem| stem.role == Role::Lead) else { return Ok(Loudness::default()) };
    let powers = side_by_side(vec![false, true], |_, backing| {
        let power = match backing {
            true => WeightedPower::of_difference(mix, &lead.audio, context)?,
            false => WeightedPower::of(&lead.audio, context)?,
        };
        Ok(power.energy().integrated_lufs())
    })?;
    let [Some(lead_lufs), Some(backing_lufs)] = powers[..] else { return Ok(Loudness::default()) };
    let masked = masking(&lead.audio, mix, context)?;
    Ok(Loudness {
        lead_over_backing_lu: lead_lufs - backing_lufs,
        lead_masked_db: masked.map_or(0.0, |masked| masked.over_db),
        lead_masked_hz: masked.map_or(0.0, |masked| masked.octave_hz),
        ..Loudness::default()
    })
}
