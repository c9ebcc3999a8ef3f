//! What HTTP steps make of answers.

use serde_json::{Map, Value};

use crate::app::outgoing::StepResponse;
use crate::domain::Error;
use crate::domain::codec::media::{BodyKind, MediaType};
use crate::domain::codec::{self, form, xml};
use crate::domain::run::Failure;

/// The body of an answer.
pub(super) enum AnswerBody {
    /// JSON, XML or a form, read; an empty body is an empty object.
    Value(Value),
    /// Other text.
    Text(String),
    /// What is not text: a picture, an archive, a table.
    Bytes,
}

/// Reads the body of an answer by its media type; without one it is JSON where it can be
/// read as some, else text.
pub(super) fn body_of(response: &StepResponse) -> Result<AnswerBody, Failure> {
    let bytes = &response.body;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(AnswerBody::Value(Value::Object(Map::new())));
    }
    let media = response.header("content-type").and_then(MediaType::parse);
    let charset = media.as_ref().and_then(MediaType::charset);
    let text = || codec::text(bytes, charset).map_err(refused);
    let Some(kind) = media.as_ref().map(MediaType::kind) else {
        return Ok(match serde_json::from_slice(bytes) {
            Ok(value) => AnswerBody::Value(value),
            Err(_) => match std::str::from_utf8(bytes) {
                Ok(text) => AnswerBody::Text(text.to_owned()),
                Err(_) => AnswerBody::Bytes,
            },
        });
    };
    Ok(match kind {
        BodyKind::Json => {
            let value = serde_json::from_str(&text()?).map_err(|error| {
                Failure::named("SyntaxError", format!("The answer is no JSON: {error}"))
            })?;
            AnswerBody::Value(value)
        }
        BodyKind::Xml => AnswerBody::Value(xml::parse(bytes, charset).map_err(refused)?),
        BodyKind::Form => AnswerBody::Value(Value::Object(form::object(bytes).map_err(refused)?)),
        BodyKind::PlainText | BodyKind::Text => AnswerBody::Text(text()?.into_owned()),
        BodyKind::Multipart | BodyKind::Binary => AnswerBody::Bytes,
    })
}

/// Returns the headers of an answer by name; of a name that occurs again the values are
/// joined, and cookies are a list, as Node has them.
pub(super) fn headers_of(response: &StepResponse) -> Map<String, Value> {
    let mut headers = Map::new();
    for (name, value) in &response.headers {
        match headers.get_mut(name) {
            Some(Value::Array(values)) => values.push(Value::from(value.as_str())),
            Some(Value::String(values)) => {
                values.push_str(", ");
                values.push_str(value);
            }
            _ if name == "set-cookie" => {
                headers.insert(name.clone(), Value::from(vec![value.as_str()]));
            }
            _ => {
                headers.insert(name.clone(), Value::from(value.as_str()));
            }
        }
    }
    headers
}

/// Makes a step's failure of an error of ours, with the fields that it names.
#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
pub(super) fn refused(error: Error) -> Failure {
    match error.fields().first() {
        Some(fault) => Failure::new(format!("`{}` {}", fault.field, fault.message)),
        None => Failure::new(error.message()),
    }
}
