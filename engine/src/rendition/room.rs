//! Thread: worker. The room: early reflections and a feedback delay network of eight lines (Jot 1991; Householder matrix).
//!
//! It is linear and starts empty, so the sum of the parts' rooms is the room of their sum: each stem carries its own.

use super::passes::CHECK_EVERY;
use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::generation::score::Room;
use crate::job_context::JobContext;
use crate::time::SampleRate;

const LINES: usize = 8;
/// Delays of the lines in seconds: spread, without common divisors at the usual rates.
const LINE_SECONDS: [f64; LINES] = [0.0297, 0.0353, 0.0411, 0.0437, 0.0533, 0.0599, 0.0677, 0.0731];
/// Early reflections, left and right: seconds and gain.
const EARLY: [[(f64, f32); 5]; 2] = [
    [(0.0087, 0.62), (0.0143, -0.48), (0.0211, 0.39), (0.0297, 0.31), (0.0421, -0.22)],
    [(0.0099, 0.58), (0.0131, 0.45), (0.0229, -0.41), (0.0313, 0.28), (0.0397, 0.24)],
];
/// Silence before the late room.
const PRE_DELAY_SECONDS: f64 = 0.012;
/// Where the walls begin to swallow treble.
const DAMPING_HZ: f64 = 5_200.0;
/// Makes up for the sends, which are seldom more than a third: at a style's return of -12 dB and a send of 0.5 the room lies
/// 13 dB below the part, where it is felt rather than heard.
const RETURN_DB: f32 = 5.0;
/// Frames a step: shorter than every line at every rate, long enough to keep the inner loops busy.
const STEP: usize = 64;

/// A ring buffer read and written in whole steps.
struct Line {
    ring: Vec<f32>,
    at: usize,
}

impl Line {
    fn new(frames: usize) -> Self {
        Self { ring: vec![0.0; frames.max(STEP)], at: 0 }
    }

    /// What was written a ring's length ago.
    fn read(&self, into: &mut [f32; STEP]) {
        let first = STEP.min(self.ring.len() - self.at);
        into[..first].copy_from_slice(&self.ring[self.at..self.at + first]);
        into[first..].copy_from_slice(&self.ring[..STEP - first]);
    }

    /// Replaces what was just read.
    fn write(&mut self, from: &[f32; STEP]) {
        let first = STEP.min(self.ring.len() - self.at);
        self.ring[self.at..self.at + first].copy_from_slice(&from[..first]);
        self.ring[..STEP - first].copy_from_slice(&from[first..]);
        self.at = (self.at + STEP) % self.ring.len();
    }
}

/// Adds the room's answer to `send` × the audio onto the audio itself. Stereo only; other layouts are left alone.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn add_room(audio: &mut AudioBuffer, room: &Room, send: f32, context: &JobContext) -> Result<()> {
    let send = if send.is_finite() { send.clamp(0.0, 1.0) } else { 0.0 };
    let level = if room.level_db.is_finite() { room.level_db.clamp(-80.0, 12.0) } else { -80.0 };
    let Some(first) = first_sound(audio) else { return Ok(()) };
    if send <= 0.0 || level <= -79.0 {
        return Ok(());
    }
    let decay = if room.decay_seconds.is_finite() { f64::from(room.decay_seconds.clamp(0.1, 10.0)) } else { 0.5 };
    let wet = send * super::part::db(level + RETURN_DB);
    let [left, right] = audio.channels.as_mut_slice() else { return Ok(()) };
    let dry = [left[first..].to_vec(), right[first..].to_vec()];
    add_early(&dry, [&mut left[first..], &mut right[first..]], audio.rate, wet, context)?;
    add_late(&dry, [&mut left[first..], &mut right[first..]], audio.rate, decay, wet, context)
}

/// The frame where an audio begins to sound.
fn first_sound(audio: &AudioBuffer) -> Option<usize> {
    audio.channels.iter().filter_map(|channel| channel.iter().position(|sample| *sample != 0.0)).min()
}

