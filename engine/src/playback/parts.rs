//! Thread: audio. The parts of renditions as notes for other instruments, in time with the host.
//!
//! Notes follow the runs of [`super::plan`]: within a run, and from a run to the one that continues it, they begin and end on their own frames;
//! wherever the song jumps, everything that is held ends, and what is held at the new place begins there. What the seats
//! play meets in one count of sounding keys, so that every key that goes down goes up once, whoever plays it.

use super::clip::Clip;
use super::notes::{CHANNELS, PartNote};
use super::plan::{Count, Run};
use super::settings::{MOST_REGIONS, ROLES};
use crate::capture::ring::MidiEvent;

/// Notes that a seat holds at once; more are not begun.
const MOST_HELD: usize = 64;
/// Notes that begin in one block; more are not begun.
const MOST_STARTS: usize = 256;
/// What may come together in one block: starts, their ends, and the ends of everything that was held.
const MOST_MOVES: usize = 2 * MOST_STARTS + MOST_REGIONS * MOST_HELD;
/// A key that is struck while it sounds ends first.
const MOST_EVENTS: usize = MOST_MOVES + MOST_STARTS;
const KEYS: usize = 128;
/// Channels a role may have.
const MIDI_CHANNELS: usize = 16;
/// Through a tempo ramp, counting in beats goes on while the host is this near, in beats.
const BEAT_SLACK: f64 = 0.06;

/// A key goes down or up in one seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Move {
    frame: u32,
    /// Ends sort before starts.
    down: bool,
    number: u16,
    channel: u8,
    key: u8,
    /// 1 to 127.
    velocity: u8,
}

/// A note that sounds.
#[derive(Debug, Clone, Copy)]
struct Held {
    note: PartNote,
    /// The first frame of the block on which it may end.
    not_before: usize,
}

/// Where a seat is in the notes of its clip.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cursor {
    /// Nowhere.
    Away,
    /// The clip's frame that comes next.
    Clip(i64),
    /// The song position up to which everything has begun.
    Host(f64),
}

#[derive(Debug, Clone, Copy)]
struct Hand {
    held: [Option<Held>; MOST_HELD],
    cursor: Cursor,
    slot: usize,
    clip: u64,
    roles: u8,
}

/// What all seats send out.
pub struct Parts {
    /// One a seat. Not inside the struct, which travels over the small stacks of hosts' threads.
    hands: Box<[Hand]>,
    moves: Vec<Move>,
    starts: usize,
    /// How many seats hold a key.
    sounding: [[u8; KEYS]; MIDI_CHANNELS],
    /// Keys whose end did not get through.
    owed: [[bool; KEYS]; MIDI_CHANNELS],
    owes: bool,
    events: Vec<MidiEvent>,
}

impl Parts {
    /// Nothing sounds.
    pub fn new() -> Self {
        let hand = Hand { held: [None; MOST_HELD], cursor: Cursor::Away, slot: 0, clip: 0, roles: 0 };
        Self {
            hands: vec![hand; MOST_REGIONS].into_boxed_slice(),
            moves: Vec::with_capacity(MOST_MOVES),
            starts: 0,
            sounding: [[0; KEYS]; MIDI_CHANNELS],
            owed: [[false; KEYS]; MIDI_CHANNELS],
            owes: false,
            events: Vec::with_capacity(MOST_EVENTS + MIDI_CHANNELS * KEYS),
        }
    }

    /// Begins a block.
    pub fn begin(&mut self) {
        self.moves.clear();
        self.events.clear();
        self.starts = 0;
        let playing = self.hands.iter_mut().filter(|hand| hand.cursor != Cursor::Away);
        for held in playing.flat_map(|hand| &mut hand.held).flatten() {
            held.not_before = 0;
        }
    }

