//! What lies in a folder, judged by a look and by reading it all; adding and removing.

use super::checkpoint::{self, FIRST, Files, INDEX, SECOND};
use super::server::{Hub, sha256};
use super::{NAME, library, request};
use cantus_engine::Error;
use cantus_engine::job_context::JobContext;
use cantus_engine::models::{
    CC_BY_NC_4, FetchRequest, Finding, Form, MODELS, ModelLibrary, ModelState, Removal, VerifyReport, catalog, inspect,
    space,
};
use std::path::Path;

type Change = fn(&mut Files);

fn set(files: &mut Files, name: &str, bytes: &[u8]) {
    files.insert(name.to_owned(), bytes.to_vec());
}

fn cut(files: &mut Files, name: &str, length: usize) {
    files.get_mut(name).unwrap().truncate(length);
}

/// The state in a word, with what is wrong.
fn described(state: &ModelState) -> String {
    match state {
        ModelState::Absent => "absent".to_owned(),
        ModelState::Partial { missing, interrupted } => {
            format!("partial: {}{}", missing.join(", "), if *interrupted { " interrupted" } else { "" })
        }
        ModelState::Damaged { faults } => {
            let faults: Vec<_> = faults.iter().map(|fault| format!("{} {}", fault.file, fault.reason)).collect();
            format!("damaged: {}", faults.join("; "))
        }
        ModelState::Foreign { reason } => format!("foreign: {reason}"),
        ModelState::Complete => "complete".to_owned(),
    }
}

