//! Thread: audio. The sound itself: one leading voice at full gain, and short tails that fade.
//!
//! The leading voice always plays at full gain from its first frame. Every discontinuity is smoothed by tails that are
//! *added* to it and fade out: what played until now goes on as a tail, and a voice that enters in mid-sound is joined by a
//! tail of the opposite sign that takes the step away. Both kinds go on reading forward, except when an attack is due
//! within the fade: then they hold the value from just before, so that no attack is lost and none sounds twice.

use super::deck::Deck;
use crate::playback::clip::{Clip, Part};
use crate::playback::fade::Fade;

/// Tails that may sound at once; two begin at each discontinuity. When more are needed the oldest is cut off.
const TAILS: usize = 16;

/// The voice that plays the clip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Voice {
    /// Which clip.
    pub slot: usize,
    /// Frame of the clip at the next frame of output.
    pub next: i64,
    /// The take itself instead of the rendition.
    pub original: bool,
}

/// What fades out beside it.
#[derive(Debug, Clone, Copy)]
struct Tail {
    slot: usize,
    original: bool,
    position: i64,
    /// Stays on the frame before `position` instead of reading on.
    held: bool,
    /// 1 for what ends, -1 for what begins.
    sign: f32,
    /// Frames since it began.
    age: usize,
    /// One of two that take each other away in the mix: it is the same before and after, only its parts are not.
    evens_out: bool,
    /// What rings at the end of a rendition that leads back to its start: it sounds at full gain for so many frames, while the head plays again.
    rings: Option<usize>,
}

/// Everything that sounds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Voices {
    /// The voice that plays the clip. It may be outside the audio and not be heard.
    pub lead: Option<Voice>,
    tails: [Option<Tail>; TAILS],
}

impl Voices {
    /// Whether a slot is still needed by these voices.
    pub fn sounds(&self, slot: usize) -> bool {
        self.lead.is_some_and(|lead| lead.slot == slot) || self.tails.iter().flatten().any(|tail| tail.slot == slot)
    }

    /// Whether nothing plays and nothing fades.
    pub fn are_silent(&self) -> bool {
        self.lead.is_none() && !self.fading()
    }

    /// Whether anything fades.
    pub fn fading(&self) -> bool {
        self.tails.iter().any(Option::is_some)
    }

    /// Writes one channel of a run through which `lead` sounds, with the tails.
    pub fn render(&self, deck: &Deck, part: Part, lead: Option<Voice>, side: Side, out: &mut [f32]) {
        match lead {
            Some(Voice { slot, next, original }) => {
                for_each_frame(deck, (slot, original), part, side, next, out, |out, sample| *out = sample);
            }
            None => out.fill(0.0),
        }
        // Left out rather than added and taken away, which would round.
        let evened = |tail: &&Tail| tail.evens_out && matches!(part, Part::Mix);
        for tail in self.tails.iter().flatten().filter(|tail| !evened(tail)) {
            if let Some(frames) = tail.rings {
                let length = frames.saturating_sub(tail.age).min(out.len());
                let position = tail.position + tail.age as i64;
                for_each_frame(
                    deck,
                    (tail.slot, tail.original),
                    part,
                    side,
                    position,
                    &mut out[..length],
                    |out, sample| *out += sample,
                );
                continue;
            }
            let gains = deck.fade.gains_from(tail.age);
            let length = gains.len().min(out.len());
            let (out, gains) = (&mut out[..length], &gains[..length]);
            if tail.held {
                let mut held = [0.0];
                for_each_frame(
                    deck,
                    (tail.slot, tail.original),
                    part,
                    side,
                    tail.position - 1,
                    &mut held,
                    |out, sample| *out = sample,
                );
                out.iter_mut().zip(gains).for_each(|(out, gain)| *out += tail.sign * gain * held[0]);
            } else {
                let position = tail.position + tail.age as i64;
                let mut gains = gains.iter();
                for_each_frame(deck, (tail.slot, tail.original), part, side, position, out, |out, sample| {
                    *out += tail.sign * gains.next().unwrap_or(&0.0) * sample;
                });
            }
        }
    }

