//! Thread: worker. The product in one readable file: take → analysis → score or audio → rendition, each result
//! remembered.

use super::cache::{Cache, InputHash};
use crate::analysis::edit::{Edited, Edits, NoteId};
use crate::analysis::{Analysis, analyse};
use crate::audio::AudioBuffer;
use crate::capture::take::Take;
use crate::error::{Error, Result};
use crate::generation::band::{arrange, retempo};
use crate::generation::choice::{MelodyCondition, MusicGenChoice};
use crate::generation::order::audio_request;
use crate::generation::prompt::resolve;
use crate::generation::score::ChordSpan;
use crate::generation::style::library::StyleLibrary;
use crate::generation::{EngineKind, Recipe, Request};
use crate::job_context::{JobContext, Stage};
use crate::rendition::audio::{from_audio, on_grid};
use crate::rendition::{Rendition, render};
use crate::time::{SampleRate, SongGrid};
use crate::worker::{Order, Workshop};
use std::sync::Arc;
use std::time::Instant;

/// A take and what was understood of it, with the hash that names both.
#[derive(Debug, Clone)]
pub struct Melody {
    /// Hash of the take, and of what was corrected.
    pub input: InputHash,
    /// What was understood.
    pub analysis: Arc<Analysis>,
    /// Time the analysis took; 0 when it was remembered.
    pub analysis_ms: f32,
}

/// A melody with its corrections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Corrected {
    /// What everything after the analysis works with.
    pub melody: Melody,
    /// The name of each of its notes, for further corrections.
    pub ids: Arc<[NoteId]>,
    /// Whether a note is other than it was heard.
    pub changed: Arc<[bool]>,
}

/// Listens to a take.
///
/// # Errors
/// Whatever [`analyse`] says; [`crate::Error::Cancelled`].
pub fn listen(take: &Take, cache: &Cache, context: &JobContext) -> Result<Melody> {
    context.progress(Stage::Analysis, 0.0)?;
    let input = InputHash::of_take(take);
    if let Some(analysis) = cache.analysis(input) {
        return Ok(Melody { input, analysis, analysis_ms: 0.0 });
    }
    let begun = Instant::now();
    let analysis = Arc::new(analyse(take, context)?);
    cache.keep_analysis(input, analysis.clone());
    Ok(Melody { input, analysis, analysis_ms: milliseconds_since(begun) })
}

/// A melody as a user corrected it: what was heard is taken as it is, only what follows from the notes is computed again. It
/// has a name of its own, so that renditions of it are remembered apart from those of the melody as heard.
///
/// # Errors
/// [`crate::Error::Edit`] when a correction does not fit the melody.
pub fn corrected(heard: &Melody, edits: &Edits) -> Result<Corrected> {
    if edits.0.is_empty() {
        let notes = heard.analysis.notes.len();
        let ids = (0..notes).map(NoteId::heard).collect();
        return Ok(Corrected { melody: heard.clone(), ids, changed: (0..notes).map(|_| false).collect() });
    }
    let Edited { analysis, ids, changed } = edits.apply(&heard.analysis)?;
    let melody = Melody { input: InputHash::of_edits(heard.input, edits), analysis: Arc::new(analysis), ..*heard };
    Ok(Corrected { melody, ids: ids.into(), changed: changed.into() })
}

/// Makes one rendition of a melody.
///
/// # Errors
/// Whatever the stages say; [`crate::Error::Cancelled`].
pub fn rendition(
    melody: &Melody,
    recipe: &Recipe,
    name: &str,
    rate: SampleRate,
    (library, cache): (&StyleLibrary, &Cache),
    context: &JobContext,
) -> Result<Arc<Rendition>> {
    let input = InputHash::of_rendition(melody.input, recipe, rate, library.revision());
    if let Some(known) = cache.rendition(input) {
        return Ok(Arc::new(Rendition { name: name.to_owned(), ..(*known).clone() }));
    }
    let request = Request { analysis: (*melody.analysis).clone(), recipe: recipe.clone() };
    context.progress(Stage::Arrangement, 0.0)?;
    let begun = Instant::now();
    let score = arrange(&request, library, context)?;
    let arrangement_ms = milliseconds_since(begun);
    let mut rendition = render(&score, &request, name, rate, context)?;
    rendition.timings.analysis_ms = melody.analysis_ms;
    rendition.timings.arrangement_ms = arrangement_ms;
    let rendition = Arc::new(rendition);
    cache.keep_rendition(input, rendition.clone());
    Ok(rendition)
}

/// What a neural engine is to make a rendition from.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// The take, whose sound the music may follow.
    pub take: &'a Take,
    /// What was understood of it.
    pub melody: &'a Melody,
    /// The wish.
    pub recipe: &'a Recipe,
    /// Its part that only the engine needs.
    pub choice: &'a MusicGenChoice,
    /// What the rendition is called.
    pub name: &'a str,
    /// The rate to deliver.
    pub rate: SampleRate,
}

