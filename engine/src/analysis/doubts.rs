//! Thread: worker, any. Doubts in plain sentences: what may be wrong about a melody, how that shows, and what to do.
//!
//! A doubt lowers the confidence where it is about the whole melody. Thresholds were measured on hums, singers and instruments with
//! known notes, on the same with every note claimed an octave off, and on speech, noise and drums.

mod manner;
mod octave;
mod phrases;

use crate::analysis::{F0Frame, Note};
use crate::time::{Seconds, SongGrid};
use manner::Manner;
use std::ops::Range;

/// Melodies below this confidence get a doubt.
const UNSURE: f32 = 0.5;
/// Noise this many decibels under the notes is worth a word.
const NOISY_DB: f32 = 11.0;
/// What is left of the confidence of a melody that is spoken, and of one that is but a small part of what sounds.
const SPOKEN_TRUST: f32 = 0.3;
const SPARSE_TRUST: f32 = 0.4;
/// Frequencies of electric mains and their octaves, and how far a voice that is none keeps to them.
const MAINS_HZ: [f32; 4] = [50.0, 60.0, 100.0, 120.0];
const MAINS_SHARE: f32 = 0.006;
/// How the sentence begins that a take without notes gets.
const NO_PITCH: &str = "No pitch found: ";

/// What the listener heard, for and against its notes.
pub struct Evidence<'a> {
    /// The pitch track.
    pub frames: &'a [F0Frame],
    /// The notes that were found in it.
    pub notes: &'a [Note],
    /// The audio both were found in, 16 kHz.
    pub mono_16k: &'a [f32],
    /// Where the take lies.
    pub grid: &'a SongGrid,
    /// Whether its bars are known.
    pub on_grid: bool,
}

/// What is to be thought of a melody.
pub struct Verdict {
    /// What the confidence is to be multiplied by, 0 to 1.
    pub trust: f32,
    /// In sentences.
    pub doubts: Vec<String>,
}

/// Certainty over a melody, by duration; 0 without notes.
pub fn mean_confidence(notes: &[Note]) -> f32 {
    let (sum, total) = notes.iter().fold((0.0, 0.0), |(sum, total), note| {
        let length = (note.offset - note.onset).0 as f32;
        (sum + length * note.confidence, total + length)
    });
    if total > 0.0 { sum / total } else { 0.0 }
}

/// The sentence for a take without a note; `why` is the end of it.
pub(crate) fn no_pitch(why: &str) -> String {
    format!("{NO_PITCH}{why}.")
}

/// Judges notes that were found in audio.
pub fn judge(evidence: &Evidence) -> Verdict {
    let mut doubts = Vec::new();
    let Some(manner) = Manner::of(evidence) else { return Verdict { trust: 1.0, doubts } };
    let mut trust = SPOKEN_TRUST + (1.0 - SPOKEN_TRUST) * manner.sung;
    if manner.sung < 0.5 {
        doubts.push("This sounds like speech: the pitch hardly ever rests on a note. Sing or hum longer notes.".into());
    }
    if let Some(hz) = mains(evidence.notes) {
        trust *= SPARSE_TRUST;
        doubts.push(format!("Only a steady {hz:.0} Hz tone: that may be hum from the mains, not from a voice."));
    } else if manner.is_sparse() {
        trust *= SPARSE_TRUST;
        doubts.push(format!(
            "Only {:.0} % of what sounds has a clear pitch: these may be drums, breath or speech.",
            100.0 * manner.pitched
        ));
    }
    if let Some(db) = manner.noise_db.filter(|db| *db < NOISY_DB) {
        let what =
            if db < 0.5 { "as loud as the notes".to_owned() } else { format!("only {db:.0} dB under the notes") };
        doubts.push(format!(
            "There is noise, or something else that plays, {what}: find a quieter place or come closer."
        ));
    }
    doubts.extend(octave_doubts(evidence));
    if mean_confidence(evidence.notes) * trust < UNSURE && doubts.is_empty() {
        doubts.push("The melody is hard to make out: there is noise, or more than one voice.".into());
    }
    Verdict { trust, doubts }
}

/// The frequency of the mains when the whole melody is one note on it.
fn mains(notes: &[Note]) -> Option<f32> {
    let [only] = notes else { return None };
    let hz = only.sung.hz().0;
    let steady = only.bend.iter().all(|point| (point.1 - only.bend[0].1).abs() < 0.2);
    MAINS_HZ.into_iter().find(|mains| steady && (hz / mains - 1.0).abs() < MAINS_SHARE)
}

/// Phrases that may lie an octave lower or higher.
fn octave_doubts(evidence: &Evidence) -> Vec<String> {
    let phrases = phrases::phrases(evidence.notes);
    let mut listener = octave::Listener::new(evidence.mono_16k);
    let mut doubts = Vec::new();
    for (index, phrase) in phrases.iter().enumerate() {
        let way = match listener.doubt(&evidence.notes[phrase.clone()]) {
            Some(octave::Doubt::Lower) => "lower",
            Some(octave::Doubt::Higher) => "higher",
            None => continue,
        };
        let place = place(evidence, phrase);
        let name = phrases::name(index, phrases.len());
        doubts.push(format!("{name} {place}may be an octave {way}: compare it with what you sang."));
    }
    doubts
}

/// Where a phrase lies, in words: bars when they are known, seconds otherwise. Nothing when it is everything.
fn place(evidence: &Evidence, phrase: &Range<usize>) -> String {
    if phrase.len() == evidence.notes.len() {
        return String::new();
    }
    let (first, last) = (&evidence.notes[phrase.start], &evidence.notes[phrase.end - 1]);
    if !evidence.on_grid {
        return format!("({:.1} to {:.1} s) ", first.onset.0, last.offset.0);
    }
    // A note that ends on a bar line does not sound in the bar after it.
    let bar = |time: Seconds| (evidence.grid.beat_at(time).0 / evidence.grid.metre.bar().0).floor() as i64 + 1;
    let (from, to) = (bar(first.onset), bar(Seconds((last.offset.0 - 0.05).max(first.onset.0))));
    if from == to { format!("(bar {from}) ") } else { format!("(bars {from} to {to}) ") }
}

/// The doubts that are left once notes were corrected: what somebody has decided is no doubt any more.
pub(crate) fn after_edits(doubts: &[String], heard: &[Note], notes: &[Note]) -> Vec<String> {
    let phrases = phrases::phrases(heard);
    let decided = |phrase: &Range<usize>| {
        let same = |note: &Note| notes.iter().any(|now| now.onset == note.onset && now.key == note.key);
        !heard[phrase.clone()].iter().all(same)
    };
    let settled: Vec<String> = phrases
        .iter()
        .enumerate()
        .filter(|(_, phrase)| decided(phrase))
        .map(|(index, _)| format!("{} ", phrases::name(index, phrases.len())))
        .collect();
    let stays = |doubt: &&String| {
        let is_settled = doubt.contains(" may be an octave ") && settled.iter().any(|name| doubt.starts_with(name));
        let has_pitch_now = doubt.starts_with(NO_PITCH) && !notes.is_empty();
        !is_settled && !has_pitch_now
    };
    doubts.iter().filter(stays).cloned().collect()
}
