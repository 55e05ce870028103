//! Thread: any. A prompt with the facts that the music must agree with, worded as the model met them in training.

use crate::analysis::Key;
use crate::time::{Bpm, Metre};

/// The description followed by what is known of the music.
///
/// In training a track's fields were put behind its description as `name: value`, sentence after sentence: the key in lower case,
/// the tempo with a decimal (audiocraft `896ec7c`, `music_dataset.py`). There was no field for the metre, so it is put in words, and
/// only when it is not 4/4. A fact the description already states is left to it.
pub fn describe(text: &str, tempo: Option<Bpm>, key: Option<Key>, metre: Option<Metre>) -> String {
    let text = text.trim().trim_end_matches(|end: char| end == '.' || end.is_whitespace());
    let said = text.to_lowercase();
    let tempo = tempo.filter(|tempo| tempo.0.is_finite() && tempo.0 > 0.0 && !said.contains("bpm"));
    let key = key.filter(|_| !states_a_key(&said));
    let metre = metre.filter(|metre| *metre != Metre::default() && !said.contains("time signature"));
    let mut sentences = vec![text.to_owned()];
    sentences.extend(metre.map(|metre| match (metre.numerator, metre.denominator) {
        (3, 4) => "3/4 time, waltz feel".to_owned(),
        (numerator, denominator) => format!("{numerator}/{denominator} time"),
    }));
    sentences.extend(key.map(|key| format!("key: {}", key.name().to_lowercase())));
    sentences.extend(tempo.map(|tempo| format!("bpm: {:?}", (tempo.0 * 100.0).round() / 100.0)));
    sentences.retain(|sentence| !sentence.is_empty());
    sentences.join(". ")
}

/// Whether lower-case words name a key: a note's letter, perhaps altered, before "major" or "minor".
fn states_a_key(said: &str) -> bool {
    let words: Vec<&str> =
        said.split(|between: char| between.is_whitespace() || between == ',' || between == '.').collect();
    let is_note = |word: &str| {
        let mut letters = word.chars();
        let letter = letters.next().is_some_and(|letter| ('a'..='g').contains(&letter));
        letter && matches!(letters.as_str(), "" | "#" | "b" | "♯" | "♭")
    };
    words
        .windows(3)
        .any(|words| matches!(words[2], "major" | "minor") && matches!(words[1], "sharp" | "flat") && is_note(words[0]))
        || words.windows(2).enumerate().any(|(at, pair)| {
            // "a minor key" in the middle of a sentence names none.
            let article = pair[0] == "a" && words.get(at + 2).is_some_and(|next| next.starts_with("key"));
            matches!(pair[1], "major" | "minor") && is_note(pair[0]) && !article
        })
}