/// Has a neural engine make one rendition, and fits it to the song.
///
/// When the job is stopped, what was made so far becomes a rendition of as many whole bars, marked as partial.
///
/// # Errors
/// Whatever the engine and the stages say; [`crate::Error::Cancelled`] when less than a bar had been made or nobody wants it.
pub fn neural_rendition(
    wanted: &Wanted,
    workshop: &Workshop,
    (library, cache): (&StyleLibrary, &Cache),
    context: &JobContext,
) -> Result<Arc<Rendition>> {
    let Wanted { take, melody, recipe, choice, name, rate } = *wanted;
    let input = InputHash::of_rendition(melody.input, recipe, rate, library.revision());
    if let Some(known) = cache.rendition(input) {
        return Ok(Arc::new(Rendition { name: name.to_owned(), ..(*known).clone() }));
    }
    let folder = choice.folder()?;
    let request = Request { analysis: (*melody.analysis).clone(), recipe: recipe.clone() };
    let begun = Instant::now();
    let chords = match choice.condition {
        MelodyCondition::Chords => harmony(&request, library, context)?,
        _ => Vec::new(),
    };
    let order = Order {
        folder,
        precision: choice.precision,
        request: audio_request(&request, (choice.condition, choice.sampling), &take.audio, &chords),
    };
    let mut pieces: Option<AudioBuffer> = None;
    let made = workshop.generate(&order, context, &mut |audio| match &mut pieces {
        Some(pieces) => pieces.channels.iter_mut().zip(&audio.channels).for_each(|(all, new)| all.extend(new)),
        None => pieces = Some(audio.clone()),
    });
    let (audio, partial, context) = match (made, pieces, context.salvage()) {
        (Ok(audio), ..) => (audio, false, context.clone()),
        (Err(Error::Cancelled), Some(pieces), Some(salvage)) => (pieces, true, salvage),
        (Err(error), ..) => return Err(error),
    };
    let arrangement_ms = milliseconds_since(begun);
    let name = if partial { format!("{name} (partial)") } else { name.to_owned() };
    let mut rendition = match from_audio(&audio, &request, &name, (rate, partial), &context) {
        // Whoever stopped it so early expects nothing.
        Err(Error::NoMelody { .. }) if partial => return Err(Error::Cancelled),
        result => result?,
    };
    rendition.timings.analysis_ms = melody.analysis_ms;
    rendition.timings.arrangement_ms = arrangement_ms;
    let rendition = Arc::new(rendition);
    if !partial {
        cache.keep_rendition(input, rendition.clone());
    }
    Ok(rendition)
}

/// The chords that Band would play under the melody, in the prompt's style or a plain one.
fn harmony(request: &Request, library: &StyleLibrary, context: &JobContext) -> Result<Vec<ChordSpan>> {
    let plain = || library.list().first().map(|style| style.name.clone()).unwrap_or_default();
    let known = resolve(&request.recipe.prompt, library).is_ok();
    let prompt = if known { request.recipe.prompt.clone() } else { plain() };
    let recipe = Recipe { engine: EngineKind::Band, prompt, ..request.recipe.clone() };
    Ok(arrange(&Request { recipe, ..request.clone() }, library, context)?.chords)
}

/// A rendition on another tempo or rate: its score is played again, or its audio stretched. `None` when it has neither.
///
/// The fidelity is carried over: it was measured against the melody as sung, and the same notes are played.
///
/// # Errors
/// Whatever [`render`] or [`on_grid`] says; [`crate::Error::Cancelled`].
pub fn again(
    rendition: &Rendition,
    grid: &SongGrid,
    rate: SampleRate,
    cache: &Cache,
    context: &JobContext,
) -> Result<Option<Arc<Rendition>>> {
    if rendition.made.is_some() {
        return stretched(rendition, grid, rate, cache, context).map(Some);
    }
    let Some(score) = &rendition.score else { return Ok(None) };
    let input = InputHash::of_score(score, grid, rate);
    if let Some(known) = cache.rendition(input) {
        return Ok(Some(known));
    }
    let score = retempo(score, grid.clone());
    let request = Request { analysis: Analysis::unheard(grid.clone()), recipe: rendition.recipe.clone() };
    let mut again = render(&score, &request, &rendition.name, rate, context)?;
    again.fidelity = rendition.fidelity;
    let again = Arc::new(again);
    cache.keep_rendition(input, again.clone());
    Ok(Some(again))
}

fn stretched(
    rendition: &Rendition,
    grid: &SongGrid,
    rate: SampleRate,
    cache: &Cache,
    context: &JobContext,
) -> Result<Arc<Rendition>> {
    if *grid == rendition.grid && rate == rendition.rate() {
        return Ok(Arc::new(rendition.clone()));
    }
    let input = InputHash::of_audio(rendition, grid, rate);
    if let Some(known) = cache.rendition(input) {
        return Ok(known);
    }
    let stretched = Arc::new(on_grid(rendition, grid, rate, context)?);
    cache.keep_rendition(input, stretched.clone());
    Ok(stretched)
}

fn milliseconds_since(begun: Instant) -> f32 {
    begun.elapsed().as_secs_f32() * 1e3
}
