//! Thread: any. How one sound lies in another: how late, and how much is left when the two are subtracted.

/// What a comparison found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// Windows that hold enough sound to be compared.
    pub windows: usize,
    /// The largest shift of a window against its place, in frames.
    pub largest_shift: i64,
    /// The largest difference to what was meant, after no shift at all, in dB of full scale; minus infinity when equal to the bit.
    pub residual_db: f64,
}

/// Frames by which a window is sought before and after its place.
const REACH: i64 = 400;

/// Compares `heard` with `meant`, frame by frame, in windows of `window` frames.
///
/// A window whose shift cannot be told, because the sound is the same everywhere near it, counts as in place.
pub fn compare(heard: &[f32], meant: &[f32], window: usize) -> Comparison {
    let length = heard.len().min(meant.len());
    let mut found = Comparison { windows: 0, largest_shift: 0, residual_db: peak_difference_db(heard, meant) };
    for start in (0..length).step_by(window.max(1)) {
        let end = (start + window).min(length);
        let sound = &meant[start..end];
        if sound.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs())) < 1e-3 {
            continue;
        }
        found.windows += 1;
        let shift = shift_of(heard, sound, start);
        if shift.abs() > found.largest_shift.abs() {
            found.largest_shift = shift;
        }
    }
    found
}

/// The largest difference between two sounds in dB of full scale, over the frames that both have. The rest of a longer one counts
/// as it is.
pub fn peak_difference_db(left: &[f32], right: &[f32]) -> f64 {
    let length = left.len().max(right.len());
    let at = |samples: &[f32], frame: usize| f64::from(samples.get(frame).copied().unwrap_or(0.0));
    let peak = (0..length).map(|frame| (at(left, frame) - at(right, frame)).abs());
    // A NaN must not pass for silence.
    let peak = peak
        .fold(0.0, |peak: f64, difference| if difference > peak || difference.is_nan() { difference } else { peak });
    if peak.is_nan() { f64::INFINITY } else { 20.0 * peak.log10() }
}

/// The shift of least difference, the nearest of several.
fn shift_of(heard: &[f32], sound: &[f32], start: usize) -> i64 {
    let error = |shift: i64, limit: f64| -> f64 {
        let mut sum = 0.0;
        for (frame, meant) in sound.iter().enumerate() {
            let index = usize::try_from((start + frame) as i64 + shift).ok();
            let other = index.and_then(|index| heard.get(index)).copied().unwrap_or(0.0);
            sum += f64::from(other - meant).powi(2);
            if sum > limit {
                break;
            }
        }
        sum
    };
    let mut best = (0, error(0, f64::INFINITY));
    if best.1 == 0.0 {
        return 0;
    }
    for shift in (1..=REACH).flat_map(|shift| [shift, -shift]) {
        let here = error(shift, best.1);
        // Rounding alone must not move a window.
        if here < best.1 * 0.999 {
            best = (shift, here);
        }
    }
    best.0
}

/// The place in `heard` where `meant` begins, when it is in there as it is (to -80 dB); the first of several.
pub fn find(heard: &[f32], meant: &[f32]) -> Option<usize> {
    let loudest = meant.iter().enumerate().max_by(|left, right| left.1.abs().total_cmp(&right.1.abs()))?;
    let near = |left: f32, right: f32| (left - right).abs() < 1e-4;
    let fits = |place: usize| {
        near(heard[place + loudest.0], *loudest.1)
            && meant.iter().zip(&heard[place..]).all(|(meant, heard)| near(*meant, *heard))
    };
    (0..=heard.len().checked_sub(meant.len())?).find(|&place| fits(place))
}
