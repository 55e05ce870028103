//! Thread: worker. The rhythm of a melody that was hummed without a click: tempo, metre, bar lines, from the notes alone.
//!
//! [`pattern`] knows how notes lie in bars, [`tracker`] follows the beat under every reading of the melody, [`evidence`] weighs the
//! readings as wholes, [`beats`] draws the beat through the notes of the likeliest one. [`fit`] brings it into a song.

mod beats;
mod evidence;
mod fit;
mod pattern;
mod tracker;

pub use fit::{HostFit, fit};

use crate::analysis::quantise::{self, Subdivision};
use crate::analysis::{KeyEstimate, Mode, Note};
use crate::time::{Beats, Bpm, Metre, Seconds, SongGrid};
use evidence::Sounding;
use pattern::{Pattern, TICKS};
use serde::{Deserialize, Serialize};
use tracker::{Onset, Reading};

/// The tempo of a melody that has none.
const NO_TEMPO: Bpm = Bpm(100.0);
/// Readings are less certain than their likelihoods say, because notes are not independent: nats that count as one, for the tempo and
/// for metre and bar lines. Measured on tunes: of what is given a certainty, that share is right.
const TEMPO_TEMPERATURE: f64 = 2.6;
const METRE_TEMPERATURE: f64 = 1.7;
/// Tempos nearer than this, as a ratio, are one.
const SAME_TEMPO: f64 = 1.04;
/// Notes that make half of the possible certainty.
const ENOUGH: f64 = 3.0;
/// Tempos that are offered as half or double of the one heard.
const OFFERED: std::ops::RangeInclusive<f64> = 20.0..=400.0;
/// Certainty of a half or double tempo that no reading had: it is the same pulse all the same.
const AT_LEAST: f32 = 0.01;
/// Most alternatives that are kept.
const MOST_ALTERNATIVES: usize = 6;
/// Singers who are later or earlier than this throughout are told, when so many notes say so.
const NOTICEABLE_MS: f32 = 45.0;
const ENOUGH_FOR_LAG: usize = 12;
/// Notes lie on the grid when they do so on average: otherwise there is nothing to be late for.
const ON_THE_GRID: f32 = 0.6;
/// How much the metre of the song speaks for itself, in nats, when it is not the usual 4/4.
const SONG_METRE: f64 = 3.0;
/// Notes that count for the rhythm, half an hour of them: what memory a melody may take is bounded.
const MOST_NOTES: usize = 4_000;
/// Bar lines at least this sure are worth going by.
const BARS_KNOWN: f32 = 0.3;

/// What was understood of a melody's rhythm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rhythm {
    /// Mean tempo of the hum, in quarter notes a minute.
    pub tempo: Bpm,
    /// How sure the tempo is, 0 to 1; 1 when the host gave it.
    pub confidence: f32,
    /// Other tempos it may be, likeliest first; half and double are always among them.
    pub alternatives: Vec<(Bpm, f32)>,
    /// Time signature.
    pub metre: Metre,
    /// How sure it is, 0 to 1.
    pub metre_confidence: f32,
    /// Other time signatures, likeliest first.
    pub metre_alternatives: Vec<(Metre, f32)>,
    /// The first bar line at or after the first note, from the start of the take.
    pub downbeat: Seconds,
    /// How sure it is that the bars begin there, 0 to 1.
    pub downbeat_confidence: f32,
    /// Length of what comes before that bar line, from the first note on.
    pub pickup: Beats,
    /// How the beat is mostly divided.
    pub subdivision: Subdivision,
    /// Where swung off-beats lie: the share of a beat that its first half takes, 0.5 is straight. `None` when nothing swings.
    pub swing: Option<f32>,
    /// How late the singer is on the whole, in milliseconds; negative when early. 0 without a grid: nothing to be late for.
    pub lag_ms: f32,
    /// How far the tempo of a free hum wanders: the fastest less the slowest, as a share of the mean.
    pub drift: f32,
    /// The beats of the bars (of three eighths in compound time), from the bar line before the first note to the end.
    pub beats: Vec<Seconds>,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self {
            tempo: NO_TEMPO,
            confidence: 0.0,
            alternatives: Vec::new(),
            metre: Metre::default(),
            metre_confidence: 0.0,
            metre_alternatives: Vec::new(),
            downbeat: Seconds(0.0),
            downbeat_confidence: 0.0,
            pickup: Beats(0.0),
            subdivision: Subdivision::default(),
            swing: None,
            lag_ms: 0.0,
            drift: 0.0,
            beats: Vec::new(),
        }
    }
}

