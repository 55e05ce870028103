//! Thread: worker. A part's track: set-up, notes, curves.

use super::options::{LeadBends, MidiOptions};
use super::pieces::{Piece, pieces};
use super::{BEND_RANGE, MPE_BEND_RANGE, Timed};
use crate::generation::score::{Role, Score, Track};
use crate::generation::style::presets::PresetTable;
use crate::polyline::value_at;
use midly::num::{u4, u7, u14};
use midly::{MetaMessage, MidiMessage, PitchBend, TrackEventKind};

/// Member channels of the zone: a line needs few, and its notes ring on while the next ones bend.
const MEMBERS: u8 = 5;
/// MIDI channel of drums, counted from 0.
const DRUM_CHANNEL: u8 = 9;

/// Changes of pitch that are worth an event.
const HEARD_SEMITONES: f32 = 0.015;

/// The channels a track is written on, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Channels {
    /// For what concerns the whole track; the zone's master in MPE.
    whole: u8,
    /// For notes, in turn.
    notes: Vec<u8>,
    /// The track names the kit of its channel. Of two kits on the one channel there is only the first.
    program: bool,
}

impl Channels {
    fn is_zone(&self) -> bool {
        self.notes.len() > 1
    }
}

/// Deals the channels: the zone first, when there is one, then one a part.
pub(super) fn deal(score: &Score, options: &MidiOptions) -> Vec<Channels> {
    let zone = options.lead == LeadBends::Mpe && score.tracks.iter().any(carries);
    let first = if zone { MEMBERS + 1 } else { 0 };
    let mut melodic = (first..16).filter(|&channel| channel != DRUM_CHANNEL).cycle();
    let mut kits = 0;
    score
        .tracks
        .iter()
        .map(|track| {
            if track.preset.is_kit() {
                kits += 1;
                return Channels { whole: DRUM_CHANNEL, notes: vec![DRUM_CHANNEL], program: kits == 1 };
            }
            if zone && carries(track) {
                return Channels { whole: 0, notes: (1..=MEMBERS).collect(), program: true };
            }
            let channel = melodic.next().unwrap_or(0);
            Channels { whole: channel, notes: vec![channel], program: true }
        })
        .collect()
}

fn carries(track: &Track) -> bool {
    track.role == Role::Lead && !track.preset.is_kit()
}

fn control(controller: u8, value: f32) -> MidiMessage {
    MidiMessage::Controller { controller: u7::new(controller), value: u7::new(value.round().clamp(0.0, 127.0) as u8) }
}

/// The wheel at so many semitones of a range.
fn wheel(semitones: f32, range: u8) -> MidiMessage {
    let value = (8192.0 + semitones / f32::from(range) * 8192.0).round().clamp(0.0, 16_383.0) as u16;
    MidiMessage::PitchBend { bend: PitchBend(u14::new(value)) }
}

/// A registered parameter set to a value, and closed, so that a stray data entry changes nothing.
fn registered(parameter: u8, value: u8) -> [MidiMessage; 6] {
    [(101, 0), (100, parameter), (6, value), (38, 0), (101, 127), (100, 127)]
        .map(|(controller, value)| control(controller, f32::from(value)))
}

/// Levels follow the square law of General MIDI: 40 log10(value / 127) dB.
fn square_law(full: f32, decibels: f32) -> f32 {
    full * 10.0_f32.powf(decibels / 40.0)
}

/// The events of a part.
pub(super) fn part<'a>(
    score: &Score,
    track: &'a Track,
    channels: &Channels,
    options: &MidiOptions,
    presets: &PresetTable,
) -> Vec<Timed<'a>> {
    let event =
        |at, rank, channel: u8, message| (at, rank, TrackEventKind::Midi { channel: u4::new(channel), message });
    let kit = track.preset.is_kit();
    let range = match options.lead {
        LeadBends::Plain => None,
        _ if channels.is_zone() => Some(MPE_BEND_RANGE),
        _ => Some(BEND_RANGE),
    };
    let pieces = pieces(score, track, options.groove, &options.drum_map, range.map(f32::from));
    let mut events = vec![(0, 1, TrackEventKind::Meta(MetaMessage::TrackName(track.instrument.as_bytes())))];
    let mut everywhere: Vec<u8> = vec![channels.whole];
    if channels.is_zone() {
        everywhere.extend(&channels.notes);
        events.extend(registered(6, MEMBERS).map(|message| event(0, 1, channels.whole, message)));
    }
    let bends = range.filter(|_| pieces.iter().any(|piece| !piece.note.bend.is_empty()));
    let swells = pieces.iter().any(|piece| !piece.note.expression_db.is_empty());
    // A player that knows no zones finds every channel ready.
    for &channel in &everywhere {
        let mut say = |message| events.push(event(0, 1, channel, message));
        if channels.program {
            if !kit {
                // Whatever the sound is here, its nearest of General MIDI lies in bank 0.
                say(control(0, 0.0));
            }
            let program = presets.get(track.preset).map_or(track.preset.program, |info| info.gm);
            say(MidiMessage::ProgramChange { program: u7::new(program.min(127)) });
        }
        say(control(7, square_law(100.0, track.gain_db)));
        say(control(10, 64.0 + 63.0 * track.pan));
        say(control(91, 127.0 * track.reverb));
        if swells {
            say(control(11, 127.0));
        }
        if let Some(range) = bends {
            let range = if channels.is_zone() && channel == channels.whole { BEND_RANGE } else { range };
            registered(0, range).into_iter().for_each(&mut say);
            say(wheel(0.0, range));
        }
    }
    curves(&pieces, channels, bends, &mut events);
    for (index, piece) in pieces.iter().enumerate() {
        let channel = channels.notes[index % channels.notes.len()];
        let (key, vel) = (u7::new(piece.key), u7::new(piece.velocity.clamp(1, 127)));
        events.push(event(piece.start, 3, channel, MidiMessage::NoteOn { key, vel }));
        events.push(event(piece.end, 0, channel, MidiMessage::NoteOff { key, vel: u7::new(64) }));
    }
    events
}

/// Pitch wheel on each note's channel, expression on the whole track's: where they change, and back in their places for a note
/// without curves.
fn curves(pieces: &[Piece], channels: &Channels, bends: Option<u8>, events: &mut Vec<Timed<'_>>) {
    let event = |at, channel: u8, message| (at, 2, TrackEventKind::Midi { channel: u4::new(channel), message });
    let mut last_wheel = vec![0.0_f32; channels.notes.len()];
    let mut last_pedal = control(11, 127.0);
    for (index, piece) in pieces.iter().enumerate() {
        let next = pieces.get(index + 1).map_or(u64::MAX, |next| next.start);
        let turn = index % channels.notes.len();
        for at in piece.curve_ticks(piece.end.min(next.max(piece.start + 1))) {
            if let Some(range) = bends {
                let bend = piece.bend(at);
                // A note begins on its pitch exactly; after that, what nobody hears need not be written.
                let least = if at == piece.start { 1e-4 } else { HEARD_SEMITONES };
                if (bend - last_wheel[turn]).abs() >= least {
                    events.push(event(at, channels.notes[turn], wheel(bend, range)));
                    last_wheel[turn] = bend;
                }
            }
            let pedal = control(11, square_law(127.0, value_at(&piece.note.expression_db, piece.beat(at))));
            if pedal != last_pedal {
                events.push(event(at, channels.whole, pedal));
                last_pedal = pedal;
            }
        }
    }
}
