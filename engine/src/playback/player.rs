//! Thread: audio. Mixes the renditions into the host's block. Nothing here allocates, frees or locks after construction.

use crate::capture::ring::MidiEvent;
use crate::capture::transport::TransportStamp;
use crate::generation::score::Role;
use crate::playback::desk::Desk;
use crate::playback::fade::Fade;
use crate::playback::handoff::ClipInbox;
use crate::playback::parts::Parts;
use crate::playback::plan::{Block, Deck, PlayState, Run, Side, Strokes};
use crate::playback::seat::{Seat, Wanted, part_of, render};
pub use crate::playback::settings::{MOST_REGIONS, PlayMode, PlayerSettings, ROLES, SwitchAt};
use crate::playback::sync;
pub use crate::playback::telemetry::PlayerTelemetry;
use crate::time::{Bpm, SampleRate};
use std::sync::Arc;

/// Nearer than this a region counts as near: a bar of 4/4.
const NEAR_BEATS: f64 = 4.0;

/// How urgently a rendition at the host's tempo is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TempoWish {
    /// Some region is at another tempo, but none that plays or soon will.
    Later,
    /// A region that plays, or begins within a bar.
    Soon,
}

/// Plays the clips that were sent to it, in time with the host.
pub struct Player {
    /// Not inside the struct, which travels over the small stacks of hosts' threads.
    seats: Box<[Seat]>,
    desk: Desk,
    fade: Fade,
    /// The last block, and the gains it began with, from which its stems are played.
    last: (Desk, Block),
    /// Keys of the next block that play regions.
    strokes: Strokes,
    parts: Parts,
    /// The rendition of one run and channel, and one of its stems.
    scratch: Vec<f32>,
    spare: Vec<f32>,
    /// The gain of the input, frame by frame.
    gains: Vec<f32>,
    telemetry: Arc<PlayerTelemetry>,
}

impl Player {
    /// A player at the host's rate, with a seat for every inbox. `max_block` is the host's longest block, in frames; longer ones are played
    /// in parts.
    pub fn new(inboxes: [ClipInbox; MOST_REGIONS], rate: SampleRate, max_block: usize) -> Self {
        let max_run = max_block.max(1);
        let seats = inboxes.into_iter().enumerate().map(|(number, inbox)| Seat::new(number, inbox, rate)).collect();
        let block = Block {
            stamp: TransportStamp::default(),
            settings: PlayerSettings::PLAIN,
            strokes: Strokes::NONE,
            frames: 0,
            max_run,
        };
        Self {
            seats,
            desk: Desk::new(),
            fade: Fade::new(rate),
            last: (Desk::new(), block),
            strokes: Strokes::NONE,
            parts: Parts::new(),
            scratch: vec![0.0; max_run],
            spare: vec![0.0; max_run],
            gains: vec![1.0; max_run],
            telemetry: Arc::default(),
        }
    }

    /// What other threads may read. Fetch it before the audio starts: it counts a reference.
    pub fn telemetry(&self) -> Arc<PlayerTelemetry> {
        // RT-OK: not called from `process`.
        Arc::clone(&self.telemetry)
    }

    /// Whether renditions at the host's tempo are wanted, and how soon.
    pub fn wants_tempo(&self, stamp: &TransportStamp, settings: &PlayerSettings) -> Option<TempoWish> {
        let stamp = sync::sane(stamp);
        let nearest = self.seats.iter().filter_map(|seat| seat.wants_tempo(&stamp, settings)).min_by(f64::total_cmp)?;
        Some(if nearest <= NEAR_BEATS { TempoWish::Soon } else { TempoWish::Later })
    }

    /// Tempo of a seat's newest clip, when it has a single one.
    pub fn tempo(&self, seat: usize) -> Option<Bpm> {
        self.seats.get(seat)?.deck().current()?.1.grid().tempo.single()
    }

    /// Fetches what was sent before the next block does, so that [`Self::wants_tempo`] knows of it.
    pub fn fetch(&mut self) {
        self.seats.iter_mut().for_each(Seat::fetch);
    }

    /// The notes of the block that will be processed next, for those among them that play regions.
    pub fn hear_keys(&mut self, notes: &[MidiEvent], settings: &PlayerSettings) {
        self.strokes = Strokes::among(notes, settings);
    }

    /// Plays one block. `main` holds the input, one or two channels of one length, and afterwards input × dry gain +
    /// renditions × wet gain. On one channel a rendition is the average of its two. Further channels get no rendition.
    pub fn process<C: AsMut<[f32]>>(&mut self, stamp: &TransportStamp, settings: &PlayerSettings, main: &mut [C]) {
        let frames = main.iter_mut().map(|channel| channel.as_mut().len()).min().unwrap_or(0);
        self.desk.aim(settings, &self.fade);
        let strokes = std::mem::replace(&mut self.strokes, Strokes::NONE);
        let max_run = self.scratch.len();
        let block = Block { stamp: sync::sane(stamp), settings: *settings, strokes, frames, max_run };
        self.last = (self.desk, block);
        self.parts.begin();
        for seat in &mut self.seats {
            if seat.begin() {
                self.telemetry.report(seat.number(), seat.report(None));
            }
        }

        let mut first = 0;
        while first < frames {
            let length = max_run.min(frames - first);
            self.mix(&block, first..first + length, main);
            first += length;
        }
        if frames == 0 {
            self.mix(&block, 0..0, main);
        }
        self.desk.advance(frames);
        self.parts.finish();
        for channel in main.iter_mut() {
            silence_non_finite(channel.as_mut(), &self.telemetry);
        }
    }

