//! Thread: audio, except that preparing is gui. Hands the framework every port it declared, whatever the host handed over.
//!
//! The framework trusts hosts here: a missing port makes it read beyond the host's list, and a missing channel makes it skip the whole
//! block. But there are hosts that hand over the main port only, and hosts that roll the channels of all ports into one. So this
//! stands between them: ports that fit pass as they are, others are put together from what is there, silence and spare room.

use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::ext::audio_ports::{CLAP_EXT_AUDIO_PORTS, clap_audio_port_info, clap_plugin_audio_ports};
use clap_sys::ext::gui::CLAP_EXT_GUI;
use clap_sys::host::clap_host;
use clap_sys::process::{CLAP_PROCESS_ERROR, clap_process, clap_process_status};
use nice_plug::wrapper::clap::clap_plugin;
use std::cell::UnsafeCell;
use std::ffi::{CStr, c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;

/// An instance as the host sees it, in front of the framework's. The order of the fields is what the casts below rely on.
#[repr(C)]
struct Guarded {
    outer: clap_plugin,
    inner: clap_plugin,
    host: *const clap_host,
    desk: UnsafeCell<Desk>,
}

/// Both directions of one activation.
struct Desk {
    inputs: Side,
    outputs: Side,
    max_frames: usize,
}

/// The ports of one direction as they were declared, and room for what the host does not hand over.
struct Side {
    ports: Vec<clap_audio_buffer>,
    /// The channels of all ports, one after the other.
    channels: Vec<*mut f32>,
    spare: Vec<Vec<f32>>,
}

/// Thread: gui. Puts the guard in front of an instance. The pointer is the host's until it calls `destroy`.
///
/// # Safety
/// `inner` is the framework's plugin, alive until its `destroy`; the host outlives it.
pub unsafe fn guard(inner: *const clap_plugin, host: *const clap_host) -> *const clap_plugin {
    // SAFETY: the caller promises that it is alive.
    let inner = unsafe { *inner };
    // Everything that is not replaced finds the framework's instance by `plugin_data`, so a copy serves as well.
    let outer = clap_plugin {
        destroy: Some(destroy),
        activate: Some(activate),
        process: Some(process),
        get_extension: Some(extension),
        ..inner
    };
    let desk = UnsafeCell::new(Desk::prepare(&[], &[], 0));
    // RT-OK: the main thread creates instances.
    Box::into_raw(Box::new(Guarded { outer, inner, host, desk })).cast_const().cast()
}

unsafe extern "C" fn destroy(plugin: *const clap_plugin) {
    // SAFETY: the host passes back what `guard` gave it, for the last time.
    let guarded = unsafe { Box::from_raw(plugin.cast_mut().cast::<Guarded>()) };
    if let Some(destroy) = guarded.inner.destroy {
        // SAFETY: the framework's own destroy, with the data it looks for.
        unsafe { destroy(&raw const guarded.outer) };
    }
}

/// The framework opens a window only with a host that can hear of it, and ends the process with any other: there is no window for those.
unsafe extern "C" fn extension(plugin: *const clap_plugin, id: *const c_char) -> *const c_void {
    // SAFETY: the host passes what `guard` gave it, and a C string that lives for the call.
    let (guarded, name) = unsafe { (&*plugin.cast::<Guarded>(), CStr::from_ptr(id)) };
    // SAFETY: the host outlives the plugin, and answers for its extensions from `init` on, before which nobody asks the plugin for its own.
    let of_host = unsafe { (*guarded.host).get_extension.map(|get| get(guarded.host, id)) };
    if name == CLAP_EXT_GUI && of_host.is_none_or(|found| found.is_null()) {
        return ptr::null();
    }
    // SAFETY: the framework's own function, with the data it looks for.
    guarded.inner.get_extension.map_or(ptr::null(), |get| unsafe { get(plugin, id) })
}

unsafe extern "C" fn activate(plugin: *const clap_plugin, rate: f64, min_frames: u32, max_frames: u32) -> bool {
    // SAFETY: the host passes what `guard` gave it.
    let guarded = unsafe { &*plugin.cast::<Guarded>() };
    // SAFETY: on the main thread, as CLAP wants these calls to be.
    let declared = |is_input| unsafe { declared_channels(plugin, is_input) };
    let desk = Desk::prepare(&declared(true), &declared(false), max_frames as usize);
    // SAFETY: CLAP never processes an instance that is not active, so nobody else looks at the desk now.
    unsafe { *guarded.desk.get() = desk };
    // SAFETY: the framework's own function, with the data it looks for.
    guarded.inner.activate.is_some_and(|activate| unsafe { activate(plugin, rate, min_frames, max_frames) })
}

unsafe extern "C" fn process(plugin: *const clap_plugin, process: *const clap_process) -> clap_process_status {
    // SAFETY: the host passes what `guard` gave it.
    let guarded = unsafe { &*plugin.cast::<Guarded>() };
    let (Some(next), false) = (guarded.inner.process, process.is_null()) else { return CLAP_PROCESS_ERROR };
    // SAFETY: not null, and the host's for the length of the call.
    let mut block = unsafe { *process };
    // SAFETY: only the audio thread is here, and `activate` is not called while the instance is active.
    let desk = unsafe { &mut *guarded.desk.get() };
    // SAFETY: the host's ports are alive for the length of the call, and so is the desk.
    unsafe {
        // A block without frames only brings parameters.
        if block.frames_count > 0 {
            let inputs = Side::handed(block.audio_inputs, block.audio_inputs_count);
            let outputs = Side::handed(block.audio_outputs, block.audio_outputs_count);
            if !desk.inputs.fits(inputs) || !desk.outputs.fits(outputs) {
                if block.frames_count as usize > desk.max_frames {
                    return CLAP_PROCESS_ERROR;
                }
                desk.inputs.gather(inputs);
                desk.outputs.gather(outputs);
                block.audio_inputs = desk.inputs.ports.as_ptr();
                block.audio_inputs_count = desk.inputs.ports.len() as u32;
                block.audio_outputs = desk.outputs.ports.as_mut_ptr();
                block.audio_outputs_count = desk.outputs.ports.len() as u32;
            }
        }
        next(plugin, &raw const block)
    }
}

/// Thread: gui. How many channels each port has.
///
/// # Safety
/// `plugin` is alive, and this is its main thread.
unsafe fn declared_channels(plugin: *const clap_plugin, is_input: bool) -> Vec<u32> {
    // SAFETY: as the caller promises; the extension lives as long as the plugin, and `info` is written when `get` says so.
    unsafe {
        let ports = (*plugin).get_extension.map_or(ptr::null(), |get| get(plugin, CLAP_EXT_AUDIO_PORTS.as_ptr()));
        let Some(ports) = ports.cast::<clap_plugin_audio_ports>().as_ref() else { return Vec::default() };
        let (Some(count), Some(get)) = (ports.count, ports.get) else { return Vec::default() };
        let channels = |index| {
            let mut info = MaybeUninit::<clap_audio_port_info>::zeroed();
            get(plugin, index, is_input, info.as_mut_ptr()).then(|| info.assume_init().channel_count)
        };
        (0..count(plugin, is_input)).map_while(channels).collect()
    }
}

impl Desk {
    fn prepare(inputs: &[u32], outputs: &[u32], max_frames: usize) -> Self {
        Self { inputs: Side::prepare(inputs, max_frames), outputs: Side::prepare(outputs, max_frames), max_frames }
    }
}

impl Side {
    fn prepare(ports: &[u32], max_frames: usize) -> Self {
        let channels = ports.iter().sum::<u32>() as usize;
        let port = |&channel_count: &u32| clap_audio_buffer {
            data32: ptr::null_mut(),
            data64: ptr::null_mut(),
            channel_count,
            latency: 0,
            constant_mask: 0,
        };
        Self {
            ports: ports.iter().map(port).collect(),
            channels: vec![ptr::null_mut(); channels],
            spare: vec![vec![0.0; max_frames]; channels],
        }
    }

    /// # Safety
    /// `ports` is null or points to `count` ports that outlive the slice.
    unsafe fn handed<'a>(ports: *const clap_audio_buffer, count: u32) -> &'a [clap_audio_buffer] {
        if ports.is_null() {
            return &[];
        }
        // SAFETY: as the caller promises.
        unsafe { std::slice::from_raw_parts(ports, count as usize) }
    }

    /// Whether the host handed over exactly what was declared.
    ///
    /// # Safety
    /// The ports are the host's for this block.
    unsafe fn fits(&self, host: &[clap_audio_buffer]) -> bool {
        host.len() == self.ports.len()
            && host.iter().zip(&self.ports).all(|(given, declared)| {
                given.channel_count == declared.channel_count
                    // SAFETY: as the caller promises.
                    && (0..given.channel_count).all(|channel| unsafe { channel_of(given, channel) }.is_some())
            })
    }

    /// Puts the declared ports together: port by port, or, when the host has rolled them all into one, channel by channel.
    ///
    /// # Safety
    /// The ports are the host's for this block, and no longer than the spare room.
    unsafe fn gather(&mut self, host: &[clap_audio_buffer]) {
        let rolled = host.len() == 1 && self.ports.len() > 1;
        let mut flat = 0;
        for (index, port) in self.ports.iter().enumerate() {
            for channel in 0..port.channel_count {
                let (from, number) = if rolled { (host.first(), flat as u32) } else { (host.get(index), channel) };
                // SAFETY: as the caller promises.
                let given = from.and_then(|from| unsafe { channel_of(from, number) });
                self.channels[flat] = given.unwrap_or(self.spare[flat].as_mut_ptr());
                flat += 1;
            }
        }
        let mut rest = self.channels.as_mut_ptr();
        for port in &mut self.ports {
            port.data32 = rest;
            // SAFETY: there are as many channels as all ports have together.
            rest = unsafe { rest.add(port.channel_count as usize) };
        }
    }
}

/// The samples of a channel, when the port has it.
///
/// # Safety
/// The port is the host's for this block.
unsafe fn channel_of(port: &clap_audio_buffer, channel: u32) -> Option<*mut f32> {
    if channel >= port.channel_count || port.data32.is_null() {
        return None;
    }
    // SAFETY: the port has as many pointers as it says.
    let samples = unsafe { *port.data32.add(channel as usize) };
    (!samples.is_null()).then_some(samples)
}
