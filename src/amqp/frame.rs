//! Frames: a kind, a channel, bytes, and an end mark.

use super::fault::{FRAME_ERROR, Fault};

/// What a client says first: the protocol and its version.
pub const PREAMBLE: [u8; 8] = *b"AMQP\x00\x00\x09\x01";

/// The bytes of a frame before its content: kind, channel, length.
pub const HEAD_BYTES: usize = 7;

/// What ends a frame.
const END: u8 = 0xCE;

/// The bytes around a frame's content.
pub const OVERHEAD_BYTES: usize = HEAD_BYTES + 1;

/// The largest frame before a size is agreed on; the specification's.
pub const FRAME_MIN_BYTES: u32 = 4_096;

/// The largest frame that is offered: RabbitMQ's.
pub const FRAME_MAX_BYTES: u32 = 131_072;

/// The kinds of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A method.
    Method,
    /// The head of a content.
    Header,
    /// A piece of a content.
    Body,
    /// A sign of life.
    Heartbeat,
}

impl Kind {
    /// Reads the number on the wire.
    fn parse(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Method),
            2 => Some(Self::Header),
            3 => Some(Self::Body),
            8 => Some(Self::Heartbeat),
            _ => None,
        }
    }

    /// Returns the number on the wire.
    fn number(self) -> u8 {
        match self {
            Self::Method => 1,
            Self::Header => 2,
            Self::Body => 3,
            Self::Heartbeat => 8,
        }
    }
}

/// What stands before a frame's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The kind.
    pub kind: Kind,
    /// The channel; 0 is the connection itself.
    pub channel: u16,
    /// The bytes of the content.
    pub length: usize,
}

impl Head {
    /// Reads a head; a frame of more than `frame_max_bytes` in all is refused.
    pub fn parse(bytes: [u8; HEAD_BYTES], frame_max_bytes: u32) -> Result<Self, Fault> {
        let [kind, c1, c2, l1, l2, l3, l4] = bytes;
        let kind = Kind::parse(kind)
            .ok_or_else(|| Fault::new(FRAME_ERROR, "FRAME_ERROR - unknown kind of frame"))?;
        let length = u32::from_be_bytes([l1, l2, l3, l4]) as usize;
        if length + OVERHEAD_BYTES > frame_max_bytes as usize {
            let text = format!("FRAME_ERROR - a frame is larger than {frame_max_bytes} bytes");
            return Err(Fault::new(FRAME_ERROR, text));
        }
        Ok(Self {
            kind,
            channel: u16::from_be_bytes([c1, c2]),
            length,
        })
    }

    /// Tells whether bytes begin with a whole frame, of whatever kind.
    pub fn is_whole(bytes: &[u8]) -> bool {
        let head = bytes.first_chunk::<HEAD_BYTES>();
        head.is_some_and(|[_, _, _, l1, l2, l3, l4]| {
            let length = u32::from_be_bytes([*l1, *l2, *l3, *l4]) as usize;
            bytes.len() - HEAD_BYTES > length
        })
    }

    /// Checks what follows the content.
    pub fn check_end(mark: u8) -> Result<(), Fault> {
        if mark == END {
            Ok(())
        } else {
            Err(Fault::new(
                FRAME_ERROR,
                "FRAME_ERROR - a frame has no end mark",
            ))
        }
    }
}

/// Adds a frame to what is sent.
pub fn push(out: &mut Vec<u8>, kind: Kind, channel: u16, content: &[u8]) {
    out.push(kind.number());
    out.extend_from_slice(&channel.to_be_bytes());
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(content);
    out.push(END);
}
