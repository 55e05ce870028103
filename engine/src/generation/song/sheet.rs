//! Thread: any. Typed chords: "C Am7 | F G" becomes the chords of a song, and back.
//!
//! Bars are separated by `|` or a new line, the chords of a bar by blanks; they share the bar evenly, on its groups in odd metres. Without any `|` each
//! word is a bar. `%` repeats the bar before, `/` or `.` holds the chord before for one more share, `N.C.` leaves its place
//! free, `|: … :|` plays a passage twice and `:| x3` three times.

use super::symbol::ChordSymbol;
use super::{SongChord, division};
use crate::analysis::Key;
use crate::error::{Error, Result};
use crate::time::{Beats, Metre};

/// More bars than a song has.
const MOST_BARS: usize = 2048;

/// Typed chords, read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChordSheet {
    /// The chords, none over a bar line.
    pub chords: Vec<SongChord>,
    /// Whole bars.
    pub length: Beats,
}

/// A word and where it stands.
#[derive(Clone, Copy)]
struct Word<'a> {
    text: &'a str,
    /// Characters before it.
    at: usize,
}

/// What stands in a share of a bar.
#[derive(Clone)]
enum Share {
    Chord(String, ChordSymbol),
    Hold,
    Free,
}

/// Reads typed chords.
///
/// # Errors
/// [`Error::Chords`] with the word that is wrong, its bar and its place.
pub fn parse(text: &str, metre: Metre) -> Result<ChordSheet> {
    let mut bars: Vec<Vec<Share>> = Vec::new();
    let mut repeat_from = 0;
    // The passage that was repeated last, for a count after its sign.
    let mut repeated: Vec<Vec<Share>> = Vec::new();
    let has_lines = text.contains('|') || text.trim().contains('\n');
    for bar in words_of_bars(text, has_lines) {
        let number = bars.len() + 1;
        let wrong = |word: Word<'_>, reason: String| Error::Chords {
            word: word.text.to_owned(),
            bar: number,
            character: word.at + 1,
            reason,
        };
        let mut shares = Vec::new();
        let mut repeats: Option<Word<'_>> = None;
        let mut more = 0;
        for (index, &word) in bar.iter().enumerate() {
            match word.text {
                ":" if index == 0 && bar.len() > 1 => repeat_from = bars.len(),
                ":" => repeats = Some(word),
                "%" => {
                    let before =
                        bars.last().ok_or_else(|| wrong(word, "there is no bar before it to repeat".to_owned()))?;
                    if bar.iter().any(|other| !matches!(other.text, "%" | ":")) {
                        return Err(wrong(word, "% repeats a whole bar, so it stands alone in one".to_owned()));
                    }
                    shares.clone_from(before);
                }
                "/" | "." | "-" => {
                    if bars.is_empty() && shares.is_empty() {
                        return Err(wrong(word, "there is no chord before it to hold".to_owned()));
                    }
                    shares.push(Share::Hold);
                }
                text if is_no_chord(text) => shares.push(Share::Free),
                text if index == 0 && !repeated.is_empty() && times(text).is_some() => {
                    // The sign itself made two.
                    more = times(text).unwrap_or(2) - 2;
                }
                text => {
                    let chord = ChordSymbol::parse(text).map_err(|reason| wrong(word, reason))?;
                    shares.push(Share::Chord(text.to_owned(), chord));
                }
            }
        }
        for _ in 0..more {
            bars.extend(repeated.iter().cloned());
            repeat_from = bars.len();
        }
        repeated.clear();
        if shares.len() > 16 {
            return Err(wrong(bar[16], "a bar holds at most 16 chords".to_owned()));
        }
        if !shares.is_empty() {
            bars.push(shares);
        }
        if let Some(word) = repeats {
            if repeat_from >= bars.len() {
                return Err(wrong(word, "there is nothing before it to repeat".to_owned()));
            }
            repeated = bars[repeat_from..].to_vec();
            bars.extend(repeated.iter().cloned());
            repeat_from = bars.len();
        }
        if bars.len() > MOST_BARS {
            let word = bar.first().copied().unwrap_or(Word { text: "", at: 0 });
            return Err(wrong(word, format!("a song has at most {MOST_BARS} bars")));
        }
    }
    Ok(lay_out(&bars, metre))
}

fn is_no_chord(word: &str) -> bool {
    matches!(word.to_ascii_lowercase().as_str(), "n.c." | "n.c" | "nc" | "nc.")
}

/// "x3".
fn times(word: &str) -> Option<usize> {
    let digits = word.strip_prefix(['x', 'X', '×'])?;
    digits.parse::<usize>().ok().filter(|times| (2..=64).contains(times))
}

