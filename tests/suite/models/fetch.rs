//! Fetching: what can go wrong between a hub and a disk, and what is left afterwards.

use super::checkpoint::{self, FIRST, Files, INDEX, SECOND};
use super::server::{Asked, Fault, Hub, Listing, commit};
use super::{NAME, library, request};
use cantus_engine::job_context::{CancelToken, JobContext, Stage};
use cantus_engine::models::{
    CC_BY_NC_4, Doing, FetchRequest, ModelLibrary, ModelProgress, ModelState, ModelStatus, space::RESERVE_BYTES,
};
use cantus_engine::{Error, Result};
use std::path::Path;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn fetch(library: &ModelLibrary, request: &FetchRequest) -> Result<ModelStatus> {
    library.fetch(NAME, request, &JobContext::detached(), &|_| ())
}

/// The model is there, byte for byte, and nothing else.
fn check_whole(dir: &Path, expected: &Files) {
    let there = checkpoint::read(dir);
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&there), names(expected));
    assert!(there == *expected, "other bytes");
    assert!(!dir.join(".fetching").exists(), "nothing unfinished is left");
}

/// Nothing there can be taken for a model.
fn check_not_installed(library: &ModelLibrary) {
    let status = library.find(NAME).unwrap();
    assert!(matches!(status.inspection.state, ModelState::Absent | ModelState::Partial { .. }), "{status:?}");
    assert!(!status.dir.join("config.json").exists(), "without a configuration nothing looks like a model");
}

fn asked_of_storage(log: &[Asked], name: &str) -> Vec<Asked> {
    log.iter().filter(|asked| asked.at_storage && asked.path.contains(name)).cloned().collect()
}

#[test]
fn a_model_is_fetched_with_progress_and_its_token_stays_at_the_hub() {
    let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(checkpoint::repository(1)));
    let library = library(data.path());
    let fractions = Arc::new(Mutex::new(Vec::new()));
    let heard = fractions.clone();
    let context = JobContext::new(
        CancelToken::default(),
        Arc::new(move |progress| {
            assert_eq!(progress.stage, Stage::Fetch);
            heard.lock().unwrap().push(progress.fraction);
        }),
    );
    let told: Mutex<Vec<ModelProgress>> = Mutex::default();
    let request = FetchRequest { token: Some("hf_secret".to_owned()), ..request(&hub.address) };
    let status = library.fetch(NAME, &request, &context, &|now| told.lock().unwrap().push(now.clone())).unwrap();
    assert_eq!(status.inspection.state, ModelState::Complete);
    assert_eq!(status.model.map(|model| model.id), Some(NAME));
    assert_eq!(status.revision, Some(commit(1)));
    assert_eq!(status.dir, data.path().join("models").join(NAME));
    check_whole(&status.dir, &checkpoint::needed(1));
    let fractions = fractions.lock().unwrap();
    assert!(fractions.is_sorted() && fractions.last() == Some(&1.0), "{fractions:?}");
    let told = told.lock().unwrap();
    let bytes: usize = checkpoint::needed(1).values().map(Vec::len).sum();
    let last = told.last().unwrap();
    assert_eq!((last.files_done, last.files), (10, 10));
    assert_eq!((last.bytes_done, last.bytes), (bytes as u64, bytes as u64));
    assert_eq!(told[0].doing, Doing::Asking);
    assert!(told.iter().any(|now| now.doing == Doing::Fetching && now.file == FIRST));
    let log = hub.log();
    assert!(!log.iter().any(|asked| asked.path.contains("state_dict") || asked.path.contains("README")), "{log:?}");
    for asked in &log {
        let token = (!asked.at_storage).then_some("Bearer hf_secret");
        assert_eq!(asked.token.as_deref(), token, "{asked:?}");
    }
    assert!(log.iter().any(|asked| asked.at_storage));
}

