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
use cantus_engine::playback::player::{PlayMode, PlayerSettings, TempoWish};
use cantus_engine::time::{Bpm, Metre, SampleRate};
use nice_plug::midi::{Channel, Key, VoiceID};
use nice_plug::prelude::*;
use std::time::{Duration, Instant};

/// MIDI events a block keeps for the take; the rest of a denser block still passes through.
const MOST_MIDI_EVENTS: usize = 256;

/// Blocks of another tempo before somebody is told, and between two reminders: while it is heard, and while it is not.
const TEMPO_HEARD: (u32, u32) = (4, 64);
const TEMPO_UNHEARD: (u32, u32) = (64, 1024);

/// Longest wait of an offline bounce for a rendition, and between two looks.
const PATIENCE: Duration = Duration::from_secs(10);
const GLANCE: Duration = Duration::from_millis(2);

/// What lives from one block to the next.
pub struct Block {
    pace: Pace,
    beats: SteadyBeats,
    midi: [MidiEvent; MOST_MIDI_EVENTS],
    seen: Triggers,
    passing: Passing,
    tempo_wish: Option<TempoWish>,
    tempo_differs_for: u32,
    /// The tempo of the block before.
    tempo: Option<Bpm>,
    /// The host said that it renders.
    renders: bool,
    /// And what it said is not old.
    renders_surely: bool,
    /// What an offline bounce has already waited for in vain: it is not waited for again.
    given_up: bool,
}

/// The host's own events of one block, which pass on in order with ours.
struct Passing {
    events: [Option<PluginNoteEvent<Cantus>>; MOST_MIDI_EVENTS],
    count: usize,
    /// Events of ours that found no room in the host's queue.
    lost: [MidiEvent; MOST_MIDI_EVENTS],
    lost_count: usize,
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
            midi: [SILENT_NOTE; MOST_MIDI_EVENTS],
            seen: Triggers::default(),
            passing: Passing {
                events: [None; MOST_MIDI_EVENTS],
                count: 0,
                lost: [SILENT_NOTE; MOST_MIDI_EVENTS],
                lost_count: 0,
            },
            tempo_wish: None,
            tempo_differs_for: 0,
            tempo: None,
            renders: false,
            renders_surely: false,
            given_up: false,
        }
    }
}

impl Block {
    /// Thread: gui. Before the first block of an activation: a trigger that is on in a loaded project must not fire.
    pub fn prepare(&mut self, params: &CantusParams, mode: ProcessMode, api: PluginApi) {
        self.pace = Pace::default();
        self.renders = mode == ProcessMode::Offline;
        // The framework passes on what VST3 hosts said the time before.
        self.renders_surely = self.renders && api == PluginApi::Clap;
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
        let Some(ends) = ends else { return self.passing.send(&[], context) };
        self.notice_edges(params, &mut ends.recorder);
        let rate = SampleRate(context.transport().sample_rate.round() as u32);
        let offline = self.pace.outruns_time(buffer.samples(), context.transport().sample_rate);
        let stamp = self.beats.mend(&stamp(context.transport()), buffer.samples(), rate);
        let stamp = TransportStamp { offline, ..stamp };

        let settings = params.player_settings(&ends.standing);
        ends.player.hear_keys(&self.midi[..events], &settings);
        let kept = self.without_keys(events, &settings);
        let midi = &self.midi[..kept];
        match aux.inputs.first().filter(|_| params.input.value() == InputSource::Sidechain) {
            Some(sidechain) => ends.recorder.push(&stamp, sidechain.as_slice_immutable(), midi),
            None => ends.recorder.push(&stamp, buffer.as_slice_immutable(), midi),
        }

        let renders = offline || self.renders_surely || (self.renders && !self.pace.keeps_time());
        if params.wait_offline.value() && renders {
            self.wait_for_renditions(&stamp, &settings, ends);
        }
        ends.player.process(&stamp, &settings, buffer.as_slice());
        ends.recorder.sound_clicks(buffer.as_slice());
        for (role, output) in Role::ALL.into_iter().zip(aux.outputs.iter_mut()) {
            ends.player.write_stem(role, output.as_slice());
        }
        self.passing.send(ends.player.part_events(), context);
        self.passing.lost().iter().for_each(|event| ends.player.lost(event));
        self.follow_tempo(&stamp, &settings, ends);
    }

    /// Leaves out the notes that play regions: they are no melody. Returns how many are left.
    fn without_keys(&mut self, events: usize, settings: &PlayerSettings) -> usize {
        let mut kept = 0;
        for index in 0..events {
            let note = self.midi[index];
            if settings.seat_of_key(note.key).is_none() {
                self.midi[kept] = note;
                kept += 1;
            }
        }
        kept
    }

