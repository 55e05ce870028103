//! Thread: main. Plays every style on every melody and seed, and measures what comes out.

use super::arguments::Arguments;
use super::classify::Example;
use super::fit::{self, Sung};
use super::melodies::Melody;
use super::sound::{self, RATE, Sound};
use super::style_row::StyleRow;
use super::{facts, features, lead, variety};
use crate::Result;
use cantus_engine::generation::band::{ARRANGER_VERSION, arrange};
use cantus_engine::generation::direction::Direction;
use cantus_engine::generation::score::{Level, Score};
use cantus_engine::generation::style::Style;
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::generation::{EngineKind, Recipe, Request, Timing};
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::{Rendition, render};
use cantus_engine::time::Beats;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Melodies that are also rendered loud, and paraphrased.
const ALSO_LOUD: usize = 3;

/// Everything that was found.
pub struct Outcome {
    pub rows: Vec<StyleRow>,
    /// Loudness and true peak of the loud renderings.
    pub loud: Vec<(f64, f64)>,
    /// Places of the own melody at freedom 1.
    pub paraphrases: Vec<usize>,
    /// Examples for the classifiers, with the number of their melody.
    pub notes: Vec<(usize, Example)>,
    pub sounds: Vec<(usize, Example)>,
}

/// What one style gave.
struct Piece {
    row: StyleRow,
    loud: Vec<(f64, f64)>,
    paraphrases: Vec<usize>,
    notes: Vec<(usize, Example)>,
    sounds: Vec<(usize, Example)>,
}

/// Plays everything, two styles at a time.
pub fn play(library: &StyleLibrary, styles: &[&Style], melodies: &[Melody], arguments: &Arguments) -> Result<Outcome> {
    let sung: Vec<Vec<Sung>> = melodies.iter().map(|melody| fit::sung(&melody.analysis)).collect();
    let next = AtomicUsize::new(0);
    let pieces: Mutex<Vec<(usize, Piece)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(style) = styles.get(index) else { break };
                    let piece = Player { library, style, class: index, melodies, sung: &sung, arguments }.play();
                    eprintln!("{} done", style.name);
                    if let Ok(mut pieces) = pieces.lock() {
                        pieces.push((index, piece));
                    }
                }
            });
        }
    });
    let mut pieces = pieces.into_inner().map_err(|_| "a style made the harness fail".to_owned())?;
    if pieces.len() != styles.len() {
        return Err("a style made the harness fail".to_owned());
    }
    pieces.sort_by_key(|(index, _)| *index);
    let mut outcome =
        Outcome { rows: Vec::new(), loud: Vec::new(), paraphrases: Vec::new(), notes: Vec::new(), sounds: Vec::new() };
    for (_, piece) in pieces {
        outcome.rows.push(piece.row);
        outcome.loud.extend(piece.loud);
        outcome.paraphrases.extend(piece.paraphrases);
        outcome.notes.extend(piece.notes);
        outcome.sounds.extend(piece.sounds);
    }
    Ok(outcome)
}

struct Player<'a> {
    library: &'a StyleLibrary,
    style: &'a Style,
    class: usize,
    melodies: &'a [Melody],
    sung: &'a [Vec<Sung>],
    arguments: &'a Arguments,
}

impl Player<'_> {
    fn request(&self, melody: usize, seed: u64, freedom: f32, level: Level) -> Request {
        let recipe = Recipe {
            engine: EngineKind::Band,
            prompt: self.style.name.clone(),
            seed,
            freedom,
            timing: Timing::AsSung,
            direction: Direction { level, ..Direction::default() },
            song: Default::default(),
            engine_version: ARRANGER_VERSION,
        };
        Request { analysis: self.melodies[melody].analysis.clone(), recipe }
    }

    fn play(&self) -> Piece {
        let row = StyleRow { name: self.style.name.clone(), ..StyleRow::default() };
        let mut piece = Piece { row, loud: Vec::new(), paraphrases: Vec::new(), notes: Vec::new(), sounds: Vec::new() };
        for melody in 0..self.melodies.len() {
            let mut scores: Vec<Score> = Vec::new();
            for seed in 1..=self.arguments.seeds {
                piece.row.scores += 1;
                match self.one(melody, seed, &mut piece) {
                    Ok(score) => scores.push(score),
                    Err(fault) => {
                        let id = &self.melodies[melody].id;
                        piece.row.faults.push(format!("{id}, seed {seed}: {fault}"));
                    }
                }
            }
            let pairs = scores.windows(2).map(|pair| variety::difference(&pair[0], &pair[1]));
            piece.row.differences.extend(pairs);
        }
        piece
    }

    fn one(&self, melody: usize, seed: u64, piece: &mut Piece) -> Result<Score> {
        let context = JobContext::detached();
        let request = self.request(melody, seed, 0.0, Level::Session);
        let arranged = || arrange(&request, self.library, &context).map_err(|error| error.to_string());
        let score = arranged()?;
        if arranged()? != score {
            return Err("the same seed gave another score".to_owned());
        }
        let Melody { id, analysis, is_study } = &self.melodies[melody];
        let notes = &self.sung[melody];
        let row = &mut piece.row;
        let place = |what: String| format!("{id}, seed {seed}: {what}");
        row.faults.extend(invalid(&score).map(place));
        if !is_study {
            row.chord_tones.push(fit::chord_tone_ratio(&score, notes));
        }
        row.clashes.extend(fit::clashes(&score, notes, &self.style.harmony).into_iter().map(place));
        row.lead_events.push(lead::events(&score, notes));
        row.turned.extend(lead::turned(&score, notes).into_iter().map(place));
        row.broken_facts.extend(facts::broken(self.style, &score).into_iter().map(place));
        let measured = facts::measure(self.style, &score, analysis);
        row.outside_ranges.extend(facts::outside(self.style, &measured).into_iter().map(place));
        row.measured.push(measured);
        piece.notes.push((melody, (self.class, features::of_score(&score))));
        if seed <= self.arguments.audio {
            self.hear(melody, seed, &score, &request, piece)?;
        }
        Ok(score)
    }

    fn hear(&self, melody: usize, seed: u64, score: &Score, request: &Request, piece: &mut Piece) -> Result<()> {
        let played = |score: &Score, request: &Request| {
            render(score, request, "Score", RATE, &JobContext::detached()).map_err(|error| error.to_string())
        };
        let rendition = played(score, request)?;
        let sound: Sound = sound::listen(&rendition, score, &self.sung[melody], self.sung, melody);
        let id = &self.melodies[melody].id;
        piece.row.faults.extend(sound.faults.iter().map(|fault| format!("{id}, seed {seed}: {fault}")));
        let beat_seconds = score.grid.tempo.seconds_between(Beats(0.0), Beats(1.0)).0;
        piece.sounds.push((melody, (self.class, features::of_sound(&rendition.mix, beat_seconds))));
        if let Some(folder) = &self.arguments.write {
            write(folder, &format!("{}-{id}-{seed}", self.style.name), &rendition, score, &self.sung[melody])?;
        }
        piece.row.sounds.push(sound);
        if seed == 1 && melody < ALSO_LOUD {
            if played(score, request)?.mix != rendition.mix {
                piece.row.faults.push(format!("{id}, seed {seed}: the same seed gave other samples"));
            }
            let request = self.request(melody, seed, 0.0, Level::Loud);
            piece.loud.push(sound::loudness(&played(score, &request)?.mix));
        }
        if seed == 1 {
            let request = self.request(melody, seed, 1.0, Level::Session);
            let free = arrange(&request, self.library, &JobContext::detached()).map_err(|error| error.to_string())?;
            let rendition = played(&free, &request)?;
            let sound = sound::listen(&rendition, &free, &self.sung[melody], self.sung, melody);
            piece.paraphrases.push(sound.rank);
        }
        Ok(())
    }
}

