//! Each case of framing has one pinned answer (`reliability.md` 1.2).

use std::sync::atomic::Ordering;

use super::support::Room;

/// How a case ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The server closes by itself, although the client would still talk.
    Closes,
    /// The server closes, but only found out after its answer that it must.
    ClosesLate,
    /// The connection lives on: it answers another request.
    Lives,
    /// The client ends its half right after sending.
    ClientEnds,
}
use End::{ClientEnds, Closes, ClosesLate, Lives};

type Case = (&'static str, &'static [u8], &'static [u16], End);

const LINES: &[Case] = &[
    (
        "a plain request",
        b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n",
        &[200],
        Lives,
    ),
    (
        "an empty line before it",
        b"\r\nGET /ping HTTP/1.1\r\nHost: a\r\n\r\n",
        &[200],
        Lives,
    ),
    (
        "two empty lines before it",
        b"\r\n\r\nGET /ping HTTP/1.1\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    ("garbage", b"hello\r\n\r\n", &[400], Closes),
    (
        "garbage of many words",
        b"a b c d e\r\n\r\n",
        &[400],
        Closes,
    ),
    ("binary", b"\x16\x03\x01\x02\x00\x01", &[400], Closes),
    (
        "an extra word on the line",
        b"GET /ping HTTP/1.1 x\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "two blanks on the line",
        b"GET  /ping HTTP/1.1\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "a tab on the line",
        b"GET\t/ping HTTP/1.1\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "a blank at the line's start",
        b" GET /ping HTTP/1.1\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "a blank at the line's end",
        b"GET /ping HTTP/1.1 \r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "no version",
        b"GET /ping\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "a version in small letters",
        b"GET /ping http/1.1\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "HTTP/1.10",
        b"GET /ping HTTP/1.10\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "HTTP/1.2",
        b"GET /ping HTTP/1.2\r\nHost: a\r\n\r\n",
        &[505],
        Closes,
    ),
    (
        "HTTP/2.0",
        b"GET /ping HTTP/2.0\r\nHost: a\r\n\r\n",
        &[505],
        Closes,
    ),
    (
        "HTTP/0.9 by name",
        b"GET /ping HTTP/0.9\r\n\r\n",
        &[505],
        Closes,
    ),
    (
        "the preface of HTTP/2",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &[505],
        Closes,
    ),
    (
        "a method that is no token",
        b"G(T /ping HTTP/1.1\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "an unknown method",
        b"BREW /ping HTTP/1.1\r\nHost: a\r\n\r\n",
        &[200],
        Lives,
    ),
    (
        "a bare LF after the line",
        b"GET /ping HTTP/1.1\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "a bare LF after a header",
        b"GET /ping HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "a bare LF at the end",
        b"GET /ping HTTP/1.1\r\nHost: a\r\n\n",
        &[400],
        Closes,
    ),
    (
        "a bare CR in the line",
        b"GET /pi\rng HTTP/1.1\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "NUL in the line",
        b"GET /pi\0ng HTTP/1.1\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "a target that is not UTF-8",
        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "a target in raw UTF-8",
        "GET /ä HTTP/1.1\r\nHost: a\r\n\r\n".as_bytes(),
        &[400],
        Closes,
    ),
    (
        "a head that ends early",
        b"GET /ping HTTP/1.1\r\nHos",
        &[400],
        ClientEnds,
    ),
    ("a line that ends early", b"GET /pi", &[400], ClientEnds),
    ("nothing at all", b"", &[], ClientEnds),
];

const HEADERS: &[Case] = &[
    ("no Host", b"GET /ping HTTP/1.1\r\n\r\n", &[400], Closes),
    (
        "two Hosts",
        b"GET /ping HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "two equal Hosts",
        b"GET /ping HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "a Host that is a list",
        b"GET /ping HTTP/1.1\r\nHost: a b\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "a Host with a path",
        b"GET /ping HTTP/1.1\r\nHost: a/b\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "an empty Host",
        b"GET /ping HTTP/1.1\r\nHost:\r\n\r\n",
        &[200],
        Lives,
    ),
    (
        "a folded header",
        b"GET /ping HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "a folded first header",
        b"GET /ping HTTP/1.1\r\n Host: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "a blank before the colon",
        b"GET /ping HTTP/1.1\r\nHost : a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "a tab before the colon",
        b"GET /ping HTTP/1.1\r\nHost: a\r\nX\t: b\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "no colon",
        b"GET /ping HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "an empty name",
        b"GET /ping HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "a name that is no token",
        b"GET /ping HTTP/1.1\r\nHost: a\r\nX(Y): b\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "a bare CR in a value",
        b"GET /ping HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "NUL in a value",
        b"GET /ping HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "a control character in a value",
        b"GET /ping HTTP/1.1\r\nHost: a\r\nX: b\x01\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "UTF-8 in a value",
        "GET /ping HTTP/1.1\r\nHost: a\r\nX: ä\r\n\r\n".as_bytes(),
        &[200],
        Lives,
    ),
    (
        "other bytes in a value",
        b"GET /ping HTTP/1.1\r\nHost: a\r\nX: \xff\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "an empty value",
        b"GET /ping HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n",
        &[200],
        Lives,
    ),
    (
        "two Content-Types",
        b"GET /ping HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\nContent-Type: a/c\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "two Authorizations",
        b"GET /ping HTTP/1.1\r\nHost: a\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "an unknown Expect",
        b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 1\r\n\r\n",
        &[417],
        Closes,
    ),
    (
        "Connection: close",
        b"GET /ping HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n",
        &[200],
        Closes,
    ),
    ("HTTP/1.0", b"GET /ping HTTP/1.0\r\n\r\n", &[200], Closes),
    (
        "HTTP/1.0 kept",
        b"GET /ping HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
        &[200],
        Lives,
    ),
];

/// Each hides a request that must never be answered.
const LENGTHS: &[Case] = &[
    ("a length", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", &[200], Lives),
    ("a length with zeros", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0005\r\n\r\nhello", &[200], Lives),
    ("two lengths", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 38\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closes),
    ("two equal lengths", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nxGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closes),
    ("a list of lengths", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhelloGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closes),
    ("+5", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhelloGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closes),
    ("-1", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closes),
    ("0x5", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhelloGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closes),
    ("abc", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: abc\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closes),
    ("5 and a word", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5 x\r\n\r\nhelloGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closes),
    ("an empty length", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closes),
    ("a length in other digits", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: ٥\r\n\r\nhello".as_bytes(), &[400], Closes),
    ("1e11, unread", b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000000\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[404], Closes),
    ("1e11, read", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000000\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[413], Closes),
    ("2^64-1, unread", b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\nx", &[404], Closes),
    ("2^64", b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[413], Closes),
    ("a body over the route's limit", b"POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world", &[413], Closes),
    ("a body at the route's limit", b"POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello worl", &[200], Lives),
    ("a small body, unread", b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[404], Lives),
    ("a body of a GET, unread", b"GET /ping HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[200], Lives),
    ("a body that ends early", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n0123456789", &[400], ClientEnds),
    ("an unread body that ends early", b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n0123456789", &[404], ClientEnds),
];

const CODINGS: &[Case] = &[
    ("chunks", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", &[200], Lives),
    ("chunks, unread", b"POST /unread HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n23\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n\r\n0\r\n\r\n", &[404], Lives),
    ("chunks over the limit", b"POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[413], Closes),
    ("chunks at the limit", b"POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhello worl\r\n0\r\n\r\n", &[200], Lives),
    ("chunks and a length", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n23\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n\r\n0\r\n\r\n", &[400], Closes),
    ("a length and chunks", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closes),
    ("xchunked", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[501], Closes),
    ("gzip, chunked", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[501], Closes),
    ("identity", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[501], Closes),
    ("chunked, gzip", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closes),
    ("chunked twice", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closes),
    ("chunked in two headers", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closes),
    ("chunked;q=1", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closes),
    ("an empty coding", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closes),
    ("a blank before the colon of the coding", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closes),
    ("chunks in HTTP/1.0", b"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closes),
    ("chunks that end early", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n0123456789", &[400], ClientEnds),
    ("chunks without the last", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", &[400], ClientEnds),
    ("a bare LF after a size", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closes),
    ("no line end after a chunk", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloxx0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closes),
    ("a negative size", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closes),
    ("a size of 17 digits", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closes),
    ("a size of 16 digits", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx", &[400], ClientEnds),
    ("an extension with a bare LF", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a\nhello\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closes),
    ("an extension and a trailer", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n", &[200], Lives),
    ("a malformed trailer", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX y\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[400], Closes),
    ("malformed chunks, unread", b"POST /unread HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", &[404], ClosesLate),
];

const TARGETS: &[Case] = &[
    (
        "an absolute target",
        b"GET http://b/ping HTTP/1.1\r\nHost: a\r\n\r\n",
        &[200],
        Lives,
    ),
    (
        "an absolute target without a path",
        b"GET HTTP://b HTTP/1.1\r\nHost: a\r\n\r\n",
        &[200],
        Lives,
    ),
    (
        "another scheme",
        b"GET ftp://b/ping HTTP/1.1\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "an authority",
        b"CONNECT b:80 HTTP/1.1\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "a star with OPTIONS",
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        &[404],
        Lives,
    ),
    (
        "a star with GET",
        b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "no slash",
        b"GET ping HTTP/1.1\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "a fragment",
        b"GET /ping#x HTTP/1.1\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "%zz",
        b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "%00",
        b"GET /a%00 HTTP/1.1\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "%0d%0a",
        b"GET /a%0d%0a HTTP/1.1\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "%ff",
        b"GET /a%ff HTTP/1.1\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "dots",
        b"GET /a/../ping HTTP/1.1\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "encoded dots",
        b"GET /a/%2e%2E/ping HTTP/1.1\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
    (
        "%zz in the query",
        b"GET /ping?a=%zz HTTP/1.1\r\nHost: a\r\n\r\n",
        &[400],
        Closes,
    ),
];

fn run(cases: &[Case]) {
    let room = Room::new();
    for &(name, bytes, statuses, end) in cases {
        let mut client = room.connect();
        client.send(bytes);
        if end == ClientEnds {
            client.finish_sending();
        }
        for &status in statuses {
            let answer = client.answer();
            assert_eq!(answer.status, status, "{name}: {}", answer.head);
            let says_close = answer.header("connection") == Some("close");
            match end {
                Closes => assert!(says_close, "{name}: {}", answer.head),
                Lives | ClosesLate => assert!(!says_close, "{name}: {}", answer.head),
                ClientEnds => {}
            }
        }
        if end == Lives {
            let next = client.get("/see/next");
            assert_eq!(
                (next.status, next.text().contains("next")),
                (200, true),
                "{name}: {}",
                next.head
            );
            client.finish_sending();
        }
        let rest = client.rest();
        assert!(rest.is_empty(), "{name}: {}", rest.escape_ascii());
    }
    assert_eq!(room.probe.smuggled.load(Ordering::SeqCst), 0);
    assert_eq!(room.counters().panics.load(Ordering::SeqCst), 0);
    room.assert_alive();
}

#[test]
fn request_lines_have_pinned_answers() {
    run(LINES);
}

#[test]
fn headers_have_pinned_answers() {
    run(HEADERS);
}

#[test]
fn lengths_have_pinned_answers() {
    run(LENGTHS);
}

#[test]
fn codings_have_pinned_answers() {
    run(CODINGS);
}

#[test]
fn targets_have_pinned_answers() {
    run(TARGETS);
}

#[test]
fn there_are_at_least_seventy_cases_of_framing() {
    let cases = [LINES, HEADERS, LENGTHS, CODINGS, TARGETS];
    assert!(cases.iter().map(|cases| cases.len()).sum::<usize>() >= 70);
}

#[test]
fn a_request_is_read_alike_however_its_bytes_arrive() {
    let room = Room::new();
    let bytes = b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n";
    for cut in 1..bytes.len() {
        let mut client = room.connect();
        client.send(&bytes[..cut]);
        // The server has the first part before the second is sent.
        std::thread::yield_now();
        client.send(&bytes[cut..]);
        let answer = client.answer();
        assert_eq!(
            (answer.status, answer.text()),
            (200, "hello".to_owned()),
            "cut at {cut}"
        );
    }
    let mut client = room.connect();
    for byte in bytes {
        client.send(&[*byte]);
    }
    assert_eq!(client.answer().text(), "hello");
}

#[test]
fn a_refused_request_is_answered_in_the_shape_of_the_hook() {
    let room = Room::new();
    let mut client = room.connect();
    client.send(b"POST /v2/x?y HTTP/1.1\r\nHost: a\r\nContent-Length: z\r\n\r\n");
    let answer = client.answer();
    assert_eq!(
        answer.text(),
        "{\"message\":\"Content-Length must be a number.\"}"
    );
    assert_eq!(answer.header("x-refused"), Some("/v2/x?y"));
    assert_eq!(
        answer.header("content-type"),
        Some("application/json; charset=utf-8")
    );
    room.probe.until_log(&["POST /v2/x?y 400 true"]);
}
