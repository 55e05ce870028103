//! Style files: what is read, what is refused, and on which line.

use super::checker::faults;
use super::tunes;
use cantus_engine::Error;
use cantus_engine::generation::band::arrange;
use cantus_engine::generation::score::Role;
use cantus_engine::generation::style::library::{StyleLibrary, StyleShelf};
use cantus_engine::generation::style::{LastChord, Section, Voicing, chord::RomanChord, steps};
use cantus_engine::job_context::JobContext;
use cantus_engine::time::Metre;

const SHORE: &str = include_str!("../../data/styles/shore.toml");

#[test]
fn the_built_in_styles_are_there_and_complete() {
    let library = StyleLibrary::builtin().unwrap();
    let names: Vec<&str> = library.list().iter().map(|style| style.name.as_str()).collect();
    assert_eq!(&names[..3], ["orchestral", "reggae", "jazz"], "songs refer to styles by their place");
    let mut roles: Vec<(&str, Vec<Role>)> = Vec::new();
    for style in library.list() {
        let mut played: Vec<Role> = style.parts.iter().map(|part| part.role).collect();
        played.sort_unstable();
        played.dedup();
        roles.push((&style.name, played));
        let leads = style.parts.iter().filter(|part| part.role == Role::Lead).count();
        assert!(leads >= 3, "{} has {leads} leads to choose from", style.name);
        assert_eq!(StyleLibrary::builtin_text(&style.name).map(|text| text.is_empty()), Some(false), "{}", style.name);
    }
    for (name, played) in roles {
        for role in [Role::Lead, Role::Chords, Role::Bass, Role::Drums] {
            // Nobody drums in a chamber, and clouds have no pulse.
            let may_lack = matches!((name, role), ("chamber" | "ambient", Role::Drums));
            assert!(played.contains(&role) || may_lack, "{name} has no {}", role.name());
        }
    }
    assert!(library.get("polka").is_none());
}

/// The styles of acoustic, jazz and world music: a look at what makes a style file whole.
#[test]
fn acoustic_styles_have_enough_to_choose_from() {
    const NAMES: [&str; 14] = [
        "orchestral",
        "chamber",
        "noir",
        "jazz",
        "smooth-jazz",
        "bossa",
        "samba",
        "salsa",
        "gospel",
        "soul",
        "blues",
        "folk",
        "country",
        "waltz",
    ];
    let library = StyleLibrary::builtin().unwrap();
    for name in NAMES {
        let style = library.get(name).unwrap_or_else(|| panic!("{name} is missing"));
        assert!(style.facts.len() >= 4, "{name} states {} facts", style.facts.len());
        assert!(style.words.len() >= 8, "{name}");
        for vocabulary in [&style.harmony.major, &style.harmony.minor] {
            assert!(vocabulary.chords.len() >= 8 && vocabulary.progressions.len() >= 5, "{name}");
            assert!(!vocabulary.turnaround.is_empty(), "{name}");
            for (bars, _) in &vocabulary.progressions {
                assert!(matches!(bars.len(), 4 | 8 | 12), "{name}: a progression of {} bars", bars.len());
            }
        }
        let comps = style.parts.iter().filter(|part| part.role == Role::Chords).count();
        assert!(comps >= 2, "{name} has {comps} ways of comping");
        let home = style.metres[0];
        for part in style.parts.iter().filter(|part| matches!(part.role, Role::Chords | Role::Drums)) {
            for section in [Section::A, Section::B] {
                let own = part.patterns.iter().any(|pattern| pattern.metre == home && pattern.section == section);
                assert!(own || !part.sections.is_empty(), "{name}: a part has no pattern for {section:?}");
            }
        }
        for part in style.parts.iter().filter(|part| part.role == Role::Drums) {
            let fills =
                part.patterns.iter().filter(|pattern| pattern.metre == home && pattern.section == Section::Fill);
            assert!(fills.count() >= 3, "{name} has fewer than three fills");
        }
    }
}