fn add_early(
    dry: &[Vec<f32>; 2],
    out: [&mut [f32]; 2],
    rate: SampleRate,
    wet: f32,
    context: &JobContext,
) -> Result<()> {
    // The reflections' energies sum to about one: a fifth of the room is early.
    let gain = wet * 0.45;
    for (side, out) in out.into_iter().enumerate() {
        for (tap, &(seconds, tap_gain)) in EARLY[side].iter().enumerate() {
            // Walls in front answer on their own side, those behind on the other.
            let source = &dry[if tap % 2 == 0 { side } else { 1 - side }];
            let delay = ((seconds * rate.hz()).round() as usize).min(out.len());
            for (out, source) in out[delay..].chunks_mut(CHECK_EVERY).zip(source.chunks(CHECK_EVERY)) {
                context.check()?;
                out.iter_mut().zip(source).for_each(|(sample, add)| *sample += gain * tap_gain * add);
            }
        }
    }
    Ok(())
}

fn add_late(
    dry: &[Vec<f32>; 2],
    out: [&mut [f32]; 2],
    rate: SampleRate,
    decay: f64,
    wet: f32,
    context: &JobContext,
) -> Result<()> {
    let delays = LINE_SECONDS.map(|seconds| ((seconds * rate.hz()).round() as usize).max(STEP));
    let mut lines = delays.map(Line::new);
    let total: usize = delays.iter().sum();
    // Each line loses 60 dB in `decay` seconds, however often the sound passes it.
    let feedback = delays.map(|delay| 10.0_f32.powf(-3.0 * delay as f32 / (decay * rate.hz()) as f32));
    let damping = (-2.0 * std::f64::consts::PI * DAMPING_HZ / rate.hz()).exp() as f32;
    // An impulse leaves energy 1 in the lines, which ebbs away as exp(-13.8 t / decay): scaled so that all of what the
    // two outputs give back is the energy that was sent.
    let energy = decay * rate.hz() / 13.8 * LINES as f64 / total as f64 / 2.0;
    let tap = wet * (0.8 / energy).sqrt() as f32 * (LINES as f32).sqrt().recip() * 2.0;
    let pre = (PRE_DELAY_SECONDS * rate.hz()).round() as usize;
    let [out_left, out_right] = out;
    let frames = out_left.len();
    let mut low = [0.0_f32; LINES];
    let mut columns = [[0.0_f32; STEP]; LINES];
    let check_every = (rate.0 as usize / STEP).max(1);
    for (index, from) in (pre..frames).step_by(STEP).enumerate() {
        if index % check_every == 0 {
            context.check()?;
        }
        let length = STEP.min(frames - from);
        for (line, column) in lines.iter().zip(&mut columns) {
            line.read(column);
        }
        for frame in 0..length {
            let input = [dry[0][from - pre + frame], dry[1][from - pre + frame]];
            let mut passing = [0.0_f32; LINES];
            for line in 0..LINES {
                low[line] += (1.0 - damping) * (columns[line][frame] - low[line]);
                passing[line] = low[line] * feedback[line];
            }
            let sum: f32 = passing.iter().sum();
            let (mut left, mut right) = (0.0, 0.0);
            for line in 0..LINES {
                // Alternate signs keep the two outputs apart.
                let sign = if line % 4 < 2 { 1.0 } else { -1.0 };
                if line % 2 == 0 {
                    left += sign * passing[line];
                } else {
                    right += sign * passing[line];
                }
                columns[line][frame] = passing[line] - sum * (2.0 / LINES as f32) + 0.5 * input[line % 2];
            }
            out_left[from + frame] += tap * left;
            out_right[from + frame] += tap * right;
        }
        for (line, column) in lines.iter_mut().zip(&columns) {
            line.write(column);
        }
    }
    Ok(())
}
