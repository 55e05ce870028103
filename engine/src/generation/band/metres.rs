//! Thread: worker. Metres a style has no patterns for: its patterns in another metre are cut and joined by counts, so that they keep
//! their character.
//!
//! Five quarters are three and two, seven eighths are four quarters without the last eighth (2 + 2 + 3), nine eighths are three counts of
//! six eighths. The backbeat stays a backbeat: what is struck on the second and fourth quarter is struck on the lighter counts.

use crate::generation::style::steps::{self, Step};
use crate::generation::style::{Line, Part, Pattern, Rule, Section};
use crate::time::{Beats, Metre};

/// Where the groups of a bar begin, in beats from the bar line: counts, or twos and a last three where eighths are counted.
pub fn pulses(metre: Metre) -> Vec<f64> {
    let counts = steps::counts(metre);
    let count_beats = metre.bar().0 / counts as f64;
    if counts >= 4 && count_beats < 0.9 {
        let groups = (counts / 2).max(1);
        return (0..groups).map(|group| group as f64 * 2.0 * count_beats).collect();
    }
    (0..counts).map(|count| count as f64 * count_beats).collect()
}

fn is_compound(metre: Metre) -> bool {
    steps::counts(metre) != usize::from(metre.numerator.max(1))
}

/// The patterns of a part for a metre and a tempo: its own, else those of another metre made to fit, else none.
pub fn patterns(part: &Part, metre: Metre, tempo: f32) -> Vec<Pattern> {
    let in_time = |pattern: &&Pattern| (pattern.tempo.0..pattern.tempo.1).contains(&tempo);
    let grooves = |pattern: &&Pattern| matches!(pattern.section, Section::A | Section::B);
    let of = |metre: Metre| -> Vec<&Pattern> {
        let all: Vec<&Pattern> = part.patterns.iter().filter(|pattern| pattern.metre == metre).collect();
        let fitting: Vec<&Pattern> = all.iter().copied().filter(in_time).collect();
        // At a tempo nobody thought of, the others are better than nothing.
        if fitting.iter().any(grooves) { fitting } else { all }
    };
    let own = of(metre);
    if own.iter().any(grooves) {
        return own.into_iter().cloned().collect();
    }
    let Some(source) = source(part, metre) else { return Vec::new() };
    of(source).into_iter().map(|pattern| adapt(pattern, metre)).collect()
}

/// The metre to take patterns from: one of the same kind if there is any, common time before others.
fn source(part: &Part, metre: Metre) -> Option<Metre> {
    let known = |wanted: Metre| {
        let grooves = |pattern: &Pattern| pattern.metre == wanted && matches!(pattern.section, Section::A | Section::B);
        part.patterns.iter().any(grooves).then_some(wanted)
    };
    let metre_of = |numerator, denominator| Metre { numerator, denominator };
    let compound = [metre_of(6, 8), metre_of(12, 8), metre_of(9, 8)];
    let simple = [metre_of(4, 4), metre_of(2, 4), metre_of(2, 2), metre_of(3, 4), metre_of(5, 4)];
    let (first, second) = if is_compound(metre) { (&compound[..], &simple[..]) } else { (&simple[..], &compound[..]) };
    // Twelve eighths in a style that has both is more than two bars of six.
    let twelve = (is_compound(metre) && steps::counts(metre).is_multiple_of(4)).then_some(metre_of(12, 8));
    let any = part.patterns.first().map(|pattern| pattern.metre);
    twelve.and_then(known).or_else(|| first.iter().chain(second).copied().find_map(known)).or(any.and_then(known))
}

/// Which counts of a bar of `from` counts make bars of `to` counts: one list a bar.
fn counts_of(from: usize, to: usize) -> Vec<Vec<usize>> {
    let last = from - 1;
    match (from, to) {
        (from, to) if from == to => vec![(0..from).collect()],
        // Half a bar at a time.
        (from, to) if from == 2 * to => vec![(0..to).collect(), (to..from).collect()],
        (4, 3) => vec![vec![0, 1, 3]],
        (4, 1) => vec![vec![0], vec![1], vec![2], vec![3]],
        (4, 5) => vec![vec![0, 1, 3, 2, 3]],
        (4, 7) => vec![vec![0, 1, 2, 3, 0, 1, 3]],
        (3, 4) => vec![vec![0, 1, 0, 2]],
        (3, 2) => vec![vec![0, 2]],
        (3, 5) => vec![vec![0, 1, 2, 0, 2]],
        (2, 3) => vec![vec![0, 1, 1]],
        _ => {
            // Whole bars as long as they fit, then its beginning, and always its end.
            let mut counts: Vec<usize> = (0..to).map(|count| count % from).collect();
            counts[to - 1] = last;
            vec![counts]
        }
    }
}

