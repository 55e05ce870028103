//! Thread: worker. The parts of a MIDI file: the notes of one channel on one track, with what is said about them.

use midly::{MetaMessage, MidiMessage, Smf, Track, TrackEventKind};
use std::collections::BTreeMap;

/// The channel that General MIDI keeps for drums, counted from 0.
const DRUMS: u8 = 9;
/// Letters of a name that are shown.
const LONGEST_NAME: usize = 40;

/// A note in ticks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PartNote {
    pub on: u64,
    pub off: u64,
    pub key: u8,
    /// 1 to 127.
    pub velocity: u8,
}

/// What one player plays.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Index of its track.
    pub track: usize,
    /// 0 to 15.
    pub channel: u8,
    /// The track's name; empty when it has none.
    pub name: String,
    /// General MIDI program, when one was set before the first note.
    pub program: Option<u8>,
    /// In the order of their starts.
    pub notes: Vec<PartNote>,
}

/// Every part with notes but the drums, in the order of tracks and channels. A note that nobody ends lasts until the next of its
/// part begins, `longest` ticks at most.
pub fn parts(file: &Smf, longest: u64) -> Vec<Part> {
    file.tracks.iter().enumerate().flat_map(|(index, track)| parts_of(index, track, longest)).collect()
}

/// A track's events with their ticks from the start.
pub fn in_ticks<'a>(track: &'a Track<'a>) -> impl Iterator<Item = (u64, &'a TrackEventKind<'a>)> {
    track.iter().scan(0_u64, |now, event| {
        *now += u64::from(event.delta.as_int());
        Some((*now, &event.kind))
    })
}

/// A note that sounds: its key, start and velocity.
type Held = (u8, u64, u8);

fn parts_of(index: usize, track: &Track, longest: u64) -> Vec<Part> {
    let mut name = String::new();
    let mut channels: BTreeMap<u8, (Part, Vec<Held>)> = BTreeMap::new();
    let mut end = 0;
    for (tick, event) in in_ticks(track) {
        end = tick;
        match event {
            TrackEventKind::Meta(MetaMessage::TrackName(words)) if name.is_empty() => name = readable(words),
            TrackEventKind::Midi { channel, message } if channel.as_int() != DRUMS => {
                let channel = channel.as_int();
                let empty = Part { track: index, channel, name: String::new(), program: None, notes: Vec::new() };
                let (part, held) = channels.entry(channel).or_insert((empty, Vec::new()));
                play(part, held, tick, *message);
            }
            _ => {}
        }
    }
    let closed = channels.into_values().map(|(mut part, held)| {
        for (key, on, velocity) in held {
            let next = part.notes.iter().map(|note| note.on).filter(|&next| next > on).min();
            let off = next.unwrap_or(end.max(on + 1)).min(on + longest);
            part.notes.push(PartNote { on, off, key, velocity });
        }
        part.notes.retain(|note| note.off > note.on);
        part.notes.sort_by_key(|note| (note.on, note.key));
        part.name.clone_from(&name);
        part
    });
    closed.filter(|part| !part.notes.is_empty()).collect()
}

fn play(part: &mut Part, held: &mut Vec<Held>, tick: u64, message: MidiMessage) {
    let mut end = |key: u8| {
        if let Some(index) = held.iter().position(|held| held.0 == key) {
            let (key, on, velocity) = held.remove(index);
            part.notes.push(PartNote { on, off: tick, key, velocity });
        }
    };
    match message {
        MidiMessage::NoteOn { key, vel } => {
            // A key that is struck again stops sounding first.
            end(key.as_int());
            if vel.as_int() > 0 {
                held.push((key.as_int(), tick, vel.as_int()));
            }
        }
        MidiMessage::NoteOff { key, .. } => end(key.as_int()),
        MidiMessage::ProgramChange { program } if part.notes.is_empty() => part.program = Some(program.as_int()),
        // The pedal lengthens what is heard, not what is meant: it is left out.
        _ => {}
    }
}

/// A name as text: UTF-8, or the Latin letters that old files use.
fn readable(words: &[u8]) -> String {
    let text =
        String::from_utf8(words.to_vec()).unwrap_or_else(|_| words.iter().map(|&byte| char::from(byte)).collect());
    let clean: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST_NAME).collect()
}
