//! Schedules.

use elastane::domain::flow::Cron;

use super::fields_of;

#[test]
fn expressions_of_public_recipes_are_accepted() {
    for text in [
        "*/3 * * * *",
        "*/15 * * * *",
        "*/60 * * * *",
        "0 6 * * 1-5",
        "0,30 8-18 1 JAN *",
    ] {
        assert_eq!(Cron::parse("cron", text).unwrap().as_str(), text);
    }
}

#[test]
fn what_never_fires_is_refused_with_the_reason() {
    for text in ["0 0 31 2 *", "0 0 30 FEB *", "5 4 31 4,6,9,11 *"] {
        let error = Cron::parse("cron", text).unwrap_err();
        assert_eq!(error.fields()[0].field, "cron", "{text}");
        let reason = &error.fields()[0].message;
        assert!(reason.contains("never fires"), "{text}: {reason}");
    }
    for text in ["0 0 29 2 *", "0 0 31 2,3 *", "0 0 31 2 1"] {
        assert!(Cron::parse("cron", text).is_ok(), "{text}");
    }
}

#[test]
fn blanks_are_made_single() {
    let cron = Cron::parse("cron", "  0  6 *\t* *\n").unwrap();
    assert_eq!(cron.as_str(), "0 6 * * *");
}

#[test]
fn what_is_no_expression_of_five_fields_is_refused_by_its_field() {
    for text in [
        "",
        "soon",
        "* * * *",
        "* * * * * *",
        "61 * * * *",
        "* 24 * * *",
        "* * 32 * *",
        "a b c d e",
        "@hourly",
        "*/0 * * * *",
    ] {
        assert_eq!(
            fields_of(Cron::parse("cron", text)),
            ["cron"],
            "{text:?} was refused"
        );
    }
    let long = format!("{} * * * *", "1,".repeat(10_000));
    assert_eq!(fields_of(Cron::parse("cron", &long)), ["cron"]);
}
