//! Thread: worker. A track becomes audio: every note on its exact frame, lines joined, hats choked.
//!
//! [`place`] says where the notes lie and what joins or cuts them, [`sounding`] carries one of them into the part.

mod place;
mod sounding;

use super::biquad::Biquad;
use super::clarity::{Needs, PROBE_RATE, needs_of, probe_seconds};
use super::levels::evening_gain_db;
use super::oscillator::{self, OscillatorNote};
use super::sampler::voice::{BLOCK, Moves};
use super::sampler::{NoteShape, Sampler};
use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::generation::score::{Role, Track};
use crate::job_context::JobContext;
use crate::time::{SampleRate, SongGrid};
use place::{Cut, Placed, TOUCHES};
use sounding::{Curves, Sounding, Source};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

/// Longest ring after a key is let go, and the fade of what still sounds then.
const LONGEST_RING_SECONDS: f64 = 3.0;
const END_FADE_SECONDS: f64 = 0.01;
/// What no instrument of the set sounds below: some samples carry an offset.
const LOWEST_HZ: f64 = 22.0;
/// Frames between two looks at whether to stop: every voice renders so many at once.
const STRETCH: usize = 64 * BLOCK;
/// Bytes of repeated strokes that a part keeps.
const MOST_KEPT_BYTES: usize = 4 << 20;
/// What of a stroke is kept at most: a longer one is not heard often.
const MOST_KEPT_SECONDS: f64 = 2.0;

/// A stroke that comes more than once: its shape and which of the different touches.
type Stroke = (NoteShape, usize);
/// Its voices as audio, each with its place from left to right.
type Kept = Arc<Vec<(Arc<AudioBuffer>, f32)>>;

/// Plays a track: stereo, `frames` long, frame 0 at `grid.start`; pan and gain applied, no room.
///
/// Notes that begin before the region (a pickup played early) begin at frame 0; notes at or after `region` frames are left
/// out. `played` is called after each note.
///
/// # Errors
/// [`crate::Error::Cancelled`], [`crate::Error::OutOfRange`] for an impossible rate.
pub fn render_part(
    track: &Track,
    grid: &SongGrid,
    rate: SampleRate,
    region: i64,
    frames: usize,
    context: &JobContext,
    played: &dyn Fn() -> Result<()>,
) -> Result<AudioBuffer> {
    let mut audio = AudioBuffer::silent(rate, 2, frames);
    PartPlayer::new(track, grid, rate, region, context)?.render(&mut audio, frames, context, played)?;
    Ok(audio)
}

/// Plays a track from its start on, as far as is asked: the first bars can be heard before the rest is there. However the way
/// is divided, the samples are the same.
pub struct PartPlayer<'a> {
    track: &'a Track,
    grid: &'a SongGrid,
    rate: SampleRate,
    sampler: Sampler,
    gain: f32,
    /// Notes by start, and how many of them have begun.
    placed: Vec<Placed<'a>>,
    begun: usize,
    sounding: Vec<Sounding>,
    /// Frames that are done.
    position: usize,
    /// How often each stroke that may be kept is still to come.
    to_come: BTreeMap<Stroke, usize>,
    kept: BTreeMap<Stroke, Kept>,
    kept_bytes: usize,
    needs: BTreeMap<(u8, u8), Needs>,
    high_pass: [Biquad; 2],
}

