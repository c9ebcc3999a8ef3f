//! Bytes that no honest client sends: each has its answer, and none ends the server.

use elastane::amqp::connection::converse_over;
use elastane::amqp::frame::{self, HEAD_BYTES, Head, Kind, PREAMBLE};

use super::broker::Broker;

/// Begins with the preamble, then these frames.
fn client(frames: &[(Kind, u16, &[u8])]) -> Vec<u8> {
    let mut bytes = PREAMBLE.to_vec();
    for (kind, channel, content) in frames {
        frame::push(&mut bytes, *kind, *channel, content);
    }
    bytes
}

const START_OK: &[u8] =
    b"\x00\x0a\x00\x0b\x00\x00\x00\x00\x05PLAIN\x00\x00\x00\x0b\x00ada\x00secret\x05en_US";
const TUNE_OK: &[u8] = b"\x00\x0a\x00\x1f\x00\x00\x00\x00\x10\x00\x00\x00";
const OPEN: &[u8] = b"\x00\x0a\x00\x28\x01/\x00\x00";
const CHANNEL_OPEN: &[u8] = b"\x00\x14\x00\x0a\x00";
const PUBLISH: &[u8] = b"\x00\x3c\x00\x28\x00\x00\x00\x04work\x00";

/// A client that is in and has channel 1, then sends these frames.
fn opened(frames: &[(Kind, u16, &[u8])]) -> Vec<u8> {
    let mut all: Vec<(Kind, u16, &[u8])> = vec![
        (Kind::Method, 0, START_OK),
        (Kind::Method, 0, TUNE_OK),
        (Kind::Method, 0, OPEN),
        (Kind::Method, 1, CHANNEL_OPEN),
    ];
    all.extend(frames);
    client(&all)
}

/// Returns the last method that a client of these bytes is sent: its class, its number,
/// and the code where it closes something.
fn answer(bytes: &[u8]) -> (u16, u16, u16) {
    let sent = converse_over(bytes, &Broker::default());
    let mut rest = &sent[..];
    let mut last = (0, 0, 0);
    while let Some((head, after)) = rest.split_first_chunk::<HEAD_BYTES>() {
        let head = Head::parse(*head, 1 << 20).expect("our own frames are right");
        let number = |at: usize| u16::from_be_bytes([after[at], after[at + 1]]);
        let closes = head.length >= 6;
        last = (number(0), number(2), if closes { number(4) } else { 0 });
        rest = &after[head.length + 1..];
    }
    last
}

const CLOSE: (u16, u16) = (10, 50);
const CHANNEL_CLOSE: (u16, u16) = (20, 40);

#[track_caller]
fn assert_closed(bytes: &[u8], method: (u16, u16), code: u16) {
    assert_eq!(answer(bytes), (method.0, method.1, code));
}

#[test]
fn another_protocol_is_told_the_right_one() {
    assert_eq!(
        converse_over(b"GET / HTTP/1.1\r\n", &Broker::default()),
        PREAMBLE
    );
    assert_eq!(
        converse_over(b"AMQP\x00\x01\x00\x00", &Broker::default()),
        PREAMBLE
    );
}

#[test]
fn a_client_that_is_in_was_not_refused() {
    // The other cases begin like this one, so their refusals are for what they add.
    assert_eq!(answer(&opened(&[])), (20, 11, 0));
}

#[test]
fn frames_that_are_none_end_the_connection() {
    let with = |bytes: &[u8]| [&PREAMBLE[..], bytes].concat();
    assert_closed(&with(b"\x05\x00\x00\x00\x00\x00\x00\xce"), CLOSE, 501);
    assert_closed(&with(b"\x01\x00\x00\xff\xff\xff\xff"), CLOSE, 501);
    assert_closed(&with(b"\x01\x00\x00\x00\x00\x10\x00"), CLOSE, 501);
    assert_closed(&with(b"\x01\x00\x00\x00\x00\x00\x00\x00"), CLOSE, 501);
}

#[test]
fn methods_that_are_none_end_the_connection() {
    assert_closed(&client(&[(Kind::Method, 0, b"")]), CLOSE, 502);
    assert_closed(&client(&[(Kind::Method, 0, b"\x00\x0a\x00")]), CLOSE, 502);
    assert_closed(
        &client(&[(Kind::Method, 0, b"\x00\x0a\x00\x63")]),
        CLOSE,
        540,
    );
    assert_closed(&client(&[(Kind::Method, 0, &START_OK[..20])]), CLOSE, 502);
}

#[test]
fn nothing_goes_before_signing_in() {
    assert_closed(&client(&[(Kind::Method, 0, OPEN)]), CLOSE, 505);
    assert_closed(&client(&[(Kind::Method, 1, CHANNEL_OPEN)]), CLOSE, 505);
    assert_closed(&client(&[(Kind::Body, 1, b"x")]), CLOSE, 505);
    let early = [(Kind::Method, 0, START_OK), (Kind::Method, 0, OPEN)];
    assert_closed(&client(&early), CLOSE, 505);
    let twice = [(Kind::Method, 0, START_OK), (Kind::Method, 0, START_OK)];
    assert_closed(&client(&twice), CLOSE, 505);
}

