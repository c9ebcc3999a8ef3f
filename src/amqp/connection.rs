//! One connection: frames from a stream to a session, and what the session sends back.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use super::frame::{HEAD_BYTES, Head, PREAMBLE};
use super::handler::Handler;
use super::outbox::Outbox;
use super::session::Session;

/// How long a client may take to sign in.
const SIGN_IN_LIMIT: Duration = Duration::from_secs(10);

/// How long one piece may take to be sent: a client that does not read for so long is
/// stuck, and its messages go back.
const SEND_LIMIT: Duration = Duration::from_mins(1);

/// Serves a client until it leaves; everything unsettled is given back then.
pub(super) fn serve(stream: &TcpStream, handler: &dyn Handler) {
    let outbox = Arc::new(Outbox::default());
    let set_up = stream
        .set_nodelay(true)
        .and_then(|()| stream.set_write_timeout(Some(SEND_LIMIT)))
        .and_then(|()| stream.set_read_timeout(Some(SIGN_IN_LIMIT)))
        .and_then(|()| Ok((stream.try_clone()?, stream.try_clone()?)));
    let Ok((reading, writing)) = set_up else {
        return;
    };
    let ours = Arc::clone(&outbox);
    let sender = crate::thread::spawn("amqp-send", None, move || send(&ours, writing));
    let Ok(sender) = sender else {
        tracing::error!(target: "amqp", "the system has no threads left");
        return;
    };
    let mut reading = io::BufReader::new(reading);
    // How it ended is the client's business: whatever it was, it is gone.
    let _ended = converse(&mut reading, handler, &outbox, |reader| {
        reader.get_ref().set_read_timeout(None)
    });
    outbox.close();
    // It ends when everything is sent, or sending takes too long.
    let _panic_was_logged = sender.join();
    let _gone = stream.shutdown(Shutdown::Both);
}

/// Sends what is queued, until the end.
fn send(outbox: &Outbox, mut writing: TcpStream) {
    while let Some(bytes) = outbox.take() {
        if writing.write_all(&bytes).is_err() {
            outbox.close();
            // Wakes the reading half, which gives everything back.
            let _gone = writing.shutdown(Shutdown::Both);
            return;
        }
    }
    let how = if outbox.is_broken() {
        Shutdown::Both
    } else {
        Shutdown::Write
    };
    let _gone = writing.shutdown(how);
}

/// Reads frames until the session ends; `opened` hears once when the client is in.
fn converse<R: Read>(
    reader: &mut R,
    handler: &dyn Handler,
    outbox: &Arc<Outbox>,
    opened: impl Fn(&R) -> io::Result<()>,
) -> io::Result<()> {
    let mut preamble = [0; PREAMBLE.len()];
    reader.read_exact(&mut preamble)?;
    if preamble != PREAMBLE {
        // The answer of the specification: what would have been right.
        outbox.send(PREAMBLE.to_vec());
        return Ok(());
    }
    let mut session = Session::begin(handler, Arc::clone(outbox));
    let ended = read_frames(reader, &mut session, opened);
    session.end();
    ended
}

/// Reads frames until the session ends.
fn read_frames<R: Read>(
    reader: &mut R,
    session: &mut Session<'_>,
    opened: impl Fn(&R) -> io::Result<()>,
) -> io::Result<()> {
    let mut content = Vec::new();
    let mut was_open = false;
    while !session.is_closed() {
        let mut head = [0; HEAD_BYTES];
        reader.read_exact(&mut head)?;
        let head = match Head::parse(head, session.frame_max_bytes()) {
            Ok(head) => head,
            Err(fault) => {
                // Where the next frame begins is not known.
                session.fail(0, &fault);
                return Ok(());
            }
        };
        content.resize(head.length, 0);
        reader.read_exact(&mut content)?;
        let mut mark = [0];
        reader.read_exact(&mut mark)?;
        if let Err(fault) = Head::check_end(mark[0]) {
            session.fail(0, &fault);
            return Ok(());
        }
        session.take(head.kind, head.channel, &content);
        if session.is_open() && !was_open {
            was_open = true;
            opened(reader)?;
        }
    }
    Ok(())
}

/// Lets a client of these bytes talk to a handler, and returns what it would be sent; for
/// tests of the protocol without sockets.
pub fn converse_over(bytes: &[u8], handler: &dyn Handler) -> Vec<u8> {
    let outbox = Arc::new(Outbox::default());
    let mut reader = bytes;
    // Bytes that end too early end the connection.
    let _ended = converse(&mut reader, handler, &outbox, |_| Ok(()));
    outbox.close();
    let mut sent = Vec::new();
    while let Some(piece) = outbox.take() {
        sent.extend_from_slice(&piece);
    }
    sent
}
