//! Thread: any. The styles there are: those built in, and the user's own, which come first.

mod shelf;

use super::presets::PresetTable;
use super::{Style, file};
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::xxh3_64_with_seed;

pub use shelf::StyleShelf;

/// The built-in style files. A new style is a file in `assets/styles` and a row here. Songs refer to styles by their place: the
/// list only grows at its end.
const BUILTIN: &[(&str, &str)] = &[
    ("orchestral.toml", include_str!("../../../../assets/styles/orchestral.toml")),
    ("reggae.toml", include_str!("../../../../assets/styles/reggae.toml")),
    ("jazz.toml", include_str!("../../../../assets/styles/jazz.toml")),
    ("chamber.toml", include_str!("../../../../assets/styles/chamber.toml")),
    ("noir.toml", include_str!("../../../../assets/styles/noir.toml")),
    ("smooth-jazz.toml", include_str!("../../../../assets/styles/smooth-jazz.toml")),
    ("bossa.toml", include_str!("../../../../assets/styles/bossa.toml")),
    ("samba.toml", include_str!("../../../../assets/styles/samba.toml")),
    ("salsa.toml", include_str!("../../../../assets/styles/salsa.toml")),
    ("gospel.toml", include_str!("../../../../assets/styles/gospel.toml")),
    ("soul.toml", include_str!("../../../../assets/styles/soul.toml")),
    ("blues.toml", include_str!("../../../../assets/styles/blues.toml")),
    ("folk.toml", include_str!("../../../../assets/styles/folk.toml")),
    ("country.toml", include_str!("../../../../assets/styles/country.toml")),
    ("waltz.toml", include_str!("../../../../assets/styles/waltz.toml")),
    ("dub.toml", include_str!("../../../../assets/styles/dub.toml")),
    ("funk.toml", include_str!("../../../../assets/styles/funk.toml")),
    ("rock.toml", include_str!("../../../../assets/styles/rock.toml")),
    ("metal.toml", include_str!("../../../../assets/styles/metal.toml")),
    ("punk.toml", include_str!("../../../../assets/styles/punk.toml")),
    ("lofi.toml", include_str!("../../../../assets/styles/lofi.toml")),
    ("trap.toml", include_str!("../../../../assets/styles/trap.toml")),
    ("house.toml", include_str!("../../../../assets/styles/house.toml")),
    ("dnb.toml", include_str!("../../../../assets/styles/dnb.toml")),
    ("synthwave.toml", include_str!("../../../../assets/styles/synthwave.toml")),
    ("ambient.toml", include_str!("../../../../assets/styles/ambient.toml")),
    ("chiptune.toml", include_str!("../../../../assets/styles/chiptune.toml")),
    ("disco.toml", include_str!("../../../../assets/styles/disco.toml")),
];

/// All styles, with the sounds they may use.
#[derive(Debug, Clone, PartialEq)]
pub struct StyleLibrary {
    styles: Vec<Style>,
    presets: PresetTable,
    revision: u64,
}

impl StyleLibrary {
    /// The built-in styles.
    ///
    /// # Errors
    /// [`Error::Style`] when a built-in file is wrong.
    pub fn builtin() -> Result<Self> {
        let mut library = Self { styles: Vec::new(), presets: PresetTable::shipped()?, revision: 0 };
        for (name, text) in BUILTIN {
            library.insert(file::read(name, text, &library.presets)?);
        }
        Ok(library)
    }

    /// The text of a built-in style's file, to begin a style of one's own with.
    pub fn builtin_text(name: &str) -> Option<&'static str> {
        BUILTIN.iter().find(|(file, _)| file.strip_suffix(".toml") == Some(name)).map(|(_, text)| *text)
    }

    /// The user's folder of styles, `styles` in the data folder. `None` when the system names no such folder.
    pub fn user_folder() -> Option<PathBuf> {
        Some(crate::data_dir::data_dir()?.join("styles"))
    }

    /// The built-in styles and those of a folder: every file there that ends in `.toml`, in order of name. A file with the
    /// name of a built-in style replaces it. A folder that does not exist adds nothing.
    ///
    /// # Errors
    /// [`Error::File`] when the folder or a file cannot be read, [`Error::Style`] for a mistake in a file.
    pub fn with_folder(folder: &Path) -> Result<Self> {
        let mut library = Self::builtin()?;
        if !folder.exists() {
            return Ok(library);
        }
        for path in shelf::style_files(folder)? {
            let text = std::fs::read_to_string(&path).map_err(|error| Error::file("read", &path, &error))?;
            library.add_text(&shelf::file_name(&path), &text)?;
        }
        Ok(library)
    }

    /// Adds one style from the text of a file, or replaces the one of its name.
    ///
    /// # Errors
    /// [`Error::Style`] for a mistake in the text.
    pub fn add_text(&mut self, file: &str, text: &str) -> Result<()> {
        let style = self.read(file, text)?;
        self.revise(text);
        self.insert(style);
        Ok(())
    }

    /// Reads and checks a file's text without adding it.
    ///
    /// # Errors
    /// [`Error::Style`] for a mistake in the text.
    pub fn read(&self, file: &str, text: &str) -> Result<Style> {
        file::read(file, text, &self.presets)
    }

    /// Names the library's content besides what is built in: results that were made with another revision are others.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    fn revise(&mut self, text: &str) {
        self.revision = xxh3_64_with_seed(text.as_bytes(), self.revision.wrapping_add(1));
    }

    fn insert(&mut self, style: Style) {
        match self.styles.iter_mut().find(|known| known.name == style.name) {
            Some(known) => *known = style,
            None => self.styles.push(style),
        }
    }

    /// All styles, in the order they were added.
    pub fn list(&self) -> &[Style] {
        &self.styles
    }

    /// A style by its name.
    pub fn get(&self, name: &str) -> Option<&Style> {
        self.styles.iter().find(|style| style.name == name)
    }

    /// The sounds styles may use.
    pub fn presets(&self) -> &PresetTable {
        &self.presets
    }

    /// The names of all styles as a list for messages.
    pub fn names(&self) -> String {
        self.styles.iter().map(|style| style.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}
