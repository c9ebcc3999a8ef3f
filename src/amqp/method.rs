//! The methods of `runtime.md 3.2`: those that clients send, read; those that the server
//! sends, written.

use serde_json::{Map, Value, json};

use super::fault::Fault;
use super::table;
use super::wire::{Reader, Writer};

/// The class of connections.
const CONNECTION: u16 = 10;
/// The class of channels.
const CHANNEL: u16 = 20;
/// The class of messages.
pub(super) const BASIC: u16 = 60;
/// The class of confirms.
const CONFIRM: u16 = 85;

/// A method that a client sends.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Method {
    /// Signs in.
    StartOk {
        mechanism: String,
        response: Vec<u8>,
    },
    /// Agrees on limits; 0 is "as offered", or "no limit".
    TuneOk { channel_max: u16, frame_max: u32 },
    /// Enters the one virtual host.
    Open,
    /// Ends the connection.
    Close,
    /// Agrees that the connection ends.
    CloseOk,
    /// Opens a channel.
    ChannelOpen,
    /// Ends a channel.
    ChannelClose,
    /// Agrees that a channel ends.
    ChannelCloseOk,
    /// Wants its messages confirmed.
    ConfirmSelect { no_wait: bool },
    /// Says how many unsettled messages it takes.
    Qos { prefetch: u16 },
    /// Wants the messages of a queue.
    Consume {
        queue: String,
        tag: String,
        no_ack: bool,
        no_wait: bool,
    },
    /// Wants no more of them.
    Cancel { tag: String, no_wait: bool },
    /// Sends a message, whose content follows.
    Publish {
        exchange: String,
        routing_key: String,
    },
    /// Is done with messages.
    Ack { tag: u64, multiple: bool },
    /// Will not have messages.
    Reject {
        tag: u64,
        multiple: bool,
        requeue: bool,
    },
}