/// Every built-in style, also in metres it has no patterns for: what it writes can be played.
#[test]
fn every_style_plays_in_every_metre() {
    let library = StyleLibrary::builtin().unwrap();
    let metres = [(4, 4), (3, 4), (6, 8), (12, 8), (5, 4), (7, 8), (2, 4)];
    let line: Vec<(f64, f64, u8)> = (0..18)
        .map(|index| (f64::from(index), f64::from(index) + 0.9, 60 + [0, 4, 7, 5, 2, 9][index as usize % 6]))
        .collect();
    for style in library.list() {
        for (index, metre) in metres.into_iter().enumerate() {
            let tempo =
                f64::from(style.tempo.0) + (f64::from(style.tempo.1 - style.tempo.0)) * (index % 3) as f64 / 2.0;
            let place = tunes::grid(0.0, tempo, metre);
            let length = (18.0 / place.metre.bar().0).ceil() * place.metre.bar().0;
            let key = if index % 2 == 0 { tunes::major(0) } else { tunes::minor(9) };
            let analysis = tunes::analysis(&line, place, length, key);
            let score =
                arrange(&tunes::request(&analysis, &style.name, 3, 0.0), &library, &JobContext::detached()).unwrap();
            let found = faults(&score, &analysis);
            assert!(found.is_empty(), "{} in {}/{} at {tempo}: {found:?}", style.name, metre.0, metre.1);
            assert!(score.tracks.len() >= 3, "{} in {}/{}", style.name, metre.0, metre.1);
            for track in score.tracks.iter().filter(|track| matches!(track.role, Role::Chords | Role::Bass)) {
                assert!(
                    !track.notes.is_empty(),
                    "{} in {}/{}: nobody plays the {}",
                    style.name,
                    metre.0,
                    metre.1,
                    track.role.name()
                );
            }
        }
    }
}

#[test]
fn every_file_in_the_styles_folder_is_built_in() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/styles");
    let library = StyleLibrary::builtin().unwrap();
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(library.get(&name).is_some(), "{name} is not in the list of built-in styles");
        files += 1;
    }
    assert_eq!(files, library.list().len());
}

/// Replaces the first occurrence and gives the line it stood on.
fn change(from: &str, to: &str) -> (String, usize) {
    let at = SHORE.find(from).unwrap_or_else(|| panic!("{from} is not in the file"));
    (SHORE.replacen(from, to, 1), 1 + SHORE[..at].matches('\n').count())
}

