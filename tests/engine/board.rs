//! Which message is next: turns, prefetch, windows, limits.

use std::collections::HashMap;

use elastane::domain::id::{FlowId, RawId};
use elastane::domain::run::limits::RunLimits;
use elastane::domain::run::part::Queued;
use elastane::engine::board::{Board, Rule, Taken, WINDOW};

/// Makes the id of a flow.
fn flow(number: u32) -> FlowId {
    FlowId::new(RawId::from_parts(number, [0; 8]))
}

/// Makes a row that is due at once.
fn row(flow: FlowId, step: &str, seq: i64) -> Queued {
    Queued {
        seq,
        flow,
        step: step.to_owned(),
        execution: seq,
        part: 0,
        index: 0,
        bytes: 10,
        attempt: 1,
        due_at_ms: 0,
        leases: 0,
        queued_at_ms: 0,
        fault: None,
        graph_version: None,
    }
}

/// Says that a step `s` of a flow is worked on so.
fn rule(board: &mut Board, flow: FlowId, prefetch: usize, batch: usize) {
    let rules = HashMap::from([(
        "s".to_owned(),
        Rule {
            prefetch,
            batch,
            feeds: Vec::new(),
        },
    )]);
    board.set_rules(flow, rules, false);
}

/// Takes what is next, which must be messages.
fn messages(board: &mut Board) -> Vec<Queued> {
    match board.take(0) {
        Taken::Messages(messages) => messages,
        other => panic!("messages wait, but got {other:?}"),
    }
}

/// Returns the seqs of messages.
fn seqs(messages: &[Queued]) -> Vec<i64> {
    messages.iter().map(|message| message.seq).collect()
}

#[test]
fn a_quiet_flow_is_next_to_a_noisy_one_with_a_full_queue() {
    let mut board = Board::new(4, RunLimits::default());
    let (noisy, quiet) = (flow(1), flow(2));
    rule(&mut board, noisy, 32, 1);
    rule(&mut board, quiet, 1, 1);
    board.found(noisy, "s", RunLimits::default().queue_messages, 1);
    let Taken::Read { after, .. } = board.take(0) else {
        panic!("the rows have to be read");
    };
    assert_eq!(after, 0);
    let rows = (1..=1_000).map(|seq| row(noisy, "s", seq)).collect();
    board.read(noisy, "s", rows, 0);
    board.push(row(quiet, "s", 80_000), 0);
    let first = messages(&mut board);
    let second = messages(&mut board);
    let both = [first[0].flow, second[0].flow];
    assert!(both.contains(&quiet), "the quiet flow had to wait");
    // Nor may the noisy one take all workers while nobody else wants them.
    let mut of_noisy = usize::from(both[0] == noisy) + usize::from(both[1] == noisy);
    while let Taken::Messages(more) = board.take(0) {
        assert_eq!(more[0].flow, noisy);
        of_noisy += 1;
    }
    assert_eq!(of_noisy, 2);
}

#[test]
fn no_more_messages_of_a_step_are_in_work_than_its_prefetch() {
    let mut board = Board::new(10, RunLimits::default());
    rule(&mut board, flow(1), 2, 1);
    for seq in 1..=4 {
        board.push(row(flow(1), "s", seq), 0);
    }
    let first = messages(&mut board);
    let second = messages(&mut board);
    assert_eq!((seqs(&first), seqs(&second)), (vec![1], vec![2]));
    assert_eq!(board.take(0), Taken::Nothing { until_ms: None });
    board.done(&first);
    assert_eq!(seqs(&messages(&mut board)), [3]);
}

#[test]
fn commits_that_are_told_of_out_of_order_are_worked_on_in_order() {
    let mut board = Board::new(10, RunLimits::default());
    rule(&mut board, flow(1), 1, 8);
    for seq in [3, 1, 2, 3] {
        board.push(row(flow(1), "s", seq), 0);
    }
    assert_eq!(seqs(&messages(&mut board)), [1, 2, 3]);
}

