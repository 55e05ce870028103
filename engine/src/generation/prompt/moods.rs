//! Thread: any. Words of mood, and how far they turn the mood controls.

use crate::generation::direction::Moods;

/// Words of one mood.
#[derive(Debug, PartialEq)]
pub struct Mood {
    /// The words, lower case.
    pub words: &'static [&'static str],
    /// How the reader is told about it.
    pub says: &'static str,
    /// How far it turns the controls.
    pub moods: Moods,
    /// How freely the lead plays, when the word is about that.
    pub freedom: Option<f32>,
    /// A thing one can be without ("no swing"), not a manner one can only have less of ("not too dark").
    pub is_thing: bool,
}

const NONE: Moods = Moods { energy: 0.0, complexity: 0.0, brightness: 0.0, swing: 0.0, humanise: 0.0, reverb: 0.0 };

const fn mood(words: &'static [&'static str], says: &'static str, moods: Moods) -> Mood {
    Mood { words, says, moods, freedom: None, is_thing: false }
}

const fn thing(words: &'static [&'static str], says: &'static str, moods: Moods) -> Mood {
    Mood { words, says, moods, freedom: None, is_thing: true }
}

const fn free(words: &'static [&'static str], says: &'static str, freedom: f32) -> Mood {
    Mood { words, says, moods: NONE, freedom: Some(freedom), is_thing: false }
}

