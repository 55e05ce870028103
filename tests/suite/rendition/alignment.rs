//! Music made as audio is put on the song's beat: clicks and whole arrangements, off by known amounts, and music without a beat.

use super::demo;
use crate::session::Draw;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::generation::Request;
use cantus_engine::generation::band::retempo;
use cantus_engine::generation::score::Level;
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::audio::{from_audio, on_grid};
use cantus_engine::rendition::{Rendition, render};
use cantus_engine::time::{Beats, Bpm, Frames, Metre, SampleRate, Seconds, SongGrid, TempoMap, TempoPoint};

const RATE: SampleRate = SampleRate(44_100);
/// Nearer than this to its beat, music is in time.
const BAR_MS: f64 = 10.0;

/// A request for a region of a song.
fn request(tempo: f64, start: f64, beats: f64) -> Request {
    let (mut request, _) = demo::arranged("jazz");
    let grid = SongGrid {
        start: Beats(start),
        start_seconds: Beats(start).seconds(Bpm(tempo)),
        tempo: TempoMap::constant(Bpm(tempo)),
        metre: Metre::default(),
    };
    request.analysis.grid = grid;
    request.analysis.length = Beats(beats);
    request
}

/// A kick on every beat and a quieter tick between, the whole `ratio` slow and `offset` late, at the model's rate.
fn drums(request: &Request, ratio: f64, offset: f64) -> AudioBuffer {
    let grid = &request.analysis.grid;
    let rate = 32_000.0;
    let length = grid.tempo.seconds_between(grid.start, grid.start + request.analysis.length).0;
    let mut samples = vec![0.0_f32; ((length + 2.0) * rate) as usize];
    let mut draw = Draw::new(3);
    let first = (2.0 * grid.start.0).ceil() as i64;
    for half in first..first + (2.0 * request.analysis.length.0) as i64 + 4 {
        let beat = half as f64 / 2.0;
        let gain = if half % 2 == 0 { 1.0 } else { 0.35 };
        let seconds = grid.tempo.seconds_between(grid.start, Beats(beat)).0 * ratio + offset;
        let Ok(start) = usize::try_from((seconds * rate).round() as i64) else { continue };
        for (index, sample) in samples.iter_mut().skip(start).take(1_600).enumerate() {
            *sample += gain * (draw.unit() - 0.5) * (-(index as f32) / 250.0).exp();
        }
    }
    // A quiet held tone, so that it is not only clicks.
    for (index, sample) in samples.iter_mut().enumerate() {
        *sample += 0.003 * (index as f32 * 0.05).sin();
    }
    AudioBuffer::mono(SampleRate(32_000), samples)
}

/// How far the attack of each beat lies from it, in milliseconds, sorted by size.
fn errors_ms(mix: &AudioBuffer, grid: &SongGrid, beats: f64) -> Vec<f64> {
    let mono = mix.to_mono();
    let first = grid.start.0.ceil() as i64;
    let mut errors: Vec<f64> = (first..)
        .map(|beat| Beats(beat as f64))
        .take_while(|beat| beat.0 < grid.start.0 + beats)
        .map(|beat| {
            let at = grid.frame_of(beat, mix.rate).0;
            let reach = (0.12 * mix.rate.hz()) as i64;
            let from = (at - reach).max(0) as usize;
            let window = &mono[from..((at + reach) as usize).min(mono.len())];
            let peak = window.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
            let first = window.iter().position(|sample| sample.abs() > 0.35 * peak).unwrap_or(0);
            ((from + first) as i64 - at).abs() as f64 / mix.rate.hz() * 1e3
        })
        .collect();
    errors.sort_by(f64::total_cmp);
    errors
}

fn worst(errors: &[f64]) -> f64 {
    errors[errors.len() - 1]
}

fn finished(audio: &AudioBuffer, request: &Request) -> Rendition {
    from_audio(audio, request, "MusicGen 1", (RATE, false), &JobContext::detached()).unwrap()
}