#[test]
fn a_look_tells_what_a_folder_holds() {
    let rows: [(&str, Change, &str); 28] = [
        ("as published", |_| (), "complete"),
        ("nothing", Files::clear, "absent"),
        (
            "only needed",
            |files| {
                files.retain(|name, _| name == "config.json" || name == "tokenizer.json" || name.starts_with("model"))
            },
            "complete",
        ),
        (
            "one weights file",
            |files| {
                files.remove(INDEX);
                files.remove(SECOND);
                let first = files.remove(FIRST).unwrap();
                set(files, "model.safetensors", &first);
            },
            "complete",
        ),
        (
            "a stale index",
            |files| {
                let first = files.remove(FIRST).unwrap();
                set(files, "model.safetensors", &first);
            },
            "complete",
        ),
        ("pieces without index", |files| drop(files.remove(INDEX)), "complete"),
        (
            "a piece without index",
            |files| {
                files.remove(INDEX);
                files.remove(SECOND);
            },
            "partial: model-00002-of-00002.safetensors",
        ),
        ("no second", |files| drop(files.remove(SECOND)), "partial: model-00002-of-00002.safetensors"),
        ("no config", |files| drop(files.remove("config.json")), "partial: config.json"),
        ("no tokenizer", |files| drop(files.remove("tokenizer.json")), "partial: tokenizer.json"),
        ("no weights", |files| files.retain(|name, _| !name.starts_with("model")), "partial: model.safetensors"),
        (
            "only config",
            |files| files.retain(|name, _| name == "config.json"),
            "partial: tokenizer.json, model.safetensors",
        ),
        (
            "other kind",
            |files| set(files, "config.json", b"{\"model_type\": \"musicgen\"}"),
            "foreign: config.json describes a model of the kind \"musicgen\"",
        ),
        ("no kind", |files| set(files, "config.json", b"{}"), "foreign: config.json does not say"),
        (
            "songs",
            |files| {
                files.clear();
                set(files, "song.wav", b"RIFF");
            },
            "foreign: it holds no MusicGen-melody",
        ),
        ("half config", |files| cut(files, "config.json", 40), "damaged: config.json is damaged"),
        ("list config", |files| set(files, "config.json", b"[]"), "damaged: config.json is damaged"),
        ("empty tokenizer", |files| set(files, "tokenizer.json", b""), "damaged: tokenizer.json is damaged"),
        (
            "hollow tokenizer",
            |files| set(files, "tokenizer.json", b"{}"),
            "damaged: tokenizer.json is damaged: it holds no tokeniser",
        ),
        ("half index", |files| cut(files, INDEX, 40), "damaged: model.safetensors.index.json is damaged"),
        (
            "index leads out",
            |files| set(files, INDEX, b"{\"weight_map\":{\"a\":\"/etc/passwd\"}}"),
            "damaged: model.safetensors.index.json",
        ),
        (
            "half weights",
            |files| cut(files, FIRST, 100_000),
            "damaged: model-00001-of-00002.safetensors is cut off: 100000 bytes of",
        ),
        (
            "hardly weights",
            |files| cut(files, FIRST, 5),
            "damaged: model-00001-of-00002.safetensors is cut off after 5 bytes",
        ),
        (
            "empty weights",
            |files| cut(files, SECOND, 0),
            "damaged: model-00002-of-00002.safetensors is cut off after 0 bytes",
        ),
        (
            "long weights",
            |files| files.get_mut(FIRST).unwrap().push(0),
            "damaged: model-00001-of-00002.safetensors is 1 bytes longer",
        ),
        (
            "no head",
            |files| set(files, FIRST, &[255; 4_000]),
            "damaged: model-00001-of-00002.safetensors is no safetensors file",
        ),
        (
            "other version",
            |files| {
                let weights = checkpoint::weights(&[("decoder.a", 400)], 1);
                set(files, FIRST, &weights);
            },
            "damaged: model-00001-of-00002.safetensors belongs to another version: it lacks tensor decoder.b",
        ),
        (
            "pointer",
            |files| set(files, FIRST, b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4970000000\n"),
            "damaged: model-00001-of-00002.safetensors is only git's pointer",
        ),
    ];
    for (what, change, expected) in rows {
        let dir = tempfile::tempdir().unwrap();
        let mut files = checkpoint::needed(1);
        change(&mut files);
        checkpoint::write(&files, dir.path());
        let inspection = inspect(dir.path());
        let said = described(&inspection.state);
        assert!(said.starts_with(expected), "{what}: {said}");
        assert_eq!(inspection.bytes_on_disk, files.values().map(|bytes| bytes.len() as u64).sum::<u64>(), "{what}");
        if said == "complete" {
            assert_eq!(
                (inspection.form, inspection.model.map(|model| model.id)),
                (Some(Form::Transformers), Some(NAME))
            );
        }
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    assert!(described(&inspect(file.path()).state).starts_with("foreign: it is a file"));
    assert_eq!(inspect(Path::new("no/such/folder")).state, ModelState::Absent);
}

#[test]
fn heads_that_lie_about_their_tensors_are_found() {
    let bad = |head: &str| {
        let mut file = (head.len() as u64).to_le_bytes().to_vec();
        file.extend(head.bytes());
        file.extend([0; 8]);
        file
    };
    let rows = [
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", true),
        ("{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[3],\"data_offsets\":[0,8]}}", true),
        (
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[4,8]}}",
            true,
        ),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", false),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", false),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", false),
        (
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
            false,
        ),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}", false),
        ("{\"a\":7}", false),
        ("[1, 2]", false),
    ];
    for (head, good) in rows {
        let dir = tempfile::tempdir().unwrap();
        let mut files = checkpoint::needed(1);
        files.remove(INDEX);
        files.retain(|name, _| !name.starts_with("model-"));
        set(&mut files, "model.safetensors", &bad(head));
        checkpoint::write(&files, dir.path());
        assert_eq!(inspect(dir.path()).state == ModelState::Complete, good, "{head}");
    }
}

