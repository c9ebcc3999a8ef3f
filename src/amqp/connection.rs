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

/// The bytes that are read at once: what several messages of usual size take.
const READ_BYTES: usize = 64 * 1024;

/// Serves a client until it leaves; everything unsettled is given back then.
pub(super) fn serve(stream: &TcpStream, handler: &dyn Handler) {
    let set_up = stream
        .set_nodelay(true)
        .and_then(|()| stream.set_write_timeout(Some(SEND_LIMIT)))
        .and_then(|()| stream.set_read_timeout(Some(SIGN_IN_LIMIT)))
        .and_then(|()| {
            Ok((
                stream.try_clone()?,
                stream.try_clone()?,
                stream.try_clone()?,
            ))
        });
    let Ok((reading, writing, direct)) = set_up else {
        return;
    };
    let outbox = Arc::new(Outbox::over(direct));
    let ours = Arc::clone(&outbox);
    let sender = crate::thread::spawn("amqp-send", None, move || send(&ours, writing));
    let Ok(sender) = sender else {
        tracing::error!(target: "amqp", "the system has no threads left");
        return;
    };
    let mut reading = Buffered(io::BufReader::with_capacity(READ_BYTES, reading));
    // How it ended is the client's business: whatever it was, it is gone.
    let _ended = converse(&mut reading, handler, &outbox);
    outbox.close();
    // It ends when everything is sent, or sending takes too long.
    let _panic_was_logged = sender.join();
    let _gone = stream.shutdown(Shutdown::Both);
}

/// Where frames come from.
trait Source: Read {
    /// Tells whether a whole frame is here already: what came before can wait for it, and
    /// is done together with it.
    fn has_frame(&self) -> bool;

    /// Hears that the client is in: it may be silent from now on.
    fn opened(&self) -> io::Result<()>;
}

/// Frames of a socket.
struct Buffered(io::BufReader<TcpStream>);

impl Read for Buffered {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl Source for Buffered {
    fn has_frame(&self) -> bool {
        Head::is_whole(self.0.buffer())
    }

    fn opened(&self) -> io::Result<()> {
        self.0.get_ref().set_read_timeout(None)
    }
}

impl Source for &[u8] {
    fn has_frame(&self) -> bool {
        Head::is_whole(self)
    }

    fn opened(&self) -> io::Result<()> {
        Ok(())
    }
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

/// Reads frames until the session ends.
fn converse(
    reader: &mut impl Source,
    handler: &dyn Handler,
    outbox: &Arc<Outbox>,
) -> io::Result<()> {
    let mut preamble = [0; PREAMBLE.len()];
    reader.read_exact(&mut preamble)?;
    if preamble != PREAMBLE {
        // The answer of the specification: what would have been right.
        outbox.send(PREAMBLE.to_vec());
        return Ok(());
    }
    let mut session = Session::begin(handler, Arc::clone(outbox));
    let ended = read_frames(reader, &mut session);
    session.end();
    ended
}

/// Reads frames until the session ends; those that are here together are done together.
fn read_frames(reader: &mut impl Source, session: &mut Session<'_>) -> io::Result<()> {
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
        if !reader.has_frame() {
            session.flush();
        }
        if session.is_open() && !was_open {
            was_open = true;
            reader.opened()?;
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
    let _ended = converse(&mut reader, handler, &outbox);
    outbox.close();
    let mut sent = Vec::new();
    while let Some(piece) = outbox.take() {
        sent.extend_from_slice(&piece);
    }
    sent
}
