//! Thread: worker. A voice: one region of a struck key, rendered block by block.

use super::envelope::{Envelope, SlowOscillator, hertz, seconds};
use super::filter::LowPass;
use super::generator::{COUNT, limits, number};
use super::interpolation::{FRACTION_BITS, read, taps_for};
use super::sound_set::{Looping, Region, Sample, SoundSet};
use crate::time::SampleRate;

/// Most frames of a block: pitch, level and filter move in straight lines inside.
pub const BLOCK: usize = 64;
/// The frames of a block, counted: a table is faster than turning whole numbers into fractions.
pub const STEPS: [f32; BLOCK] = {
    let mut steps = [0.0; BLOCK];
    let mut index = 0;
    while index < BLOCK {
        steps[index] = index as f32;
        index += 1;
    }
    steps
};
/// Blocks at the start of a sound are this short, so that attacks keep their shape, for so many seconds.
const ATTACK_BLOCK: usize = 16;
const ATTACK_SECONDS: f32 = 0.003;
/// A sound under this share of its peak has ended: -80 dB.
const SILENT: f32 = 1e-4;
/// Level of a full sound in the middle. With it the table of the presets' levels, which was measured with FluidSynth, holds.
const MIDDLE: f32 = 0.803;
/// Attenuations in files are written for a synthesizer that took four tenths of them.
const ATTENUATION_SHARE: f32 = 0.4;
/// Filters that are open this many times as far as the sample reaches take half a decibel of its very top: they are left out.
const OPEN: f32 = 1.7;
/// How far a sound with a player's strength in it opens at full strength: to its 22nd harmonic, between 4.7 and 11 kHz.
const BRIGHT_OVER_KEY_CENTS: f32 = 5_400.0;
const BRIGHT_CENTS: [f32; 2] = [11_000.0, 12_500.0];
/// Fastest that a sample is played, in its own rates.
const FASTEST: f64 = 64.0;
const ONE: f64 = (1_u64 << FRACTION_BITS) as f64;
/// Samples that a block spans, with the taps around it, unless it is played far above its own rate.
const SMALL_WINDOW: usize = 2 * BLOCK + 40;
/// Last frames of a sample that plays to its end: it may not end in silence.
const END_FADE_SECONDS: f64 = 0.002;

/// How a stroke differs from the plain one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Touch {
    /// Tuning, in cents.
    pub cents: f32,
    /// Level, in dB.
    pub gain_db: f32,
    /// Filter, in cents.
    pub filter_cents: f32,
    /// Begins this far into the sound, past its attack, as a note does that is slurred to the one before.
    pub skip_seconds: f32,
}

/// What moves a voice while it sounds, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Moves {
    /// Semitones from the key.
    pub bend: f32,
    /// How far the player's strength opens or closes the sound, in cents of the filter; `None` for what has no such thing.
    pub brightness: Option<f32>,
}

/// One region of a struck key.
#[derive(Debug, Clone)]
pub struct Voice {
    bytes: &'static [u8],
    sample: Sample,
    looping: Looping,
    rate_hz: f32,
    key: f32,
    /// Samples a frame without bend, as a base-2 logarithm.
    speed_log2: f64,
    gain: f32,
    pan: f32,
    volume: Envelope,
    modulation: Envelope,
    slow: SlowOscillator,
    vibrato: SlowOscillator,
    /// Cents of pitch by the modulation envelope, the slow oscillator and the vibrato.
    to_pitch: [f32; 3],
    /// Cents of the filter by the modulation envelope and the slow oscillator.
    to_filter: [f32; 2],
    to_volume_db: f32,
    cutoff_cents: f32,
    resonance: f32,
    filter: Option<LowPass>,
    skipped: f32,
    frame: u64,
    let_go: Option<u64>,
    /// Samples from the sample's start, as if nothing were repeated.
    position: u64,
    last_gain: f32,
    /// Base-2 logarithm of the speed at the end of the last block.
    last_speed: Option<f64>,
    ended: bool,
}

