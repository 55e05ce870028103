//! Thread: any. A style as data: everything the Band arranger knows about a genre, read from one file and checked.
//!
//! The arranger itself has no notion of jazz or reggae; it reads chord vocabularies, patterns, registers and levels from
//! here. [`library`] holds the styles there are, `file` reads and checks one.

pub mod chord;
pub mod facts;
pub mod file;
pub mod library;
pub mod presets;
pub mod steps;

use crate::generation::score::{Delay, Master, Preset, Role, Room, Strip};
use crate::time::Metre;
use chord::RomanChord;
use facts::{Fact, Ranges};
use serde::Deserialize;
use steps::Step;

/// A checked style: every preset exists, every register is playable, every list of choices has some weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Style {
    /// Name as a prompt gives it: "jazz".
    pub name: String,
    /// One sentence for the style list.
    pub about: String,
    /// Shelf of the style list: "Jazz", "Electronic".
    pub category: String,
    /// Colour in the style list: red, green, blue.
    pub colour: [u8; 3],
    /// Words of a prompt that mean this style.
    pub words: Vec<String>,
    /// Tempi it is at home in, in quarter notes per minute: lowest, highest.
    pub tempo: (f32, f32),
    /// Metres it has its own patterns for. Others get plain ones.
    pub metres: Vec<Metre>,
    /// How it lies against the grid.
    pub feel: Feel,
    /// What chords it uses.
    pub harmony: Harmony,
    /// How it grows over the phrases.
    pub form: Form,
    /// Parts. Several of one role are alternatives; the seed picks one by weight.
    pub parts: Vec<Part>,
    /// Its room.
    pub room: Room,
    /// Its echo, if it has one.
    pub delay: Option<Delay>,
    /// Its touch on the sum.
    pub master: Master,
    /// What anybody may check on its scores.
    pub facts: Vec<Fact>,
    /// Between which figures its scores lie.
    pub ranges: Ranges,
}

/// How a style lies against the grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Feel {
    /// Share of a swung pair that its first note takes: 0.5 is straight, 0.667 a triplet.
    pub swing: f32,
    /// The note value that is swung.
    pub swing_unit: SwingUnit,
    /// Standard deviation of the players' timing, in milliseconds.
    pub humanise_ms: f32,
    /// Standard deviation of the players' velocity, in MIDI steps.
    pub humanise_velocity: f32,
}

/// The note value that a swing pairs up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SwingUnit {
    /// Pairs of eighths within a quarter.
    Eighth,
    /// Pairs of sixteenths within an eighth.
    Sixteenth,
}

/// What chords a style uses and how it walks between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Harmony {
    /// Chords a bar can hold: 1 or 2.
    pub slots_per_bar: usize,
    /// How much a wrong note under the melody costs, against the style's own habits.
    pub melody_weight: f32,
    /// How far a seed may stray from the best path, in nats a chord.
    pub temperature: f32,
    /// Chords a bar it likes best, 0.25 to 4.
    pub chords_per_bar: f32,
    /// How often a whole piece stands on a tonic pedal, 0 to 1.
    pub pedal: f32,
    /// Intervals over a chord's root, in semitones, that the tune may hold against it although they are no chord tones: 9 for a
    /// thirteenth, 3 for a blue third.
    pub tensions: Vec<u8>,
    /// Whether a tune's flat third, fifth and seventh over major chords are a colour and no mistake.
    pub blue: bool,
    /// Vocabulary under a major melody.
    pub major: Vocabulary,
    /// Vocabulary under a minor melody.
    pub minor: Vocabulary,
}

/// The chords of one mode. Indices point into `chords`.
#[derive(Debug, Clone, PartialEq)]
pub struct Vocabulary {
    /// The chords.
    pub chords: Vec<VocabularyChord>,
    /// Moves the style likes (factor above 1) or avoids (below 1).
    pub moves: Vec<(usize, usize, f32)>,
    /// Typical progressions, one or two chords a bar, with their weights; the seed leans on one of them.
    pub progressions: Vec<(Vec<Vec<usize>>, f32)>,
    /// Chords that may open the piece.
    pub opening: Vec<usize>,
    /// Chords that may end an inner phrase.
    pub half_cadence: Vec<usize>,
    /// Chords that may end the piece, which then loops to its start.
    pub cadence: Vec<usize>,
    /// What a piece that loops may play in its last bar or two to lead back, bar by bar; may be empty.
    pub turnaround: Vec<Vec<usize>>,
    /// Chords that a piece that comes to an end may end on; never empty.
    pub ending: Vec<usize>,
}

/// One chord of a vocabulary.
#[derive(Debug, Clone, PartialEq)]
pub struct VocabularyChord {
    /// The chord itself.
    pub chord: RomanChord,
    /// How common it is, against the others.
    pub weight: f32,
    /// Richer spellings that the melody may call for.
    pub colours: Vec<RomanChord>,
}

/// How a style grows over the phrases.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// Section of each phrase, the last one repeating; never empty.
    pub sections: Vec<Section>,
    /// Playing strength of section A and of section B, 0 to 1.
    pub energy: (f32, f32),
    /// Fills may lead over the end of every so many bars.
    pub fill_every: usize,
    /// Whether the kit answers a fill with a cymbal.
    pub crash: bool,
    /// How it ends when it is to end.
    pub last: LastChord,
}

