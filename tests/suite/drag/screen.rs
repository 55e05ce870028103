//! A screen of the test's own, and a hand that moves its pointer: on the developer's screen it would be a nuisance.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    AtomEnum, BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ConnectionExt, KEY_PRESS_EVENT, KEY_RELEASE_EVENT,
    MOTION_NOTIFY_EVENT, Window,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

/// A private X server, ended on drop.
pub struct Screen {
    server: Child,
    pub name: String,
}

impl Screen {
    /// Nothing, said aloud, where there is no server to start.
    pub fn open() -> Option<Self> {
        let server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut server) = server else {
            println!("SKIPPED: there is no Xvfb on this machine, so nothing was dragged.");
            return None;
        };
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        let screen = Self { server, name: format!(":{}", number.trim()) };
        assert!(!number.trim().is_empty(), "Xvfb ended before it opened a screen");
        Some(screen)
    }

    /// The window that stands for the one around `window`, where there is one.
    pub fn proxy_around(&self, window: Window) -> Option<Window> {
        let (connection, _) = x11rb::connect(Some(&self.name)).unwrap();
        let name = connection.intern_atom(false, b"XdndProxy").unwrap().reply().unwrap().atom;
        let around = connection.query_tree(window).unwrap().reply().unwrap().parent;
        let value = connection.get_property(false, around, name, AtomEnum::WINDOW, 0, 1).unwrap().reply().unwrap();
        value.value32()?.next()
    }

    pub fn hand(&self) -> Hand {
        let (connection, screen) = x11rb::connect(Some(&self.name)).unwrap();
        let root = connection.setup().roots[screen].root;
        Hand { connection, root }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

/// What a person does with mouse and keys.
pub struct Hand {
    connection: RustConnection,
    root: Window,
}

impl Hand {
    pub fn press(&self) {
        self.fake(BUTTON_PRESS_EVENT, 1, (0, 0));
    }

    pub fn release(&self) {
        self.fake(BUTTON_RELEASE_EVENT, 1, (0, 0));
    }

    /// In some steps, as a hand does.
    pub fn move_to(&self, to: (i16, i16)) {
        let from = self.connection.query_pointer(self.root).unwrap().reply().unwrap();
        for step in 1..=8 {
            let part = |from: i16, to: i16| from + (to - from) * step / 8;
            self.fake(MOTION_NOTIFY_EVENT, 0, (part(from.root_x, to.0), part(from.root_y, to.1)));
            sleep(Duration::from_millis(9));
        }
    }

    pub fn press_escape(&self) {
        let setup = self.connection.setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let keys = self.connection.get_keyboard_mapping(first, last - first + 1).unwrap().reply().unwrap();
        let width = usize::from(keys.keysyms_per_keycode);
        let place = keys.keysyms.chunks(width).position(|symbols| symbols.contains(&0xff1b)).unwrap();
        let key = first + u8::try_from(place).unwrap();
        self.fake(KEY_PRESS_EVENT, key, (0, 0));
        self.fake(KEY_RELEASE_EVENT, key, (0, 0));
    }

    fn fake(&self, kind: u8, detail: u8, (x, y): (i16, i16)) {
        self.connection.xtest_fake_input(kind, detail, 0, self.root, x, y, 0).unwrap().check().unwrap();
    }
}
