//! Thread: any. How loud each preset of the sound set is by itself, so that a part's gain means the same for every sound.

use crate::error::{Error, Result};
use crate::generation::score::Preset;
use serde::Deserialize;
use std::sync::OnceLock;

/// Level every preset is brought to at velocity 100, in dB RMS of one note: the middle of the set.
const EVEN_DB: f32 = -21.0;
/// Kits were measured one drum at a time, and a short stroke has little RMS over half a second: with this offset a kit at
/// gain 0 sits with, not over, the pitched parts.
const KIT_OFFSET_DB: f32 = -5.0;

/// One row of `presets.json`, measured from the sound set.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PresetFacts {
    /// Bank; 128 is drums.
    pub bank: u8,
    /// Program, 0 to 127.
    pub program: u8,
    /// Name of the sound.
    pub name: String,
    /// Lowest and highest useful key.
    pub keys: [u8; 2],
    /// Median level of notes at velocity 100, in dB RMS of their first half second.
    pub rms_db_v100: f32,
}

/// Every preset of the sound set.
///
/// # Errors
/// [`Error::Internal`] when the embedded table is broken.
pub fn presets() -> Result<&'static [PresetFacts]> {
    static FACTS: OnceLock<std::result::Result<Vec<PresetFacts>, String>> = OnceLock::new();
    FACTS
        .get_or_init(|| {
            serde_json::from_str(include_str!("../../../assets/soundfont/presets.json"))
                .map_err(|error| error.to_string())
        })
        .as_deref()
        .map_err(|reason| Error::internal("playing the parts", reason))
}

/// Gain that brings a preset to the common level, in dB. 0 for a preset that is not in the set.
///
/// # Errors
/// [`Error::Internal`] when the embedded table is broken.
pub fn evening_gain_db(preset: Preset) -> Result<f32> {
    let facts = presets()?.iter().find(|facts| facts.bank == preset.bank && facts.program == preset.program);
    let offset = if preset.is_kit() { KIT_OFFSET_DB } else { 0.0 };
    Ok(facts.map_or(0.0, |facts| EVEN_DB + offset - facts.rms_db_v100))
}