#[test]
fn what_passes_is_waited_for_and_gone_on_with() {
    let resolve_first = "resolve/0101010101010101010101010101010101010101/model-00001";
    let rows: [(&'static str, usize, Fault); 15] = [
        ("storage/model-00001", 1, Fault::DropAfter(150_000)),
        ("storage/model-00001", 3, Fault::DropAfter(0)),
        ("storage/model-0000", 5, Fault::DropAfter(70_000)),
        ("storage/model-00002", 3, Fault::Status(503, "")),
        (resolve_first, 2, Fault::Status(429, "Retry-After: 1")),
        ("revision/main", 2, Fault::Status(500, "")),
        ("revision/main", 1, Fault::DropAfter(20)),
        ("config.json", 1, Fault::Status(504, "")),
        ("storage/model-00001", 1, Fault::Status(403, "")),
        ("storage/model-00001", 1, Fault::Corrupt),
        ("resolve-cache", 1, Fault::Corrupt),
        ("storage/spiece.model", 1, Fault::Stall),
        ("storage/tokenizer.json", 1, Fault::Silence),
        ("storage/model-00002", 1, Fault::Status(416, "")),
        ("storage/model-00002", 2, Fault::Garbage),
    ];
    for (part, times, fault) in rows {
        let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(checkpoint::repository(1)));
        hub.misbehave(part, times, fault.clone());
        let status = fetch(&library(data.path()), &request(&hub.address));
        let status = status.unwrap_or_else(|error| panic!("{part} {fault:?}: {error}"));
        check_whole(&status.dir, &checkpoint::needed(1));
    }
}

#[test]
fn a_broken_connection_costs_nothing_that_has_arrived() {
    // What was sent of the first weights file in all, when its connection breaks twice and then this happens.
    let whole = checkpoint::needed(1)[FIRST].len();
    let dropped = 150_000;
    let rows: [(Option<Fault>, usize); 3] =
        [(None, whole), (Some(Fault::IgnoreRange), 2 * dropped + whole), (Some(Fault::OtherRange), 3 * whole)];
    for (then, expected) in rows {
        let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(checkpoint::repository(1)));
        hub.misbehave("storage/model-00001", 2, Fault::DropAfter(dropped));
        if let Some(fault) = &then {
            hub.misbehave("storage/model-00001", 1, fault.clone());
        }
        let status = fetch(&library(data.path()), &request(&hub.address)).unwrap();
        check_whole(&status.dir, &checkpoint::needed(1));
        let asked = asked_of_storage(&hub.log(), FIRST);
        let ranges: Vec<_> = asked.iter().map(|asked| asked.range.as_deref()).take(3).collect();
        assert_eq!(ranges, [None, Some("bytes=150000-"), Some("bytes=300000-")], "{then:?}");
        let sent: usize = asked.iter().map(|asked| asked.sent).sum();
        assert!(sent <= expected, "{then:?}: {sent} bytes for {whole}");
    }
}

#[test]
fn what_lasts_is_said_and_leaves_nothing_that_looks_installed() {
    type Row = (&'static str, Fault, &'static str);
    let rows: [Row; 17] = [
        ("revision/main", Fault::Status(401, ""), "HF_TOKEN"),
        ("revision/main", Fault::Status(403, ""), "accept its terms"),
        ("revision/main", Fault::Status(404, ""), "404"),
        ("revision/main", Fault::Status(418, ""), "418"),
        ("revision/main", Fault::Status(500, ""), "later"),
        ("revision/main", Fault::Page, "model hub"),
        ("revision/main", Fault::Garbage, "127.0.0.1"),
        ("revision/main", Fault::Silence, "sends nothing"),
        ("revision/main", Fault::Redirect("/api/models/facebook/musicgen-melody/revision/main"), "without an end"),
        ("revision/main", Fault::Redirect("ftp://127.0.0.1/x"), "no web address"),
        ("storage/model-00001", Fault::Corrupt, "checksum"),
        ("storage/model-00001", Fault::OtherLength(100_000), "is 100 kB there"),
        ("storage/model-00002", Fault::OtherLength(900_000), "is 900 kB there"),
        ("storage/model-00002", Fault::DropAfter(1_000), "connection"),
        ("storage/model-00002", Fault::Status(403, ""), "hand out"),
        ("storage/model-00002", Fault::Page, "is 79 bytes there"),
        ("resolve-cache", Fault::Corrupt, "damaged"),
    ];
    for (part, fault, word) in rows {
        let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(checkpoint::repository(1)));
        let library = library(data.path());
        hub.misbehave(part, usize::MAX, fault.clone());
        let error = fetch(&library, &request(&hub.address)).unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, Error::Fetch { .. }), "{part} {fault:?}: {error:?}");
        assert!(said.contains(word), "{part} {fault:?}: {said}");
        check_not_installed(&library);
        hub.behave();
        let status =
            fetch(&library, &request(&hub.address)).unwrap_or_else(|error| panic!("{part} {fault:?}: {error}"));
        check_whole(&status.dir, &checkpoint::needed(1));
    }
}

