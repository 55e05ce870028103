//! Thread: any. Misspelt words: the nearest known one, when there is one near enough.

/// Shorter words have too many neighbours.
const SHORTEST: usize = 5;

/// Edits between two words, swapped neighbours counting as one (optimal string alignment); `None` when there are more than `most`.
fn distance(a: &[char], b: &[char], most: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let width = b.len() + 1;
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..width).collect();
    for row in 1..=a.len() {
        let mut now = vec![row; width];
        for column in 1..width {
            let differs = usize::from(a[row - 1] != b[column - 1]);
            let mut best = (last[column] + 1).min(now[column - 1] + 1).min(last[column - 1] + differs);
            let swapped = row > 1 && column > 1 && a[row - 1] == b[column - 2] && a[row - 2] == b[column - 1];
            if swapped {
                best = best.min(before[column - 2] + 1);
            }
            now[column] = best;
        }
        before = std::mem::replace(&mut last, now);
    }
    Some(last[b.len()]).filter(|edits| *edits <= most)
}

/// The known word that a word was probably meant to be: one edit away, or two for long words; the same first letter. The first one
/// in order on a tie.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let letters: Vec<char> = word.chars().collect();
    if letters.len() < SHORTEST
        || letters.len() > 24
        || !letters.iter().all(|letter| letter.is_alphabetic() || *letter == '-')
    {
        return None;
    }
    let most = if letters.len() >= 8 { 2 } else { 1 };
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        let other: Vec<char> = candidate.chars().collect();
        if other.len() < SHORTEST - 1 || other.first() != letters.first() {
            continue;
        }
        let Some(edits) = distance(&letters, &other, most) else { continue };
        if best.is_none_or(|(fewest, _)| edits < fewest) {
            best = Some((edits, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}