impl<'a> PartPlayer<'a> {
    /// At frame 0 of a track whose region is `region` frames long.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`], [`crate::Error::OutOfRange`] for an impossible rate.
    pub fn new(
        track: &'a Track,
        grid: &'a SongGrid,
        rate: SampleRate,
        region: i64,
        context: &JobContext,
    ) -> Result<Self> {
        let sampler = Sampler::new(rate)?;
        let gain = db(evening_gain_db(track.preset)? + finite(track.gain_db).clamp(-60.0, 24.0));
        let mut player = Self {
            track,
            grid,
            rate,
            sampler,
            gain,
            placed: place::place(track, grid, rate, region),
            begun: 0,
            sounding: Vec::new(),
            position: 0,
            to_come: BTreeMap::new(),
            kept: BTreeMap::new(),
            kept_bytes: 0,
            needs: BTreeMap::new(),
            high_pass: [(); 2].map(|()| Biquad::high_pass(LOWEST_HZ, rate)),
        };
        let is_line = matches!(track.role, Role::Lead | Role::Counter | Role::Bass) && !track.preset.is_kit();
        if is_line {
            place::slur(&mut player.placed, rate);
        }
        if player.carries() {
            player.strike_early(context)?;
        }
        if track.preset.is_kit() {
            place::choke(&mut player.placed, &player.sampler, rate);
        } else if is_line {
            place::join(&mut player.placed, rate);
        }
        for one in &player.placed {
            if let Some(stroke) = player.stroke_of(one) {
                *player.to_come.entry(stroke).or_default() += 1;
            }
        }
        Ok(player)
    }

    /// Frames that are done.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Plays on to frame `until`, or a little past it, into `audio`: stereo, frame 0 the region's first, silent from
    /// [`Self::position`] on. Nothing is played past its end. `played` is called for each note.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`].
    pub fn render(
        &mut self,
        audio: &mut AudioBuffer,
        until: usize,
        context: &JobContext,
        played: &dyn Fn() -> Result<()>,
    ) -> Result<()> {
        let frames = audio.frames();
        let until = until.next_multiple_of(STRETCH).min(frames);
        let [left, right] = audio.channels.as_mut_slice() else {
            return Err(crate::Error::internal("playing the parts", "a part that is not stereo"));
        };
        while self.position < until {
            context.check()?;
            let end = (self.position + STRETCH).min(frames);
            self.begin_notes(end, context, played)?;
            let stretch = self.position..end;
            let (left, right) = (&mut left[stretch.clone()], &mut right[stretch]);
            for sound in &mut self.sounding {
                add_stretch(sound, self.position, left, right);
            }
            self.sounding.retain(|sound| !sound.is_over(end));
            let [left_pass, right_pass] = &mut self.high_pass;
            for (left, right) in left.iter_mut().zip(right.iter_mut()) {
                *left = left_pass.run(f64::from(*left)) as f32;
                *right = right_pass.run(f64::from(*right)) as f32;
            }
            self.position = end;
        }
        Ok(())
    }

    /// Whether it is the tune itself, and has to be understood.
    fn carries(&self) -> bool {
        self.track.role == Role::Lead && !self.track.preset.is_kit()
    }

    /// Slow sounds are struck before their time, so that they are there when the note is.
    fn strike_early(&mut self, context: &JobContext) -> Result<()> {
        let probe = Sampler::new(PROBE_RATE)?;
        for one in &mut self.placed {
            let needs = needs_of_note(&mut self.needs, &probe, one, context)?;
            if !one.is_slurred {
                one.start = (one.start - (needs.early_seconds * self.rate.hz()) as i64).max(0);
            }
        }
        place::sort(&mut self.placed);
        Ok(())
    }

    fn shape(&self, one: &Placed) -> NoteShape {
        let (key, velocity) = (one.note.key.min(127), one.note.velocity.clamp(1, 127));
        let is_one_shot = one.preset.is_kit() && !self.sampler.loops(one.preset, key, velocity);
        let held = u64::try_from(one.end - one.start).unwrap_or(0).max(1);
        NoteShape { preset: one.preset, key, velocity, held: (!is_one_shot).then_some(held) }
    }

    /// The stroke of a note that sounds like others; `None` for one with a life of its own.
    fn stroke_of(&self, one: &Placed) -> Option<Stroke> {
        let is_plain = one.note.bend.is_empty() && one.note.expression_db.is_empty() && !one.is_slurred;
        if !is_plain || self.carries() {
            return None;
        }
        let shape = self.shape(one);
        // Saying that keys are let go at block borders lets notes of nearly one length share their audio.
        let held = shape.held.map(|held| held.next_multiple_of(BLOCK as u64));
        Some((NoteShape { held, ..shape }, one.stroke % TOUCHES))
    }