#[test]
fn a_repository_that_is_no_such_checkpoint_is_refused_before_its_weights_come() {
    type Change = fn(&mut Files);
    let rows: [(Change, &str); 8] = [
        (|files| drop(files.remove("config.json")), "no config.json"),
        (|files| drop(files.remove("tokenizer.json")), "no tokenizer.json"),
        (
            |files| drop(files.insert("config.json".to_owned(), b"{\"model_type\":\"musicgen\"}".to_vec())),
            "\"musicgen\"",
        ),
        (|files| drop(files.insert("config.json".to_owned(), b"{".to_vec())), "no JSON"),
        (|files| drop(files.remove(SECOND)), SECOND),
        (|files| drop(files.insert(INDEX.to_owned(), b"{\"weight_map\":{}}".to_vec())), INDEX),
        (
            |files| {
                drop(files.insert(INDEX.to_owned(), b"{\"weight_map\":{\"a\":\"../../evil.safetensors\"}}".to_vec()))
            },
            INDEX,
        ),
        (|files| files.retain(|name, _| !name.starts_with("model")), "safetensors"),
    ];
    for (change, word) in rows {
        let mut files = checkpoint::repository(1);
        change(&mut files);
        let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(files));
        let library = library(data.path());
        let said = fetch(&library, &request(&hub.address)).unwrap_err().to_string();
        assert!(said.contains(word), "{word}: {said}");
        check_not_installed(&library);
        assert!(asked_of_storage(&hub.log(), "model-0000").is_empty(), "{word}: weights were fetched");
    }
}

#[test]
fn weights_that_do_not_belong_together_are_never_complete() {
    let mut files = checkpoint::repository(1);
    files.insert(SECOND.to_owned(), checkpoint::weights(&[("other.c", 400)], 1));
    let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(files));
    let library = library(data.path());
    let said = fetch(&library, &request(&hub.address)).unwrap_err().to_string();
    assert!(said.contains(SECOND) && said.contains("lacks tensor text_encoder.c"), "{said}");
    assert!(matches!(library.find(NAME).unwrap().inspection.state, ModelState::Damaged { .. }));
    hub.publish(2, checkpoint::repository(2));
    check_whole(&fetch(&library, &request(&hub.address)).unwrap().dir, &checkpoint::needed(2));
}

#[test]
fn weights_come_in_one_file_in_numbered_ones_or_by_index() {
    type Row<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)]);
    let rows: [Row; 3] = [(&[], &[]), (&[INDEX], &[]), (&[INDEX, SECOND], &[(FIRST, "model.safetensors")])];
    for (without, renamed) in rows {
        let change = |mut files: Files| {
            without.iter().for_each(|name| drop(files.remove(*name)));
            for (from, to) in renamed {
                let bytes = files.remove(*from).unwrap();
                files.insert((*to).to_owned(), bytes);
            }
            files
        };
        let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(change(checkpoint::repository(1))));
        let status = fetch(&library(data.path()), &request(&hub.address)).unwrap();
        check_whole(&status.dir, &change(checkpoint::needed(1)));
    }
}

