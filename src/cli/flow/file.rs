//! Files with one flow.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use serde_json::Value;

use crate::domain::flow::portable::{FILE_MAX_BYTES, PortableFlow};
use crate::domain::{Error, Kind, Result};

/// Writes a file in lines that a person can read and compare.
pub(super) fn write(path: &Path, content: &Value, replace: bool) -> Result<()> {
    let text = format!("{content:#}\n");
    let mut options = OpenOptions::new();
    options.write(true);
    if replace {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let written = options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::new(
            Kind::Conflict,
            format!("{} exists already: add --replace", path.display()),
        ),
        kind => failed(path, &format!("can't be written: {kind}"), error),
    })
}

/// Reads a file; of one that is too large only as much as shows it.
pub(super) fn read(path: &Path) -> Result<PortableFlow> {
    let mut bytes = Vec::new();
    let limit = FILE_MAX_BYTES as u64 + 1;
    let read = path.metadata().and_then(|found| {
        if found.is_file() {
            File::open(path)?.take(limit).read_to_end(&mut bytes)
        } else {
            Err(io::ErrorKind::IsADirectory.into())
        }
    });
    match read.map_err(|error| (error.kind(), error)) {
        Ok(_) => PortableFlow::parse(&bytes),
        Err((io::ErrorKind::NotFound, error)) => {
            let told = format!("{} does not exist", path.display());
            Err(Error::new(Kind::NotFound, told).caused_by(error))
        }
        Err((io::ErrorKind::IsADirectory, error)) => Err(failed(path, "is not a file", error)),
        Err((kind, error)) => Err(failed(path, &format!("can't be read: {kind}"), error)),
    }
}

/// Makes the error about a file.
fn failed(path: &Path, told: &str, error: io::Error) -> Error {
    Error::new(Kind::Invalid, format!("{} {told}", path.display())).caused_by(error)
}
