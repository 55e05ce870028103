//! What a user likes is kept, whatever else writes the file, and whatever the file says.

use cantus_plugin::editor::preferences::{Kept, Preferences, SMALLEST};

#[test]
fn settings_come_back_and_two_windows_do_not_overwrite_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deeper/window.json");
    let mut first = Kept::in_file(Some(file.clone()));
    let mut second = Kept::in_file(Some(file.clone()));
    assert_eq!(first.now, Preferences::default());
    first.now.scale = 150;
    first.now.toggle_favourite("jazz");
    first.save();
    second.now.dark = false;
    second.save();
    let both = Kept::in_file(Some(file)).now;
    assert_eq!((both.scale, both.dark), (150, false));
    assert_eq!(both.favourites, ["jazz"]);
}

#[test]
fn styles_used_last_stand_first_and_stars_come_and_go() {
    let mut preferences = Preferences::default();
    for style in ["a", "b", "a", "c", "d", "e", "f", "g"] {
        preferences.used(style);
    }
    assert_eq!(preferences.recent, ["g", "f", "e", "d", "c", "a"]);
    preferences.toggle_favourite("a");
    preferences.toggle_favourite("a");
    assert!(preferences.favourites.is_empty());
}

#[test]
fn a_file_that_says_nonsense_gives_a_window_that_can_be_seen() {
    for text in ["", "{", "[]", r#"{"dark": 7}"#, "\u{0}"] {
        assert_eq!(Preferences::read(text), Preferences::default(), "{text:?}");
    }
    let read = Preferences::read(r#"{"scale": 9000, "size": [1, 1e30], "list_height": -5, "unknown": 1}"#);
    assert_eq!(read.scale, 200);
    assert!(read.size.0 >= SMALLEST.0 && read.size.1 <= 8_000.0);
    assert!(read.list_height > 0.0);
}
