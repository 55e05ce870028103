//! Thread: background. The label that goes along with the pointer.

use super::Result;
use super::messages::Atoms;
use x11rb::connection::{Connection, RequestConnection};
use x11rb::protocol::shape::{self, ConnectionExt as _, SK, SO};
use x11rb::protocol::xproto::{
    AtomEnum, ChangeWindowAttributesAux, Char2b, ClipOrdering, ConfigureWindowAux, ConnectionExt, CreateGCAux,
    CreateWindowAux, EventMask, Gcontext, PropMode, Screen, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// Right below the pointer, in pixels, so that it hides nothing.
const BESIDE: i32 = 14;
const MARGIN: u16 = 6;
/// Letters of a label that are shown.
const LONGEST: usize = 60;
/// Colours of ground, text, and the border where files are taken and where they are not.
const COLOURS: [(u16, u16, u16); 4] =
    [(0x2020, 0x2222, 0x2828), (0xf0f0, 0xf0f0, 0xf0f0), (0x5a5a, 0xb4b4, 0xe6e6), (0x6060, 0x6464, 0x6c6c)];

/// A window of its own, which no click and no drop can hit.
pub(super) struct Icon {
    window: Window,
    pen: Gcontext,
    text: Vec<u8>,
    baseline: i16,
    border: [u32; 2],
    shown: Option<(i16, i16, bool)>,
}

impl Icon {
    /// Nothing where the server cannot let the pointer through a window.
    pub(super) fn open(
        connection: &RustConnection,
        screen: &Screen,
        atoms: &Atoms,
        label: &str,
    ) -> Result<Option<Self>> {
        if label.is_empty() || connection.extension_information(shape::X11_EXTENSION_NAME)?.is_none() {
            return Ok(None);
        }
        let version = connection.shape_query_version()?.reply()?;
        if (version.major_version, version.minor_version) < (1, 1) {
            return Ok(None);
        }
        // The server's own font knows the letters of western Europe.
        let text: Vec<u8> = label.chars().take(LONGEST).map(|letter| u8::try_from(letter).unwrap_or(b'?')).collect();
        let font = connection.generate_id()?;
        connection.open_font(font, b"fixed")?.check()?;
        let wide: Vec<Char2b> = text.iter().map(|&byte2| Char2b { byte1: 0, byte2 }).collect();
        let extent = connection.query_text_extents(font, &wide)?.reply()?;
        let length = |pixels: i64| u16::try_from(pixels.clamp(1, 2_000)).unwrap_or(1);
        let width = length(i64::from(extent.overall_width)) + 2 * MARGIN;
        let height = length(i64::from(extent.font_ascent) + i64::from(extent.font_descent)) + 2 * MARGIN;

        let mut pixels = [0; 4];
        for (pixel, (red, green, blue)) in pixels.iter_mut().zip(COLOURS) {
            *pixel = connection.alloc_color(screen.default_colormap, red, green, blue)?.reply()?.pixel;
        }
        let [ground, ink, welcome, not] = pixels;
        let window = connection.generate_id()?;
        let look = CreateWindowAux::new()
            .override_redirect(1)
            .save_under(1)
            .background_pixel(ground)
            .border_pixel(not)
            .event_mask(EventMask::EXPOSURE);
        let class = WindowClass::INPUT_OUTPUT;
        connection.create_window(0, window, screen.root, -4_000, -4_000, width, height, 1, class, 0, &look)?;
        let kind = [atoms._NET_WM_WINDOW_TYPE_DND];
        connection.change_property32(PropMode::REPLACE, window, atoms._NET_WM_WINDOW_TYPE, AtomEnum::ATOM, &kind)?;
        connection.shape_rectangles(SO::SET, SK::INPUT, ClipOrdering::UNSORTED, window, 0, 0, &[])?;
        let pen = connection.generate_id()?;
        connection.create_gc(pen, window, &CreateGCAux::new().foreground(ink).background(ground).font(font))?;
        connection.close_font(font)?;
        let baseline = i16::try_from(MARGIN).unwrap_or(0).saturating_add(extent.font_ascent);
        Ok(Some(Self { window, pen, text, baseline, border: [not, welcome], shown: None }))
    }

    pub(super) fn window(&self) -> Window {
        self.window
    }

    /// Goes along with the pointer, and shows whether the files would be taken.
    pub(super) fn follow(&mut self, connection: &RustConnection, at: (i16, i16), welcome: bool) -> Result<()> {
        let now = Some((at.0, at.1, welcome));
        if self.shown == now {
            return Ok(());
        }
        let place = ConfigureWindowAux::new().x(i32::from(at.0) + BESIDE).y(i32::from(at.1) + BESIDE);
        connection.configure_window(self.window, &place)?;
        if self.shown.is_none_or(|(.., before)| before != welcome) {
            let look = ChangeWindowAttributesAux::new().border_pixel(self.border[usize::from(welcome)]);
            connection.change_window_attributes(self.window, &look)?;
        }
        if self.shown.is_none() {
            connection.map_window(self.window)?;
        }
        self.shown = now;
        Ok(())
    }

    pub(super) fn draw(&self, connection: &RustConnection) -> Result<()> {
        let left = i16::try_from(MARGIN).unwrap_or(0);
        connection.image_text8(self.window, self.pen, left, self.baseline, &self.text)?;
        Ok(())
    }

    pub(super) fn close(self, connection: &RustConnection) -> Result<()> {
        connection.destroy_window(self.window)?;
        Ok(())
    }
}
