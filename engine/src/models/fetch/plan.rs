//! Thread: worker. Which files a model needs, by what its repository lists and its index names.

use super::http::{Http, Trouble};
use super::hub::{Hub, Listing};
use crate::models::catalog::{self, INDEX, REQUIRED, SINGLE, WELCOME};
use crate::models::checksum::{Adding, Sum};
use crate::models::installed::index_files;

/// An index is 70 kB for the smallest checkpoint.
const LONGEST_INDEX: usize = 16 << 20;

/// A file to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub name: String,
    pub bytes: u64,
    /// `None` when the hub states no checksum for it.
    pub sum: Option<Sum>,
}

/// The files to have, the configuration first, the weights last.
pub(super) fn plan(hub: &Hub, http: &Http, listing: &Listing) -> Result<Vec<Wanted>, Trouble> {
    let has = |name: &str| listing.files.contains_key(name);
    if let Some(missing) = REQUIRED.iter().find(|name| !has(name)) {
        return Err(Trouble::Lasting(format!("the repository has no {missing}; it is no checkpoint Cantus can use")));
    }
    let mut names: Vec<String> = REQUIRED.map(str::to_owned).to_vec();
    names.extend(WELCOME.iter().filter(|name| has(name)).map(|name| (*name).to_owned()));
    names.extend(weights(hub, http, listing)?);
    names.into_iter().map(|name| wanted(hub, http, listing, name)).collect()
}

fn weights(hub: &Hub, http: &Http, listing: &Listing) -> Result<Vec<String>, Trouble> {
    let has = |name: &str| listing.files.contains_key(name);
    if has(INDEX) {
        let index = wanted(hub, http, listing, INDEX.to_owned())?;
        let text = http.get(&hub.file_address(&listing.commit, INDEX), None)?.read_short(LONGEST_INDEX)?;
        let mut adding = Adding::new(text.len() as u64, index.sum.as_ref());
        adding.add(&text);
        if !index.sum.is_none_or(|sum| adding.finish().is(&sum)) {
            return Err(Trouble::passing(format!("{INDEX} arrived damaged")));
        }
        let files =
            index_files(&text).ok_or_else(|| Trouble::Lasting(format!("the repository's {INDEX} is damaged")))?;
        if let Some(missing) = files.keys().find(|name| !has(name)) {
            return Err(Trouble::Lasting(format!("the repository has no {missing}, although its {INDEX} names it")));
        }
        return Ok(std::iter::once(INDEX.to_owned()).chain(files.into_keys()).collect());
    }
    if has(SINGLE) {
        return Ok(vec![SINGLE.to_owned()]);
    }
    let pieces: Vec<String> = listing
        .files
        .keys()
        .filter(|name| catalog::is_weights_name(name) && name.starts_with("model-"))
        .cloned()
        .collect();
    if pieces.is_empty() {
        return Err(Trouble::Lasting("the repository has no weights in the safetensors form".to_owned()));
    }
    Ok(pieces)
}

/// A file with its size and checksum; what the listing leaves out, the file's own address tells.
fn wanted(hub: &Hub, http: &Http, listing: &Listing, name: String) -> Result<Wanted, Trouble> {
    let listed = listing.files.get(&name);
    let (mut bytes, mut sum) = listed.map_or((None, None), |listed| (listed.bytes, listed.sum.clone()));
    if bytes.is_none() || sum.is_none() {
        let answer = http.get(&hub.file_address(&listing.commit, &name), Some("bytes=0-0"))?;
        bytes = bytes.or(answer.linked_bytes).or_else(|| answer.whole_bytes());
        sum = sum.or(answer.sum);
    }
    let bytes = bytes.ok_or_else(|| Trouble::Lasting(format!("the server does not say how long {name} is")))?;
    Ok(Wanted { name, bytes, sum })
}
