//! What prompts mean.

use cantus_engine::Error;
use cantus_engine::generation::direction::{Direction, Ending, LeadVoice, Moods, Place, Pulse, Reharmonisation};
use cantus_engine::generation::prompt::{Resolved, Wish, resolve};
use cantus_engine::generation::score::{Preset, Role, Score};
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
    ("jazz", "jazz", &[], &[]),
    ("Reggae!", "reggae", &[], &[]),
    ("ORCHESTRAL", "orchestral", &[], &[]),
    ("dub without drums", "dub", &[], &[Role::Drums]),
    ("jazz, no drums or bass", "jazz", &[], &[Role::Drums, Role::Bass]),
    ("symphonic, no percussion", "orchestral", &[], &[Role::Percussion, Role::Drums]),
    ("jazz with a flute solo", "jazz", &[(Role::Lead, &["Flute"])], &[]),
    ("jazz trumpet", "jazz", &[(Role::Lead, &["Trumpet"])], &[]),
    ("swing with rhodes", "jazz", &[(Role::Chords, &["Tine EP", "FM EP"])], &[]),
    ("bebop with vibes and brushes", "jazz", &[(Role::Lead, &["Vibraphone"]), (Role::Drums, &["Brush Kit"])], &[]),
    ("reggae with strings", "reggae", &[(Role::Pad, &["Strings"])], &[]),
    ("reggae with timpani and a harp", "reggae", &[(Role::Percussion, &["Timpani"]), (Role::Colour, &["Harp"])], &[]),
    ("reggae with a drum machine", "reggae", &[(Role::Drums, &["TR-808 Kit", "Analogue Kit"])], &[]),
    ("reggae, overdriven guitar lead", "reggae", &[(Role::Lead, &["Overdrive Guitar"])], &[]),
    (
        "cinematic choir with a cello melody",
        "orchestral",
        &[(Role::Pad, &["Choir Aahs"]), (Role::Lead, &["Solo Cello"])],
        &[],
    ),
    (
        "timpani and french horns",
        "orchestral",
        &[(Role::Percussion, &["Timpani"]), (Role::Chords, &["French Horns"])],
        &[],
    ),
    (
        "dark slow 80s synth ballad with a cello lead, no drums",
        "synthwave",
        &[(Role::Lead, &["Solo Cello"])],
        &[Role::Drums],
    ),
    ("house without bass and pads", "house", &[], &[Role::Bass, Role::Pad]),
    ("just piano and drums, lofi", "lofi", &[(Role::Drums, &[])], &[Role::Bass, Role::Pad, Role::Colour]),
];

#[test]
fn prompts_choose_style_and_instruments() {
    for (prompt, style, instruments, without) in ROWS {
        for seed in 0..3 {
            let score = write(prompt, seed);
            assert_eq!(score.style, *style, "{prompt}");
            for (role, names) in *instruments {
                let track = score.tracks.iter().find(|track| track.role == *role);
                let found = track.unwrap_or_else(|| panic!("{prompt}: no {}", role.name())).instrument.as_str();
                assert!(names.is_empty() || names.contains(&found), "{prompt}: {} is a {found}", role.name());
            }
            for role in *without {
                assert!(score.tracks.iter().all(|track| track.role != *role), "{prompt}: {} plays", role.name());
            }
        }
    }
}

