//! A style to probe the arranger with: plain harmony, no looseness, and whatever parts a test wants to hear.

use super::tunes::request;
use cantus_engine::analysis::Analysis;
use cantus_engine::generation::band::arrange;
use cantus_engine::generation::direction::Direction;
use cantus_engine::generation::score::Score;
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::generation::{Recipe, Request};
use cantus_engine::job_context::JobContext;

const HEAD: &str = r#"
name = "probe"
about = "For tests"
words = ["probe"]
tempo = [40, 240]
metres = ["4/4"]

[room]
decay_seconds = 1
level_db = -15

[harmony]
slots_per_bar = 1
melody_weight = 1.0
temperature = 0.5

[harmony.major]
chords = [{ chord = "I", weight = 5, colours = ["Imaj7"] }, { chord = "IV", weight = 4, colours = ["IVmaj7"] }, { chord = "V7", weight = 4 }, { chord = "vi7", weight = 3 }, { chord = "ii7", weight = 3 }]
progressions = [{ chords = "I vi7 IV V7", weight = 1 }, { chords = "I IV ii7 V7", weight = 1 }]
opening = "I"
half_cadence = "V7"
cadence = "V7 I"

[harmony.minor]
chords = [{ chord = "i", weight = 5, colours = ["i7"] }, { chord = "iv", weight = 4 }, { chord = "V7", weight = 4 }, { chord = "bVI", weight = 3 }]
progressions = [{ chords = "i bVI iv V7", weight = 1 }]
opening = "i"
half_cadence = "V7"
cadence = "V7 i"

[[parts]]
role = "lead"
preset = "0:73"
gain_db = 0
rule = "melody"
"#;

/// A library with the built-in styles and the probe, which has these parts. `form` are lines of its form besides the energies.
pub fn library(form: &str, parts: &str) -> StyleLibrary {
    library_with("swing = 0.5\nhumanise_ms = 0\nhumanise_velocity = 0", form, parts)
}

/// The same with another feel.
pub fn library_with(feel: &str, form: &str, parts: &str) -> StyleLibrary {
    let (head, lead) = HEAD.split_once("[[parts]]").unwrap();
    let form = format!("[feel]\n{feel}\n\n[form]\nsections = \"a b\"\nenergy = [0.6, 0.95]\n{form}\n");
    let text = format!("{head}\n{form}\n[[parts]]{lead}\n{parts}");
    let mut library = StyleLibrary::builtin().unwrap();
    library.add_text("probe.toml", &text).unwrap_or_else(|error| panic!("{error}"));
    library
}

/// Makes a score under a direction.
pub fn directed(library: &StyleLibrary, analysis: &Analysis, style: &str, seed: u64, direction: &Direction) -> Score {
    let plain = request(analysis, style, seed, 0.0);
    let request = Request { recipe: Recipe { direction: direction.clone(), ..plain.recipe }, ..plain };
    arrange(&request, library, &JobContext::detached()).unwrap_or_else(|error| panic!("{style} {seed}: {error}"))
}

/// What may be said of a note apart from its key: start and velocity, rounded for messages.
pub fn rounded(at: f64) -> f64 {
    (at * 1000.0).round() / 1000.0
}
