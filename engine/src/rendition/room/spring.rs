//! Thread: worker. A spring tank: what is high arrives later than what is low, and again at every turn (after Välimäki, Parker and
//! Abel 2010). A tank passes little above 4 kHz, so it is computed at a low rate.

use super::kinds::Loss;
use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::job_context::JobContext;
use crate::rendition::effects::filter::{Section, Tuning};
use crate::time::SampleRate;

/// Springs: two a side.
const SPRINGS: usize = 4;
/// One way and back through each, in seconds.
const TURN_SECONDS: [f64; SPRINGS] = [0.0371, 0.0433, 0.0397, 0.0457];
/// First-order all-passes in a row, and how unevenly they delay.
const STAGES: usize = 100;
const UNEVEN: f32 = 0.64;
/// What a tank passes, in Hz.
const BAND_HZ: (f32, f32) = (120.0, 3_600.0);
/// Treble dies away sooner.
const TREBLE: (f64, f64) = (0.6, 3_000.0);
/// Lowest rate it is computed at.
const INNER_HZ: u32 = 8_400;
/// How much of a side is heard, and enters, on the other one.
const ACROSS: f32 = 0.35;
/// Samples of the low-pass on either side, in periods of the low rate.
const REACH: usize = 6;

/// Frames of the rate that one of the low rate stands for.
fn factor(rate: SampleRate) -> usize {
    (rate.0 / INNER_HZ).max(1) as usize
}

/// Frames whose multiples a tank may begin at without anybody hearing which.
pub fn grain(rate: SampleRate) -> usize {
    factor(rate)
}

/// A low-pass for the way down and up again: a sinc under a Hann window.
fn low_pass(factor: usize) -> Vec<f32> {
    let reach = (REACH * factor) as i64;
    let tap = |index: i64| {
        let place = index as f64 / factor as f64;
        let sinc = if index == 0 {
            1.0
        } else {
            (std::f64::consts::PI * place * 0.85).sin() / (std::f64::consts::PI * place * 0.85)
        };
        sinc * (0.5 + 0.5 * (std::f64::consts::PI * index as f64 / (reach + 1) as f64).cos())
    };
    let taps: Vec<f64> = (-reach..=reach).map(tap).collect();
    let sum: f64 = taps.iter().sum();
    taps.iter().map(|tap| (tap / sum) as f32).collect()
}

/// The four springs side by side.
struct Tank {
    rings: [Vec<f32>; SPRINGS],
    at: [usize; SPRINGS],
    stages: Box<[[f32; SPRINGS]; STAGES]>,
    damped: [f32; SPRINGS],
    losses: [Loss; SPRINGS],
}

impl Tank {
    fn new(decay: f64, rate: f64) -> Self {
        // What a stage delays at 1 kHz, in samples.
        let turn = std::f64::consts::TAU * 1_000.0 / rate;
        let uneven = f64::from(UNEVEN);
        let stage = (1.0 - uneven * uneven) / (1.0 + 2.0 * uneven * turn.cos() + uneven * uneven);
        let within = stage * STAGES as f64 / rate;
        Self {
            rings: TURN_SECONDS.map(|seconds| vec![0.0; ((seconds - within).max(0.004) * rate).round() as usize]),
            at: [0; SPRINGS],
            stages: Box::new([[0.0; SPRINGS]; STAGES]),
            damped: [0.0; SPRINGS],
            losses: TURN_SECONDS.map(|seconds| Loss::of(seconds.max(within + 0.004), decay, TREBLE, rate)),
        }
    }

