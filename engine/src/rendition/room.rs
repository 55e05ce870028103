//! Thread: worker. The room: early reflections and a feedback delay network of eight lines (Jot 1991; Householder matrix), or a spring.
//!
//! It is linear and starts empty, and what sways in it follows the song's own frames, so the sum of the parts' rooms is the room of
//! their sum: each stem carries its own.

mod kinds;
mod spring;

use super::effects::filter::{Section, Tuning};
use super::effects::modulation::curve_through;
use super::passes::CHECK_EVERY;
use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::generation::score::Room;
use crate::job_context::JobContext;
use crate::time::SampleRate;
use kinds::{LINES, Loss, Network};
use std::f64::consts::TAU;

/// Makes up for the sends, which are seldom more than a third: at a style's return of -12 dB and a send of 0.5 the room lies
/// 13 dB below the part, where it is felt rather than heard.
const RETURN_DB: f32 = 5.0;
/// Frames a step: shorter than every line at every rate, long enough to keep the inner loops busy.
const STEP: usize = 64;
/// Gain of the all-passes that scatter.
const SCATTER: f32 = 0.62;

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
    let Some(network) = kinds::network(room.kind) else {
        let first = first / spring::grain(audio.rate) * spring::grain(audio.rate);
        return spring::add_spring(audio, first, decay, wet, context);
    };
    // From a whole step on, so that parts that begin at different moments share what sways.
    let first = first / STEP * STEP;
    let [left, right] = audio.channels.as_mut_slice() else { return Ok(()) };
    let mut dry = [left[first..].to_vec(), right[first..].to_vec()];
    add_early(network, &dry, [&mut left[first..], &mut right[first..]], (audio.rate, wet), context)?;
    for (side, dry) in dry.iter_mut().enumerate() {
        context.check()?;
        prepare(dry, network.scatter[side], network.low_cut_hz, audio.rate);
    }
    let late = Late { network, rate: audio.rate, decay, wet, first };
    late.add(&dry, [&mut left[first..], &mut right[first..]], context)
}

/// The frame where an audio begins to sound.
fn first_sound(audio: &AudioBuffer) -> Option<usize> {
    audio.channels.iter().filter_map(|channel| channel.iter().position(|sample| *sample != 0.0)).min()
}

