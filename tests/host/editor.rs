//! Thread: main. The plugin's window, put into the screen itself.

use crate::error::HostError;
use crate::instance::Instance;
use clack_extensions::gui::{GuiApiType, GuiConfiguration, GuiSize, PluginGui, Window};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

/// The window of the whole X11 screen that `DISPLAY` names; `None` where there is none.
///
/// The greeting of the X11 protocol tells it; nothing else of the protocol is needed to open an editor.
pub fn screen() -> Option<u32> {
    let display = std::env::var("DISPLAY").ok()?;
    let number: u32 = display.rsplit_once(':')?.1.split('.').next()?.parse().ok()?;
    let mut server = UnixStream::connect(format!("/tmp/.X11-unix/X{number}")).ok()?;
    // Little-endian, protocol 11.0, no authorisation.
    server.write_all(&[b'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0]).ok()?;
    let mut head = [0; 8];
    server.read_exact(&mut head).ok()?;
    let mut rest = vec![0; usize::from(u16::from_le_bytes([head[6], head[7]])) * 4];
    server.read_exact(&mut rest).ok()?;
    if head[0] != 1 {
        return None;
    }
    // Behind 32 bytes of facts come the vendor's name, filled up to whole words, and eight bytes for each picture format.
    let vendor = usize::from(u16::from_le_bytes([*rest.get(16)?, *rest.get(17)?]));
    let screen = 32 + vendor.next_multiple_of(4) + 8 * usize::from(*rest.get(21)?);
    let root: [u8; 4] = rest.get(screen..screen + 4)?.try_into().ok()?;
    Some(u32::from_le_bytes(root))
}

impl Instance {
    /// Opens the plugin's window on the screen.
    ///
    /// # Errors
    /// When the plugin has no window, or cannot open it here.
    pub fn open_editor(&mut self, screen: u32) -> Result<(), HostError> {
        let gui = self.gui()?;
        let plugin = self.plugin.plugin_handle();
        let configuration = GuiConfiguration { api_type: GuiApiType::X11, is_floating: false };
        gui.create(&plugin, configuration)
            .map_err(|error| HostError::of("The plugin's window cannot be made", error))?;
        // Some hosts show first, some put it in place first; this is the usual order.
        gui.set_scale(&plugin, 1.0).ok();
        // SAFETY: the screen's own window lives as long as the server.
        let placed = unsafe { gui.set_parent(&plugin, Window::from_x11_handle(screen.into())) };
        placed.map_err(|error| HostError::of("The plugin's window cannot be put into another", error))?;
        gui.show(&plugin).ok();
        Ok(())
    }

    /// Gives the open window another size, in pixels, as a user who pulls at its corner.
    ///
    /// # Errors
    /// When the plugin has no window.
    pub fn resize_editor(&mut self, width: u32, height: u32) -> Result<(), HostError> {
        let gui = self.gui()?;
        let plugin = self.plugin.plugin_handle();
        let size = GuiSize { width, height };
        let size = gui.adjust_size(&plugin, size).unwrap_or(size);
        gui.set_size(&plugin, size).ok();
        Ok(())
    }

    /// Closes the plugin's window.
    ///
    /// # Errors
    /// When the plugin has no window.
    pub fn close_editor(&mut self) -> Result<(), HostError> {
        let gui = self.gui()?;
        let plugin = self.plugin.plugin_handle();
        gui.hide(&plugin).ok();
        gui.destroy(&plugin);
        Ok(())
    }

    fn gui(&mut self) -> Result<PluginGui, HostError> {
        self.plugin.plugin_handle().get_extension().ok_or_else(|| HostError("The plugin has no window.".into()))
    }
}
