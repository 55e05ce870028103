//! The input offset, measured with clicks that go out and come back.

use super::rig::Host;
use crate::allocations::assert_none;
use cantus_engine::capture::collector::{CaptureEvent, Collector, Ear, EarSettings};
use cantus_engine::capture::loopback::{MeasuredOffset, find};
use cantus_engine::capture::recorder::Recorder;
use cantus_engine::capture::ring::ring;
use cantus_engine::time::SampleRate;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const RATES: [u32; 3] = [44_100, 48_000, 96_000];

struct Studio {
    recorder: Recorder,
    ear: Ear,
    events: Receiver<CaptureEvent>,
    _collector: Collector,
}

fn studio(rate: u32) -> Studio {
    let collector = Collector::start().unwrap();
    let (recorder, reader) = ring(SampleRate(rate), 1, 4.0);
    let (sender, events) = channel();
    let settings = EarSettings { spool_dir: None, ..EarSettings::default() };
    let ear = collector.add(reader, settings, Box::new(move |event| drop(sender.send(event))));
    Studio { recorder, ear, events, _collector: collector }
}

/// Lets a studio run for some seconds; `wire` makes the input's sample out of everything that went out before the block.
fn run(studio: &mut Studio, rate: u32, seconds: f64, wire: impl Fn(&[f32], usize) -> f32) -> Vec<f32> {
    let host = Host { playing: false, ..Host::new(rate, 120.0) };
    let mut heard: Vec<f32> = Vec::new();
    let mut output: Vec<f32> = Vec::new();
    for &size in [256, 1, 300, 480].iter().cycle() {
        if output.len() as f64 > seconds * f64::from(rate) {
            return output;
        }
        heard.clear();
        heard.extend((output.len()..output.len() + size).map(|frame| wire(&output, frame)));
        let mut block = vec![0.0; size];
        assert_none(|| {
            studio.recorder.push(&host.stamp(), &[&heard], &[]);
            studio.recorder.sound_clicks(&mut [&mut block[..]]);
        });
        output.extend(block);
    }
    output
}

