//! Thread: worker. Waveforms without aliases: one period each, in as many versions as there are highest partials.

use realfft::RealFftPlanner;
use realfft::num_complex::Complex;
use std::f64::consts::PI;
use std::sync::OnceLock;

/// Most partials a table has: bass down to 20 Hz keeps what can be heard.
const MOST: usize = 1024;
/// Steps of the triangle that early game consoles played.
const CONSOLE_STEPS: usize = 32;

/// A shape that is stored; pulses are made from two saws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// All partials, falling by 6 dB an octave.
    Saw,
    /// Odd partials, falling by 12 dB an octave.
    Triangle,
    /// A triangle in sixteen levels, as four bits make it.
    SteppedTriangle,
}

/// One period of a shape up to a partial.
#[derive(Debug)]
pub struct Table {
    /// One period, with one sample of the one before and two of the next.
    samples: Vec<f32>,
    /// Logarithm of its length.
    bits: u32,
}

impl Table {
    /// The shape at a phase: the whole range of the number is one period.
    #[inline]
    pub fn read(&self, phase: u32) -> f32 {
        let at = (phase >> (32 - self.bits)) as usize;
        let share = (phase << self.bits) as f32 * (1.0 / 4_294_967_296.0);
        let four = &self.samples[at..at + 4];
        super::super::effects::modulation::curve_through([four[0], four[1], four[2], four[3]], share)
    }
}

/// The partial counts there are tables for, rising by a sixth each beyond the first few.
fn counts() -> &'static [usize] {
    static COUNTS: OnceLock<Vec<usize>> = OnceLock::new();
    COUNTS.get_or_init(|| {
        let mut counts = vec![1];
        while let Some(&last) = counts.last().filter(|&&last| last < MOST) {
            counts.push((last + (last / 6).max(1)).min(MOST));
        }
        counts
    })
}

/// Index of the table whose highest partial stays under `limit_hz` at a pitch.
pub fn index_for(hz: f32, limit_hz: f32) -> usize {
    let most = (limit_hz / hz.max(1.0)) as usize;
    counts().partition_point(|&count| count <= most).saturating_sub(1)
}

/// All tables of a shape, by [`index_for`].
pub fn tables(shape: Shape) -> &'static [Table] {
    static TABLES: [OnceLock<Vec<Table>>; 3] = [const { OnceLock::new() }; 3];
    TABLES[shape as usize].get_or_init(|| counts().iter().map(|&count| table(shape, count)).collect())
}

fn table(shape: Shape, partials: usize) -> Table {
    let length = (partials * 8).next_power_of_two().clamp(256, 8192);
    let mut spectrum = vec![Complex::new(0.0_f64, 0.0); length / 2 + 1];
    for (index, bin) in spectrum.iter_mut().enumerate().skip(1).take(partials) {
        *bin = partial(shape, index as f64);
    }
    let mut period = vec![0.0_f64; length];
    // PANIC: cannot fail, the buffers have the lengths the plan asks for and the constant part is real.
    let transformed = RealFftPlanner::new().plan_fft_inverse(length).process(&mut spectrum, &mut period);
    debug_assert!(transformed.is_ok());
    let at = |index: usize| period[index % length] as f32;
    let samples = (0..length + 3).map(|index| at(index + length - 1)).collect();
    Table { samples, bits: length.trailing_zeros() }
}

/// A partial's coefficient: half of its amplitude, and its phase.
fn partial(shape: Shape, number: f64) -> Complex<f64> {
    match shape {
        Shape::Saw => Complex::new(0.0, 1.0 / (PI * number)),
        Shape::Triangle => {
            let odd = number as usize % 2 == 1;
            let sign = if number as usize % 4 == 1 { 1.0 } else { -1.0 };
            if odd { Complex::new(0.0, -sign * 4.0 / (PI * number).powi(2)) } else { Complex::new(0.0, 0.0) }
        }
        Shape::SteppedTriangle => {
            // Fourier series of a staircase: each step's own, at its place.
            let step = PI * number / CONSOLE_STEPS as f64;
            let mut sum = Complex::new(0.0, 0.0);
            for index in 0..CONSOLE_STEPS {
                // From the middle up, down, and back up, so that it begins where a sine does.
                let level = match index {
                    0..8 => index as f64 + 0.5,
                    8..24 => 15.5 - index as f64,
                    _ => index as f64 - 31.5,
                } / 7.5;
                sum += Complex::from_polar(level, -step * (2.0 * index as f64 + 1.0));
            }
            sum * (step.sin() / step / CONSOLE_STEPS as f64)
        }
    }
}

/// A sine by a polynomial, at a phase in turns; 1e-7 off at most.
#[inline]
pub fn sine(turns: f32) -> f32 {
    // Fold to a quarter turn either way.
    let turn = turns - turns.round();
    let quarter = if turn.abs() > 0.25 { 0.5_f32.copysign(turn) - turn } else { turn };
    let square = quarter * quarter;
    quarter
        * (std::f32::consts::TAU
            + square * (-41.341_673 + square * (81.602_02 + square * (-76.570_9 + square * 39.684_063))))
}

/// A phase as a share of a turn.
#[inline]
pub fn turns(phase: u32) -> f32 {
    phase as f32 * (1.0 / 4_294_967_296.0)
}
