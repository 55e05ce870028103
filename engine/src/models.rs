//! Thread: gui asks what is there, worker fetches and checks. The models of neural engines that a user has: what they are, where
//! they lie, under which terms, whether they are whole.
//!
//! Nothing is ever fetched that was not asked for, and nothing of a model is part of Cantus.

pub mod catalog;
mod checksum;
mod fetch;
mod installed;
mod licence;
mod meter;
mod record;
mod settings;
pub mod space;
mod verify;
mod weights;

pub use catalog::{MODELS, Model};
pub use fetch::{DEFAULT_ENDPOINT, FetchRequest, Patience};
pub use installed::{FileFault, Form, Inspection, ModelState, inspect};
pub use licence::{Acceptance, CC_BY_NC_4, Licence};
pub use meter::{Doing, ModelProgress};
pub use verify::{FileReport, Finding, VerifyReport};

use crate::error::{Error, Result};
use crate::job_context::JobContext;
use fetch::{Fetch, Stragglers};
use record::{Record, UNFINISHED};
use settings::Settings;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a folder is called while it is being deleted, so that nothing takes the rest for a model.
const REMOVING: &str = ".removing-";

/// What there is of one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelStatus {
    /// The name to call it by: the catalogue's, or the folder's.
    pub id: String,
    /// The catalogue's row. `None` for a checkpoint of somebody's own.
    pub model: Option<&'static Model>,
    /// Where it lies, or would lie. Files that are put there by hand are found.
    pub dir: PathBuf,
    /// Whether that is the library's own folder.
    pub in_library: bool,
    /// What is there.
    pub inspection: Inspection,
    /// The exact version, for models that Cantus fetched.
    pub revision: Option<String>,
}

impl ModelStatus {
    /// Whether it can be used.
    pub fn is_complete(&self) -> bool {
        self.inspection.state == ModelState::Complete
    }
}

/// What removing a model came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// Its files are gone.
    Deleted {
        /// Where they lay.
        dir: PathBuf,
        /// What that freed.
        bytes: u64,
    },
    /// Cantus no longer lists the folder; its files, which the user put there, stay.
    Forgotten {
        /// Where they lie.
        dir: PathBuf,
    },
}

/// The models of one data folder.
#[derive(Debug)]
pub struct ModelLibrary {
    folder: PathBuf,
    stragglers: Arc<Stragglers>,
}

impl ModelLibrary {
    /// The library in a data folder, which need not exist yet; see [`crate::data_dir::data_dir`]. Dropping the library may wait some seconds
    /// for the network, if a fetch was cancelled while it connected.
    ///
    /// # Errors
    /// [`Error::ModelFolder`] or [`Error::File`] when its settings cannot be read.
    pub fn open(data_dir: &Path) -> Result<Self> {
        let data_dir = std::path::absolute(data_dir).map_err(|error| Error::file("find", data_dir, &error))?;
        let folder = data_dir.join("models");
        Settings::read(&folder)?;
        Ok(Self { folder, stragglers: Arc::default() })
    }

    /// The folder that holds a folder for each model.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// All known models, there or not, and all folders the user named, in that order. Reads names, heads and JSON: milliseconds.
    ///
    /// # Errors
    /// As [`ModelLibrary::open`].
    pub fn list(&self) -> Result<Vec<ModelStatus>> {
        let settings = Settings::read(&self.folder)?;
        let mut elsewhere: Vec<_> = settings.folders.iter().map(|dir| self.status_of(dir)).collect();
        let mut rows = Vec::new();
        for model in &MODELS {
            let own = self.own(model);
            let is_it = |status: &ModelStatus| status.model == Some(model);
            match elsewhere.iter().position(is_it) {
                Some(place) if own.inspection.state == ModelState::Absent => rows.push(elsewhere.remove(place)),
                _ => rows.push(own),
            }
        }
        // What the catalogue's row does not show is called by its folder.
        for status in &mut elsewhere {
            status.id = folder_name(&status.dir);
        }
        rows.extend(elsewhere);
        Ok(rows)
    }

