//! Thread: audio. One block: transport → recorder → player → stems, and the edges of trigger parameters.

use crate::Cantus;
use crate::params::{CantusParams, InputSource};
use cantus_engine::capture::cut::CaptureMode;
use cantus_engine::capture::recorder::Recorder;
use cantus_engine::capture::ring::MidiEvent;
use cantus_engine::capture::signal::Signal;
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

/// Blocks of another tempo before somebody is told, and between two reminders.
const TEMPO_FIRST: u32 = 4;
const TEMPO_PATIENCE: u32 = 64;

/// What lives from one block to the next.
pub struct Block {
    pace: Pace,
    beats: SteadyBeats,
    midi: [MidiEvent; MOST_MIDI_EVENTS],
    seen: Triggers,
    tempo_differs_for: u32,
}

/// Parameter values that only matter when they change.
#[derive(Clone, Copy, PartialEq, Default)]
struct Triggers {
    capture: bool,
    generate: bool,
    cancel: bool,
    active: i32,
    region: i32,
    recall: bool,
    auto_arm: Option<CaptureMode>,
    count_in: i32,
    input_offset_ms: f32,
}

impl Default for Block {
    fn default() -> Self {
        Self {
            pace: Pace::default(),
            beats: SteadyBeats::default(),
            midi: [MidiEvent { frame: 0, key: 0, channel: 0, velocity: 0.0 }; MOST_MIDI_EVENTS],
            seen: Triggers::default(),
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
        let events = self.take_midi(context);
        let Some(ends) = ends else { return };
        self.notice_edges(params, &mut ends.recorder);
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
        ends.recorder.sound_clicks(buffer.as_slice());
        for (role, output) in Role::ALL.into_iter().zip(aux.outputs.iter_mut()) {
            ends.player.write_stem(role, output.as_slice());
        }
        self.follow_tempo(&stamp, ends);
    }

    fn notice_edges(&mut self, params: &CantusParams, recorder: &mut Recorder) {
        let now = Triggers::of(params);
        if now == self.seen {
            return;
        }
        // The block before is the last that lies before an edge, whenever the order arrives. One order a block; the others follow.
        let at = recorder.position();
        let mut seen = self.seen;
        let signal = if now.input_offset_ms != seen.input_offset_ms {
            seen.input_offset_ms = now.input_offset_ms;
            Some(Signal::InputOffset(params.input_offset()))
        } else if now.region != seen.region {
            // Before whatever else is ordered of the region that is meant.
            seen.region = now.region;
            Some(Signal::ChooseRegion(usize::try_from(now.region).unwrap_or(0)))
        } else if now.count_in != seen.count_in {
            seen.count_in = now.count_in;
            Some(Signal::CountIn(now.count_in.unsigned_abs()))
        } else if now.auto_arm != seen.auto_arm {
            seen.auto_arm = now.auto_arm;
            Some(Signal::AutoArm(now.auto_arm))
        } else if now.capture != seen.capture {
            seen.capture = now.capture;
            let start = Signal::StartCapture { mode: params.capture_order(), at };
            Some(if now.capture { start } else { Signal::StopCapture { at } })
        } else if now.recall != seen.recall {
            seen.recall = now.recall;
            now.recall.then(|| Signal::Recall { span: params.recall_span(), at })
        } else if now.active != seen.active {
            seen.active = now.active;
            Some(Signal::Select(usize::try_from(now.active).unwrap_or(0)))
        } else if now.generate != seen.generate {
            seen.generate = now.generate;
            now.generate.then(|| params.generate_signal())
        } else {
            seen.cancel = now.cancel;
            now.cancel.then_some(Signal::Cancel)
        };
        // An order that finds no room is tried again with the next block.
        if signal.is_none_or(|signal| recorder.signal(signal).is_ok()) {
            self.seen = seen;
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

    /// Tells now and then that the host's tempo is not the clip's, as long as it is so.
    fn follow_tempo(&mut self, stamp: &TransportStamp, ends: &mut AudioEnds) {
        if !ends.player.wants_tempo(stamp) {
            self.tempo_differs_for = 0;
            return;
        }
        self.tempo_differs_for += 1;
        if self.tempo_differs_for % TEMPO_PATIENCE == TEMPO_FIRST {
            // When there is no room it is told again later anyway.
            let _ = ends.recorder.signal(Signal::FollowTempo(*stamp));
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
            region: params.region.value(),
            recall: params.recall.value(),
            auto_arm: params.auto_arm_order(),
            count_in: params.count_in.value(),
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
        loop_beats: transport
            .loop_range_beats()
            .filter(|(start, end)| start.is_finite() && end.is_finite() && end > start),
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
