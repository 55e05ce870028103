//! Thread: worker. Standard MIDI Files become takes: the notes of one part on the file's own grid. A user of midly.
//!
//! A file counts time in beats, so the take lies on the grid, with the tempo and the metre of the file. Only a file that counts
//! film frames has no beats; it is laid out in seconds, and the analysis looks for its tempo.

mod choice;
mod parts;

use crate::audio::AudioBuffer;
use crate::capture::take::{Take, TakeNote, TakeSource};
use crate::time::{Beats, Bpm, Metre, SampleRate, Seconds, SongGrid, TempoMap, TempoPoint};
use midly::{Format, MetaMessage, Smf, Timing, TrackEventKind};
use parts::Part;

/// Larger files are not songs.
pub(super) const MOST_BYTES: u64 = 32 << 20;
/// A take lasts at most an hour, and has at most as many notes as an hour of fast playing.
const MOST_SECONDS: f64 = 3_600.0;
const MOST_NOTES: usize = 40_000;
/// More tempo changes than a conductor makes are thinned out to so many.
const MOST_TEMPOS: usize = 1_000;
/// The rate of the silence that goes with the notes: the lowest that is, for nobody hears it.
const SILENCE_RATE: SampleRate = SampleRate(8_000);
/// The tempo of a file that names none.
const STANDARD_TEMPO: Bpm = Bpm(120.0);

/// Why a file cannot be used, as the middle of a sentence.
pub(super) type Reason = String;

/// A note that nobody ends lasts so many beats or seconds at most.
const ENDLESS: u64 = 4;

/// How a file counts time.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Clock {
    /// Ticks of a quarter note.
    Beats(f64),
    /// Ticks of a second.
    Seconds(f64),
}

/// Whether bytes begin as a MIDI file does, bare or wrapped in RIFF.
pub(super) fn is_midi(bytes: &[u8]) -> bool {
    bytes.starts_with(b"MThd") || (bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"RMID"))
}

/// Reads a file's bytes as a take at the start of the song. A tempo replaces the file's own; `metre` holds when the file has none;
/// `wanted` is the number of a part, from 1, or the likeliest melody is taken. The take's `remarks` tell what was chosen.
///
/// # Errors
/// A reason: damaged, cut off, without notes, too long, or without the wanted part.
pub(super) fn take(bytes: &[u8], tempo: Option<Bpm>, metre: Metre, wanted: Option<usize>) -> Result<Take, Reason> {
    if is_cut_off(bytes) {
        return Err("it was cut off".into());
    }
    let file = Smf::parse(bytes).map_err(|error| format!("it is damaged: {error}"))?;
    let clock = clock(file.header.timing)?;
    let mut remarks = Vec::new();
    if file.tracks.iter().any(|track| {
        !matches!(track.last().map(|event| event.kind), Some(TrackEventKind::Meta(MetaMessage::EndOfTrack)))
    }) {
        remarks.push("A track of the MIDI file has no end: what followed there may be missing.".to_owned());
    }
    let ticks = match file.header.timing {
        Timing::Metrical(ticks) => u64::from(ticks.as_int()),
        Timing::Timecode(rate, ticks) => u64::from(rate.as_int()) * u64::from(ticks),
    };
    let parts = parts::parts(&file, ENDLESS * ticks);
    let chosen = choice::choose(&parts, wanted, &mut remarks)?;
    // Tracks of a sequential file each begin anew; the tempo of one says nothing about another.
    let leading =
        if file.header.format == Format::Sequential { chosen.track..chosen.track + 1 } else { 0..file.tracks.len() };
    let mut grid = grid(&file, leading, clock, metre, &mut remarks);
    if let Some(tempo) = tempo {
        grid.tempo = TempoMap::constant(tempo);
    }
    laid_out(chosen, clock, grid, tempo.is_some(), remarks)
}

/// Whether a chunk promises more bytes than there are.
fn is_cut_off(bytes: &[u8]) -> bool {
    let mut rest = if bytes.starts_with(b"RIFF") { bytes.get(20..).unwrap_or_default() } else { bytes };
    while let Some((head, body)) = rest.split_first_chunk::<8>() {
        let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        let is_known = head.starts_with(b"MThd") || head.starts_with(b"MTrk");
        match usize::try_from(length).ok().and_then(|length| body.get(length..)) {
            Some(after) => rest = after,
            // What follows the last track may be anything.
            None => return is_known,
        }
    }
    false
}

fn clock(timing: Timing) -> Result<Clock, Reason> {
    let ticks = match timing {
        Timing::Metrical(ticks) => Clock::Beats(f64::from(ticks.as_int())),
        Timing::Timecode(rate, ticks) => Clock::Seconds(f64::from(rate.as_f32()) * f64::from(ticks)),
    };
    match ticks {
        Clock::Beats(0.0) | Clock::Seconds(0.0) => Err("it does not say how long a beat is".into()),
        other => Ok(other),
    }
}

