//! Thread: any requests, gui marks. Tells the host that the project changed.
//!
//! CLAP has a call for it, on the main thread. VST3 through the framework has none for anything but parameters, so there a hidden
//! parameter counts revisions; the window sets it, when it is open.

use crate::Cantus;
use crate::clap_entry::creating_host;
use crate::params::CantusParams;
use crate::tasks::Task;
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_host_state};
use clap_sys::host::clap_host;
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::{AsyncExecutor, ParamSetter};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// A CLAP host.
struct Host(*const clap_host);

// SAFETY: the pointer is only dereferenced in `mark_by_host`, on the main thread, while the instance lives.
unsafe impl Send for Host {}
// SAFETY: as above; sharing the address between threads is harmless.
unsafe impl Sync for Host {}

/// The way to the main thread. Closed while the plugin is not active: the framework's queue holds the plugin alive for a moment, and a
/// thread of ours must never be the one that lets go of it last.
#[derive(Default)]
struct Gate {
    executor: Option<AsyncExecutor<Cantus>>,
    open: bool,
}

/// The way from "something changed" to the host.
pub struct Dirty {
    host: Option<Host>,
    gate: Mutex<Gate>,
    /// A mark is owed: many changes at once are one.
    owed: AtomicBool,
}

impl Dirty {
    /// For the instance being created on this thread.
    pub fn of_new_instance() -> Self {
        let host = creating_host();
        Self { host: (!host.is_null()).then_some(Host(host)), gate: Mutex::default(), owed: AtomicBool::new(false) }
    }

    /// Gives it the way to the main thread.
    pub fn connect(&self, executor: AsyncExecutor<Cantus>) {
        self.gate.lock().executor = Some(executor);
    }

    /// Thread: gui. The plugin is active: marks may travel, and one that is owed does.
    pub fn open(&self) {
        self.gate.lock().open = true;
        if self.owed.load(Ordering::Acquire) {
            self.send();
        }
    }

    /// Thread: gui. The plugin is about to go, or to change its rate.
    pub fn close(&self) {
        self.gate.lock().open = false;
    }

    /// Asks for a mark, from any thread but the audio thread.
    pub fn request(&self) {
        if !self.owed.swap(true, Ordering::AcqRel) {
            self.send();
        }
    }

    fn send(&self) {
        let gate = self.gate.lock();
        if let Some(executor) = gate.executor.as_ref().filter(|_| gate.open && self.host.is_some()) {
            executor.execute_gui(Task::MarkDirty);
        }
    }

    /// Thread: gui. Marks by the hidden parameter, for hosts that have no call; from the window's own frame.
    pub fn mark_by_parameter(&self, params: &CantusParams, context: &GuiContext) {
        if self.host.is_some() || !self.owed.swap(false, Ordering::AcqRel) {
            return;
        }
        let setter: ParamSetter = context.param_setter();
        let next = (params.revision.value() + 1) % crate::params::REVISIONS;
        setter.begin_set_parameter(&params.revision);
        setter.set_parameter(&params.revision, next);
        setter.end_set_parameter(&params.revision);
    }

    /// Thread: gui. Marks by the host's own call.
    pub fn mark_by_host(&self) {
        self.owed.store(false, Ordering::Release);
        let Some(Host(host)) = self.host else { return };
        // SAFETY: CLAP keeps the host valid while the instance lives, and this runs on the main thread, where both calls belong.
        unsafe {
            let Some(get_extension) = (*host).get_extension else { return };
            let state = get_extension(host, CLAP_EXT_STATE.as_ptr()).cast::<clap_host_state>();
            if state.is_null() {
                return;
            }
            if let Some(mark_dirty) = (*state).mark_dirty {
                mark_dirty(host);
            }
        }
    }
}
