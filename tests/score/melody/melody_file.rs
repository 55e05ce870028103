//! Thread: main. The files of the comparison: what was really sung, and what was heard.

use crate::Result;
use cantus_engine::analysis::Analysis;
use serde_json::{Value, json};
use std::path::Path;

/// A note of either side.
#[derive(Debug, Clone, Copy)]
pub struct MelodyNote {
    /// Seconds.
    pub onset: f64,
    pub offset: f64,
    /// The pitch as sung, in MIDI note numbers.
    pub midi: f64,
    /// The key of the score; of estimates the same as `midi`.
    pub nominal: f64,
}

/// Seconds, and hertz: 0 is unvoiced, negative a guess for an unvoiced moment.
pub type PitchPoint = (f64, f64);

/// What was really sung or played.
#[derive(Debug)]
pub struct Truth {
    pub id: String,
    /// hum, voice, whistle, world, instrument, mix or real.
    pub kind: String,
    /// Whether it is one of the studies of octaves.
    pub octaves: bool,
    pub notes: Vec<MelodyNote>,
    pub f0: Vec<PitchPoint>,
}

/// What was heard.
#[derive(Debug)]
pub struct Estimate {
    pub notes: Vec<MelodyNote>,
    pub f0: Vec<PitchPoint>,
}

impl Truth {
    /// Reads one.
    pub fn read(path: &Path) -> Result<Self> {
        let value = read(path)?;
        let text = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
        let id = text("id");
        let truth =
            Self { id, kind: text("kind"), octaves: value["tune"] == "octaves", notes: notes(&value), f0: f0(&value) };
        if truth.id.is_empty() || truth.f0.is_empty() {
            return Err(format!("{} has no id or no pitch curve.", path.display()));
        }
        Ok(truth)
    }
}

impl Estimate {
    /// Of what the engine heard.
    pub fn of(analysis: &Analysis) -> Self {
        let notes = analysis.notes.iter().map(|note| {
            let midi = f64::from(note.sung.0);
            MelodyNote { onset: note.onset.0, offset: note.offset.0, midi, nominal: midi }
        });
        let f0 = analysis.f0.iter().map(|frame| {
            let hz = f64::from(frame.hz);
            (frame.time.0, if frame.voiced { hz } else { -hz })
        });
        Self { notes: ordered(notes.collect()), f0: f0.collect() }
    }

    /// Reads one that was written; a file that is missing is an estimate of nothing.
    pub fn read(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Ok(Self { notes: Vec::new(), f0: Vec::new() });
        }
        let value = read(path)?;
        Ok(Self { notes: notes(&value), f0: f0(&value) })
    }

    /// Writes it for other programs, or for [`Self::read`].
    pub fn write(&self, path: &Path) -> Result<()> {
        let notes = self.notes.iter();
        let notes: Vec<Value> =
            notes.map(|note| json!({ "onset": note.onset, "offset": note.offset, "midi": note.midi })).collect();
        let text = json!({ "notes": notes, "f0": self.f0 }).to_string();
        std::fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
    }
}

fn read(path: &Path) -> Result<Value> {
    let text = std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    serde_json::from_slice(&text).map_err(|error| format!("{} is no JSON: {error}", path.display()))
}

fn notes(value: &Value) -> Vec<MelodyNote> {
    let number = |note: &Value, field: &str| note[field].as_f64();
    let list = value["notes"].as_array().map_or(&[][..], Vec::as_slice);
    let notes = list.iter().filter_map(|note| {
        let (onset, midi) = (number(note, "onset")?, number(note, "midi")?);
        let offset = number(note, "offset")?.max(onset + 1e-3);
        Some(MelodyNote { onset, offset, midi, nominal: number(note, "midi_nominal").unwrap_or(midi) })
    });
    ordered(notes.collect())
}

fn ordered(mut notes: Vec<MelodyNote>) -> Vec<MelodyNote> {
    notes.sort_by(|a, b| a.onset.total_cmp(&b.onset).then(a.offset.total_cmp(&b.offset)));
    notes
}

fn f0(value: &Value) -> Vec<PitchPoint> {
    let list = value["f0"].as_array().map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(|point| Some((point[0].as_f64()?, point[1].as_f64()?))).collect()
}
