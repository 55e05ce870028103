//! A user's settings: a small file that is kept as it is where it is not ours.

use cantus_engine::settings::Settings;
use std::path::PathBuf;

#[test]
fn settings_come_back_and_strange_lines_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep").join("settings.toml");
    assert_eq!(Settings::read(&path).unwrap(), Settings::default(), "no file is no mistake");
    let exports = folder.path().join("Müsik \"neu\"");
    let settings = Settings { exports: Some(exports.clone()), embed_sound: false };
    settings.write(&path).unwrap();
    assert_eq!(Settings::read(&path).unwrap(), settings);
    assert_eq!(settings.exports_folder(), exports);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("later = [1, 2]\n{text}")).unwrap();
    Settings::default().write(&path).unwrap();
    assert_eq!(Settings::read(&path).unwrap(), Settings::default());
    assert!(std::fs::read_to_string(&path).unwrap().contains("later = [1, 2]"));
}

#[test]
fn a_file_that_is_no_settings_is_a_sentence_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    for bytes in [&b"exports = "[..], &[0xFF, 0xFE, 0], &vec![b' '; 2 << 20]] {
        std::fs::write(&path, bytes).unwrap();
        assert!(Settings::read(&path).unwrap_err().to_string().starts_with("Cannot read "));
        assert!(Settings::default().write(&path).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "what somebody wrote by hand is not thrown away");
    }
    for text in ["exports = 3\nembed_sound = \"no\"", "exports = \"../music\""] {
        std::fs::write(&path, text).unwrap();
        assert_eq!(Settings::read(&path).unwrap(), Settings::default(), "{text}");
    }
    assert!(Settings::default().exports_folder().is_absolute());
    assert_eq!(Settings::read(&PathBuf::from("/nowhere/at/all.toml")).unwrap(), Settings::default());
}
