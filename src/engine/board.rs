//! The board: which message is worked on next. Pure: no clock, no thread, no SQL.
//!
//! It holds the heads of all queues; the rows behind them stay in the database until
//! they are needed. Flows take turns, a step never has more messages in work than its
//! prefetch, a step that feeds a full queue waits, and no flow has more workers than
//! there are free ones left beside it.

mod handed;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use crate::domain::id::FlowId;
use crate::domain::run::limits::RunLimits;
use crate::domain::run::part::Queued;

/// The rows of a step that are held in memory: enough that reading them costs little a
/// message, and few enough that many full queues fit.
pub const WINDOW: usize = 1_000;

/// How a step is worked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The most messages of it at once.
    pub prefetch: usize,
    /// The most messages that one worker takes along, to be done one after the other.
    pub batch: usize,
    /// The steps into whose queues its messages may come: while one of them is full, the
    /// step waits (`runtime.md 4.9`).
    pub feeds: Vec<String>,
}

/// What a worker does next.
#[derive(Clone, Debug, PartialEq)]
pub enum Taken {
    /// These messages of one step, in order.
    Messages(Vec<Queued>),
    /// Find out how the steps of a flow are worked on, and say so.
    Rules {
        /// The flow.
        flow: FlowId,
        /// What [`Board::is_asked`] wants to hear with the answer.
        ticket: u64,
    },
    /// Read rows of a step after this seq, and hand them in.
    Read {
        /// The flow.
        flow: FlowId,
        /// The step.
        step: String,
        /// The seq.
        after: i64,
    },
    /// Nothing, until this time in milliseconds since 1970 where there is one.
    Nothing {
        /// When the next delayed message is due.
        until_ms: Option<i64>,
    },
}

/// The queue of a step.
#[derive(Debug, Default)]
struct StepQueue {
    /// The heads, by seq.
    ready: VecDeque<Queued>,
    /// Whether the database has rows behind those in memory.
    has_more: bool,
    /// Whether a worker reads them now.
    is_reading: bool,
    /// Whether a row came behind those in memory since the read began, which may not
    /// have it.
    came_meanwhile: bool,
    last_seq: i64,
    /// Messages in memory, in work among them, and their bytes.
    held: u64,
    held_bytes: u64,
    /// Messages that are in the database alone, and their bytes.
    unread: u64,
    unread_bytes: u64,
    in_work: usize,
    /// The first of each batch in work of which only the commit is outstanding.
    commits: BTreeSet<i64>,
    rests_until_ms: i64,
}

impl StepQueue {
    /// Returns how many messages wait, or are in work.
    fn messages(&self) -> u64 {
        // Rows that were read twice are counted out twice; there is one at least.
        self.held + self.unread.max(u64::from(self.has_more))
    }

    /// Tells whether it takes no more messages.
    fn is_full(&self, limits: &RunLimits) -> bool {
        self.messages() >= limits.queue_messages
            || self.held_bytes + self.unread_bytes >= limits.queue_bytes
    }
}

/// The queues of a flow.
#[derive(Debug, Default)]
struct FlowQueues {
    steps: BTreeMap<String, StepQueue>,
    rules: Option<HashMap<String, Rule>>,
    /// The ticket of whoever finds the rules out now.
    asks_rules: Option<u64>,
    is_suspended: bool,
    in_work: usize,
    in_turn: bool,
}

/// All queues.
#[derive(Debug)]
pub struct Board {
    flows: HashMap<FlowId, FlowQueues>,
    /// Flows that may have something to do, in the order of their turns.
    turns: VecDeque<FlowId>,
    delayed: BTreeMap<(i64, i64), Queued>,
    /// Steps that rest, by when they go on.
    resting: BTreeSet<(i64, FlowId, String)>,
    /// The seqs of all messages in memory: each is here once.
    held: HashSet<i64>,
    in_work: HashSet<i64>,
    workers: usize,
    /// The workers that have messages now.
    busy: usize,
    /// Flows that could go on if more workers were free.
    held_back: Vec<FlowId>,
    next_ticket: u64,
    limits: RunLimits,
    /// Those in work whose worker went on to others: a process works on them.
    handed: HashSet<i64>,
    /// Those of which the process is done, and whose end is not on the disk yet.
    released: HashSet<i64>,
}

