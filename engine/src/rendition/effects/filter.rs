//! Thread: worker. Filters that may move while they run: state-variable sections, one-pole smoothing, the tilt.

use crate::error::Result;
use crate::job_context::JobContext;
use crate::rendition::passes::CHECK_EVERY;
use crate::time::SampleRate;
use std::f32::consts::PI;

/// What a filter's frequency and resonance come to at one rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tuning {
    damping: f32,
    a1: f32,
    a2: f32,
    a3: f32,
}

impl Tuning {
    /// For a corner in Hz and a quality; Butterworth is 0.7071.
    pub fn new(hz: f32, quality: f32, rate: SampleRate) -> Self {
        let rate = rate.0.max(1) as f32;
        let turn = (PI * hz.clamp(1.0, 0.49 * rate) / rate).tan();
        let damping = 1.0 / quality.max(0.05);
        let a1 = 1.0 / (1.0 + turn * (turn + damping));
        Self { damping, a1, a2: turn * a1, a3: turn * turn * a1 }
    }
}

/// What a section makes of one sample.
#[derive(Debug, Clone, Copy)]
pub struct Bands {
    /// Below the corner.
    pub low: f32,
    /// Around the corner; unity at the corner.
    pub band: f32,
    /// Above the corner.
    pub high: f32,
}

/// A second-order state-variable section with trapezoidal integrators: it stays stable while its corner moves (V. Zavalishin, "The
/// Art of VA Filter Design"; A. Simper's form).
#[derive(Debug, Clone, Copy, Default)]
pub struct Section {
    first: f32,
    second: f32,
}

impl Section {
    /// The next sample.
    #[inline]
    pub fn step(&mut self, input: f32, tuning: &Tuning) -> Bands {
        let rest = input - self.second;
        let band = tuning.a1 * self.first + tuning.a2 * rest;
        let low = self.second + tuning.a2 * self.first + tuning.a3 * rest;
        self.first = 2.0 * band - self.first;
        self.second = 2.0 * low - self.second;
        Bands { low, band: tuning.damping * band, high: input - tuning.damping * band - low }
    }

    /// Forgets what has died away, before it becomes a number that processors are slow with.
    #[inline]
    pub fn rest(&mut self) {
        if self.first.abs() + self.second.abs() < 1e-18 {
            *self = Self::default();
        }
    }
}

/// Which side of a corner passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// What is below.
    Low,
    /// What is above.
    High,
}

/// A Butterworth filter of 12 dB an octave over a whole channel, in place.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn cut(samples: &mut [f32], pass: Pass, hz: f32, rate: SampleRate, context: &JobContext) -> Result<()> {
    let tuning = Tuning::new(hz, std::f32::consts::FRAC_1_SQRT_2, rate);
    let mut section = Section::default();
    for piece in samples.chunks_mut(CHECK_EVERY) {
        context.check()?;
        for block in piece.chunks_mut(64) {
            for sample in block {
                let bands = section.step(*sample, &tuning);
                *sample = if pass == Pass::Low { bands.low } else { bands.high };
            }
            section.rest();
        }
    }
    Ok(())
}

/// Follows its input with a time constant.
#[derive(Debug, Clone, Copy)]
pub struct OnePole {
    share: f32,
    state: f32,
}

impl OnePole {
    /// With its corner at a frequency.
    pub fn at(hz: f32, rate: SampleRate) -> Self {
        Self { share: 1.0 - (-2.0 * PI * hz / rate.0.max(1) as f32).exp(), state: 0.0 }
    }

    /// The next sample, without what is above the corner.
    #[inline]
    pub fn low(&mut self, input: f32) -> f32 {
        self.state += self.share * (input - self.state);
        if self.state.abs() < 1e-18 {
            self.state = 0.0;
        }
        self.state
    }
}

/// Where bass and treble part.
const TILT_HZ: f32 = 700.0;

/// Half of `tilt_db` more treble and half of it less bass; negative the other way round.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn tilt(samples: &mut [f32], tilt_db: f32, rate: SampleRate, context: &JobContext) -> Result<()> {
    let half = 10.0_f32.powf(tilt_db / 40.0);
    let mut split = OnePole::at(TILT_HZ, rate);
    for piece in samples.chunks_mut(CHECK_EVERY) {
        context.check()?;
        for sample in piece {
            let low = split.low(*sample);
            *sample = low / half + (*sample - low) * half;
        }
    }
    Ok(())
}
