//! Unix sockets: bound for their owner only, taken over from the dead, never from the living.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};

/// A bound path, removed when dropped, unless somebody else has taken its place.
#[derive(Debug)]
pub(crate) struct BoundPath {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Drop for BoundPath {
    fn drop(&mut self) {
        if let Ok(found) = fs::symlink_metadata(&self.path)
            && (found.dev(), found.ino()) == (self.device, self.inode)
        {
            let _gone = fs::remove_file(&self.path);
        }
    }
}

/// Binds a path with mode 0600.
///
/// `bind` gives the file the mode of the umask, and a `chmod` after it comes too late. So the socket
/// is born in a directory of mode 0700, gets its mode there, and is then renamed into place, which
/// also replaces a dead one in one step.
///
/// # Errors
///
/// Returns `AddrInUse` if somebody listens there, `AlreadyExists` if the path is no socket, and
/// what the system says otherwise.
pub(crate) fn bind(path: &Path, backlog: i32) -> io::Result<(UnixListener, BoundPath)> {
    refuse_taken(path)?;
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // A short name: the address of a Unix socket has room for 107 bytes only.
    let cradle = parent.join(format!(".{}", std::process::id()));
    DirBuilder::new().mode(0o700).create(&cradle)?;
    let outcome = bind_in(&cradle, path, backlog);
    let _may_hold_the_socket = fs::remove_file(cradle.join("s"));
    let _left_for_the_owner = fs::remove_dir(&cradle);
    outcome
}

fn bind_in(cradle: &Path, path: &Path, backlog: i32) -> io::Result<(UnixListener, BoundPath)> {
    let birthplace = cradle.join("s");
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(&birthplace)?)?;
    fs::set_permissions(&birthplace, Permissions::from_mode(0o600))?;
    socket.listen(backlog)?;
    let found = fs::symlink_metadata(&birthplace)?;
    fs::rename(&birthplace, path)?;
    let bound = BoundPath {
        path: path.to_owned(),
        device: found.dev(),
        inode: found.ino(),
    };
    Ok((UnixListener::from(OwnedFd::from(socket)), bound))
}

fn refuse_taken(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    if !found.file_type().is_socket() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            format!("{} exists and is no socket", path.display()),
        ));
    }
    match connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // A full backlog says WouldBlock: somebody lives there, only busy.
        _ => Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            format!("somebody listens on {}", path.display()),
        )),
    }
}

/// Connects without ever waiting.
pub(crate) fn connect(path: &Path) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&SockAddr::unix(path)?)?;
    Ok(socket)
}
