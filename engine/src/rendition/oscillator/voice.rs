//! Thread: worker. One note of a pitched patch.

use super::envelope::{Curve, Envelope};
use super::noise::Noise;
use super::patch::{Filter, Fm, Oscillator, Patch, Vowels, Wave};
use super::tables::{Shape, Table, index_for, sine, tables, turns};
use super::{BLOCK, CHECK_BLOCKS, OscillatorNote, Stereo};
use crate::error::Result;
use crate::job_context::JobContext;
use crate::rendition::effects::filter::{Section, Tuning};
use crate::time::SampleRate;
use std::f64::consts::TAU;

type Row = [f32; BLOCK];

/// What a patch made between the sharpest it may be and the rate's own limit.
const HIGHEST_HZ: f32 = 20_000.0;
/// Under this share of its loudest a note has ended: -80 dB, and as much again as saturation may lift what is soft.
const ENDS_AT: f64 = 0.000_02;

/// One voice of an oscillator.
struct Voice {
    phase: u32,
    bent: u32,
    ratio: f64,
    gains: [f32; 2],
    table: usize,
}

/// An oscillator at work.
struct Running<'a> {
    plan: &'a Oscillator,
    voices: Vec<Voice>,
    noise: Noise,
}

/// Where a note is: what all oscillators share in a block.
struct Now {
    seconds: f64,
    hz: f64,
    rate: f64,
    limit_hz: f32,
    /// Octaves over middle C.
    octaves_up: f64,
    touch: f64,
}

impl<'a> Running<'a> {
    fn new(plan: &'a Oscillator, mut noise: Noise) -> Self {
        let count = usize::from(plan.voices);
        let voices = (0..count).map(|index| {
            let place = if count == 1 { 0.0 } else { 2.0 * index as f32 / (count - 1) as f32 - 1.0 };
            // Neighbours in pitch stand on opposite sides.
            let side = plan.spread * if index % 2 == 0 { place } else { -place };
            let loud = plan.level / (count as f32).sqrt();
            let cents = f64::from(plan.detune * place.abs().powf(1.2).copysign(place));
            let phase = noise.phase();
            Voice {
                phase: if count == 1 { 0 } else { phase },
                bent: 0,
                ratio: 2.0_f64.powf((f64::from(plan.semitones) + cents / 100.0) / 12.0),
                gains: [loud * (1.0 - side).min(1.0), loud * (1.0 + side).min(1.0)],
                table: usize::MAX,
            }
        });
        Self { voices: voices.collect(), plan, noise }
    }

    /// Adds a block to both sides.
    fn add(&mut self, now: &Now, out: &mut [Row; 2]) {
        let fading = |seconds: f64| match self.plan.decay_ms {
            0.0 => 1.0,
            decay_ms => (-6.907_755 * seconds * 1000.0 / f64::from(decay_ms)).exp() as f32,
        };
        let (fade, faded) = (fading(now.seconds), fading(now.seconds + BLOCK as f64 / now.rate));
        if fade < 1e-6 {
            return;
        }
        let fall = (faded - fade) / BLOCK as f32;
        let [sway, sway_hz] = self.plan.width_sway;
        let width = f64::from(self.plan.width) + 0.5 * f64::from(sway) * (TAU * f64::from(sway_hz) * now.seconds).sin();
        let width = (width.clamp(0.02, 0.98) * 4_294_967_296.0) as u32;
        for voice in &mut self.voices {
            let mut row = [0.0; BLOCK];
            if self.plan.wave == Wave::Noise {
                for (side, out) in out.iter_mut().enumerate() {
                    if side == 0 || self.plan.spread > 0.0 {
                        row.iter_mut().for_each(|sample| *sample = self.noise.white());
                    }
                    add_row(out, &row, self.plan.level, fade, fall);
                }
                continue;
            }
            let hz = now.hz * voice.ratio;
            if hz > f64::from(now.limit_hz) {
                continue;
            }
            let step = (hz / now.rate * 4_294_967_296.0) as u32;
            match (self.plan.wave, &self.plan.fm) {
                (Wave::Sine, Some(fm)) => voice.bend(fm, hz, step, now, &mut row),
                (Wave::Sine, None) => {
                    for sample in &mut row {
                        *sample = sine(turns(voice.phase));
                        voice.phase = voice.phase.wrapping_add(step);
                    }
                }
                (Wave::Triangle, _) => voice.read(tables(Shape::Triangle), None, hz, step, now, &mut row),
                (Wave::SteppedTriangle, _) => voice.read(tables(Shape::SteppedTriangle), None, hz, step, now, &mut row),
                (Wave::Pulse, _) => voice.read(tables(Shape::Saw), Some(width), hz, step, now, &mut row),
                (Wave::Saw | Wave::Noise, _) => voice.read(tables(Shape::Saw), None, hz, step, now, &mut row),
            }
            for (side, out) in out.iter_mut().enumerate() {
                add_row(out, &row, voice.gains[side], fade, fall);
            }
        }
    }
}

