//! Thread: worker. Whether the lead is masked: octave by octave, what it has against what everything else has while it sounds.

use crate::audio::AudioBuffer;
use crate::error::{Error, Result};
use crate::job_context::JobContext;
use realfft::RealFftPlanner;

/// Middle of the lowest octave that is looked at, in Hz, and how many there are.
const LOWEST_HZ: f64 = 125.0;
const OCTAVES: usize = 7;
/// Octaves in which the lead has less than this against its strongest one, in dB, are not what it is recognised by.
const CARRIES_DB: f32 = 12.0;
/// The lead sounds in windows that have more than this of its loudest one, as a power.
const SOUNDS: f64 = 1e-3;
/// Length of a window: fine enough for the lowest octave.
const WINDOW_SECONDS: f64 = 0.17;

/// The octave in which a lead is masked most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Masking {
    /// Middle of the octave, in Hz.
    pub octave_hz: f32,
    /// How far the backing stands over the lead in it, in dB; negative where the lead is the louder.
    pub over_db: f32,
}

/// Where a lead is masked most by what a mix has besides it, among the octaves that carry it. `None` when either is silent.
///
/// # Errors
/// [`Error::Cancelled`], [`Error::Internal`] from the transform.
pub fn masking(lead: &AudioBuffer, mix: &AudioBuffer, context: &JobContext) -> Result<Option<Masking>> {
    let size = ((WINDOW_SECONDS * lead.rate.hz()) as usize).next_power_of_two();
    let transform = RealFftPlanner::<f32>::new().plan_fft_forward(size);
    let window: Vec<f32> =
        (0..size).map(|at| 0.5 - 0.5 * (std::f32::consts::TAU * at as f32 / size as f32).cos()).collect();
    let (mut input, mut lines) = (transform.make_input_vec(), transform.make_output_vec());
    let mut octaves = |of: &dyn Fn(usize) -> f32| -> Result<[f64; OCTAVES]> {
        for (at, value) in input.iter_mut().enumerate() {
            *value = window[at] * of(at);
        }
        transform.process(&mut input, &mut lines).map_err(|error| Error::internal("mixing", error))?;
        let line_hz = lead.rate.hz() / size as f64;
        let first = LOWEST_HZ / std::f64::consts::SQRT_2;
        Ok(std::array::from_fn(|octave| {
            let from = (first * f64::from(1_u32 << octave) / line_hz) as usize;
            let to = (2 * from).min(lines.len());
            lines.get(from..to).unwrap_or(&[]).iter().map(|line| f64::from(line.norm_sqr())).sum()
        }))
    };
    let frames = lead.frames().min(mix.frames());
    let sides = lead.channels.len().min(mix.channels.len());
    let mut windows = Vec::new();
    // Every other window is enough for a sum over the whole.
    for start in (0..frames.saturating_sub(size)).step_by(2 * size) {
        context.check()?;
        let own = |at: usize| (0..sides).map(|side| lead.channels[side][start + at]).sum::<f32>();
        let other =
            |at: usize| (0..sides).map(|side| mix.channels[side][start + at] - lead.channels[side][start + at]).sum();
        let own = octaves(&own)?;
        if own.iter().sum::<f64>() > 0.0 {
            windows.push((own, octaves(&other)?));
        }
    }
    let power = |own: &[f64; OCTAVES]| own.iter().sum::<f64>();
    let loudest = windows.iter().map(|(own, _)| power(own)).fold(0.0, f64::max);
    let (mut lead_sum, mut other_sum) = ([0.0_f64; OCTAVES], [0.0_f64; OCTAVES]);
    for (own, other) in windows.iter().filter(|(own, _)| power(own) > SOUNDS * loudest) {
        for octave in 0..OCTAVES {
            lead_sum[octave] += own[octave];
            other_sum[octave] += other[octave];
        }
    }
    let db = |power: f64| 10.0 * power.max(1e-20).log10() as f32;
    let strongest = db(lead_sum.iter().copied().fold(0.0, f64::max));
    if lead_sum.iter().all(|&power| power <= 0.0) || other_sum.iter().all(|&power| power <= 1e-12) {
        return Ok(None);
    }
    let carrying = (0..OCTAVES).filter(|&octave| db(lead_sum[octave]) > strongest - CARRIES_DB);
    let masked = carrying.map(|octave| Masking {
        octave_hz: (LOWEST_HZ * f64::from(1_u32 << octave)) as f32,
        over_db: db(other_sum[octave]) - db(lead_sum[octave]),
    });
    Ok(masked.max_by(|a, b| a.over_db.total_cmp(&b.over_db)))
}