impl Voice {
    /// A region as a key struck at a velocity sounds it.
    pub fn new(set: &'static SoundSet, region: &Region, key: u8, velocity: u8, rate: SampleRate, touch: Touch) -> Self {
        let fixed = |parameter: usize, played: u8| u8::try_from(region.values[parameter]).unwrap_or(played).min(127);
        let (key, velocity) = (fixed(number::FIXED_KEY, key), fixed(number::FIXED_VELOCITY, velocity).max(1));
        let mut values: [f32; COUNT] = region.values.map(f32::from);
        values[number::ATTENUATION] *= ATTENUATION_SHARE;
        for modulator in &region.modulators {
            values[usize::from(modulator.parameter)] += modulator.shift(key, velocity);
        }
        for (parameter, value) in values.iter_mut().enumerate() {
            if let Some([low, high]) = limits(parameter) {
                *value = value.clamp(low, high);
            }
        }
        let sample = region.sample.clone();
        let root = u8::try_from(region.values[number::ROOT_KEY]).unwrap_or(sample.key.min(127));
        let cents = (f32::from(key) - f32::from(root)) * values[number::SCALE_TUNING]
            + 100.0 * values[number::COARSE_TUNE]
            + values[number::FINE_TUNE]
            + f32::from(sample.correction_cents)
            + touch.cents;
        let own = (f64::from(sample.rate_hz) / rate.hz()).log2();
        let envelope = |first: usize| {
            let away = 60.0 - f32::from(key);
            let fall = values[first + 4] / 1_000.0;
            Envelope {
                delay: seconds(values[first]),
                attack: seconds(values[first + 1]),
                hold: seconds(values[first + 2] + values[first + 6] * away),
                decay: seconds(values[first + 3] + values[first + 7] * away),
                fall: fall.min(1.0),
                release: seconds(values[first + 5]),
            }
        };
        let decibels = touch.gain_db - values[number::ATTENUATION] / 10.0 - values[number::FILTER_Q] / 20.0;
        let volume = envelope(number::VOLUME_ENVELOPE);
        let mut modulation = envelope(number::MOD_ENVELOPE);
        if modulation.release == 0.0 {
            // Nobody wrote how filter and pitch go back: at once would be a click, so they go as the sound goes.
            modulation.release = volume.release;
        }
        let mut voice = Self {
            bytes: set.sample_bytes(),
            looping: region.looping(),
            rate_hz: rate.hz() as f32,
            key: f32::from(key),
            speed_log2: own + f64::from(cents) / 1_200.0,
            gain: MIDDLE * 10.0_f32.powf(decibels / 20.0),
            pan: values[number::PAN] / 500.0,
            volume,
            modulation,
            slow: SlowOscillator {
                delay: seconds(values[number::MOD_LFO_DELAY]),
                hz: hertz(values[number::MOD_LFO_RATE]),
            },
            vibrato: SlowOscillator {
                delay: seconds(values[number::VIB_LFO_DELAY]),
                hz: hertz(values[number::VIB_LFO_RATE]),
            },
            to_pitch: [number::MOD_ENV_TO_PITCH, number::MOD_LFO_TO_PITCH, number::VIB_LFO_TO_PITCH]
                .map(|parameter| values[parameter]),
            to_filter: [values[number::MOD_ENV_TO_FILTER], values[number::MOD_LFO_TO_FILTER]],
            to_volume_db: values[number::MOD_LFO_TO_VOLUME] / 10.0,
            cutoff_cents: values[number::FILTER_CUTOFF] + touch.filter_cents,
            resonance: 10.0_f32.powf(values[number::FILTER_Q] / 200.0),
            filter: None,
            skipped: 0.0,
            frame: 0,
            let_go: None,
            position: 0,
            last_gain: 0.0,
            last_speed: None,
            ended: false,
            sample,
        };
        if touch.skip_seconds > 0.0 {
            voice.skip(touch.skip_seconds);
        }
        voice.last_gain = voice.gain_at(0, None);
        voice
    }

    /// Begins past the attack, but not past where the sample repeats.
    fn skip(&mut self, seconds: f32) {
        let known = match self.looping {
            Looping::No => self.sample.range.len() / 4,
            _ => self.sample.looped.start.saturating_sub(self.sample.range.start) as usize,
        };
        let samples = (f64::from(seconds) * f64::from(self.sample.rate_hz)).min(known as f64);
        self.position = (samples * ONE) as u64;
        self.skipped = self.volume.arrived().max(seconds);
    }

    /// Where the region lies, -1 left to 1 right.
    pub fn pan(&self) -> f32 {
        self.pan
    }

    /// Whether nothing more will sound.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Lets the key go after `frames` of the sound. What is rendered already stays as it is.
    pub fn let_go_at(&mut self, frames: u64) {
        self.let_go = Some(frames);
    }