/// Numbers that look like noise, evenly between -1 and 1.
fn noise(frame: usize) -> f32 {
    let mut state = frame as u64 ^ 0x9e37_79b9_7f4a_7c15;
    for _ in 0..2 {
        state = (state ^ state >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    (state >> 40) as f32 / 8_388_608.0 - 1.0
}

/// The clicks as they go out, from the first one on.
fn clicks(rate: u32) -> Vec<f32> {
    let mut studio = studio(rate);
    studio.ear.measure_offset();
    // Until the order has arrived.
    std::thread::sleep(Duration::from_millis(30));
    let out = run(&mut studio, rate, 3.5, |_, _| 0.0);
    let first = out.iter().position(|&sample| sample != 0.0).unwrap();
    out[first..].to_vec()
}

/// Root mean square of one click.
fn strength(clicks: &[f32], rate: u32) -> f32 {
    let click = &clicks[..rate as usize / 50];
    (click.iter().map(|sample| sample * sample).sum::<f32>() / click.len() as f32).sqrt()
}

/// What comes back: the clicks late and at a gain, an echo, and noise at an amplitude.
fn returned(clicks: &[f32], late: usize, gain: f32, echo: Option<(usize, f32)>, loud: f32, seed: usize) -> Vec<f32> {
    let at = |frame: usize, late: usize| frame.checked_sub(late).and_then(|at| clicks.get(at)).copied().unwrap_or(0.0);
    let sample = |frame| {
        let echoed = echo.map_or(0.0, |(after, share)| share * at(frame, late + after));
        gain * (at(frame, late) + echoed) + loud * noise(frame + seed * 10_000_019)
    };
    (0..clicks.len()).map(sample).collect()
}

fn check(found: &MeasuredOffset, late: usize, rate: u32) -> Result<(), String> {
    let off_ms = (found.offset.0 - late as f64 / f64::from(rate)) * 1e3;
    if off_ms.abs() < 1.0 && found.confidence > 0.3 { Ok(()) } else { Err(format!("{off_ms} ms off, {found:?}")) }
}

#[test]
fn delays_up_to_half_a_second_are_found_to_the_frame() {
    for rate in RATES {
        let clicks = clicks(rate);
        let strength = strength(&clicks, rate);
        // 20 dB under the click, as white noise; and none.
        for (index, late_ms) in [0.0, 0.4, 2.9, 11.6, 23.2, 71.0, 140.3, 333.3, 500.0].into_iter().enumerate() {
            let late = (late_ms * f64::from(rate) / 1e3_f64).round() as usize;
            for (gain, loud) in [(1.0, 0.0), (1.0, 0.173), (0.02, 0.173), (-0.5, 0.173), (4.0, 0.5)] {
                let recorded = returned(&clicks, late, gain, None, loud * gain.abs() * strength, index);
                let found =
                    find(&recorded, SampleRate(rate)).unwrap_or_else(|error| panic!("{late_ms} ms, {gain}: {error}"));
                assert_eq!(check(&found, late, rate), Ok(()), "{late_ms} ms at {rate}, gain {gain}");
                let frames = (found.offset.0 * f64::from(rate)).round() as usize;
                assert!(frames.abs_diff(late) <= 1, "{frames} frames, not {late}");
                // The check must see a millisecond and a half.
                assert!(check(&found, late + rate as usize * 3 / 2_000, rate).is_err());
            }
        }
    }
}

#[test]
fn a_room_may_answer_softly() {
    let rate = 48_000;
    let clicks = clicks(rate);
    let recorded = returned(&clicks, 1_000, 0.3, Some((700, 0.4)), 0.001, 3);
    let found = find(&recorded, SampleRate(rate)).unwrap();
    assert_eq!(check(&found, 1_000, rate), Ok(()));
    let clear = find(&returned(&clicks, 1_000, 0.3, None, 0.001, 3), SampleRate(rate)).unwrap();
    assert!(clear.confidence > found.confidence + 0.2, "{clear:?} {found:?}");
}

#[test]
fn what_is_not_our_click_is_refused_with_a_sentence() {
    let rate = 48_000;
    let clicks = clicks(rate);
    let silence = vec![0.0; clicks.len()];
    let hiss: Vec<f32> = (0..clicks.len()).map(|frame| 0.1 * noise(frame)).collect();
    let hum: Vec<f32> = (0..clicks.len()).map(|frame| 0.3 * (frame as f32 * 0.0575).sin()).collect();
    let mut slam = silence.clone();
    // One click alone, as a door might sound like it.
    slam[5_000..5_960].copy_from_slice(&clicks[..960]);
    let drowned = returned(&clicks, 900, 0.003, None, 0.3, 1);
    let twice = returned(&clicks, 900, 1.0, Some((4_800, 0.9)), 0.0, 0);
    let not_finite = vec![f32::NAN; clicks.len()];
    let rows = [
        ("silence", &silence, "nothing came back"),
        ("hiss", &hiss, "could not be heard"),
        ("hum", &hum, "could not be heard"),
        ("one slam", &slam, "could not be heard"),
        ("drowned", &drowned, "could not be heard"),
        ("an echo as loud", &twice, "more than once"),
        ("no numbers", &not_finite, "nothing came back"),
    ];
    for (name, recorded, words) in rows {
        let sentence = find(recorded, SampleRate(rate)).unwrap_err().to_string();
        assert!(sentence.contains(words), "{name}: {sentence}");
    }
    assert!(find(&clicks[..1_000], SampleRate(rate)).is_err() && find(&[], SampleRate(rate)).is_err());
    // What all of these lack is the click.
    assert!(find(&returned(&clicks, 900, 0.2, None, 0.0, 0), SampleRate(rate)).is_ok());
}

#[test]
fn an_ear_measures_what_its_own_output_needs_to_come_back() {
    for (rate, late) in [(44_100, 1_200), (48_000, 4_800), (96_000, 40_000)] {
        let mut studio = studio(rate);
        // A song that plays on meanwhile.
        let wire = move |out: &[f32], frame: usize| {
            let back = frame.checked_sub(late).and_then(|at| out.get(at)).copied().unwrap_or(0.0);
            0.4 * back + 0.004 * noise(frame)
        };
        let out = run(&mut studio, rate, 0.5, wire);
        assert!(out.iter().all(|&sample| sample == 0.0), "nothing sounds that nobody ordered");
        studio.ear.measure_offset();
        std::thread::sleep(Duration::from_millis(30));
        assert!(studio.ear.snapshot().measuring);
        let out = run(&mut studio, rate, 4.0, wire);
        let peak = out.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!((0.05..=0.11).contains(&peak), "quiet: {peak}");
        let found = match studio.events.recv_timeout(Duration::from_secs(20)).unwrap() {
            CaptureEvent::OffsetMeasured(found) => found,
            other => panic!("{other:?}"),
        };
        assert_eq!(check(&found, late, rate), Ok(()), "{rate}");
    }
    // No wire, no measurement.
    let mut studio = studio(48_000);
    studio.ear.measure_offset();
    std::thread::sleep(Duration::from_millis(30));
    run(&mut studio, 48_000, 4.0, |_, _| 0.0);
    let Ok(CaptureEvent::Problem(sentence)) = studio.events.recv_timeout(Duration::from_secs(20)) else { panic!() };
    assert!(sentence.contains("nothing came back"), "{sentence}");
}
