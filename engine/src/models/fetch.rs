//! Thread: worker. Fetching a model from the Hugging Face hub or a mirror of it.
//!
//! hf-hub 0.5 gives the hub's addresses, headers and listing. Its own download is not used: it keeps a cache of its own, checks
//! no checksum, asks the server for nothing when a file is already complete in part, has no time limits and cannot be stopped.
//! (hf-hub 1.0 needs an asynchronous runtime and 280 crates.) The loop beside it runs on the same HTTP client, ureq, with rustls
//! for secure connections.
//!
//! Files grow in a folder inside the model's, and move to their places one by one, each when its checksum is right; the
//! configuration, without which nothing takes the folder for a model, moves last.

mod connection;
mod download;
mod http;
mod hub;
mod plan;

pub(super) use connection::Stragglers;

use self::http::{Http, Trouble};
use self::hub::Hub;
use self::plan::Wanted;
use super::catalog::{self, CONFIG, Model, is_weights_name};
use super::checksum::Adding;
use super::installed::{self, ModelState, inspect};
use super::meter::{Doing, Meter, ModelProgress};
use super::record::{Record, RecordedFile, UNFINISHED};
use super::space::{RESERVE_BYTES, free_bytes, size_words};
use super::weights;
use crate::error::{Error, Result};
use crate::job_context::{JobContext, Stage};
use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The hub's address when nobody names another.
pub const DEFAULT_ENDPOINT: &str = "https://huggingface.co";
/// The version that is fetched when nobody names another.
const DEFAULT_REVISION: &str = "main";
/// Held by whoever fetches into the folder; says from which repository.
const LOCK: &str = "lock";

/// How long to put up with a bad connection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Patience {
    /// Connections in a row that bring nothing before it is given up.
    pub attempts: u32,
    /// Wait before the second; doubled each time.
    pub first_wait: Duration,
    /// The longest wait, also when the server asks for a longer one.
    pub longest_wait: Duration,
    /// A server that is silent for this long is gone.
    pub stall: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 6,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(60),
            stall: Duration::from_secs(30),
        }
    }
}

impl Patience {
    /// How long to wait after so many failures in a row. `None` to give up.
    fn pause(&self, failures: u32, asked: Option<Duration>) -> Option<Duration> {
        let own = self.first_wait.saturating_mul(1 << (failures.saturating_sub(1)).min(16));
        (failures < self.attempts).then(|| asked.unwrap_or_default().max(own).min(self.longest_wait))
    }
}

/// What to fetch, and how. The default fetches the newest version into the library's own folder.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FetchRequest {
    /// Address of the hub or a mirror. Without it: the environment variable `HF_ENDPOINT`, the setting, [`DEFAULT_ENDPOINT`].
    pub endpoint: Option<String>,
    /// A branch, tag or commit.
    pub revision: Option<String>,
    /// The folder for the files, instead of the library's own.
    pub to: Option<PathBuf>,
    /// An access token, which only the hub itself gets to see. The known models need none.
    pub token: Option<String>,
    /// How long to put up with a bad connection.
    pub patience: Patience,
    /// Free space as measured by the caller, in bytes. Without it the system is asked.
    pub free_bytes: Option<u64>,
}

/// A fetch with everything decided.
pub(super) struct Fetch<'a> {
    pub model: &'static Model,
    pub dir: &'a Path,
    pub endpoint: String,
    pub request: &'a FetchRequest,
    pub context: &'a JobContext,
    pub stragglers: &'a Arc<Stragglers>,
}

