//! Messages: their properties, as the head of a content holds them, and their bytes.

use serde_json::{Map, Value};

use super::fault::Fault;
use super::frame::{self, Kind, OVERHEAD_BYTES};
use super::method::{BASIC, Method};
use super::table;
use super::wire::{Reader, Writer};

/// What is known of a message besides its bytes; those that sailors use, and the others
/// are read over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Properties {
    /// The type of the bytes.
    pub content_type: Option<String>,
    /// How they are encoded.
    pub content_encoding: Option<String>,
    /// Headers.
    pub headers: Map<String, Value>,
    /// 2 where the message outlives a restart.
    pub delivery_mode: Option<u8>,
    /// How long it may wait, in milliseconds, as a text.
    pub expiration: Option<String>,
    /// Its id.
    pub message_id: Option<String>,
}

/// A message that a client published.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// The exchange.
    pub exchange: String,
    /// The key that says where it goes.
    pub routing_key: String,
    /// What is known of it.
    pub properties: Properties,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// A message for a consumer.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// What names it to the handler when it is settled.
    pub token: u64,
    /// The exchange that it seems to come from.
    pub exchange: String,
    /// Its key.
    pub routing_key: String,
    /// Whether it was delivered before.
    pub redelivered: bool,
    /// What is known of it.
    pub properties: Properties,
    /// Its bytes.
    pub body: Vec<u8>,
}

impl Properties {
    /// Reads the head of a content; returns the size of its bytes too.
    pub(super) fn parse(bytes: &[u8]) -> Result<(Self, u64), Fault> {
        let mut reader = Reader::new(bytes);
        let (class, _weight) = (reader.short()?, reader.short()?);
        if class != BASIC {
            return Err(Fault::malformed("a content is of no known class"));
        }
        let size = reader.long_long()?;
        let flags = reader.short()?;
        if flags & 1 != 0 {
            return Err(Fault::malformed("a content has too many properties"));
        }
        let has = |nth: u32| flags & (0x8000 >> nth) != 0;
        let mut found = Self::default();
        for nth in 0..14 {
            if !has(nth) {
                continue;
            }
            match nth {
                0 => found.content_type = Some(reader.short_text()?),
                1 => found.content_encoding = Some(reader.short_text()?),
                2 => found.headers = table::take(&mut reader)?,
                3 => found.delivery_mode = Some(reader.octet()?),
                4 => drop(reader.octet()?),
                7 => found.expiration = Some(reader.short_text()?),
                8 => found.message_id = Some(reader.short_text()?),
                9 => drop(reader.long_long()?),
                _ => drop(reader.short_text()?),
            }
        }
        if !reader.is_at_end() {
            return Err(Fault::malformed("bytes follow the properties"));
        }
        Ok((found, size))
    }

    /// Writes the head of a content.
    fn to_bytes(&self, size: u64) -> Vec<u8> {
        let mut flags = 0;
        let mut fields = Writer::default();
        if let Some(text) = &self.content_type {
            flags |= 0x8000;
            fields = fields.short_text(text);
        }
        if let Some(text) = &self.content_encoding {
            flags |= 0x4000;
            fields = fields.short_text(text);
        }
        flags |= 0x2000;
        fields = fields.raw(&table::write(&self.headers));
        if let Some(mode) = self.delivery_mode {
            flags |= 0x1000;
            fields = fields.octet(mode);
        }
        if let Some(text) = &self.expiration {
            flags |= 0x0100;
            fields = fields.short_text(text);
        }
        if let Some(text) = &self.message_id {
            flags |= 0x0080;
            fields = fields.short_text(text);
        }
        Writer::default()
            .short(BASIC)
            .short(0)
            .long_long(size)
            .short(flags)
            .raw(&fields.into_bytes())
            .into_bytes()
    }
}

impl Delivery {
    /// Adds the frames of the delivery on a channel to what is sent.
    pub(super) fn to_frames(
        &self,
        out: &mut Vec<u8>,
        channel: u16,
        consumer: &str,
        tag: u64,
        frame_max_bytes: u32,
    ) {
        let method = Method::deliver(
            consumer,
            tag,
            self.redelivered,
            &self.exchange,
            &self.routing_key,
        );
        out.reserve(self.body.len() + 1_024);
        frame::push(out, Kind::Method, channel, &method);
        let header = self.properties.to_bytes(self.body.len() as u64);
        frame::push(out, Kind::Header, channel, &header);
        for piece in self.body.chunks(frame_max_bytes as usize - OVERHEAD_BYTES) {
            frame::push(out, Kind::Body, channel, piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn properties_read_as_they_were_written() {
        let properties = Properties {
            content_type: Some("application/json".to_owned()),
            content_encoding: Some("utf8".to_owned()),
            headers: json!({ "messageId": "m", "start": 12 })
                .as_object()
                .cloned()
                .expect("an object"),
            delivery_mode: Some(2),
            expiration: Some("300".to_owned()),
            message_id: Some("id".to_owned()),
        };
        let bytes = properties.to_bytes(77);
        assert_eq!(Properties::parse(&bytes), Ok((properties, 77)));
        for end in 0..bytes.len() {
            assert!(Properties::parse(&bytes[..end]).is_err(), "cut at {end}");
        }
    }
}
