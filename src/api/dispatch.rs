//! The walk that every request takes, from its head to its answer.
//!
//! In order: request id, the joke method, the route (404, 405), the accepted type
//! (406), maintenance (503), requests that a foreign page made (403), the limit of the
//! address (429), who asks (401), the limit of the account (429), the query (400), the
//! body (400, 413, 415), the handler. Whatever goes wrong is one [`Error`], shaped here
//! for the version that the path belongs to.

use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde_json::Value;

use super::body;
use super::call::{Call, Compat, Content, Reply, Source};
use super::error::{body_of, failure, status_of};
use super::route::{Access, Route};
use super::shared::Shared;
use super::v2::{self, document, query::Query};
use super::version::{JSON, Version, refused_type};
use crate::app::step_run::{STEP_USER_PREFIX, StepRun};
use crate::app::{App, BasicCredentials, SecretText};
use crate::clock::monotonic_us;
use crate::domain::id::{RawId, UserId};
use crate::domain::principal::{Channel, Origin, Principal, unauthenticated};
use crate::domain::{Error, Kind, Result};
use crate::http::router::{Match, Router};
use crate::http::{BodyError, Handler, Refusal, Request, Response, basic};

/// What asks for credentials (`v1.md 1.2`, rule 1).
const CHALLENGE: &str = "Basic realm=\"Elastane\", charset=\"UTF-8\"";

/// The longest request id that is taken over from a client: a UUID twice over.
const REQUEST_ID_MAX_BYTES: usize = 72;

/// The API: routes over the application.
pub struct Api {
    app: App,
    shared: Arc<Shared>,
    router: Router<Route>,
}

/// What is known of a request once its answer is made: for its shape and the log line.
struct Trace {
    request_id: String,
    version: Version,
    /// The media type of a JSON answer, and whether the client accepts one.
    answer_type: (&'static str, bool),
    user: Option<UserId>,
    /// The pattern of the route that was found.
    route: Option<&'static str>,
}

impl Api {
    /// Puts the routes of all versions over an application.
    pub fn new(app: App, shared: Arc<Shared>) -> Result<Self> {
        let entries = super::routes()
            .into_iter()
            .map(|route| (route.method, route.path, route));
        let router = Router::new(entries).map_err(Error::internal)?;
        Ok(Self {
            app,
            shared,
            router,
        })
    }

    /// Answers a request whose id is known; every failure is an error.
    fn answer(&self, request: &mut Request<'_>, trace: &mut Trace) -> Result<Reply> {
        let version = trace.version;
        if request.method() == "BREW" {
            return Ok(refusal(version, 418, "teapot", "I'm a teapot"));
        }
        let (route, params) = match self.router.find(request.method(), request.path()) {
            Match::Found { route, params } => (route, params),
            Match::MethodNotAllowed { allow } => {
                let message = format!("this path offers {allow} only");
                let refused = refusal(version, 405, "method_not_allowed", &message);
                return Ok(refused.with_header("Allow", allow));
            }
            Match::NotFound => return Err(Error::new(Kind::NotFound, "there is no such path")),
        };
        trace.route = Some(route.path);
        if (version == Version::V2 || matches!(route.access, Access::User | Access::Token))
            && !trace.answer_type.1
        {
            let message = "the answer is application/json, which your Accept refuses";
            return Ok(refusal(version, 406, "not_acceptable", message));
        }
        let (who, step) = self.caller(request, trace, route)?;
        trace.user = who.user_id();
        let asked = match version {
            Version::V1 => Query::default(),
            Version::V2 => Query::parse(request.query(), route.query, v2::TYPES)?,
        };
        let mut call = Call {
            app: &self.app,
            shared: &self.shared,
            who,
            step,
            params,
            query: request.query(),
            body: serde_json::Map::new(),
            compat: compat_of(request),
            host: request.host(),
            route,
            path: request.path().raw(),
            asked,
            prefer: request.header("prefer"),
            if_match: request.header("if-match"),
        };
        if let Some(stream) = route.stream {
            return stream(&mut call, request);
        }
        let bytes = match self.body_of(request, version)? {
            Ok(bytes) => bytes,
            Err(refused) => return Ok(refused),
        };
        call.body = body::parse(request.header("content-type"), &bytes)?;
        let mut reply = (route.handler)(&mut call)?;
        if call.asked.is_sparse()
            && let Content::Written(json) = &reply.content
        {
            reply.content = document::thin(json, &call.asked)?;
        }
        Ok(reply)
    }

