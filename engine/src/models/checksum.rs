//! Thread: worker. Checksums of files: SHA-256, which the hub states for large files, and git's own SHA-1 for the small ones.

use crate::error::{Error, Result};
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes read between two looks at whether to stop: some milliseconds of work.
const CHUNK: usize = 1 << 20;

/// What a file's content must add up to, in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sum {
    /// SHA-256 of the content.
    Sha256(String),
    /// Git's name of the content: SHA-1 over a short head and the content.
    Git(String),
}

impl Sum {
    /// Reads an ETag or an id from a listing. `None` for what is no checksum of the content.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix("W/").unwrap_or(text).trim_matches('"').to_ascii_lowercase();
        let hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match text.len() {
            64 if hexadecimal => Some(Self::Sha256(text)),
            40 if hexadecimal => Some(Self::Git(text)),
            _ => None,
        }
    }

    /// The hexadecimal digits.
    pub fn digits(&self) -> &str {
        match self {
            Self::Sha256(digits) | Self::Git(digits) => digits,
        }
    }
}

/// Adds up content piece by piece.
#[derive(Clone)]
pub(super) struct Adding {
    sha256: Context,
    git: Option<Context>,
}

/// What content added up to.
pub(super) struct Added {
    pub sha256: String,
    git: Option<String>,
}

impl Adding {
    /// For a file of `size` bytes that should add up to `expected`: git's sum is only computed where it is asked for.
    pub fn new(size: u64, expected: Option<&Sum>) -> Self {
        let git = matches!(expected, Some(Sum::Git(_))).then(|| {
            let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
            context.update(format!("blob {size}\0").as_bytes());
            context
        });
        Self { sha256: Context::new(&SHA256), git }
    }

    pub fn add(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        if let Some(git) = &mut self.git {
            git.update(bytes);
        }
    }

    /// Adds what is left of a file. `each` is called with the number of bytes of every piece, and may stop it.
    pub fn add_file(&mut self, path: &Path, mut each: impl FnMut(u64) -> Result<()>) -> Result<()> {
        let fail = |error: std::io::Error| Error::file("read", path, &error);
        let mut file = File::open(path).map_err(fail)?;
        let mut piece = vec![0; CHUNK];
        loop {
            match file.read(&mut piece).map_err(fail)? {
                0 => return Ok(()),
                count => {
                    self.add(&piece[..count]);
                    each(count as u64)?;
                }
            }
        }
    }

    pub fn finish(self) -> Added {
        let digits = |context: Context| {
            context.finish().as_ref().iter().fold(String::new(), |mut digits, byte| {
                // Writing into a text cannot fail.
                let _ = write!(digits, "{byte:02x}");
                digits
            })
        };
        Added { sha256: digits(self.sha256), git: self.git.map(digits) }
    }
}

impl Added {
    pub fn is(&self, expected: &Sum) -> bool {
        match expected {
            Sum::Sha256(digits) => self.sha256 == *digits,
            Sum::Git(digits) => self.git.as_ref() == Some(digits),
        }
    }
}
