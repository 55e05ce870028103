//! Thread: any requests, gui marks. Tells the host that the project changed.
//!
//! CLAP has a call for it. VST3 through the framework has none for anything but parameters, so there a hidden parameter counts
//! revisions; it can be set once the window has been open.

use crate::Cantus;
use crate::clap_entry::creating_host;
use crate::params::CantusParams;
use crate::tasks::Task;
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_host_state};
use clap_sys::host::clap_host;
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::{AsyncExecutor, ParamSetter};
use parking_lot::Mutex;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// A CLAP host.
struct Host(*const clap_host);

// SAFETY: the pointer is only dereferenced in `mark`, on the main thread, while the instance lives.
unsafe impl Send for Host {}
// SAFETY: as above; sharing the address between threads is harmless.
unsafe impl Sync for Host {}

/// The way from "something changed" to the host.
pub struct Dirty {
    host: Option<Host>,
    executor: OnceLock<AsyncExecutor<Cantus>>,
    window: Mutex<Option<GuiContext>>,
    /// A mark is on its way: many changes at once are one.
    pending: AtomicBool,
}

impl Dirty {
    /// For the instance being created on this thread.
    pub fn of_new_instance() -> Self {
        let host = creating_host();
        Self {
            host: (!host.is_null()).then_some(Host(host)),
            executor: OnceLock::new(),
            window: Mutex::default(),
            pending: AtomicBool::new(false),
        }
    }

    /// Gives it the way to the main thread.
    pub fn connect(&self, executor: AsyncExecutor<Cantus>) {
        // Asked for once per instance.
        let _ = self.executor.set(executor);
    }

    /// Gives it the window's context, which also serves after the window has closed.
    pub fn window_opened(&self, context: GuiContext) {
        *self.window.lock() = Some(context);
    }

    /// Asks for a mark, from any thread but the audio thread.
    pub fn request(&self) {
        if let Some(executor) = self.executor.get()
            && !self.pending.swap(true, Ordering::AcqRel)
        {
            executor.execute_gui(Task::MarkDirty);
        }
    }

    /// Thread: gui. Marks.
    pub fn mark(&self, params: &CantusParams) {
        self.pending.store(false, Ordering::Release);
        if self.mark_by_host() {
            return;
        }
        if let Some(context) = self.window.lock().as_ref() {
            let setter: ParamSetter = context.param_setter();
            let next = (params.revision.value() + 1) % crate::params::REVISIONS;
            setter.begin_set_parameter(&params.revision);
            setter.set_parameter(&params.revision, next);
            setter.end_set_parameter(&params.revision);
        }
    }

    fn mark_by_host(&self) -> bool {
        let Some(Host(host)) = self.host else { return false };
        // SAFETY: CLAP keeps the host valid while the instance lives, and this runs on the main thread, where both calls belong.
        unsafe {
            let Some(get_extension) = (*host).get_extension else { return false };
            let state = get_extension(host, CLAP_EXT_STATE.as_ptr()).cast::<clap_host_state>();
            if state.is_null() {
                return false;
            }
            let Some(mark_dirty) = (*state).mark_dirty else { return false };
            mark_dirty(host);
        }
        true
    }
}