#[test]
fn a_message_that_is_told_of_late_is_not_left_behind_by_a_full_window() {
    let mut board = Board::new(10, RunLimits::default());
    rule(&mut board, flow(1), 1, 2 * WINDOW);
    let last = i64::try_from(WINDOW).unwrap() + 1;
    for seq in 2..=last {
        board.push(row(flow(1), "s", seq), 0);
    }
    // No read comes by it again: rows are read behind the last one alone.
    board.push(row(flow(1), "s", 1), 0);
    assert_eq!(seqs(&messages(&mut board))[0], 1);
}

#[test]
fn a_message_that_comes_while_rows_are_read_is_not_left_behind() {
    let mut board = Board::new(10, RunLimits::default());
    rule(&mut board, flow(1), 1, 8);
    board.found(flow(1), "s", 1, 10);
    assert!(matches!(board.take(0), Taken::Read { after: 0, .. }));
    // The read began before this was committed, so it does not have it.
    board.push(row(flow(1), "s", 2), 0);
    board.read(flow(1), "s", vec![row(flow(1), "s", 1)], 0);
    let first = messages(&mut board);
    assert_eq!(seqs(&first), [1]);
    board.done(&first);
    assert!(matches!(board.take(0), Taken::Read { after: 1, .. }));
    assert!(board.has_backlog(flow(1), "s"));
    board.read(flow(1), "s", vec![row(flow(1), "s", 2)], 0);
    assert_eq!(seqs(&messages(&mut board)), [2]);
}

#[test]
fn a_full_queue_takes_messages_again_once_one_is_done() {
    let mut board = Board::new(10, RunLimits::default());
    rule(&mut board, flow(1), 1, 1);
    board.push(row(flow(1), "s", 1), 0);
    board.found(flow(1), "s", RunLimits::default().queue_messages - 1, 1);
    assert!(board.is_full(flow(1), &["s".to_owned()]));
    let first = messages(&mut board);
    assert!(
        board.is_full(flow(1), &["s".to_owned()]),
        "what is in work counts"
    );
    board.done(&first);
    assert!(!board.is_full(flow(1), &["s".to_owned()]));
}

#[test]
fn nothing_of_a_cancelled_run_is_taken() {
    let mut board = Board::new(10, RunLimits::default());
    rule(&mut board, flow(1), 1, 1);
    let mut later = row(flow(1), "s", 2);
    later.due_at_ms = 50;
    later.execution = 1;
    board.push(row(flow(1), "s", 1), 0);
    board.push(later, 0);
    board.push(row(flow(1), "s", 3), 0);
    board.forget_run(flow(1), 1);
    assert_eq!(board.sizes(flow(1)), [("s".to_owned(), 1)]);
    let left = messages(&mut board);
    assert_eq!(seqs(&left), [3]);
    board.done(&left);
    assert_eq!(board.take(100), Taken::Nothing { until_ms: None });
}

#[test]
fn a_suspended_flow_keeps_its_messages_until_it_is_started() {
    let mut board = Board::new(10, RunLimits::default());
    board.set_rules(flow(1), HashMap::new(), true);
    board.push(row(flow(1), "s", 1), 0);
    assert_eq!(board.take(0), Taken::Nothing { until_ms: None });
    board.set_rules(flow(1), HashMap::new(), false);
    assert_eq!(seqs(&messages(&mut board)), [1]);
}

#[test]
fn a_step_waits_while_a_follower_is_full_and_the_follower_goes_on() {
    let limits = RunLimits {
        queue_messages: 2,
        ..RunLimits::default()
    };
    let mut board = Board::new(10, limits);
    let rule = |feeds: &[&str]| Rule {
        prefetch: 4,
        batch: 1,
        feeds: feeds.iter().map(|step| (*step).to_owned()).collect(),
    };
    let rules = HashMap::from([("a".to_owned(), rule(&["b"])), ("b".to_owned(), rule(&[]))]);
    board.set_rules(flow(1), rules, false);
    for (step, seq) in [("a", 1), ("b", 2), ("b", 3)] {
        board.push(row(flow(1), step, seq), 0);
    }
    let first = messages(&mut board);
    let second = messages(&mut board);
    assert_eq!((seqs(&first), seqs(&second)), (vec![2], vec![3]));
    assert_eq!(
        board.take(0),
        Taken::Nothing { until_ms: None },
        "b is full"
    );
    board.done(&first);
    assert_eq!(seqs(&messages(&mut board)), [1]);
}

