//! Thread: main. Power spectra of stretches of sound.

use realfft::RealFftPlanner;

/// Frames of a window at 44.1 kHz: 46 ms.
pub const WINDOW: usize = 2_048;

/// Power of every line of successive Hann windows, half overlapping, `[window][line]`.
pub fn powers(mono: &[f32]) -> Vec<Vec<f32>> {
    let transform = RealFftPlanner::<f32>::new().plan_fft_forward(WINDOW);
    let (mut input, mut lines) = (transform.make_input_vec(), transform.make_output_vec());
    let shape: Vec<f32> =
        (0..WINDOW).map(|index| 0.5 - 0.5 * (std::f32::consts::TAU * index as f32 / WINDOW as f32).cos()).collect();
    let mut found = Vec::new();
    for from in (0..mono.len().saturating_sub(WINDOW)).step_by(WINDOW / 2) {
        for (value, (sample, weight)) in input.iter_mut().zip(mono[from..].iter().zip(&shape)) {
            *value = sample * weight;
        }
        if transform.process(&mut input, &mut lines).is_ok() {
            found.push(lines.iter().map(|line| line.norm_sqr()).collect());
        }
    }
    found
}

/// Sum of the lines between two frequencies.
pub fn band(lines: &[f32], rate_hz: f64, low_hz: f64, high_hz: f64) -> f64 {
    let line = |hz: f64| ((hz * WINDOW as f64 / rate_hz).round() as usize).min(lines.len());
    lines[line(low_hz)..line(high_hz)].iter().map(|power| f64::from(*power)).sum()
}
