//! Thread: worker. Band, the built-in arranger: a melody and a style become a score.
//!
//! The melody is laid on the bars ([`melody`]), gets chords ([`harmony`]), an ensemble is chosen ([`ensemble`]), and every part
//! writes its notes from the same sheet ([`sheet`]). Everything follows from the request: the same request is the same score.

mod bars;
mod bass;
mod chance;
mod chords;
mod colour;
mod drums;
mod ensemble;
mod groove;
mod harmony;
mod lead;
mod melody;
mod pad;
mod sheet;
mod voicing;

use crate::error::{Error, Result};
use crate::generation::Request;
use crate::generation::prompt;
use crate::generation::score::{ChordSpan, Score, ScoreNote, Track};
use crate::generation::style::library::StyleLibrary;
use crate::generation::style::{Part, Rule};
use crate::job_context::{JobContext, Stage};
use crate::time::{Beats, SongGrid};
use bars::Bars;
use groove::Groove;
use sheet::Sheet;

/// Version of the arranger: goes up whenever the same request would give another score.
pub const ARRANGER_VERSION: u32 = 1;

/// Writes a score for a request.
///
/// The score covers the take exactly, in the take's tempo and metre. The same request gives the same score.
///
/// # Errors
/// [`Error::NoMelody`] when nothing was sung, [`Error::UnknownStyle`] when the prompt names no style and no instrument,
/// [`Error::OutOfRange`] for a take no song can have, [`Error::Cancelled`].
pub fn arrange(request: &Request, library: &StyleLibrary, context: &JobContext) -> Result<Score> {
    context.progress(Stage::Arrangement, 0.0)?;
    let analysis = &request.analysis;
    let recipe = &request.recipe;
    let wish = prompt::resolve(&recipe.prompt, library)?;
    let direction = wish.direct(&recipe.direction);
    let energy = 0.25 * direction.moods.energy;
    let style = library
        .get(&wish.style)
        .ok_or_else(|| Error::UnknownStyle { name: wish.style.clone(), known: library.names() })?;
    let bars = Bars::of(analysis, &style.form)?;
    let melody = melody::on_grid(analysis, &bars, recipe.timing)?;
    let harmony = harmony::harmonise(&melody, &bars, &analysis.key, style, recipe.seed);
    context.progress(Stage::Arrangement, 0.4)?;

    let parts = ensemble::choose(style, &wish, library.presets(), recipe.seed);
    let keys_of = |part: &Part| library.presets().get(part.preset).map_or((0, 127), |info| info.keys);
    let lead = &parts[0];
    let tune = lead::tune(&melody, lead, keys_of(lead));
    let tempo = analysis.tempo().0;
    let sheet = Sheet {
        bars: &bars,
        harmony: &harmony,
        tune: &tune,
        groove: Groove::new(&style.feel, tempo, bars.metre),
        tempo,
        form: &style.form,
        energy,
        seed: recipe.seed,
    };
    let asked = lead::Wish { freedom: wish.freedom(recipe.freedom), energy, seed: recipe.seed };
    let mut tracks = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        context.progress(Stage::Arrangement, 0.4 + 0.6 * index as f32 / parts.len() as f32)?;
        let mut notes = match part.rule {
            Rule::Melody => lead::play(analysis, &tune, part, &bars, &harmony, asked),
            Rule::Comp => chords::comp(&sheet, part),
            Rule::Hold => pad::hold(&sheet, part),
            Rule::Degrees => bass::degrees(&sheet, part),
            Rule::Walk => bass::walk(&sheet, part),
            Rule::Kit => drums::kit(&sheet, part),
            Rule::Run => colour::run(&sheet, part),
            Rule::Bell => colour::bell(&sheet, part),
            Rule::Arp => chords::comp(&sheet, part),
            Rule::Riff => bass::degrees(&sheet, part),
            Rule::Counter | Rule::Riser | Rule::Double => Vec::new(),
        };
        if part.rule != Rule::Melody {
            fit_in(&mut notes, &bars, keys_of(part));
        }
        let instrument =
            library.presets().get(part.preset).map_or_else(|| part.role.name().to_owned(), |info| info.name.clone());
        tracks.push(Track {
            role: part.role,
            instrument,
            preset: part.preset,
            gain_db: part.gain_db + if part.rule == Rule::Melody { lead_lift_db(&sheet) } else { 0.0 },
            pan: part.pan,
            reverb: part.reverb,
            strip: part.strip,
            notes,
        });
    }
    let chords = harmony
        .chords
        .iter()
        .map(|chord| ChordSpan {
            start: Beats(chord.start),
            length: Beats(chord.end - chord.start),
            symbol: chord.symbol.clone(),
            root: chord.root,
            tones: chord.tones.clone(),
            bass: None,
            locked: false,
        })
        .collect();
    context.progress(Stage::Arrangement, 1.0)?;
    Ok(Score {
        style: style.name.clone(),
        understood: wish.understood,
        ignored: wish.ignored,
        grid: analysis.grid.clone(),
        length: analysis.length,
        chords,
        tracks,
        room: style.room,
        delay: style.delay,
        master: style.master,
        ending: direction.ending,
        remarks: Vec::new(),
    })
}