impl Fetch<'_> {
    /// Fetches whatever of the model is not there or not right. `begun` is called once it is known that there is something to do.
    pub fn run(&self, listener: &dyn Fn(&ModelProgress), begun: impl FnOnce() -> Result<()>) -> Result<()> {
        self.refuse_other_content()?;
        let mut meter = Meter::new(self.context, Stage::Fetch, listener);
        meter.turn_to(Doing::Asking, "")?;
        let (hub, http, commit, plan) = self.ask(&mut meter)?;
        let bytes = plan.iter().fold(0_u64, |sum, wanted| sum.saturating_add(wanted.bytes));
        meter.expect(plan.len(), bytes);
        let claim = Claim::take(self.dir, self.model)?;
        let result = begun().and_then(|()| self.fill(&claim, &hub, &http, &commit, &plan, &mut meter));
        match result {
            Ok(()) => claim.finish()?,
            Err(error) => {
                claim.leave();
                return Err(error);
            }
        }
        let reason = match inspect(self.dir).state {
            ModelState::Complete => return Ok(()),
            ModelState::Damaged { faults } => {
                let faults: Vec<_> = faults.iter().map(|fault| format!("{} {}", fault.file, fault.reason)).collect();
                faults.join("; ")
            }
            ModelState::Partial { missing, .. } => format!("{} is missing", missing.join(", ")),
            ModelState::Foreign { reason } => reason,
            ModelState::Absent => "its files are gone again".to_owned(),
        };
        Err(self.fails(format!("what the hub has is not usable: {reason}")))
    }

    fn fails(&self, mut reason: String) -> Error {
        if !reason.ends_with('?') {
            reason.push('.');
        }
        Error::Fetch { model: self.model.name.to_owned(), reason }
    }

    fn word(&self, trouble: Trouble) -> Error {
        match trouble {
            Trouble::Ours(error) => error,
            Trouble::Passing { reason, .. } | Trouble::Lasting(reason) => self.fails(reason),
        }
    }

    /// A folder with something else in it is not filled up with a model.
    fn refuse_other_content(&self) -> Result<()> {
        let refuse = |reason: String| Err(Error::ModelFolder { path: self.dir.to_owned(), reason });
        let inspection = inspect(self.dir);
        if let ModelState::Foreign { reason } = inspection.state {
            return refuse(format!("{reason}. Choose an empty folder"));
        }
        let begun = || catalog::find(&repository_begun(self.dir)?);
        match inspection.model.or_else(begun).filter(|model| model.id != self.model.id) {
            Some(other) => refuse(format!("it holds {} already, or a part of it. Choose an empty folder", other.name)),
            None => Ok(()),
        }
    }

    /// What the hub has.
    fn ask(&self, meter: &mut Meter) -> Result<(Hub, Http, String, Vec<Wanted>)> {
        let revision = self.request.revision.as_deref().unwrap_or(DEFAULT_REVISION);
        if !hub::is_revision(revision) {
            let expected = "a branch, a tag or a commit".to_owned();
            return Err(Error::OutOfRange { what: "The revision", got: format!("\"{revision}\""), expected });
        }
        if !http::is_address(&self.endpoint) {
            return Err(self.fails(format!("\"{}\" is no web address; it must begin with https://", self.endpoint)));
        }
        let token = self.request.token.as_deref();
        let patience = &self.request.patience;
        let connected = Hub::new(&self.endpoint, token, self.model.repository, revision, &self.dir.join(UNFINISHED))
            .and_then(|hub| {
                let http = Http::new(&self.endpoint, hub.headers()?, patience, self.context, self.stragglers)?;
                Ok((hub, http))
            });
        let (hub, http) = connected.map_err(|trouble| self.word(trouble))?;
        // Somebody is waiting to hear whether there is a hub at all.
        let patience = Patience { attempts: patience.attempts.min(3), ..*patience };
        let mut failures = 0;
        loop {
            let asked = hub.listing(&http).and_then(|listing| {
                let plan = plan::plan(&hub, &http, &listing)?;
                Ok((listing.commit, plan))
            });
            match asked {
                Ok((commit, plan)) => return Ok((hub, http, commit, plan)),
                Err(Trouble::Passing { reason, wait }) => {
                    failures += 1;
                    let pause = patience.pause(failures, wait).ok_or_else(|| self.fails(reason))?;
                    meter.turn_to(Doing::Waiting, "")?;
                    meter.wait(pause)?;
                    meter.turn_to(Doing::Asking, "")?;
                }
                Err(trouble) => return Err(self.word(trouble)),
            }
        }
    }

    /// Brings every file of the plan to its place.
    fn fill(
        &self,
        claim: &Claim,
        hub: &Hub,
        http: &Http,
        commit: &str,
        plan: &[Wanted],
        meter: &mut Meter,
    ) -> Result<()> {
        let mut record = Record {
            repository: self.model.repository.to_owned(),
            revision: commit.to_owned(),
            files: BTreeMap::new(),
        };
        let mut note = |wanted: &Wanted, sha256: String| {
            let file = RecordedFile { bytes: wanted.bytes, sha256, confirmed: wanted.sum.is_some() };
            record.files.insert(wanted.name.clone(), file);
        };
        let mut lacking = Vec::new();
        for wanted in plan {
            match right_already(&self.dir.join(&wanted.name), wanted, meter)? {
                Some(sha256) => {
                    note(wanted, sha256);
                    meter.finish_file()?;
                }
                None => lacking.push(wanted),
            }
        }
        claim.drop_old_parts(&lacking);
        self.check_space(claim, &lacking)?;
        for wanted in lacking {
            let part = claim.part(wanted);
            let address = hub.file_address(commit, &wanted.name);
            let sha256 = download::download(wanted, &address, &part, http, &self.request.patience, meter)
                .map_err(|trouble| self.word(trouble))?;
            if let Some(reason) = content_fault(&part, &wanted.name) {
                // It is what the hub has, so that going on with it would end here again.
                let _ = fs::remove_file(&part);
                return Err(self.fails(format!("what the hub has is not usable: {reason}")));
            }
            let place = if wanted.name == CONFIG { claim.staged_config() } else { self.dir.join(&wanted.name) };
            move_file(&part, &place)?;
            note(wanted, sha256);
            meter.finish_file()?;
        }
        record.write(self.dir)?;
        if claim.staged_config().exists() {
            move_file(&claim.staged_config(), &self.dir.join(CONFIG))?;
        }
        Ok(())
    }

    fn check_space(&self, claim: &Claim, lacking: &[&Wanted]) -> Result<()> {
        let left = lacking.iter().fold(0_u64, |sum, wanted| {
            let there = fs::metadata(claim.part(wanted)).map_or(0, |facts| facts.len());
            sum.saturating_add(wanted.bytes.saturating_sub(there))
        });
        let needed = left.saturating_add(RESERVE_BYTES);
        let free = self.request.free_bytes.map_or_else(|| free_bytes(self.dir), Ok)?;
        if left > 0 && free < needed {
            let (needed, free) = (size_words(needed), size_words(free));
            return Err(Error::NoSpace { path: self.dir.to_owned(), needed, free });
        }
        Ok(())
    }
}