#[test]
fn drums_that_are_off_come_to_the_beat() {
    for (tempo, start, beats, ratio, offset) in [
        (100.0, 0.0, 32.0, 1.04, 0.08),
        (100.0, 4.0, 32.0, 0.96, -0.05),
        (120.0, 8.0, 32.0, 1.02, -0.1),
        (87.3, 0.0, 16.0, 0.975, 0.12),
        (140.0, 0.0, 48.0, 1.035, 0.03),
        (172.0, 0.0, 64.0, 0.99, 0.02),
        (66.0, 2.5, 16.0, 1.01, 0.15),
        (120.0, 0.0, 8.0, 1.03, 0.06),
        (100.0, 0.0, 96.0, 1.0, 0.0),
        (100.0, 0.0, 96.0, 1.012, 0.04),
    ] {
        let request = request(tempo, start, beats);
        let audio = drums(&request, ratio, offset);
        let rendition = finished(&audio, &request);
        let made = rendition.made.as_ref().unwrap();
        let grid = &request.analysis.grid;
        // A stroke before the music began cannot be there.
        let heard =
            if offset < 0.0 { SongGrid { start: grid.start + Beats(0.01), ..grid.clone() } } else { grid.clone() };
        let mut sound = rendition.mix.clone();
        let skipped = grid.frame_of(heard.start, RATE).index().unwrap();
        sound.channels.iter_mut().for_each(|channel| drop(channel.drain(..skipped)));
        let heard = SongGrid { start_seconds: grid.start_seconds + Seconds(skipped as f64 / RATE.hz()), ..heard };
        let errors = errors_ms(&sound, &heard, beats - 1.0);
        println!(
            "{tempo} BPM, {ratio}, {offset} s: found {:.5}, {:.4} s, sure {:.2}; middle {:.2}, worst {:.2} ms, {:?}",
            made.alignment.ratio,
            made.alignment.offset.0,
            made.alignment.confidence,
            errors[errors.len() / 2],
            worst(&errors),
            rendition.loudness
        );
        assert!(worst(&errors) < BAR_MS, "{tempo} {ratio} {offset}: {errors:?}");
        assert_eq!(rendition.region, grid.frame_of(grid.start + Beats(beats), RATE), "exact bars");
        assert!(rendition.loudness.true_peak_dbtp <= -1.0, "{:?}", rendition.loudness);
        if (ratio, offset) != (1.0, 0.0) {
            let mut raw = cantus_engine::resample::resample(&audio, RATE).unwrap();
            raw.channels[0].resize(rendition.mix.frames(), 0.0);
            let raw = errors_ms(&raw, grid, beats);
            assert!(worst(&raw) > BAR_MS, "as it was made it must fail: {raw:?}");
        }
    }
}

/// Lag of one sound behind another around a frame, in milliseconds, by their energy. `None` where the other is nearly as like itself at
/// another time, as in a roll, a fill or a held chord.
fn lag_ms(sound: &[f32], reference: &[f32], at: usize, rate: f64) -> Option<f64> {
    const HOP: usize = 44;
    let length = (1.5 * rate) as usize / HOP;
    let reach = (0.15 * rate) as i64 / HOP as i64;
    let energy = |samples: &[f32], hop: i64| {
        let from = at as i64 + hop * HOP as i64;
        let slice = usize::try_from(from).ok().and_then(|from| samples.get(from..from + HOP));
        slice.map_or(0.0, |slice| slice.iter().map(|s| f64::from(s * s)).sum::<f64>()).sqrt()
    };
    let rises = |samples: &[f32], from: i64, count: usize| -> Vec<f64> {
        (0..count as i64).map(|hop| (energy(samples, from + hop) - energy(samples, from + hop - 4)).max(0.0)).collect()
    };
    let theirs = rises(reference, 0, length);
    let mine = rises(sound, -reach, length + 2 * reach as usize);
    let itself = rises(reference, -reach, length + 2 * reach as usize);
    let alike = |lag: usize| theirs.iter().zip(&itself[lag..]).map(|(a, b)| a * b).sum::<f64>();
    let near = (BAR_MS * 1e-3 * rate) as usize / HOP + 1;
    let elsewhere = (0..=2 * reach as usize).filter(|lag| lag.abs_diff(reach as usize) > near).map(alike);
    if elsewhere.fold(0.0, f64::max) > 0.6 * alike(reach as usize) {
        return None;
    }
    let score = |lag: usize| theirs.iter().zip(&mine[lag..]).map(|(a, b)| a * b).sum::<f64>();
    let best = (0..=2 * reach as usize).max_by(|&a, &b| score(a).total_cmp(&score(b)))?;
    (score(best) > 0.0).then(|| (best as i64 - reach) as f64 * HOP as f64 / rate * 1e3)
}

/// Windows of an arrangement that lie further from the right one than [`BAR_MS`], as a share.
fn share_off(sound: &AudioBuffer, reference: &AudioBuffer) -> f64 {
    let (sound, reference) = (sound.to_mono(), reference.to_mono());
    let starts: Vec<usize> = (0..reference.len().saturating_sub(80_000)).step_by(11_025).collect();
    let lags: Vec<f64> = starts.iter().filter_map(|&at| lag_ms(&sound, &reference, at, RATE.hz())).collect();
    assert!(lags.len() > 12, "only {} windows have a clear lag", lags.len());
    lags.iter().filter(|lag| lag.abs() > BAR_MS).count() as f64 / lags.len() as f64
}

