//! Thread: any. Step strings: the compact notation of rhythms in style files.
//!
//! A bar is written as one group of characters a count, groups separated by blanks; bars are separated by `|`. A count is
//! the quarter in 4/4 and the dotted quarter in 6/8; the characters of a group divide it evenly, so `x.x.` are eighths
//! written as sixteenths and `x..` is the first of a triplet.
//!
//! | character | chords, arpeggios | bass, riffs | drums |
//! | --- | --- | --- | --- |
//! | `.` | silence | silence | silence |
//! | `-` | holds the note before | holds | holds a roll |
//! | `X` `x` `o` | accented, normal, soft | root, in those strengths | accented, normal, soft |
//! | `d` `u` `m` | strummed down, up, a muted stroke | | |
//! | `1` to `6` | arpeggios: that voice, 1 the lowest | | |
//! | `1` to `7` `8` | | that degree over the chord's root, 8 the octave | |
//! | `L` | | the root an octave lower | |
//! | `a` | | leads into the next chord | |
//! | `g` | | | a ghost note, sometimes left out |
//! | `r` | | a roll | a roll |

use crate::time::{Beats, Metre};

/// One sounding step of a bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// From the bar line, before swing.
    pub at: Beats,
    /// Up to the next step that does not hold it.
    pub length: Beats,
    /// The character.
    pub symbol: char,
}

/// Counts a bar has: dotted quarters in 6/8, 9/8 and 12/8, else what the numerator counts.
pub fn counts(metre: Metre) -> usize {
    let numerator = usize::from(metre.numerator.max(1));
    if metre.denominator == 8 && numerator.is_multiple_of(3) { numerator / 3 } else { numerator }
}

/// Reads a step string into bars of steps.
///
/// # Errors
/// A sentence that names the character or the number of counts that is wrong.
pub fn parse(text: &str, metre: Metre, allowed: &str) -> Result<Vec<Vec<Step>>, String> {
    text.split('|').map(|bar| parse_bar(bar, metre, allowed)).collect()
}

fn parse_bar(text: &str, metre: Metre, allowed: &str) -> Result<Vec<Step>, String> {
    let groups: Vec<&str> = text.split_whitespace().collect();
    let expected = counts(metre);
    if groups.len() != expected {
        return Err(format!(
            "\"{}\" has {} counts, but a bar of {}/{} has {expected}",
            text.trim(),
            groups.len(),
            metre.numerator,
            metre.denominator
        ));
    }
    let count_beats = metre.bar().0 / expected as f64;
    let mut steps: Vec<Step> = Vec::new();
    let mut held = false;
    for (index, group) in groups.iter().enumerate() {
        let length = count_beats / group.chars().count() as f64;
        for (position, symbol) in group.chars().enumerate() {
            if symbol != '.' && symbol != '-' && !allowed.contains(symbol) {
                return Err(format!("\"{symbol}\" in \"{}\" means nothing here; use . - {allowed}", text.trim()));
            }
            match symbol {
                '.' => held = false,
                '-' => {
                    if let Some(step) = steps.last_mut().filter(|_| held) {
                        step.length = Beats(step.length.0 + length);
                    }
                }
                symbol => {
                    let at = Beats(index as f64 * count_beats + position as f64 * length);
                    steps.push(Step { at, length: Beats(length), symbol });
                    held = true;
                }
            }
        }
    }
    Ok(steps)
}
