//! Thread: worker. Band, the built-in arranger: a melody and a style become a score.
//!
//! The melody is laid on the bars ([`melody`]), gets chords ([`harmony`]), an ensemble is chosen ([`ensemble`]), and every part
//! writes its notes from the same sheet ([`sheet`]). Everything follows from the request: the same request is the same score.

mod arp;
mod bars;
mod bass;
mod chance;
mod chords;
mod colour;
mod counter;
mod double;
mod drums;
mod ensemble;
mod extension;
mod fills;
mod form;
mod groove;
mod harmony;
mod lead;
mod melody;
mod metres;
mod moods;
mod pad;
mod riff;
mod riser;
mod sheet;
mod voicing;
mod walk;

pub use harmony::Alternative;

use crate::analysis::{Analysis, Key, KeyEstimate};
use crate::error::{Error, Result};
use crate::generation::direction::{Direction, Ending, LeadVoice};
use crate::generation::prompt::{self, Resolved};
use crate::generation::score::{Balance, ChordSpan, Role, Score, ScoreNote, SectionMark, Track};
use crate::generation::style::library::StyleLibrary;
use crate::generation::style::{Part, Rule, Section, Style};
use crate::generation::{Recipe, Request};
use crate::job_context::{JobContext, Stage};
use crate::time::{Beats, SongGrid};
use bars::{Bars, Shape};
use extension::Pass;
use groove::Groove;
use harmony::Harmony;
use moods::Mood;
use sheet::Sheet;
use std::borrow::Cow;

/// Version of the arranger: goes up whenever the same request would give another score.
pub const ARRANGER_VERSION: u32 = 2;

/// Writes a score for a request.
///
/// The score covers the take exactly, in the take's tempo and metre; with [`Direction::bars`] it is a piece of so many bars of it, and
/// with [`Ending::Final`] one bar longer when the tune fills its last bar. The same request gives the same score.
///
/// A part depends on the melody, the chords and its own seed, never on what another part drew, on its sound or on whether it plays:
/// with the chords' seed and its own kept, it stays the same, note for note, whatever is settled about the others. What is said to the
/// whole band (moods, pulse, place, length, ending) reaches every part.
///
/// # Errors
/// [`Error::NoMelody`] when nothing was sung, [`Error::UnknownStyle`] when the prompt names no style and no instrument,
/// [`Error::OutOfRange`] for a take no song can have, [`Error::Cancelled`].
pub fn arrange(request: &Request, library: &StyleLibrary, context: &JobContext) -> Result<Score> {
    context.progress(Stage::Arrangement, 0.0)?;
    let (wish, recipe, style) = understood(&request.recipe, library)?;
    let (recipe, direction) = (&recipe, &recipe.direction);
    let Piece { analysis, bars, melody, harmony } = piece(&request.analysis, style, recipe, context)?;
    context.progress(Stage::Arrangement, 0.4)?;

    let presets = library.presets();
    let keys_of = |part: &Part| presets.get(part.preset).map_or((0, 127), |info| info.keys);
    let voice = direction.lead;
    let (mut parts, mut remarks) = ensemble::choose(style, &wish, presets, direction, recipe.seed);
    remarks.extend(lead::cast(&mut parts, style, voice, presets, direction.seed_of(Role::Lead, recipe.seed)));
    let lead = parts.iter().find(|part| part.rule == Rule::Melody);
    let lead_keys = lead.map(|part| (part, keys_of(part)));
    let led_tune = lead::tune(&melody, lead_keys, voice);
    remarks.extend(lead_keys.and_then(|lead| lead::remark(&melody, &led_tune, lead, voice)));
    // The others know the tune where the style's own lead would play it, so that another lead changes nothing for them.
    let known = ensemble::lead(style, &wish, presets, harmony_seed(recipe));
    let mut tune = lead::tune(&melody, Some((&known, keys_of(&known))), LeadVoice::AsSung);
    if voice == LeadVoice::Off {
        // The singer keeps the tune, where it was sung.
        tune.clone_from(&melody);
    }
    let fills = fills::rooms(&bars, &tune, &style.form);
    let tempo = analysis.tempo().0;
    let mood = Mood::of(&direction.moods);
    let sheet = Sheet {
        bars: &bars,
        harmony: &harmony,
        tune: &tune,
        fills: &fills,
        groove: Groove::new(&style.feel, tempo, bars.metre, direction.pulse, mood),
        tempo,
        form: &style.form,
        mood,
        energy: mood.lead_energy(),
        direction,
        seed: recipe.seed,
    };
    let answered = parts.iter().any(|part| part.rule == Rule::Counter);
    let idiom = lead::Idiom::of(style, answered);
    let led = lead.map(|part| lead::play(&analysis, &sheet, &led_tune, part, keys_of(part), idiom, recipe.freedom));
    let led = led.as_deref();
    let mut tracks = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        context.progress(Stage::Arrangement, 0.4 + 0.6 * index as f32 / parts.len() as f32)?;
        if part.role == Role::Lead && direction.lead == LeadVoice::Off {
            continue;
        }
        let mut notes = match part.rule {
            Rule::Melody => led.unwrap_or(&[]).to_vec(),
            Rule::Counter => counter::line(&sheet, part, &tune, idiom),
            Rule::Double => double::play(led.unwrap_or(&[]), &sheet, part, keys_of(part), voice),
            Rule::Comp => chords::comp(&sheet, part),
            Rule::Hold => pad::hold(&sheet, part),
            Rule::Degrees => bass::degrees(&sheet, part),
            Rule::Walk => walk::walk(&sheet, part),
            Rule::Kit => drums::kit(&sheet, part),
            Rule::Run => colour::run(&sheet, part),
            Rule::Bell => colour::bell(&sheet, part),
            Rule::Arp => arp::arp(&sheet, part),
            Rule::Riff => riff::riff(&sheet, part),
            Rule::Riser => riser::riser(&sheet, part),
        };
        if part.rule == Rule::Melody {
            wrap_pickup(&mut notes, &bars, direction);
        } else {
            fit_in(&mut notes, &bars, keys_of(part));
        }
        let instrument = presets.get(part.preset).map_or_else(|| part.role.name().to_owned(), |info| info.name.clone());
        let mut strip = part.strip;
        strip.tilt_db = mood.tilt_db(strip.tilt_db);
        tracks.push(Track {
            role: part.role,
            instrument,
            preset: part.preset,
            gain_db: part.gain_db + if part.rule == Rule::Melody { lead_lift_db(&sheet) } else { 0.0 },
            pan: part.pan,
            reverb: mood.send(part.reverb),
            strip,
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
            bass: chord.bass,
            locked: chord.locked,
        })
        .collect();
    context.progress(Stage::Arrangement, 1.0)?;
    let as_taken = (bars.end - bars.start - request.analysis.length.0).abs() < 1e-9;
    let mut score = Score {
        style: style.name.clone(),
        understood: wish.understood,
        ignored: wish.ignored,
        grid: analysis.grid.clone(),
        length: if as_taken { request.analysis.length } else { Beats(bars.end - bars.start) },
        key: Some(Key { tonic: harmony.tonic, mode: harmony.mode }),
        sections: sections(&bars),
        chords,
        tracks,
        room: style.room,
        delay: style.delay,
        master: style.master,
        ending: direction.ending,
        balance: None,
        remarks: remarks.into_iter().chain(harmony.remarks).collect(),
    };
    // Settled while every part is there: muting one must not move the others.
    score.balance = Some(Balance::of(&score));
    let muted = |role: Role| direction.part(role).is_some_and(|choice| choice.muted);
    score.tracks.retain(|track| !muted(track.role));
    Ok(score)
}

