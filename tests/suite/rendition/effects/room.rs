//! Rooms of every kind.

use super::super::spectrum::{band_db, noise, power_spectrum};
use super::super::{all_finite, rms_db};
use super::{RATE, stereo};
use cantus_engine::audio::AudioBuffer;
use cantus_engine::generation::score::{Room, RoomKind};
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::room::add_room;
use cantus_engine::time::Frames;
use std::f64::consts::TAU;

const KINDS: [RoomKind; 4] = [RoomKind::Room, RoomKind::Hall, RoomKind::Plate, RoomKind::Spring];

fn in_room(audio: &AudioBuffer, kind: RoomKind, decay_seconds: f32, send: f32) -> AudioBuffer {
    let mut out = audio.clone();
    let room = Room { decay_seconds, level_db: -6.0, kind };
    add_room(&mut out, &room, send, &JobContext::detached()).expect("a room");
    out
}

/// A room's answer to a click on both sides, without the click.
fn answer(kind: RoomKind, decay_seconds: f32, rate: u32, seconds: f64) -> AudioBuffer {
    let mut click = vec![0.0; (seconds * f64::from(rate)) as usize];
    click[0] = 1.0;
    let mut out = in_room(&stereo(rate, click.clone(), click), kind, decay_seconds, 1.0);
    out.channels.iter_mut().for_each(|channel| channel[0] = 0.0);
    out
}

/// The octaves around 1 kHz, where reverberation times are told: two resonators in a row.
fn middle_band(samples: &[f32], rate: u32) -> Vec<f64> {
    let turn = TAU * 1_000.0 / f64::from(rate);
    let alpha = turn.sin() / 1.4;
    let mut signal: Vec<f64> = samples.iter().map(|sample| f64::from(*sample)).collect();
    for _ in 0..2 {
        let (mut x1, mut x2, mut y1, mut y2) = (0.0, 0.0, 0.0, 0.0);
        for sample in &mut signal {
            let out = (alpha * (*sample - x2) + 2.0 * turn.cos() * y1 - (1.0 - alpha) * y2) / (1.0 + alpha);
            (x2, x1, y2, y1) = (x1, *sample, y1, out);
            *sample = out;
        }
    }
    signal
}

/// Reverberation time from the fall of the energy still to come between -5 and -35 dB (Schroeder).
fn reverberation_seconds(samples: &[f32], rate: u32) -> f64 {
    let mut left = 0.0;
    let mut coming: Vec<f64> = middle_band(samples, rate)
        .iter()
        .rev()
        .map(|sample| {
            left += sample * sample;
            left
        })
        .collect();
    coming.reverse();
    let at =
        |db: f64| coming.iter().position(|energy| 10.0 * (energy / coming[0]).log10() < db).expect("a fall") as f64;
    2.0 * (at(-35.0) - at(-5.0)) / f64::from(rate)
}

#[test]
fn rooms_ring_as_long_as_they_say() {
    for kind in KINDS {
        for (decay, rate) in [(0.7, 48_000), (1.6, 22_050), (3.0, 48_000)] {
            let answer = answer(kind, decay, rate, 1.5 * f64::from(decay));
            for channel in &answer.channels {
                let found = reverberation_seconds(channel, rate);
                let off = found / f64::from(decay) - 1.0;
                assert!(off.abs() < 0.15, "{kind:?} of {decay} s at {rate} Hz rings for {found} s");
            }
        }
    }
    let longer = reverberation_seconds(&answer(RoomKind::Hall, 2.0, RATE, 3.0).channels[0], RATE);
    assert!((longer / 1.6 - 1.0).abs() > 0.15, "a quarter more is not seen");
}

/// Share of samples beyond the standard deviation, against that of Gaussian noise: 1 where echoes cannot be told apart any more
/// (Abel and Huang 2006).
fn density(samples: &[f32]) -> f64 {
    let power = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len() as f64;
    let beyond = samples.iter().filter(|sample| f64::from(**sample).powi(2) > power).count();
    beyond as f64 / samples.len() as f64 / 0.3173
}

