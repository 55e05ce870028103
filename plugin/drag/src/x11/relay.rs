//! Thread: background. Drops for a window that lies within a host's.
//!
//! A program that drags files asks the host's outermost window whether it takes them, and seldom the editor inside of it. So that
//! window names a hidden one of ours to stand for it, as the protocol provides for; what happens above the editor goes to the
//! editor, and everything else to the host, as before. To the editor, the hidden window is where the drag comes from.

use super::Result;
use super::messages::Atoms;
use super::target::{number, survived};
use crate::drop_in::Stop;
use std::time::{Duration, Instant};
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt, CreateWindowAux, EventMask, PropMode, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// Between two looks for messages, at rest and while something is dragged.
const REST: Duration = Duration::from_millis(40);
const TICK: Duration = Duration::from_millis(6);
/// Between two looks where the editor lies: hosts put it into other windows as they please.
const LOOK: Duration = Duration::from_millis(700);
/// Windows do not lie deeper in each other.
const DEEPEST: usize = 64;

/// Stands for the editor until the editor's window goes, or the handle does.
pub(crate) fn stand_in(display: Option<&str>, editor: Window, stop: &Stop) {
    let Ok((connection, screen)) = x11rb::connect(display) else { return };
    let root = connection.setup().roots[screen].root;
    // Without it, drops still arrive from programs that look into the host's window.
    if let Ok(mut relay) = Relay::open(&connection, root, editor) {
        relay.run(stop).ok();
        relay.name_in(None).ok();
        connection.get_input_focus().ok().and_then(|answer| answer.reply().ok());
    }
}

/// Which of the two a drag is above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Editor,
    Host,
}

/// A drag that has entered.
struct Guest {
    source: Window,
    /// What it said when it entered.
    enter: [u32; 5],
    /// The window it believes to speak to.
    asked: Window,
    above: Option<Side>,
}

struct Relay<'a> {
    connection: &'a RustConnection,
    atoms: Atoms,
    root: Window,
    editor: Window,
    /// The hidden window.
    front: Window,
    /// The host's window that names it.
    host: Option<Window>,
    guest: Option<Guest>,
}

impl<'a> Relay<'a> {
    fn open(connection: &'a RustConnection, root: Window, editor: Window) -> Result<Self> {
        let atoms = Atoms::new(connection)?.reply()?;
        let front = connection.generate_id()?;
        let hidden = CreateWindowAux::new().override_redirect(1);
        connection.create_window(0, front, root, -10, -10, 1, 1, 0, WindowClass::INPUT_ONLY, 0, &hidden)?;
        let put = |name, kind, value: u32| {
            connection.change_property32(PropMode::REPLACE, front, name, kind, &[value]).map(drop)
        };
        put(atoms.XdndAware, AtomEnum::ATOM, 5)?;
        put(atoms.XdndProxy, AtomEnum::WINDOW, front)?;
        put(atoms.CANTUS_STANDS_FOR, AtomEnum::WINDOW, editor)?;
        Ok(Self { connection, atoms, root, editor, front, host: None, guest: None })
    }

    fn run(&mut self, stop: &Stop) -> Result<()> {
        let mut looked: Option<Instant> = None;
        while !stop.is_set() {
            if looked.is_none_or(|looked| looked.elapsed() > LOOK) {
                let Some(outermost) = self.outermost()? else { return Ok(()) };
                // A window of its own is asked itself.
                self.name_in(Some(outermost).filter(|window| *window != self.editor))?;
                looked = Some(Instant::now());
            }
            while let Some(event) = self.connection.poll_for_event()? {
                if let Event::ClientMessage(message) = event {
                    self.hear(message.window, message.type_, message.data.as_data32())?;
                }
            }
            self.connection.flush()?;
            std::thread::sleep(if self.guest.is_some() { TICK } else { REST });
        }
        Ok(())
    }

    /// The window around the editor that a window manager knows, or the last below the root. Nothing when the editor has gone.
    fn outermost(&self) -> Result<Option<Window>> {
        let (mut window, mut known) = (self.editor, None);
        for _ in 0..DEEPEST {
            let Some(tree) = survived(self.connection.query_tree(window)?.reply())? else { return Ok(None) };
            if number(self.connection, window, self.atoms.WM_STATE, AtomEnum::ANY)?.is_some() {
                known = Some(window);
            }
            if tree.parent == self.root || tree.parent == 0 {
                break;
            }
            window = tree.parent;
        }
        Ok(Some(known.unwrap_or(window)))
    }

    /// Has the host's window name the hidden one, and takes the name out of the last one. One that another has put there stays.
    fn name_in(&mut self, host: Option<Window>) -> Result<()> {
        let named = |window| number(self.connection, window, self.atoms.XdndProxy, AtomEnum::WINDOW);
        if self.host == host {
            return Ok(());
        }
        if let Some(last) = self.host.take()
            && named(last)? == Some(self.front)
        {
            self.connection.delete_property(last, self.atoms.XdndProxy)?;
        }
        if let Some(host) = host {
            let other = named(host)?;
            // One that has gone stands for nobody any more.
            let alive = match other {
                Some(other) => named(other)? == Some(other),
                None => false,
            };
            if !alive {
                let (name, kind) = (self.atoms.XdndProxy, AtomEnum::WINDOW);
                self.connection.change_property32(PropMode::REPLACE, host, name, kind, &[self.front])?;
                self.host = Some(host);
            }
        }
        Ok(())
    }

