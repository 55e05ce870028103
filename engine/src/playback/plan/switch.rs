//! Thread: audio. When a newly chosen variation takes over from the one that plays.

use super::{Block, Deck, Mode, PlayState};
use crate::capture::host_clock::{self, HostClock};
use crate::playback::clip::Clip;
use crate::playback::settings::SwitchAt;
use crate::time::{Beats, Frames, Seconds};

/// What tempo ramps do to a position between two blocks is less.
const A_JUMP: Seconds = Seconds(0.03);

/// Frames of the block that the clip of before still plays: all of them or more when nothing newer takes over.
pub fn offset(seat: usize, state: &PlayState, deck: &Deck, block: &Block) -> usize {
    if state.slot == deck.newest() {
        return usize::MAX;
    }
    let (Some(clip), Some((_, newest))) = (state.playing(deck), deck.current()) else { return 0 };
    // Between two slices nothing leads.
    let heard = state.slicing || state.voices.lead.is_some_and(|lead| (0..clip.frames()).contains(&lead.next));
    // Another rendering of the same variation takes over at once: it is only the better one.
    if block.settings.switch == SwitchAt::Now || clip.id() == newest.id() || !heard {
        return 0;
    }
    let mode = super::mode_of(seat, clip, deck, block);
    if mode != state.mode {
        return 0;
    }
    let line = match mode {
        Mode::Silent => Some(0),
        // The song has jumped: another beginning, and no more of a seam than there is anyway.
        Mode::Song if jumped(state, block) => Some(0),
        Mode::Song => line_in_song(clip, deck, block),
        Mode::FreeRun | Mode::Trigger => line_in_count(clip, state.counter, i64::MAX),
        Mode::Loop | Mode::Audition => line_in_count(clip, state.counter, clip.region_frames().max(1)),
    };
    line.filter(|&line| line < block.frames).unwrap_or(usize::MAX)
}

/// Where the song goes on after a block, in beats, when it does not jump.
pub fn beats_after(block: &Block, deck: &Deck) -> Option<f64> {
    let stamp = &block.stamp;
    let beats = stamp.song_beats().filter(|_| stamp.playing)?;
    Some(beats + Frames::from(block.frames).seconds(deck.rate).beats(stamp.usable_tempo()?).0)
}

fn jumped(state: &PlayState, block: &Block) -> bool {
    let (Some(ahead), Some(beats), Some(tempo)) = (state.ahead, block.stamp.song_beats(), block.stamp.usable_tempo())
    else {
        return false;
    };
    Beats((beats - ahead).abs()).seconds(tempo).0 > A_JUMP.0
}

/// When counting goes from one rendering to another, the place in the tune is kept, not the frame.
pub fn carry_over(state: &mut PlayState, deck: &Deck, newest: Option<usize>) {
    let (Some(from), Some(to)) = (state.playing(deck), newest.and_then(|slot| deck.clip(slot))) else { return };
    if from.grid() == to.grid() && from.rate() == to.rate() {
        return;
    }
    let beat = from.grid().beat_at(Frames(state.counter).seconds(from.rate())) - from.grid().start;
    state.counter = to.grid().frame_of(to.grid().start + beat, to.rate()).0;
}

/// The host's next bar line, or its jump back to where its loop begins, in frames of the block.
fn line_in_song(clip: &Clip, deck: &Deck, block: &Block) -> Option<usize> {
    let mut stamp = block.stamp;
    stamp.tempo = stamp.tempo.or_else(|| clip.grid().tempo.single());
    stamp.metre = stamp.metre.or(Some(clip.grid().metre));
    for piece in host_clock::pieces(&stamp, deck.rate, block.frames) {
        if piece.offset > 0 {
            return Some(piece.offset);
        }
        let mut here = piece.stamp;
        here.beats = here.song_beats();
        let clock = HostClock::of(&here, deck.rate)?;
        let bars = stamp.bar_lines();
        let line = bars.before(here.beats?);
        // The line is on the frame nearest to it, which may be this one though the position is a hair behind.
        let lines = [line, line + bars.apart].map(|line| clock.frame_of(line) - clock.now);
        let after = lines.into_iter().find_map(|after| usize::try_from(after).ok())?;
        if after < piece.frames {
            return Some(after);
        }
    }
    None
}

/// The next bar line of the clip's own song, or its beginning, in frames from its frame `counter`.
#[allow(clippy::cast_possible_truncation, reason = "a count of bars in a clip")]
fn line_in_count(clip: &Clip, counter: i64, end: i64) -> Option<usize> {
    let (grid, bar) = (clip.grid(), clip.grid().metre.bar().0);
    let now = grid.beat_at(Frames(counter).seconds(clip.rate())).0;
    let bars = (now / bar).floor();
    let lines = [bars, bars + 1.0].map(|bars| grid.frame_of(Beats(bars * bar), clip.rate()).0);
    let line = lines.into_iter().find(|&line| line >= counter)?.min(end);
    usize::try_from(line - counter).ok()
}
