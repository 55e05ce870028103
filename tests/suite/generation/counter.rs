//! The counter-line: complementary, consonant, clear of the tune.

use super::checker::faults;
use super::tunes::{self, Tune, request};
use cantus_engine::generation::band::arrange;
use cantus_engine::generation::direction::LeadVoice;
use cantus_engine::generation::score::{Role, Score};
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::job_context::JobContext;
use std::sync::OnceLock;

/// The shipped styles, each with a counter-line below and one above the tune.
fn library() -> &'static StyleLibrary {
    static LIBRARY: OnceLock<StyleLibrary> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let mut library = StyleLibrary::builtin().unwrap();
        let styles = [
            ("jazz", include_str!("../../../assets/styles/jazz.toml")),
            ("orchestral", include_str!("../../../assets/styles/orchestral.toml")),
            ("reggae", include_str!("../../../assets/styles/reggae.toml")),
        ];
        for (name, text) in styles {
            // Cello below; violins above.
            for (side, preset, register) in [("below", "0:42", "[38, 62]"), ("above", "20:48", "[67, 91]")] {
                // The style's own counter-lines go, whole.
                let own = |part: &&str| !part.contains("role = \"counter\"");
                let text = text.split("[[parts]]").filter(own).collect::<Vec<_>>().join("[[parts]]");
                let text: Vec<String> = text
                    .lines()
                    .map(|line| match line.split(' ').next() {
                        Some("name") => format!("name = \"{name}{side}\""),
                        Some("words") => format!("words = [\"{name}{side}\"]"),
                        _ => line.to_owned(),
                    })
                    .collect();
                let part = format!(
                    "\n[[parts]]\nrole = \"counter\"\npreset = \"{preset}\"\nregister = {register}\ngain_db = -6\ngate = 0.97\nrule = \"counter\"\n"
                );
                let file = text.join("\n") + &part;
                library.add_text(&format!("{name}{side}.toml"), &file).unwrap();
            }
        }
        library
    })
}

const STYLES: [&str; 6] =
    ["jazzbelow", "jazzabove", "orchestralbelow", "orchestralabove", "reggaebelow", "reggaeabove"];

fn score(tune: &Tune, style: &str, seed: u64, voice: LeadVoice, freedom: f32) -> Score {
    let mut request = request(&tune.analysis, style, seed, freedom);
    request.recipe.direction.lead = voice;
    arrange(&request, library(), &JobContext::detached()).unwrap()
}

/// A note: where it is written, where it ends, its key.
type Line = Vec<(f64, f64, u8)>;

fn line(score: &Score, role: Role) -> Line {
    let notes = score.tracks.iter().filter(|track| track.role == role).flat_map(|track| &track.notes);
    notes.map(|note| (note.written.unwrap_or(note.start).0, note.start.0 + note.length.0, note.key)).collect()
}

#[derive(Debug, Default, Clone, PartialEq)]
struct Judged {
    notes: usize,
    clashes: usize,
    crossings: usize,
    parallels: usize,
    /// Of the notes on a count, how many are no tone of their chord.
    foreign: usize,
    on_counts: usize,
    /// Moves while the tune moves: against it, with it.
    contrary: usize,
    similar: usize,
    /// Strokes where the tune holds or rests, and where it moves, and beats of each.
    free: usize,
    busy: usize,
    free_beats: f64,
    busy_beats: f64,
}

impl Judged {
    fn add(&mut self, other: &Self) {
        self.notes += other.notes;
        self.clashes += other.clashes;
        self.crossings += other.crossings;
        self.parallels += other.parallels;
        self.foreign += other.foreign;
        self.on_counts += other.on_counts;
        self.contrary += other.contrary;
        self.similar += other.similar;
        self.free += other.free;
        self.busy += other.busy;
        self.free_beats += other.free_beats;
        self.busy_beats += other.busy_beats;
    }

    /// Strokes a beat where the line is free, against those where it is not.
    fn complementarity(&self) -> f64 {
        (self.free as f64 / self.free_beats.max(1.0)) / (self.busy as f64 / self.busy_beats.max(1.0)).max(1e-3)
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut none = |count: usize, what: &str| {
            if count > 0 {
                faults.push(format!("{count} {what}"));
            }
        };
        none(self.clashes, "semitones against the tune");
        none(self.crossings, "crossings");
        none(self.parallels, "parallel fifths or octaves");
        if self.foreign * 50 > self.on_counts {
            faults.push(format!("{} of {} on counts are outside their chord", self.foreign, self.on_counts));
        }
        if self.contrary <= self.similar {
            faults.push(format!("{} moves against the tune, {} with it", self.contrary, self.similar));
        }
        if self.complementarity() < 2.0 {
            faults.push(format!("strikes only {:.2} times as often where it is free", self.complementarity()));
        }
        faults
    }
}