    /// Thread: audio, of a host that renders: nobody listens, so that there is time to wait for what is on its way, within bounds. Waits for
    /// workers only, which need neither this thread nor the host's main one.
    fn wait_for_renditions(&mut self, stamp: &TransportStamp, settings: &PlayerSettings, ends: &mut AudioEnds) {
        // A tempo that moves would have us wait in every block.
        let stands = self.tempo == stamp.tempo;
        self.tempo = stamp.tempo;
        ends.player.fetch();
        let mut wants_tempo = stands && ends.player.wants_tempo(stamp, settings) == Some(TempoWish::Soon);
        if !wants_tempo && ends.standing.awaited() == 0 {
            self.given_up = false;
            return;
        }
        if self.given_up || !stamp.playing {
            return;
        }
        if wants_tempo {
            let anywhere = anywhere(settings);
            // When there is no room it is told again in the next block.
            let _ = ends.recorder.signal(Signal::FollowTempo { stamp: *stamp, anywhere });
        }
        let begun = Instant::now();
        while (wants_tempo || ends.standing.awaited() > 0) && begun.elapsed() < PATIENCE {
            // RT-OK: nobody listens.
            std::thread::sleep(GLANCE);
            ends.player.fetch();
            wants_tempo = wants_tempo && ends.player.wants_tempo(stamp, settings) == Some(TempoWish::Soon);
        }
        ends.player.fetch();
        self.given_up = wants_tempo || ends.standing.awaited() > 0;
        if self.given_up {
            // The window says so when there is room for the message.
            let _ = ends.recorder.signal(Signal::WaitedInVain);
        }
        // The time that was waited was no time of the host's.
        self.pace.forgive(begun.elapsed());
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

    /// Keeps the block's notes for the take, and every event to be passed on; returns how many notes were kept.
    fn take_midi(&mut self, context: &mut impl ProcessContext<Cantus>) -> usize {
        let mut kept = 0;
        while let Some(event) = context.next_event() {
            if let Some(slot) = self.midi.get_mut(kept)
                && let Some(note) = note_of(&event)
            {
                *slot = note;
                kept += 1;
            }
            self.passing.keep(event, context);
        }
        kept
    }

    /// Tells now and then that the host's tempo is not the clips', as long as it is so.
    fn follow_tempo(&mut self, stamp: &TransportStamp, settings: &PlayerSettings, ends: &mut AudioEnds) {
        let wish = ends.player.wants_tempo(stamp, settings);
        if wish != self.tempo_wish {
            (self.tempo_wish, self.tempo_differs_for) = (wish, 0);
        }
        let (first, patience) = match wish {
            None => return,
            Some(TempoWish::Soon) => TEMPO_HEARD,
            Some(TempoWish::Later) => TEMPO_UNHEARD,
        };
        self.tempo_differs_for += 1;
        if self.tempo_differs_for % patience == first {
            // When there is no room it is told again later anyway.
            let _ = ends.recorder.signal(Signal::FollowTempo { stamp: *stamp, anywhere: anywhere(settings) });
        }
    }
}

/// Whether the chosen region is heard wherever the song is.
fn anywhere(settings: &PlayerSettings) -> bool {
    settings.audition || settings.mode != PlayMode::Song
}

impl Passing {
    /// Keeps an event until ours of the same block are there. In a block denser than that, what was kept goes first.
    fn keep(&mut self, event: PluginNoteEvent<Cantus>, context: &mut impl ProcessContext<Cantus>) {
        if self.count == self.events.len() {
            self.send(&[], context);
        }
        self.events[self.count] = Some(event);
        self.count += 1;
    }

    /// Sends the host's own events and ours, by time, the host's first. Its own keep their channels, and ours have those of their roles.
    fn send(&mut self, ours: &[MidiEvent], context: &mut impl ProcessContext<Cantus>) {
        let Self { events, count, lost, lost_count } = self;
        *lost_count = 0;
        let mut ours = ours.iter().peekable();
        let mut send_ours = |event: &MidiEvent, context: &mut _| {
            if !sent(event, context)
                && let Some(free) = lost.get_mut(*lost_count)
            {
                *free = *event;
                *lost_count += 1;
            }
        };
        for event in events[..*count].iter_mut().filter_map(Option::take) {
            while let Some(before) = ours.next_if(|ours| ours.frame < event.timing()) {
                send_ours(before, context);
            }
            // A full output queue loses a passing event of the host's, which we can do nothing about here.
            let _ = context.try_send_event(event);
        }
        ours.for_each(|event| send_ours(event, context));
        *count = 0;
    }

    /// What of ours found no room in the block that was sent last.
    fn lost(&self) -> &[MidiEvent] {
        &self.lost[..self.lost_count]
    }
}

fn sent(note: &MidiEvent, context: &mut impl ProcessContext<Cantus>) -> bool {
    context.try_send_event(event_of(note)).is_ok()
}

const SILENT_NOTE: MidiEvent = MidiEvent { frame: 0, key: 0, channel: 0, velocity: 0.0 };

fn event_of(note: &MidiEvent) -> PluginNoteEvent<Cantus> {
    let (timing, channel, key) = (note.frame, Channel::Number(note.channel), Key::Number(note.key));
    let (voice_id, velocity) = (VoiceID::Wildcard, note.velocity);
    match velocity {
        0.0 => NoteEvent::NoteOff { timing, voice_id, channel, key, velocity },
        _ => NoteEvent::NoteOn { timing, voice_id, channel, key, velocity },
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
    heard_seconds: f64,
}

/// More than any host keeps ready while it plays, and less than the recorder's ring holds.
const RENDERING_LEAD_SECONDS: f64 = 1.5;
/// A host that is no further ahead than this after so much sound plays for somebody.
const PLAYING_LEAD_SECONDS: f64 = 0.2;
const PLAYING_SECONDS: f64 = 3.0;

impl Pace {
    /// Counts a block; true when nobody can be listening any more.
    fn outruns_time(&mut self, frames: usize, rate: f32) -> bool {
        let now = Instant::now();
        let passed = self.last.replace(now).map_or(0.0, |last| (now - last).as_secs_f64());
        // A host that pauses saves up nothing.
        let seconds = frames as f64 / f64::from(rate);
        self.lead_seconds = (self.lead_seconds - passed).max(0.0) + seconds;
        self.heard_seconds += seconds;
        self.lead_seconds > RENDERING_LEAD_SECONDS
    }

    /// Whether the host plays no faster than one listens.
    fn keeps_time(&self) -> bool {
        self.heard_seconds > PLAYING_SECONDS && self.lead_seconds < PLAYING_LEAD_SECONDS
    }

    /// Leaves out time that passed because of us.
    fn forgive(&mut self, waited: Duration) {
        self.last = self.last.map(|last| last + waited);
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
