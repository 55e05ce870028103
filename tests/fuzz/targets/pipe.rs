//! Frames between plugin and worker, from either side.

use super::{Target, answer};
use crate::draw::Draw;
use crate::mutate;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::generation::musicgen::{AudioRequest, Melody, Precision, Sampling};
use cantus_engine::time::{SampleRate, Seconds};
use cantus_engine::worker::Order;
use cantus_engine::worker::protocol::{self, FromWorker, PROTOCOL, SentOrder, ToWorker, VERSION};
use std::io::Read;

pub const TARGET: Target =
    Target { name: "pipe", open, seeds, mutate: mutated, most_bytes: 1 << 16, needs_bundle: false };

fn open() -> super::Run {
    Box::new(|input| {
        let mut said = String::new();
        // A pipe gives what it has, not what was asked for.
        let mut from = Drip { rest: input, step: 1 + input.len() % 7 };
        loop {
            match protocol::read::<ToWorker>(&mut from) {
                Ok(Some((ToWorker::Generate { order, .. }, payload))) => match order.unpack(&payload) {
                    Ok(order) => {
                        let (again, packed) = SentOrder::pack(&order);
                        assert!(again.unpack(&packed).is_ok(), "an order that cannot be sent on");
                        said.push_str("order");
                    }
                    Err(error) => said.push_str(&error.to_string()),
                },
                Ok(Some((message, _))) => said.push_str(&format!("{:?}", std::mem::discriminant(&message))),
                Ok(None) => break,
                Err(error) => {
                    said.push_str(&error.to_string());
                    break;
                }
            }
        }
        let mut from = Drip { rest: input, step: 4_096 };
        while let Ok(Some((message, payload))) = protocol::read::<FromWorker>(&mut from) {
            if let FromWorker::Audio { shape, .. } | FromWorker::Done { shape, .. } = message {
                let audio = protocol::unpack(shape, &mut payload.as_slice());
                said.push_str(if audio.is_ok() { "audio" } else { "no audio" });
            }
        }
        answer(&said)
    })
}

struct Drip<'a> {
    rest: &'a [u8],
    step: usize,
}

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.step.min(buffer.len());
        let read = (&self.rest[..self.rest.len().min(count)]).read(buffer)?;
        self.rest = &self.rest[read..];
        Ok(read)
    }
}

fn frame(message: &impl serde_json_message::Message, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    message.frame(&mut out, payload);
    out
}

/// Both directions' messages, so that one function frames either.
mod serde_json_message {
    use super::{FromWorker, ToWorker, protocol};

    pub trait Message {
        fn frame(&self, out: &mut Vec<u8>, payload: &[u8]);
    }

    impl Message for ToWorker {
        fn frame(&self, out: &mut Vec<u8>, payload: &[u8]) {
            protocol::write(out, self, payload).unwrap();
        }
    }

    impl Message for FromWorker {
        fn frame(&self, out: &mut Vec<u8>, payload: &[u8]) {
            protocol::write(out, self, payload).unwrap();
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let audio = AudioBuffer { rate: SampleRate(32_000), channels: vec![vec![0.5; 40], vec![-0.5; 40]] };
    let order = |melody| {
        let request = AudioRequest {
            text: "solo violin".to_owned(),
            melody,
            seconds: Seconds(1.5),
            seed: 7,
            sampling: Sampling::default(),
            continue_from: Some(audio.clone()),
        };
        let (order, payload) = SentOrder::pack(&Order { folder: "model".into(), precision: Precision::Q8_0, request });
        frame(&ToWorker::Generate { job: 3, order }, &payload)
    };
    let (shape, payload) = protocol::pack(&audio);
    let hello = ToWorker::Hello { protocol: PROTOCOL, version: VERSION.to_owned(), idle_ms: 1_000 };
    vec![
        [frame(&hello, &[]), order(Melody::None), frame(&ToWorker::Cancel { job: 3 }, &[])].concat(),
        order(Melody::Wave(audio.clone())),
        order(Melody::Frames(vec![[0.25; 12]; 5])),
        [frame(&FromWorker::Accepted { job: 3 }, &[]), frame(&FromWorker::Audio { job: 3, shape }, &payload)].concat(),
        [frame(&FromWorker::Done { job: 3, shape }, &payload), frame(&FromWorker::Leaving, &[])].concat(),
    ]
}

fn mutated(input: &[u8], draw: &mut Draw) -> Vec<u8> {
    if draw.once_in(3) {
        return mutate::bytes(
            input,
            &[b"CtW1", b"\"say\":\"generate\"", b"{\"rate\":0,\"channels\":64,\"frames\":4294967295}"],
            draw,
        );
    }
    // One frame's header is changed and its lengths told truly.
    let Some((head, rest)) = input.split_first_chunk::<12>() else { return input.to_vec() };
    let length = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]) as usize;
    let (header, payload) = (length(4).min(rest.len()), length(8));
    let (header, rest) = rest.split_at(header);
    let (payload, rest) = rest.split_at(payload.min(rest.len()));
    let header = mutate::json(header, draw);
    let mut payload = payload.to_vec();
    if draw.once_in(3) {
        payload = mutate::bytes(&payload, &[], draw);
    }
    let mut out = b"CtW1".to_vec();
    out.extend((header.len() as u32).to_le_bytes());
    out.extend((payload.len() as u32).to_le_bytes());
    out.extend([header.as_slice(), payload.as_slice(), rest].concat());
    out
}
