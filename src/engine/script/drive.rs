//! Drives one run: the author's code, then jobs and timers until nothing is left.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::LazyLock;
use std::time::Duration;

use super::host::Host;
use super::{CODE_FILE, PRELUDE, PRELUDE_FILE, ScriptError, evaluate};
use rquickjs::context::EvalOptions;
use rquickjs::{Array, Ctx, Function, Object, Persistent, Runtime, Value as JsValue};

/// How long the thread sleeps at once while it waits for a timer, so that it notices
/// soon that the run was cancelled.
const NAP_US_MAX: u64 = 50_000;

/// The prelude without comments and indentation, which QuickJS would read several
/// times in every run.
static BARE_PRELUDE: LazyLock<String> = LazyLock::new(|| {
    let lines = PRELUDE.lines().map(str::trim);
    let code: Vec<&str> = lines.filter(|line| !line.starts_with("//")).collect();
    code.join("\n")
});

/// What a run works on, in the form in which it crosses to its thread.
pub(super) struct Given {
    /// The author's code.
    pub(super) code: String,
    /// Message, fields, snapshot and variables as JSON.
    pub(super) values: [String; 4],
}

/// A rejected promise that nobody handles yet, with its reason.
pub(super) struct Rejection {
    promise: Persistent<JsValue<'static>>,
    reason: Persistent<JsValue<'static>>,
}

/// The rejections that nobody handles. They live in the frame of the run and in the
/// runtime's tracker, never in a value of the script: both go before the runtime does.
pub(super) type Rejections = Rc<RefCell<Vec<Rejection>>>;

/// Has the runtime tell which promises are rejected with nobody to handle it.
pub(super) fn track(runtime: &Runtime) -> Rejections {
    let rejections = Rejections::default();
    let known = Rc::clone(&rejections);
    runtime.set_host_promise_rejection_tracker(Some(Box::new(
        move |ctx, promise, reason, is_handled| {
            let promise = Persistent::save(&ctx, promise);
            if is_handled {
                known.borrow_mut().retain(|one| one.promise != promise);
            } else {
                let reason = Persistent::save(&ctx, reason);
                known.borrow_mut().push(Rejection { promise, reason });
            }
        },
    )));
    rejections
}

/// Runs a script in its fresh context.
pub(super) fn run(
    ctx: &Ctx<'_>,
    given: &Given,
    host: &Rc<Host>,
    rejections: &Rejections,
) -> Result<(), ScriptError> {
    let hands = prepare(ctx, given, host).map_err(|_| caught(ctx, None))?;
    let run = Run {
        ctx,
        hands,
        host,
        rejections,
    };
    run.start(&given.code)?;
    run.finish()
}

/// Makes the globals of the script, and returns the hands by which it is driven.
fn prepare<'js>(ctx: &Ctx<'js>, given: &Given, host: &Rc<Host>) -> rquickjs::Result<Object<'js>> {
    let mut options = EvalOptions::default();
    options.filename = Some(PRELUDE_FILE.to_owned());
    let prelude: Function = ctx.eval_with_options(BARE_PRELUDE.as_str(), options)?;
    let [msg, cfg, snapshot, variables] = &given.values;
    let parse = |json: &String| ctx.json_parse(json.as_str());
    prelude.call((
        host.hands(ctx)?,
        parse(msg)?,
        parse(cfg)?,
        parse(snapshot)?,
        parse(variables)?,
    ))
}

/// One run, as far as it has come.
struct Run<'a, 'js> {
    ctx: &'a Ctx<'js>,
    hands: Object<'js>,
    host: &'a Host,
    rejections: &'a Rejections,
}

