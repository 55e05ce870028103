//! Thread: worker. Whether a safetensors file is whole, read off its head alone: a length, a JSON table of tensors, their bytes.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A head larger than this is no head: the largest checkpoint's is 100 kB.
const LONGEST_HEAD: u64 = 64 << 20;
/// How files begin that git left in the place of large ones.
const POINTER: &[u8] = b"version https://git-lfs";

#[derive(Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [u64; 2],
}

/// Names of the tensors in a safetensors file whose length is what its head says.
///
/// # Errors
/// A half sentence that says what is wrong with the file.
pub(super) fn tensor_names(path: &Path) -> Result<Vec<String>, String> {
    let cannot = |error: std::io::Error| format!("cannot be read ({error})");
    let mut file = File::open(path).map_err(cannot)?;
    let length = file.metadata().map_err(cannot)?.len();
    let mut begin = [0; 8];
    let got = read_up_to(&mut file, &mut begin).map_err(cannot)?;
    if is_pointer(path, length) {
        return Err("is only git's pointer to the file, not the file (run `git lfs pull`, or fetch it)".to_owned());
    }
    if got < begin.len() {
        return Err(format!("is cut off after {length} bytes"));
    }
    let head_length = u64::from_le_bytes(begin);
    if !(2..=LONGEST_HEAD).contains(&head_length) {
        return Err("is no safetensors file, or its beginning is damaged".to_owned());
    }
    if 8 + head_length > length {
        return Err(format!("is cut off after {length} bytes"));
    }
    let mut head = vec![0; usize::try_from(head_length).unwrap_or_default()];
    file.read_exact(&mut head).map_err(cannot)?;
    let damaged = || "has a damaged head".to_owned();
    let mut table: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&head).map_err(|_| damaged())?;
    table.remove("__metadata__");
    let mut tensors = Vec::with_capacity(table.len());
    for (name, entry) in table {
        let tensor: Tensor = serde_json::from_value(entry).map_err(|_| damaged())?;
        tensors.push((tensor.data_offsets, is_consistent(&tensor), name));
    }
    tensors.sort();
    let mut end = 0;
    for ([from, to], consistent, name) in &tensors {
        if *from != end || to < from || !consistent {
            return Err(format!("has a damaged head: tensor {name} has no place"));
        }
        end = *to;
    }
    let expected = end.saturating_add(8 + head_length);
    if length < expected {
        return Err(format!("is cut off: {length} bytes of {expected}"));
    }
    if length > expected {
        return Err(format!("is {} bytes longer than its head says", length - expected));
    }
    Ok(tensors.into_iter().map(|(_, _, name)| name).collect())
}

/// Whether a file is the short text that git puts in place of a large file.
pub(super) fn is_pointer(path: &Path, length: u64) -> bool {
    let mut begin = [0; POINTER.len()];
    let read = File::open(path).and_then(|mut file| read_up_to(&mut file, &mut begin));
    length < 1_024 && read.is_ok_and(|got| begin[..got] == *POINTER)
}

/// Whether an audiocraft file (a zip archive of PyTorch's) has both its beginning and its end.
pub(super) fn archive_fault(path: &Path) -> Option<String> {
    let look = || -> std::io::Result<Option<String>> {
        use std::io::{Seek, SeekFrom};
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        if is_pointer(path, length) {
            return Ok(Some("is only git's pointer to the file, not the file (run `git lfs pull`)".to_owned()));
        }
        let mut begin = [0; 4];
        read_up_to(&mut file, &mut begin)?;
        if begin != *b"PK\x03\x04" {
            return Ok(Some("is no PyTorch archive, or its beginning is damaged".to_owned()));
        }
        // The directory's end record is 22 bytes and a comment of at most 65535.
        file.seek(SeekFrom::Start(length.saturating_sub(22 + 65_535)))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        let ends = tail.windows(4).any(|window| window == b"PK\x05\x06");
        Ok((!ends).then(|| format!("is cut off after {length} bytes")))
    };
    look().unwrap_or_else(|error| Some(format!("cannot be read ({error})")))
}

/// Whether a tensor's bytes are as many as its shape and type need. Types this does not know are taken as they are.
fn is_consistent(tensor: &Tensor) -> bool {
    let bytes_each = match tensor.dtype.as_str() {
        "BOOL" | "U8" | "I8" => 1,
        "F16" | "BF16" | "U16" | "I16" => 2,
        "F32" | "U32" | "I32" => 4,
        "F64" | "U64" | "I64" => 8,
        _ => return true,
    };
    let bytes = tensor.shape.iter().try_fold(bytes_each, |bytes: u64, length| bytes.checked_mul(*length));
    bytes.is_some() && bytes == tensor.data_offsets[1].checked_sub(tensor.data_offsets[0])
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match file.read(&mut buffer[got..])? {
            0 => break,
            count => got += count,
        }
    }
    Ok(got)
}
