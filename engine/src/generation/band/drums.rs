//! Thread: worker. The drum kit: grooves, ghost notes, fills where the tune leaves room, and a cymbal on the first beat after one.

use super::bars::Bar;
use super::bass::roll;
use super::groove::PatternPlan;
use super::sheet::{PlacedStep, Sheet, note, written};
use crate::generation::score::ScoreNote;
use crate::generation::style::{LastChord, Part};

/// Beats a stroke is written with: kits play their samples out.
const STROKE: f64 = 0.2;

/// What the kit plays.
pub fn kit(sheet: &Sheet<'_>, part: &Part) -> Vec<ScoreNote> {
    let mut chance = sheet.chance(part);
    let plan = sheet.plan(part, &mut chance);
    let mut notes = Vec::new();
    let mut filled = false;
    let mut began = false;
    for (index, bar) in sheet.bars.bars.iter().enumerate() {
        if !sheet.plays(part, bar) {
            filled = false;
            continue;
        }
        if bar.closing {
            last_stroke(sheet, part, bar, &mut notes);
            continue;
        }
        let reach = reach(sheet, part, &plan, index, bar);
        let steps = sheet.steps(&plan, index, reach);
        let fill_from = reach
            .and(sheet.fill(index))
            .filter(|_| plan.fill.is_some())
            .map(|room| room.max(bar.to - reach.unwrap_or(0) as f64 * sheet.bars.count_beats));
        for step in &steps {
            let ghost = step.symbol == 'g';
            if ghost && sheet.luck(part, &step.line.voice, step.written) >= sheet.mood.ghosts(part.ghosts) {
                continue;
            }
            if !ghost && sheet.leaves_out(part, *step, bar) {
                continue;
            }
            let key = fill_from.map_or(step.line.key, |from| moved(sheet, part, *step, from, bar));
            stroke(sheet, bar, *step, key, &mut notes);
        }
        if fill_from.is_none() {
            added(sheet, part, bar, &steps, &mut notes);
        }
        if sheet.ends_with(bar) && sheet.form.last == LastChord::Swell && plan.ending.is_none() {
            swell(sheet, part, bar, &mut notes);
        }
        let opens = !began || filled || bar.in_phrase == 0;
        if let (true, true, Some(crash)) = (opens, sheet.form.crash, voice(part, &["crash", "cymbal"])) {
            let velocity = sheet.velocity(if began && !filled { 'o' } else { 'x' }, bar);
            notes.push(note(bar.from.max(bar.line), bar.from + STROKE, crash, velocity));
        }
        filled = fill_from.is_some();
        began = true;
    }
    notes.sort_by(|a, b| a.start.0.total_cmp(&b.start.0).then(a.key.cmp(&b.key)));
    sheet.groove.humanise(&mut notes, part, &mut chance);
    notes.sort_by(|a, b| a.start.0.total_cmp(&b.start.0).then(a.key.cmp(&b.key)));
    notes
}

/// The key of the first of these voices that the kit has.
fn voice(part: &Part, names: &[&str]) -> Option<u8> {
    names.iter().find_map(|name| part.kit.iter().find(|(voice, _)| voice == name)).map(|(_, key)| *key)
}

/// Counts that a fill takes: one, two, or all the room there is, by the seed.
fn reach(sheet: &Sheet<'_>, part: &Part, plan: &PatternPlan, index: usize, bar: &Bar) -> Option<usize> {
    let room = sheet.fill(index).filter(|_| plan.fill.is_some())?;
    let counts = ((bar.to - room) / sheet.bars.count_beats).round().max(1.0) as usize;
    let luck = sheet.luck(part, "fill", bar.from);
    let wish = match luck {
        luck if luck < 0.2 && !bar.last => 1,
        luck if luck < 0.65 => 2,
        _ => counts,
    };
    Some(wish.min(counts))
}

