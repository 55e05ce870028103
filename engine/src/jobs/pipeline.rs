//! Thread: worker. The product in one readable file: take → analysis → score → rendition, each result remembered.

use super::cache::{Cache, InputHash};
use crate::analysis::edit::{Edited, Edits, NoteId};
use crate::analysis::{Analysis, analyse};
use crate::capture::take::Take;
use crate::error::Result;
use crate::generation::band::{arrange, retempo};
use crate::generation::style::library::StyleLibrary;
use crate::generation::{Recipe, Request};
use crate::job_context::{JobContext, Stage};
use crate::rendition::{Rendition, render};
use crate::time::{SampleRate, SongGrid};
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
    let input = InputHash::of_rendition(melody.input, recipe, rate);
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

/// Plays a rendition's score again on another tempo or rate. `None` when the engine wrote no score.
///
/// The fidelity is carried over: it was measured against the melody as sung, and the same notes are played.
///
/// # Errors
/// Whatever [`render`] says; [`crate::Error::Cancelled`].
pub fn again(
    rendition: &Rendition,
    grid: &SongGrid,
    rate: SampleRate,
    cache: &Cache,
    context: &JobContext,
) -> Result<Option<Arc<Rendition>>> {
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

fn milliseconds_since(begun: Instant) -> f32 {
    begun.elapsed().as_secs_f32() * 1e3
}
