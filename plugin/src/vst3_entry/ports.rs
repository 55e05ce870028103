//! Thread: audio. Ports that a host left out are made up for, so that the framework always sees those that were declared.
//!
//! The guard stands in the table of functions that an instance's audio interface points at: a copy of the framework's own with another
//! `process`, and behind it the buffers that it hands on. Each instance has its own.

use crate::Cantus;
use nice_plug::wrapper::vst3::Wrapper;
use nice_plug::wrapper::vst3::vst3::ComWrapper;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, IAudioProcessor, IAudioProcessorVtbl, ProcessData, ProcessSetup,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{kResultOk, tresult};
use std::sync::atomic::{AtomicPtr, Ordering};

/// Declared ports of a side, the main one first, and the channels of each.
const INPUTS: usize = 2;
const OUTPUTS: usize = 9;
const CHANNELS: usize = 2;
/// Places in the lists of ports.
const ROOM: usize = 2 * OUTPUTS;

/// What an instance's audio interface points at.
#[repr(C)]
struct Guarded {
    /// First, because the host and the framework see nothing else.
    table: IAudioProcessorVtbl,
    framework: *const IAudioProcessorVtbl,
    /// Exchanged whole, because not every host keeps its blocks and its setting up apart.
    spare: AtomicPtr<Spare>,
    pointers: [[*mut f32; CHANNELS]; OUTPUTS],
    /// Longer than what is declared: the framework looks at ports behind the last, and measures inputs by the number of outputs.
    outputs: [AudioBusBuffers; ROOM],
    inputs: [AudioBusBuffers; ROOM],
}

/// A sample for every frame of every channel that is left out, outputs only: inputs may be left out, the framework copes.
struct Spare {
    samples: Box<[f32]>,
    /// Of one channel.
    frames: usize,
}

impl Spare {
    /// Room for blocks of so many frames. It is never freed: a block may still be writing to it.
    fn leaked(frames: usize) -> *mut Self {
        // RT-OK: the host sets up outside of audio.
        let samples = vec![0.0; frames * OUTPUTS * CHANNELS].into_boxed_slice();
        // RT-OK: as above.
        Box::into_raw(Box::new(Self { samples, frames }))
    }
}

const NO_PORT: AudioBusBuffers = AudioBusBuffers {
    numChannels: 0,
    silenceFlags: 0,
    __field0: AudioBusBuffers__type0 { channelBuffers32: std::ptr::null_mut() },
};

/// Puts the guard in front of a new instance. It stays for as long as the program runs, because nobody can tell when the last call of
/// an interface is over; its buffers only grow.
pub(super) fn guard(instance: &ComWrapper<Wrapper<Cantus>>) {
    let Some(processor) = instance.as_com_ref::<IAudioProcessor>() else { return };
    let processor = processor.as_ptr();
    // SAFETY: the interface was just made and nobody else knows it yet. It points at a table that lives for ever, and so does the one
    // that it points at from now on.
    unsafe {
        let framework = (*processor).vtbl;
        let mut table = *framework;
        table.process = process;
        table.setupProcessing = set_up;
        let guarded = Guarded {
            table,
            framework,
            spare: AtomicPtr::new(Spare::leaked(0)),
            pointers: [[std::ptr::null_mut(); CHANNELS]; OUTPUTS],
            outputs: [NO_PORT; ROOM],
            inputs: [NO_PORT; ROOM],
        };
        // RT-OK: as above.
        (*processor).vtbl = (&raw const Box::leak(Box::new(guarded)).table);
    }
}

/// The guard of an interface.
///
/// # Safety
/// `this` has been given to [`guard`], and the host makes one call at a time of those that are guarded, as VST3 says.
unsafe fn guarded<'a>(this: *mut IAudioProcessor) -> &'a mut Guarded {
    // SAFETY: the table is the first field of what `guard` leaked.
    unsafe { &mut *(*this).vtbl.cast_mut().cast::<Guarded>() }
}

/// Thread: gui. Makes room for blocks of the longest size.
unsafe extern "system" fn set_up(this: *mut IAudioProcessor, setup: *mut ProcessSetup) -> tresult {
    // SAFETY: called by the host on a guarded instance, never while it processes.
    unsafe {
        let guarded = guarded(this);
        if let Some(setup) = setup.as_ref() {
            let frames = usize::try_from(setup.maxSamplesPerBlock).unwrap_or(0);
            if frames > (*guarded.spare.load(Ordering::Acquire)).frames {
                guarded.spare.store(Spare::leaked(frames), Ordering::Release);
            }
        }
        ((*guarded.framework).setupProcessing)(this, setup)
    }
}

/// One block: the framework's, with every declared port there.
unsafe extern "system" fn process(this: *mut IAudioProcessor, data: *mut ProcessData) -> tresult {
    // SAFETY: called by the host on a guarded instance with a block's data, whose ports and channels are as many as it says.
    unsafe {
        let guarded = guarded(this);
        let Some(block) = data.as_ref() else { return kResultOk };
        let mut whole = *block;
        let frames = usize::try_from(block.numSamples).unwrap_or(0);
        let spare = &mut *guarded.spare.load(Ordering::Acquire);
        let room = spare.frames;
        let outputs = usize::try_from(block.numOutputs).unwrap_or(0).min(OUTPUTS);
        let main_is_there = outputs > 0 && !block.outputs.is_null() && (*block.outputs).numChannels > 0;
        // A block without a main output is no block of sound but of parameters. One channel is the mono layout, which has no stems.
        if frames == 0 || frames > room || !main_is_there || (*block.outputs).numChannels != CHANNELS as i32 {
            return ((*guarded.framework).process)(this, data);
        }
        for port in 0..OUTPUTS {
            let given = (port < outputs).then(|| *block.outputs.add(port));
            let given = given.filter(|bus| !bus.__field0.channelBuffers32.is_null());
            for channel in 0..CHANNELS {
                let theirs = given.filter(|bus| channel < usize::try_from(bus.numChannels).unwrap_or(0));
                let theirs =
                    theirs.map(|bus| *bus.__field0.channelBuffers32.add(channel)).filter(|samples| !samples.is_null());
                let unused = spare.samples.as_mut_ptr().add((port * CHANNELS + channel) * room);
                guarded.pointers[port][channel] = theirs.unwrap_or(unused);
            }
            guarded.outputs[port] = AudioBusBuffers {
                numChannels: CHANNELS as i32,
                silenceFlags: 0,
                __field0: AudioBusBuffers__type0 { channelBuffers32: guarded.pointers[port].as_mut_ptr() },
            };
        }
        // The framework looks one port beyond those that there are.
        let inputs = if block.inputs.is_null() { 0 } else { usize::try_from(block.numInputs).unwrap_or(0).min(INPUTS) };
        for port in 0..INPUTS {
            let given = (port < inputs).then(|| *block.inputs.add(port)).filter(|bus| bus.numChannels > 0);
            guarded.inputs[port] = given.unwrap_or(NO_PORT);
        }
        (whole.numOutputs, whole.outputs) = (OUTPUTS as i32, guarded.outputs.as_mut_ptr());
        (whole.numInputs, whole.inputs) = (INPUTS as i32, guarded.inputs.as_mut_ptr());
        ((*guarded.framework).process)(this, &raw mut whole)
    }
}
