//! How much waits for the steps of a flow (`v2.md 6.2`).

use serde_json::{Value, json};

use super::document::{Document, Resource};
use crate::api::call::{Call, Reply};
use crate::api::route::Route;
use crate::api::shape::{Answers, Attribute, ResourceType, Shape};
use crate::domain::Result;
use crate::domain::id::FlowId;

/// The type; its id is that of the flow.
pub(super) const QUEUE_STATS: ResourceType = ResourceType {
    name: "flow-queue-stats",
    attributes: &[Attribute::required("stats", Shape::List)],
    relationships: &[],
};

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[Route::get(
    "/v2/stats/queues/{flow_id}",
    "returns how many messages wait for each step of a flow",
    one,
)
.answering(200, Answers::One(&QUEUE_STATS))];

/// Answers the queues of a flow, a row a step in the order of its graph.
fn one(call: &mut Call<'_>) -> Result<Reply> {
    let flow: FlowId = call.id("flow_id", "flow")?;
    let stats: Vec<Value> = call
        .app
        .queue_stats(&call.who, flow)?
        .into_iter()
        .map(|queue| {
            json!({
                "step_id": queue.step,
                "total": queue.total,
                "ready": queue.total - queue.unacked - queue.rebounds,
                "unacked": queue.unacked,
                "rebounds": queue.rebounds,
            })
        })
        .collect();
    let link = format!("/v2/stats/queues/{flow}");
    let shown = Resource::new(&QUEUE_STATS, flow, link).attribute("stats", stats);
    Ok(Document::one(shown).ok())
}