    /// Says who calls a route, and lets it in.
    fn caller(
        &self,
        request: &Request<'_>,
        trace: &Trace,
        route: &Route,
    ) -> Result<(Principal, Option<Arc<StepRun>>)> {
        let origin = Origin {
            channel: Channel::Api,
            address: request.client(),
            request_id: Some(trace.request_id.clone()),
        };
        if (route.access == Access::Step || route.lets_steps_in)
            && let Some(sent) = step_credentials(request)
        {
            // Its flow's work is bounded elsewhere, so no share of an address counts.
            let signed_in = self.app.sign_in_step(&sent.user, &sent.password, origin);
            return signed_in.map(|(who, step)| (who, Some(step)));
        }
        let who = match route.access {
            Access::Step => Err(unauthenticated()),
            Access::Public => Ok(Principal::anonymous(origin)),
            Access::Metrics => {
                self.may_read_metrics(request)?;
                Ok(Principal::anonymous(origin))
            }
            Access::Token if request.header("authorization").is_none() => {
                self.admit_unsigned(request, &origin)?;
                Ok(Principal::anonymous(origin))
            }
            Access::User | Access::Token | Access::Git => {
                match self.admit(request, route, origin) {
                    Ok(who) if trace.version == Version::V2 => Ok(who.with_passing_admin()),
                    other => other,
                }
            }
        };
        who.map(|who| (who, None))
    }

    /// Reads the body, or refuses its type.
    fn body_of(
        &self,
        request: &mut Request<'_>,
        version: Version,
    ) -> Result<Result<Vec<u8>, Reply>> {
        if is_encoded(request) {
            let message = "send the body as it is: no Content-Encoding is read here";
            return Ok(Err(refusal(
                version,
                415,
                "unsupported_media_type",
                message,
            )));
        }
        let bytes = request
            .body(self.shared.options.body_max_bytes)
            .map_err(body_error)?;
        if version == Version::V2 {
            let has_body = !bytes.trim_ascii().is_empty();
            if let Some(message) = refused_type(request.header("content-type"), has_body) {
                return Ok(Err(refusal(
                    version,
                    415,
                    "unsupported_media_type",
                    message,
                )));
            }
        }
        Ok(Ok(bytes))
    }

    /// Lets a request for signed-in users in, and says who it is.
    fn admit(&self, request: &Request<'_>, route: &Route, origin: Origin) -> Result<Principal> {
        self.admit_unsigned(request, &origin)?;
        let authorization = request.header("authorization");
        let mut sent = authorization
            .and_then(basic::credentials)
            .map(|sent| BasicCredentials {
                user: sent.user,
                password: SecretText::new(sent.password),
            });
        if sent.is_none() && route.access == Access::Git {
            sent = authorization.and_then(bearer_key);
        }
        let who = self.app.sign_in(sent.as_ref(), origin)?;
        self.app.admit_account(&who)?;
        Ok(who)
    }

    /// Lets a request in as far as it does not matter who sent it.
    fn admit_unsigned(&self, request: &Request<'_>, origin: &Origin) -> Result<()> {
        if let Some(message) = self.shared.maintenance() {
            return Err(Error::unavailable(message, MAINTENANCE_RETRY_S));
        }
        self.refuse_foreign_pages(request)?;
        self.app.admit_address(origin.address)
    }

    /// Refuses state-changing requests that a page of another site made, so that a
    /// browser's remembered credentials can't be abused (`v1.md 1.3`).
    fn refuse_foreign_pages(&self, request: &Request<'_>) -> Result<()> {
        if matches!(request.method(), "GET" | "HEAD") {
            return Ok(());
        }
        let from_elsewhere = request
            .header("sec-fetch-site")
            .is_some_and(|site| site.eq_ignore_ascii_case("cross-site"));
        let origin_is_foreign = request
            .header("origin")
            .is_some_and(|origin| !self.is_own_origin(origin, request.host()));
        if from_elsewhere || origin_is_foreign {
            return Err(Error::forbidden(
                "requests from pages of other sites are refused",
            ));
        }
        Ok(())
    }