#[test]
fn mistakes_are_named_with_their_line() {
    let rows = [
        ("about = ", "abuot = ", "unknown field `abuot`"),
        ("colour = \"#336699\"", "colour = \"blue\"", "\"blue\" is no colour"),
        ("swing = 0.56", "swing = 0.9", "swing is 0.9, but must be 0.5 to 0.75"),
        ("swing = 0.56", "swing = \"hard\"", "invalid type"),
        ("swing = 0.56", "swing = ", "expected literal string"),
        ("tempo = [60, 180]", "tempo = [180, 60]", "tempo is [180, 60]"),
        ("humanise_ms = 5", "humanise_ms = nan", "humanise_ms"),
        ("\"6/8\"]", "\"6/0\"]", "\"6/0\" is no metre"),
        ("name = \"shore\"", "name = \"By Shore\"", "one lower-case word"),
        ("sections = \"a b\"", "sections = \"a c\"", "\"c\" is no section"),
        ("fill_every = 8", "fill_every = 0", "fill_every is 0, but must be 1 to 64"),
        ("last = \"swell\"", "last = \"bang\"", "unknown variant `bang`"),
        ("chords_per_bar = 0.5", "chords_per_bar = 9", "chords_per_bar is 9, but must be 0.25 to 4"),
        ("pedal = 0.25", "pedal = 2", "pedal is 2, but must be 0 to 1"),
        ("tensions = [2, 9]", "tensions = [2, 12]", "a tension is 12, but must be 1 to 11"),
        ("{ chord = \"vi\", weight = 5", "{ chord = \"vi8\", weight = 5", "\"8\" in \"vi8\" is no chord quality"),
        ("\"V I 2\"", "\"V VII 2\"", "\"VII\" is not in this vocabulary"),
        ("\"V I 2\"", "\"V I\"", "two chords and a factor"),
        ("chords = \"I IV I IV\"", "chords = \"I IV V X\"", "\"X\" is not in this vocabulary"),
        ("opening = \"I\"", "opening = \"\"", "there is no chord here"),
        ("turnaround = \"IV V\"", "turnaround = \"IV VI\"", "\"VI\" is not in this vocabulary"),
        ("ending = \"I\"", "ending = \"II\"", "\"II\" is not in this vocabulary"),
        ("kind = \"spring\"", "kind = \"cave\"", "unknown variant `cave`"),
        ("feedback = 0.3", "feedback = 1.0", "feedback is 1, but must be 0 to 0.9"),
        ("vinyl = 0.1", "vinyl = 3", "vinyl is 3, but must be 0 to 1"),
        ("duck = 0.2", "duck = 1.2", "duck is 1.2, but must be 0 to 1"),
        ("duck = 0.2", "ducks = 0.2", "unknown field `ducks`"),
        ("layer = 0.8", "layer = 8", "layer is 8, but must be 0 to 1"),
        ("sections = \"b\"", "sections = \"fill\"", "\"fill\" is no section"),
        ("strum_ms = 20", "strum_ms = 500", "strum_ms is 500, but must be 0 to 120"),
        ("transpose = -12", "transpose = 7", "transpose is 7, but must be -12, 0 or 12"),
        ("kick = 5,", "tin = 5,", "the kit names no voice \"tin\""),
        ("kick = 5,", "kick = 90,", "voice_push_ms is 90, but must be -40 to 40"),
        ("preset = \"0:22\"", "preset = \"0:23\"", "there is no sound 0:23"),
        ("preset = \"0:22\"", "preset = \"harmonica\"", "\"harmonica\" is no preset"),
        ("preset = \"0:22\"", "preset = \"120:99\"", "there is no sound 120:99"),
        ("register = [60, 84]", "register = [50, 84]", "register [50, 84] must span an octave within 60 to 84"),
        ("rule = \"melody\"", "rule = \"comp\"", "goes with role = \"lead\""),
        ("rule = \"melody\"", "rule = \"sing\"", "unknown variant `sing`"),
        ("role = \"lead\"", "role = \"singer\"", "unknown variant `singer`"),
        ("kick = 36,", "kick = 58,", "no sound on key 58"),
        ("steps = \".x .x .x .x\"", "steps = \".x .x .x\"", "has 3 counts, but a bar of 4/4 has 4"),
        ("steps = \".x .x .x .x\"", "steps = \".x .q .x .x\"", "\"q\" in"),
        ("steps = \"1-.. 2.4.", "steps = \"1-.. 2.9.", "\"9\" in"),
        ("steps = \"1234 3212", "steps = \"1234 3812", "\"8\" in"),
        ("hits.rim = \"....", "hits.cowbell = \"....", "the kit names no voice \"cowbell\""),
        ("never = \"1\"", "never = \"5\"", "\"5\" is no place in a bar of 4/4"),
        ("always = \"1 3&\"", "always = \"1 4\"", "\"4\" is no place in a bar of 3/4"),
        ("what = \"hat\"", "what = \"gong\"", "\"gong\" is neither a role nor a voice"),
        ("repeats = 2", "repeats = 0", "repeats is 0, but must be 1 to 16"),
        ("late_ms = [-5, 15]", "late_ms = [15, -5]", "late_ms is [15, -5]"),
        ("density = [10, 60]", "density = [60, 10]", "density is [60, 10]"),
        ("decay_seconds = 1.3", "decay_seconds = -1", "decay_seconds is -1"),
        ("gain_db = -6", "gain_db = 80", "gain_db is 80"),
    ];
    for (from, to, reason) in rows {
        let (text, line) = change(from, to);
        check_refused(&text, line, reason);
    }
    // A fact with two promises, or with none, is told where it begins.
    let begins = |what: &str| {
        let at = SHORE.find(&format!("[[facts]]\nwhat = \"{what}\"")).unwrap();
        1 + SHORE[..at].matches('\n').count()
    };
    check_refused(
        &SHORE.replacen("repeats = 2", "repeats = 2\nnever = \"1\"", 1),
        begins("rim"),
        "exactly one of never",
    );
    check_refused(&SHORE.replacen("repeats = 2\n", "", 1), begins("rim"), "exactly one of never");
}

fn check_refused(text: &str, line: usize, reason: &str) {
    let mut library = StyleLibrary::builtin().unwrap();
    match library.add_text("mine.toml", text) {
        Err(Error::Style { file, line: found, reason: said }) => {
            assert_eq!(file, "mine.toml");
            assert!(said.contains(reason), "line {found}: \"{said}\" does not say \"{reason}\"");
            assert_eq!(found, line, "\"{said}\"");
        }
        other => panic!("\"{reason}\" gives {other:?}"),
    }
}

