//! Thread: main. A bundle on disk and the plugin it holds.

use crate::error::HostError;
use crate::instance::Instance;
use clack_host::prelude::PluginEntry;
use std::ffi::CString;
use std::path::Path;

/// A loaded `.clap`. It stays loaded as long as this or one of its instances lives.
pub struct Bundle {
    entry: PluginEntry,
    id: CString,
    name: String,
}

impl Bundle {
    /// Loads a bundle and finds its first plugin.
    ///
    /// # Errors
    /// When the file is missing, is no CLAP plugin, or holds none.
    pub fn load(path: &Path) -> Result<Self, HostError> {
        if !path.exists() {
            return Err(HostError(format!(
                "There is no bundle at {}. Build it with: cargo xtask bundle",
                path.display()
            )));
        }
        // SAFETY: the file is the plugin under test, built from this workspace; running its code is the purpose.
        let entry = unsafe { PluginEntry::load(path) }
            .map_err(|error| HostError::of(format_args!("Cannot load {}", path.display()), error))?;
        let factory = entry.get_plugin_factory();
        let factory = factory.ok_or_else(|| HostError(format!("{} holds no plugin factory.", path.display())))?;
        let descriptor = factory.plugin_descriptors().next();
        let descriptor = descriptor.ok_or_else(|| HostError(format!("{} holds no plugin.", path.display())))?;
        let id = descriptor.id().ok_or_else(|| HostError("The plugin has no id.".into()))?.to_owned();
        let name = descriptor.name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Ok(Self { entry, id, name })
    }

    /// The plugin's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The plugin's id.
    pub fn id(&self) -> String {
        self.id.to_string_lossy().into_owned()
    }

    /// Makes an instance. The calling thread becomes its main thread.
    ///
    /// # Errors
    /// When the plugin refuses.
    pub fn instance(&self) -> Result<Instance, HostError> {
        Instance::new(&self.entry, &self.id)
    }
}
