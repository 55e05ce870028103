//! Thread: worker. The drum kit: grooves, ghost notes, fills at phrase ends, and a cymbal on the first beat after one.

use super::bars::Bar;
use super::bass::roll;
use super::sheet::{PlacedStep, Sheet, note};
use crate::generation::score::ScoreNote;
use crate::generation::style::Part;

/// Beats a stroke is written with: kits play their samples out.
const STROKE: f64 = 0.2;

/// What the kit plays.
pub fn kit(sheet: &Sheet<'_>, part: &Part) -> Vec<ScoreNote> {
    let mut chance = sheet.chance(part);
    let plan = sheet.plan(part, &mut chance);
    let mut notes = Vec::new();
    for (index, bar) in sheet.bars.bars.iter().enumerate().filter(|(_, bar)| plan.plays(bar)) {
        let mut steps = sheet.place(plan.groove(bar), bar);
        if let Some(fill) = plan.fill.filter(|_| bar.ends_phrase) {
            // The last bar is all fill; a phrase end inside the piece, or a piece of one bar, only fills its second half.
            let half = !bar.last || sheet.bars.bars.len() == 1;
            let from =
                if half { bar.line + (sheet.bars.bar_beats / 2.0).max(sheet.bars.count_beats) } else { bar.line };
            steps.retain(|step| step.start < from - 0.02);
            steps.extend(sheet.place(fill, bar).into_iter().filter(|step| step.start >= from - 0.02));
        }
        for step in steps {
            if step.symbol == 'g' && !chance.hit(part.ghosts) {
                continue;
            }
            stroke(sheet, bar, step, &mut notes);
        }
        let opens = index == 0 || bar.in_phrase == 0 || sheet.bars.bars[index - 1].pickup;
        if let (true, Some((_, crash))) = (opens, part.kit.iter().find(|(name, _)| name == "crash")) {
            let velocity = sheet.velocity(if index == 0 { 'x' } else { 'o' }, bar);
            notes.push(note(bar.from.max(bar.line), bar.from + STROKE, *crash, velocity));
        }
    }
    notes.sort_by(|a, b| a.start.0.total_cmp(&b.start.0).then(a.key.cmp(&b.key)));
    sheet.groove.humanise(&mut notes, part, &mut chance);
    notes
}

fn stroke(sheet: &Sheet<'_>, bar: &Bar, step: PlacedStep<'_>, notes: &mut Vec<ScoreNote>) {
    let velocity = sheet.velocity(step.symbol, bar);
    if step.symbol == 'r' {
        notes.extend(roll(step.start, step.end.min(bar.to), step.line.key, velocity, sheet.tempo));
    } else {
        notes.push(note(step.start, step.start + STROKE, step.line.key, velocity));
    }
}
