//! Thread: worker. Voicing: which keys a chord is played with.
//!
//! Every layout of the wanted tones inside the register is weighed: how far the voices move, whether the sound is clear
//! (low intervals must be wide), and whether it stays below the tune.

use super::harmony::Chord;
use crate::generation::style::Voicing;

/// Lowest key that may carry an interval of so many semitones above it and still sound clear; after the low-interval limits of
/// arranging textbooks.
const LOW_INTERVAL_LIMIT: [u8; 12] = [0, 52, 51, 48, 46, 46, 46, 34, 43, 41, 41, 41];

/// Whether two keys sound clear together.
fn is_clear(low: u8, high: u8) -> bool {
    let interval = usize::from(high - low);
    interval >= 12 || low >= LOW_INTERVAL_LIMIT[interval]
}

/// The tones a voicing plays, most needed first, and whether the order fixes the bottom voice.
fn wanted(chord: &Chord, kind: Voicing, voices: usize) -> Vec<u8> {
    let interval = |tone: &u8| (tone + 12 - chord.root) % 12;
    let find = |wanted: &[u8]| chord.tones.iter().copied().find(|tone| wanted.contains(&interval(tone)));
    let third = find(&[3, 4]).or_else(|| find(&[5, 2]));
    let fifth = find(&[7]).or_else(|| find(&[6, 8]));
    // The sixth of a sixth chord or a diminished seventh does a seventh's work; a thirteenth is a colour over one.
    let seventh = find(&[10, 11]).or_else(|| find(&[9]));
    let colour = chord.tones.iter().copied().skip(3).rev().find(|tone| Some(*tone) != seventh);
    let order = match kind {
        Voicing::Power => vec![Some(chord.root), fifth, Some(chord.root)],
        Voicing::Shell | Voicing::Rootless | Voicing::Quartal => {
            vec![third, seventh, colour.or(fifth), fifth, Some(chord.root)]
        }
        Voicing::Close | Voicing::Spread | Voicing::Drop2 if voices == 2 => {
            vec![third, seventh.or(fifth), Some(chord.root)]
        }
        // With three voices a seventh replaces the fifth, which the bass implies; a colour alone would only make a cluster.
        Voicing::Close | Voicing::Spread | Voicing::Drop2 if voices == 3 => {
            vec![third, Some(chord.root), seventh.or(fifth).or(colour), fifth]
        }
        Voicing::Close | Voicing::Spread | Voicing::Drop2 => {
            vec![Some(chord.root), third, fifth, seventh.or(colour).or(Some(chord.root)), colour]
        }
    };
    let mut tones: Vec<u8> = Vec::new();
    for tone in order.into_iter().flatten() {
        // Doubling the root is fine in wide layouts, never in a close one.
        if !tones.contains(&tone) || (tone == chord.root && matches!(kind, Voicing::Power | Voicing::Spread)) {
            tones.push(tone);
        }
        if tones.len() == voices {
            break;
        }
    }
    tones
}

/// How a part voices its chords.
#[derive(Debug, Clone, Copy)]
pub struct VoicingRule {
    /// Layout.
    pub kind: Voicing,
    /// Notes.
    pub voices: usize,
    /// Lowest and highest key.
    pub register: (u8, u8),
}

/// The keys of a chord, lowest first, close to the ones before; `ceiling` is the tune's lowest key meanwhile.
pub fn voice(chord: &Chord, rule: VoicingRule, before: &[u8], ceiling: Option<u8>) -> Vec<u8> {
    let (low, high) = rule.register;
    let tones = wanted(chord, rule.kind, rule.voices);
    let mut layouts: Vec<Vec<u8>> = vec![Vec::new()];
    for tone in &tones {
        let keys: Vec<u8> = (low..=high).filter(|key| key % 12 == *tone).collect();
        let mut longer = Vec::with_capacity(layouts.len() * keys.len());
        for layout in &layouts {
            for key in keys.iter().filter(|key| !layout.contains(key)) {
                let mut next = layout.clone();
                next.push(*key);
                longer.push(next);
            }
        }
        if !longer.is_empty() {
            layouts = longer;
        }
    }
    let mut best: Option<(Vec<u8>, f32)> = None;
    for mut layout in layouts {
        layout.sort_unstable();
        if layout.windows(2).any(|pair| !is_clear(pair[0], pair[1])) {
            continue;
        }
        let cost = cost(&layout, chord, rule, before, ceiling);
        if best.as_ref().is_none_or(|(_, known)| cost < *known) {
            best = Some((layout, cost));
        }
    }
    // A register too low for any clear layout still has its third, high up.
    best.map_or_else(
        || {
            let third = tones.first().copied().unwrap_or(chord.root);
            (low..=high).rev().find(|key| key % 12 == third).into_iter().collect()
        },
        |(layout, _)| layout,
    )
}

fn cost(layout: &[u8], chord: &Chord, rule: VoicingRule, before: &[u8], ceiling: Option<u8>) -> f32 {
    let (low, high) = rule.register;
    let mean = layout.iter().map(|key| f32::from(*key)).sum::<f32>() / layout.len() as f32;
    let centre = (f32::from(low) + f32::from(high)) / 2.0;
    let mut cost = 0.08 * (mean - centre).abs();
    let span = f32::from(layout[layout.len() - 1] - layout[0]);
    cost += match rule.kind {
        Voicing::Close | Voicing::Shell | Voicing::Power | Voicing::Drop2 | Voicing::Quartal | Voicing::Rootless => {
            0.6 * (span - 12.0).max(0.0)
        }
        Voicing::Spread => {
            0.3 * (span - 16.0).abs()
                + layout.windows(2).map(|pair| if pair[1] - pair[0] < 4 { 1.0 } else { 0.0 }).sum::<f32>()
        }
    };
    if rule.kind == Voicing::Spread && layout[0] % 12 != chord.root {
        cost += 1.5;
    }
    // A semitone at the top rubs against a tune.
    if layout.len() > 1 && layout[layout.len() - 1] - layout[layout.len() - 2] == 1 {
        cost += 1.5;
    }
    // So does a cluster of two seconds.
    cost += 1.5 * layout.windows(3).filter(|three| three[2] - three[0] <= 4).count() as f32;
    if !before.is_empty() {
        // Each voice goes to the nearest of the new keys, and each new key comes from the nearest old one.
        let nearest = |from: u8, to: &[u8]| to.iter().map(|key| f32::from(key.abs_diff(from))).fold(24.0, f32::min);
        let motion: f32 = layout.iter().map(|key| nearest(*key, before)).sum::<f32>()
            + before.iter().map(|key| nearest(*key, layout)).sum::<f32>();
        cost += 0.25 * motion;
        let top = f32::from(layout[layout.len() - 1].abs_diff(before[before.len() - 1]));
        cost += 0.2 * top;
    }
    if let Some(ceiling) = ceiling {
        let top = layout[layout.len() - 1];
        cost += 0.5 * f32::from((top + 1).saturating_sub(ceiling));
        // The tune's own key doubled right beside it only thickens it; a semitone beside it hurts.
        cost += layout.iter().filter(|key| key.abs_diff(ceiling) == 1).count() as f32 * 2.0;
    }
    cost
}
