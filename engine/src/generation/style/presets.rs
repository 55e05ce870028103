//! Thread: any. The sounds there are, sampled and synthetic: names, playable keys, measured levels.

use crate::error::{Error, Result};
use crate::generation::score::Preset;
use serde::Deserialize;

/// What is known of one sound.
#[derive(Debug, Clone, PartialEq)]
pub struct PresetInfo {
    /// Where it lies in the soundfont.
    pub preset: Preset,
    /// Instrument name.
    pub name: String,
    /// Lowest and highest key that sounds right.
    pub keys: (u8, u8),
    /// RMS level at velocity 100, in dBFS.
    pub level_db: f32,
    /// Program of General MIDI that comes nearest; of its kits for a kit.
    pub gm: u8,
}

/// All sounds: those of the soundfont, and those that oscillators make.
#[derive(Debug, Clone, PartialEq)]
pub struct PresetTable(Vec<PresetInfo>);

#[derive(Deserialize)]
struct Row {
    bank: u8,
    program: u8,
    name: String,
    keys: [u8; 2],
    rms_db_v100: f32,
    gm: Option<u8>,
}

/// Keys inside a kit's range that carry no sample, found by playing every key of every kit.
const SILENT_KIT_KEYS: [(u8, &[u8]); 7] = [
    (0, &[58]),
    (16, &[54, 56, 58]),
    (24, &[54, 56, 58]),
    (25, &[51, 52, 53, 55, 57, 58, 59]),
    (32, &[39, 54, 56, 58]),
    (33, &[39, 54, 56, 58]),
    (40, &[58]),
];

/// Programs of bank 0 whose pitch is fixed once struck: keys, mallets, organs, harp, timpani, kalimba, steel drums.
const FIXED_PITCH: [std::ops::RangeInclusive<u8>; 4] = [0..=21, 46..=47, 108..=108, 112..=119];

/// Programs of bank 0 whose level follows the player's breath or bow for as long as the note lasts.
const SUSTAINED: [std::ops::RangeInclusive<u8>; 7] = [16..=22, 40..=44, 48..=52, 56..=62, 65..=78, 80..=81, 89..=89];

impl PresetTable {
    /// The sounds that ship with Cantus.
    ///
    /// # Errors
    /// [`Error::Internal`] when an embedded list is damaged.
    pub fn shipped() -> Result<Self> {
        let mut sounds = Vec::new();
        for list in [
            include_str!("../../../../assets/soundfont/presets.json"),
            include_str!("../../../../assets/synth/presets.json"),
        ] {
            let rows: Vec<Row> =
                serde_json::from_str(list).map_err(|error| Error::internal("reading the sound list", error))?;
            sounds.extend(rows.into_iter().map(|row| PresetInfo {
                preset: Preset { bank: row.bank, program: row.program },
                name: row.name,
                keys: (row.keys[0], row.keys[1]),
                level_db: row.rms_db_v100,
                gm: row.gm.unwrap_or(row.program),
            }));
        }
        Ok(Self(sounds))
    }

    /// A sound, if there is one.
    pub fn get(&self, preset: Preset) -> Option<&PresetInfo> {
        self.0.iter().find(|info| info.preset == preset)
    }

    /// All sounds.
    pub fn all(&self) -> &[PresetInfo] {
        &self.0
    }

    /// Whether a key of a sound can be heard.
    pub fn sounds(&self, preset: Preset, key: u8) -> bool {
        let in_range = self.get(preset).is_some_and(|info| (info.keys.0..=info.keys.1).contains(&key));
        let silent = preset.bank == 128
            && SILENT_KIT_KEYS.iter().any(|(program, keys)| *program == preset.program && keys.contains(&key));
        in_range && !silent
    }
}

/// Whether an instrument can slide between keys as a voice does.
pub fn bends(preset: Preset) -> bool {
    !preset.is_kit() && (preset.is_synthetic() || !FIXED_PITCH.iter().any(|range| range.contains(&preset.program)))
}

/// Whether an instrument can swell while a note sounds.
pub fn sustains(preset: Preset) -> bool {
    !preset.is_kit() && (preset.is_synthetic() || SUSTAINED.iter().any(|range| range.contains(&preset.program)))
}
