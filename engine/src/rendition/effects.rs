//! Thread: worker. Effects over whole stereo buffers: a part's strip, the echo, the touch on the sum.
//!
//! Every amount at 0 leaves the samples as they are, to the bit. Whatever comes in, what goes out is finite. Drive, compression and
//! tape measure a part's loudness and give it back, so that an amount changes the sound and not the balance.

mod crush;
mod dynamics;
mod echo;
pub mod filter;
mod level;
pub mod modulation;
mod saturation;
mod vinyl;
mod width;

pub use crush::crush;
pub use echo::add_echo;
pub use level::programme_level;
pub use saturation::saturate;

use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::generation::score::{Master, Strip};
use crate::job_context::JobContext;
use crate::time::SongGrid;
use filter::Pass;

/// What a strip must know of the song.
#[derive(Debug, Clone, Copy)]
pub struct StripSong<'a> {
    /// Where the audio lies in the song; it begins at the grid's start.
    pub grid: &'a SongGrid,
    /// Frames at which the kick strikes, in any order.
    pub kicks: &'a [usize],
}

/// No sample is louder than this: 60 dB over full scale.
const LOUDEST: f32 = 1_000.0;

/// Replaces what is no number by silence, and numbers that no sound has by the largest.
fn clean(audio: &mut AudioBuffer) {
    for sample in audio.channels.iter_mut().flatten() {
        if !sample.is_finite() {
            *sample = 0.0;
        } else if sample.abs() > LOUDEST {
            *sample = LOUDEST.copysign(*sample);
        }
    }
}

/// An amount, 0 to 1; what is no number is 0.
fn share(amount: f32) -> f32 {
    if amount.is_finite() { amount.clamp(0.0, 1.0) } else { 0.0 }
}

/// A frequency or a level as it was written; 0 for what is no number.
fn number(value: f32, lowest: f32, highest: f32) -> f32 {
    if value.is_finite() { value.clamp(lowest, highest) } else { 0.0 }
}

/// Sends a part through its strip, in the order of the fields of [`Strip`]. Its `delay` is a send, see [`add_echo`].
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn apply_strip(audio: &mut AudioBuffer, strip: &Strip, song: &StripSong, context: &JobContext) -> Result<()> {
    context.check()?;
    clean(audio);
    let rate = audio.rate;
    let low_cut_hz = number(strip.low_cut_hz, 0.0, 20_000.0);
    let high_cut_hz = number(strip.high_cut_hz, 0.0, 100_000.0);
    let tilt_db = number(strip.tilt_db, -24.0, 24.0);
    for channel in &mut audio.channels {
        if low_cut_hz > 0.0 {
            filter::cut(channel, Pass::High, low_cut_hz, rate, context)?;
        }
        // What lies above every tone needs no filter.
        if high_cut_hz > 0.0 && f64::from(high_cut_hz) < 0.49 * rate.hz() {
            filter::cut(channel, Pass::Low, high_cut_hz, rate, context)?;
        }
        if tilt_db != 0.0 {
            filter::tilt(channel, tilt_db, rate, context)?;
        }
    }
    drive(audio, share(strip.drive), DRIVE, context)?;
    let amounts = [strip.compress, strip.chorus, strip.tremolo, strip.crush, strip.duck, strip.width].map(share);
    let [compress, chorus, tremolo, crush, duck, width] = amounts;
    if compress > 0.0 {
        dynamics::compress(audio, compress, dynamics::PART, context)?;
    }
    if chorus > 0.0 {
        modulation::chorus(audio, chorus, context)?;
    }
    if tremolo > 0.0 {
        modulation::tremolo(audio, tremolo, song.grid, context)?;
    }
    if crush > 0.0 {
        self::crush(audio, crush, context)?;
    }
    if duck > 0.0 {
        dynamics::duck(audio, duck, song.kicks, song.grid, context)?;
    }
    if width > 0.0 {
        width::widen(audio, width, context)?;
    }
    Ok(())
}

/// How hard a saturation is driven: the part's level at the curve for the smallest and for full amount, and the asymmetry.
#[derive(Debug, Clone, Copy)]
struct Drive {
    softest: f32,
    hardest: f32,
    bias: f32,
}

/// Valves: a little uneven, so that even harmonics sound too.
const DRIVE: Drive = Drive { softest: 0.05, hardest: 1.6, bias: 0.25 };
/// Tape: even, and never far into the curve.
const TAPE: Drive = Drive { softest: 0.05, hardest: 0.55, bias: 0.0 };

/// Saturates by an amount of 0 to 1 and keeps the loudness. How hard depends on the part's own level, not on its place in the mix.
fn drive(audio: &mut AudioBuffer, amount: f32, how: Drive, context: &JobContext) -> Result<()> {
    if amount <= 0.0 {
        return Ok(());
    }
    let Some(level) = programme_level(audio, false, context)? else { return Ok(()) };
    let Some(heard) = programme_level(audio, true, context)? else { return Ok(()) };
    let input = how.softest * (how.hardest / how.softest).powf(amount) / level;
    let rate = audio.rate;
    for channel in &mut audio.channels {
        saturate(channel, (input, how.bias * amount, 1.0 / input), rate, context)?;
    }
    level::restore(audio, heard, context)
}

/// Highest frequency of a tape at the smallest and at full amount.
const TAPE_TOP_HZ: (f32, f32) = (21_000.0, 8_500.0);

/// The style's touch on the sum, in the order of the fields of [`Master`].
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn apply_master(audio: &mut AudioBuffer, master: &Master, context: &JobContext) -> Result<()> {
    context.check()?;
    clean(audio);
    let rate = audio.rate;
    let tilt_db = number(master.tilt_db, -24.0, 24.0);
    if tilt_db != 0.0 {
        for channel in &mut audio.channels {
            filter::tilt(channel, tilt_db, rate, context)?;
        }
    }
    let [glue, tape, vinyl, crush] = [master.glue, master.tape, master.vinyl, master.crush].map(share);
    if glue > 0.0 {
        dynamics::compress(audio, glue, dynamics::GLUE, context)?;
    }
    if tape > 0.0 {
        self::tape(audio, tape, context)?;
    }
    if vinyl > 0.0 {
        vinyl::vinyl(audio, vinyl, context)?;
    }
    if crush > 0.0 {
        self::crush(audio, crush, context)?;
    }
    Ok(())
}

/// Saturation, a softer top, a slow waver.
fn tape(audio: &mut AudioBuffer, amount: f32, context: &JobContext) -> Result<()> {
    let Some(heard) = programme_level(audio, true, context)? else { return Ok(()) };
    drive(audio, amount, TAPE, context)?;
    let rate = audio.rate;
    let top_hz = TAPE_TOP_HZ.0 * (TAPE_TOP_HZ.1 / TAPE_TOP_HZ.0).powf(amount);
    for channel in &mut audio.channels {
        if f64::from(top_hz) < 0.49 * rate.hz() {
            filter::cut(channel, Pass::Low, top_hz, rate, context)?;
        }
    }
    modulation::waver(audio, amount, context)?;
    level::restore(audio, heard, context)
}
