//! Thread: worker. The chords a search may choose from: the style's own, chords from outside it in the same idiom, and the song's.
//!
//! How much a chord from outside costs is what the reharmonisation level sets. Where a tune leaves no other choice, any of them may be
//! played with its third or seventh suspended or left out.

use super::keys::Region;
use crate::analysis::{Key, Mode};
use crate::generation::direction::Reharmonisation;
use crate::generation::song::SongChord;
use crate::generation::song::symbol::ChordSymbol;
use crate::generation::style::chord::RomanChord;
use crate::generation::style::{Style, Vocabulary};

/// Chords of the key as triads and as sevenths, and how rare each is.
const MAJOR_OWN: [(&str, &str, f32); 7] = [
    ("I", "Imaj7", 0.0),
    ("IV", "IVmaj7", 0.2),
    ("V", "V7", 0.1),
    ("vi", "vi7", 0.3),
    ("ii", "ii7", 0.3),
    ("iii", "iii7", 0.6),
    ("viidim", "vii7b5", 1.2),
];
const MINOR_OWN: [(&str, &str, f32); 9] = [
    ("i", "i7", 0.0),
    ("iv", "iv7", 0.2),
    ("v", "v7", 0.4),
    ("V", "V7", 0.3),
    ("bVI", "bVImaj7", 0.2),
    ("bVII", "bVII7", 0.3),
    ("bIII", "bIIImaj7", 0.3),
    ("iidim", "ii7b5", 1.0),
    ("viidim", "viidim7", 1.2),
];
/// Chords of the parallel key, of the modes, and secondary dominants.
const MAJOR_BORROWED: [(&str, &str, f32); 11] = [
    ("iv", "iv7", 0.2),
    ("bVII", "bVII7", 0.2),
    ("bVI", "bVImaj7", 0.4),
    ("bIII", "bIIImaj7", 0.6),
    ("II", "II7", 0.2),
    ("VI", "VI7", 0.2),
    ("III", "III7", 0.3),
    ("I7", "I7", 0.4),
    ("VII", "VII7", 0.8),
    ("v", "v7", 0.7),
    ("iidim", "ii7b5", 0.7),
];
const MINOR_BORROWED: [(&str, &str, f32); 9] = [
    ("IV", "IV7", 0.1),
    ("ii", "ii7", 0.4),
    ("bII", "bIImaj7", 0.4),
    ("II", "II7", 0.5),
    ("I", "I7", 0.5),
    ("bIII7", "bIII7", 0.6),
    ("VI", "VI7", 0.9),
    ("vidim", "vi7b5", 0.9),
    ("III", "III7", 0.9),
];
/// Substitutes a semitone over their goal, chromatic mediants, passing diminished chords.
const MAJOR_CHROMATIC: [(&str, &str, f32); 9] = [
    ("bII", "bII7", 0.1),
    ("#ivdim7", "#ivdim7", 0.3),
    ("#idim7", "#idim7", 0.3),
    ("#iidim7", "#iidim7", 0.4),
    ("bIII7", "bIII7", 0.5),
    ("bVI7", "bVI7", 0.4),
    ("bvi", "bvi7", 1.2),
    ("biii", "biii7", 1.2),
    ("#ivdim", "#iv7b5", 1.6),
];
const MINOR_CHROMATIC: [(&str, &str, f32); 8] = [
    ("bII7", "bII7", 0.2),
    ("#ivdim7", "#ivdim7", 0.3),
    ("bVI7", "bVI7", 0.3),
    ("iiidim7", "iiidim7", 0.6),
    ("bi", "bi7", 1.6),
    ("biii", "biii7", 1.2),
    ("bvi", "bvi7", 1.2),
    ("#ivdim", "#iv7b5", 1.6),
];

/// What a chord costs that is not the style's own, in nats.
const OUTSIDE_STYLE: f32 = 2.6;
/// What it costs to suspend or leave out a tone for the tune's sake.
const SUSPENDED: f32 = 3.4;

/// One way to play a chord.
#[derive(Debug, Clone)]
pub struct Spelling {
    /// Pitch classes, root first.
    pub tones: Vec<u8>,
    /// Pitch class of the bass where it is not the root.
    pub bass: Option<u8>,
    /// As written over a staff.
    pub symbol: String,
    /// As a Roman numeral.
    pub numeral: String,
    /// What it costs against the first spelling, in nats.
    pub cost: f32,
    /// A richer spelling that a seed may take for its own sake.
    pub colour: bool,
}

/// Where a chord comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The style's vocabulary, by index.
    Style(usize),
    /// The key, the parallel key or the chromatic scale.
    Outside,
    /// The song, by index of its chord.
    Song(usize),
}