#[test]
fn audiocrafts_own_form_is_known() {
    let archive = |bytes: usize| [b"PK\x03\x04".as_slice(), &vec![1; bytes], b"PK\x05\x06", &[0; 18]].concat();
    let whole = || {
        let mut files = Files::new();
        set(&mut files, "state_dict.bin", &archive(90_000));
        set(&mut files, "compression_state_dict.bin", &archive(20_000));
        set(&mut files, "t5-base/config.json", b"{}");
        set(&mut files, "t5-base/tokenizer.json", b"{}");
        set(&mut files, "t5-base/model.safetensors", &checkpoint::weights(&[("shared.weight", 400)], 1));
        files
    };
    let rows: [(Change, &str); 7] = [
        (|_| (), "complete"),
        (|files| drop(files.remove("compression_state_dict.bin")), "partial: compression_state_dict.bin"),
        (
            |files| files.retain(|name, _| !name.starts_with("t5")),
            "partial: t5-base/config.json, t5-base/tokenizer.json",
        ),
        (|files| cut(files, "state_dict.bin", 60_000), "damaged: state_dict.bin is cut off"),
        (|files| set(files, "state_dict.bin", b"weights"), "damaged: state_dict.bin is no PyTorch"),
        (
            |files| drop(files.get_mut("compression_state_dict.bin").unwrap().drain(10..20_000)),
            "damaged: compression_state_dict.bin only names",
        ),
        (|files| cut(files, "t5-base/model.safetensors", 100), "damaged: t5-base/model.safetensors is cut off"),
    ];
    for (change, expected) in rows {
        let dir = tempfile::tempdir().unwrap();
        let mut files = whole();
        change(&mut files);
        std::fs::create_dir_all(dir.path().join("t5-base")).unwrap();
        checkpoint::write(&files, dir.path());
        let inspection = inspect(dir.path());
        assert_eq!(inspection.form, Some(Form::Audiocraft));
        assert!(described(&inspection.state).starts_with(expected), "{expected}: {:?}", inspection.state);
        let data = tempfile::tempdir().unwrap();
        let report = verify(&library(data.path()), dir.path().to_str().unwrap());
        assert_eq!(report.is_good(), expected == "complete", "{report:?}");
    }
}

fn verify(library: &ModelLibrary, name: &str) -> VerifyReport {
    library.verify(name, &JobContext::detached(), &|_| ()).unwrap()
}

fn flip_last(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn reading_it_all_finds_a_single_wrong_bit_in_what_was_fetched() {
    let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(checkpoint::repository(1)));
    let library = library(data.path());
    let dir = library.fetch(NAME, &request(&hub.address), &JobContext::detached(), &|_| ()).unwrap().dir;
    let report = verify(&library, NAME);
    assert!(report.is_good() && report.files.len() == 10, "{report:?}");
    assert!(report.files.iter().all(|file| file.finding == Finding::Confirmed), "{report:?}");
    let first = report.files.iter().find(|file| file.name == FIRST).unwrap();
    assert_eq!(first.sha256, sha256(&checkpoint::needed(1)[FIRST]));
    flip_last(&dir.join(SECOND));
    std::fs::remove_file(dir.join("spiece.model")).unwrap();
    assert!(library.find(NAME).unwrap().is_complete(), "a look cannot find this");
    let report = verify(&library, "facebook/MusicGen-Melody");
    assert!(!report.is_good());
    let wrong: Vec<_> = report
        .files
        .iter()
        .filter(|file| matches!(file.finding, Finding::Wrong(_)))
        .map(|file| &file.name[..])
        .collect();
    assert_eq!(wrong, [SECOND, "spiece.model"]);
}

#[test]
fn files_put_there_by_hand_are_checked_as_far_as_it_goes() {
    let data = tempfile::tempdir().unwrap();
    let library = library(data.path());
    let dir = library.folder().join(NAME);
    checkpoint::write(&checkpoint::needed(1), &dir);
    let status = library.find(NAME).unwrap();
    assert!(status.is_complete() && status.revision.is_none());
    let report = verify(&library, NAME);
    assert!(report.is_good() && report.files.iter().all(|file| file.finding == Finding::LooksRight), "{report:?}");
    std::fs::write(dir.join(FIRST), &checkpoint::needed(1)[FIRST][..300_000]).unwrap();
    let report = verify(&library, dir.to_str().unwrap());
    let first = report.files.iter().find(|file| file.name == FIRST).unwrap();
    assert!(matches!(&first.finding, Finding::Wrong(reason) if reason.contains("cut off")), "{first:?}");
    for (name, word) in [("musicgen-melody-large", "no model here"), ("nonsense", "no folder")] {
        let said = library.verify(name, &JobContext::detached(), &|_| ()).unwrap_err().to_string();
        assert!(said.contains(word), "{said}");
    }
}

