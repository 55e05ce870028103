//! Thread: worker. The container of a sound set: chunks inside lists, and whole numbers in little-endian order. A file that ends
//! early or lies about its lengths is an error, never a panic.

use crate::error::{Error, Result};

/// What a broken sound set is told as.
pub fn broken(what: impl std::fmt::Display) -> Error {
    Error::internal("reading the sound set", what)
}

/// Bytes of a table, read front to back.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// From the start of a record.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// [`Error::Internal`] at the end of the bytes.
    pub fn bytes<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or_else(|| broken("it ends in the middle of a table"))?;
        self.0 = rest;
        Ok(*head)
    }

    /// The next 8 bits.
    ///
    /// # Errors
    /// [`Error::Internal`] at the end of the bytes.
    pub fn u8(&mut self) -> Result<u8> {
        self.bytes::<1>().map(|[byte]| byte)
    }

    /// The next 16 bits.
    ///
    /// # Errors
    /// [`Error::Internal`] at the end of the bytes.
    pub fn u16(&mut self) -> Result<u16> {
        self.bytes().map(u16::from_le_bytes)
    }

    /// The next 16 bits, signed.
    ///
    /// # Errors
    /// [`Error::Internal`] at the end of the bytes.
    pub fn i16(&mut self) -> Result<i16> {
        self.bytes().map(i16::from_le_bytes)
    }

    /// The next 32 bits.
    ///
    /// # Errors
    /// [`Error::Internal`] at the end of the bytes.
    pub fn u32(&mut self) -> Result<u32> {
        self.bytes().map(u32::from_le_bytes)
    }
}

/// A chunk: its name and where its contents lie in the file.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// Four letters; of a list, the list's own kind.
    pub name: [u8; 4],
    /// Where in the file its contents lie.
    pub range: std::ops::Range<usize>,
}

/// The chunks that follow one another in a stretch of the file.
///
/// # Errors
/// [`Error::Internal`] when one is longer than the stretch.
pub fn chunks(file: &[u8], within: std::ops::Range<usize>) -> Result<Vec<Chunk>> {
    let mut found = Vec::new();
    let mut at = within.start;
    // Some writers leave a pad byte at the end.
    while within.end.saturating_sub(at) >= 8 {
        let mut fields = Fields::new(file.get(at..within.end).unwrap_or(&[]));
        let mut name = fields.bytes::<4>()?;
        let length = fields.u32()? as usize;
        let (mut start, end) = (at + 8, (at + 8).saturating_add(length));
        if end > within.end {
            return Err(broken(format!("its part \"{}\" is cut short", name.escape_ascii())));
        }
        if matches!(&name, b"LIST" | b"RIFF") {
            name = fields.bytes::<4>()?;
            start = (start + 4).min(end);
        }
        found.push(Chunk { name, range: start..end });
        at = end.saturating_add(length % 2);
    }
    Ok(found)
}

/// The contents of a chunk by its name.
///
/// # Errors
/// [`Error::Internal`] when there is none.
pub fn find(chunks: &[Chunk], name: &[u8; 4]) -> Result<std::ops::Range<usize>> {
    let chunk = chunks.iter().find(|chunk| &chunk.name == name);
    chunk
        .map(|chunk| chunk.range.clone())
        .ok_or_else(|| broken(format!("its part \"{}\" is missing", name.escape_ascii())))
}
