//! Thread: audio. A seat: the clips of one region, and how far they are played.

use super::clip::Part;
use super::desk::Desk;
use super::handoff::ClipInbox;
use super::plan::{self, Block, Deck, PlayState, Run, Side};
use super::sync;
use super::telemetry::SeatReport;
use crate::capture::transport::TransportStamp;
use crate::generation::score::Role;
use crate::playback::settings::{PlayMode, PlayerSettings};
use crate::time::{Beats, SampleRate};

/// The clips of one region, and how far they are played.
pub struct Seat {
    number: usize,
    deck: Deck,
    state: PlayState,
    /// The state the last block began with, from which its stems are played.
    last: PlayState,
    /// Nothing is here and nothing sounds: the seat is passed over.
    asleep: bool,
}

/// What of a seat is wanted.
#[derive(Debug, Clone, Copy)]
pub enum Wanted {
    /// Everything, each role with its gain.
    Sum,
    /// One role, with its gain.
    Stem(Role),
}

impl Seat {
    /// Empty.
    pub fn new(number: usize, inbox: ClipInbox, rate: SampleRate) -> Self {
        let state = PlayState::new();
        Self { number, deck: Deck::new(inbox, rate), state, last: state, asleep: true }
    }

    /// Its place among the seats.
    pub fn number(&self) -> usize {
        self.number
    }

    /// The clips.
    pub fn deck(&self) -> &Deck {
        &self.deck
    }

    /// Whether there is nothing to play and nothing to hear.
    pub fn is_asleep(&self) -> bool {
        self.asleep
    }

    /// Fetches what was sent.
    pub fn fetch(&mut self) {
        let Self { deck, state, .. } = self;
        deck.exchange(|slot| state.needs(slot));
    }

    /// Fetches what was sent and begins a block. True when the seat has just fallen asleep or woken up.
    pub fn begin(&mut self) -> bool {
        self.fetch();
        let Self { deck, state, .. } = self;
        let empty = deck.is_empty();
        if empty && self.asleep {
            return false;
        }
        let asleep = empty && state.is_idle(&deck.fade);
        if asleep {
            *state = PlayState::new();
        }
        self.last = *state;
        std::mem::replace(&mut self.asleep, asleep) != asleep
    }

    /// Whether it may leave less of the input than there is.
    pub fn may_mute(&self, settings: &PlayerSettings) -> bool {
        settings.replace || self.state.resting_mute(&self.deck.fade) != Some(1.0)
    }

    /// Multiplies what is left of the input beside this seat into `gains`, which belong to the frames from `from` on.
    pub fn mute(&self, block: &Block, from: usize, gains: &mut [f32]) {
        let mut state = self.last;
        let fade = &self.deck.fade;
        plan::advance(self.number, &mut state, &self.deck, block, &mut |run, state| {
            let Some(gains) = part_of(gains, from, run) else { return };
            state.mute(gains, fade);
        });
    }

    /// Plays a block: the runs with the state each begins with. Leaves the state of the next block.
    pub fn play(&mut self, block: &Block, each: &mut impl FnMut(&Deck, &Run, &PlayState)) {
        let Self { deck, state, .. } = self;
        plan::advance(self.number, state, deck, block, &mut |run, state| each(deck, run, state));
    }

    /// Plays the last block again, from the state it began with.
    pub fn replay(&self, block: &Block, each: &mut impl FnMut(&Deck, &Run, &PlayState)) {
        let mut state = self.last;
        plan::advance(self.number, &mut state, &self.deck, block, &mut |run, state| each(&self.deck, run, state));
    }

    /// What it tells after a block in which it was first heard at a position.
    pub fn report(&self, position: Option<i64>) -> SeatReport {
        let newest = self.deck.current().map(|(_, clip)| clip.id());
        let clip = self.state.playing(&self.deck).map(|clip| clip.id());
        let waiting = newest.filter(|_| clip.is_some() && clip != newest);
        SeatReport { clip, waiting, position, slicing: self.state.slicing }
    }

    /// How far the clip that plays is from being wanted at the host's tempo, in beats: 0 inside its region. `None` when there is none, or it is
    /// at that tempo.
    pub fn wants_tempo(&self, stamp: &TransportStamp, settings: &PlayerSettings) -> Option<f64> {
        let (_, clip) = self.deck.current()?;
        let grid = clip.grid();
        if !sync::tempo_differs(stamp, grid) {
            return None;
        }
        if settings.mode != PlayMode::Song || settings.audition {
            let chosen = self.number == settings.chosen_seat;
            return Some(if chosen || settings.mode == PlayMode::Trigger { 0.0 } else { f64::MAX });
        }
        let (Beats(start), Beats(end)) = (grid.start, clip.end());
        match stamp.song_beats().filter(|_| stamp.playing) {
            Some(beats) if beats < end => Some((start - beats).max(0.0)),
            _ => Some(f64::MAX),
        }
    }
}

/// Writes one channel of a run; `spare` is as long as `out`.
pub fn render(
    (deck, run, state): (&Deck, &Run, &PlayState),
    desk: &Desk,
    wanted: Wanted,
    side: Side,
    out: &mut [f32],
    spare: &mut [f32],
) {
    let fade = &deck.fade;
    match wanted {
        Wanted::Sum if desk.is_plain_after(run.offset, fade) => state.render(deck, Part::Mix, run, side, out),
        Wanted::Sum => {
            state.render(deck, Part::Stemless, run, side, out);
            for (index, role) in Role::ALL.into_iter().enumerate() {
                let gain = desk.role_after(index, run.offset, fade);
                if gain.resting(fade) == Some(0.0) || !deck.has_stem(role) {
                    continue;
                }
                state.render(deck, Part::Stem(role), run, side, spare);
                gain.scale(spare, fade);
                out.iter_mut().zip(&*spare).for_each(|(out, stem)| *out += *stem);
            }
        }
        Wanted::Stem(role) => {
            let index = Role::ALL.iter().position(|one| *one == role).unwrap_or(0);
            state.render(deck, Part::Stem(role), run, side, out);
            desk.role_after(index, run.offset, fade).scale(out, fade);
        }
    }
}

/// The part of a slice that begins at block frame `from` which belongs to a run.
pub fn part_of<'a, T>(slice: &'a mut [T], from: usize, run: &Run) -> Option<&'a mut [T]> {
    let first = run.offset.checked_sub(from)?;
    let length = slice.len().saturating_sub(first).min(run.frames);
    slice.get_mut(first..first + length).filter(|part| !part.is_empty())
}