impl Rhythm {
    /// Whether the bar lines are more than a guess: then notes on them weigh more in what follows.
    pub fn bars_known(&self) -> bool {
        self.downbeat_confidence > BARS_KNOWN
    }
}

/// A rhythm and the grid its beats lie on.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// What was understood.
    pub rhythm: Rhythm,
    /// Bar lines at multiples of a bar; the take begins within the first bar.
    pub grid: SongGrid,
}

/// Hears tempo, metre and bar lines in the notes of a free hum. `key` tells the notes of rest; `song` is the metre of the song the hum
/// is for, when one is known.
///
/// With fewer than two notes it is a usual tempo with confidence 0.
pub fn hear(notes: &[Note], key: &KeyEstimate, song: Option<Metre>) -> Heard {
    let notes = &notes[..notes.len().min(MOST_NOTES)];
    let patterns = pattern::patterns();
    let mut readings = if notes.len() < 2 { Vec::new() } else { tracker::readings(&onsets(notes, key), &patterns) };
    let sounding: Vec<Sounding> = notes
        .iter()
        .map(|note| Sounding { key: note.key, onset: note.onset.0, length: (note.offset - note.onset).0 })
        .collect();
    for reading in &mut readings {
        let pattern = &patterns[reading.pattern];
        reading.score += evidence::evidence(reading, pattern, &sounding);
        if song.is_some_and(|song| song == pattern.metre && song != Metre::default()) {
            reading.score += SONG_METRE;
        }
    }
    readings.sort_by(|a, b| b.score.total_cmp(&a.score));
    let Some(best) = readings.first() else {
        let metre = song.unwrap_or_default();
        let rhythm = Rhythm { metre, ..Rhythm::default() };
        return Heard { rhythm, grid: SongGrid::at_origin(NO_TEMPO, metre) };
    };
    let pattern = &patterns[best.pattern];
    let line = beats::through(best, &sounding);
    let grid = line.grid(pattern);
    let mut rhythm = Rhythm { metre: pattern.metre, ..describe(best, pattern, &line) };
    weigh(&mut rhythm, &readings, &patterns, notes.len());
    let divided = quantise::suggest(notes, &grid, None);
    rhythm.subdivision = divided.subdivision();
    rhythm.swing = divided.swing;
    Heard { rhythm, grid }
}

/// The rhythm of a take whose grid the host gave. `length` is the take's.
pub fn on_grid(notes: &[Note], grid: &SongGrid, length: Beats) -> Rhythm {
    let divided = quantise::suggest(notes, grid, Some(length));
    let bar = grid.metre.bar().0;
    let origin = quantise::bar_origin(grid, Some(length));
    let first = divided.notes.first().map_or(grid.start, |placement| placement.start);
    let line = origin + ((first.0 - origin) / bar - 1e-6).ceil() * bar;
    let count = if quantise::is_compound(grid.metre) { 1.5 } else { 1.0 };
    let after = |beat: f64| grid.tempo.seconds_between(grid.start, Beats(beat));
    let beats = (0..4096).map(|index| origin + f64::from(index) * count);
    Rhythm {
        tempo: grid.tempo.tempo_at(grid.start),
        confidence: 1.0,
        metre: grid.metre,
        metre_confidence: 1.0,
        downbeat: after(line),
        downbeat_confidence: 1.0,
        pickup: Beats(line - first.0),
        subdivision: divided.subdivision(),
        swing: divided.swing,
        lag_ms: if divided.clarity() > ON_THE_GRID { (1e3 * divided.lag.0) as f32 } else { 0.0 },
        beats: beats.take_while(|beat| *beat <= grid.start.0 + length.0 + 1e-6).map(after).collect(),
        ..Rhythm::default()
    }
}

