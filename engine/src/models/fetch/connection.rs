//! Thread: worker; one thread of its own an attempt to connect. Connections of the HTTP client that look every few milliseconds
//! whether the job was cancelled.
//!
//! The client blocks in the system for as long as a name takes to look up, a connection to open and a server to answer. Reads are
//! cut into short waits here. Looking up and connecting cannot be cut, so they happen on a thread that a cancelled job leaves
//! behind; the library joins such threads before it goes, because a plugin may be unloaded after that.

use crate::error::Error as EngineError;
use crate::job_context::JobContext;
use crossbeam_channel::{RecvTimeoutError, bounded};
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Error, Timeout};

/// The longest a cancelled job goes unnoticed.
const GLANCE: Duration = Duration::from_millis(30);
/// For one address of a host that does not answer.
const CONNECT: Duration = Duration::from_secs(10);

/// Threads that were left behind while they looked up a name or opened a connection.
#[derive(Debug, Default)]
pub(in crate::models) struct Stragglers(Mutex<Vec<JoinHandle<()>>>);

impl Stragglers {
    fn add(&self, thread: JoinHandle<()>) {
        let mut threads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
    }
}

impl Drop for Stragglers {
    fn drop(&mut self) {
        for thread in self.0.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // A panic there was already shown; there is nothing to do with it.
            let _ = thread.join();
        }
    }
}

/// Opens connections.
pub(super) struct Watched {
    pub context: JobContext,
    pub stragglers: std::sync::Arc<Stragglers>,
}

impl fmt::Debug for Watched {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Watched")
    }
}

impl<In: Transport> Connector<In> for Watched {
    type Out = Either<In, Connection>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        if let Some(through_a_proxy) = chained {
            return Ok(Some(Either::A(through_a_proxy)));
        }
        let host = details.uri.host().ok_or(Error::HostNotFound)?.trim_matches(['[', ']']).to_owned();
        let usual = if details.needs_tls() { 443 } else { 80 };
        let port = details.uri.port_u16().unwrap_or(usual);
        let stream = self.open(host, port)?;
        stream.set_nodelay(true)?;
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(Connection { stream, buffers, context: self.context.clone() })))
    }
}

impl Watched {
    fn open(&self, host: String, port: u16) -> Result<TcpStream, Error> {
        let (sender, receiver) = bounded(1);
        let connect = move || {
            // Nobody may be waiting any more.
            let _ = sender.send(look_up_and_connect(&host, port));
        };
        let thread = std::thread::Builder::new().name("cantus-connect".to_owned()).spawn(connect)?;
        loop {
            match receiver.recv_timeout(GLANCE) {
                Ok(result) => {
                    // It has sent its last word.
                    let _ = thread.join();
                    return result;
                }
                Err(RecvTimeoutError::Timeout) if self.context.check().is_ok() => {}
                Err(_) => {
                    self.stragglers.add(thread);
                    return Err(stopped());
                }
            }
        }
    }
}

fn look_up_and_connect(host: &str, port: u16) -> Result<TcpStream, Error> {
    let addresses: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(|_| Error::HostNotFound)?.collect();
    let mut last = Error::HostNotFound;
    // A host with many addresses that are all dead must not take minutes.
    for address in addresses.iter().take(4) {
        match TcpStream::connect_timeout(address, CONNECT) {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == ErrorKind::TimedOut => last = Error::Timeout(Timeout::Connect),
            Err(error) => last = error.into(),
        }
    }
    Err(last)
}

/// What the client is told when the job was cancelled; whoever made the request looks at the job and says so itself.
fn stopped() -> Error {
    io::Error::other(EngineError::Cancelled).into()
}

/// One connection.
pub(super) struct Connection {
    stream: TcpStream,
    buffers: LazyBuffers,
    context: JobContext,
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Connection").field("peer", &self.stream.peer_addr().ok()).finish()
    }
}

/// Repeats a piece of work that blocks no longer than a glance until it gets somewhere, the time is up or the job is cancelled.
fn patiently(
    context: &JobContext,
    timeout: NextTimeout,
    mut work: impl FnMut() -> io::Result<usize>,
) -> Result<usize, Error> {
    let begun = Instant::now();
    loop {
        if context.check().is_err() {
            return Err(stopped());
        }
        match work() {
            Ok(count) => return Ok(count),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
            Err(error) => return Err(error.into()),
        }
        if begun.elapsed() >= *timeout.after {
            return Err(Error::Timeout(timeout.reason));
        }
    }
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let Self { stream, buffers, context } = self;
        stream.set_write_timeout(Some(GLANCE))?;
        let output = &buffers.output()[..amount];
        let mut sent = 0;
        while sent < amount {
            match patiently(context, timeout.for_write(), || stream.write(&output[sent..]))? {
                0 => return Err(io::Error::from(ErrorKind::WriteZero).into()),
                count => sent += count,
            }
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let Self { stream, buffers, context } = self;
        stream.set_read_timeout(Some(GLANCE))?;
        let input = buffers.input_append_buf();
        let count = patiently(context, timeout.for_read(), || stream.read(input))?;
        buffers.input_appended(count);
        Ok(count > 0)
    }

    /// Connections are used once: a dozen requests in all do not need a pool.
    fn is_open(&mut self) -> bool {
        false
    }
}

/// Names are looked up where connections are opened, so this only fills the place the client has for it.
#[derive(Debug)]
pub(super) struct Later;

impl Resolver for Later {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut addresses = self.empty();
        addresses.push(SocketAddr::from(([0, 0, 0, 0], 0)));
        Ok(addresses)
    }
}
