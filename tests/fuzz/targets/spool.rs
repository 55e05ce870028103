//! Files that a crashed host left behind.

use super::{Target, answer};
use crate::draw::Draw;
use crate::mutate;
use cantus_engine::capture::collector::{Collector, EarSettings};
use cantus_engine::capture::cut::CaptureMode;
use cantus_engine::capture::ring::ring;
use cantus_engine::capture::spool;
use cantus_engine::capture::transport::TransportStamp;
use cantus_engine::time::{Bpm, SampleRate};
use std::path::Path;
use std::time::{Duration, Instant};

pub const TARGET: Target =
    Target { name: "spool", open, seeds, mutate: mutated, most_bytes: 1 << 14, needs_bundle: false };

fn open() -> super::Run {
    let folder = tempfile::tempdir().unwrap();
    let name = "1-1-1.spool";
    Box::new(move |input| {
        std::fs::write(folder.path().join(name), input).unwrap();
        let found = spool::recover(folder.path());
        let mut said = String::new();
        for recovered in &found {
            said.push_str(&recovered.describe());
            let take = &recovered.take;
            assert!(take.length.0.is_finite() && take.length.0 >= 0.0 && take.grid.is_sane(), "{take:?}");
            assert!(
                take.audio.channels.iter().flatten().all(|sample| sample.is_finite()),
                "a sample that is no number"
            );
        }
        answer(&said)
    })
}

/// The name and the bytes of a file with a short take, as the plugin writes it.
fn written(folder: &Path) -> (String, Vec<u8>) {
    let rate = SampleRate(8_000);
    let (mut recorder, reader) = ring(rate, 1, 1.0);
    let collector = Collector::start().unwrap();
    let settings = EarSettings { spool_dir: Some(folder.to_path_buf()), ..EarSettings::default() };
    let ear = collector.add(reader, settings, Box::new(|_| ()));
    let stamp = |number: u32| TransportStamp {
        playing: true,
        tempo: Some(Bpm(240.0)),
        beats: Some(f64::from(number) * 0.08),
        seconds: Some(f64::from(number) * 0.02),
        offline: true,
        ..TransportStamp::default()
    };
    recorder.push(&stamp(0), &[vec![0.25_f32; 160]], &[]);
    ear.arm(CaptureMode::Free);
    let begun = Instant::now();
    for number in 1.. {
        recorder.push(&stamp(number), &[vec![0.25_f32; 160]], &[]);
        std::thread::sleep(Duration::from_millis(10));
        let files = crate::driver::files(folder);
        if let Some(file) = files.into_iter().find(|(_, bytes)| bytes.len() > 3_000) {
            return file;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "nothing was spooled");
    }
    unreachable!("the loop above has no end of its own");
}

fn seeds() -> Vec<Vec<u8>> {
    let whole = written(tempfile::tempdir().unwrap().path()).1;
    let free = [&whole[..16], &[0; 16], &whole[32..]].concat();
    let looped = [&whole[..16], &[2, 0, 0, 0, 0, 0, 0, 0], &whole[24..1_000]].concat();
    vec![whole, free, looped]
}

fn mutated(input: &[u8], draw: &mut Draw) -> Vec<u8> {
    // Numbers that a transport may hold, where one may lie.
    let floats = [0.0, -1.0, 1e-300, 1e18, f64::NAN, f64::INFINITY, -1e9, 240.0, 0.5].map(f64::to_le_bytes);
    let mut out = mutate::bytes(input, &[&floats[draw.below(floats.len())]], draw);
    if draw.once_in(3) && out.len() > 40 {
        let at = 32 + draw.below((out.len() - 32) / 4) * 4;
        let float = floats[draw.below(floats.len())];
        let end = (at + 8).min(out.len());
        out[at..end].copy_from_slice(&float[..end - at]);
    }
    out
}
