//! Thread: worker. Requests: redirects by hand, and every way a request can fail told apart into what may pass and what will last.

use super::Patience;
use super::connection::{Later, Stragglers, Watched};
use crate::error::Error;
use crate::job_context::JobContext;
use crate::models::checksum::Sum;
use std::io::{ErrorKind, Read};
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use ureq::http::header::AUTHORIZATION;
use ureq::http::{HeaderMap, Response, StatusCode, Uri};
use ureq::unversioned::transport::{ConnectProxyConnector, Connector, RustlsConnector};
use ureq::{Body, Proxy, ProxyProtocol};

/// Hops from the hub to a file: one to another name of the repository, one to the storage, and some to spare.
const MOST_HOPS: usize = 8;

/// Why a request did not do.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It may work in a moment.
    Passing {
        /// The rest of a sentence: "the connection was lost".
        reason: String,
        /// How long the server asks to wait.
        wait: Option<Duration>,
    },
    /// Trying again does not help.
    Lasting(String),
    /// It is not the network's fault: cancelled, or the disk.
    Ours(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl Trouble {
    pub fn passing(reason: impl Into<String>) -> Self {
        Self::Passing { reason: reason.into(), wait: None }
    }
}

/// The client of one fetch.
pub(super) struct Http {
    agent: Agent,
    context: JobContext,
    /// Headers for the hub itself, which carry the token; nobody else gets them.
    headers: HeaderMap,
    hub: Origin,
    /// The proxy's own name, if there is one.
    proxy: Option<String>,
}

/// An answer whose body is still to be read.
pub(super) struct Answer {
    response: Response<Body>,
    /// The size the hub states for the file, wherever it is stored.
    pub linked_bytes: Option<u64>,
    /// The checksum the hub states for it.
    pub sum: Option<Sum>,
    context: JobContext,
    host: String,
}

impl Http {
    /// A client for a hub at `address`.
    ///
    /// # Errors
    /// [`Trouble::Lasting`] when the address is none, or the system's proxy is of a kind that is not known.
    pub fn new(
        address: &str,
        headers: HeaderMap,
        patience: &Patience,
        context: &JobContext,
        stragglers: &Arc<Stragglers>,
    ) -> Result<Self, Trouble> {
        let hub = Origin::of(address)
            .ok_or_else(|| Trouble::Lasting(format!("\"{address}\" is no web address; it must begin with https://")))?;
        // A proxy is for the network, not for this machine.
        let proxy = Proxy::try_from_env().filter(|_| !hub.is_this_machine());
        if proxy.as_ref().is_some_and(|proxy| !matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https)) {
            let reason = "the system's proxy is a SOCKS proxy, which Cantus does not speak; unset ALL_PROXY";
            return Err(Trouble::Lasting(reason.to_owned()));
        }
        let proxy_name = proxy.as_ref().map(|proxy| format!("{}:{}", proxy.host(), proxy.port()));
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(proxy)
            .accept_encoding("identity")
            .timeout_recv_response(Some(patience.stall))
            .timeout_per_read(Some(patience.stall))
            .timeout_per_write(Some(patience.stall))
            .build();
        let watched = Watched { context: context.clone(), stragglers: stragglers.clone() };
        let connector = ().chain(ConnectProxyConnector::default()).chain(watched).chain(RustlsConnector::default());
        let agent = Agent::with_parts(config, connector, Later);
        Ok(Self { agent, context: context.clone(), headers, hub, proxy: proxy_name })
    }

    /// A server as messages call it: a proxy on the way may be what is wrong.
    fn called(&self, origin: &Origin) -> String {
        match &self.proxy {
            Some(proxy) => format!("{} (through the proxy {proxy})", origin.host),
            None => origin.host.clone(),
        }
    }

    /// Asks for what lies at an address; `range` is a range of its bytes as HTTP writes it.
    pub fn get(&self, address: &str, range: Option<&str>) -> Result<Answer, Trouble> {
        let mut address = address.to_owned();
        let (mut linked_bytes, mut sum) = (None, None);
        for _ in 0..=MOST_HOPS {
            let origin = Origin::of(&address).ok_or_else(|| {
                Trouble::Lasting(format!("the server points to \"{address}\", which is no web address"))
            })?;
            let mut request = self.agent.get(&address);
            if origin == self.hub {
                // A token is not sent where anybody on the way could read it.
                let private = origin.secure || origin.is_this_machine();
                for (name, value) in self.headers.iter().filter(|(name, _)| private || *name != AUTHORIZATION) {
                    request = request.header(name, value);
                }
            }
            if let Some(range) = range {
                request = request.header("Range", range);
            }
            let called = request.call();
            self.context.check()?;
            let response = called.map_err(|error| explain(&error, &self.called(&origin)))?;
            let text = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
            linked_bytes = linked_bytes.or_else(|| text("x-linked-size")?.parse().ok());
            sum = sum.or_else(|| Sum::parse(text("x-linked-etag")?));
            // A storage's own ETag is not about the content as the hub knows it.
            if origin == self.hub {
                sum = sum.or_else(|| Sum::parse(text("etag")?));
            }
            if !response.status().is_redirection() {
                return match refusal(&response, &origin.host, origin != self.hub) {
                    Some(trouble) => Err(trouble),
                    None => {
                        Ok(Answer { response, linked_bytes, sum, context: self.context.clone(), host: origin.host })
                    }
                };
            }
            let location = text("location")
                .ok_or_else(|| Trouble::Lasting(format!("{} points on without saying where", origin.host)))?;
            let next = join(&address, location);
            let unsafe_now = Origin::of(&next).is_some_and(|next| !next.secure && !next.is_this_machine());
            if origin.secure && unsafe_now {
                return Err(Trouble::Lasting(format!("{} points on to an address that is not encrypted", origin.host)));
            }
            address = next;
        }
        Err(Trouble::Lasting(format!("{} points on and on without an end", self.hub.host)))
    }
}

