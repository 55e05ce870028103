//! Thread: audio. What sounds when: a block becomes runs, through each of which nothing begins or ends.
//!
//! [`advance`] is a function of its arguments alone, so that a copy of the state replays the same block for every stem.

mod deck;
mod voices;

use crate::capture::host_clock::{self, HostClock, Piece};
use crate::capture::transport::TransportStamp;
use crate::playback::clip::{Clip, Part};
use crate::playback::fade::{Fade, Glide};
use crate::playback::player::PlayerSettings;
use crate::playback::sync;
use crate::time::{Beats, Bpm, Seconds};
pub use deck::Deck;
pub use voices::Side;
use voices::{Voice, Voices};

/// Inside a slice, counting goes on while the host's position is this near to the count: a steep tempo ramp, but no locate
/// that anyone would make by hand.
const SLICE_SLACK: Seconds = Seconds(0.03);

/// What decides where in the clip a block lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Silent,
    /// The song's position.
    Song,
    /// Counting from the moment the song began to move, for hosts that tell no position.
    FreeRun,
    /// Counting round the region while the song stands still.
    Audition,
}

/// Everything that changes from block to block.
#[derive(Debug, Clone, Copy)]
pub struct PlayState {
    voices: Voices,
    mode: Mode,
    /// Next frame when counting without the song.
    counter: i64,
    /// The host's tempo is not the clip's, so beats are played one by one.
    pub slicing: bool,
    /// 0 while the rendition replaces the dry sound, else 1.
    mute: Glide,
    dry: Glide,
    wet: Glide,
    settled: bool,
}

/// One call of the player.
#[derive(Debug, Clone, Copy)]
pub struct Block {
    /// The transport, sane.
    pub stamp: TransportStamp,
    /// The user's wishes.
    pub settings: PlayerSettings,
    /// Length.
    pub frames: usize,
    /// Longest run that may be handed out.
    pub max_run: usize,
}

/// A stretch of a block through which nothing begins or ends.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// First frame in the block.
    pub offset: usize,
    /// Length.
    pub frames: usize,
    /// The clip's frame that belongs here, whether or not it is heard. `None` when the clip does not play.
    pub position: Option<i64>,
    /// The voice that leads, when it is heard.
    lead: Option<Voice>,
}

/// A stretch of a clip, before it is cut into runs.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    offset: usize,
    frames: usize,
    /// The frame that belongs here.
    position: i64,
    /// Whether it is heard; in the gap between two slices it is not.
    heard: bool,
}

impl PlayState {
    /// Nothing plays yet.
    pub fn new() -> Self {
        Self {
            voices: Voices::default(),
            mode: Mode::Silent,
            counter: 0,
            slicing: false,
            mute: Glide::resting_at(1.0),
            dry: Glide::resting_at(1.0),
            wet: Glide::resting_at(1.0),
            settled: false,
        }
    }

    /// Whether a slot is still needed by this state.
    pub fn sounds(&self, slot: usize) -> bool {
        self.voices.sounds(slot)
    }

    /// The gain of the dry sound when it does not move.
    pub fn resting_dry(&self, fade: &Fade) -> Option<f32> {
        Some(self.dry.resting(fade)? * self.mute.resting(fade)?)
    }

    /// The gain of the dry sound some frames into a run.
    pub fn dry_after(&self, frames: usize, fade: &Fade) -> f32 {
        self.dry.value_after(frames, fade) * self.mute.value_after(frames, fade)
    }

    /// Whether anything is heard in a run.
    pub fn is_heard(&self, run: &Run) -> bool {
        run.lead.is_some() || self.voices.fading()
    }

    /// Writes one channel of a run, with the wet gain.
    pub fn render(&self, deck: &Deck, part: Part, run: &Run, side: Side, out: &mut [f32]) {
        self.voices.render(deck, part, run.lead, side, out);
        match self.wet.resting(&deck.fade) {
            Some(1.0) => {}
            Some(gain) => out.iter_mut().for_each(|sample| *sample *= gain),
            None => {
                for (frame, sample) in out.iter_mut().enumerate() {
                    *sample *= self.wet.value_after(frame, &deck.fade);
                }
            }
        }
    }

