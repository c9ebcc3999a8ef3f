//! The bytes that have come but are not consumed yet.

use std::io;

use super::counters::Counters;
use super::server::Shared;
use super::slots::Live;

/// First size of a connection's buffer in bytes: an ordinary head fits twice.
const START_BYTES: usize = 2 * 1_024;

/// How a read came to nothing.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// Somebody cut the connection.
    Cut,
    /// The socket failed.
    Failed,
}

/// A connection and the server that it belongs to: what each layer needs to read and write.
#[derive(Clone, Copy)]
pub(crate) struct Wire<'w> {
    pub(crate) shared: &'w Shared,
    pub(crate) live: &'w Live,
}

impl Wire<'_> {
    /// Reads once, and says zero at the end of the input.
    ///
    /// A cut wins over bytes that came too late: a socket that is shut for reading still hands out
    /// what drips in.
    pub(crate) fn read(&self, into: &mut [u8]) -> Result<usize, Stopped> {
        let outcome = self.live.socket.read(into);
        if self.live.state.cut().is_some() {
            return Err(Stopped::Cut);
        }
        let read = outcome.map_err(|_| Stopped::Failed)?;
        Counters::add(&self.shared.counters.bytes_in, read as u64);
        Ok(read)
    }
}

/// A buffer that grows to the longest head and never beyond.
#[derive(Debug)]
pub(crate) struct Input {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    most: usize,
}

impl Input {
    pub(crate) fn new(most: usize) -> Self {
        let most = most.max(START_BYTES);
        Self {
            buffer: vec![0; START_BYTES],
            start: 0,
            end: 0,
            most,
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Returns room at the end, after moving or growing what is there.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if self.start > 0 && self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() && self.end < self.most {
            self.buffer.resize((self.end * 2).min(self.most), 0);
        }
        &mut self.buffer[self.end..]
    }

    pub(crate) fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.buffer.len());
    }

    /// Reads once into the room, cut or not: what an idle connection got before it was cut still counts.
    pub(crate) fn fill_even_if_cut(&mut self, wire: Wire<'_>) -> io::Result<usize> {
        let read = wire.live.socket.read(self.room())?;
        Counters::add(&wire.shared.counters.bytes_in, read as u64);
        self.filled(read);
        Ok(read)
    }

    /// Reads once into the room; zero means that the input has ended.
    pub(crate) fn fill(&mut self, wire: Wire<'_>) -> Result<usize, Stopped> {
        let read = wire.read(self.room())?;
        self.filled(read);
        Ok(read)
    }
}
