//! Thread: main. Which notes of two lists are the same, as many as possible at once, and how far two sequences are apart.

/// The largest matching between `rows` true and `columns` heard notes: pairs of indices, by row.
pub fn matching(rows: usize, columns: usize, meets: impl Fn(usize, usize) -> bool) -> Vec<(usize, usize)> {
    let edges: Vec<Vec<usize>> =
        (0..rows).map(|row| (0..columns).filter(|&column| meets(row, column)).collect()).collect();
    let mut owner = vec![None; columns];
    for row in 0..rows {
        augment(row, &edges, &mut owner, &mut vec![false; columns]);
    }
    let mut pairs: Vec<(usize, usize)> =
        owner.iter().enumerate().filter_map(|(column, row)| row.map(|row| (row, column))).collect();
    pairs.sort_unstable();
    pairs
}

/// Finds a place for a row, moving others (Kuhn's augmenting paths).
fn augment(row: usize, edges: &[Vec<usize>], owner: &mut [Option<usize>], seen: &mut [bool]) -> bool {
    for &column in &edges[row] {
        if std::mem::replace(&mut seen[column], true) {
            continue;
        }
        if owner[column].is_none_or(|other| augment(other, edges, owner, seen)) {
            owner[column] = Some(row);
            return true;
        }
    }
    false
}

/// Levenshtein's distance.
pub fn edit_distance(a: &[i32], b: &[i32]) -> usize {
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (row, x) in a.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, y) in b.iter().enumerate() {
            let changed = last[column] + usize::from(x != y);
            next.push(changed.min(last[column + 1] + 1).min(next[column] + 1));
        }
        last = next;
    }
    last[b.len()]
}
