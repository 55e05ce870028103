//! Thread: worker. What wavers: chorus, tremolo, the speed of a tape.

use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::job_context::JobContext;
use crate::rendition::passes::CHECK_EVERY;
use crate::time::{Frames, SampleRate, SongGrid};
use std::f64::consts::TAU;

/// Frames between two looks at a slow oscillator; straight lines in between.
const STEP: usize = 32;

/// The value between the samples of a row at a place, by a third-order curve through four of them; silence outside of the row.
#[inline]
pub fn read_between(row: &[f32], place: f64) -> f32 {
    let floor = place.floor();
    let share = (place - floor) as f32;
    let at = floor as i64;
    if at >= 1 && (at + 2) < row.len() as i64 {
        let at = at as usize;
        return curve_through([row[at - 1], row[at], row[at + 1], row[at + 2]], share);
    }
    let sample = |index: i64| usize::try_from(index).ok().and_then(|index| row.get(index)).copied().unwrap_or(0.0);
    curve_through([sample(at - 1), sample(at), sample(at + 1), sample(at + 2)], share)
}

/// A third-order curve (Hermite's, with the slopes of Catmull and Rom) between the two in the middle.
#[inline]
pub fn curve_through([before, first, second, after]: [f32; 4], share: f32) -> f32 {
    let slope = 0.5 * (second - before);
    let bow = before - 2.5 * first + 2.0 * second - 0.5 * after;
    let twist = 0.5 * (after - before) + 1.5 * (first - second);
    ((twist * share + bow) * share + slope) * share + first
}

/// One delayed copy of a chorus: delay and swing in seconds, speed in Hz, loudness.
struct Copy {
    delay: f64,
    swing: f64,
    hz: f64,
    gain: f32,
}

const COPIES: [Copy; 2] = [
    Copy { delay: 0.0115, swing: 0.0031, hz: 0.71, gain: 0.75 },
    Copy { delay: 0.0183, swing: 0.0023, hz: 1.13, gain: 0.55 },
];

/// Delayed copies whose delay sways, left and right against each other.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn chorus(audio: &mut AudioBuffer, amount: f32, context: &JobContext) -> Result<()> {
    let rate = audio.rate.hz();
    let swing = 0.4 + 0.6 * f64::from(amount);
    let wet: f32 = COPIES.iter().map(|copy| (amount * copy.gain).powi(2)).sum();
    let dry = (1.0 + wet).sqrt().recip();
    for (side, channel) in audio.channels.iter_mut().enumerate() {
        let source = channel.clone();
        channel.iter_mut().for_each(|sample| *sample *= dry);
        for (index, copy) in COPIES.iter().enumerate() {
            // A third of a turn between the copies, and half of one between the sides.
            let turn = index as f64 / 3.0 + side as f64 / 2.0;
            let delay =
                |frame: usize| rate * (copy.delay + copy.swing * swing * sway(frame as f64 / rate, copy.hz, turn));
            add_swaying(channel, &source, amount * copy.gain * dry, delay, context)?;
        }
    }
    Ok(())
}

/// A slow sine at a time, -1 to 1.
fn sway(seconds: f64, hz: f64, turn: f64) -> f64 {
    (TAU * (seconds * hz + turn)).sin()
}

/// Adds a row to another one, later by a delay in frames that changes with the frame.
fn add_swaying(
    out: &mut [f32],
    source: &[f32],
    gain: f32,
    delay: impl Fn(usize) -> f64,
    context: &JobContext,
) -> Result<()> {
    let mut first = delay(0);
    for (piece, block) in out.chunks_mut(STEP).enumerate() {
        let from = piece * STEP;
        if from.is_multiple_of(CHECK_EVERY) {
            context.check()?;
        }
        let last = delay(from + STEP);
        let step = (last - first) / STEP as f64;
        for (index, sample) in block.iter_mut().enumerate() {
            let place = (from + index) as f64 - first - step * index as f64;
            *sample += gain * read_between(source, place);
        }
        first = last;
    }
    Ok(())
}

/// Slowest tremolo: slower eighths become sixteenths.
const SLOWEST_HZ: f64 = 2.7;

/// Cycles of the tremolo in a beat at a tempo.
fn tremolo_cycles(beats_per_minute: f64) -> f64 {
    let mut cycles = 2.0;
    while cycles < 8.0 && cycles * beats_per_minute / 60.0 < SLOWEST_HZ {
        cycles *= 2.0;
    }
    while cycles > 1.0 && cycles * beats_per_minute / 60.0 > 8.0 {
        cycles /= 2.0;
    }
    cycles
}

/// Swells and fades in time with the song, loudest on the beat: eighths, or the note value next to them that the ear still hears as a
/// tremolo.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn tremolo(audio: &mut AudioBuffer, amount: f32, grid: &SongGrid, context: &JobContext) -> Result<()> {
    let rate = audio.rate;
    let cycles = tremolo_cycles(grid.tempo.tempo_at(grid.start).0);
    let depth = 0.5 * 0.9 * amount;
    let middle = 1.0 - depth;
    let even = (middle * middle + 0.5 * depth * depth).sqrt().recip();
    let gain = |frame: usize| {
        let beat = grid.beat_at(Frames::from(frame).seconds(rate)).0;
        even * (middle + depth * (TAU * (beat * cycles).fract()).cos() as f32)
    };
    let frames = audio.frames();
    let mut first = gain(0);
    for from in (0..frames).step_by(STEP) {
        if from.is_multiple_of(CHECK_EVERY) {
            context.check()?;
        }
        let until = (from + STEP).min(frames);
        let last = gain(from + STEP);
        let step = (last - first) / STEP as f32;
        for channel in &mut audio.channels {
            for (index, sample) in channel[from..until].iter_mut().enumerate() {
                *sample *= first + step * index as f32;
            }
        }
        first = last;
    }
    Ok(())
}

/// How a tape's speed wavers: Hz, and deviation of the pitch in cents at full amount.
const WAVER: [(f64, f64); 3] = [(0.53, 5.0), (1.27, 2.5), (6.7, 2.5)];

/// Reads the music a little early and a little late, as a tape with an uneven motor does; on average it stays in its place.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn waver(audio: &mut AudioBuffer, amount: f32, context: &JobContext) -> Result<()> {
    let rate = audio.rate;
    let shift = |frame: usize| waver_frames(frame, amount, rate);
    for channel in &mut audio.channels {
        let source = std::mem::replace(channel, vec![0.0; channel.len()]);
        add_swaying(channel, &source, 1.0, shift, context)?;
    }
    Ok(())
}

/// Frames that the music comes late at a frame.
fn waver_frames(frame: usize, amount: f32, rate: SampleRate) -> f64 {
    let seconds = frame as f64 / rate.hz();
    let shift = |&(hz, cents): &(f64, f64)| {
        let deviation = 2.0_f64.powf(cents * f64::from(amount) / 1200.0) - 1.0;
        deviation / (TAU * hz) * sway(seconds, hz, 0.0)
    };
    WAVER.iter().map(shift).sum::<f64>() * rate.hz()
}
