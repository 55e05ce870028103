//! Thread: background. A drag of files on X11, by the XDND protocol, version 5.
//!
//! It has a connection and a hidden window of its own. The window the drag began in keeps the pointer's implicit grab, and its
//! toolkit sees the release of the button; so nothing is grabbed here but the Escape key, and the pointer is asked for.

mod escape;
mod icon;
mod messages;
mod relay;
mod target;

pub(crate) use relay::stand_in;

use crate::drag_out::{DragState, Progress};
use escape::Escape;
use icon::Icon;
use messages::{Atoms, Messages};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use target::Target;
use x11rb::connection::Connection;
use x11rb::errors::ReplyOrIdError;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{ConnectionExt, KeyButMask};
use x11rb::rust_connection::RustConnection;

/// Between two looks at the pointer.
const TICK: Duration = Duration::from_millis(8);
/// Between two looks for the window under a pointer that rests.
const REST: Duration = Duration::from_millis(100);
/// How long a program may take to say whether it wants the files, once the button is up.
const ANSWER: Duration = Duration::from_secs(3);
/// How long a program may take to fetch what was dropped.
const FETCH: Duration = Duration::from_secs(15);
/// How long after its last fetch a program may take to say that it has finished; some never do.
const FINISH: Duration = Duration::from_secs(3);
/// Nobody drags for longer: the server must have lost the button's release.
const LONGEST: Duration = Duration::from_secs(600);

/// Drags until the files are taken, the drag is given up, or its handle goes.
pub(crate) fn drag(
    display: Option<&str>,
    own: Option<u32>,
    files: &[PathBuf],
    label: &str,
    progress: &Progress,
) -> DragState {
    let connected = x11rb::connect(display);
    let (connection, screen) = match connected {
        Ok(connected) => connected,
        Err(error) => return DragState::Failed(format!("There is no X server to drag on: {error}.")),
    };
    let ended = Messages::open(&connection, screen, files)
        .and_then(|messages| Session::open(messages, own, label)?.run(progress));
    ended.unwrap_or_else(|error| DragState::Failed(format!("The drag broke off: {error}.")))
}

/// Where the button is.
#[derive(Clone, Copy)]
enum Phase {
    Held,
    /// Up, at this place; the program below has still to say whether it wants the files.
    Released {
        since: Instant,
        at: (i16, i16),
    },
    /// The files are let go; the program below fetches them.
    Dropped {
        since: Instant,
    },
}

/// The window under the pointer, if it takes drops at all.
struct Over {
    target: Target,
    accepts: bool,
    /// A position that it has not answered yet. There is never more than one.
    asked: bool,
    /// The position it was told last.
    told: Option<(i16, i16)>,
}

struct Session<'a> {
    messages: Messages<'a>,
    /// The window the drag began in: files are not dropped where they come from.
    own: Option<u32>,
    icon: Option<Icon>,
    escape: Escape,
    over: Option<Over>,
    last_fetch: Option<Instant>,
    /// Where and when the window under the pointer was looked for.
    looked: Option<((i16, i16), Instant)>,
}

type Result<T> = std::result::Result<T, ReplyOrIdError>;

impl<'a> Session<'a> {
    fn open(messages: Messages<'a>, own: Option<u32>, label: &str) -> Result<Self> {
        // A drag without a label is a drag all the same.
        let icon = Icon::open(messages.connection, messages.screen, &messages.atoms, label).ok().flatten();
        let escape = Escape::watch(messages.connection, messages.root())?;
        Ok(Self { messages, own, icon, escape, over: None, last_fetch: None, looked: None })
    }

