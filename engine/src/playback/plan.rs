//! Thread: audio. What of a seat sounds when: a block becomes runs, through each of which nothing begins or ends.
//!
//! [`advance`] is a function of its arguments alone, so that a copy of the state replays the same block for every stem.

mod deck;
mod strokes;
mod switch;
mod turn;
mod voices;

use crate::capture::host_clock::HostClock;
use crate::capture::transport::TransportStamp;
use crate::playback::clip::{Clip, Part};
use crate::playback::fade::{Fade, Glide};
use crate::playback::settings::{PlayMode, PlayerSettings};
pub use deck::Deck;
use std::ops::Range;
pub use strokes::Strokes;
use turn::Turn;
pub use voices::Side;
use voices::{Voice, Voices};

/// What decides where in the clip a block lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Silent,
    /// The song's position.
    Song,
    /// Counting from the moment the song began to move, for hosts that tell no position.
    FreeRun,
    /// Counting round the region while the song moves.
    Loop,
    /// Counting round the region whatever the song does.
    Audition,
    /// Counting from the stroke of a key.
    Trigger,
}

/// Everything of a seat that changes from block to block.
#[derive(Debug, Clone, Copy)]
pub struct PlayState {
    voices: Voices,
    mode: Mode,
    /// The clip that plays; a newer one may wait in the deck for its bar line.
    slot: Option<usize>,
    /// Next frame when counting without the song.
    counter: i64,
    /// A key holds the region.
    triggered: bool,
    /// The host's tempo is not the clip's, so beats are played one by one.
    pub slicing: bool,
    /// Where the host's song goes on when it does not jump, in beats.
    ahead: Option<f64>,
    /// 0 while the rendition replaces the dry sound, else 1.
    mute: Glide,
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
    /// Keys that play regions.
    pub strokes: Strokes,
    /// Length.
    pub frames: usize,
    /// Runs are cut at multiples of this.
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
    /// Where in the song of the clip it lies, whether or not anything is heard there. `None` when the clip does not play.
    pub place: Option<Place>,
    /// The voice that leads, when it is heard.
    lead: Option<Voice>,
}

/// Where a run lies in a clip's song.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The clip.
    pub slot: usize,
    /// How it is counted.
    pub count: Count,
}

/// A first frame, counted in one of two ways.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Count {
    /// In frames of the clip.
    Clip(i64),
    /// In frames of a host whose tempo is another.
    Host(HostClock, i64),
}

impl PlayState {
    /// Nothing plays yet.
    pub fn new() -> Self {
        Self {
            voices: Voices::default(),
            mode: Mode::Silent,
            slot: None,
            counter: 0,
            triggered: false,
            slicing: false,
            ahead: None,
            mute: Glide::resting_at(1.0),
            wet: Glide::resting_at(1.0),
            settled: false,
        }
    }

    /// Whether a slot is still needed by this state.
    pub fn needs(&self, slot: usize) -> bool {
        self.slot == Some(slot) || self.voices.sounds(slot)
    }

    /// Whether nothing would be missed if time stood still here: without a clip, nothing sounds and nothing moves.
    pub fn is_idle(&self, fade: &Fade) -> bool {
        self.voices.are_silent() && self.mute.resting(fade) == Some(1.0)
    }

    /// The clip that plays.
    pub fn playing<'a>(&self, deck: &'a Deck) -> Option<&'a Clip> {
        deck.clip(self.slot?)
    }

    /// What is left of the input beside this seat, when that does not move.
    pub fn resting_mute(&self, fade: &Fade) -> Option<f32> {
        self.mute.resting(fade)
    }

    /// Multiplies what is left of the input beside this seat into the gains of a run's first frames.
    pub fn mute(&self, gains: &mut [f32], fade: &Fade) {
        self.mute.scale(gains, fade);
    }

    /// Whether anything is heard in a run.
    pub fn is_heard(&self, run: &Run) -> bool {
        run.lead.is_some() || self.voices.fading()
    }

    /// Writes one channel of a run, with the wet gain.
    pub fn render(&self, deck: &Deck, part: Part, run: &Run, side: Side, out: &mut [f32]) {
        self.voices.render(deck, part, run.lead, side, out);
        self.wet.scale(out, &deck.fade);
    }

    /// Frames until the first of the gains comes to rest, so that a run ends there and the rest of it is exact.
    fn until_rest(&self, fade: &Fade) -> usize {
        let glides = [self.mute, self.wet];
        glides.iter().map(|glide| glide.remaining(fade)).filter(|&left| left > 0).min().unwrap_or(usize::MAX)
    }

    fn pass(&mut self, frames: usize, fade: &Fade) {
        self.voices.pass(frames, fade);
        for glide in [&mut self.mute, &mut self.wet] {
            glide.advance(frames);
        }
    }
}

