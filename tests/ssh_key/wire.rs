//! Builds key blobs byte by byte, good ones and broken ones.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A key's blob with the type name that stands in front of it.
#[derive(Clone)]
pub(crate) struct Blob {
    name: String,
    bytes: Vec<u8>,
}

impl Blob {
    /// Starts a blob of the type `name`.
    pub(crate) fn named(name: &str) -> Self {
        let empty = Self {
            name: name.to_owned(),
            bytes: Vec::new(),
        };
        empty.string(name.as_bytes())
    }

    /// Takes the blob out of a line.
    pub(crate) fn of_line(line: &str) -> Self {
        let mut words = line.split(' ');
        let name = words.next().expect("a line has a type").to_owned();
        let encoded = words.next().expect("a line has a base64 part");
        let bytes = STANDARD.decode(encoded).expect("a sample is good base64");
        Self { name, bytes }
    }

    /// Appends a string: length and bytes.
    pub(crate) fn string(mut self, bytes: &[u8]) -> Self {
        let length = u32::try_from(bytes.len()).expect("a test string is short");
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Appends a positive number, with the zero byte that its sign may need.
    pub(crate) fn number(self, bytes: &[u8]) -> Self {
        let mut signed = vec![0; usize::from(bytes[0] >= 0x80)];
        signed.extend_from_slice(bytes);
        self.string(&signed)
    }

    /// Appends bytes as they are.
    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Puts another type name in front, and leaves the inside alone.
    pub(crate) fn called(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Puts other bytes under the same name.
    pub(crate) fn with_bytes(&self, bytes: Vec<u8>) -> Self {
        let name = self.name.clone();
        Self { name, bytes }
    }

    /// The whole inside.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The string at `index`; 0 is the inner type name.
    pub(crate) fn field(&self, index: usize) -> &[u8] {
        let mut rest = self.bytes.as_slice();
        for _ in 0..index {
            rest = split(rest).1;
        }
        split(rest).0
    }

    /// The base64 part.
    pub(crate) fn base64(&self) -> String {
        STANDARD.encode(&self.bytes)
    }

    /// The line, without a comment.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.name, self.base64())
    }
}

fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (length, rest) = bytes.split_first_chunk::<4>().expect("a length");
    let length = usize::try_from(u32::from_be_bytes(*length)).expect("64 bits");
    rest.split_at(length)
}

/// An RSA blob with a modulus of `bits` bits that has no small factor.
pub(crate) fn rsa_of(bits: u32) -> Blob {
    let mut n = vec![0xa5; usize::try_from(bits.div_ceil(8)).expect("64 bits")];
    let top = (bits - 1) % 8;
    n[0] = 1 << top;
    let last = n.len() - 1;
    for low in (1..=u8::MAX).step_by(2) {
        n[last] = low;
        if (3..100)
            .step_by(2)
            .all(|divisor| remainder(&n, divisor) != 0)
        {
            return Blob::named("ssh-rsa").number(&[1, 0, 1]).number(&n);
        }
    }
    panic!("no modulus of {bits} bits without small factors nearby");
}

fn remainder(n: &[u8], divisor: u32) -> u32 {
    n.iter()
        .fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % divisor)
}

/// The base64 letter after `letter`: the same upper bits, another lowest one.
pub(crate) fn next_in_alphabet(letter: u8) -> u8 {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let at = ALPHABET.iter().position(|other| *other == letter);
    let at = at.expect("a letter of base64");
    ALPHABET[at ^ 1]
}
