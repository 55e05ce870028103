//! Thread: worker. The whole analysis of a take, from samples to doubts.

use crate::analysis::doubts::Evidence;
use crate::analysis::notes::Melody;
use crate::analysis::polyphony::Hearing;
use crate::analysis::recording::Recording;
use crate::analysis::rhythm::Rhythm;
use crate::analysis::{
    Analysis, F0Frame, Note, SILENCE_DBFS, Texture, TextureEstimate, chroma, doubts, f0, key, notes, rhythm,
};
use crate::audio::AudioBuffer;
use crate::capture::take::{Take, TakeNote, TakeSource};
use crate::error::Result;
use crate::job_context::{JobContext, Stage};
use crate::resample::resample_in;
use crate::time::{Beats, Hz, MidiNote, Seconds, SongGrid};

/// Level a note must be over to count as sounding, against the loudest part of a take.
const SOUNDING_DB: f32 = -40.0;
/// MIDI notes closer than this begin together: a chord.
const TOGETHER: f64 = 0.03;
/// A take without a grid ends with the bar its last note ends in, give or take this much of a beat.
const LATE_BEATS: f64 = 0.25;

/// Listens to a take: pitch, notes, chroma, key, tempo. The same take gives the same analysis.
///
/// MIDI notes are the melody when the take has some and its audio is silent. Silence, noise, clipping and damaged samples are
/// no errors: they give an analysis with few or no notes, a low confidence, and the reason in `doubts`.
///
/// # Errors
/// [`crate::Error::Cancelled`]; [`crate::Error::OutOfRange`] for a sample rate outside 8 to 192 kHz.
pub fn analyse(take: &Take, context: &JobContext) -> Result<Analysis> {
    context.progress(Stage::Analysis, 0.0)?;
    let recording = Recording::of(&take.audio);
    let heard = &recording.mono;
    let mut doubts = take.remarks.clone();
    doubts.extend(recording.doubts.iter().cloned());
    if take.lost_frames > 0 {
        let lost = take.lost_frames as f64 / take.audio.rate.hz();
        doubts.push(format!("{lost:.2} s of the recording were lost because the computer was busy."));
    }
    let silent = heard.peak() < f0::SILENT_PEAK;

    let mut texture = TextureEstimate::default();
    let (mut harmony, mut chroma_without_drums_and_bass) = (Vec::new(), None);
    let mut trust = 1.0;
    let (frames, melody, chroma) = if silent && !take.notes.is_empty() {
        let melody = from_midi(&take.notes, &mut doubts);
        let length = take.audio.length().seconds(take.audio.rate);
        let chroma = chroma::chroma_of_notes(&melody.notes, length);
        (midi_frames(&melody.notes, length), melody, chroma)
    } else {
        let mut mono_16k = resample_in(heard, f0::RATE, context)?.to_mono();
        let hearing = Hearing::of(heard, &mono_16k, context)?;
        let (frames, melody) = match hearing.melody(&mono_16k, context)? {
            Some(several) => {
                harmony = several.harmony;
                chroma_without_drums_and_bass = several.chroma_without_drums_and_bass;
                (several.frames, several.melody)
            }
            None => {
                f0::steady_lines::remove(&mut mono_16k, context)?;
                let mut frames = f0::track_path(&mono_16k, context)?;
                notes::octaves::correct(&mut frames, &mono_16k, context)?;
                let melody = notes::notes(&mut frames, &mono_16k, context)?;
                (frames, melody)
            }
        };
        texture = hearing.texture;
        context.progress(Stage::Analysis, 0.85)?;
        // The doubts know one voice; other instruments would pass for noise and for octaves.
        if texture.texture == Texture::OneVoice {
            let verdict = doubts::judge(&Evidence {
                frames: &frames,
                notes: &melody.notes,
                mono_16k: &mono_16k,
                grid: &take.grid,
                on_grid: take.on_grid,
            });
            trust = verdict.trust;
            doubts.extend(verdict.doubts);
        }
        drop(mono_16k);
        let chroma = chroma::chroma_in(&resample_in(heard, chroma::RATE, context)?.to_mono(), context)?;
        (frames, melody, chroma)
    };
    context.progress(Stage::Analysis, 0.95)?;

    let confidence = trust * doubts::mean_confidence(&melody.notes);
    if melody.notes.is_empty() {
        doubts.push(doubts::no_pitch(&recording.why_no_pitch()));
    }

    let (grid, rhythm, length) = place(take, &melody.notes, &mut doubts);
    let key = key::key(&melody.notes, &grid, rhythm.bars_known());
    doubts.extend(key.doubts(&melody.notes));
    Ok(Analysis {
        grid,
        tempo_confidence: rhythm.confidence,
        rhythm,
        length,
        f0: frames,
        notes: melody.notes,
        harmony,
        texture,
        chroma,
        chroma_without_drums_and_bass,
        key,
        tuning_cents: melody.tuning_cents,
        level_dbfs: sounding_level_dbfs(heard),
        confidence,
        doubts,
    })
}

