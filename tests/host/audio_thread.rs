//! Thread: audio. The thread that runs the plugin's blocks, and nothing else of the plugin.

use crate::cost::Meter;
use crate::error::HostError;
use crate::handlers::{self, Handlers};
use crate::heard::{Block, Heard, HeardNote, RunEnd, Stretch};
use crate::instance::AudioSetup;
use crate::ports::{Port, Ports};
use crate::song::Song;
use crate::transport;
use clack_host::events::event_types::{NoteOffEvent, NoteOnEvent, ParamValueEvent};
use clack_host::events::io::EventBuffer;
use clack_host::events::spaces::CoreEventSpace;
use clack_host::events::{Match, Pckn};
use clack_host::prelude::{
    AudioPortBuffer, AudioPortBufferType, AudioPorts, InputChannel, StartedPluginAudioProcessor,
    StoppedPluginAudioProcessor,
};
use clack_host::utils::ClapId;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

/// How fast a run goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// One block after the other.
    Unbounded,
    /// At most this many times faster than it sounds.
    Times(f64),
}

/// A parameter change at a frame of the next run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ParamChange {
    pub run_frame: usize,
    pub id: ClapId,
    pub value: f64,
}

/// What the main thread asks of the audio thread.
pub(crate) enum Order {
    /// Let `frames` of the song pass.
    Run { song: Box<Song>, frames: usize, changes: Vec<ParamChange>, pace: Pace },
    /// Forget what sounds.
    Reset,
}

type Processor = Result<StartedPluginAudioProcessor<Handlers>, StoppedPluginAudioProcessor<Handlers>>;

/// Serves orders until the main thread hangs up; returns the stopped processor.
pub(crate) fn serve(
    stopped: StoppedPluginAudioProcessor<Handlers>,
    setup: &AudioSetup,
    ports: &Ports,
    orders: &Receiver<Order>,
    replies: &Sender<Result<Box<RunEnd>, HostError>>,
) -> StoppedPluginAudioProcessor<Handlers> {
    handlers::become_audio_thread();
    let mut desk = Desk::new(setup, ports);
    let mut processor: Processor = Err(stopped);
    for order in orders {
        processor =
            processor.or_else(|stopped| stopped.start_processing().map_err(|error| error.into_stopped_processor()));
        match (order, &mut processor) {
            (Order::Run { song, frames, changes, pace }, Ok(started)) => {
                let end = desk.run(started, *song, frames, &changes, pace).map(Box::new);
                if replies.send(end).is_err() {
                    break;
                }
            }
            (Order::Run { .. }, Err(_)) => {
                let refused = HostError("The plugin refuses to start processing.".into());
                if replies.send(Err(refused)).is_err() {
                    break;
                }
            }
            (Order::Reset, Ok(started)) => started.reset(),
            (Order::Reset, Err(stopped)) => stopped.reset(),
        }
    }
    match processor {
        Ok(started) => started.stop_processing(),
        Err(stopped) => stopped,
    }
}

/// The buffers between the song and the plugin, kept over all runs.
struct Desk {
    setup: AudioSetup,
    /// `[port][channel][frame]`
    inputs: Vec<Vec<Vec<f32>>>,
    outputs: Vec<Vec<Vec<f32>>>,
    input_ports: AudioPorts,
    output_ports: AudioPorts,
    events_in: EventBuffer,
    events_out: EventBuffer,
    /// Frames since activation.
    host_frame: u64,
    blocks_done: usize,
}

impl Desk {
    fn new(setup: &AudioSetup, ports: &Ports) -> Self {
        let buffers = |ports: &[Port]| -> Vec<Vec<Vec<f32>>> {
            ports.iter().map(|port| vec![vec![0.0; setup.max_block]; port.channels]).collect()
        };
        // The capacities are exact: growing inside would leave clack-host with stale pointers.
        let channels = |ports: &[Port]| ports.iter().map(|port| port.channels).sum();
        Self {
            inputs: buffers(&ports.inputs),
            outputs: buffers(&ports.outputs),
            input_ports: AudioPorts::with_capacity(channels(&ports.inputs), ports.inputs.len()),
            output_ports: AudioPorts::with_capacity(channels(&ports.outputs), ports.outputs.len()),
            events_in: EventBuffer::with_capacity(64),
            events_out: EventBuffer::with_capacity(64),
            setup: setup.clone(),
            host_frame: 0,
            blocks_done: 0,
        }
    }

    fn next_block_size(&mut self) -> usize {
        let pattern = &self.setup.block_pattern;
        let size = pattern.get(self.blocks_done % pattern.len().max(1)).copied().unwrap_or(self.setup.max_block);
        self.blocks_done += 1;
        size.clamp(1, self.setup.max_block)
    }

    fn run(
        &mut self,
        processor: &mut StartedPluginAudioProcessor<Handlers>,
        mut song: Song,
        frames: usize,
        changes: &[ParamChange],
        pace: Pace,
    ) -> Result<RunEnd, HostError> {
        let mut heard = Heard { rate: self.setup.rate, ..Heard::default() };
        heard.outputs = self.outputs.iter().map(|port| vec![Vec::with_capacity(frames); port.len()]).collect();
        let began = Instant::now();
        let mut done = 0;
        while done < frames {
            let size = self.next_block_size().min(frames - done);
            done += self.block(processor, &mut song, size, done, changes, &mut heard)?;
            if let Pace::Times(factor) = pace {
                let due = Duration::from_secs_f64(done as f64 / (f64::from(self.setup.rate) * factor));
                std::thread::sleep(due.saturating_sub(began.elapsed()));
            }
        }
        Ok(RunEnd { heard, song })
    }

