//! Thread: audio. Some frames of a block in which one clip plays.

use super::voices::Voice;
use super::{Block, Count, Deck, Place, PlayState, Run};
use crate::capture::host_clock::{self, HostClock, Piece};
use crate::playback::clip::Clip;
use crate::playback::sync;
use crate::time::{Beats, Bpm, Seconds};
use std::ops::Range;

/// Inside a slice, counting goes on while the host's position is this near to the count: a steep tempo ramp, but no locate
/// that anyone would make by hand.
const SLICE_SLACK: Seconds = Seconds(0.03);

/// What plays, and who hears of it.
pub struct Turn<'a, Each> {
    pub state: &'a mut PlayState,
    pub deck: &'a Deck,
    pub block: &'a Block,
    pub slot: usize,
    pub clip: &'a Clip,
    /// The take itself plays.
    pub original: bool,
    /// The input gives way inside the region.
    pub replaces: bool,
    pub each: &'a mut Each,
}

/// A stretch of a clip, before it is cut into runs.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    offset: usize,
    frames: usize,
    /// The frame that belongs here.
    position: i64,
    /// How the notes are counted here; `None` where they follow the frames.
    host: Option<(HostClock, i64)>,
    /// Whether it is heard; in the gap between two slices it is not.
    heard: bool,
}

impl<Each: FnMut(&Run, &PlayState)> Turn<'_, Each> {
    /// Counts from where the last block ended, round at `end`.
    pub fn count(&mut self, window: Range<usize>, end: i64) {
        let mut offset = window.start;
        while offset < window.end {
            if self.state.counter >= end {
                self.state.counter = 0;
            }
            let frames = until(self.state.counter, end, window.end - offset);
            self.play(Stretch { offset, frames, position: self.state.counter, host: None, heard: true });
            self.state.counter += frames as i64;
            offset += frames;
        }
    }

    /// Counts from the stroke of a key until it is let go, or to the end of what there is to hear.
    pub fn strokes(&mut self, window: Range<usize>, seat: usize) {
        let mut offset = window.start;
        let block = self.block;
        for stroke in block.strokes.of(seat).filter(|stroke| window.contains(&stroke.frame)) {
            self.held(offset..stroke.frame);
            offset = stroke.frame;
            self.state.triggered = stroke.down;
            if stroke.down {
                self.state.counter = 0;
            }
        }
        self.held(offset..window.end);
    }

    fn held(&mut self, mut window: Range<usize>) {
        let end = self.clip.frames().max(self.clip.region_frames());
        if self.state.triggered {
            let left = usize::try_from(end - self.state.counter).unwrap_or(0).min(window.len());
            if left > 0 {
                self.count(window.start..window.start + left, i64::MAX);
            }
            self.state.triggered = self.state.counter < end;
            window.start += left;
        }
        if !window.is_empty() {
            super::rest(self.state, self.deck, self.block, window, self.each);
        }
    }

    /// Follows the host's position.
    pub fn song(&mut self, window: Range<usize>) {
        let mut stamp = self.block.stamp;
        let grid = self.clip.grid();
        stamp.tempo = stamp.tempo.or_else(|| grid.tempo.single());
        for piece in host_clock::pieces(&stamp, self.deck.rate, self.block.frames) {
            let from = piece.offset.max(window.start);
            let to = (piece.offset + piece.frames).min(window.end);
            if from >= to {
                continue;
            }
            let skipped = from - piece.offset;
            if sync::tempo_differs(&piece.stamp, grid) {
                self.state.slicing = true;
                self.slices(&piece, skipped, to - piece.offset);
            } else if let Some(exact) = sync::exact_position(&piece.stamp, grid, self.deck.rate) {
                let next = self.state.voices.lead.filter(|lead| lead.slot == self.slot).map(|lead| lead.next);
                let position = sync::settle(exact + skipped as f64, next);
                self.play(Stretch { offset: from, frames: to - from, position, host: None, heard: true });
            }
        }
    }

    /// At another tempo each host beat plays the clip's beat from its first frame, cut where the shorter of the two ends.
    fn slices(&mut self, piece: &Piece, skipped: usize, frames: usize) {
        let Piece { offset, mut stamp, .. } = *piece;
        let (rate, grid) = (self.deck.rate, self.clip.grid());
        // A host that tells seconds only is taken to have kept its tempo since the song began.
        let tempo = stamp.tempo.unwrap_or(Bpm(120.0));
        stamp.beats = stamp.beats.or_else(|| stamp.seconds.map(|seconds| seconds * tempo.0 / 60.0));
        let Some(clock) = HostClock::of(&stamp, rate) else { return };
        let slack = SLICE_SLACK.frames(rate).0;
        let mut done = skipped;
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
            self.play(Stretch { offset: offset + done, frames, position, host: Some((clock, now)), heard });
            done += frames;
        }
    }

    /// Cuts a stretch where the region or the audio begins or ends, and hands out the runs.
    fn play(&mut self, stretch: Stretch) {
        let Stretch { mut offset, mut frames, mut position, mut host, heard } = stretch;
        let (region, length) = (self.clip.region_frames(), self.clip.frames());
        while frames > 0 {
            let border = [0, region, length].into_iter().filter(|&border| border > position).min().unwrap_or(i64::MAX);
            let replaced = self.replaces && (0..region).contains(&position);
            self.state.mute.aim(if replaced { 0.0 } else { 1.0 }, &self.deck.fade);
            let voice = Voice { slot: self.slot, next: position, original: self.original };
            self.state.voices.lead_with(self.deck, heard.then_some(voice));
            let most = frames.min(self.block.room_at(offset)).min(self.state.until_rest(&self.deck.fade));
            let count = if heard { until(position, border, most) } else { most };
            let sounds = heard && (0..length).contains(&position);
            let place = host.map_or(Count::Clip(position), |(clock, now)| Count::Host(clock, now));
            let run = Run {
                offset,
                frames: count,
                position: (0..length).contains(&position).then_some(position),
                place: Some(Place { slot: self.slot, count: place }),
                lead: sounds.then_some(voice),
            };
            (self.each)(&run, self.state);
            self.state.pass(count, &self.deck.fade);
            offset += count;
            frames -= count;
            if heard {
                position += count as i64;
            }
            host = host.map(|(clock, now)| (clock, now + count as i64));
        }
    }
}

/// Frames from a position to a border, at most `frames`, at least one.
fn until(position: i64, border: i64, frames: usize) -> usize {
    usize::try_from(border.saturating_sub(position)).map_or(1, |until| until.clamp(1, frames.max(1)))
}
