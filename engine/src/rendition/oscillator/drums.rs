//! Thread: worker. One stroke of a drum that is made of tones and noise.

use super::noise::{Noise, ShiftRegister};
use super::patch::{Drum, Layer, Source};
use super::tables::{Shape, index_for, sine, tables, turns};
use super::{BLOCK, CHECK_BLOCKS, OscillatorNote, Stereo};
use crate::error::Result;
use crate::job_context::JobContext;
use crate::rendition::effects::filter::{Section, Tuning};
use crate::time::SampleRate;

/// The six squares of a metal plate, against its lowest: what the drum machines of the eighties had.
const METAL: [f64; 6] = [1.0, 1.4827, 1.8002, 2.5459, 2.6303, 3.8967];
/// The two of a bell.
const BELL: [f64; 2] = [1.0, 1.5041];
/// A layer ends at this share of its loudest: -84 dB.
const ENDS_AT: f64 = 0.000_06;
/// Strokes before the last one die away in this time.
const STROKE_MS: f64 = 28.0;
/// How fast a gate shuts.
const GATE_MS: f64 = 30.0;
const SIXTY_DB: f64 = 6.907_755;

/// A layer's level at a time, and whether it is over.
fn level(layer: &Layer, milliseconds: f64) -> (f64, bool) {
    let strike = |since: f64, decay_ms: f64, hold_ms: f64| {
        if since < 0.0 {
            return 0.0;
        }
        let attack = f64::from(layer.attack_ms).max(0.3);
        if since < attack {
            let way = since / attack;
            return way * way * (3.0 - 2.0 * way);
        }
        (-SIXTY_DB * (since - attack - hold_ms).max(0.0) / decay_ms).exp()
    };
    let [strokes, apart] = layer.strokes.map(f64::from);
    let last_at = (strokes - 1.0).max(0.0) * apart;
    let mut level = strike(milliseconds - last_at, f64::from(layer.decay_ms), f64::from(layer.hold_ms));
    for stroke in 0..(strokes as usize).saturating_sub(1) {
        level = level.max(0.8 * strike(milliseconds - stroke as f64 * apart, STROKE_MS, 0.0));
    }
    let gate = f64::from(layer.gate_ms);
    if gate > 0.0 && milliseconds > gate {
        level *= (-SIXTY_DB * (milliseconds - gate) / GATE_MS).exp();
    }
    let over = milliseconds > last_at + f64::from(layer.attack_ms) + f64::from(layer.hold_ms) + 1.0 && level < ENDS_AT;
    (level, over)
}

/// What makes a layer's sound.
struct Maker {
    source: Source,
    phases: [u32; 6],
    noise: Noise,
    register: ShiftRegister,
}

impl Maker {
    /// One block at a pitch in Hz.
    fn make(&mut self, hz: f64, rate: f64, row: &mut [f32; BLOCK]) {
        let step = |hz: f64| (hz.min(0.45 * rate) / rate * 4_294_967_296.0) as u32;
        match self.source {
            Source::Sine => {
                for sample in row {
                    *sample = sine(turns(self.phases[0]));
                    self.phases[0] = self.phases[0].wrapping_add(step(hz));
                }
            }
            Source::Triangle => self.stored(Shape::Triangle, &[1.0], hz, rate, row),
            Source::Square => self.stored(Shape::Saw, &[1.0], hz, rate, row),
            Source::Metal => self.stored(Shape::Saw, &METAL, hz, rate, row),
            Source::Bell => self.stored(Shape::Saw, &BELL, hz, rate, row),
            Source::Noise => row.iter_mut().for_each(|sample| *sample = self.noise.white()),
            Source::ShiftNoise | Source::ShiftTone => {
                let steps = (hz / rate) as f32;
                row.iter_mut().for_each(|sample| *sample = self.register.next(steps));
            }
        }
    }