/// Tempo and metre of the song, from its start.
fn grid(file: &Smf, tracks: std::ops::Range<usize>, clock: Clock, metre: Metre, remarks: &mut Vec<String>) -> SongGrid {
    let mut tempos: Vec<(u64, Bpm)> = Vec::new();
    let mut metres: Vec<(u64, Metre)> = Vec::new();
    for track in file.tracks.get(tracks).unwrap_or_default() {
        for (tick, event) in parts::in_ticks(track) {
            match event {
                TrackEventKind::Meta(MetaMessage::Tempo(microseconds)) if microseconds.as_int() > 0 => {
                    tempos.push((tick, tempo_of(microseconds.as_int())));
                }
                TrackEventKind::Meta(MetaMessage::TimeSignature(numerator, power, ..))
                    if *numerator > 0 && *power < 7 =>
                {
                    metres.push((tick, Metre { numerator: *numerator, denominator: 1 << power }));
                }
                _ => {}
            }
        }
    }
    metres.sort_by_key(|metre| metre.0);
    let first = metres.first().map_or(metre, |first| first.1);
    if metres.iter().any(|other| other.1 != first) {
        remarks.push(format!(
            "The MIDI file changes its time signature; bars are counted in {}/{} throughout.",
            first.numerator, first.denominator
        ));
    }
    let tempo = match clock {
        Clock::Beats(ticks) => tempo_map(tempos, ticks),
        Clock::Seconds(_) => TempoMap::constant(STANDARD_TEMPO),
    };
    SongGrid { start: Beats(0.0), start_seconds: Seconds(0.0), tempo, metre: first }
}

/// The tempo of a beat of so many microseconds: of all that are rounded to it the one with the fewest digits, 90 instead of
/// 89.99996.
fn tempo_of(microseconds: u32) -> Bpm {
    let exact = 60e6 / f64::from(microseconds);
    let shorter = [1.0, 10.0, 100.0, 1_000.0].map(|digits| (exact * digits).round() / digits);
    let same = |bpm: &f64| (60e6 / bpm).round() == f64::from(microseconds);
    Bpm(shorter.into_iter().find(same).unwrap_or(exact).clamp(1.0, 1_000.0))
}

fn tempo_map(mut tempos: Vec<(u64, Bpm)>, ticks_per_beat: f64) -> TempoMap {
    tempos.sort_by_key(|tempo| tempo.0);
    if tempos.first().is_none_or(|first| first.0 > 0) {
        tempos.insert(0, (0, STANDARD_TEMPO));
    }
    let step = tempos.len().div_ceil(MOST_TEMPOS);
    let mut points: Vec<TempoPoint> = Vec::new();
    for (tick, tempo) in tempos.into_iter().step_by(step) {
        let at = Beats(tick as f64 / ticks_per_beat);
        // Of several tempos at one place the last one holds.
        points.retain(|point| point.at < at);
        points.push(TempoPoint { at, tempo });
    }
    TempoMap::new(points)
}

/// The chosen part as a take of whole bars, from the bar of its first note on.
fn laid_out(
    part: Part,
    clock: Clock,
    grid: SongGrid,
    tempo_given: bool,
    mut remarks: Vec<String>,
) -> Result<Take, Reason> {
    if part.notes.len() > MOST_NOTES {
        return Err(format!("its melody has {} notes, and {MOST_NOTES} is the most that is read", part.notes.len()));
    }
    let beats = |tick: u64| match clock {
        Clock::Beats(ticks) => Beats(tick as f64 / ticks),
        Clock::Seconds(ticks) => grid.beat_at(Seconds(tick as f64 / ticks)),
    };
    let bar = grid.metre.bar().0;
    let first = part.notes.iter().map(|note| note.on).min().unwrap_or(0);
    let last = part.notes.iter().map(|note| note.off).max().unwrap_or(0);
    let empty = (beats(first).0 / bar).floor();
    if empty > 0.0 {
        let plural = if empty > 1.0 { "s" } else { "" };
        remarks.push(format!("{empty} empty bar{plural} before the first note of the MIDI file left out."));
    }
    let start = Beats(empty * bar);
    let seconds = |beat: Beats| grid.tempo.seconds_between(start, beat);
    // A note that is held a hair over the bar line does not ask for another bar.
    let rounding = 0.05;
    let latest = part.notes.iter().map(|note| note.on).max().unwrap_or(0);
    let covered = (beats(last) - start).0 - rounding;
    let begun = ((beats(latest) - start).0 / bar).floor() + 1.0;
    let length = Beats((covered / bar).ceil().max(begun) * bar);
    if !(0.0..=MOST_SECONDS).contains(&seconds(start + length).0) {
        return Err(format!(
            "it lasts {:.0} minutes, and one hour is the most that is read",
            seconds(start + length).0 / 60.0
        ));
    }
    let end = seconds(start + length);
    let notes = part.notes.iter().map(|note| TakeNote {
        onset: seconds(beats(note.on)),
        offset: Seconds(seconds(beats(note.off)).0.min(end.0)),
        key: note.key,
        velocity: f32::from(note.velocity) / 127.0,
        channel: part.channel,
    });
    let notes = notes.collect();
    let start_seconds = grid.tempo.seconds_between(Beats(0.0), start);
    let grid = SongGrid { start, start_seconds, ..grid };
    // A project could be saved with it, and not be opened again.
    if !grid.is_sane() {
        return Err("its first note lies where no song is".into());
    }
    let frames = grid.frame_of(start + length, SILENCE_RATE).index().unwrap_or(0);
    Ok(Take {
        id: 0,
        source: TakeSource::File,
        audio: AudioBuffer::silent(SILENCE_RATE, 1, frames),
        notes,
        on_grid: tempo_given || matches!(clock, Clock::Beats(_)),
        grid,
        length,
        lost_frames: 0,
        remarks,
        margins: Default::default(),
    })
}