    /// Tells whether an `Origin` is this server's own or one that the operator allows.
    fn is_own_origin(&self, origin: &str, host: Option<&str>) -> bool {
        let own = origin
            .split_once("://")
            .is_some_and(|(_, named)| host.is_some_and(|host| named.eq_ignore_ascii_case(host)));
        own || self
            .shared
            .options
            .allowed_origins
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(origin))
    }

    /// Lets loopback peers and holders of the token read the metrics.
    fn may_read_metrics(&self, request: &Request<'_>) -> Result<()> {
        // A proxy on this machine is loopback too, and what it forwards comes from anywhere.
        let forwarded = ["x-forwarded-for", "forwarded", "via"]
            .into_iter()
            .any(|name| request.header(name).is_some());
        let local = !forwarded && request.peer().is_none_or(|address| address.is_loopback());
        let token = request
            .header("authorization")
            .and_then(|value| value.split_once(' '))
            .is_some_and(|(scheme, token)| {
                scheme.eq_ignore_ascii_case("bearer") && self.shared.is_metrics_token(token.trim())
            });
        if local || token {
            Ok(())
        } else {
            Err(Error::forbidden(
                "metrics are for this machine, or for holders of the token",
            ))
        }
    }

    /// Returns the id of a request: the client's where it is well-formed, else a new one.
    fn request_id(&self, request: &Request<'_>) -> String {
        let sent = request.header("x-request-id").filter(|id| {
            !id.is_empty()
                && id.len() <= REQUEST_ID_MAX_BYTES
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        });
        sent.map_or_else(|| self.app.new_request_id(), str::to_owned)
    }
}

/// Returns the API key of a bearer token, as credentials without an address.
fn bearer_key(authorization: &str) -> Option<BasicCredentials> {
    let (scheme, key) = authorization.split_once(' ')?;
    let is_key = scheme.eq_ignore_ascii_case("bearer") && !key.contains('@');
    is_key.then(|| BasicCredentials {
        user: key.trim().to_owned(),
        password: SecretText::new(String::new()),
    })
}

/// Seconds after which clients may ask whether maintenance is over.
const MAINTENANCE_RETRY_S: u32 = 30;

impl Handler for Api {
    fn handle(&self, request: &mut Request<'_>) -> Response {
        let began_us = monotonic_us();
        let version = Version::of_segment(request.path().segment(0));
        let mut trace = Trace {
            request_id: self.request_id(request),
            version,
            answer_type: version.answer_type(request.header("accept")),
            user: None,
            route: None,
        };
        let answered = catch_unwind(AssertUnwindSafe(|| self.answer(request, &mut trace)));
        let reply = match answered {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => error_reply(version, &error, &trace.request_id),
            Err(_) => {
                self.shared.metrics.panics.add(1);
                let error = Error::internal("the handler panicked");
                error_reply(version, &error, &trace.request_id)
            }
        };
        self.shared
            .metrics
            .answered(reply.status, monotonic_us() - began_us);
        log_line(&trace, request, reply.status, monotonic_us() - began_us);
        response_of(reply, trace.answer_type.0).header("X-Request-Id", trace.request_id)
    }

    fn refuse(&self, refusal: &Refusal) -> Response {
        let request_id = self.app.new_request_id();
        tracing::info!(
            target: "http",
            request_id,
            status = refusal.status,
            reason = refusal.message,
            "refused"
        );
        let response = match Version::of_target(refusal.target.as_deref()) {
            Version::V1 => refusal.to_json(),
            Version::V2 => {
                let body = failure(Version::V2, refusal.status, "refused", refusal.message);
                Response::new(refusal.status)
                    .header("Content-Type", JSON)
                    .bytes(to_bytes(&body))
            }
        };
        response.header("X-Request-Id", request_id)
    }
}

/// Returns the credentials of a request, where their user is a process of a step. Clients
/// of the object storage send both as a bearer token.
fn step_credentials(request: &Request<'_>) -> Option<BasicCredentials> {
    let authorization = request.header("authorization")?;
    if let Some((scheme, token)) = authorization.split_once(' ')
        && scheme.eq_ignore_ascii_case("bearer")
    {
        let (user, key) = token.trim().split_once(':')?;
        return user
            .starts_with(STEP_USER_PREFIX)
            .then(|| BasicCredentials {
                user: user.to_owned(),
                password: SecretText::new(key.to_owned()),
            });
    }
    let sent = basic::credentials(authorization)?;
    let is_step = sent.user.starts_with(STEP_USER_PREFIX);
    is_step.then(|| BasicCredentials {
        user: sent.user,
        password: SecretText::new(sent.password),
    })
}