impl Board {
    /// Makes an empty board for so many workers.
    pub fn new(workers: usize, limits: RunLimits) -> Self {
        Self {
            flows: HashMap::new(),
            turns: VecDeque::new(),
            delayed: BTreeMap::new(),
            resting: BTreeSet::new(),
            held: HashSet::new(),
            in_work: HashSet::new(),
            workers: workers.max(1),
            busy: 0,
            held_back: Vec::new(),
            next_ticket: 0,
            limits,
            handed: HashSet::new(),
            released: HashSet::new(),
        }
    }

    /// Says that rows of a step are in the database; those in memory are counted already.
    pub fn found(&mut self, flow: FlowId, step: &str, messages: u64, bytes: u64) {
        let queue = self.step(flow, step);
        queue.unread += messages;
        queue.unread_bytes += bytes;
        queue.has_more = true;
        queue.is_reading = false;
        self.wake(flow);
    }

    /// Adds a message that was just queued.
    pub fn push(&mut self, message: Queued, now_ms: i64) {
        if self.held.contains(&message.seq) {
            return;
        }
        let flow = message.flow;
        let queue = self.step(flow, &message.step);
        let is_behind = queue.has_more && message.seq > queue.last_seq;
        // One that is told of late has to be taken: no read comes by it again.
        let is_too_many = queue.ready.len() >= WINDOW
            && message.due_at_ms <= now_ms
            && message.seq > queue.last_seq;
        if is_behind || is_too_many {
            queue.came_meanwhile = queue.is_reading;
            queue.unread += 1;
            queue.unread_bytes += message.bytes;
            queue.has_more = true;
        } else {
            self.place(message, now_ms);
        }
        self.wake(flow);
    }

    /// Hands in rows that were read for a step; fewer than [`WINDOW`] are the last ones.
    pub fn read(&mut self, flow: FlowId, step: &str, rows: Vec<Queued>, now_ms: i64) {
        let is_last = rows.len() < WINDOW;
        let last_seq = rows.last().map(|row| row.seq);
        let queue = self.step(flow, step);
        let is_last = is_last && !queue.came_meanwhile;
        queue.is_reading = false;
        queue.came_meanwhile = false;
        queue.has_more = !is_last;
        queue.last_seq = queue.last_seq.max(last_seq.unwrap_or(0));
        for row in rows {
            let queue = self.step(flow, step);
            queue.unread = queue.unread.saturating_sub(1);
            queue.unread_bytes = queue.unread_bytes.saturating_sub(row.bytes);
            if !self.held.contains(&row.seq) {
                self.place(row, now_ms);
            }
        }
        if is_last {
            let queue = self.step(flow, step);
            (queue.unread, queue.unread_bytes) = (0, 0);
        }
        self.wake(flow);
    }

    /// Puts a message where it waits: into its step's queue, or aside until it is due.
    fn place(&mut self, message: Queued, now_ms: i64) {
        self.held.insert(message.seq);
        let step = message.step.clone();
        let queue = self.step(message.flow, &step);
        queue.held += 1;
        queue.held_bytes += message.bytes;
        queue.last_seq = queue.last_seq.max(message.seq);
        if message.due_at_ms > now_ms {
            self.delayed
                .insert((message.due_at_ms, message.seq), message);
        } else {
            insert_ordered(&mut queue.ready, message);
        }
    }

    /// Tells whether an answer to the question of this ticket is still wanted: a flow that
    /// changed meanwhile is asked about anew, and what was found before is stale.
    pub fn is_asked(&self, flow: FlowId, ticket: u64) -> bool {
        let queues = self.flows.get(&flow);
        queues.is_some_and(|queues| queues.asks_rules == Some(ticket))
    }

