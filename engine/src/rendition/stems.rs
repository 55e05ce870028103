//! Thread: worker. Tracks become stems at the session level, each by itself: what one sounds like depends on its own notes and on what was settled
//! for the whole band, never on another stem.
//!
//! The gain of a stem is known as soon as the first two bars it plays in have been rendered: they show how loud the instrument is against an
//! ideal one that plays the same notes. So the beginning of a score can be heard long before its end is rendered, at its final level.

use super::biquad::Biquad;
use super::effects::{StripSong, add_echo, apply_master, apply_strip};
use super::loudness::WeightedPower;
use super::part::{db, render_part};
use super::strip::{kicks, stem_touch};
use super::{Stem, passes, room};
use crate::audio::AudioBuffer;
use crate::error::{Error, Result};
use crate::gating::gated_mean;
use crate::generation::direction::Ending;
use crate::generation::score::{Balance, Role, Score, Track, written_power};
use crate::job_context::JobContext;
use crate::side_by_side::side_by_side;
use crate::time::{Beats, SampleRate};

/// Longest region: an hour. Its audio alone is gigabytes.
const LONGEST_SECONDS: f64 = 3_600.0;
/// Shortest and longest ring after the region.
const TAIL_SECONDS: [f64; 2] = [1.5, 8.0];
/// A note rings so long after its end.
const RING_SECONDS: f64 = 1.0;
/// A stem is over when it stays below this: -90 dBFS.
const TAIL_FLOOR: f32 = 3e-5;
/// Fade of a stem that is over.
const END_FADE_SECONDS: f64 = 0.02;
/// Bars that are rendered first, and by which an instrument's level is judged.
const FIRST_BARS: f64 = 2.0;
/// Nothing changes in steps of more frames than this.
const FINEST_FRAMES: usize = 256;
/// Steps in a second, of written power and of measured loudness.
const STEPS: f64 = 10.0;
/// What is so soft counts for nothing in written power: the absolute gate.
const SILENT: f64 = 1e-6;
/// Loudness of one note of an evened instrument at velocity 100, and how far a real one may be from it, in LUFS and dB.
const EVEN_LUFS: f32 = -18.7;
const CORRECTION_DB: f32 = 7.0;
/// How much room what plays chords leaves the lead, and what sounds on and on, in dB, how wide, as Q, and where against the middle of the lead's keys: a little under it, where
/// the low notes of a lead are least able to stand against them. The bass leaves it with its upper harmonics.
const DIP_DB: [f64; 2] = [5.0, 6.5];
const DIP_Q: f64 = 0.6;
const DIP_UNDER: f64 = 0.75;
const BASS_DIP_HZ: [f64; 2] = [180.0, 320.0];
/// Strips may push a waveform off its middle; nothing sounds below this.
const LOWEST_HZ: f64 = 20.0;

/// What all stems of a score share.
pub struct Plan<'a> {
    score: &'a Score,
    balance: Balance,
    /// Frames at which a kick is struck.
    kicks: Vec<usize>,
    rate: SampleRate,
    /// Frames of the region.
    pub region: usize,
    /// Frames of the region and of the longest tail.
    pub frames: usize,
    /// Whether the stems get their room and echo.
    wet: bool,
}

impl<'a> Plan<'a> {
    /// Plans a score at a rate.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a length no song has.
    pub fn of(score: &'a Score, rate: SampleRate, wet: bool) -> Result<Self> {
        let region = score.grid.frame_of(score.grid.start + score.length, rate);
        let longest = LONGEST_SECONDS * rate.hz();
        let region = region.index().filter(|&frames| score.length.0.is_finite() && frames as f64 <= longest);
        let region = region.ok_or_else(|| Error::OutOfRange {
            what: "The length of the region",
            got: format!("{} beats", score.length.0),
            expected: "between nothing and an hour".into(),
        })?;
        let balance = score.settled_balance();
        let kicks = kicks(&score.grid, &balance, rate);
        let frames = region + (tail_seconds(score) * rate.hz()) as usize;
        Ok(Self { score, balance, kicks, rate, region, frames, wet })
    }