    /// One model, by its name, its repository's, or a folder.
    ///
    /// # Errors
    /// [`Error::UnknownModel`] when it is neither.
    pub fn find(&self, name: &str) -> Result<ModelStatus> {
        let rows = self.list()?;
        let id = catalog::find(name).map_or(name.trim(), |model| model.id);
        if let Some(status) = rows.iter().find(|status| status.id.eq_ignore_ascii_case(id)) {
            return Ok(status.clone());
        }
        let dir = Path::new(name);
        if dir.exists() {
            return Ok(self.status_of(&std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned())));
        }
        let known = rows.iter().map(|status| status.id.as_str()).collect::<Vec<_>>().join(", ");
        Err(Error::UnknownModel { name: name.to_owned(), known })
    }

    /// Whether a licence was accepted.
    ///
    /// # Errors
    /// As [`ModelLibrary::open`].
    pub fn has_accepted(&self, licence: &Licence) -> Result<bool> {
        Ok(self.acceptances()?.iter().any(|acceptance| acceptance.licence == licence.id))
    }

    /// What was accepted, and when.
    ///
    /// # Errors
    /// As [`ModelLibrary::open`].
    pub fn acceptances(&self) -> Result<Vec<Acceptance>> {
        Ok(Settings::read(&self.folder)?.licences)
    }

    /// Remembers that the user read and accepted a licence. The first time counts.
    ///
    /// # Errors
    /// As [`ModelLibrary::open`], and [`Error::File`] when the folder cannot be written.
    pub fn accept_licence(&self, licence: &Licence) -> Result<()> {
        Settings::change(&self.folder, |settings| {
            if !settings.licences.iter().any(|acceptance| acceptance.licence == licence.id) {
                settings.licences.push(Acceptance::now(licence));
            }
        })
    }

    /// Remembers where to fetch from; `None` for the usual place.
    ///
    /// # Errors
    /// As [`ModelLibrary::accept_licence`].
    pub fn set_endpoint(&self, address: Option<&str>) -> Result<()> {
        Settings::change(&self.folder, |settings| settings.endpoint = address.map(str::to_owned))
    }

    /// Lists a folder elsewhere that holds a model from now on.
    ///
    /// # Errors
    /// [`Error::ModelFolder`] when there is no model in it.
    pub fn add_folder(&self, dir: &Path) -> Result<ModelStatus> {
        let dir = std::path::absolute(dir).map_err(|error| Error::file("find", dir, &error))?;
        let status = self.status_of(&dir);
        let refuse = |reason: String| Err(Error::ModelFolder { path: dir.clone(), reason });
        match &status.inspection.state {
            ModelState::Absent => refuse("there is no model here".to_owned()),
            ModelState::Foreign { reason } => refuse(reason.clone()),
            _ => {
                self.remember(&dir)?;
                Ok(status)
            }
        }
    }

    /// Fetches a known model, or what is missing or wrong of it. What an interrupted fetch brought is gone on with.
    ///
    /// `listener` is told at least every 50 ms of work how far it is. Cancelling takes some 30 ms and keeps what was fetched.
    ///
    /// # Errors
    /// [`Error::UnknownModel`], [`Error::LicenceNotAccepted`], [`Error::ModelFolder`] when the folder holds something else,
    /// [`Error::NoSpace`], [`Error::Fetch`] for everything the network can do, [`Error::File`], [`Error::Cancelled`].
    pub fn fetch(
        &self,
        name: &str,
        request: &FetchRequest,
        context: &JobContext,
        listener: &dyn Fn(&ModelProgress),
    ) -> Result<ModelStatus> {
        let Some(model) = catalog::find(name) else {
            let known = MODELS.iter().map(|model| model.id).collect::<Vec<_>>().join(", ");
            return Err(Error::UnknownModel { name: name.to_owned(), known });
        };
        if !self.has_accepted(model.licence)? {
            return Err(Error::LicenceNotAccepted { model: model.name, licence: model.licence.name });
        }
        let dir = match &request.to {
            Some(dir) => std::path::absolute(dir).map_err(|error| Error::file("find", dir, &error))?,
            // A model that is already somewhere is repaired there.
            None => self.find(model.id)?.dir,
        };
        let own = self.folder.join(model.id);
        let fetch = Fetch {
            model,
            dir: &dir,
            endpoint: endpoint(request, &Settings::read(&self.folder)?),
            request,
            context,
            stragglers: &self.stragglers,
        };
        let result = fetch.run(listener, || if dir == own { Ok(()) } else { self.remember(&dir) });
        if result.is_err() && !dir.exists() {
            self.forget(&dir)?;
        }
        result?;
        Ok(ModelStatus { id: model.id.to_owned(), ..self.status_of(&dir) })
    }

    /// Reads every byte of a model, given by name or folder, and compares checksums where there are any.
    ///
    /// # Errors
    /// [`Error::UnknownModel`], [`Error::ModelFolder`] when there is none, [`Error::Cancelled`]. Damage is no error but a report.
    pub fn verify(&self, name: &str, context: &JobContext, listener: &dyn Fn(&ModelProgress)) -> Result<VerifyReport> {
        verify::verify(&self.find(name)?.dir, context, listener)
    }

    /// Deletes a model in the library's folder, and elsewhere what Cantus itself fetched. A folder the user filled is only forgotten.
    ///
    /// # Errors
    /// [`Error::UnknownModel`], [`Error::ModelFolder`] when there is nothing to remove, it is something else, or it is being fetched;
    /// [`Error::File`] when the system refuses.
    pub fn remove(&self, name: &str) -> Result<Removal> {
        let status = self.find(name)?;
        let dir = status.dir;
        let refuse = |reason: &str| Err(Error::ModelFolder { path: dir.clone(), reason: reason.to_owned() });
        let registered = Settings::read(&self.folder)?.folders.contains(&dir);
        if fetch::is_under_way(&dir) {
            return refuse("it is being fetched right now. Cancel that first");
        }
        match status.inspection.state {
            ModelState::Absent if !registered => return refuse("there is nothing to remove"),
            ModelState::Foreign { .. } if !registered => {
                return refuse("what lies here is no model of Cantus'; delete it yourself");
            }
            _ => {}
        }
        if status.in_library {
            return self.delete_own(&dir, status.inspection.bytes_on_disk);
        }
        let record = Record::read(&dir);
        if record.is_none() && !dir.join(UNFINISHED).exists() {
            if !registered {
                return refuse("Cantus did not put this here; delete it yourself");
            }
            self.forget(&dir)?;
            return Ok(Removal::Forgotten { dir });
        }
        delete_fetched(&dir, record)?;
        self.forget(&dir)?;
        let bytes = status.inspection.bytes_on_disk.saturating_sub(inspect(&dir).bytes_on_disk);
        Ok(Removal::Deleted { dir, bytes })
    }

    fn delete_own(&self, dir: &Path, bytes: u64) -> Result<Removal> {
        let fail = |error: std::io::Error| Error::file("delete", dir, &error);
        if dir.is_symlink() {
            // The user keeps the files elsewhere; only the link is ours.
            fs::remove_file(dir).or_else(|_| fs::remove_dir(dir)).map_err(fail)?;
            return Ok(Removal::Forgotten { dir: dir.to_owned() });
        }
        let names = installed::names(dir).map_err(fail)?;
        let is_the_users = |name: &String| {
            !name.starts_with('.')
                && !catalog::is_model_file(name)
                && !["README.md", catalog::TEXT_ENCODER].contains(&name.as_str())
        };
        if names.iter().any(is_the_users) {
            let others = names.into_iter().filter(|name| !is_the_users(name));
            delete_files(dir, others.collect())?;
            let bytes = bytes.saturating_sub(inspect(dir).bytes_on_disk);
            return Ok(Removal::Deleted { dir: dir.to_owned(), bytes });
        }
        let aside = self.folder.join(format!("{REMOVING}{}-{}", std::process::id(), folder_name(dir)));
        fs::rename(dir, &aside).map_err(fail)?;
        // What an earlier removal could not finish goes as well.
        for name in installed::names(&self.folder).map_err(fail)? {
            if name.starts_with(REMOVING) {
                fs::remove_dir_all(self.folder.join(name)).map_err(fail)?;
            }
        }
        Ok(Removal::Deleted { dir: dir.to_owned(), bytes })
    }

    fn own(&self, model: &'static Model) -> ModelStatus {
        ModelStatus { id: model.id.to_owned(), model: Some(model), ..self.status_of(&self.folder.join(model.id)) }
    }

    fn status_of(&self, dir: &Path) -> ModelStatus {
        let inspection = inspect(dir);
        let record = Record::read(dir);
        let begun = || fetch::repository_begun(dir).and_then(|repository| catalog::find(&repository));
        let fetched = record.as_ref().and_then(|record| catalog::find(&record.repository)).or_else(begun);
        let in_library = dir.parent() == Some(&self.folder);
        let by_name = if in_library { catalog::find(&folder_name(dir)) } else { None };
        let model = inspection.model.or(fetched).or(by_name);
        ModelStatus {
            id: model.map_or_else(|| folder_name(dir), |model| model.id.to_owned()),
            model,
            dir: dir.to_owned(),
            in_library,
            inspection,
            revision: record.map(|record| record.revision),
        }
    }

    fn remember(&self, dir: &Path) -> Result<()> {
        Settings::change(&self.folder, |settings| {
            if !settings.folders.iter().any(|known| known == dir) {
                settings.folders.push(dir.to_owned());
            }
        })
    }

    fn forget(&self, dir: &Path) -> Result<()> {
        Settings::change(&self.folder, |settings| settings.folders.retain(|known| known != dir))
    }
}