fn add_row(out: &mut Row, row: &Row, gain: f32, fade: f32, fall: f32) {
    for (index, (out, sample)) in out.iter_mut().zip(row).enumerate() {
        *out += sample * gain * (fade + fall * index as f32);
    }
}

impl Voice {
    /// A block of a stored shape, or of the difference of two of them, `width` apart.
    fn read(&mut self, tables: &[Table], width: Option<u32>, hz: f64, step: u32, now: &Now, row: &mut Row) {
        let wanted = index_for(hz as f32, now.limit_hz);
        let before = if self.table == usize::MAX { wanted } else { self.table };
        self.table = wanted;
        let value = |table: &Table, phase: u32| match width {
            Some(width) => table.read(phase) - table.read(phase.wrapping_add(width)),
            None => table.read(phase),
        };
        let start = self.phase;
        for (index, sample) in row.iter_mut().enumerate() {
            *sample = value(&tables[wanted], start.wrapping_add(step.wrapping_mul(index as u32)));
        }
        if before != wanted {
            // A pitch that moves changes its table over a block, not at once.
            for (index, sample) in row.iter_mut().enumerate() {
                let old = value(&tables[before], start.wrapping_add(step.wrapping_mul(index as u32)));
                *sample = old + (*sample - old) * (index as f32 / BLOCK as f32);
            }
        }
        self.phase = start.wrapping_add(step.wrapping_mul(BLOCK as u32));
    }

    /// A block of a sine whose phase another one bends, no further than the rate carries.
    fn bend(&mut self, fm: &Fm, hz: f64, step: u32, now: &Now, row: &mut Row) {
        let ratio = f64::from(fm.ratio);
        // Side bands above this number fold back; those a little above the index are already faint (Bessel functions).
        let room = ((now.rate * 0.5 / hz - 1.0) / ratio.max(0.1)).max(0.0) + 1.0;
        let most = (room - 2.6 * room.cbrt()).max(0.0);
        let tamed = 2.0_f64.powf(-f64::from(fm.tame) * now.octaves_up);
        let index = |seconds: f64| {
            let fallen = (-6.907_755 * seconds * 1000.0 / f64::from(fm.decay_ms)).exp();
            let share = f64::from(fm.sustain) + (1.0 - f64::from(fm.sustain)) * fallen;
            ((f64::from(fm.index) * share * tamed * now.touch).min(most) / TAU) as f32
        };
        let (first, last) = (index(now.seconds), index(now.seconds + BLOCK as f64 / now.rate));
        let bending = (hz * ratio / now.rate * 4_294_967_296.0) as u32;
        for (place, sample) in row.iter_mut().enumerate() {
            let depth = first + (last - first) * (place as f32 / BLOCK as f32);
            *sample = sine(turns(self.phase) + depth * sine(turns(self.bent)));
            self.phase = self.phase.wrapping_add(step);
            self.bent = self.bent.wrapping_add(bending);
        }
    }
}

/// The sections of a patch for one side.
#[derive(Default)]
struct Side {
    filter: [Section; 2],
    vowels: [Section; 4],
    low_cut: Section,
}

