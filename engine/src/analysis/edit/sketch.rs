//! Thread: any. The melody while it is being corrected: notes with their names, and the rules they have to keep.

use super::scale::Scale;
use super::{Edited, MelodyEdit, NoteId, Selection, curves, derive, impossible, quantise};
use crate::analysis::{Analysis, Note, note_name};
use crate::error::Result;
use crate::time::{MidiNote, Seconds, SongGrid};

/// No note is shorter, in seconds: less is a click.
pub(super) const SHORTEST: f64 = 0.02;
/// Rounding of positions, in seconds.
const ROUNDING: f64 = 1e-6;
/// A sung pitch this far from another key, in semitones, may have been meant for it. Farther, the sound has to move along.
const SAME_SOUND: f32 = 0.6;

/// Notes with names, in order.
pub(super) struct Sketch {
    pub notes: Vec<(NoteId, Note)>,
    /// The singer's tuning, in semitones.
    tuning: f32,
    /// Where the take ends, in seconds.
    end: f64,
    grid: SongGrid,
}

impl Sketch {
    pub fn new(heard: &Analysis) -> Self {
        let grid = heard.grid.clone();
        let region = grid.tempo.seconds_between(grid.start, grid.start + heard.length).0;
        let last = heard.notes.last().map_or(0.0, |note| note.offset.0);
        let named = |(index, note): (usize, &Note)| (NoteId::heard(index), note.clone());
        let notes = heard.notes.iter().enumerate().map(named).collect();
        Self { notes, tuning: heard.tuning_cents / 100.0, end: region.max(last), grid }
    }

    /// Makes one correction; `new` names the note it makes, if it makes one.
    pub fn edit(&mut self, edit: &MelodyEdit, new: NoteId) -> Result<()> {
        match edit {
            MelodyEdit::Move { notes, semitones, by } => self.shift(notes, *semitones, *by)?,
            MelodyEdit::Octave { notes, octaves } => self.shift(notes, 12 * i16::from(*octaves), Seconds(0.0))?,
            MelodyEdit::Stretch { note, onset, offset } => self.stretch(*note, *onset, *offset)?,
            MelodyEdit::Split { note, at } => self.split(*note, *at, new)?,
            MelodyEdit::Join { first, second } => self.join(*first, *second)?,
            MelodyEdit::Delete { notes } => {
                let gone = self.chosen(notes)?;
                let mut index = 0..self.notes.len();
                self.notes.retain(|_| index.next().is_some_and(|index| !gone.contains(&index)));
            }
            MelodyEdit::Add { onset, offset, key, loudness } => self.add(*onset, *offset, (*key, *loudness), new)?,
            MelodyEdit::Quantise { notes, division, strength } => {
                let chosen = self.chosen(notes)?;
                quantise::quantise(self, &chosen, *division, *strength)?;
            }
            MelodyEdit::SnapToKey { notes, tonic, scale } => self.snap(notes, *tonic, *scale)?,
            MelodyEdit::Loudness { notes, loudness } => {
                let loudness = checked_loudness(*loudness)?;
                for index in self.chosen(notes)? {
                    self.notes[index].1.loudness = loudness;
                }
            }
        }
        self.check()
    }

    pub fn finish(self, heard: &Analysis) -> Edited {
        derive::edited(heard, self.notes)
    }

    /// Song position of a moment, in beats.
    pub fn beat(&self, time: f64) -> f64 {
        self.grid.beat_at(Seconds(time)).0
    }

    /// Moment of a song position, in seconds from the start of the take.
    pub fn time(&self, beat: f64) -> f64 {
        self.grid.tempo.seconds_between(self.grid.start, crate::time::Beats(beat)).0
    }

    /// Where the take ends, in seconds.
    pub fn end(&self) -> f64 {
        self.end
    }

    fn index(&self, id: NoteId) -> Result<usize> {
        match self.notes.iter().position(|(other, _)| *other == id) {
            Some(index) => Ok(index),
            None => impossible("the note is not there any more"),
        }
    }

    /// Places of the chosen notes, ascending.
    fn chosen(&self, selection: &Selection) -> Result<Vec<usize>> {
        let mut places = match selection {
            Selection::All => (0..self.notes.len()).collect(),
            // A list longer than the melody can only come from a file that was tampered with, and would take long to read.
            Selection::Notes(ids) if ids.len() > self.notes.len() => {
                return impossible("more notes are selected than there are");
            }
            Selection::Notes(ids) => ids.iter().map(|id| self.index(*id)).collect::<Result<Vec<_>>>()?,
        };
        places.sort_unstable();
        places.dedup();
        if places.is_empty() { impossible("no note is selected") } else { Ok(places) }
    }

    fn shift(&mut self, notes: &Selection, semitones: i16, by: Seconds) -> Result<()> {
        for index in self.chosen(notes)? {
            let note = &mut self.notes[index].1;
            retune(note, i32::from(note.key) + i32::from(semitones), self.tuning)?;
            (note.onset, note.offset) = (note.onset + by, note.offset + by);
        }
        Ok(())
    }

    fn stretch(&mut self, id: NoteId, onset: Seconds, offset: Seconds) -> Result<()> {
        let index = self.index(id)?;
        let note = &mut self.notes[index].1;
        let (from, to) = ((onset - note.onset).0 as f32, (offset - note.onset).0 as f32);
        note.bend = curves::between(&note.bend, from, to);
        note.level_db = curves::from_loudest(curves::between(&note.level_db, from, to));
        (note.onset, note.offset) = (onset, offset);
        Ok(())
    }

