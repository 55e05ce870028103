//! Thread: audio. The player: follows the transport, plays the clip that was handed to it, and never frees anything.

use super::clip::Clip;
use super::fade::Fade;
use super::handoff::ClipInbox;
use super::plan::{Gain, Plan, Run, Source};
use super::sync::{SAME_RUN_FRAMES, exact_position, same_tempo, slice};
use crate::capture::transport::TransportStamp;
use crate::generation::score::Role;
use crate::time::{Bpm, SampleRate};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

/// What to do in a block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlayerSettings {
    /// Plays the clip; otherwise the track passes untouched.
    pub enabled: bool,
    /// Mutes the track while the clip's region sounds.
    pub replace: bool,
    /// Gain of the track.
    pub dry_gain: f32,
    /// Gain of the clip.
    pub wet_gain: f32,
    /// While the transport stands: plays the region in a loop.
    pub audition: bool,
}

/// What the player tells everybody else.
#[derive(Debug, Default)]
pub struct PlayerTelemetry {
    /// Id of the clip plus one; 0 is none.
    clip: AtomicU64,
    position: AtomicI64,
    non_finite: AtomicU64,
    slicing: AtomicBool,
}

impl PlayerTelemetry {
    /// The clip that the audio thread holds.
    pub fn clip(&self) -> Option<u64> {
        self.clip.load(Ordering::Relaxed).checked_sub(1)
    }

    /// Frame of the clip that sounds; -1 while nothing does.
    pub fn position(&self) -> i64 {
        self.position.load(Ordering::Relaxed)
    }

    /// Output samples so far that were no numbers and were silenced.
    pub fn non_finite(&self) -> u64 {
        self.non_finite.load(Ordering::Relaxed)
    }

    /// Whether beats are being cut or stretched with silence until a rendition of the host's tempo arrives.
    pub fn slicing(&self) -> bool {
        self.slicing.load(Ordering::Relaxed)
    }
}

/// Where a sound that was left behind goes on, while it fades.
#[derive(Debug, Clone, Copy)]
struct Leaving {
    source: Source,
    from: i64,
    /// The song jumped: what would have come next is not to be heard any more, least of all an attack, so the last sample is held.
    held: bool,
    done: usize,
}

/// Sounds that can fade at once; a new discontinuity within the 3 ms of two others cuts the oldest.
const MOST_LEAVING: usize = 3;

/// The player of one instance.
pub struct Player {
    inbox: ClipInbox,
    rate: SampleRate,
    fade: Fade,
    current: Option<Box<Clip>>,
    retiring: Option<Box<Clip>>,
    /// Next frame of the current clip, while the song moves.
    next: Option<i64>,
    /// Frames since the current clip rose in the middle of a sound.
    rising: Option<usize>,
    leaving: [Option<Leaving>; MOST_LEAVING],
    plan: Plan,
    /// Stretches of the block in which the track is muted: first frame and frames.
    muted: Vec<(usize, usize)>,
    /// The track's own gain beside the setting: 1, or on its way to or from 0.
    dry_level: f32,
    /// Gains at the end of the last block.
    gains: Option<(f32, f32)>,
    /// The wet gains of this block, for the stems: first and last.
    wet: (f32, f32),
    telemetry: Arc<PlayerTelemetry>,
}

/// Stretches of muted track that a block can have.
const MOST_MUTED: usize = 1_024;

impl Player {
    /// A player that has nothing yet.
    pub fn new(inbox: ClipInbox, rate: SampleRate) -> Self {
        let telemetry = Arc::new(PlayerTelemetry { position: AtomicI64::new(-1), ..PlayerTelemetry::default() });
        Self {
            inbox,
            rate,
            fade: Fade::new(rate),
            current: None,
            retiring: None,
            next: None,
            rising: None,
            leaving: [None; MOST_LEAVING],
            plan: Plan::new(),
            muted: Vec::with_capacity(MOST_MUTED),
            dry_level: 1.0,
            gains: None,
            wet: (1.0, 1.0),
            telemetry,
        }
    }

    /// What it tells the window.
    pub fn telemetry(&self) -> Arc<PlayerTelemetry> {
        // RT-OK: called once, when the player is made.
        Arc::clone(&self.telemetry)
    }