    /// Starts what begins before frame `end`.
    fn begin_notes(&mut self, end: usize, context: &JobContext, played: &dyn Fn() -> Result<()>) -> Result<()> {
        while let Some(one) = self.placed.get(self.begun).filter(|one| one.start < end as i64) {
            let one = one.clone();
            self.begun += 1;
            self.begin(&one, context)?;
            played()?;
        }
        Ok(())
    }

    fn begin(&mut self, one: &Placed, context: &JobContext) -> Result<()> {
        let shape = self.shape(one);
        let note = one.note;
        let kept = self.stroke_of(one).map(|stroke| self.kept_sound(stroke, one, context)).transpose()?.flatten();
        let curve = |points, limit| place::curve(points, note.start, one.start, self.grid, self.rate, limit);
        let (bend, mut gain_db) = (curve(&note.bend, 24.0), curve(&note.expression_db, 60.0));
        let opens = !gain_db.is_empty() && place::is_bowed_or_blown(one.preset);
        let mut bells = Vec::new();
        if let Some(needs) = self.needs.get(&needs_key(one)).filter(|_| self.carries()) {
            bells = needs.bells(self.rate);
            // What dies away has no swells written.
            if gain_db.is_empty() {
                gain_db = needs.sustain(self.rate);
            }
        }
        let curves = Arc::new(Curves { bend, gain_db, opens });
        let last = one.start + i64::try_from(shape.held.unwrap_or(u64::MAX / 4)).unwrap_or(i64::MAX / 4);
        let ring = |seconds: f64| (seconds * self.rate.hz()) as i64;
        let ends = Cut { at: last + ring(LONGEST_RING_SECONDS), frames: ring(END_FADE_SECONDS), is_slur: false };
        let place = finite(self.track.pan) + place::place_in_instrument(self.track, note.key);
        let sound = |source, pan: f32| Sounding {
            start: usize::try_from(one.start).unwrap_or(0),
            source,
            curves: Arc::clone(&curves),
            bells: bells.clone(),
            sides: sides(place + pan, self.gain),
            soften: one.soften,
            is_slurred: one.is_slurred,
            cut: one.cut.or(Some(ends)),
        };
        if let Some(kept) = kept {
            self.sounding.extend(kept.iter().map(|(audio, pan)| sound(Source::Made(Arc::clone(audio)), *pan)));
        } else if one.preset.is_synthetic() {
            let mut made = oscillated(shape, &curves.bend, self.rate, context)?;
            for bell in &bells {
                made.channels.iter_mut().try_for_each(|channel| bell.clone().filter(channel, context))?;
            }
            self.sounding.push(sound(Source::Made(Arc::new(made)), 0.0));
        } else {
            let voices = self.sampler.strike(shape, one.touch(self.track.role));
            self.sounding.extend(voices.into_iter().map(|voice| {
                let pan = voice.pan();
                sound(Source::Voice(Box::new(voice)), pan)
            }));
        }
        Ok(())
    }

    /// The audio of a stroke that comes more than once, made when it comes first and dropped after the last.
    fn kept_sound(&mut self, stroke: Stroke, one: &Placed, context: &JobContext) -> Result<Option<Kept>> {
        let left = self.to_come.get_mut(&stroke).map_or(0, |left| {
            *left = left.saturating_sub(1);
            *left
        });
        if let Some(kept) = self.kept.get(&stroke) {
            let kept = Arc::clone(kept);
            if left == 0 {
                self.kept.remove(&stroke);
                self.kept_bytes = self.kept_bytes.saturating_sub(bytes_of(&kept));
            }
            return Ok(Some(kept));
        }
        let longest = (MOST_KEPT_SECONDS * self.rate.hz()) as usize;
        if left == 0 || self.kept_bytes > MOST_KEPT_BYTES || stroke.0.held.is_some_and(|held| held > longest as u64) {
            return Ok(None);
        }
        let mut made = Vec::new();
        if one.preset.is_synthetic() {
            let sound = oscillated(stroke.0, &[], self.rate, context)?;
            if sound.frames() > longest + longest / 2 {
                return Ok(None);
            }
            made.push((Arc::new(sound), 0.0));
        }
        let voices =
            if made.is_empty() { self.sampler.strike(stroke.0, one.touch(self.track.role)) } else { Vec::new() };
        for mut voice in voices {
            context.check()?;
            let mut sound = Vec::new();
            while !voice.has_ended() {
                let from = sound.len();
                if from > longest + longest / 2 {
                    // It rings too long to be worth the memory.
                    return Ok(None);
                }
                sound.resize(from + BLOCK, 0.0);
                voice.render(&mut sound[from..], |_| Moves::default());
            }
            sound.shrink_to_fit();
            made.push((Arc::new(AudioBuffer::mono(self.rate, sound)), voice.pan()));
        }
        let made = Arc::new(made);
        self.kept_bytes += bytes_of(&made);
        self.kept.insert(stroke, Arc::clone(&made));
        Ok(Some(made))
    }
}

