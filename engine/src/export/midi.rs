//! Thread: worker. A score as a Standard MIDI File: type 1, one track a part, tick 0 at the start of the region.

mod melody;

pub use melody::melody_bytes;

use crate::error::{Error, Result};
use crate::generation::score::{Score, ScoreNote, Track};
use crate::polyline::value_at;
use crate::time::{Beats, Bpm, Metre};
use midly::num::{u4, u7, u14, u15, u24, u28};
use midly::{Format, Header, MetaMessage, MidiMessage, PitchBend, Smf, Timing, TrackEvent, TrackEventKind};

/// Ticks of a quarter note.
pub const TICKS_PER_BEAT: u16 = 960;
/// Semitones of a full turn of the pitch wheel.
pub const BEND_RANGE: u8 = 12;
/// MIDI channel of drums, counted from 0.
const DRUM_CHANNEL: u8 = 9;
/// Ticks between two points of a curve: 8 ms at 120 BPM.
const CURVE_STEP: u64 = 15;

/// An event at its tick, with a rank that orders what happens on one tick: ends, then set-up and curves, then starts.
type Timed<'a> = (u64, u8, TrackEventKind<'a>);

/// The bytes of the file.
///
/// Curves go out as pitch wheel (range set by RPN 0 to 12 semitones) and expression (CC 11); pan, level and room as CC 10, 7
/// and 91. Notes that begin before the region begin at tick 0.
///
/// # Errors
/// [`Error::Internal`] when the writer fails.
pub fn midi_bytes(score: &Score, name: &str) -> Result<Vec<u8>> {
    let mut smf = Smf::new(Header::new(Format::Parallel, Timing::Metrical(u15::new(TICKS_PER_BEAT))));
    let end = ticks(score.length).max(1);
    smf.tracks.push(delta_times(conductor(score, name), end));
    let mut melodic = (0..16_u8).filter(|&channel| channel != DRUM_CHANNEL).cycle();
    for track in &score.tracks {
        let drums = track.preset.is_kit();
        let channel = if drums { DRUM_CHANNEL } else { melodic.next().unwrap_or(0) };
        smf.tracks.push(delta_times(part(score, track, channel), end));
    }
    let mut bytes = Vec::new();
    smf.write_std(&mut bytes).map_err(|error| Error::internal("writing files", error))?;
    Ok(bytes)
}

/// Ticks from the start of the region; what lies before it is at 0.
fn ticks(beats: Beats) -> u64 {
    // Not a number and negative become 0.
    (beats.0 * f64::from(TICKS_PER_BEAT)).round() as u64
}

fn conductor<'a>(score: &'a Score, name: &'a str) -> Vec<Timed<'a>> {
    let meta = |at, message| (at, 1, TrackEventKind::Meta(message));
    let start = score.grid.start;
    let mut events = vec![
        meta(0, MetaMessage::TrackName(name.as_bytes())),
        meta(0, time_signature(score.grid.metre)),
        meta(0, tempo_message(score.grid.tempo.tempo_at(start))),
    ];
    let inside = |at: Beats| at > start && at < start + score.length;
    for point in score.grid.tempo.points().iter().filter(|point| inside(point.at)) {
        events.push(meta(ticks(point.at - start), tempo_message(point.tempo)));
    }
    for chord in score.chords.iter().filter(|chord| chord.start < start + score.length) {
        events.push(meta(ticks(chord.start - start), MetaMessage::Marker(chord.symbol.as_bytes())));
    }
    events
}

fn tempo_message(tempo: Bpm) -> MetaMessage<'static> {
    let microseconds = (60_000_000.0 / tempo.0).round().clamp(1.0, 16_777_215.0) as u32;
    MetaMessage::Tempo(u24::new(microseconds))
}

fn time_signature(metre: Metre) -> MetaMessage<'static> {
    MetaMessage::TimeSignature(metre.numerator, metre.denominator.max(1).ilog2() as u8, 24, 8)
}

