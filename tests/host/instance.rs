//! Thread: main. One instance of the plugin: its parameters, state and audio, from the calling thread's view.

use crate::audio_thread::{self, Order, Pace, ParamChange};
use crate::error::HostError;
use crate::handlers::{AudioThread, Handlers, MainThread, Notices, Shared};
use crate::heard::{Heard, RunEnd};
use crate::parameters::Param;
use crate::ports::Ports;
use crate::song::Song;
use clack_extensions::latency::PluginLatency;
use clack_extensions::params::PluginParams;
use clack_extensions::render::{PluginRender, RenderMode};
use clack_extensions::state::PluginState;
use clack_extensions::tail::PluginTail;
use clack_host::events::Pckn;
use clack_host::events::event_types::ParamValueEvent;
use clack_host::events::io::EventBuffer;
use clack_host::prelude::{
    HostInfo, PluginAudioConfiguration, PluginEntry, PluginInstance, StoppedPluginAudioProcessor,
};
use std::ffi::{CStr, CString};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often the main thread looks after the plugin's requests while audio runs.
const PUMP_INTERVAL: Duration = Duration::from_millis(1);

/// Rate and blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioSetup {
    /// Frames per second.
    pub rate: u32,
    /// Largest block.
    pub max_block: usize,
    /// Block sizes in turn, for hosts whose blocks vary. Empty: always the largest.
    pub block_pattern: Vec<usize>,
}

impl AudioSetup {
    /// Blocks of one size.
    pub fn new(rate: u32, block: usize) -> Self {
        Self { rate, max_block: block, block_pattern: Vec::new() }
    }
}

struct Active {
    orders: Sender<Order>,
    replies: Receiver<Result<Box<RunEnd>, HostError>>,
    thread: JoinHandle<StoppedPluginAudioProcessor<Handlers>>,
}

/// A plugin instance. Dropping it deactivates and destroys the plugin.
pub struct Instance {
    // Dropped in this order: the audio thread ends in `Drop` before the plugin goes.
    active: Option<Active>,
    pub(crate) plugin: PluginInstance<Handlers>,
    notices: Arc<Notices>,
    params: Vec<Param>,
    ports: Ports,
    changes: Vec<ParamChange>,
}

impl Instance {
    pub(crate) fn new(entry: &PluginEntry, id: &CStr) -> Result<Self, HostError> {
        let info = HostInfo::new("Cantus test host", "Cantus", "https://example.invalid", env!("CARGO_PKG_VERSION"))
            .map_err(|error| HostError::of("Cannot describe this host", error))?;
        let notices = Arc::new(Notices::new());
        let (shared, main) = (Arc::clone(&notices), Arc::clone(&notices));
        let mut plugin = PluginInstance::new(|_| Shared(shared), |_| MainThread(main), entry, id, &info)
            .map_err(|error| HostError::of("The plugin cannot be created", error))?;
        let handle = plugin.plugin_handle();
        let params =
            handle.get_extension().map(|params: PluginParams| Param::list(&params, &handle)).unwrap_or_default();
        let ports = Ports::read(&handle)?;
        Ok(Self { active: None, plugin, notices, params, ports, changes: Vec::new() })
    }

    /// What the plugin asked for so far.
    pub fn notices(&self) -> &Notices {
        &self.notices
    }

    /// Audio inputs and outputs.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Hands over other ports than the plugin declared from the next activation on, as careless hosts do.
    pub fn offer(&mut self, ports: Ports) {
        self.ports = ports;
    }

    /// All parameters, in the plugin's order.
    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// A parameter by the name a user reads, whatever its case.
    ///
    /// # Errors
    /// When there is none: the sentence lists those there are.
    pub fn find_param(&self, name: &str) -> Result<Param, HostError> {
        let found = self.params.iter().find(|param| param.name.eq_ignore_ascii_case(name));
        found.cloned().ok_or_else(|| {
            let names: Vec<_> = self.params.iter().map(|param| param.name.as_str()).collect();
            HostError(format!("No parameter is called \"{name}\". There are: {}.", names.join(", ")))
        })
    }

    fn params_extension(&mut self) -> Result<PluginParams, HostError> {
        self.plugin.plugin_handle().get_extension().ok_or_else(|| HostError("The plugin has no parameters.".into()))
    }

    /// The CLAP value of a parameter.
    ///
    /// # Errors
    /// When the plugin does not know the parameter.
    pub fn value(&mut self, param: &Param) -> Result<f64, HostError> {
        let value = self.params_extension()?.get_value(&self.plugin.plugin_handle(), param.id);
        value.ok_or_else(|| HostError(format!("The plugin gives no value for \"{}\".", param.name)))
    }

