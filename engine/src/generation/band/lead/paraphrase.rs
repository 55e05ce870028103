//! Thread: worker. Paraphrase: what a player makes of a tune when free to, without losing it.
//!
//! Every liberty has its place and its threshold before anything is played: it is taken when the freedom reaches its threshold. So
//! more freedom means the same liberties and more of them. Sung notes stay, in their order and on their keys; those that carry the
//! tune, on strong beats and long, move by an eighth at most.

use super::super::bars::Bars;
use super::super::chance::Chance;
use super::super::groove::Groove;
use super::super::harmony::Harmony;
use super::super::melody::MelodyNote;
use super::answer::{Answer, answer};
use super::idiom::Idiom;
use crate::generation::score::ScoreNote;
use crate::time::Beats;

/// Furthest a sung note may start from its place, in beats.
const FURTHEST: f64 = 0.5;
/// Least that a note keeps of itself, in beats.
const LEAST: f64 = 0.14;
/// Least time between a sung note and what comes after it, in beats.
const HEARD: f64 = 0.2;
/// A rest of so many beats ends a phrase.
const BREATH: f64 = 0.6;
/// What repeats a motif is varied more, what states it less.
const REPEATED: f32 = 1.4;
const STATED: f32 = 0.8;

/// What a player knows besides the notes.
pub struct Player<'a> {
    /// The bars.
    pub bars: &'a Bars,
    /// The chords.
    pub harmony: &'a Harmony,
    /// The feel.
    pub groove: Groove,
    /// The style's liberties.
    pub idiom: Idiom,
    /// Keys that added notes may have.
    pub keys: (u8, u8),
    /// Whether the instrument slides.
    pub slides: bool,
    /// Beats a millisecond.
    pub beats_per_ms: f64,
    /// 0 to 1.
    pub freedom: f32,
}

/// One ornament at most a note.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Ornament {
    Grace,
    Passing,
    Approach,
    Enclosure,
    Appoggiatura,
    Mordent,
    Turn,
    Again,
    Slide,
    Blue,
}

/// A note of the tune in its surroundings.
struct Place {
    start: f64,
    end: f64,
    /// Beats free before it, and after it up to the next note or the end.
    before: f64,
    after: f64,
    /// A note that carries the tune.
    structural: bool,
    ends_phrase: bool,
    repeated: bool,
}

/// Plays a tune freely. `plain` are the notes of `tune` as they are, one each.
pub fn paraphrase(
    plain: &[ScoreNote],
    tune: &[MelodyNote],
    player: &Player<'_>,
    chance: &mut Chance,
) -> Vec<ScoreNote> {
    let places = places(plain, tune, player.bars);
    let mut played: Vec<ScoreNote> = Vec::with_capacity(plain.len() * 2);
    // Where the next note may begin at the earliest: what was sung before it has been heard by then.
    let mut floor = f64::NEG_INFINITY;
    for index in 0..plain.len() {
        // The same draws for every note whatever is done with them, so that liberties do not depend on each other.
        let mut draws = [0.0_f32; 9];
        draws.iter_mut().for_each(|draw| *draw = chance.uniform());
        let one = One { plain, places: &places, index, player, draws };
        floor = one.play(floor, &mut played) + HEARD;
    }
    tidy(played, player.bars)
}

fn places(plain: &[ScoreNote], tune: &[MelodyNote], bars: &Bars) -> Vec<Place> {
    let end_of = |note: &ScoreNote| note.start.0 + note.length.0;
    (0..plain.len())
        .map(|index| {
            let note = &plain[index];
            let (start, end) = (note.start.0, end_of(note));
            let after = plain.get(index + 1).map_or(bars.end, |next| next.start.0) - end;
            let before = start - index.checked_sub(1).map_or(bars.start, |before| end_of(&plain[before]));
            let strong = bars.strength(tune[index].meant) >= 0.6;
            Place {
                start,
                end,
                before: before.max(0.0),
                after: after.max(0.0),
                structural: (strong && note.length.0 >= 0.7) || note.length.0 >= 1.4,
                ends_phrase: after >= BREATH || index + 1 == plain.len(),
                repeated: repeats(plain, index),
            }
        })
        .collect()
}

/// Whether a note begins a motif of three notes that was heard before.
fn repeats(plain: &[ScoreNote], index: usize) -> bool {
    let motif = |from: usize| {
        let notes = plain.get(from..from + 3)?;
        let leap = |n: usize| i32::from(notes[n + 1].key) - i32::from(notes[n].key);
        let wait = |n: usize| ((notes[n + 1].start.0 - notes[n].start.0) * 4.0).round() as i64;
        Some([i64::from(leap(0)), i64::from(leap(1)), wait(0), wait(1)])
    };
    let Some(this) = motif(index) else { return false };
    (index.saturating_sub(32)..index).any(|earlier| motif(earlier) == Some(this))
}

