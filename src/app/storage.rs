//! Object storage: attachments and large bodies as files beside the database.
//!
//! A signed URL holds an id and a token of 256 bits, and needs no other credentials
//! (`v1.md 3.5`). The database knows the hashes of the tokens alone. Objects are
//! temporary: no backup holds them, and each has an end.

mod bodies;
pub(in crate::app) mod folder;

pub use bodies::LARGE_BODY_BYTES;
pub(super) use folder::Folder;

use std::fs::File;
use std::io::{self, ErrorKind, Read};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::App;
use crate::domain::id::{ObjectId, UserId};
use crate::domain::object::{PATH, SIGNED_URL_S, StoredObject};
use crate::domain::principal::Principal;
use crate::domain::text::hex;
use crate::domain::{Error, Kind, Result};
use crate::store::ObjectRow;

/// The most objects of one user at a time: at two a second they last the five hours of a
/// signed URL, and more is a loop.
pub const OBJECTS_OF_USER_MAX: i64 = 36_000;

/// The longest media type that is kept.
const CONTENT_TYPE_MAX_BYTES: usize = 255;

/// Objects that one step of the sweep removes.
const SWEEP_BATCH: u32 = 100;

/// How old a file must be that no row knows, in milliseconds: longer than any upload.
const LEFTOVER_MS: i64 = 24 * 60 * 60 * 1_000;

/// Paths of an object, to be put behind scheme and host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedPaths {
    /// Where it is uploaded, once.
    pub put: String,
    /// Where it is downloaded, until it expires.
    pub get: String,
    /// For how long, in seconds.
    pub expires_s: u32,
}

/// An object that the server made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRef {
    /// Its id.
    pub id: ObjectId,
    /// The path of its signed URL, to be put behind scheme and host.
    pub get_path: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// An object that is read.
#[derive(Debug)]
pub struct OpenObject {
    /// What is known of it.
    pub object: StoredObject,
    /// Its file, at the beginning.
    pub file: File,
    /// Its size in bytes.
    pub bytes: u64,
}

impl App {
    /// Makes the two signed paths of an object that is yet to be uploaded.
    pub fn sign_upload(&self, who: &Principal) -> Result<SignedPaths> {
        let (id, put, get) = self.begin_object(who)?;
        Ok(SignedPaths {
            put: path_of(id, &put),
            get: path_of(id, &get),
            expires_s: SIGNED_URL_S,
        })
    }

    /// Makes an object of the caller that is yet to be uploaded; returns its tokens too.
    fn begin_object(&self, who: &Principal) -> Result<(ObjectId, String, String)> {
        let user = who.require_writer()?.id;
        let (put, get) = (self.token(), self.token());
        let expires_at_ms = self.now_ms() + i64::from(SIGNED_URL_S) * 1_000;
        let row = ObjectRow {
            object: StoredObject {
                id: self.inner.ids.next(),
                content_type: None,
                bytes: None,
                expires_at_ms,
            },
            put_sha256: Some(hash(&put)),
            get_sha256: hash(&get),
        };
        let id = row.object.id;
        self.act(who, move |act| {
            if act.count_objects_of(user)? >= OBJECTS_OF_USER_MAX {
                return Err(Error::too_many("too many objects are stored", 60));
            }
            act.insert_object(&row, Some(user), act.now_ms)
        })?;
        Ok((id, put, get))
    }

    /// Stores an object of the caller from a stream, under its id alone: for processes of
    /// steps, which sign in (`runtime.md 3.6`).
    pub fn store_object(
        &self,
        who: &Principal,
        content_type: Option<&str>,
        body: &mut dyn Read,
    ) -> Result<ObjectId> {
        let (id, put, _) = self.begin_object(who)?;
        self.upload(id, &put, content_type, body)?;
        Ok(id)
    }

    /// Opens an object of the caller by its id; another's is not found.
    pub fn own_object(&self, who: &Principal, id: ObjectId) -> Result<OpenObject> {
        self.require_own_object(who.require_user()?.id, id)?;
        self.open_object(id)
    }

    /// Removes an object of the caller; another's is not found.
    pub fn drop_object(&self, who: &Principal, id: ObjectId) -> Result<()> {
        self.require_own_object(who.require_writer()?.id, id)?;
        self.inner
            .store
            .write(move |write| write.delete_object(id))?;
        self.inner.objects.remove(id).map_err(disk)
    }