    /// Renders every stem, in the order of the tracks; `played` is called after each note.
    ///
    /// All are as long as the longest of them rings, and at least as long as the region; 24-bit values.
    ///
    /// # Errors
    /// [`Error::Cancelled`], [`Error::OutOfRange`] for an impossible rate.
    pub fn stems(&self, context: &JobContext, played: &(dyn Fn() -> Result<()> + Sync)) -> Result<Vec<Stem>> {
        let made = side_by_side(self.score.tracks.iter().collect(), |_, track: &Track| {
            let mut audio = self.sound(track, self.frames, context, played)?;
            let end = self.end(&mut audio, context)?;
            passes::scale_to_24_bit(&mut audio, 1.0, context)?;
            Ok((Stem { role: track.role, instrument: track.instrument.clone(), audio }, end))
        })?;
        let length = made.iter().map(|(_, end)| *end).max().unwrap_or(0).max(self.region);
        let cut = |(mut stem, _): (Stem, usize)| {
            stem.audio.channels.iter_mut().for_each(|channel| channel.truncate(length));
            stem
        };
        Ok(made.into_iter().map(cut).collect())
    }

    /// The sum of all stems through the first two bars: the same samples that [`Self::stems`] begins with.
    ///
    /// # Errors
    /// As [`Self::stems`].
    pub fn first_bars(&self, context: &JobContext) -> Result<AudioBuffer> {
        let frames = self.first_frames();
        let stems = side_by_side(self.score.tracks.iter().collect(), |_, track: &Track| {
            // Gains are straight lines over some frames, which must not end with what is wanted.
            let more = if track.role == Role::Lead { self.frames } else { (frames + FINEST_FRAMES).min(self.frames) };
            let mut audio = self.sound(track, more, context, &|| Ok(()))?;
            audio.channels.iter_mut().for_each(|channel| channel.truncate(frames));
            passes::scale_to_24_bit(&mut audio, 1.0, context)?;
            Ok(Stem { role: track.role, instrument: track.instrument.clone(), audio })
        })?;
        passes::sum(&stems, self.rate, frames, context)
    }

    fn first_frames(&self) -> usize {
        let bars = Beats(FIRST_BARS * self.score.grid.metre.bar().0);
        self.score.grid.frame_of(self.score.grid.start + bars, self.rate).index().unwrap_or(0).clamp(1, self.frames)
    }

    /// What is heard of a track up to a frame, at its final level.
    fn sound(
        &self,
        track: &Track,
        frames: usize,
        context: &JobContext,
        played: &dyn Fn() -> Result<()>,
    ) -> Result<AudioBuffer> {
        let Self { score, balance, rate, .. } = self;
        let song = StripSong { grid: &score.grid, kicks: &self.kicks };
        // What ends plays its last chord after the last bar; what loops has nothing there.
        let until = if score.ending == Ending::Final { self.frames } else { self.region };
        let until = i64::try_from(until).unwrap_or(i64::MAX);
        let mut audio = render_part(track, &score.grid, *rate, until, frames, context, played)?;
        passes::change(&mut audio, context, |_, piece| {
            piece.iter_mut().filter(|sample| !sample.is_finite()).for_each(|sample| *sample = 0.0);
        })?;
        apply_strip(&mut audio, &track.strip, &song, context)?;
        if track.strip != Default::default() {
            self.filter(&mut audio, &Biquad::high_pass(LOWEST_HZ, *rate), context)?;
        }
        if let Some(hz) = self.dip_hz(track.role) {
            let depth_db = DIP_DB[usize::from(matches!(track.role, Role::Pad | Role::Bass))];
            self.filter(&mut audio, &Biquad::bell(hz, -depth_db, DIP_Q, *rate), context)?;
        }
        // Room and echo are heard too, so they count; they only add up, so that the gain may follow them.
        let correction_db = if self.wet {
            self.add_space(&mut audio, track, context)?;
            self.correction_db(track, &audio, context)?
        } else {
            let mut wet = audio.clone();
            self.add_space(&mut wet, track, context)?;
            self.correction_db(track, &wet, context)?
        };
        let lead_db = if track.role == Role::Lead { balance.lead_db } else { 0.0 };
        passes::scale(&mut audio, db(balance.band_db + lead_db + correction_db), context)?;
        apply_master(&mut audio, &stem_touch(&score.master, track.role, balance), context)?;
        Ok(audio)
    }

    /// Echo and room of a part.
    fn add_space(&self, audio: &mut AudioBuffer, track: &Track, context: &JobContext) -> Result<()> {
        if let Some(delay) = &self.score.delay {
            add_echo(audio, delay, track.strip.delay, &self.score.grid, context)?;
        }
        room::add_room(audio, &self.score.room, track.reverb, context)
    }

    /// Where a part leaves the lead some room.
    fn dip_hz(&self, role: Role) -> Option<f64> {
        let under = DIP_UNDER * f64::from(self.balance.lead_hz);
        let hz = match role {
            Role::Chords | Role::Pad | Role::Counter | Role::Colour => under,
            Role::Bass => under.clamp(BASS_DIP_HZ[0], BASS_DIP_HZ[1]),
            _ => return None,
        };
        (under > 0.0 && hz < 0.4 * self.rate.hz()).then_some(hz)
    }

