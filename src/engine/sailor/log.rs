//! What processes print: bunyan's lines of JSON, or anything else.

use serde_json::Value;

use crate::domain::run::LogLevel;

/// The longest text that is kept, in characters.
const TEXT_MAX_CHARS: usize = 4_096;

/// A line, read.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    /// How important it is.
    pub(super) level: LogLevel,
    /// What it says.
    pub(super) text: String,
    /// The message that it is about, by its id.
    pub(super) message_id: Option<String>,
    /// Whether the sailor says it, and not the component.
    pub(super) is_sailors: bool,
}

/// Reads a line; one that is no line of bunyan says itself, at the level of its stream.
pub(super) fn read(line: &[u8], level: LogLevel) -> Line {
    let plain = || Line {
        level,
        text: cut(&String::from_utf8_lossy(line)),
        message_id: None,
        is_sailors: false,
    };
    let Ok(Value::Object(members)) = serde_json::from_slice(line) else {
        return plain();
    };
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let Some(number) = members.get("level").and_then(Value::as_i64) else {
        return plain();
    };
    let mut said = text("msg").unwrap_or_default().to_owned();
    let error = members.get("err").and_then(|err| err.get("message"));
    if let Some(error) = error.and_then(Value::as_str)
        && !said.contains(error)
    {
        said = format!("{said}: {error}");
    }
    Line {
        level: level_of(number),
        text: cut(&said),
        message_id: text("messageId").map(str::to_owned),
        is_sailors: text("name") == Some("sailor"),
    }
}

/// Tells whether a line is what a sailor says of its own work, several times a message:
/// nobody wants it, so it is not even parsed.
pub(super) fn is_chatter(line: &[u8]) -> bool {
    let is_sailors = line.starts_with(b"{\"name\":\"sailor\"");
    is_sailors && find(line, b"\"level\":").is_some_and(|at| line[at..].starts_with(b"30,"))
}

/// Returns what follows the first place of a word.
fn find(line: &[u8], word: &[u8]) -> Option<usize> {
    let at = line.windows(word.len()).position(|window| window == word)?;
    Some(at + word.len())
}

/// Returns the level of a number of bunyan's.
fn level_of(number: i64) -> LogLevel {
    match number {
        ..=10 => LogLevel::Trace,
        11..=20 => LogLevel::Debug,
        21..=30 => LogLevel::Info,
        31..=40 => LogLevel::Warn,
        41..=50 => LogLevel::Error,
        _ => LogLevel::Fatal,
    }
}

/// Returns a text without its end where it is too long.
fn cut(text: &str) -> String {
    text.trim_end().chars().take(TEXT_MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_sailor_says_of_its_work_is_chatter_and_nothing_else() {
        let of = |name: &str, level: u8| {
            format!(r#"{{"name":"{name}","hostname":"h","level":{level},"msg":"x"}}"#)
        };
        assert!(is_chatter(of("sailor", 30).as_bytes()));
        for other in [of("sailor", 40), of("component", 30), "sailor".to_owned()] {
            assert!(!is_chatter(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn lines_of_bunyan_are_read_and_others_are_themselves() {
        let line = br#"{"name":"component","level":40,"msg":"low","messageId":"m","err":{"message":"disk"}}"#;
        let read_line = read(line, LogLevel::Info);
        assert_eq!(read_line.level, LogLevel::Warn);
        assert_eq!(read_line.text, "low: disk");
        assert_eq!(read_line.message_id.as_deref(), Some("m"));
        assert!(!read_line.is_sailors);
        for plain in ["hello", "{\"a\":1}", "{", "\u{fffd}"] {
            assert_eq!(read(plain.as_bytes(), LogLevel::Warn).text, plain);
            assert_eq!(read(plain.as_bytes(), LogLevel::Warn).level, LogLevel::Warn);
        }
    }
}
