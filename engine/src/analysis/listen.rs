//! Thread: worker. The whole analysis of a take, from samples to doubts.

use crate::analysis::notes::Melody;
use crate::analysis::{Analysis, F0Frame, Note, chroma, f0, key, notes, rhythm};
use crate::audio::AudioBuffer;
use crate::capture::take::{Take, TakeNote};
use crate::error::Result;
use crate::job_context::{JobContext, Stage};
use crate::resample::resample_in;
use crate::time::{Beats, Hz, MidiNote, Seconds, SongGrid, TempoMap};

/// A sample at least this large was cut off by a converter or a limiter; a take with this many in a row is distorted.
const CLIPPED: f32 = 0.999;
const CLIPPED_RUN: usize = 4;
/// Melodies below this confidence get a doubt.
const UNSURE: f32 = 0.5;
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
    let mut doubts = Vec::new();
    let heard = listen_to(&take.audio, &mut doubts);
    if take.lost_frames > 0 {
        let lost = take.lost_frames as f64 / take.audio.rate.hz();
        doubts.push(format!("{lost:.2} s of the recording were lost because the computer was busy."));
    }
    let silent = heard.peak() < f0::SILENT_PEAK;

    let (frames, melody, chroma) = if silent && !take.notes.is_empty() {
        let melody = from_midi(&take.notes, &mut doubts);
        let length = take.audio.length().seconds(take.audio.rate);
        let chroma = chroma::chroma_of_notes(&melody.notes, length);
        (midi_frames(&melody.notes, length), melody, chroma)
    } else {
        let mut mono_16k = resample_in(&heard, f0::RATE, context)?.to_mono();
        f0::steady_lines::remove(&mut mono_16k, context)?;
        let mut frames = f0::track_path(&mono_16k, context)?;
        notes::octaves::correct(&mut frames, &mono_16k, context)?;
        let melody = notes::notes(&mut frames, &mono_16k, context)?;
        context.progress(Stage::Analysis, 0.85)?;
        let chroma = chroma::chroma_in(&resample_in(&heard, chroma::RATE, context)?.to_mono(), context)?;
        (frames, melody, chroma)
    };
    context.progress(Stage::Analysis, 0.95)?;

    let confidence = confidence(&melody.notes);
    if melody.notes.is_empty() {
        let why = if silent { "the recording is silent" } else { "only noise" };
        doubts.push(format!("No pitch found: {why}."));
    } else if confidence < UNSURE {
        doubts.push("The melody is hard to make out: there is noise, or more than one voice.".into());
    }

    let (grid, tempo_confidence, length) = place(take, &melody.notes, &mut doubts);
    let key = key::key(&melody.notes, &grid, take.on_grid);
    Ok(Analysis {
        grid,
        tempo_confidence,
        length,
        f0: frames,
        notes: melody.notes,
        chroma,
        key,
        tuning_cents: melody.tuning_cents,
        level_dbfs: sounding_level_dbfs(&heard),
        confidence,
        doubts,
    })
}

/// The mono mix, with every non-finite sample silenced. Says what is wrong with the recording.
fn listen_to(audio: &AudioBuffer, doubts: &mut Vec<String>) -> AudioBuffer {
    let frames = audio.channels.iter().map(Vec::len).max().unwrap_or(0);
    let damaged = audio.channels.iter().flatten().filter(|sample| !sample.is_finite()).count();
    if damaged > 0 {
        doubts.push(format!("{damaged} damaged samples were silenced."));
    }
    let clipped = |channel: &Vec<f32>| {
        let mut run = 0;
        channel.iter().any(|sample| {
            run = if sample.abs() >= CLIPPED { run + 1 } else { 0 };
            run >= CLIPPED_RUN
        })
    };
    if audio.channels.iter().any(clipped) {
        doubts.push("The recording is clipped: it was too loud for the input. The pitch may suffer.".into());
    }
    let gain = 1.0 / audio.channels.len().max(1) as f32;
    let mut mono = vec![0.0; frames];
    for channel in &audio.channels {
        // A float file may hold values that overflow when added or squared; full scale is 1.
        let clean = channel.iter().map(|&sample| if sample.is_finite() { sample.clamp(-64.0, 64.0) } else { 0.0 });
        mono.iter_mut().zip(clean).for_each(|(sum, sample)| *sum += sample * gain);
    }
    AudioBuffer::mono(audio.rate, mono)
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
    (0..count)
        .map(|index| {
            let time = index as f64 * hop;
            let note = notes.iter().find(|note| (note.onset.0..note.offset.0).contains(&time));
            let Hz(hz) = note.map_or(MidiNote(69.0), |note| note.sung).hz();
            let confidence = if note.is_some() { 1.0 } else { 0.0 };
            F0Frame { time: Seconds(time), hz, confidence, voiced: note.is_some() }
        })
        .collect()
}

/// Certainty over the melody, by duration.
fn confidence(notes: &[Note]) -> f32 {
    let (sum, total) = notes.iter().fold((0.0, 0.0), |(sum, total), note| {
        let length = (note.offset - note.onset).0 as f32;
        (sum + length * note.confidence, total + length)
    });
    if total > 0.0 { sum / total } else { 0.0 }
}

/// Grid, certainty of the tempo, and length: the take's own on the grid, a guess from the onsets otherwise.
fn place(take: &Take, notes: &[Note], doubts: &mut Vec<String>) -> (SongGrid, f32, Beats) {
    if take.on_grid {
        return (take.grid.clone(), 1.0, take.length);
    }
    let estimate = rhythm::tempo(notes);
    doubts.extend(estimate.doubts);
    let grid = SongGrid { tempo: TempoMap::constant(estimate.tempo), ..take.grid.clone() };
    let end = match notes.last() {
        Some(last) => (grid.beat_at(last.offset) - grid.start).0 - LATE_BEATS,
        None => (grid.beat_at(take.audio.length().seconds(take.audio.rate)) - grid.start).0,
    };
    let bar = grid.metre.bar().0;
    let length = Beats((end / bar).ceil().max(1.0) * bar);
    (grid, estimate.confidence, length)
}

/// RMS of the parts that are not silent, in dBFS; -120 for silence.
fn sounding_level_dbfs(audio: &AudioBuffer) -> f32 {
    const SILENCE_DBFS: f32 = -120.0;
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
