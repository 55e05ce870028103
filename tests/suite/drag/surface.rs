//! A window that takes drops, written for these tests from the protocol alone: it may be as slow, deaf or short-lived as a row wants.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt, CreateWindowAux, EventMask, PropMode, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

x11rb::atom_manager! {
    Atoms: AtomsCookie {
        XdndAware, XdndProxy, XdndSelection, XdndEnter, XdndPosition, XdndStatus, XdndLeave, XdndDrop, XdndFinished,
        XdndActionCopy, WM_STATE, GOT, LIST: b"text/uri-list",
    }
}

/// How the window behaves.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// The protocol's version it claims; nothing claims none.
    pub aware: Option<u32>,
    /// How it lies on the screen.
    pub lies: Lies,
    /// Before it answers a position; nothing never answers.
    pub answers_after: Option<Duration>,
    pub accepts: bool,
    /// When it fetches the files.
    pub fetches: Fetches,
    /// What it says at the end; nothing says nothing.
    pub finishes: Option<bool>,
    /// Goes away when this message arrives.
    pub vanishes_at: Option<Seen>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lies {
    /// On the root.
    Plainly,
    /// In another that takes no drops, as a window manager's frame.
    Nested,
    /// Behind another window, which hears the messages for it.
    BehindProxy,
    /// The proxy it names went long ago.
    BehindDeadProxy,
    /// As an editor in a host's window that claims to take drops, and takes none.
    WithinHost,
    /// As a host's window that takes drops, around an editor in its upper left corner.
    AroundEditor,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetches {
    Never,
    /// As soon as something is held over it.
    WhileHeld,
    /// This long after the drop.
    AfterDrop(Duration),
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            aware: Some(5),
            lies: Lies::Plainly,
            answers_after: Some(Duration::ZERO),
            accepts: true,
            fetches: Fetches::AfterDrop(Duration::ZERO),
            finishes: Some(true),
            vanishes_at: None,
        }
    }
}

/// A message that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    Enter,
    Position,
    Leave,
    Drop,
}

/// The window, from 300, 100 on, 200 pixels wide and high.
pub struct Surface {
    pub window: Window,
    /// The window that is an editor's: itself, but for one that lies around an editor.
    pub editor: Window,
    /// Messages in their order, each kind once in a row.
    seen: Arc<Mutex<Vec<Seen>>>,
    files: Receiver<String>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Inside of the window.
pub const INSIDE: (i16, i16) = (400, 200);
/// Over nothing.
pub const OUTSIDE: (i16, i16) = (50, 50);

impl Surface {
    pub fn open(display: &str, manners: Manners) -> Self {
        let (connection, screen) = x11rb::connect(Some(display)).unwrap();
        let root = connection.setup().roots[screen].root;
        let atoms = Atoms::new(&connection).unwrap().reply().unwrap();
        let make = |parent: Window, (x, y): (i16, i16)| {
            let window = connection.generate_id().unwrap();
            let look = CreateWindowAux::new().override_redirect(1).event_mask(EventMask::PROPERTY_CHANGE);
            let class = WindowClass::INPUT_OUTPUT;
            connection.create_window(0, window, parent, x, y, 200, 200, 0, class, 0, &look).unwrap();
            connection.map_window(window).unwrap();
            window
        };
        let put = |window: Window, name: u32, kind: AtomEnum, value: u32| {
            connection.change_property32(PropMode::REPLACE, window, name, kind, &[value]).unwrap();
        };
        let window = match manners.lies {
            Lies::Nested | Lies::WithinHost => make(make(root, (300, 100)), (0, 0)),
            _ => make(root, (300, 100)),
        };
        let mut editor = window;
        let mut hears = window;
        match manners.lies {
            Lies::BehindProxy => {
                hears = make(root, (-500, -500));
                put(hears, atoms.XdndProxy, AtomEnum::WINDOW, hears);
                put(window, atoms.XdndProxy, AtomEnum::WINDOW, hears);
            }
            Lies::BehindDeadProxy => put(window, atoms.XdndProxy, AtomEnum::WINDOW, 0x0123_4567),
            Lies::WithinHost => {
                let host = connection.query_tree(window).unwrap().reply().unwrap().parent;
                put(host, atoms.WM_STATE, AtomEnum::CARDINAL, 1);
                put(host, atoms.XdndAware, AtomEnum::ATOM, 5);
            }
            Lies::AroundEditor => {
                put(window, atoms.WM_STATE, AtomEnum::CARDINAL, 1);
                editor = make(window, (-150, -150));
            }
            Lies::Plainly | Lies::Nested => {}
        }
        if let Some(version) = manners.aware {
            put(hears, atoms.XdndAware, AtomEnum::ATOM, version);
        }
        connection.get_input_focus().unwrap().reply().unwrap();

        let seen = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (send, files) = channel();
        let thread = {
            let (seen, stop) = (seen.clone(), stop.clone());
            spawn(move || {
                let surface = Talk { connection, atoms, window, manners };
                while !stop.load(Ordering::Relaxed) {
                    while let Some(event) = surface.connection.poll_for_event().unwrap() {
                        surface.hear(&event, &seen, &|list| {
                            send.send(list).ok();
                        });
                    }
                    sleep(Duration::from_millis(2));
                }
            })
        };
        Self { window, editor, seen, files, stop, thread: Some(thread) }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The lists it fetched.
    pub fn files(&self) -> Vec<String> {
        self.files.try_iter().collect()
    }
}

impl Drop for Surface {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking(), "the surface's thread failed");
    }
}