    fn time(&self, frame: u64) -> f32 {
        self.skipped + frame as f32 / self.rate_hz
    }

    fn gain_at(&self, frame: u64, let_go: Option<f32>) -> f32 {
        let at = self.time(frame);
        let mut gain = self.gain * self.volume.gain(at, let_go);
        if self.to_volume_db != 0.0 {
            gain *= 10.0_f32.powf(self.to_volume_db * self.slow.value(at) / 20.0);
        }
        gain
    }

    /// Renders the next frames, at most [`BLOCK`] of them, over what `out` holds.
    pub fn render(&mut self, out: &mut [f32], moves: impl Fn(u64) -> Moves) {
        let mut from = 0;
        while from < out.len() {
            if self.ended {
                out[from..].fill(0.0);
                return;
            }
            let early = self.time(self.frame) - self.skipped < ATTACK_SECONDS;
            let mut length = (out.len() - from).min(if early { ATTACK_BLOCK } else { BLOCK });
            // A key is let go on its very frame.
            if let Some(left) = self.let_go.and_then(|let_go| let_go.checked_sub(self.frame)).filter(|left| *left > 0) {
                length = length.min(usize::try_from(left).unwrap_or(length));
            }
            self.render_block(&mut out[from..from + length], &moves);
            from += length;
        }
    }

    fn render_block(&mut self, out: &mut [f32], moves: &impl Fn(u64) -> Moves) {
        let end = self.frame + out.len() as u64;
        let let_go = self.let_go.filter(|let_go| *let_go <= self.frame);
        if let_go == Some(self.frame) && self.looping == Looping::WhileHeld {
            self.leave_loop();
        }
        let let_go = let_go.map(|let_go| self.time(let_go));
        let at = self.time(end);
        let (modulation, slow) = (self.moving_level(at, let_go), self.slow_value(at));
        let after = moves(end);
        let vibrato = if self.to_pitch[2] == 0.0 { 0.0 } else { self.to_pitch[2] * self.vibrato.value(at) };
        let cents = self.to_pitch[0] * modulation + self.to_pitch[1] * slow + vibrato;
        let speed = self.speed_log2 + f64::from(cents) / 1_200.0 + f64::from(after.bend) / 12.0;
        let first = self.last_speed.unwrap_or_else(|| {
            let at = self.time(self.frame);
            let cents = self.to_pitch[0] * self.moving_level(at, let_go) + self.to_pitch[1] * self.slow_value(at);
            self.speed_log2 + f64::from(cents) / 1_200.0 + f64::from(moves(self.frame).bend) / 12.0
        });
        let is_over = self.read_sample(out, first, speed);
        self.last_speed = Some(speed);

        let mut cutoff = self.cutoff_cents + self.to_filter[0] * modulation + self.to_filter[1] * slow;
        if let Some(brightness) = after.brightness {
            let open = 100.0 * self.key + BRIGHT_OVER_KEY_CENTS;
            cutoff = cutoff.min(open.clamp(BRIGHT_CENTS[0], BRIGHT_CENTS[1])) + brightness;
        }
        let mut hz = hertz(cutoff.clamp(1_500.0, 14_000.0));
        let highest = 0.5 * self.rate_hz * (first.max(speed) as f32).exp2();
        if self.filter.is_some() || self.resonance > 1.01 || hz < OPEN * highest.min(0.5 * self.rate_hz) {
            if after.brightness.is_some() {
                hz = hz.max(2.5 * hertz(100.0 * self.key));
            }
            let filter = self.filter.get_or_insert_with(LowPass::new);
            filter.run(out, hz, self.resonance, self.rate_hz);
        }

        let mut gain = self.gain_at(end, let_go);
        let falls = let_go.is_some() || at > self.volume.arrived() + self.volume.hold;
        if falls && gain < SILENT * self.gain {
            gain = 0.0;
            self.ended = true;
        }
        let slope = (gain - self.last_gain) / out.len() as f32;
        for (sample, step) in out.iter_mut().zip(&STEPS) {
            *sample *= self.last_gain + slope * (step + 1.0);
        }
        self.last_gain = gain;
        self.frame = end;
        self.ended |= is_over;
    }

    fn moving_level(&self, at: f32, let_go: Option<f32>) -> f32 {
        if self.to_pitch[0] == 0.0 && self.to_filter[0] == 0.0 { 0.0 } else { self.modulation.level(at, let_go) }
    }

