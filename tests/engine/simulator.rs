//! The planning core and the board over a model of the disk, driven by seeds: steps fail
//! or want their input again, commits are told of out of order, and servers die.

#![expect(
    clippy::option_option,
    reason = "the story of a simulation is told in one place"
)]

use std::collections::{BTreeMap, HashMap, HashSet};

use elastane::domain::id::FlowId;
use elastane::domain::run::limits::RunLimits;
use elastane::domain::run::part::{MessageRef, Queued};
use elastane::engine::board::{Board, Rule, Taken, WINDOW};
use elastane::engine::run::{Command, Delivery, End, Input, Job, Run, StepShape};

/// The seeds of an ordinary run: some seconds of a debug build.
const SEEDS: u64 = 400;

/// The messages that may wait for a step in a world with small queues.
const SMALL_QUEUE: u64 = 5;

/// The steps of one slice: fewer than the engine's, so that they are often too few.
const SLICE_STEPS: usize = 512;

/// The messages that come from outside in one simulation.
const ACCEPTED: usize = 40;

/// A small generator of numbers: the same seed gives the same story.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// What survives a crash.
#[derive(Default)]
struct Disk {
    rows: BTreeMap<i64, Queued>,
    next_seq: i64,
    next_part: u32,
    /// What had to be done at a step: the message, by part and place.
    expected: HashSet<(usize, (u32, u32))>,
    /// The same, in the order of the commits.
    arrived: Vec<(usize, (u32, u32))>,
    /// What was done at a step, in the order of the commits.
    done: Vec<(usize, (u32, u32))>,
    /// Messages that were put back: their order is theirs alone.
    rebounded: HashSet<(u32, u32)>,
}

/// One commit.
struct Commit {
    part: u32,
    expected: Vec<(usize, (u32, u32))>,
    done: Vec<(usize, (u32, u32))>,
    queued: Vec<(usize, (u32, u32), u32, i64)>,
    settled: Vec<i64>,
    /// Whether the next message of the step began before it: the order is that of the work.
    is_overlapped: bool,
}

impl Disk {
    /// Notes the order of what was done.
    fn note(&mut self, commit: &Commit) {
        self.arrived.extend(&commit.expected);
        self.done.extend(&commit.done);
    }

    /// Forgets what was done and not committed.
    fn forget(&mut self, commit: &Commit) {
        let lists = [
            (&mut self.arrived, &commit.expected),
            (&mut self.done, &commit.done),
        ];
        for (list, ones) in lists {
            for one in ones {
                let at = list.iter().rposition(|it| it == one);
                list.remove(at.expect("it was noted"));
            }
        }
    }
}

struct World {
    dice: Dice,
    flow: FlowId,
    shapes: Vec<StepShape>,
    edges: Vec<Vec<usize>>,
    prefetch: Vec<usize>,
    limits: RunLimits,
    disk: Disk,
    board: Board,
    now_ms: i64,
    in_work: Vec<Vec<Queued>>,
    /// What was driven, whose commit is outstanding while the next of the step is begun.
    driven: Vec<(Vec<Queued>, Commit)>,
    untold: Vec<Vec<Queued>>,
    /// Whether the board hears of each commit at once: then the order is that of the
    /// commits, over all of a step's messages.
    is_prompt: bool,
}

fn name(step: usize) -> String {
    format!("step_{step:02}")
}

/// Makes the board of a world.
fn board(limits: RunLimits) -> Board {
    Board::new(8, limits)
}

fn place(step: &str) -> usize {
    step[5..].parse().expect("a step of ours")
}