    /// What arrives at the springs' ends.
    #[inline]
    fn step(&mut self, input: [f32; 2]) -> [f32; SPRINGS] {
        let mut moving = [0.0; SPRINGS];
        for ((moving, ring), at) in moving.iter_mut().zip(&self.rings).zip(self.at) {
            *moving = ring[at];
        }
        for stage in self.stages.iter_mut() {
            for spring in 0..SPRINGS {
                let out = UNEVEN * moving[spring] + stage[spring];
                stage[spring] = moving[spring] - UNEVEN * out;
                moving[spring] = out;
            }
        }
        for spring in 0..SPRINGS {
            let loss = self.losses[spring];
            self.damped[spring] += (1.0 - loss.pole) * (moving[spring] - self.damped[spring]);
            // The end of a spring turns the wave over.
            let back = input[spring / 2] - loss.gain * self.damped[spring];
            self.rings[spring][self.at[spring]] = back;
            self.at[spring] = if self.at[spring] + 1 == self.rings[spring].len() { 0 } else { self.at[spring] + 1 };
        }
        moving
    }

    /// Forgets what has died away.
    fn rest(&mut self) {
        for value in self.stages.iter_mut().flatten().chain(&mut self.damped) {
            if value.abs() < 1e-18 {
                *value = 0.0;
            }
        }
    }
}

/// Adds the tank's answer to `wet` times the audio from frame `first` on, which is a multiple of [`grain`].
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn add_spring(audio: &mut AudioBuffer, first: usize, decay: f64, wet: f32, context: &JobContext) -> Result<()> {
    let rate = audio.rate;
    let factor = factor(rate);
    let inner = rate.hz() / factor as f64;
    let inner_rate = SampleRate(inner.round() as u32);
    let taps = low_pass(factor);
    let reach = REACH * factor;
    let [left, right] = audio.channels.as_mut_slice() else { return Ok(()) };
    let frames = left.len() - first;
    let steps = frames.div_ceil(factor) + REACH;
    let mut tank = Tank::new(decay, inner);
    // All that the turns give back is the energy that was sent.
    let kept: f32 = tank.losses.iter().map(|loss| loss.gain * loss.gain).sum::<f32>() / SPRINGS as f32;
    let level = wet * (1.0 - kept).max(1e-4).sqrt() * 0.62;
    let bands = [(BAND_HZ.0, 0.7), (BAND_HZ.1, 0.6)].map(|(hz, quality)| Tuning::new(hz, quality, inner_rate));
    let mut sections = [[Section::default(); 2]; 2];
    let mut answers = [vec![0.0_f32; steps], vec![0.0_f32; steps]];
    let read = |channel: &[f32], step: usize| {
        let middle = first + step * factor;
        let mut sum = 0.0;
        for (index, tap) in taps.iter().enumerate() {
            if let Some(place) = (middle + index).checked_sub(reach).filter(|&place| place < channel.len()) {
                sum += tap * channel[place];
            }
        }
        sum
    };
    let [near_answer, far_answer] = &mut answers;
    for (step, (near_answer, far_answer)) in near_answer.iter_mut().zip(far_answer).enumerate() {
        if step % 4_096 == 0 {
            context.check()?;
            tank.rest();
        }
        let sides = [read(left, step), read(right, step)];
        let mut sent = [0.0; 2];
        for side in 0..2 {
            let mixed = sides[side] * (1.0 - ACROSS) + sides[1 - side] * ACROSS;
            let [low_cut, high_cut] = &mut sections[side];
            sent[side] = high_cut.step(low_cut.step(mixed, &bands[0]).high, &bands[1]).low;
        }
        let [a, b, c, d] = tank.step(sent);
        let (near, far) = (a - b, c - d);
        *near_answer = level * (near + ACROSS * far);
        *far_answer = level * (far + ACROSS * near);
    }
    for (channel, answer) in [left, right].into_iter().zip(&answers) {
        context.check()?;
        for (frame, sample) in channel[first..].iter_mut().enumerate() {
            // The low rate's samples within reach, each with the tap that lies over this frame.
            let from = (frame + factor).saturating_sub(reach).div_ceil(factor).saturating_sub(1);
            let until = ((frame + reach) / factor).min(steps - 1);
            let mut sum = 0.0;
            for (step, answer) in answer.iter().enumerate().take(until + 1).skip(from) {
                let index = frame + reach;
                if let Some(tap) = index.checked_sub(step * factor).and_then(|index| taps.get(index)) {
                    sum += tap * answer;
                }
            }
            *sample += sum * factor as f32;
        }
    }
    Ok(())
}
