//! Thread: any. Names for people: what a rendition is called, and as a file name every system takes.

use crate::analysis::Key;
use crate::generation::score::Role;
use crate::rendition::Rendition;
use crate::time::Bpm;
use std::path::PathBuf;

/// Longest file name without its ending, in bytes: what is left of the usual 255 when a host adds its own.
const LONGEST_NAME: usize = 120;

/// A tempo in short: "100bpm", "93.5bpm".
pub fn tempo_name(tempo: Bpm) -> String {
    let rounded = (tempo.0 * 100.0).round() / 100.0;
    format!("{rounded}bpm")
}

/// The folder of a rendition's files: "Cantus Jazz 1 100bpm Am". Safe in every file system; without a key, without its name.
pub fn folder_name(rendition: &Rendition, key: Option<Key>) -> String {
    // The rendition's name may be a free prompt; tempo and key must survive it.
    let name: String = rendition.name.trim().chars().take(48).collect();
    let tempo = tempo_name(rendition.grid.tempo.tempo_at(rendition.grid.start));
    let key = key.map(|key| format!(" {}", key.short_name())).unwrap_or_default();
    file_safe(&format!("Cantus {} {tempo}{key}", name.trim_end()))
}

/// A rendition's file name without its ending: "Cantus Jazz 100bpm Am 3", where 3 is the number at the end of the rendition's name.
pub fn file_name(rendition: &Rendition, key: Option<Key>) -> String {
    let (words, number) = words_and_number(&rendition.name);
    let tempo = tempo_name(rendition.grid.tempo.tempo_at(rendition.grid.start));
    let key = key.or(rendition.recipe.song.key).map(|key| format!(" {}", key.short_name())).unwrap_or_default();
    let number = number.map(|number| format!(" {number}")).unwrap_or_default();
    file_safe(&format!("Cantus {words} {tempo}{key}{number}"))
}

/// A stem's file name without its ending: "03 Bass – Reggae 100 Am v2". The number is its place among the stems, from `index` 0; the version is
/// the number at the end of the rendition's name.
pub fn stem_name(index: usize, role: Role, rendition: &Rendition, key: Option<Key>) -> String {
    let (words, number) = words_and_number(&rendition.name);
    let version = number.map(|number| format!(" v{number}")).unwrap_or_default();
    let tempo = rendition.grid.tempo.tempo_at(rendition.grid.start);
    let rounded = (tempo.0 * 100.0).round() / 100.0;
    let key = key.or(rendition.recipe.song.key).map(|key| format!(" {}", key.short_name())).unwrap_or_default();
    file_safe(&format!("{:02} {} – {words} {rounded}{key}{version}", index + 1, role.title()))
}

/// A name's words, as many as leave room for tempo and key, and the number at its end.
fn words_and_number(name: &str) -> (String, Option<u32>) {
    let name = name.trim();
    let parted = name.rsplit_once(' ').and_then(|(words, number)| Some((words, number.parse::<u32>().ok()?)));
    let (words, number) = parted.map_or((name, None), |(words, number)| (words, Some(number)));
    let words: String = words.chars().take(48).collect();
    (words.trim_end().to_owned(), number)
}

/// Whether a file is named as a stem of ours, of whatever rendition.
pub fn is_stem_name(file: &str) -> bool {
    let Some((number, rest)) = file.split_at_checked(2) else { return false };
    let named =
        |role: Role| rest.starts_with(&format!(" {} – ", role.title())) || rest == format!("-{}.wav", role.name());
    number.bytes().all(|digit| digit.is_ascii_digit()) && file.ends_with(".wav") && Role::ALL.into_iter().any(named)
}

/// Where exports go unless the user has settled another place: "Cantus" in the user's Music folder, or in Documents, or at home. The environment
/// variable `CANTUS_DATA_DIR`, when set, holds them in its "exports".
pub fn usual_exports_folder() -> PathBuf {
    if let Some(data) = std::env::var_os("CANTUS_DATA_DIR").filter(|value| !value.is_empty()) {
        return PathBuf::from(data).join("exports");
    }
    let home = dirs::audio_dir().or_else(dirs::document_dir).or_else(dirs::home_dir);
    home.unwrap_or_else(std::env::temp_dir).join("Cantus")
}

/// Where exported and dragged files go for this user, who may have settled it. Reads the file of settings.
pub fn exports_folder() -> PathBuf {
    crate::settings::Settings::of_user().exports_folder()
}

/// A name with everything replaced that Windows, macOS or Linux would not take in a file name.
pub fn file_safe(name: &str) -> String {
    let replaced: String = name
        .chars()
        .map(|letter| match letter {
            '<' | '>' | ':' | '"' | '/' | '\\' | '|' | '?' | '*' => '-',
            other if other.is_control() => ' ',
            other => other,
        })
        .collect();
    let mut safe = String::new();
    for word in replaced.split_whitespace() {
        if !safe.is_empty() {
            safe.push(' ');
        }
        safe.push_str(word);
    }
    while safe.len() > LONGEST_NAME {
        safe.pop();
    }
    // Windows drops dots at the end, and hidden files begin with one.
    let safe = safe.trim_matches(|letter: char| letter == '.' || letter == ' ').to_owned();
    let stem = safe.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = stem.strip_prefix("COM").or(stem.strip_prefix("LPT"));
    let device = matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || numbered.is_some_and(|rest| rest.len() == 1 && rest.chars().all(|digit| digit.is_ascii_digit()));
    if safe.is_empty() {
        "Cantus".to_owned()
    } else if device {
        format!("{safe}_")
    } else {
        safe
    }
}