impl Block {
    /// Frames from an offset to where the next run must begin.
    fn room_at(&self, offset: usize) -> usize {
        self.max_run - offset % self.max_run
    }
}

/// Plays one block of a seat: hands out its runs in order, each with the state at its first frame, and leaves the state of the next
/// block's first frame.
pub fn advance(
    seat: usize,
    state: &mut PlayState,
    deck: &Deck,
    block: &Block,
    each: &mut impl FnMut(&Run, &PlayState),
) {
    let gain = block.settings.seat_gain(seat);
    if !state.settled {
        state.settled = true;
        state.wet = Glide::resting_at(gain);
    }
    state.wet.aim(gain, &deck.fade);
    let (newest, change) = (deck.newest(), switch::offset(seat, state, deck, block));
    state.slicing = false;
    if change > 0 {
        play(seat, state, deck, block, 0..change.min(block.frames), each);
    }
    if change < block.frames {
        switch::carry_over(state, deck, newest);
        state.slot = newest;
        play(seat, state, deck, block, change..block.frames, each);
    }
    state.ahead = switch::beats_after(block, deck);
}

/// Plays some frames of a block with one clip, or none.
fn play(
    seat: usize,
    state: &mut PlayState,
    deck: &Deck,
    block: &Block,
    window: Range<usize>,
    each: &mut impl FnMut(&Run, &PlayState),
) {
    let (slot, clip, mode) = match state.slot.and_then(|slot| Some((slot, deck.clip(slot)?))) {
        Some((slot, clip)) => (slot, Some(clip), mode_of(seat, clip, deck, block)),
        None => (0, None, Mode::Silent),
    };
    if mode != state.mode {
        (state.counter, state.triggered, state.mode) = (0, false, mode);
    }
    let Some(clip) = clip.filter(|_| mode != Mode::Silent) else {
        return rest(state, deck, block, window, each);
    };
    let original = block.settings.compare && clip.has_original();
    let replaces = block.settings.replace && !block.settings.seat_muted[seat];
    let mut turn = Turn { state, deck, block, slot, clip, original, replaces, each };
    match mode {
        Mode::Silent => {}
        Mode::Song => turn.song(window),
        Mode::FreeRun => turn.count(window, i64::MAX),
        Mode::Loop | Mode::Audition => turn.count(window, clip.region_frames().max(1)),
        Mode::Trigger => turn.strokes(window, seat),
    }
}

fn mode_of(seat: usize, clip: &Clip, deck: &Deck, block: &Block) -> Mode {
    let (settings, stamp) = (&block.settings, &block.stamp);
    let chosen = seat == settings.chosen_seat;
    let placed = stamp.beats.is_some() || stamp.seconds.is_some();
    if !settings.enabled || clip.rate() != deck.rate {
        return Mode::Silent;
    }
    if settings.audition {
        return if chosen { Mode::Audition } else { Mode::Silent };
    }
    match settings.mode {
        PlayMode::Trigger => Mode::Trigger,
        PlayMode::Loop if stamp.playing && chosen => Mode::Loop,
        PlayMode::Song if stamp.playing && placed => Mode::Song,
        // Without a position all regions would sound at once, each from its start.
        PlayMode::Song if stamp.playing && chosen => Mode::FreeRun,
        PlayMode::Loop | PlayMode::Song => Mode::Silent,
    }
}

/// Frames in which no clip plays.
fn rest(
    state: &mut PlayState,
    deck: &Deck,
    block: &Block,
    window: Range<usize>,
    each: &mut impl FnMut(&Run, &PlayState),
) {
    state.mute.aim(1.0, &deck.fade);
    state.voices.lead_with(deck, None);
    let mut offset = window.start;
    while offset < window.end {
        let frames = (window.end - offset).min(block.room_at(offset)).min(state.until_rest(&deck.fade));
        each(&Run { offset, frames, position: None, place: None, lead: None }, state);
        state.pass(frames, &deck.fade);
        offset += frames;
    }
}