    /// Runs one block of at most `max_frames` and returns its length.
    fn block(
        &mut self,
        processor: &mut StartedPluginAudioProcessor<Handlers>,
        song: &mut Song,
        max_frames: usize,
        run_frame: usize,
        changes: &[ParamChange],
        heard: &mut Heard,
    ) -> Result<usize, HostError> {
        let clock_before = song.clock.clone();
        let span = song.clock.advance(max_frames);
        let frames = span.frames;
        let transport = transport::event(&clock_before, &span);

        self.fill_inputs(song, &span, run_frame, heard);
        self.fill_events(song, &span, run_frame, changes);
        for samples in self.outputs.iter_mut().flatten() {
            samples[..frames].fill(f32::NAN);
        }

        let inputs = self.input_ports.with_input_buffers(self.inputs.iter_mut().map(|channels| AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_input_only(
                channels.iter_mut().map(|samples| InputChannel { buffer: &mut samples[..frames], is_constant: false }),
            ),
        }));
        let mut outputs =
            self.output_ports.with_output_buffers(self.outputs.iter_mut().map(|channels| AudioPortBuffer {
                latency: 0,
                channels: AudioPortBufferType::f32_output_only(
                    channels.iter_mut().map(|samples| &mut samples[..frames]),
                ),
            }));
        let meter = Meter::start();
        let result = processor.process(
            &inputs,
            &mut outputs,
            &self.events_in.as_input(),
            &mut self.events_out.as_output(),
            Some(self.host_frame),
            transport.as_ref(),
        );
        let cost = meter.stop();
        result.map_err(|error| HostError::of("The plugin failed to process a block", error))?;

        self.host_frame += frames as u64;
        heard.blocks.push(Block { run_frame, frames, cost });
        self.keep_outputs(frames, run_frame, heard);
        Ok(frames)
    }

    fn fill_inputs(&mut self, song: &Song, span: &crate::clock::Span, run_frame: usize, heard: &mut Heard) {
        for (port, channels) in self.inputs.iter_mut().enumerate() {
            for (channel, samples) in channels.iter_mut().enumerate() {
                let mut rest = &mut samples[..span.frames];
                rest.fill(0.0);
                let mut live_frame = self.host_frame;
                for &piece in &span.pieces {
                    let (mine, after) = rest.split_at_mut(piece.frames);
                    song.mix_into(port, channel, piece, span.playing, live_frame, mine);
                    live_frame += piece.frames as u64;
                    rest = after;
                }
            }
        }
        if span.playing {
            let mut at = run_frame;
            for piece in &span.pieces {
                match heard.stretches.last_mut() {
                    Some(last) if last.song_frame + last.frames as i64 == piece.song_frame => {
                        last.frames += piece.frames
                    }
                    _ => heard.stretches.push(Stretch {
                        run_frame: at,
                        song_frame: piece.song_frame,
                        frames: piece.frames,
                    }),
                }
                at += piece.frames;
            }
        }
    }

    fn fill_events(&mut self, song: &Song, span: &crate::clock::Span, run_frame: usize, changes: &[ParamChange]) {
        self.events_in.clear();
        self.events_out.clear();
        for change in changes {
            let offset = change.run_frame.checked_sub(run_frame).filter(|&offset| offset < span.frames);
            if let Some(offset) = offset {
                self.events_in.push(&ParamValueEvent::new(offset as u32, change.id, Pckn::match_all(), change.value));
            }
        }
        if !span.playing {
            return;
        }
        let mut piece_start = 0;
        for &piece in &span.pieces {
            for (offset, starts, note) in song.note_edges(piece) {
                let time = (piece_start + offset) as u32;
                let pckn = Pckn::new(0u16, u16::from(note.channel), u16::from(note.key), Match::All);
                if starts {
                    self.events_in.push(&NoteOnEvent::new(time, pckn, note.velocity));
                } else {
                    self.events_in.push(&NoteOffEvent::new(time, pckn, 0.0));
                }
            }
            piece_start += piece.frames;
        }
        self.events_in.sort();
    }

    fn keep_outputs(&mut self, frames: usize, run_frame: usize, heard: &mut Heard) {
        for (kept, channels) in heard.outputs.iter_mut().zip(&self.outputs) {
            for (samples, new) in kept.iter_mut().zip(channels) {
                heard.non_finite_samples += new[..frames].iter().filter(|sample| !sample.is_finite()).count();
                samples.extend_from_slice(&new[..frames]);
            }
        }
        for event in &self.events_out {
            heard.notes.extend(HeardNote::from_event(event, run_frame));
            if let Some(CoreEventSpace::ParamValue(change)) = event.as_core_event() {
                heard.changed_params.extend(change.param_id().map(|id| (id.get(), change.value())));
            }
        }
    }
}
