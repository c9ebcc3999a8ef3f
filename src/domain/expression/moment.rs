//! `$moment(…)`: times as flows write them, such as `$moment(created).format('YYYY')`.
//!
//! A moment is an object of the language whose members are functions, so calls can be
//! chained. Times are in UTC, as on the hosted platform; `utcOffset` moves one. What
//! the language gets of a moment is a part of the library of that name: making, adding,
//! rounding, comparing, writing with tokens and as `a day ago`; no language but English,
//! no time zones by name.

mod calc;
mod text;

use std::fmt::Write as _;

use jsonata_core::evaluator::{Evaluator, EvaluatorError};
use jsonata_core::parser;
use jsonata_core::value::JValue;

use self::calc::Moment;
use super::bounds::{millis, refusal};
use super::evaluator::Shared;

/// The member that holds a moment's milliseconds since 1970.
const MILLIS: &str = "__ms";

/// The member that holds its minutes before UTC.
const OFFSET: &str = "__offset";

/// The function that does the work: operation, milliseconds, offset, two arguments.
const OPERATION: &str = "momentOperation";

/// Operations that give a moment again.
const MOMENTS: &[&str] = &[
    "add",
    "subtract",
    "startOf",
    "endOf",
    "utc",
    "local",
    "clone",
    "toDate",
    "set",
    "utcOffset",
];

/// Operations that give a value.
const ANSWERS: &[&str] = &[
    "format",
    "toISOString",
    "toJSON",
    "toString",
    "valueOf",
    "unix",
    "isValid",
    "from",
    "fromNow",
    "isBefore",
    "isAfter",
    "isSame",
    "isSameOrBefore",
    "isSameOrAfter",
    "daysInMonth",
    "get",
    "day",
    "weekday",
    "isoWeekday",
    "week",
    "isoWeek",
    "quarter",
    "dayOfYear",
];

/// Operations that give a value, or with an argument a moment.
const UNITS: &[&str] = &[
    "year",
    "month",
    "date",
    "hour",
    "minute",
    "second",
    "millisecond",
];

/// Makes the function `$moment`.
pub(super) fn constructor() -> Result<JValue, EvaluatorError> {
    let mut members = String::new();
    for name in MOMENTS {
        let _ = write!(
            members,
            ",'{name}':function($a,$b){{$wrap(${OPERATION}('{name}',$t,$o,$a,$b))}}"
        );
    }
    for name in ANSWERS {
        let _ = write!(
            members,
            ",'{name}':function($a,$b){{${OPERATION}('{name}',$t,$o,$a,$b)}}"
        );
    }
    // `diff` alone has a third argument: whether the answer has a fraction.
    let _ = write!(
        members,
        ",'diff':function($a,$b,$c){{${OPERATION}($c = true ? 'exactDiff' : 'diff',$t,$o,$a,$b)}}"
    );
    // English is the one language: it is what `locale` answers, and all that it can set.
    let _ = write!(
        members,
        ",'locale':function($a){{$exists($a) ? $wrap(${OPERATION}('clone',$t,$o)) : 'en'}}"
    );
    for name in UNITS {
        for spelled in [(*name).to_owned(), format!("{name}s")] {
            let _ = write!(
                members,
                ",'{spelled}':function($a){{$exists($a) ? \
                 $wrap(${OPERATION}('set',$t,$o,'{name}',$a)) : \
                 ${OPERATION}('get',$t,$o,'{name}')}}"
            );
        }
    }
    let text = format!(
        "($wrap := function($m){{($t := $m[0]; $o := $m[1]; \
         {{'{MILLIS}':$t,'{OFFSET}':$o{members}}})}}; \
         function($a,$b){{$wrap(${OPERATION}('new',0,0,$a,$b))}})"
    );
    let ast = parser::parse(&text).map_err(|error| refusal(error.display_message()))?;
    Evaluator::new().evaluate(&ast, &JValue::Null)
}

/// Registers the function that does the work.
pub(super) fn register(evaluator: &mut Evaluator, current: &Shared) -> Result<(), EvaluatorError> {
    let shared = current.clone();
    evaluator.register_fn(OPERATION, move |args: &[JValue]| {
        let now = Moment::at(shared.borrow().now_ms);
        let operation = args.first().and_then(JValue::as_str).unwrap_or("");
        let moment = Moment::of_parts(args.get(1), args.get(2));
        let first = args.get(3).unwrap_or(&JValue::Undefined);
        let second = args.get(4).unwrap_or(&JValue::Undefined);
        Ok(run(operation, moment, now, first, second))
    })
}

/// Runs one operation.
fn run(operation: &str, moment: Moment, now: Moment, first: &JValue, second: &JValue) -> JValue {
    let unit = || second.as_str().or_else(|| first.as_str()).unwrap_or("ms");
    let other = || Moment::of_value(first, now);
    let compare = |is: fn(i64, i64) -> bool| {
        let unit = second.as_str().unwrap_or("ms");
        let (one, two) = (moment.start_of(unit), other().start_of(unit));
        JValue::Bool(matches!((one.ms(), two.ms()), (Some(one), Some(two)) if is(one, two)))
    };
    match operation {
        "new" => match second.as_str() {
            Some(format) => text::parse(first.as_str().unwrap_or(""), format),
            None => other(),
        }
        .to_parts(),
        "add" => moment.add_value(first, second, 1.0).to_parts(),
        "subtract" => moment.add_value(first, second, -1.0).to_parts(),
        "startOf" => moment.start_of(unit()).to_parts(),
        "endOf" => moment.end_of(unit()).to_parts(),
        "set" => moment
            .set(first.as_str().unwrap_or(""), second.as_f64())
            .to_parts(),
        "utcOffset" => moment.with_offset(first).to_parts(),
        "utc" | "local" => moment.in_utc().to_parts(),
        "clone" | "toDate" => moment.to_parts(),
        "format" => JValue::string(text::format(moment, first.as_str())),
        "toString" => JValue::string(text::format(
            moment,
            Some("ddd MMM DD YYYY HH:mm:ss [GMT]ZZ"),
        )),
        "toISOString" | "toJSON" => match moment.iso() {
            Some(iso) => JValue::string(iso),
            None => JValue::Null,
        },
        "valueOf" => moment.ms().map_or(JValue::Number(f64::NAN), millis),
        "unix" => moment
            .ms()
            .map_or(JValue::Number(f64::NAN), |ms| millis(ms.div_euclid(1000))),
        "isValid" => JValue::Bool(moment.ms().is_some()),
        "fromNow" => JValue::string(calc::from(moment, now, first)),
        "from" => JValue::string(calc::from(moment, other(), second)),
        "exactDiff" => moment.exact_diff(other(), second.as_str().unwrap_or("ms")),
        "diff" => moment.diff(other(), second.as_str().unwrap_or("ms")),
        "isBefore" => compare(|one, two| one < two),
        "isAfter" => compare(|one, two| one > two),
        "isSame" => compare(|one, two| one == two),
        "isSameOrBefore" => compare(|one, two| one <= two),
        "isSameOrAfter" => compare(|one, two| one >= two),
        "get" => moment.get(first.as_str().unwrap_or("")),
        other => moment.get(other),
    }
}

/// Returns what JSON says of a moment; `None` for any other value.
pub(super) fn text_of(value: &JValue) -> Option<String> {
    value.get(MILLIS)?;
    let moment = Moment::of_parts(value.get(MILLIS), value.get(OFFSET));
    moment.iso().or_else(|| Some("Invalid date".to_owned()))
}
