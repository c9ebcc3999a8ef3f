//! Numbers and texts as they stand in frames.

use super::fault::Fault;

/// The longest short text: its length is one byte.
pub(super) const SHORT_TEXT_MAX: usize = 255;

/// Reads what a frame holds, from its begin to its end.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Begins to read.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Tells whether everything was read.
    pub(super) fn is_at_end(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes so many bytes.
    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let Some((taken, rest)) = self.bytes.split_at_checked(count) else {
            return Err(Fault::malformed("a frame ends too early"));
        };
        self.bytes = rest;
        Ok(taken)
    }

    /// Takes an array of bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut taken = [0; N];
        taken.copy_from_slice(self.bytes(N)?);
        Ok(taken)
    }

    /// Takes one byte.
    pub(super) fn octet(&mut self) -> Result<u8, Fault> {
        Ok(self.array::<1>()?[0])
    }

    /// Takes a number of two bytes.
    pub(super) fn short(&mut self) -> Result<u16, Fault> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// Takes a number of four bytes.
    pub(super) fn long(&mut self) -> Result<u32, Fault> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// Takes a number of eight bytes.
    pub(super) fn long_long(&mut self) -> Result<u64, Fault> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// Takes a text of at most 255 bytes.
    pub(super) fn short_text(&mut self) -> Result<String, Fault> {
        let length = usize::from(self.octet()?);
        let bytes = self.bytes(length)?;
        let text = std::str::from_utf8(bytes);
        text.map(str::to_owned)
            .map_err(|_| Fault::malformed("a name is not UTF-8"))
    }

    /// Takes bytes behind a length of four bytes.
    pub(super) fn long_text(&mut self) -> Result<&'a [u8], Fault> {
        let length = self.long()? as usize;
        self.bytes(length)
    }
}

/// Writes what a frame holds.
#[derive(Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Begins a method.
    pub(super) fn method(class: u16, method: u16) -> Self {
        Self::default().short(class).short(method)
    }

    /// Adds one byte.
    pub(super) fn octet(mut self, value: u8) -> Self {
        self.bytes.push(value);
        self
    }

    /// Adds a number of two bytes.
    pub(super) fn short(mut self, value: u16) -> Self {
        self.bytes.extend_from_slice(&value.to_be_bytes());
        self
    }

    /// Adds a number of four bytes.
    pub(super) fn long(mut self, value: u32) -> Self {
        self.bytes.extend_from_slice(&value.to_be_bytes());
        self
    }

    /// Adds a number of eight bytes.
    pub(super) fn long_long(mut self, value: u64) -> Self {
        self.bytes.extend_from_slice(&value.to_be_bytes());
        self
    }

    /// Adds a text of at most 255 bytes; a longer one is cut between characters.
    pub(super) fn short_text(mut self, text: &str) -> Self {
        let cut = text.floor_char_boundary(SHORT_TEXT_MAX);
        self.bytes.push(u8::try_from(cut).unwrap_or(u8::MAX));
        self.bytes.extend_from_slice(&text.as_bytes()[..cut]);
        self
    }

    /// Adds bytes behind a length of four bytes.
    pub(super) fn long_text(mut self, bytes: &[u8]) -> Self {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Adds bytes as they are.
    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Returns what was written.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
