//! Chunked bodies, decoded piece by piece.
//!
//! Pure: bytes in, bytes out, so a fuzz target runs it. Stricter than RFC 9112 7.1 in that blanks
//! around a size are refused: programs differ on them.

use super::percent::hex;
use super::settings::{CHUNK_LINE_BYTES, TRAILER_BYTES};

/// Most bytes of chunk-size lines beyond their sizes over a whole body.
///
/// Extensions carry no data, so without a total one byte of body could cost 250 of line.
const EXTENSION_BYTES: usize = 16 * 1_024;

/// A chunked body that breaks the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedChunk;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// In a size; the number of its digits so far.
    Size(u8),
    /// In an extension, which is skipped.
    Extension,
    /// After the CR of a size line.
    SizeLineFeed,
    Data,
    /// Before the CR after a chunk's data.
    DataReturn,
    DataLineFeed,
    /// At the start of a trailer line.
    Trailer,
    /// In a trailer's name, with at least one character.
    TrailerName,
    TrailerValue,
    TrailerLineFeed,
    /// After the CR of the empty line.
    LastLineFeed,
    Done,
}

/// A decoder in the middle of a body.
#[derive(Clone, Debug)]
pub struct Decoder {
    at: At,
    left: u64,
    line_bytes: usize,
    extension_bytes: usize,
    trailer_bytes: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// Returns a decoder at the start of a body.
    #[must_use]
    pub fn new() -> Self {
        Self {
            at: At::Size(0),
            left: 0,
            line_bytes: 0,
            extension_bytes: 0,
            trailer_bytes: 0,
        }
    }