/// What a recipe's prompt means, the recipe with it, and the style. What the prompt asks for lies under what was chosen expressly.
fn understood<'a>(recipe: &Recipe, library: &'a StyleLibrary) -> Result<(Resolved, Recipe, &'a Style)> {
    let wish = prompt::resolve(&recipe.prompt, library)?;
    let told =
        Recipe { direction: wish.direct(&recipe.direction), freedom: wish.freedom(recipe.freedom), ..recipe.clone() };
    let style = library
        .get(&wish.style)
        .ok_or_else(|| Error::UnknownStyle { name: wish.style.clone(), known: library.names() })?;
    Ok((wish, told, style))
}

/// The seed of the chords.
fn harmony_seed(recipe: &Recipe) -> u64 {
    recipe.direction.harmony_seed.unwrap_or(recipe.seed)
}

/// What the chords are to be found for.
fn task<'a>(
    melody: &'a [melody::MelodyNote],
    bars: &'a Bars,
    key: &'a KeyEstimate,
    style: &'a Style,
    recipe: &'a Recipe,
) -> harmony::Task<'a> {
    harmony::Task { melody, bars, key, style, direction: &recipe.direction, song: &recipe.song, seed: recipe.seed }
}

/// A tune as it is to be arranged: as many bars of it as were asked for, with their chords.
struct Piece<'a> {
    analysis: Cow<'a, Analysis>,
    bars: Bars,
    melody: Vec<melody::MelodyNote>,
    harmony: Harmony,
}