    /// Follows a run of a seat that sends out some roles of a clip.
    pub fn follow(&mut self, seat: usize, run: &Run, clip: Option<&Clip>, roles: u8) {
        let (Some(place), Some(clip), 1..) = (run.place, clip, roles) else {
            return self.leave(seat, run.offset);
        };
        let hand = &mut self.hands[seat];
        let same = hand.slot == place.slot && hand.clip == clip.id() && hand.roles == roles;
        (hand.slot, hand.clip) = (place.slot, clip.id());
        let span = Span::of(place.count, hand.cursor, run, same);
        if span.jumps {
            self.end_all(seat, run.offset);
            self.hands[seat].roles = roles;
            self.chase(seat, clip.notes(), &span);
        }
        self.play(seat, clip.notes(), &span);
        self.hands[seat].cursor = span.after;
    }

    /// Lets go of everything a seat holds.
    pub fn leave(&mut self, seat: usize, offset: usize) {
        if self.hands[seat].cursor != Cursor::Away {
            self.end_all(seat, offset);
            self.hands[seat].cursor = Cursor::Away;
        }
    }

    /// The events of the block, by frame, the ends first.
    pub fn events(&self) -> &[MidiEvent] {
        &self.events
    }

    /// Puts the events of a block together.
    pub fn finish(&mut self) {
        if self.owes {
            self.pay();
        }
        self.moves.sort_unstable();
        for one in &self.moves {
            let sounding = &mut self.sounding[usize::from(one.channel)][usize::from(one.key)];
            let end = MidiEvent { frame: one.frame, key: one.key, channel: one.channel, velocity: 0.0 };
            if one.down {
                if *sounding > 0 {
                    self.events.push(end);
                }
                *sounding = sounding.saturating_add(1);
                self.events.push(MidiEvent { velocity: f32::from(one.velocity) / 127.0, ..end });
            } else if *sounding > 0 {
                *sounding -= 1;
                if *sounding == 0 {
                    self.events.push(end);
                }
            }
        }
    }

    /// Tells that an event did not get through: an end will be sent again.
    pub fn lost(&mut self, event: &MidiEvent) {
        if event.velocity == 0.0 {
            self.owed[usize::from(event.channel)][usize::from(event.key)] = true;
            self.owes = true;
        }
    }

    /// Takes over what another player left sounding, to end it.
    pub fn inherit(&mut self, other: &Self) {
        for channel in 0..MIDI_CHANNELS {
            for key in 0..KEYS {
                let sounds = other.sounding[channel][key] > 0 || other.owed[channel][key];
                self.owed[channel][key] |= sounds;
                self.owes |= sounds;
            }
        }
    }

    fn pay(&mut self) {
        for (channel, keys) in (0_u8..).zip(&mut self.owed) {
            for (key, owed) in (0_u8..).zip(keys) {
                if std::mem::take(owed) {
                    self.events.push(MidiEvent { frame: 0, key, channel, velocity: 0.0 });
                }
            }
        }
        self.owes = false;
    }

    fn end_all(&mut self, seat: usize, offset: usize) {
        for place in &mut self.hands[seat].held {
            if let Some(held) = place.take() {
                put(&mut self.moves, offset.max(held.not_before), &held.note, false);
            }
        }
    }

    /// Begins what is held at the place a seat has jumped to.
    fn chase(&mut self, seat: usize, notes: &[PartNote], span: &Span) {
        for note in notes.iter().take_while(|note| span.is_behind(note)) {
            if note.sustains() && span.is_held(note) {
                self.start(seat, span.offset, note);
            }
        }
    }

    /// Begins and ends what begins and ends in a span, in order.
    fn play(&mut self, seat: usize, notes: &[PartNote], span: &Span) {
        let first = notes.partition_point(|note| span.is_behind(note));
        for note in notes[first..].iter().take_while(|note| span.begins(note)) {
            self.start(seat, span.frame(note.start, note.start_frame), note);
        }
        for place in &mut self.hands[seat].held {
            let Some(held) = place.filter(|held| span.ends(&held.note)) else { continue };
            let frame = span.frame(held.note.end, held.note.end_frame).max(held.not_before);
            if frame < span.offset + span.frames {
                put(&mut self.moves, frame, &held.note, false);
                *place = None;
            }
        }
    }