#[test]
fn the_file_that_uses_every_field_is_read() {
    let style = StyleLibrary::builtin().unwrap().read("shore.toml", SHORE).unwrap();
    assert_eq!((style.facts.len(), style.parts.len(), style.colour), (7, 7, [0x33, 0x66, 0x99]));
    assert_eq!((style.form.fill_every, style.form.crash, style.form.last), (8, false, LastChord::Swell));
    assert_eq!(style.harmony.major.turnaround, [vec![1], vec![2]]);
    assert_eq!(style.harmony.minor.ending, [0], "without an ending, pieces end as they open");
    let chords = style.parts.iter().find(|part| part.role == Role::Chords).unwrap();
    assert_eq!((chords.layer, chords.strum_ms, chords.strip.duck, chords.voicing), (0.8, 20.0, 0.2, Voicing::Drop2));
    assert_eq!(chords.sections, [Section::B]);
}

#[test]
fn weights_that_sum_to_nothing_are_refused() {
    let line = 1 + SHORE[..SHORE.find("progressions = [").unwrap()].matches('\n').count();
    let from = SHORE.find("progressions = [").unwrap();
    let to = from + SHORE[from..].find("\n]").unwrap();
    let zeroed: String = SHORE[from..to]
        .split("weight = ")
        .enumerate()
        .map(
            |(index, part)| {
                if index == 0 { part.to_owned() } else { format!("weight = 0{}", &part[part.find(' ').unwrap()..]) }
            },
        )
        .collect();
    let text = format!("{}{}{}", &SHORE[..from], zeroed, &SHORE[to..]);
    check_refused(&text, line, "weights of the progressions sum to 0");
}

#[test]
fn garbage_is_refused_with_a_sentence() {
    let mut library = StyleLibrary::builtin().unwrap();
    for text in ["", "[", "name = 3", "\u{0}", "name = \"x\"\nname = \"y\"", "parts = []"] {
        assert!(matches!(library.add_text("x.toml", text), Err(Error::Style { .. })), "{text:?}");
    }
    // Cut anywhere, a file is refused or read, never a panic.
    for end in (0..SHORE.len()).step_by(97).filter(|end| SHORE.is_char_boundary(*end)) {
        drop(library.add_text("cut.toml", &SHORE[..end]));
    }
}

#[test]
fn a_folder_adds_and_overrides() {
    let folder = tempfile::tempdir().unwrap();
    let built_in = StyleLibrary::builtin().unwrap().list().len();
    let mine = SHORE.replacen("name = \"shore\"", "name = \"reggae\"", 1).replacen("about = \"", "about = \"Mine: ", 1);
    std::fs::write(folder.path().join("shore.toml"), SHORE).unwrap();
    std::fs::write(folder.path().join("reggae.toml"), mine).unwrap();
    std::fs::write(folder.path().join("notes.txt"), "not a style").unwrap();
    std::fs::create_dir(folder.path().join("folder.toml")).unwrap();
    let library = StyleLibrary::with_folder(folder.path()).unwrap();
    assert_eq!(library.list().len(), built_in + 1);
    assert!(library.get("reggae").unwrap().about.starts_with("Mine: "));
    assert_eq!(library.list()[1].name, "reggae", "a style that is replaced keeps its place");
    assert!(library.get("shore").is_some());
    std::fs::write(folder.path().join("worse.toml"), "name = 1").unwrap();
    assert!(
        matches!(StyleLibrary::with_folder(folder.path()), Err(Error::Style { file, line: 1, .. }) if file == "worse.toml")
    );
    assert_eq!(StyleLibrary::with_folder(&folder.path().join("nowhere")).unwrap().list().len(), built_in);
}

