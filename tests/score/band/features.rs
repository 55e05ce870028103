//! Thread: main. What a plain classifier is told of a score or a sound: nothing that names the style or its instruments.

use super::spectrum::{WINDOW, band, powers};
use cantus_engine::audio::AudioBuffer;
use cantus_engine::generation::score::{Role, Score};

/// Sixteenths of a bar of 4/4.
const STEPS: usize = 16;
/// Drums as a listener tells them apart: their keys.
const DRUMS: [&[u8]; 6] =
    [&[35, 36], &[37, 38, 39, 40], &[42, 44], &[46, 49, 57], &[51, 53, 59], &[41, 43, 45, 47, 48, 50]];

/// Notes alone, the lead's and all names and programs left out.
pub fn of_score(score: &Score) -> Vec<f64> {
    let bars = (score.length.0 / 4.0).max(1.0);
    let mut features = Vec::new();
    let place = |start: f64| {
        let step = ((start - score.grid.start.0) * 4.0).round().max(0.0) as usize;
        step % STEPS
    };
    let kit = |keys: &'static [u8]| {
        let tracks = score.tracks.iter().filter(|track| track.preset.is_kit());
        tracks.flat_map(|track| &track.notes).filter(|note| keys.contains(&note.key))
    };
    for keys in DRUMS {
        let mut histogram = [0.0; STEPS];
        kit(keys).for_each(|note| histogram[place(note.start.0)] += f64::from(note.velocity) / 127.0 / bars);
        features.extend(histogram);
    }
    for role in [Role::Bass, Role::Chords, Role::Pad, Role::Counter, Role::Colour, Role::Percussion] {
        let notes: Vec<_> = score
            .tracks
            .iter()
            .filter(|track| track.role == role && !track.preset.is_kit())
            .flat_map(|track| &track.notes)
            .collect();
        let mut histogram = [0.0; STEPS];
        notes.iter().for_each(|note| histogram[place(note.start.0)] += 1.0 / bars);
        features.extend(histogram.map(|count| f64::min(count, 4.0)));
        let count = notes.len().max(1) as f64;
        let mean = |value: &dyn Fn(usize) -> f64| (0..notes.len()).map(value).sum::<f64>() / count;
        features.push(notes.len() as f64 / bars / 8.0);
        features.push(mean(&|index| notes[index].length.0.min(4.0)));
        features.push(mean(&|index| f64::from(notes[index].key)) / 12.0);
        let fraction = |index: usize| (notes[index].start.0 * 2.0).rem_euclid(1.0);
        features.push(mean(&|index| if (0.1..0.45).contains(&fraction(index)) { 1.0 } else { 0.0 }));
    }
    let chords = score.chords.len().max(1) as f64;
    let share = |test: &dyn Fn(&[u8]) -> bool| {
        score
            .chords
            .iter()
            .filter(|chord| test(&chord.tones.iter().map(|tone| (tone + 12 - chord.root) % 12).collect::<Vec<u8>>()))
            .count() as f64
            / chords
    };
    features.push(chords / bars);
    features.push(share(&|tones| tones.len() >= 4));
    features.push(share(&|tones| tones.contains(&10)));
    features.push(share(&|tones| tones.contains(&11)));
    features.push(share(&|tones| tones.contains(&2)));
    features.push(share(&|tones| !tones.contains(&3) && !tones.contains(&4)));
    features
}

/// Sound alone: cepstrum and its spread, and the flux of three bands on sixteenths.
pub fn of_sound(mix: &AudioBuffer, beat_seconds: f64) -> Vec<f64> {
    const BANDS: usize = 26;
    const KEPT: usize = 16;
    let rate = mix.rate.hz();
    let mel = |hz: f64| 2595.0 * (1.0 + hz / 700.0).log10();
    let hz = |mel: f64| 700.0 * (10.0_f64.powf(mel / 2595.0) - 1.0);
    let (low, high) = (mel(40.0), mel(16_000.0));
    let edges: Vec<f64> = (0..=BANDS).map(|index| hz(low + (high - low) * index as f64 / BANDS as f64)).collect();
    let windows = powers(&mix.to_mono());
    let logs: Vec<Vec<f64>> = windows
        .iter()
        .map(|lines| {
            edges.windows(2).map(|edge| (band(lines, rate, edge[0], edge[1].max(edge[0] + 22.0)) + 1e-7).ln()).collect()
        })
        .collect();
    let cepstra: Vec<Vec<f64>> = logs
        .iter()
        .map(|log| {
            let cosine = |order: usize| {
                let arc = |index: usize| std::f64::consts::PI * order as f64 * (index as f64 + 0.5) / BANDS as f64;
                log.iter().enumerate().map(|(index, value)| value * arc(index).cos()).sum::<f64>() / BANDS as f64
            };
            // The level itself is no style.
            (1..=KEPT).map(cosine).collect()
        })
        .collect();
    let count = cepstra.len().max(1) as f64;
    let mut features = Vec::new();
    for order in 0..KEPT {
        let mean = cepstra.iter().map(|cepstrum| cepstrum[order]).sum::<f64>() / count;
        let spread = cepstra.iter().map(|cepstrum| (cepstrum[order] - mean).powi(2)).sum::<f64>() / count;
        features.extend([mean, spread.sqrt()]);
    }
    for range in [0..6, 6..16, 16..BANDS] {
        let mut histogram = [0.0; STEPS];
        for (index, pair) in logs.windows(2).enumerate() {
            let rise: f64 = range.clone().map(|line| (pair[1][line] - pair[0][line]).max(0.0)).sum();
            let seconds = (index as f64 + 1.5) * WINDOW as f64 / 2.0 / rate;
            let step = (seconds / beat_seconds * 4.0).round() as usize % STEPS;
            histogram[step] += rise;
        }
        let total: f64 = histogram.iter().sum::<f64>().max(1e-9);
        features.extend(histogram.map(|value| value / total));
    }
    features
}