    fn hear(&mut self, window: Window, kind: u32, data: [u32; 5]) -> Result<()> {
        let atoms = self.atoms;
        let from = data[0];
        if kind == atoms.XdndStatus || kind == atoms.XdndFinished {
            return self.answer(from, kind, data);
        }
        if kind == atoms.XdndEnter {
            self.guest = Some(Guest { source: from, enter: data, asked: window, above: None });
            return Ok(());
        }
        let Some(guest) = self.guest.as_ref().filter(|guest| guest.source == from) else { return Ok(()) };
        if kind == atoms.XdndPosition {
            let side = self.side(data[2])?;
            if guest.above != Some(side) {
                self.pass(atoms.XdndLeave, [from, 0, 0, 0, 0])?;
                if let Some(guest) = &mut self.guest {
                    guest.above = Some(side);
                }
                self.pass_enter()?;
            }
            self.pass(kind, data)
        } else if kind == atoms.XdndLeave {
            self.pass(kind, data)?;
            self.guest = None;
            Ok(())
        } else if kind == atoms.XdndDrop {
            self.pass(kind, data)
        } else {
            Ok(())
        }
    }

    /// Whether a place of the screen is above the editor.
    fn side(&self, place: u32) -> Result<Side> {
        let [x, y] = [place >> 16, place & 0xffff].map(|half| (half as u16).cast_signed());
        let within = survived(self.connection.translate_coordinates(self.root, self.editor, x, y)?.reply())?;
        let size = survived(self.connection.get_geometry(self.editor)?.reply())?;
        let inside = within.zip(size).is_some_and(|(within, size)| {
            let fits = |place: i16, length: u16| place >= 0 && i32::from(place) < i32::from(length);
            fits(within.dst_x, size.width) && fits(within.dst_y, size.height)
        });
        Ok(if inside { Side::Editor } else { Side::Host })
    }

    /// Tells the one that the drag is above now what the drag said when it entered.
    fn pass_enter(&self) -> Result<()> {
        let Some(guest) = &self.guest else { return Ok(()) };
        let (source, list) = (guest.source, self.atoms.XdndTypeList);
        // Where there are more than three types, they stand on the window that the drag comes from.
        if guest.enter[1] & 1 != 0
            && let Some(types) =
                survived(self.connection.get_property(false, source, list, AtomEnum::ATOM, 0, 1_024)?.reply())?
        {
            let types: Vec<u32> = types.value32().map(Iterator::collect).unwrap_or_default();
            self.connection.change_property32(PropMode::REPLACE, self.front, list, AtomEnum::ATOM, &types)?;
        }
        self.pass(self.atoms.XdndEnter, guest.enter)
    }

    /// Passes on what the drag says. The editor hears it from the hidden window, the host from the drag itself, as it would have.
    fn pass(&self, kind: u32, mut data: [u32; 5]) -> Result<()> {
        let Some(guest) = &self.guest else { return Ok(()) };
        match guest.above {
            Some(Side::Editor) => {
                data[0] = self.front;
                self.send(self.editor, kind, data)
            }
            Some(Side::Host)
                if number(self.connection, guest.asked, self.atoms.XdndAware, AtomEnum::ANY)?.is_some() =>
            {
                self.send(guest.asked, kind, data)
            }
            // A host that takes no drops could not say so.
            Some(Side::Host) if kind == self.atoms.XdndPosition => {
                self.send(guest.source, self.atoms.XdndStatus, [guest.asked, 0, 0, 0, 0])
            }
            Some(Side::Host) if kind == self.atoms.XdndDrop => {
                self.send(guest.source, self.atoms.XdndFinished, [guest.asked, 0, 0, 0, 0])
            }
            Some(Side::Host) | None => Ok(()),
        }
    }

    /// What the editor answers, as if the window that was asked had said it.
    fn answer(&mut self, from: Window, kind: u32, mut data: [u32; 5]) -> Result<()> {
        let Some(guest) = self.guest.as_ref() else { return Ok(()) };
        if from == self.editor && guest.above == Some(Side::Editor) {
            data[0] = guest.asked;
            self.send(guest.source, kind, data)?;
        }
        if kind == self.atoms.XdndFinished {
            self.guest = None;
        }
        Ok(())
    }

    fn send(&self, to: Window, kind: u32, data: [u32; 5]) -> Result<()> {
        let message = ClientMessageEvent::new(32, to, kind, data);
        self.connection.send_event(false, to, EventMask::NO_EVENT, message)?;
        Ok(())
    }
}