impl Answer {
    /// The byte this answer begins with. `None` when the server says something that makes no sense.
    pub fn begins_at(&self) -> Option<u64> {
        if self.response.status() != StatusCode::PARTIAL_CONTENT {
            return Some(0);
        }
        let (begin, _) = self.content_range()?.0.split_once('-')?;
        begin.trim().parse().ok()
    }

    /// The size of the whole file, as far as the storage tells.
    pub fn whole_bytes(&self) -> Option<u64> {
        if self.response.status() == StatusCode::PARTIAL_CONTENT {
            return self.content_range()?.1.trim().parse().ok();
        }
        self.response.headers().get("content-length")?.to_str().ok()?.parse().ok()
    }

    /// Whether the server says that there is nothing from that byte on.
    pub fn is_out_of_range(&self) -> bool {
        self.response.status() == StatusCode::RANGE_NOT_SATISFIABLE
    }

    fn content_range(&self) -> Option<(&str, &str)> {
        let range = self.response.headers().get("content-range")?.to_str().ok()?;
        range.trim().strip_prefix("bytes")?.trim().split_once('/')
    }

    /// Reads the body piece by piece until it ends.
    ///
    /// # Errors
    /// [`Trouble::Passing`] when the connection breaks; what `take` answers.
    pub fn read(self, take: &mut dyn FnMut(&[u8]) -> Result<(), Trouble>) -> Result<(), Trouble> {
        let Self { response, context, host, .. } = self;
        let mut body = response.into_body().into_with_config().limit(u64::MAX).reader();
        let mut piece = vec![0; 128 << 10];
        loop {
            let read = body.read(&mut piece);
            context.check()?;
            match read {
                Ok(0) => return Ok(()),
                Ok(count) => take(&piece[..count])?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(explain(&ureq::Error::from(error), &host)),
            }
        }
    }

    /// Reads a short body whole.
    ///
    /// # Errors
    /// As [`Answer::read`], and [`Trouble::Lasting`] when it is longer than `limit` bytes.
    pub fn read_short(self, limit: usize) -> Result<Vec<u8>, Trouble> {
        let mut whole = Vec::new();
        self.read(&mut |piece| {
            whole.extend_from_slice(piece);
            if whole.len() > limit {
                return Err(Trouble::Lasting("the server's answer is far too long; is it a model hub?".to_owned()));
            }
            Ok(())
        })?;
        Ok(whole)
    }
}