    /// The tempo of the clip, when it has one throughout.
    pub fn tempo(&self) -> Option<Bpm> {
        self.current.as_ref().and_then(|clip| clip.tempo())
    }

    /// One block: `main[channel][frame]` holds the track and is left with track and clip mixed. One channel gets the average of both
    /// sides.
    ///
    /// # Realtime safety
    /// Neither allocates nor frees nor waits.
    pub fn process<C: AsMut<[f32]>>(&mut self, stamp: &TransportStamp, settings: &PlayerSettings, main: &mut [C]) {
        let frames = main.iter_mut().map(|channel| channel.as_mut().len()).min().unwrap_or(0);
        self.receive();
        self.make_plan(stamp, settings, frames);
        let before = self.gains.unwrap_or((settings.dry_gain, settings.wet_gain));
        self.gains = Some((settings.dry_gain, settings.wet_gain));
        self.wet = (before.1, settings.wet_gain);
        self.mix_dry(main, frames, (before.0, settings.dry_gain), settings.enabled);
        let channels = main.len();
        for (index, channel) in main.iter_mut().enumerate() {
            self.add(None, index, channels, &mut channel.as_mut()[..frames]);
        }
        let silenced: u64 = main.iter_mut().map(|channel| silence_non_finite(channel.as_mut())).sum();
        if silenced > 0 {
            self.telemetry.non_finite.fetch_add(silenced, Ordering::Relaxed);
        }
        self.publish();
    }

    /// The stem of the block that was processed last, with the same gains and fades. Every sample is written.
    ///
    /// # Realtime safety
    /// As [`Self::process`].
    pub fn write_stem<C: AsMut<[f32]>>(&mut self, role: Role, output: &mut [C]) {
        let channels = output.len();
        for (index, channel) in output.iter_mut().enumerate() {
            let channel = channel.as_mut();
            channel.fill(0.0);
            self.add(Some(role), index, channels, channel);
            silence_non_finite(channel);
        }
    }

    /// Takes over what was sent, one change a block, and gives back what has faded.
    fn receive(&mut self) {
        let fading = self.leaving.iter().flatten().any(|leaving| leaving.source == Source::Retiring);
        if !fading && let Some(clip) = self.retiring.take() {
            self.retiring = self.inbox.give_back(clip);
        }
        if self.retiring.is_some() {
            return;
        }
        let Some(clip) = self.inbox.next() else { return };
        for leaving in self.leaving.iter_mut().flatten() {
            leaving.source = Source::Retiring;
        }
        self.retiring = std::mem::replace(&mut self.current, clip);
        if let Some(from) = self.next.take() {
            self.leave(Source::Retiring, from);
        }
    }

    fn leave(&mut self, source: Source, from: i64) {
        let slot = self.leaving.iter().position(Option::is_none).unwrap_or_else(|| {
            let oldest = (0..MOST_LEAVING).max_by_key(|&index| self.leaving[index].map_or(0, |leaving| leaving.done));
            oldest.unwrap_or(0)
        });
        // A clip that is replaced plays on under the new one, which is at the same place of the song.
        let held = source == Source::Current;
        self.leaving[slot] = Some(Leaving { source, from, held, done: 0 });
    }

    fn make_plan(&mut self, stamp: &TransportStamp, settings: &PlayerSettings, frames: usize) {
        self.plan.clear();
        self.muted.clear();
        self.telemetry.slicing.store(false, Ordering::Relaxed);
        let mut stamp = *stamp;
        let mut at = 0;
        while at < frames {
            let wrap = stamp.wrap_within(self.rate, frames - at);
            let end = wrap.map_or(frames, |(count, _)| at + count);
            self.follow(&stamp, settings, at, end);
            at = end;
            if let Some((_, next)) = wrap {
                stamp = next;
            }
        }
    }

