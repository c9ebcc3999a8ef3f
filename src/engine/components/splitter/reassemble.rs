//! `elasticio/splitter:reassemble`: collects the messages of a group and emits them as one.
//!
//! A group lives in the step's own data: a head under `group:` and its id, and one datum
//! for each message, so that a message costs what it weighs and not what the group does.
//! A group waits for its time as a message of the step to itself. Everything is part of
//! the transaction that ends a message, so a group outlives a restart.

use serde_json::{Map, Value, json};

use crate::domain::run::{Failure, LogLevel, Message};
use crate::engine::component::{Emitter, Event, Tools, Work};
use crate::engine::components::fields::{self, Fields};

/// What a group may weigh, as JSON. A larger one is emitted as it is, like on the
/// platform, because a message has a limit too.
const GROUP_MAX_BYTES: u64 = 5 * 1024 * 1024;

/// The most messages of a group: as many as a step's queue may hold.
const GROUP_SIZE_MAX: u64 = 75_000;

/// How long a group waits for its next message where none says so, in milliseconds: what
/// the platform's component does.
const WAIT_DEFAULT_MS: u64 = 20_000;

/// The longest wait. The platform's is 20 seconds, since its groups live in a process;
/// ours may wait for a day.
const WAIT_MAX_MS: u64 = 24 * 60 * 60 * 1_000;

/// The longest id of a group or a message: it becomes part of a key.
const ID_MAX_BYTES: usize = 512;

/// The member of a message that the step sends to itself.
const TIMER: &str = "reassembleTimer";

/// When a group is complete.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// When it has its size.
    Size,
    /// When no message has come for a while.
    Time,
    /// Whichever comes first.
    Either,
}

impl Mode {
    /// Reads the field; a missing one is the first mode.
    fn of(cfg: &Fields) -> Option<Self> {
        match fields::text(cfg, "mode") {
            None | Some("groupSize") => Some(Self::Size),
            Some("timeout") => Some(Self::Time),
            Some("groupSize&timeout") => Some(Self::Either),
            Some(_) => None,
        }
    }
}

/// What is known of a group besides its messages.
struct Head {
    /// Tells it from an earlier group of the same id.
    generation: String,
    /// The ids of its messages, in the order in which they first came.
    ids: Vec<String>,
    /// What its messages weigh.
    bytes: u64,
    /// When its time is over.
    ready_at_ms: i64,
    /// Whether a message to the step itself is on its way.
    is_timed: bool,
}

impl Head {
    /// Begins a group.
    fn new(generation: String) -> Self {
        Self {
            generation,
            ids: Vec::new(),
            bytes: 0,
            ready_at_ms: 0,
            is_timed: false,
        }
    }

    /// Reads what [`Head::to_value`] wrote.
    fn from_value(value: &Value) -> Option<Self> {
        let ids = value.get("ids")?.as_array()?.iter();
        Some(Self {
            generation: value.get("generation")?.as_str()?.to_owned(),
            ids: ids
                .map(|id| id.as_str().map(str::to_owned))
                .collect::<Option<_>>()?,
            bytes: value.get("bytes")?.as_u64()?,
            ready_at_ms: value.get("readyAt")?.as_i64()?,
            is_timed: value.get("timed")?.as_bool()?,
        })
    }

    /// Returns the form in which it is kept.
    fn to_value(&self) -> Value {
        json!({
            "generation": self.generation,
            "ids": self.ids,
            "bytes": self.bytes,
            "readyAt": self.ready_at_ms,
            "timed": self.is_timed,
        })
    }

    /// Returns the key of a message's data.
    fn key_of(&self, message: &str) -> String {
        format!("message:{}:{message}", self.generation)
    }
}

/// Takes a message into its group, or looks after a group whose time may be over.
pub(super) fn process(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    let mode = Mode::of(work.cfg).ok_or_else(|| Failure::new(BAD_MODE))?;
    match work.message.rest.get(TIMER) {
        Some(timer) => look_after(work, emitter, timer),
        None => take(work, emitter, mode),
    }
}