    fn split(&mut self, id: NoteId, at: Seconds, new: NoteId) -> Result<()> {
        let index = self.index(id)?;
        let whole = self.notes[index].1.clone();
        let inside = |at: Seconds| (at - whole.onset).0 >= SHORTEST && (whole.offset - at).0 >= SHORTEST;
        if !inside(at) {
            return impossible(format!("{} cannot be split outside of itself or at its very end", whole.name()));
        }
        let (cut, length) = ((at - whole.onset).0 as f32, (whole.offset - whole.onset).0 as f32);
        let part = |from: f32, to: f32| {
            let level_db = curves::from_loudest(curves::between(&whole.level_db, from, to));
            Note { bend: curves::between(&whole.bend, from, to), level_db, ..whole.clone() }
        };
        self.notes[index].1 = Note { offset: at, ..part(0.0, cut) };
        self.notes.insert(index + 1, (new, Note { onset: at, ..part(cut, length) }));
        Ok(())
    }

    fn join(&mut self, first: NoteId, second: NoteId) -> Result<()> {
        let index = self.index(first)?;
        if self.index(second)? != index + 1 {
            return impossible("only a note and the one right after it can be joined");
        }
        let (_, second) = self.notes.remove(index + 1);
        let first = &mut self.notes[index].1;
        let length = |note: &Note| note.offset - note.onset;
        let later = (second.onset - first.onset).0 as f32;
        // Each part's curve is about its own key: the joined note is one pitch, not a leap.
        first.bend = curves::joined(&first.bend, &second.bend, later, 0.0);
        let softer_db = |note: &Note, other: &Note| {
            20.0 * (note.loudness.max(1e-3) / note.loudness.max(other.loudness).max(1e-3)).log10()
        };
        let (own, theirs) = (softer_db(first, &second), softer_db(&second, first));
        let lowered: Vec<(f32, f32)> = first.level_db.iter().map(|point| (point.0, point.1 + own)).collect();
        first.level_db = curves::from_loudest(curves::joined(&lowered, &second.level_db, later, theirs));
        if length(&second) > length(first) {
            (first.key, first.sung) = (second.key, second.sung);
        }
        first.offset = second.offset;
        first.loudness = first.loudness.max(second.loudness);
        first.confidence = first.confidence.max(second.confidence);
        Ok(())
    }

    fn add(&mut self, onset: Seconds, offset: Seconds, (key, loudness): (u8, f32), new: NoteId) -> Result<()> {
        if key > 127 {
            return impossible(format!("there is no key {key}: keys go from 0 to 127"));
        }
        let note = Note {
            onset,
            offset,
            sung: MidiNote(f32::from(key) + self.tuning),
            key,
            loudness: checked_loudness(loudness)?,
            confidence: 1.0,
            bend: vec![(0.0, 0.0)],
            level_db: vec![(0.0, 0.0), ((offset - onset).0.max(0.0) as f32, 0.0)],
        };
        self.notes.push((new, note));
        Ok(())
    }

    fn snap(&mut self, notes: &Selection, tonic: u8, scale: Scale) -> Result<()> {
        if tonic > 11 {
            return impossible(format!("there is no pitch class {tonic}: they go from 0 to 11"));
        }
        for index in self.chosen(notes)? {
            let note = &mut self.notes[index].1;
            if !scale.holds(tonic, note.key) {
                let key = scale.nearest(tonic, note.sung.0 - self.tuning);
                retune(note, i32::from(key), self.tuning)?;
            }
        }
        Ok(())
    }

    /// Puts the notes in order and looks whether they keep the rules.
    fn check(&mut self) -> Result<()> {
        let finite = |(_, note): &(NoteId, Note)| note.onset.0.is_finite() && note.offset.0.is_finite();
        if !self.notes.iter().all(finite) {
            return impossible("a time is not a number");
        }
        self.notes.sort_by(|a, b| a.1.onset.0.total_cmp(&b.1.onset.0));
        for (_, note) in &self.notes {
            if note.onset.0 < -ROUNDING {
                return impossible(format!("{} would begin before the take", note.name()));
            }
            if note.offset.0 > self.end + ROUNDING {
                return impossible(format!("{} would end after the take", note.name()));
            }
            if (note.offset - note.onset).0 < SHORTEST - ROUNDING {
                return impossible(format!("{} would be shorter than {:.0} ms", note.name(), SHORTEST * 1e3));
            }
        }
        for pair in self.notes.windows(2) {
            let (earlier, later) = (&pair[0].1, &pair[1].1);
            if earlier.offset.0 > later.onset.0 + ROUNDING {
                return impossible(format!("{} would run into {} after it", earlier.name(), later.name()));
            }
        }
        Ok(())
    }
}

/// Gives a note another key. A sound that lies near that key stays as it is, for then the key was misread; otherwise the sound
/// moves with the key. Either way somebody has decided, so the note is certain.
fn retune(note: &mut Note, key: i32, tuning: f32) -> Result<()> {
    let steps = key - i32::from(note.key);
    if steps == 0 {
        return Ok(());
    }
    let Some(key) = u8::try_from(key).ok().filter(|key| *key <= 127) else {
        return impossible(format!("{} cannot be moved that far", note_name(note.key)));
    };
    if (note.sung.0 - tuning - f32::from(key)).abs() <= SAME_SOUND {
        note.bend.iter_mut().for_each(|point| point.1 -= steps as f32);
    } else {
        note.sung.0 += steps as f32;
    }
    note.key = key;
    note.confidence = 1.0;
    Ok(())
}

fn checked_loudness(loudness: f32) -> Result<f32> {
    if (0.0..=1.0).contains(&loudness) { Ok(loudness) } else { impossible("loudness goes from 0 to 1") }
}
