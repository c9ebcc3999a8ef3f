//! The live connections: who may come in, and who must leave for them.
//!
//! # Locking
//!
//! One mutex, taken when a connection comes or goes, on each tick of the guard and on a stop; never
//! for a request.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, Shutdown};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::counters::Counters;
use super::phase::{Cut, NEVER, Phase, State};
use super::settings::Settings;
use super::socket::Socket;
use crate::clock::monotonic_ms;

/// Threads that may be on their way out, evicted, beyond the cap on connections.
const LEAVING: usize = 64;

/// How long a newcomer waits for an evicted thread to end.
///
/// Its socket is shut, so it ends as soon as it's scheduled; on a busy machine that takes a while.
const LEAVING_WAIT: Duration = Duration::from_millis(250);

/// How soon a half-read head must be complete once the server stops, in milliseconds.
const STOP_HEAD_MS: u64 = 1_000;

/// A live connection, shared by its thread, the guard and the listener.
#[derive(Debug)]
pub(crate) struct Live {
    id: u64,
    pub(crate) socket: Socket,
    pub(crate) peer: Option<IpAddr>,
    pub(crate) state: State,
}

#[derive(Debug)]
struct Entry {
    live: Arc<Live>,
    evicted: bool,
}

#[derive(Debug, Default)]
struct Table {
    next_id: u64,
    entries: HashMap<u64, Entry>,
    evicted: usize,
    per_ip: HashMap<IpAddr, usize>,
    stopped_at_ms: Option<u64>,
    killed: bool,
}

/// All live connections of a server.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    table: Mutex<Table>,
    left: Condvar,
}

/// The key of the cap per address: an IPv6 host owns its whole /64.
fn cap_key(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

/// How little is lost if the connection goes; lower goes first, `None` stays.
fn usefulness(live: &Live) -> Option<(u8, u64)> {
    let view = live.state.view();
    let class = match view.phase {
        Phase::Lingering => 0,
        Phase::Idle => 1,
        Phase::Fresh | Phase::Head => 2,
        Phase::Body => 3,
        Phase::Handling | Phase::Writing => return None,
    };
    // Within a class deadlines have the order of arrival. One that was cut already is on its way out.
    view.cut.is_none().then_some((class, view.deadline_ms))
}

impl Table {
    /// Cuts the least useful connection (of one address, or of all); says whether there was one.
    fn evict(&mut self, of: Option<IpAddr>) -> bool {
        // A connection may move on between being chosen and being cut; then the next choice is tried.
        for _attempt in 0..4 {
            let chosen = self
                .entries
                .values_mut()
                .filter(|entry| !entry.evicted)
                .filter(|entry| of.is_none() || entry.live.peer.map(cap_key) == of)
                .filter_map(|entry| Some((usefulness(&entry.live)?, entry)))
                .min_by_key(|&(usefulness, _)| usefulness);
            let Some((_, entry)) = chosen else {
                return false;
            };
            if entry
                .live
                .state
                .try_cut(entry.live.state.view(), Cut::Evicted)
            {
                entry.evicted = true;
                entry.live.socket.shutdown(Shutdown::Both);
                let peer = entry.live.peer;
                self.evicted += 1;
                self.forget_peer(peer);
                return true;
            }
        }
        false
    }

    fn forget_peer(&mut self, peer: Option<IpAddr>) {
        let Some(key) = peer.map(cap_key) else { return };
        if let Some(count) = self.per_ip.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                self.per_ip.remove(&key);
            }
        }
    }

    fn make_room(
        &mut self,
        peer: Option<IpAddr>,
        settings: &Settings,
        counters: &Counters,
    ) -> bool {
        let capped = peer.filter(|ip| !ip.is_loopback() && !settings.trusted_proxies.contains(ip));
        let key = capped.map(cap_key);
        let of_peer = key
            .and_then(|key| self.per_ip.get(&key))
            .copied()
            .unwrap_or(0);
        let has_room = if of_peer >= settings.connections_per_ip {
            self.evict(key)
        } else if self.entries.len() - self.evicted >= settings.connections {
            self.evict(None)
        } else {
            return true;
        };
        if has_room {
            Counters::one_more(&counters.evicted);
        }
        has_room
    }
}

