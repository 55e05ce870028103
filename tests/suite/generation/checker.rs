//! An independent judge of scores: what must hold for any score, and the figures arrangements are measured by.

use cantus_engine::analysis::Analysis;
use cantus_engine::generation::score::{ChordSpan, Role, Score, ScoreNote, Track};
use std::collections::BTreeMap;

/// Keys each preset may play, read from the lists of sounds themselves.
pub fn playable_keys() -> BTreeMap<(u64, u64), (u64, u64)> {
    let number = |value: &serde_json::Value| value.as_u64().unwrap();
    let row = |row: &serde_json::Value| {
        let keys = (number(&row["keys"][0]), number(&row["keys"][1]));
        ((number(&row["bank"]), number(&row["program"])), keys)
    };
    let read = |text: &str| serde_json::from_str::<Vec<serde_json::Value>>(text).unwrap();
    let sampled = read(include_str!("../../../assets/soundfont/presets.json"));
    let synthetic = read(include_str!("../../../assets/synth/presets.json"));
    sampled.iter().chain(&synthetic).map(row).collect()
}

/// Everything that is wrong with a score as such, in words.
pub fn faults(score: &Score, analysis: &Analysis) -> Vec<String> {
    let mut faults = Vec::new();
    let (start, end) = (score.grid.start.0, score.grid.start.0 + score.length.0);
    if score.length != analysis.length || score.grid != analysis.grid {
        faults.push("the score does not lie where the take lies".to_owned());
    }
    let keys = playable_keys();
    let roles: Vec<Role> = score.tracks.iter().map(|track| track.role).collect();
    if roles.windows(2).any(|pair| pair[0] >= pair[1]) || roles.first() != Some(&Role::Lead) {
        faults.push(format!("roles are {roles:?}"));
    }
    for track in &score.tracks {
        let mut fault = |what: String| faults.push(format!("{}: {what}", track.role.name()));
        let preset = (u64::from(track.preset.bank), u64::from(track.preset.program));
        let Some(&(low, high)) = keys.get(&preset) else {
            fault(format!("no preset {preset:?}"));
            continue;
        };
        if !(track.gain_db.is_finite() && (-1.0..=1.0).contains(&track.pan) && (0.0..=1.0).contains(&track.reverb)) {
            fault("level, pan or reverb is out of range".to_owned());
        }
        if track.notes.windows(2).any(|pair| pair[0].start > pair[1].start) {
            fault("notes are not in order".to_owned());
        }
        for note in &track.notes {
            let ends = note.start.0 + note.length.0;
            let earliest = if track.role == Role::Lead { start - score.grid.metre.bar().0 } else { start };
            if !(note.start.0 >= earliest && note.start.0 < end && ends <= end + 1e-9 && note.length.0 > 0.0) {
                fault(format!("a note from {} to {ends} is outside {start} to {end}", note.start.0));
            }
            if !(low..=high).contains(&u64::from(note.key)) || !(1..=127).contains(&note.velocity) {
                fault(format!("key {} velocity {} is outside {low} to {high}", note.key, note.velocity));
            }
            for curve in [&note.bend, &note.expression_db] {
                let rising = curve.windows(2).all(|pair| pair[0].0 < pair[1].0);
                let inside = curve
                    .iter()
                    .all(|(at, value)| at.is_finite() && value.is_finite() && *at >= 0.0 && value.abs() < 24.0);
                if !(rising && inside) {
                    fault("a curve is not in order or not finite".to_owned());
                }
            }
        }
        if track.role != Role::Lead {
            for (index, note) in track.notes.iter().enumerate() {
                let mut later = track.notes[index + 1..]
                    .iter()
                    .take_while(|next| next.start.0 < note.start.0 + note.length.0 - 1e-6);
                if later.any(|next| next.key == note.key) {
                    fault(format!("key {} is struck while it sounds at {}", note.key, note.start.0));
                }
            }
        }
    }
    let mut at = start;
    for chord in &score.chords {
        if (chord.start.0 - at).abs() > 1e-6 || chord.length.0 <= 0.0 || chord.tones.first() != Some(&chord.root) {
            faults.push(format!("chord {} at {} leaves a gap or has no root", chord.symbol, chord.start.0));
        }
        at = chord.start.0 + chord.length.0;
    }
    if (at - end).abs() > 1e-6 {
        faults.push(format!("chords end at {at}, the score at {end}"));
    }
    faults
}

