//! Thread: any. How loud each sound is by itself, so that a part's gain means the same for every sound.

use crate::error::{Error, Result};
use crate::generation::score::Preset;
use crate::generation::style::presets::PresetTable;
use std::sync::OnceLock;

/// Level every preset is brought to at velocity 100, in dB RMS of one note: the middle of the set.
const EVEN_DB: f32 = -21.0;
/// Kits were measured one drum at a time, and a short stroke has little RMS over half a second: with this offset a kit at
/// gain 0 sits with, not over, the pitched parts.
const KIT_OFFSET_DB: f32 = -5.0;

/// Every sound, sampled and synthetic, read once a process.
///
/// # Errors
/// [`Error::Internal`] when an embedded table is broken.
pub fn sounds() -> Result<&'static PresetTable> {
    static SOUNDS: OnceLock<std::result::Result<PresetTable, String>> = OnceLock::new();
    SOUNDS
        .get_or_init(|| PresetTable::shipped().map_err(|error| error.to_string()))
        .as_ref()
        .map_err(|reason| Error::internal("playing the parts", reason))
}

/// Gain that brings a sound to the common level, in dB. 0 for one that is not in the set.
///
/// # Errors
/// [`Error::Internal`] when an embedded table is broken.
pub fn evening_gain_db(preset: Preset) -> Result<f32> {
    let offset = if preset.is_kit() { KIT_OFFSET_DB } else { 0.0 };
    Ok(sounds()?.get(preset).map_or(0.0, |sound| EVEN_DB + offset - sound.level_db))
}