impl Method {
    /// Reads a method.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let mut reader = Reader::new(bytes);
        let (class, number) = (reader.short()?, reader.short()?);
        let method = match class {
            CONNECTION => Self::of_connection(number, &mut reader),
            CHANNEL => Self::of_channel(number, &mut reader),
            BASIC => Self::of_basic(number, &mut reader),
            CONFIRM if number == 10 => Ok(Self::ConfirmSelect {
                no_wait: reader.octet()? & 1 != 0,
            }),
            _ => Err(Fault::not_implemented(class, number)),
        };
        method.map_err(|fault| fault.caused_by(class, number))
    }

    /// Reads a method of connections.
    fn of_connection(number: u16, reader: &mut Reader<'_>) -> Result<Self, Fault> {
        Ok(match number {
            11 => {
                table::take(reader)?;
                let mechanism = reader.short_text()?;
                let response = reader.long_text()?.to_vec();
                reader.short_text()?;
                Self::StartOk {
                    mechanism,
                    response,
                }
            }
            31 => {
                let (channel_max, frame_max) = (reader.short()?, reader.long()?);
                reader.short()?;
                Self::TuneOk {
                    channel_max,
                    frame_max,
                }
            }
            40 => {
                reader.short_text()?;
                Self::Open
            }
            50 => Self::Close,
            51 => Self::CloseOk,
            _ => return Err(Fault::not_implemented(CONNECTION, number)),
        })
    }

    /// Reads a method of channels.
    fn of_channel(number: u16, reader: &mut Reader<'_>) -> Result<Self, Fault> {
        Ok(match number {
            10 => {
                reader.short_text()?;
                Self::ChannelOpen
            }
            40 => Self::ChannelClose,
            41 => Self::ChannelCloseOk,
            _ => return Err(Fault::not_implemented(CHANNEL, number)),
        })
    }

    /// Reads a method of messages.
    fn of_basic(number: u16, reader: &mut Reader<'_>) -> Result<Self, Fault> {
        Ok(match number {
            10 => {
                let (_size, prefetch) = (reader.long()?, reader.short()?);
                reader.octet()?;
                Self::Qos { prefetch }
            }
            20 => {
                reader.short()?;
                let (queue, tag) = (reader.short_text()?, reader.short_text()?);
                let flags = reader.octet()?;
                table::take(reader)?;
                Self::Consume {
                    queue,
                    tag,
                    no_ack: flags & 2 != 0,
                    no_wait: flags & 8 != 0,
                }
            }
            30 => Self::Cancel {
                tag: reader.short_text()?,
                no_wait: reader.octet()? & 1 != 0,
            },
            40 => {
                reader.short()?;
                let (exchange, routing_key) = (reader.short_text()?, reader.short_text()?);
                reader.octet()?;
                Self::Publish {
                    exchange,
                    routing_key,
                }
            }
            80 => Self::Ack {
                tag: reader.long_long()?,
                multiple: reader.octet()? & 1 != 0,
            },
            90 => Self::Reject {
                tag: reader.long_long()?,
                multiple: false,
                requeue: reader.octet()? & 1 != 0,
            },
            // No sailor sends it, but clients take confirms for missing where it is not served.
            120 => {
                let (tag, flags) = (reader.long_long()?, reader.octet()?);
                Self::Reject {
                    tag,
                    multiple: flags & 1 != 0,
                    requeue: flags & 2 != 0,
                }
            }
            _ => return Err(Fault::not_implemented(BASIC, number)),
        })
    }

    /// `connection.start`: who we are, and how to sign in.
    pub(super) fn start() -> Vec<u8> {
        let about = json!({
            "product": "Elastane",
            "version": env!("CARGO_PKG_VERSION"),
            "capabilities": {
                "publisher_confirms": true,
                "basic.nack": true,
                "authentication_failure_close": true,
                "per_consumer_qos": true,
                "consumer_cancel_notify": false,
            },
        });
        let about: Map<String, Value> = about.as_object().cloned().unwrap_or_default();
        Writer::method(CONNECTION, 10)
            .octet(0)
            .octet(9)
            .raw(&table::write(&about))
            .long_text(b"PLAIN")
            .long_text(b"en_US")
            .into_bytes()
    }

    /// `connection.tune`: the limits, and no heartbeat, since loopback tells of a death.
    pub(super) fn tune(channel_max: u16, frame_max: u32) -> Vec<u8> {
        Writer::method(CONNECTION, 30)
            .short(channel_max)
            .long(frame_max)
            .short(0)
            .into_bytes()
    }

    /// `connection.open-ok`.
    pub(super) fn open_ok() -> Vec<u8> {
        Writer::method(CONNECTION, 41).short_text("").into_bytes()
    }

    /// `connection.close`.
    pub(super) fn close(fault: &Fault) -> Vec<u8> {
        closing(Writer::method(CONNECTION, 50), fault)
    }

    /// `connection.close-ok`.
    pub(super) fn close_ok() -> Vec<u8> {
        Writer::method(CONNECTION, 51).into_bytes()
    }

    /// `channel.open-ok`.
    pub(super) fn channel_open_ok() -> Vec<u8> {
        Writer::method(CHANNEL, 11).long_text(b"").into_bytes()
    }

    /// `channel.close`.
    pub(super) fn channel_close(fault: &Fault) -> Vec<u8> {
        closing(Writer::method(CHANNEL, 40), fault)
    }

    /// `channel.close-ok`.
    pub(super) fn channel_close_ok() -> Vec<u8> {
        Writer::method(CHANNEL, 41).into_bytes()
    }

    /// `confirm.select-ok`.
    pub(super) fn confirm_select_ok() -> Vec<u8> {
        Writer::method(CONFIRM, 11).into_bytes()
    }

    /// `basic.qos-ok`.
    pub(super) fn qos_ok() -> Vec<u8> {
        Writer::method(BASIC, 11).into_bytes()
    }

    /// `basic.consume-ok`.
    pub(super) fn consume_ok(tag: &str) -> Vec<u8> {
        Writer::method(BASIC, 21).short_text(tag).into_bytes()
    }

    /// `basic.cancel-ok`.
    pub(super) fn cancel_ok(tag: &str) -> Vec<u8> {
        Writer::method(BASIC, 31).short_text(tag).into_bytes()
    }

    /// `basic.deliver`.
    pub(super) fn deliver(
        consumer: &str,
        tag: u64,
        redelivered: bool,
        exchange: &str,
        routing_key: &str,
    ) -> Vec<u8> {
        Writer::method(BASIC, 60)
            .short_text(consumer)
            .long_long(tag)
            .octet(u8::from(redelivered))
            .short_text(exchange)
            .short_text(routing_key)
            .into_bytes()
    }

    /// `basic.ack`: a message was taken over.
    pub(super) fn ack(tag: u64) -> Vec<u8> {
        Writer::method(BASIC, 80)
            .long_long(tag)
            .octet(0)
            .into_bytes()
    }

    /// `basic.nack`: a message could not be taken over.
    pub(super) fn nack(tag: u64) -> Vec<u8> {
        Writer::method(BASIC, 120)
            .long_long(tag)
            .octet(0)
            .into_bytes()
    }
}

/// Writes why something is closed.
fn closing(writer: Writer, fault: &Fault) -> Vec<u8> {
    writer
        .short(fault.code)
        .short_text(&fault.text)
        .short(fault.method.0)
        .short(fault.method.1)
        .into_bytes()
}
