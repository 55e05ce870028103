//! Thread: worker. The codec's activation, `x` above 0 and `eˣ - 1` below.

use super::signal::{Running, Signal};

/// The activation as a layer: it keeps nothing.
pub struct Elu;

impl Running for Elu {
    fn advance(&mut self, lanes: &mut [Signal], _last: bool) {
        lanes.iter_mut().for_each(|lane| elu(&mut lane.data));
    }
}

/// `x ← max(x, 0) + exp(min(x, 0)) - 1`, within two units of the last place of 1.
///
/// A second of audio takes ten million of these: the exponential of the standard library alone would cost as much as the
/// convolutions.
pub fn elu(values: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        // SAFETY: the processor has the two features the function is compiled for; it has no other requirement.
        unsafe { elu_avx2(values) };
        return;
    }
    elu_on(values);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn elu_avx2(values: &mut [f32]) {
    elu_on(values);
}

#[inline(always)]
fn elu_on(values: &mut [f32]) {
    /// Added to and taken from a small number, this rounds it to a whole one, whose value is then in the low bits.
    const ROUND: f32 = 12_582_912.0;
    /// The logarithm of 2 in two parts: multiples of the first are exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    /// Below this `eˣ - 1` is -1 in single precision.
    const LOWEST: f32 = -40.0;
    for value in values {
        let positive = value.max(0.0);
        let negative = value.clamp(LOWEST, 0.0);
        let shifted = negative * std::f32::consts::LOG2_E + ROUND;
        let power = shifted - ROUND;
        // 2 to the whole part, put together from its bits; the rest is at most half of ln 2 and goes into the series of eˣ - 1.
        let scale = f32::from_bits((shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127)) << 23);
        let rest = negative - power * LN_2[0] - power * LN_2[1];
        let series = 1.0 / 720.0 + rest * (1.0 / 5040.0);
        let series = 1.0 / 24.0 + rest * (1.0 / 120.0 + rest * series);
        let series = rest + rest * rest * (0.5 + rest * (1.0 / 6.0 + rest * series));
        *value = positive + (scale * series + (scale - 1.0));
    }
}