/// A chord a search may choose.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Pitch class of the root.
    pub root: u8,
    /// The key it belongs to.
    pub region: usize,
    /// Where it comes from.
    pub origin: Origin,
    /// How rare it is, in nats.
    pub rarity: f32,
    /// Ways to play it, the plain one first.
    pub spellings: Vec<Spelling>,
    /// Tones outside the key's scale.
    pub chromatic: bool,
}

impl Candidate {
    /// Pitch classes of its plain spelling, as bits.
    pub fn bits(&self) -> u16 {
        self.spellings[0].tones.iter().fold(0, |bits, tone| bits | 1 << tone)
    }

    /// Its plain intervals over the root.
    pub fn intervals(&self) -> Vec<u8> {
        self.spellings[0].tones.iter().map(|tone| (tone + 12 - self.root) % 12).collect()
    }
}

/// How much of a vocabulary is of one kind, by weight.
fn share(vocabulary: &Vocabulary, is: impl Fn(&RomanChord) -> bool) -> f32 {
    let total: f32 = vocabulary.chords.iter().map(|entry| entry.weight).sum();
    let some: f32 = vocabulary.chords.iter().filter(|entry| is(&entry.chord)).map(|entry| entry.weight).sum();
    some / total.max(1e-6)
}

/// What every chord of a region is made under.
struct Idiom<'a> {
    region: &'a Region,
    index: usize,
    /// Whether the style speaks in sevenths.
    sevenths: bool,
}

/// The chords of one key under a style.
pub fn of_style(style: &Style, index: usize, region: &Region, level: Reharmonisation) -> Vec<Candidate> {
    let key = region.key;
    let vocabulary = style.vocabulary(key.mode);
    let total: f32 = vocabulary.chords.iter().map(|entry| entry.weight).sum();
    let count = vocabulary.chords.len() as f32;
    let sevenths = share(vocabulary, |chord| chord.intervals.len() >= 4) > 0.5;
    let power = share(vocabulary, |chord| chord.intervals == [0, 7]) > 0.5;
    let idiom = Idiom { region, index, sevenths };
    let mut candidates: Vec<Candidate> = Vec::new();
    for (place, entry) in vocabulary.chords.iter().enumerate() {
        let rarity = -(entry.weight / total * count).max(0.02).ln() * 0.5;
        candidates.push(idiom.candidate(&entry.chord, &entry.colours, Origin::Style(place), rarity));
    }
    let (own, borrowed, chromatic): (&[_], &[_], &[_]) = match key.mode {
        Mode::Major => (&MAJOR_OWN, &MAJOR_BORROWED, &MAJOR_CHROMATIC),
        Mode::Minor => (&MINOR_OWN, &MINOR_BORROWED, &MINOR_CHROMATIC),
    };
    // What chords of the key, borrowed ones and chromatic ones cost besides their own rarity.
    let (own_cost, borrowed_cost, chromatic_cost) = match level {
        Reharmonisation::Diatonic => (0.8, f32::INFINITY, f32::INFINITY),
        Reharmonisation::Style => (OUTSIDE_STYLE, OUTSIDE_STYLE + 0.9, OUTSIDE_STYLE + 2.0),
        Reharmonisation::Borrowed => (1.0, -3.0, OUTSIDE_STYLE),
        Reharmonisation::Adventurous => (1.6, -2.4, -4.0),
    };
    for (list, cost) in [(own, own_cost), (borrowed, borrowed_cost), (chromatic, chromatic_cost)] {
        for (triad, seventh, rarity) in list {
            if !f32::is_finite(cost) {
                continue;
            }
            let text = if sevenths { *seventh } else { *triad };
            let known = |entry: &RomanChord| {
                let Ok(chord) = RomanChord::parse(text) else { return true };
                entry.root == chord.root && entry.intervals.get(1) == chord.intervals.get(1)
            };
            let already = vocabulary.chords.iter().position(|entry| known(&entry.chord));
            if let Some(index) = already {
                // A chord that the style knows is as welcome as one from outside.
                if level != Reharmonisation::Style {
                    let candidate: &mut Candidate = &mut candidates[index];
                    candidate.rarity = candidate.rarity.min(rarity + cost);
                }
                continue;
            }
            let text = if power { power_of(text) } else { text.to_string() };
            if let Ok(chord) = RomanChord::parse(&text) {
                candidates.push(idiom.candidate(&chord, &[], Origin::Outside, rarity + cost));
            }
        }
    }
    if level == Reharmonisation::Diatonic {
        for candidate in &mut candidates {
            candidate.spellings.retain(|spelling| spelling.tones.iter().all(|tone| region.scale[usize::from(*tone)]));
        }
        candidates.retain(|candidate| !candidate.spellings.is_empty());
    }
    candidates
}

