//! Thread: main. Whether scores keep what their style promises.

use super::variety::repetition;
use cantus_engine::analysis::{Analysis, Mode};
use cantus_engine::generation::score::{Role, Score, ScoreNote};
use cantus_engine::generation::style::facts::{Fact, Promise};
use cantus_engine::generation::style::{Section, Style, SwingUnit};
use cantus_engine::time::Beats;

/// How far from a place a stroke may lie and still be meant for it, in beats: half a triplet sixteenth.
const NEAR: f64 = 0.08;
/// Bars in a phrase.
const PHRASE: usize = 4;

/// The figures of one score that a style states ranges for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    pub scale: f64,
    pub groove: f64,
    pub density: f64,
    /// `None` where nobody plays the second of a pair.
    pub swing: Option<f64>,
    pub repetition: f64,
}

/// Measures one score.
pub fn measure(style: &Style, score: &Score, analysis: &Analysis) -> Measured {
    let bars = Bars::of(style, score);
    let swing = [Role::Drums, Role::Chords, Role::Bass, Role::Pad]
        .iter()
        .filter_map(|role| {
            let notes = score.tracks.iter().filter(|track| track.role == *role).flat_map(|track| &track.notes);
            swing(notes.map(|note| note.start.0 - score.grid.start.0), style.feel.swing_unit)
        })
        .next();
    Measured {
        scale: scale(score, analysis),
        groove: bars.groove(score),
        density: bars.density(score),
        swing,
        repetition: repetition(score),
    }
}

/// Ranges the figures leave, in words.
pub fn outside(style: &Style, measured: &Measured) -> Vec<String> {
    let ranges = &style.ranges;
    let rows = [
        ("scale", Some(measured.scale), ranges.scale),
        ("groove", Some(measured.groove), ranges.groove),
        ("density", Some(measured.density), ranges.density),
        ("swing", measured.swing, ranges.swing),
        ("repetition", Some(measured.repetition), ranges.repetition),
    ];
    let off = |value: f64, range: (f32, f32)| value < f64::from(range.0) - 1e-6 || value > f64::from(range.1) + 1e-6;
    rows.into_iter()
        .filter_map(|(name, value, range)| value.map(|value| (name, value, range)))
        .filter(|(_, value, range)| off(*value, *range))
        .map(|(name, value, range)| format!("{name} is {value:.3}, stated {} to {}", range.0, range.1))
        .collect()
}

/// Facts a score breaks, in words.
pub fn broken(style: &Style, score: &Score) -> Vec<String> {
    let tempo = score.grid.tempo.tempo_at(score.grid.start).0;
    let bars = Bars::of(style, score);
    let applies = |fact: &&Fact| {
        fact.metre == score.grid.metre && f64::from(fact.tempo.0) <= tempo && tempo < f64::from(fact.tempo.1)
    };
    style.facts.iter().filter(applies).filter_map(|fact| broken_by(fact, style, score, &bars, tempo)).collect()
}

/// The notes a fact speaks of: a role's, or a kit's voice.
fn notes_of<'a>(what: &'a str, style: &'a Style, score: &'a Score) -> Vec<&'a ScoreNote> {
    if let Some(role) = Role::ALL.iter().find(|role| role.name() == what) {
        return score.tracks.iter().filter(|track| track.role == *role).flat_map(|track| &track.notes).collect();
    }
    let mut found = Vec::new();
    for track in score.tracks.iter().filter(|track| track.preset.is_kit()) {
        let mut keys: Vec<u8> = style
            .parts
            .iter()
            .filter(|part| part.role == track.role && part.preset == track.preset)
            .flat_map(|part| part.kit.iter().filter(|(voice, _)| voice == what).map(|(_, key)| *key))
            .collect();
        keys.dedup();
        found.extend(track.notes.iter().filter(|note| keys.contains(&note.key)));
    }
    found
}

