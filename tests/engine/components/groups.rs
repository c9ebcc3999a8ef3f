//! `splitter:reassemble`, with the step's data and its messages to itself kept as the
//! engine keeps them.

use elastane::domain::flow::chain;
use elastane::domain::run::Message;
use elastane::domain::run::part::Slice;
use elastane::engine::component::Event;
use serde_json::{Value, json};

use super::bench::{Bench, NOW_MS, Outcome, call, faults};

/// A step that reassembles, over time.
struct Step {
    bench: Bench,
    cfg: Value,
    now_ms: i64,
    /// Messages of the step to itself, with their times.
    later: Vec<(i64, Message)>,
}

impl Step {
    /// Begins with nothing kept.
    fn new(cfg: Value) -> Self {
        let mut bench = Bench::new();
        let graph = chain::parse(&[json!({ "action": "elasticio/timer:timer" })]).expect("a graph");
        let made = bench
            .here
            .app
            .create_chain_flow(&bench.who, "Groups", graph, None);
        bench.flow = made.expect("a flow").id;
        Self {
            bench,
            cfg,
            now_ms: NOW_MS,
            later: Vec::new(),
        }
    }

    /// Takes a message; returns the bodies that come out.
    fn take(&mut self, body: Value) -> Vec<Value> {
        self.run(Message::of_body(body)).bodies()
    }

    /// Runs a message and makes what it emits true.
    fn run(&mut self, message: Message) -> Outcome {
        let mut call = call("splitter:reassemble", self.cfg.clone(), json!({}));
        call.message = message;
        call.now_ms = self.now_ms;
        let outcome = self.bench.run(&call);
        let mut slice = Slice {
            flow: self.bench.flow,
            runs: Vec::new(),
            snapshots: Vec::new(),
            kept: Vec::new(),
            logs: Vec::new(),
            leased: Vec::new(),
            needs_active: false,
        };
        for event in &outcome.events {
            match event {
                Event::Keep(key, value) => {
                    slice
                        .kept
                        .push(("step_2".to_owned(), key.clone(), value.clone()));
                }
                Event::Later(message, at_ms) => self.later.push((*at_ms, message.clone())),
                _ => {}
            }
        }
        self.bench.here.app.commit_slice(slice).expect("kept");
        outcome
    }

    /// Lets time pass; returns the bodies that come out.
    fn wait(&mut self, ms: i64) -> Vec<Value> {
        self.now_ms += ms;
        let now_ms = self.now_ms;
        let mut bodies = Vec::new();
        while let Some(at) = self.later.iter().position(|(at_ms, _)| *at_ms <= now_ms) {
            let (_, message) = self.later.remove(at);
            bodies.extend(self.run(message).bodies());
        }
        bodies
    }

    /// Returns how many pieces of data the step keeps.
    fn kept(&self) -> i64 {
        let sql = "SELECT count(*) FROM step_data";
        #[expect(clippy::disallowed_methods, reason = "a test looks at the rows")]
        let rows = rusqlite::Connection::open(self.bench.here.database()).expect("open");
        rows.query_row(sql, [], |row| row.get(0)).expect("counted")
    }
}

#[test]
fn a_group_is_emitted_when_it_has_its_size() {
    let mut step = Step::new(json!({ "mode": "groupSize" }));
    let part = |id: &str, data: &str| json!({ "groupId": "a", "groupSize": 2, "messageId": id, "messageData": { "v": data } });
    assert_eq!(step.take(part("1", "x")), Vec::<Value>::new());
    assert_eq!(step.kept(), 2);
    assert_eq!(
        step.take(part("2", "y")),
        [json!({
            "groupSize": 2, "groupId": "a",
            "messageData": { "1": { "v": "x" }, "2": { "v": "y" } },
        })]
    );
    assert_eq!(step.kept(), 0);
    // The same id begins again.
    assert_eq!(step.take(part("3", "z")), Vec::<Value>::new());
    assert!(step.later.is_empty());
}

#[test]
fn groups_do_not_mix_and_a_message_that_comes_twice_counts_once() {
    let mut step = Step::new(json!({ "mode": "groupSize", "emitAsArray": "on" }));
    let mut take = |group: &str, id: &str, data: i64| {
        step.take(json!({
            "groupId": group, "groupSize": "2", "messageId": id, "messageData": data,
        }))
    };
    assert!(take("a", "1", 1).is_empty());
    assert!(take("b", "1", 10).is_empty());
    assert!(take("a", "1", 3).is_empty());
    assert_eq!(
        take("a", "2", 2),
        [json!({ "groupSize": 2, "groupId": "a", "messageData": [3, 2] })]
    );
    assert_eq!(
        take("b", "2", 20),
        [json!({ "groupSize": 2, "groupId": "b", "messageData": [10, 20] })]
    );
}

#[test]
fn messages_without_ids_are_all_different_and_order_is_that_of_arrival() {
    let mut step = Step::new(json!({ "emitAsArray": true }));
    let mut out = Vec::new();
    for n in 0..12 {
        out = step.take(json!({ "groupId": 7, "groupSize": 12, "messageData": n }));
    }
    let all: Vec<i64> = (0..12).collect();
    assert_eq!(
        out,
        [json!({ "groupSize": 12, "groupId": "7", "messageData": all })]
    );
}