    /// Brings a voice in, or lets it end, with the tails that smooth it.
    pub fn lead_with(&mut self, deck: &Deck, voice: Option<Voice>) {
        if self.lead == voice {
            return;
        }
        if let (Some(from), Some(to)) = (self.lead, voice)
            && let Some(clip) = deck.clip(from.slot).filter(|clip| from.slot == to.slot && clip.leads_back())
            && from.original == to.original
            && from.next == clip.region_frames()
            && to.next == 0
        {
            self.ring(from, clip.frames());
            self.lead = voice;
            return;
        }
        let evens_out = self.lead.zip(voice).is_some_and(|(from, to)| {
            let clips = deck.clip(to.slot).zip(deck.clip(from.slot));
            from.next == to.next
                && from.original == to.original
                && clips.is_some_and(|(new, old)| new.continues(old, to.original))
        });
        // A ring goes with what it followed.
        for tail in self.tails.iter_mut().flatten().filter(|tail| tail.rings.is_some() && !evens_out) {
            *tail = Tail { position: tail.position + tail.age as i64, age: 0, rings: None, ..*tail };
        }
        for (voice, sign) in [(self.lead, 1.0), (voice, -1.0)] {
            if let Some(voice) = voice
                && let Some(clip) = deck.clip(voice.slot)
            {
                self.add_tail(clip, voice, (sign, evens_out), deck.fade.frames());
            }
        }
        self.lead = voice;
    }

    /// Lets a voice sound on to the end of its clip.
    fn ring(&mut self, voice: Voice, end: i64) {
        let frames = usize::try_from(end - voice.next).unwrap_or(0);
        if frames > 0 {
            let Voice { slot, next: position, original } = voice;
            let rings = Some(frames);
            self.put(Tail { slot, original, position, held: false, sign: 1.0, age: 0, evens_out: false, rings });
        }
    }

    fn add_tail(&mut self, clip: &Clip, voice: Voice, (sign, evens_out): (f32, bool), fade_frames: usize) {
        let Voice { slot, next: position, original } = voice;
        let held = clip.attack_ahead(position, fade_frames);
        let first = if held { position - 1 } else { position };
        if first + fade_frames as i64 <= 0 || (held && first < 0) || first >= clip.frames() {
            return;
        }
        self.put(Tail { slot, original, position, held, sign, age: 0, evens_out, rings: None });
    }

    /// Takes a free place, or that of the oldest tail.
    fn put(&mut self, tail: Tail) {
        let age = |tail: &Option<Tail>| tail.map_or(usize::MAX, |tail| tail.age);
        if let Some(place) = self.tails.iter_mut().max_by_key(|tail| age(tail)) {
            *place = Some(tail);
        }
    }

    /// Lets time pass.
    pub fn pass(&mut self, frames: usize, fade: &Fade) {
        if let Some(lead) = &mut self.lead {
            lead.next += frames as i64;
        }
        for place in &mut self.tails {
            if let Some(tail) = place {
                tail.age += frames;
                if tail.age >= tail.rings.unwrap_or(fade.frames()) {
                    *place = None;
                }
            }
        }
    }
}

/// A channel of output.
#[derive(Debug, Clone, Copy)]
pub enum Side {
    /// The first of two.
    Left,
    /// The second of two.
    Right,
    /// The only one: the average of both.
    Both,
}

/// Calls `put` for each frame of `out` with the clip's sample there; frames outside the audio are silent.
fn for_each_frame(
    deck: &Deck,
    (slot, original): (usize, bool),
    part: Part,
    side: Side,
    position: i64,
    out: &mut [f32],
    mut put: impl FnMut(&mut f32, f32),
) {
    let Some(sides) = deck.clip(slot).and_then(|clip| clip.sides(part, original)) else {
        return out.iter_mut().for_each(|out| put(out, 0.0));
    };
    let before = usize::try_from(-position).unwrap_or(0).min(out.len());
    let first = usize::try_from(position).unwrap_or(0);
    let (early, out) = out.split_at_mut(before);
    early.iter_mut().for_each(|out| put(out, 0.0));
    let (left, right) = (sides.left.get(first..).unwrap_or(&[]), sides.right.get(first..).unwrap_or(&[]));
    let audible = match side {
        Side::Left => left.len(),
        Side::Right => right.len(),
        Side::Both => left.len().min(right.len()),
    };
    let (out, late) = out.split_at_mut(audible.min(out.len()));
    match side {
        Side::Left => out.iter_mut().zip(left).for_each(|(out, sample)| put(out, *sample)),
        Side::Right => out.iter_mut().zip(right).for_each(|(out, sample)| put(out, *sample)),
        Side::Both => {
            for ((out, left), right) in out.iter_mut().zip(left).zip(right) {
                put(out, (left + right) * 0.5);
            }
        }
    }
    late.iter_mut().for_each(|out| put(out, 0.0));
}
