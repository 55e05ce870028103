//! Thread: worker. Voicing: which keys a chord is played with.
//!
//! Every layout of the wanted tones inside the register is weighed: how far the voices move, whether the sound is clear
//! (low intervals must be wide), whether fifths run in parallel, and whether it stays below the tune.

use super::harmony::Chord;
use crate::generation::style::Voicing;

/// Lowest key that may carry an interval of so many semitones above it and still sound clear; after the low-interval limits of
/// arranging textbooks.
const LOW_INTERVAL_LIMIT: [u8; 12] = [0, 52, 51, 48, 46, 46, 46, 34, 43, 41, 41, 41];
/// More layouts than these of one chord are not looked at: wide registers have the same ones again in other octaves.
const MOST_LAYOUTS: usize = 4000;

/// Whether two keys sound clear together.
fn is_clear(low: u8, high: u8) -> bool {
    let interval = usize::from(high - low);
    interval >= 12 || low >= LOW_INTERVAL_LIMIT[interval]
}

/// How a part voices its chords.
#[derive(Debug, Clone, Copy)]
pub struct VoicingRule<'a> {
    /// Layout.
    pub kind: Voicing,
    /// Notes.
    pub voices: usize,
    /// Lowest and highest key.
    pub register: (u8, u8),
    /// Pitch classes of the key's scale, from which colours may come.
    pub scale: &'a [bool; 12],
    /// -1 plays bare triads, 1 every colour there is.
    pub richness: f32,
    /// Semitones by which the part likes to lie above the middle of its register.
    pub lean: f32,
}

/// The tones a voicing plays, most needed first.
fn wanted(chord: &Chord, rule: &VoicingRule<'_>) -> Vec<u8> {
    let interval = |tone: &u8| (tone + 12 - chord.root) % 12;
    let find = |wanted: &[u8]| chord.tones.iter().copied().find(|tone| wanted.contains(&interval(tone)));
    let third = find(&[3, 4]).or_else(|| find(&[5, 2]));
    let fifth = find(&[7]).or_else(|| find(&[6, 8]));
    // The sixth of a sixth chord or a diminished seventh does a seventh's work; a thirteenth is a colour over one.
    let seventh = find(&[10, 11]).or_else(|| find(&[9])).filter(|_| rule.richness > -0.75);
    let colour = chord.tones.iter().copied().skip(3).rev().find(|tone| Some(*tone) != seventh);
    let colour = colour.filter(|tone| rule.richness > -0.25 && interval(tone) != 10 && interval(tone) != 11);
    // A given chord stays as it was given; others may have a ninth where the key has one.
    let ninth = (chord.root + 2) % 12;
    let ninth = (!chord.locked && rule.scale[usize::from(ninth)] && third.is_some()).then_some(ninth);
    let added = colour.or(ninth.filter(|_| rule.richness > 0.25));
    let root = Some(chord.root);
    let voices = rule.voices;
    let rich = rule.richness > 0.25 && voices >= 3;
    let order = match rule.kind {
        Voicing::Power => vec![root, fifth, root],
        Voicing::Shell | Voicing::Quartal => vec![third, seventh, added.or(fifth), fifth, root],
        Voicing::Rootless => vec![third, seventh, colour.or(ninth.filter(|_| rule.richness > -0.25)), fifth, root],
        _ if voices == 2 => vec![third, seventh.or(fifth), root],
        // With three voices a seventh replaces the fifth, which the bass implies; a colour alone would only make a cluster.
        _ if voices == 3 && rich => vec![third, seventh.or(fifth), added.or(root), root, fifth],
        _ if voices == 3 => vec![third, root, seventh.or(fifth).or(colour), fifth],
        _ if rich => vec![third, seventh, added, root, fifth, colour],
        _ => vec![root, third, fifth, seventh.or(colour).or(root), colour],
    };
    let mut tones: Vec<u8> = Vec::new();
    for tone in order.into_iter().flatten() {
        // Doubling the root is fine in wide layouts, never in a close one.
        if !tones.contains(&tone) || (tone == chord.root && matches!(rule.kind, Voicing::Power | Voicing::Spread)) {
            tones.push(tone);
        }
        if tones.len() == voices {
            break;
        }
    }
    tones
}

/// Layouts of tones in which each tone lies somewhere in the register, lowest first.
fn free_layouts(tones: &[u8], (low, high): (u8, u8)) -> Vec<Vec<u8>> {
    let mut layouts: Vec<Vec<u8>> = vec![Vec::new()];
    for tone in tones {
        let keys: Vec<u8> = (low..=high).filter(|key| key % 12 == *tone).collect();
        let mut longer = Vec::with_capacity(layouts.len() * keys.len());
        for layout in &layouts {
            for key in keys.iter().filter(|key| !layout.contains(key)) {
                let mut next = layout.clone();
                next.push(*key);
                longer.push(next);
            }
        }
        if !longer.is_empty() && longer.len() <= MOST_LAYOUTS {
            layouts = longer;
        }
    }
    for layout in &mut layouts {
        layout.sort_unstable();
    }
    layouts
}

/// Close layouts with the second voice from the top an octave lower.
fn drop_two(tones: &[u8], (low, high): (u8, u8)) -> Vec<Vec<u8>> {
    let mut layouts = Vec::new();
    for top in (low..=high).filter(|key| tones.contains(&(key % 12))) {
        // The other tones right below the top, nearest first.
        let mut below: Vec<u8> =
            tones.iter().map(|tone| (top % 12 + 12 - tone) % 12).filter(|down| *down > 0).collect();
        below.sort_unstable();
        let mut layout: Vec<u8> = std::iter::once(0).chain(below).filter_map(|down| top.checked_sub(down)).collect();
        if layout.len() > 2 {
            layout[1] = layout[1].saturating_sub(12);
        }
        layout.sort_unstable();
        if layout.first().is_some_and(|lowest| *lowest >= low) {
            layouts.push(layout);
        }
    }
    layouts
}