    /// Says how the steps of a flow are worked on.
    pub fn set_rules(&mut self, flow: FlowId, rules: HashMap<String, Rule>, is_suspended: bool) {
        let queues = self.flows.entry(flow).or_default();
        queues.rules = Some(rules);
        queues.asks_rules = None;
        queues.is_suspended = is_suspended;
        self.wake(flow);
    }

    /// Says that how the steps of a flow are worked on could not be found out: somebody
    /// has to ask again.
    pub fn ask_again(&mut self, flow: FlowId) {
        if let Some(queues) = self.flows.get_mut(&flow) {
            queues.asks_rules = None;
        }
        self.wake(flow);
    }

    /// Forgets what waits for a flow; what is in work stays so.
    pub fn forget(&mut self, flow: FlowId) {
        let held = &mut self.held;
        self.delayed.retain(|_, message| {
            let stays = message.flow != flow;
            if !stays {
                held.remove(&message.seq);
            }
            stays
        });
        let Some(queues) = self.flows.get_mut(&flow) else {
            return;
        };
        queues.rules = None;
        queues.asks_rules = None;
        queues.steps.retain(|_, queue| {
            for message in &queue.ready {
                held.remove(&message.seq);
            }
            *queue = StepQueue {
                in_work: queue.in_work,
                commits: std::mem::take(&mut queue.commits),
                ..StepQueue::default()
            };
            queue.in_work > 0
        });
        if queues.in_work == 0 && !queues.in_turn {
            self.flows.remove(&flow);
        }
    }

    /// Forgets what waits of a run.
    pub fn forget_run(&mut self, flow: FlowId, execution: i64) {
        let gone: Vec<(i64, i64)> = self
            .delayed
            .iter()
            .filter(|(_, message)| message.execution == execution)
            .map(|(key, _)| *key)
            .collect();
        let mut dropped: Vec<Queued> = gone
            .into_iter()
            .filter_map(|key| self.delayed.remove(&key))
            .collect();
        if let Some(queues) = self.flows.get_mut(&flow) {
            for queue in queues.steps.values_mut() {
                let (of_run, others) = std::mem::take(&mut queue.ready)
                    .into_iter()
                    .partition(|message| message.execution == execution);
                queue.ready = others;
                let of_run: VecDeque<Queued> = of_run;
                dropped.extend(of_run);
            }
        }
        for message in dropped {
            self.held.remove(&message.seq);
            self.uncount(&message);
        }
    }

    /// Returns what to do next, and counts it as in work.
    pub fn take(&mut self, now_ms: i64) -> Taken {
        self.ripen(now_ms);
        for _ in 0..self.turns.len() {
            let Some(flow) = self.turns.pop_front() else {
                break;
            };
            let taken = self.take_from(flow, now_ms);
            let stays = taken.is_some();
            if let Some(queues) = self.flows.get_mut(&flow) {
                queues.in_turn = stays;
            }
            if stays {
                self.turns.push_back(flow);
            }
            if let Some(taken) = taken {
                return taken;
            }
        }
        Taken::Nothing {
            until_ms: [
                self.delayed.keys().next().map(|(due, _)| *due),
                self.resting.first().map(|(due, _, _)| *due),
            ]
            .into_iter()
            .flatten()
            .min(),
        }
    }