    /// Mixes the frames of a block that fit the scratch buffers.
    fn mix<C: AsMut<[f32]>>(&mut self, block: &Block, chunk: std::ops::Range<usize>, main: &mut [C]) {
        let Self { seats, desk, fade, parts, scratch, spare, gains, telemetry, .. } = self;
        let gains = &mut gains[..chunk.len()];
        let mut dry = *desk.dry();
        dry.advance(chunk.start);
        let awake = || seats.iter().filter(|seat| !seat.is_asleep());
        let moves = dry.resting(fade).is_none() || awake().any(|seat| seat.may_mute(&block.settings));
        let resting = if moves { None } else { dry.resting(fade) };
        match resting {
            Some(gain) => gains.fill(gain),
            None => {
                gains.fill(1.0);
                dry.scale(gains, fade);
                awake().for_each(|seat| seat.mute(block, chunk.start, gains));
            }
        }
        for channel in main.iter_mut() {
            weigh(resting, gains, &mut channel.as_mut()[chunk.start..chunk.end]);
        }

        let last_chunk = chunk.end == block.frames;
        let mono = main.len() == 1;
        for seat in seats.iter_mut().filter(|seat| !seat.is_asleep()) {
            let number = seat.number();
            let roles = block.settings.roles_out(number);
            let mut position = None;
            let mut each = |deck: &Deck, run: &Run, state: &PlayState| {
                position = position.or(run.position);
                if last_chunk {
                    parts.follow(number, run, run.place.and_then(|place| deck.clip(place.slot)), roles);
                }
                let Some(gains) = part_of(gains, chunk.start, run).filter(|_| state.is_heard(run)) else { return };
                for (index, channel) in main.iter_mut().enumerate() {
                    let Some(side) = side(index, mono) else { continue };
                    let out = &mut channel.as_mut()[run.offset..][..run.frames];
                    let (wet, spare) = (&mut scratch[..run.frames], &mut spare[..run.frames]);
                    render((deck, run, state), desk, Wanted::Sum, side, wet, spare);
                    add(wet, gains, out);
                }
                // What is there now is no longer nothing.
                gains.iter_mut().filter(|gain| **gain == 0.0).for_each(|gain| *gain = 1.0);
            };
            match last_chunk {
                true => seat.play(block, &mut each),
                false => seat.replay(block, &mut each),
            }
            if last_chunk {
                telemetry.report(number, seat.report(position));
            }
        }
    }

    /// The notes that the block that was processed last sends out, by frame.
    pub fn part_events(&self) -> &[MidiEvent] {
        self.parts.events()
    }

    /// Tells that an event of [`Self::part_events`] did not get through, so that no note hangs.
    pub fn lost(&mut self, event: &MidiEvent) {
        self.parts.lost(event);
    }

    /// Ends in its first block the notes that another player, whom nobody processes any more, left sounding.
    pub fn inherit(&mut self, other: &Self) {
        self.parts.inherit(&other.parts);
    }

    /// Writes one stem of the block that was processed last, with the gains and fades the mix had. `output` is one or two
    /// channels; every sample is written, zeros where there is no such stem or no such frame.
    pub fn write_stem<C: AsMut<[f32]>>(&mut self, role: Role, output: &mut [C]) {
        let Self { seats, last: (desk, block), scratch, spare, telemetry, .. } = self;
        for channel in output.iter_mut() {
            channel.as_mut().fill(0.0);
        }
        let mono = output.len() == 1;
        for seat in seats.iter().filter(|seat| !seat.is_asleep() && seat.deck().has_stem(role)) {
            seat.replay(block, &mut |deck, run, state| {
                if !state.is_heard(run) {
                    return;
                }
                for (index, channel) in output.iter_mut().enumerate() {
                    let Some(side) = side(index, mono) else { continue };
                    // A host may hand out stem buffers shorter than the main one.
                    let Some(out) = part_of(channel.as_mut(), 0, run) else { continue };
                    let (stem, spare) = (&mut scratch[..out.len()], &mut spare[..out.len()]);
                    render((deck, run, state), desk, Wanted::Stem(role), side, stem, spare);
                    out.iter_mut().zip(stem).for_each(|(out, stem)| *out += *stem);
                }
            });
        }
        for channel in output.iter_mut() {
            silence_non_finite(channel.as_mut(), telemetry);
        }
    }
}

/// Gives the input its gain. What is silenced is nothing at all, whatever its sign and whether or not it is a number.
fn weigh(resting: Option<f32>, gains: &[f32], samples: &mut [f32]) {
    match resting {
        Some(1.0) => {}
        Some(0.0) => samples.fill(0.0),
        Some(gain) => samples.iter_mut().for_each(|sample| *sample *= gain),
        None => {
            for (sample, gain) in samples.iter_mut().zip(gains) {
                *sample = if *gain == 0.0 { 0.0 } else { *sample * gain };
            }
        }
    }
}

/// Adds to the input, or takes its place where nothing is left of it: added to nothing, a zero would lose its sign.
fn add(wet: &[f32], gains: &[f32], out: &mut [f32]) {
    for ((out, wet), gain) in out.iter_mut().zip(wet).zip(gains) {
        *out = if *gain == 0.0 { *wet } else { *out + *wet };
    }
}

fn side(channel: usize, mono: bool) -> Option<Side> {
    match channel {
        0 if mono => Some(Side::Both),
        0 => Some(Side::Left),
        1 => Some(Side::Right),
        _ => None,
    }
}

fn silence_non_finite(samples: &mut [f32], telemetry: &PlayerTelemetry) {
    if samples.iter().all(|sample| sample.is_finite()) {
        return;
    }
    let mut count = 0;
    for sample in samples.iter_mut().filter(|sample| !sample.is_finite()) {
        *sample = 0.0;
        count += 1;
    }
    telemetry.count_non_finite(count);
}
