//! A hub on this machine, with a storage of its own at another port, that can be told to misbehave.
//!
//! It answers as the real one does: a listing with sizes and checksums; small files behind a relative redirect, with git's
//! checksum as ETag; large ones behind a redirect to the storage, with `X-Linked-Size` and `X-Linked-ETag`.

use super::checkpoint::Files;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use serde_json::json;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

const REPOSITORY: &str = "facebook/musicgen-melody";

/// A way to misbehave.
#[derive(Debug, Clone)]
pub enum Fault {
    /// A status instead of an answer, with one more header.
    Status(u16, &'static str),
    /// The connection ends after so many bytes of the body.
    DropAfter(usize),
    /// One byte of the body is another one.
    Corrupt,
    /// A body of another length, honestly stated.
    OtherLength(usize),
    /// All of the file, whatever range was asked for.
    IgnoreRange,
    /// Another range than was asked for.
    OtherRange,
    /// No answer at all.
    Silence,
    /// A thousand bytes of the body, then nothing.
    Stall,
    /// A redirect.
    Redirect(&'static str),
    /// Something that is no HTTP.
    Garbage,
    /// A page for people.
    Page,
}

/// A request, as it arrived.
#[derive(Debug, Clone)]
pub struct Asked {
    pub at_storage: bool,
    pub path: String,
    pub range: Option<String>,
    pub token: Option<String>,
    /// Bytes of a body that were sent.
    pub sent: usize,
}

/// What the listing tells of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// Names, sizes and checksums.
    Full,
    /// Names only, as some mirrors do.
    Names,
    /// Names only, and no ETags either.
    NoChecksums,
}

struct Content {
    commit: String,
    files: Files,
    listing: Listing,
}

struct Shared {
    content: Mutex<Content>,
    faults: Mutex<Vec<(&'static str, usize, Fault)>>,
    log: Mutex<Vec<Asked>>,
    stop: AtomicBool,
    storage: String,
}

/// The hub. It ends with this.
pub struct Hub {
    /// Its address.
    pub address: String,
    ports: [u16; 2],
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Hub {
    pub fn start(files: Files) -> Self {
        let listeners = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = [0, 1].map(|index: usize| listeners[index].local_addr().unwrap().port());
        let shared = Arc::new(Shared {
            content: Mutex::new(Content { commit: commit(1), files, listing: Listing::Full }),
            faults: Mutex::default(),
            log: Mutex::default(),
            stop: AtomicBool::new(false),
            storage: format!("http://127.0.0.1:{}", ports[1]),
        });
        let threads = listeners.into_iter().enumerate().map(|(index, listener)| {
            let shared = shared.clone();
            std::thread::spawn(move || accept(&listener, index == 1, &shared))
        });
        let threads = threads.collect();
        Self { address: format!("http://127.0.0.1:{}", ports[0]), ports, shared, threads }
    }

    /// From now on, `times` requests whose path holds `part` go wrong. Faults for storage only name "storage/".
    pub fn misbehave(&self, part: &'static str, times: usize, fault: Fault) {
        self.shared.faults.lock().unwrap().push((part, times, fault));
    }

    pub fn behave(&self) {
        self.shared.faults.lock().unwrap().clear();
    }

    /// Another version of the repository is the newest now.
    pub fn publish(&self, number: u8, files: Files) {
        let mut content = self.shared.content.lock().unwrap();
        (content.commit, content.files) = (commit(number), files);
    }

    pub fn list_only(&self, listing: Listing) {
        self.shared.content.lock().unwrap().listing = listing;
    }

    /// The requests since the last time this was asked.
    pub fn log(&self) -> Vec<Asked> {
        std::mem::take(&mut self.shared.log.lock().unwrap())
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        for port in self.ports {
            // Wakes the thread that waits for a connection.
            let _ = TcpStream::connect(("127.0.0.1", port));
        }
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
    }
}

pub fn commit(number: u8) -> String {
    format!("{number:02x}").repeat(20)
}

pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(digest(&SHA256, bytes).as_ref())
}

fn git_sum(bytes: &[u8]) -> String {
    let blob = [format!("blob {}\0", bytes.len()).as_bytes(), bytes].concat();
    hexadecimal(digest(&SHA1_FOR_LEGACY_USE_ONLY, &blob).as_ref())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_large(name: &str) -> bool {
    [".safetensors", ".bin", ".model"].iter().any(|ending| name.ends_with(ending)) || name == "tokenizer.json"
}

fn accept(listener: &TcpListener, at_storage: bool, shared: &Arc<Shared>) {
    let mut connections = Vec::new();
    for stream in listener.incoming() {
        if shared.stop.load(Ordering::Acquire) {
            break;
        }
        let (stream, shared) = (stream.unwrap(), shared.clone());
        connections.push(std::thread::spawn(move || {
            // A client that goes away is no failure of the server.
            let _ = serve(stream, at_storage, &shared);
        }));
    }
    for connection in connections {
        connection.join().unwrap();
    }
}

fn serve(mut stream: TcpStream, at_storage: bool, shared: &Shared) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_millis(20)))?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match stream.read(&mut byte) {
            Ok(0) => return Ok(()),
            // Somebody begins a secure connection here.
            Ok(_) if head.is_empty() && byte[0] == 0x16 => {
                return stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
            }
            Ok(_) => head.push(byte[0]),
            Err(_) if shared.stop.load(Ordering::Acquire) => return Ok(()),
            Err(_) => {}
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let headers: HashMap<String, String> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let range = headers.get("range").cloned();
    let asked = Asked {
        at_storage,
        path: path.clone(),
        range: range.clone(),
        token: headers.get("authorization").cloned(),
        sent: 0,
    };
    let index = {
        let mut log = shared.log.lock().unwrap();
        log.push(asked);
        log.len() - 1
    };
    let fault = next_fault(shared, &path);
    let mut answer = answer(shared, at_storage, &path, range.as_deref(), fault.as_ref());
    if let Some(Fault::Silence | Fault::Garbage) = fault {
        if let Some(Fault::Garbage) = fault {
            return stream.write_all(b"220 mail.example.com ESMTP\r\n\r\n");
        }
        return hold(&stream, shared);
    }
    let whole = answer.body.len();
    match fault {
        Some(Fault::DropAfter(bytes)) => answer.body.truncate(bytes),
        Some(Fault::Stall) => answer.body.truncate(1_000),
        _ => {}
    }
    let mut text = format!("HTTP/1.1 {} Answer\r\nContent-Length: {whole}\r\nConnection: close\r\n", answer.status);
    for (name, value) in &answer.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(text.as_bytes())?;
    stream.write_all(b"\r\n")?;
    let sent = if head.starts_with("HEAD") { 0 } else { answer.body.len() };
    stream.write_all(&answer.body[..sent])?;
    stream.flush()?;
    // The log may have been taken away meanwhile.
    if let Some(asked) = shared.log.lock().unwrap().get_mut(index).filter(|asked| asked.path == path) {
        asked.sent = sent;
    }
    if let Some(Fault::Stall) = fault { hold(&stream, shared) } else { Ok(()) }
}

/// Keeps a connection open without a word until the client or the server goes.
fn hold(mut stream: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    while !shared.stop.load(Ordering::Acquire) {
        match stream.read(&mut [0]) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    Ok(())
}

fn next_fault(shared: &Shared, path: &str) -> Option<Fault> {
    let mut faults = shared.faults.lock().unwrap();
    let (_, times, fault) = faults.iter_mut().find(|(part, times, _)| *times > 0 && path.contains(part))?;
    *times -= 1;
    Some(fault.clone())
}

#[derive(Default)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

fn answer(shared: &Shared, at_storage: bool, path: &str, range: Option<&str>, fault: Option<&Fault>) -> Answer {
    match fault {
        Some(Fault::Status(status, header)) => {
            let headers = header.split_once(": ").map(|(name, value)| (name, value.to_owned()));
            return Answer { status: *status, headers: headers.into_iter().collect(), body: b"{}".to_vec() };
        }
        Some(Fault::Redirect(to)) => {
            return Answer { status: 302, headers: vec![("Location", (*to).to_owned())], ..Answer::default() };
        }
        Some(Fault::Page) => {
            let body = b"<html><body>Please sign in to the wireless network of this hotel.</body></html>".to_vec();
            return Answer { status: 200, headers: vec![("Content-Type", "text/html".to_owned())], body };
        }
        _ => {}
    }
    let content = shared.content.lock().unwrap();
    let not_found = || Answer { status: 404, body: b"{\"error\":\"Entry not found\"}".to_vec(), ..Answer::default() };
    let plain = path.split('?').next().unwrap_or_default();
    let listings = ["main".to_owned(), content.commit.clone()];
    if listings.iter().any(|revision| plain == format!("/api/models/{REPOSITORY}/revision/{revision}")) {
        return Answer { status: 200, body: listing(&content), ..Answer::default() };
    }
    let name = plain.rsplit('/').next().unwrap_or_default();
    let Some(file) = content.files.get(name) else { return not_found() };
    let states_sums = content.listing != Listing::NoChecksums;
    if at_storage {
        return part_of(file, range, fault, None);
    }
    if plain.starts_with("/api/resolve-cache/") {
        return part_of(file, range, fault, states_sums.then(|| git_sum(file)));
    }
    if plain != format!("/{REPOSITORY}/resolve/{}/{name}", content.commit) {
        return not_found();
    }
    let mut headers = vec![("X-Repo-Commit", content.commit.clone())];
    if is_large(name) {
        headers.push(("Location", format!("{}/storage/{name}?signature=1", shared.storage)));
        headers.push(("X-Linked-Size", file.len().to_string()));
        if states_sums {
            headers.push(("X-Linked-ETag", format!("\"{}\"", sha256(file))));
        }
        return Answer { status: 302, headers, ..Answer::default() };
    }
    headers.push(("Location", format!("/api/resolve-cache/models/{REPOSITORY}/{}/{name}?etag=1", content.commit)));
    Answer { status: 307, headers, ..Answer::default() }
}

fn listing(content: &Content) -> Vec<u8> {
    let row = |(name, file): (&String, &Vec<u8>)| match (content.listing, is_large(name)) {
        (Listing::Full, true) => json!({
            "rfilename": name, "size": file.len(), "blobId": git_sum(b"a pointer"),
            "lfs": { "sha256": sha256(file), "size": file.len(), "pointerSize": 135 },
        }),
        (Listing::Full, false) => json!({ "rfilename": name, "size": file.len(), "blobId": git_sum(file) }),
        _ => json!({ "rfilename": name }),
    };
    let rows: Vec<_> = content.files.iter().map(row).collect();
    json!({ "id": REPOSITORY, "private": false, "sha": content.commit, "siblings": rows }).to_string().into_bytes()
}

fn part_of(file: &[u8], range: Option<&str>, fault: Option<&Fault>, etag: Option<String>) -> Answer {
    let mut file = file.to_vec();
    match fault {
        Some(Fault::Corrupt) => {
            let middle = file.len() / 2;
            file[middle] ^= 1;
        }
        Some(Fault::OtherLength(bytes)) => file.resize(*bytes, 0),
        _ => {}
    }
    let etag = etag.map(|etag| ("ETag", format!("\"{etag}\"")));
    let asked = range.and_then(|range| {
        let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
        let to = to.parse().map_or(file.len(), |to: usize| to + 1).min(file.len());
        Some((from.parse::<usize>().ok()?, to))
    });
    let Some((mut from, to)) = asked.filter(|_| !matches!(fault, Some(Fault::IgnoreRange))) else {
        return Answer { status: 200, headers: etag.into_iter().collect(), body: file };
    };
    if let Some(Fault::OtherRange) = fault {
        from = from.saturating_sub(1);
    }
    if from >= file.len() {
        return Answer {
            status: 416,
            headers: vec![("Content-Range", format!("bytes */{}", file.len()))],
            ..Answer::default()
        };
    }
    let mut headers = vec![("Content-Range", format!("bytes {from}-{}/{}", to - 1, file.len()))];
    headers.extend(etag);
    Answer { status: 206, headers, body: file[from..to].to_vec() }
}
