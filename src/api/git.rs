//! Git over HTTP: the smart protocol at `/git/{team}/{repository}.git` (`runtime.md 6`).
//!
//! Who may do what the verbs say; git itself runs behind [`crate::app::git_server`].
//! Errors are plain text, since git shows that to people.

use std::io;

use super::call::{Call, Content, Reply, Source};
use super::dispatch::body_error;
use super::error::status_of;
use super::route::{Access, Route};
use super::version::Version;
use crate::app::git_server::{GitCall, GitProgram};
use crate::domain::{Error, Kind, Result};
use crate::http::Request;

/// The routes of git.
pub const ROUTES: &[Route] = &[
    Route::get(
        "/git/{team}/{repository}/info/refs",
        "lists the refs of a repository for git",
        never,
    )
    .with_access(Access::Git)
    .streaming(refs),
    Route::post(
        "/git/{team}/{repository}/git-upload-pack",
        "sends objects of a repository to git: clone and fetch",
        never,
    )
    .with_access(Access::Git)
    .streaming(upload_pack),
    Route::post(
        "/git/{team}/{repository}/git-receive-pack",
        "takes objects from git: push",
        never,
    )
    .with_access(Access::Git)
    .streaming(receive_pack),
];

/// The largest body: git's own limit of a push comes first, and says more.
const BODY_MAX_BYTES: u64 = 128 * 1024 * 1024;

/// The ending of a repository in addresses.
const SUFFIX: &str = ".git";

/// Bodies are read here, so this is never called.
fn never(_: &mut Call<'_>) -> Result<Reply> {
    Err(Error::internal("git is answered as a stream"))
}

/// Answers the refs of a repository.
fn refs(call: &mut Call<'_>, request: &mut Request<'_>) -> Result<Reply> {
    let service = call.query.iter().find(|(name, _)| name == "service");
    let answered = match service.and_then(|(_, name)| GitProgram::parse(name)) {
        Some(program) => run(call, request, program, true),
        None => Err(Error::forbidden(
            "git speaks its smart protocol here: use git 1.6.6 or newer",
        )),
    };
    shown(answered)
}

/// Sends objects.
fn upload_pack(call: &mut Call<'_>, request: &mut Request<'_>) -> Result<Reply> {
    shown(run(call, request, GitProgram::UploadPack, false))
}

/// Takes objects.
fn receive_pack(call: &mut Call<'_>, request: &mut Request<'_>) -> Result<Reply> {
    shown(run(call, request, GitProgram::ReceivePack, false))
}

/// Lets a call in and hands it to git.
fn run(
    call: &mut Call<'_>,
    request: &mut Request<'_>,
    program: GitProgram,
    is_advertisement: bool,
) -> Result<Reply> {
    let named = call.param("repository");
    let name = named.strip_suffix(SUFFIX).unwrap_or(named);
    let component =
        call.app
            .repository_for_git(&call.who, call.param("team"), name, program.right())?;
    let server = call
        .app
        .git_server()
        .ok_or_else(|| Error::new(Kind::Unavailable, "git does not run here"))?;
    let is_gzip = match request.header("content-encoding").map(str::trim) {
        None | Some("" | "identity") => false,
        Some("gzip" | "x-gzip") => true,
        Some(_) => {
            return Err(Error::new(
                Kind::Invalid,
                "the body is packed: gzip is read",
            ));
        }
    };
    let protocol = request.header("git-protocol").map(str::to_owned);
    let user = call.who.require_user()?.id;
    let mut nothing = io::empty();
    let mut sent;
    let body: &mut dyn io::Read = if is_advertisement {
        &mut nothing
    } else {
        sent = request.body_stream(BODY_MAX_BYTES).map_err(body_error)?;
        &mut sent
    };
    let answer = server.answer(GitCall {
        component: component.id,
        user,
        api_key: call.who.api_key,
        address: call.who.origin.address,
        program,
        is_advertisement,
        protocol: protocol.as_deref(),
        is_gzip,
        body,
    })?;
    Ok(Reply {
        status: answer.status,
        headers: vec![("Content-Type", answer.content_type)],
        content: Content::Stream(Source(answer.body)),
    })
}

/// Shows an error to the person behind git; one that asks for credentials and faults of
/// ours keep the common form, which logs and challenges.
fn shown(answered: Result<Reply>) -> Result<Reply> {
    match answered {
        Err(error) if !matches!(error.kind(), Kind::Unauthenticated | Kind::Internal) => {
            if let Some(cause) = std::error::Error::source(&error) {
                tracing::warn!(target: "http", cause = %cause, "{error}");
            }
            let status = status_of(Version::V2, error.kind());
            let text = format!("{}\n", error.message());
            Ok(Reply::text(status, "text/plain; charset=utf-8", text))
        }
        other => other,
    }
}
