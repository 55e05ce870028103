//! The frames on the pipes: what goes in comes out, and nothing that comes is believed.

use super::{order, tones};
use crate::command_line::program;
use crate::session::Draw;
use cantus_engine::generation::musicgen::Melody;
use cantus_engine::worker::protocol::{self, PROTOCOL, SentOrder, ToWorker, VERSION};
use std::io::{ErrorKind, Read, Write};
use std::process::{Command, Stdio};

fn generate(melody: Melody) -> (ToWorker, Vec<u8>) {
    let mut order = order(1.0 / 3.0);
    order.request.melody = melody;
    order.request.continue_from = Some(tones(0.1));
    let (sent, payload) = SentOrder::pack(&order);
    (ToWorker::Generate { job: 4, order: sent }, payload)
}

#[test]
fn an_order_comes_out_of_a_pipe_as_it_went_in() {
    for melody in [Melody::None, Melody::Wave(tones(0.2)), Melody::Frames(vec![[0.25; 12]; 3])] {
        let (message, payload) = generate(melody.clone());
        let mut bytes = Vec::new();
        protocol::write(&mut bytes, &message, &payload).unwrap();
        let mut pipe = bytes.as_slice();
        let (back, payload) = protocol::read::<ToWorker>(&mut pipe).unwrap().unwrap();
        assert_eq!(back, message);
        let ToWorker::Generate { order: sent, .. } = back else { panic!("{back:?}") };
        let whole = sent.unpack(&payload).unwrap();
        assert_eq!(whole.request.melody, melody);
        assert_eq!(whole.request.continue_from, Some(tones(0.1)));
        assert_eq!(whole.request.seconds, order(1.0 / 3.0).request.seconds);
        assert!(protocol::read::<ToWorker>(&mut pipe).unwrap().is_none(), "the end between two messages is no fault");
    }
}

/// A pipe that claims to go on for ever, and counts what was taken from it.
struct Endless(usize);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0 += buffer.len();
        buffer.fill(b'C');
        Ok(buffer.len())
    }
}

#[test]
fn damaged_frames_are_refused_and_lengths_are_not_believed() {
    let (message, payload) = generate(Melody::Wave(tones(0.05)));
    let mut good = Vec::new();
    protocol::write(&mut good, &message, &payload).unwrap();
    for length in 1..good.len().min(200) {
        let error = protocol::read::<ToWorker>(&mut &good[..length]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "cut after {length}");
    }
    let mut draw = Draw::new(5);
    for _ in 0..2_000 {
        let mut bad = good.clone();
        for _ in 0..1 + draw.below(4) {
            let at = draw.below(260.min(bad.len()));
            bad[at] = draw.next() as u8;
        }
        // Refused, or another message that can be carried out; never a panic.
        if let Ok(Some((ToWorker::Generate { order, .. }, payload))) = protocol::read(&mut bad.as_slice()) {
            let _ = order.unpack(&payload);
        }
    }
    let mut greedy = b"CtW1".to_vec();
    greedy.extend([0xFF; 8]);
    greedy.extend([0; 64]);
    assert_eq!(protocol::read::<ToWorker>(&mut greedy.as_slice()).unwrap_err().kind(), ErrorKind::InvalidData);
    let mut endless = Endless(0);
    assert!(protocol::read::<ToWorker>(&mut endless).is_err());
    assert!(endless.0 < 1 << 22, "{} bytes were read of nonsense", endless.0);
    // A payload that says it has more audio than there is.
    let ToWorker::Generate { order, .. } = message else { panic!() };
    assert!(order.unpack(&payload[..8]).is_err());
}

#[test]
fn a_worker_ends_on_garbage_and_on_a_closed_pipe() {
    let hello = ToWorker::Hello { protocol: PROTOCOL, version: VERSION.to_owned(), idle_ms: 60_000 };
    let mut greeting = Vec::new();
    protocol::write(&mut greeting, &hello, &[]).unwrap();
    let mut greeted_then_garbage = greeting.clone();
    greeted_then_garbage.extend([b'x'; 4_096]);
    for (bytes, status, says) in [
        (Vec::new(), 0, ""),
        (greeting, 0, ""),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), 1, "of no use by itself"),
        (greeted_then_garbage, 3, "no message of ours"),
    ] {
        let mut worker = Command::new(program())
            .arg("worker")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The worker may have had enough before everything is written.
        let _ = worker.stdin.take().unwrap().write_all(&bytes);
        let done = worker.wait_with_output().unwrap();
        let words = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(status), "{bytes:?}: {words}");
        assert!(words.contains(says), "{words}");
    }
}
