//! Thread: worker. How well a rendition keeps the melody, measured on its audio.

use super::{Fidelity, Stem, passes};
use crate::analysis::Analysis;
use crate::analysis::chroma::chroma_of;
use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::generation::score::{Role, Score, ScoreNote};
use crate::job_context::JobContext;
use crate::side_by_side::side_by_side;
use crate::time::{Beats, MidiNote, SampleRate, SongGrid};

/// Hop of the reference's chroma in seconds; frame `n` is centred on `n` hops.
const CHROMA_HOP_SECONDS: f64 = 4096.0 / 32_000.0;
/// An onset is met within this time.
const ONSET_SECONDS: f64 = 0.05;

/// A played note: its start and end in seconds of the rendition.
type Played<'a> = (f64, f64, &'a ScoreNote);

/// A sung note in seconds of the rendition.
struct Sung {
    start: f64,
    end: f64,
    key: u8,
}

/// Measures a rendition against the melody it was made from. All zero without a melody or a lead.
///
/// # Errors
/// [`crate::Error::Cancelled`], [`crate::Error::Internal`] from a transform.
pub fn measure_fidelity(
    analysis: &Analysis,
    score: &Score,
    stems: &[Stem],
    mix: &AudioBuffer,
    context: &JobContext,
) -> Result<Fidelity> {
    let rate = mix.rate;
    let seconds = |beat| score.grid.frame_of(beat, rate).seconds(rate).0;
    let length = seconds(score.grid.start + score.length);
    let sung = sung_notes(analysis, &score.grid, score.length, rate);
    let lead = stems.iter().find(|stem| stem.role == Role::Lead);
    let track = score.tracks.iter().find(|track| track.role == Role::Lead);
    let (Some(lead), Some(track)) = (lead, track) else { return Ok(Fidelity::default()) };
    if sung.is_empty() || track.notes.is_empty() {
        return Ok(Fidelity::default());
    }
    let agreements = side_by_side(vec![&lead.audio, mix], |_, audio| {
        Ok(chroma_agreement(&chroma_of(audio, context)?.argmax, &sung))
    })?;
    let (lead_chroma, mix_chroma) = (agreements[0], agreements[1]);
    context.check()?;
    let played: Vec<Played> = track
        .notes
        .iter()
        .map(|note| (seconds(note.start).max(0.0), seconds(note.start + note.length).min(length), note))
        .collect();
    let met = |note: &&Sung| played.iter().any(|(start, ..)| (start - note.start).abs() <= ONSET_SECONDS);
    let onset = sung.iter().filter(met).count() as f32 / sung.len() as f32;
    let octave = octave_agreement(&sung, &played, &lead.audio, context)?;
    Ok(Fidelity { lead_chroma, mix_chroma, octave, onset })
}

/// Share of the melody's frames whose loudest pitch class in a mix is the sung one; 0 without a melody. The only measure that needs no
/// lead of its own.
///
/// # Errors
/// [`crate::Error::Cancelled`], [`crate::Error::Internal`] from a transform.
pub fn mix_agreement(
    analysis: &Analysis,
    grid: &SongGrid,
    length: Beats,
    mix: &AudioBuffer,
    context: &JobContext,
) -> Result<f32> {
    let sung = sung_notes(analysis, grid, length, mix.rate);
    if sung.is_empty() {
        return Ok(0.0);
    }
    Ok(chroma_agreement(&chroma_of(mix, context)?.argmax, &sung))
}

/// The sung notes in seconds of a rendition on a grid, cut to its length.
fn sung_notes(analysis: &Analysis, grid: &SongGrid, length: Beats, rate: SampleRate) -> Vec<Sung> {
    let seconds = |beat| grid.frame_of(beat, rate).seconds(rate).0;
    let end = seconds(grid.start + length);
    let note = |note: &crate::analysis::Note| Sung {
        start: seconds(analysis.beat_at(note.onset)).max(0.0),
        end: seconds(analysis.beat_at(note.offset)).min(end),
        key: note.key,
    };
    analysis.notes.iter().map(note).filter(|note| note.end > note.start).collect()
}

