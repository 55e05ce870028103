//! Thread: any. What a style promises about its scores, so that anybody may check it: no kick on one, a swing of so much.
//!
//! The arranger never reads this. Facts hold in the groove of whole bars: fills, endings, pickups and bars in which a part rests are
//! no groove. Places in a bar are written as musicians count: `1`, `2&` the eighth after two, `3e` and `3a` the sixteenths
//! around it, `4t` and `4l` the second and third triplet of a count.

use crate::time::{Beats, Metre};

/// One promise.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// A kit's voice ("kick"), or a role ("bass").
    pub what: String,
    /// The metre it holds in.
    pub metre: Metre,
    /// The section it holds in; all when `None`.
    pub section: Option<super::Section>,
    /// Tempi it holds at, in quarter notes per minute: lowest, highest.
    pub tempo: (f32, f32),
    /// What is promised.
    pub promise: Promise,
}

/// What a fact promises. Places are beats from the bar line, before swing and push.
#[derive(Debug, Clone, PartialEq)]
pub enum Promise {
    /// Never starts a note at these places.
    Never(Vec<Beats>),
    /// Starts a note at all of these places in at least this share of the bars.
    Always(Vec<Beats>, f32),
    /// Starts at least this share of its notes at these places.
    Only(Vec<Beats>, f32),
    /// The first of a swung pair takes a share of the pair between these.
    Swing(f32, f32),
    /// Starts its notes later than the grid by a mean between these, in milliseconds; negative is early.
    Late(f32, f32),
    /// Starts so many notes a bar, from, to, on average over the groove.
    Density(f32, f32),
    /// The figure repeats after so many bars.
    Repeats(usize),
}

/// Between which figures a style's scores lie: lowest, highest. Each is a mean over a whole score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranges {
    /// Share of the pitched accompaniment's notes that belong to the key's scale.
    pub scale: (f32, f32),
    /// One minus the mean difference of neighbouring bars' onsets on sixteenths.
    pub groove: (f32, f32),
    /// Onsets a bar of all accompanying parts together.
    pub density: (f32, f32),
    /// Share of the pair that the first of two eighths or sixteenths takes.
    pub swing: (f32, f32),
    /// Share of the bars whose accompaniment repeats another bar exactly.
    pub repetition: (f32, f32),
}

/// Reads places in a bar: "1 2& 4a".
///
/// # Errors
/// A sentence that names the place that is none.
pub fn places(text: &str, metre: Metre) -> Result<Vec<Beats>, String> {
    let counts = super::steps::counts(metre);
    let count_beats = metre.bar().0 / counts as f64;
    text.split_whitespace()
        .map(|word| {
            let digits = word.len() - word.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
            let (number, rest) = word.split_at(digits);
            let part = match rest {
                "" => Some(0.0),
                "e" => Some(0.25),
                "&" => Some(0.5),
                "a" => Some(0.75),
                "t" => Some(1.0 / 3.0),
                "l" => Some(2.0 / 3.0),
                _ => None,
            };
            match (number.parse::<usize>(), part) {
                (Ok(count), Some(part)) if (1..=counts).contains(&count) => {
                    Ok(Beats(((count - 1) as f64 + part) * count_beats))
                }
                _ => Err(format!(
                    "\"{word}\" is no place in a bar of {}/{}; write \"1\", \"2&\", \"3e\", \"4a\", \"1t\" or \"1l\"",
                    metre.numerator, metre.denominator
                )),
            }
        })
        .collect()
}
