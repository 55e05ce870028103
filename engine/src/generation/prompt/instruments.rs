//! Thread: any. The instruments a prompt may ask for, and the words around them that say what they play.

use crate::generation::score::{Preset, Role};

/// Words for an instrument, the role it takes when neither prompt nor style says otherwise, and its sounds (bank, program).
#[derive(Debug, PartialEq)]
pub struct Instrument {
    /// Its names, lower case.
    pub words: &'static [&'static str],
    /// What it plays unless the prompt or the style says otherwise.
    pub role: Role,
    /// Bank and program of the sounds that fit.
    pub presets: &'static [(u8, u8)],
    /// Sounds that go when the instrument is not wanted: bank, first program, last program. Its own when empty.
    pub family: &'static [(u8, u8, u8)],
}

const fn instrument(words: &'static [&'static str], role: Role, presets: &'static [(u8, u8)]) -> Instrument {
    Instrument { words, role, presets, family: &[] }
}

const fn family(
    words: &'static [&'static str],
    role: Role,
    presets: &'static [(u8, u8)],
    family: &'static [(u8, u8, u8)],
) -> Instrument {
    Instrument { words, role, presets, family }
}

impl Instrument {
    /// The sounds to play it with.
    pub fn sounds(&self) -> Vec<Preset> {
        self.presets.iter().map(|&(bank, program)| Preset { bank, program }).collect()
    }

    /// The sounds to leave out when it is not wanted.
    pub fn unwanted(&self) -> Vec<Preset> {
        let family = self.family.iter();
        let members =
            family.flat_map(|&(bank, first, last)| (first..=last).map(move |program| Preset { bank, program }));
        let mut sounds = self.sounds();
        sounds.extend(members);
        sounds.sort_unstable();
        sounds.dedup();
        sounds
    }
}