fn bytes_of(kept: &Kept) -> usize {
    kept.iter().map(|(audio, _)| 4 * audio.frames() * audio.channels.len()).sum()
}

/// Adds what a sound plays in a stretch that begins at frame `at` of the region, in blocks that lie where they lie however the
/// region is divided.
fn add_stretch(sound: &mut Sounding, at: usize, left: &mut [f32], right: &mut [f32]) {
    let end = at + left.len();
    let mut from = at.max(sound.start);
    while from < end && !sound.is_over(from) {
        let to = (from / BLOCK + 1).saturating_mul(BLOCK).min(end);
        let to = sound.corner(from, to).unwrap_or(to);
        let block = from - at..to - at;
        sound.add(from, &mut left[block.clone()], &mut right[block]);
        from = to;
    }
}

/// A note of a synthetic sound as audio at a rate.
fn oscillated(shape: NoteShape, bend: &[(f64, f32)], rate: SampleRate, context: &JobContext) -> Result<AudioBuffer> {
    let NoteShape { preset, key, velocity, held } = shape;
    oscillator::play(&OscillatorNote { preset, key, velocity, held_frames: held }, bend, rate, context)
}

/// Recorded dynamics differ in timbre; sixteen velocities more or less do not.
fn needs_key(one: &Placed) -> (u8, u8) {
    (one.note.key.min(127), one.note.velocity.min(127) / 16 * 16 + 8)
}

/// What [`needs_of`] says of a note's key, asked once a key and shade of loudness.
fn needs_of_note<'b>(
    known: &'b mut BTreeMap<(u8, u8), Needs>,
    probe: &Sampler,
    one: &Placed,
    context: &JobContext,
) -> Result<&'b Needs> {
    let (key, velocity) = needs_key(one);
    Ok(match known.entry((key, velocity)) {
        Entry::Occupied(needs) => needs.into_mut(),
        Entry::Vacant(place) => {
            let held = Some((probe_seconds() * PROBE_RATE.hz()) as u64);
            let shape = NoteShape { preset: one.preset, key, velocity, held };
            let straight = if one.preset.is_synthetic() {
                AudioBuffer::mono(PROBE_RATE, oscillated(shape, &[], PROBE_RATE, context)?.to_mono())
            } else {
                probe.play(shape, &[], context)?
            };
            place.insert(needs_of(key, &straight)?)
        }
    })
}

/// Gains of left and right for a place from -1 to 1: equal power, unity in the middle.
fn sides(place: f32, gain: f32) -> [f32; 2] {
    let angle = (place.clamp(-1.0, 1.0) + 1.0) * std::f32::consts::FRAC_PI_4;
    [std::f32::consts::SQRT_2 * angle.cos() * gain, std::f32::consts::SQRT_2 * angle.sin() * gain]
}

fn finite(value: f32) -> f32 {
    if value.is_finite() { value } else { 0.0 }
}

/// Decibels as a factor.
pub(in crate::rendition) fn db(decibels: f32) -> f32 {
    10.0_f32.powf(decibels / 20.0)
}