/// What no score may have, in words.
fn invalid(score: &Score) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    let (start, end) = (score.grid.start.0, score.grid.start.0 + score.length.0);
    for track in &score.tracks {
        let name = track.role.name();
        let mut last_end = [f64::NEG_INFINITY; 128];
        for note in &track.notes {
            let ends = note.start.0 + note.length.0;
            if !(note.start.0 >= start - 1e-6 && ends <= end + 1e-6 && note.length.0 > 0.0) {
                found.push(format!("{name}: a note from {:.3} to {ends:.3} in {start} to {end}", note.start.0));
            }
            let finite =
                note.bend.iter().chain(&note.expression_db).all(|(at, value)| at.is_finite() && value.is_finite());
            if !finite || note.key > 127 || note.velocity == 0 || note.velocity > 127 {
                found.push(format!("{name}: a note that nobody can play at {:.3}", note.start.0));
            }
            let key = usize::from(note.key.min(127));
            if note.start.0 < last_end[key] - 1e-6 {
                found.push(format!("{name}: key {key} is struck while it sounds at {:.3}", note.start.0));
            }
            last_end[key] = ends;
        }
    }
    let mut at = start;
    for chord in &score.chords {
        if (chord.start.0 - at).abs() > 1e-6 || chord.length.0 <= 0.0 {
            found.push(format!("the chords leave a gap at {at:.3}"));
        }
        at = chord.start.0 + chord.length.0;
    }
    if (at - end).abs() > 1e-6 {
        found.push(format!("the chords end at {at:.3}, the score at {end:.3}"));
    }
    found.into_iter()
}

/// Lead and mix as WAV, and the notes the lead should play, in seconds, for other listeners.
fn write(folder: &std::path::Path, name: &str, rendition: &Rendition, score: &Score, melody: &[Sung]) -> Result<()> {
    use cantus_engine::generation::score::Role;
    let wav = |path: std::path::PathBuf, audio: &cantus_engine::audio::AudioBuffer| -> Result<()> {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: audio.rate.0,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let failed = |error: hound::Error| format!("cannot write {}: {error}", path.display());
        let mut writer = hound::WavWriter::create(&path, spec).map_err(failed)?;
        for sample in audio.to_mono() {
            writer.write_sample((sample * 32_767.0).clamp(-32_768.0, 32_767.0) as i16).map_err(failed)?;
        }
        writer.finalize().map_err(failed)
    };
    wav(folder.join(format!("{name}.mix.wav")), &rendition.mix)?;
    let lead = rendition.stems.iter().find(|stem| stem.role == Role::Lead);
    if let Some(lead) = lead {
        wav(folder.join(format!("{name}.lead.wav")), &lead.audio)?;
    }
    let rate = rendition.rate();
    let seconds = |beat: f64| score.grid.frame_of(Beats(beat), rate).seconds(rate).0;
    let notes: Vec<serde_json::Value> = melody
        .iter()
        .map(|note| serde_json::json!({ "onset": seconds(note.start), "offset": seconds(note.end), "midi": note.key }))
        .collect();
    let path = folder.join(format!("{name}.json"));
    let instrument = score.tracks.iter().find(|track| track.role == Role::Lead).map(|track| track.instrument.clone());
    let text = serde_json::json!({ "notes": notes, "lead": instrument }).to_string();
    std::fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
