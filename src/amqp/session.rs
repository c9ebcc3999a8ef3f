//! What a connection has agreed on, and what its frames do. It knows no socket.

use std::collections::HashMap;
use std::sync::Arc;

use super::consumer::{Channel, Confirm, Consumer};
use super::fault::{
    ACCESS_REFUSED, CHANNEL_ERROR, CONTENT_TOO_LARGE, Fault, NOT_ALLOWED, NOT_IMPLEMENTED,
    PRECONDITION_FAILED, RESOURCE_ERROR,
};
use super::frame::{self, FRAME_MAX_BYTES, FRAME_MIN_BYTES, Kind};
use super::handler::{ClientId, Handler, Settlement};
use super::message::{Properties, Published};
use super::method::Method;
use super::outbox::Outbox;

/// The most channels of a connection: a sailor opens one or two.
const CHANNELS_MAX: u16 = 16;

/// The most consumers of a channel: a sailor has one.
const CONSUMERS_MAX: usize = 16;

/// The largest message in bytes: the sailor's own limit (`runtime.md 4.9`) with its
/// encoding, and half as much again for what a component is told to allow.
pub(super) const BODY_MAX_BYTES: u64 = 16 * 1024 * 1024;

/// The most that is held to be done together, in messages and in bytes: more gains
/// nothing, and keeps the first one waiting.
const TOGETHER_MAX: (usize, usize) = (64, 1024 * 1024);

/// What a client did that is done together with what follows it.
enum Deed {
    Published(Box<Published>, Confirm),
    Settled(u64, Settlement),
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Starting,
    Tuning,
    Opening,
    Open,
    /// The server said that it ends; the client has to agree.
    Closing,
    Closed,
}

/// A channel with what comes in on it.
struct Lane {
    shared: Arc<Channel>,
    prefetch: u16,
    /// The number of the next published message, where they are confirmed.
    publishes: Option<u64>,
    consumers: usize,
    incoming: Option<Incoming>,
    /// Closed by the server; what comes before the client agrees is read over.
    is_closing: bool,
}

/// A message whose content is not complete.
struct Incoming {
    exchange: String,
    routing_key: String,
    head: Option<(Properties, u64)>,
    body: Vec<u8>,
}

/// One connection.
pub(super) struct Session<'a> {
    handler: &'a dyn Handler,
    outbox: Arc<Outbox>,
    stage: Stage,
    client: Option<ClientId>,
    frame_max_bytes: u32,
    lanes: HashMap<u16, Lane>,
    tags_made: u64,
    deeds: Vec<Deed>,
    /// The bytes of the messages among them.
    deeds_bytes: usize,
}

impl<'a> Session<'a> {
    /// Begins with a client whose preamble was right.
    pub(super) fn begin(handler: &'a dyn Handler, outbox: Arc<Outbox>) -> Self {
        let session = Self {
            handler,
            outbox,
            stage: Stage::Starting,
            client: None,
            frame_max_bytes: FRAME_MIN_BYTES,
            lanes: HashMap::new(),
            tags_made: 0,
            deeds: Vec::new(),
            deeds_bytes: 0,
        };
        session.send(&Method::start());
        session
    }

    /// Returns the largest frame that may come now.
    pub(super) fn frame_max_bytes(&self) -> u32 {
        self.frame_max_bytes
    }