    /// Triangles, or squares as the difference of two saws half a period apart.
    fn stored(&mut self, shape: Shape, ratios: &[f64], hz: f64, rate: f64, row: &mut [f32; BLOCK]) {
        row.fill(0.0);
        let limit = 0.46 * rate as f32;
        for (phase, ratio) in self.phases.iter_mut().zip(ratios) {
            let hz = hz * ratio;
            if hz > f64::from(limit) {
                continue;
            }
            let table = &tables(shape)[index_for(hz as f32, limit)];
            let step = (hz / rate * 4_294_967_296.0) as u32;
            for sample in row.iter_mut() {
                let other = if shape == Shape::Saw { table.read(phase.wrapping_add(1 << 31)) } else { 0.0 };
                *sample += table.read(*phase) - other;
                *phase = phase.wrapping_add(step);
            }
        }
    }
}

/// A stroke of a drum, at the level of its layers.
pub fn play(drum: &Drum, note: &OscillatorNote, rate: SampleRate, context: &JobContext) -> Result<Stereo> {
    let noise = Noise::seeded(note.preset.bank, note.preset.program, note.key);
    let first = drum.keys.first().copied().unwrap_or(note.key);
    let tuned = if drum.tuned { 2.0_f64.powf((f64::from(note.key) - f64::from(first)) / 12.0) } else { 1.0 };
    let mut sound = Stereo::default();
    for (layer, index) in drum.layers.iter().zip(0_u8..) {
        add_layer(&mut sound, layer, noise.of_part(index), tuned, rate, context)?;
    }
    Ok(sound)
}

fn add_layer(
    sound: &mut Stereo,
    layer: &Layer,
    noise: Noise,
    tuned: f64,
    rate: SampleRate,
    context: &JobContext,
) -> Result<()> {
    let hertz = rate.hz();
    let register = ShiftRegister::new(layer.source == Source::ShiftTone);
    let mut phases = [0_u32; 6];
    if matches!(layer.source, Source::Metal) {
        let mut random = noise.of_part(200);
        phases = phases.map(|_| random.phase());
    }
    let mut maker = Maker { source: layer.source, phases, noise, register };
    let low_cut = (layer.low_cut_hz > 0.0).then(|| Tuning::new(layer.low_cut_hz, 0.8, rate));
    let high_cut = (layer.high_cut_hz > 0.0).then(|| Tuning::new(layer.high_cut_hz, 0.8, rate));
    let mut sections = [[Section::default(); 2]; 2];
    let mut gain = 0.0;
    for block in 0_usize.. {
        if block % CHECK_BLOCKS == 0 {
            context.check()?;
        }
        let milliseconds = (block * BLOCK) as f64 / hertz * 1000.0;
        let fallen = layer
            .drop
            .map_or(0.0, |drop| f64::from(drop.semitones) * (-SIXTY_DB * milliseconds / f64::from(drop.ms)).exp());
        let hz = f64::from(layer.hz) * tuned * 2.0_f64.powf(fallen / 12.0);
        let (next, over) = level(layer, milliseconds + BLOCK as f64 / hertz * 1000.0);
        if over {
            break;
        }
        let slope = (next - gain) as f32 / BLOCK as f32;
        let mut row = [0.0; BLOCK];
        maker.make(hz, hertz, &mut row);
        let mut other = row;
        if layer.spread > 0.0 && layer.source == Source::Noise {
            for sample in &mut other {
                *sample = *sample * (1.0 - layer.spread) + maker.noise.white() * layer.spread;
            }
        }
        let from = block * BLOCK;
        for (side, mut row) in [row, other].into_iter().enumerate() {
            let out = &mut sound.sides[side];
            out.resize(out.len().max(from + BLOCK), 0.0);
            for (index, (sample, out)) in row.iter_mut().zip(&mut out[from..]).enumerate() {
                if let Some(tuning) = &low_cut {
                    *sample = sections[side][0].step(*sample, tuning).high;
                }
                if let Some(tuning) = &high_cut {
                    *sample = sections[side][1].step(*sample, tuning).low;
                }
                *out += layer.level * *sample * (gain as f32 + slope * (index + 1) as f32);
            }
        }
        gain = next;
    }
    Ok(())
}
