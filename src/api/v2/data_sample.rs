//! Data samples (`v2.md 4.3, 6.3`), under the first and the later prefix: links have the
//! one of the request.

use serde_json::Value;

use super::document::{Document, Resource, moved};
use super::input::{Input, place_of};
use super::query::bad_parameter;
use super::scope;
use crate::api::call::{Call, Reply};
use crate::api::route::{CallHandler, Route};
use crate::api::shape::{
    Answers, Attribute, IdRule, QueryRules, Relationship, ResourceInput, ResourceType, Shape,
};
use crate::app::data_sample::IDS_MAX;
use crate::domain::data_sample::{DataSample, DataSampleChange, NewDataSample};
use crate::domain::id::DataSampleId;
use crate::domain::{Error, Result};

/// The type.
pub(super) const DATA_SAMPLE: ResourceType = ResourceType {
    name: "data-sample",
    attributes: &[
        Attribute::new("method", Shape::Text),
        Attribute::new("result", Shape::Any),
    ],
    relationships: &[
        Relationship::one("component", "component"),
        Relationship::one("component_version", "version"),
        Relationship::one("user", "user"),
        Relationship::one("organization", "organization"),
    ],
};

/// A new sample.
const NEW: ResourceInput = ResourceInput {
    types: &["data-sample"],
    attributes: &[
        Attribute::required("method", Shape::Text),
        Attribute::required("result", Shape::Any),
    ],
    relationships: &[
        Relationship::required("component", "component"),
        Relationship::required("component_version", "version"),
        scope::ORGANIZATION,
        scope::LATER_WORKSPACE,
    ],
    ..ResourceInput::NEW
};

/// A change of a sample.
const CHANGE: ResourceInput = ResourceInput {
    types: &["data-sample"],
    id: IdRule::InPath("sample_id"),
    attributes: &[
        Attribute::new("method", Shape::Text),
        Attribute::new("result", Shape::Any),
    ],
    ..ResourceInput::NEW
};

/// The list: several by id.
const BY_ID: QueryRules = QueryRules {
    filters: &[Attribute::required("id", Shape::Texts)],
    others: scope::PARAMETERS,
    ..QueryRules::LIST
};

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[
    listed("/v2/samples", list),
    made("/v2/samples", create),
    read("/v2/samples/{sample_id}", one),
    changed("/v2/samples/{sample_id}", change),
    listed("/v2/data-samples", list),
    made("/v2/data-samples", create),
    read("/v2/data-samples/{sample_id}", one),
    changed("/v2/data-samples/{sample_id}", change),
];

const fn listed(path: &'static str, handler: CallHandler) -> Route {
    Route::get(path, "returns several data samples by id", handler)
        .asking(&BY_ID)
        .answering(200, Answers::Many(&DATA_SAMPLE))
}

const fn made(path: &'static str, handler: CallHandler) -> Route {
    Route::post(path, "makes a data sample", handler)
        .taking(&NEW)
        .answering(201, Answers::One(&DATA_SAMPLE))
}

const fn read(path: &'static str, handler: CallHandler) -> Route {
    Route::get(path, "returns a data sample", handler).answering(200, Answers::One(&DATA_SAMPLE))
}

const fn changed(path: &'static str, handler: CallHandler) -> Route {
    Route::patch(path, "changes a data sample in part", handler)
        .taking(&CHANGE)
        .answering(200, Answers::One(&DATA_SAMPLE))
}

/// Answers those of the samples that the filter names which the caller may see; an id
/// that is none names nothing.
fn list(call: &mut Call<'_>) -> Result<Reply> {
    let Some(named) = call.asked.filter("id") else {
        return Err(bad_parameter("filter[id]", "is required: one or more ids"));
    };
    let named: Vec<&str> = named.split(',').map(str::trim).collect();
    if named.len() > IDS_MAX {
        let told = format!("names more than {IDS_MAX} ids");
        return Err(bad_parameter("filter[id]", told));
    }
    let ids: Vec<DataSampleId> = named.iter().filter_map(|id| id.parse().ok()).collect();
    let samples = call.app.data_samples(&call.who, &ids)?;
    let shown = samples.iter().map(|sample| show(call, sample)).collect();
    Ok(Document::list(call, shown).ok())
}

/// Answers one sample.
fn one(call: &mut Call<'_>) -> Result<Reply> {
    let sample = call.app.data_sample(&call.who, sample_id(call)?)?;
    Ok(Document::one(show(call, &sample)).ok())
}

/// Makes a sample.
fn create(call: &mut Call<'_>) -> Result<Reply> {
    call.who.refuse_guest()?;
    let input = Input::read(call, |id| {
        id.parse()
            .is_ok_and(|id| call.app.data_sample(&call.who, id).is_ok())
    })?;
    let component = input.related("component").unwrap_or_default();
    let new = NewDataSample {
        component: component.parse().map_err(|_| {
            Error::invalid(place_of("component"), "is no component that you may use")
        })?,
        component_version: input
            .related("component_version")
            .unwrap_or_default()
            .to_owned(),
        method: input.required_text("method").to_owned(),
        result: input.value("result").cloned().unwrap_or_default(),
    };
    let made = call
        .app
        .create_data_sample(&scope::maker(call, &input)?, new);
    let made = moved(made, "component", &place_of("component"));
    let sample = moved(made, "component_version", &place_of("component_version"))?;
    Ok(Document::one(show(call, &sample)).created(call))
}

/// Changes a sample: what the request does not name stays.
fn change(call: &mut Call<'_>) -> Result<Reply> {
    let id = sample_id(call)?;
    call.app.data_sample(&call.who, id)?;
    let input = Input::read(call, |_| false)?;
    let change = DataSampleChange {
        method: input.text("method").map(str::to_owned),
        result: if input.is_null("result") {
            Some(Value::Null)
        } else {
            input.value("result").cloned()
        },
    };
    let sample = call.app.change_data_sample(&call.who, id, change)?;
    Ok(Document::one(show(call, &sample)).ok())
}

/// Reads the id in the path.
fn sample_id(call: &Call<'_>) -> Result<DataSampleId> {
    call.id("sample_id", "data sample")
}

/// Returns a sample as v2 shows it, under the prefix of the request.
fn show(call: &Call<'_>, sample: &DataSample) -> Resource {
    let (user, component) = (sample.owner.user.to_string(), sample.component.to_string());
    let version = sample.component_version.as_str();
    let path = format!("/v2/{}/{}", call.route.group(), sample.id);
    let component_path = format!("/v2/components/{component}");
    Resource::new(&DATA_SAMPLE, sample.id, path)
        .attribute("method", sample.method.as_str())
        .attribute("result", sample.result.clone())
        .to_one(
            "component",
            "component",
            &component,
            component_path.as_str(),
        )
        .to_one(
            "component_version",
            "version",
            version,
            format!("{component_path}/versions/{version}"),
        )
        .to_one("user", "user", user.as_str(), format!("/v2/users/{user}"))
        .of_organization(sample.owner.organization)
}