#[test]
fn a_whole_arrangement_that_is_off_comes_to_the_beat() {
    for (style, ratio, offset) in [("reggae", 1.04, 0.07), ("funk", 0.965, -0.05), ("country", 0.965, -0.05)] {
        // An engine's music is mastered.
        let (mut request, score) = demo::arranged(style);
        request.recipe.direction.level = Level::Loud;
        let context = JobContext::detached();
        let right = render(&score, &request, "right", RATE, &context).unwrap();
        let grid = SongGrid::at_origin(Bpm(100.0 / ratio), Metre::default());
        let slow = render(&retempo(&score, grid), &request, "off", SampleRate(32_000), &context).unwrap();
        let shift = Seconds(offset).frames(SampleRate(32_000));
        let mut late = AudioBuffer::silent(SampleRate(32_000), 2, slow.mix.frames() + 6_400);
        late.add(&slow.mix, shift);
        let rendition = finished(&late, &request);
        let found = rendition.made.as_ref().unwrap().alignment;
        // What rings after the region is cut shorter there.
        let mut right = right.mix.clone();
        right.channels.iter_mut().for_each(|channel| channel.truncate(rendition.region.index().unwrap()));
        let aligned = share_off(&rendition.mix, &right);
        let raw = share_off(&cantus_engine::resample::resample(&late, RATE).unwrap(), &right);
        println!("{style}: found {found:?}; off {aligned:.2} of the time, as made {raw:.2}");
        assert!((found.ratio / ratio - 1.0).abs() < 0.001, "{style}: {found:?}");
        // A stretched stroke may be softer than a neighbour.
        assert!(aligned <= 0.25, "{style}: {aligned}");
        assert!(raw > 0.8, "{style}: as it was made it must fail, but {raw}");
    }
}

#[test]
fn music_without_a_beat_is_left_as_it_was_made() {
    let request = request(100.0, 0.0, 16.0);
    let frames = 32_000 * 11;
    let mut draw = Draw::new(9);
    let noise: Vec<f32> = (0..frames).map(|_| draw.unit() - 0.5).collect();
    let tone: Vec<f32> = (0..frames).map(|frame| 0.3 * (frame as f32 * 0.06).sin()).collect();
    let swells: Vec<f32> =
        tone.iter().enumerate().map(|(frame, s)| s * (frame as f32 / 32_000.0 * 0.7).sin().abs()).collect();
    for (name, samples) in [("noise", noise), ("tone", tone), ("swells", swells), ("silence", vec![0.0; frames])] {
        let rendition = finished(&AudioBuffer::mono(SampleRate(32_000), samples), &request);
        let made = rendition.made.unwrap();
        println!("{name}: {:?}", made.alignment);
        assert_eq!((made.alignment.ratio, made.alignment.offset.0), (1.0, 0.0), "{name}");
        assert!(made.remarks.iter().any(|remark| remark.contains("No clear beat")), "{name}: {:?}", made.remarks);
        assert_eq!(rendition.region.0, 16 * 44_100 * 60 / 100);
    }
}

#[test]
fn another_tempo_and_rate_keep_the_beat_and_the_bars() {
    let request = request(100.0, 0.0, 16.0);
    let original = finished(&drums(&request, 1.0, 0.0), &request);
    let constant = |tempo: f64| SongGrid::at_origin(Bpm(tempo), Metre::default());
    let changing = SongGrid {
        tempo: TempoMap::new(vec![
            TempoPoint { at: Beats(0.0), tempo: Bpm(95.0) },
            TempoPoint { at: Beats(6.0), tempo: Bpm(110.0) },
        ]),
        ..constant(95.0)
    };
    for (grid, rate) in
        [(constant(120.0), 44_100), (constant(92.0), 48_000), (constant(100.0), 96_000), (changing, 44_100)]
    {
        let rate = SampleRate(rate);
        let there = on_grid(&original, &grid, rate, &JobContext::detached()).unwrap();
        assert_eq!(there.rate(), rate);
        assert_eq!(there.region, grid.frame_of(Beats(16.0), rate));
        assert!(there.mix.frames() as i64 >= there.region.0);
        let errors = errors_ms(&there.mix, &grid, 16.0);
        assert!(worst(&errors) < BAR_MS, "{grid:?}: {errors:?}");
        let mut rounded = there.mix.clone();
        rounded.quantise_24_bit();
        assert_eq!(rounded, there.mix);
        assert!(there.loudness.true_peak_dbtp <= -1.0, "{:?}", there.loudness);
        assert!((there.loudness.integrated_lufs - original.loudness.integrated_lufs).abs() < 1.0, "as loud as before");
        assert_eq!(there.made.unwrap().melody.grid, grid);
    }
    let errors = errors_ms(&original.mix, &constant(120.0), 13.0);
    assert!(worst(&errors) > BAR_MS, "unstretched it must fail");
}

#[test]
fn partial_music_ends_with_a_whole_bar() {
    let request = request(120.0, 0.0, 32.0);
    let mut audio = drums(&request, 1.0, 0.0);
    audio.channels[0].truncate(32_000 * 9);
    let context = JobContext::detached();
    let partial = from_audio(&audio, &request, "x", (RATE, true), &context).unwrap();
    assert_eq!(partial.region, Frames(4 * 2 * 44_100), "nine seconds are four bars of two");
    audio.channels[0].truncate(32_000);
    assert!(from_audio(&audio, &request, "x", (RATE, true), &context).is_err(), "a second is not a bar");
}
