//! SQLite's own file system, with an ear in it.
//!
//! The files are the system's; only their table of methods is replaced by a copy in
//! which write, truncate, sync and close are ours and call the original after taking
//! a note. So there is no file structure of ours and no memory to manage.

use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rusqlite::ffi;

use crate::disk::Event;

/// The name under which stores ask for this file system.
pub const NAME: &str = "power-cut";
const C_NAME: &CStr = c"power-cut";

/// The notes and the open files.
#[derive(Default)]
struct Ear {
    listening: bool,
    events: Vec<Event>,
    files: HashMap<usize, Named>,
    tables: HashMap<usize, &'static ffi::sqlite3_io_methods>,
}

/// An open file with a name: its methods before ours took their place.
#[derive(Clone)]
struct Named {
    name: String,
    theirs: &'static ffi::sqlite3_io_methods,
}

/// The system's own file system.
struct Original(ffi::sqlite3_vfs);

// SAFETY: written once before it is shared; it holds functions and constants of
// SQLite, which calls them from all threads itself.
unsafe impl Sync for Original {}
// SAFETY: as above.
unsafe impl Send for Original {}

static EAR: OnceLock<Mutex<Ear>> = OnceLock::new();
static ORIGINAL: OnceLock<Original> = OnceLock::new();

fn ear() -> MutexGuard<'static, Ear> {
    EAR.get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

fn original() -> &'static ffi::sqlite3_vfs {
    &ORIGINAL.get().expect("register comes first").0
}

/// Returns an open file that has our methods, and so was noted when it was opened.
fn named(file: *mut ffi::sqlite3_file) -> Named {
    let known = ear().files.get(&(file as usize)).cloned();
    known.expect("only noted files have our methods")
}

/// Makes the file system known to SQLite.
pub fn register() {
    // SAFETY: SQLite initialises itself here and returns its default, which lives for
    // ever; the copy is leaked, so that it does too.
    unsafe {
        assert_eq!(ffi::sqlite3_initialize(), ffi::SQLITE_OK);
        let default = ffi::sqlite3_vfs_find(std::ptr::null());
        assert!(!default.is_null(), "SQLite has a default file system");
        assert!(
            ORIGINAL.set(Original(std::ptr::read(default))).is_ok(),
            "registered once"
        );
        let mut copy = std::ptr::read(default);
        copy.zName = C_NAME.as_ptr();
        copy.pNext = std::ptr::null_mut();
        copy.xOpen = Some(open);
        copy.xDelete = Some(delete);
        let code = ffi::sqlite3_vfs_register(Box::leak(Box::new(copy)), 0);
        assert_eq!(code, ffi::SQLITE_OK);
    }
}

/// Begins to take notes.
pub fn start() {
    let mut ear = ear();
    ear.events.clear();
    ear.listening = true;
}

/// Takes a note.
pub fn note(event: Event) {
    let mut ear = ear();
    if ear.listening {
        ear.events.push(event);
    }
}

/// Ends and returns the notes.
pub fn stop() -> Vec<Event> {
    let mut ear = ear();
    ear.listening = false;
    std::mem::take(&mut ear.events)
}

/// Returns the last part of a path that SQLite gives.
unsafe fn last_part(path: *const c_char) -> Option<String> {
    if path.is_null() {
        return None;
    }
    // SAFETY: the caller passes a path of SQLite's, which ends with a zero.
    let path = unsafe { CStr::from_ptr(path) }.to_str().ok()?;
    Some(Path::new(path).file_name()?.to_str()?.to_owned())
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    path: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let call = original().xOpen.expect("the system can open");
    // SAFETY: the arguments are SQLite's own; our table is a copy of the system's,
    // with the same sizes and data.
    unsafe {
        let code = call(vfs, path, file, flags, out);
        if code != ffi::SQLITE_OK || (*file).pMethods.is_null() {
            return code;
        }
        if let Some(name) = last_part(path) {
            let mut ear = ear();
            // The system has a table for each way of locking, and they live for ever.
            let theirs = &*(*file).pMethods;
            let ours = ear
                .tables
                .entry((*file).pMethods as usize)
                .or_insert_with(|| {
                    let mut ours = std::ptr::read(theirs);
                    ours.xWrite = Some(write);
                    ours.xTruncate = Some(truncate);
                    ours.xSync = Some(sync);
                    ours.xClose = Some(close);
                    Box::leak(Box::new(ours))
                });
            (*file).pMethods = *ours;
            ear.files.insert(file as usize, Named { name, theirs });
        }
        code
    }
}

unsafe extern "C" fn delete(
    vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    sync_directory: c_int,
) -> c_int {
    let call = original().xDelete.expect("the system can delete");
    // SAFETY: the arguments are SQLite's own.
    unsafe {
        let code = call(vfs, path, sync_directory);
        if let (ffi::SQLITE_OK, Some(file)) = (code, last_part(path)) {
            note(Event::Delete {
                file,
                synced: sync_directory != 0,
            });
        }
        code
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    length: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    let Named { name, theirs } = named(file);
    let call = theirs.xWrite.expect("the system can write");
    // SAFETY: SQLite passes `length` readable bytes.
    unsafe {
        let code = call(file, bytes, length, offset);
        let length = usize::try_from(length).expect("a length is not negative");
        let bytes = std::slice::from_raw_parts(bytes.cast::<u8>(), length).to_vec();
        let offset = usize::try_from(offset).expect("an offset is not negative");
        note(Event::Write {
            file: name,
            offset,
            bytes,
        });
        code
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: ffi::sqlite3_int64) -> c_int {
    let Named { name, theirs } = named(file);
    let call = theirs.xTruncate.expect("the system can truncate");
    let bytes = usize::try_from(size).expect("a size is not negative");
    note(Event::Truncate {
        file: name,
        size: bytes,
    });
    // SAFETY: the arguments are SQLite's own.
    unsafe { call(file, size) }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    let Named { name, theirs } = named(file);
    let call = theirs.xSync.expect("the system can sync");
    // SAFETY: the arguments are SQLite's own.
    let code = unsafe { call(file, flags) };
    if code == ffi::SQLITE_OK {
        note(Event::Sync { file: name });
    }
    code
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let call = named(file).theirs.xClose.expect("the system can close");
    ear().files.remove(&(file as usize));
    // SAFETY: the arguments are SQLite's own; the original leaves the file closed.
    unsafe { call(file) }
}