    /// Tells whether the client is in.
    pub(super) fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }

    /// Tells whether nothing more comes.
    pub(super) fn is_closed(&self) -> bool {
        self.stage == Stage::Closed
    }

    /// Sends a method of the connection.
    fn send(&self, method: &[u8]) {
        let mut bytes = Vec::new();
        frame::push(&mut bytes, Kind::Method, 0, method);
        self.outbox.send(bytes);
    }

    /// Takes a frame.
    pub(super) fn take(&mut self, kind: Kind, channel: u16, content: &[u8]) {
        if self.stage == Stage::Closing {
            let ends = kind == Kind::Method
                && channel == 0
                && matches!(Method::parse(content), Ok(Method::CloseOk | Method::Close));
            if ends {
                self.stage = Stage::Closed;
            }
            return;
        }
        let taken = match kind {
            Kind::Heartbeat if channel == 0 => Ok(()),
            Kind::Heartbeat => Err(Fault::unexpected("a heartbeat on a channel")),
            Kind::Method if channel == 0 => self.connection_method(content),
            _ if self.stage != Stage::Open => Err(Fault::unexpected("the connection is not open")),
            Kind::Method => self.channel_method(channel, content),
            Kind::Header => self.content_head(channel, content),
            Kind::Body => self.content_body(channel, content),
        };
        if let Err(fault) = taken {
            self.fail(channel, &fault);
        }
        if self.deeds.len() >= TOGETHER_MAX.0 || self.deeds_bytes >= TOGETHER_MAX.1 {
            self.flush();
        }
    }

    /// Hands over what was held to be done together.
    pub(super) fn flush(&mut self) {
        self.deeds_bytes = 0;
        let Some(client) = self.client.filter(|_| !self.deeds.is_empty()) else {
            return;
        };
        let (mut published, mut settled) = (Vec::new(), Vec::new());
        for deed in std::mem::take(&mut self.deeds) {
            match deed {
                Deed::Published(message, confirm) => {
                    if !settled.is_empty() {
                        self.handler
                            .settle_all(client, std::mem::take(&mut settled));
                    }
                    published.push((*message, confirm));
                }
                Deed::Settled(token, how) => {
                    if !published.is_empty() {
                        let published = std::mem::take(&mut published);
                        self.handler.publish_all(client, published);
                    }
                    settled.push((token, how));
                }
            }
        }
        if !published.is_empty() {
            self.handler.publish_all(client, published);
        }
        if !settled.is_empty() {
            self.handler.settle_all(client, settled);
        }
    }

    /// Closes a channel or the connection.
    pub(super) fn fail(&mut self, channel: u16, fault: &Fault) {
        if matches!(self.stage, Stage::Closing | Stage::Closed) {
            return;
        }
        tracing::debug!(target: "amqp", "closing: {fault}");
        self.flush();
        if fault.ends_channel_only && channel != 0 {
            self.end_lane(channel);
            if let Some(lane) = self.lanes.get_mut(&channel) {
                lane.is_closing = true;
                lane.shared.send(&Method::channel_close(fault));
            }
            return;
        }
        self.send(&Method::close(fault));
        self.stage = Stage::Closing;
        self.end_lanes();
    }

    /// Ends everything: the socket is gone, or the server ends.
    pub(super) fn end(&mut self) {
        self.stage = Stage::Closed;
        self.flush();
        self.end_lanes();
        self.outbox.close();
    }

    /// Gives everything back that is unsettled.
    fn end_lanes(&mut self) {
        let channels: Vec<u16> = self.lanes.keys().copied().collect();
        for channel in channels {
            self.end_lane(channel);
        }
    }

    /// Gives back what is unsettled on a channel.
    fn end_lane(&mut self, channel: u16) {
        let (Some(lane), Some(client)) = (self.lanes.get_mut(&channel), self.client) else {
            return;
        };
        lane.incoming = None;
        let (queues, tokens) = lane.shared.close();
        for queue in queues {
            self.handler.cancelled(client, &queue);
        }
        for token in tokens {
            self.handler.settle(client, token, Settlement::Returned);
        }
    }

    /// Does a method of the connection.
    fn connection_method(&mut self, content: &[u8]) -> Result<(), Fault> {
        self.flush();
        match (self.stage, Method::parse(content)?) {
            (
                Stage::Starting,
                Method::StartOk {
                    mechanism,
                    response,
                },
            ) => {
                self.client = Some(self.sign_in(&mechanism, &response)?);
                self.send(&Method::tune(CHANNELS_MAX, FRAME_MAX_BYTES));
                self.stage = Stage::Tuning;
            }
            (
                Stage::Tuning,
                Method::TuneOk {
                    channel_max,
                    frame_max,
                },
            ) => {
                self.frame_max_bytes = match frame_max {
                    0 => FRAME_MAX_BYTES,
                    size if !(FRAME_MIN_BYTES..=FRAME_MAX_BYTES).contains(&size) => {
                        return Err(Fault::new(NOT_ALLOWED, "NOT_ALLOWED - frame_max"));
                    }
                    size => size,
                };
                if channel_max > CHANNELS_MAX {
                    return Err(Fault::new(NOT_ALLOWED, "NOT_ALLOWED - channel_max"));
                }
                self.stage = Stage::Opening;
            }
            (Stage::Opening, Method::Open) => {
                self.send(&Method::open_ok());
                self.stage = Stage::Open;
            }
            (_, Method::Close) => {
                self.end_lanes();
                self.send(&Method::close_ok());
                self.stage = Stage::Closed;
            }
            _ => return Err(Fault::unexpected("this method can't come now")),
        }
        Ok(())
    }

    /// Lets the client in: PLAIN, which is `\0user\0password`.
    fn sign_in(&self, mechanism: &str, response: &[u8]) -> Result<ClientId, Fault> {
        let refused = || Fault::new(ACCESS_REFUSED, "ACCESS_REFUSED - wrong credentials");
        if mechanism != "PLAIN" {
            return Err(refused());
        }
        let text = std::str::from_utf8(response).map_err(|_| refused())?;
        let mut parts = text.split('\0');
        let (Some(_identity), Some(user), Some(password), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(refused());
        };
        self.handler.sign_in(user, password).ok_or_else(refused)
    }

    /// Does a method on a channel.
    fn channel_method(&mut self, number: u16, content: &[u8]) -> Result<(), Fault> {
        let method = Method::parse(content)?;
        let is_held = matches!(
            method,
            Method::Publish { .. } | Method::Ack { .. } | Method::Reject { .. }
        );
        if !is_held {
            self.flush();
        }
        if method == Method::ChannelOpen {
            return self.open_channel(number);
        }
        let Some(lane) = self.lanes.get_mut(&number) else {
            return Err(Fault::new(
                CHANNEL_ERROR,
                "CHANNEL_ERROR - the channel is not open",
            ));
        };
        if lane.is_closing {
            match method {
                Method::ChannelCloseOk => drop(self.lanes.remove(&number)),
                Method::ChannelClose => {
                    lane.shared.send(&Method::channel_close_ok());
                    self.lanes.remove(&number);
                }
                _ => {}
            }
            return Ok(());
        }
        if lane.incoming.is_some() {
            return Err(Fault::unexpected("a content is not complete"));
        }
        match method {
            Method::ChannelClose => {
                lane.shared.send(&Method::channel_close_ok());
                self.end_lane(number);
                self.lanes.remove(&number);
                Ok(())
            }
            Method::ConfirmSelect { no_wait } => {
                lane.publishes.get_or_insert(0);
                if !no_wait {
                    lane.shared.send(&Method::confirm_select_ok());
                }
                Ok(())
            }
            Method::Qos { prefetch } => {
                lane.prefetch = prefetch;
                lane.shared.send(&Method::qos_ok());
                Ok(())
            }
            Method::Publish {
                exchange,
                routing_key,
            } => {
                lane.incoming = Some(Incoming {
                    exchange,
                    routing_key,
                    head: None,
                    body: Vec::new(),
                });
                Ok(())
            }
            other => self.consumer_method(number, other),
        }
    }

    /// Opens a channel.
    fn open_channel(&mut self, number: u16) -> Result<(), Fault> {
        if number > CHANNELS_MAX || self.lanes.contains_key(&number) {
            let text = "CHANNEL_ERROR - the channel is open already, or has too high a number";
            return Err(Fault::new(CHANNEL_ERROR, text));
        }
        let shared = Channel::new(number, self.frame_max_bytes, Arc::clone(&self.outbox));
        shared.send(&Method::channel_open_ok());
        let lane = Lane {
            shared: Arc::new(shared),
            prefetch: 0,
            publishes: None,
            consumers: 0,
            incoming: None,
            is_closing: false,
        };
        self.lanes.insert(number, lane);
        Ok(())
    }

    /// Does what consumers do.
    fn consumer_method(&mut self, number: u16, method: Method) -> Result<(), Fault> {
        let (Some(lane), Some(client)) = (self.lanes.get_mut(&number), self.client) else {
            return Ok(());
        };
        match method {
            Method::Consume {
                queue,
                tag,
                no_ack,
                no_wait,
            } => {
                if no_ack {
                    let text = "NOT_IMPLEMENTED - messages have to be acknowledged";
                    return Err(Fault::new(NOT_IMPLEMENTED, text));
                }
                self.tags_made += 1;
                let tag = if tag.is_empty() {
                    format!("consumer-{number}-{}", self.tags_made)
                } else {
                    tag
                };
                consume(self.handler, client, lane, &queue, &tag, no_wait)
            }
            Method::Cancel { tag, no_wait } => {
                if let Some((queue, waiting)) = lane.shared.unsubscribe(&tag) {
                    lane.consumers -= 1;
                    self.handler.cancelled(client, &queue);
                    for token in waiting {
                        self.handler.settle(client, token, Settlement::Returned);
                    }
                }
                if !no_wait {
                    lane.shared.send(&Method::cancel_ok(&tag));
                }
                Ok(())
            }
            Method::Ack { tag, multiple } => {
                settle(&mut self.deeds, lane, (tag, multiple), Settlement::Acked)
            }
            Method::Reject {
                tag,
                multiple,
                requeue,
            } => settle(
                &mut self.deeds,
                lane,
                (tag, multiple),
                Settlement::Rejected { requeue },
            ),
            _ => Err(Fault::unexpected("this method can't come on a channel")),
        }
    }

    /// Takes the head of a content.
    fn content_head(&mut self, number: u16, content: &[u8]) -> Result<(), Fault> {
        let Some(lane) = self.lanes.get_mut(&number) else {
            return Err(Fault::unexpected("a content on a channel that is not open"));
        };
        if lane.is_closing {
            return Ok(());
        }
        let incoming = lane.incoming.as_mut().filter(|it| it.head.is_none());
        let incoming = incoming.ok_or_else(|| Fault::unexpected("a content without a method"))?;
        let (properties, size) = Properties::parse(content)?;
        if size > BODY_MAX_BYTES {
            let text = format!("CONTENT_TOO_LARGE - a message has at most {BODY_MAX_BYTES} bytes");
            return Err(Fault::new(CONTENT_TOO_LARGE, text).of_channel());
        }
        incoming.head = Some((properties, size));
        self.publish_if_complete(number);
        Ok(())
    }

    /// Takes a piece of a content.
    fn content_body(&mut self, number: u16, content: &[u8]) -> Result<(), Fault> {
        let held: usize = self.lanes.values().map(Lane::held_bytes).sum();
        let Some(lane) = self.lanes.get_mut(&number) else {
            return Err(Fault::unexpected("a content on a channel that is not open"));
        };
        if lane.is_closing {
            return Ok(());
        }
        let incoming = lane.incoming.as_mut();
        let Some((incoming, size)) = incoming.and_then(|it| {
            let size = it.head.as_ref()?.1;
            Some((it, size))
        }) else {
            return Err(Fault::unexpected("a piece of no content"));
        };
        if (incoming.body.len() + content.len()) as u64 > size {
            return Err(Fault::unexpected("a content is longer than its head says"));
        }
        if (held + content.len()) as u64 > 2 * BODY_MAX_BYTES {
            let text = "RESOURCE_ERROR - too much is sent on all channels at once";
            return Err(Fault::new(RESOURCE_ERROR, text));
        }
        incoming.body.extend_from_slice(content);
        self.publish_if_complete(number);
        Ok(())
    }

    /// Hands a message over whose content is complete.
    fn publish_if_complete(&mut self, number: u16) {
        let Some(lane) = self.lanes.get_mut(&number) else {
            return;
        };
        let is_complete = lane.incoming.as_ref().is_some_and(|incoming| {
            let head = incoming.head.as_ref();
            head.is_some_and(|(_, size)| incoming.body.len() as u64 == *size)
        });
        if !is_complete {
            return;
        }
        let Some(Incoming {
            exchange,
            routing_key,
            head: Some((properties, _)),
            body,
        }) = lane.incoming.take()
        else {
            return;
        };
        let channel = lane.publishes.as_mut().map(|count| {
            *count += 1;
            (Arc::clone(&lane.shared), *count)
        });
        let message = Published {
            exchange,
            routing_key,
            properties,
            body,
        };
        self.deeds_bytes += message.body.len();
        self.deeds
            .push(Deed::Published(Box::new(message), Confirm { channel }));
    }
}

