//! Thread: worker. Quantisation as a suggestion: where on the grid each note was probably meant, next to where it was sung.
//!
//! The division of the beat is found by evidence: a chain over the notes chooses, for each, a place on a straight, triplet or swung
//! grid; changing the division costs, so that it holds for phrases. The singer's common lateness and the swing are those that leave the
//! least cost.

use crate::analysis::Note;
use crate::time::{Beats, Metre, Seconds, SongGrid};
use serde::{Deserialize, Serialize};

/// How a beat is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subdivision {
    /// In halves: eighths; in compound time, the three eighths of a beat.
    #[default]
    Eighths,
    /// In quarters: sixteenths.
    Sixteenths,
    /// In thirds; in compound time, duplets.
    Triplets,
    /// In a long and a short half.
    Swung,
}

/// Where a note was probably meant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// Song position of its start.
    pub start: Beats,
    /// Its length, up to the next note when it is sung nearly to it.
    pub length: Beats,
    /// The division its place belongs to.
    pub subdivision: Subdivision,
    /// How clearly it belongs there, 0 to 1.
    pub confidence: f32,
}

/// A suggestion for all notes of a melody.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Quantisation {
    /// One a note, in the order of the notes.
    pub notes: Vec<Placement>,
    /// How late the singer is on the whole; negative when early.
    pub lag: Seconds,
    /// Share of a beat that its first half takes where it swings; `None` when nothing does.
    pub swing: Option<f32>,
}

/// How exactly onsets are sung and heard.
const ONSET_SECONDS: f64 = 0.030;
/// Most that one note's distance may cost, in nats: a note far off any place says nothing of the division.
const MOST_COST: f64 = 6.0;
/// What places cost: the beat, its half, its quarters, triplets, swung off-beats.
const ON_BEAT: f64 = 0.3;
const HALF: f64 = 0.9;
const QUARTER: f64 = 1.8;
const TRIPLET: f64 = 1.7;
const SWUNG: f64 = 1.6;
/// What another division costs at a beat, and inside one.
const CHANGE: f64 = 2.2;
const CHANGE_INSIDE: f64 = 5.0;
/// What triplets and swing cost wherever a stretch of them begins: straight is usual.
const UNUSUAL: f64 = 1.0;
/// What it costs to put two notes on one place.
const CROWDED: f64 = 6.0;
/// Lags that are considered: singers are rather late than early.
const LAGS_MS: std::ops::RangeInclusive<i32> = -12..=20;
const LAG_STEP: f64 = 0.010;
const USUAL_LAG: f64 = 0.02;
const LAG_SPREAD: f64 = 0.06;
/// Shares of a swung beat that its first half may take.
const SWINGS: [f64; 6] = [0.57, 0.60, 0.63, 0.65, 0.67, 0.69];
/// Swing needs this many off-beats.
const SWING_NOTES: usize = 3;
/// A note that ends this near to the next, as a share of the time between their starts, is held until it.
const HELD: f64 = 0.35;
/// Choices of a note: two places on each of three grids.
const CHOICES: usize = 6;

/// A way to divide, as the chain chooses among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Division {
    Straight,
    Thirds,
    Swing,
}

/// Where a metre's beats lie and how they divide.
#[derive(Debug, Clone, Copy)]
struct Ruler {
    /// A song position on a bar line.
    origin: f64,
    /// Quarter notes of a beat.
    count: f64,
    compound: bool,
    swing: f64,
}

#[derive(Debug, Clone, Copy)]
struct Choice {
    at: f64,
    division: Division,
    cost: f64,
    /// Costs without the distance: what the place itself costs.
    place_cost: f64,
}