/// A reading in short: "style | lead=73 chords=0,4 | -drums | brightness- lead:thirds".
///
/// Wishes have the programs of their sounds, moods their sign, settings their name. Order does not matter.
fn short(resolved: &Resolved) -> Vec<String> {
    let mut facts = vec![resolved.style.clone()];
    if let Some(second) = &resolved.second_style {
        facts.push(format!("+{second}"));
    }
    facts.extend(resolved.excluded_styles.iter().map(|style| format!("not:{style}")));
    facts.extend(resolved.wishes.iter().map(|wish| {
        let programs: Vec<String> = wish.presets.iter().map(|preset| preset.program.to_string()).collect();
        format!("{}={}", wish.role.name(), programs.join(","))
    }));
    facts.extend(resolved.without_roles.iter().map(|role| format!("-{}", role.name())));
    let direction = &resolved.direction;
    let moods = &direction.moods;
    for (name, value) in [
        ("energy", moods.energy),
        ("complexity", moods.complexity),
        ("brightness", moods.brightness),
        ("swing", moods.swing),
        ("humanise", moods.humanise),
        ("reverb", moods.reverb),
    ] {
        if value != 0.0 {
            facts.push(format!("{name}{}", if value > 0.0 { '+' } else { '-' }));
        }
    }
    let default = Direction::default();
    let mut set = |differs: bool, text: String| facts.extend(differs.then_some(text));
    set(direction.lead != default.lead, format!("{:?}", direction.lead));
    set(direction.ending != default.ending, format!("{:?}", direction.ending));
    set(direction.place != default.place, format!("{:?}", direction.place));
    set(direction.pulse != default.pulse, format!("{:?}", direction.pulse));
    set(direction.reharmonisation != default.reharmonisation, format!("{:?}", direction.reharmonisation));
    set(direction.pedal, "pedal".to_owned());
    set(direction.chords_per_bar.is_some(), format!("chords:{:?}", direction.chords_per_bar.unwrap_or(0.0)));
    set(direction.bars.is_some(), format!("bars:{}", direction.bars.unwrap_or(0)));
    set(resolved.freedom.is_some(), format!("free:{:?}", resolved.freedom.unwrap_or(0.0)));
    facts
}

/// Prompts, and facts their reading must hold, separated by blanks. A fact that begins with `!` must not be there; `ignored:word` asks
/// that a word was left over, `clean` that none was.
const READINGS: &[(&str, &str)] = &[
    ("dark slow 80s synth ballad with a cello lead, no drums", "synthwave lead=42 -drums brightness- energy- clean"),
    ("jazz", "jazz clean"),
    ("not jazz", "not:jazz !jazz"),
    ("reggae but not too jazzy", "reggae not:jazz"),
    ("anything but metal, with distorted guitar solo", "not:metal !metal lead=30,29"),
    ("no jazz, saxophone lead", "not:jazz !jazz lead=66,65"),
    ("very dark trap", "trap brightness- clean"),
    ("slightly bright house", "house brightness+ clean"),
    ("not too dark techno", "house brightness+ !brightness- clean"),
    ("less reverb, dub", "dub reverb-"),
    ("funk without reverb", "funk reverb-"),
    ("no swing, lofi", "lofi swing- clean"),
    ("straight jazz", "jazz swing- clean"),
    ("tight robotic disco", "disco humanise- clean"),
    ("loose human funk", "funk humanise+ clean"),
    ("busy virtuosic metal", "metal complexity+ clean"),
    ("minimal ambient", "ambient complexity- clean"),
    ("driving rock", "rock energy+ clean"),
    ("laid-back reggae", "reggae energy- humanise+ clean"),
    ("cathedral reverb ambient", "ambient reverb+ clean"),
    ("dry punk", "punk reverb- clean"),
    ("improvised jazz", "jazz free:0.7 clean"),
    ("faithful jazz", "jazz free:0.0 clean"),
    ("rock in thirds", "rock Thirds clean"),
    ("synthwave, lead an octave higher", "synthwave OctaveUp clean"),
    ("disco, band only", "disco Off clean"),
    ("leave my vocal, soft reggae", "reggae Off energy- clean"),
    ("house loop", "house !Final clean"),
    ("orchestral with an ending", "orchestral Final clean"),
    ("orchestral without an ending", "orchestral !Final clean"),
    ("half-time metal", "metal Half clean"),
    ("half-time lofi", "lofi !Half clean"),
    ("double-time punk", "punk Double clean"),
    ("funk with jazzy chords", "funk Borrowed !+jazz clean"),
    ("rock, simple chords", "rock Diatonic clean"),
    ("reharmonised reggae", "reggae Borrowed clean"),
    ("ambient with adventurous chords over a pedal point", "ambient Adventurous pedal clean"),
    ("dnb, one chord per bar", "dnb chords:1.0 clean"),
    ("8 bars of funk", "funk bars:8 clean"),
    ("disco at 120 bpm", "disco clean"),
    ("jazz in 7/8", "jazz clean"),
    ("disco chorus", "disco Chorus clean"),
    ("drum and bass with a piano solo", "dnb lead=0 clean"),
    ("drum & bass", "dnb clean"),
    ("8-bit video game music", "chiptune clean"),
    ("lo-fi hip hop with rhodes", "lofi chords=4,5 clean"),
    ("epic reggae", "reggae energy+ !+orchestral clean"),
    ("jazz house", "jazz +house clean"),
    ("dreamy punk", "punk reverb+ !+ambient clean"),
    ("neon punk", "punk +synthwave clean"),
    ("orchestal", "orchestral clean"),
    ("raggae with saxaphone", "reggae lead=66,65 clean"),
    ("electric gitar solo over a rockk beat", "rock clean"),
    ("reggae mit Geige, ohne Schlagzeug", "reggae lead=40 -drums clean"),
    ("langsamer disco", "disco energy- clean"),
    ("funk sans batterie", "funk -drums clean"),
    ("techno con guitarra, sin bajo", "house clean ignored:bajo"),
    ("drumless lofi", "lofi -drums -percussion clean"),
    ("a cappella", "lead=52 pad=52 -drums -bass -chords clean"),
    ("piano only, lofi", "lofi lead=0 chords=0 -drums -bass -pad clean"),
    ("just drums and bass, reggae", "reggae -chords -pad -colour clean"),
    ("no guitars, rock", "rock clean"),
    ("no drums, bass or pads, house", "house -drums -bass -pad clean"),
    ("no drums and a sax solo, disco", "disco -drums lead=66,65 clean"),
    ("no drums, piano solo, disco", "disco -drums lead=0 clean"),
    ("two violins over a dub", "dub lead=48,48 counter=48,48 clean"),
    ("trumpet lead, sax counter-melody, funk", "funk lead=56 counter=66,65 clean"),
    ("a reggae trio", "reggae -pad -colour -counter clean"),
    ("purple jazz with a kazoo", "jazz ignored:purple ignored:kazoo"),
    ("violin lead, no style", "lead=40"),
    ("something happy", "brightness+ energy+"),
    ("just a funky song with a trumpet", "funk !-drums lead=56 clean"),
    ("extremely dark but gentle synthwave", "synthwave brightness- energy- clean"),
    ("rock, no heavy drums", "rock !-drums clean"),
    ("shuffled house with a walking bass", "house swing+ bass=32 clean"),
    ("808 bass and trap drums", "trap bass=0"),
];

