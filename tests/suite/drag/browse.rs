//! The browser, worked by its keys alone, and the files it remembers.

use cantus_drag::{Browser, Recent, reveal};
use egui::{Context, Event, Key, Modifiers, RawInput, Rect, pos2, vec2};
use std::fs;
use std::path::{Path, PathBuf};

/// A browser in a window of its own.
struct Bench {
    context: Context,
    browser: Browser,
}

impl Bench {
    fn at(folder: &Path, recent: Recent) -> Self {
        let mut bench = Self { context: Context::default(), browser: Browser::at(folder, recent) };
        // The field asks for the keyboard in the first frame and has it from the second.
        for _ in 0..2 {
            assert_eq!(bench.frame(Vec::new()), None);
        }
        bench
    }

    fn frame(&mut self, events: Vec<Event>) -> Option<PathBuf> {
        let screen = Some(Rect::from_min_size(pos2(0.0, 0.0), vec2(500.0, 400.0)));
        let input = RawInput { events, screen_rect: screen, ..RawInput::default() };
        let mut opened = None;
        let mut output = self.context.run_ui(input, |ui| opened = self.browser.show(ui));
        // Nothing is drawn here.
        output.textures_delta.clear();
        opened
    }

    fn press(&mut self, key: Key, modifiers: Modifiers) -> Option<PathBuf> {
        let event = |pressed| Event::Key { key, physical_key: None, pressed, repeat: false, modifiers };
        let opened = self.frame(vec![event(true)]);
        assert_eq!(self.frame(vec![event(false)]), None, "a key opens once");
        opened
    }

    fn write(&mut self, letters: &str) {
        assert_eq!(self.frame(vec![Event::Text(letters.into())]), None);
    }
}

/// A folder with folders, sounds and others; its whole path.
fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    fs::create_dir_all(root.join("Takes/Old")).unwrap();
    for name in ["Take 10.wav", "Take 2.WAV", "tune.mid", "notes.txt", ".hidden.wav", "Takes/chorus.flac"] {
        fs::write(root.join(name), "x").unwrap();
    }
    (folder, root)
}

const NONE: Modifiers = Modifiers::NONE;

#[test]
fn a_file_is_found_by_keys_alone() {
    let (_folder, root) = folder();
    let mut bench = Bench::at(&root, Recent::of_this_session());
    // Folders first, numbers as people count, nothing that cannot be opened; beyond the end the last one stays chosen.
    let mut names = Vec::new();
    for _ in 0..4 {
        assert_eq!(bench.press(Key::ArrowDown, NONE), None);
        names.push(bench.press(Key::Enter, NONE).unwrap().file_name().unwrap().to_owned());
    }
    assert_eq!(names, ["Take 2.WAV", "Take 10.wav", "tune.mid", "tune.mid"]);

    // The first is a folder, which is entered.
    assert_eq!(bench.press(Key::PageUp, NONE), None);
    assert_eq!(bench.press(Key::Enter, NONE), None);
    assert_eq!(bench.browser.folder(), root.join("Takes"));
    assert_eq!(bench.press(Key::ArrowUp, Modifiers::ALT), None);
    assert_eq!(bench.browser.folder(), root);
    bench.write("10");
    assert_eq!(bench.press(Key::Enter, NONE), Some(root.join("Take 10.wav")));
}

#[test]
fn a_typed_path_is_opened_and_a_wrong_one_is_not() {
    let (_folder, root) = folder();
    let mut bench = Bench::at(&root, Recent::of_this_session());
    bench.write(&root.join("Takes/nothing.wav").display().to_string());
    assert_eq!(bench.press(Key::Enter, NONE), None);
    let mut bench = Bench::at(&root, Recent::of_this_session());
    bench.write(&root.join("Takes").display().to_string());
    assert_eq!(bench.press(Key::Enter, NONE), None);
    assert_eq!(bench.browser.folder(), root.join("Takes"));
    bench.write(&root.join("tune.mid").display().to_string());
    assert_eq!(bench.press(Key::Enter, NONE), Some(root.join("tune.mid")));
}

#[test]
fn folders_that_are_empty_or_gone_are_no_trouble() {
    let (folder, root) = folder();
    let mut bench = Bench::at(&root.join("Takes/Old"), Recent::of_this_session());
    assert_eq!(bench.press(Key::Enter, NONE), None);
    drop(folder);
    assert_eq!(bench.press(Key::Enter, NONE), None);
    assert_eq!(bench.press(Key::ArrowDown, NONE), None);
}

#[test]
fn opened_files_are_remembered_newest_first() {
    let (_folder, root) = folder();
    let kept = root.join("settings/recent-files.txt");
    let mut recent = Recent::kept_in(kept.clone());
    for name in ["tune.mid", "Take 2.WAV", "tune.mid"] {
        recent.add(&root.join(name)).unwrap();
    }
    // Another session, and a browser that opens with them.
    let again = Recent::kept_in(kept.clone());
    let files: Vec<PathBuf> = again.files().map(Path::to_path_buf).collect();
    assert_eq!(files, [root.join("tune.mid"), root.join("Take 2.WAV")]);
    assert_eq!(again.folder(), Some(root.as_path()));
    let mut bench = Bench::at(&root, again);
    bench.press(Key::ArrowDown, NONE);
    assert_eq!(bench.press(Key::Enter, NONE), Some(root.join("Take 2.WAV")));
    let first = |recent: &Recent| recent.files().next().map(Path::to_path_buf);
    assert_eq!(first(&Recent::kept_in(kept.clone())), Some(root.join("Take 2.WAV")));
    // What has gone is not offered, and a list that is nonsense is an empty one.
    fs::remove_file(root.join("Take 2.WAV")).unwrap();
    assert_eq!(first(&Recent::kept_in(kept.clone())), Some(root.join("tune.mid")));
    fs::write(&kept, [0xff, 0xfe, 0x00]).unwrap();
    assert_eq!(first(&Recent::kept_in(kept)), None);
}

#[test]
fn a_file_that_has_gone_is_not_revealed() {
    let told = reveal(Path::new("/nowhere/Cantus 1.wav"));
    assert!(told.is_err_and(|why| why.contains("/nowhere/Cantus 1.wav")));
}
