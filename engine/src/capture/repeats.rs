//! Thread: collector. The loop of a host that does not tell of one: its song jumps back, twice by the same length to the same place.
//!
//! Such hosts tell a position at the start of a block, so the jump itself lies somewhere in the block before. Loops lie on beats,
//! so the last beat, or half or quarter of one, that the jump can have gone to is where the loop starts.

/// Two jumps back may differ by so many frames and still be the same loop.
const SAME_FRAMES: f64 = 2.0;
/// What loops start on, in quarter notes, coarsest first.
const STARTS_ON: [f64; 4] = [4.0, 1.0, 0.5, 0.25];

/// A jump back in the song, seen at a record frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct JumpBack {
    /// The record frame.
    pub at: u64,
    /// Where the song would have been, in beats.
    pub expected: f64,
    /// Where it was, in beats.
    pub actual: f64,
    /// Frames of the block before, within which the song jumped.
    pub block_frames: u64,
    /// Record frames of a beat.
    pub frames_per_beat: f64,
}

impl JumpBack {
    fn length(&self) -> f64 {
        self.expected - self.actual
    }

    /// Frames since the jump, when the loop starts at a position.
    pub fn since(&self, start: f64) -> f64 {
        ((self.actual - start) * self.frames_per_beat).round().max(0.0)
    }
}

/// What is known of a host's jumps.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Repeats {
    last: Option<JumpBack>,
    /// The loop, once it is known, in beats.
    pub found: Option<(f64, f64)>,
}

impl Repeats {
    /// The song stopped, or the host tells of loops: what was seen means nothing any more.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// The song jumped; gives the jump before and the loop when this one makes it known.
    pub fn jumped(&mut self, jump: JumpBack) -> Option<(JumpBack, (f64, f64))> {
        self.found = None;
        let before = self.last.replace(jump);
        if jump.length() <= 0.0 {
            self.last = None;
            return None;
        }
        let before = before.filter(|before| {
            let blocks = jump.block_frames.max(before.block_frames) as f64;
            (before.length() - jump.length()).abs() * jump.frames_per_beat <= SAME_FRAMES
                && (before.actual - jump.actual).abs() * jump.frames_per_beat <= blocks
        })?;
        let earliest = |jump: &JumpBack| jump.actual - jump.block_frames as f64 / jump.frames_per_beat;
        let (from, to) = (earliest(&before).max(earliest(&jump)), before.actual.min(jump.actual));
        let rounding = SAME_FRAMES / jump.frames_per_beat;
        let on_beat = STARTS_ON.iter().find_map(|unit| {
            let start = ((to + rounding) / unit).floor() * unit;
            (start > from).then_some(start)
        });
        let start = on_beat.unwrap_or(to);
        // The length is what was measured, made whole where that is within what was measured.
        let fine = STARTS_ON[3];
        let whole = (jump.length() / fine).round() * fine;
        let near = (whole - jump.length()).abs() * jump.frames_per_beat <= SAME_FRAMES;
        let found = (start, start + if near { whole } else { jump.length() });
        self.found = Some(found);
        Some((before, found))
    }
}