/// What a status means that is neither a success nor a redirect.
fn refusal(response: &Response<Body>, host: &str, at_storage: bool) -> Option<Trouble> {
    let status = response.status().as_u16();
    let lasting = |reason: String| Some(Trouble::Lasting(reason));
    match status {
        200 | 206 | 416 => None,
        // Addresses at a storage are signed for a short time; the hub gives a fresh one.
        401 | 403 if at_storage => Some(Trouble::passing(format!("{host} does not hand out the file any more"))),
        401 => lasting(format!(
            "{host} does not know you (401). If it needs an account, put an access token into the environment variable \
             HF_TOKEN; if there is an old token in it, remove it"
        )),
        403 => lasting(format!(
            "{host} does not allow it (403). Look at the model's page: it may ask you to accept its terms first"
        )),
        404 => lasting(format!("{host} does not have it (404). Check the revision and the address of the hub")),
        408 | 425 | 429 | 500..=599 => {
            let wait = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
            let why = match status {
                429 => "has too many requests",
                503 | 504 => "is too busy",
                _ => "has a fault of its own",
            };
            let reason = format!("{host} {why} ({status}). Try again later; what is there is kept");
            Some(Trouble::Passing { reason, wait: wait.map(Duration::from_secs) })
        }
        _ => lasting(format!("{host} gave an answer that makes no sense here ({status})")),
    }
}

/// A failed request in words.
fn explain(error: &ureq::Error, host: &str) -> Trouble {
    use ureq::Error as Http;
    match error {
        Http::HostNotFound => Trouble::passing(format!("{host} is not found. Is this computer online?")),
        Http::Timeout(ureq::Timeout::Connect) => Trouble::passing(format!("{host} cannot be reached")),
        Http::Timeout(_) => Trouble::passing(format!("{host} sends nothing any more")),
        Http::Io(error) => match error.kind() {
            ErrorKind::ConnectionRefused => Trouble::passing(format!("nothing answers at {host}")),
            ErrorKind::InvalidData => secure_fault(&error.to_string(), host),
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Trouble::passing(format!("{host} sends nothing any more")),
            _ => match error.get_ref().and_then(|inner| inner.downcast_ref::<Http>()) {
                Some(inner) => explain(inner, host),
                None => Trouble::passing(format!("the connection to {host} was lost ({error})")),
            },
        },
        Http::Rustls(error) => secure_fault(&error.to_string(), host),
        Http::Tls(error) => secure_fault(error, host),
        Http::BadUri(_) | Http::Http(_) | Http::InvalidProxyUrl => {
            Trouble::Lasting(format!("the address of {host} or of the proxy is wrong ({error})"))
        }
        Http::ConnectProxyFailed(reason) => {
            Trouble::Lasting(format!("the proxy refuses to connect to {host} ({reason})"))
        }
        _ => Trouble::passing(format!("the connection to {host} was lost ({error})")),
    }
}

fn secure_fault(reason: &str, host: &str) -> Trouble {
    Trouble::Lasting(format!(
        "no secure connection to {host} can be made ({reason}). Is the address right, and the clock?"
    ))
}

/// Who an address belongs to, as far as it matters to whom a token may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    secure: bool,
    host: String,
    port: u16,
}

impl Origin {
    fn of(address: &str) -> Option<Self> {
        let uri: Uri = address.parse().ok()?;
        let secure = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = uri.host().filter(|host| !host.is_empty())?.to_ascii_lowercase();
        Some(Self { secure, host, port: uri.port_u16().unwrap_or(if secure { 443 } else { 80 }) })
    }

    fn is_this_machine(&self) -> bool {
        let address = self.host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        self.host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

/// Whether a text is the address of a web server.
pub(super) fn is_address(text: &str) -> bool {
    Origin::of(text).is_some()
}

/// Where a `Location` leads from an address.
fn join(address: &str, location: &str) -> String {
    let location = location.trim();
    if location.contains("://") {
        return location.to_owned();
    }
    let (scheme, rest) = address.split_once("://").unwrap_or(("https", address));
    if location.starts_with("//") {
        return format!("{scheme}:{location}");
    }
    let path = rest.find('/').unwrap_or(rest.len());
    if location.starts_with('/') {
        return format!("{scheme}://{}{location}", &rest[..path]);
    }
    let folder = rest.split(['?', '#']).next().unwrap_or(rest);
    let folder = folder[path.min(folder.len())..].rfind('/').map_or(path, |slash| path + slash);
    format!("{scheme}://{}/{location}", &rest[..folder])
}