/// Returns which shape the client wants: query before header (`v1.md 1.6`).
fn compat_of(request: &Request<'_>) -> Compat {
    let wanted = request
        .query_value("compat")
        .or_else(|| request.header("x-elastane-compat"));
    match wanted {
        Some("later") => Compat::Later,
        _ => Compat::Seed,
    }
}

/// Tells whether a body would have to be unpacked first: its size could not be bounded.
fn is_encoded(request: &Request<'_>) -> bool {
    request
        .header("content-encoding")
        .is_some_and(|coding| !coding.trim().eq_ignore_ascii_case("identity"))
}

/// Makes the reply of a failure of the protocol, which no kind of error stands for.
fn refusal(version: Version, status: u16, slug: &str, message: &str) -> Reply {
    Reply::json(status, failure(version, status, slug, message))
}

/// Turns a failed read of the body into an error.
pub(super) fn body_error(error: BodyError) -> Error {
    let kind = if error.status() == 413 {
        Kind::TooLarge
    } else {
        Kind::Invalid
    };
    Error::new(kind, error.message())
}

/// Shapes an error, and logs the ones that are ours.
fn error_reply(version: Version, error: &Error, request_id: &str) -> Reply {
    if error.kind() == Kind::Internal {
        tracing::error!(target: "http", request_id, causes = %error.causes(), "internal error");
    }
    if error.kind() == Kind::Unavailable && std::error::Error::source(error).is_some() {
        tracing::warn!(target: "http", request_id, causes = %error.causes(), "{error}");
    }
    let status = status_of(version, error.kind());
    let mut reply = Reply::json(status, body_of(version, error));
    if error.kind() == Kind::Unauthenticated {
        reply = reply.with_header("WWW-Authenticate", CHALLENGE);
    }
    if let Some(seconds) = error.retry_after_s() {
        reply = reply.with_header("Retry-After", seconds.to_string());
    }
    reply
}

/// Turns a reply into the answer on the wire; JSON has the given media type.
fn response_of(reply: Reply, json: &str) -> Response {
    let mut response = Response::new(reply.status);
    response = match reply.content {
        Content::Empty => response,
        Content::Json(value) => response
            .header("Content-Type", json)
            .bytes(to_bytes(&value)),
        Content::Written(bytes) => response.header("Content-Type", json).bytes(bytes),
        Content::Text(media_type, text) => response.header("Content-Type", media_type).bytes(text),
        Content::File(file, length) => response.stream(file, Some(length)),
        Content::Stream(Source(source)) => response.stream(source, None),
        Content::Raw(headers, bytes) => headers
            .into_iter()
            .fold(response, |response, (name, value)| {
                response.header(name, value)
            })
            .bytes(bytes),
    };
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    // Answers are one caller's; no cache between may keep them.
    response.header("Cache-Control", "no-store")
}

/// Writes a value as JSON; a `Value` has no key that is not a text, so this can't fail.
fn to_bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// Returns a path as the log may show it: people paste keys and e-mail addresses where an
/// id belongs, so only ids are shown in the places of parameters, and nothing of a path
/// that no route has.
fn shown_path(route: Option<&str>, request: &Request<'_>) -> String {
    let mut shown = String::new();
    for (place, segment) in route.unwrap_or("/…").split('/').skip(1).enumerate() {
        shown.push('/');
        match request.path().segment(place) {
            Some(id) if segment.starts_with('{') && id.parse::<RawId>().is_ok() => {
                shown.push_str(id);
            }
            _ => shown.push_str(segment),
        }
    }
    shown
}

/// Writes the one line of a request: no query, no body, no secret, no e-mail address.
fn log_line(trace: &Trace, request: &Request<'_>, status: u16, took_us: u64) {
    if !tracing::enabled!(target: "http", tracing::Level::INFO) {
        return;
    }
    let path = shown_path(trace.route, request);
    tracing::info!(
        target: "http",
        request_id = trace.request_id,
        method = request.method(),
        path,
        status,
        took_us,
        user = trace.user.map_or_else(|| "-".to_owned(), |id| id.to_string()),
        address = %request.client().map_or_else(|| "-".to_owned(), |address: IpAddr| address.to_string()),
        "request"
    );
}
