//! A running server: start, stop, and what its threads share.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use super::address::Address;
use super::connection::LAST_WORDS;
use super::counters::Counters;
use super::date::http_date;
use super::handler::Handler;
use super::listener::{self, Listener};
use super::refusal::Refusal;
use super::response::Response;
use super::settings::Settings;
use super::slots::Slots;
use super::socket::Socket;
use super::{guard, writer};
use crate::clock::monotonic_ms;

/// Shed connections that stay open a moment, so that the client can read its 503.
const SHED_OPEN: usize = 64;

/// How long threads get to end after their sockets were shut: a stop may outlast its grace by no more.
const KILL_WAIT: Duration = Duration::from_millis(100);

/// How often a stop looks whether a thread has ended.
const POLL: Duration = Duration::from_millis(1);

/// Longest time that a listener needs to end after it was woken.
const LISTENER_WAIT: Duration = Duration::from_secs(1);

/// What all threads of a server share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) handler: Box<dyn Handler>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) slots: Slots,
    stopping: AtomicBool,
    listeners: AtomicUsize,
    shed: Mutex<VecDeque<(u64, Socket)>>,
}

impl Shared {
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Says whether no thread but the guard is left, and none can come.
    pub(crate) fn is_over(&self) -> bool {
        self.is_stopping() && self.listeners.load(Ordering::SeqCst) == 0 && self.slots.is_empty()
    }

    /// Lets the handler shape an answer of the server's own.
    pub(crate) fn refusal(&self, refusal: &Refusal) -> Response {
        let shaped = catch_unwind(AssertUnwindSafe(|| self.handler.refuse(refusal)));
        let mut response = match shaped {
            Ok(response) if writer::is_sendable(&response) => response,
            _ => refusal.to_json(),
        };
        response.status = refusal.status;
        response.close = true;
        if let Some(seconds) = refusal.retry_after_s {
            response.set_header("Retry-After", seconds.to_string());
        }
        response
    }

    /// Answers 503 without ever waiting, and leaves the socket to be dropped.
    pub(crate) fn shed_now(&self, socket: &Socket) {
        Counters::one_more(&self.counters.shed);
        let response = self.refusal(&Refusal::no_room());
        let mut bytes = Vec::new();
        let date = http_date(self.settings.clock.now_ms().div_euclid(1_000));
        writer::encode_head(&mut bytes, &response, LAST_WORDS, &date);
        if let super::response::Content::Bytes(body) = &response.content {
            bytes.extend_from_slice(body);
        }
        self.counters.answered(response.status);
        if socket.set_nonblocking().is_ok()
            && let Ok(written) = socket.write(&bytes)
        {
            Counters::add(&self.counters.bytes_out, written as u64);
        }
        socket.shutdown(Shutdown::Write);
        discard(socket);
    }

    /// Answers 503, and keeps the socket for the moment that the client needs to read it.
    pub(crate) fn shed(&self, socket: Socket) {
        self.shed_now(&socket);
        let mut shed = self.shed.lock().unwrap_or_else(PoisonError::into_inner);
        if shed.len() == SHED_OPEN {
            shed.pop_front();
        }
        shed.push_back((
            monotonic_ms().saturating_add(self.settings.linger_ms),
            socket,
        ));
    }

    /// Drops shed connections whose moment is over.
    pub(crate) fn close_shed(&self) {
        let now_ms = monotonic_ms();
        let mut shed = self.shed.lock().unwrap_or_else(PoisonError::into_inner);
        shed.retain(|(until_ms, socket)| !discard(socket) && *until_ms > now_ms);
    }
}

/// Reads away what has come, as unread bytes turn a close into a reset; says whether the client is done.
fn discard(socket: &Socket) -> bool {
    let mut scratch = [0; 4_096];
    // A bound, so that a fast sender can't hold the thread.
    for _piece in 0..16 {
        match socket.read(&mut scratch) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
        }
    }
    false
}

/// A running server.
///
/// Dropping it ends it at once, as [`Server::kill`] does.
pub struct Server {
    shared: Arc<Shared>,
    listeners: Vec<(Weak<Listener>, Address)>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("addresses", &self.addresses())
            .finish_non_exhaustive()
    }
}

