//! Thread: any. What a producer may choose about a MIDI file.

/// How the lead's glides and vibrato are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LeadBends {
    /// Not at all: keys only.
    Plain,
    /// As pitch wheel over ± 2 semitones, which every instrument understands; the range is set by RPN 0. Wider glides are
    /// written as notes that touch.
    #[default]
    Bend2,
    /// As MIDI Polyphonic Expression: a lower zone, a channel for each sounding note, ± 48 semitones.
    Mpe,
}

/// Where notes lie against the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Feel {
    /// As they are played: swung, pushed, loose.
    #[default]
    Played,
    /// Straight, so that the sequencer adds its own swing. What was sung stays as it was sung.
    Quantised,
}

/// Which keys drums are written on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DrumMap {
    /// Those of General MIDI.
    #[default]
    Gm,
    /// Another one's: a key of General MIDI and the key it becomes; keys that are not named stay.
    Own(Vec<(u8, u8)>),
}

/// What a producer may choose about a MIDI file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MidiOptions {
    /// The lead's glides.
    pub lead: LeadBends,
    /// Swing and looseness.
    pub groove: Feel,
    /// Drum keys.
    pub drum_map: DrumMap,
}

/// Names that drum maps may use for keys of General MIDI.
const DRUMS: [(&str, u8); 24] = [
    ("kick", 36),
    ("rim", 37),
    ("snare", 38),
    ("clap", 39),
    ("snare2", 40),
    ("floor tom", 41),
    ("hat", 42),
    ("closed hat", 42),
    ("pedal hat", 44),
    ("low tom", 45),
    ("open hat", 46),
    ("mid tom", 47),
    ("high tom", 50),
    ("crash", 49),
    ("ride", 51),
    ("china", 52),
    ("bell", 53),
    ("ride bell", 53),
    ("tambourine", 54),
    ("splash", 55),
    ("cowbell", 56),
    ("crash2", 57),
    ("ride2", 59),
    ("shaker", 70),
];

impl DrumMap {
    /// Reads a drum map: a line a drum, its name or key in General MIDI, `=`, and the key it becomes. `#` begins a remark.
    ///
    /// # Errors
    /// A sentence with the number of the line that is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pairs: Vec<(u8, u8)> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let wrong = |what: &str| format!("line {} of the drum map, \"{line}\", {what}", index + 1);
            let (drum, key) = line.split_once('=').ok_or_else(|| wrong("must be like \"kick = 24\" or \"36 = 24\""))?;
            let number = |text: &str| text.trim().parse::<u8>().ok().filter(|key| *key < 128);
            let name = drum.trim().to_lowercase().replace('_', " ");
            let known = || DRUMS.iter().find(|(known, _)| *known == name).map(|(_, key)| *key);
            let from = number(drum).or_else(known).ok_or_else(|| {
                let names: Vec<&str> = DRUMS.iter().map(|(name, _)| *name).collect();
                wrong(&format!("names no drum: write its key from 0 to 127 or one of {}", names.join(", ")))
            })?;
            let to = number(key).ok_or_else(|| wrong("needs a key from 0 to 127 after the ="))?;
            if pairs.iter().any(|pair| pair.0 == from) {
                return Err(wrong("names a drum that an earlier line has already placed"));
            }
            pairs.push((from, to));
        }
        if pairs.is_empty() {
            return Err("the drum map has no lines like \"kick = 24\"".to_owned());
        }
        Ok(Self::Own(pairs))
    }

    /// The key a drum is written on.
    pub fn key(&self, key: u8) -> u8 {
        match self {
            Self::Gm => key,
            Self::Own(pairs) => pairs.iter().find(|pair| pair.0 == key).map_or(key, |pair| pair.1),
        }
    }
}
