//! Thread: worker. What changes over a note: envelopes and the pitch curve.

/// Natural logarithm of a thousand: a fall of 60 dB.
const SIXTY_DB: f64 = 6.907_755;

/// An envelope as a musician writes it, its times in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Envelope {
    /// Time from nothing to full.
    pub attack: f64,
    /// Time it then takes to come within 60 dB of the sustained level.
    pub decay: f64,
    /// Level while the key is held, 0 to 1.
    pub sustain: f64,
    /// Time to fall by 60 dB after the key was let go.
    pub release: f64,
}

impl Envelope {
    /// The level at a time after the stroke, of a key held for so long.
    pub fn at(&self, seconds: f64, held: f64) -> f64 {
        let pressed = self.pressed(seconds.min(held));
        if seconds <= held { pressed } else { pressed * (-SIXTY_DB * (seconds - held) / self.release.max(1e-4)).exp() }
    }

    fn pressed(&self, seconds: f64) -> f64 {
        if seconds < self.attack {
            let way = seconds / self.attack.max(1e-9);
            // Bends at both ends, so that neither clicks.
            return way * way * (3.0 - 2.0 * way);
        }
        let fallen = (-SIXTY_DB * (seconds - self.attack) / self.decay.max(1e-4)).exp();
        self.sustain + (1.0 - self.sustain) * fallen
    }
}

/// A walk along a polyline, asked for rising places: straight between points, flat outside.
#[derive(Debug, Clone)]
pub struct Curve<'a> {
    points: &'a [(f64, f32)],
    next: usize,
}

impl<'a> Curve<'a> {
    /// From its points, by rising place.
    pub fn new(points: &'a [(f64, f32)]) -> Self {
        Self { points, next: 0 }
    }

    /// The value at a place that is no earlier than the last one asked for. Points that are no numbers count as 0.
    pub fn at(&mut self, place: f64) -> f64 {
        while self.points.get(self.next).is_some_and(|point| point.0 <= place) {
            self.next += 1;
        }
        let value = |point: &(f64, f32)| if point.1.is_finite() { f64::from(point.1).clamp(-60.0, 60.0) } else { 0.0 };
        let before = self.next.checked_sub(1).and_then(|index| self.points.get(index));
        match (before, self.points.get(self.next)) {
            (Some(before), Some(next)) => {
                let share = (place - before.0) / (next.0 - before.0).max(1e-9);
                value(before) + (value(next) - value(before)) * share
            }
            (Some(only), None) | (None, Some(only)) => value(only),
            (None, None) => 0.0,
        }
    }
}