#[test]
fn wrong_credentials_are_refused() {
    for response in [
        &b"\x00ada\x00wrong"[..],
        b"ada",
        b"",
        b"\xff\xff",
        b"\x00ada\x00secret\x00",
    ] {
        let mut method = b"\x00\x0a\x00\x0b\x00\x00\x00\x00\x05PLAIN".to_vec();
        method.extend_from_slice(&u32::try_from(response.len()).expect("short").to_be_bytes());
        method.extend_from_slice(response);
        method.extend_from_slice(b"\x05en_US");
        assert_closed(&client(&[(Kind::Method, 0, &method)]), CLOSE, 403);
    }
}

#[test]
fn tables_that_nest_without_end_are_refused() {
    // Each level is a list in a list: 5 bytes, so thousands fit into one frame.
    let mut inner = Vec::new();
    for _ in 0..700 {
        let length = u32::try_from(inner.len()).expect("short");
        inner = [&b"A"[..], &length.to_be_bytes(), &inner].concat();
    }
    let table = [&b"\x01a"[..], &inner].concat();
    let length = u32::try_from(table.len()).expect("short");
    let method = [&b"\x00\x0a\x00\x0b"[..], &length.to_be_bytes(), &table].concat();
    assert_closed(&client(&[(Kind::Method, 0, &method)]), CLOSE, 502);
}

#[test]
fn channels_that_are_not_open_are_refused() {
    assert_closed(&opened(&[(Kind::Method, 2, PUBLISH)]), CLOSE, 504);
    assert_closed(&opened(&[(Kind::Method, 1, CHANNEL_OPEN)]), CLOSE, 504);
    assert_closed(&opened(&[(Kind::Method, 17, CHANNEL_OPEN)]), CLOSE, 504);
    assert_closed(&opened(&[(Kind::Header, 2, b"")]), CLOSE, 505);
}

#[test]
fn contents_out_of_order_are_refused() {
    let head = b"\x00\x3c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00";
    assert_closed(&opened(&[(Kind::Header, 1, head)]), CLOSE, 505);
    assert_closed(&opened(&[(Kind::Body, 1, b"x")]), CLOSE, 505);
    let publish = (Kind::Method, 1, PUBLISH);
    assert_closed(&opened(&[publish, (Kind::Body, 1, b"x")]), CLOSE, 505);
    assert_closed(&opened(&[publish, publish]), CLOSE, 505);
    let head = (Kind::Header, 1, &head[..]);
    assert_closed(&opened(&[publish, head, head]), CLOSE, 505);
    assert_closed(
        &opened(&[publish, head, (Kind::Body, 1, b"xyz")]),
        CLOSE,
        505,
    );
    assert_closed(
        &opened(&[publish, (Kind::Header, 1, b"\x00\x3c")]),
        CLOSE,
        502,
    );
}

#[test]
fn a_message_that_is_too_large_closes_its_channel_alone() {
    let head = b"\x00\x3c\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00\x00\x00";
    let frames = [(Kind::Method, 1, PUBLISH), (Kind::Header, 1, &head[..])];
    assert_closed(&opened(&frames), CHANNEL_CLOSE, 311);
    let mut after = frames.to_vec();
    after.push((Kind::Method, 2, CHANNEL_OPEN));
    assert_eq!(answer(&opened(&after)), (20, 11, 0));
}

#[test]
fn what_sailors_never_send_is_not_served() {
    // queue.declare, basic.get, basic.recover, exchange.declare, tx.select
    for method in [
        &b"\x00\x32\x00\x0a"[..],
        b"\x00\x3c\x00\x46",
        b"\x00\x3c\x00\x6e",
        b"\x00\x28\x00\x0a",
        b"\x00\x5a\x00\x0a",
    ] {
        assert_closed(&opened(&[(Kind::Method, 1, method)]), CLOSE, 540);
    }
}

#[test]
fn every_cut_conversation_ends_quietly() {
    let whole = opened(&[(Kind::Method, 1, PUBLISH)]);
    for end in 0..whole.len() {
        let _sent = converse_over(&whole[..end], &Broker::default());
    }
}

#[test]
fn every_damaged_byte_is_survived() {
    let head = b"\x00\x3c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x20\x00\x00\x00\x00\x00";
    let whole = opened(&[
        (Kind::Method, 1, PUBLISH),
        (Kind::Header, 1, head),
        (Kind::Body, 1, b"xy"),
        (
            Kind::Method,
            1,
            b"\x00\x3c\x00\x14\x00\x00\x04work\x00\x00\x00\x00\x00\x00",
        ),
        (
            Kind::Method,
            1,
            b"\x00\x3c\x00\x50\x00\x00\x00\x00\x00\x00\x00\x01\x00",
        ),
    ]);
    let broker = Broker::default();
    let _sent = converse_over(&whole, &broker);
    assert_eq!(
        broker.state().published,
        [("work".to_owned(), b"xy".to_vec())]
    );
    for at in 0..whole.len() {
        for value in [0, 1, 0x7f, 0xff, whole[at] ^ 0x20] {
            let mut damaged = whole.clone();
            damaged[at] = value;
            let _sent = converse_over(&damaged, &Broker::default());
        }
    }
}