    /// A CLAP value as the user reads it.
    ///
    /// # Errors
    /// When the plugin has no text for it.
    pub fn text_of(&mut self, param: &Param, value: f64) -> Result<String, HostError> {
        let mut buffer = [0; 256];
        let text = self.params_extension()?.value_to_text(&self.plugin.plugin_handle(), param.id, value, &mut buffer);
        text.map(|text| String::from_utf8_lossy(text).into_owned())
            .map_err(|_| HostError(format!("The plugin has no text for {value} of \"{}\".", param.name)))
    }

    /// The CLAP value of a text as the user would type it.
    ///
    /// # Errors
    /// When the plugin does not understand the text.
    pub fn value_of(&mut self, param: &Param, text: &str) -> Result<f64, HostError> {
        let refused = || HostError(format!("The plugin does not take \"{text}\" for \"{}\".", param.name));
        let typed = CString::new(text).map_err(|_| refused())?;
        self.params_extension()?.text_to_value(&self.plugin.plugin_handle(), param.id, &typed).ok_or_else(refused)
    }

    /// Changes a parameter to a CLAP value at the start of the next run.
    pub fn set(&mut self, param: &Param, value: f64) {
        self.set_at(param, value, 0);
    }

    /// Changes a parameter to a CLAP value at a frame of the next run.
    pub fn set_at(&mut self, param: &Param, value: f64, run_frame: usize) {
        self.changes.push(ParamChange { run_frame, id: param.id, value });
    }

    /// Changes a parameter, by name, to what the user would type: a number, a choice's name, "on".
    ///
    /// # Errors
    /// When there is no such parameter, or it does not take the text.
    pub fn set_text(&mut self, name: &str, text: &str) -> Result<(), HostError> {
        let param = self.find_param(name)?;
        let value = self.value_of(&param, text)?;
        self.set(&param, value);
        Ok(())
    }

    /// Turns a switch on or off, by name, at the start of the next run.
    ///
    /// # Errors
    /// When there is no such parameter.
    pub fn switch(&mut self, name: &str, on: bool) -> Result<(), HostError> {
        let param = self.find_param(name)?;
        self.set(&param, if on { param.max } else { param.min });
        Ok(())
    }

    /// Applies the changes that wait, without audio. Only while not active.
    ///
    /// # Errors
    /// When the plugin is active: then the next run applies them.
    pub fn flush(&mut self) -> Result<(), HostError> {
        let extension = self.params_extension()?;
        let changes = std::mem::take(&mut self.changes);
        let Some(mut plugin) = self.plugin.inactive_plugin_handle() else {
            self.changes = changes;
            return Err(HostError("Parameters of a running plugin change with its audio.".into()));
        };
        let mut events = EventBuffer::with_capacity(changes.len());
        for change in changes {
            events.push(&ParamValueEvent::new(0, change.id, Pckn::match_all(), change.value));
        }
        let mut answers = EventBuffer::new();
        extension.flush(&mut plugin, &events.as_input(), &mut answers.as_output());
        Ok(())
    }

    /// What the project would hold.
    ///
    /// # Errors
    /// When the plugin cannot save.
    pub fn save_state(&mut self) -> Result<Vec<u8>, HostError> {
        let mut bytes = Vec::new();
        let plugin = self.plugin.plugin_handle();
        let state: PluginState =
            plugin.get_extension().ok_or_else(|| HostError("The plugin keeps no state.".into()))?;
        state.save(&plugin, &mut bytes).map_err(|error| HostError::of("The plugin cannot save", error))?;
        Ok(bytes)
    }

    /// Restores what a project held.
    ///
    /// # Errors
    /// When the plugin refuses the bytes.
    pub fn load_state(&mut self, bytes: &[u8]) -> Result<(), HostError> {
        let plugin = self.plugin.plugin_handle();
        let state: PluginState =
            plugin.get_extension().ok_or_else(|| HostError("The plugin keeps no state.".into()))?;
        let mut reader = bytes;
        state.load(&plugin, &mut reader).map_err(|error| HostError::of("The plugin cannot restore", error))
    }

    /// Frames the plugin delays its input.
    pub fn latency(&mut self) -> u32 {
        let plugin = self.plugin.plugin_handle();
        plugin.get_extension().map_or(0, |latency: PluginLatency| latency.get(&plugin))
    }