#[test]
fn prompts_are_read_as_a_musician_means_them() {
    let library = StyleLibrary::builtin().unwrap();
    let mut wrong = Vec::new();
    for (prompt, expected) in READINGS {
        let resolved = resolve(prompt, &library).unwrap_or_else(|error| panic!("{prompt}: {error}"));
        let facts = short(&resolved);
        for fact in expected.split(' ') {
            let holds = match (fact.strip_prefix('!'), fact.strip_prefix("ignored:")) {
                (Some(fact), _) => !facts.iter().any(|found| found == fact),
                (_, Some(word)) => resolved.ignored.iter().any(|ignored| ignored == word),
                _ if fact == "clean" => resolved.ignored.is_empty() || expected.contains("ignored:"),
                _ => facts.iter().any(|found| found == fact),
            };
            if !holds {
                wrong.push(format!("{prompt:?}: {fact} in {facts:?}, ignored {:?}", resolved.ignored));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_reading_says_why() {
    let library = StyleLibrary::builtin().unwrap();
    let rows = [
        ("cinematic", "cinematic: orchestral"),
        ("orchestal", "orchestal: orchestral?"),
        ("reggae mit Geige", "geige: violin"),
        ("not jazz", "not jazz"),
        ("disco at 120 bpm", "120 bpm: the song's tempo stays"),
        ("slow disco", "the song's tempo stays"),
        ("jazz in 5/4", "5/4: the song's metre stays"),
        ("jazz house", "house lends"),
        ("sad violin", "no style named: I chose"),
        ("sad violin", "because of the violin"),
        ("no drums", "because nothing speaks for another"),
        ("half-time lofi", "lofi is counted so anyway"),
        ("very dark trap", "very dark: darker"),
    ];
    for (prompt, says) in rows {
        let understood = resolve(prompt, &library).unwrap().understood.join("; ");
        assert!(understood.contains(says), "{prompt}: \"{understood}\" lacks \"{says}\"");
    }
}

#[test]
fn stronger_words_turn_further() {
    let library = StyleLibrary::builtin().unwrap();
    let brightness = |prompt: &str| resolve(prompt, &library).unwrap().direction.moods.brightness;
    let rising: Vec<f32> =
        ["extremely dark house", "very dark house", "dark house", "slightly dark house", "house", "not dark house"]
            .iter()
            .map(|prompt| brightness(prompt))
            .collect();
    assert!(rising.windows(2).all(|pair| pair[0] < pair[1]), "{rising:?}");
    assert!(brightness("very very extremely dark dark dark house") >= -1.0);
}

#[test]
fn every_style_is_found_by_its_name_and_words() {
    let library = StyleLibrary::builtin().unwrap();
    for style in library.list() {
        assert_eq!(resolve(&style.name, &library).unwrap().style, style.name);
        assert_eq!(resolve(&style.name.replace('-', " "), &library).unwrap().style, style.name);
        for other in library.list().iter().filter(|other| other.name != style.name) {
            let prompt = format!("{}, not {}", style.name, other.name);
            let resolved = resolve(&prompt, &library).unwrap();
            assert_eq!(
                (resolved.style.as_str(), resolved.excluded_styles),
                (style.name.as_str(), vec![other.name.clone()])
            );
        }
        let found =
            style.words.iter().filter(|word| resolve(word, &library).is_ok_and(|read| read.style == style.name));
        // A word may belong to two styles, or mean an instrument.
        let (found, all) = (found.count(), style.words.len());
        assert!(found * 4 >= all * 3, "{}: only {found} of {all} words lead there", style.name);
    }
}

#[test]
fn an_express_choice_goes_before_the_prompt_and_moods_add_up() {
    let library = StyleLibrary::builtin().unwrap();
    let read = resolve("very dark reggae in thirds with an ending, pedal point, 8 bars, half-time", &library).unwrap();
    let chosen = Direction {
        lead: LeadVoice::OctaveUp,
        moods: Moods { brightness: 0.3, energy: -0.2, ..Moods::default() },
        ..Direction::default()
    };
    let direction = read.direct(&chosen);
    assert_eq!(direction.lead, LeadVoice::OctaveUp);
    assert_eq!(direction.ending, Ending::Final);
    assert_eq!(direction.bars, Some(8));
    assert_eq!(direction.pulse, Pulse::Half);
    assert!(direction.pedal);
    assert_eq!(direction.place, Place::Whole);
    assert_eq!(direction.reharmonisation, Reharmonisation::Style);
    assert!((direction.moods.brightness - (0.3 - 0.8)).abs() < 1e-6, "{:?}", direction.moods);
    assert_eq!(direction.moods.energy, -0.2);
    let drowned = Direction { moods: Moods { brightness: f32::NAN, reverb: 9.0, ..Moods::default() }, ..chosen };
    let moods = read.direct(&drowned).moods;
    assert_eq!((moods.brightness, moods.reverb), (0.0, 1.0));
    assert_eq!(read.direct(&Direction::default()).lead, LeadVoice::Thirds);
    assert_eq!((read.freedom(0.0), read.freedom(0.4)), (0.0, 0.4));
    assert_eq!(resolve("improvised jazz", &library).unwrap().freedom(0.0), 0.7);
}

#[test]
fn excluded_instruments_take_their_family_along() {
    let library = StyleLibrary::builtin().unwrap();
    let without = resolve("rock, no guitars", &library).unwrap().without_presets;
    for program in 24..=30 {
        assert!(without.contains(&Preset { bank: 0, program }), "guitar {program} stays");
    }
    let Wish { presets, .. } = resolve("funk, no trumpet, trumpet lead", &library).unwrap().wishes.remove(0);
    assert!(presets.is_empty(), "who is sent away stays away: {presets:?}");
}

#[test]
fn the_seed_still_chooses_among_what_was_asked_for() {
    let mut found: Vec<String> =
        (0..12).map(|seed| write("jazz with a saxophone solo", seed).tracks[0].instrument.clone()).collect();
    found.sort();
    found.dedup();
    assert_eq!(found, ["Alto Sax", "Tenor Sax"]);
}

#[test]
fn words_are_understood_or_ignored_never_lost() {
    let library = StyleLibrary::builtin().unwrap();
    let read = |prompt: &str| -> Resolved { resolve(prompt, &library).unwrap() };
    let sax = read("mellow jazz with a saxophone solo, piano chords and full drum kit");
    let joined = sax.understood.join("; ");
    for part in ["style: jazz", "lead: saxophone", "chords: piano", "drums: full drum kit"] {
        assert!(joined.contains(part), "{joined} lacks {part}");
    }
    assert_eq!(sax.ignored, Vec::<String>::new());
    assert_eq!(read("purple jazz in 7/8 with a kazoo and 99 zebras").ignored, ["purple", "kazoo", "99", "zebras"]);
}

#[test]
fn a_prompt_nothing_is_understood_of_is_refused_with_what_works() {
    let library = StyleLibrary::builtin().unwrap();
    for prompt in ["", "   ", "purple", "something nice", "!!!", "\u{1f3b7}", "the a of"] {
        match resolve(prompt, &library) {
            Err(error @ Error::UnknownStyle { .. }) => {
                let text = error.to_string();
                for part in ["reggae", "cello lead", "dark"] {
                    assert!(text.contains(part), "{text}");
                }
            }
            other => panic!("{prompt:?} gives {other:?}"),
        }
    }
}

#[test]
fn long_and_odd_prompts_are_read_without_harm() {
    let library = StyleLibrary::builtin().unwrap();
    let long = "jazz no ".repeat(20_000);
    let typos = "orchestrql symfonicc ".repeat(2_000);
    for prompt in [
        long.as_str(),
        typos.as_str(),
        "jazz no",
        "no no no jazz",
        "without",
        "-jazz-",
        "jazz\n\tsolo solo",
        "no jazz",
        "no, no, no",
        "only",
        "just",
        "not not not",
        "very very",
        "two",
        "8 bars 9 bars",
        "8",
        "8/",
        "/8",
        "1/0",
        "no only drums",
        "solo",
        "lead lead lead",
        "drums no drums",
        "a cappella with drums, no choir",
        "99999999999999999999 bars",
        "\u{0}\u{feff}",
    ] {
        drop(resolve(prompt, &library));
    }
}

/// Random words, letters and scripts: never a panic, every word is either heard or listed, every number is sane.
#[test]
fn random_prompts_are_read_without_harm() {
    let library = StyleLibrary::builtin().unwrap();
    let words = [
        "jazz",
        "no",
        "not",
        "very",
        "without",
        "drums",
        "and",
        "or",
        ",",
        "lead",
        "solo",
        "cello",
        "two",
        "8",
        "bars",
        "only",
        "dark",
        "\u{fc}ber",
        "\u{4e2d}\u{6587}",
        "in",
        "thirds",
        "ending",
        "less",
        "too",
        "reverb",
        "guitar",
        "house",
        "ohne",
        "\u{1f600}",
        "\u{301}",
        "'",
        "-",
        "/",
        "12/8",
        "&",
        "a",
        "cappella",
        "half-time",
    ];
    let mut state = 0x1234_5678_9abc_def0_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..1_500 {
        let mut prompt = String::new();
        for _ in 0..1 + next(12) {
            if next(5) == 0 {
                for _ in 0..next(8) {
                    let code = u32::try_from(next(0x1_1000)).unwrap();
                    prompt.push(char::from_u32(code).unwrap_or('x'));
                }
            } else {
                prompt.push_str(words[next(words.len())]);
            }
            prompt.push(if next(6) == 0 { ',' } else { ' ' });
        }
        let Ok(resolved) = resolve(&prompt, &library) else { continue };
        let moods = resolved.direction.moods;
        for value in [moods.energy, moods.complexity, moods.brightness, moods.swing, moods.humanise, moods.reverb] {
            assert!((-1.0..=1.0).contains(&value), "{prompt:?}: {moods:?}");
        }
        let mut roles: Vec<Role> = resolved.wishes.iter().map(|wish| wish.role).collect();
        let wishes = roles.len();
        roles.sort_unstable();
        roles.dedup();
        assert_eq!(roles.len(), wishes, "{prompt:?}: two wishes of one role");
        assert!(!resolved.excluded_styles.contains(&resolved.style), "{prompt:?} chooses what it excludes");
        assert!(library.get(&resolved.style).is_some());
        assert!(!resolved.understood.is_empty());
    }
}
