//! Thread: worker. A melody as a Standard MIDI File: the notes as sung in time, on the grid they were heard against.

use super::conductor::{key_signature, tempo_message, time_signature};
use super::{TICKS_PER_BEAT, Timed, delta_times, ticks};
use crate::analysis::Analysis;
use crate::error::{Error, Result};
use midly::num::{u4, u7, u15};
use midly::{Format, Header, MetaMessage, MidiMessage, Smf, Timing, TrackEventKind};

/// Velocities of the softest and of the loudest note.
const SOFTEST: f32 = 40.0;
const LOUDEST: f32 = 112.0;

/// The bytes of a type 1 file: tempo, metre and key, and one track of notes. Tick 0 lies at the start of the take; notes that
/// were sung before it begin there.
///
/// # Errors
/// [`Error::Internal`] when the writer fails.
pub fn melody_bytes(analysis: &Analysis, name: &str) -> Result<Vec<u8>> {
    // A sequencer counts bars from the beginning of the file.
    let start = analysis.grid.bar_line();
    let meta = |at, message| (at, 1, TrackEventKind::Meta(message));
    let mut conductor: Vec<Timed> = vec![
        meta(0, MetaMessage::TrackName(name.as_bytes())),
        meta(0, time_signature(analysis.metre())),
        meta(0, tempo_message(analysis.tempo())),
    ];
    if !analysis.notes.is_empty() {
        conductor.push(meta(0, key_signature(analysis.key.key)));
    }
    for point in analysis.grid.tempo.points().iter().filter(|point| point.at > start) {
        conductor.push(meta(ticks(point.at - start), tempo_message(point.tempo)));
    }
    let mut melody: Vec<Timed> = vec![meta(0, MetaMessage::TrackName(b"Melody"))];
    for note in &analysis.notes {
        let event = |at, rank, message| (at, rank, TrackEventKind::Midi { channel: u4::new(0), message });
        let on = ticks(analysis.beat_at(note.onset) - start);
        let off = ticks(analysis.beat_at(note.offset) - start).max(on + 1);
        let velocity = SOFTEST + (LOUDEST - SOFTEST) * note.loudness.clamp(0.0, 1.0);
        let (key, vel) = (u7::new(note.key.min(127)), u7::new(velocity.round() as u8));
        melody.push(event(on, 3, MidiMessage::NoteOn { key, vel }));
        melody.push(event(off, 0, MidiMessage::NoteOff { key, vel: u7::new(64) }));
    }
    let end = ticks(analysis.grid.start + analysis.length - start).max(1);
    let mut smf = Smf::new(Header::new(Format::Parallel, Timing::Metrical(u15::new(TICKS_PER_BEAT))));
    smf.tracks = vec![delta_times(conductor, end), delta_times(melody, end)];
    let mut bytes = Vec::new();
    smf.write_std(&mut bytes).map_err(|error| Error::internal("writing files", error))?;
    Ok(bytes)
}
