//! Thread: main. Command line arguments about MIDI files.

use super::{path, text};
use cantus_engine::export::midi::{DrumMap, Feel, LeadBends, MidiOptions};

/// The options with one more of them read; the error is a sentence.
pub fn read(options: MidiOptions, name: &str, parser: &mut lexopt::Parser) -> Result<MidiOptions, String> {
    Ok(match name {
        "midi-lead" => {
            let lead = match text(parser)?.as_str() {
                "plain" => LeadBends::Plain,
                "bend" => LeadBends::Bend2,
                "mpe" => LeadBends::Mpe,
                other => return Err(format!("--midi-lead is \"{other}\", but must be plain, bend or mpe")),
            };
            MidiOptions { lead, ..options }
        }
        "midi-groove" => {
            let groove = match text(parser)?.as_str() {
                "played" => Feel::Played,
                "straight" => Feel::Quantised,
                other => return Err(format!("--midi-groove is \"{other}\", but must be played or straight")),
            };
            MidiOptions { groove, ..options }
        }
        _ => {
            let file = path(parser)?;
            let drum_map = if file.as_os_str() == "gm" {
                DrumMap::Gm
            } else {
                let read = std::fs::read_to_string(&file);
                let written = read.map_err(|error| format!("--drum-map {}: {error}", file.display()))?;
                DrumMap::parse(&written).map_err(|reason| format!("--drum-map {}: {reason}", file.display()))?
            };
            MidiOptions { drum_map, ..options }
        }
    })
}
