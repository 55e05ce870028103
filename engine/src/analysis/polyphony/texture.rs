//! Thread: worker. How many voices a take has, and whether one of them leads.

use super::note_creation::HARMONICS;
use super::{HOP, KEYS, LOWEST_KEY, PolyNote, Posteriors, RATE};
use crate::analysis::{F0Frame, Texture, TextureEstimate};
use crate::time::Hz;

/// A note this far under the loudest that sounds with it is a string that still rings, or the room.
const RINGING_DB: f32 = 12.0;
/// Seconds at either end of a note that do not count: slurred notes overlap there.
const SLUR: f64 = 0.05;
/// Share of the sounding time with two notes or more from which there is more than one voice. One voice stays under 0.17
/// when sung and under 0.22 on a guitar whose strings ring on; chords and mixes lie over 0.3, and anything between is called
/// one voice: a melody heard as a mix loses more than a mix heard as a melody.
const SEVERAL: f32 = 0.26;
/// The same for keys that sound without having become notes, as soft chords under a voice do: how surely, for how many frames,
/// how far under the loudest, and from which share of the time.
const SOUNDS: f32 = 0.4;
const LASTS: usize = 6;
const SOFTER_DB: f32 = 15.0;
const SEVERAL_KEYS: f32 = 0.36;
/// How much more or less of either share, as a part of its threshold, turns a guess into certainty.
const SPREAD: f32 = 0.23;
/// Share of the energy that is struck, from which there are drums. A piano stays under, drums at -10 dB lie over it.
const DRUMS: f32 = 0.11;
const DRUMS_SPREAD: f32 = 0.02;
/// Cents by which the pitch moves within notes, from which a voice leads. Keys and strings stay under 14, sung notes begin at 17.
const MOVES_CENTS: f32 = 16.0;
const MOVES_SPREAD: f32 = 3.0;
/// Pitch frames of the shortest note whose movement says anything, and frames at its ends that are on the way to it or from it.
const MOVING: usize = 14;
const ARRIVES: usize = 5;
const LEAVES: usize = 2;
/// Semitones from frame to frame within one note.
const SAME_NOTE: f32 = 0.7;
/// The key above a bass line's range.
const BASS_END: u8 = 48;

/// What is heard of several voices, in shares of the sounding time.
#[derive(Debug, Clone, Copy)]
pub struct Together {
    /// Two notes or more, about as loud as each other.
    notes: f32,
    /// Two keys or more, none of them a harmonic of another.
    keys: f32,
}

impl Together {
    /// Of notes and the answers they come from.
    pub fn of(posteriors: &Posteriors, notes: &[PolyNote]) -> Self {
        Self { notes: notes_together(posteriors, notes), keys: keys_together(posteriors) }
    }

    /// How much more than one voice there is: 1 is the border.
    fn amount(self) -> f32 {
        (self.notes / SEVERAL).max(self.keys / SEVERAL_KEYS)
    }

    /// Whether there is more than one voice.
    pub fn is_several(self) -> bool {
        self.amount() >= 1.0
    }

    fn certainty(self) -> f32 {
        certainty((self.amount() - 1.0) / SPREAD)
    }

    fn percent(self) -> f32 {
        (100.0 * self.notes.max(self.keys)).round()
    }
}

fn notes_together(posteriors: &Posteriors, notes: &[PolyNote]) -> f32 {
    let frames = posteriors.frames();
    let mut sounding: Vec<Vec<(u8, f32)>> = vec![Vec::new(); frames];
    for note in notes {
        let frame = |seconds: f64| ((seconds * RATE.hz() / HOP as f64).round().max(0.0) as usize).min(frames);
        let (first, end) = (frame(note.onset.0 + SLUR), frame(note.offset.0 - SLUR));
        for (sounding, levels) in sounding.iter_mut().zip(&posteriors.level_db).take(end).skip(first) {
            sounding.push((note.key, levels[usize::from(note.key - LOWEST_KEY)]));
        }
    }
    let several = |sounding: &&Vec<(u8, f32)>| {
        let loudest = sounding.iter().fold(f32::MIN, |loudest, note| loudest.max(note.1));
        let mut keys = sounding.iter().filter(|note| note.1 > loudest - RINGING_DB).map(|note| note.0);
        // A pitch between two keys is heard as both.
        keys.next().is_some_and(|first| keys.any(|key| key.abs_diff(first) > 1))
    };
    let count = sounding.iter().filter(|notes| !notes.is_empty()).count();
    if count == 0 { 0.0 } else { sounding.iter().filter(several).count() as f32 / count as f32 }
}

