//! Ways out of a sandbox without a network: sockets in the process's folder, behind which
//! are the server's own two ports and nothing else.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The most connections through the doors of one process: a sailor has two to the endpoint
/// and a few to the API.
const CONNECTIONS_MAX: usize = 32;

/// Doors that are open until this is dropped.
#[derive(Debug, Default)]
pub(super) struct Doors {
    paths: Vec<PathBuf>,
    is_closed: Arc<AtomicBool>,
}

impl Doors {
    /// Opens a door for each address, called `.port-` and its port.
    pub(super) fn open(folder: &Path, addresses: &[SocketAddr]) -> io::Result<Self> {
        let mut doors = Self::default();
        let count = Arc::new(AtomicUsize::new(0));
        for address in addresses {
            let path = folder.join(format!(".port-{}", address.port()));
            let listener = UnixListener::bind(&path)?;
            doors.paths.push(path);
            let (address, is_closed) = (*address, Arc::clone(&doors.is_closed));
            let count = Arc::clone(&count);
            crate::thread::spawn("sailor-door", None, move || {
                for stream in listener.incoming() {
                    if is_closed.load(Ordering::SeqCst) {
                        return;
                    }
                    let Ok(stream) = stream else { continue };
                    if count.fetch_add(1, Ordering::SeqCst) >= CONNECTIONS_MAX {
                        count.fetch_sub(1, Ordering::SeqCst);
                        continue;
                    }
                    let place = Place(Arc::clone(&count));
                    if let Err(error) = pass(&stream, address, place) {
                        tracing::debug!("a component's door leads nowhere: {error}");
                    }
                }
            })?;
        }
        Ok(doors)
    }
}

impl Drop for Doors {
    fn drop(&mut self) {
        self.is_closed.store(true, Ordering::SeqCst);
        for path in &self.paths {
            // Whoever waits there looks up.
            drop(UnixStream::connect(path));
        }
    }
}

/// One of the connections that there may be.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Passes bytes both ways until both sides have ended.
fn pass(inner: &UnixStream, address: SocketAddr, place: Place) -> io::Result<()> {
    let outer = TcpStream::connect(address)?;
    outer.set_nodelay(true)?;
    let (mut from, mut to) = (inner.try_clone()?, outer.try_clone()?);
    let (mut answer, mut back) = (outer, inner.try_clone()?);
    crate::thread::spawn("sailor-door-in", None, move || {
        let _end = io::copy(&mut from, &mut to);
        let _gone = to.shutdown(Shutdown::Write);
        drop(place);
    })?;
    crate::thread::spawn("sailor-door-out", None, move || {
        let _end = io::copy(&mut answer, &mut back);
        let _gone = back.shutdown(Shutdown::Both);
    })?;
    Ok(())
}
