//! Tests of the model library, against a hub of their own on this machine.

mod checkpoint;
mod command_line;
mod fetch;
mod installed;
mod server;

use cantus_engine::models::{CC_BY_NC_4, FetchRequest, ModelLibrary, Patience};
use std::path::Path;
use std::time::Duration;

const NAME: &str = "musicgen-melody";

/// A library whose user has accepted the licence.
fn library(data: &Path) -> ModelLibrary {
    let library = ModelLibrary::open(data).unwrap();
    library.accept_licence(&CC_BY_NC_4).unwrap();
    library
}

/// A fetch from a hub on this machine, which fails or answers at once.
fn request(address: &str) -> FetchRequest {
    let patience = Patience {
        attempts: 4,
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(20),
        stall: Duration::from_millis(400),
    };
    FetchRequest { endpoint: Some(address.to_owned()), patience, ..FetchRequest::default() }
}