fn broken_by(fact: &Fact, style: &Style, score: &Score, bars: &Bars, tempo: f64) -> Option<String> {
    let notes = notes_of(&fact.what, style, score);
    let groove: Vec<&Bar> = bars.groove_bars(fact.section).collect();
    let in_bar = |bar: &Bar| -> Vec<f64> {
        let within =
            notes.iter().map(|note| note.start.0 - bar.line).filter(|at| *at > -NEAR && *at < bars.beats - NEAR);
        within.collect()
    };
    let played: Vec<(&Bar, Vec<f64>)> =
        groove.iter().map(|bar| (*bar, in_bar(bar))).filter(|(_, at)| !at.is_empty()).collect();
    if played.is_empty() {
        return None;
    }
    let swung = |place: &Beats| bars.swung(style, place.0, tempo);
    let is_at = |at: f64, place: &Beats| (at - swung(place)).abs() < NEAR || (at - place.0).abs() < NEAR;
    match &fact.promise {
        Promise::Never(places) => played.iter().find_map(|(bar, strokes)| {
            let stroke = strokes.iter().find(|at| places.iter().any(|place| is_at(**at, place)))?;
            Some(format!("{} at {:.2} of bar {}, where it never is", fact.what, stroke, bar.number + 1))
        }),
        Promise::Always(places, share) => {
            let holds = |strokes: &[f64]| places.iter().all(|place| strokes.iter().any(|at| is_at(*at, place)));
            let kept = played.iter().filter(|(_, strokes)| holds(strokes)).count() as f64 / played.len() as f64;
            (kept + 1e-6 < f64::from(*share)).then(|| {
                format!(
                    "{} keeps its places in {:.0} % of the bars, stated {:.0} %",
                    fact.what,
                    100.0 * kept,
                    100.0 * share
                )
            })
        }
        Promise::Only(places, share) => {
            let strokes: Vec<f64> = played.iter().flat_map(|(_, strokes)| strokes.iter().copied()).collect();
            let kept = strokes.iter().filter(|at| places.iter().any(|place| is_at(**at, place))).count() as f64
                / strokes.len() as f64;
            (kept + 1e-6 < f64::from(*share)).then(|| {
                format!(
                    "{} has {:.0} % of its strokes at its places, stated {:.0} %",
                    fact.what,
                    100.0 * kept,
                    100.0 * share
                )
            })
        }
        Promise::Swing(low, high) => {
            let starts = played.iter().flat_map(|(bar, strokes)| strokes.iter().map(|at| bar.line + at));
            let found = swing(starts.map(|at| at - score.grid.start.0), style.feel.swing_unit)?;
            (found < f64::from(*low) || found > f64::from(*high))
                .then(|| format!("{} swings {found:.3}, stated {low} to {high}", fact.what))
        }
        Promise::Late(low, high) => {
            let late = played.iter().flat_map(|(_, strokes)| strokes.iter().map(|at| bars.late(style, *at, tempo)));
            let late: Vec<f64> = late.collect();
            let mean = late.iter().sum::<f64>() / late.len() as f64 * 60_000.0 / tempo;
            (mean < f64::from(*low) || mean > f64::from(*high))
                .then(|| format!("{} is {mean:.1} ms late, stated {low} to {high}", fact.what))
        }
        Promise::Density(low, high) => {
            let mean = played.iter().map(|(_, strokes)| strokes.len()).sum::<usize>() as f64 / groove.len() as f64;
            (mean < f64::from(*low) || mean > f64::from(*high))
                .then(|| format!("{} plays {mean:.1} a bar, stated {low} to {high}", fact.what))
        }
        Promise::Repeats(after) => {
            let alike = |a: &[f64], b: &[f64]| {
                let missing = |from: &[f64], to: &[f64]| {
                    from.iter().filter(|at| !to.iter().any(|other| (*at - other).abs() < NEAR)).count()
                };
                missing(a, b) + missing(b, a) <= 1 + a.len() / 4
            };
            let later = |bar: &Bar| played.iter().find(|(other, _)| other.number == bar.number + after);
            let pairs: Vec<bool> = played
                .iter()
                .filter_map(|(bar, strokes)| later(bar).map(|(_, others)| alike(strokes, others)))
                .collect();
            let kept = pairs.iter().filter(|same| **same).count() as f64 / pairs.len().max(1) as f64;
            (!pairs.is_empty() && kept < 0.5).then(|| format!("{} does not repeat after {after} bars", fact.what))
        }
    }
}

/// Share of a pair that its first note takes, over all starts that are the second of one. Beats from a bar line.
fn swing(starts: impl Iterator<Item = f64>, unit: SwingUnit) -> Option<f64> {
    let pair = if unit == SwingUnit::Eighth { 1.0 } else { 0.5 };
    let phases = starts.map(|at| (at / pair).rem_euclid(1.0)).filter(|phase| (0.42..0.78).contains(phase));
    let phases: Vec<f64> = phases.collect();
    (phases.len() >= 3).then(|| phases.iter().sum::<f64>() / phases.len() as f64)
}

/// Share of the pitched accompaniment's notes in the scale of the melody's key; in minor both sixths and sevenths belong to it.
fn scale(score: &Score, analysis: &Analysis) -> f64 {
    let steps: &[u8] = match analysis.key.key.mode {
        Mode::Major => &[0, 2, 4, 5, 7, 9, 11],
        Mode::Minor => &[0, 2, 3, 5, 7, 8, 9, 10, 11],
    };
    let pitched = score.tracks.iter().filter(|track| track.role != Role::Lead && !track.preset.is_kit());
    let keys: Vec<u8> = pitched.flat_map(|track| track.notes.iter().map(|note| note.key)).collect();
    let inside = keys.iter().filter(|key| steps.contains(&((**key + 12 - analysis.key.key.tonic) % 12))).count();
    if keys.is_empty() { 1.0 } else { inside as f64 / keys.len() as f64 }
}

/// A whole bar.
struct Bar {
    number: usize,
    line: f64,
    section: Section,
    /// Neither a phrase end, where fills are, nor the last.
    is_groove: bool,
}

