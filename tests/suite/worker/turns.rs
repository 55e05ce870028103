//! One worker of a user at a time: the second waits, says so, and gets its turn.

use super::{Running, eventually, order, supervisor};
use cantus_engine::Error;
use cantus_engine::job_context::{JobContext, Stage};
use std::sync::Arc;

#[test]
fn a_second_worker_waits_says_so_and_gets_its_turn() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (Arc::new(supervisor(folder.path())), Arc::new(supervisor(folder.path())));
    let long = Running::start(&first, order(600.0));
    long.wait_for(Stage::Generation);
    let waiting = Running::start(&second, order(0.5));
    waiting.wait_for(Stage::Turn);
    assert!(Stage::Turn.doing().contains("waiting for another Cantus"));
    long.cancel.cancel();
    assert_eq!(long.end(), Err(Error::Cancelled));
    waiting.end().unwrap();
    eventually("the first worker has made room", || first.process().is_none());
    // And back again: the second is idle now, and yields at once.
    first.generate(&order(0.5), &JobContext::detached(), &mut |_| ()).unwrap();
}

#[test]
fn waiting_for_a_turn_can_be_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (Arc::new(supervisor(folder.path())), Arc::new(supervisor(folder.path())));
    let long = Running::start(&first, order(600.0));
    long.wait_for(Stage::Generation);
    let waiting = Running::start(&second, order(0.5));
    waiting.wait_for(Stage::Turn);
    waiting.cancel.cancel();
    assert_eq!(waiting.end(), Err(Error::Cancelled));
    long.cancel.cancel();
    assert_eq!(long.end(), Err(Error::Cancelled));
}
