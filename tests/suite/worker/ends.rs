//! Every way a worker can end is a sentence, and the next order starts another.
#![cfg(unix)]

use super::{Running, eventually, is_alive, order, settings, signal, supervisor};
use crate::command_line::program;
use cantus_engine::Error;
use cantus_engine::job_context::{JobContext, Stage};
use cantus_engine::jobs::lanes::{Job, Lane, Lanes, Priority};
use cantus_engine::worker::supervisor::Supervisor;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

/// Interrupts a long job by a signal; the sentence it ends with.
fn interrupted(worker: &Arc<Supervisor>, number: i32) -> String {
    let running = Running::start(worker, order(600.0));
    running.wait_for(Stage::Generation);
    let pid = worker.process().unwrap();
    signal(pid, number);
    if matches!(number, libc::SIGSEGV | libc::SIGBUS) {
        // The first one only takes down the handler that looks for stack overflows; a real fault comes again at once.
        std::thread::sleep(Duration::from_millis(50));
        signal(pid, number);
    }
    let error = running.end().unwrap_err();
    assert!(matches!(error, Error::Worker { .. }), "{error:?}");
    eventually("the process is gone", || !is_alive(pid));
    error.to_string()
}

fn works(worker: &Supervisor) {
    worker.generate(&order(0.5), &JobContext::detached(), &mut |_| ()).unwrap();
}

#[test]
fn a_killed_or_crashed_worker_is_a_sentence_and_the_next_order_works() {
    let folder = tempfile::tempdir().unwrap();
    let worker = Arc::new(supervisor(folder.path()));
    for (number, says) in [
        (libc::SIGKILL, "memory ran out"),
        (libc::SIGSEGV, "crashed with signal 11"),
        (libc::SIGBUS, "has changed or is damaged"),
        (libc::SIGTERM, "signal 15"),
    ] {
        let sentence = interrupted(&worker, number);
        assert!(sentence.contains(says) && sentence.contains("generate again"), "{number}: {sentence}");
        works(&worker);
    }
}

#[test]
fn other_jobs_go_on_while_a_worker_dies() {
    let _turn = crate::turn();
    let folder = tempfile::tempdir().unwrap();
    let worker = Arc::new(supervisor(folder.path()));
    let lanes = Lanes::start().unwrap();
    let (tell, ended) = channel();
    let submit = |lane, name: &'static str, work: cantus_engine::jobs::lanes::Work| {
        let tell = tell.clone();
        let done = Box::new(move |result| drop(tell.send((name, result))));
        lanes.handle().submit(Job { lane, priority: Priority::Normal, delay: Duration::ZERO, key: None, work, done })
    };
    let mine = worker.clone();
    let job = submit(
        Lane::Slow,
        "neural",
        Box::new(move |context| mine.generate(&order(600.0), context, &mut |_| ()).map(drop)),
    );
    eventually("music is made", || job.progress().stage == Stage::Generation);
    assert!(job.progress().made.is_some(), "progress is told in seconds");
    submit(Lane::Fast, "band", Box::new(|_| Ok(())));
    assert_eq!(ended.recv_timeout(super::PATIENCE).unwrap(), ("band", Ok(())));
    signal(worker.process().unwrap(), libc::SIGKILL);
    let (name, result) = ended.recv_timeout(super::PATIENCE).unwrap();
    assert!(name == "neural" && matches!(result, Err(Error::Worker { .. })), "{name}: {result:?}");
    submit(Lane::Slow, "next", Box::new(move |context| worker.generate(&order(0.5), context, &mut |_| ()).map(drop)));
    assert_eq!(ended.recv_timeout(super::PATIENCE).unwrap(), ("next", Ok(())));
}

#[test]
fn a_worker_that_no_longer_answers_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.silence = Duration::from_millis(1_500);
    let worker = Arc::new(Supervisor::new(settings));
    let sentence = interrupted(&worker, libc::SIGSTOP);
    assert!(sentence.contains("no longer answered"), "{sentence}");
    works(&worker);
}

#[test]
fn a_worker_that_does_not_stop_when_asked_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.stop = Duration::from_millis(300);
    let worker = Arc::new(Supervisor::new(settings));
    let running = Running::start(&worker, order(600.0));
    running.wait_for(Stage::Generation);
    let pid = worker.process().unwrap();
    signal(pid, libc::SIGSTOP);
    running.cancel.cancel();
    assert_eq!(running.end(), Err(Error::Cancelled));
    assert!(!is_alive(pid));
    works(&worker);
}

#[test]
fn dropping_the_supervisor_ends_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let worker = supervisor(folder.path());
    works(&worker);
    let pid = worker.process().unwrap();
    assert!(is_alive(pid));
    drop(worker);
    assert!(!is_alive(pid));
}

#[test]
fn the_worker_does_not_outlive_a_killed_host() {
    let folder = tempfile::tempdir().unwrap();
    // The "host" is the command line, in the middle of a long piece.
    let hum = concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/demo/hum.flac");
    let mut host = Command::new(program())
        .args(["render", hum, "--engine", "musicgen", "--prompt", "x", "--bpm", "20", "--out", "out", "--model"])
        .arg(super::tiny_model())
        .current_dir(folder.path())
        .env("CANTUS_DATA_DIR", folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut pid = None;
    eventually("the host has a worker", || {
        pid = child_of(host.id());
        pid.is_some() || host.try_wait().unwrap().is_some()
    });
    let pid = pid.expect("the host ended before it had a worker");
    host.kill().unwrap();
    host.wait().unwrap();
    eventually("the worker is gone too", || !is_alive(pid));
}

/// A process whose parent is the given one.
fn child_of(parent: u32) -> Option<u32> {
    let listed = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output().ok()?;
    String::from_utf8_lossy(&listed.stdout).lines().find_map(|line| {
        let mut numbers = line.split_whitespace().map(str::parse::<u32>);
        let (pid, of) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        (of == parent).then_some(pid)
    })
}

#[test]
fn missing_strange_and_older_programs_are_refused_by_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |script: Option<(&str, &[u8])>| {
        let path = folder.path().join(script.map_or("nowhere", |(name, _)| name));
        if let Some((_, text)) = script {
            use std::os::unix::fs::PermissionsExt;
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let mut settings = settings(folder.path());
        settings.program = Some(path);
        Supervisor::new(settings).generate(&order(0.5), &JobContext::detached(), &mut |_| ()).unwrap_err().to_string()
    };
    let missing = refused(None);
    assert!(missing.contains("cannot be started") && missing.contains("Install Cantus again"), "{missing}");
    let strange = refused(Some(("strange", b"#!/bin/sh\necho I am something else\ncat > /dev/null\n")));
    assert!(strange.contains("does not answer like the music engine"), "{strange}");
    let broken = refused(Some(("broken", b"#!/bin/sh\necho libfancy.so is missing >&2\nexit 127\n")));
    assert!(broken.contains("libfancy.so is missing") && broken.contains("127"), "its own words: {broken}");
    // A greeting of another version, made by our own writer.
    let hello = serde_json::json!({ "say": "hello", "protocol": 1, "version": "0.0.9", "pid": 1 });
    let mut greeting = Vec::new();
    cantus_engine::worker::protocol::write(&mut greeting, &hello, &[]).unwrap();
    std::fs::write(folder.path().join("greeting"), greeting).unwrap();
    let older = format!("#!/bin/sh\ncat {}/greeting\ncat > /dev/null\n", folder.path().display());
    let older = refused(Some(("older", older.as_bytes())));
    assert!(older.contains("is Cantus 0.0.9") && older.contains("same version"), "{older}");
}