    /// Whether the plugin says how long it rings on.
    pub fn has_tail(&mut self) -> bool {
        self.plugin.plugin_handle().get_extension::<PluginTail>().is_some()
    }

    /// Switches to rendering faster than real time, or back.
    ///
    /// # Errors
    /// When the plugin refuses.
    pub fn set_offline(&mut self, offline: bool) -> Result<(), HostError> {
        let plugin = self.plugin.plugin_handle();
        let render: PluginRender =
            plugin.get_extension().ok_or_else(|| HostError("The plugin cannot render offline.".into()))?;
        let mode = if offline { RenderMode::Offline } else { RenderMode::Realtime };
        render.set(&plugin, mode).map_err(|error| HostError::of("The plugin refuses the render mode", error))
    }

    /// Activates the plugin and starts its audio thread.
    ///
    /// # Errors
    /// When it is active already, or the plugin refuses rate or block size.
    pub fn activate(&mut self, setup: &AudioSetup) -> Result<(), HostError> {
        let configuration = PluginAudioConfiguration {
            sample_rate: f64::from(setup.rate),
            min_frames_count: 1,
            max_frames_count: setup.max_block as u32,
        };
        let notices = Arc::clone(&self.notices);
        let stopped = self
            .plugin
            .activate(|_, _| AudioThread(notices), configuration)
            .map_err(|error| HostError::of("The plugin cannot be activated", error))?;
        let (orders, to_do) = channel();
        let (done, replies) = channel();
        let (setup, ports) = (setup.clone(), self.ports.clone());
        let thread = std::thread::Builder::new()
            .name("host audio".into())
            .spawn(move || audio_thread::serve(stopped, &setup, &ports, &to_do, &done))
            .map_err(|error| HostError::of("Cannot start the audio thread", error))?;
        self.active = Some(Active { orders, replies, thread });
        Ok(())
    }

    /// Stops the audio thread and deactivates the plugin. Does nothing when it is not active.
    ///
    /// # Errors
    /// When the audio thread ended with a panic.
    pub fn deactivate(&mut self) -> Result<(), HostError> {
        let Some(Active { orders, thread, .. }) = self.active.take() else { return Ok(()) };
        drop(orders);
        // A plugin may wait for its main thread while it stops.
        while !thread.is_finished() {
            self.pump();
            std::thread::sleep(PUMP_INTERVAL);
        }
        let stopped = thread.join().map_err(|_| HostError("The audio thread panicked.".into()))?;
        self.plugin.deactivate(stopped);
        Ok(())
    }

    fn active(&self) -> Result<&Active, HostError> {
        self.active.as_ref().ok_or_else(|| HostError("The plugin is not active.".into()))
    }

    /// Makes the plugin forget what sounds.
    ///
    /// # Errors
    /// When it is not active.
    pub fn reset(&mut self) -> Result<(), HostError> {
        self.active()?.orders.send(Order::Reset).map_err(|_| HostError("The audio thread has ended.".into()))
    }

    /// Lets `frames` pass through the plugin, and answers its main-thread requests meanwhile.
    ///
    /// # Errors
    /// When the plugin is not active or fails.
    pub fn run(&mut self, song: &mut Song, frames: usize, pace: Pace) -> Result<Heard, HostError> {
        let changes = std::mem::take(&mut self.changes);
        let order = Order::Run { song: Box::new(song.clone()), frames, changes, pace };
        self.active()?.orders.send(order).map_err(|_| HostError("The audio thread has ended.".into()))?;
        loop {
            match self.active()?.replies.recv_timeout(PUMP_INTERVAL) {
                Ok(end) => {
                    let end = end?;
                    *song = end.song;
                    self.pump();
                    return Ok(end.heard);
                }
                Err(RecvTimeoutError::Timeout) => self.pump(),
                Err(RecvTimeoutError::Disconnected) => return Err(HostError("The audio thread has ended.".into())),
            }
        }
    }

    /// Answers what the plugin asked of its main thread, once.
    pub fn pump(&mut self) {
        if self.notices.take_callback() {
            self.plugin.call_on_main_thread_callback();
        }
        // While audio runs, every block flushes anyway.
        if self.active.is_none() && self.notices.take_flush() {
            self.flush().ok();
        }
    }

    /// Answers the plugin's requests for a while, without audio.
    pub fn idle(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.pump();
            std::thread::sleep(PUMP_INTERVAL);
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // An audio thread that panicked was reported by the run it broke.
        self.deactivate().ok();
    }
}
