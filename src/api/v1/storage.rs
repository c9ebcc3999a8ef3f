//! Signed URLs of the object storage (`v1.md 3.5`).

use crate::api::call::{Call, Reply};
use crate::api::route::Route;
use crate::api::shape::{Answers, Attribute, Shape};
use crate::api::storage::signed_urls;
use crate::domain::Result;

/// The URLs of an object, and for how many seconds they are good.
const URLS: &[Attribute] = &[
    Attribute::required("put_url", Shape::Text),
    Attribute::required("get_url", Shape::Text),
    Attribute::required("expires", Shape::Integer),
];

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[Route::post(
    "/v1/resources/s3/signed-url",
    "makes URLs to upload and download one object",
    sign,
)
.also_for_steps()
.answering(200, Answers::Object(URLS))];

/// Makes the URLs of an object.
fn sign(call: &mut Call<'_>) -> Result<Reply> {
    signed_urls(call)
}
