//! Thread: worker. Gain that follows the music: compression, and parts that step back for the kick.

use super::level::{programme_level, restore};
use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::job_context::JobContext;
use crate::time::{Beats, SongGrid};

/// Frames a step of a gain.
const STEP: usize = 16;
const CHECK_STEPS: usize = crate::rendition::passes::CHECK_EVERY / STEP;

/// How a compressor acts at full amount.
#[derive(Debug, Clone, Copy)]
pub struct Squeeze {
    /// Threshold against the part's own level, in dB.
    pub threshold_db: f32,
    /// Decibels in for a decibel out.
    pub ratio: f32,
    /// Time constants in seconds.
    pub attack_seconds: f32,
    /// How fast it lets go.
    pub release_seconds: f32,
}

/// A part's compressor: evens out strokes and phrases.
pub const PART: Squeeze = Squeeze { threshold_db: -8.0, ratio: 4.5, attack_seconds: 0.006, release_seconds: 0.12 };
/// The sum's: slow, so that the band breathes as one.
pub const GLUE: Squeeze = Squeeze { threshold_db: -5.0, ratio: 3.0, attack_seconds: 0.02, release_seconds: 0.25 };

/// Compresses by an amount of 0 to 1, both channels alike, and gives back the loudness that it took.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn compress(audio: &mut AudioBuffer, amount: f32, squeeze: Squeeze, context: &JobContext) -> Result<()> {
    let Some(level) = programme_level(audio, false, context)? else { return Ok(()) };
    let Some(heard) = programme_level(audio, true, context)? else { return Ok(()) };
    let rate = audio.rate.hz() as f32;
    let share = |seconds: f32| 1.0 - (-(STEP as f32) / (seconds * rate)).exp();
    let (attack, release) = (share(squeeze.attack_seconds), share(squeeze.release_seconds));
    let slope = 1.0 - 1.0 / (1.0 + amount * (squeeze.ratio - 1.0));
    // At small amounts only peaks are touched.
    let threshold = 20.0 * level.log10() + squeeze.threshold_db * amount + 6.0 * (1.0 - amount);
    let frames = audio.frames();
    let (mut power, mut gain) = (0.0_f32, 1.0_f32);
    // It hears a stroke a little before it has to act on it.
    let ahead = (squeeze.attack_seconds * rate) as usize;
    for (index, from) in (0..frames).step_by(STEP).enumerate() {
        if index % CHECK_STEPS == 0 {
            context.check()?;
        }
        let until = (from + STEP).min(frames);
        let heard = (from + ahead).min(frames)..(until + ahead).min(frames);
        let loudest = audio.channels.iter().map(|channel| mean_square(&channel[heard.clone()])).fold(0.0, f32::max);
        power += (loudest - power) * if loudest > power { attack } else { release };
        let over = 10.0 * (power + 1e-12).log10() - threshold;
        // A knee of 6 dB.
        let over = if over <= -3.0 {
            0.0
        } else if over < 3.0 {
            (over + 3.0).powi(2) / 12.0
        } else {
            over
        };
        let next = 10.0_f32.powf(-slope * over / 20.0);
        ramp(audio, from, until, gain, next);
        gain = next;
    }
    restore(audio, heard, context)
}

fn mean_square(samples: &[f32]) -> f32 {
    samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32
}

/// Goes from one gain to the next in a straight line.
fn ramp(audio: &mut AudioBuffer, from: usize, until: usize, first: f32, last: f32) {
    let step = (last - first) / (until - from).max(1) as f32;
    for channel in &mut audio.channels {
        for (index, sample) in channel[from..until].iter_mut().enumerate() {
            *sample *= first + step * (index + 1) as f32;
        }
    }
}

/// Time the gain takes down, so that it is there when the kick strikes.
const DOWN_SECONDS: f64 = 0.006;
/// Time it stays down.
const HOLD_SECONDS: f64 = 0.03;
/// What full ducking leaves: -22 dB.
const LEAVES: f32 = 0.08;

/// Pushes a part down at every kick; it is back half a beat later.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn duck(
    audio: &mut AudioBuffer,
    amount: f32,
    kicks: &[usize],
    grid: &SongGrid,
    context: &JobContext,
) -> Result<()> {
    let rate = audio.rate;
    let frames = audio.frames();
    let mut kicks: Vec<usize> = kicks.iter().copied().filter(|&kick| kick < frames).collect();
    kicks.sort_unstable();
    let down = (DOWN_SECONDS * rate.hz()).max(1.0);
    let hold = HOLD_SECONDS * rate.hz();
    let depth = amount * (1.0 - LEAVES);
    let mut past: Option<(f64, f64)> = None;
    let mut next = kicks.iter().peekable();
    let mut gain = 1.0;
    for (index, from) in (0..frames).step_by(STEP).enumerate() {
        if index % CHECK_STEPS == 0 {
            context.check()?;
        }
        let until = (from + STEP).min(frames);
        while let Some(&&kick) = next.peek().filter(|&&&kick| kick < until) {
            let beat = grid.beat_at(crate::time::Frames::from(kick).seconds(rate));
            let back = grid.frame_of(beat + Beats(0.5), rate).0 as f64 - kick as f64;
            past = Some((kick as f64, back.max(2.0 * hold)));
            next.next();
        }
        let at = until as f64;
        let risen = past.map_or(0.0, |(kick, back)| {
            let way = ((at - kick - hold) / (back - hold)).clamp(0.0, 1.0);
            // Slow at first, as a pumping compressor lets go.
            1.0 - way * way * (3.0 - 2.0 * way)
        });
        let coming = next.peek().map_or(0.0, |&&kick| (1.0 - (kick as f64 - at) / down).clamp(0.0, 1.0));
        let target = 1.0 - depth * risen.max(coming) as f32;
        ramp(audio, from, until, gain, target);
        gain = target;
    }
    Ok(())
}
