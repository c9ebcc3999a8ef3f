//! Percent-decoding, strict and once.

/// Appends the decoded text; returns false for a `%` without two hex digits and for what is not UTF-8.
pub(crate) fn decode_into(out: &mut String, text: &str, plus_is_space: bool) -> bool {
    if !text
        .bytes()
        .any(|byte| byte == b'%' || (plus_is_space && byte == b'+'))
    {
        out.push_str(text);
        return true;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'%' => {
                let [high, low, tail @ ..] = rest else {
                    return false;
                };
                let (Some(high), Some(low)) = (hex(*high), hex(*low)) else {
                    return false;
                };
                bytes.push(high << 4 | low);
                rest = tail;
            }
            b'+' if plus_is_space => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    match std::str::from_utf8(&bytes) {
        Ok(decoded) => {
            out.push_str(decoded);
            true
        }
        Err(_) => false,
    }
}

/// The value of a hex digit.
pub(crate) fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
