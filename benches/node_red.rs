//! Node-RED as a process of its own, pinned by `node-red/package-lock.json`.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::{ask, map_request};

/// How often it is asked whether it listens, a tenth of a second apart: an
/// installation downloads a hundred megabytes.
const TRIES: usize = 3_000;

/// A running Node-RED; killed when it goes.
pub(crate) struct NodeRed {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    child: Child,
    _folder: TempDir,
}

impl NodeRed {
    /// Starts it, installed first where it is missing, and waits until its flows answer:
    /// it listens before it has read them.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/node-red/start.sh");
        let address = free_address();
        let mut child = Command::new(script)
            .arg(address.port().to_string())
            .arg(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("a shell");
        for _ in 0..TRIES {
            if TcpStream::connect(address).is_ok() && has_flows(address) {
                return Self {
                    address,
                    child,
                    _folder: folder,
                };
            }
            let ended = child.try_wait().expect("its state");
            assert!(ended.is_none(), "Node-RED did not start: {ended:?}");
            thread::sleep(Duration::from_millis(100));
        }
        panic!("Node-RED does not listen on {address}");
    }

    /// Returns the id of its process: the script becomes it.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for NodeRed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tells whether the flow of the webhook answers.
fn has_flows(address: SocketAddr) -> bool {
    ask(address, &map_request("/map")).starts_with("HTTP/1.1 200")
}

/// Finds a port that nobody listens on; Node-RED can't take a free one itself.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address")
}