#[test]
fn a_queue_is_full_by_its_bytes_too() {
    let limits = RunLimits {
        queue_bytes: 20,
        ..RunLimits::default()
    };
    let mut board = Board::new(10, limits);
    let steps = ["s".to_owned()];
    board.push(row(flow(1), "s", 1), 0);
    assert!(!board.is_full(flow(1), &steps));
    board.push(row(flow(1), "s", 2), 0);
    assert!(board.is_full(flow(1), &steps));
}

#[test]
fn two_noisy_flows_leave_a_worker_for_a_third_one() {
    let mut board = Board::new(16, RunLimits::default());
    let mut seq = 0;
    for noisy in [flow(1), flow(2)] {
        rule(&mut board, noisy, 32, 1);
        for _ in 0..30 {
            seq += 1;
            board.push(row(noisy, "s", seq), 0);
        }
    }
    let mut taken = Vec::new();
    while let Taken::Messages(more) = board.take(0) {
        taken.push(more);
    }
    let of = |flow| taken.iter().filter(|it| it[0].flow == flow).count();
    assert!(taken.len() < 16, "all workers are taken");
    assert!(of(flow(1)).abs_diff(of(flow(2))) <= 1, "they share evenly");
    rule(&mut board, flow(3), 1, 1);
    board.push(row(flow(3), "s", 100), 0);
    assert_eq!(seqs(&messages(&mut board)), [100]);
    // Who was held back goes on when workers of another flow are free again.
    board.forget(flow(2));
    for ended in taken.iter().filter(|it| it[0].flow == flow(2)) {
        board.done(ended);
    }
    let next = messages(&mut board);
    assert_eq!(next[0].flow, flow(1));
}

#[test]
fn rules_of_a_flow_that_changed_meanwhile_are_not_taken() {
    let mut board = Board::new(10, RunLimits::default());
    board.push(row(flow(1), "s", 1), 0);
    let Taken::Rules {
        flow: asked,
        ticket,
    } = board.take(0)
    else {
        panic!("nobody knows the rules");
    };
    assert!(board.is_asked(asked, ticket));
    board.forget(flow(1));
    assert!(!board.is_asked(asked, ticket), "the answer is stale");
    board.found(flow(1), "s", 1, 10);
    let Taken::Rules { ticket: newer, .. } = board.take(0) else {
        panic!("it is asked anew");
    };
    assert!(!board.is_asked(asked, ticket));
    assert!(board.is_asked(asked, newer));
}

#[test]
fn the_next_message_begins_while_only_the_commit_of_the_one_before_is_outstanding() {
    let mut board = Board::new(8, RunLimits::default());
    let flow = flow(1);
    rule(&mut board, flow, 1, 1);
    for seq in 1..=4 {
        board.push(row(flow, "s", seq), 0);
    }
    let first = messages(&mut board);
    assert!(matches!(board.take(0), Taken::Nothing { .. }), "prefetch 1");
    board.driven(&first);
    let second = messages(&mut board);
    assert_eq!([seqs(&first), seqs(&second)], [vec![1], vec![2]]);
    let overtaking = [&first, &second].map(|messages| board.is_overtaking(messages));
    assert_eq!(overtaking, [false, true], "a crash would turn them round");
    // One commit is enough: the third waits until the first is committed.
    board.driven(&second);
    assert!(
        matches!(board.take(0), Taken::Nothing { .. }),
        "two commits"
    );
    board.done(&first);
    assert!(!board.is_overtaking(&second));
    let third = messages(&mut board);
    assert_eq!(seqs(&third), [3]);
    board.done(&second);
    // With nothing to commit, prefetch 1 is one message again.
    assert!(
        matches!(board.take(0), Taken::Nothing { .. }),
        "two at once"
    );
    board.driven(&third);
    board.put_back(third, 0);
    let again = messages(&mut board);
    assert_eq!(
        seqs(&again),
        [3],
        "what was not committed is done again first"
    );
    assert!(
        matches!(board.take(0), Taken::Nothing { .. }),
        "two at once"
    );
    assert_eq!(board.sizes(flow), [("s".to_owned(), 2)]);
}