impl Slots {
    fn lock(&self) -> MutexGuard<'_, Table> {
        // Nothing panics while it holds the lock; if something ever did, the table would still be whole.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a new connection in, at the cost of a less useful one if need be.
    ///
    /// Gives the socket back if nobody can leave for it.
    pub(crate) fn admit(
        &self,
        socket: Socket,
        settings: &Settings,
        counters: &Counters,
    ) -> Result<Arc<Live>, Socket> {
        let peer = socket.peer();
        let mut table = self.lock();
        if table.killed || !table.make_room(peer, settings, counters) {
            return Err(socket);
        }
        let threads = settings.connections.saturating_add(LEAVING);
        if table.entries.len() >= threads {
            let waited = self
                .left
                .wait_timeout_while(table, LEAVING_WAIT, |table| table.entries.len() >= threads);
            table = waited.unwrap_or_else(PoisonError::into_inner).0;
            if table.entries.len() >= threads {
                return Err(socket);
            }
        }
        let id = table.next_id;
        table.next_id += 1;
        let live = Arc::new(Live {
            id,
            socket,
            peer,
            state: State::new(
                Phase::Fresh,
                monotonic_ms().saturating_add(settings.head_ms),
            ),
        });
        if let Some(ip) = peer {
            *table.per_ip.entry(cap_key(ip)).or_default() += 1;
        }
        let entry = Entry {
            live: Arc::clone(&live),
            evicted: false,
        };
        table.entries.insert(id, entry);
        Counters::one_more(&counters.connections);
        Ok(live)
    }

    /// Forgets a connection whose thread ends.
    pub(crate) fn leave(&self, live: Arc<Live>, counters: &Counters) {
        let mut table = self.lock();
        let entry = table.entries.remove(&live.id);
        match &entry {
            Some(entry) if entry.evicted => table.evicted -= 1,
            _ => table.forget_peer(live.peer),
        }
        drop(table);
        Counters::one_less(&counters.connections);
        // The descriptor is closed before anybody who waits for it looks.
        drop((entry, live));
        self.left.notify_all();
    }