/// A pattern in another metre.
fn adapt(pattern: &Pattern, metre: Metre) -> Pattern {
    if pattern.metre.bar() == metre.bar() && !is_compound(metre) && !is_compound(pattern.metre) {
        // Two halves are four quarters, counted otherwise.
        return Pattern { metre, ..pattern.clone() };
    }
    let from_counts = steps::counts(pattern.metre);
    let from_beats = pattern.metre.bar().0 / from_counts as f64;
    let bar_beats = metre.bar().0;
    let compound = is_compound(metre);
    // Eighths are counted in pairs; the last pair of an odd number loses its second.
    let pairs = !compound && metre.denominator >= 8 && steps::counts(metre) >= 4;
    let to_counts = if pairs { steps::counts(metre).div_ceil(2) } else { steps::counts(metre) };
    let to_beats = if pairs { 2.0 * bar_beats / steps::counts(metre) as f64 } else { bar_beats / to_counts as f64 };
    let plan = counts_of(from_counts, to_counts);
    let lines = pattern.lines.iter().map(|line| {
        let bars = line.bars.iter().flat_map(|bar| {
            plan.iter().map(|counts| {
                let mut steps: Vec<Step> = Vec::new();
                for (place, &count) in counts.iter().enumerate() {
                    let inside = bar.iter().filter(|step| count_of(step, from_beats) == count);
                    for step in inside {
                        let within = step.at.0 / from_beats - count as f64;
                        let phase = phase(within, is_compound(pattern.metre), compound);
                        let at = (place as f64 + phase) * to_beats;
                        let symbol = leading(step.symbol, place + 1 == counts.len());
                        let length = step.length.0 / from_beats * to_beats;
                        if at < bar_beats - 0.02 && steps.last().is_none_or(|last| at > last.at.0 + 0.02) {
                            steps.push(Step { at: Beats(at), length: Beats(length), symbol });
                        }
                    }
                }
                hold_apart(&mut steps, bar_beats);
                steps
            })
        });
        Line { key: line.key, voice: line.voice.clone(), bars: bars.collect() }
    });
    Pattern { metre, lines: lines.collect(), ..pattern.clone() }
}

fn count_of(step: &Step, count_beats: f64) -> usize {
    (step.at.0 / count_beats + 1e-6).floor() as usize
}

/// A place within a count in the other kind of count: halves lie on the last third of three, as in a shuffle.
fn phase(within: f64, from_compound: bool, to_compound: bool) -> f64 {
    match (from_compound, to_compound) {
        (false, true) if within < 0.1 => 0.0,
        (false, true) if within < 0.4 => 1.0 / 3.0,
        (false, true) => 2.0 / 3.0,
        (true, false) if within < 0.1 => 0.0,
        (true, false) if within < 0.5 => 0.25,
        (true, false) if within < 0.7 => 0.5,
        (true, false) => 0.75,
        _ => within,
    }
}

/// What leads into the next bar only does so at the end of one.
fn leading(symbol: char, at_the_end: bool) -> char {
    if symbol == 'a' && !at_the_end { '5' } else { symbol }
}

fn hold_apart(steps: &mut [Step], bar_beats: f64) {
    for index in 0..steps.len() {
        let next = steps.get(index + 1).map_or(bar_beats, |next| next.at.0);
        let room = next - steps[index].at.0;
        steps[index].length = Beats(steps[index].length.0.min(room));
    }
}

/// A plain pattern in any metre: weight on one, the other groups lighter.
pub fn plain(part: &Part, metre: Metre) -> Pattern {
    let pulses = pulses(metre);
    let bar_beats = metre.bar().0;
    let step = |pulse: usize, symbol: char, to: usize| Step {
        at: Beats(pulses[pulse]),
        length: Beats(pulses.get(to).copied().unwrap_or(bar_beats) - pulses[pulse]),
        symbol,
    };
    let line = |voice: &str, key: u8, steps: Vec<Step>| Line { key, voice: voice.to_owned(), bars: vec![steps] };
    let lines = match part.rule {
        Rule::Kit => {
            let voice = |names: &[&str]| part.kit.iter().find(|(name, _)| names.contains(&name.as_str()));
            let mut lines = Vec::new();
            if let Some((name, key)) = voice(&["kick", "bass_drum", "boom"]) {
                lines.push(line(name, *key, vec![step(0, 'X', 1)]));
            }
            if let Some((name, key)) = voice(&["snare", "rim"]) {
                let light = (1..pulses.len()).step_by(2);
                lines.push(line(name, *key, light.map(|pulse| step(pulse, 'x', pulse + 1)).collect()));
            }
            if let Some((name, key)) = voice(&["hat", "ride", "brush"]) {
                let all = 0..pulses.len();
                lines.push(line(name, *key, all.map(|pulse| step(pulse, 'o', pulse + 1)).collect()));
            }
            lines
        }
        Rule::Arp => vec![line("", 0, (0..pulses.len()).map(|pulse| step(pulse, 'x', pulse + 1)).collect())],
        _ => {
            let middle = pulses.len().div_ceil(2);
            let chords = part.rule == Rule::Comp;
            let mut steps = vec![step(0, if chords { 'x' } else { '1' }, middle)];
            if middle < pulses.len() {
                steps.push(step(middle, if chords { 'x' } else { '5' }, pulses.len()));
            }
            vec![line("", 0, steps)]
        }
    };
    Pattern { metre, section: Section::A, weight: 1.0, tempo: (0.0, 1000.0), lines }
}
