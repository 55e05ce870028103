//! Thread: any. The words prompts are read by.

use crate::generation::score::Role;

/// Words for an instrument, the role it takes when neither prompt nor style says otherwise, and its sounds (bank, program).
pub struct Instrument {
    /// Its names, lower case.
    pub words: &'static [&'static str],
    /// What it plays unless the prompt or the style says otherwise.
    pub role: Role,
    /// Bank and program of the sounds that fit.
    pub presets: &'static [(u8, u8)],
}

const fn instrument(words: &'static [&'static str], role: Role, presets: &'static [(u8, u8)]) -> Instrument {
    Instrument { words, role, presets }
}

pub const INSTRUMENTS: &[Instrument] = &[
    instrument(&["tenor sax", "tenor saxophone"], Role::Lead, &[(0, 66)]),
    instrument(&["alto sax", "alto saxophone"], Role::Lead, &[(0, 65)]),
    instrument(&["saxophone", "sax", "saxophones", "saxes"], Role::Lead, &[(0, 66), (0, 65)]),
    instrument(&["muted trumpet", "mute trumpet"], Role::Lead, &[(0, 59)]),
    instrument(&["trumpet"], Role::Lead, &[(0, 56)]),
    instrument(
        &["trumpets", "brass", "brass section", "horn section", "fanfare", "fanfares"],
        Role::Chords,
        &[(0, 61), (0, 60)],
    ),
    instrument(&["trombone", "trombones"], Role::Lead, &[(0, 57)]),
    instrument(&["tuba"], Role::Bass, &[(0, 58)]),
    instrument(&["horn", "horns", "french horn", "french horns"], Role::Chords, &[(0, 60)]),
    instrument(&["synth brass"], Role::Chords, &[(0, 62)]),
    instrument(&["flute"], Role::Lead, &[(0, 73)]),
    instrument(&["oboe"], Role::Lead, &[(0, 68)]),
    instrument(&["clarinet"], Role::Lead, &[(0, 71)]),
    instrument(&["whistle", "tin whistle"], Role::Lead, &[(0, 78)]),
    instrument(&["harmonica", "mouth organ", "melodica"], Role::Lead, &[(0, 22)]),
    instrument(&["accordion"], Role::Lead, &[(0, 21)]),
    instrument(&["violin", "solo violin", "fiddle"], Role::Lead, &[(0, 40)]),
    instrument(&["violins"], Role::Lead, &[(20, 48), (0, 48)]),
    instrument(&["cello", "solo cello"], Role::Lead, &[(0, 42)]),
    instrument(&["strings", "string section", "string orchestra", "string pads", "string pad"], Role::Pad, &[(0, 48)]),
    instrument(&["tremolo strings", "tremolo"], Role::Pad, &[(0, 44)]),
    instrument(&["pizzicato", "pizzicato strings"], Role::Chords, &[(0, 45)]),
    instrument(&["choir", "voices", "choral", "aahs"], Role::Pad, &[(0, 52)]),
    instrument(&["electric guitar"], Role::Chords, &[(0, 26), (0, 29), (0, 27)]),
    instrument(&["overdriven guitar", "overdrive guitar", "rock guitar"], Role::Lead, &[(0, 29)]),
    instrument(&["distorted guitar", "distortion guitar", "heavy guitar"], Role::Lead, &[(0, 30)]),
    instrument(&["clean guitar"], Role::Chords, &[(0, 27)]),
    instrument(&["muted guitar"], Role::Chords, &[(0, 28)]),
    instrument(&["jazz guitar"], Role::Chords, &[(0, 26)]),
    instrument(&["nylon guitar", "classical guitar", "spanish guitar"], Role::Chords, &[(0, 24)]),
    instrument(&["acoustic guitar", "steel guitar"], Role::Chords, &[(0, 25), (0, 24)]),
    instrument(&["guitar", "guitars"], Role::Chords, &[(0, 27), (0, 25)]),
    instrument(&["banjo"], Role::Chords, &[(0, 105)]),
    instrument(&["piano", "grand piano", "acoustic piano", "pianos"], Role::Chords, &[(0, 0)]),
    instrument(&["electric piano", "rhodes", "tine piano", "ep"], Role::Chords, &[(0, 4), (0, 5)]),
    instrument(&["clavinet", "clav"], Role::Chords, &[(0, 7)]),
    instrument(&["rock organ"], Role::Chords, &[(0, 18)]),
    instrument(&["organ", "hammond", "drawbar organ"], Role::Pad, &[(0, 16)]),
    instrument(&["vibraphone", "vibes"], Role::Lead, &[(0, 11)]),
    instrument(&["marimba"], Role::Chords, &[(0, 12)]),
    instrument(&["kalimba"], Role::Colour, &[(0, 108)]),
    instrument(&["steel drums", "steel pan", "steel pans", "steelpan"], Role::Lead, &[(0, 114)]),
    instrument(&["music box"], Role::Lead, &[(0, 10)]),
    instrument(&["glockenspiel"], Role::Colour, &[(0, 9)]),
    instrument(&["celesta"], Role::Colour, &[(0, 8)]),
    instrument(&["bells", "tubular bells", "chimes"], Role::Colour, &[(0, 14)]),
    instrument(&["harp"], Role::Colour, &[(0, 46)]),
    instrument(&["synth lead", "synth", "synthesizer", "saw lead"], Role::Lead, &[(0, 81), (0, 80)]),
    instrument(&["warm pad", "synth pad"], Role::Pad, &[(0, 89)]),
    instrument(&["upright bass", "double bass", "contrabass", "walking bass"], Role::Bass, &[(0, 32)]),
    instrument(&["synth bass"], Role::Bass, &[(0, 38), (0, 39)]),
    instrument(&["pick bass", "picked bass"], Role::Bass, &[(0, 34)]),
    instrument(&["electric bass", "bass guitar", "finger bass"], Role::Bass, &[(0, 33)]),
    instrument(&["timpani", "kettledrums"], Role::Percussion, &[(0, 47)]),
    instrument(&["brushes", "brushed drums", "brush kit"], Role::Drums, &[(128, 40)]),
    instrument(&["808", "drum machine"], Role::Drums, &[(128, 25)]),
    instrument(&["electronic drums"], Role::Drums, &[(128, 24)]),
];

