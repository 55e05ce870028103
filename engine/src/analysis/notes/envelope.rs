//! Thread: worker. How loud a take is over time, finer than the pitch frames.

/// Samples at 16 kHz from one value to the next: 2 ms.
const STEP: usize = 32;
/// Mean energy of the audio every 2 ms.
pub(super) struct Envelope {
    /// Running sum of the energy of each step, so that any stretch costs two look-ups.
    sums: Vec<f64>,
}

impl Envelope {
    /// Seconds from one value to the next.
    pub const STEP_SECONDS: f64 = STEP as f64 / 16_000.0;

    /// Of mono audio at 16 kHz.
    pub fn new(mono_16k: &[f32]) -> Self {
        let mut sums = vec![0.0];
        let mut total = 0.0;
        for step in mono_16k.chunks(STEP) {
            total += step.iter().map(|sample| f64::from(sample * sample)).sum::<f64>() / step.len() as f64;
            sums.push(total);
        }
        Self { sums }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.sums.len() - 1
    }

    /// The step a moment lies in.
    pub fn index(&self, seconds: f64) -> usize {
        ((seconds / Self::STEP_SECONDS).max(0.0) as usize).min(self.len())
    }

    /// Mean energy over steps `[from, to)`.
    fn energy(&self, from: usize, to: usize) -> f64 {
        let to = to.min(self.len());
        if from >= to { 0.0 } else { (self.sums[to] - self.sums[from]).max(0.0) / (to - from) as f64 }
    }

    /// Root mean square between two moments.
    pub fn rms(&self, from: f64, to: f64) -> f32 {
        self.energy(self.index(from), self.index(to).max(self.index(from) + 1)).sqrt() as f32
    }
}