struct Bars {
    beats: f64,
    bars: Vec<Bar>,
}

impl Bars {
    fn of(style: &Style, score: &Score) -> Self {
        let beats = score.grid.metre.bar().0;
        let count = (score.length.0 / beats + 1e-6).floor() as usize;
        // A tail of one or two bars belongs to the phrase before it.
        let phrases = if count <= PHRASE { 1 } else { (count + 1) / PHRASE };
        let sections = &style.form.sections;
        let bar = |number: usize| {
            let phrase = if phrases == 1 {
                sections.len() - 1
            } else {
                (number / PHRASE).min(phrases - 1).min(sections.len() - 1)
            };
            Bar {
                number,
                line: score.grid.start.0 + number as f64 * beats,
                section: sections[phrase],
                is_groove: !(number + 1).is_multiple_of(PHRASE) && number + 2 < count,
            }
        };
        Self { beats, bars: (0..count).map(bar).collect() }
    }

    fn groove_bars(&self, section: Option<Section>) -> impl Iterator<Item = &Bar> {
        self.bars.iter().filter(move |bar| bar.is_groove && section.is_none_or(|section| bar.section == section))
    }

    /// Where a straight place is played, by the style's swing.
    fn swung(&self, style: &Style, place: f64, tempo: f64) -> f64 {
        let compound = self.beats != 4.0 && (self.beats * 2.0 / 3.0).fract() == 0.0 && self.beats != 3.0;
        if compound {
            return place;
        }
        let fast = ((tempo - 190.0) / 120.0).clamp(0.0, 1.0);
        let share = f64::from(style.feel.swing) + (0.5 - f64::from(style.feel.swing)) * fast;
        let pair = if style.feel.swing_unit == SwingUnit::Eighth { 1.0 } else { 0.5 };
        let (index, phase) = ((place / pair + 1e-9).floor(), (place / pair + 1e-9).fract());
        let warped = if phase < 0.5 { phase * 2.0 * share } else { share + (phase - 0.5) * 2.0 * (1.0 - share) };
        let triplet = (phase * 3.0 - (phase * 3.0).round()).abs() < 1e-6;
        (index + if triplet { phase } else { warped }) * pair
    }

    /// Beats a stroke lies behind the nearest place of the style's own sixteenths.
    fn late(&self, style: &Style, at: f64, tempo: f64) -> f64 {
        let places = (0..=(self.beats * 4.0) as usize).map(|index| self.swung(style, index as f64 / 4.0, tempo));
        places.map(|place| at - place).min_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(0.0)
    }

    /// One minus the mean difference of neighbouring bars' onsets, on sixteenths, a row a drum voice and a part.
    fn groove(&self, score: &Score) -> f64 {
        let mut rows: Vec<(usize, u8)> = Vec::new();
        let row = |index: usize, key: u8, is_kit: bool| (index, if is_kit { key } else { 0 });
        let mut grids: Vec<Vec<(usize, u8, i64)>> = vec![Vec::new(); self.bars.len()];
        for (index, track) in score.tracks.iter().enumerate().filter(|(_, track)| track.role != Role::Lead) {
            for note in &track.notes {
                let (part, voice) = row(index, note.key, track.preset.is_kit());
                if !rows.contains(&(part, voice)) {
                    rows.push((part, voice));
                }
                let at = ((note.start.0 - score.grid.start.0) * 4.0).round() as i64;
                let steps = (self.beats * 4.0).round() as i64;
                if let Some(grid) = grids.get_mut(usize::try_from(at / steps).unwrap_or(0)) {
                    let event = (part, voice, at % steps);
                    if !grid.contains(&event) {
                        grid.push(event);
                    }
                }
            }
        }
        let cells = rows.len().max(1) as f64 * self.beats * 4.0;
        let pairs = self.bars.windows(2).filter(|pair| pair.iter().all(|bar| bar.is_groove));
        let differences: Vec<f64> = pairs
            .map(|pair| {
                let (a, b) = (&grids[pair[0].number], &grids[pair[1].number]);
                let missing = |from: &[(usize, u8, i64)], to: &[(usize, u8, i64)]| {
                    from.iter().filter(|event| !to.contains(event)).count()
                };
                (missing(a, b) + missing(b, a)) as f64 / cells
            })
            .collect();
        if differences.is_empty() { 1.0 } else { 1.0 - differences.iter().sum::<f64>() / differences.len() as f64 }
    }

    /// Onsets a bar of all accompanying parts; a chord of one part is one.
    fn density(&self, score: &Score) -> f64 {
        let mut onsets = 0;
        for track in score.tracks.iter().filter(|track| track.role != Role::Lead) {
            let mut last = f64::NEG_INFINITY;
            for note in &track.notes {
                if track.preset.is_kit() || note.start.0 - last > 0.03 {
                    onsets += 1;
                }
                last = note.start.0;
            }
        }
        onsets as f64 / self.bars.len().max(1) as f64
    }
}