fn judge(score: &Score, counter: &Line, tune: &Line) -> Judged {
    let mut judged = Judged { notes: counter.len(), ..Judged::default() };
    let mean = |line: &Line| line.iter().map(|note| f64::from(note.2)).sum::<f64>() / line.len().max(1) as f64;
    let below = mean(counter) < mean(tune);
    for note in counter {
        for other in tune {
            if note.1.min(other.1) - note.0.max(other.0) <= 0.12 {
                continue;
            }
            let distance = i32::from(other.2) - i32::from(note.2);
            judged.clashes += usize::from(matches!(distance.rem_euclid(12), 1 | 11));
            judged.crossings += usize::from((distance > 0) != below || distance == 0);
        }
        let chord = score.chords.iter().rev().find(|chord| chord.start.0 <= note.0 + 1e-3).unwrap_or(&score.chords[0]);
        let count = score.grid.metre.bar().0
            / if score.grid.metre.denominator == 8 { 2.0 } else { f64::from(score.grid.metre.numerator) };
        let within = (note.0 - score.grid.start.0) / count;
        if (within - within.round()).abs() < 0.02 {
            judged.on_counts += 1;
            judged.foreign += usize::from(!chord.tones.contains(&(note.2 % 12)));
        }
    }
    let at =
        |line: &Line, position: f64| line.iter().rev().find(|note| note.0 <= position).map(|note| i32::from(note.2));
    for pair in counter.windows(2) {
        let (from, to) = (i32::from(pair[0].2), i32::from(pair[1].2));
        let place = pair[1].0;
        let (Some(earlier), Some(later)) = (at(tune, pair[0].0 + 0.15), at(tune, place + 0.15)) else { continue };
        if from != to && earlier != later {
            let against = (to - from).signum() != (later - earlier).signum();
            judged.contrary += usize::from(against);
            judged.similar += usize::from(!against);
        }
        let Some(left) = at(tune, place - 0.2) else { continue };
        let (was, is) = ((left - from).rem_euclid(12), (later - to).rem_euclid(12));
        judged.parallels += usize::from(from != to && left != later && was == is && matches!(is, 0 | 7));
    }
    // Sixteenths of the song in which the tune holds or rests, and the others.
    let start = score.grid.start.0;
    for step in 0..(score.length.0 * 4.0) as usize {
        let from = start + step as f64 / 4.0;
        let moves = tune.iter().any(|note| (from - 0.5..from + 0.26).contains(&note.0));
        let strikes = counter.iter().filter(|note| (from - 0.01..from + 0.24).contains(&note.0)).count();
        if moves {
            judged.busy += strikes;
            judged.busy_beats += 0.25;
        } else {
            judged.free += strikes;
            judged.free_beats += 0.25;
        }
    }
    judged
}

fn tunes() -> Vec<Tune> {
    tunes::all().into_iter().filter(|tune| tune.tonal && tune.analysis.length.0 >= 12.0).collect()
}

#[test]
fn it_goes_its_own_way_and_never_into_the_tunes() {
    for style in STYLES {
        let mut all = Judged::default();
        for tune in tunes() {
            for seed in 0..5 {
                let score = score(&tune, style, seed, LeadVoice::AsSung, 0.0);
                assert_eq!(faults(&score, &tune.analysis), Vec::<String>::new(), "{} in {style}", tune.name);
                all.add(&judge(&score, &line(&score, Role::Counter), &line(&score, Role::Lead)));
            }
        }
        println!("{style}: {all:?}, {:.2} times as often where free", all.complementarity());
        assert_eq!(all.faults(), Vec::<String>::new(), "{style}");
        assert!(all.notes > 200, "{style}: only {} notes", all.notes);
    }
}

