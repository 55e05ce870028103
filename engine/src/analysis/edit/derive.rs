//! Thread: any. What follows from the notes once they are corrected: key, chroma, certainty, doubts. Pitch tracking never does.

use super::{Edited, NoteId};
use crate::analysis::{Analysis, Chroma, Note, chroma, doubts, key};
use crate::time::Seconds;

/// The analysis with corrected notes.
pub(super) fn edited(heard: &Analysis, notes: Vec<(NoteId, Note)>) -> Edited {
    let before = |id: NoteId| usize::try_from(id.0).ok().and_then(|index| heard.notes.get(index));
    let changed: Vec<bool> = notes.iter().map(|(id, note)| before(*id) != Some(note)).collect();
    let (ids, notes): (Vec<NoteId>, Vec<Note>) = notes.into_iter().unzip();
    let same = ids.len() == heard.notes.len() && !changed.contains(&true);
    if same {
        return Edited::unchanged(heard);
    }
    let gone = |index: &usize| !ids.iter().zip(&changed).any(|(id, changed)| *id == NoteId::heard(*index) && !changed);
    let old = (0..heard.notes.len()).filter(gone).map(|index| &heard.notes[index]);
    let new = notes.iter().zip(&changed).filter(|(_, changed)| **changed).map(|(note, _)| note);
    let spans: Vec<(Seconds, Seconds)> = old.chain(new).map(|note| (note.onset, note.offset)).collect();

    let confidence = confidence(heard, &notes, &changed);
    let analysis = Analysis {
        key: key::key(&notes, &heard.grid, heard.rhythm.bars_known()),
        chroma: chroma_with(&heard.chroma, &notes, &spans),
        confidence,
        doubts: doubts::after_edits(&heard.doubts, &heard.notes, &notes),
        notes,
        ..heard.clone()
    };
    Edited { analysis, ids, changed }
}

/// Certainty over the melody, by duration: what was corrected is certain, the rest as certain as it was.
fn confidence(heard: &Analysis, notes: &[Note], changed: &[bool]) -> f32 {
    let plain = doubts::mean_confidence(&heard.notes);
    let share = if plain > 0.0 { heard.confidence / plain } else { 1.0 };
    let certain = |(note, changed): (&Note, &bool)| {
        let confidence = if *changed { 1.0 } else { note.confidence * share };
        Note { confidence, bend: Vec::new(), level_db: Vec::new(), ..note.clone() }
    };
    doubts::mean_confidence(&notes.iter().zip(changed).map(certain).collect::<Vec<_>>()).clamp(0.0, 1.0)
}

/// The chromagram with the frames of what was corrected as clean notes would have them.
fn chroma_with(heard: &Chroma, notes: &[Note], spans: &[(Seconds, Seconds)]) -> Chroma {
    let mut result = heard.clone();
    let hop = chroma::HOP as f64 / chroma::RATE.hz();
    let clean = chroma::chroma_of_notes(notes, Seconds(hop * heard.frames.len() as f64));
    for (index, frame) in result.frames.iter_mut().enumerate() {
        let centre = Seconds(index as f64 * hop);
        if spans.iter().any(|(from, to)| (*from..*to).contains(&centre))
            && let (Some(classes), Some(class)) = (clean.frames.get(index), clean.argmax.get(index))
        {
            *frame = *classes;
            if let Some(argmax) = result.argmax.get_mut(index) {
                *argmax = *class;
            }
        }
    }
    result
}