    /// Reads the object of a user that a message names instead of its body, as bytes; none
    /// where there is none.
    pub fn body_object(&self, user: UserId, id: ObjectId) -> Result<Option<Vec<u8>>> {
        let found = self
            .require_own_object(user, id)
            .and_then(|()| self.read_object(id));
        match found {
            Ok((_, bytes)) => Ok(Some(bytes)),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Refuses an object of somebody else.
    fn require_own_object(&self, user: UserId, id: ObjectId) -> Result<()> {
        if self.read(|read| read.object_owner(id))? == Some(user) {
            return Ok(());
        }
        Err(Error::not_found("object"))
    }

    /// Returns an object that a token may upload to now: not found without the right
    /// token and after the end, a conflict after the first upload.
    pub fn uploadable(&self, id: ObjectId, token: &str) -> Result<StoredObject> {
        let row = self.object_row(id)?;
        let is_right = row
            .put_sha256
            .as_deref()
            .is_some_and(|known| is_token(known, token));
        if !is_right {
            return Err(Error::not_found("object"));
        }
        if row.object.bytes.is_some() {
            return Err(uploaded_already());
        }
        Ok(row.object)
    }

    /// Takes the upload of an object from a stream, which ends the right to upload.
    ///
    /// What arrives goes to the disk as it comes. A stream that breaks off leaves
    /// nothing, and may be tried again.
    pub fn upload(
        &self,
        id: ObjectId,
        token: &str,
        content_type: Option<&str>,
        body: &mut dyn Read,
    ) -> Result<u64> {
        self.uploadable(id, token)?;
        let content_type = content_type
            .filter(|text| text.len() <= CONTENT_TYPE_MAX_BYTES)
            .map(str::to_owned);
        let folder = self.inner.objects.clone();
        let growing = folder
            .grow(&self.new_request_id(), body)
            .map_err(broken_off)?;
        let bytes = growing.bytes;
        let now_ms = self.now_ms();
        let settled = folder.clone();
        // On the writer's thread, so that of two uploads at once one is the first.
        self.inner.store.write(move |write| {
            if !write.set_object_uploaded(id, content_type.as_deref(), bytes, now_ms)? {
                return Err(uploaded_already());
            }
            settled.settle(&growing, id).map_err(disk)
        })?;
        folder.sync(id).map_err(disk)?;
        Ok(bytes)
    }

    /// Opens an object for a token that may download it; not found otherwise, and after
    /// the end.
    pub fn download(&self, id: ObjectId, token: &str) -> Result<OpenObject> {
        let row = self.object_row(id)?;
        if !is_token(&row.get_sha256, token) {
            return Err(Error::not_found("object"));
        }
        self.opened(row)
    }

    /// Stores bytes that the server itself has, for so many milliseconds, and returns
    /// where they are; they are on the disk then.
    pub fn put_object(
        &self,
        bytes: &[u8],
        content_type: Option<&str>,
        lifetime_ms: i64,
    ) -> Result<ObjectRef> {
        let size = bytes.len() as u64;
        if size > self.object_max_bytes() {
            return Err(Error::new(
                Kind::TooLarge,
                format!("an object has at most {} bytes", self.object_max_bytes()),
            ));
        }
        let token = self.token();
        let id: ObjectId = self.inner.ids.next();
        let now_ms = self.now_ms();
        let row = ObjectRow {
            object: StoredObject {
                id,
                content_type: content_type.map(str::to_owned),
                bytes: Some(size),
                expires_at_ms: now_ms.saturating_add(lifetime_ms),
            },
            put_sha256: None,
            get_sha256: hash(&token),
        };
        let folder = self.inner.objects.clone();
        let mut source = bytes;
        let growing = folder
            .grow(&self.new_request_id(), &mut source)
            .map_err(disk)?;
        folder.settle(&growing, id).map_err(disk)?;
        folder.sync(id).map_err(disk)?;
        self.inner
            .store
            .write(move |write| write.insert_object(&row, None, now_ms))?;
        Ok(ObjectRef {
            id,
            get_path: path_of(id, &token),
            bytes: size,
        })
    }

    /// Opens an object by its id alone: for the server itself, never for a caller.
    pub fn open_object(&self, id: ObjectId) -> Result<OpenObject> {
        let row = self.object_row(id)?;
        self.opened(row)
    }

    /// Reads an object by its id alone: for the server itself, never for a caller.
    pub fn read_object(&self, id: ObjectId) -> Result<(StoredObject, Vec<u8>)> {
        whole(self.open_object(id)?)
    }

    /// Reads an object by its own signed URL or path; none where the URL is not of an
    /// object here, so that it has to be fetched like any other.
    ///
    /// Steps read attachments with this before they ask the network: the server's own
    /// address may be a private one. The token decides, whatever the host.
    pub fn read_object_at(&self, url: &str) -> Result<Option<(StoredObject, Vec<u8>)>> {
        let Some((id, token)) = taken_apart(url) else {
            return Ok(None);
        };
        match self.download(id, token) {
            Ok(open) => whole(open).map(Some),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the absolute URL of a path of this server, for what leaves it in messages;
    /// the path itself where no server said how it is reached.
    pub fn own_url(&self, path: &str) -> String {
        let base = self.inner.base_url.read();
        let base = base.unwrap_or_else(std::sync::PoisonError::into_inner);
        format!("{}{path}", base.as_deref().unwrap_or_default())
    }

    /// Says how others reach the server: scheme and host, without a final slash.
    pub fn set_base_url(&self, url: String) {
        let base = self.inner.base_url.write();
        *base.unwrap_or_else(std::sync::PoisonError::into_inner) = Some(url);
    }

    /// Returns the size that an object has at most.
    pub fn object_max_bytes(&self) -> u64 {
        self.inner.rules.object_max_bytes
    }

    /// Removes some expired objects with their files; tells whether there may be more.
    pub fn sweep_objects(&self) -> Result<bool> {
        let now_ms = self.now_ms();
        let expired = self.read(|read| read.expired_objects(now_ms, SWEEP_BATCH))?;
        if expired.is_empty() {
            return Ok(false);
        }
        let rows = expired.clone();
        self.inner
            .store
            .write(move |write| rows.iter().try_for_each(|id| write.delete_object(*id)))?;
        // After the commit: what stays behind now is a leftover for the next sweep.
        for id in &expired {
            self.inner.objects.remove(*id).map_err(disk)?;
        }
        Ok(expired.len() >= SWEEP_BATCH as usize)
    }

    /// Removes the files of one shard that no row knows, which a crash has left; returns
    /// the shard that comes next, or none after the last.
    pub fn sweep_leftovers(&self, shard: u16) -> Result<Option<u16>> {
        let folder = &self.inner.objects;
        let before_ms = self.now_ms() - LEFTOVER_MS;
        if shard == 0 {
            folder.remove_abandoned(before_ms).map_err(disk)?;
        }
        for id in folder.in_shard(shard).map_err(disk)? {
            let is_old = made_at_ms(id).is_some_and(|at_ms| at_ms < before_ms);
            if is_old && self.read(|read| read.object(id))?.is_none() {
                folder.remove(id).map_err(disk)?;
            }
        }
        Ok(Some(shard + 1).filter(|next| *next < folder::SHARDS))
    }

    /// Returns the row of an object that has not expired.
    fn object_row(&self, id: ObjectId) -> Result<ObjectRow> {
        let now_ms = self.now_ms();
        self.read(|read| read.object(id))?
            .filter(|row| row.object.expires_at_ms > now_ms)
            .ok_or_else(|| Error::not_found("object"))
    }

    /// Opens the file of a row.
    fn opened(&self, row: ObjectRow) -> Result<OpenObject> {
        let bytes = row.object.bytes.ok_or_else(|| Error::not_found("object"))?;
        let file = match self.inner.objects.open(row.object.id) {
            Ok(file) => file,
            // A restored database knows objects whose files are not there.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Error::not_found("object"));
            }
            Err(error) => return Err(disk(error)),
        };
        Ok(OpenObject {
            object: row.object,
            file,
            bytes,
        })
    }

    /// Makes a token of 256 bits.
    pub(super) fn token(&self) -> String {
        hex(&self.inner.random.bytes::<32>())
    }
}

/// Returns the path of an object for a token.
fn path_of(id: ObjectId, token: &str) -> String {
    format!("{PATH}{id}?token={token}")
}

/// Takes a signed URL or path apart.
fn taken_apart(url: &str) -> Option<(ObjectId, &str)> {
    let path = match url.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/')?..],
        None => url,
    };
    let (id, query) = path.strip_prefix(PATH)?.split_once('?')?;
    let token = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("token="))?;
    Some((id.parse().ok()?, token))
}

/// Returns the hash of a token.
pub(super) fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token).to_vec()
}