/// The top line of MIDI that was played: of notes that begin together the highest, each until the next begins.
fn from_midi(played: &[TakeNote], doubts: &mut Vec<String>) -> Melody {
    let mut order: Vec<&TakeNote> =
        played.iter().filter(|note| note.onset.0.is_finite() && note.offset > note.onset).collect();
    order.sort_by(|a, b| a.onset.0.total_cmp(&b.onset.0).then(b.key.cmp(&a.key)));
    let mut line: Vec<&TakeNote> = Vec::new();
    for note in order {
        match line.last_mut() {
            Some(last) if note.onset.0 - last.onset.0 < TOGETHER => {
                if note.key > last.key {
                    *last = note;
                }
            }
            // Something lower under a note that is still held is accompaniment.
            Some(last) if note.onset < last.offset && note.key < last.key && note.offset <= last.offset => (),
            _ => line.push(note),
        }
    }
    if line.len() < played.len() {
        doubts.push("More than one MIDI note sounded at once: the highest were taken as the melody.".into());
    }
    let loudest = line.iter().fold(f32::MIN_POSITIVE, |loudest, note| loudest.max(note.velocity));
    let notes = line
        .iter()
        .enumerate()
        .map(|(index, note)| {
            let next = line.get(index + 1).map_or(f64::INFINITY, |next| next.onset.0);
            let offset = Seconds(note.offset.0.min(next));
            Note {
                onset: note.onset,
                offset,
                sung: MidiNote(f32::from(note.key.min(127))),
                key: note.key.min(127),
                loudness: (note.velocity / loudest).clamp(0.0, 1.0),
                confidence: 1.0,
                bend: vec![(0.0, 0.0)],
                level_db: vec![(0.0, 0.0), ((offset - note.onset).0 as f32, 0.0)],
            }
        })
        .collect();
    Melody { notes, tuning_cents: 0.0 }
}

/// Pitch frames as a tracker would have given them.
fn midi_frames(notes: &[Note], length: Seconds) -> Vec<F0Frame> {
    let hop = f0::HOP as f64 / f0::RATE.hz();
    let end = notes.last().map_or(0.0, |note| note.offset.0).max(length.0);
    let count = (end / hop).floor() as usize;
    let mut coming = notes.iter().peekable();
    (0..count)
        .map(|index| {
            let time = index as f64 * hop;
            while coming.next_if(|note| note.offset.0 <= time).is_some() {}
            let note = coming.peek().filter(|note| note.onset.0 <= time);
            let Hz(hz) = note.map_or(MidiNote(69.0), |note| note.sung).hz();
            let confidence = if note.is_some() { 1.0 } else { 0.0 };
            F0Frame { time: Seconds(time), hz, confidence, voiced: note.is_some() }
        })
        .collect()
}

/// Grid, rhythm and length: the take's own on the grid; otherwise what is heard in the notes, counted so that it suits the song the
/// take was hummed for, with bar lines where the hum has them.
fn place(take: &Take, notes: &[Note], doubts: &mut Vec<String>) -> (SongGrid, Rhythm, Beats) {
    if take.on_grid {
        let rhythm = rhythm::on_grid(notes, &take.grid, take.length);
        doubts.extend(rhythm.doubts(notes.len()));
        return (take.grid.clone(), rhythm, take.length);
    }
    let key = key::key(notes, &take.grid, false);
    let heard = rhythm::hear(notes, &key, Some(take.grid.metre));
    doubts.extend(heard.rhythm.doubts(notes.len()));
    let mut grid = heard.grid;
    if take.source != TakeSource::File {
        let host = take.grid.tempo.tempo_at(take.grid.start);
        let fitted = rhythm::fit(&grid, host);
        if fitted.ratio != 1.0 && notes.len() > 1 {
            let (own, counted) = (heard.rhythm.tempo.0, heard.rhythm.tempo.0 * fitted.ratio);
            let song = host.0;
            doubts.push(format!("Heard at {own:.0} BPM and counted as {counted:.0}, nearer to the song's {song:.0}."));
        }
        grid = fitted.grid;
    }
    let end = match notes.last() {
        Some(last) => grid.beat_at(last.offset).0 - LATE_BEATS,
        None => grid.beat_at(take.audio.length().seconds(take.audio.rate)).0,
    };
    let bar = grid.metre.bar().0;
    let line = (end / bar).ceil().max((grid.start.0 / bar).floor() + 1.0) * bar;
    (grid.clone(), heard.rhythm, Beats(line - grid.start.0))
}

/// RMS of the parts that are not silent, in dBFS; -120 for silence.
fn sounding_level_dbfs(audio: &AudioBuffer) -> f32 {
    let block = (audio.rate.0 as usize / 50).max(1);
    let energies: Vec<f64> = audio
        .channels
        .iter()
        .flat_map(|channel| channel.chunks(block))
        .map(|block| block.iter().map(|sample| f64::from(sample * sample)).sum::<f64>() / block.len() as f64)
        .collect();
    let loudest = energies.iter().fold(0.0_f64, |loudest, energy| loudest.max(*energy));
    let floor = loudest * f64::from(10.0_f32.powf(SOUNDING_DB / 10.0));
    let sounding: Vec<f64> = energies.into_iter().filter(|&energy| energy > 0.0 && energy >= floor).collect();
    if sounding.is_empty() {
        return SILENCE_DBFS;
    }
    let mean = sounding.iter().sum::<f64>() / sounding.len() as f64;
    ((10.0 * mean.log10()) as f32).max(SILENCE_DBFS)
}
