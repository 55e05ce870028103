//! The echo.

use super::super::spectrum::{noise, tone_db};
use super::super::{all_finite, rms_db};
use super::{RATE, grid, stereo};
use cantus_engine::audio::AudioBuffer;
use cantus_engine::generation::score::Delay;
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::effects::add_echo;
use cantus_engine::time::{Beats, Bpm, Frames, SampleRate, SongGrid, TempoMap, TempoPoint};

const DELAY: Delay = Delay { beats: 0.75, feedback: 0.5, level_db: -6.0, high_cut_hz: 5_000.0 };

fn echoed(audio: &AudioBuffer, delay: &Delay, send: f32, grid: &SongGrid) -> AudioBuffer {
    let mut out = audio.clone();
    add_echo(&mut out, delay, send, grid, &JobContext::detached()).expect("an echo");
    out
}

/// A click at a frame, both sides.
fn click(at: usize, frames: usize, rate: u32) -> AudioBuffer {
    let mut samples = vec![0.0; frames];
    samples[at] = 1.0;
    stereo(rate, samples.clone(), samples)
}

/// Where a side is loudest within 30 ms of a frame, and how loud.
fn loudest(samples: &[f32], near: f64, rate: u32) -> (f64, f32) {
    let reach = f64::from(rate) * 0.03;
    let (from, to) = ((near - reach).max(0.0) as usize, ((near + reach) as usize).min(samples.len()));
    let (mut best, mut most) = (from, 0.0);
    for (index, sample) in samples[from..to].iter().enumerate() {
        if sample.abs() > most {
            (best, most) = (from + index, sample.abs());
        }
    }
    (best as f64, most)
}

/// Repeats come on their beats: within half a millisecond, of which the filters take most.
fn check_times(grid: &SongGrid, beats: f64, rate: u32) {
    let start = 0.5;
    let at = |beat: f64| grid.exact_frame_of(grid.start + Beats(beat), SampleRate(rate));
    let frames = at(start + 5.2 * beats) as usize;
    let delay = Delay { beats: beats as f32, feedback: 0.8, high_cut_hz: 12_000.0, ..DELAY };
    let out = echoed(&click(at(start).round() as usize, frames, rate), &delay, 1.0, grid);
    for repeat in 1..=5 {
        let expected = at(start + f64::from(repeat) * beats);
        let side = usize::from(repeat % 2 == 0);
        let (found, most) = loudest(&out.channels[side], expected, rate);
        let off_ms = (found - expected) / f64::from(rate) * 1000.0;
        assert!(most > 0.02, "repeat {repeat} is missing");
        assert!(off_ms.abs() < 0.5, "repeat {repeat} of {beats} beats at {rate} Hz is {off_ms} ms off");
        let other = loudest(&out.channels[1 - side], expected, rate).1;
        assert!(most > 3.0 * other, "repeat {repeat} is on both sides: {most} and {other}");
    }
    // A song that is one percent faster would not agree.
    let faster = at(start + 5.0 * beats) * 0.99;
    assert!((loudest(&out.channels[0], at(start + 5.0 * beats), rate).0 - faster).abs() > 0.002 * f64::from(rate));
}

#[test]
fn repeats_come_on_the_beat() {
    for (tempo, beats, rate) in [(120.0, 0.75, 48_000), (93.7, 0.5, 44_100), (71.3, 1.0, 96_000), (140.0, 0.25, 22_050)]
    {
        check_times(&grid(tempo), beats, rate);
    }
    // And where the tempo changes, on the new beats.
    let points = [(0.0, 100.0), (2.0, 130.0), (3.0, 80.0)];
    let points = points.map(|(at, tempo)| TempoPoint { at: Beats(at), tempo: Bpm(tempo) });
    check_times(&SongGrid { tempo: TempoMap::new(points.to_vec()), ..grid(100.0) }, 0.75, 48_000);
}

#[test]
fn each_repeat_is_softer_and_darker() {
    let frames = 4 * RATE as usize;
    let mut burst = noise(5, 0.4, 4_800);
    burst.resize(frames, 0.0);
    let out = echoed(&stereo(RATE, burst.clone(), burst), &DELAY, 1.0, &grid(120.0));
    let mut last: Option<(f64, f64)> = None;
    for repeat in 1..=4_usize {
        let at = repeat * 18_000;
        let side = &out.channels[1 - repeat % 2][at..at + 4_800];
        let level = rms_db(side);
        let tilt = (0..40).map(|k| tone_db(side, 6_000.0 + 50.0 * f64::from(k), RATE)).sum::<f64>() / 40.0
            - (0..40).map(|k| tone_db(side, 600.0 + 20.0 * f64::from(k), RATE)).sum::<f64>() / 40.0;
        if let Some((louder, brighter)) = last {
            assert!(level < louder - 5.0, "repeat {repeat}: {level} dB after {louder}");
            assert!(tilt < brighter - 2.0, "repeat {repeat}: treble {tilt} dB after {brighter}");
        }
        last = Some((level, tilt));
    }
}

#[test]
fn the_echo_of_a_sum_is_the_sum_of_echoes() {
    let frames = 96_000;
    let one = stereo(RATE, noise(1, 0.3, frames), noise(2, 0.3, frames));
    let mut other = stereo(RATE, noise(3, 0.3, frames), noise(4, 0.3, frames));
    other.channels.iter_mut().for_each(|channel| channel[..5_001].fill(0.0));
    let mut sum = one.clone();
    sum.add(&other, Frames(0));
    let grid = grid(117.3);
    let apart = |send: f32| {
        let mut parts = echoed(&one, &DELAY, send, &grid);
        parts.add(&echoed(&other, &DELAY, 0.7, &grid), Frames(0));
        let whole = echoed(&sum, &DELAY, 0.7, &grid);
        let difference: Vec<f32> = whole.channels[0].iter().zip(&parts.channels[0]).map(|(a, b)| a - b).collect();
        rms_db(&difference)
    };
    assert!(apart(0.7) < -110.0, "{} dB apart", apart(0.7));
    assert!(apart(0.69) > -90.0, "another send is not seen");
}

#[test]
fn odd_echoes_do_no_harm() {
    let audio = stereo(RATE, noise(1, 0.3, 9_000), noise(2, 0.3, 9_000));
    let nothing = [(0.0, DELAY), (f32::NAN, DELAY), (1.0, Delay { level_db: -80.0, ..DELAY })];
    for (send, delay) in nothing {
        assert!(echoed(&audio, &delay, send, &grid(120.0)) == audio, "{send} {delay:?}");
    }
    let mut wild = audio.clone();
    wild.channels[0][7] = f32::NAN;
    wild.channels[1][8] = f32::INFINITY;
    for delay in [
        Delay { beats: f32::NAN, feedback: f32::NAN, level_db: 0.0, high_cut_hz: f32::NAN },
        Delay { beats: 1e9, feedback: 9.0, level_db: 90.0, high_cut_hz: 1e9 },
        Delay { beats: -1.0, feedback: -1.0, level_db: 0.0, high_cut_hz: -1.0 },
    ] {
        for (tempo, rate) in [(20.0, 8_000), (999.0, 8_000), (999.0, 192_000)] {
            wild.rate = SampleRate(rate);
            assert!(all_finite(&echoed(&wild, &delay, 5.0, &grid(tempo))), "{delay:?} {tempo} BPM");
        }
    }
    let empty = stereo(RATE, vec![], vec![]);
    assert!(echoed(&empty, &DELAY, 1.0, &grid(120.0)) == empty);
}
