//! Thread: worker. File takes in the song: at the playhead, at a bar, or anywhere, on the host's own grid.

use super::take::{Take, TakeNote};
use super::transport::TransportStamp;
use crate::audio::AudioBuffer;
use crate::time::{Beats, Seconds, SongGrid, TempoMap};
use serde::{Deserialize, Serialize};

/// Where a take of a file is to begin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Where the song is now.
    Playhead,
    /// At the line of the bar that the playhead is in.
    PlayheadBar,
    /// At a bar as hosts count them: the song begins with bar 1.
    Bar(i32),
    /// At a song position.
    At(Beats),
}

/// Half an audible moment: a file that ends so shortly after a bar line needs no further bar.
const ROUNDING: Beats = Beats(1e-6);

/// The song position of a place, by the host's transport; where the host tells none, the song's start.
pub fn position(place: Place, song: &TransportStamp) -> Beats {
    let lines = song.bar_lines();
    let playhead = song.song_beats().unwrap_or(0.0);
    match place {
        Place::Playhead => Beats(playhead),
        // A playhead a hair before a line is on it.
        Place::PlayheadBar => Beats(lines.before(playhead + 1e-9 * lines.apart)),
        Place::Bar(number) => Beats(f64::from(number.saturating_sub(1)) * lines.apart),
        Place::At(beats) if beats.0.is_finite() => beats,
        Place::At(_) => Beats(0.0),
    }
}

/// A file's take at a song position, on the grid of the host: its tempo and metre, where it tells them. Sound stays as long as it is;
/// notes of a MIDI file keep their beats. The length becomes whole bars again.
pub fn place(take: Take, at: Beats, song: &TransportStamp) -> Take {
    let tempo = song.usable_tempo().unwrap_or_else(|| take.grid.tempo.tempo_at(take.grid.start));
    let metre = song.metre.filter(|metre| metre.numerator > 0 && metre.denominator > 0).unwrap_or(take.grid.metre);
    let start_seconds = match (song.seconds, song.song_beats()) {
        (Some(seconds), Some(beats)) => Seconds(seconds) + (at - Beats(beats)).seconds(tempo),
        _ => at.seconds(tempo),
    };
    let grid = SongGrid { start: at, start_seconds, tempo: TempoMap::constant(tempo), metre };
    let is_midi = !take.notes.is_empty() && take.audio.peak() == 0.0;
    let rate = take.audio.rate;
    let old = &take.grid;
    let beat_of = |time: Seconds| old.beat_at(time) - old.start;
    let notes: Vec<TakeNote> = if is_midi {
        let moved = |time: Seconds| beat_of(time).seconds(tempo);
        take.notes
            .iter()
            .map(|note| TakeNote { onset: moved(note.onset), offset: moved(note.offset), ..*note })
            .collect()
    } else {
        take.notes.clone()
    };
    let covered = if is_midi { take.length } else { heard(&take.audio).beats(tempo) };
    let bar = metre.bar();
    let length = Beats(((covered - ROUNDING).0 / bar.0).ceil().max(1.0) * bar.0);
    let frames = grid.frame_of(at + length, rate).index().unwrap_or(0);
    let mut audio = take.audio;
    audio.channels.iter_mut().for_each(|channel| channel.resize(frames, 0.0));
    Take { audio, notes, grid, on_grid: true, length, margins: Default::default(), ..take }
}

/// The length of a recording without the digital silence at its end, with which files are filled up to whole bars.
fn heard(audio: &AudioBuffer) -> Seconds {
    let last = |channel: &Vec<f32>| channel.iter().rposition(|&sample| sample != 0.0).map_or(0, |at| at + 1);
    let frames = audio.channels.iter().map(last).max().unwrap_or(0);
    crate::time::Frames::from(frames).seconds(audio.rate)
}