/// How a style ends a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LastChord {
    /// One short stroke of everybody on the first beat.
    Hit,
    /// A long chord that rings out.
    #[default]
    Ring,
    /// A long chord into which a roll or a run leads.
    Swell,
}

/// What a pattern is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Section {
    /// The first, lighter groove.
    A,
    /// The fuller groove.
    B,
    /// Leads over a phrase end.
    Fill,
    /// The last bar of a piece that comes to an end, before its last chord.
    Ending,
}

/// How a part finds its notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The melody itself.
    Melody,
    /// Voiced chords in a rhythm.
    Comp,
    /// Voiced chords held for as long as they last.
    Hold,
    /// Chord degrees in a rhythm, one note at a time.
    Degrees,
    /// A walking bass: one note a beat towards the next chord.
    Walk,
    /// A drum kit: one line of hits a voice.
    Kit,
    /// A run over the chord into each phrase.
    Run,
    /// High chord tones that ring at the start of phrases.
    Bell,
    /// Chord tones one after another in the part's rhythm.
    Arp,
    /// A second melody: it moves where the tune holds, and holds where it moves.
    Counter,
    /// A figure of degrees that stays the same under every chord, as far as the chords allow it.
    Riff,
    /// A rise of noise or pitch into a phrase.
    Riser,
    /// The tune again, on another instrument.
    Double,
}

/// How a chord is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Voicing {
    /// All tones within about an octave.
    Close,
    /// Tones over two octaves, fifths below and thirds above.
    Spread,
    /// Third and seventh with a colour tone, no root: what a pianist plays over a bass.
    Shell,
    /// Root and fifth.
    Power,
    /// A close layout with its second voice from the top an octave lower.
    Drop2,
    /// Fourths upon each other.
    Quartal,
    /// Third, fifth, seventh and ninth, no root.
    Rootless,
}

/// One part of a style.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// What it does.
    pub role: Role,
    /// Its sound.
    pub preset: Preset,
    /// How often it is picked among the alternatives of its role.
    pub weight: f32,
    /// How often its role is played at all, 0 to 1.
    pub chance: f32,
    /// Lowest and highest key it plays.
    pub register: (u8, u8),
    /// -1 left to 1 right.
    pub pan: f32,
    /// Level in the mix in decibels.
    pub gain_db: f32,
    /// Send to the room, 0 to 1.
    pub reverb: f32,
    /// Later (positive) or earlier than the grid, in milliseconds.
    pub push_ms: f32,
    /// The same for single voices of a kit, on top of it.
    pub voice_push_ms: Vec<(String, f32)>,
    /// What its sound passes on the way to the mix.
    pub strip: Strip,
    /// Playing strength from which on it plays, 0 to 1: what is 0 always plays, what is 0.9 only joins the fullest groove.
    pub layer: f32,
    /// Sections it plays in; all when empty.
    pub sections: Vec<Section>,
    /// Time a strummed chord takes from its first string to its last, in milliseconds.
    pub strum_ms: f32,
    /// Semitones between the tune and a part that doubles it: 0, 12 or -12.
    pub transpose: i8,
    /// How it finds its notes.
    pub rule: Rule,
    /// How it lays out chords.
    pub voicing: Voicing,
    /// Notes in a chord.
    pub voices: usize,
    /// Share of a step's length that sounds.
    pub gate: f32,
    /// A chord struck on the last eighth before a change already belongs to the next chord.
    pub anticipate: bool,
    /// Plays one bar out of so many.
    pub every: usize,
    /// Share of the ghost notes that are played, 0 to 1.
    pub ghosts: f32,
    /// Names of a kit's voices and their keys, in order of name.
    pub kit: Vec<(String, u8)>,
    /// Rhythms.
    pub patterns: Vec<Pattern>,
}

/// A rhythm of one or more bars.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    /// The metre it is written in.
    pub metre: Metre,
    /// What it is for.
    pub section: Section,
    /// How often it is picked.
    pub weight: f32,
    /// Tempi it fits, in quarter notes per minute: lowest, highest.
    pub tempo: (f32, f32),
    /// One line, or one a kit voice.
    pub lines: Vec<Line>,
}

/// One line of a pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The kit's key; 0 for pitched parts.
    pub key: u8,
    /// Name of the kit's voice; empty for pitched parts.
    pub voice: String,
    /// The steps of each bar.
    pub bars: Vec<Vec<Step>>,
}

impl Pattern {
    /// Bars before it repeats.
    pub fn bars(&self) -> usize {
        self.lines.iter().map(|line| line.bars.len()).max().unwrap_or(1).max(1)
    }
}

impl Style {
    /// The vocabulary for a mode.
    pub fn vocabulary(&self, mode: crate::analysis::Mode) -> &Vocabulary {
        match mode {
            crate::analysis::Mode::Major => &self.harmony.major,
            crate::analysis::Mode::Minor => &self.harmony.minor,
        }
    }
}