/// The SHA-256 of a file that is there and right, so that it need not be fetched.
fn right_already(path: &Path, wanted: &Wanted, meter: &mut Meter) -> Result<Option<String>> {
    if !fs::metadata(path).is_ok_and(|facts| facts.is_file() && facts.len() == wanted.bytes) {
        return Ok(None);
    }
    meter.turn_to(Doing::Checking, &wanted.name)?;
    let mut adding = Adding::new(wanted.bytes, wanted.sum.as_ref());
    let mut counted = 0;
    let read = adding.add_file(path, |bytes| {
        counted += bytes;
        meter.add(bytes)
    });
    match read {
        Err(Error::Cancelled) => return Err(Error::Cancelled),
        // A file that cannot be read is fetched again.
        Err(_) => {
            meter.take_back(counted);
            return Ok(None);
        }
        Ok(()) => {}
    }
    let added = adding.finish();
    let right = match &wanted.sum {
        Some(sum) => added.is(sum),
        None => content_fault(path, &wanted.name).is_none(),
    };
    if !right {
        meter.take_back(counted);
    }
    Ok(right.then_some(added.sha256))
}

/// What is wrong with a file's content by its kind, whatever its checksum.
fn content_fault(path: &Path, name: &str) -> Option<String> {
    if is_weights_name(name) {
        return weights::tensor_names(path).err().map(|reason| format!("{name} {reason}"));
    }
    if !name.ends_with(".json") {
        return None;
    }
    let value = fs::read(path).ok().and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
    match value {
        Some(config) if name == CONFIG => installed::other_kind(&config),
        Some(_) => None,
        None => Some(format!("{name} is no JSON")),
    }
}

