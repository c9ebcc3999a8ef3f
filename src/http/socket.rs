//! A connected socket, TCP or Unix, that several threads may hold.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::os::unix::net::UnixStream;

use rustix::io::Errno;
use rustix::net::{SendFlags, send};

/// A connected socket. Reading and writing need only a shared reference, as the guard shuts it down from aside.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    pub(crate) fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let outcome = match self {
                Self::Tcp(stream) => (&mut &*stream).read(into),
                Self::Unix(stream) => (&mut &*stream).read(into),
            };
            match outcome {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let outcome = match self {
                Self::Tcp(stream) => (&mut &*stream).write(bytes),
                Self::Unix(stream) => (&mut &*stream).write(bytes),
            };
            match outcome {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    /// Hands over as many bytes as there is room for, without waiting; 0 where there is none.
    ///
    /// With `more`, what comes next is sent along with them: the client is woken once.
    pub(crate) fn write_at_once(&self, bytes: &[u8], more: bool) -> io::Result<usize> {
        let mut flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        flags.set(SendFlags::MORE, more);
        loop {
            let outcome = match self {
                Self::Tcp(stream) => send(stream, bytes, flags),
                Self::Unix(stream) => send(stream, bytes, flags),
            };
            match outcome {
                Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) => return Ok(0),
                other => return Ok(other?),
            }
        }
    }

    /// Shuts one or both directions. A socket that is already gone is no error here.
    pub(crate) fn shutdown(&self, how: Shutdown) {
        let _gone = match self {
            Self::Tcp(stream) => stream.shutdown(how),
            Self::Unix(stream) => stream.shutdown(how),
        };
    }

    /// Makes closing tell the client that the answer is not whole, by a reset instead of an end.
    pub(crate) fn reset_on_close(&self) {
        if let Self::Tcp(stream) = self {
            let _gone = socket2::SockRef::from(stream).set_linger(Some(std::time::Duration::ZERO));
        }
    }

    pub(crate) fn set_nonblocking(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_nonblocking(true),
            Self::Unix(stream) => stream.set_nonblocking(true),
        }
    }

    /// The address of the other end; `None` for Unix sockets and for one that has gone.
    pub(crate) fn peer(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp(stream) => Some(stream.peer_addr().ok()?.ip().to_canonical()),
            Self::Unix(_) => None,
        }
    }
}
