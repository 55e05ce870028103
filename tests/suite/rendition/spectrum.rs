//! Looking at sound: a transform, tones and levels, for tests of synthesis and effects.

use std::f64::consts::TAU;

/// Power of each bin up to half the rate, of samples under a Blackman-Harris window, whose side lobes lie 92 dB down. The length is a
/// power of two.
pub fn power_spectrum(samples: &[f32]) -> Vec<f64> {
    let length = samples.len();
    assert!(length.is_power_of_two());
    let mut real: Vec<f64> = samples
        .iter()
        .enumerate()
        .map(|(index, sample)| {
            let turn = TAU * index as f64 / length as f64;
            let window = 0.35875 - 0.48829 * turn.cos() + 0.14128 * (2.0 * turn).cos() - 0.01168 * (3.0 * turn).cos();
            f64::from(*sample) * window
        })
        .collect();
    let mut imaginary = vec![0.0; length];
    transform(&mut real, &mut imaginary);
    (0..length / 2).map(|bin| real[bin] * real[bin] + imaginary[bin] * imaginary[bin]).collect()
}

/// In place, radix two.
fn transform(real: &mut [f64], imaginary: &mut [f64]) {
    let length = real.len();
    let bits = length.trailing_zeros();
    for index in 0..length {
        let other = index.reverse_bits() >> (usize::BITS - bits);
        if other > index {
            real.swap(index, other);
            imaginary.swap(index, other);
        }
    }
    let turns: Vec<(f64, f64)> = (0..length / 2).map(|k| (TAU * k as f64 / length as f64).sin_cos()).collect();
    let mut half = 1;
    while half < length {
        let stride = length / 2 / half;
        for start in (0..length).step_by(2 * half) {
            for offset in 0..half {
                let (sine, cosine) = turns[offset * stride];
                let (low, high) = (start + offset, start + offset + half);
                let (a, b) =
                    (real[high] * cosine + imaginary[high] * sine, imaginary[high] * cosine - real[high] * sine);
                (real[high], imaginary[high]) = (real[low] - a, imaginary[low] - b);
                (real[low], imaginary[low]) = (real[low] + a, imaginary[low] + b);
            }
        }
        half *= 2;
    }
}

/// A sine.
pub fn tone(hz: f64, amplitude: f64, rate: u32, frames: usize) -> Vec<f32> {
    (0..frames).map(|frame| (amplitude * (TAU * hz * frame as f64 / f64::from(rate)).sin()) as f32).collect()
}

/// Level of one frequency in dB of full scale, a sine of amplitude 1 being 0.
pub fn tone_db(samples: &[f32], hz: f64, rate: u32) -> f64 {
    let (mut real, mut imaginary) = (0.0, 0.0);
    for (index, sample) in samples.iter().enumerate() {
        let window = 1.0 - (TAU * index as f64 / samples.len() as f64).cos();
        let (sine, cosine) = (TAU * hz * index as f64 / f64::from(rate)).sin_cos();
        real += f64::from(*sample) * cosine * window;
        imaginary += f64::from(*sample) * sine * window;
    }
    20.0 * (2.0 * real.hypot(imaginary) / samples.len() as f64 + 1e-12).log10()
}

/// White noise, -1 to 1 times an amplitude, the same for a seed.
pub fn noise(seed: u64, amplitude: f32, frames: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..frames)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            amplitude * ((state >> 40) as f32 / 8_388_608.0 - 1.0)
        })
        .collect()
}

/// Share of the power that lies within a band, in dB.
pub fn band_db(spectrum: &[f64], rate: u32, low_hz: f64, high_hz: f64) -> f64 {
    let bin = |hz: f64| ((hz / f64::from(rate) * 2.0 * spectrum.len() as f64) as usize).min(spectrum.len());
    let band: f64 = spectrum[bin(low_hz)..bin(high_hz)].iter().sum();
    10.0 * (band / spectrum.iter().sum::<f64>().max(1e-30) + 1e-15).log10()
}
