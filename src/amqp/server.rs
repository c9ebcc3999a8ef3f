//! The listening socket, and the connections that came in by it.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::connection;
use super::handler::Handler;

/// Pause after an error of accept, so that a lasting one does not burn a core.
const PAUSE: Duration = Duration::from_millis(10);

/// The most connections at once: a sailor has two, so hundreds of processes fit.
const CONNECTIONS_MAX: usize = 2_048;

/// The stack of a connection: frames are on the heap.
const STACK_BYTES: usize = 512 * 1024;

/// What an endpoint is started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The port on loopback; 0 takes a free one.
    pub port: u16,
    /// The most connections at once; more are closed at once.
    pub connections: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            port: 0,
            connections: CONNECTIONS_MAX,
        }
    }
}

/// An endpoint that serves until it is stopped.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the accepting thread and the connections share.
struct Shared {
    handler: Arc<dyn Handler>,
    settings: Settings,
    stopped: AtomicBool,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    next: u64,
    streams: HashMap<u64, TcpStream>,
}

impl Server {
    /// Begins to serve on loopback: clients are processes of this machine, and
    /// their passwords are not encrypted on the way.
    pub fn start(settings: Settings, handler: Arc<dyn Handler>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, settings.port))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            handler,
            settings,
            stopped: AtomicBool::new(false),
            open: Mutex::default(),
        });
        let ours = Arc::clone(&shared);
        let thread = crate::thread::spawn("amqp", None, move || accept(&ours, &listener))?;
        Ok(Self {
            address,
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Returns the address with the port that was taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends all connections; what they have unsettled is given back to the handler.
    pub fn stop(&self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the accepting thread; where that fails it is gone already.
        let _called = TcpStream::connect_timeout(&self.address, PAUSE);
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            let _panic_was_logged = thread.join();
        }
        let open = self.shared.open.lock();
        for stream in open
            .unwrap_or_else(PoisonError::into_inner)
            .streams
            .values()
        {
            let _gone = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Accepts until the server stops.
fn accept(shared: &Arc<Shared>, listener: &TcpListener) {
    while !shared.stopped.load(Ordering::SeqCst) {
        match listener.accept() {
            Ok((stream, _)) => take_in(shared, stream),
            Err(error) => {
                tracing::warn!(target: "amqp", "can't accept a connection: {error}");
                std::thread::sleep(PAUSE);
            }
        }
    }
}

/// Serves a client on a thread of its own, where there is room.
fn take_in(shared: &Arc<Shared>, stream: TcpStream) {
    let Ok(known) = stream.try_clone() else {
        return;
    };
    let mut open = shared.open.lock().unwrap_or_else(PoisonError::into_inner);
    if shared.stopped.load(Ordering::SeqCst) || open.streams.len() >= shared.settings.connections {
        return;
    }
    open.next += 1;
    let number = open.next;
    open.streams.insert(number, known);
    drop(open);
    let ours = Arc::clone(shared);
    let spawned = crate::thread::spawn("amqp-client", Some(STACK_BYTES), move || {
        connection::serve(&stream, &*ours.handler);
        leave(&ours, number);
    });
    if let Err(error) = spawned {
        tracing::error!(target: "amqp", "no thread for a connection: {error}");
        leave(shared, number);
    }
}

/// Forgets a connection.
fn leave(shared: &Shared, number: u64) {
    let mut open = shared.open.lock().unwrap_or_else(PoisonError::into_inner);
    open.streams.remove(&number);
}
