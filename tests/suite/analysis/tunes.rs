//! Tunes of the public domain with their metre, pickup and key, and performances of them that are as careless as singers are.

use super::data;
use crate::generation::tunes::parse;
use cantus_engine::analysis::{Key, Mode, Note};
use cantus_engine::time::{Metre, MidiNote, Seconds};

/// A tune of `tunes.txt`.
pub struct Tune {
    pub name: String,
    /// Looked at while developing, or held out.
    pub held_out: bool,
    pub metre: Metre,
    /// Quarter notes before the first bar line.
    pub pickup: f64,
    pub key: Key,
    /// MIDI key, none for a rest, and quarter notes.
    pub line: Vec<(Option<u8>, f64)>,
}

/// All tunes of the table.
pub fn tunes() -> Vec<Tune> {
    let table = std::fs::read_to_string(data("tunes.txt")).expect("tunes.txt");
    table.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()).map(read).collect()
}

/// The tune of a name.
pub fn tune(name: &str) -> Tune {
    tunes().into_iter().find(|tune| tune.name == name).unwrap_or_else(|| panic!("no tune {name}"))
}

fn read(line: &str) -> Tune {
    let fields: Vec<&str> = line.splitn(6, '|').map(str::trim).collect();
    let [name, set, metre, pickup, key, notes] = fields[..] else { panic!("six fields: {line}") };
    let (numerator, denominator) = metre.split_once('/').expect("a metre");
    let (tonic, mode) = key.split_once(' ').expect("a key");
    let tonic = parse(&format!("{}4", tonic.to_lowercase()))[0].0.expect("a note");
    Tune {
        name: name.to_owned(),
        held_out: set == "h",
        metre: Metre {
            numerator: numerator.parse().expect("a number"),
            denominator: denominator.parse().expect("a number"),
        },
        pickup: pickup.parse().expect("a number"),
        key: Key { tonic: tonic % 12, mode: if mode == "minor" { Mode::Minor } else { Mode::Major } },
        line: parse(notes),
    }
}

/// How a tune is performed.
#[derive(Clone, Copy)]
pub struct Manner {
    pub bpm: f64,
    /// Seconds before the first note.
    pub lead_in: f64,
    /// Semitones up.
    pub up: i32,
    /// Half-width of the scatter of onsets, in seconds.
    pub careless: f64,
    /// Longest performance, in seconds.
    pub seconds: f64,
    pub seed: u64,
}

impl Default for Manner {
    fn default() -> Self {
        Self { bpm: 100.0, lead_in: 0.4, up: 0, careless: 0.0, seconds: 15.0, seed: 1 }
    }
}

impl Manner {
    /// The notes of a performance.
    pub fn perform(&self, line: &[(Option<u8>, f64)]) -> Vec<Note> {
        let mut chance = Chance(self.seed);
        let beat = 60.0 / self.bpm;
        let mut at = self.lead_in;
        let mut notes: Vec<Note> = Vec::new();
        for &(key, beats) in line {
            let length = beats * beat;
            if at + length > self.lead_in + self.seconds {
                break;
            }
            if let Some(key) = key {
                let onset = at + self.careless * chance.between(-1.0, 1.0);
                let key = u8::try_from(i32::from(key) + self.up).expect("a MIDI key");
                if let Some(last) = notes.last_mut() {
                    last.offset = Seconds(last.offset.0.min(onset - 0.004));
                }
                notes.push(note(onset, onset + 0.92 * length, key, chance.between(0.6, 1.0) as f32));
            }
            if key.is_some() || !notes.is_empty() {
                at += length;
            }
        }
        notes
    }
}

/// A plain note.
pub fn note(onset: f64, offset: f64, key: u8, loudness: f32) -> Note {
    Note {
        onset: Seconds(onset),
        offset: Seconds(offset),
        sung: MidiNote(f32::from(key)),
        key,
        loudness,
        confidence: 1.0,
        bend: vec![(0.0, 0.0)],
        level_db: vec![(0.0, 0.0)],
    }
}

/// Numbers that are the same for the same seed.
pub struct Chance(pub u64);

impl Chance {
    /// A number of a range, evenly.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        low + (high - low) * (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}