/// Every word of mood.
pub const MOODS: &[Mood] = &[
    mood(
        &[
            "thundering",
            "huge",
            "massive",
            "powerful",
            "heroic",
            "triumphant",
            "epic",
            "grand",
            "majestic",
            "mighty",
            "bombastic",
            "big",
            "anthemic",
            "victorious",
        ],
        "stronger",
        Moods { energy: 0.5, reverb: 0.15, ..NONE },
    ),
    mood(
        &[
            "energetic",
            "driving",
            "hard",
            "loud",
            "aggressive",
            "furious",
            "wild",
            "angry",
            "intense",
            "heavy",
            "fierce",
            "punchy",
            "pumping",
            "explosive",
            "raging",
            "relentless",
            "urgent",
            "exciting",
        ],
        "stronger",
        Moods { energy: 0.5, ..NONE },
    ),
    mood(
        &["upbeat", "lively", "bouncy", "danceable", "party"],
        "livelier",
        Moods { energy: 0.35, brightness: 0.15, ..NONE },
    ),
    mood(
        &[
            "gentle",
            "soft",
            "softly",
            "quiet",
            "quietly",
            "calm",
            "tender",
            "delicate",
            "soothing",
            "peaceful",
            "hushed",
            "restrained",
            "subtle",
            "light",
        ],
        "softer",
        Moods { energy: -0.5, ..NONE },
    ),
    mood(
        &["mellow", "smooth", "warm", "cozy", "cosy", "soulful", "velvety"],
        "softer and warmer",
        Moods { energy: -0.3, brightness: -0.25, ..NONE },
    ),
    mood(
        &["intimate", "lonely", "fragile", "bare"],
        "softer and closer",
        Moods { energy: -0.45, complexity: -0.25, reverb: -0.2, ..NONE },
    ),
    mood(
        &["chill", "chilled", "relaxed", "relaxing", "laid-back", "laid back", "lazy", "easygoing", "easy-going"],
        "softer and looser",
        Moods { energy: -0.35, humanise: 0.25, ..NONE },
    ),
    mood(
        &[
            "dark",
            "darker",
            "gloomy",
            "sinister",
            "ominous",
            "brooding",
            "menacing",
            "haunting",
            "haunted",
            "moody",
            "mysterious",
            "scary",
            "evil",
            "shadowy",
            "smoky",
            "bleak",
        ],
        "darker",
        Moods { brightness: -0.5, ..NONE },
    ),
    mood(
        &["bright", "brighter", "sunny", "sparkling", "shiny", "shimmering", "crisp", "airy", "glittering"],
        "brighter",
        Moods { brightness: 0.5, ..NONE },
    ),
    mood(
        &[
            "happy",
            "cheerful",
            "joyful",
            "joyous",
            "playful",
            "uplifting",
            "hopeful",
            "optimistic",
            "funny",
            "quirky",
            "cute",
        ],
        "brighter and livelier",
        Moods { brightness: 0.35, energy: 0.2, ..NONE },
    ),
    mood(
        &[
            "sad",
            "melancholic",
            "melancholy",
            "sorrowful",
            "mournful",
            "bittersweet",
            "nostalgic",
            "wistful",
            "heartbroken",
            "tragic",
            "emotional",
        ],
        "softer and darker",
        Moods { energy: -0.35, brightness: -0.3, ..NONE },
    ),
    mood(
        &["romantic", "loving", "heartfelt", "passionate", "lush", "rich"],
        "fuller",
        Moods { complexity: 0.25, reverb: 0.2, ..NONE },
    ),
    mood(&["muffled", "dull", "dusty", "lo-fi sounding", "underwater"], "duller", Moods { brightness: -0.6, ..NONE }),
    mood(
        &[
            "busy",
            "complex",
            "intricate",
            "elaborate",
            "ornate",
            "dense",
            "virtuosic",
            "technical",
            "full-on",
            "detailed",
        ],
        "busier",
        Moods { complexity: 0.6, ..NONE },
    ),
    mood(
        &[
            "simple",
            "minimal",
            "minimalist",
            "minimalistic",
            "sparse",
            "stripped-down",
            "stripped down",
            "stripped",
            "basic",
            "plain",
            "uncluttered",
            "empty",
            "reduced",
        ],
        "simpler",
        Moods { complexity: -0.6, ..NONE },
    ),
    thing(
        &["swing", "swinging", "swung", "shuffle", "shuffled", "shuffling"],
        "more swing",
        Moods { swing: 0.6, ..NONE },
    ),
    mood(&["straight", "unswung", "straight eighths", "even eighths"], "straight", Moods { swing: -1.0, ..NONE }),
    mood(
        &["tight", "robotic", "mechanical", "quantised", "quantized", "machine-like", "precise", "rigid", "sequenced"],
        "tighter",
        Moods { humanise: -0.7, ..NONE },
    ),
    mood(
        &["loose", "human", "live", "sloppy", "organic", "drunken", "wonky", "natural", "raw"],
        "looser",
        Moods { humanise: 0.6, ..NONE },
    ),
    mood(&["dry", "close", "up-close", "dead room"], "drier", Moods { reverb: -0.7, ..NONE }),
    thing(
        &[
            "spacious",
            "roomy",
            "reverb",
            "reverberant",
            "wet",
            "echoing",
            "echoey",
            "cathedral",
            "church reverb",
            "huge room",
            "distant",
            "washed out",
            "washed-out",
            "cavernous",
            "dreamy",
            "ethereal",
            "hall",
            "big room sound",
            "ambience",
            "drenched",
        ],
        "more room",
        Moods { reverb: 0.6, ..NONE },
    ),
    free(
        &[
            "free",
            "freely",
            "improvised",
            "improvising",
            "improvisation",
            "jamming",
            "ornamented",
            "embellished",
            "paraphrased",
            "creative",
        ],
        "the lead plays freely",
        0.7,
    ),
    free(
        &[
            "faithful",
            "exact",
            "exactly",
            "literal",
            "true to the melody",
            "note for note",
            "note-for-note",
            "as sung",
            "as i sang it",
        ],
        "the lead plays the tune as it is",
        0.0,
    ),
    mood(
        &["slow", "slowly", "slower", "downtempo"],
        "calmer; the song's tempo stays",
        Moods { energy: -0.35, complexity: -0.15, ..NONE },
    ),
    mood(
        &["fast", "faster", "quick", "uptempo", "up-tempo", "rapid", "speedy", "racing", "frantic"],
        "livelier; the song's tempo stays",
        Moods { energy: 0.35, complexity: 0.15, ..NONE },
    ),
    mood(&["midtempo", "mid-tempo", "medium", "moderate", "medium tempo"], "the song's tempo stays", NONE),
    mood(&["ballad", "slow ballad"], "calmer; the song's tempo stays", Moods { energy: -0.35, ..NONE }),
];