/// Share of frames whose centre lies in a note and whose loudest class is that note's.
fn chroma_agreement(argmax: &[u8], sung: &[Sung]) -> f32 {
    let (mut frames, mut agreeing) = (0_u32, 0_u32);
    for (frame, class) in argmax.iter().enumerate() {
        let centre = frame as f64 * CHROMA_HOP_SECONDS;
        if let Some(note) = sung.iter().find(|note| note.start <= centre && centre < note.end) {
            frames += 1;
            agreeing += u32::from(*class == note.key % 12);
        }
    }
    if frames == 0 { 0.0 } else { agreeing as f32 / frames as f32 }
}

/// Share of sung notes that the lead plays in the register it plays most of them in, in its score and in its sound.
fn octave_agreement(sung: &[Sung], played: &[Played], lead: &AudioBuffer, context: &JobContext) -> Result<f32> {
    // A singer's octave and an instrument's differ by a constant; what counts is that no single note leaps out.
    let pairs: Vec<(&Sung, Option<&Played>)> = sung
        .iter()
        .map(|note| {
            let overlap = |played: &&Played| played.1.min(note.end) - played.0.max(note.start);
            let best = played.iter().max_by(|a, b| overlap(a).total_cmp(&overlap(b)));
            (note, best.filter(|best| overlap(best) > 0.0))
        })
        .collect();
    let shift = |sung: &Sung, key: u8| (f32::from(key) - f32::from(sung.key)) / 12.0;
    let mut votes = [0_u32; 21];
    for (sung, played) in &pairs {
        if let Some((.., note)) = played {
            votes[(shift(sung, note.key).round() as i32 + 10).clamp(0, 20) as usize] += 1;
        }
    }
    let most = (0..votes.len()).rev().max_by_key(|&index| votes[index]).unwrap_or(10);
    let usual = most as f32 - 10.0;
    let mono = passes::mono(lead, context)?;
    let mut right = 0_u32;
    for (sung, played) in &pairs {
        context.check()?;
        right += u32::from(played.is_some_and(|(start, end, note)| {
            // Half an octave either way is a corrected or ornamented note, not a wrong register.
            (shift(sung, note.key) - usual).abs() <= 0.5
                && !sounds_an_octave_off(&mono, lead.rate, *start, *end, note.key)
        }));
    }
    Ok(right as f32 / sung.len() as f32)
}

/// Whether a stretch of audio clearly has another octave's period than a key's.
fn sounds_an_octave_off(mono: &[f32], rate: SampleRate, start: f64, end: f64, key: u8) -> bool {
    // Past the attack, at most 80 ms, thinned to about 12 kHz: enough for the periods of melodies.
    let period = rate.hz() / f64::from(MidiNote(f32::from(key)).hz().0);
    let from = ((start + (0.35 * (end - start)).min(0.12)) * rate.hz()) as usize;
    let length = (0.08 * rate.hz()).max(3.0 * period) as usize;
    let reach = (2.2 * period) as usize + 2;
    let Some(window) = mono.get(from..from + length + reach) else { return false };
    let thin = ((rate.hz() / 12_000.0) as usize).min((period / 12.0) as usize).max(1);
    let correlation = |lag: usize| -> f32 {
        let (mut cross, mut here, mut there) = (0.0_f32, 1e-12_f32, 1e-12_f32);
        for index in (0..length).step_by(thin) {
            let (a, b) = (window[index], window[index + lag]);
            cross += a * b;
            here += a * a;
            there += b * b;
        }
        cross / (here * there).sqrt()
    };
    // A bend or vibrato moves the period by up to half a semitone.
    let best_near = |period: f64| {
        let (low, high) = ((period * 0.97) as usize, (period * 1.03).ceil() as usize);
        let step = ((high - low) / 12).max(1);
        (low.max(1)..=high).step_by(step).map(correlation).fold(-1.0_f32, f32::max)
    };
    let (own, below) = (best_near(period), best_near(2.0 * period));
    // A higher octave repeats as well after half the period; a lower one does not repeat after one period yet.
    let above = best_near(0.5 * period);
    below - own > 0.35 || (own > 0.5 && period > 8.0 && above > 0.985 * own)
}
