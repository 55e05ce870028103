//! Thread: audio. One block: transport → recorder → player → stems, and the edges of trigger parameters.

use crate::Cantus;
use crate::params::{CantusParams, InputSource};
use crate::tasks::Task;
use cantus_engine::capture::ring::MidiEvent;
use cantus_engine::capture::steady::SteadyBeats;
use cantus_engine::capture::transport::TransportStamp;
use cantus_engine::generation::score::Role;
use cantus_engine::instance::AudioEnds;
use cantus_engine::time::{Bpm, Metre, SampleRate};
use nice_plug::midi::{Channel, Key};
use nice_plug::prelude::*;
use std::time::Instant;

/// MIDI events a block keeps for the take; the rest of a denser block still passes through.
const MOST_MIDI_EVENTS: usize = 256;

/// Blocks that the host's tempo must differ from the rendition's before anybody is told.
const TEMPO_PATIENCE: u32 = 4;

/// What lives from one block to the next.
pub struct Block {
    pace: Pace,
    beats: SteadyBeats,
    midi: [MidiEvent; MOST_MIDI_EVENTS],
    seen: Triggers,
    /// Tempo that was last reported, so that each change is reported once.
    reported_tempo: Option<Bpm>,
    tempo_differs_for: u32,
}

/// Parameter values that only matter when they change.
#[derive(Clone, Copy, PartialEq)]
struct Triggers {
    capture: bool,
    generate: bool,
    cancel: bool,
    active: i32,
    input_offset_ms: f32,
}

impl Default for Block {
    fn default() -> Self {
        Self {
            pace: Pace::default(),
            beats: SteadyBeats::default(),
            midi: [MidiEvent { frame: 0, key: 0, channel: 0, velocity: 0.0 }; MOST_MIDI_EVENTS],
            seen: Triggers { capture: false, generate: false, cancel: false, active: 0, input_offset_ms: 0.0 },
            reported_tempo: None,
            tempo_differs_for: 0,
        }
    }
}

impl Block {
    /// Thread: gui. Before the first block of an activation: a trigger that is on in a loaded project must not fire.
    pub fn prepare(&mut self, params: &CantusParams) {
        self.pace = Pace::default();
        self.seen = Triggers::of(params);
    }

    /// One block.
    pub fn process(
        &mut self,
        params: &CantusParams,
        ends: Option<&mut AudioEnds>,
        buffer: &mut Buffer,
        aux: &mut AuxiliaryBuffers,
        context: &mut impl ProcessContext<Cantus>,
    ) {
        // The block before is the last that lies before the edge, whenever the order arrives.
        self.notice_edges(params, ends.as_ref().map_or(0, |ends| ends.recorder.position()), context);
        let events = self.take_midi(context);
        let Some(ends) = ends else { return };
        let rate = SampleRate(context.transport().sample_rate.round() as u32);
        let offline = self.pace.outruns_time(buffer.samples(), context.transport().sample_rate);
        let stamp = self.beats.mend(&stamp(context.transport()), buffer.samples(), rate);
        let stamp = TransportStamp { offline, ..stamp };

        let midi = &self.midi[..events];
        match aux.inputs.first().filter(|_| params.input.value() == InputSource::Sidechain) {
            Some(sidechain) => ends.recorder.push(&stamp, sidechain.as_slice_immutable(), midi),
            None => ends.recorder.push(&stamp, buffer.as_slice_immutable(), midi),
        }

        ends.player.process(&stamp, &params.player_settings(), buffer.as_slice());
        for (role, output) in Role::ALL.into_iter().zip(aux.outputs.iter_mut()) {
            ends.player.write_stem(role, output.as_slice());
        }
        self.follow_tempo(&stamp, ends.player.tempo(), context);
    }

    fn notice_edges(&mut self, params: &CantusParams, record_frame: u64, context: &mut impl ProcessContext<Cantus>) {
        let now = Triggers::of(params);
        if now == self.seen {
            return;
        }
        let before = std::mem::replace(&mut self.seen, now);
        if now.input_offset_ms != before.input_offset_ms {
            context.execute_background(Task::SetInputOffset);
        }
        if now.capture != before.capture {
            let order = if now.capture { Task::StartCapture } else { Task::StopCapture };
            context.execute_background(order(record_frame));
        }
        if now.generate && !before.generate {
            context.execute_background(Task::Generate);
        }
        if now.cancel && !before.cancel {
            context.execute_background(Task::Cancel);
        }
        if now.active != before.active {
            context.execute_background(Task::Select(usize::try_from(now.active).unwrap_or(0)));
        }
    }