/// What is wrong with another mode.
const BAD_MODE: &str = "`mode` must be groupSize, timeout or groupSize&timeout";

/// Takes a message into its group, and emits the group where it is complete.
fn take(work: &Work<'_>, emitter: &mut Emitter, mode: Mode) -> Result<(), Failure> {
    let body = fields::members(&work.message.body)?;
    let group = id_of(body, "groupId")?.ok_or_else(|| Failure::new("`groupId` is required"))?;
    let size = fields::whole(body, "groupSize", 1, GROUP_SIZE_MAX)?;
    if mode == Mode::Size && size.is_none() {
        return Err(Failure::new(
            "`groupSize` is required in the mode groupSize",
        ));
    }
    let wait_ms = fields::whole(body, "timersec", 1, u64::MAX)?
        .unwrap_or(WAIT_DEFAULT_MS)
        .min(WAIT_MAX_MS);
    let app = work.tools.app;
    let mut head = match kept_head(work, &group)? {
        Some(head) => head,
        None => Head::new(app.new_request_id()),
    };
    let id = match id_of(body, "messageId")? {
        Some(id) => id,
        None => app.new_request_id(),
    };
    let data = body.get("messageData").cloned().unwrap_or_default();
    let mut new = Some(data);
    add(work, &mut head, &id, new.as_ref())?;
    let size = size
        .filter(|_| mode != Mode::Time)
        .unwrap_or(GROUP_SIZE_MAX);
    let is_overloaded = head.bytes > GROUP_MAX_BYTES;
    if is_overloaded {
        let text = format!("The group {group} is too large to wait and is emitted as it is");
        emitter.log(LogLevel::Warn, text);
    }
    if is_overloaded || head.ids.len() as u64 >= size {
        return emit(work, emitter, &group, &head, Some((&id, &mut new)));
    }
    head.ready_at_ms = work.now_ms.saturating_add_unsigned(wait_ms);
    if mode != Mode::Size && !head.is_timed {
        head.is_timed = true;
        emitter.push(timer(&group, &head));
    }
    emitter.push(Event::Keep(head.key_of(&id), new));
    emitter.push(Event::Keep(key_of_head(&group), Some(head.to_value())));
    Ok(())
}

/// Counts a message in. One that came before takes its own place again, since a message
/// may be delivered twice.
fn add(work: &Work<'_>, head: &mut Head, id: &str, data: Option<&Value>) -> Result<(), Failure> {
    let weight = |value: &Value| value.to_string().len() as u64;
    if head.ids.iter().any(|known| known == id) {
        let old = datum(work, &head.key_of(id))?;
        let old_bytes = old.as_ref().map_or(0, weight);
        head.bytes = head.bytes.saturating_sub(old_bytes);
    } else {
        head.ids.push(id.to_owned());
    }
    head.bytes += data.map_or(0, weight);
    Ok(())
}

/// Emits a group whose time is over, or waits again where a message came meanwhile.
fn look_after(work: &Work<'_>, emitter: &mut Emitter, timer_of: &Value) -> Result<(), Failure> {
    let text = |name: &str| timer_of.get(name).and_then(Value::as_str);
    let (Some(group), Some(generation)) = (text("groupId"), text("generation")) else {
        return Ok(());
    };
    // Complete meanwhile, or another group of the same id.
    let Some(head) = kept_head(work, group)?.filter(|head| head.generation == generation) else {
        return Ok(());
    };
    if work.now_ms < head.ready_at_ms {
        emitter.push(timer(group, &head));
        return Ok(());
    }
    emit(work, emitter, group, &head, None)
}

/// Makes the message that the step sends to itself for the time when a group is ready.
fn timer(group: &str, head: &Head) -> Event {
    let mut message = Message::empty();
    let value = json!({ "groupId": group, "generation": head.generation });
    message.rest.insert(TIMER.to_owned(), value);
    Event::Later(message, head.ready_at_ms)
}