/// Suggests a place for every note. `length` is the take's, when the host gave the grid: a take of whole bars starts on a bar line.
pub fn suggest(notes: &[Note], grid: &SongGrid, length: Option<Beats>) -> Quantisation {
    if notes.is_empty() {
        return Quantisation::default();
    }
    let known = length.is_some();
    let sung: Vec<(f64, f64)> =
        notes.iter().map(|note| (grid.beat_at(note.onset).0, grid.beat_at(note.offset).0)).collect();
    let beats_a_second: Vec<f64> = sung.iter().map(|&(start, _)| grid.tempo.tempo_at(Beats(start)).0 / 60.0).collect();
    let mut ruler = Ruler {
        origin: bar_origin(grid, length),
        count: if is_compound(grid.metre) { 1.5 } else { 1.0 },
        compound: is_compound(grid.metre),
        swing: 0.0,
    };
    let onsets: Vec<(f64, f64)> = sung.iter().zip(&beats_a_second).map(|(note, rate)| (note.0, *rate)).collect();

    let lags: Vec<f64> =
        if known { LAGS_MS.map(|step| f64::from(step) * LAG_STEP).collect() } else { vec![-0.01, 0.0, 0.01] };
    let usual = if known { USUAL_LAG } else { 0.0 };
    let straight = best_lag(&onsets, ruler, &lags, usual);
    let mut best = (straight.0, straight.1, 0.0);
    for swing in SWINGS {
        let swung = best_lag(&onsets, Ruler { swing, ..ruler }, &lags, usual);
        if swung.0 < best.0 {
            best = (swung.0, swung.1, swing);
        }
    }
    let (_, mut lag, swing) = best;
    ruler.swing = swing;
    let (_, mut chosen) = chain(&onsets, ruler, lag);
    if known {
        // The grid of lags is coarse; the median of what is left is the rest of the lag.
        let mut rest: Vec<f64> =
            chosen.iter().zip(&onsets).map(|(choice, onset)| (onset.0 - choice.at) / onset.1).collect();
        rest.sort_by(f64::total_cmp);
        let middle = rest[rest.len() / 2];
        if (middle - lag).abs() < 2.0 * LAG_STEP {
            lag = middle;
            chosen = chain(&onsets, ruler, lag).1;
        }
    }
    let offbeats =
        chosen.iter().filter(|choice| choice.division == Division::Swing && ruler.is_off_beat(choice.at)).count();
    if swing > 0.0 && offbeats < SWING_NOTES {
        ruler.swing = 0.0;
        lag = straight.1;
        chosen = chain(&onsets, ruler, lag).1;
    }
    let swing = (ruler.swing > 0.0).then(|| measured_swing(&chosen, &onsets, ruler, lag));
    if let Some(measured) = swing {
        ruler.swing = f64::from(measured);
        chosen = chain(&onsets, ruler, lag).1;
    }
    let placements = (0..notes.len()).map(|index| place(index, &chosen, &sung, &onsets, ruler, lag)).collect();
    Quantisation { notes: placements, lag: Seconds(if known { lag } else { 0.0 }), swing }
}

/// Whether beats are three eighths long.
pub fn is_compound(metre: Metre) -> bool {
    metre.denominator == 8 && metre.numerator >= 6 && metre.numerator.is_multiple_of(3)
}

/// A song position on a bar line: the take's start when the take is of whole bars, else that of a song of this metre throughout.
pub fn bar_origin(grid: &SongGrid, length: Option<Beats>) -> f64 {
    let bar = grid.metre.bar().0;
    let whole = length.is_some_and(|length| {
        let bars = length.0 / bar;
        bars > 0.5 && (bars - bars.round()).abs() < 1e-3
    });
    if whole { grid.start.0 } else { (grid.start.0 / bar).floor() * bar }
}

fn best_lag(onsets: &[(f64, f64)], ruler: Ruler, lags: &[f64], usual: f64) -> (f64, f64) {
    let mut best = (f64::INFINITY, 0.0);
    for &lag in lags {
        let off = (lag - usual) / LAG_SPREAD;
        let cost = chain(onsets, ruler, lag).0 + 0.5 * off * off;
        if cost < best.0 {
            best = (cost, lag);
        }
    }
    best
}