/// Compares a token with a hash, in a time that tells nothing.
pub(super) fn is_token(known: &[u8], token: &str) -> bool {
    known.ct_eq(&hash(token)).into()
}

/// Returns when an id was made: its first digits are the seconds.
fn made_at_ms(id: ObjectId) -> Option<i64> {
    let text = id.to_string();
    let seconds = i64::from_str_radix(text.get(..8)?, 16).ok()?;
    Some(seconds * 1_000)
}

/// Reads an open object to its end.
fn whole(mut open: OpenObject) -> Result<(StoredObject, Vec<u8>)> {
    let mut bytes = Vec::new();
    open.file.read_to_end(&mut bytes).map_err(disk)?;
    Ok((open.object, bytes))
}

fn uploaded_already() -> Error {
    Error::new(Kind::Conflict, "this object has been uploaded already")
}

/// Turns a failed upload into an error: of the body where the body failed.
fn broken_off(error: io::Error) -> Error {
    match error.kind() {
        ErrorKind::FileTooLarge => Error::new(Kind::TooLarge, "the object is too large"),
        ErrorKind::UnexpectedEof
        | ErrorKind::InvalidData
        | ErrorKind::TimedOut
        | ErrorKind::ConnectionAborted => {
            Error::new(Kind::Invalid, "the body did not arrive as a whole")
        }
        _ => disk(error),
    }
}

/// Turns a failure of the disk into an error.
fn disk(error: io::Error) -> Error {
    Error::unavailable("the object storage can't be used at the moment", 60).caused_by(error)
}
