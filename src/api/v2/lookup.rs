//! Lookup tables (`v2.md 4.5`).

use super::document::{Document, Resource, nothing};
use super::input::Input;
use super::scope;
use crate::api::call::{Call, Reply};
use crate::api::route::Route;
use crate::api::shape::{
    Answers, Attribute, IdRule, NAME, QueryRules, Relationship, ResourceInput, ResourceType, Shape,
};
use crate::domain::id::LookupId;
use crate::domain::lookup::{Lookup, LookupChange, NewLookup};
use crate::domain::{Error, Result};

/// The type.
pub(super) const LOOKUP: ResourceType = ResourceType {
    name: "lookup",
    attributes: &[
        Attribute::new("title", Shape::Text),
        Attribute::new("data", Shape::Object),
    ],
    relationships: &[
        Relationship::one("user", "user"),
        Relationship::one("organization", "organization"),
    ],
};

/// Both attributes, for a new lookup and for one that is replaced.
const WHOLE: &[Attribute] = &[
    Attribute::required("title", NAME),
    Attribute::required("data", Shape::Object),
];

/// A new lookup.
const NEW: ResourceInput = ResourceInput {
    types: &["lookup"],
    attributes: WHOLE,
    relationships: &[scope::ORGANIZATION, scope::LATER_WORKSPACE],
    ..ResourceInput::NEW
};

/// A lookup in place of another, which the path names.
const REPLACED: ResourceInput = ResourceInput {
    types: &["lookup"],
    id: IdRule::MayBeInPath("lookup_id"),
    attributes: WHOLE,
    ..ResourceInput::NEW
};

/// The same where the request line of the documents is taken at its word: only the body
/// names the lookup.
const REPLACED_BY_BODY: ResourceInput = ResourceInput {
    types: &["lookup"],
    id: IdRule::Named,
    attributes: WHOLE,
    ..ResourceInput::NEW
};

/// A change of some attributes.
const CHANGE: ResourceInput = ResourceInput {
    types: &["lookup"],
    id: IdRule::MayBeInPath("lookup_id"),
    attributes: &[
        Attribute::new("title", NAME),
        Attribute::new("data", Shape::Object),
    ],
    ..ResourceInput::NEW
};

/// The list, which later clients ask for by workspace.
const LIST: QueryRules = QueryRules {
    others: scope::PARAMETERS,
    ..QueryRules::LIST
};

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[
    Route::get("/v2/lookups", "lists the own lookups", list)
        .asking(&LIST)
        .answering(200, Answers::Many(&LOOKUP)),
    Route::post("/v2/lookups", "makes a lookup", create)
        .taking(&NEW)
        .answering(201, Answers::One(&LOOKUP)),
    Route::put(
        "/v2/lookups",
        "replaces the lookup of the body",
        replace_by_body,
    )
    .taking(&REPLACED_BY_BODY)
    .answering(200, Answers::One(&LOOKUP)),
    Route::get("/v2/lookups/{lookup_id}", "returns a lookup", one)
        .answering(200, Answers::One(&LOOKUP)),
    Route::put("/v2/lookups/{lookup_id}", "replaces a lookup", replace)
        .taking(&REPLACED)
        .answering(200, Answers::One(&LOOKUP)),
    Route::patch(
        "/v2/lookups/{lookup_id}",
        "changes a lookup in part",
        replace,
    )
    .taking(&CHANGE)
    .answering(200, Answers::One(&LOOKUP)),
    Route::delete("/v2/lookups/{lookup_id}", "deletes a lookup", delete)
        .answering(204, Answers::Nothing),
];

/// Answers the lookups of the scope.
fn list(call: &mut Call<'_>) -> Result<Reply> {
    let lookups = call.app.lookups(&scope::reader(call)?)?;
    Ok(Document::list(call, lookups.iter().map(show).collect()).ok())
}

/// Answers one lookup.
fn one(call: &mut Call<'_>) -> Result<Reply> {
    let lookup = call.app.lookup(&call.who, lookup_id(call)?)?;
    Ok(Document::one(show(&lookup)).ok())
}

/// Makes a lookup.
fn create(call: &mut Call<'_>) -> Result<Reply> {
    call.who.refuse_guest()?;
    let input = Input::read(call, |id| {
        id.parse()
            .is_ok_and(|id| call.app.lookup(&call.who, id).is_ok())
    })?;
    let new = NewLookup::parse(input.text("title"), input.object("data").cloned())?;
    let lookup = call.app.create_lookup(&scope::maker(call, &input)?, new)?;
    Ok(Document::one(show(&lookup)).created(call))
}

/// Replaces, or changes in part, the lookup of the path: the route says what must be
/// sent.
fn replace(call: &mut Call<'_>) -> Result<Reply> {
    let id = lookup_id(call)?;
    call.app.lookup(&call.who, id)?;
    let input = Input::read(call, |_| false)?;
    change(call, id, &input)
}

/// Replaces the lookup of the body.
fn replace_by_body(call: &mut Call<'_>) -> Result<Reply> {
    let input = Input::read(call, |_| false)?;
    let id = input
        .id()
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| Error::not_found("lookup"))?;
    call.app.lookup(&call.who, id)?;
    change(call, id, &input)
}

/// Changes what a request has of a lookup.
fn change(call: &Call<'_>, id: LookupId, input: &Input<'_>) -> Result<Reply> {
    let change = LookupChange::parse(input.text("title"), input.object("data").cloned())?;
    let lookup = call.app.change_lookup(&call.who, id, change)?;
    Ok(Document::one(show(&lookup)).ok())
}

/// Deletes a lookup.
fn delete(call: &mut Call<'_>) -> Result<Reply> {
    call.app.delete_lookup(&call.who, lookup_id(call)?)?;
    Ok(nothing(204))
}

/// Reads the id in the path.
fn lookup_id(call: &Call<'_>) -> Result<LookupId> {
    call.id("lookup_id", "lookup")
}

/// Returns a lookup as v2 shows it.
fn show(lookup: &Lookup) -> Resource {
    let user = lookup.owner.user.to_string();
    Resource::new(&LOOKUP, lookup.id, format!("/v2/lookups/{}", lookup.id))
        .attribute("title", lookup.title.as_str())
        .attribute("data", lookup.data.clone())
        .to_one("user", "user", user.as_str(), format!("/v2/users/{user}"))
        .of_organization(lookup.owner.organization)
}