    /// A stretch of the block in which the song does not jump.
    fn follow(&mut self, stamp: &TransportStamp, settings: &PlayerSettings, mut at: usize, end: usize) {
        let playable = settings.enabled && self.current.as_ref().is_some_and(|clip| clip.rate() == self.rate);
        if playable && stamp.playing {
            let sliced = self.current.as_ref().is_some_and(|clip| !same_tempo(stamp, clip.grid()));
            if sliced {
                self.telemetry.slicing.store(true, Ordering::Relaxed);
                return self.follow_beats(*stamp, settings, at, end);
            }
            let exact = self.current.as_ref().and_then(|clip| exact_position(stamp, clip.grid(), self.rate));
            // A host that says nothing of its position plays the region from its start.
            let exact = exact.unwrap_or_else(|| self.next.unwrap_or(0) as f64);
            return self.play(Some(exact), settings, at, end);
        }
        if playable && settings.audition {
            let region = self.current.as_ref().map_or(0, |clip| clip.region().0);
            while at < end && region > 0 {
                let from = self.next.filter(|next| (0..region).contains(next)).unwrap_or(0);
                let piece = (region - from).min((end - at) as i64) as usize;
                self.play(Some(from as f64), settings, at, at + piece);
                at += piece;
            }
        }
        self.play(None, settings, at, end);
    }

    /// The same while the host's tempo is not the clip's: beat by beat.
    fn follow_beats(&mut self, mut stamp: TransportStamp, settings: &PlayerSettings, mut at: usize, end: usize) {
        while at < end {
            let Some(slice) = self.current.as_ref().and_then(|clip| slice(&stamp, clip.grid(), self.rate)) else {
                return self.play(None, settings, at, end);
            };
            let beat_end = end.min(at + slice.until_next);
            // The fade has to be over where the clip's next beat begins, or its attack would be heard too early.
            let sounding = slice.sounding.saturating_sub(self.fade.out_frames());
            let silent_from = if slice.sounding < slice.until_next { beat_end.min(at + sounding) } else { beat_end };
            self.play(Some(slice.position), settings, at, silent_from);
            self.play(None, settings, silent_from, beat_end);
            stamp = stamp.after(beat_end - at, self.rate);
            at = beat_end;
        }
    }

    /// Plays `at..end` of the block from a position of the clip, or lets it fall silent.
    fn play(&mut self, exact: Option<f64>, settings: &PlayerSettings, at: usize, end: usize) {
        if at >= end {
            return;
        }
        let continues = match (exact, self.next) {
            (Some(exact), Some(next)) => (exact - next as f64).abs() < SAME_RUN_FRAMES,
            (None, None) => true,
            _ => false,
        };
        if !continues {
            if let Some(from) = self.next.take() {
                self.leave(Source::Current, from);
            }
            self.next = exact.map(|exact| exact.round() as i64);
            let attack = self.next.zip(self.current.as_ref()).is_none_or(|(next, clip)| clip.is_attack(next));
            self.rising = (!attack).then_some(0);
        }
        self.fall(at, end);
        let Some(from) = self.next else { return };
        let frames = end - at;
        self.rise(from, at, frames);
        if settings.replace {
            self.mute(from, at, frames);
        }
        self.next = Some(from + frames as i64);
    }

    /// Runs of everything that is fading out.
    fn fall(&mut self, at: usize, end: usize) {
        let fade = self.fade.out_frames();
        for slot in &mut self.leaving {
            let Some(leaving) = slot else { continue };
            let frames = (end - at).min(fade - leaving.done);
            let gain = Gain::Falling(leaving.done);
            let Leaving { source, from, held, .. } = *leaving;
            self.plan.push(Run { at, frames, source, from, held, gain });
            leaving.done += frames;
            if !held {
                leaving.from += frames as i64;
            }
            if leaving.done >= fade {
                *slot = None;
            }
        }
    }

    /// Runs of what plays.
    fn rise(&mut self, from: i64, at: usize, frames: usize) {
        let (source, held) = (Source::Current, false);
        let mut full_from = 0;
        if let Some(done) = self.rising {
            full_from = frames.min(self.fade.in_frames().saturating_sub(done));
            self.plan.push(Run { at, frames: full_from, source, from, held, gain: Gain::Rising(done) });
            let done = done + full_from;
            self.rising = (done < self.fade.in_frames()).then_some(done);
        }
        let (at, from) = (at + full_from, from + full_from as i64);
        self.plan.push(Run { at, frames: frames - full_from, source, from, held, gain: Gain::Full });
    }

