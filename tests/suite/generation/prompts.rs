//! What prompts mean.

use cantus_engine::Error;
use cantus_engine::generation::prompt::{Resolved, resolve};
use cantus_engine::generation::score::{Role, Score};
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::job_context::JobContext;

use super::tunes::{ODE, grid, major, request, tune};

fn write(prompt: &str, seed: u64) -> Score {
    let library = StyleLibrary::builtin().unwrap();
    let ode = tune("ode", ODE, grid(0.0, 100.0, (4, 4)), major(0), true).analysis;
    let written =
        cantus_engine::generation::band::arrange(&request(&ode, prompt, seed, 0.0), &library, &JobContext::detached());
    written.unwrap_or_else(|error| panic!("{prompt}: {error}"))
}

/// A prompt, its style, instruments (any of several names) in roles, and roles that are left out.
type Row = (&'static str, &'static str, &'static [(Role, &'static [&'static str])], &'static [Role]);

const ROWS: &[Row] = &[
    (
        "a grand orchestral arrangement with thundering percussion, epic brass fanfares and soaring strings",
        "orchestral",
        &[
            (Role::Percussion, &["Timpani"]),
            (Role::Drums, &["Orchestra Kit"]),
            (Role::Chords, &["Brass Section", "French Horns"]),
            (Role::Lead, &["Strings"]),
        ],
        &[],
    ),
    (
        "classic reggae track with an electric guitar solo",
        "reggae",
        &[(Role::Lead, &["Overdrive Guitar", "Clean Guitar", "Jazz Guitar"]), (Role::Drums, &["Standard Kit"])],
        &[],
    ),
    (
        "smooth jazz with a saxophone solo, piano chords and full drum kit",
        "jazz",
        &[
            (Role::Lead, &["Tenor Sax", "Alto Sax"]),
            (Role::Chords, &["Grand Piano"]),
            (Role::Drums, &["Jazz Kit", "Brush Kit"]),
        ],
        &[],
    ),
    ("jazz", "jazz", &[], &[]),
    ("Reggae!", "reggae", &[], &[]),
    ("ORCHESTRAL", "orchestral", &[], &[]),
    ("dub without drums", "reggae", &[], &[Role::Drums]),
    ("jazz, no drums or bass", "jazz", &[], &[Role::Drums, Role::Bass]),
    ("symphonic, no percussion", "orchestral", &[], &[Role::Percussion, Role::Drums]),
    ("jazz with a flute solo", "jazz", &[(Role::Lead, &["Flute"])], &[]),
    ("jazz trumpet", "jazz", &[(Role::Lead, &["Trumpet"])], &[]),
    ("swing with rhodes", "jazz", &[(Role::Chords, &["Tine EP", "FM EP"])], &[]),
    ("bebop with vibes and brushes", "jazz", &[(Role::Lead, &["Vibraphone"]), (Role::Drums, &["Brush Kit"])], &[]),
    ("reggae with strings", "reggae", &[(Role::Pad, &["Strings"])], &[]),
    ("reggae with timpani and a harp", "reggae", &[(Role::Percussion, &["Timpani"]), (Role::Colour, &["Harp"])], &[]),
    ("reggae with a drum machine", "reggae", &[(Role::Drums, &["TR-808 Kit"])], &[]),
    (
        "reggae with a synth bass and organ chords",
        "reggae",
        &[(Role::Bass, &["Synth Bass 1", "Synth Bass 2"]), (Role::Chords, &["Drawbar Organ"])],
        &[],
    ),
    (
        "cinematic choir with a cello melody",
        "orchestral",
        &[(Role::Pad, &["Choir Aahs"]), (Role::Lead, &["Solo Cello"])],
        &[],
    ),
    ("reggae, overdriven guitar lead", "reggae", &[(Role::Lead, &["Overdrive Guitar"])], &[]),
    ("epic jazz", "jazz", &[], &[]),
    ("saxophone solo", "jazz", &[(Role::Lead, &["Tenor Sax", "Alto Sax"])], &[]),
    (
        "timpani and french horns",
        "orchestral",
        &[(Role::Percussion, &["Timpani"]), (Role::Chords, &["French Horns"])],
        &[],
    ),
];

#[test]
fn prompts_choose_style_and_instruments() {
    for (prompt, style, instruments, without) in ROWS {
        for seed in 0..6 {
            let score = write(prompt, seed);
            assert_eq!(score.style, *style, "{prompt}");
            for (role, names) in *instruments {
                let track = score.tracks.iter().find(|track| track.role == *role);
                let found = track.unwrap_or_else(|| panic!("{prompt}: no {}", role.name())).instrument.as_str();
                assert!(names.contains(&found), "{prompt}: {} is a {found}", role.name());
            }
            for role in *without {
                assert!(score.tracks.iter().all(|track| track.role != *role), "{prompt}: {} plays", role.name());
            }
        }
    }
}

#[test]
fn the_seed_still_chooses_among_what_was_asked_for() {
    let mut found: Vec<String> =
        (0..12).map(|seed| write("smooth jazz with a saxophone solo", seed).tracks[0].instrument.clone()).collect();
    found.sort();
    found.dedup();
    assert_eq!(found, ["Alto Sax", "Tenor Sax"]);
}

#[test]
fn words_are_understood_or_ignored_never_lost() {
    let library = StyleLibrary::builtin().unwrap();
    let read = |prompt: &str| -> Resolved { resolve(prompt, &library).unwrap() };
    let sax = read("smooth jazz with a saxophone solo, piano chords and full drum kit");
    let joined = sax.understood.join("; ");
    for part in ["style: jazz", "lead: saxophone", "chords: piano", "drums: full drum kit"] {
        assert!(joined.contains(part), "{joined} lacks {part}");
    }
    assert_eq!(sax.ignored, Vec::<String>::new());
    assert_eq!(read("purple jazz in 7/8 with a theremin").ignored, ["purple", "7", "8", "theremin"]);
    assert!(read("thundering orchestra").energy > 0.0);
    assert!(read("gentle jazz").energy < 0.0);
}

#[test]
fn a_prompt_without_style_or_instrument_is_refused_with_the_list() {
    let library = StyleLibrary::builtin().unwrap();
    for prompt in ["", "   ", "purple", "something nice", "!!!", "\u{1f3b7}"] {
        match resolve(prompt, &library) {
            Err(Error::UnknownStyle { name, known }) => {
                assert_eq!(name, prompt.trim());
                assert!(known.starts_with("orchestral, reggae, jazz, "), "{known}");
            }
            other => panic!("{prompt:?} gives {other:?}"),
        }
    }
}

#[test]
fn long_and_odd_prompts_are_read_without_harm() {
    let library = StyleLibrary::builtin().unwrap();
    let long = "jazz no ".repeat(20_000);
    for prompt in [long.as_str(), "jazz no", "no no no jazz", "without", "-jazz-", "jazz\n\tsolo solo", "no jazz"] {
        drop(resolve(prompt, &library));
    }
}