#[test]
fn mirrors_that_list_names_only_do_as_well() {
    for listing in [Listing::Names, Listing::NoChecksums] {
        let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(checkpoint::repository(1)));
        let library = library(data.path());
        hub.list_only(listing);
        // Without any checksum a broken connection begins anew, because what is gone on with could not be checked.
        hub.misbehave("storage/model-00001", 2, Fault::DropAfter(100_000));
        let status = fetch(&library, &request(&hub.address)).unwrap();
        check_whole(&status.dir, &checkpoint::needed(1));
        let report = library.verify(NAME, &JobContext::detached(), &|_| ()).unwrap();
        assert!(report.is_good(), "{report:?}");
    }
}

#[test]
fn addresses_that_lead_nowhere_are_said() {
    let data = tempfile::tempdir().unwrap();
    let library = library(data.path());
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("127.0.0.1:{}", listener.local_addr().unwrap().port())
    };
    let hub = Hub::start(checkpoint::repository(1));
    let rows = [
        (format!("http://{closed}"), "nothing answers"),
        (hub.address.replace("http:", "https:"), "secure connection"),
        ("huggingface.co".to_owned(), "web address"),
        ("ftp://127.0.0.1".to_owned(), "web address"),
        ("http://".to_owned(), "web address"),
        ("no address at all".to_owned(), "web address"),
    ];
    for (address, word) in rows {
        let error = fetch(&library, &request(&address)).unwrap_err();
        assert!(matches!(error, Error::Fetch { .. }) && error.to_string().contains(word), "{address}: {error}");
        assert!(!library.find(NAME).unwrap().dir.exists(), "{address}: a folder was left");
    }
    let token = FetchRequest { token: Some("two\nlines".to_owned()), ..request(&hub.address) };
    let said = fetch(&library, &token).unwrap_err().to_string();
    assert!(said.contains("access token"), "{said}");
    let known = library.fetch("musicgen-melon", &request(&hub.address), &JobContext::detached(), &|_| ()).unwrap_err();
    assert!(known.to_string().contains("musicgen-melody-large"), "{known}");
}

/// Fetches until `when`, then cancels; the fetch must come back although nobody else would end it.
fn cancelled_when(
    data: &Path,
    mut request: FetchRequest,
    when: impl Fn(&ModelProgress) -> bool + Send + 'static,
) -> Result<ModelStatus> {
    request.patience.stall = Duration::from_secs(3_600);
    let (sender, receiver) = mpsc::channel();
    let library = library(data);
    let cancel = CancelToken::default();
    let context = JobContext::new(cancel.clone(), Arc::new(|_| ()));
    std::thread::spawn(move || {
        let listener = |now: &ModelProgress| {
            if when(now) {
                let cancel = cancel.clone();
                // A little later, so that the fetch is inside of a call to the system.
                std::thread::spawn(move || {
                    std::thread::sleep(Duration::from_millis(60));
                    cancel.cancel();
                });
            }
        };
        let _ = sender.send(library.fetch(NAME, &request, &context, &listener));
    });
    receiver.recv_timeout(Duration::from_secs(20)).expect("a cancelled fetch ends")
}

#[test]
fn cancelling_ends_every_kind_of_waiting() {
    let rows = [
        ("revision/main", Fault::Silence, Doing::Asking),
        ("storage/model-00001", Fault::Silence, Doing::Fetching),
        ("storage/model-00001", Fault::Stall, Doing::Fetching),
        ("storage/model-00001", Fault::Status(429, "Retry-After: 3600"), Doing::Waiting),
    ];
    for (part, fault, doing) in rows {
        let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(checkpoint::repository(1)));
        hub.misbehave(part, usize::MAX, fault.clone());
        let mut request = request(&hub.address);
        request.patience.longest_wait = Duration::from_secs(3_600);
        let end = cancelled_when(data.path(), request, move |now| {
            now.doing == doing && (now.file == FIRST || now.file.is_empty())
        });
        assert_eq!(end, Err(Error::Cancelled), "{part} {fault:?}");
        check_not_installed(&library(data.path()));
    }
}