/// The numeral of a chord without its quality, in upper case.
fn numeral_of(text: &str) -> String {
    let accidental = if text.starts_with(['b', '#']) { &text[..1] } else { "" };
    let letters: String =
        text[accidental.len()..].chars().take_while(|letter| matches!(letter, 'i' | 'v' | 'I' | 'V')).collect();
    format!("{accidental}{}", letters.to_ascii_uppercase())
}

fn power_of(text: &str) -> String {
    format!("{}5", numeral_of(text))
}

impl Idiom<'_> {
    fn spelling(&self, chord: &RomanChord, cost: f32, colour: bool) -> Spelling {
        let key = self.region.key;
        Spelling {
            tones: chord.tones(key.tonic % 12),
            bass: None,
            symbol: chord.name_in(key),
            numeral: chord.text.clone(),
            cost,
            colour,
        }
    }

    fn candidate(&self, chord: &RomanChord, colours: &[RomanChord], origin: Origin, rarity: f32) -> Candidate {
        let region = self.region;
        let mut spellings = vec![self.spelling(chord, 0.0, false)];
        spellings.extend(colours.iter().map(|colour| self.spelling(colour, 0.0, true)));
        // Ways out where the tune holds a note beside a tone of the chord.
        let numeral = numeral_of(&chord.text);
        let suspensions: &[&str] = if self.sevenths { &["7sus4", "sus4", "sus2", "5"] } else { &["sus4", "sus2", "5"] };
        for (rank, quality) in suspensions.iter().enumerate() {
            let Ok(other) = RomanChord::parse(&format!("{numeral}{quality}")) else { continue };
            let fifth_stays = !chord.intervals.contains(&6) && !chord.intervals.contains(&8);
            let seventh_stays = *quality != "7sus4" || chord.intervals.contains(&10);
            if fifth_stays && seventh_stays && other.intervals != chord.intervals {
                spellings.push(self.spelling(&other, SUSPENDED + 0.1 * rank as f32, false));
            }
        }
        let tones = &spellings[0].tones;
        let chromatic = tones.iter().any(|tone| !region.scale[usize::from(*tone)]);
        // A tone that the tune sings differently sounds like a mistake.
        let against: f32 = tones.iter().map(|tone| region.contradicted[usize::from(*tone)]).sum();
        let root = (region.key.tonic + chord.root) % 12;
        Candidate { root, region: self.index, origin, rarity: rarity + against, spellings, chromatic }
    }
}

/// A chord of the song: its tones exactly.
pub fn of_song(index: usize, chord: &SongChord, region: &Region, region_index: usize) -> Candidate {
    let given: Vec<u8> = chord.tones.iter().map(|tone| tone % 12).collect();
    // The root comes first; one that is not among the tones is none.
    let root = given.iter().copied().find(|tone| *tone == chord.root % 12).or(given.first().copied()).unwrap_or(0);
    let mut tones = vec![root];
    for tone in given {
        if !tones.contains(&tone) {
            tones.push(tone);
        }
    }
    let bass = chord.bass.map(|bass| bass % 12).filter(|bass| *bass != root);
    let symbol =
        if chord.symbol.is_empty() { ChordSymbol::name(root, &tones, bass, region.key) } else { chord.symbol.clone() };
    let numeral = numeral_in(root, &tones, region.key);
    let spelling = Spelling { tones, bass, symbol, numeral, cost: 0.0, colour: false };
    Candidate {
        root,
        region: region_index,
        origin: Origin::Song(index),
        rarity: 0.0,
        spellings: vec![spelling],
        chromatic: false,
    }
}

/// The Roman numeral of any chord in a key: degree, case by its third, the rest of its symbol.
fn numeral_in(root: u8, tones: &[u8], key: Key) -> String {
    const DEGREES: [&str; 12] = ["I", "bII", "II", "bIII", "III", "IV", "#IV", "V", "bVI", "VI", "bVII", "VII"];
    let degree = DEGREES[usize::from((root + 12 - key.tonic % 12) % 12)];
    let has = |interval: u8| tones.contains(&((root + interval) % 12));
    let minor = has(3) && !has(4);
    let name = ChordSymbol::name(root, tones, None, key);
    let suffix = name.trim_start_matches(|letter: char| letter.is_ascii_uppercase()).trim_start_matches(['b', '#']);
    if minor {
        let lower: String =
            degree.chars().map(|letter| if letter == 'b' { letter } else { letter.to_ascii_lowercase() }).collect();
        format!("{lower}{}", suffix.strip_prefix('m').unwrap_or(suffix))
    } else {
        format!("{degree}{suffix}")
    }
}
