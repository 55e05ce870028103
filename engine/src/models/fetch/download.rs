//! Thread: worker. One file from the hub to the disk: goes on where it stopped, and is not done before its checksum is right.

use super::Patience;
use super::http::{Http, Trouble};
use super::plan::Wanted;
use crate::error::{self, Error};
use crate::models::checksum::{Adding, Sum};
use crate::models::meter::{Doing, Meter};
use crate::models::space::size_words;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

/// A connection that brought this much was a working one, so that patience begins anew.
const STEADY_BYTES: u64 = 64 << 10;
/// The system is asked to really write this often, so that the last time does not take seconds.
const SYNC_BYTES: u64 = 16 << 20;

/// Fetches a file into `part`, going on with what is there already. Returns its SHA-256; `part` is then whole and right.
pub(super) fn download(
    wanted: &Wanted,
    address: &str,
    part: &Path,
    http: &Http,
    patience: &Patience,
    meter: &mut Meter,
) -> Result<String, Trouble> {
    let mut part = Part::open(part, wanted, meter)?;
    let (mut failures, mut damaged) = (0, 0);
    loop {
        if part.length == wanted.bytes {
            let added = part.adding.clone().finish();
            if wanted.sum.as_ref().is_none_or(|sum| added.is(sum)) {
                part.sync()?;
                return Ok(added.sha256);
            }
            part.clear(meter)?;
            damaged += 1;
            if damaged == 2 {
                let reason = format!(
                    "{} arrived damaged twice: its checksum is wrong. Nothing of it was kept; try again later or elsewhere",
                    wanted.name
                );
                return Err(Trouble::Lasting(reason));
            }
        }
        let before = part.length;
        meter.turn_to(Doing::Fetching, &wanted.name)?;
        let (reason, wait) = match attempt(&mut part, address, http, meter) {
            Ok(()) if part.length == wanted.bytes => continue,
            Ok(()) => (format!("{} ended too early", wanted.name), None),
            Err(Trouble::Passing { reason, wait }) => (reason, wait),
            Err(lasting) => return Err(lasting),
        };
        failures = if part.length >= before + STEADY_BYTES { 1 } else { failures + 1 };
        let pause = patience.pause(failures, wait);
        let Some(pause) = pause else { return Err(Trouble::passing(reason)) };
        meter.turn_to(Doing::Waiting, &wanted.name)?;
        meter.wait(pause)?;
    }
}

/// One connection's worth.
fn attempt(part: &mut Part, address: &str, http: &Http, meter: &mut Meter) -> Result<(), Trouble> {
    let wanted = part.wanted;
    let range = (part.length > 0).then(|| format!("bytes={}-", part.length));
    let answer = http.get(address, range.as_deref())?;
    if answer.is_out_of_range() {
        part.clear(meter)?;
        return Err(Trouble::passing(format!("the server does not go on with {}", wanted.name)));
    }
    let other = |stated: u64| stated != wanted.bytes;
    if let Some(stated) =
        answer.linked_bytes.filter(|bytes| other(*bytes)).or(answer.whole_bytes().filter(|bytes| other(*bytes)))
    {
        let (stated, listed) = (size_words(stated), size_words(wanted.bytes));
        return Err(Trouble::Lasting(format!("{} is {stated} there, but is listed with {listed}", wanted.name)));
    }
    if let (Some(Sum::Sha256(stated)), Some(Sum::Sha256(listed))) = (&answer.sum, &wanted.sum)
        && stated != listed
    {
        return Err(Trouble::Lasting(format!(
            "{} is another version now than the one listed; start again",
            wanted.name
        )));
    }
    match answer.begins_at() {
        Some(begin) if begin == part.length => {}
        // A server that cannot begin in the middle sends all of it.
        Some(0) => part.clear(meter)?,
        _ => {
            part.clear(meter)?;
            return Err(Trouble::passing(format!(
                "the server sent another piece of {} than was asked for",
                wanted.name
            )));
        }
    }
    answer.read(&mut |piece| part.append(piece, meter))
}

/// The file that grows.
struct Part<'a> {
    file: File,
    path: &'a Path,
    length: u64,
    synced: u64,
    adding: Adding,
    wanted: &'a Wanted,
}

impl<'a> Part<'a> {
    /// Opens or begins it, and adds up what is there.
    fn open(path: &'a Path, wanted: &'a Wanted, meter: &mut Meter) -> error::Result<Self> {
        let fail = |error: std::io::Error| Error::file("write", path, &error);
        let there = fs::metadata(path).map_or(0, |facts| facts.len());
        // What could not be checked in the end is not gone on with.
        if there > wanted.bytes || wanted.sum.is_none() && there > 0 {
            fs::remove_file(path).map_err(fail)?;
        }
        let file = OpenOptions::new().append(true).create(true).open(path).map_err(fail)?;
        let mut adding = Adding::new(wanted.bytes, wanted.sum.as_ref());
        let mut length = 0;
        meter.turn_to(Doing::Checking, &wanted.name)?;
        adding.add_file(path, |bytes| {
            length += bytes;
            meter.add(bytes)
        })?;
        Ok(Self { file, path, length, synced: length, adding, wanted })
    }

    fn append(&mut self, piece: &[u8], meter: &mut Meter) -> Result<(), Trouble> {
        let bytes = piece.len() as u64;
        if self.length + bytes > self.wanted.bytes {
            self.clear(meter)?;
            let listed = size_words(self.wanted.bytes);
            return Err(Trouble::Lasting(format!(
                "{} is longer than the {listed} it is listed with",
                self.wanted.name
            )));
        }
        self.file.write_all(piece).map_err(|error| Error::file("write", self.path, &error))?;
        self.adding.add(piece);
        self.length += bytes;
        if self.length - self.synced >= SYNC_BYTES {
            self.sync()?;
        }
        Ok(meter.add(bytes)?)
    }

    fn sync(&mut self) -> error::Result<()> {
        self.synced = self.length;
        self.file.sync_data().map_err(|error| Error::file("write", self.path, &error))
    }

    /// Begins anew.
    fn clear(&mut self, meter: &mut Meter) -> error::Result<()> {
        self.file.set_len(0).map_err(|error| Error::file("write", self.path, &error))?;
        meter.take_back(self.length);
        (self.length, self.synced) = (0, 0);
        self.adding = Adding::new(self.wanted.bytes, self.wanted.sum.as_ref());
        Ok(())
    }
}