/// The key of a fill's stroke: some of the snare's go down the toms.
fn moved(sheet: &Sheet<'_>, part: &Part, step: PlacedStep<'_>, from: f64, bar: &Bar) -> u8 {
    let open = step.written > from - 0.6 * sheet.bars.count_beats && step.written < from - 0.02;
    if open && step.line.voice == "hat" && step.symbol != 'X' && sheet.luck(part, "open", bar.from) < 0.5 {
        // A breath of the hi-hat before the fill.
        return voice(part, &["open", "open_hat"]).unwrap_or(step.line.key);
    }
    let soft = matches!(step.symbol, 'x' | 'o');
    if step.written < from - 0.02 || step.line.voice != "snare" || !soft {
        return step.line.key;
    }
    if sheet.luck(part, "tom", step.written) >= 0.35 {
        return step.line.key;
    }
    let share = (step.written - from) / (bar.to - from).max(0.1);
    let names: &[&str] = if share < 0.34 {
        &["tom_high", "tom_mid", "tom_low"]
    } else if share < 0.67 {
        &["tom_mid", "tom_low", "tom_high"]
    } else {
        &["tom_low", "tom_mid", "tom_floor"]
    };
    voice(part, names).unwrap_or(step.line.key)
}

fn stroke(sheet: &Sheet<'_>, bar: &Bar, step: PlacedStep<'_>, key: u8, notes: &mut Vec<ScoreNote>) {
    let velocity = sheet.velocity(step.symbol, bar);
    if step.symbol == 'r' {
        notes.extend(roll(step.start, step.end.min(bar.to), key, velocity, sheet.tempo));
    } else {
        notes.push(written(note(step.start, step.start + STROKE, key, velocity), step.written));
    }
}

/// Ghost notes of the snare between the written strokes, where complexity asks for them.
fn added(sheet: &Sheet<'_>, part: &Part, bar: &Bar, steps: &[PlacedStep<'_>], notes: &mut Vec<ScoreNote>) {
    let share = 0.28 * sheet.mood.adds();
    let Some(key) = voice(part, &["snare", "rim", "brush"]).filter(|_| share > 0.0) else { return };
    let quarter = sheet.count_beats() / 4.0;
    let places = ((bar.to - bar.line) / quarter + 1e-3).floor() as usize;
    for place in (1..places).step_by(2) {
        let on_paper = bar.line + place as f64 * quarter;
        let clear = steps
            .iter()
            .filter(|step| step.line.key == key || matches!(step.line.voice.as_str(), "snare" | "rim" | "clap"))
            .all(|step| (step.written - on_paper).abs() > 0.9 * quarter);
        if on_paper >= bar.from && clear && sheet.luck(part, "ghost", on_paper) < share {
            let at = bar.line + sheet.groove.swung((on_paper - bar.line) / sheet.scale());
            notes.push(written(note(at, at + STROKE, key, sheet.velocity('g', bar)), on_paper));
        }
    }
}

/// A roll into the last chord.
fn swell(sheet: &Sheet<'_>, part: &Part, bar: &Bar, notes: &mut Vec<ScoreNote>) {
    let Some(key) = voice(part, &["cymbal", "crash", "tom_low", "snare"]) else { return };
    let from = (bar.to - 2.0 * sheet.bars.count_beats).max(bar.from);
    notes.extend(roll(from, bar.to, key, sheet.velocity('x', bar), sheet.tempo));
}

/// The last chord: kick and cymbal, or what the kit has of them.
fn last_stroke(sheet: &Sheet<'_>, part: &Part, bar: &Bar, notes: &mut Vec<ScoreNote>) {
    let low = voice(part, &["kick", "bass_drum", "boom", "tom_low"]);
    let cymbals: &[&str] =
        if sheet.form.crash { &["crash", "cymbal", "ride", "open", "snare"] } else { &["ride", "hat", "brush", "rim"] };
    let mut keys: Vec<u8> = low.into_iter().chain(voice(part, cymbals)).collect();
    if keys.is_empty() {
        // A tambourine or a shaker ends with what it has.
        keys.extend(part.kit.first().map(|(_, key)| *key));
    }
    notes.extend(keys.into_iter().map(|key| note(bar.from, bar.from + STROKE, key, sheet.velocity('X', bar))));
}