/// One note about to be played.
struct One<'a> {
    plain: &'a [ScoreNote],
    places: &'a [Place],
    index: usize,
    player: &'a Player<'a>,
    draws: [f32; 9],
}

impl One<'_> {
    fn taken(&self, draw: usize, probability: f32) -> bool {
        self.draws[draw] < probability.min(1.0) * self.player.freedom
    }

    /// Adds the note, with what the player makes of it, nothing of it before `floor`. Where the sung note itself starts.
    fn play(&self, floor: f64, played: &mut Vec<ScoreNote>) -> f64 {
        let (place, idiom, freedom) = (&self.places[self.index], &self.player.idiom, self.player.freedom);
        let mut note = self.plain[self.index].clone();
        let ornament = self.ornament();
        let behind = f64::from(idiom.behind_ms * freedom) * self.player.beats_per_ms;
        let mut moved = behind;
        // An ornament on the beat delays the note by itself.
        if ornament != Some(Ornament::Appoggiatura) {
            moved += self.shift();
        }
        moved = moved.clamp(-FURTHEST, FURTHEST);
        note.start = Beats((place.start + moved).max(floor.min(place.start)));
        note.length = Beats((place.end - note.start.0).max(LEAST));
        if note.bend.is_empty() || moved.abs() > 1e-9 {
            trim(&mut note);
        }
        // Accents of the player's own, as small as the freedom.
        let accent = 10.0 * freedom * (self.draws[6] - 0.5);
        note.velocity = (f32::from(note.velocity) + accent).round().clamp(1.0, 127.0) as u8;
        if place.ends_phrase && self.taken(4, idiom.fall) && self.player.slides && note.length.0 >= 0.7 {
            fall(&mut note);
        }
        let before = played.len();
        let started = match ornament {
            Some(ornament) => self.ornamented(ornament, note, played),
            None => {
                let start = note.start.0;
                played.push(note);
                start
            }
        };
        let first = played[before..].iter().map(|added| added.start.0).fold(started, f64::min).max(floor.min(started));
        let mut index = 0;
        played.retain(|added| {
            index += 1;
            let at = added.start.0;
            // Nothing before its time; and what was added to the note before gives way to this one.
            if index > before { at >= first } else { at < first - LEAST || at <= floor - HEARD }
        });
        if place.ends_phrase && self.taken(5, idiom.fill) {
            let order = Answer {
                plain: self.plain,
                last: self.index,
                until: place.end + place.after - 0.3,
                bars: self.player.bars,
                harmony: self.player.harmony,
                groove: self.player.groove,
                keys: self.player.keys,
                draw: self.draws[7],
            };
            played.extend(answer(&order));
        }
        started
    }

    /// How much earlier or later the note comes.
    fn shift(&self) -> f64 {
        let (place, idiom) = (&self.places[self.index], &self.player.idiom);
        if !self.taken(0, idiom.anticipate + idiom.delay) {
            return 0.0;
        }
        let swung = |beats: f64| if idiom.swung && beats > 0.4 { 0.36 } else { beats };
        let room = place.before + self.index.checked_sub(1).map_or(0.0, |before| self.plain[before].length.0 - 0.3);
        let length = place.end - place.start;
        let share = idiom.anticipate / (idiom.anticipate + idiom.delay).max(1e-6);
        if self.draws[1] < share {
            // What moves early moves onto an offbeat, and does not push the note before it away.
            let early = swung(idiom.shift_beats);
            let inside = place.start - early >= self.player.bars.start;
            if inside && room >= early && place.structural { -early } else { 0.0 }
        } else {
            let late = swung(idiom.shift_beats).min(0.34);
            if length >= late + 0.4 { late } else { 0.0 }
        }
    }

    /// The ornament this note gets, if any.
    fn ornament(&self) -> Option<Ornament> {
        let (place, idiom) = (&self.places[self.index], &self.player.idiom);
        let note = &self.plain[self.index];
        let before = self.index.checked_sub(1).map(|before| &self.plain[before]);
        let next = self.plain.get(self.index + 1);
        let length = place.end - place.start;
        // Beats that may be taken before the note: from a rest, or from the end of a note that keeps its better half.
        let spared = before.map_or(0.0, |before| before.length.0);
        let room = place.before + 0.4 * spared;
        let leap = next.filter(|_| place.after < 0.35).map_or(0, |next| next.key.abs_diff(note.key));
        let tone = self.player.harmony.at(place.start).tones.contains(&(note.key % 12));
        let when = |possible: bool, weight: f32| if possible { weight } else { 0.0 };
        let blue = self.blue();
        let choices = [
            (Ornament::Grace, when(room >= 0.15 && place.structural, idiom.grace)),
            (Ornament::Passing, when((3..=5).contains(&leap) && length >= 0.7, idiom.passing)),
            (Ornament::Approach, when(room >= 0.3 && place.structural, idiom.approach)),
            (Ornament::Enclosure, when(place.before + 0.6 * spared >= 0.54 && place.structural, idiom.enclosure)),
            (Ornament::Appoggiatura, when(tone && place.structural && length >= 1.0, idiom.appoggiatura)),
            (Ornament::Mordent, when(length >= 0.9, idiom.mordent)),
            (Ornament::Turn, when(length >= 1.4, idiom.turn)),
            (Ornament::Again, when(length >= 0.9, idiom.again)),
            (Ornament::Slide, when(self.player.slides && length >= 0.45, idiom.slide)),
            (Ornament::Blue, when(blue && length >= 0.45, idiom.blue)),
        ];
        let all: f32 = choices.iter().map(|(_, weight)| weight).sum();
        let liking = if place.repeated { REPEATED } else { STATED };
        if all <= 0.0 || !self.taken(2, 0.75 * all.min(1.0) * liking) {
            return None;
        }
        let mut left = self.draws[3] * all;
        choices.into_iter().find_map(|(ornament, weight)| {
            left -= weight;
            (weight > 0.0 && left < 0.0).then_some(ornament)
        })
    }

    /// A third or fifth over the chord that blues players reach from below.
    fn blue(&self) -> bool {
        let place = &self.places[self.index];
        let chord = self.player.harmony.at(place.start);
        matches!((self.plain[self.index].key + 12 - chord.root % 12) % 12, 4 | 7)
    }

    /// Adds the note with an ornament. Where the sung note itself starts.
    fn ornamented(&self, ornament: Ornament, mut note: ScoreNote, played: &mut Vec<ScoreNote>) -> f64 {
        let (start, length, key) = (note.start.0, note.length.0, note.key);
        let (above, below) = (self.neighbour(key, 1), self.neighbour(key, -1));
        let mut sung = start;
        let like = note.clone();
        let added = |at: f64, long: f64, key: u8, softer: f32| added(&like, at, long, key, softer);
        match ornament {
            Ornament::Grace => {
                let long = (75.0 * self.player.beats_per_ms).clamp(0.06, 0.14);
                let from = if self.draws[8] < 0.7 { below } else { above };
                played.push(added(start - long, long, from, 0.8));
                played.push(note);
            }
            Ornament::Approach => {
                let long = if self.player.idiom.swung { 0.34 } else { 0.25 };
                played.push(added(start - long, long * 0.95, key.saturating_sub(1).max(self.player.keys.0), 0.85));
                played.push(note);
            }
            Ornament::Enclosure => {
                let second = if self.player.idiom.swung { 0.34 } else { 0.25 };
                let first = 0.54 - second;
                played.push(added(start - 0.54, 0.95 * first, above, 0.8));
                played.push(added(start - second, second * 0.95, key.saturating_sub(1).max(self.player.keys.0), 0.85));
                played.push(note);
            }
            Ornament::Passing => {
                let next = self.plain.get(self.index + 1).map_or(key, |next| next.key);
                let goal = self.neighbour(next, if next > key { -1 } else { 1 });
                let long = (length * 0.35).min(0.5);
                let at = start + length - long;
                let passing = added(at, long * 0.97, goal, 0.85);
                note.length = Beats(at - start);
                trim(&mut note);
                played.push(note);
                played.push(passing);
            }
            Ornament::Appoggiatura => {
                let long = (length / 3.0).min(0.48);
                let leaning = added(start, long, above, 1.0);
                sung = start + long;
                note.start = Beats(sung);
                note.length = Beats(length - long);
                trim(&mut note);
                played.push(leaning);
                played.push(note);
            }
            Ornament::Mordent => {
                let long = (90.0 * self.player.beats_per_ms).clamp(0.1, 0.2);
                let (upper, back) =
                    (added(start + long, long, above, 0.85), added(start + 2.0 * long, length - 2.0 * long, key, 0.95));
                note.length = Beats(long);
                trim(&mut note);
                played.extend([note, upper, back]);
            }
            Ornament::Turn => {
                let at = (length * 0.55 * 4.0).round() / 4.0;
                let turn = [(at, above), (at + 0.17, key), (at + 0.34, below)];
                let back = added(start + at + 0.5, length - at - 0.5, key, 0.9);
                let turned: Vec<ScoreNote> =
                    turn.into_iter().map(|(after, key)| added(start + after, 0.16, key, 0.85)).collect();
                note.length = Beats(at);
                trim(&mut note);
                played.push(note);
                played.extend(turned);
                if back.length.0 >= LEAST {
                    played.push(back);
                }
            }
            Ornament::Again => {
                let at = if self.player.idiom.swung { 0.66 } else { 0.5 };
                let second = added(start + at, length - at, key, 0.88);
                note.length = Beats(at * 0.85);
                trim(&mut note);
                played.push(note);
                played.push(second);
            }
            Ornament::Slide => {
                lean(&mut note, -2.0, (90.0 * self.player.beats_per_ms) as f32);
                played.push(note);
            }
            Ornament::Blue if self.player.slides => {
                lean(&mut note, -1.0, (170.0 * self.player.beats_per_ms) as f32);
                played.push(note);
            }
            Ornament::Blue => {
                let long = (90.0 * self.player.beats_per_ms).clamp(0.08, 0.16);
                let crushed = added(start, long, key.saturating_sub(1).max(self.player.keys.0), 0.9);
                sung = start + long;
                note.start = Beats(sung);
                note.length = Beats(length - long);
                trim(&mut note);
                played.extend([crushed, note]);
            }
        }
        sung
    }

    /// The next key of the scale or the chord, up or down.
    fn neighbour(&self, key: u8, step: i16) -> u8 {
        let place = &self.places[self.index];
        let tones = &self.player.harmony.at(place.start).tones;
        let (low, high) = (i16::from(self.player.keys.0), i16::from(self.player.keys.1));
        let near = (1..=2).map(|by| i16::from(key) + step * by).filter(|key| (low..=high).contains(key));
        let fits = |key: &i16| {
            let class = (key % 12) as u8;
            self.player.harmony.scale[usize::from(class)] || tones.contains(&class)
        };
        near.clone().find(fits).or(near.clone().next_back()).map_or(key, |key| key as u8)
    }
}