#[test]
fn kinds_differ() {
    let answers = KINDS.map(|kind| answer(kind, 1.5, RATE, 1.5));
    let early = |index: usize| density(&answers[index].channels[0][480..1_920]);
    let [room, hall, plate] = [0, 1, 2].map(early);
    assert!(plate > 0.5 && plate > 2.0 * room && plate > 2.0 * hall, "echoes {room} {hall} {plate}");
    let late = density(&answers[1].channels[0][24_000..30_000]);
    assert!(late > 0.8, "the hall is never dense: {late}");
    // When half of the energy has come.
    let half_ms = |audio: &AudioBuffer| {
        let total: f64 = audio.channels[0].iter().map(|sample| f64::from(*sample).powi(2)).sum();
        let mut sum = 0.0;
        let at = audio.channels[0].iter().position(|sample| {
            sum += f64::from(*sample).powi(2);
            sum > 0.5 * total
        });
        at.expect("energy") as f64 / 48.0
    };
    assert!(half_ms(&answers[1]) > half_ms(&answers[0]) + 20.0, "the hall is not later than the room");
    let treble = |index: usize| {
        let spectrum = power_spectrum(&answers[index].channels[0][..65_536]);
        band_db(&spectrum, RATE, 5_000.0, 20_000.0)
    };
    let [room, hall, plate, spring] = [0, 1, 2, 3].map(treble);
    assert!(plate > room + 1.0 && room > hall + 1.0 && hall > spring + 10.0, "{room} {hall} {plate} {spring} dB");
    // A spring's lows arrive before its highs.
    let first = |low_hz: f64, high_hz: f64| {
        let levels: Vec<f64> = (0..40)
            .map(|step| {
                let from = 1_200 + step * 48;
                let spectrum = power_spectrum(&answers[3].channels[0][from..from + 512]);
                let bin = |hz: f64| (hz / f64::from(RATE) * 512.0) as usize;
                spectrum[bin(low_hz)..bin(high_hz)].iter().sum()
            })
            .collect();
        (0..40).max_by(|&a, &b| levels[a].total_cmp(&levels[b])).expect("steps")
    };
    let (lows, highs) = (first(300.0, 1_000.0), first(2_800.0, 3_800.0));
    assert!(highs > lows + 3, "no chirp: lows after {lows} ms, highs after {highs} ms");
}

#[test]
fn the_room_of_a_sum_is_the_sum_of_rooms() {
    let frames = 48_000;
    for kind in KINDS {
        let one = stereo(RATE, noise(1, 0.3, frames), noise(2, 0.3, frames));
        let mut other = stereo(RATE, noise(3, 0.3, frames), noise(4, 0.3, frames));
        // It begins later, on an odd frame.
        other.channels.iter_mut().for_each(|channel| channel[..5_003].fill(0.0));
        let mut sum = one.clone();
        sum.add(&other, Frames(0));
        let apart = |send: f32| {
            let mut parts = in_room(&one, kind, 1.2, send);
            parts.add(&in_room(&other, kind, 1.2, 0.5), Frames(0));
            let whole = in_room(&sum, kind, 1.2, 0.5);
            let difference: Vec<f32> = whole.channels[0].iter().zip(&parts.channels[0]).map(|(a, b)| a - b).collect();
            rms_db(&difference)
        };
        assert!(apart(0.5) < -100.0, "{kind:?}: {} dB apart", apart(0.5));
        assert!(apart(0.49) > -90.0, "{kind:?}: another send is not seen");
    }
}

#[test]
fn kinds_are_as_loud_as_each_other_and_stay_finite() {
    let hiss = stereo(RATE, noise(1, 0.2, 96_000), noise(2, 0.2, 96_000));
    let mut levels = Vec::new();
    for kind in KINDS {
        assert!(in_room(&hiss, kind, 1.2, 0.0) == hiss, "{kind:?}: no send changes something");
        let wet = in_room(&hiss, kind, 1.2, 1.0);
        let answer: Vec<f32> = wet.channels[0].iter().zip(&hiss.channels[0]).map(|(wet, dry)| wet - dry).collect();
        let level = rms_db(&answer) - rms_db(&hiss.channels[0]);
        // A spring passes a sixth of the noise's band.
        let band = if kind == RoomKind::Spring { 7.0 } else { 0.0 };
        levels.push(level + band);
        for rate in [8_000, 192_000] {
            let mut other = hiss.clone();
            other.rate.0 = rate;
            assert!(all_finite(&in_room(&other, kind, 0.1, 1.0)) && all_finite(&in_room(&other, kind, 10.0, 1.0)));
        }
    }
    let (low, high) = levels.iter().fold((f64::MAX, f64::MIN), |(low, high), &level| (low.min(level), high.max(level)));
    assert!(high - low < 5.0, "levels of the kinds: {levels:?}");
}
