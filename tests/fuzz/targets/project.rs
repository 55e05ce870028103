//! A project that is opened, worked in, saved and opened again by instances of the engine.

use super::{Target, check_sentence, session};
use crate::draw::Draw;
use cantus_engine::instance::view::{VariationStatus, VariationView};
use cantus_engine::instance::{AudioEnds, Instance};
use cantus_engine::session::Session;
use cantus_engine::time::SampleRate;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub const TARGET: Target =
    Target { name: "project", open, seeds: session::seeds, mutate: mutated, most_bytes: 1 << 16, needs_bundle: false };

/// Rendering goes on in the background; what is compared is saved as soon as nothing changes any more, or after this.
const PATIENCE: Duration = Duration::from_secs(4);

fn instance() -> (Instance, AudioEnds) {
    let instance = Instance::new(Arc::new(|_| ()));
    let ends = instance.activate(SampleRate(8_000), 1, 256).unwrap();
    (instance, ends)
}

fn open() -> super::Run {
    // One stays, so that the studio is opened once only.
    let (first, ends) = instance();
    Box::new(move |input| {
        let _ = &ends;
        let session = match Session::decode(input) {
            Ok(session) => session,
            Err(error) => return check_sentence(&error),
        };
        if let Err(error) = first.restore(session) {
            return check_sentence(&error);
        }
        let _ = first.view();
        let saved = settled(&first);
        let (second, _ends) = instance();
        second.restore(Session::decode(&saved).expect("what was saved can be opened")).expect("and restored");
        let again = settled(&second);
        if saved != again {
            assert_eq!(
                Session::decode(&saved).unwrap(),
                Session::decode(&again).unwrap(),
                "opened and saved again, it is another project"
            );
        }
        // Hands on: none of it may fail on an odd project.
        for id in [1, 2, 5, u64::MAX] {
            second.select(Some(id));
            second.star(id, true);
            second.rename(id, "again".to_owned());
        }
        second.undo_edit();
        second.redo_edit();
        let _ = second.view();
        second.select(None);
        second.cancel_jobs();
        saved.len() as u64 / 256
    })
}

/// What is saved once two saves in a row are alike.
fn settled(instance: &Instance) -> Vec<u8> {
    let begun = Instant::now();
    let save = || instance.session().and_then(|session| session.encode()).expect("a project can be saved");
    let mut last = save();
    loop {
        std::thread::sleep(Duration::from_millis(15));
        let now = save();
        if now == last && is_at_rest(instance) || begun.elapsed() > PATIENCE {
            return now;
        }
        last = now;
    }
}

fn is_at_rest(instance: &Instance) -> bool {
    let view = instance.view();
    let waits = |variation: &VariationView| matches!(variation.status, VariationStatus::Pending(_));
    view.analysing.is_none() && !view.variations.iter().any(waits)
}

fn mutated(input: &[u8], draw: &mut Draw) -> Vec<u8> {
    session::mutated(input, draw)
}