    fn start(&mut self, seat: usize, frame: usize, note: &PartNote) {
        let hand = &mut self.hands[seat];
        if hand.roles & (1 << note.role) == 0 || self.starts == MOST_STARTS {
            return;
        }
        if let Some(free) = hand.held.iter_mut().find(|place| place.is_none()) {
            *free = Some(Held { note: *note, not_before: frame + 1 });
            self.starts += 1;
            put(&mut self.moves, frame, note, true);
        }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "blocks are short, velocities 0 to 127")]
fn put(moves: &mut Vec<Move>, frame: usize, note: &PartNote, down: bool) {
    // There is room for all that may come together; were it not so, nothing may be allocated here.
    if moves.len() < moves.capacity() {
        let channel = CHANNELS[usize::from(note.role) % ROLES];
        let velocity = (note.velocity * 127.0).round() as u8;
        moves.push(Move { frame: frame as u32, down, number: moves.len() as u16, channel, key: note.key, velocity });
    }
}

/// A run in terms of notes.
#[derive(Debug, Clone, Copy)]
struct Span {
    offset: usize,
    frames: usize,
    /// It does not go on from where the seat was.
    jumps: bool,
    count: Count,
    /// In beats, where the host counts: what begins from here on to `after`.
    from: f64,
    after: Cursor,
}

impl Span {
    fn of(count: Count, cursor: Cursor, run: &Run, same: bool) -> Self {
        let Run { offset, frames, .. } = *run;
        match count {
            Count::Clip(position) => {
                let jumps = !same || cursor != Cursor::Clip(position);
                Self { offset, frames, jumps, count, from: 0.0, after: Cursor::Clip(position + frames as i64) }
            }
            Count::Host(clock, now) => {
                // A note belongs to the frame nearest to it, so a run ends half a frame before the next begins.
                let edge = |frame: i64| (clock.beats_of(frame) + clock.beats_of(frame - 1)) / 2.0;
                let (from, after) = (edge(now), edge(now + frames as i64));
                match cursor {
                    Cursor::Host(cursor) if same && (cursor - from).abs() < BEAT_SLACK => {
                        let after = Cursor::Host(after.max(cursor));
                        Self { offset, frames, jumps: false, count, from: cursor, after }
                    }
                    _ => Self { offset, frames, jumps: true, count, from, after: Cursor::Host(after) },
                }
            }
        }
    }

    /// Whether a note began before.
    fn is_behind(&self, note: &PartNote) -> bool {
        match self.count {
            Count::Clip(position) => note.start_frame < position,
            Count::Host(..) => note.start < self.from,
        }
    }

    /// Whether a note that began before sounds here.
    fn is_held(&self, note: &PartNote) -> bool {
        match self.count {
            Count::Clip(position) => note.end_frame > position,
            Count::Host(..) => note.end > self.from,
        }
    }

    /// Whether a note that is not behind begins here.
    fn begins(&self, note: &PartNote) -> bool {
        match self.after {
            Cursor::Clip(after) => note.start_frame < after,
            Cursor::Host(after) => note.start < after,
            Cursor::Away => false,
        }
    }

    /// Whether a note that sounds ends here, or should have.
    fn ends(&self, note: &PartNote) -> bool {
        match self.after {
            Cursor::Clip(after) => note.end_frame < after,
            Cursor::Host(after) => note.end < after,
            Cursor::Away => true,
        }
    }

    /// The frame of the block on which something in this run belongs.
    fn frame(&self, beats: f64, frame: i64) -> usize {
        let after = match self.count {
            Count::Clip(position) => frame - position,
            Count::Host(clock, now) => clock.frame_of(beats) - now,
        };
        self.offset + usize::try_from(after).unwrap_or(0).min(self.frames.saturating_sub(1))
    }
}