/// How the sections are tuned in a block.
struct Tunings {
    filter: Option<(Tuning, Tuning, bool)>,
    vowels: Option<([(Tuning, f32); 4], f32)>,
    low_cut: Option<Tuning>,
}

impl Side {
    fn shape(&mut self, row: &mut Row, past: &Row, tunings: &Tunings) {
        if let Some((first, second, four)) = &tunings.filter {
            for sample in row.iter_mut() {
                *sample = self.filter[0].step(*sample, first).low;
            }
            if *four {
                for sample in row.iter_mut() {
                    *sample = self.filter[1].step(*sample, second).low;
                }
            }
        }
        for (sample, past) in row.iter_mut().zip(past) {
            *sample += past;
        }
        if let Some((resonances, breath)) = &tunings.vowels {
            for sample in row.iter_mut() {
                let mut sung = breath * *sample;
                for (section, (tuning, gain)) in self.vowels.iter_mut().zip(resonances) {
                    sung += gain * section.step(*sample, tuning).band;
                }
                *sample = sung;
            }
        }
        if let Some(tuning) = &tunings.low_cut {
            for sample in row.iter_mut() {
                *sample = self.low_cut.step(*sample, tuning).high;
            }
        }
        for section in self.filter.iter_mut().chain(&mut self.vowels).chain([&mut self.low_cut]) {
            section.rest();
        }
    }
}

/// Quality of a filter's sections for a resonance of 0 to 1.
fn qualities(filter: &Filter) -> (f32, f32) {
    if filter.poles >= 4 {
        (0.541, 1.307 * 2.0_f32.powf(3.4 * filter.resonance))
    } else {
        (0.707 * 2.0_f32.powf(4.2 * filter.resonance), 0.707)
    }
}

fn vowel_tunings(vowels: &Vowels, seconds: f64, rate: SampleRate) -> ([(Tuning, f32); 4], f32) {
    let way = (0.5 - 0.5 * (TAU * f64::from(vowels.hz) * seconds).cos()) as f32;
    let resonance = |index: usize| {
        let between = |part: usize| vowels.first[index][part] * (1.0 - way) + vowels.second[index][part] * way;
        let (hz, width, db) = (between(0), between(1), between(2));
        (Tuning::new(hz, hz / width, rate), 10.0_f32.powf(db / 20.0))
    };
    ([resonance(0), resonance(1), resonance(2), resonance(3)], vowels.breath)
}

/// How far a key held for `held` seconds has come, and what that does to it.
fn along(pair: [f32; 2], way: f64) -> f64 {
    f64::from(pair[0]) + f64::from(pair[1] - pair[0]) * way
}

/// Semitones over the key at a time, without the player's bend.
fn own_pitch(patch: &Patch, seconds: f64, way: f64, bent: bool) -> f64 {
    let drop = patch
        .drop
        .map_or(0.0, |drop| f64::from(drop.semitones) * (-6.907_755 * seconds * 1000.0 / f64::from(drop.ms)).exp());
    let vibrato = patch.vibrato.filter(|_| !bent).map_or(0.0, |vibrato| {
        let after = f64::from(vibrato.after_ms) / 1000.0;
        // It swells over a third of a second.
        let depth = ((seconds - after) / 0.33).clamp(0.0, 1.0);
        depth * f64::from(vibrato.cents) / 100.0 * (TAU * f64::from(vibrato.hz) * (seconds - after)).sin()
    });
    let trill = patch.trill.as_ref().map_or(0.0, |trill| {
        let step = (seconds * f64::from(trill.hz)) as usize % trill.semitones.len();
        f64::from(trill.semitones[step])
    });
    drop + vibrato + trill + patch.journey.map_or(0.0, |journey| along(journey.semitones, way))
}

