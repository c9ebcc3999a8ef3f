//! Unix sockets belong to their owner.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use elastane::http::{Address, Server, Settings};

use super::support::{PATIENCE, Probe, Routes};

/// A directory of the test's own, removed at its end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let path = std::env::temp_dir().join(format!("els-http-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn start(path: &Path) -> std::io::Result<Server> {
    let probe = Arc::<Probe>::default();
    Server::start(
        &[Address::Unix(path.to_owned())],
        Settings::default(),
        Routes(probe),
    )
}

fn ask(path: &Path) -> String {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
        .write_all(b"GET /who HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_socket_is_its_owners_alone_and_goes_with_the_server() {
    let directory = Directory::new();
    let path = directory.0.join("s.sock");
    let server = start(&path).unwrap();
    let found = fs::symlink_metadata(&path).unwrap();
    assert!(found.file_type().is_socket());
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    assert!(
        ask(&path).ends_with("\r\n\r\nNone None"),
        "there is no address"
    );
    assert_eq!(
        fs::read_dir(&directory.0).unwrap().count(),
        1,
        "nothing else is left"
    );
    assert!(server.wait(PATIENCE));
    assert!(!path.exists());
}

#[test]
fn a_dead_socket_is_replaced_and_a_living_one_is_not() {
    let directory = Directory::new();
    let path = directory.0.join("s.sock");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "what a killed server leaves");
    let first = start(&path).unwrap();
    assert_eq!(start(&path).unwrap_err().kind(), ErrorKind::AddrInUse);
    assert!(ask(&path).starts_with("HTTP/1.1 200"));
    drop(first);
    assert!(!path.exists());
}

#[test]
fn a_file_that_is_no_socket_is_never_replaced() {
    let directory = Directory::new();
    let path = directory.0.join("precious");
    fs::write(&path, "data").unwrap();
    assert_eq!(start(&path).unwrap_err().kind(), ErrorKind::AlreadyExists);
    let link = directory.0.join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert_eq!(start(&link).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read_to_string(&path).unwrap(), "data");
}

#[test]
fn a_successors_socket_is_not_removed() {
    let directory = Directory::new();
    let path = directory.0.join("s.sock");
    let server = start(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let _successor = UnixListener::bind(&path).unwrap();
    drop(server);
    assert!(path.exists());
}