    /// Keeps the block's notes for the take and passes every event on; returns how many were kept.
    fn take_midi(&mut self, context: &mut impl ProcessContext<Cantus>) -> usize {
        let mut kept = 0;
        while let Some(event) = context.next_event() {
            if let Some(slot) = self.midi.get_mut(kept)
                && let Some(note) = note_of(&event)
            {
                *slot = note;
                kept += 1;
            }
            // A full output queue loses a passing event of the host's, which we can do nothing about here.
            let _ = context.try_send_event(event);
        }
        kept
    }

    fn follow_tempo(
        &mut self,
        stamp: &TransportStamp,
        playing: Option<Bpm>,
        context: &mut impl ProcessContext<Cantus>,
    ) {
        let (Some(host), Some(clip)) = (stamp.tempo, playing) else { return };
        if (host.0 - clip.0).abs() < 1e-6 {
            self.tempo_differs_for = 0;
            self.reported_tempo = None;
            return;
        }
        self.tempo_differs_for = self.tempo_differs_for.saturating_add(1);
        if self.tempo_differs_for >= TEMPO_PATIENCE && self.reported_tempo != Some(host) {
            self.reported_tempo = Some(host);
            context.execute_background(Task::FollowTempo(*stamp));
        }
    }
}

impl Triggers {
    fn of(params: &CantusParams) -> Self {
        Self {
            capture: params.capture.value(),
            generate: params.generate.value(),
            cancel: params.cancel.value(),
            active: params.active.value(),
            input_offset_ms: params.input_offset.value(),
        }
    }
}

/// How far a host is ahead of the time its blocks take to hear.
///
/// Only the pace tells for sure whether a host renders: some never say so, and the framework passes on what VST3 hosts said the time
/// before.
#[derive(Default)]
struct Pace {
    last: Option<Instant>,
    lead_seconds: f64,
}

/// More than any host keeps ready while it plays, and less than the recorder's ring holds.
const RENDERING_LEAD_SECONDS: f64 = 1.5;

impl Pace {
    /// Counts a block; true when nobody can be listening any more.
    fn outruns_time(&mut self, frames: usize, rate: f32) -> bool {
        let now = Instant::now();
        let passed = self.last.replace(now).map_or(0.0, |last| (now - last).as_secs_f64());
        // A host that pauses saves up nothing.
        self.lead_seconds = (self.lead_seconds - passed).max(0.0) + frames as f64 / f64::from(rate);
        self.lead_seconds > RENDERING_LEAD_SECONDS
    }
}

/// What the recorder and the player must know of the transport; whether the host renders is not its to say.
fn stamp(transport: &Transport) -> TransportStamp {
    let metre = match (transport.time_sig_numerator, transport.time_sig_denominator) {
        (Some(numerator), Some(denominator)) => u8::try_from(numerator)
            .ok()
            .zip(u8::try_from(denominator).ok())
            .filter(|&(numerator, denominator)| numerator > 0 && denominator > 0)
            .map(|(numerator, denominator)| Metre { numerator, denominator }),
        _ => None,
    };
    TransportStamp {
        playing: transport.playing,
        recording: transport.recording,
        offline: false,
        tempo: transport.tempo.filter(|tempo| tempo.is_finite() && *tempo > 0.0).map(Bpm),
        metre,
        beats: transport.pos_beats().filter(|beats| beats.is_finite()),
        seconds: transport.pos_seconds().filter(|seconds| seconds.is_finite()),
        bar_start_beats: transport.bar_start_pos_beats().filter(|beats| beats.is_finite()),
        loop_beats: transport.loop_range_beats().filter(|(start, end)| start.is_finite() && end > start),
    }
}

fn note_of(event: &PluginNoteEvent<Cantus>) -> Option<MidiEvent> {
    let (timing, channel, key, velocity) = match *event {
        NoteEvent::NoteOn { timing, channel, key, velocity, .. } => (timing, channel, key, velocity),
        NoteEvent::NoteOff { timing, channel, key, .. } => (timing, channel, key, 0.0),
        _ => return None,
    };
    let Key::Number(key) = key else { return None };
    let channel = match channel {
        Channel::Number(channel) => channel,
        Channel::Wildcard => 0,
    };
    Some(MidiEvent { frame: timing, key, channel, velocity })
}
