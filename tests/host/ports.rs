//! Thread: any. The plugin's audio ports.

use crate::error::HostError;
use clack_extensions::audio_ports::{AudioPortInfoBuffer, PluginAudioPorts};
use clack_host::prelude::PluginMainThreadHandle;

/// One input or output of the plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// How many channels it has.
    pub channels: usize,
}

/// All of them. Index 0 is the main one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ports {
    /// Main input, sidechain.
    pub inputs: Vec<Port>,
    /// Main output, stems.
    pub outputs: Vec<Port>,
}

impl Ports {
    /// Asks the plugin. Thread: main.
    ///
    /// # Errors
    /// When the plugin has no audio ports or will not describe one.
    pub fn read(plugin: &PluginMainThreadHandle) -> Result<Self, HostError> {
        let extension: PluginAudioPorts =
            plugin.get_extension().ok_or_else(|| HostError("The plugin describes no audio ports.".into()))?;
        let side = |is_input: bool| {
            let port = |index| {
                let mut buffer = AudioPortInfoBuffer::new();
                let info = extension.get(plugin, index, is_input, &mut buffer);
                let info =
                    info.ok_or_else(|| HostError(format!("The plugin does not describe audio port {index}.")))?;
                let name = String::from_utf8_lossy(info.name).into_owned();
                Ok(Port { name, channels: info.channel_count as usize })
            };
            (0..extension.count(plugin, is_input)).map(port).collect::<Result<Vec<_>, HostError>>()
        };
        Ok(Self { inputs: side(true)?, outputs: side(false)? })
    }
}