/// Stacks of fourths, a third at most among them, from the chord's tones and the ninth and eleventh its key has.
fn fourths(chord: &Chord, rule: &VoicingRule<'_>) -> Vec<Vec<u8>> {
    let (low, high) = rule.register;
    let minor = chord.tones.contains(&((chord.root + 3) % 12));
    let colours: &[u8] = if chord.locked {
        &[]
    } else if minor {
        &[2, 5]
    } else {
        &[2, 9]
    };
    let allowed = |key: u8| {
        let added = |by: &u8| (chord.root + by) % 12 == key % 12 && rule.scale[usize::from(key % 12)];
        chord.tones.contains(&(key % 12)) || colours.iter().any(added)
    };
    let mut layouts = Vec::new();
    let mut stacks: Vec<(Vec<u8>, bool)> =
        (low..=high).filter(|key| allowed(*key)).map(|key| (vec![key], false)).collect();
    for _ in 1..rule.voices.max(2) {
        let mut higher = Vec::new();
        for (stack, has_third) in &stacks {
            let top = stack[stack.len() - 1];
            for step in [5, 6, 4] {
                let third = step == 4;
                if top + step <= high && allowed(top + step) && !(third && *has_third) {
                    let mut next = stack.clone();
                    next.push(top + step);
                    higher.push((next, *has_third || third));
                }
            }
        }
        stacks = higher;
    }
    // The chord must be heard in it: its third, or the fourth of a suspended one.
    let third = |layout: &[u8]| layout.iter().any(|key| matches!((key % 12 + 12 - chord.root) % 12, 3..=5));
    layouts.extend(stacks.into_iter().map(|(layout, _)| layout).filter(|layout| third(layout)));
    layouts
}

/// The keys of a chord, lowest first, close to the ones before; `ceiling` is the tune's lowest key meanwhile.
pub fn voice(chord: &Chord, rule: VoicingRule<'_>, before: &[u8], ceiling: Option<u8>) -> Vec<u8> {
    let (low, high) = rule.register;
    let tones = wanted(chord, &rule);
    let mut layouts = match rule.kind {
        Voicing::Drop2 if tones.len() > 2 => drop_two(&tones, rule.register),
        Voicing::Quartal => fourths(chord, &rule),
        _ => Vec::new(),
    };
    layouts.retain(|layout| clear(layout));
    if layouts.is_empty() {
        layouts = free_layouts(&tones, rule.register);
    }
    let mut best: Option<(Vec<u8>, f32)> = None;
    for layout in layouts {
        if !clear(&layout) {
            continue;
        }
        let cost = cost(&layout, chord, &rule, before, ceiling);
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

fn clear(layout: &[u8]) -> bool {
    layout.windows(2).all(|pair| is_clear(pair[0], pair[1]))
}

fn cost(layout: &[u8], chord: &Chord, rule: &VoicingRule<'_>, before: &[u8], ceiling: Option<u8>) -> f32 {
    let (low, high) = rule.register;
    let mean = layout.iter().map(|key| f32::from(*key)).sum::<f32>() / layout.len() as f32;
    let centre = (f32::from(low) + f32::from(high)) / 2.0 + rule.lean;
    let mut cost = 0.08 * (mean - centre).abs();
    let top = layout[layout.len() - 1];
    let span = f32::from(top - layout[0]);
    cost += match rule.kind {
        Voicing::Close | Voicing::Shell | Voicing::Power | Voicing::Rootless => 0.6 * (span - 12.0).max(0.0),
        Voicing::Drop2 | Voicing::Quartal => 0.3 * (span - 19.0).max(0.0),
        Voicing::Spread => {
            0.3 * (span - 16.0).abs()
                + layout.windows(2).map(|pair| if pair[1] - pair[0] < 4 { 1.0 } else { 0.0 }).sum::<f32>()
        }
    };
    if rule.kind == Voicing::Spread && layout[0] % 12 != chord.root {
        cost += 1.5;
    }
    // A semitone at the top rubs against a tune.
    if layout.len() > 1 && top - layout[layout.len() - 2] == 1 {
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
        cost += 0.2 * f32::from(top.abs_diff(before[before.len() - 1]));
        if rule.kind != Voicing::Power {
            cost += 2.0 * parallels(before, layout) as f32;
        }
    }
    if let Some(ceiling) = ceiling {
        cost += 0.5 * f32::from((top + 1).saturating_sub(ceiling));
        // The tune's own key doubled right beside it only thickens it; a semitone beside it hurts.
        cost += layout.iter().filter(|key| key.abs_diff(ceiling) == 1).count() as f32 * 2.0;
        cost += layout.iter().filter(|key| **key == ceiling).count() as f32 * 0.8;
    }
    cost
}

/// Pairs of voices that run in fifths or octaves from one chord to the next.
pub fn parallels(before: &[u8], after: &[u8]) -> usize {
    if before.len() != after.len() {
        return 0;
    }
    let mut count = 0;
    for low in 0..after.len() {
        for high in low + 1..after.len() {
            let was = (before[high] - before[low]) % 12;
            let is = (after[high] - after[low]) % 12;
            let moves = after[low] != before[low] && after[high] != before[high];
            count += usize::from(was == is && matches!(is, 0 | 7) && moves);
        }
    }
    count
}
