//! The files that messages refer to by URL.

use serde_json::{Value, json};

use super::answer;
use crate::app::outgoing::{StepRequest, StepResponse};
use crate::domain::object::SIGNED_URL_S;
use crate::domain::run::Failure;
use crate::engine::component::{Tools, Work};

/// A file in memory.
pub(super) struct Fetched {
    /// What it holds.
    pub(super) bytes: Vec<u8>,
    /// The media type that it came with.
    pub(super) content_type: Option<String>,
}

/// Fetches the file at a URL that `field` names: from our own storage where it is there,
/// since the server's own address may be one that steps must not call.
pub(super) fn fetch(tools: &Tools<'_>, field: &str, url: &str) -> Result<Fetched, Failure> {
    let own = tools.app.read_object_at(url).map_err(answer::refused)?;
    if let Some((object, bytes)) = own {
        return Ok(Fetched {
            bytes,
            content_type: object.content_type,
        });
    }
    let url = tools.app.step_url(field, url).map_err(answer::refused)?;
    let response = tools
        .app
        .send(&StepRequest::new("GET", url))
        .map_err(|error| Failure::new(format!("The file of `{field}`: {error}")))?;
    if !(200..300).contains(&response.status) {
        let status = response.status;
        return Err(Failure::new(format!(
            "The file of `{field}` can't be fetched: the server answers {status}"
        )));
    }
    Ok(Fetched {
        content_type: response.header("content-type").map(str::to_owned),
        bytes: response.body,
    })
}

/// Stores the bytes of an answer as an attachment, and returns its name and description.
pub(super) fn attach(work: &Work<'_>, response: &StepResponse) -> Result<(String, Value), Failure> {
    let content_type = response
        .header("content-type")
        .unwrap_or("application/octet-stream");
    let stored = work.tools.app.put_object(
        &response.body,
        Some(content_type),
        i64::from(SIGNED_URL_S) * 1_000,
    );
    let stored = stored.map_err(answer::refused)?;
    let attachment = json!({
        "url": work.tools.app.own_url(&stored.get_path),
        "content-type": content_type,
        "size": stored.bytes,
    });
    Ok((format!("file-{}", stored.id), attachment))
}
