//! Chunked bodies: decoded at once and byte by byte, with the same outcome.

#![no_main]

use elastane::http::chunked::{Decoder, MalformedChunk};
use libfuzzer_sys::fuzz_target;

/// Decodes in pieces; returns the body, the bytes consumed and whether it came to its end.
fn decode(
    bytes: &[u8],
    piece: usize,
    room: usize,
) -> (Vec<u8>, Result<(usize, bool), MalformedChunk>) {
    let mut decoder = Decoder::new();
    let mut body = Vec::new();
    let mut at = 0;
    let mut out = vec![0; room];
    while at < bytes.len() && !decoder.is_done() {
        let end = bytes.len().min(at.saturating_add(piece));
        match decoder.decode(&bytes[at..end], &mut out) {
            Ok((consumed, written)) => {
                assert!(consumed > 0, "no progress");
                assert!(written <= consumed);
                body.extend_from_slice(&out[..written]);
                at += consumed;
            }
            Err(error) => return (body, Err(error)),
        }
    }
    (body, Ok((at, decoder.is_done())))
}

fuzz_target!(|bytes: &[u8]| {
    let whole = decode(bytes, usize::MAX, bytes.len().max(1));
    assert_eq!(whole, decode(bytes, 1, 1));
    assert_eq!(whole, decode(bytes, 7, 3));
    if let Ok((consumed, true)) = whole.1 {
        assert!(bytes[..consumed].ends_with(b"\r\n\r\n") || bytes[..consumed].ends_with(b"\n\r\n"));
    }
});