/// Decibels by which the lead follows the others' playing strength: a score that is all full groove has a louder lead than one
/// that starts lightly, so that the tune stays as far in front.
fn lead_lift_db(sheet: &Sheet<'_>) -> f32 {
    let (a, b) = sheet.form.energy;
    let bars = &sheet.bars.bars;
    let mean = bars.iter().map(|bar| sheet.form_strength(bar)).sum::<f32>() / bars.len() as f32;
    // Synthesizers play a velocity v at 40 log10(v / 127) decibels.
    40.0 * (mean / ((a + b) / 2.0)).log10()
}

/// Brings a part's notes into the score and onto its keys: looseness may have moved the first or last ones out. Notes of one
/// key never overlap, so that a note-off means one note.
fn fit_in(notes: &mut Vec<ScoreNote>, bars: &Bars, keys: (u8, u8)) {
    notes.retain(|note| note.start.0 < bars.end - 0.01);
    for note in notes.iter_mut() {
        let end = (note.start.0 + note.length.0).min(bars.end);
        note.start = Beats(note.start.0.max(bars.start));
        note.length = Beats((end - note.start.0).max(0.01));
        note.key = note.key.clamp(keys.0, keys.1);
        note.velocity = note.velocity.clamp(1, 127);
    }
    notes.sort_by(|a, b| a.start.0.total_cmp(&b.start.0).then(a.key.cmp(&b.key)));
    let mut last_of_key: [Option<usize>; 128] = [None; 128];
    let mut doubled = vec![false; notes.len()];
    for index in 0..notes.len() {
        let (start, key) = (notes[index].start, usize::from(notes[index].key));
        if let Some(before) = last_of_key[key] {
            let gap = start.0 - notes[before].start.0;
            if gap < 0.02 {
                // Two hits at once are one, the stronger.
                notes[before].velocity = notes[before].velocity.max(notes[index].velocity);
                doubled[index] = true;
                continue;
            }
            notes[before].length = Beats(notes[before].length.0.min(gap));
        }
        last_of_key[key] = Some(index);
    }
    let mut doubled = doubled.into_iter();
    notes.retain(|_| !doubled.next().unwrap_or(false));
}

/// The same beats on another grid: tempo, place in the song and metre are the new grid's.
pub fn retempo(score: &Score, grid: SongGrid) -> Score {
    let shift = grid.start - score.grid.start;
    let mut moved = score.clone();
    for chord in &mut moved.chords {
        chord.start = chord.start + shift;
    }
    for note in moved.tracks.iter_mut().flat_map(|track| &mut track.notes) {
        note.start = note.start + shift;
        note.written = note.written.map(|written| written + shift);
    }
    moved.grid = grid;
    moved
}
