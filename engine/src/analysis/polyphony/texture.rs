//! Thread: worker. How many voices a take has, from the notes heard in it.

use super::{HOP, PolyNote, Posteriors, RATE};
use crate::analysis::{Texture, TextureEstimate};

/// A note this far under the loudest that sounds with it is a string that still rings, or the room.
const RINGING_DB: f32 = 12.0;
/// Seconds at either end of a note that do not count: slurred notes overlap there.
const SLUR: f64 = 0.05;
/// Share of the sounding time with two notes or more from which there is more than one voice. One voice stays under 0.17
/// when sung and under 0.22 on a guitar whose strings ring on; chords and mixes lie over 0.3, and anything between is called
/// one voice: a melody heard as a mix loses more than a mix heard as a melody.
const SEVERAL: f32 = 0.26;
/// How much more or less of that share turns a guess into certainty.
const SPREAD: f32 = 0.06;
/// Share of the energy that is struck, from which there are drums. A piano stays under, drums at -10 dB lie over it.
const DRUMS: f32 = 0.11;
const DRUMS_SPREAD: f32 = 0.02;
/// Lowest C of a bass line's range, and the first key above it.
const BASS_END: u8 = 48;

/// Share of the sounding time in which two notes or more sound together, about as loud as each other.
pub fn together(posteriors: &Posteriors, notes: &[PolyNote]) -> f32 {
    let frames = posteriors.frames();
    let mut sounding: Vec<Vec<f32>> = vec![Vec::new(); frames];
    for note in notes {
        let frame = |seconds: f64| ((seconds * RATE.hz() / HOP as f64).round().max(0.0) as usize).min(frames);
        for frame in frame(note.onset.0 + SLUR)..frame(note.offset.0 - SLUR) {
            sounding[frame].push(posteriors.level_db[frame][usize::from(note.key - super::LOWEST_KEY)]);
        }
    }
    let several = |levels: &&Vec<f32>| {
        let loudest = levels.iter().fold(f32::MIN, |loudest, level| loudest.max(*level));
        levels.iter().filter(|&&level| level > loudest - RINGING_DB).count() > 1
    };
    let count = sounding.iter().filter(|levels| !levels.is_empty()).count();
    if count == 0 { 0.0 } else { sounding.iter().filter(several).count() as f32 / count as f32 }
}

/// Whether that share means more than one voice.
pub fn is_several(together: f32) -> bool {
    together >= SEVERAL
}

/// What kind of input it is. `struck` is the share of the energy that is struck, looked at only when there are several voices.
pub fn texture(
    together: f32,
    struck: impl FnOnce() -> crate::error::Result<f32>,
) -> crate::error::Result<TextureEstimate> {
    let certainty = |distance: f32| 1.0 / (1.0 + (-distance).exp());
    let several = certainty((together - SEVERAL) / SPREAD);
    let share = (100.0 * together).round();
    if !is_several(together) {
        let evidence = format!("One voice: two notes sound together in {share} % of the time.");
        return Ok(TextureEstimate { texture: Texture::OneVoice, confidence: 1.0 - several, evidence });
    }
    let struck = struck()?;
    let drums = certainty((struck - DRUMS) / DRUMS_SPREAD);
    let (texture, confidence, what) = if drums >= 0.5 {
        (Texture::Mix, several * drums, "A mix with drums")
    } else {
        (Texture::Chords, several * (1.0 - drums), "Chords of one instrument")
    };
    let struck = (100.0 * struck).round();
    let evidence =
        format!("{what}: notes sound together in {share} % of the time, and {struck} % of the sound is struck.");
    Ok(TextureEstimate { texture, confidence, evidence })
}

/// The pitch of the bass at a moment: the lowest note of its range that sounds.
pub fn bass_hz(notes: &[PolyNote], seconds: f64) -> Option<f32> {
    let sounding = notes.iter().filter(|note| (note.onset.0..note.offset.0).contains(&seconds));
    sounding.filter(|note| note.key < BASS_END).min_by_key(|note| note.key).map(|note| note.pitch.hz().0)
}
