//! Listening sockets, and the loop that no error ends.

use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Type};

use super::address::Address;
use super::connection;
use super::counters::Counters;
use super::server::Shared;
use super::socket::Socket;
use super::unix::{self, BoundPath};

/// `EMFILE` and `ENFILE`: no descriptor left in the process, or in the system.
const NO_DESCRIPTOR: [i32; 2] = [24, 23];

/// Pause after an accept error, so that a lasting one doesn't burn a core.
const PAUSE: Duration = Duration::from_millis(10);

/// Connections cut for the descriptor of a newcomer before it is sent away.
///
/// The first one's may be taken by whoever opens a file just then, such as a connection to
/// the database; as many threads that open one at the same moment are rare.
const EVICTIONS_FOR_ONE: usize = 8;

/// How long a stop waits for its own wake-up call.
const WAKE_WAIT: Duration = Duration::from_millis(100);

/// A bound listening socket.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix {
        listener: UnixListener,
        /// Removes the file when the listener goes.
        _path: BoundPath,
    },
}

impl Listener {
    /// Binds an address; returns the listener and the address with its true port.
    pub(crate) fn bind(address: &Address, backlog: i32) -> io::Result<(Self, Address)> {
        match address {
            Address::Tcp(address) => {
                let socket = socket2::Socket::new(
                    Domain::for_address(*address),
                    Type::STREAM,
                    Some(Protocol::TCP),
                )?;
                // A restarted server may bind while old connections are still in TIME_WAIT.
                socket.set_reuse_address(true)?;
                socket.bind(&(*address).into())?;
                socket.listen(backlog)?;
                let listener = TcpListener::from(socket);
                let bound = listener.local_addr()?;
                Ok((Self::Tcp(listener), Address::Tcp(bound)))
            }
            Address::Unix(path) => {
                let (listener, bound) = unix::bind(path, backlog)?;
                Ok((
                    Self::Unix {
                        listener,
                        _path: bound,
                    },
                    address.clone(),
                ))
            }
        }
    }

    fn accept(&self) -> io::Result<Socket> {
        match self {
            Self::Tcp(listener) => listener.accept().map(|(stream, _)| Socket::Tcp(stream)),
            Self::Unix { listener, .. } => {
                listener.accept().map(|(stream, _)| Socket::Unix(stream))
            }
        }
    }

    fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => listener.set_nonblocking(on),
            Self::Unix { listener, .. } => listener.set_nonblocking(on),
        }
    }

    /// Wakes the thread that waits in `accept`: by a connection, or if none can be had, by shutting the socket.
    pub(crate) fn wake(&self, address: &Address) {
        let called = match address {
            Address::Tcp(address) => {
                TcpStream::connect_timeout(&reachable(*address), WAKE_WAIT).is_ok()
            }
            Address::Unix(path) => unix::connect(path).is_ok(),
        };
        if !called {
            let _gone = match self {
                Self::Tcp(listener) => SockRef::from(listener).shutdown(Shutdown::Both),
                Self::Unix { listener, .. } => SockRef::from(listener).shutdown(Shutdown::Both),
            };
        }
    }
}

/// An address that a client could use for this one: `0.0.0.0` is none.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// A descriptor kept for the moment when there is no other.
fn reserve() -> Option<File> {
    File::open("/dev/null").ok()
}

/// Accepts until the server stops.
pub(crate) fn run(shared: &Arc<Shared>, listener: &Listener) {
    let mut spare = reserve();
    while !shared.is_stopping() {
        match listener.accept() {
            Ok(socket) => take_in(shared, socket),
            Err(error) => {
                Counters::one_more(&shared.counters.accept_errors);
                if error
                    .raw_os_error()
                    .is_some_and(|code| NO_DESCRIPTOR.contains(&code))
                {
                    spare = without_descriptors(shared, listener, spare);
                } else if !matches!(
                    error.kind(),
                    io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted
                ) {
                    std::thread::sleep(PAUSE);
                }
            }
        }
    }
    // Who was queued before the stop has sent a request perhaps, and gets its answer.
    if listener.set_nonblocking(true).is_ok() {
        for _queued in 0..shared.settings.listen_backlog {
            let Ok(socket) = listener.accept() else { break };
            take_in(shared, socket);
        }
    }
}

/// Serves or sheds one client although no descriptor is free; returns the next spare one.
///
/// Linux says `EMFILE` even if nobody waits, so the spare descriptor is what tells.
fn without_descriptors(
    shared: &Arc<Shared>,
    listener: &Listener,
    spare: Option<File>,
) -> Option<File> {
    drop(spare);
    let waiting = listener
        .set_nonblocking(true)
        .and_then(|()| listener.accept());
    if listener.set_nonblocking(false).is_err() {
        tracing::error!(target: "http", "a listening socket can't be made blocking again");
    }
    let Ok(socket) = waiting else {
        let spare = reserve();
        std::thread::sleep(PAUSE);
        return spare;
    };
    for _attempt in 0..EVICTIONS_FOR_ONE {
        // Nobody to cut now means that all are being served, and soon one is not.
        if !shared.slots.evict_for_descriptor(&shared.counters) {
            std::thread::sleep(PAUSE);
        }
        let spare = reserve();
        if spare.is_some() {
            take_in(shared, socket);
            return spare;
        }
    }
    Counters::one_more(&shared.counters.accepted);
    shared.shed_now(&socket);
    drop(socket);
    reserve()
}

fn take_in(shared: &Arc<Shared>, socket: Socket) {
    Counters::one_more(&shared.counters.accepted);
    if let Socket::Tcp(stream) = &socket {
        // Answers are written whole; waiting for more to send would only delay them. Both settings
        // fail only on a socket that has gone already, which its thread will notice.
        let _gone = stream.set_nodelay(true);
        let _gone = stream.set_nonblocking(false);
    }
    let live = match shared
        .slots
        .admit(socket, &shared.settings, &shared.counters)
    {
        Ok(live) => live,
        Err(socket) => return shared.shed(socket),
    };
    let (theirs, ours) = (Arc::clone(&live), Arc::clone(shared));
    let stack = Some(shared.settings.stack_bytes);
    let spawned = crate::thread::spawn("http", stack, move || connection::run(&ours, theirs));
    if let Err(error) = spawned {
        tracing::error!(target: "http", "no thread for a connection: {error}");
        shared.shed_now(&live.socket);
        shared.slots.leave(live, &shared.counters);
    }
}
