//! The chunks of a WAV file, taken apart by hand.

/// Every chunk but the samples, in the order of the file.
#[derive(Debug, Clone)]
pub struct Chunks(Vec<([u8; 4], Vec<u8>)>);

impl Chunks {
    pub fn get(&self, id: &[u8; 4]) -> Option<&[u8]> {
        self.0.iter().find(|chunk| chunk.0 == *id).map(|chunk| chunk.1.as_slice())
    }

    /// Makes a byte of a chunk another one.
    pub fn change(&mut self, id: &[u8; 4], at: usize) {
        let body = &mut self.0.iter_mut().find(|chunk| chunk.0 == *id).expect("the chunk").1;
        body[at] ^= 1;
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

/// Takes a file apart; every length in it must fit.
pub fn chunks(file: &[u8]) -> Chunks {
    assert!(file.starts_with(b"RIFF") && &file[8..12] == b"WAVE");
    assert_eq!(word(file, 4) as usize + 8, file.len());
    Chunks(split(&file[12..]).into_iter().filter(|chunk| &chunk.0 != b"data").collect())
}

fn split(mut rest: &[u8]) -> Vec<([u8; 4], Vec<u8>)> {
    let mut chunks = Vec::new();
    while !rest.is_empty() {
        let (id, size) = (rest[..4].try_into().expect("four bytes"), word(rest, 4) as usize);
        chunks.push((id, rest[8..8 + size].to_vec()));
        rest = &rest[8 + size + size % 2..];
    }
    chunks
}

/// Places and names, as a sampler would read them: by the number of each place.
pub fn marks(found: &Chunks) -> Vec<(u32, String)> {
    let (Some(cue), Some(list)) = (found.get(b"cue "), found.get(b"LIST")) else { return Vec::new() };
    assert_eq!((cue.len() - 4) / 24, word(cue, 0) as usize);
    assert!(list.starts_with(b"adtl"));
    let labels = split(&list[4..]);
    let name = |number: u32| {
        let label = labels.iter().find(|(id, body)| id == b"labl" && word(body, 0) == number);
        label.map(|(_, body)| String::from_utf8_lossy(body[4..].split(|byte| *byte == 0).next().unwrap()).into_owned())
    };
    let place = |point: &[u8]| {
        // Readers take one or the other of the two places.
        let both = (word(point, 4), word(point, 20));
        (if both.0 == both.1 { both.0 } else { u32::MAX }, name(word(point, 0)).unwrap_or_default())
    };
    cue[4..].chunks_exact(24).map(place).collect()
}
