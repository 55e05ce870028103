//! Thread: any. The outermost layer of a saved session: a magic word, a format number, and checked chunks.
//!
//! ```text
//! "CANTUS\r\n"  u32 format  u32 count  count × { [u8; 4] tag, u64 length, u64 xxh3 of the bytes, bytes }
//! ```
//! Integers are little-endian. The line end in the magic word shows a copy that went through a text conversion.

use crate::error::{Error, Result};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

const MAGIC: [u8; 8] = *b"CANTUS\r\n";
const FORMAT: u32 = 1;

/// A tagged run of bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    /// What it is.
    pub tag: [u8; 4],
    /// Its contents, shared so that saving copies them once only.
    pub bytes: Arc<[u8]>,
}

/// Joins chunks.
pub fn write(chunks: &[Chunk]) -> Vec<u8> {
    let length: usize = chunks.iter().map(|chunk| chunk.bytes.len() + 20).sum();
    let mut out = Vec::with_capacity(length + 16);
    out.extend(head(chunks.len()));
    chunks.iter().for_each(|chunk| push(&mut out, chunk));
    out
}

/// What stands before so many chunks.
pub(super) fn head(count: usize) -> [u8; 16] {
    let mut head = [0; 16];
    head[..8].copy_from_slice(&MAGIC);
    head[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    head[12..].copy_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
    head
}

/// Adds a chunk as it stands in a container.
pub(super) fn push(out: &mut Vec<u8>, chunk: &Chunk) {
    out.extend(chunk.tag);
    out.extend((chunk.bytes.len() as u64).to_le_bytes());
    out.extend(xxh3_64(&chunk.bytes).to_le_bytes());
    out.extend_from_slice(&chunk.bytes);
}

/// Splits and checks.
///
/// # Errors
/// [`Error::Session`] when the bytes are not a container, are cut off or were changed.
pub fn read(bytes: &[u8]) -> Result<Vec<Chunk>> {
    let mut rest = Reader { bytes };
    if rest.take(8)? != MAGIC {
        return Err(bad("it is not a Cantus session"));
    }
    let format = rest.u32()?;
    if format != FORMAT {
        return Err(bad(&format!("its container has format {format}, this Cantus reads {FORMAT}")));
    }
    let count = rest.u32()?;
    let mut chunks = Vec::new();
    for _ in 0..count {
        let tag = rest.array()?;
        let length = u64::from_le_bytes(rest.array()?);
        let hash = u64::from_le_bytes(rest.array()?);
        let body = rest.take(usize::try_from(length).map_err(|_| cut_off())?)?;
        if xxh3_64(body) != hash {
            return Err(bad("a part of it was changed or damaged"));
        }
        chunks.push(Chunk { tag, bytes: body.into() });
    }
    Ok(chunks)
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (head, tail) = self.bytes.split_at_checked(count).ok_or_else(cut_off)?;
        self.bytes = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, tail) = self.bytes.split_first_chunk().ok_or_else(cut_off)?;
        self.bytes = tail;
        Ok(*head)
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }
}

fn cut_off() -> Error {
    bad("it is cut off")
}

fn bad(reason: &str) -> Error {
    Error::Session { reason: reason.to_owned() }
}