/// A note of a patch, at the level of its oscillators, its envelope applied.
pub fn play(
    patch: &Patch,
    note: &OscillatorNote,
    held: f64,
    bend: &[(f64, f32)],
    rate: SampleRate,
    context: &JobContext,
) -> Result<Stereo> {
    let hertz = rate.hz();
    let noise = Noise::seeded(note.preset.bank, note.preset.program, note.key);
    let mut oscillators: Vec<Running> =
        patch.oscillators.iter().zip(0_u8..).map(|(plan, index)| Running::new(plan, noise.of_part(index))).collect();
    let wide = patch.oscillators.iter().any(|one| one.spread > 0.0 && (one.voices > 1 || one.wave == Wave::Noise));
    let amp = patch.amp.envelope();
    let opening: Option<Envelope> = patch.filter.as_ref().and_then(|filter| filter.shape).map(|shape| shape.envelope());
    let key_hz = 440.0 * 2.0_f64.powf((f64::from(note.key) - 69.0) / 12.0);
    let octaves_up = (f64::from(note.key) - 60.0) / 12.0;
    let hardness = f64::from(note.velocity.clamp(1, 127)) / 127.0;
    let limit_hz = HIGHEST_HZ.min(0.46 * hertz as f32);
    let mut curve = Curve::new(bend);
    let mut sides = [Side::default(), Side::default()];
    let mut sound = Stereo::default();
    let level = |seconds: f64| {
        let way = (seconds / held).min(1.0);
        let db = patch.journey.map_or(0.0, |journey| along(journey.level_db, way));
        amp.at(seconds, held) * 10.0_f64.powf(db / 20.0)
    };
    let low_cut = (patch.low_cut_hz > 0.0).then(|| Tuning::new(patch.low_cut_hz, 0.707, rate));
    let mut gain = level(0.0);
    for block in 0_usize.. {
        if block % CHECK_BLOCKS == 0 {
            context.check()?;
        }
        let seconds = (block * BLOCK) as f64 / hertz;
        let way = (seconds / held).min(1.0);
        let semitones = own_pitch(patch, seconds, way, !bend.is_empty()) + curve.at((block * BLOCK + BLOCK / 2) as f64);
        let now = Now {
            seconds,
            hz: (key_hz * 2.0_f64.powf(semitones / 12.0)).min(0.45 * hertz),
            rate: hertz,
            limit_hz,
            octaves_up: octaves_up + semitones / 12.0,
            touch: 0.55 + 0.45 * hardness,
        };
        let mut through = [[0.0; BLOCK]; 2];
        let mut past = [[0.0; BLOCK]; 2];
        for oscillator in &mut oscillators {
            oscillator.add(&now, if oscillator.plan.past_filter { &mut past } else { &mut through });
        }
        let filter = patch.filter.as_ref().map(|filter| {
            let sway = f64::from(filter.sway[0]) * (TAU * f64::from(filter.sway[1]) * seconds).sin();
            let octaves = f64::from(filter.follow) * now.octaves_up
                + f64::from(filter.octaves) * opening.map_or(0.0, |opening| opening.at(seconds, held))
                + f64::from(filter.touch) * (hardness - 0.79)
                + sway
                + patch.journey.map_or(0.0, |journey| along(journey.octaves, way));
            let hz = (f64::from(filter.hz) * 2.0_f64.powf(octaves)).clamp(20.0, 20_000.0) as f32;
            let (first, second) = qualities(filter);
            (Tuning::new(hz, first, rate), Tuning::new(hz, second, rate), filter.poles >= 4)
        });
        let vowels = patch.vowels.as_ref().map(|vowels| vowel_tunings(vowels, seconds, rate));
        let tunings = Tunings { filter, vowels, low_cut };
        let next = level(seconds + BLOCK as f64 / hertz);
        let slope = (next - gain) as f32 / BLOCK as f32;
        let count = if wide { 2 } else { 1 };
        for side in 0..count {
            sides[side].shape(&mut through[side], &past[side], &tunings);
            for (index, sample) in through[side].iter_mut().enumerate() {
                *sample *= gain as f32 + slope * (index + 1) as f32;
            }
            sound.sides[side].extend_from_slice(&through[side]);
        }
        gain = next;
        // A decay may end a note before its key is let go; a rise that began from nothing may not.
        if seconds > amp.attack && gain < ENDS_AT && (patch.journey.is_none() || seconds > held) {
            break;
        }
    }
    if !wide {
        sound.sides[1] = sound.sides[0].clone();
    }
    Ok(sound)
}