    /// Frames until the first of the gains comes to rest, so that a run ends there and the rest of it is exact.
    fn until_rest(&self, fade: &Fade) -> usize {
        let glides = [self.mute, self.dry, self.wet];
        glides.iter().map(|glide| glide.remaining(fade)).filter(|&left| left > 0).min().unwrap_or(usize::MAX)
    }

    fn pass(&mut self, frames: usize, fade: &Fade) {
        self.voices.pass(frames, fade);
        for glide in [&mut self.mute, &mut self.dry, &mut self.wet] {
            glide.advance(frames);
        }
    }
}

/// Plays one block: hands out its runs in order, each with the state at its first frame, and leaves the state of the next
/// block's first frame.
pub fn advance(state: &mut PlayState, deck: &Deck, block: &Block, each: &mut impl FnMut(&Run, &PlayState)) {
    let settings = &block.settings;
    let dry = if settings.enabled { settings.dry_gain } else { 1.0 };
    if !state.settled {
        state.settled = true;
        state.dry = Glide::resting_at(dry);
        state.wet = Glide::resting_at(settings.wet_gain);
    }
    state.dry.aim(dry, &deck.fade);
    state.wet.aim(settings.wet_gain, &deck.fade);

    let playable = deck.current().filter(|(_, clip)| settings.enabled && clip.rate() == deck.rate);
    let stamp = &block.stamp;
    let mode = match (playable, stamp.playing) {
        (None, _) => Mode::Silent,
        (Some(_), _) if settings.audition => Mode::Audition,
        (Some(_), false) => Mode::Silent,
        (Some(_), true) if stamp.beats.is_none() && stamp.seconds.is_none() => Mode::FreeRun,
        (Some(_), true) => Mode::Song,
    };
    if mode != state.mode {
        state.counter = 0;
        state.mode = mode;
    }
    state.slicing = false;
    let Some((slot, clip)) = playable.filter(|_| mode != Mode::Silent) else {
        return rest(state, deck, block, each);
    };
    let mut turn = Turn { state, deck, block, slot, clip, each };
    match mode {
        Mode::Silent => {}
        Mode::Song => turn.song(),
        Mode::FreeRun => turn.count(i64::MAX),
        Mode::Audition => turn.count(clip.region_frames().max(1)),
    }
}

/// A block in which no clip plays.
fn rest(state: &mut PlayState, deck: &Deck, block: &Block, each: &mut impl FnMut(&Run, &PlayState)) {
    state.mute.aim(1.0, &deck.fade);
    state.voices.lead_with(deck, None);
    let mut offset = 0;
    while offset < block.frames {
        let frames = (block.frames - offset).min(block.max_run).min(state.until_rest(&deck.fade));
        each(&Run { offset, frames, position: None, lead: None }, state);
        state.pass(frames, &deck.fade);
        offset += frames;
    }
}

/// A block in which a clip plays.
struct Turn<'a, Each> {
    state: &'a mut PlayState,
    deck: &'a Deck,
    block: &'a Block,
    slot: usize,
    clip: &'a Clip,
    each: &'a mut Each,
}