impl<'js> Run<'_, 'js> {
    /// Evaluates the author's code and has the prelude wait for it and for `run`.
    fn start(&self, code: &str) -> Result<(), ScriptError> {
        let top = evaluate(self.ctx, code).map_err(|_| self.caught())?;
        self.call::<JsValue>("start", (top,))?;
        Ok(())
    }

    /// Runs jobs and timers until nothing is left or the script says that it ended.
    fn finish(&self) -> Result<(), ScriptError> {
        loop {
            self.run_jobs()?;
            if self.call("isEnded", ())? {
                return Ok(());
            }
            let Some(due_ms) = self.call::<Option<f64>>("due", ())? else {
                break;
            };
            self.sleep(due_ms)?;
            self.call::<JsValue>("fire", ())?;
        }
        if self.call("isDone", ())? {
            return Ok(());
        }
        // QuickJS drops a job that it has no memory for, without a word.
        let message = "the script waits for a promise that nothing is left to settle, \
                       or its memory ran out";
        Err(ScriptError::ours("Error", message))
    }

    /// Runs jobs until none waits; an unhandled rejection then ends the run.
    fn run_jobs(&self) -> Result<(), ScriptError> {
        self.refuse_to_go_on()?;
        while self.ctx.execute_pending_job() {
            self.refuse_to_go_on()?;
        }
        self.host.drain();
        let first = self.rejections.take().into_iter().next();
        let Some(rejection) = first else {
            return Ok(());
        };
        let reason = rejection.reason.restore(self.ctx);
        Err(reason.map_or_else(|_| unknown(), |reason| self.describe(reason)))
    }

    /// Sleeps until a timer is due.
    fn sleep(&self, due_ms: f64) -> Result<(), ScriptError> {
        // A due time that is no duration lies beyond every time limit.
        let due = Duration::try_from_secs_f64(due_ms / 1_000.0).unwrap_or(Duration::MAX);
        let mut left_us = u64::try_from(due.as_micros()).unwrap_or(u64::MAX);
        while left_us > 0 {
            let nap_us = left_us.min(NAP_US_MAX).min(self.host.left_us());
            std::thread::sleep(Duration::from_micros(nap_us));
            self.refuse_to_go_on()?;
            left_us -= nap_us;
        }
        Ok(())
    }

    /// Ends the run where it has to stop; the host knows why.
    fn refuse_to_go_on(&self) -> Result<(), ScriptError> {
        if self.host.must_stop() {
            return Err(unknown());
        }
        Ok(())
    }

    /// Calls one of the prelude's hands.
    fn call<T>(
        &self,
        name: &str,
        args: impl rquickjs::function::IntoArgs<'js>,
    ) -> Result<T, ScriptError>
    where
        T: rquickjs::FromJs<'js>,
    {
        let hand: rquickjs::Result<Function> = self.hands.get(name);
        hand.and_then(|hand| hand.call(args))
            .map_err(|_| self.caught())
    }

    /// Takes the exception that a call left behind.
    fn caught(&self) -> ScriptError {
        caught(self.ctx, Some(&self.hands))
    }

    /// Puts a thrown value into words.
    fn describe(&self, thrown: JsValue<'js>) -> ScriptError {
        describe(self.ctx, Some(&self.hands), thrown)
    }
}

/// Takes the exception that is pending and puts it into words.
fn caught<'js>(ctx: &Ctx<'js>, hands: Option<&Object<'js>>) -> ScriptError {
    let thrown = ctx.catch();
    describe(ctx, hands, thrown)
}

/// Puts a thrown value into words, by the prelude where there is one.
fn describe<'js>(ctx: &Ctx<'js>, hands: Option<&Object<'js>>, thrown: JsValue<'js>) -> ScriptError {
    let described = match hands {
        Some(hands) => by_prelude(hands, thrown),
        None => by_hand(&thrown),
    };
    described.unwrap_or_else(|_| {
        // Describing it failed: what that threw says no more.
        ctx.catch();
        unknown()
    })
}

/// Has the prelude describe a thrown value: it copes with everything that is not an
/// error, and with errors whose properties throw.
fn by_prelude<'js>(hands: &Object<'js>, thrown: JsValue<'js>) -> rquickjs::Result<ScriptError> {
    let describe: Function = hands.get("describe")?;
    let texts: Array = describe.call((thrown,))?;
    let [name, message, stack] = [texts.get(0)?, texts.get(1)?, texts.get(2)?];
    let status: Option<u16> = texts.get(3)?;
    Ok(ScriptError {
        status: status.filter(|status| *status > 0),
        ..ScriptError::theirs([name, message, stack])
    })
}

/// Reads an error of QuickJS's own, where no code of the author has run.
fn by_hand(thrown: &JsValue<'_>) -> rquickjs::Result<ScriptError> {
    let error = thrown.as_object().ok_or(rquickjs::Error::Unknown)?;
    let [name, message, stack] = ["name", "message", "stack"].map(|key| error.get(key));
    Ok(ScriptError::theirs([name?, message?, stack?]))
}

/// Puts the pending exception of code that can't be parsed into words: what and where.
/// The first line's columns are moved left by `shift`, the length of what we put there.
pub(super) fn syntax_error(ctx: &Ctx<'_>, shift: usize) -> String {
    let error = caught(ctx, None);
    match place(&error.stack) {
        Some((line, column)) => {
            let column = if line == 1 {
                column.saturating_sub(shift)
            } else {
                column
            };
            format!("{error} (line {line}, column {column})")
        }
        None => error.to_string(),
    }
}

/// Finds line and column of the first frame in a stack: `at code.js:2:7`.
fn place(stack: &str) -> Option<(usize, usize)> {
    let (_, rest) = stack.split_once(CODE_FILE)?;
    let mut numbers = rest.split([':', ')', '\n']).skip(1);
    let line = numbers.next()?.parse().ok()?;
    let column = numbers.next()?.parse().ok()?;
    Some((line, column))
}

/// Returns the error of a run that failed without a word: no memory was left for one.
fn unknown() -> ScriptError {
    ScriptError::ours("InternalError", "out of memory")
}