/// Returns the part and the place of a message.
fn id(message: MessageRef, part: u32) -> (u32, u32) {
    match message.stored_in(part) {
        MessageRef::Stored { part, index } => (part, index),
        MessageRef::Own(_) => unreachable!("it is stored"),
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let count = 2 + usize::try_from(dice.roll(6)).expect("it fits");
        let shapes = (0..count)
            .map(|_| StepShape {
                is_queued: dice.roll(2) == 0,
            })
            .collect();
        let mut edges = vec![Vec::new(); count];
        for target in 1..count {
            let source = usize::try_from(dice.roll(target as u64)).expect("it fits");
            edges[source].push(target);
        }
        let prefetch = (0..count)
            .map(|_| if dice.roll(3) == 0 { 3 } else { 1 })
            .collect();
        let small = dice.roll(2) == 0;
        let limits = RunLimits {
            queue_messages: if small { SMALL_QUEUE } else { 75_000 },
            ..RunLimits::default()
        };
        Self {
            dice,
            limits,
            flow: "5f0000000000000000000abc".parse().expect("it fits"),
            shapes,
            edges,
            prefetch,
            disk: Disk {
                next_seq: 1,
                ..Disk::default()
            },
            board: board(limits),
            now_ms: 0,
            in_work: Vec::new(),
            driven: Vec::new(),
            untold: Vec::new(),
            is_prompt: seed.is_multiple_of(2),
        }
    }

    fn backlog(&self, taken: Option<usize>) -> Vec<bool> {
        (0..self.shapes.len())
            .map(|step| taken != Some(step) && self.board.has_backlog(self.flow, &name(step)))
            .collect()
    }

    /// Drives messages in memory and returns what would be committed.
    fn drive(&mut self, jobs: Vec<Job>, taken: Option<usize>) -> Commit {
        let part = self.disk.next_part;
        self.disk.next_part += 1;
        let mut commit = Commit {
            part,
            expected: Vec::new(),
            done: Vec::new(),
            queued: Vec::new(),
            settled: Vec::new(),
            is_overlapped: false,
        };
        let mut made = 0;
        let mut rest: (Vec<bool>, usize) = (Vec::new(), SLICE_STEPS);
        for job in jobs {
            if job.row.is_none() {
                made = 1;
                commit.expected.push((job.step, id(job.message, part)));
            }
            let mut backlog = self.backlog(taken);
            for (step, queued) in rest.0.iter().enumerate() {
                backlog[step] |= queued;
            }
            let shapes = self.shapes.clone();
            let mut run = Run::new(&shapes, backlog, rest.1);
            let mut commands = run.step(Input::Begin(job));
            loop {
                let mut next = None;
                for command in commands {
                    match command {
                        Command::Process(job) => next = Some(job),
                        Command::Enqueue {
                            step,
                            message,
                            attempt,
                            delay_ms,
                        } => {
                            commit
                                .queued
                                .push((step, id(message, part), attempt, delay_ms));
                        }
                        Command::Settle(row) => commit.settled.push(row),
                        Command::Commit => {}
                    }
                }
                let Some(job) = next else {
                    rest = run.into_rest();
                    break;
                };
                commands = run.step(self.call(job, part, &mut made, &mut commit));
            }
        }
        commit
    }

    /// Calls a step: it fails, wants its input again, or makes messages.
    fn call(&mut self, job: Job, part: u32, made: &mut u32, commit: &mut Commit) -> Input {
        let luck = self.dice.roll(20);
        let outputs = self.outputs(luck);
        let is_late = self.dice.roll(30) == 0;
        if luck == 0 && self.shapes[job.step].is_queued {
            self.disk.rebounded.insert(id(job.message, part));
            return Input::Called {
                job,
                deliveries: Vec::new(),
                end: End::Rebound,
                is_late,
            };
        }
        commit.done.push((job.step, id(job.message, part)));
        let mut deliveries = Vec::new();
        for _ in 0..outputs {
            let message = MessageRef::Own(*made);
            *made += 1;
            for target in &self.edges[job.step] {
                commit.expected.push((*target, id(message, part)));
                deliveries.push(Delivery {
                    target: *target,
                    message,
                });
            }
        }
        Input::Called {
            job,
            deliveries,
            end: End::Done,
            is_late,
        }
    }

    /// Returns how many messages a call makes: mostly few, sometimes more than a slice
    /// does in memory.
    fn outputs(&mut self, luck: u64) -> u64 {
        match luck {
            0..=2 => 0,
            _ if self.disk.expected.len() > 5_000 => 0,
            19 if self.dice.roll(20) == 0 => 600,
            _ => self.dice.roll(4),
        }
    }

    /// Makes a commit true, unless a row of it was settled before; tells whether it did.
    fn commit(&mut self, commit: Commit) -> bool {
        if commit
            .settled
            .iter()
            .any(|row| !self.disk.rows.contains_key(row))
        {
            if commit.is_overlapped {
                self.disk.forget(&commit);
            }
            return false;
        }
        for row in &commit.settled {
            self.disk.rows.remove(row);
        }
        assert!(commit.part < self.disk.next_part);
        if !commit.is_overlapped {
            self.disk.note(&commit);
        }
        self.disk.expected.extend(commit.expected);
        let mut told = Vec::new();
        for (step, (part, index), attempt, delay_ms) in commit.queued {
            let seq = self.disk.next_seq;
            self.disk.next_seq += 1;
            let row = Queued {
                seq,
                flow: self.flow,
                step: name(step),
                execution: 1,
                part,
                index,
                bytes: 10,
                attempt,
                due_at_ms: self.now_ms + delay_ms,
                leases: 0,
                queued_at_ms: self.now_ms,
                fault: None,
                graph_version: None,
            };
            self.disk.rows.insert(seq, row.clone());
            told.push(row);
        }
        self.untold.push(told);
        if self.is_prompt {
            self.tell_one();
        }
        true
    }

    fn tell_one(&mut self) {
        if !self.untold.is_empty() {
            let at = usize::try_from(self.dice.roll(self.untold.len() as u64)).expect("it fits");
            for row in self.untold.swap_remove(at) {
                self.board.push(row, self.now_ms);
            }
        }
    }

    /// Returns the steps into whose queues messages of a step may come.
    fn feeds(&self, step: usize) -> Vec<String> {
        let mut fed = Vec::new();
        for target in &self.edges[step] {
            fed.push(name(*target));
            if !self.shapes[*target].is_queued {
                fed.extend(self.feeds(*target));
            }
        }
        fed
    }

    /// Takes a message from outside; tells whether there was room for it.
    fn accept(&mut self) -> bool {
        let mut entry = vec![name(0)];
        if !self.shapes[0].is_queued {
            entry.extend(self.feeds(0));
        }
        if self.board.is_full(self.flow, &entry) {
            assert!(self.limits.queue_messages == SMALL_QUEUE, "there is room");
            return false;
        }
        if self.is_prompt {
            self.check_room(&entry);
        }
        let job = Job {
            step: 0,
            message: MessageRef::Own(0),
            attempt: 1,
            row: None,
        };
        let commit = self.drive(vec![job], None);
        assert!(self.commit(commit), "a fresh message settles nothing");
        true
    }

    /// Asserts that none of these steps has as many messages as may wait for it.
    fn check_room(&self, steps: &[String]) {
        for step in steps {
            let waits = self.disk.rows.values().filter(|row| row.step == *step);
            let waits = waits.count() as u64;
            assert!(waits < self.limits.queue_messages, "{step} is full");
        }
    }

    /// A worker takes something; where there is nothing, returns until when.
    fn take_or_next(&mut self) -> Option<Option<i64>> {
        match self.board.take(self.now_ms) {
            Taken::Messages(messages) => {
                if self.is_prompt {
                    self.check_room(&self.feeds(place(&messages[0].step)));
                }
                self.in_work.push(messages);
            }
            Taken::Rules { flow, ticket } => {
                assert!(self.board.is_asked(flow, ticket));
                let rules: HashMap<String, Rule> = (0..self.shapes.len())
                    .map(|step| {
                        let batch = if self.shapes[step].is_queued { 1 } else { 8 };
                        (
                            name(step),
                            Rule {
                                prefetch: self.prefetch[step],
                                batch,
                                feeds: self.feeds(step),
                            },
                        )
                    })
                    .collect();
                self.board.set_rules(flow, rules, false);
            }
            Taken::Read { flow, step, after } => {
                let rows = self.disk.rows.values();
                let rows: Vec<Queued> = rows
                    .filter(|row| row.step == step && row.seq > after)
                    .take(WINDOW)
                    .cloned()
                    .collect();
                self.board.read(flow, &step, rows, self.now_ms);
            }
            Taken::Nothing { until_ms } => return Some(until_ms),
        }
        None
    }

    fn finish_one(&mut self) {
        if self.in_work.is_empty() {
            return;
        }
        let at = usize::try_from(self.dice.roll(self.in_work.len() as u64)).expect("it fits");
        let messages = self.in_work.swap_remove(at);
        let step = place(&messages[0].step);
        let jobs = messages
            .iter()
            .map(|row| Job {
                step,
                message: MessageRef::Stored {
                    part: row.part,
                    index: row.index,
                },
                attempt: row.attempt,
                row: Some(row.seq),
            })
            .collect();
        let mut commit = self.drive(jobs, Some(step));
        if commit.queued.is_empty() && self.dice.roll(3) == 0 {
            commit.is_overlapped = true;
            self.disk.note(&commit);
            self.board.driven(&messages);
            self.driven.push((messages, commit));
        } else if self.dice.roll(25) == 0 {
            // The disk refuses for now.
            self.board.put_back(messages, self.now_ms + 1);
        } else {
            while self.board.is_overtaking(&messages) {
                self.commit_one();
            }
            self.end(messages, commit);
        }
    }

    /// Commits something of which only that is outstanding.
    fn commit_one(&mut self) {
        if !self.driven.is_empty() {
            let at = usize::try_from(self.dice.roll(self.driven.len() as u64)).expect("it fits");
            let (messages, commit) = self.driven.swap_remove(at);
            if self.board.is_overtaking(&messages) {
                self.driven.push((messages, commit));
            } else {
                self.end(messages, commit);
            }
        }
    }

    /// Commits what was done about messages, and lets them go.
    fn end(&mut self, messages: Vec<Queued>, commit: Commit) {
        if self.commit(commit) {
            self.board.done(&messages);
        } else {
            let (there, gone): (Vec<Queued>, Vec<Queued>) = messages
                .into_iter()
                .partition(|row| self.disk.rows.contains_key(&row.seq));
            self.board.drop_gone(&gone, &there);
            if there.is_empty() {
                self.board.done(&gone);
            } else {
                self.board.put_back(there, self.now_ms);
            }
        }
    }

    fn crash(&mut self) {
        self.board = board(self.limits);
        self.in_work.clear();
        for (_, commit) in std::mem::take(&mut self.driven) {
            self.disk.forget(&commit);
        }
        self.untold.clear();
        let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
        for row in self.disk.rows.values() {
            *sizes.entry(row.step.clone()).or_default() += 1;
        }
        for (step, messages) in sizes {
            self.board.found(self.flow, &step, messages, messages * 10);
        }
    }

    fn live(&mut self) {
        let mut accepted = 0;
        while accepted < ACCEPTED {
            self.now_ms += 1;
            match self.dice.roll(100) {
                0..=19 => {
                    accepted += usize::from(self.accept());
                }
                20..=44 => self.tell_one(),
                45..=69 => {
                    self.take_or_next();
                }
                70..=89 => self.finish_one(),
                90..=98 => self.commit_one(),
                _ => self.crash(),
            }
        }
        // Then everything comes to its end.
        for _ in 0..2_000_000 {
            self.tell_one();
            self.finish_one();
            self.commit_one();
            let until_ms = self.take_or_next();
            let is_idle = self.in_work.is_empty() && self.driven.is_empty();
            if until_ms.is_some() && is_idle && self.untold.is_empty() {
                if self.disk.rows.is_empty() {
                    return;
                }
                let due = until_ms
                    .flatten()
                    .expect("rows wait, and nobody takes them");
                assert!(due > self.now_ms, "what is due is taken");
                self.now_ms = due;
            }
        }
        panic!("it never ends");
    }

    fn check(&self) {
        let mut seen = HashSet::new();
        for one in &self.disk.done {
            assert!(seen.insert(*one), "{one:?} was done twice");
        }
        assert_eq!(seen, self.disk.expected, "lost or invented");
        if self.is_prompt {
            for step in (0..self.shapes.len()).filter(|step| self.prefetch[*step] == 1) {
                let of = |list: &[(usize, (u32, u32))]| -> Vec<(u32, u32)> {
                    let here = list.iter().filter(|one| one.0 == step);
                    let ids = here.map(|one| one.1);
                    ids.filter(|id| !self.disk.rebounded.contains(id)).collect()
                };
                assert_eq!(of(&self.disk.done), of(&self.disk.arrived), "step {step}");
            }
        }
        // Messages of one call keep their order at a step, unless they were put back.
        let mut last: HashMap<(usize, u32), u32> = HashMap::new();
        for (step, (part, index)) in &self.disk.done {
            if self.prefetch[*step] > 1 || self.disk.rebounded.contains(&(*part, *index)) {
                continue;
            }
            let before = last.insert((*step, *part), *index);
            assert!(
                before.is_none_or(|before| before < *index),
                "out of order at {step}"
            );
        }
    }
}

#[test]
fn no_message_is_lost_invented_done_twice_or_out_of_order() {
    for seed in 1..=SEEDS {
        let told = std::panic::catch_unwind(|| {
            let mut world = World::new(seed);
            world.live();
            world.check();
        });
        assert!(told.is_ok(), "seed {seed}");
    }
}