#[test]
fn a_group_is_emitted_when_nothing_came_for_its_time() {
    let mut step = Step::new(json!({ "mode": "timeout", "emitAsArray": true }));
    let part = |data: i64| json!({ "groupId": "a", "timersec": 1_000, "messageData": data });
    assert!(step.take(part(1)).is_empty());
    assert!(step.wait(600).is_empty());
    assert!(step.take(part(2)).is_empty());
    // The second message has begun the time anew.
    assert!(step.wait(600).is_empty());
    assert_eq!(
        step.wait(400),
        [json!({ "groupSize": 2, "groupId": "a", "messageData": [1, 2] })]
    );
    assert_eq!(step.kept(), 0);
    assert!(step.wait(1_000_000).is_empty());
}

#[test]
fn whichever_comes_first_completes_a_group_and_an_old_timer_ends_no_new_one() {
    let mut step = Step::new(json!({ "mode": "groupSize&timeout", "emitAsArray": true }));
    let part = |data: i64| json!({ "groupId": "a", "groupSize": 2, "timersec": 1_000, "messageData": data });
    assert!(step.take(part(1)).is_empty());
    assert!(step.wait(900).is_empty());
    assert_eq!(step.take(part(2)).len(), 1);
    assert!(step.take(part(3)).is_empty());
    assert!(step.wait(500).is_empty());
    // The timer of the first group has come and gone.
    assert_eq!(step.later.len(), 1);
    assert_eq!(
        step.wait(500),
        [json!({ "groupSize": 1, "groupId": "a", "messageData": [3] })]
    );
}

#[test]
fn a_group_outlives_the_server() {
    let mut step = Step::new(json!({ "mode": "groupSize", "emitAsArray": true }));
    let part = |data: i64| json!({ "groupId": "a", "groupSize": 2, "messageData": data });
    assert!(step.take(part(1)).is_empty());
    step.bench.here.app.close();
    let options = crate::support::installation::options_in(step.bench.here.database());
    step.bench.here.app =
        elastane::app::App::open(&options, elastane::app::Opening::Serve).unwrap();
    assert_eq!(
        step.take(part(2)),
        [json!({ "groupSize": 2, "groupId": "a", "messageData": [1, 2] })]
    );
}

#[test]
fn a_group_that_grows_too_large_is_emitted_as_it_is() {
    let mut step = Step::new(json!({ "mode": "groupSize", "emitAsArray": true }));
    let text = "x".repeat(2 * 1024 * 1024);
    let part = || json!({ "groupId": "a", "groupSize": 100, "messageData": text });
    assert!(step.take(part()).is_empty());
    assert!(step.take(part()).is_empty());
    let outcome = step.run(Message::of_body(part()));
    assert_eq!(outcome.bodies()[0]["groupSize"], 3);
    assert!(outcome.log()[0].1.contains("too large"));
}

#[test]
fn what_says_no_group_is_refused_and_keeps_nothing() {
    let mut step = Step::new(json!({ "mode": "groupSize" }));
    for (body, word) in [
        (json!({}), "groupId"),
        (json!({ "groupId": "" }), "groupId"),
        (json!({ "groupId": {}, "groupSize": 1 }), "groupId"),
        (json!({ "groupId": "a" }), "groupSize"),
        (json!({ "groupId": "a", "groupSize": 0 }), "groupSize"),
        (json!({ "groupId": "a", "groupSize": "many" }), "groupSize"),
        (
            json!({ "groupId": "a", "groupSize": 2, "timersec": -1 }),
            "timersec",
        ),
        (
            json!({ "groupId": "a".repeat(513), "groupSize": 2 }),
            "groupId",
        ),
        (json!([]), "body"),
    ] {
        let outcome = step.run(Message::of_body(body));
        let message = outcome.failure.unwrap().message;
        assert!(message.contains(word), "{message}");
    }
    assert_eq!(step.kept(), 0);
    assert_eq!(
        faults("splitter:reassemble", &json!({ "mode": "never" })).len(),
        1
    );
}

#[test]
fn the_metadata_follows_from_the_mode() {
    let bench = Bench::new();
    let of = |cfg: Value| bench.metadata("splitter:reassemble", &cfg).unwrap();
    let size = of(json!({ "mode": "groupSize" }));
    assert_eq!(size["in"]["properties"]["groupSize"]["required"], true);
    assert!(size["in"]["properties"].get("timersec").is_none());
    assert_eq!(size["out"]["properties"]["messageData"]["type"], "object");
    let time = of(json!({ "mode": "timeout", "emitAsArray": true }));
    assert!(time["in"]["properties"].get("groupSize").is_none());
    assert_eq!(time["in"]["properties"]["timersec"]["type"], "number");
    assert_eq!(time["out"]["properties"]["messageData"]["type"], "array");
    let either = of(json!({ "mode": "groupSize&timeout" }));
    assert_eq!(either["in"]["properties"]["groupSize"]["required"], false);
}
