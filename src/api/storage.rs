//! Uploads and downloads of objects by signed URL (`v1.md 3.5`), for both versions.
//!
//! The token of the URL is the only credential. It stands in the query, of which nothing
//! is logged.

use serde_json::json;

use super::call::{Call, Content, Reply};
use super::dispatch::body_error;
use super::route::{Access, Route};
use super::shape::{Answers, Attribute, Shape};
use crate::domain::{Error, Kind, Result};
use crate::http::Request;
use crate::http::media::MediaType;

/// The routes of objects.
pub const ROUTES: &[Route] = &[
    Route::get("/storage/{object_id}", "downloads an object", download).with_access(Access::Public),
    Route::put("/storage/{object_id}", "uploads an object, once", never)
        .with_access(Access::Public)
        .streaming(upload),
    Route::post("/objects", "stores an object of a step", never)
        .with_access(Access::Step)
        .streaming(store)
        .answering(201, Answers::Object(STORED)),
    Route::get(
        "/objects/{object_id}",
        "returns an object of a step's owner",
        read,
    )
    .with_access(Access::Step),
    Route::delete(
        "/objects/{object_id}",
        "removes an object of a step's owner",
        remove,
    )
    .with_access(Access::Step)
    .answering(204, Answers::Nothing),
];

/// What is answered of an object that a step stored.
const STORED: &[Attribute] = &[Attribute::required("objectId", Shape::Text)];

/// The type of an object whose uploader named none.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// Seconds after which clients may ask whether maintenance is over.
const MAINTENANCE_RETRY_S: u32 = 30;

/// Makes the pair of URLs that both versions answer with.
pub fn signed_urls(call: &Call<'_>) -> Result<Reply> {
    let paths = call.app.sign_upload(&call.who)?;
    let base = call.base_url();
    Ok(Reply::ok(json!({
        "put_url": format!("{base}{}", paths.put),
        "get_url": format!("{base}{}", paths.get),
        "expires": paths.expires_s,
    })))
}

/// Sends an object's bytes.
///
/// They are somebody else's: a browser must save them, whatever they claim to be.
fn download(call: &mut Call<'_>) -> Result<Reply> {
    let_in(call)?;
    let open = call
        .app
        .download(call.id("object_id", "object")?, token(call))?;
    let media_type = open
        .object
        .content_type
        .unwrap_or_else(|| UNKNOWN_TYPE.to_owned());
    Ok(Reply {
        status: 200,
        headers: vec![
            ("Content-Type", media_type),
            ("Content-Disposition", "attachment".to_owned()),
            ("X-Content-Type-Options", "nosniff".to_owned()),
        ],
        content: Content::File(open.file, open.bytes),
    })
}

/// Stores what the process of a step sends: the body of a message, or an attachment.
fn store(call: &mut Call<'_>, request: &mut Request<'_>) -> Result<Reply> {
    call.step()?;
    let content_type = content_type_of(request).map(str::to_owned);
    let mut body = request
        .body_stream(call.app.object_max_bytes())
        .map_err(body_error)?;
    let id = call
        .app
        .store_object(&call.who, content_type.as_deref(), &mut body)?;
    Ok(Reply::json(201, json!({ "objectId": id.to_string() })))
}

/// Sends an object to the process of a step.
fn read(call: &mut Call<'_>) -> Result<Reply> {
    call.step()?;
    let open = call
        .app
        .own_object(&call.who, call.id("object_id", "object")?)?;
    let media_type = open.object.content_type;
    let media_type = media_type.unwrap_or_else(|| UNKNOWN_TYPE.to_owned());
    Ok(Reply {
        status: 200,
        headers: vec![("Content-Type", media_type)],
        content: Content::File(open.file, open.bytes),
    })
}

/// Removes an object for the process of a step.
fn remove(call: &mut Call<'_>) -> Result<Reply> {
    call.step()?;
    call.app
        .drop_object(&call.who, call.id("object_id", "object")?)?;
    Ok(Reply {
        status: 204,
        headers: Vec::new(),
        content: Content::Empty,
    })
}

/// Returns the media type of an upload, where it names one.
fn content_type_of<'a>(request: &'a Request<'_>) -> Option<&'a str> {
    request
        .header("content-type")
        .filter(|text| MediaType::parse(text).is_some())
}

/// Takes an object's bytes.
fn upload(call: &mut Call<'_>, request: &mut Request<'_>) -> Result<Reply> {
    let_in(call)?;
    let id = call.id("object_id", "object")?;
    // Before a byte is read: who has no right must not send a hundred megabytes.
    if let Err(error) = call.app.uploadable(id, token(call)) {
        return conflict_as_such(error);
    }
    let content_type = content_type_of(request).map(str::to_owned);
    let mut body = request
        .body_stream(call.app.object_max_bytes())
        .map_err(body_error)?;
    match call
        .app
        .upload(id, token(call), content_type.as_deref(), &mut body)
    {
        Ok(_bytes) => Ok(Reply::ok(json!({}))),
        Err(error) => conflict_as_such(error),
    }
}

/// Answers a second upload with 409, which the shapes of v1 have no use for.
fn conflict_as_such(error: Error) -> Result<Reply> {
    if error.kind() == Kind::Conflict {
        return Ok(Reply::json(409, json!({ "message": error.message() })));
    }
    Err(error)
}

/// Stands where a route has a stream.
fn never(_call: &mut Call<'_>) -> Result<Reply> {
    Err(Error::internal("the body of an upload was read as JSON"))
}

/// Returns the token of a call's URL.
fn token<'a>(call: &Call<'a>) -> &'a str {
    let found = call.query.iter().find(|(name, _)| name == "token");
    found.map_or("", |(_, token)| token.as_str())
}

/// Refuses during maintenance, and addresses that ask too often.
fn let_in(call: &Call<'_>) -> Result<()> {
    if let Some(message) = call.shared.maintenance() {
        return Err(Error::unavailable(message, MAINTENANCE_RETRY_S));
    }
    call.app.admit_address(call.who.origin.address)
}