#[test]
fn the_shelf_follows_its_folder() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("styles");
    let shelf = StyleShelf::open(Some(folder.clone())).unwrap();
    let built_in = shelf.library();
    assert!(shelf.mistakes().is_empty(), "a folder that is not there yet is no mistake: {:?}", shelf.mistakes());

    // Added.
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("shore.toml");
    std::fs::write(&file, SHORE).unwrap();
    assert!(shelf.look() && !shelf.look(), "what is new is read once");
    assert_eq!(shelf.library().get("shore").unwrap().about, "A band by the sea");
    assert!(built_in.get("shore").is_none(), "a library that is held stays as it was");
    let first = shelf.library().revision();
    assert_ne!(first, built_in.revision());

    // Changed.
    std::fs::write(&file, SHORE.replacen("by the sea", "in the dunes", 1)).unwrap();
    assert!(shelf.look());
    assert_eq!(shelf.library().get("shore").unwrap().about, "A band in the dunes");
    assert_ne!(shelf.library().revision(), first);

    // Broken: the last good version stays, the mistake is told.
    std::fs::write(&file, SHORE.replacen("fill_every = 8", "fill_every = 800", 1)).unwrap();
    shelf.look();
    assert_eq!(shelf.library().get("shore").unwrap().about, "A band in the dunes");
    let line = 1 + SHORE[..SHORE.find("fill_every").unwrap()].matches('\n').count();
    match &shelf.mistakes()[..] {
        [Error::Style { file, line: found, reason }] => {
            assert_eq!((file.as_str(), *found), ("shore.toml", line));
            assert!(reason.contains("1 to 64"), "{reason}");
        }
        other => panic!("{other:?}"),
    }

    // One that was never good takes nothing away from the others.
    std::fs::write(folder.join("bad.toml"), "name = 1").unwrap();
    shelf.look();
    assert_eq!((shelf.mistakes().len(), shelf.library().list().len()), (2, built_in.list().len() + 1));

    // Mended and removed.
    std::fs::write(&file, SHORE).unwrap();
    std::fs::remove_file(folder.join("bad.toml")).unwrap();
    assert!(shelf.look());
    assert!(shelf.mistakes().is_empty() && shelf.library().get("shore").unwrap().about.ends_with("sea"));
    assert_eq!(shelf.library().revision(), first, "the same files are the same library");
    std::fs::remove_file(&file).unwrap();
    assert!(shelf.look());
    assert_eq!(*shelf.library(), *built_in);
}

#[test]
fn the_shelf_looks_by_itself_and_can_do_without_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shore.toml"), SHORE).unwrap();
    let shelf = StyleShelf::open(Some(folder.path().to_owned())).unwrap();
    assert!(shelf.library().get("shore").is_some(), "who asks for the library gets the files as they are");
    let without = StyleShelf::open(None).unwrap();
    assert!(without.library().get("shore").is_none() && without.mistakes().is_empty() && !without.look());
}

#[test]
fn numerals_are_chords() {
    let rows: [(&str, u8, &[u8], &str); 8] = [
        ("I", 0, &[0, 4, 7], "C"),
        ("ii7", 0, &[2, 5, 9, 0], "Dm7"),
        ("V7b9", 0, &[7, 11, 2, 5, 8], "G7b9"),
        ("bVI", 9, &[5, 9, 0], "F"),
        ("vii7b5", 5, &[4, 7, 10, 2], "Em7b5"),
        ("#idim7", 0, &[1, 4, 7, 10], "C#dim7"),
        ("IVmaj7", 7, &[0, 4, 7, 11], "Cmaj7"),
        ("bII9", 0, &[1, 5, 8, 11, 3], "Db9"),
    ];
    for (text, tonic, tones, symbol) in rows {
        let chord = RomanChord::parse(text).unwrap();
        assert_eq!(chord.tones(tonic), tones, "{text}");
        assert_eq!(chord.symbol(tonic, false), symbol, "{text}");
    }
    for text in ["", "H", "Iv", "I8", "b", "\u{266d}VI"] {
        assert!(RomanChord::parse(text).is_err(), "{text}");
    }
}

#[test]
fn step_strings_are_rhythms() {
    let metre = |numerator, denominator| Metre { numerator, denominator };
    let read = |text, metre| {
        let bars = steps::parse(text, metre, "Xxo").unwrap();
        bars.iter().map(|bar| bar.iter().map(|step| (step.at.0, step.length.0)).collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    assert_eq!(read("x x x x", metre(4, 4)), [[(0.0, 1.0), (1.0, 1.0), (2.0, 1.0), (3.0, 1.0)]]);
    assert_eq!(read(".x -. .. ..x-", metre(4, 4)), [[(0.5, 1.0), (3.5, 0.5)]]);
    assert_eq!(read("x-- ..x", metre(6, 8)), [[(0.0, 1.5), (2.5, 0.5)]]);
    assert_eq!(read("x . . | . . x", metre(3, 4)), [[(0.0, 1.0)], [(2.0, 1.0)]]);
    assert_eq!(read("-x .. .. ..", metre(4, 4)), [[(0.5, 0.5)]]);
    for text in ["", "x x x", "x x x x x", "x x x y", "x x x x |"] {
        assert!(steps::parse(text, metre(4, 4), "Xxo").is_err(), "{text}");
    }
}