/// Every instrument. Rows of one kind go together; the longest phrase wins, wherever its row stands.
pub const INSTRUMENTS: &[Instrument] = &[
    instrument(&["tenor sax", "tenor saxophone", "tenor"], Role::Lead, &[(0, 66)]),
    instrument(&["alto sax", "alto saxophone", "alto", "soprano sax", "soprano saxophone"], Role::Lead, &[(0, 65)]),
    instrument(&["saxophone", "sax", "saxophones", "saxes", "saxofon", "saxophon"], Role::Lead, &[(0, 66), (0, 65)]),
    instrument(&["muted trumpet", "mute trumpet", "harmon mute"], Role::Lead, &[(0, 59)]),
    family(&["trumpet", "cornet", "flugelhorn"], Role::Lead, &[(0, 56)], &[(0, 59, 59)]),
    family(
        &["trumpets", "brass", "brass section", "horn section", "fanfare", "fanfares", "brass fanfares", "brass band"],
        Role::Chords,
        &[(0, 61), (0, 60)],
        &[(0, 56, 62)],
    ),
    instrument(&["trombone", "trombones"], Role::Lead, &[(0, 57)]),
    instrument(&["tuba", "sousaphone"], Role::Bass, &[(0, 58)]),
    family(&["horn", "horns", "french horn", "french horns"], Role::Chords, &[(0, 60)], &[(0, 60, 61)]),
    instrument(&["synth brass", "synthesizer brass"], Role::Chords, &[(0, 62)]),
    instrument(&["flute", "flutes", "piccolo", "recorder", "pan flute"], Role::Lead, &[(0, 73)]),
    instrument(&["oboe", "oboes"], Role::Lead, &[(0, 68)]),
    instrument(&["clarinet", "clarinets"], Role::Lead, &[(0, 71)]),
    family(&["woodwind", "woodwinds"], Role::Counter, &[(0, 71), (0, 68), (0, 73)], &[(0, 65, 78)]),
    instrument(&["whistle", "whistling", "tin whistle", "penny whistle"], Role::Lead, &[(0, 78)]),
    instrument(&["harmonica", "mouth organ", "melodica", "blues harp"], Role::Lead, &[(0, 22)]),
    instrument(&["accordion", "bandoneon", "concertina"], Role::Lead, &[(0, 21)]),
    instrument(&["violin", "solo violin", "fiddle", "viola"], Role::Lead, &[(0, 40)]),
    instrument(&["violins", "fiddles"], Role::Lead, &[(20, 48), (0, 48)]),
    instrument(&["cello", "solo cello", "cellos"], Role::Lead, &[(0, 42)]),
    family(
        &["strings", "string section", "string orchestra", "string pads", "string pad", "string ensemble"],
        Role::Pad,
        &[(0, 48)],
        &[(0, 40, 50), (20, 48, 48), (120, 22, 22)],
    ),
    instrument(&["synth strings", "string machine", "string synth"], Role::Pad, &[(120, 22)]),
    instrument(&["tremolo strings", "tremolo"], Role::Pad, &[(0, 44)]),
    instrument(&["pizzicato", "pizzicato strings", "plucked strings"], Role::Chords, &[(0, 45)]),
    instrument(&["choir", "choirs", "voices", "choral", "aahs", "oohs"], Role::Pad, &[(0, 52)]),
    family(&["electric guitar", "e-guitar"], Role::Chords, &[(0, 26), (0, 29), (0, 27)], &[(0, 26, 30)]),
    instrument(&["overdriven guitar", "overdrive guitar", "rock guitar", "crunchy guitar"], Role::Lead, &[(0, 29)]),
    family(
        &[
            "distorted guitar",
            "distortion guitar",
            "heavy guitar",
            "distorted guitars",
            "heavy guitars",
            "metal guitar",
            "power chords",
        ],
        Role::Chords,
        &[(0, 30), (0, 29)],
        &[(0, 29, 30)],
    ),
    instrument(&["clean guitar"], Role::Chords, &[(0, 27)]),
    instrument(&["muted guitar", "palm-muted guitar", "palm muted guitar"], Role::Chords, &[(0, 28)]),
    instrument(&["jazz guitar", "hollow-body guitar", "archtop"], Role::Chords, &[(0, 26)]),
    instrument(
        &["nylon guitar", "classical guitar", "spanish guitar", "flamenco guitar", "ukulele"],
        Role::Chords,
        &[(0, 24)],
    ),
    instrument(
        &["acoustic guitar", "steel guitar", "steel-string guitar", "strummed guitar", "mandolin"],
        Role::Chords,
        &[(0, 25), (0, 24)],
    ),
    family(&["guitar", "guitars"], Role::Chords, &[(0, 27), (0, 25)], &[(0, 24, 30)]),
    instrument(&["banjo"], Role::Chords, &[(0, 105)]),
    instrument(
        &["piano", "grand piano", "acoustic piano", "pianos", "felt piano", "upright piano", "keys"],
        Role::Chords,
        &[(0, 0)],
    ),
    instrument(
        &["electric piano", "rhodes", "fender rhodes", "wurlitzer", "wurli", "tine piano", "ep", "e-piano"],
        Role::Chords,
        &[(0, 4), (0, 5)],
    ),
    instrument(&["fm piano", "dx7", "fm keys"], Role::Chords, &[(0, 5)]),
    instrument(&["clavinet", "clav"], Role::Chords, &[(0, 7)]),
    instrument(&["rock organ", "overdriven organ"], Role::Chords, &[(0, 18)]),
    family(&["organ", "hammond", "drawbar organ", "hammond organ", "b3"], Role::Pad, &[(0, 16)], &[(0, 16, 18)]),
    instrument(&["vibraphone", "vibes"], Role::Lead, &[(0, 11)]),
    instrument(&["marimba", "xylophone"], Role::Chords, &[(0, 12)]),
    instrument(&["kalimba", "thumb piano"], Role::Colour, &[(0, 108)]),
    instrument(&["steel drums", "steel pan", "steel pans", "steelpan", "steel drum"], Role::Lead, &[(0, 114)]),
    instrument(&["music box"], Role::Lead, &[(0, 10)]),
    instrument(&["glockenspiel"], Role::Colour, &[(0, 9)]),
    instrument(&["celesta"], Role::Colour, &[(0, 8)]),
    instrument(&["bells", "tubular bells", "chimes", "church bells"], Role::Colour, &[(0, 14)]),
    instrument(&["fm bell", "fm bells", "synth bell", "synth bells", "digital bells"], Role::Colour, &[(120, 14)]),
    instrument(&["harp", "harps"], Role::Colour, &[(0, 46)]),
    family(
        &["synth", "synths", "synthesizer", "synthesiser", "synthesizers", "synth lead", "lead synth", "keyboard"],
        Role::Lead,
        &[(120, 10), (120, 11), (0, 81), (0, 80)],
        &[(0, 38, 39), (0, 62, 62), (0, 80, 89), (120, 0, 127)],
    ),
    instrument(&["saw lead", "saw"], Role::Lead, &[(120, 10), (0, 81)]),
    instrument(&["square lead", "square wave"], Role::Lead, &[(120, 11), (0, 80)]),
    instrument(&["sine lead", "sine wave", "theremin"], Role::Lead, &[(120, 12)]),
    instrument(&["supersaw", "super saw", "supersaws", "supersaw lead"], Role::Lead, &[(120, 13)]),
    instrument(&["supersaw chords", "super saw chords", "saw chords"], Role::Chords, &[(120, 33)]),
    instrument(&["pulse lead", "chip lead", "pulse wave"], Role::Lead, &[(120, 15), (120, 16)]),
    instrument(&["pluck", "plucks", "synth pluck", "synth plucks", "plucky synth"], Role::Chords, &[(120, 30)]),
    instrument(
        &["arpeggio", "arpeggios", "arp", "arps", "arpeggiator", "arpeggiated synth", "synth arpeggio"],
        Role::Counter,
        &[(120, 30)],
    ),
    instrument(&["house stab", "stab", "synth stabs", "house stabs"], Role::Chords, &[(120, 32)]),
    instrument(&["warm pad", "warm pads"], Role::Pad, &[(0, 89), (120, 20)]),
    instrument(
        &["synth pad", "synth pads", "analogue pad", "analog pad", "analogue pads", "analog pads"],
        Role::Pad,
        &[(120, 20), (120, 21), (120, 23)],
    ),
    instrument(&["glass pad", "glassy pad", "glassy pads"], Role::Pad, &[(120, 21)]),
    instrument(&["sweep pad", "sweeping pad", "sweeping pads"], Role::Pad, &[(120, 23)]),
    instrument(&["vowel pad", "vocal pad", "vocal pads"], Role::Pad, &[(120, 24)]),
    instrument(&["riser", "risers", "uplifter"], Role::Colour, &[(120, 40)]),
    instrument(
        &["upright bass", "double bass", "contrabass", "walking bass", "acoustic bass", "string bass"],
        Role::Bass,
        &[(0, 32)],
    ),
    instrument(&["synth bass", "analogue bass", "analog bass", "moog bass"], Role::Bass, &[(120, 1), (0, 38), (0, 39)]),
    instrument(&["808 bass", "sub bass", "sub"], Role::Bass, &[(120, 0)]),
    instrument(&["acid bass", "303"], Role::Bass, &[(120, 2)]),
    instrument(&["reese bass", "reese"], Role::Bass, &[(120, 3)]),
    instrument(&["fm bass"], Role::Bass, &[(120, 4)]),
    instrument(&["chip bass", "triangle bass"], Role::Bass, &[(120, 5)]),
    instrument(&["pick bass", "picked bass"], Role::Bass, &[(0, 34)]),
    instrument(
        &["electric bass", "bass guitar", "finger bass", "slap bass", "e-bass", "fretless bass"],
        Role::Bass,
        &[(0, 33)],
    ),
    instrument(&["timpani", "kettledrums", "kettle drums"], Role::Percussion, &[(0, 47)]),
    instrument(&["brushes", "brushed drums", "brush kit", "brushed kit"], Role::Drums, &[(128, 40)]),
    instrument(
        &["808", "808 drums", "808 kit", "tr-808", "808 beat", "drum machine", "drum machines"],
        Role::Drums,
        &[(128, 25), (121, 1)],
    ),
    instrument(&["909", "tr-909", "909 drums"], Role::Drums, &[(121, 1)]),
    instrument(&["electronic drums", "synth drums", "electronic kit", "simmons"], Role::Drums, &[(128, 24), (121, 1)]),
    instrument(&["acoustic drums", "real drums", "live drums"], Role::Drums, &[(128, 0), (128, 32)]),
    instrument(&["rock drums", "heavy drums", "big drums"], Role::Drums, &[(128, 16)]),
    instrument(&["jazz drums", "jazz kit"], Role::Drums, &[(128, 32)]),
    instrument(&["chip drums", "noise drums"], Role::Drums, &[(121, 0)]),
    instrument(&["orchestral drums", "orchestral percussion", "taiko"], Role::Drums, &[(128, 48)]),
];