fn folder_name(dir: &Path) -> String {
    dir.file_name().map_or_else(|| dir.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// The hub to ask: the one named, the environment's, the setting's, the usual one.
fn endpoint(request: &FetchRequest, settings: &Settings) -> String {
    let named =
        request.endpoint.clone().or_else(|| std::env::var("HF_ENDPOINT").ok()).filter(|name| !name.trim().is_empty());
    let address = named.or_else(|| settings.endpoint.clone()).unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
    address.trim().trim_end_matches('/').to_owned()
}

/// Deletes what Cantus fetched into a folder of the user's, and the folder when nothing else is in it.
fn delete_fetched(dir: &Path, record: Option<Record>) -> Result<()> {
    let files = record.into_iter().flat_map(|record| record.files.into_keys());
    let ours = files.filter(|name| catalog::is_model_file(name)).chain([record::FILE, UNFINISHED].map(str::to_owned));
    delete_files(dir, ours.collect())?;
    // A folder with other files in it stays.
    let _ = fs::remove_dir(dir);
    Ok(())
}

/// Deletes files and folders in a folder, those that are there.
fn delete_files(dir: &Path, mut names: Vec<String>) -> Result<()> {
    // The configuration first: without it nothing takes the rest for a model.
    names.sort_by_key(|name| name != catalog::CONFIG);
    for name in names {
        let path = dir.join(name);
        let is_dir = path.is_dir() && !path.is_symlink();
        match if is_dir { fs::remove_dir_all(&path) } else { fs::remove_file(&path) } {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::file("delete", path, &error));
            }
            _ => {}
        }
    }
    Ok(())
}