    /// Takes something of one flow, where there is something.
    fn take_from(&mut self, flow: FlowId, now_ms: i64) -> Option<Taken> {
        let queues = self.flows.get_mut(&flow)?;
        if queues.is_suspended && queues.rules.is_some() {
            return None;
        }
        let Some(rules) = &queues.rules else {
            let is_idle = queues.steps.values().all(|queue| queue.messages() == 0);
            if queues.asks_rules.is_some() || is_idle {
                return None;
            }
            self.next_ticket += 1;
            let ticket = self.next_ticket;
            queues.asks_rules = Some(ticket);
            return Some(Taken::Rules { flow, ticket });
        };
        // One flow gets half of the workers, two get a third each, and so on: there is
        // always one left for a flow that has none.
        if queues.in_work >= self.workers.saturating_sub(self.busy) {
            if !self.held_back.contains(&flow) {
                self.held_back.push(flow);
            }
            return None;
        }
        let full: Vec<String> = queues
            .steps
            .iter()
            .filter(|(_, queue)| queue.is_full(&self.limits))
            .map(|(step, _)| step.clone())
            .collect();
        // Later steps first: what was begun is finished before more is begun.
        for (step, queue) in queues.steps.iter_mut().rev() {
            let rule = rules.get(step);
            let prefetch = rule.map_or(1, |rule| rule.prefetch) + queue.commits.len().min(1);
            let is_held_up = !full.is_empty()
                && rule.is_some_and(|it| it.feeds.iter().any(|to| full.contains(to)));
            if queue.in_work >= prefetch || queue.rests_until_ms > now_ms || is_held_up {
                continue;
            }
            if queue.ready.is_empty() {
                if queue.has_more && !queue.is_reading {
                    queue.is_reading = true;
                    return Some(Taken::Read {
                        flow,
                        step: step.clone(),
                        after: queue.last_seq,
                    });
                }
                continue;
            }
            // One commit knows one graph.
            let version = queue.ready[0].graph_version;
            let batch = queue.ready.iter().take(rule.map_or(1, |rule| rule.batch));
            let count = batch
                .take_while(|message| message.graph_version == version)
                .count();
            let messages: Vec<Queued> = queue.ready.drain(..count).collect();
            // A batch is one after the other, so it counts once against the prefetch.
            queue.in_work += 1;
            queues.in_work += 1;
            self.busy += 1;
            self.in_work
                .extend(messages.iter().map(|message| message.seq));
            return Some(Taken::Messages(messages));
        }
        None
    }

    /// Says that nothing is left of messages in work but a commit that nothing after them
    /// depends on: the next of their step may begin, one more at a time.
    pub fn driven(&mut self, messages: &[Queued]) {
        if let Some(first) = messages.first()
            && let Some(queue) = self.queue_of(first)
        {
            queue.commits.insert(first.seq);
            self.wake(first.flow);
        }
    }

    /// Tells whether these must not be committed yet: the commit of messages before them is
    /// outstanding, and a crash in between would turn their order round.
    pub fn is_overtaking(&mut self, messages: &[Queued]) -> bool {
        messages.first().is_some_and(|first| {
            let queue = self.queue_of(first);
            queue.is_some_and(|it| it.commits.first().is_some_and(|seq| *seq < first.seq))
        })
    }

    /// Counts a worker as free: flows that waited for one have their turn.
    fn free_worker(&mut self) {
        self.busy = self.busy.saturating_sub(1);
        for held_back in std::mem::take(&mut self.held_back) {
            self.wake(held_back);
        }
    }

    /// Says that messages which were taken together are done with. Returns whether their
    /// queue was full, so that others may have waited for room in it.
    pub fn done(&mut self, messages: &[Queued]) -> bool {
        let Some(first) = messages.first() else {
            return false;
        };
        let place = self.place_of(first.seq);
        let was_full = self.is_full(first.flow, std::slice::from_ref(&first.step));
        self.drop_gone(messages, &[]);
        self.rest(first.flow, &first.step, place);
        was_full
    }

    /// Forgets messages in work that are gone; the others keep the worker's place.
    pub fn drop_gone(&mut self, gone: &[Queued], others: &[Queued]) {
        for message in gone {
            self.in_work.remove(&message.seq);
            if self.held.remove(&message.seq) {
                self.uncount(message);
            }
        }
        // A batch is known by its first message, or by the first that is left of it.
        if let Some(queue) = gone.first().and_then(|first| self.queue_of(first))
            && queue.commits.remove(&gone[0].seq)
        {
            queue.commits.extend(others.first().map(|left| left.seq));
        }
    }

