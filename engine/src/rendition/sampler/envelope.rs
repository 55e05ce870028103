//! Thread: worker. Envelopes and slow oscillators as functions of time: asked for any moment, they need no state.

use std::f32::consts::TAU;

/// Shorter stages than this (in timecents, a millisecond) are meant to be immediate.
const IMMEDIATE: f32 = -11_950.0;
/// How far a full decay or release goes, in dB.
const WHOLE_DB: f32 = 100.0;

/// Seconds of a time in timecents, 0 for the shortest that can be written.
pub fn seconds(timecents: f32) -> f32 {
    if timecents <= IMMEDIATE { 0.0 } else { (timecents / 1_200.0).exp2() }
}

/// Hertz of a pitch in cents.
pub fn hertz(cents: f32) -> f32 {
    8.176 * (cents / 1_200.0).exp2()
}

/// Delay, attack, hold, decay, sustain and release. Times are seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Envelope {
    /// Silence before the attack.
    pub delay: f32,
    /// From nothing to full, in a straight line.
    pub attack: f32,
    /// At full.
    pub hold: f32,
    /// How long a decay to nothing would take.
    pub decay: f32,
    /// How far it decays: a share of [`Self::decay`]'s whole way, 0 stays full, 1 goes to nothing.
    pub fall: f32,
    /// How long a release from full to nothing takes.
    pub release: f32,
}

impl Envelope {
    /// How much of the way down it has gone `at` seconds after the stroke, 0 to 1, and its level on the way up.
    fn held(&self, at: f32) -> (f32, f32) {
        let since = at - self.delay;
        if since < 0.0 {
            return (0.0, 0.0);
        }
        if since < self.attack {
            return (0.0, since / self.attack);
        }
        let decaying = since - self.attack - self.hold;
        if decaying <= 0.0 || self.fall <= 0.0 {
            return (0.0, 1.0);
        }
        (if self.decay > 0.0 { (decaying / self.decay).min(self.fall) } else { self.fall }, 1.0)
    }

    /// As a gain: falls in a straight line of decibels. `let_go` is when the key was let go, in seconds from the stroke.
    pub fn gain(&self, at: f32, let_go: Option<f32>) -> f32 {
        let (fallen, rise) = self.held(let_go.map_or(at, |let_go| at.min(let_go)));
        let released = let_go.map_or(0.0, |let_go| (at - let_go).max(0.0) / self.release.max(1e-3));
        if released >= 1.0 || fallen + released >= 1.0 {
            return 0.0;
        }
        if fallen + released == 0.0 {
            return rise;
        }
        rise * (-(fallen + released) * WHOLE_DB * std::f32::consts::LN_10 / 20.0).exp()
    }

    /// As a level from 0 to 1 that falls in a straight line, as pitch and filter follow it.
    pub fn level(&self, at: f32, let_go: Option<f32>) -> f32 {
        let (fallen, rise) = self.held(let_go.map_or(at, |let_go| at.min(let_go)));
        // The way up bends: fast first.
        let up = if rise >= 1.0 { 1.0 } else { (1.0 + 40.0 / 96.0 * rise.max(1e-9).log10()).clamp(0.0, 1.0) };
        let released = let_go.map_or(0.0, |let_go| (at - let_go).max(0.0) / self.release.max(1e-3));
        (up * (1.0 - fallen) - released).max(0.0)
    }

    /// When it is over the attack, in seconds from the stroke.
    pub fn arrived(&self) -> f32 {
        self.delay + self.attack
    }
}

/// A slow oscillator: a triangle that starts at 0 and rises.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlowOscillator {
    /// Before it starts, in seconds.
    pub delay: f32,
    /// Its rate.
    pub hz: f32,
}

impl SlowOscillator {
    /// Between -1 and 1, `at` seconds after the stroke.
    pub fn value(&self, at: f32) -> f32 {
        let turns = (at - self.delay) * self.hz;
        if turns <= 0.0 {
            return 0.0;
        }
        // An arc sine of a sine is a triangle.
        (turns.fract() * TAU).sin().asin() * std::f32::consts::FRAC_2_PI
    }
}
