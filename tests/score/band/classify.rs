//! Thread: main. A plain classifier: linear discriminants with a shared, shrunk covariance (Fisher 1936; Friedman 1989).

/// One example: the class and its features.
pub type Example = (usize, Vec<f64>);

/// How much of the covariance is replaced by its own diagonal.
const SHRINKAGE: f64 = 0.3;

/// Share of the tests that get their own class, after learning from the lessons.
pub fn accuracy(lessons: &[Example], tests: &[Example]) -> f64 {
    let right = guesses(lessons, tests).iter().zip(tests).filter(|(guess, test)| **guess == test.0).count();
    right as f64 / tests.len().max(1) as f64
}

/// The class of every test.
pub fn guesses(lessons: &[Example], tests: &[Example]) -> Vec<usize> {
    let Some(width) = lessons.first().map(|(_, features)| features.len()) else { return Vec::new() };
    let classes = lessons.iter().map(|(class, _)| class + 1).max().unwrap_or(1);
    let (shift, scale) = standard(lessons, width);
    let scaled =
        |features: &[f64]| -> Vec<f64> { (0..width).map(|at| (features[at] - shift[at]) / scale[at]).collect() };
    let lessons: Vec<Example> = lessons.iter().map(|(class, features)| (*class, scaled(features))).collect();
    let mut means = vec![vec![0.0; width]; classes];
    let mut counts = vec![0.0_f64; classes];
    for (class, features) in &lessons {
        counts[*class] += 1.0;
        features.iter().enumerate().for_each(|(at, value)| means[*class][at] += value);
    }
    for (mean, count) in means.iter_mut().zip(&counts) {
        mean.iter_mut().for_each(|value| *value /= count.max(1.0));
    }
    let mut covariance = vec![vec![0.0; width]; width];
    for (class, features) in &lessons {
        let off: Vec<f64> = (0..width).map(|at| features[at] - means[*class][at]).collect();
        for row in 0..width {
            for column in 0..=row {
                covariance[row][column] += off[row] * off[column] / lessons.len() as f64;
            }
        }
    }
    for (row, values) in covariance.iter_mut().enumerate() {
        values[..row].iter_mut().for_each(|value| *value *= 1.0 - SHRINKAGE);
        values[row] += 0.02;
    }
    let root = cholesky(covariance);
    let whitened: Vec<Vec<f64>> = means.iter().map(|mean| forward(&root, mean)).collect();
    let nearest = |features: &[f64]| {
        let place = forward(&root, &scaled(features));
        let distance = |mean: &[f64]| mean.iter().zip(&place).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        let known = (0..classes).filter(|class| counts[*class] > 0.0);
        known.min_by(|a, b| distance(&whitened[*a]).total_cmp(&distance(&whitened[*b]))).unwrap_or(0)
    };
    tests.iter().map(|(_, features)| nearest(features)).collect()
}

/// Mean and deviation of every feature.
fn standard(lessons: &[Example], width: usize) -> (Vec<f64>, Vec<f64>) {
    let count = lessons.len() as f64;
    let mean = |at: usize| lessons.iter().map(|(_, features)| features[at]).sum::<f64>() / count;
    let shift: Vec<f64> = (0..width).map(mean).collect();
    let spread =
        |at: usize| lessons.iter().map(|(_, features)| (features[at] - shift[at]).powi(2)).sum::<f64>() / count;
    let scale = (0..width).map(|at| spread(at).sqrt().max(1e-3)).collect();
    (shift, scale)
}

/// The lower triangle whose product with its own transpose is the matrix.
fn cholesky(mut matrix: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    for row in 0..matrix.len() {
        for column in 0..=row {
            let done: f64 = (0..column).map(|at| matrix[row][at] * matrix[column][at]).sum();
            let left = matrix[row][column] - done;
            matrix[row][column] = if row == column { left.max(1e-9).sqrt() } else { left / matrix[column][column] };
        }
    }
    matrix
}

/// Solves `root * x = vector`.
fn forward(root: &[Vec<f64>], vector: &[f64]) -> Vec<f64> {
    let mut solved: Vec<f64> = Vec::with_capacity(vector.len());
    for (row, value) in vector.iter().enumerate() {
        let done: f64 = solved.iter().zip(&root[row]).map(|(a, b)| a * b).sum();
        solved.push((value - done) / root[row][row]);
    }
    solved
}