    /// Puts messages back that were taken together. Their step rests until `due_at_ms`,
    /// so nothing overtakes them.
    pub fn put_back(&mut self, messages: Vec<Queued>, due_at_ms: i64) {
        let Some((flow, step)) = messages.first().map(|it| (it.flow, it.step.clone())) else {
            return;
        };
        let place = self.place_of(messages[0].seq);
        for message in messages {
            self.step(flow, &step).commits.remove(&message.seq);
            self.in_work.remove(&message.seq);
            // What was forgotten meanwhile is read from the database again.
            if self.held.contains(&message.seq) {
                insert_ordered(&mut self.step(flow, &step).ready, message);
            }
        }
        self.step(flow, &step).rests_until_ms = due_at_ms;
        self.resting.insert((due_at_ms, flow, step.clone()));
        self.rest(flow, &step, place);
    }

    /// Tells whether something waits for a step, or is in work there.
    pub fn has_backlog(&self, flow: FlowId, step: &str) -> bool {
        self.flows
            .get(&flow)
            .and_then(|queues| queues.steps.get(step))
            .is_some_and(|queue| queue.messages() > 0)
    }

    /// Tells whether one of these steps takes no more messages.
    pub fn is_full(&self, flow: FlowId, steps: &[String]) -> bool {
        self.flows.get(&flow).is_some_and(|queues| {
            let mut queues = queues.steps.iter();
            queues.any(|(step, queue)| queue.is_full(&self.limits) && steps.contains(step))
        })
    }

    /// Returns how many messages wait for each step of a flow, or are in work.
    pub fn sizes(&self, flow: FlowId) -> Vec<(String, u64)> {
        let queues = self.flows.get(&flow);
        queues.map_or_else(Vec::new, |queues| {
            let sizes = queues.steps.iter();
            sizes
                .map(|(step, queue)| (step.clone(), queue.messages()))
                .collect()
        })
    }

    /// Returns the seqs of everything in work.
    pub fn in_work(&self) -> Vec<i64> {
        self.in_work.iter().copied().collect()
    }

    /// Moves what is due into its queue, and lets rested steps go on.
    fn ripen(&mut self, now_ms: i64) {
        while self
            .resting
            .first()
            .is_some_and(|(due, _, _)| *due <= now_ms)
        {
            if let Some((_, flow, _)) = self.resting.pop_first() {
                self.wake(flow);
            }
        }
        while let Some(entry) = self.delayed.first_entry() {
            if entry.key().0 > now_ms {
                break;
            }
            let message = entry.remove();
            let flow = message.flow;
            let step = message.step.clone();
            insert_ordered(&mut self.step(flow, &step).ready, message);
            self.wake(flow);
        }
    }

    /// Takes a message out of the numbers of its step.
    fn uncount(&mut self, message: &Queued) {
        if let Some(queue) = self.queue_of(message) {
            queue.held = queue.held.saturating_sub(1);
            queue.held_bytes = queue.held_bytes.saturating_sub(message.bytes);
        }
    }

    /// Returns the queue of a message, where there is one.
    fn queue_of(&mut self, message: &Queued) -> Option<&mut StepQueue> {
        let queues = self.flows.get_mut(&message.flow)?;
        queues.steps.get_mut(&message.step)
    }

    /// Returns the queue of a step.
    fn step(&mut self, flow: FlowId, step: &str) -> &mut StepQueue {
        let steps = &mut self.flows.entry(flow).or_default().steps;
        if !steps.contains_key(step) {
            steps.insert(step.to_owned(), StepQueue::default());
        }
        steps.entry(step.to_owned()).or_default()
    }

    /// Gives a flow its turn.
    fn wake(&mut self, flow: FlowId) {
        if let Some(queues) = self.flows.get_mut(&flow)
            && !queues.in_turn
        {
            queues.in_turn = true;
            self.turns.push_back(flow);
        }
    }
}

/// Puts a message among the others by its seq: commits may be told of out of order.
fn insert_ordered(ready: &mut VecDeque<Queued>, message: Queued) {
    let at = ready.partition_point(|other| other.seq < message.seq);
    ready.insert(at, message);
}
