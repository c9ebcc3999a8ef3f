//! Actors: clients that send real requests and read what comes back.

use elastane::domain::user::User;
use serde_json::Value;
use ureq::Agent;
use ureq::http::{Request, Response};

use super::json_api;

/// Somebody who sends requests.
#[derive(Clone)]
pub struct Actor {
    base: String,
    agent: Agent,
    /// The value of `Authorization`; none for somebody without credentials.
    pub authorization: Option<String>,
    /// The user, where the actor is one.
    pub user: Option<User>,
    /// The API key, where the actor has one.
    pub key: String,
}

/// What came back.
#[must_use = "assert the status, whatever else"]
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub text: String,
}

impl Actor {
    /// Makes somebody without credentials.
    pub fn anonymous(base: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .allow_non_standard_methods(true)
            .build();
        Self {
            base: base.to_owned(),
            agent: Agent::new_with_config(config),
            authorization: None,
            user: None,
            key: String::new(),
        }
    }

    /// Makes a user who sends its key as user name.
    pub fn of(base: &str, user: User, key: &str) -> Self {
        Self {
            user: Some(user),
            key: key.to_owned(),
            ..Self::anonymous(base).signing_in(key, "")
        }
    }

    /// Returns the same actor with other Basic credentials.
    #[must_use]
    pub fn signing_in(&self, user: &str, password: &str) -> Self {
        use base64::Engine as _;
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        Self {
            authorization: Some(format!("Basic {pair}")),
            ..self.clone()
        }
    }

    /// Returns the id of the actor's user.
    pub fn id(&self) -> String {
        self.user
            .as_ref()
            .expect("an actor with a user")
            .id
            .to_string()
    }

    /// Sends GET.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    /// Sends POST with a JSON body.
    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(
            "POST",
            path,
            &[("content-type", "application/json")],
            &body.to_string(),
        )
    }

    /// Sends PUT with a JSON body.
    #[track_caller]
    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(
            "PUT",
            path,
            &[("content-type", "application/json")],
            &body.to_string(),
        )
    }

    /// Sends PATCH with a JSON body.
    #[track_caller]
    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(
            "PATCH",
            path,
            &[("content-type", "application/json")],
            &body.to_string(),
        )
    }

    /// Sends DELETE.
    #[track_caller]
    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], "")
    }

    /// Sends any request; `path` begins with a slash.
    #[track_caller]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let answer = self
            .try_send(method, path, headers, body)
            .expect("an answer");
        // Those of the object storage are plain JSON (`v2.md 4.7`).
        let is_document = path.starts_with("/v2/") && !path.starts_with("/v2/resources/");
        if is_document && method != "HEAD" {
            json_api::check(&answer);
        }
        answer
    }

    /// Sends POST with a JSON body to a server that may be killed meanwhile.
    pub fn try_post(&self, path: &str, body: &Value) -> Option<Answer> {
        let json = [("content-type", "application/json")];
        self.try_send("POST", path, &json, &body.to_string())
    }

    /// Sends any request; nothing where no whole answer comes back.
    fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Option<Answer> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(body.to_owned())
            .expect("a well-formed request");
        Answer::of(self.agent.run(request).ok()?)
    }
}

impl Answer {
    /// Reads an answer to its end.
    fn of(response: Response<ureq::Body>) -> Option<Self> {
        let (parts, mut body) = response.into_parts();
        Some(Self {
            status: parts.status.as_u16(),
            headers: parts
                .headers
                .iter()
                .map(|(name, value)| {
                    (
                        name.as_str().to_owned(),
                        value.to_str().unwrap_or_default().to_owned(),
                    )
                })
                .collect(),
            text: body.read_to_string().ok()?,
        })
    }

    /// Asserts the status and returns the body as JSON.
    #[track_caller]
    pub fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text))
    }

    /// Returns the first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }
}