/// In the hub's own cache the files are links to blobs named by their checksums.
#[cfg(unix)]
#[test]
fn the_hubs_own_cache_can_be_added_and_is_checked_by_its_names() {
    let (data, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (blobs, snapshot) = (cache.path().join("blobs"), cache.path().join("snapshots/0123abcd"));
    std::fs::create_dir_all(&blobs).unwrap();
    std::fs::create_dir_all(&snapshot).unwrap();
    for (name, bytes) in checkpoint::needed(1) {
        let blob = blobs.join(sha256(&bytes));
        std::fs::write(&blob, &bytes).unwrap();
        std::os::unix::fs::symlink(Path::new("../../blobs").join(blob.file_name().unwrap()), snapshot.join(name))
            .unwrap();
    }
    let library = library(data.path());
    assert!(library.add_folder(&snapshot).unwrap().is_complete());
    let status = library.find(NAME).unwrap();
    assert_eq!((status.dir.as_path(), status.in_library), (snapshot.as_path(), false));
    let report = verify(&library, NAME);
    assert!(report.is_good() && report.files.iter().all(|file| file.finding == Finding::Confirmed), "{report:?}");
    flip_last(&std::fs::canonicalize(snapshot.join(FIRST)).unwrap());
    assert!(!verify(&library, NAME).is_good());
    assert_eq!(library.remove(NAME).unwrap(), Removal::Forgotten { dir: snapshot.clone() });
    assert_eq!(checkpoint::read(&snapshot).len(), 10, "the files are the user's");
    assert_eq!(library.find(NAME).unwrap().inspection.state, ModelState::Absent);
}

#[test]
fn removing_deletes_what_cantus_fetched_and_nothing_else() {
    let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(checkpoint::repository(1)));
    let library = library(data.path());
    let fetch = |request: &FetchRequest| library.fetch(NAME, request, &JobContext::detached(), &|_| ()).unwrap().dir;
    let own = fetch(&request(&hub.address));
    assert!(matches!(library.remove(NAME).unwrap(), Removal::Deleted { bytes, .. } if bytes > 800_000));
    assert!(!own.exists());
    let left: Vec<_> = std::fs::read_dir(library.folder()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["settings.json"]);
    let said = library.remove(NAME).unwrap_err().to_string();
    assert!(said.contains("nothing to remove"), "{said}");

    fetch(&request(&hub.address));
    std::fs::write(own.join("notes.txt"), b"mine").unwrap();
    assert!(matches!(library.remove(NAME).unwrap(), Removal::Deleted { bytes, .. } if bytes > 800_000));
    let left: Vec<_> = std::fs::read_dir(&own).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["notes.txt"], "what is the user's stays");
    std::fs::remove_dir_all(&own).unwrap();

    let elsewhere = tempfile::tempdir().unwrap();
    let chosen = elsewhere.path().join("chosen");
    fetch(&FetchRequest { to: Some(chosen.clone()), ..request(&hub.address) });
    std::fs::write(chosen.join("notes.txt"), b"mine").unwrap();
    assert!(matches!(library.remove(NAME).unwrap(), Removal::Deleted { .. }));
    let left: Vec<_> = std::fs::read_dir(&chosen).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["notes.txt"], "what is the user's stays");

    let by_hand = elsewhere.path().join("by hand");
    checkpoint::write(&checkpoint::needed(1), &by_hand);
    let said = library.remove(by_hand.to_str().unwrap()).unwrap_err().to_string();
    assert!(said.contains("delete it yourself"), "{said}");
    library.add_folder(&by_hand).unwrap();
    assert_eq!(library.remove(NAME).unwrap(), Removal::Forgotten { dir: by_hand.clone() });
    assert_eq!(checkpoint::read(&by_hand), checkpoint::needed(1));

    let songs = library.folder().join(NAME);
    std::fs::create_dir_all(&songs).unwrap();
    std::fs::write(songs.join("song.wav"), b"RIFF").unwrap();
    let said = library.remove(NAME).unwrap_err().to_string();
    assert!(said.contains("no model") && songs.join("song.wav").exists(), "{said}");
}

