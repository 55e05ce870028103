//! Thread: worker. The hub's own ways: addresses, headers, and the listing of a repository, by the hf-hub crate.

use super::http::{Http, Trouble};
use crate::models::checksum::Sum;
use hf_hub::api::sync::{Api, ApiBuilder};
use hf_hub::{Cache, Repo, RepoType};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use ureq::http::HeaderMap;

/// A listing is some kilobytes.
const LONGEST_LISTING: usize = 16 << 20;

/// One repository at one hub.
pub(super) struct Hub {
    api: Api,
    repository: String,
    revision: String,
}

/// A file as the hub lists it. Mirrors may leave out everything but the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub bytes: Option<u64>,
    pub sum: Option<Sum>,
}

/// What a repository holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listing {
    /// The exact version, which all files are then fetched from, so that none can change in between.
    pub commit: String,
    pub files: BTreeMap<String, Listed>,
}

#[derive(Deserialize)]
struct Info {
    sha: Option<String>,
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    blob_id: Option<String>,
    lfs: Option<Large>,
}

#[derive(Deserialize)]
struct Large {
    sha256: Option<String>,
    size: Option<u64>,
}

impl Hub {
    /// The repository at a hub's address. `nowhere` is a folder that hf-hub would keep its own cache in; it is never written.
    pub fn new(
        address: &str,
        token: Option<&str>,
        repository: &str,
        revision: &str,
        nowhere: &Path,
    ) -> Result<Self, Trouble> {
        let token = token.map(str::trim).filter(|token| !token.is_empty()).map(str::to_owned);
        let api = ApiBuilder::from_cache(Cache::new(nowhere.to_owned()))
            .with_endpoint(address.to_owned())
            .with_token(token)
            .with_user_agent("cantus", env!("CARGO_PKG_VERSION"))
            .build()
            .map_err(|error| Trouble::Lasting(error.to_string()))?;
        Ok(Self { api, repository: repository.to_owned(), revision: revision.to_owned() })
    }

    /// Headers for requests to the hub itself; they carry the token.
    pub fn headers(&self) -> Result<HeaderMap, Trouble> {
        let request = self.at(&self.revision).info_request();
        request.headers_ref().cloned().ok_or_else(|| {
            Trouble::Lasting("the access token has characters that cannot be sent; is all of it right?".to_owned())
        })
    }

    /// What the repository holds.
    pub fn listing(&self, http: &Http) -> Result<Listing, Trouble> {
        let request = self.at(&self.revision).info_request();
        let address = request.uri_ref().map(|uri| format!("{uri}?blobs=true"));
        let address = address.ok_or_else(|| Trouble::Lasting("the hub's address is no web address".to_owned()))?;
        let text = http.get(&address, None)?.read_short(LONGEST_LISTING)?;
        let info: Info = serde_json::from_slice(&text).map_err(|_| {
            Trouble::Lasting("the server does not answer as a model hub does. Is the address right?".to_owned())
        })?;
        let listed = |sibling: &Sibling| {
            let large = sibling.lfs.as_ref();
            let sha256 = large.and_then(|large| Sum::parse(large.sha256.as_deref()?));
            // A large file's blob is only the pointer to it.
            let git = || sibling.blob_id.as_deref().filter(|_| large.is_none()).and_then(Sum::parse);
            Listed { bytes: large.and_then(|large| large.size).or(sibling.size), sum: sha256.or_else(git) }
        };
        Ok(Listing {
            commit: info.sha.filter(|sha| is_revision(sha)).unwrap_or_else(|| self.revision.clone()),
            files: info.siblings.iter().map(|sibling| (sibling.rfilename.clone(), listed(sibling))).collect(),
        })
    }

    /// Where a file of an exact version is handed out.
    pub fn file_address(&self, commit: &str, name: &str) -> String {
        self.at(commit).url(name)
    }

    fn at(&self, revision: &str) -> hf_hub::api::sync::ApiRepo {
        self.api.repo(Repo::with_revision(self.repository.clone(), RepoType::Model, revision.to_owned()))
    }
}

/// Whether a text can be a branch, tag or commit: it becomes part of an address.
pub(super) fn is_revision(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/');
    !text.is_empty() && text.len() <= 128 && text.bytes().all(allowed) && !text.contains("..")
}