/// Chord tones and well-resolved others among the melody's notes (CTnCTR of Yeh et al. 2021), with a stricter resolution: a
/// note outside its chord counts only if the next one lies one or two semitones away *and* in its own chord.
pub fn ctnctr(chords: &[ChordSpan], analysis: &Analysis) -> f64 {
    let notes: Vec<(f64, u8)> = analysis.notes.iter().map(|note| (analysis.beat_at(note.onset).0, note.key)).collect();
    let is_tone = |&(at, key): &(f64, u8)| {
        // A note sung a little ahead of a change belongs to the change.
        let chord = chords.iter().rev().find(|chord| chord.start.0 <= at + 0.1);
        chord.or(chords.first()).is_some_and(|chord| chord.tones.contains(&(key % 12)))
    };
    let inside = notes.iter().filter(|note| is_tone(note)).count();
    let resolved = notes
        .windows(2)
        .filter(|pair| !is_tone(&pair[0]) && is_tone(&pair[1]) && (1..=2).contains(&pair[0].1.abs_diff(pair[1].1)))
        .count();
    (inside + resolved) as f64 / notes.len() as f64
}

/// Chords of low notes that sound muddy, by the low-interval limits of arranging textbooks.
pub fn muddy(track: &Track) -> usize {
    // Semitones between two neighbours, and the lowest key that may carry them.
    let limits = [(1, 52), (2, 51), (3, 48), (4, 46), (5, 46), (6, 46), (7, 34), (8, 43), (9, 41), (10, 41), (11, 41)];
    let together = |a: &ScoreNote, b: &ScoreNote| {
        (a.start.0 + a.length.0).min(b.start.0 + b.length.0) - a.start.0.max(b.start.0) > 0.1
    };
    let mut muddy = 0;
    for (index, note) in track.notes.iter().enumerate() {
        for other in track.notes[index + 1..].iter().take_while(|next| next.start.0 < note.start.0 + note.length.0) {
            let low = note.key.min(other.key);
            let interval = note.key.abs_diff(other.key);
            muddy +=
                usize::from(together(note, other) && limits.iter().any(|&(i, limit)| i == interval && low < limit));
        }
    }
    muddy
}

/// Likeness of neighbouring bars of a drum track, bars given as song positions: 1 minus the share of a sixteenth grid, a row a
/// voice, that differs (the groove consistency of the literature), and the share of the hits that both bars have, which a
/// sparse pattern cannot please by being mostly silent.
pub fn groove_consistency(track: &Track, bars: &[f64], bar_beats: f64) -> (f64, f64) {
    let mut voices: Vec<u8> = track.notes.iter().map(|note| note.key).collect();
    voices.sort_unstable();
    voices.dedup();
    let hits = |line: f64, voice: u8| -> Vec<f64> {
        let notes = track.notes.iter().filter(|note| note.key == voice);
        notes.map(|note| note.start.0 - line).filter(|at| (-0.08..bar_beats - 0.08).contains(at)).collect()
    };
    let (mut likeness, mut shared) = (Vec::new(), Vec::new());
    for pair in bars.windows(2) {
        let (mut differences, mut all) = (0, 0);
        for &voice in &voices {
            let (a, b) = (hits(pair[0], voice), hits(pair[1], voice));
            let missing = |from: &[f64], to: &[f64]| {
                from.iter().filter(|at| !to.iter().any(|other| (*at - other).abs() < 0.09)).count()
            };
            all += a.len() + b.len();
            differences += missing(&a, &b) + missing(&b, &a);
        }
        likeness.push(1.0 - differences as f64 / (voices.len() as f64 * bar_beats * 4.0));
        shared.push(1.0 - differences as f64 / all.max(1) as f64);
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    (mean(&likeness), mean(&shared))
}

/// Share of the notes of two scores that differ, over all parts but the lead: edit distance over (quarter of a beat, key).
pub fn difference(a: &Score, b: &Score) -> f64 {
    let events = |score: &Score| -> Vec<(Role, i64, u8)> {
        let parts = score.tracks.iter().filter(|track| track.role != Role::Lead);
        let mut events: Vec<(Role, i64, u8)> = parts
            .flat_map(|track| {
                track.notes.iter().map(|note| (track.role, (note.start.0 * 4.0).round() as i64, note.key))
            })
            .collect();
        events.sort_unstable();
        events
    };
    let (a, b) = (events(a), events(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()] as f64 / a.len().max(b.len()).max(1) as f64
}

pub fn track(score: &Score, role: Role) -> &Track {
    score.tracks.iter().find(|track| track.role == role).unwrap_or_else(|| panic!("no {}", role.name()))
}

/// Bar lines of a score of whole bars.
pub fn bar_lines(score: &Score) -> Vec<f64> {
    let bar = score.grid.metre.bar().0;
    (0..(score.length.0 / bar).round() as usize).map(|index| score.grid.start.0 + index as f64 * bar).collect()
}