/// Words for a whole role. As a wish they ask for the style's own instrument there.
pub const ROLES: &[(&[&str], &[Role])] = &[
    (&["drums", "drum", "drum kit", "full drum kit", "drumkit", "drum set", "beat", "beats"], &[Role::Drums]),
    (&["percussion"], &[Role::Percussion, Role::Drums]),
    (&["bass", "bassline", "bass line"], &[Role::Bass]),
    (&["pad", "pads"], &[Role::Pad]),
    (&["chords", "comping"], &[Role::Chords]),
];

/// Words after an instrument that say what it plays.
pub const AFTER: &[(&str, Role)] = &[
    ("solo", Role::Lead),
    ("solos", Role::Lead),
    ("lead", Role::Lead),
    ("melody", Role::Lead),
    ("theme", Role::Lead),
    ("tune", Role::Lead),
    ("chords", Role::Chords),
    ("comping", Role::Chords),
    ("rhythm", Role::Chords),
    ("skank", Role::Chords),
    ("strumming", Role::Chords),
    ("stabs", Role::Chords),
    ("hits", Role::Chords),
    ("fanfare", Role::Chords),
    ("fanfares", Role::Chords),
    ("pad", Role::Pad),
    ("pads", Role::Pad),
    ("bass", Role::Bass),
    ("bassline", Role::Bass),
    ("runs", Role::Colour),
    ("arpeggios", Role::Colour),
];

/// Words before an instrument that say what it plays.
pub const BEFORE: &[(&str, Role)] = &[
    ("soaring", Role::Lead),
    ("solo", Role::Lead),
    ("lead", Role::Lead),
    ("singing", Role::Lead),
    ("rhythm", Role::Chords),
    ("comping", Role::Chords),
    ("bubbling", Role::Pad),
    ("sustained", Role::Pad),
];

/// Words for playing strength.
pub const MOODS: &[(&[&str], f32)] = &[
    (
        &[
            "thundering",
            "epic",
            "huge",
            "massive",
            "powerful",
            "heroic",
            "triumphant",
            "loud",
            "energetic",
            "driving",
            "grand",
            "hard",
        ],
        0.08,
    ),
    (
        &[
            "gentle",
            "soft",
            "softly",
            "quiet",
            "calm",
            "mellow",
            "tender",
            "smooth",
            "laid-back",
            "relaxed",
            "sparse",
            "intimate",
            "chill",
        ],
        -0.15,
    ),
];

/// Words without a meaning of their own here.
pub const FILLERS: &[&str] = &[
    "a",
    "an",
    "the",
    "and",
    "with",
    "of",
    "in",
    "on",
    "for",
    "by",
    "to",
    "some",
    "my",
    "me",
    "plus",
    "featuring",
    "style",
    "arrangement",
    "track",
    "song",
    "music",
    "version",
    "piece",
    "full",
    "kit",
    "band",
    "played",
    "playing",
    "please",
    "make",
    "it",
    "like",
    "is",
    "as",
    "sound",
    "sounding",
    "solo",
    "lead",
    "melody",
    "part",
];