    fn connection(&self) -> &'a RustConnection {
        self.messages.connection
    }

    fn atoms(&self) -> &Atoms {
        &self.messages.atoms
    }

    fn run(mut self, progress: &Progress) -> Result<DragState> {
        let ended = self.drag(progress);
        if ended.is_ok() {
            self.leave()?;
            // A server may throw away what it has not read yet of a client that has gone; its answer says that it has read all.
            self.connection().get_input_focus()?.reply()?;
        }
        ended
    }

    fn drag(&mut self, progress: &Progress) -> Result<DragState> {
        let began = Instant::now();
        let mut phase = Phase::Held;
        loop {
            if progress.stopped() || began.elapsed() > LONGEST {
                return Ok(DragState::Cancelled);
            }
            while let Some(event) = self.connection().poll_for_event()? {
                if let Some(ended) = self.hear(&event, phase)? {
                    return Ok(ended);
                }
            }
            let next = match phase {
                Phase::Held => self.follow()?,
                Phase::Released { since, at } => self.let_go(since, at)?,
                Phase::Dropped { since } => self.wait_for_end(since),
            };
            match next {
                Step::Stay => {}
                Step::To(next) => phase = next,
                Step::End(ended) => return Ok(ended),
            }
            self.connection().flush()?;
            std::thread::sleep(TICK);
        }
    }

    /// The button is down: the window under the pointer is told where it is.
    fn follow(&mut self) -> Result<Step> {
        if self.escape.is_down(self.connection())? {
            return Ok(Step::End(DragState::Cancelled));
        }
        let pointer = self.connection().query_pointer(self.messages.root())?.reply()?;
        let at = (pointer.root_x, pointer.root_y);
        let welcome = self.over.as_ref().is_some_and(|over| over.accepts);
        if let Some(icon) = &mut self.icon {
            icon.follow(self.messages.connection, at, welcome)?;
        }
        // Windows come and go below a pointer that rests, but nobody waits for that.
        if self.looked.is_none_or(|(before, when)| before != at || when.elapsed() > REST) {
            self.look(at)?;
            self.looked = Some((at, Instant::now()));
        }
        self.tell(at)?;
        if pointer.mask.contains(KeyButMask::BUTTON1) {
            return Ok(Step::Stay);
        }
        Ok(Step::To(Phase::Released { since: Instant::now(), at }))
    }

    /// The button is up: drops as soon as the window below has answered for this very place.
    fn let_go(&mut self, since: Instant, at: (i16, i16)) -> Result<Step> {
        self.tell(at)?;
        let Some(over) = &self.over else { return Ok(Step::End(DragState::Cancelled)) };
        if over.asked {
            let late = since.elapsed() > ANSWER;
            let silent = "The program you dropped it on does not answer. Try again, or use Copy path.";
            return Ok(if late { Step::End(DragState::Failed(silent.into())) } else { Step::Stay });
        }
        if !over.accepts {
            return Ok(Step::End(DragState::Cancelled));
        }
        self.messages.drop(&over.target)?;
        self.icon = match self.icon.take() {
            Some(icon) => icon.close(self.connection()).map(|()| None)?,
            None => None,
        };
        Ok(Step::To(Phase::Dropped { since: Instant::now() }))
    }

    /// The files are let go: not every program says that it has finished.
    fn wait_for_end(&mut self, dropped: Instant) -> Step {
        let ended = match self.last_fetch {
            Some(fetched) if fetched.max(dropped).elapsed() > FINISH => DragState::Dropped,
            None if dropped.elapsed() > FETCH => DragState::Failed(NOT_TAKEN.into()),
            _ => return Step::Stay,
        };
        // After a drop there is no leave to take.
        self.over = None;
        Step::End(ended)
    }

    /// Finds the window under the pointer, and takes leave of the last one.
    fn look(&mut self, at: (i16, i16)) -> Result<()> {
        let skip = [self.own, self.icon.as_ref().map(Icon::window)];
        let found = target::find(self.connection(), self.atoms(), self.messages.root(), at, skip)?;
        if self.over.as_ref().map(|over| &over.target) == found.as_ref() {
            return Ok(());
        }
        self.leave()?;
        if let Some(target) = found {
            self.messages.enter(&target)?;
            self.over = Some(Over { target, accepts: false, asked: false, told: None });
        }
        Ok(())
    }

    fn leave(&mut self) -> Result<()> {
        match self.over.take() {
            Some(over) => self.messages.leave(&over.target),
            None => Ok(()),
        }
    }

    /// Tells the window below a new position, unless it still thinks about the last.
    fn tell(&mut self, at: (i16, i16)) -> Result<()> {
        let Some(over) = &mut self.over else { return Ok(()) };
        if !over.asked && over.told != Some(at) {
            self.messages.position(&over.target, at)?;
            over.asked = true;
            over.told = Some(at);
        }
        Ok(())
    }

    /// What the server and the other program say; what it makes of the drag, when it ends it.
    fn hear(&mut self, event: &Event, phase: Phase) -> Result<Option<DragState>> {
        let dropped = matches!(phase, Phase::Dropped { .. });
        match event {
            Event::ClientMessage(message) if message.type_ == self.atoms().XdndStatus => {
                let [from, flags, ..] = message.data.as_data32();
                if let Some(over) = self.over.as_mut().filter(|over| over.target.is(from)) {
                    over.accepts = flags & 1 != 0;
                    over.asked = false;
                }
            }
            Event::ClientMessage(message) if message.type_ == self.atoms().XdndFinished && dropped => {
                let [from, flags, ..] = message.data.as_data32();
                if self.over.as_ref().is_some_and(|over| over.target.is(from)) {
                    self.over = None;
                    // Qt says "not accepted" of files that it took.
                    let taken = flags & 1 != 0 || self.last_fetch.is_some();
                    return Ok(Some(if taken { DragState::Dropped } else { DragState::Failed(NOT_TAKEN.into()) }));
                }
            }
            Event::SelectionRequest(request) => {
                if self.messages.answer(request)? {
                    self.last_fetch = Some(Instant::now());
                }
            }
            // Another drag has begun. Files that were let go may still be fetched, but no longer from here.
            Event::SelectionClear(clear) if clear.selection == self.atoms().XdndSelection => {
                let taken = dropped && self.last_fetch.is_some();
                return Ok(Some(if taken { DragState::Dropped } else { DragState::Cancelled }));
            }
            Event::KeyPress(key) if !dropped && self.escape.is(key) => return Ok(Some(DragState::Cancelled)),
            Event::DestroyNotify(gone) => return Ok(self.lost(gone.window, dropped)),
            // A message to a window that has just gone.
            Event::Error(error) => return Ok(self.lost(error.bad_value, dropped)),
            Event::Expose(expose) => {
                if let Some(icon) = self.icon.as_ref().filter(|icon| icon.window() == expose.window) {
                    icon.draw(self.connection())?;
                }
            }
            _ => {}
        }
        Ok(None)
    }

    /// A window has gone. When the files were on their way to it, that ends the drag.
    fn lost(&mut self, window: u32, dropped: bool) -> Option<DragState> {
        self.over.take_if(|over| over.target.is(window))?;
        match (dropped, self.last_fetch) {
            (false, _) => None,
            (true, Some(_)) => Some(DragState::Dropped),
            (true, None) => Some(DragState::Failed(NOT_TAKEN.into())),
        }
    }
}

const NOT_TAKEN: &str = "The program you dropped it on did not take the file. Try again, or use Copy path.";

/// What a look at the drag comes to.
enum Step {
    Stay,
    To(Phase),
    End(DragState),
}
