//! Thread: worker. The lead: the melody as it was sung, on an instrument.
//!
//! Onsets, lengths, glides, vibrato and dynamics are the singer's ([`expression`]). Only the octave is the instrument's
//! ([`register`]). With freedom the player takes liberties in the style's [`idiom`] ([`paraphrase`]).

mod answer;
mod cast;
mod expression;
mod idiom;
mod paraphrase;
mod register;

pub use cast::cast;
pub use expression::{vibrato_depth, with_vibrato};
pub use idiom::Idiom;
pub use register::{folded, octave_fit};

use super::melody::MelodyNote;
use super::sheet::Sheet;
use crate::analysis::Analysis;
use crate::generation::direction::LeadVoice;
use crate::generation::score::ScoreNote;
use crate::generation::style::Part;
use crate::generation::style::presets::{bends, sustains};
use crate::time::{Beats, Seconds};
use expression::{Dynamics, bend_curve, swell_curve};
use paraphrase::{Player, paraphrase};

/// A singer connects notes that leave no more than this between them.
const CONNECTED_SECONDS: f64 = 0.03;

/// The melody in the octave in which the lead plays it; without a lead, where it was sung.
pub fn tune(melody: &[MelodyNote], lead: Option<(&Part, (u8, u8))>, voice: LeadVoice) -> Vec<MelodyNote> {
    let Some((part, keys)) = lead else { return melody.to_vec() };
    let shift = octave_fit(melody, part.register, keys) + octaves(voice);
    let played = folded(melody, shift, keys);
    melody.iter().zip(played).map(|(note, key)| MelodyNote { key, ..note.clone() }).collect()
}

fn octaves(voice: LeadVoice) -> i32 {
    match voice {
        LeadVoice::OctaveUp => 12,
        LeadVoice::OctaveDown => -12,
        _ => 0,
    }
}

/// What a musician should know who asked for an octave that the instrument has not got throughout. `tune` comes from [`tune`].
pub fn remark(melody: &[MelodyNote], tune: &[MelodyNote], lead: (&Part, (u8, u8)), voice: LeadVoice) -> Option<String> {
    let way = match octaves(voice) {
        0 => return None,
        up if up > 0 => "higher",
        _ => "lower",
    };
    let shift = octave_fit(melody, lead.0.register, lead.1) + octaves(voice);
    let moved = |(sung, played): (&MelodyNote, &MelodyNote)| i32::from(played.key) == i32::from(sung.key) + shift;
    let whole = melody.iter().zip(tune).all(moved);
    (!whole).then(|| {
        format!("The lead cannot play all of the tune an octave {way}: what is out of its reach stays where it was.")
    })
}

/// What the lead plays of a tune from [`tune`], with freedom from 0, exactly so, to 1.
pub fn play(
    analysis: &Analysis,
    sheet: &Sheet<'_>,
    tune: &[MelodyNote],
    part: &Part,
    keys: (u8, u8),
    idiom: Idiom,
    freedom: f32,
) -> Vec<ScoreNote> {
    let dynamics = Dynamics::of(&analysis.notes);
    let mut notes: Vec<ScoreNote> = tune
        .iter()
        .map(|sung| {
            let source = &analysis.notes[sung.source];
            let beats_after = |seconds: f32| {
                let at = Seconds(source.onset.0 + f64::from(seconds));
                ((analysis.beat_at(at).0 - analysis.beat_at(source.onset).0) * sung.stretch) as f32
            };
            let bend = if bends(part.preset) { bend_curve(source, part.preset, beats_after) } else { Vec::new() };
            let swell = if sustains(part.preset) { swell_curve(source, &dynamics, beats_after) } else { Vec::new() };
            ScoreNote {
                start: Beats(sung.start),
                length: Beats((sung.end - sung.start).max(0.02)),
                key: sung.key,
                velocity: (dynamics.velocity(sung.loudness) * (1.0 + sheet.energy)).round().clamp(1.0, 127.0) as u8,
                bend,
                expression_db: swell,
                written: None,
            }
        })
        .collect();
    connect(&mut notes, sheet.tempo);
    let freedom = if freedom.is_finite() { freedom.clamp(0.0, 1.0) } else { 0.0 };
    if freedom <= 0.0 {
        return notes;
    }
    let (lowest, highest) = notes.iter().fold((127, 0), |(low, high), note| (note.key.min(low), note.key.max(high)));
    let player = Player {
        bars: sheet.bars,
        harmony: sheet.harmony,
        groove: sheet.groove,
        idiom,
        // Added notes stay where the part or the tune lies, and playable.
        keys: (part.register.0.min(lowest).max(keys.0), part.register.1.max(highest).min(keys.1)),
        slides: bends(part.preset),
        beats_per_ms: sheet.tempo / 60_000.0,
        freedom,
    };
    paraphrase(&notes, tune, &player, &mut sheet.chance(part))
}

/// Lets notes touch that the singer connected: the player does not let go between them.
fn connect(notes: &mut [ScoreNote], tempo: f64) {
    let connected = CONNECTED_SECONDS * tempo / 60.0;
    for index in 1..notes.len() {
        let start = notes[index].start.0;
        let before = &mut notes[index - 1];
        let gap = start - before.start.0 - before.length.0;
        if gap > 0.0 && gap <= connected {
            before.length = Beats(start - before.start.0);
        }
    }
}
