//! Thread: worker. The resonant low-pass of a region: a state variable filter, whose cutoff may move while it sounds.

use std::f32::consts::PI;

/// Coefficients of one moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Coefficients([f32; 3]);

/// A two-pole low-pass.
#[derive(Debug, Clone, Default)]
pub struct LowPass {
    now: Option<Coefficients>,
    states: [f32; 2],
}

impl LowPass {
    /// Filters a block in place, on the way from the last block's cutoff to this one. `resonance` is the peak over the level of
    /// low frequencies, as a factor.
    pub fn run(&mut self, block: &mut [f32], cutoff_hz: f32, resonance: f32, rate_hz: f32) {
        let turn = (PI * (cutoff_hz / rate_hz).clamp(1e-4, 0.49)).tan();
        // A peak of 1 is the flattest response; above, the quality is nearly the peak.
        let quality =
            resonance.max(1.0) - (1.0 - std::f32::consts::FRAC_1_SQRT_2) / (1.0 + 6.0 * (resonance - 1.0).max(0.0));
        let first = 1.0 / (1.0 + turn * (turn + 1.0 / quality));
        let target = [first, turn * first, turn * turn * first];
        let mut now = self.now.map_or(target, |coefficients| coefficients.0);
        let share = 1.0 / block.len().max(1) as f32;
        let slopes: [f32; 3] = std::array::from_fn(|index| (target[index] - now[index]) * share);
        let [mut one, mut two] = self.states;
        for sample in block {
            for (coefficient, slope) in now.iter_mut().zip(slopes) {
                *coefficient += slope;
            }
            let over = *sample - two;
            let band = now[0] * one + now[1] * over;
            let low = two + now[1] * one + now[2] * over;
            one = 2.0 * band - one;
            two = 2.0 * low - two;
            *sample = low;
        }
        // What is too small to hear would slow the processor down.
        let settle = |state: f32| if state.abs() < 1e-15 { 0.0 } else { state };
        self.states = [settle(one), settle(two)];
        self.now = Some(Coefficients(target));
    }
}