fn added(like: &ScoreNote, start: f64, length: f64, key: u8, softer: f32) -> ScoreNote {
    ScoreNote {
        start: Beats(start),
        length: Beats(length),
        key,
        velocity: (f32::from(like.velocity) * softer).clamp(1.0, 127.0) as u8,
        bend: Vec::new(),
        expression_db: Vec::new(),
        written: None,
    }
}

/// Cuts a note's curves to its length.
fn trim(note: &mut ScoreNote) {
    let length = note.length.0 as f32;
    note.bend.retain(|(at, _)| *at <= length);
    note.expression_db.retain(|(at, _)| *at <= length);
}

/// Begins a note off its key and slides onto it.
fn lean(note: &mut ScoreNote, from: f32, beats: f32) {
    let beats = beats.min(0.4 * note.length.0 as f32);
    note.bend.retain(|(at, _)| *at > beats);
    if note.bend.first().is_none_or(|first| first.0 > beats + 1e-3) {
        note.bend.insert(0, (beats, 0.0));
    }
    note.bend.insert(0, (0.35 * beats, 0.8 * from));
    note.bend.insert(0, (0.0, from));
}

/// Lets the end of a note fall off.
fn fall(note: &mut ScoreNote) {
    let length = note.length.0 as f32;
    let from = length - 0.22_f32.min(0.25 * length);
    note.bend.retain(|(at, _)| *at < from - 1e-3);
    if note.bend.is_empty() {
        note.bend.push((0.0, 0.0));
    }
    note.bend.extend([(from, 0.0), (length, -3.0)]);
}

/// Puts the line in order: nothing overlaps, nothing leaves the score, no note vanishes.
fn tidy(mut notes: Vec<ScoreNote>, bars: &Bars) -> Vec<ScoreNote> {
    notes.sort_by(|a, b| a.start.0.total_cmp(&b.start.0));
    let mut line: Vec<ScoreNote> = Vec::with_capacity(notes.len());
    for mut note in notes {
        note.length = Beats(note.length.0.min(bars.end - note.start.0));
        if note.length.0 < 0.03 {
            continue;
        }
        if let Some(before) = line.last_mut() {
            let room = note.start.0 - before.start.0;
            if before.length.0 > room {
                before.length = Beats(room);
                trim(before);
            }
        }
        // A note that was left no time gives way.
        line.pop_if(|before| before.length.0 < 0.03);
        line.push(note);
    }
    line
}