impl<Each: FnMut(&Run, &PlayState)> Turn<'_, Each> {
    /// Counts from where the last block ended, round at `end`.
    fn count(&mut self, end: i64) {
        let mut offset = 0;
        while offset < self.block.frames {
            if self.state.counter >= end {
                self.state.counter = 0;
            }
            let frames = until(self.state.counter, end, self.block.frames - offset);
            self.play(Stretch { offset, frames, position: self.state.counter, heard: true });
            self.state.counter += frames as i64;
            offset += frames;
        }
    }

    /// Follows the host's position.
    fn song(&mut self) {
        let mut stamp = self.block.stamp;
        let grid = self.clip.grid();
        stamp.tempo = stamp.tempo.or_else(|| grid.tempo.single());
        for piece in host_clock::pieces(&stamp, self.deck.rate, self.block.frames) {
            if sync::tempo_differs(&piece.stamp, grid) {
                self.state.slicing = true;
                self.slices(&piece);
            } else if let Some(exact) = sync::exact_position(&piece.stamp, grid, self.deck.rate) {
                let next = self.state.voices.lead.filter(|lead| lead.slot == self.slot).map(|lead| lead.next);
                let position = sync::settle(exact, next);
                self.play(Stretch { offset: piece.offset, frames: piece.frames, position, heard: true });
            }
        }
    }

    /// At another tempo each host beat plays the clip's beat from its first frame, cut where the shorter of the two ends.
    fn slices(&mut self, piece: &Piece) {
        let Piece { offset, frames, mut stamp } = *piece;
        let (rate, grid) = (self.deck.rate, self.clip.grid());
        // A host that tells seconds only is taken to have kept its tempo since the song began.
        let tempo = stamp.tempo.unwrap_or(Bpm(120.0));
        stamp.beats = stamp.beats.or_else(|| stamp.seconds.map(|seconds| seconds * tempo.0 / 60.0));
        let Some(clock) = HostClock::of(&stamp, rate) else { return };
        let slack = SLICE_SLACK.frames(rate).0;
        let mut done = 0;
        while done < frames {
            let now = clock.now + done as i64;
            let beat = clock.beat_before(now);
            let (begin, end) = (clock.frame_of(beat as f64), clock.frame_of((beat + 1) as f64));
            let (first, last) =
                (grid.frame_of(Beats(beat as f64), rate).0, grid.frame_of(Beats((beat + 1) as f64), rate).0);
            let position = first + (now - begin);
            // Through a tempo ramp the count since the beat and the host's position drift apart; the next beat mends it.
            let next =
                self.state.voices.lead.filter(|lead| lead.slot == self.slot && now > begin).map(|lead| lead.next);
            let position = next.filter(|next| (next - position).abs() <= slack).unwrap_or(position);
            let left = (end - now).min(last - position);
            let heard = left > 0;
            let frames = if heard { until(0, left, frames - done) } else { until(now, end, frames - done) };
            let position = if heard { position } else { position.min(last - 1) };
            self.play(Stretch { offset: offset + done, frames, position, heard });
            done += frames;
        }
    }

    /// Cuts a stretch where the region or the audio begins or ends, and hands out the runs.
    fn play(&mut self, stretch: Stretch) {
        let Stretch { mut offset, mut frames, mut position, heard } = stretch;
        let (region, length) = (self.clip.region_frames(), self.clip.frames());
        while frames > 0 {
            let border = [0, region, length].into_iter().filter(|&border| border > position).min().unwrap_or(i64::MAX);
            let replaced = self.block.settings.replace && (0..region).contains(&position);
            self.state.mute.aim(if replaced { 0.0 } else { 1.0 }, &self.deck.fade);
            let voice = Voice { slot: self.slot, next: position };
            self.state.voices.lead_with(self.deck, heard.then_some(voice));
            let most = frames.min(self.block.max_run).min(self.state.until_rest(&self.deck.fade));
            let count = if heard { until(position, border, most) } else { most };
            let sounds = heard && (0..length).contains(&position);
            let run = Run {
                offset,
                frames: count,
                position: (0..length).contains(&position).then_some(position),
                lead: sounds.then_some(voice),
            };
            (self.each)(&run, self.state);
            self.state.pass(count, &self.deck.fade);
            offset += count;
            frames -= count;
            if heard {
                position += count as i64;
            }
        }
    }
}

/// Frames from a position to a border, at most `frames`, at least one.
fn until(position: i64, border: i64, frames: usize) -> usize {
    usize::try_from(border.saturating_sub(position)).map_or(1, |until| until.clamp(1, frames.max(1)))
}
