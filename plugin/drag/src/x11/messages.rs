//! Thread: background. What the two sides of a drag say to each other.

use super::Result;
use super::target::Target;
use crate::uri::{plain_list, uri_list};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use x11rb::connection::Connection;
use x11rb::errors::ReplyOrIdError;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ChangeWindowAttributesAux, ClientMessageEvent, ConnectionExt, CreateWindowAux, EventMask, PropMode,
    SELECTION_NOTIFY_EVENT, Screen, SelectionNotifyEvent, SelectionRequestEvent, Timestamp, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// How long the server may take to tell the time.
const TIME: Duration = Duration::from_secs(2);

x11rb::atom_manager! {
    /// Names that the protocol speaks of.
    pub Atoms: AtomsCookie {
        XdndAware,
        XdndProxy,
        XdndSelection,
        XdndEnter,
        XdndPosition,
        XdndStatus,
        XdndLeave,
        XdndDrop,
        XdndFinished,
        XdndTypeList,
        XdndActionCopy,
        TARGETS,
        TIMESTAMP,
        URI_LIST: b"text/uri-list",
        PLAIN: b"text/plain",
        PLAIN_UTF8: b"text/plain;charset=utf-8",
        CANTUS_TIME,
        CANTUS_STANDS_FOR,
        WM_STATE,
        _NET_WM_WINDOW_TYPE,
        _NET_WM_WINDOW_TYPE_DND,
    }
}

/// Our side: the hidden window that owns the dragged files.
pub(super) struct Messages<'a> {
    pub(super) connection: &'a RustConnection,
    pub(super) screen: &'a Screen,
    pub(super) atoms: Atoms,
    window: Window,
    /// When the files were taken up.
    time: Timestamp,
    offers: [(Atom, String); 3],
}

impl<'a> Messages<'a> {
    pub(super) fn open(connection: &'a RustConnection, screen: usize, files: &[PathBuf]) -> Result<Self> {
        let atoms = Atoms::new(connection)?.reply()?;
        let screen = &connection.setup().roots[screen];
        let window = connection.generate_id()?;
        let hidden = CreateWindowAux::new().override_redirect(1).event_mask(EventMask::PROPERTY_CHANGE);
        let root = screen.root;
        connection.create_window(0, window, root, -10, -10, 1, 1, 0, WindowClass::INPUT_ONLY, 0, &hidden)?;
        let offers = [
            (atoms.URI_LIST, uri_list(files)),
            (atoms.PLAIN_UTF8, plain_list(files)),
            (atoms.PLAIN, plain_list(files)),
        ];
        let types = offers.each_ref().map(|(kind, _)| *kind);
        connection.change_property32(PropMode::REPLACE, window, atoms.XdndTypeList, AtomEnum::ATOM, &types)?;
        let time = server_time(connection, window, atoms.CANTUS_TIME)?;
        connection.set_selection_owner(window, atoms.XdndSelection, time)?;
        Ok(Self { connection, screen, atoms, window, time, offers })
    }

    pub(super) fn root(&self) -> Window {
        self.screen.root
    }

    pub(super) fn enter(&self, target: &Target) -> Result<()> {
        // Whether it goes is worth knowing.
        let watch = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        self.connection.change_window_attributes(target.window, &watch)?;
        let [first, second, third] = self.offers.each_ref().map(|(kind, _)| *kind);
        self.send(target, self.atoms.XdndEnter, [self.window, target.version << 24, first, second, third])
    }

    pub(super) fn position(&self, target: &Target, (x, y): (i16, i16)) -> Result<()> {
        let place = u32::from(x.cast_unsigned()) << 16 | u32::from(y.cast_unsigned());
        self.send(target, self.atoms.XdndPosition, [self.window, 0, place, self.time, self.atoms.XdndActionCopy])
    }

    pub(super) fn leave(&self, target: &Target) -> Result<()> {
        self.send(target, self.atoms.XdndLeave, [self.window, 0, 0, 0, 0])?;
        let unwatch = ChangeWindowAttributesAux::new().event_mask(EventMask::NO_EVENT);
        self.connection.change_window_attributes(target.window, &unwatch)?;
        Ok(())
    }

    pub(super) fn drop(&self, target: &Target) -> Result<()> {
        self.send(target, self.atoms.XdndDrop, [self.window, 0, self.time, 0, 0])
    }

    /// Hands out the list of files in the form that was asked for; whether it was one of the files' forms.
    pub(super) fn answer(&self, request: &SelectionRequestEvent) -> Result<bool> {
        // Clients older than the convention name no property.
        let asked = if request.property == 0 { request.target } else { request.property };
        let put = PropMode::REPLACE;
        let (requestor, kind) = (request.requestor, request.target);
        let offer = self.offers.iter().find(|(offered, _)| *offered == kind);
        let ours = request.selection == self.atoms.XdndSelection;
        let property = if let Some((_, list)) = offer.filter(|_| ours) {
            self.connection.change_property8(put, requestor, asked, kind, list.as_bytes())?;
            asked
        } else if ours && kind == self.atoms.TARGETS {
            let mut kinds = vec![self.atoms.TARGETS, self.atoms.TIMESTAMP];
            kinds.extend(self.offers.iter().map(|(kind, _)| *kind));
            self.connection.change_property32(put, requestor, asked, AtomEnum::ATOM, &kinds)?;
            asked
        } else if ours && kind == self.atoms.TIMESTAMP {
            self.connection.change_property32(put, requestor, asked, AtomEnum::INTEGER, &[self.time])?;
            asked
        } else {
            0
        };
        let answer = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor,
            selection: request.selection,
            target: kind,
            property,
        };
        self.connection.send_event(false, requestor, EventMask::NO_EVENT, answer)?;
        Ok(ours && offer.is_some())
    }

    fn send(&self, target: &Target, kind: Atom, data: [u32; 5]) -> Result<()> {
        let message = ClientMessageEvent::new(32, target.window, kind, data);
        self.connection.send_event(false, target.destination, EventMask::NO_EVENT, message)?;
        Ok(())
    }
}

/// The server's clock, which it tells along with a change of a property.
fn server_time(connection: &RustConnection, window: Window, property: Atom) -> Result<Timestamp> {
    connection.change_property8(PropMode::APPEND, window, property, AtomEnum::STRING, &[])?;
    connection.flush()?;
    let asked = Instant::now();
    while asked.elapsed() < TIME {
        match connection.poll_for_event()? {
            Some(Event::PropertyNotify(change)) => return Ok(change.time),
            Some(_) => {}
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    }
    Err(ReplyOrIdError::ConnectionError(x11rb::errors::ConnectionError::UnknownError))
}