/// The words of each bar. A colon beside a bar line is a word of its own.
fn words_of_bars<'a>(text: &'a str, has_lines: bool) -> Vec<Vec<Word<'a>>> {
    let mut bars: Vec<Vec<Word<'a>>> = vec![Vec::new()];
    let mut start: Option<(usize, usize)> = None;
    let finish = |start: &mut Option<(usize, usize)>, end: usize, bars: &mut Vec<Vec<Word<'a>>>| {
        if let Some((byte, at)) = start.take() {
            let word = Word { text: &text[byte..end], at };
            if !has_lines {
                bars.push(Vec::new());
            }
            if let Some(bar) = bars.last_mut() {
                bar.push(word);
            }
        }
    };
    for (characters, (byte, letter)) in text.char_indices().enumerate() {
        let line = matches!(letter, '|' | '\n' | '‖');
        if line || letter.is_whitespace() || letter == ':' {
            finish(&mut start, byte, &mut bars);
        }
        if letter == ':' {
            if let Some(bar) = bars.last_mut() {
                bar.push(Word { text: &text[byte..=byte], at: characters });
            }
        } else if line {
            bars.push(Vec::new());
        } else if start.is_none() && !letter.is_whitespace() {
            start = Some((byte, characters));
        }
    }
    finish(&mut start, text.len(), &mut bars);
    bars
}

fn lay_out(bars: &[Vec<Share>], metre: Metre) -> ChordSheet {
    let bar_beats = metre.bar().0;
    let mut chords: Vec<SongChord> = Vec::new();
    let mut sounding: Option<(String, ChordSymbol)> = None;
    for (number, shares) in bars.iter().enumerate() {
        let line = number as f64 * bar_beats;
        let starts = division::starts(metre, shares.len());
        let mut begun = false;
        for (index, share) in shares.iter().enumerate() {
            let start = line + starts[index];
            let end = line + starts.get(index + 1).copied().unwrap_or(bar_beats);
            let held = matches!(share, Share::Hold);
            match share {
                Share::Chord(text, chord) => sounding = Some((text.clone(), chord.clone())),
                Share::Free => sounding = None,
                Share::Hold => {}
            }
            match (&sounding, chords.last_mut()) {
                (Some(_), Some(last)) if held && begun => last.length = Beats(end - last.start.0),
                (Some((text, chord)), _) => chords.push(SongChord {
                    start: Beats(start),
                    length: Beats(end - start),
                    symbol: text.clone(),
                    root: chord.root,
                    tones: chord.tones(),
                    bass: chord.bass,
                }),
                (None, _) => {}
            }
            begun = sounding.is_some();
        }
    }
    ChordSheet { chords, length: Beats(bars.len() as f64 * bar_beats) }
}

/// Writes chords as text that [`parse`] reads back, bar by bar. Chords without a symbol are named as the key writes them.
pub fn write(chords: &[SongChord], length: Beats, metre: Metre, key: Key) -> String {
    let bar_beats = metre.bar().0;
    let bars = ((length.0 / bar_beats - 1e-6).ceil().max(0.0) as usize).min(MOST_BARS);
    let mut written = Vec::with_capacity(bars);
    for number in 0..bars {
        let line = number as f64 * bar_beats;
        let at = |position: f64| {
            chords
                .iter()
                .rposition(|chord| chord.start.0 <= position + 1e-6 && position < chord.start.0 + chord.length.0 - 1e-6)
        };
        // The coarsest division on which every change of the bar falls.
        let mut borders: Vec<f64> = Vec::new();
        for chord in chords {
            borders.extend([chord.start.0 - line, chord.start.0 + chord.length.0 - line]);
        }
        borders.retain(|border| *border > 1e-6 && *border < bar_beats - 1e-6);
        let fits = |shares: &usize| {
            let starts = division::starts(metre, *shares);
            borders.iter().all(|border| starts.iter().any(|start| (start - border).abs() < 1e-3))
        };
        let shares = (1..=16).find(fits).unwrap_or(16);
        let starts = division::starts(metre, shares);
        let mut before = None;
        let mut words = Vec::with_capacity(shares);
        for (index, start) in starts.iter().enumerate() {
            let here = at(line + start + 1e-3);
            words.push(match here {
                None => "N.C.".to_owned(),
                Some(_) if index > 0 && here == before => "/".to_owned(),
                Some(chord) if chords[chord].symbol.is_empty() => {
                    let chord = &chords[chord];
                    ChordSymbol::name(chord.root, &chord.tones, chord.bass, key)
                }
                Some(chord) => chords[chord].symbol.clone(),
            });
            before = here;
        }
        written.push(words.join(" "));
    }
    written.join(" | ")
}
