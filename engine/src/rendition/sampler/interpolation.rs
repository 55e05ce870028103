//! Thread: worker. A sample between its samples: windowed sinc, from a table of fractions with straight lines between them.

use std::f64::consts::PI;
use std::sync::OnceLock;

/// Fractions of a sample in a table. Straight lines between so many miss the true kernel by -80 dB at most.
const PHASES: usize = 128;
const PHASE_BITS: u32 = PHASES.trailing_zeros();
/// Bits of a position after the point.
pub const FRACTION_BITS: u32 = 32;
/// Taps of the shortest kernel; the others have this times a power of two.
pub const TAPS: usize = 8;
/// Most taps: a sound sped up more than eight times is not played well by anybody.
pub const MOST_TAPS: usize = 8 * TAPS;

/// One phase: the kernel's values, and their slopes to the next phase.
type Phase<const N: usize> = ([f32; N], [f32; N]);

/// Kernels for sounds played at up to 1, 2, 4 and 8 times their own rate: those that are sped up lose what would fold back.
struct Tables {
    plain: Vec<Phase<TAPS>>,
    double: Vec<Phase<{ 2 * TAPS }>>,
    quadruple: Vec<Phase<{ 4 * TAPS }>>,
    octuple: Vec<Phase<MOST_TAPS>>,
}

/// The Kaiser window's Bessel function.
fn bessel(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for step in 1..32 {
        term *= (x / (2.0 * f64::from(step))).powi(2);
        sum += term;
    }
    sum
}

/// A table of a kernel that passes `share` of the sample's own bandwidth.
fn table<const N: usize>(share: f64, beta: f64) -> Vec<Phase<N>> {
    let half = N as f64 / 2.0;
    let kernel = |phase: usize| -> [f64; N] {
        let fraction = phase as f64 / PHASES as f64;
        let mut taps: [f64; N] = std::array::from_fn(|tap| {
            let x = tap as f64 - (half - 1.0) - fraction;
            let place = x / half;
            let window = if place.abs() < 1.0 { bessel(beta * (1.0 - place * place).sqrt()) } else { 0.0 };
            let turn = PI * share * x;
            window * if turn.abs() < 1e-9 { 1.0 } else { turn.sin() / turn }
        });
        // Every phase passes what does not move with the same gain.
        let sum: f64 = taps.iter().sum();
        taps.iter_mut().for_each(|tap| *tap /= sum);
        taps
    };
    (0..PHASES)
        .map(|phase| {
            let (here, next) = (kernel(phase), kernel(phase + 1));
            (here.map(|tap| tap as f32), std::array::from_fn(|tap| (next[tap] - here[tap]) as f32))
        })
        .collect()
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| Tables {
        plain: table(1.0, 4.5),
        double: table(0.5, 5.0),
        quadruple: table(0.25, 5.0),
        octuple: table(0.125, 5.0),
    })
}

/// How many taps a sound needs that is played `speed` times its own rate.
pub fn taps_for(speed: f64) -> usize {
    // A little over its own rate only the highest treble folds, and only a little way.
    match speed {
        ..=1.15 => TAPS,
        ..=2.3 => 2 * TAPS,
        ..=4.6 => 4 * TAPS,
        _ => MOST_TAPS,
    }
}

/// Reads a sound from a window of its samples: `position` and `step` in samples with [`FRACTION_BITS`] after the point, 0 being
/// the place half the taps, less one, into the window; `bend` is added to the step after each frame.
pub fn read(window: &[f32], taps: usize, position: u64, step: u64, bend: i64, out: &mut [f32]) {
    let tables = tables();
    match taps {
        TAPS => read_with(&tables.plain, window, position, step, bend, out),
        16 => read_with(&tables.double, window, position, step, bend, out),
        32 => read_with(&tables.quadruple, window, position, step, bend, out),
        _ => read_with(&tables.octuple, window, position, step, bend, out),
    }
}

#[inline(always)]
fn read_with<const N: usize>(
    table: &[Phase<N>],
    window: &[f32],
    mut position: u64,
    mut step: u64,
    bend: i64,
    out: &mut [f32],
) {
    const REST_BITS: u32 = FRACTION_BITS - PHASE_BITS;
    for out in out {
        let first = (position >> FRACTION_BITS) as usize;
        let fraction = position as u32;
        let (kernel, slope) = &table[(fraction >> REST_BITS) as usize % PHASES];
        let rest = (fraction & ((1 << REST_BITS) - 1)) as f32 * (1.0 / (1_u32 << REST_BITS) as f32);
        let samples = window.get(first..).and_then(|rest| rest.first_chunk::<N>());
        *out = samples.map_or(0.0, |samples| product(samples, kernel, slope, rest));
        position = position.wrapping_add(step);
        step = step.wrapping_add_signed(bend);
    }
}

/// The samples weighed by a kernel between two phases. Four sums side by side are what any processor of the kind adds at once;
/// the compiler finds that by itself only where it may reorder sums, which it never may.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn product<const N: usize>(samples: &[f32; N], kernel: &[f32; N], slope: &[f32; N], rest: f32) -> f32 {
    use std::arch::x86_64::{
        __m128, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_movehl_ps, _mm_mul_ps, _mm_set1_ps, _mm_setr_ps,
        _mm_setzero_ps, _mm_shuffle_ps,
    };
    // SAFETY: SSE2 is part of every x86-64 processor, and nothing here takes an address.
    unsafe {
        let rest = _mm_set1_ps(rest);
        let mut sums = _mm_setzero_ps();
        for at in (0..N).step_by(4) {
            let four = |values: &[f32; N]| -> __m128 {
                _mm_setr_ps(values[at], values[at + 1], values[at + 2], values[at + 3])
            };
            let weights = _mm_add_ps(four(kernel), _mm_mul_ps(four(slope), rest));
            sums = _mm_add_ps(sums, _mm_mul_ps(four(samples), weights));
        }
        let pairs = _mm_add_ps(sums, _mm_movehl_ps(sums, sums));
        _mm_cvtss_f32(_mm_add_ss(pairs, _mm_shuffle_ps::<1>(pairs, pairs)))
    }
}

/// The samples weighed by a kernel between two phases, added in the same order.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn product<const N: usize>(samples: &[f32; N], kernel: &[f32; N], slope: &[f32; N], rest: f32) -> f32 {
    let mut sums = [0.0_f32; 4];
    for at in (0..N).step_by(4) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            let tap = at + lane;
            *sum += samples[tap] * (kernel[tap] + slope[tap] * rest);
        }
    }
    (sums[0] + sums[2]) + (sums[1] + sums[3])
}
