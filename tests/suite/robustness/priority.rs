//! Whose audio comes first: everything of Cantus that computes has a lower priority than a host's threads, so that the audio of
//! other plugins never waits for it.
#![cfg(target_os = "linux")]

use crate::turn;
use cantus_engine::jobs::lanes::{Job, Lane, Lanes, Priority};
use std::collections::BTreeMap;
use std::sync::mpsc::channel;
use std::time::Duration;

/// The nice value of each thread of this process whose name begins so.
fn priorities(start: &str) -> BTreeMap<String, i64> {
    let mut found = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let Ok(stat) = std::fs::read_to_string(task.path().join("stat")) else { continue };
        let Some((name, rest)) = stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')) else { continue };
        // Behind the name: state is the first number, the nice value the 17th.
        if let Some(nice) = rest.split_whitespace().nth(16).filter(|_| name.starts_with(start)) {
            found.insert(name.to_owned(), nice.parse().unwrap());
        }
    }
    found
}

#[test]
fn lanes_and_every_thread_they_start_give_way_to_the_host() {
    let _turn = turn();
    let own = priorities("").into_values().min().unwrap();
    let lanes = Lanes::start().unwrap();
    let handle = lanes.handle();
    for lane in [Lane::Fast, Lane::Slow] {
        let (tell, told) = channel();
        handle.submit(Job {
            lane,
            priority: Priority::Normal,
            delay: Duration::ZERO,
            key: None,
            work: Box::new(move |_| {
                // As rayon's pools are started inside of a job.
                let child =
                    std::thread::Builder::new().name("cantus-child".into()).spawn(|| priorities("cantus-child"));
                tell.send(child.unwrap().join().unwrap()).unwrap();
                Ok(())
            }),
            done: Box::new(|_| ()),
        });
        let child = told.recv_timeout(Duration::from_secs(60)).unwrap();
        assert!(child.values().all(|nice| *nice >= own + 10) && !child.is_empty(), "{lane:?}: {child:?}");
    }
    let fast = priorities("cantus-fast");
    let slow = priorities("cantus-slow");
    assert!(fast.values().chain(slow.values()).all(|nice| *nice >= own + 10), "{fast:?} {slow:?}");
    let cores = std::thread::available_parallelism().unwrap().get();
    assert!(
        !fast.is_empty() && fast.len() <= (cores / 2).max(1) && slow.len() == 1,
        "{fast:?} {slow:?} on {cores} cores"
    );
    // The same check sees a thread that does not give way.
    let (keep, wait) = channel::<()>();
    let plain = std::thread::Builder::new().name("cantus-plain".into()).spawn(move || wait.recv()).unwrap();
    let seen = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        priorities("cantus-plain").values().any(|nice| *nice < own + 10)
    });
    assert!(seen, "a thread of normal priority is not seen");
    drop(keep);
    plain.join().unwrap().unwrap_err();
}