fn part<'a>(score: &Score, track: &'a Track, channel: u8) -> Vec<Timed<'a>> {
    let event = |at, rank, message| (at, rank, TrackEventKind::Midi { channel: u4::new(channel), message });
    let control = |controller, value: f32| MidiMessage::Controller {
        controller: u7::new(controller),
        value: u7::new(value.round().clamp(0.0, 127.0) as u8),
    };
    let mut events = vec![(0, 1, TrackEventKind::Meta(MetaMessage::TrackName(track.instrument.as_bytes())))];
    if !track.preset.is_kit() {
        events.push(event(0, 1, control(0, f32::from(track.preset.bank))));
    }
    events.push(event(0, 1, MidiMessage::ProgramChange { program: u7::new(track.preset.program.min(127)) }));
    // Levels follow the square law of General MIDI: 40 log10(value / 127) dB.
    let square_law = |full: f32, decibels: f32| full * 10.0_f32.powf(decibels / 40.0);
    events.push(event(0, 1, control(7, square_law(100.0, track.gain_db))));
    events.push(event(0, 1, control(10, 64.0 + 63.0 * track.pan)));
    events.push(event(0, 1, control(91, 127.0 * track.reverb)));
    let notes = sorted(score, track);
    if notes.iter().any(|(.., note)| !note.bend.is_empty()) {
        for (controller, value) in [(101, 0), (100, 0), (6, BEND_RANGE), (38, 0)] {
            events.push(event(0, 1, control(controller, f32::from(value))));
        }
    }
    let wheel = |semitones: f32| {
        let value = (8192.0 + semitones / f32::from(BEND_RANGE) * 8192.0).round().clamp(0.0, 16_383.0) as u16;
        MidiMessage::PitchBend { bend: PitchBend(u14::new(value)) }
    };
    // A straight note after a bent one must find the wheel and the pedal back in their places.
    let (mut last_wheel, mut last_pedal) = (wheel(0.0), control(11, 127.0));
    for (index, &(start, end, note)) in notes.iter().enumerate() {
        let until = notes.get(index + 1).map_or(u64::MAX, |next| next.0).min(end.max(start + 1));
        let origin = note.start - score.grid.start;
        for at in curve_ticks(start, until, note) {
            let beat = (at as f64 / f64::from(TICKS_PER_BEAT) - origin.0) as f32;
            let bend = wheel(value_at(&note.bend, beat));
            if bend != last_wheel {
                events.push(event(at, 2, bend));
                last_wheel = bend;
            }
            let pedal = control(11, square_law(127.0, value_at(&note.expression_db, beat)));
            if pedal != last_pedal {
                events.push(event(at, 2, pedal));
                last_pedal = pedal;
            }
        }
        let (key, vel) = (u7::new(note.key.min(127)), u7::new(note.velocity.clamp(1, 127)));
        events.push(event(start, 3, MidiMessage::NoteOn { key, vel }));
        events.push(event(end, 0, MidiMessage::NoteOff { key, vel: u7::new(64) }));
    }
    events
}

/// Notes with their ticks, in order; none outside the region, none over itself.
fn sorted<'a>(score: &Score, track: &'a Track) -> Vec<(u64, u64, &'a ScoreNote)> {
    let region_end = ticks(score.length);
    let mut notes: Vec<(u64, u64, &ScoreNote)> = track
        .notes
        .iter()
        .map(|note| {
            let start = note.start - score.grid.start;
            (ticks(start), ticks(start + note.length), note)
        })
        .filter(|&(start, end, note)| start < region_end && end > 0 && note.velocity > 0)
        .collect();
    notes.sort_by_key(|&(start, _, note)| (start, note.key));
    for index in 0..notes.len() {
        let (start, end, note) = notes[index];
        // A second stroke of a sounding key would be ended by the first one's end.
        let again = notes[index + 1..].iter().find(|(.., later)| later.key == note.key).map_or(u64::MAX, |next| next.0);
        notes[index].1 = end.min(again).max(start + 1);
    }
    notes.dedup_by(|next, kept| next.0 == kept.0 && next.2.key == kept.2.key);
    notes
}

/// Where a note's curves are written: at its start, then in steps while they last.
fn curve_ticks(start: u64, until: u64, note: &ScoreNote) -> impl Iterator<Item = u64> {
    let last = note.bend.iter().chain(&note.expression_db).fold(0.0_f32, |last, point| last.max(point.0));
    let over = start.saturating_add(ticks(Beats(f64::from(last)))).saturating_add(CURVE_STEP).min(until);
    (start..over.max(start + 1)).step_by(CURVE_STEP as usize)
}

/// Absolute ticks to differences, closed by the end of the track.
fn delta_times(mut events: Vec<Timed>, end: u64) -> Vec<TrackEvent> {
    events.sort_by_key(|&(at, rank, _)| (at, rank));
    let last = events.last().map_or(0, |event| event.0).max(end);
    events.push((last, 4, TrackEventKind::Meta(MetaMessage::EndOfTrack)));
    let mut now = 0;
    events
        .into_iter()
        .map(|(at, _, kind)| {
            let delta = u28::new(u32::try_from(at - now).unwrap_or(0).min(0x0FFF_FFFF));
            now = at;
            TrackEvent { delta, kind }
        })
        .collect()
}