fn move_file(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|error| Error::file("write", to, &error))
}

/// The right to fetch into a folder, and the folder inside it for what is not finished.
struct Claim<'a> {
    dir: &'a Path,
    unfinished: PathBuf,
    lock: File,
    dir_is_ours: bool,
}

impl<'a> Claim<'a> {
    fn take(dir: &'a Path, model: &Model) -> Result<Self> {
        let unfinished = dir.join(UNFINISHED);
        let dir_is_ours = !dir.exists();
        let fail = |error: std::io::Error| Error::file("write", &unfinished, &error);
        fs::create_dir_all(&unfinished).map_err(fail)?;
        let mut lock =
            File::options().write(true).create(true).truncate(false).open(unfinished.join(LOCK)).map_err(fail)?;
        let locked = lock.try_lock();
        if !matches!(locked, Err(TryLockError::WouldBlock)) {
            lock.set_len(0).and_then(|()| lock.write_all(model.repository.as_bytes())).map_err(fail)?;
        }
        match locked {
            Err(TryLockError::WouldBlock) => Err(Error::Fetch {
                model: model.name.to_owned(),
                reason: "another Cantus is fetching it right now.".to_owned(),
            }),
            // Some network drives know no locks.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Self { dir, unfinished, lock, dir_is_ours }),
        }
    }

    /// Where a file grows. Its name holds the checksum, so that another version never goes on with it.
    fn part(&self, wanted: &Wanted) -> PathBuf {
        let tag = wanted.sum.as_ref().map_or("unchecked", |sum| &sum.digits()[..16]);
        self.unfinished.join(format!("{}.{tag}.part", wanted.name))
    }

    fn staged_config(&self) -> PathBuf {
        self.unfinished.join(CONFIG)
    }

    /// Deletes what no file of the plan goes on with.
    fn drop_old_parts(&self, lacking: &[&Wanted]) {
        let keep: Vec<PathBuf> = lacking.iter().map(|wanted| self.part(wanted)).collect();
        for name in installed::names(&self.unfinished).unwrap_or_default() {
            let path = self.unfinished.join(&name);
            if name != LOCK && !keep.contains(&path) {
                // It costs room on the disk, no more.
                let _ = fs::remove_file(path);
            }
        }
    }

    /// Everything is in its place.
    fn finish(self) -> Result<()> {
        let Self { unfinished, lock, .. } = self;
        // Some systems do not delete open files.
        drop(lock);
        fs::remove_dir_all(&unfinished).map_err(|error| Error::file("delete", &unfinished, &error))
    }

    /// It was not finished. What was fetched stays for the next time; where nothing was, no trace is left.
    fn leave(self) {
        let Self { dir, unfinished, lock, dir_is_ours } = self;
        drop(lock);
        let names = installed::names(&unfinished).unwrap_or_default();
        let is_empty = |name: &String| fs::metadata(unfinished.join(name)).is_ok_and(|facts| facts.len() == 0);
        if names.iter().all(|name| name == LOCK || is_empty(name)) {
            for name in names {
                // What cannot be deleted holds nothing.
                let _ = fs::remove_file(unfinished.join(name));
            }
        }
        // Folders that hold something stay: they cannot be removed this way.
        if fs::remove_dir(&unfinished).is_ok() && dir_is_ours {
            let _ = fs::remove_dir(dir);
        }
    }
}

/// The repository that a fetch into a folder was begun from, when it was not finished.
pub(super) fn repository_begun(dir: &Path) -> Option<String> {
    fs::read_to_string(dir.join(UNFINISHED).join(LOCK)).ok()
}

/// Whether somebody fetches into a folder at this moment.
pub(super) fn is_under_way(dir: &Path) -> bool {
    let lock = File::options().write(true).open(dir.join(UNFINISHED).join(LOCK));
    lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}