    fn slow_value(&self, at: f32) -> f32 {
        if self.to_pitch[1] == 0.0 && self.to_filter[1] == 0.0 { 0.0 } else { self.slow.value(at) }
    }

    fn leave_loop(&mut self) {
        let whole = self.index_of((self.position >> FRACTION_BITS) as i64);
        let fraction = self.position & ((1 << FRACTION_BITS) - 1);
        self.position = ((whole as u64) << FRACTION_BITS) | fraction;
        self.looping = Looping::No;
    }

    /// The sample's own index of a position that counts on through repeats.
    fn index_of(&self, position: i64) -> i64 {
        let start = i64::from(self.sample.range.start);
        let [first, end] = [self.sample.looped.start, self.sample.looped.end].map(|at| i64::from(at) - start);
        if self.looping == Looping::No || position < end {
            position
        } else {
            first + (position - first) % (end - first)
        }
    }

    /// Reads the next frames, the speed moving from one to another; whether the sample is over.
    fn read_sample(&mut self, out: &mut [f32], first: f64, last: f64) -> bool {
        let speed = |log2: f64| log2.exp2().min(FASTEST);
        let (first, last) = (speed(first), if first == last { speed(first) } else { speed(last) });
        let frames = out.len() as f64;
        let step = (first * ONE) as u64;
        let bend = ((last - first) * ONE / frames) as i64;
        let taps = taps_for(first.max(last));
        let reach = (frames * first.max(last)).ceil() as usize + taps + 2;
        let from = (self.position >> FRACTION_BITS) as i64 - (taps as i64 / 2 - 1);
        let fraction = self.position & ((1 << FRACTION_BITS) - 1);
        let mut small = [0.0_f32; SMALL_WINDOW];
        let mut large = Vec::new();
        let window = match small.get_mut(..reach) {
            Some(window) => window,
            None => {
                large.resize(reach, 0.0);
                large.as_mut_slice()
            }
        };
        self.fetch(from, window);
        read(window, taps, fraction, step, bend, out);
        let moved = u128::from(step) * out.len() as u128;
        let turned = i128::from(bend) * (out.len() * (out.len().saturating_sub(1)) / 2) as i128;
        let after = (i128::from(self.position) + moved as i128 + turned).max(0);
        self.position = u64::try_from(after).unwrap_or(u64::MAX / 2);
        if self.looping != Looping::No {
            return false;
        }
        self.fade_end(out, first);
        (self.position >> FRACTION_BITS) as usize >= self.sample.range.len()
    }

    /// Softens the end of a sample that plays to its end.
    fn fade_end(&self, out: &mut [f32], speed: f64) {
        let left = self.sample.range.len() as f64 - self.position as f64 / ONE;
        let fade = END_FADE_SECONDS * f64::from(self.rate_hz);
        let frames = out.len() as f64;
        if left / speed.max(1e-9) > fade {
            return;
        }
        for (index, sample) in out.iter_mut().enumerate() {
            let frames_left = left / speed.max(1e-9) + (frames - index as f64);
            *sample *= (frames_left / fade).clamp(0.0, 1.0) as f32;
        }
    }

    /// Samples from a position on, through repeats; silence before the start and after the end.
    fn fetch(&self, from: i64, window: &mut [f32]) {
        let start = i64::from(self.sample.range.start);
        let length = self.sample.range.len() as i64;
        let loop_end = i64::from(self.sample.looped.end) - start;
        let mut at = from;
        let mut rest = window;
        while !rest.is_empty() {
            if at < 0 {
                let silent = rest.len().min(usize::try_from(-at).unwrap_or(0));
                let (now, later) = rest.split_at_mut(silent);
                now.fill(0.0);
                (rest, at) = (later, at + silent as i64);
                continue;
            }
            let index = self.index_of(at);
            let end = if self.looping == Looping::No { length } else { loop_end };
            let run = usize::try_from(end - index).unwrap_or(0).min(rest.len());
            let first = 2 * usize::try_from(start + index).unwrap_or(0);
            let bytes = self.bytes.get(first..first + 2 * run).unwrap_or(&[]);
            if bytes.is_empty() {
                rest.fill(0.0);
                return;
            }
            let (now, later) = rest.split_at_mut(run);
            for (value, pair) in now.iter_mut().zip(bytes.chunks_exact(2)) {
                *value = f32::from(i16::from_le_bytes([pair[0], pair[1]])) * (1.0 / 32_768.0);
            }
            (rest, at) = (later, at + run as i64);
        }
    }
}