impl Ruler {
    /// The two nearest places of each division.
    fn choices(&self, position: f64, beats_a_second: f64) -> [Choice; CHOICES] {
        let within = (position - self.origin) / self.count;
        let beat = within.floor();
        let spread = ONSET_SECONDS * beats_a_second / self.count;
        let choice = |at: f64, division: Division| {
            let off = (within - at) / spread;
            let place_cost = self.place_cost(at, division);
            let cost = (0.5 * off * off).min(MOST_COST) + place_cost;
            Choice { at: self.origin + at * self.count, division, cost, place_cost }
        };
        let straight = if self.compound { 6.0 } else { 4.0 };
        let thirds = if self.compound { 2.0 } else { 3.0 };
        let regular = |parts: f64, division: Division| {
            let low = (within * parts).floor() / parts;
            [choice(low, division), choice(low + 1.0 / parts, division)]
        };
        let swing = if self.swing > 0.0 {
            let places =
                if within - beat < self.swing { (beat, beat + self.swing) } else { (beat + self.swing, beat + 1.0) };
            [choice(places.0, Division::Swing), choice(places.1, Division::Swing)]
        } else {
            let never = Choice { at: position, division: Division::Swing, cost: f64::INFINITY, place_cost: 0.0 };
            [never, never]
        };
        let (a, b) = (regular(straight, Division::Straight), regular(thirds, Division::Thirds));
        [a[0], a[1], b[0], b[1], swing[0], swing[1]]
    }

    fn place_cost(&self, at: f64, division: Division) -> f64 {
        let on = |parts: f64| ((at * parts).round() / parts - at).abs() < 1e-6;
        match division {
            _ if on(1.0) => ON_BEAT,
            Division::Straight if self.compound => {
                if on(3.0) {
                    HALF
                } else {
                    QUARTER
                }
            }
            Division::Straight => {
                if on(2.0) {
                    HALF
                } else {
                    QUARTER
                }
            }
            Division::Thirds => TRIPLET,
            Division::Swing => SWUNG,
        }
    }

    fn beat_of(&self, position: f64) -> f64 {
        ((position - self.origin) / self.count + 1e-6).floor()
    }

    fn is_off_beat(&self, position: f64) -> bool {
        let within = (position - self.origin) / self.count;
        (within - within.round()).abs() > 1e-6
    }
}

/// The cheapest choice for every note, and what all together cost.
fn chain(onsets: &[(f64, f64)], ruler: Ruler, lag: f64) -> (f64, Vec<Choice>) {
    let mut layers: Vec<[Choice; CHOICES]> = Vec::with_capacity(onsets.len());
    let mut backs: Vec<[usize; CHOICES]> = Vec::with_capacity(onsets.len());
    let mut costs = [0.0; CHOICES];
    for (index, &(position, rate)) in onsets.iter().enumerate() {
        let choices = ruler.choices(position - lag * rate, rate);
        let mut next = [f64::INFINITY; CHOICES];
        let mut back = [0; CHOICES];
        for (to, choice) in choices.iter().enumerate() {
            let unusual = if choice.division == Division::Straight { 0.0 } else { UNUSUAL };
            if index == 0 {
                next[to] = choice.cost + unusual;
                continue;
            }
            let before = &layers[index - 1];
            for (from, last) in before.iter().enumerate() {
                let changed = last.division != choice.division;
                let inside = ruler.beat_of(last.at) == ruler.beat_of(choice.at);
                let change = match (changed, inside) {
                    (false, _) => 0.0,
                    (true, true) => CHANGE_INSIDE + unusual,
                    (true, false) => CHANGE + unusual,
                };
                let crowded = if choice.at - last.at < 1e-6 { CROWDED } else { 0.0 };
                let cost = costs[from] + change + crowded + choice.cost;
                if cost < next[to] {
                    next[to] = cost;
                    back[to] = from;
                }
            }
        }
        costs = next;
        layers.push(choices);
        backs.push(back);
    }
    let mut at = (0..CHOICES).fold(0, |best, index| if costs[index] < costs[best] { index } else { best });
    let total = costs[at];
    let mut chosen = Vec::with_capacity(onsets.len());
    for index in (0..onsets.len()).rev() {
        chosen.push(layers[index][at]);
        at = backs[index][at];
    }
    chosen.reverse();
    (total, chosen)
}