struct Talk {
    connection: RustConnection,
    atoms: Atoms,
    window: Window,
    manners: Manners,
}

impl Talk {
    fn hear(&self, event: &Event, seen: &Mutex<Vec<Seen>>, got: &dyn Fn(String)) {
        let atoms = &self.atoms;
        match event {
            // The host around it says nothing to what it hears.
            Event::ClientMessage(message) if self.is_host(message.window) => {}
            Event::ClientMessage(message) => {
                assert_eq!(message.window, self.window, "messages speak of the window, also those to its proxy");
                let data = message.data.as_data32();
                let kinds = [
                    (atoms.XdndEnter, Seen::Enter),
                    (atoms.XdndPosition, Seen::Position),
                    (atoms.XdndLeave, Seen::Leave),
                    (atoms.XdndDrop, Seen::Drop),
                ];
                let kind = kinds.iter().find(|(name, _)| *name == message.type_).unwrap().1;
                let mut seen = seen.lock().unwrap();
                if seen.last() != Some(&kind) {
                    seen.push(kind);
                }
                drop(seen);
                if self.manners.vanishes_at == Some(kind) {
                    self.connection.destroy_window(self.window).unwrap().check().ok();
                    return;
                }
                self.answer(kind, data);
            }
            Event::SelectionNotify(notify) => {
                assert_ne!(notify.property, 0, "the files were offered, but not handed out");
                let whole = self.connection.get_property(true, self.window, atoms.GOT, AtomEnum::ANY, 0, 65_536);
                let whole = whole.unwrap().reply().unwrap();
                assert_eq!(whole.type_, atoms.LIST);
                got(String::from_utf8(whole.value).unwrap());
                let source = self.connection.get_selection_owner(atoms.XdndSelection).unwrap().reply().unwrap().owner;
                if let (Fetches::AfterDrop(_), Some(taken)) = (self.manners.fetches, self.manners.finishes) {
                    self.say(source, atoms.XdndFinished, [self.window, u32::from(taken), atoms.XdndActionCopy, 0, 0]);
                }
            }
            _ => {}
        }
    }

    fn is_host(&self, window: Window) -> bool {
        self.manners.lies == Lies::WithinHost && window != self.window
    }

    fn answer(&self, kind: Seen, data: [u32; 5]) {
        let atoms = &self.atoms;
        let source = data[0];
        match kind {
            Seen::Enter => {
                assert_eq!(data[1] >> 24, self.manners.aware.unwrap(), "the version that both know");
                assert!(data[2..].contains(&atoms.LIST));
            }
            Seen::Position => {
                assert_eq!(data[4], atoms.XdndActionCopy);
                if self.manners.fetches == Fetches::WhileHeld {
                    self.fetch(data[3]);
                }
                if let Some(after) = self.manners.answers_after {
                    sleep(after);
                    let accepts = u32::from(self.manners.accepts);
                    self.say(source, atoms.XdndStatus, [self.window, accepts, 0, 0, accepts * atoms.XdndActionCopy]);
                }
            }
            Seen::Drop => match (self.manners.fetches, self.manners.finishes) {
                (Fetches::AfterDrop(after), _) => {
                    sleep(after);
                    self.fetch(data[2]);
                }
                (_, Some(taken)) => self.say(source, atoms.XdndFinished, [self.window, u32::from(taken), 0, 0, 0]),
                (_, None) => {}
            },
            Seen::Leave => {}
        }
    }

    fn fetch(&self, time: u32) {
        let atoms = &self.atoms;
        self.connection.convert_selection(self.window, atoms.XdndSelection, atoms.LIST, atoms.GOT, time).unwrap();
        self.connection.flush().unwrap();
    }

    fn say(&self, source: Window, kind: u32, data: [u32; 5]) {
        let message = ClientMessageEvent::new(32, source, kind, data);
        self.connection.send_event(false, source, EventMask::NO_EVENT, message).unwrap();
        self.connection.flush().unwrap();
    }
}
