//! The planning core: what happens next in a run. Pure: no clock, no thread, no SQL.
//!
//! A [`Run`] is one slice of work on one run, between two durable points. The driver
//! feeds it what happened and carries out what it commands: process a message now, put
//! one into a queue, and at the end commit everything at once. The order of messages
//! within a step is kept, since what runs in memory runs one after the other, and what
//! would overtake a queue goes behind it.

use std::collections::VecDeque;

use crate::domain::run::part::MessageRef;

/// The first delay of a rebound (`runtime.md 4.7`).
pub const REBOUND_FIRST_MS: i64 = 15_000;

/// The longest delay of a rebound (`runtime.md 4.7`).
pub const REBOUND_MAX_MS: i64 = 600_000;

/// The steps that one slice does in memory before the rest goes to queues. A queue row
/// costs more than a small step, so a burst of ten thousand messages is one slice; what
/// takes long or makes much is late before (see [`Input::Called`]).
pub const SLICE_STEPS: usize = 16_384;

/// How the planner sees a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepShape {
    /// Whether its input must be durable before it runs.
    pub is_queued: bool,
}

/// A message at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// The step, by its place in the plan.
    pub step: usize,
    /// The message.
    pub message: MessageRef,
    /// Which attempt it is, from 1.
    pub attempt: u32,
    /// The queue row that it came from.
    pub row: Option<i64>,
}

/// A message that an edge leads to a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The step, by its place in the plan.
    pub target: usize,
    /// The message.
    pub message: MessageRef,
}

/// How a step's call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Well, or with an error that is recorded already.
    Done,
    /// It wants its input again, later.
    Rebound,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A message comes in: fresh, or from a queue.
    Begin(Job),
    /// A step was called.
    Called {
        /// With what.
        job: Job,
        /// What its outputs lead to, in order, the error handler's message among them.
        deliveries: Vec<Delivery>,
        /// How it ended.
        end: End,
        /// Whether the slice has lasted long enough, or is large enough: what waits in
        /// memory goes to queues, as far as it overtakes nothing there.
        is_late: bool,
    },
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Call a step now.
    Process(Job),
    /// Put a message into a queue.
    Enqueue {
        /// The step, by its place in the plan.
        step: usize,
        /// The message.
        message: MessageRef,
        /// The attempt that comes next.
        attempt: u32,
        /// Not before so many milliseconds from now.
        delay_ms: i64,
    },
    /// Drop a queue row: its message is done with.
    Settle(i64),
    /// Nothing is left to do in memory: make it durable.
    Commit,
}

/// One slice of work on one run.
#[derive(Debug)]
pub struct Run<'a> {
    steps: &'a [StepShape],
    /// Steps with messages that wait: whatever comes goes behind them.
    backlog: Vec<bool>,
    inline: VecDeque<Job>,
    steps_left: usize,
}

impl<'a> Run<'a> {
    /// Begins to work on a message over steps, of which some have a `backlog`.
    ///
    /// Messages that are worked on one after the other for one commit hand both on, by
    /// [`Run::into_rest`]: what the first one queues, a later one must not overtake.
    pub fn new(steps: &'a [StepShape], backlog: Vec<bool>, steps_left: usize) -> Self {
        Self {
            steps,
            backlog,
            inline: VecDeque::new(),
            steps_left,
        }
    }

    /// Returns which steps have a backlog now, and how many steps may still be done in
    /// memory.
    pub fn into_rest(self) -> (Vec<bool>, usize) {
        (self.backlog, self.steps_left)
    }

    /// Takes what happened and returns what to do, in order.
    pub fn step(&mut self, input: Input) -> Vec<Command> {
        let mut commands = Vec::new();
        match input {
            Input::Begin(job) => {
                // What came from a queue was its head, so it does not overtake anything.
                let waits = job.row.is_none() && self.must_wait(job.step);
                if waits {
                    self.has_queued(job.step);
                    commands.push(enqueue(job.step, job.message, job.attempt, 0));
                } else {
                    self.inline.push_back(job);
                }
            }
            Input::Called {
                job,
                deliveries,
                end,
                is_late,
            } => {
                commands.extend(job.row.map(Command::Settle));
                if end == End::Rebound {
                    let delay_ms = rebound_delay_ms(job.attempt);
                    commands.push(enqueue(job.step, job.message, job.attempt + 1, delay_ms));
                }
                for delivery in deliveries {
                    self.deliver(delivery, &mut commands);
                }
                if is_late {
                    self.spill(&mut commands);
                }
            }
        }
        match self.inline.pop_front() {
            Some(job) => {
                self.steps_left = self.steps_left.saturating_sub(1);
                commands.push(Command::Process(job));
            }
            None => commands.push(Command::Commit),
        }
        commands
    }

    /// Runs a message in memory, or sends it to a queue.
    fn deliver(&mut self, delivery: Delivery, commands: &mut Vec<Command>) {
        let Delivery { target, message } = delivery;
        if self.must_wait(target) || self.inline.len() >= self.steps_left {
            self.has_queued(target);
            commands.push(enqueue(target, message, 1, 0));
        } else {
            self.inline.push_back(Job {
                step: target,
                message,
                attempt: 1,
                row: None,
            });
        }
    }

    /// Sends what waits in memory to queues, but for steps that have messages there:
    /// those came later, and must not be overtaken by themselves.
    fn spill(&mut self, commands: &mut Vec<Command>) {
        self.steps_left = 0;
        let had_backlog = self.backlog.clone();
        for job in std::mem::take(&mut self.inline) {
            if had_backlog.get(job.step).copied().unwrap_or(false) {
                self.inline.push_back(job);
            } else {
                self.has_queued(job.step);
                commands.push(enqueue(job.step, job.message, job.attempt, 0));
            }
        }
    }

    /// Notes a message in a step's queue: whatever comes later has to go behind it.
    fn has_queued(&mut self, step: usize) {
        if let Some(backlog) = self.backlog.get_mut(step) {
            *backlog = true;
        }
    }

    /// Tells whether a message for a step has to go through its queue.
    fn must_wait(&self, step: usize) -> bool {
        let is_queued = self.steps.get(step).is_none_or(|step| step.is_queued);
        is_queued || self.backlog.get(step).copied().unwrap_or(false)
    }
}

/// Makes the command that queues a message.
fn enqueue(step: usize, message: MessageRef, attempt: u32, delay_ms: i64) -> Command {
    Command::Enqueue {
        step,
        message,
        attempt,
        delay_ms,
    }
}

/// Returns how long a message waits after its attempt number `attempt`.
pub fn rebound_delay_ms(attempt: u32) -> i64 {
    let doublings = attempt.saturating_sub(1).min(16);
    (REBOUND_FIRST_MS << doublings).min(REBOUND_MAX_MS)
}