/// Where the swung off-beats really lie: the median, kept in the range that is swing.
fn measured_swing(chosen: &[Choice], onsets: &[(f64, f64)], ruler: Ruler, lag: f64) -> f32 {
    let mut shares: Vec<f64> = chosen
        .iter()
        .zip(onsets)
        .filter(|(choice, _)| choice.division == Division::Swing && ruler.is_off_beat(choice.at))
        .map(|(choice, &(position, rate))| {
            (position - lag * rate - ruler.origin) / ruler.count - ruler.beat_of(choice.at)
        })
        .collect();
    shares.sort_by(f64::total_cmp);
    let middle = shares.get(shares.len() / 2).copied().unwrap_or(ruler.swing);
    middle.clamp(0.54, 0.75) as f32
}

fn place(
    index: usize,
    chosen: &[Choice],
    sung: &[(f64, f64)],
    onsets: &[(f64, f64)],
    ruler: Ruler,
    lag: f64,
) -> Placement {
    let choice = chosen[index];
    let (start, end) = sung[index];
    let late = lag * onsets[index].1;
    let unit = match choice.division {
        Division::Straight if ruler.compound => ruler.count / 6.0,
        Division::Straight => ruler.count / 4.0,
        Division::Thirds => ruler.count / if ruler.compound { 2.0 } else { 3.0 },
        Division::Swing => ruler.count / 3.0,
    };
    let next = chosen.get(index + 1).map(|next| (next.at, sung[index + 1].0));
    let held = next.is_some_and(|(_, next_start)| next_start - end < HELD * (next_start - start));
    let nearest = choice.at + (((end - late - choice.at) / unit).round() * unit).max(unit);
    let until = match next {
        Some((at, _)) if held => at,
        Some((at, _)) => nearest.min(at),
        None => nearest,
    };
    let subdivision = match choice.division {
        Division::Swing => Subdivision::Swung,
        Division::Thirds => Subdivision::Triplets,
        Division::Straight if choice.place_cost >= QUARTER => Subdivision::Sixteenths,
        Division::Straight => Subdivision::Eighths,
    };
    let distance = (choice.cost - choice.place_cost).max(0.0);
    Placement {
        start: Beats(choice.at),
        length: Beats((until - choice.at).max(0.25 * unit)),
        subdivision,
        confidence: (-0.5 * distance).exp() as f32,
    }
}

impl Quantisation {
    /// The division most of the notes between beats lie on.
    pub fn subdivision(&self) -> Subdivision {
        let count = |wanted: Subdivision| self.notes.iter().filter(|note| note.subdivision == wanted).count();
        let total = self.notes.len();
        // Straight notes on beats and halves count for every straight division.
        [Subdivision::Swung, Subdivision::Triplets, Subdivision::Sixteenths]
            .into_iter()
            .find(|&division| 5 * count(division) >= total.max(1))
            .unwrap_or_default()
    }

    /// How clearly the notes lie on a grid at all, 0 to 1.
    pub fn clarity(&self) -> f32 {
        let sum: f32 = self.notes.iter().map(|note| note.confidence).sum();
        sum / self.notes.len().max(1) as f32
    }

    /// Start and end of a note, from where it was sung (0) to where it was probably meant (1).
    pub fn pulled(&self, index: usize, sung: (f64, f64), strength: f32) -> (f64, f64) {
        let Some(placement) = self.notes.get(index) else { return sung };
        let strength = f64::from(if strength.is_finite() { strength.clamp(0.0, 1.0) } else { 0.0 });
        let (start, end) = (placement.start.0, placement.start.0 + placement.length.0);
        (sung.0 + strength * (start - sung.0), sung.1 + strength * (end - sung.1))
    }
}
