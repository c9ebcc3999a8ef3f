//! The root folder of a sandbox: what a command may see, each where it always is, and
//! nothing else; so nobody's sockets, and no disk but its own.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::fs::CWD;
use rustix::mount::{MountFlags, MoveMountFlags, OpenTreeFlags, mount, move_mount, open_tree};

use super::{Cell, DEVICES};

/// Where the root is made: any folder would do that nobody removes.
const BASE: &str = "/tmp";

/// What the root itself may hold: folders and names to mount on.
const ROOT_OPTIONS: &str = "size=4m,mode=755";

/// Names in `/dev` that programs expect.
const DEVICE_LINKS: &[(&str, &str)] = &[
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
];

/// Something that is shown.
struct Source {
    /// Where.
    at: PathBuf,
    /// A copy of its mount, taken before anything is covered.
    held: OwnedFd,
    is_folder: bool,
}

/// Makes the root of a cell in namespaces of our own, and returns where it is.
pub(super) fn make(cell: &Cell) -> io::Result<&'static Path> {
    let base = Path::new(BASE);
    let mut sources = Vec::new();
    let mut links: Vec<(PathBuf, PathBuf)> = Vec::new();
    let devices = DEVICES.iter().map(PathBuf::from);
    let named = cell.reads.iter().chain(&cell.writes).cloned();
    for path in named.chain(devices) {
        // A file system of our own is there.
        if path.starts_with("/proc") {
            continue;
        }
        let Ok(found) = fs::symlink_metadata(&path) else {
            continue;
        };
        if !found.is_symlink() {
            sources.extend(hold(path.clone(), &path)?);
            continue;
        }
        links.push((path.clone(), fs::read_link(&path)?));
        // Such as a resolv.conf that a daemon writes elsewhere.
        if let Ok(real) = fs::canonicalize(&path)
            && real.is_file()
        {
            sources.extend(hold(real.clone(), &real)?);
        }
    }
    if let Some(tmp) = &cell.tmp {
        sources.extend(hold("/tmp".into(), tmp)?);
    }
    sources.sort_by(|one, other| one.at.cmp(&other.at));
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("none", base, "tmpfs", flags, Some(&*c_text(ROOT_OPTIONS)?))?;
    let inside = |path: &Path| base.join(path.strip_prefix("/").unwrap_or(path));
    links.extend(
        DEVICE_LINKS
            .iter()
            .map(|(name, target)| (PathBuf::from(name), PathBuf::from(target))),
    );
    for (path, target) in links {
        let at = inside(&path);
        make_parent(&at)?;
        symlink(target, at)?;
    }
    let mut shown: Vec<PathBuf> = Vec::new();
    for source in sources {
        if shown.iter().any(|folder| source.at.starts_with(folder)) {
            continue;
        }
        show(&source, &inside(&source.at))?;
        if source.is_folder {
            shown.push(source.at);
        }
    }
    let processes = base.join("proc");
    fs::create_dir(&processes)?;
    mount("proc", &processes, "proc", flags | MountFlags::NOEXEC, None)?;
    Ok(base)
}

/// Holds what is at a path; nothing where it went meanwhile.
fn hold(at: PathBuf, path: &Path) -> io::Result<Option<Source>> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE;
    let held = match open_tree(CWD, path, flags) {
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        other => other?,
    };
    let is_folder = path.is_dir();
    Ok(Some(Source {
        at,
        held,
        is_folder,
    }))
}

/// Mounts something on a place that is made for it.
fn show(source: &Source, at: &Path) -> io::Result<()> {
    if source.is_folder {
        fs::create_dir_all(at)?;
    } else {
        make_parent(at)?;
        File::create(at)?;
    }
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    Ok(move_mount(&source.held, "", CWD, at, flags)?)
}

/// Makes the folder of a file.
fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// Returns a text as C has it.
fn c_text(text: &str) -> io::Result<std::ffi::CString> {
    std::ffi::CString::new(text).map_err(io::Error::other)
}
