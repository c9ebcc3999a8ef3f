//! The loopback of a new namespace, which is down until somebody raises it.

use std::io;

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, recv, send, socket};

/// The message by which the kernel is asked for another state of an interface
/// (`RTM_NEWLINK`).
const NEW_LINK: u16 = 16;

/// It is a request, and wants an answer (`NLM_F_REQUEST | NLM_F_ACK`).
const FLAGS: u16 = 1 | 4;

/// The kind of an answer (`NLMSG_ERROR`); one whose number is 0 says that it went well.
const ANSWER: u16 = 2;

/// The number of the loopback in every namespace.
const LOOPBACK: i32 = 1;

/// The flag of an interface that is up (`IFF_UP`).
const UP: u32 = 1;

/// The bytes of a request: two heads.
const REQUEST_BYTES: u32 = 32;

/// Where the number of an answer stands.
const NUMBER: std::ops::Range<usize> = 16..20;

/// Raises the loopback of this process's namespace.
pub(super) fn raise() -> io::Result<()> {
    // The protocol 0 is that of routes and interfaces.
    let kernel = socket(AddressFamily::NETLINK, SocketType::RAW, None)?;
    let mut request = Vec::new();
    request.extend(REQUEST_BYTES.to_ne_bytes());
    request.extend(NEW_LINK.to_ne_bytes());
    request.extend(FLAGS.to_ne_bytes());
    // Its number, and whose it is: both may be 0.
    request.extend([0; 8]);
    // Family and type of the interface: any.
    request.extend([0; 4]);
    request.extend(LOOPBACK.to_ne_bytes());
    request.extend(UP.to_ne_bytes());
    // The flags that are to change.
    request.extend(UP.to_ne_bytes());
    send(&kernel, &request, SendFlags::empty())?;
    let mut answer = [0; 256];
    let (count, _) = recv(&kernel, &mut answer[..], RecvFlags::empty())?;
    let is_answer = answer[..count].get(4..6) == Some(&ANSWER.to_ne_bytes()[..]);
    let number = answer[..count].get(NUMBER).filter(|_| is_answer);
    let number = number.and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
    match number.map(i32::from_ne_bytes) {
        Some(0) => Ok(()),
        Some(number) => Err(io::Error::from_raw_os_error(-number)),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}
