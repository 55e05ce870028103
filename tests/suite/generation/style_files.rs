//! Style files: what is read, what is refused, and on which line.

use cantus_engine::Error;
use cantus_engine::generation::score::Role;
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::generation::style::{chord::RomanChord, steps};
use cantus_engine::time::Metre;

const REGGAE: &str = include_str!("../../../assets/styles/reggae.toml");

#[test]
fn the_built_in_styles_are_there_and_complete() {
    let library = StyleLibrary::builtin().unwrap();
    let names: Vec<&str> = library.list().iter().map(|style| style.name.as_str()).collect();
    assert_eq!(names, ["orchestral", "reggae", "jazz"]);
    for style in library.list() {
        for role in [Role::Lead, Role::Chords, Role::Bass, Role::Drums] {
            assert!(style.parts.iter().any(|part| part.role == role), "{} has no {}", style.name, role.name());
        }
    }
    assert!(library.get("polka").is_none());
}

#[test]
fn every_file_in_the_styles_folder_is_built_in() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/styles");
    let library = StyleLibrary::builtin().unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(library.get(&name).is_some(), "{name} is not in the list of built-in styles");
    }
}

/// Replaces the first occurrence and gives the line it stood on.
fn change(from: &str, to: &str) -> (String, usize) {
    let at = REGGAE.find(from).unwrap_or_else(|| panic!("{from} is not in the file"));
    (REGGAE.replacen(from, to, 1), 1 + REGGAE[..at].matches('\n').count())
}

#[test]
fn mistakes_are_named_with_their_line() {
    let rows = [
        ("about = ", "abuot = ", "unknown field `abuot`"),
        ("swing = 0.56", "swing = 0.9", "swing is 0.9, but must be 0.5 to 0.75"),
        ("swing = 0.56", "swing = \"hard\"", "invalid type"),
        ("swing = 0.56", "swing = ", "expected literal string"),
        ("tempo = [60, 180]", "tempo = [180, 60]", "tempo is [180, 60]"),
        ("humanise_ms = 5", "humanise_ms = nan", "humanise_ms"),
        ("\"6/8\"]", "\"6/0\"]", "\"6/0\" is no metre"),
        ("name = \"reggae\"", "name = \"Reg gae\"", "one lower-case word"),
        ("sections = \"a b\"", "sections = \"a c\"", "\"c\" is no section"),
        ("{ chord = \"vi\", weight = 5", "{ chord = \"vi8\", weight = 5", "\"8\" in \"vi8\" is no chord quality"),
        ("\"ii V 2\"", "\"ii VII 2\"", "\"VII\" is not in this vocabulary"),
        ("\"ii V 2\"", "\"ii V\"", "two chords and a factor"),
        ("chords = \"I IV V IV\"", "chords = \"I IV V X\"", "\"X\" is not in this vocabulary"),
        ("opening = \"I\"", "opening = \"\"", "there is no chord here"),
        ("preset = \"0:22\"", "preset = \"0:23\"", "there is no sound 0:23"),
        ("preset = \"0:22\"", "preset = \"harmonica\"", "\"harmonica\" is no preset"),
        ("register = [60, 84]", "register = [50, 84]", "register [50, 84] must span an octave within 60 to 84"),
        ("rule = \"melody\"", "rule = \"comp\"", "goes with role = \"lead\""),
        ("rule = \"melody\"", "rule = \"sing\"", "unknown variant `sing`"),
        ("role = \"lead\"", "role = \"singer\"", "unknown variant `singer`"),
        ("kick = 36,", "kick = 58,", "no sound on key 58"),
        ("steps = \".x .x .x .x\"", "steps = \".x .x .x\"", "has 3 counts, but a bar of 4/4 has 4"),
        ("steps = \".x .x .x .x\"", "steps = \".x .q .x .x\"", "\"q\" in"),
        (
            "hits.rim = \".... X... .... X...\"",
            "hits.cowbell = \".... X... .... X...\"",
            "the kit names no voice \"cowbell\"",
        ),
        ("decay_seconds = 1.3", "decay_seconds = -1", "decay_seconds is -1"),
        ("gain_db = -6", "gain_db = 80", "gain_db is 80"),
    ];
    for (from, to, reason) in rows {
        let (text, line) = change(from, to);
        check_refused(&text, line, reason);
    }
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
fn weights_that_sum_to_nothing_are_refused() {
    let line = 1 + REGGAE[..REGGAE.find("progressions = [").unwrap()].matches('\n').count();
    let from = REGGAE.find("progressions = [").unwrap();
    let to = from + REGGAE[from..].find("\n]").unwrap();
    let zeroed: String = REGGAE[from..to]
        .split("weight = ")
        .enumerate()
        .map(
            |(index, part)| {
                if index == 0 { part.to_owned() } else { format!("weight = 0{}", &part[part.find(' ').unwrap()..]) }
            },
        )
        .collect();
    let text = format!("{}{}{}", &REGGAE[..from], zeroed, &REGGAE[to..]);
    check_refused(&text, line, "weights of the progressions sum to 0");
}

#[test]
fn garbage_is_refused_with_a_sentence() {
    let mut library = StyleLibrary::builtin().unwrap();
    for text in ["", "[", "name = 3", "\u{0}", "name = \"x\"\nname = \"y\"", "parts = []"] {
        assert!(matches!(library.add_text("x.toml", text), Err(Error::Style { .. })), "{text:?}");
    }
    // Cut anywhere, a file is refused or read, never a panic.
    for end in (0..REGGAE.len()).step_by(97).filter(|end| REGGAE.is_char_boundary(*end)) {
        drop(library.add_text("cut.toml", &REGGAE[..end]));
    }
}

#[test]
fn a_folder_adds_and_overrides() {
    let folder = tempfile::tempdir().unwrap();
    let ska = REGGAE.replacen("name = \"reggae\"", "name = \"ska\"", 1);
    let mine = REGGAE.replacen("about = \"", "about = \"Mine: ", 1);
    std::fs::write(folder.path().join("ska.toml"), ska).unwrap();
    std::fs::write(folder.path().join("reggae.toml"), mine).unwrap();
    std::fs::write(folder.path().join("notes.txt"), "not a style").unwrap();
    let library = StyleLibrary::with_folder(folder.path()).unwrap();
    assert_eq!(library.list().len(), 4);
    assert!(library.get("reggae").unwrap().about.starts_with("Mine: "));
    assert!(library.get("ska").is_some());
    std::fs::write(folder.path().join("worse.toml"), "name = 1").unwrap();
    assert!(
        matches!(StyleLibrary::with_folder(folder.path()), Err(Error::Style { file, line: 1, .. }) if file == "worse.toml")
    );
    assert_eq!(StyleLibrary::with_folder(&folder.path().join("nowhere")).unwrap().list().len(), 3);
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
