//! Large bodies of messages: files of the object storage, which go with their run.
//!
//! A file is whole and on the disk before the part that names it is committed, so no
//! message is accepted without its body. A file whose part was never committed is a
//! leftover, and the sweep removes it.

use std::io::{self, ErrorKind, Read as _};
use std::sync::Arc;

use serde_json::Value;

use super::{Folder, disk};
use crate::app::App;
use crate::domain::id::ObjectId;
use crate::domain::run::Message;
use crate::domain::run::message::size_of;
use crate::domain::run::part::{BodyFile, PartMessage};
use crate::domain::{Error, Result};

/// The bytes of a body as JSON beyond which it is a file: the threshold that components
/// know too (`runtime.md 3.1`, `OBJECT_STORAGE_SIZE_THRESHOLD`).
pub const LARGE_BODY_BYTES: usize = 1024 * 1024;

impl App {
    /// Writes the large bodies of messages to files, and names them in the messages, which
    /// keep their bodies in memory. On disk when this returns; nothing is left of a failure.
    ///
    /// The files belong to the part that is committed next with [`BodyFile`]s of them.
    pub fn set_bodies_aside(&self, messages: &mut [PartMessage]) -> Result<Vec<BodyFile>> {
        let mut files = Vec::new();
        let mut known: Vec<(Arc<Message>, ObjectId)> = Vec::new();
        for message in messages.iter_mut() {
            message.body_file = None;
            // A message that was passed on as it was is one body.
            let same = known
                .iter()
                .find(|one| Arc::ptr_eq(&one.0, &message.message));
            if let Some((_, id)) = same {
                message.body_file = Some(*id);
                continue;
            }
            if size_of(&message.message.body) <= LARGE_BODY_BYTES {
                continue;
            }
            let id: ObjectId = self.inner.ids.next();
            match self.inner.objects.write_body(id, &message.message.body) {
                Ok(bytes) => {
                    files.push(BodyFile { id, bytes });
                    message.body_file = Some(id);
                    known.push((Arc::clone(&message.message), id));
                }
                Err(error) => {
                    self.drop_body_files(&files);
                    return Err(disk(error));
                }
            }
        }
        Ok(files)
    }

    /// Removes the files of a part that was not committed. One that a part has after all
    /// stays, and what can't be removed now is a leftover for the sweep.
    pub(in crate::app) fn drop_body_files(&self, files: &[BodyFile]) {
        for file in files {
            if let Ok(None) = self.read(|read| read.object(file.id))
                && let Err(error) = self.inner.objects.remove(file.id)
            {
                tracing::warn!("can't remove the body of a message: {error}");
            }
        }
    }
}

impl Folder {
    /// Writes a body to the file of an object, which is on the disk when this returns.
    fn write_body(&self, id: ObjectId, body: &Value) -> io::Result<u64> {
        let text = body.to_string();
        let growing = self.grow(&id.to_string(), &mut text.as_bytes())?;
        self.settle(&growing, id)?;
        self.sync(id)?;
        Ok(growing.bytes)
    }

    /// Reads a body; none where its file is gone, as in a restored database.
    pub(in crate::app) fn read_body(&self, id: ObjectId) -> Result<Option<Value>> {
        let mut text = Vec::new();
        match self
            .open(id)
            .and_then(|mut file| file.read_to_end(&mut text))
        {
            Ok(_) => serde_json::from_slice(&text)
                .map(Some)
                .map_err(Error::internal),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(disk(error)),
        }
    }
}