/// What loudness and pitch say for each rank of place: loud notes and notes of the home triad lie on bar lines more often (0.73 of the
/// notes on bar lines, 0.56 of those between beats, in the tunes of the test table), repeated notes less often.
fn onsets(notes: &[Note], key: &KeyEstimate) -> Vec<Onset> {
    let count = notes.len() as f64;
    let mean = notes.iter().map(|note| f64::from(note.loudness)).sum::<f64>() / count;
    let spread = notes.iter().map(|note| (f64::from(note.loudness) - mean).powi(2)).sum::<f64>() / count;
    let spread = spread.sqrt().max(0.05);
    let mut lengths: Vec<f64> = notes.iter().map(|note| (note.offset - note.onset).0).collect();
    lengths.sort_by(f64::total_cmp);
    let middle = lengths[lengths.len() / 2].max(0.02);
    let third = if key.key.mode == Mode::Major { 4 } else { 3 };
    let trust = if key.confidence > 0.0 { 1.0 } else { 0.0 };
    notes
        .iter()
        .enumerate()
        .map(|(index, note)| {
            let louder = ((f64::from(note.loudness) - mean) / spread).clamp(-2.0, 2.0);
            let longer = ((note.offset - note.onset).0.max(0.02) / middle).ln().clamp(-1.0, 1.5);
            let mut accent = [0.2 * louder + 0.15 * longer, 0.0, -0.15 * louder - 0.15 * longer];
            let degree = (note.key + 12 - key.key.tonic % 12) % 12;
            let of_home = if [0, third, 7].contains(&degree) { [0.13, 0.0, -0.13] } else { [-0.29, 0.02, 0.2] };
            let repeated = index > 0 && notes[index - 1].key == note.key;
            let again = match index {
                0 => [0.0; 3],
                _ if repeated => [-0.4, 0.2, 0.0],
                _ => [0.1, -0.05, 0.0],
            };
            for rank in 0..3 {
                accent[rank] += trust * of_home[rank] + again[rank];
            }
            let certainty = f64::from(note.confidence.clamp(0.0, 1.0));
            let rest = if index > 0 { note.onset.0 - notes[index - 1].offset.0 } else { 0.0 };
            Onset { time: note.onset.0, accent, certainty, rest }
        })
        .collect()
}

/// Where the first bar line and the beats lie.
fn describe(reading: &Reading, pattern: &Pattern, line: &beats::Line) -> Rhythm {
    let first = reading.ticks.iter().flatten().next().copied().unwrap_or(0);
    let bar_line = if first == 0 { 0 } else { pattern.bar };
    let quarters = |ticks: u32| f64::from(ticks) / f64::from(TICKS) * pattern.quarters;
    let tempo = Bpm(60.0 / line.mean_beat() * pattern.quarters);
    Rhythm {
        tempo,
        downbeat: Seconds(line.time_at(f64::from(bar_line) / f64::from(TICKS))),
        pickup: Beats(quarters(bar_line - first)),
        drift: line.drift() as f32,
        beats: line.times().iter().copied().map(Seconds).collect(),
        ..Rhythm::default()
    }
}

/// Certainties, and what else it may be: each way to tell the readings apart gets the likeliest reading of each kind.
fn weigh(rhythm: &mut Rhythm, readings: &[Reading], patterns: &[Pattern], notes: usize) {
    let evidence = (notes as f64 / (notes as f64 + ENOUGH)) as f32;
    let best = readings[0].score;
    let cooled = |reading: &Reading, temperature: f64| ((reading.score - best) / temperature).exp();
    let bpm = |reading: &Reading| 60.0 / reading.beat * patterns[reading.pattern].quarters;

    let tempos = shares(readings.iter().map(|reading| (bpm(reading), cooled(reading, TEMPO_TEMPERATURE))), |a, b| {
        (a / b).max(b / a) < SAME_TEMPO
    });
    rhythm.confidence = tempos[0].1 * evidence;
    let heard = rhythm.tempo.0;
    let mut others: Vec<(Bpm, f32)> =
        tempos[1..].iter().map(|&(tempo, share)| (Bpm(tempo), share * evidence)).collect();
    for related in [0.5, 2.0, 2.0 / 3.0, 1.5] {
        // The reading's own beat is where its tempo ended; the pulse is exactly related.
        let exact = Bpm(heard * related);
        let near = |tempo: f64| (tempo / exact.0).max(exact.0 / tempo) < SAME_TEMPO;
        if let Some(known) = others.iter_mut().find(|(tempo, _)| near(tempo.0)) {
            known.0 = exact;
        } else if OFFERED.contains(&exact.0) && (related == 0.5 || related == 2.0) {
            others.push((exact, AT_LEAST));
        }
    }
    others.sort_by(|a, b| b.1.total_cmp(&a.1));
    let octave = |tempo: Bpm| [0.5, 2.0].iter().any(|related| (tempo.0 / heard / related - 1.0).abs() < 1e-6);
    let mut kept = 0;
    others.retain(|(tempo, _)| {
        kept += 1;
        kept <= MOST_ALTERNATIVES || octave(*tempo)
    });
    rhythm.alternatives = others;

    let weight = |reading: &Reading| cooled(reading, METRE_TEMPERATURE);
    let metres =
        shares(readings.iter().map(|reading| (patterns[reading.pattern].metre, weight(reading))), |a, b| a == b);
    rhythm.metre_confidence = metres[0].1 * evidence;
    rhythm.metre_alternatives = metres[1..].iter().map(|&(metre, share)| (metre, share * evidence)).collect();

    let first = |reading: &Reading| reading.ticks.iter().flatten().next().copied().unwrap_or(0);
    let chosen = (rhythm.metre, first(&readings[0]));
    let places = shares(
        readings.iter().map(|reading| ((patterns[reading.pattern].metre, first(reading)), weight(reading))),
        |a, b| a == b,
    );
    let share = places.iter().find(|(place, _)| *place == chosen).map_or(0.0, |(_, share)| *share);
    rhythm.downbeat_confidence = share * evidence;
}

