//! Thread: main. Melodies whose notes are known, as takes that were played.

use crate::Result;
use cantus_engine::analysis::{Analysis, analyse};
use cantus_engine::audio::AudioBuffer;
use cantus_engine::capture::take::{Take, TakeNote, TakeSource};
use cantus_engine::job_context::JobContext;
use cantus_engine::time::{Beats, Bpm, Metre, SampleRate, Seconds, SongGrid};
use serde_json::Value;
use std::path::Path;

/// Longest melody that is arranged, in bars: what is longer loses its end.
const MOST_BARS: f64 = 16.0;

/// One melody.
pub struct Melody {
    pub id: String,
    /// As the engine understands it.
    pub analysis: Analysis,
    /// Whether it is a line without a tonic or a plan, which no chord need fit.
    pub is_study: bool,
}

/// The first `count` melodies of a folder, studies last; each tune once a folder allows it.
pub fn read(folder: &Path, count: usize) -> Result<Vec<Melody>> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut paths: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let mut rows = Vec::new();
    for path in paths {
        let text = std::fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let value: Value = serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        if value["bpm"].as_f64().is_some() && value["notes"].as_array().is_some_and(|notes| notes.len() > 3) {
            rows.push(value);
        }
    }
    let tune = |value: &Value| value["tune"].as_str().unwrap_or_default().to_owned();
    let is_study = |value: &Value| matches!(tune(value).as_str(), "octaves" | "random");
    // Tunes that were not yet taken come first, then tunes again, then studies.
    let mut taken: Vec<String> = Vec::new();
    let mut keyed: Vec<(usize, usize, Value)> = Vec::new();
    for (index, row) in rows.into_iter().enumerate() {
        let again = taken.iter().filter(|name| **name == tune(&row)).count();
        taken.push(tune(&row));
        keyed.push((if is_study(&row) { 100 + again } else { again }, index, row));
    }
    keyed.sort_by_key(|(again, index, _)| (*again, *index));
    let melodies: Vec<Melody> =
        keyed.iter().take(count).map(|(.., row)| melody(row, is_study(row))).collect::<Result<_>>()?;
    if melodies.len() < count.min(2) {
        return Err(format!("{} has no melodies: X.json with bpm and notes is needed.", folder.display()));
    }
    Ok(melodies)
}

fn melody(row: &Value, is_study: bool) -> Result<Melody> {
    let tempo = Bpm(row["bpm"].as_f64().unwrap_or(100.0));
    let grid = SongGrid::at_origin(tempo, Metre::default());
    let number = |note: &Value, field: &str| note[field].as_f64().unwrap_or_default();
    let notes = row["notes"].as_array().map_or(&[][..], Vec::as_slice);
    let bar_seconds = Beats(4.0).seconds(tempo).0;
    // The recording's silence before the first note is no part of the song.
    let first = notes.first().map_or(0.0, |note| number(note, "onset"));
    let last = notes.last().map_or(0.0, |note| number(note, "offset")) - first;
    let bars = (last / bar_seconds - 0.02).ceil().clamp(1.0, MOST_BARS);
    let end = bars * bar_seconds;
    let notes = notes.iter().map(|note| TakeNote {
        onset: Seconds(number(note, "onset") - first),
        offset: Seconds((number(note, "offset") - first).min(end)),
        key: number(note, "midi_nominal").round().clamp(0.0, 127.0) as u8,
        velocity: 0.75,
        channel: 0,
    });
    let take = Take {
        id: 1,
        source: TakeSource::Bars,
        audio: AudioBuffer::silent(SampleRate(44_100), 1, 0),
        notes: notes.filter(|note| note.onset.0 < end - 0.05).collect(),
        grid,
        on_grid: true,
        length: Beats(4.0 * bars),
        lost_frames: 0,
        remarks: Vec::new(),
        margins: Default::default(),
    };
    let analysis = analyse(&take, &JobContext::detached()).map_err(|error| error.to_string())?;
    Ok(Melody { id: row["id"].as_str().unwrap_or("melody").to_owned(), analysis, is_study })
}