/// A host whose connections never open: its queue is full, and nobody takes from it.
#[cfg(unix)]
#[test]
fn cancelling_ends_the_wait_for_a_connection() {
    use std::os::fd::AsRawFd;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    // SAFETY: the descriptor is open as long as the listener lives; listening again only changes the length of the queue.
    assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 0) }, 0);
    let address = listener.local_addr().unwrap();
    let waiting: Vec<_> =
        (0..8).map_while(|_| std::net::TcpStream::connect_timeout(&address, Duration::from_millis(100)).ok()).collect();
    assert!(waiting.len() < 8, "the queue must be full");
    let data = tempfile::tempdir().unwrap();
    let request = request(&format!("http://{address}"));
    let end = cancelled_when(data.path(), request, |now| now.doing == Doing::Asking);
    assert_eq!(end, Err(Error::Cancelled));
}

/// Fetches and stops in the middle of the first weights file, of which 200 kB are there then.
fn stop_in_the_middle(data: &Path, hub: &Hub, to: Option<&Path>) {
    hub.misbehave("storage/model-00001", 1, Fault::DropAfter(200_000));
    hub.misbehave("storage/model-00001", 1, Fault::Silence);
    let request = FetchRequest { to: to.map(Path::to_owned), ..request(&hub.address) };
    let end = cancelled_when(data, request, |now| now.doing == Doing::Waiting);
    assert_eq!(end, Err(Error::Cancelled));
    hub.behave();
}

#[test]
fn an_interrupted_fetch_is_gone_on_with_the_next_time() {
    let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(checkpoint::repository(1)));
    stop_in_the_middle(data.path(), &hub, None);
    let library = library(data.path());
    let status = library.find(NAME).unwrap();
    assert!(matches!(status.inspection.state, ModelState::Partial { interrupted: true, .. }), "{status:?}");
    assert!(status.inspection.bytes_on_disk >= 200_000);
    hub.log();
    let status = fetch(&library, &request(&hub.address)).unwrap();
    check_whole(&status.dir, &checkpoint::needed(1));
    let log = hub.log();
    let ranges: Vec<_> = asked_of_storage(&log, FIRST).into_iter().map(|asked| asked.range).collect();
    assert_eq!(ranges, [Some("bytes=200000-".to_owned())]);
    assert!(asked_of_storage(&log, "spiece.model").is_empty(), "it was there already");
}

#[test]
fn a_part_of_another_version_is_not_gone_on_with() {
    let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(checkpoint::repository(1)));
    stop_in_the_middle(data.path(), &hub, None);
    hub.publish(2, checkpoint::repository(2));
    hub.log();
    let status = fetch(&library(data.path()), &request(&hub.address)).unwrap();
    check_whole(&status.dir, &checkpoint::needed(2));
    assert_eq!(status.revision, Some(commit(2)));
    assert_eq!(asked_of_storage(&hub.log(), FIRST)[0].range, None);
}

#[test]
fn a_version_published_meanwhile_does_not_mix_in() {
    let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(checkpoint::repository(1)));
    let hub = &hub;
    let published = std::cell::Cell::new(false);
    let library = library(data.path());
    let listener = |now: &ModelProgress| {
        if now.file == FIRST && !published.replace(true) {
            hub.publish(2, checkpoint::repository(2));
        }
    };
    // The old commit is gone from this hub, so that its files are no longer found.
    let error = library.fetch(NAME, &request(&hub.address), &JobContext::detached(), &listener).unwrap_err();
    assert!(error.to_string().contains("404"), "{error}");
    check_not_installed(&library);
    let status = fetch(&library, &request(&hub.address)).unwrap();
    check_whole(&status.dir, &checkpoint::needed(2));
}