fn add_early(
    network: &Network,
    dry: &[Vec<f32>; 2],
    out: [&mut [f32]; 2],
    (rate, wet): (SampleRate, f32),
    context: &JobContext,
) -> Result<()> {
    // The reflections' energies sum to about one: a fifth of the room is early.
    let gain = wet * network.early_gain;
    for (side, out) in out.into_iter().enumerate() {
        for (tap, &(seconds, tap_gain)) in network.early[side].iter().enumerate() {
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

/// What enters the lines: without bass, scattered by all-passes.
fn prepare(dry: &mut [f32], scatter: &[f64], low_cut_hz: f32, rate: SampleRate) {
    if low_cut_hz > 0.0 {
        let tuning = Tuning::new(low_cut_hz, 0.707, rate);
        let mut section = Section::default();
        for block in dry.chunks_mut(STEP) {
            block.iter_mut().for_each(|sample| *sample = section.step(*sample, &tuning).high);
            section.rest();
        }
    }
    for seconds in scatter {
        let mut ring = vec![0.0_f32; ((seconds * rate.hz()).round() as usize).max(1)];
        let length = ring.len();
        for block in dry.chunks_mut(length) {
            for (sample, late) in block.iter_mut().zip(&mut ring) {
                let kept = *sample + SCATTER * *late;
                *sample = *late - SCATTER * kept;
                *late = if kept.abs() < 1e-18 { 0.0 } else { kept };
            }
        }
    }
}

/// One step of all lines, frame by frame.
type Block = [[f32; LINES]; STEP];

/// Which way a line goes to its side: alternate signs keep the two outputs apart. Even lines go left, odd ones right.
const SIGNS: [f32; LINES] = [1.0, 1.0, -1.0, -1.0, 1.0, 1.0, -1.0, -1.0];

/// A line whose length sways: a ring written in whole steps and read between samples.
struct Line {
    ring: Vec<f32>,
    /// Frames from now back to what comes out, without the sway.
    delay: f64,
    swing: f64,
    hz: f64,
    turn: f64,
    before: f64,
}

impl Line {
    fn new(index: usize, network: &Network, rate: SampleRate, first: usize) -> Self {
        let swing = network.swing * rate.hz();
        // A step must not read what it has yet to write.
        let delay = (network.lines[index] * rate.hz()).round().max(STEP as f64 + swing + 4.0);
        let ring = vec![0.0; ((delay + swing) as usize + STEP + 4).next_power_of_two()];
        let hz = network.swing_hz * (1.0 + 0.17 * index as f64);
        let mut line = Self { ring, delay, swing, hz, turn: index as f64 * 0.37, before: 0.0 };
        line.before = line.delay_at(first, rate);
        line
    }

    fn delay_at(&self, frame: usize, rate: SampleRate) -> f64 {
        self.delay + self.swing * (TAU * (frame as f64 / rate.hz() * self.hz + self.turn)).sin()
    }

    /// The step that begins at `at` frames since the start, which is `next` frames into the song at its end, into the column
    /// `index` of a block.
    fn read(&mut self, at: usize, next: usize, rate: SampleRate, (block, index): (&mut Block, usize)) {
        let mask = self.ring.len() - 1;
        let after = self.delay_at(next, rate);
        let whole = self.before.max(after).ceil();
        // All that the step needs, in a row.
        let mut row = [0.0_f32; STEP + 5];
        let from = at.wrapping_sub(whole as usize + 1);
        for (offset, sample) in row.iter_mut().enumerate() {
            *sample = self.ring[from.wrapping_add(offset) & mask];
        }
        if self.swing == 0.0 {
            for (frame, sample) in block.iter_mut().zip(&row[1..]) {
                frame[index] = *sample;
            }
        } else {
            let first = (whole - self.before) as f32;
            let slope = ((self.before - after) / STEP as f64) as f32;
            for (place, frame) in block.iter_mut().enumerate() {
                let ahead = (first + slope * place as f32).max(0.0);
                let skipped = (ahead as usize).min(1);
                let four = &row[place + skipped..place + skipped + 4];
                frame[index] = curve_through([four[0], four[1], four[2], four[3]], ahead - skipped as f32);
            }
        }
        self.before = after;
    }

    fn write(&mut self, at: usize, (block, index): (&Block, usize)) {
        let mask = self.ring.len() - 1;
        for (place, frame) in block.iter().enumerate() {
            let sample = frame[index];
            self.ring[(at + place) & mask] = if sample.abs() < 1e-18 { 0.0 } else { sample };
        }
    }
}

/// The late room of a network.
struct Late<'a> {
    network: &'a Network,
    rate: SampleRate,
    decay: f64,
    wet: f32,
    /// Frame of the song that the audio begins with.
    first: usize,
}

impl Late<'_> {
    fn add(&self, dry: &[Vec<f32>; 2], out: [&mut [f32]; 2], context: &JobContext) -> Result<()> {
        let rate = self.rate;
        let pre = (self.network.pre_delay * rate.hz()).round() as usize;
        let mut lines: [Line; LINES] =
            std::array::from_fn(|index| Line::new(index, self.network, rate, self.first + pre));
        let total: f64 = lines.iter().map(|line| line.delay).sum();
        // Each line loses 60 dB in `decay` seconds, however often the sound passes it.
        let losses: [Loss; LINES] = std::array::from_fn(|index| {
            let treble = (self.network.treble, self.network.treble_hz);
            Loss::of(lines[index].delay / rate.hz(), self.decay, treble, rate.hz())
        });
        // An impulse leaves energy 1 in the lines, which ebbs away as exp(-13.8 t / decay): scaled so that all of what the
        // two outputs give back is the energy that was sent.
        let energy = self.decay * rate.hz() / 13.8 * LINES as f64 / total / 2.0;
        let tap = self.wet * (0.8 / energy).sqrt() as f32 * (LINES as f32).sqrt().recip() * 2.0;
        let [out_left, out_right] = out;
        let frames = out_left.len();
        let (poles, gains) = (losses.map(|loss| 1.0 - loss.pole), losses.map(|loss| loss.gain));
        let mut low = [0.0_f32; LINES];
        let mut block: Block = [[0.0; LINES]; STEP];
        let check_every = (rate.0 as usize / STEP).max(1);
        for (index, from) in (pre..frames).step_by(STEP).enumerate() {
            if index % check_every == 0 {
                context.check()?;
            }
            let length = STEP.min(frames - from);
            let at = index * STEP;
            for (index, line) in lines.iter_mut().enumerate() {
                line.read(at, self.first + from + STEP, rate, (&mut block, index));
            }
            for (place, frame) in block[..length].iter_mut().enumerate() {
                let input = [0.5 * dry[0][from - pre + place], 0.5 * dry[1][from - pre + place]];
                let mut passing = [0.0_f32; LINES];
                for line in 0..LINES {
                    low[line] += poles[line] * (frame[line] - low[line]);
                    passing[line] = low[line] * gains[line];
                }
                let spread = passing.iter().sum::<f32>() * (2.0 / LINES as f32);
                let (mut left, mut right) = (0.0, 0.0);
                for line in (0..LINES).step_by(2) {
                    left += SIGNS[line] * passing[line];
                    right += SIGNS[line + 1] * passing[line + 1];
                }
                for line in 0..LINES {
                    frame[line] = passing[line] - spread + input[line % 2];
                }
                out_left[from + place] += tap * left;
                out_right[from + place] += tap * right;
            }
            for (index, line) in lines.iter_mut().enumerate() {
                line.write(at, (&block, index));
            }
            for value in &mut low {
                if value.abs() < 1e-18 {
                    *value = 0.0;
                }
            }
        }
        Ok(())
    }
}
