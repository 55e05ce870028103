//! Thread: any. What the plugin may ask of this host, and a count of what it asked.

use clack_extensions::audio_ports::{AudioPortRescanFlags, HostAudioPorts, HostAudioPortsImpl};
use clack_extensions::gui::{GuiSize, HostGui, HostGuiImpl};
use clack_extensions::latency::{HostLatency, HostLatencyImpl};
use clack_extensions::note_ports::{HostNotePorts, HostNotePortsImpl, NoteDialects, NotePortRescanFlags};
use clack_extensions::params::{
    HostParams, HostParamsImplMainThread, HostParamsImplShared, ParamClearFlags, ParamRescanFlags,
};
use clack_extensions::state::{HostState, HostStateImpl};
use clack_extensions::tail::{HostTail, HostTailImpl};
use clack_extensions::thread_check::{HostThreadCheck, HostThreadCheckImpl};
use clack_host::prelude::{
    AudioProcessorHandler, HostError as Refusal, HostExtensions, HostHandlers, MainThreadHandler, SharedHandler,
};
use clack_host::utils::ClapId;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::ThreadId;

thread_local! {
    static IS_AUDIO_THREAD: Cell<bool> = const { Cell::new(false) };
}

/// Tells the plugin's thread check that the calling thread processes audio.
pub(crate) fn become_audio_thread() {
    IS_AUDIO_THREAD.set(true);
}

/// What the plugin asked the host for, counted.
#[derive(Debug)]
pub struct Notices {
    main_thread: ThreadId,
    callback: AtomicBool,
    flush: AtomicBool,
    dirty: AtomicUsize,
    param_rescans: AtomicUsize,
    port_rescans: AtomicUsize,
    restarts: AtomicUsize,
    latency_changes: AtomicUsize,
    tail_changes: AtomicUsize,
    wrong_thread: AtomicUsize,
}

impl Notices {
    /// For a plugin whose main thread is the calling one.
    pub(crate) fn new() -> Self {
        let zero = AtomicUsize::default;
        Self {
            main_thread: std::thread::current().id(),
            callback: AtomicBool::new(false),
            flush: AtomicBool::new(false),
            dirty: zero(),
            param_rescans: zero(),
            port_rescans: zero(),
            restarts: zero(),
            latency_changes: zero(),
            tail_changes: zero(),
            wrong_thread: zero(),
        }
    }

    /// Whether a main-thread callback was asked for since the last call.
    pub(crate) fn take_callback(&self) -> bool {
        self.callback.swap(false, Ordering::AcqRel)
    }

    /// Whether a parameter flush was asked for since the last call.
    pub(crate) fn take_flush(&self) -> bool {
        self.flush.swap(false, Ordering::AcqRel)
    }

    /// Times the plugin said that the project has unsaved changes.
    pub fn dirty(&self) -> usize {
        self.dirty.load(Ordering::Acquire)
    }

    /// Times the plugin asked to read the parameters again.
    pub fn param_rescans(&self) -> usize {
        self.param_rescans.load(Ordering::Acquire)
    }

    /// Times the plugin asked to read the ports again.
    pub fn port_rescans(&self) -> usize {
        self.port_rescans.load(Ordering::Acquire)
    }

    /// Times the plugin asked for a restart.
    pub fn restarts(&self) -> usize {
        self.restarts.load(Ordering::Acquire)
    }

    /// Times the plugin's latency changed.
    pub fn latency_changes(&self) -> usize {
        self.latency_changes.load(Ordering::Acquire)
    }

    /// Times the plugin's tail changed.
    pub fn tail_changes(&self) -> usize {
        self.tail_changes.load(Ordering::Acquire)
    }

    /// Main-thread requests that came from another thread: each is a bug of the plugin.
    pub fn wrong_thread(&self) -> usize {
        self.wrong_thread.load(Ordering::Acquire)
    }

    fn count_on_main_thread(&self, counter: &AtomicUsize) {
        if std::thread::current().id() != self.main_thread {
            self.wrong_thread.fetch_add(1, Ordering::AcqRel);
        }
        counter.fetch_add(1, Ordering::AcqRel);
    }
}

/// The host's part that any thread of the plugin may call.
pub struct Shared(pub(crate) Arc<Notices>);

impl SharedHandler<'_> for Shared {
    fn request_restart(&self) {
        self.0.restarts.fetch_add(1, Ordering::AcqRel);
    }

    fn request_process(&self) {}

    fn request_callback(&self) {
        self.0.callback.store(true, Ordering::Release);
    }
}

impl HostParamsImplShared for Shared {
    fn request_flush(&self) {
        self.0.flush.store(true, Ordering::Release);
    }
}

impl HostGuiImpl for Shared {
    fn resize_hints_changed(&self) {}

    fn request_resize(&self, _: GuiSize) -> Result<(), Refusal> {
        Ok(())
    }

    fn request_show(&self) -> Result<(), Refusal> {
        Ok(())
    }

    fn request_hide(&self) -> Result<(), Refusal> {
        Ok(())
    }

    fn closed(&self, _: bool) {}
}

impl HostThreadCheckImpl for Shared {
    fn is_main_thread(&self) -> bool {
        std::thread::current().id() == self.0.main_thread
    }

    fn is_audio_thread(&self) -> bool {
        IS_AUDIO_THREAD.get()
    }
}

/// The host's part for the plugin's main thread.
pub struct MainThread(pub(crate) Arc<Notices>);

impl MainThreadHandler<'_> for MainThread {}

impl HostStateImpl for MainThread {
    fn mark_dirty(&self) {
        self.0.count_on_main_thread(&self.0.dirty);
    }
}

impl HostParamsImplMainThread for MainThread {
    fn rescan(&self, _: ParamRescanFlags) {
        self.0.count_on_main_thread(&self.0.param_rescans);
    }

    fn clear(&self, _: ClapId, _: ParamClearFlags) {}
}

impl HostLatencyImpl for MainThread {
    fn changed(&self) {
        self.0.count_on_main_thread(&self.0.latency_changes);
    }
}

impl HostAudioPortsImpl for MainThread {
    fn is_rescan_flag_supported(&self, _: AudioPortRescanFlags) -> bool {
        false
    }

    fn rescan(&self, _: AudioPortRescanFlags) {
        self.0.count_on_main_thread(&self.0.port_rescans);
    }
}

impl HostNotePortsImpl for MainThread {
    fn supported_dialects(&self) -> NoteDialects {
        NoteDialects::CLAP | NoteDialects::MIDI
    }

    fn rescan(&self, _: NotePortRescanFlags) {
        self.0.count_on_main_thread(&self.0.port_rescans);
    }
}

/// The host's part for the audio thread.
pub struct AudioThread(pub(crate) Arc<Notices>);

impl AudioProcessorHandler<'_> for AudioThread {}

impl HostTailImpl for AudioThread {
    fn changed(&mut self) {
        self.0.tail_changes.fetch_add(1, Ordering::AcqRel);
    }
}

/// Ties the three parts together.
pub struct Handlers;

impl HostHandlers for Handlers {
    type Shared<'a> = Shared;
    type MainThread<'a> = MainThread;
    type AudioProcessor<'a> = AudioThread;

    fn declare_extensions(builder: &mut HostExtensions<Self>, _: &Shared) {
        builder
            .register::<HostAudioPorts>()
            .register::<HostGui>()
            .register::<HostLatency>()
            .register::<HostNotePorts>()
            .register::<HostParams>()
            .register::<HostState>()
            .register::<HostTail>()
            .register::<HostThreadCheck>();
    }
}