    /// The part of a run that lies inside the region mutes the track.
    fn mute(&mut self, from: i64, at: usize, frames: usize) {
        let region = self.current.as_ref().map_or(0, |clip| clip.region().0);
        let first = (-from).clamp(0, frames as i64) as usize;
        let last = (region - from).clamp(0, frames as i64) as usize;
        if last > first && self.muted.len() < MOST_MUTED {
            // RT-OK: there is room, so nothing is allocated.
            self.muted.push((at + first, last - first));
        }
    }

    /// The track: its gain from one block to the next, and its fade at the borders of the region.
    fn mix_dry<C: AsMut<[f32]>>(&mut self, main: &mut [C], frames: usize, gains: (f32, f32), enabled: bool) {
        let untouched = self.muted.is_empty() && self.dry_level == 1.0;
        if untouched && (!enabled || gains == (1.0, 1.0)) {
            return;
        }
        let step = 1.0 / self.fade.out_frames() as f32;
        let mut level = self.dry_level;
        let mut spans = self.muted.iter().copied().peekable();
        for frame in 0..frames {
            while spans.peek().is_some_and(|&(at, count)| frame >= at + count) {
                spans.next();
            }
            let muted = spans.peek().is_some_and(|&(at, _)| frame >= at);
            level = if muted { (level - step).max(0.0) } else { (level + step).min(1.0) };
            let gain = if enabled { level * ramp(gains, frame, frames) } else { level };
            for channel in main.iter_mut() {
                channel.as_mut()[frame] *= gain;
            }
        }
        self.dry_level = level;
    }

    /// Adds one channel of the mix or of a stem.
    fn add(&self, stem: Option<Role>, channel: usize, channels: usize, output: &mut [f32]) {
        let frames = output.len();
        for run in self.plan.runs() {
            let clip = match run.source {
                Source::Current => &self.current,
                Source::Retiring => &self.retiring,
            };
            let Some(clip) = clip else { continue };
            let left = clip.samples(stem, channel);
            let sides = if channels == 1 { [left, clip.samples(stem, 1)] } else { [left, left] };
            let length = sides[0].len().min(sides[1].len()) as i64;
            let moving = if run.held { 0 } else { 1 };
            let origin = if run.held { run.from - 1 } else { run.from };
            // The part of the run that lies inside the clip.
            let skip = (-origin).clamp(0, run.frames as i64 * moving);
            let inside = if run.held { (0..length).contains(&origin) } else { origin < length };
            let last = if run.held { run.frames as i64 } else { (length - origin).min(run.frames as i64) };
            if !inside {
                continue;
            }
            for index in skip..last {
                let from = (origin + index * moving) as usize;
                let at = index as usize;
                let fade = match run.gain {
                    Gain::Full => 1.0,
                    Gain::Rising(done) => self.fade.in_gain(done + at),
                    Gain::Falling(done) => self.fade.out_gain(done + at),
                };
                let frame = run.at + at;
                let sample = 0.5 * (sides[0][from] + sides[1][from]);
                output[frame] += sample * (fade * ramp(self.wet, frame, frames));
            }
        }
    }

    fn publish(&self) {
        let clip = self.current.as_ref().map_or(0, |clip| clip.id() + 1);
        self.telemetry.clip.store(clip, Ordering::Relaxed);
        let sounding = self.next.filter(|&next| {
            self.current.as_ref().is_some_and(|clip| (0..clip.samples(None, 0).len() as i64).contains(&next))
        });
        self.telemetry.position.store(sounding.unwrap_or(-1), Ordering::Relaxed);
    }
}

/// A gain on its straight way through a block.
fn ramp((first, last): (f32, f32), frame: usize, frames: usize) -> f32 {
    if first == last { last } else { first + (last - first) * (frame + 1) as f32 / frames as f32 }
}

/// Silences what is no number; tells how often.
fn silence_non_finite(samples: &mut [f32]) -> u64 {
    let mut count = 0;
    for sample in samples {
        if !sample.is_finite() {
            *sample = 0.0;
            count += 1;
        }
    }
    count
}
