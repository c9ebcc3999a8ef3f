//! Signed URLs of the object storage (`v2.md 4.7`).

use crate::api::call::{Call, Reply};
use crate::api::route::Route;
use crate::api::shape::Answers;
use crate::api::storage::signed_urls;
use crate::domain::Result;

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[Route::post(
    "/v2/resources/storage/signed-url",
    "makes URLs to upload and download one object",
    sign,
)
.also_for_steps()
.answering(200, Answers::Plain)];

/// Makes the URLs of an object.
fn sign(call: &mut Call<'_>) -> Result<Reply> {
    signed_urls(call)
}