    /// Says whether the body has come to its end.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.at == At::Done
    }

    /// Decodes from `input` into `out`; returns the bytes consumed and the bytes written.
    ///
    /// It stops when `input` is empty, `out` is full or the body is at its end, and consumes
    /// nothing beyond that end.
    ///
    /// # Errors
    ///
    /// Returns an error for bytes that no continuation can make well-formed.
    pub fn decode(
        &mut self,
        input: &[u8],
        out: &mut [u8],
    ) -> Result<(usize, usize), MalformedChunk> {
        let mut consumed = 0;
        let mut written = 0;
        while consumed < input.len() && self.at != At::Done {
            if self.at == At::Data {
                let wanted = usize::try_from(self.left).unwrap_or(usize::MAX);
                let step = wanted.min(input.len() - consumed).min(out.len() - written);
                if step == 0 {
                    break;
                }
                out[written..written + step].copy_from_slice(&input[consumed..consumed + step]);
                consumed += step;
                written += step;
                self.left -= step as u64;
                if self.left == 0 {
                    self.at = At::DataReturn;
                }
            } else {
                match self.step(input[consumed]) {
                    Ok(()) => consumed += 1,
                    // What came before is sound; the next call finds the error again.
                    Err(_) if written > 0 => break,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok((consumed, written))
    }

    fn step(&mut self, byte: u8) -> Result<(), MalformedChunk> {
        self.at = match (self.at, byte) {
            (At::Size(digits), b'\r') if digits > 0 => At::SizeLineFeed,
            (At::Size(digits), b';') if digits > 0 => self.extension()?,
            (At::Size(digits), _) => self.digit(digits, byte)?,
            (At::Extension, b'\r') => At::SizeLineFeed,
            (At::Extension, _) if is_text(byte) => self.extension()?,
            (At::SizeLineFeed, b'\n') => {
                self.line_bytes = 0;
                if self.left == 0 {
                    At::Trailer
                } else {
                    At::Data
                }
            }
            (At::DataReturn, b'\r') => At::DataLineFeed,
            (At::DataLineFeed, b'\n') => At::Size(0),
            (At::Trailer, b'\r') => At::LastLineFeed,
            (At::Trailer | At::TrailerName, _) if super::head::is_token(byte) => {
                self.trailer(At::TrailerName)?
            }
            (At::TrailerName, b':') => self.trailer(At::TrailerValue)?,
            (At::TrailerValue, b'\r') => At::TrailerLineFeed,
            (At::TrailerValue, _) if is_text(byte) => self.trailer(At::TrailerValue)?,
            (At::TrailerLineFeed, b'\n') => At::Trailer,
            (At::LastLineFeed, b'\n') => At::Done,
            _ => return Err(MalformedChunk),
        };
        Ok(())
    }

    fn digit(&mut self, digits: u8, byte: u8) -> Result<At, MalformedChunk> {
        // Sixteen digits fill 64 bits; more could only be zeros or an overflow.
        let value = hex(byte).filter(|_| digits < 16).ok_or(MalformedChunk)?;
        self.left = (self.left << 4) | u64::from(value);
        self.line_bytes += 1;
        Ok(At::Size(digits + 1))
    }

    fn extension(&mut self) -> Result<At, MalformedChunk> {
        self.line_bytes += 1;
        self.extension_bytes += 1;
        if self.line_bytes > CHUNK_LINE_BYTES || self.extension_bytes > EXTENSION_BYTES {
            return Err(MalformedChunk);
        }
        Ok(At::Extension)
    }

    fn trailer(&mut self, next: At) -> Result<At, MalformedChunk> {
        self.trailer_bytes += 1;
        if self.trailer_bytes > TRAILER_BYTES {
            return Err(MalformedChunk);
        }
        Ok(next)
    }
}

/// Says whether a byte may stand in a field value: no control character but the tab.
fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8], piece: usize) -> Result<(Vec<u8>, usize, bool), MalformedChunk> {
        let mut decoder = Decoder::new();
        let mut body = Vec::new();
        let mut at = 0;
        let mut out = [0; 3];
        while at < bytes.len() && !decoder.is_done() {
            let end = (at + piece).min(bytes.len());
            let (consumed, written) = decoder.decode(&bytes[at..end], &mut out)?;
            body.extend_from_slice(&out[..written]);
            at += consumed;
        }
        Ok((body, at, decoder.is_done()))
    }

    #[test]
    fn bodies_are_decoded_alike_however_they_are_cut() {
        let bytes = b"5\r\nhello\r\n00B;a=\"b\"\r\n world, yes\r\n0\r\nX-Sum: 1\r\n\r\nGET /";
        for piece in 1..bytes.len() {
            let (body, consumed, done) = decode(bytes, piece).unwrap();
            assert_eq!(body, b"hello world, yes", "pieces of {piece}");
            assert_eq!(
                (consumed, done),
                (bytes.len() - 5, true),
                "pieces of {piece}"
            );
        }
    }

    #[test]
    fn malformed_bodies_are_refused() {
        for bytes in [
            &b"\r\n"[..],
            b"g\r\n",
            b" 5\r\nhello\r\n",
            b"5 \r\nhello\r\n",
            b"0x5\r\n",
            b"-1\r\n",
            b"+5\r\n",
            b"5\nhello",
            b"5\r\nhelloX",
            b"5\r\nhello\n",
            b"5\r\nhello\rX",
            b"5;a\nb\r\n",
            b"5;a\0\r\n",
            b"00000000000000005\r\n",
            b"0\r\nbad trailer\r\n\r\n",
            b"0\r\n: x\r\n\r\n",
            b"0\r\n x: y\r\n\r\n",
            b"0\r\nx: y\n\r\n",
            b"0\r\n\n",
            b";a\r\n",
        ] {
            assert_eq!(
                decode(bytes, 99),
                Err(MalformedChunk),
                "{}",
                bytes.escape_ascii()
            );
        }
    }

    #[test]
    fn lines_extensions_and_trailers_have_limits() {
        let line = |length: usize| [b"1;".as_slice(), &vec![b'a'; length], b"\r\nx\r\n"].concat();
        assert!(decode(&line(CHUNK_LINE_BYTES - 2), 4_096).is_ok());
        assert_eq!(
            decode(&line(CHUNK_LINE_BYTES - 1), 4_096),
            Err(MalformedChunk)
        );
        assert_eq!(decode(&line(200).repeat(100), 4_096), Err(MalformedChunk));
        let trailer =
            |length: usize| [b"0\r\na:".as_slice(), &vec![b'a'; length], b"\r\n\r\n"].concat();
        assert!(decode(&trailer(TRAILER_BYTES - 2), 4_096).is_ok());
        assert_eq!(
            decode(&trailer(TRAILER_BYTES - 1), 9_999),
            Err(MalformedChunk)
        );
    }
}
