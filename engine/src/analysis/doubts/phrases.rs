//! Thread: any. Phrases: what is sung in one breath.

use crate::analysis::Note;
use std::ops::Range;

/// A rest this long, in seconds, ends a phrase.
const REST: f64 = 0.35;
const ORDINALS: [&str; 10] =
    ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];

/// Indices of the notes of each phrase, in order. None is empty.
pub(super) fn phrases(notes: &[Note]) -> Vec<Range<usize>> {
    let rests = |index: &usize| (notes[*index].onset - notes[index - 1].offset).0 >= REST;
    let starts = std::iter::once(0).chain((1..notes.len()).filter(rests));
    let ends = (1..notes.len()).filter(rests).chain(std::iter::once(notes.len()));
    starts.zip(ends).map(|(start, end)| start..end).filter(|phrase| !phrase.is_empty()).collect()
}

/// As the beginning of a sentence: "The second phrase"; "The melody" when there is but one.
pub(super) fn name(index: usize, count: usize) -> String {
    match ORDINALS.get(index) {
        _ if count == 1 => "The melody".to_owned(),
        Some(ordinal) => format!("The {ordinal} phrase"),
        None => format!("Phrase {}", index + 1),
    }
}
