//! Thread: background. Who would take a drop at a place of the screen.

use super::Result;
use super::messages::Atoms;
use x11rb::errors::{ReplyError, ReplyOrIdError};
use x11rb::protocol::xproto::{Atom, AtomEnum, ConnectionExt, Window};
use x11rb::rust_connection::RustConnection;

/// The protocol's version that is spoken here, and the oldest that others may speak.
const VERSION: u32 = 5;
const OLDEST: u32 = 3;
/// Windows do not lie deeper in each other; a server that says so is going round in circles.
const DEEPEST: usize = 64;

/// A window that takes drops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// The window that messages speak of.
    pub(super) window: Window,
    /// Where they are sent: the window itself, or the one it named to stand for it.
    pub(super) destination: Window,
    /// The version that both sides know.
    pub(super) version: u32,
}

impl Target {
    /// Whether a message from this window is from this target: those that stand for another name either.
    pub(super) fn is(&self, window: Window) -> bool {
        window == self.window || window == self.destination
    }
}

/// The first window that takes drops, on the way down from the root. The window the drag began in takes none, nor does the drag's
/// icon.
pub(super) fn find(
    connection: &RustConnection,
    atoms: &Atoms,
    root: Window,
    at: (i16, i16),
    [own, icon]: [Option<Window>; 2],
) -> Result<Option<Target>> {
    let mut window = root;
    for _ in 0..DEEPEST {
        let Some(place) = survived(connection.translate_coordinates(root, window, at.0, at.1)?.reply())? else {
            return Ok(None);
        };
        window = place.child;
        if window == 0 {
            // A desktop may be drawn by a window that stands for the root.
            return Ok(target(connection, atoms, root, own)?.filter(|target| target.destination != root));
        }
        if [own, icon].contains(&Some(window)) {
            return Ok(None);
        }
        if let Some(target) = target(connection, atoms, window, own)? {
            return Ok(Some(target));
        }
    }
    Ok(None)
}

/// What a window says of itself.
fn target(connection: &RustConnection, atoms: &Atoms, window: Window, own: Option<Window>) -> Result<Option<Target>> {
    let proxy = number(connection, window, atoms.XdndProxy, AtomEnum::WINDOW)?;
    // One that has gone leaves its name behind; one that is there names itself.
    let proxy = match proxy {
        Some(proxy) => {
            let itself = number(connection, proxy, atoms.XdndProxy, AtomEnum::WINDOW)? == Some(proxy);
            let stands_for = number(connection, proxy, atoms.CANTUS_STANDS_FOR, AtomEnum::WINDOW)?;
            // One that stands for the window the drag began in is passed over, as that window is.
            Some(proxy).filter(|_| itself && (own.is_none() || stands_for != own))
        }
        None => None,
    };
    let destination = proxy.unwrap_or(window);
    let version = number(connection, destination, atoms.XdndAware, AtomEnum::ANY)?;
    let understood = version.filter(|version| *version >= OLDEST);
    Ok(understood.map(|version| Target { window, destination, version: version.min(VERSION) }))
}

/// The first number of a property; nothing when the property or the window is not there.
pub(super) fn number(
    connection: &RustConnection,
    window: Window,
    property: Atom,
    kind: AtomEnum,
) -> Result<Option<u32>> {
    let property = survived(connection.get_property(false, window, property, kind, 0, 1)?.reply())?;
    Ok(property.and_then(|property| property.value32()?.next()))
}

/// Windows come and go while they are asked about; only a broken connection is an error.
pub(super) fn survived<T>(reply: std::result::Result<T, ReplyError>) -> Result<Option<T>> {
    match reply {
        Ok(reply) => Ok(Some(reply)),
        Err(ReplyError::X11Error(_)) => Ok(None),
        Err(ReplyError::ConnectionError(error)) => Err(ReplyOrIdError::ConnectionError(error)),
    }
}