fn piece<'a>(taken: &'a Analysis, style: &Style, recipe: &Recipe, context: &JobContext) -> Result<Piece<'a>> {
    let direction = &recipe.direction;
    let shape = Shape { ending: direction.ending, place: direction.place, ..Shape::default() };
    let as_taken = Bars::of(taken, &style.form, Shape { ending: Ending::Loop, ..shape })?;
    let span = as_taken.span();
    let wanted = direction.bars.map_or(span.bars, |bars| (bars as usize).max(1));
    let passes: Vec<Pass> = if wanted == span.bars { Vec::new() } else { extension::passes(span.bars, wanted) };
    let analysis = match passes.as_slice() {
        [] => Cow::Borrowed(taken),
        passes => Cow::Owned(extension::extend(taken, span, passes)),
    };
    let leads_in = !passes.is_empty() && as_taken.bars[0].pickup;
    let bars = Bars::of(&analysis, &style.form, Shape { passes: &passes, leads_in, ..shape })?;
    let melody = melody::on_grid(&analysis, &bars, recipe.timing)?;
    let manner = form::manner(style, direction);
    let recipe = &form::counted(recipe, &manner);
    let find = |melody: &[melody::MelodyNote], bars: &Bars| {
        harmony::harmonise(&task(melody, bars, &taken.key, &manner, recipe), context)
    };
    // Given chords have their places in the whole piece; found ones are the tune's and come back with it.
    let mut harmony = if passes.len() < 2 || !recipe.song.chords.is_empty() {
        find(&melody, &bars)?
    } else {
        let tune = find(&melody::on_grid(taken, &as_taken, recipe.timing)?, &as_taken)?;
        let ending = if direction.ending == Ending::Final {
            let ending = Bars::of(taken, &style.form, shape)?;
            find(&melody::on_grid(taken, &ending, recipe.timing)?, &ending)?
        } else {
            tune.clone()
        };
        form::over_passes(&tune, &ending, &passes, span.first, &bars)
    };
    form::come_home(&mut harmony, &bars);
    Ok(Piece { analysis, bars, melody, harmony })
}

/// What else each bar of a request's score could have, best first; the first of each is what it has. The place in a list is what
/// [`Direction::bar_alternatives`](crate::generation::direction::Direction::bar_alternatives) takes.
///
/// # Errors
/// As [`arrange`].
pub fn chord_alternatives(
    request: &Request,
    library: &StyleLibrary,
    context: &JobContext,
) -> Result<Vec<Vec<Alternative>>> {
    let (_, recipe, style) = understood(&request.recipe, library)?;
    let shape = Shape { ending: recipe.direction.ending, place: recipe.direction.place, passes: &[], leads_in: false };
    let bars = Bars::of(&request.analysis, &style.form, shape)?;
    let melody = melody::on_grid(&request.analysis, &bars, recipe.timing)?;
    let manner = form::manner(style, &recipe.direction);
    let recipe = &form::counted(&recipe, &manner);
    harmony::alternatives(&task(&melody, &bars, &request.analysis.key, &manner, recipe), context)
}

/// Where the sections begin.
fn sections(bars: &Bars) -> Vec<SectionMark> {
    let mut marks: Vec<SectionMark> = Vec::new();
    for bar in bars.bars.iter().filter(|bar| !bar.pickup && bar.in_phrase == 0) {
        let name = if bar.section == Section::B { "B" } else { "A" };
        if marks.last().is_none_or(|mark| mark.name != name) {
            marks.push(SectionMark { start: Beats(bar.from), name: name.to_owned() });
        }
    }
    marks
}

/// Decibels by which the lead follows the others' playing strength: a score that is all full groove has a louder lead than one
/// that starts lightly, so that the tune stays as far in front.
fn lead_lift_db(sheet: &Sheet<'_>) -> f32 {
    let (a, b) = sheet.form.energy;
    let bars = &sheet.bars.bars;
    let strength = |bar| moods::written_strength(sheet.form, sheet.direction.place, bar);
    let mean = bars.iter().map(strength).sum::<f32>() / bars.len() as f32;
    // Synthesizers play a velocity v at 40 log10(v / 127) decibels.
    40.0 * (mean.max(0.1) / ((a + b) / 2.0).max(0.1)).log10()
}

/// In a loop, what leads into the first bar sounds at the end of the last one, where the tune leaves it room.
fn wrap_pickup(notes: &mut Vec<ScoreNote>, bars: &Bars, direction: &Direction) {
    if direction.ending == Ending::Final {
        return;
    }
    let early: Vec<ScoreNote> = notes.iter().filter(|note| note.start.0 < bars.start - 0.02).cloned().collect();
    let shift = bars.end - bars.start;
    let Some(from) = early.iter().map(|note| note.start.0 + shift).min_by(f64::total_cmp) else { return };
    if notes.iter().any(|note| note.start.0 + note.length.0 > from + 0.02 && note.start.0 > bars.start - 0.02) {
        return;
    }
    notes.extend(early.into_iter().map(|note| {
        let start = note.start.0 + shift;
        let length = note.length.0.min(bars.end - start);
        let written = note.written.map(|at| Beats(at.0 + shift));
        ScoreNote { start: Beats(start), written, length: Beats(length), ..note }
    }));
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
    for section in &mut moved.sections {
        section.start = section.start + shift;
    }
    moved.grid = grid;
    moved
}