impl Server {
    /// Binds all addresses and begins to serve.
    ///
    /// # Errors
    ///
    /// Returns what the system says if an address can't be bound or a thread can't be started; then
    /// nothing runs.
    pub fn start(
        addresses: &[Address],
        settings: Settings,
        handler: impl Handler,
    ) -> io::Result<Self> {
        let mut bound = Vec::new();
        for address in addresses {
            let (listener, address) = Listener::bind(address, settings.listen_backlog)
                .map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))?;
            bound.push((Arc::new(listener), address));
        }
        let shared = Arc::new(Shared {
            settings,
            handler: Box::new(handler),
            counters: Arc::default(),
            slots: Slots::default(),
            stopping: AtomicBool::new(false),
            listeners: AtomicUsize::new(0),
            shed: Mutex::default(),
        });
        let server = Self {
            shared: Arc::clone(&shared),
            listeners: bound
                .iter()
                .map(|(listener, address)| (Arc::downgrade(listener), address.clone()))
                .collect(),
            threads: Mutex::default(),
        };
        // If a later thread can't be started, dropping `server` ends those before it.
        let guarded = Arc::clone(&shared);
        server.keep(crate::thread::spawn("http-guard", None, move || {
            guard::run(&guarded);
        })?);
        for (listener, _) in bound {
            let accepting = Arc::clone(&shared);
            shared.listeners.fetch_add(1, Ordering::SeqCst);
            let spawned = crate::thread::spawn("http-accept", None, move || {
                listener::run(&accepting, &listener);
                drop(listener);
                accepting.listeners.fetch_sub(1, Ordering::SeqCst);
            });
            match spawned {
                Ok(thread) => server.keep(thread),
                Err(error) => {
                    shared.listeners.fetch_sub(1, Ordering::SeqCst);
                    return Err(error);
                }
            }
        }
        Ok(server)
    }

    fn keep(&self, thread: JoinHandle<()>) {
        self.threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(thread);
    }

    /// Returns the addresses in the order of [`Server::start`], with the ports that were taken.
    #[must_use]
    pub fn addresses(&self) -> Vec<Address> {
        self.listeners
            .iter()
            .map(|(_, address)| address.clone())
            .collect()
    }

    /// Returns the first TCP address.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.listeners
            .iter()
            .find_map(|(_, address)| match address {
                Address::Tcp(address) => Some(*address),
                Address::Unix(_) => None,
            })
    }

    /// Returns the server's counts; they outlive it.
    #[must_use]
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.shared.counters)
    }

    /// Stops accepting, closes idle connections, and lets requests in flight finish as the last of
    /// their connections.
    ///
    /// Returns at once; a second call changes nothing.
    pub fn begin_stop(&self) {
        if self.shared.stopping.swap(true, Ordering::SeqCst) {
            return;
        }
        self.shared.slots.stop(&self.shared.counters);
        for (listener, address) in &self.listeners {
            if let Some(listener) = listener.upgrade() {
                listener.wake(address);
            }
        }
    }

    /// Stops, waits until nothing is in flight, and at the end of the grace kills what still is.
    ///
    /// Returns as soon as nothing is in flight. Says whether every answer was finished.
    pub fn wait(&self, grace: Duration) -> bool {
        let began_ms = monotonic_ms();
        self.begin_stop();
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        let listeners_ended = self.wait_for_listeners();
        let spent = Duration::from_millis(monotonic_ms().saturating_sub(began_ms).min(grace_ms));
        let clean = self
            .shared
            .slots
            .wait_until_empty(grace.saturating_sub(spent))
            && listeners_ended;
        if !clean {
            self.kill();
        }
        self.join();
        clean
    }

    /// Ends everything at once: sockets are shut, and answers under way are lost.
    ///
    /// A handler that is at work keeps its thread until it returns.
    pub fn kill(&self) {
        self.begin_stop();
        self.shared.slots.kill();
        self.shared.slots.wait_until_empty(KILL_WAIT);
    }

    fn wait_for_listeners(&self) -> bool {
        let most_ms =
            monotonic_ms().saturating_add(u64::try_from(LISTENER_WAIT.as_millis()).unwrap_or(0));
        while self.shared.listeners.load(Ordering::SeqCst) > 0 {
            if monotonic_ms() > most_ms {
                return false;
            }
            std::thread::sleep(POLL);
        }
        true
    }

    /// Waits for the guard and the listeners, unless a connection's thread is stuck in its handler.
    fn join(&self) {
        if !self.shared.is_over() {
            return;
        }
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!(target: "http", "a thread of the server panicked");
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        self.wait_for_listeners();
        self.join();
    }
}
