//! Thread: gui. What a user likes, whatever the project: the look and size of the window, favourite and recent styles. A small file in
//! the user's data folder, so that it is the same in every project and every host.

use cantus_engine::data_dir::data_dir;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// The scales that can be chosen, in percent.
pub const SCALES: [u32; 6] = [75, 100, 125, 150, 175, 200];
/// Styles that are remembered as used last.
const RECENT: usize = 6;
/// The smallest and the largest window, in points.
pub const SMALLEST: (f32, f32) = (720.0, 480.0);
const LARGEST: f32 = 8_000.0;

/// The settings themselves. What a file does not name is at its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// Dark, or light.
    pub dark: bool,
    /// Percent of the usual size.
    pub scale: u32,
    /// The window's size in points.
    pub size: (f32, f32),
    /// Height of the list of variations, in points.
    pub list_height: f32,
    /// Styles with a star, by name.
    pub favourites: Vec<String>,
    /// Styles that were used, the newest first.
    pub recent: Vec<String>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            dark: true,
            scale: 100,
            size: (1080.0, 740.0),
            list_height: 224.0,
            favourites: Vec::new(),
            recent: Vec::new(),
        }
    }
}

impl Preferences {
    /// The scale as a factor.
    pub fn zoom(&self) -> f32 {
        self.scale as f32 / 100.0
    }

    /// Adds a star to a style, or takes it away.
    pub fn toggle_favourite(&mut self, style: &str) {
        match self.favourites.iter().position(|name| name == style) {
            Some(place) => drop(self.favourites.remove(place)),
            None => self.favourites.push(style.to_owned()),
        }
    }

    /// Notes that a style was used.
    pub fn used(&mut self, style: &str) {
        self.recent.retain(|name| name != style);
        self.recent.insert(0, style.to_owned());
        self.recent.truncate(RECENT);
    }

    /// What a file says, made safe: a window nobody can see is worse than one of the usual size.
    pub fn read(text: &str) -> Self {
        let mut read: Self = serde_json::from_str(text).unwrap_or_default();
        read.scale = read.scale.clamp(SCALES[0], SCALES[SCALES.len() - 1]);
        let side = |value: f32, least: f32| if value.is_finite() { value.clamp(least, LARGEST) } else { least };
        read.size = (side(read.size.0, SMALLEST.0), side(read.size.1, SMALLEST.1));
        read.list_height = side(read.list_height, 80.0);
        read.recent.truncate(RECENT);
        read
    }
}

/// The settings and the file they are kept in.
pub struct Kept {
    /// As they are now.
    pub now: Preferences,
    file: Option<PathBuf>,
    saved: Preferences,
}

impl Kept {
    /// The user's.
    pub fn of_user() -> Self {
        Self::in_file(data_dir().map(|folder| folder.join("window.json")))
    }

    /// Those of a file; without one they are forgotten.
    pub fn in_file(file: Option<PathBuf>) -> Self {
        let now = file.as_deref().map(load).unwrap_or_default();
        Self { saved: now.clone(), now, file }
    }

    /// Writes what changed. Another window may have written meanwhile: what this one did not change stays as it wrote it.
    pub fn save(&mut self) {
        if self.now == self.saved {
            return;
        }
        if let Some(file) = &self.file {
            let mut on_disk = load(file);
            merge(&mut on_disk, &self.saved, &self.now);
            // Settings that cannot be written are no reason to trouble a musician.
            let _ = write(file, &on_disk);
        }
        self.saved = self.now.clone();
    }
}

fn load(file: &Path) -> Preferences {
    fs::read_to_string(file).map(|text| Preferences::read(&text)).unwrap_or_default()
}

/// Carries over what differs between two states.
fn merge(on_disk: &mut Preferences, before: &Preferences, now: &Preferences) {
    fn carry<T: Clone + PartialEq>(to: &mut T, before: &T, now: &T) {
        if before != now {
            to.clone_from(now);
        }
    }
    carry(&mut on_disk.dark, &before.dark, &now.dark);
    carry(&mut on_disk.scale, &before.scale, &now.scale);
    carry(&mut on_disk.size, &before.size, &now.size);
    carry(&mut on_disk.list_height, &before.list_height, &now.list_height);
    carry(&mut on_disk.favourites, &before.favourites, &now.favourites);
    carry(&mut on_disk.recent, &before.recent, &now.recent);
}

/// Writes beside the file and puts it in its place, so that no reader sees half of it.
fn write(file: &Path, preferences: &Preferences) -> std::io::Result<()> {
    let text = serde_json::to_string_pretty(preferences)?;
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = file.with_extension(format!("json.{}", std::process::id()));
    fs::write(&beside, text)?;
    fs::rename(&beside, file)
}
