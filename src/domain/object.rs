//! Files that live beside the database until they expire: attachments, large bodies.

use super::id::ObjectId;

/// How long the URLs of an upload are good, in seconds: what the platform answers
/// (`v1.md 3.5`).
pub const SIGNED_URL_S: u32 = 18_000;

/// The path under which objects are reached, before their ids.
pub const PATH: &str = "/storage/";

/// A file of the object storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// Its id, which is the file's name too.
    pub id: ObjectId,
    /// The media type that the uploader named.
    pub content_type: Option<String>,
    /// Its size in bytes; none while nothing was uploaded.
    pub bytes: Option<u64>,
    /// When it goes, in milliseconds since 1970.
    pub expires_at_ms: i64,
}
