//! Thread: worker. The thorough check: every byte of a model is read and compared with what is known of it.

use super::catalog::{self, TEXT_ENCODER, TEXT_ENCODER_FILES};
use super::checksum::{Adding, Sum};
use super::installed::{self, ModelState, inspect};
use super::meter::{Doing, Meter, ModelProgress};
use super::record::Record;
use crate::error::{Error, Result};
use crate::job_context::{JobContext, Stage};
use std::path::{Path, PathBuf};

/// What the check found of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The checksum is the one the hub states for it.
    Confirmed,
    /// The content is what was fetched, but the hub stated no checksum for it.
    Unchanged,
    /// It can be read and looks right; there is no checksum to compare with.
    LooksRight,
    /// It is wrong: the rest of a sentence that begins with its name.
    Wrong(String),
}

/// One file of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReport {
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of what was read, in hexadecimal, to compare by hand with the one on the hub's page. Empty when it is missing.
    pub sha256: String,
    /// The verdict.
    pub finding: Finding,
}

/// What the check found of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// The folder.
    pub dir: PathBuf,
    /// Its files, in order, the missing ones at the end.
    pub files: Vec<FileReport>,
    /// What the look at names and heads says.
    pub state: ModelState,
}

impl VerifyReport {
    /// Whether the model is complete and nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.state == ModelState::Complete && !self.files.iter().any(|file| matches!(file.finding, Finding::Wrong(_)))
    }
}

/// Reads every file of a model.
///
/// # Errors
/// [`Error::ModelFolder`] when there is no model in the folder, [`Error::Cancelled`].
pub fn verify(dir: &Path, context: &JobContext, listener: &dyn Fn(&ModelProgress)) -> Result<VerifyReport> {
    let state = inspect(dir).state;
    let refuse = |reason: &str| Error::ModelFolder { path: dir.to_owned(), reason: reason.to_owned() };
    match &state {
        ModelState::Absent => return Err(refuse("there is no model here; `cantus models fetch` fetches one")),
        ModelState::Foreign { reason } => return Err(refuse(reason)),
        _ => {}
    }
    let record = Record::read(dir);
    let names = installed::names(dir).map_err(|error| Error::file("read", dir, &error))?;
    let text_encoder = TEXT_ENCODER_FILES.map(|name| format!("{TEXT_ENCODER}/{name}"));
    let files: Vec<(String, u64)> = names
        .into_iter()
        .filter(|name| catalog::is_model_file(name))
        .chain(text_encoder)
        .filter_map(|name| {
            let bytes = std::fs::metadata(dir.join(&name)).ok().filter(std::fs::Metadata::is_file)?.len();
            Some((name, bytes))
        })
        .collect();
    let mut meter = Meter::new(context, Stage::Verify, listener);
    meter.expect(files.len(), files.iter().map(|(_, bytes)| bytes).sum());
    let mut reports = Vec::new();
    for (name, bytes) in files {
        meter.turn_to(Doing::Checking, &name)?;
        let path = dir.join(&name);
        let cached = cache_sum(&path);
        let mut adding = Adding::new(bytes, cached.as_ref());
        let read = adding.add_file(&path, |bytes| meter.add(bytes));
        let mut wrong = match read {
            Ok(()) => None,
            Err(Error::Cancelled) => return Err(Error::Cancelled),
            Err(Error::File { reason, .. }) => Some(format!("cannot be read ({reason})")),
            Err(other) => return Err(other),
        };
        let added = adding.finish();
        let recorded = record.as_ref().and_then(|record| record.files.get(&name));
        let mut known = Finding::LooksRight;
        if let Some(recorded) = recorded {
            known = if recorded.confirmed { Finding::Confirmed } else { Finding::Unchanged };
            if recorded.sha256 != added.sha256 {
                wrong = wrong.or_else(|| Some("is damaged: it is no longer what was fetched".to_owned()));
            }
        } else if let Some(sum) = cached {
            known = Finding::Confirmed;
            if !added.is(&sum) {
                wrong = wrong.or_else(|| Some("is damaged: its checksum is not the one in its name".to_owned()));
            }
        }
        let finding = wrong.map_or(known, Finding::Wrong);
        reports.push(FileReport { name, bytes, sha256: added.sha256, finding });
        meter.finish_file()?;
    }
    add_cheap_findings(&mut reports, &state, record.as_ref());
    Ok(VerifyReport { dir: dir.to_owned(), files: reports, state })
}

/// What names and heads tell is told of the files, too; it says better what is wrong than a checksum can.
fn add_cheap_findings(reports: &mut Vec<FileReport>, state: &ModelState, record: Option<&Record>) {
    let mut lost: Vec<(String, String)> = match state {
        ModelState::Damaged { faults } => {
            faults.iter().map(|fault| (fault.file.clone(), fault.reason.clone())).collect()
        }
        ModelState::Partial { missing, .. } => {
            missing.iter().map(|file| (file.clone(), "is missing".to_owned())).collect()
        }
        _ => Vec::new(),
    };
    let gone = record.iter().flat_map(|record| record.files.keys());
    lost.extend(gone.map(|name| (name.clone(), "is missing".to_owned())));
    for (name, reason) in lost {
        match reports.iter_mut().find(|report| report.name == name) {
            Some(report) if reason != "is missing" => report.finding = Finding::Wrong(reason),
            Some(_) => {}
            None => reports.push(FileReport { name, bytes: 0, sha256: String::new(), finding: Finding::Wrong(reason) }),
        }
    }
}

/// In the hub's own cache a file is a link to one whose name is its checksum.
fn cache_sum(path: &Path) -> Option<Sum> {
    if !path.is_symlink() {
        return None;
    }
    let real = std::fs::canonicalize(path).ok()?;
    Sum::parse(real.file_name()?.to_str()?)
}