/// Words for a whole role. As a wish they ask for the style's own instrument there.
pub const ROLES: &[(&[&str], &[Role])] = &[
    (
        &["drums", "drum", "drum kit", "full drum kit", "drumkit", "drum set", "beat", "beats", "drummer", "drumming"],
        &[Role::Drums],
    ),
    (
        &["percussion", "percussive", "shakers", "shaker", "tambourine", "congas", "bongos"],
        &[Role::Percussion, Role::Drums],
    ),
    (&["bass", "bassline", "bass line", "basslines", "bassist"], &[Role::Bass]),
    (&["pad", "pads"], &[Role::Pad]),
    (&["chords", "comping", "chord"], &[Role::Chords]),
    (
        &["counter-melody", "countermelody", "counter melody", "counterpoint", "countermelodies", "second melody"],
        &[Role::Counter],
    ),
    (&["colour", "color", "ear candy", "decoration"], &[Role::Colour]),
];

/// Words after an instrument that say what it plays.
pub const AFTER: &[(&str, Role)] = &[
    ("solo", Role::Lead),
    ("solos", Role::Lead),
    ("lead", Role::Lead),
    ("leads", Role::Lead),
    ("leading", Role::Lead),
    ("melody", Role::Lead),
    ("melodies", Role::Lead),
    ("theme", Role::Lead),
    ("tune", Role::Lead),
    ("soloist", Role::Lead),
    ("chords", Role::Chords),
    ("comping", Role::Chords),
    ("rhythm", Role::Chords),
    ("skank", Role::Chords),
    ("strumming", Role::Chords),
    ("stabs", Role::Chords),
    ("hits", Role::Chords),
    ("fanfare", Role::Chords),
    ("fanfares", Role::Chords),
    ("accompaniment", Role::Chords),
    ("pad", Role::Pad),
    ("pads", Role::Pad),
    ("drone", Role::Pad),
    ("bass", Role::Bass),
    ("bassline", Role::Bass),
    ("runs", Role::Colour),
    ("arpeggios", Role::Counter),
    ("arpeggio", Role::Counter),
    ("riff", Role::Counter),
    ("riffs", Role::Counter),
    ("counter-melody", Role::Counter),
    ("countermelody", Role::Counter),
    ("answers", Role::Counter),
];

/// Words before an instrument that say what it plays.
pub const BEFORE: &[(&str, Role)] = &[
    ("soaring", Role::Lead),
    ("solo", Role::Lead),
    ("lead", Role::Lead),
    ("singing", Role::Lead),
    ("screaming", Role::Lead),
    ("wailing", Role::Lead),
    ("rhythm", Role::Chords),
    ("comping", Role::Chords),
    ("strummed", Role::Chords),
    ("strumming", Role::Chords),
    ("skanking", Role::Chords),
    ("chopping", Role::Chords),
    ("bubbling", Role::Pad),
    ("sustained", Role::Pad),
    ("held", Role::Pad),
    ("background", Role::Pad),
    ("arpeggiated", Role::Counter),
];