/// Kinds of readings, each with the weight of its best as a share of all; the first is the best's own.
fn shares<T: Copy>(weighted: impl Iterator<Item = (T, f64)>, same: impl Fn(T, T) -> bool) -> Vec<(T, f32)> {
    let mut kinds: Vec<(T, f64)> = Vec::new();
    for (kind, weight) in weighted {
        if !kinds.iter().any(|(known, _)| same(*known, kind)) {
            kinds.push((kind, weight));
        }
    }
    let total: f64 = kinds.iter().map(|(_, weight)| weight).sum();
    kinds.into_iter().map(|(kind, weight)| (kind, (weight / total) as f32)).collect()
}

impl Rhythm {
    /// What should be said, in plain sentences: of a hum without a grid what is unsure, of one on the grid when it is late.
    pub fn doubts(&self, notes: usize) -> Vec<String> {
        let bpm = self.tempo.0;
        let mut doubts = Vec::new();
        if self.confidence >= 1.0 {
            let (ms, side) = (self.lag_ms.abs(), if self.lag_ms > 0.0 { "late" } else { "early" });
            if ms > NOTICEABLE_MS && notes >= ENOUGH_FOR_LAG {
                let remedy = "\"tightened\" or \"on the grid\" corrects it";
                doubts.push(format!("Sung about {ms:.0} ms {side} throughout: {remedy}."));
            }
            return doubts;
        }
        if notes < 4 {
            doubts.push("Tempo is a guess: there are too few notes to feel a beat.".to_owned());
            return doubts;
        }
        match self.alternatives.first() {
            Some((rival, share)) if *share > 0.4 * self.confidence => {
                doubts.push(format!("Tempo heard as {bpm:.0} BPM, but it may be {:.0}.", rival.0));
            }
            _ if self.confidence < 0.3 => {
                doubts.push(format!("Tempo is a guess ({bpm:.0} BPM): the notes follow no clear beat."));
            }
            _ => {}
        }
        let name = |metre: Metre| format!("{}/{}", metre.numerator, metre.denominator);
        match self.metre_alternatives.first() {
            Some((rival, share)) if *share > 0.5 * self.metre_confidence => {
                doubts.push(format!("Heard in {}, but it may be {}.", name(self.metre), name(*rival)));
            }
            _ => {}
        }
        if self.pickup.0 > 0.0 {
            let sure = if self.downbeat_confidence > 0.5 { "is" } else { "sounds like" };
            doubts.push(format!("The beginning {sure} a pickup of {} to bar 1.", beats_in_words(self.pickup)));
        } else if self.downbeat_confidence < 0.25 {
            doubts.push("Where the bars begin is a guess.".to_owned());
        }
        if self.drift > 0.12 {
            doubts
                .push(format!("The tempo of the hum wanders by {:.0} %: its beats are followed.", 100.0 * self.drift));
        }
        doubts
    }
}

/// "1 beat", "1½ beats".
fn beats_in_words(beats: Beats) -> String {
    let whole = beats.0.floor();
    let rest = match beats.0 - whole {
        rest if (rest - 0.5).abs() < 0.01 => "½",
        rest if (rest - 0.25).abs() < 0.01 => "¼",
        rest if (rest - 0.75).abs() < 0.01 => "¾",
        rest if rest < 0.01 => "",
        _ => return format!("{:.1} beats", beats.0),
    };
    let plural = if beats.0 > 1.0 { "s" } else { "" };
    let whole = if whole > 0.0 { format!("{whole:.0}") } else { String::new() };
    format!("{whole}{rest} beat{plural}")
}
