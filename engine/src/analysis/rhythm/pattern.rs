//! Thread: worker. What bars are made of: for each metre, how often a melody begins a note on each place of the bar.
//!
//! The model is the metrical part of D. Temperley, "Music and Probability" (2007), chapter 3: places of a bar differ in how likely a
//! note begins there, and the notes of a melody say by where they begin, and by what they leave out, which bar they are in.

use crate::time::Metre;

/// Places of a beat: enough for sixteenths (every 3), triplets (every 4) and, in compound time, sixteenths (every 2).
pub const TICKS: u32 = 12;

/// One kind of bar.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// As it is written.
    pub metre: Metre,
    /// Quarter notes of a beat: 1, or 1.5 in compound time.
    pub quarters: f64,
    /// Ticks of a bar.
    pub bar: u32,
    /// How likely the pattern is before anything is heard, in nats.
    pub prior: f64,
    /// The tempo it is usually hummed at, in beats a minute.
    pub usual: f64,
    /// Places where notes may begin, in order.
    pub places: Vec<u32>,
    /// Chance that a note begins at a tick, 0 where none may.
    onset: Vec<f64>,
    /// Sum over the ticks before one of the logarithm of the chance that none begins.
    silent: Vec<f64>,
    /// Chance, in nats, that a melody begins at a tick.
    first: Vec<f64>,
}

/// Chances of an onset between the halves of a beat: just after it, just before the next, and in triplets.
const CALM: [f64; 3] = [0.015, 0.05, 0.012];
/// The same for a tune that runs in sixteenths or is full of dotted notes, whose halves are as common as another's beats.
const BUSY: [f64; 3] = [0.12, 0.40, 0.008];
const BUSY_HALF: f64 = 0.50;

/// How much a place counts at which a phrase has ended and the next not begun.
const RESTED: f64 = 0.4;

/// How a beat is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Division {
    /// Eighths, seldom sixteenths.
    Calm,
    /// Sixteenths and dotted notes.
    Busy,
    /// Long and short eighths.
    Swung,
}

impl Pattern {
    /// A bar of simple time. `beats` are the chances on the beats, `halves` between them.
    fn simple(metre: Metre, beats: &[f64], halves: &[f64], division: Division, share: f64) -> Self {
        let mut onset = vec![0.0; beats.len() * TICKS as usize];
        for (beat, (&on, &half)) in beats.iter().zip(halves).enumerate() {
            let at = beat * TICKS as usize;
            onset[at] = on;
            let ([after, before, triplet], half) = match division {
                Division::Calm => (CALM, half),
                Division::Busy => (BUSY, BUSY_HALF),
                Division::Swung => {
                    onset[at + 8] = half;
                    onset[at + 4] = CALM[1];
                    continue;
                }
            };
            onset[at + 6] = half;
            onset[at + 3] = after;
            onset[at + 9] = before;
            onset[at + 4] = triplet;
            onset[at + 8] = triplet;
        }
        let usual = if division == Division::Busy { 104.0 } else { 114.0 };
        Self::new(metre, 1.0, onset, share, usual)
    }

    /// A bar of compound time: beats of three eighths.
    fn compound(metre: Metre, beats: &[f64], share: f64) -> Self {
        let mut onset = vec![0.0; beats.len() * TICKS as usize];
        for (beat, &on) in beats.iter().enumerate() {
            let at = beat * TICKS as usize;
            onset[at] = on;
            onset[at + 4] = 0.45;
            onset[at + 8] = 0.75;
            for sixteenth in [2, 6, 10] {
                onset[at + sixteenth] = 0.03;
            }
        }
        Self::new(metre, 1.5, onset, share, 84.0)
    }

    /// A bar of five eighths, two and three or three and two.
    fn five(share: f64) -> Self {
        let mut onset = vec![0.0; 30];
        for (place, chance) in [(0, 0.95), (6, 0.3), (12, 0.7), (18, 0.5), (24, 0.4)] {
            onset[place] = chance;
        }
        Self::new(Metre { numerator: 5, denominator: 8 }, 1.0, onset, share, 120.0)
    }

    fn new(metre: Metre, quarters: f64, onset: Vec<f64>, share: f64, usual: f64) -> Self {
        let bar = onset.len() as u32;
        let places: Vec<u32> = (0..bar).filter(|&tick| onset[tick as usize] > 0.0).collect();
        let mut silent = vec![0.0];
        for chance in &onset {
            silent.push(silent[silent.len() - 1] + (1.0 - chance).ln());
        }
        // Melodies begin on the bar line or lead up to it: the later in the bar, the likelier a pickup.
        let begins = |tick: u32| {
            let left = f64::from(bar - tick) / f64::from(bar);
            let lead = if tick == 0 { 2.2 } else { 0.45 * (1.0 - left).powi(2) + 0.05 };
            onset[tick as usize] * lead
        };
        let total: f64 = places.iter().map(|&tick| begins(tick)).sum();
        let first = (0..bar).map(|tick| (begins(tick) / total).ln()).collect();
        Self { metre, quarters, bar, prior: f64::ln(share), usual, places, onset, silent, first }
    }

    /// Chance, in nats, that a melody begins at a tick.
    pub fn begins(&self, tick: u32) -> f64 {
        self.first[tick as usize]
    }

    /// Chance that a note begins at a place of the bar.
    pub fn chance(&self, place: u32) -> f64 {
        self.onset[place as usize]
    }

    /// Chance, in nats, that after a note at one tick, silent from another on, the next begins at a later one; all counted from a bar
    /// line. To hold a note across a strong place is odder than to rest there, between phrases.
    pub fn follows(&self, from: u32, silent: u32, to: u32) -> f64 {
        let silent = silent.clamp(from + 1, to);
        let held = self.silence_before(silent) - self.silence_before(from + 1);
        let rested = self.silence_before(to) - self.silence_before(silent);
        self.onset[(to % self.bar) as usize].ln() + held + RESTED * rested
    }

    fn silence_before(&self, tick: u32) -> f64 {
        let whole = f64::from(tick / self.bar);
        whole * self.silent[self.bar as usize] + self.silent[(tick % self.bar) as usize]
    }

    /// What kind of place a tick is: 0 the bar line, 1 another beat, 2 between beats.
    pub fn rank(&self, tick: u32) -> usize {
        match tick % self.bar {
            0 => 0,
            within if within.is_multiple_of(TICKS) => 1,
            _ => 2,
        }
    }
}

/// Every kind of bar that is considered.
pub fn patterns() -> Vec<Pattern> {
    let metre = |numerator, denominator| Metre { numerator, denominator };
    let four = ([0.93, 0.70, 0.85, 0.66], [0.20, 0.24, 0.20, 0.30]);
    let three = ([0.95, 0.60, 0.82], [0.08, 0.28, 0.26]);
    let two = ([0.93, 0.72], [0.24, 0.32]);
    let swung = [0.30, 0.32, 0.30, 0.36];
    vec![
        Pattern::simple(metre(4, 4), &four.0, &four.1, Division::Calm, 0.50),
        Pattern::simple(metre(4, 4), &four.0, &four.1, Division::Busy, 0.08),
        Pattern::simple(metre(4, 4), &four.0, &swung, Division::Swung, 0.04),
        Pattern::simple(metre(3, 4), &three.0, &three.1, Division::Calm, 0.24),
        Pattern::simple(metre(3, 4), &three.0, &three.1, Division::Busy, 0.02),
        Pattern::simple(metre(2, 4), &two.0, &two.1, Division::Calm, 0.04),
        Pattern::compound(metre(6, 8), &[0.96, 0.85], 0.08),
        Pattern::five(0.02),
    ]
}