#[test]
fn space_is_looked_at_before_the_weights_come() {
    let bytes: usize = checkpoint::needed(1).values().map(Vec::len).sum();
    let enough = bytes as u64 + RESERVE_BYTES;
    for (free, fits) in [(0, false), (enough - 1, false), (enough, true)] {
        let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(checkpoint::repository(1)));
        let library = library(data.path());
        let request = FetchRequest { free_bytes: Some(free), ..request(&hub.address) };
        match fetch(&library, &request) {
            Ok(status) => assert!(fits && status.is_complete()),
            Err(error) => {
                assert!(!fits && matches!(error, Error::NoSpace { .. }), "{error:?}");
                assert!(error.to_string().contains("201 MB"), "{error}");
                assert!(!library.find(NAME).unwrap().dir.exists(), "nothing is left");
                assert!(!hub.log().iter().any(|asked| asked.at_storage));
            }
        }
    }
}

#[test]
fn nothing_is_asked_before_the_licence_is_accepted() {
    let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(checkpoint::repository(1)));
    let library = ModelLibrary::open(data.path()).unwrap();
    let error = fetch(&library, &request(&hub.address)).unwrap_err();
    assert!(matches!(error, Error::LicenceNotAccepted { .. }), "{error:?}");
    assert!(error.to_string().contains("NonCommercial"), "{error}");
    assert!(hub.log().is_empty() && !data.path().join("models").exists());
    library.accept_licence(&CC_BY_NC_4).unwrap();
    fetch(&library, &request(&hub.address)).unwrap();
}

#[test]
fn only_what_is_wrong_or_missing_is_fetched_again() {
    let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(checkpoint::repository(1)));
    let library = library(data.path());
    let dir = fetch(&library, &request(&hub.address)).unwrap().dir;
    let flip = |name: &str| {
        let mut bytes = std::fs::read(dir.join(name)).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(dir.join(name), bytes).unwrap();
    };
    let shorten = |name: &str| std::fs::write(dir.join(name), b"x").unwrap();
    let delete = |name: &str| std::fs::remove_file(dir.join(name)).unwrap();
    type Row<'a> = (&'a dyn Fn(&str), &'a str);
    let rows: [Row; 6] = [
        (&|_| (), ""),
        (&flip, SECOND),
        (&shorten, FIRST),
        (&delete, "tokenizer.json"),
        (&delete, "config.json"),
        (&flip, "spiece.model"),
    ];
    for (damage, name) in rows {
        damage(name);
        hub.log();
        assert!(fetch(&library, &request(&hub.address)).unwrap().is_complete());
        check_whole(&dir, &checkpoint::needed(1));
        let log = hub.log();
        let fetched = log.iter().filter(|asked| asked.path.contains("/resolve/") && !asked.path.contains(INDEX));
        assert!(fetched.clone().all(|asked| asked.path.ends_with(name)), "{name}: {log:?}");
        assert_eq!(fetched.count(), usize::from(!name.is_empty()), "{name}: {log:?}");
    }
}

#[test]
fn another_version_replaces_the_one_that_is_there() {
    let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(checkpoint::repository(1)));
    let library = library(data.path());
    fetch(&library, &request(&hub.address)).unwrap();
    hub.publish(2, checkpoint::repository(2));
    let exact = FetchRequest { revision: Some(commit(2)), ..request(&hub.address) };
    let status = fetch(&library, &exact).unwrap();
    check_whole(&status.dir, &checkpoint::needed(2));
    for (revision, word) in [("no-such", "404"), ("a b", "revision"), ("../..", "revision"), ("", "revision")] {
        let wrong = FetchRequest { revision: Some(revision.to_owned()), ..request(&hub.address) };
        let said = fetch(&library, &wrong).unwrap_err().to_string();
        assert!(said.contains(word), "{revision}: {said}");
        assert!(library.find(NAME).unwrap().is_complete(), "what is there stays");
    }
}