#[test]
fn folders_are_added_only_with_a_model_and_listed_after_the_known_ones() {
    let (data, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let library = library(data.path());
    for (name, change) in [("empty", Files::clear as Change), ("other", |files| set(files, "config.json", b"{}"))] {
        let mut files = checkpoint::needed(1);
        change(&mut files);
        checkpoint::write(&files, &elsewhere.path().join(name));
        assert!(matches!(library.add_folder(&elsewhere.path().join(name)), Err(Error::ModelFolder { .. })), "{name}");
    }
    let own = elsewhere.path().join("my-finetune");
    let mut files = checkpoint::needed(1);
    set(&mut files, "config.json", b"{\"model_type\": \"musicgen_melody\", \"decoder\": {\"hidden_size\": 64}}");
    checkpoint::write(&files, &own);
    library.add_folder(&own).unwrap();
    library.add_folder(&own).unwrap();
    let rows = library.list().unwrap();
    let ids: Vec<_> = rows.iter().map(|status| status.id.as_str()).collect();
    let known: Vec<_> = MODELS.iter().map(|model| model.id).collect();
    assert_eq!(ids, [&known[..], &["my-finetune"]].concat());
    assert!(library.find("my-finetune").unwrap().is_complete());
    std::fs::remove_dir_all(&own).unwrap();
    assert_eq!(
        library.list().unwrap()[4].inspection.state,
        ModelState::Absent,
        "a folder that is gone is still listed"
    );
    assert!(matches!(library.remove("my-finetune").unwrap(), Removal::Forgotten { .. }));
    assert_eq!(library.list().unwrap().len(), 4);
}

#[test]
fn names_shapes_and_sizes_of_the_catalogue() {
    for model in &MODELS {
        for name in [model.id, model.repository, &model.id.to_uppercase(), &format!(" {} ", model.id)] {
            assert_eq!(catalog::find(name), Some(model), "{name}");
        }
        assert!(model.page.ends_with(model.repository) && model.bytes > 6_000_000_000);
        assert!(model.licence.meaning.contains("non-commercial") && model.licence.id == "CC-BY-NC-4.0");
    }
    assert_eq!(catalog::find("melody"), None);
    let rows = [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_000, "1.00 kB"),
        (68_500, "68.5 kB"),
        (999_999, "1000 kB"),
        (6_230_000_000, "6.23 GB"),
        (10_640_000_000, "10.6 GB"),
        (u64::MAX, "18446744074 GB"),
    ];
    for (bytes, words) in rows {
        assert_eq!(space::size_words(bytes), words);
    }
    let here = space::free_bytes(&std::env::temp_dir().join("not/there/yet")).unwrap();
    assert!(here > 0 && space::free_bytes(Path::new("not-there")).unwrap() > 0);
}

#[test]
fn acceptance_is_remembered_with_its_day_and_damaged_settings_are_kept() {
    let data = tempfile::tempdir().unwrap();
    let library = ModelLibrary::open(data.path()).unwrap();
    assert!(!library.has_accepted(&CC_BY_NC_4).unwrap());
    let day = || {
        let days = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() / 86_400;
        // Counted year by year and month by month, as a calendar does.
        let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let (mut left, mut year, mut month) = (days, 1970, 0);
        while left >= 365 + u64::from(leap(year)) {
            left -= 365 + u64::from(leap(year));
            year += 1;
        }
        let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        while left >= lengths[month] {
            left -= lengths[month];
            month += 1;
        }
        format!("{year:04}-{:02}-{:02}", month + 1, left + 1)
    };
    let before = day();
    library.accept_licence(&CC_BY_NC_4).unwrap();
    library.accept_licence(&CC_BY_NC_4).unwrap();
    let accepted = ModelLibrary::open(data.path()).unwrap().acceptances().unwrap();
    assert_eq!(accepted.len(), 1);
    assert_eq!(accepted[0].licence, "CC-BY-NC-4.0");
    assert!([before, day()].contains(&accepted[0].date), "{}", accepted[0].date);
    let file = library.folder().join("settings.json");
    std::fs::write(&file, b"{ half").unwrap();
    for failed in
        [ModelLibrary::open(data.path()).map(|_| ()), library.accept_licence(&CC_BY_NC_4), library.list().map(|_| ())]
    {
        let said = failed.unwrap_err().to_string();
        assert!(said.contains("settings.json") && said.contains("Delete it"), "{said}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"{ half");
}