    fn filter(&self, audio: &mut AudioBuffer, filter: &Biquad, context: &JobContext) -> Result<()> {
        audio.channels.iter_mut().try_for_each(|channel| filter.clone().filter(channel, context))
    }

    /// How much louder an ideal instrument would be than this one, in dB: through the first two bars it plays in, the lead through all of
    /// the region.
    fn correction_db(&self, track: &Track, audio: &AudioBuffer, context: &JobContext) -> Result<f32> {
        let power = written_power(track, &self.score.grid, self.score.length);
        let frame = |step: usize| (step as f64 / STEPS * self.rate.hz()) as usize;
        let (written, measured) = if track.role == Role::Lead {
            // The tune is judged as a whole: a soft or low beginning must not make the rest too loud.
            let sounding = WeightedPower::of_range(audio, 0..self.region.min(audio.frames()), context)?.energy();
            (gated_mean(&power, SILENT), sounding.integrated_lufs())
        } else {
            let window = ((self.first_frames() as f64 / self.rate.hz() * STEPS) as usize).max(1);
            let first = power.chunks(window).position(|powers| powers.iter().any(|&power| power > 0.0));
            let Some(first) = first else { return Ok(-EVEN_LUFS) };
            let steps = first * window..((first + 1) * window).min(power.len());
            let written = power[steps.clone()].iter().sum::<f64>() / steps.len() as f64;
            let sounding = WeightedPower::of_range(audio, frame(steps.start)..frame(steps.end), context)?.energy();
            (Some(written), sounding.mean_lufs())
        };
        let (Some(written), Some(measured)) = (written, measured) else { return Ok(-EVEN_LUFS) };
        let correction_db = 10.0 * written.log10() as f32 - measured;
        Ok(correction_db.clamp(-EVEN_LUFS - CORRECTION_DB, -EVEN_LUFS + CORRECTION_DB))
    }

    /// Ends a stem where it has rung out, or leads out what rings longer than there is room for. The frame after its end.
    fn end(&self, audio: &mut AudioBuffer, context: &JobContext) -> Result<usize> {
        let last = passes::last_over(audio, TAIL_FLOOR, context)?.map_or(0, |last| last + 1);
        let fade = (END_FADE_SECONDS * self.rate.hz()) as usize;
        let (end, fade) = if last + fade >= self.frames {
            (self.frames, ((self.frames - self.region) / 3).max(1))
        } else {
            (last + fade, fade)
        };
        for channel in &mut audio.channels {
            for (index, sample) in channel[end.saturating_sub(fade)..end].iter_mut().enumerate() {
                let share = (index + 1) as f32 / fade as f32;
                *sample *= 0.5 + 0.5 * (std::f32::consts::PI * share).cos();
            }
            for piece in channel[end..].chunks_mut(passes::CHECK_EVERY) {
                context.check()?;
                piece.fill(0.0);
            }
        }
        Ok(end)
    }
}

/// How long a score may ring after its region: what its last note, its echo and its room need.
fn tail_seconds(score: &Score) -> f64 {
    let grid = &score.grid;
    let seconds = |from: Beats, to: Beats| grid.tempo.seconds_between(from, to).0;
    let end = grid.start + score.length;
    let after = |note: Beats| if note.0.is_finite() { seconds(end, note) } else { 0.0 };
    let last = if score.ending == Ending::Final {
        let notes = score.tracks.iter().flat_map(|track| &track.notes);
        notes.map(|note| after(note.start + note.length)).fold(0.0, f64::max)
    } else {
        0.0
    };
    let room = if score.tracks.iter().any(|track| track.reverb > 0.0) {
        1.2 * f64::from(score.room.decay_seconds)
    } else {
        0.0
    };
    let echo = score.delay.filter(|_| score.tracks.iter().any(|track| track.strip.delay > 0.0)).map_or(0.0, |delay| {
        let repeats = (1e-3_f64.ln() / f64::from(delay.feedback.clamp(0.01, 0.95)).ln()).clamp(1.0, 40.0);
        seconds(grid.start, grid.start + Beats(f64::from(delay.beats.clamp(0.0, 8.0)))) * repeats
    });
    let needed = last + RING_SECONDS + room.max(echo);
    if needed.is_finite() { needed.clamp(TAIL_SECONDS[0], TAIL_SECONDS[1]) } else { TAIL_SECONDS[0] }
}
