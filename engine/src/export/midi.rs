//! Thread: worker. A score as a Standard MIDI File: type 1, a conductor and one track a part, tick 0 at the start of the region.
//!
//! [`options`] are a producer's, [`conductor`] writes tempo, metre, key, chords and sections, [`pieces`] the notes as a file can say them,
//! [`part`] a part's track.

mod conductor;
mod melody;
mod options;
mod part;
mod pieces;

pub use melody::melody_bytes;
pub use options::{DrumMap, Feel, LeadBends, MidiOptions};

use crate::error::{Error, Result};
use crate::generation::score::{Role, Score, Track};
use crate::generation::style::presets::PresetTable;
use crate::time::Beats;
use midly::num::{u15, u28};
use midly::{Format, Header, MetaMessage, Smf, Timing, TrackEvent, TrackEventKind};

/// Ticks of a quarter note.
pub const TICKS_PER_BEAT: u16 = 960;
/// Semitones of a full turn of the pitch wheel.
pub const BEND_RANGE: u8 = 2;
/// The same on the note channels of an MPE zone.
pub const MPE_BEND_RANGE: u8 = 48;
/// Ticks between two points of a curve: 8 ms at 120 BPM.
const CURVE_STEP: u64 = 15;

/// An event at its tick, with a rank that orders what happens on one tick: ends, then set-up and curves, then starts.
type Timed<'a> = (u64, u8, TrackEventKind<'a>);

/// The bytes of the file as most sequencers like it: [`midi_bytes_with`] the default options.
///
/// # Errors
/// As [`midi_bytes_with`].
pub fn midi_bytes(score: &Score, name: &str) -> Result<Vec<u8>> {
    midi_bytes_with(score, name, &MidiOptions::default())
}

/// The bytes of the file.
///
/// Sounds are written as programs of General MIDI, drums on channel 10. Curves go out as pitch wheel (its range set by RPN 0)
/// and expression (CC 11); pan, level and room as CC 10, 7 and 91. Notes that begin before the region begin at tick 0.
///
/// # Errors
/// [`Error::Internal`] when the writer fails.
pub fn midi_bytes_with(score: &Score, name: &str, options: &MidiOptions) -> Result<Vec<u8>> {
    file_of(score, name, options, |_| true)
}

/// The bytes of a file with one part only, on the channel that it has in the whole one; tempo, metre, key, chords and sections come along.
///
/// # Errors
/// As [`midi_bytes_with`].
pub fn midi_part_bytes(score: &Score, role: Role, name: &str, options: &MidiOptions) -> Result<Vec<u8>> {
    file_of(score, name, options, |track| track.role == role)
}

fn file_of(score: &Score, name: &str, options: &MidiOptions, wanted: impl Fn(&Track) -> bool) -> Result<Vec<u8>> {
    let presets = PresetTable::shipped()?;
    let sections = conductor::section_names(score);
    let mut smf = Smf::new(Header::new(Format::Parallel, Timing::Metrical(u15::new(TICKS_PER_BEAT))));
    let end = ticks(score.length).max(1);
    smf.tracks.push(delta_times(conductor::conductor(score, name, &sections), end));
    let parts = score.tracks.iter().zip(part::deal(score, options));
    for (track, channels) in parts.filter(|(track, _)| wanted(track)) {
        smf.tracks.push(delta_times(part::part(score, track, &channels, options, &presets), end));
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