#[test]
fn two_do_not_fetch_into_one_folder() {
    let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(checkpoint::repository(1)));
    let library = library(data.path());
    let second: Mutex<Option<Error>> = Mutex::default();
    let removed: Mutex<Option<Error>> = Mutex::default();
    let listener = |now: &ModelProgress| {
        if now.file == SECOND && second.lock().unwrap().is_none() {
            *second.lock().unwrap() = fetch(&library, &request(&hub.address)).err();
            *removed.lock().unwrap() = library.remove(NAME).err();
        }
    };
    let status = library.fetch(NAME, &request(&hub.address), &JobContext::detached(), &listener).unwrap();
    check_whole(&status.dir, &checkpoint::needed(1));
    for refused in [second, removed] {
        let said = refused.into_inner().unwrap().unwrap().to_string();
        assert!(said.contains("right now"), "{said}");
    }
}

#[test]
fn a_folder_of_the_users_choice_is_listed_and_other_folders_are_left_alone() {
    let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(checkpoint::repository(1)));
    let elsewhere = tempfile::tempdir().unwrap();
    let library = library(data.path());
    let to = |dir: &Path| FetchRequest { to: Some(dir.to_owned()), ..request(&hub.address) };
    let chosen = elsewhere.path().join("big disk/musicgen");
    fetch(&library, &to(&chosen)).unwrap();
    check_whole(&chosen, &checkpoint::needed(1));
    let found = library.find(NAME).unwrap();
    assert_eq!((found.dir.as_path(), found.in_library), (chosen.as_path(), false));
    assert_eq!(library.list().unwrap().len(), 4, "it takes the catalogue's row");
    let songs = elsewhere.path().join("songs");
    std::fs::create_dir_all(&songs).unwrap();
    std::fs::write(songs.join("song.wav"), b"RIFF").unwrap();
    hub.log();
    let error = fetch(&library, &to(&songs)).unwrap_err();
    assert!(matches!(error, Error::ModelFolder { .. }) && error.to_string().contains("empty folder"), "{error}");
    assert!(hub.log().is_empty());
    let other = library.fetch("musicgen-melody-large", &to(&chosen), &JobContext::detached(), &|_| ()).unwrap_err();
    assert!(other.to_string().contains("MusicGen Melody already"), "{other}");
}

#[test]
fn an_interrupted_fetch_into_a_chosen_folder_is_found_again() {
    let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(checkpoint::repository(1)));
    let elsewhere = tempfile::tempdir().unwrap();
    let chosen = elsewhere.path().join("chosen");
    stop_in_the_middle(data.path(), &hub, Some(&chosen));
    let library = library(data.path());
    let status = library.find(NAME).unwrap();
    assert_eq!((&status.dir, library.list().unwrap().len()), (&chosen, 4));
    let to = FetchRequest { to: Some(chosen.clone()), ..request(&hub.address) };
    let other = library.fetch("musicgen-melody-large", &to, &JobContext::detached(), &|_| ()).unwrap_err();
    assert!(other.to_string().contains("a part of it"), "{other}");
    assert_eq!(fetch(&library, &request(&hub.address)).unwrap().dir, chosen);
    check_whole(&chosen, &checkpoint::needed(1));

    let never = elsewhere.path().join("never");
    library.remove(NAME).unwrap();
    let full = FetchRequest { to: Some(never.clone()), free_bytes: Some(0), ..request(&hub.address) };
    assert!(matches!(fetch(&library, &full), Err(Error::NoSpace { .. })));
    assert!(!never.exists() && library.find(NAME).unwrap().in_library, "a folder that was never filled is not listed");
}

#[test]
fn the_setting_says_where_to_fetch_from() {
    let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(checkpoint::repository(1)));
    let library = library(data.path());
    library.set_endpoint(Some(&format!("{}/", hub.address))).unwrap();
    let request = FetchRequest { endpoint: None, ..request("") };
    if std::env::var_os("HF_ENDPOINT").is_none() {
        assert!(fetch(&library, &request).unwrap().is_complete());
    }
    assert!(library.has_accepted(&CC_BY_NC_4).unwrap(), "the other settings stay");
}
