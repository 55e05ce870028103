//! The thread that processes blocks, with whatever buffers, events and transport it is told.

use super::calls::Handlers;
use clack_host::events::event_types::{NoteOffEvent, NoteOnEvent, ParamValueEvent, TransportEvent};
use clack_host::events::io::EventBuffer;
use clack_host::events::{Match, Pckn};
use clack_host::prelude::{
    AudioPortBuffer, AudioPortBufferType, AudioPorts, InputChannel, StoppedPluginAudioProcessor,
};
use clack_host::utils::ClapId;
use std::sync::mpsc::{Receiver, Sender};

/// One block.
pub struct Block {
    pub frames: usize,
    pub sound: Sound,
    pub transport: Option<TransportEvent>,
    pub params: Vec<(u32, ClapId, f64)>,
    /// Time, channel, key, velocity; an end where the velocity is 0.
    pub notes: Vec<(u32, u16, u16, f64)>,
    /// Channels of each port.
    pub ports: (Vec<usize>, Vec<usize>),
    pub reset: bool,
}

/// What the inputs carry.
#[derive(Clone, Copy, PartialEq)]
pub enum Sound {
    Silence,
    Tone,
    /// No numbers, infinities, and numbers too small to be normal.
    Nonsense,
    Loud,
}

/// Processes blocks until nobody has more; tells how each went.
pub fn serve(
    stopped: StoppedPluginAudioProcessor<Handlers>,
    blocks: &Receiver<Block>,
    done: &Sender<&'static str>,
) -> StoppedPluginAudioProcessor<Handlers> {
    let mut processor = match stopped.start_processing() {
        Ok(started) => started,
        Err(error) => return error.into_stopped_processor(),
    };
    let mut steady = 0;
    for block in blocks {
        if block.reset {
            processor.reset();
        }
        let said = run(&mut processor, &block, steady);
        steady += block.frames as u64;
        if done.send(said).is_err() {
            break;
        }
    }
    processor.stop_processing()
}

fn run(
    processor: &mut clack_host::prelude::StartedPluginAudioProcessor<Handlers>,
    block: &Block,
    steady: u64,
) -> &'static str {
    let buffers = |ports: &[usize], fill: &dyn Fn(usize) -> f32| -> Vec<Vec<Vec<f32>>> {
        let channel = || (0..block.frames).map(fill).collect();
        ports.iter().map(|&channels| (0..channels).map(|_| channel()).collect()).collect()
    };
    let sample = |frame: usize| match block.sound {
        Sound::Silence => 0.0,
        Sound::Tone => ((steady as usize + frame) as f32 * 0.043).sin() * 0.4,
        Sound::Nonsense => [f32::NAN, f32::INFINITY, -f32::INFINITY, 1e-42, f32::MAX, -0.0][frame % 6],
        Sound::Loud => {
            if frame % 2 == 0 {
                90.0
            } else {
                -90.0
            }
        }
    };
    let mut inputs = buffers(&block.ports.0, &sample);
    let mut outputs = buffers(&block.ports.1, &|_| f32::NAN);
    let count = |ports: &[usize]| ports.iter().sum::<usize>();
    let mut input_ports = AudioPorts::with_capacity(count(&block.ports.0), block.ports.0.len());
    let mut output_ports = AudioPorts::with_capacity(count(&block.ports.1), block.ports.1.len());
    let mut events = EventBuffer::with_capacity(block.params.len() + block.notes.len());
    for &(time, id, value) in &block.params {
        events.push(&ParamValueEvent::new(time, id, Pckn::match_all(), value));
    }
    for &(time, channel, key, velocity) in &block.notes {
        let place = Pckn::new(0_u16, channel, key, Match::All);
        if velocity == 0.0 {
            events.push(&NoteOffEvent::new(time, place, 0.0));
        } else {
            events.push(&NoteOnEvent::new(time, place, velocity));
        }
    }
    let mut answers = EventBuffer::new();
    let given = input_ports.with_input_buffers(inputs.iter_mut().map(|channels| AudioPortBuffer {
        latency: 0,
        channels: AudioPortBufferType::f32_input_only(
            channels.iter_mut().map(|samples| InputChannel { buffer: samples, is_constant: false }),
        ),
    }));
    let mut taken = output_ports.with_output_buffers(outputs.iter_mut().map(|channels| AudioPortBuffer {
        latency: 0,
        channels: AudioPortBufferType::f32_output_only(channels.iter_mut().map(Vec::as_mut_slice)),
    }));
    let result = processor.process(
        &given,
        &mut taken,
        &events.as_input(),
        &mut answers.as_output(),
        Some(steady),
        block.transport.as_ref(),
    );
    if result.is_err() {
        return "refused";
    }
    let written = outputs.iter().flatten().flatten().all(|sample| sample.is_finite());
    assert!(written || block.sound == Sound::Nonsense, "an output that is no number or was not written");
    "processed"
}