#[test]
fn it_stays_clear_of_a_tune_that_is_sung_and_of_a_free_one() {
    for style in ["jazzbelow", "orchestralabove"] {
        let (mut sung, mut free) = (Judged::default(), Judged::default());
        for tune in tunes() {
            let off = score(&tune, style, 1, LeadVoice::Off, 0.0);
            assert!(off.tracks.iter().all(|track| track.role != Role::Lead));
            let analysis = &tune.analysis;
            let voice: Line = analysis
                .notes
                .iter()
                .map(|note| (analysis.beat_at(note.onset).0, analysis.beat_at(note.offset).0, note.key))
                .collect();
            let counter = line(&off, Role::Counter);
            if !counter.is_empty() {
                sung.add(&judge(&off, &counter, &voice));
            }
            let played = score(&tune, style, 1, LeadVoice::AsSung, 1.0);
            free.add(&judge(&played, &line(&played, Role::Counter), &line(&played, Role::Lead)));
        }
        println!("{style}: against a voice {sung:?}, against a paraphrase {free:?}");
        assert_eq!((sung.clashes, sung.crossings, free.crossings), (0, 0, 0), "{style}");
        // A player's short chromatic notes may rub in passing.
        assert!(free.clashes * 25 <= free.notes, "{style}: {} of {}", free.clashes, free.notes);
        assert!(sung.notes > 40 && free.notes > 40, "{style}: only {} and {} notes", sung.notes, free.notes);
    }
}

#[test]
fn it_stays_the_same_whatever_the_lead_makes_of_the_tune() {
    for tune in tunes().iter().take(4) {
        for style in STYLES {
            let exact = line(&score(tune, style, 2, LeadVoice::AsSung, 0.0), Role::Counter);
            assert_eq!(exact, line(&score(tune, style, 2, LeadVoice::AsSung, 1.0), Role::Counter), "{style}");
        }
    }
}

#[test]
fn odd_tunes_and_every_voice_are_playable() {
    let voices = [
        LeadVoice::AsSung,
        LeadVoice::OctaveUp,
        LeadVoice::OctaveDown,
        LeadVoice::Thirds,
        LeadVoice::Sixths,
        LeadVoice::Doubled,
        LeadVoice::Off,
    ];
    for (index, tune) in tunes::all().iter().enumerate() {
        for (seed, voice) in voices.into_iter().enumerate() {
            let score = score(tune, STYLES[(index + seed) % STYLES.len()], seed as u64, voice, 1.0);
            let mut faults = faults(&score, &tune.analysis);
            faults.retain(|fault| voice != LeadVoice::Off || !fault.starts_with("roles"));
            assert_eq!(faults, Vec::<String>::new(), "{}: {voice:?}", tune.name);
        }
    }
}

/// Makes of a counter-line and its tune a line that is none.
type Spoil = fn(&Line, &Line) -> Line;

#[test]
fn lines_that_are_no_counter_lines_are_found_out() {
    let broken: [(&str, Spoil); 4] = [
        ("semitones", |counter, _| counter.iter().map(|note| (note.0, note.1, note.2 + 1)).collect()),
        ("parallel", |_, tune| tune.iter().map(|note| (note.0, note.1, note.2 - 12)).collect()),
        ("often", |_, tune| tune.iter().map(|note| (note.0, note.1, note.2 - 12)).collect()),
        ("crossings", |counter, tune| {
            let up = tune.iter().map(|note| note.2).max().unwrap_or(60) - 50;
            let moved = counter.iter().enumerate();
            moved.map(|(index, note)| (note.0, note.1, note.2 + if index % 3 == 0 { up } else { 0 })).collect()
        }),
    ];
    for (what, breaking) in broken {
        let mut all = Judged::default();
        for tune in tunes() {
            let score = score(&tune, "jazzbelow", 0, LeadVoice::AsSung, 0.0);
            let (counter, lead) = (line(&score, Role::Counter), line(&score, Role::Lead));
            all.add(&judge(&score, &breaking(&counter, &lead), &lead));
        }
        let faults = all.faults();
        assert!(faults.iter().any(|fault| fault.contains(what)), "{what} goes unnoticed: {faults:?}");
    }
}

#[test]
fn seeds_write_different_lines() {
    let tune = &tunes()[0];
    for style in STYLES {
        let lines: Vec<Line> =
            (0..6).map(|seed| line(&score(tune, style, seed, LeadVoice::AsSung, 0.0), Role::Counter)).collect();
        for (index, first) in lines.iter().enumerate() {
            for second in &lines[index + 1..] {
                let same = first
                    .iter()
                    .filter(|note| second.iter().any(|other| other.0 == note.0 && other.2 == note.2))
                    .count();
                let share = 1.0 - same as f64 / first.len().max(second.len()).max(1) as f64;
                assert!(share >= 0.2, "{style}: two seeds differ in {share:.2}");
            }
        }
    }
}
