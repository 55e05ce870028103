//! Thread: any. The styles there are: those built in, and the user's own, which come first.

use super::presets::PresetTable;
use super::{Style, file};
use crate::error::{Error, Result};
use std::path::Path;

/// The built-in style files. A new style is a file in `assets/styles` and a row here.
const BUILTIN: [(&str, &str); 16] = [
    ("orchestral.toml", include_str!("../../../../assets/styles/orchestral.toml")),
    ("reggae.toml", include_str!("../../../../assets/styles/reggae.toml")),
    ("jazz.toml", include_str!("../../../../assets/styles/jazz.toml")),
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
}

impl StyleLibrary {
    /// The built-in styles.
    ///
    /// # Errors
    /// [`Error::Style`] when a built-in file is wrong.
    pub fn builtin() -> Result<Self> {
        let mut library = Self { styles: Vec::new(), presets: PresetTable::shipped()? };
        for (name, text) in BUILTIN {
            library.insert(file::read(name, text, &library.presets)?);
        }
        Ok(library)
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
        let entries = std::fs::read_dir(folder).map_err(|error| Error::file("read", folder, &error))?;
        let mut paths = Vec::new();
        for entry in entries {
            paths.push(entry.map_err(|error| Error::file("read", folder, &error))?.path());
        }
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
        paths.sort();
        for path in paths {
            let text = std::fs::read_to_string(&path).map_err(|error| Error::file("read", &path, &error))?;
            let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            library.add_text(&name, &text)?;
        }
        Ok(library)
    }

    /// Adds one style from the text of a file, or replaces the one of its name.
    ///
    /// # Errors
    /// [`Error::Style`] for a mistake in the text.
    pub fn add_text(&mut self, file: &str, text: &str) -> Result<()> {
        let style = file::read(file, text, &self.presets)?;
        self.insert(style);
        Ok(())
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