    /// Makes room for a descriptor: evicts one connection and waits shortly until its thread has let go.
    pub(crate) fn evict_for_descriptor(&self, counters: &Counters) -> bool {
        let mut table = self.lock();
        let before = table.entries.len();
        if !table.evict(None) {
            return false;
        }
        Counters::one_more(&counters.evicted);
        let waited = self
            .left
            .wait_timeout_while(table, LEAVING_WAIT, |table| table.entries.len() >= before);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Cuts what is late, and once the server stops, what is idle.
    pub(crate) fn enforce(&self, counters: &Counters) {
        let now_ms = monotonic_ms();
        let table = self.lock();
        for entry in table.entries.values() {
            enforce_one(&entry.live, now_ms, table.stopped_at_ms, counters);
        }
    }

    /// Begins the stop: from now on idle connections are cut.
    pub(crate) fn stop(&self, counters: &Counters) {
        self.lock().stopped_at_ms.get_or_insert(monotonic_ms());
        self.enforce(counters);
    }

    /// Shuts all sockets at once, and lets nobody in any more.
    pub(crate) fn kill(&self) {
        let mut table = self.lock();
        table.killed = true;
        for entry in table.entries.values() {
            entry.live.socket.shutdown(Shutdown::Both);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().entries.is_empty()
    }

    /// Waits until all have left; says whether they have.
    pub(crate) fn wait_until_empty(&self, most: Duration) -> bool {
        let waited = self
            .left
            .wait_timeout_while(self.lock(), most, |table| !table.entries.is_empty());
        waited
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .entries
            .is_empty()
    }
}

fn enforce_one(live: &Live, now_ms: u64, stopped_at_ms: Option<u64>, counters: &Counters) {
    let seen = live.state.view();
    let idle = matches!(seen.phase, Phase::Idle | Phase::Fresh);
    let mut deadline_ms = seen.deadline_ms;
    if let Some(at_ms) = stopped_at_ms {
        if idle {
            // Reading only: a request that arrives in this very moment is still answered.
            if live.state.try_cut(seen, Cut::Stop) {
                live.socket.shutdown(Shutdown::Read);
            }
            return;
        }
        if seen.phase == Phase::Head {
            deadline_ms = deadline_ms.min(at_ms.saturating_add(STOP_HEAD_MS));
        }
    }
    if deadline_ms == NEVER || deadline_ms > now_ms || !live.state.try_cut(seen, Cut::Late) {
        return;
    }
    Counters::one_more(&counters.timeouts);
    live.socket.shutdown(match seen.phase {
        // The thread can still answer 408.
        Phase::Fresh | Phase::Idle | Phase::Head | Phase::Body => Shutdown::Read,
        Phase::Handling | Phase::Writing | Phase::Lingering => Shutdown::Both,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn an_ipv6_host_is_capped_by_its_network() {
        let key = |text: &str| cap_key(text.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1:2:3"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_ne!(key("10.0.0.1"), key("10.0.0.2"));
    }

    fn live(phase: Phase, deadline_ms: u64, peer: &str, listener: &TcpListener) -> Entry {
        let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let live = Arc::new(Live {
            id: deadline_ms,
            socket: Socket::Tcp(socket),
            peer: Some(peer.parse().unwrap()),
            state: State::new(phase, deadline_ms),
        });
        Entry {
            live,
            evicted: false,
        }
    }

    #[test]
    fn the_least_useful_connection_goes_first() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut table = Table::default();
        for (phase, deadline, peer) in [
            (Phase::Handling, NEVER, "10.0.0.1"),
            (Phase::Writing, 1, "10.0.0.1"),
            (Phase::Body, 2, "10.0.0.1"),
            (Phase::Head, 4, "10.0.0.1"),
            (Phase::Fresh, 3, "10.0.0.2"),
            (Phase::Idle, 9, "10.0.0.1"),
            (Phase::Idle, 8, "10.0.0.1"),
        ] {
            table
                .entries
                .insert(deadline, live(phase, deadline, peer, &listener));
            *table.per_ip.entry(peer.parse().unwrap()).or_default() += 1;
        }
        let gone = |table: &Table| {
            let mut ids: Vec<u64> = table
                .entries
                .values()
                .filter(|e| e.evicted)
                .map(|e| e.live.id)
                .collect();
            ids.sort_unstable();
            ids
        };
        assert!(table.evict(Some("10.0.0.2".parse().unwrap())));
        assert_eq!(gone(&table), [3], "the cap of an address hits that address");
        assert!(!table.evict(Some("10.0.0.2".parse().unwrap())));
        for expected in [&[3, 8][..], &[3, 8, 9], &[3, 4, 8, 9], &[2, 3, 4, 8, 9]] {
            assert!(table.evict(None));
            assert_eq!(gone(&table), expected);
        }
        assert!(!table.evict(None), "work in progress stays");
        assert_eq!(table.per_ip.len(), 1);
        assert_eq!(table.evicted, 5);
    }

    #[test]
    fn an_address_at_its_cap_loses_one_of_its_own_unless_it_is_exempt() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let counters = Counters::default();
        let mut settings = Settings {
            connections_per_ip: 1,
            ..Settings::default()
        };
        let peer: IpAddr = "10.0.0.1".parse().unwrap();
        let mut table = Table::default();
        table
            .entries
            .insert(1, live(Phase::Handling, 1, "10.0.0.1", &listener));
        table.per_ip.insert(peer, 1);
        assert!(
            !table.make_room(Some(peer), &settings, &counters),
            "its only one is busy"
        );
        assert!(table.make_room(Some("10.0.0.2".parse().unwrap()), &settings, &counters));
        assert!(
            table.make_room(None, &settings, &counters),
            "Unix sockets have no address"
        );
        settings.trusted_proxies.push(peer);
        assert!(table.make_room(Some(peer), &settings, &counters));
    }
}