#[test]
fn a_flow_that_is_read_anew_keeps_what_waits_for_its_commit() {
    let mut board = Board::new(8, RunLimits::default());
    let flow = flow(1);
    rule(&mut board, flow, 1, 1);
    board.push(row(flow, "s", 1), 0);
    let first = messages(&mut board);
    board.driven(&first);
    board.forget(flow);
    rule(&mut board, flow, 1, 1);
    for seq in 2..=3 {
        board.push(row(flow, "s", seq), 0);
    }
    assert_eq!(seqs(&messages(&mut board)), [2]);
    board.done(&first);
    assert!(matches!(board.take(0), Taken::Nothing { .. }), "prefetch 1");
}

#[test]
fn a_batch_of_which_the_first_is_gone_leaves_the_prefetch_as_it_was() {
    let mut board = Board::new(8, RunLimits::default());
    let flow = flow(1);
    rule(&mut board, flow, 1, 3);
    for seq in 1..=9 {
        board.push(row(flow, "s", seq), 0);
    }
    let mut batch = messages(&mut board);
    assert_eq!(seqs(&batch), [1, 2, 3]);
    board.driven(&batch);
    // The run of the first is cancelled before the commit, which is refused for it.
    let gone = vec![batch.remove(0)];
    board.drop_gone(&gone, &batch);
    board.put_back(batch, 0);
    assert_eq!(seqs(&messages(&mut board)), [2, 3, 4]);
    assert!(matches!(board.take(0), Taken::Nothing { .. }), "prefetch 1");
}

#[test]
fn a_process_that_is_done_has_the_next_message_before_the_end_of_the_last_is_on_the_disk() {
    let mut board = Board::new(1, RunLimits::default());
    rule(&mut board, flow(1), 1, 1);
    for seq in 1..=3 {
        board.push(row(flow(1), "s", seq), 0);
    }
    let first = messages(&mut board).remove(0);
    board.hand_over(&first);
    assert_eq!(
        board.take_next(flow(1), "s", 0),
        None,
        "one is in work, and no more may be"
    );
    board.release(&first);
    let second = board.take_next(flow(1), "s", 0).expect("a message");
    assert_eq!(second.seq, 2);
    assert_eq!(board.take_next(flow(1), "s", 0), None);
    // The end of the first gives no place back, which it has not any more.
    board.done(std::slice::from_ref(&first));
    assert_eq!(board.take_next(flow(1), "s", 0), None);
    assert_eq!(board.take(0), Taken::Nothing { until_ms: None });
    board.done(&[second]);
    assert_eq!(seqs(&messages(&mut board)), [3]);
}

#[test]
fn a_message_whose_end_could_not_be_kept_comes_again_in_its_place() {
    let mut board = Board::new(2, RunLimits::default());
    rule(&mut board, flow(1), 1, 1);
    for seq in 1..=2 {
        board.push(row(flow(1), "s", seq), 0);
    }
    let first = messages(&mut board).remove(0);
    board.hand_over(&first);
    board.release(&first);
    board.put_back(vec![first], 10);
    assert_eq!(board.take_next(flow(1), "s", 0), None, "its step rests");
    assert_eq!(board.take_next(flow(1), "s", 10).expect("it").seq, 1);
    assert_eq!(board.take_next(flow(1), "s", 10), None, "one at a time");
}

#[test]
fn a_process_has_no_next_message_while_what_it_feeds_is_full() {
    let limits = RunLimits {
        queue_messages: 1,
        ..RunLimits::default()
    };
    let mut board = Board::new(2, limits);
    let rule = |feeds: &[&str]| Rule {
        prefetch: 1,
        batch: 1,
        feeds: feeds.iter().map(ToString::to_string).collect(),
    };
    let rules = HashMap::from([("s".to_owned(), rule(&["t"])), ("t".to_owned(), rule(&[]))]);
    board.set_rules(flow(1), rules.clone(), false);
    board.push(row(flow(1), "s", 1), 0);
    board.push(row(flow(1), "t", 2), 0);
    assert_eq!(board.take_next(flow(1), "s", 0), None);
    let fed = messages(&mut board);
    assert_eq!(fed[0].step, "t");
    assert!(board.done(&fed), "the queue was full");
    board.set_rules(flow(1), rules, true);
    assert_eq!(board.take_next(flow(1), "s", 0), None, "it is suspended");
}