fn keys_together(posteriors: &Posteriors) -> f32 {
    // How many frames in a row, up to this one and from it, a key has been the top of its neighbours.
    let tops = |frame: usize, key: usize| {
        let row = &posteriors.note[frame];
        let below = key.checked_sub(1).map_or(0.0, |below| row[below]);
        row[key] > SOUNDS && row[key] >= below && row[key] >= row.get(key + 1).copied().unwrap_or(0.0)
    };
    let mut lasting = vec![[false; KEYS]; posteriors.frames()];
    for key in 0..KEYS {
        let mut first = 0;
        for frame in 0..=posteriors.frames() {
            if frame == posteriors.frames() || !tops(frame, key) {
                if frame - first >= LASTS {
                    lasting[first..frame].iter_mut().for_each(|row| row[key] = true);
                }
                first = frame + 1;
            }
        }
    }
    let (mut sounding, mut several) = (0, 0);
    for (row, levels) in lasting.iter().zip(&posteriors.level_db) {
        let keys = (0..KEYS).filter(|&key| row[key]);
        let loudest = keys.clone().fold(f32::MIN, |loudest, key| loudest.max(levels[key]));
        let mut roots: Vec<usize> = Vec::new();
        for key in keys.filter(|&key| levels[key] > loudest - SOFTER_DB) {
            // A pitch between two keys is heard as both.
            if !roots.iter().any(|root| key - root <= 1 || HARMONICS.contains(&((key - root) as i32))) {
                roots.push(key);
            }
        }
        sounding += usize::from(!roots.is_empty());
        several += usize::from(roots.len() > 1);
    }
    if sounding == 0 { 0.0 } else { several as f32 / sounding as f32 }
}

/// By how many cents the pitch moves within the notes of a track: the upper quartile over the time in notes of the standard
/// deviation, 0 without notes. Vibrato and glides move a voice; a key or a fret keeps still.
pub fn movement_cents(track: &[F0Frame]) -> f32 {
    let pitches: Vec<f32> = track.iter().map(|frame| Hz(frame.hz).note().0).collect();
    let mut movements: Vec<(f32, usize)> = Vec::new();
    let mut first = 0;
    for frame in 1..=track.len() {
        let goes_on = frame < track.len()
            && track[frame].voiced == track[first].voiced
            && (pitches[frame] - pitches[frame - 1]).abs() < SAME_NOTE;
        if goes_on {
            continue;
        }
        if track[first].voiced && frame - first >= MOVING {
            let inner = &pitches[first + ARRIVES..frame - LEAVES];
            let mean = inner.iter().sum::<f32>() / inner.len() as f32;
            let variance = inner.iter().map(|pitch| (pitch - mean).powi(2)).sum::<f32>() / inner.len() as f32;
            movements.push((100.0 * variance.sqrt(), frame - first));
        }
        first = frame;
    }
    movements.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut left = 3 * movements.iter().map(|movement| movement.1).sum::<usize>() / 4;
    let quartile = movements.iter().find(|movement| {
        let found = left < movement.1;
        left = left.saturating_sub(movement.1);
        found
    });
    quartile.map_or(0.0, |movement| movement.0)
}

/// One voice.
pub fn one_voice(together: Together) -> TextureEstimate {
    let evidence = format!("One voice: two notes sound together in {} % of the time.", together.percent());
    TextureEstimate { texture: Texture::OneVoice, confidence: 1.0 - together.certainty(), evidence }
}

/// Several voices, by the share of the energy that is struck and the movement of the leading pitch.
pub fn several_voices(together: Together, struck: f32, movement_cents: f32) -> TextureEstimate {
    let drums = certainty((struck - DRUMS) / DRUMS_SPREAD);
    let voice = certainty((movement_cents - MOVES_CENTS) / MOVES_SPREAD);
    let lead = drums.max(voice);
    let (texture, sure, what) = if drums >= 0.5 {
        (Texture::Mix, lead, "A mix with drums")
    } else if voice >= 0.5 {
        (Texture::Mix, lead, "A voice over other instruments")
    } else {
        (Texture::Chords, 1.0 - lead, "Chords of one instrument")
    };
    let evidence = format!(
        "{what}: notes sound together in {} % of the time, {:.0} % of the sound is struck, and the pitch moves by {:.0} cents \
         within notes.",
        together.percent(),
        100.0 * struck,
        movement_cents
    );
    TextureEstimate { texture, confidence: together.certainty() * sure, evidence }
}

/// Certainty of evidence, 0 to 1, a half at 0.
fn certainty(evidence: f32) -> f32 {
    1.0 / (1.0 + (-evidence).exp())
}

/// The pitch of the bass at a moment: the lowest note of its range that sounds.
pub fn bass_hz(notes: &[PolyNote], seconds: f64) -> Option<f32> {
    let sounding = notes.iter().filter(|note| (note.onset.0..note.offset.0).contains(&seconds));
    sounding.filter(|note| note.key < BASS_END).min_by_key(|note| note.key).map(|note| note.pitch.hz().0)
}