impl Lane {
    /// Returns the bytes that are held of a content that is not complete.
    fn held_bytes(&self) -> usize {
        self.incoming.as_ref().map_or(0, |it| it.body.len())
    }
}

/// Adds a consumer and hands it over.
fn consume(
    handler: &dyn Handler,
    client: ClientId,
    lane: &mut Lane,
    queue: &str,
    tag: &str,
    no_wait: bool,
) -> Result<(), Fault> {
    if lane.consumers >= CONSUMERS_MAX {
        let text = "RESOURCE_ERROR - too many consumers on one channel";
        return Err(Fault::new(RESOURCE_ERROR, text));
    }
    if !lane.shared.subscribe(tag, queue, lane.prefetch) {
        let text = "NOT_ALLOWED - the tag of the consumer is taken";
        return Err(Fault::new(NOT_ALLOWED, text));
    }
    let consumer = Consumer {
        channel: Arc::clone(&lane.shared),
        tag: tag.to_owned(),
    };
    if let Err(reason) = handler.consume(client, queue, consumer) {
        lane.shared.unsubscribe(tag);
        return Err(Fault::new(ACCESS_REFUSED, format!("ACCESS_REFUSED - {reason}")).of_channel());
    }
    lane.shared.begin(tag, no_wait);
    lane.consumers += 1;
    Ok(())
}

/// Settles messages.
fn settle(
    deeds: &mut Vec<Deed>,
    lane: &Lane,
    (tag, multiple): (u64, bool),
    how: Settlement,
) -> Result<(), Fault> {
    let tokens = lane.shared.settle(tag, multiple);
    if tokens.is_empty() && !(multiple && tag == 0) {
        let text = format!("PRECONDITION_FAILED - unknown delivery tag {tag}");
        return Err(Fault::new(PRECONDITION_FAILED, text).of_channel());
    }
    deeds.extend(tokens.into_iter().map(|token| Deed::Settled(token, how)));
    Ok(())
}
