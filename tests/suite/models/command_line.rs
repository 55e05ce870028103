//! `cantus models`, run as a user would.

use super::checkpoint::{self, FIRST, SECOND};
use super::server::{Fault, Hub};
use crate::command_line::program;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};

struct Done {
    status: i32,
    out: String,
    err: String,
}

fn cantus(data: &Path, hub: &str, arguments: &[&str]) -> Done {
    let done = Command::new(program())
        .arg("models")
        .args(arguments)
        .env("CANTUS_DATA_DIR", data)
        .env("HF_ENDPOINT", hub)
        .env_remove("HF_TOKEN")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let done = Done { status: done.status.code().unwrap(), out: text(&done.stdout), err: text(&done.stderr) };
    assert!(!done.err.contains("panicked"), "{}", done.err);
    done
}

#[test]
fn a_models_whole_life() {
    let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(checkpoint::repository(1)));
    let cantus = |arguments: &[&str]| cantus(data.path(), &hub.address, arguments);
    let model = data.path().join("models/musicgen-melody");

    let refused = cantus(&["fetch", "musicgen-melody"]);
    assert_eq!(refused.status, 1);
    assert!(refused.out.contains("non-commercial") && refused.out.contains("--accept-licence"), "{}", refused.out);
    assert!(refused.err.contains("licence"), "{}", refused.err);
    assert!(hub.log().is_empty(), "nothing is asked before");

    let fetched = cantus(&["fetch", "facebook/musicgen-melody", "--accept-licence"]);
    assert_eq!(fetched.status, 0, "{}", fetched.err);
    assert!(fetched.out.contains(&format!("{FIRST}: done (9 of 10)")), "{}", fetched.out);
    assert!(fetched.out.contains("installed") && fetched.err.is_empty(), "{}{}", fetched.out, fetched.err);
    assert_eq!(checkpoint::read(&model), checkpoint::needed(1));

    let listed: Value = serde_json::from_str(&cantus(&["list", "--json"]).out).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 4);
    assert_eq!(listed[0]["state"], "complete");
    assert_eq!(listed[0]["dir"], model.to_str().unwrap());
    assert_eq!(listed[1]["state"], "absent");
    assert!(listed[0]["licence_accepted"].is_string());
    let plain = cantus(&["list"]).out;
    assert!(plain.contains("installed, 8") && plain.contains("6.33 GB to fetch"), "{plain}");
    assert!(plain.contains("(accepted 2") && plain.contains("model.safetensors.index.json"), "{plain}");

    assert_eq!(cantus(&["path", "musicgen-melody"]).out.trim(), model.to_str().unwrap());
    assert_eq!(cantus(&["path"]).out.trim(), data.path().join("models").to_str().unwrap());

    let verified = cantus(&["verify", "musicgen-melody"]);
    assert!(verified.status == 0 && verified.out.contains("complete"), "{}{}", verified.out, verified.err);
    std::fs::write(model.join(FIRST), b"broken").unwrap();
    let verified = cantus(&["verify", model.to_str().unwrap()]);
    assert!(verified.status == 1 && verified.out.contains("WRONG: it is cut off"), "{}{}", verified.out, verified.err);
    assert!(verified.err.contains("one file is wrong"), "{}", verified.err);
    assert_eq!(cantus(&["fetch", "musicgen-melody"]).status, 0, "repaired, and not asked again");

    let kept = cantus(&["remove", "musicgen-melody"]);
    assert!(kept.status == 1 && kept.err.contains("--yes") && model.exists(), "{}", kept.err);
    let removed = cantus(&["remove", "musicgen-melody", "--yes"]);
    assert!(removed.status == 0 && removed.out.contains("freed") && !model.exists(), "{}{}", removed.out, removed.err);
}

#[test]
fn a_killed_fetch_leaves_nothing_that_looks_installed_and_is_gone_on_with() {
    let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(checkpoint::repository(1)));
    hub.misbehave("storage/model-00002", 1, Fault::Stall);
    let fetch = ["models", "fetch", "musicgen-melody", "--accept-licence", "--endpoint", &hub.address];
    let mut begun = Command::new(program());
    begun.args(fetch).env("CANTUS_DATA_DIR", data.path()).env_remove("HF_TOKEN").stdout(Stdio::null());
    let mut child = begun.spawn().unwrap();
    let part = data.path().join("models/musicgen-melody/.fetching");
    let arrived = || {
        let names = std::fs::read_dir(&part).into_iter().flatten().flatten();
        names
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(SECOND))
            .any(|entry| entry.metadata().is_ok_and(|facts| facts.len() == 1_000))
    };
    while !arrived() {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let listed: Value = serde_json::from_str(&cantus(data.path(), &hub.address, &["list", "--json"]).out).unwrap();
    assert_eq!((&listed[0]["state"], &listed[0]["missing"][0]), (&"partial".into(), &"config.json".into()));
    hub.log();
    assert_eq!(cantus(data.path(), &hub.address, &fetch[1..]).status, 0);
    let ranges: Vec<_> = hub.log().into_iter().filter(|asked| asked.at_storage).map(|asked| asked.range).collect();
    assert_eq!(ranges, [Some("bytes=1000-".to_owned())], "only the rest is fetched");
}

#[test]
fn what_is_wrong_gets_a_sentence_and_a_status() {
    let (data, hub) = (tempfile::tempdir().unwrap(), Hub::start(checkpoint::repository(1)));
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("song.wav"), b"RIFF").unwrap();
    let other = other.path().to_str().unwrap();
    let rows: [(&[&str], i32, &str); 16] = [
        (&[], 2, "list, fetch, verify"),
        (&["dance"], 2, "list, fetch, verify"),
        (&["fetch"], 2, "which model"),
        (&["verify"], 2, "which model"),
        (&["add"], 2, "which folder"),
        (&["list", "--yes"], 2, "--yes"),
        (&["fetch", "a", "b"], 2, "\"b\""),
        (&["fetch", "musicgen-melody", "--endpoint"], 2, "--endpoint"),
        (&["fetch", "musicgen-huge", "--accept-licence"], 1, "musicgen-melody-large"),
        (&["fetch", "musicgen-melody", "--accept-licence", "--revision", "gone"], 1, "404"),
        (&["fetch", "musicgen-melody", "--accept-licence", "--endpoint", "nowhere"], 1, "web address"),
        (&["fetch", "musicgen-melody", "--accept-licence", "--to", other], 1, "empty folder"),
        (&["verify", "musicgen-melody"], 1, "no model here"),
        (&["verify", "/no/such/folder"], 1, "no folder"),
        (&["add", other], 1, "no MusicGen-melody checkpoint"),
        (&["remove", "musicgen-melody", "--yes"], 1, "nothing to remove"),
    ];
    for (arguments, status, word) in rows {
        let done = cantus(data.path(), &hub.address, arguments);
        assert_eq!(done.status, status, "{arguments:?}: {}", done.err);
        assert!(done.err.contains(word), "{arguments:?}: {}", done.err);
    }
    for help in [&["--help"][..], &["fetch", "--help"], &["help"]] {
        let done = cantus(data.path(), &hub.address, help);
        assert!(done.status == 0 && done.out.contains("cantus models fetch"), "{}", done.out);
    }
}