/// Emits a group and forgets it; the newest message is not kept yet and comes along.
fn emit(
    work: &Work<'_>,
    emitter: &mut Emitter,
    group: &str,
    head: &Head,
    mut newest: Option<(&str, &mut Option<Value>)>,
) -> Result<(), Failure> {
    let mut all = Vec::with_capacity(head.ids.len());
    for id in &head.ids {
        let data = match &mut newest {
            Some((newest, data)) if newest == id => data.take(),
            _ => datum(work, &head.key_of(id))?,
        };
        let data = match data {
            None | Some(Value::Null) => Value::Object(Map::new()),
            Some(data) => data,
        };
        all.push((id.clone(), data));
    }
    let data = if fields::is_on(work.cfg, "emitAsArray") {
        Value::Array(all.into_iter().map(|(_, data)| data).collect())
    } else {
        Value::Object(all.into_iter().collect())
    };
    emitter.body(json!({
        "groupSize": head.ids.len(),
        "groupId": group,
        "messageData": data,
    }))?;
    for id in &head.ids {
        emitter.push(Event::Keep(head.key_of(id), None));
    }
    emitter.push(Event::Keep(key_of_head(group), None));
    Ok(())
}

/// Returns an id, given as a text or a number.
fn id_of(body: &Fields, name: &str) -> Result<Option<String>, Failure> {
    let id = match body.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(id)) if id.is_empty() => return Ok(None),
        Some(_) => fields::required(body, name)?.into_owned(),
    };
    if id.len() > ID_MAX_BYTES {
        return Err(Failure::new(format!(
            "`{name}` must be at most {ID_MAX_BYTES} bytes long"
        )));
    }
    Ok(Some(id))
}

/// Returns the key of a group's head.
fn key_of_head(group: &str) -> String {
    format!("group:{group}")
}

/// Returns the head of a group that is not complete.
fn kept_head(work: &Work<'_>, group: &str) -> Result<Option<Head>, Failure> {
    let value = datum(work, &key_of_head(group))?;
    Ok(value.as_ref().and_then(Head::from_value))
}

/// Returns a piece of the step's own data.
fn datum(work: &Work<'_>, key: &str) -> Result<Option<Value>, Failure> {
    let tools = work.tools;
    tools
        .app
        .step_datum(tools.flow, tools.step, key)
        .map_err(|error| Failure::new(error.message()))
}

/// Checks the mode.
pub(super) fn check(cfg: &Fields) -> Vec<String> {
    match Mode::of(cfg) {
        Some(_) => Vec::new(),
        None => vec!["has a `mode` other than groupSize, timeout and groupSize&timeout".to_owned()],
    }
}

/// Describes what goes in and out in the chosen mode.
pub(super) fn meta_model(cfg: &Fields, _: &Tools<'_>) -> Result<Value, Failure> {
    let mode = Mode::of(cfg).ok_or_else(|| Failure::new(BAD_MODE))?;
    let mut input = Map::new();
    let mut add = |name: &str, schema: Value| input.insert(name.to_owned(), schema);
    add(
        "groupId",
        json!({ "type": "string", "title": "Group id", "required": true }),
    );
    if mode != Mode::Time {
        add(
            "groupSize",
            json!({
                "type": "number",
                "title": "Number of messages in the group",
                "required": mode == Mode::Size,
            }),
        );
    }
    add(
        "messageId",
        json!({ "type": "string", "title": "Message id" }),
    );
    add(
        "messageData",
        json!({ "type": "object", "title": "Data of the message", "properties": {} }),
    );
    if mode != Mode::Size {
        let title = "Time to wait for the next message, in milliseconds";
        add("timersec", json!({ "type": "number", "title": title }));
    }
    let object = json!({ "type": "object", "properties": {} });
    let mut data = if fields::is_on(cfg, "emitAsArray") {
        json!({ "type": "array", "items": object })
    } else {
        object
    };
    data["title"] = json!("Data of all messages");
    Ok(json!({
        "in": { "type": "object", "properties": input },
        "out": {
            "type": "object",
            "properties": {
                "groupSize": { "type": "number", "title": "Number of messages in the group" },
                "groupId": { "type": "string", "title": "Group id", "required": true },
                "messageData": data,
            },
        },
    }))
}
