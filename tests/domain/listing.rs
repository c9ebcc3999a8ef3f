//! Filters, sorts and columns of lists.

use elastane::domain::Kind;
use elastane::domain::listing::{
    ColumnKind, FILTER_MAX_BYTES, ListFilter, ListOf, ListSort, ListTest, TERMS_MAX,
};

/// 2026-03-01T12:00:00Z in milliseconds.
const NOW_MS: i64 = 1_772_366_400_000;

/// An hour in milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// Reads a filter of one term; returns the key of its column and its test.
fn term(of: ListOf, text: &str) -> (Option<&'static str>, ListTest) {
    let filter = ListFilter::parse(text, of, NOW_MS).expect("a filter");
    let [term] = filter.terms() else {
        panic!("{text}: {filter:?}");
    };
    let key = term.column.map(|at| of.columns()[at].key);
    (key, term.test.clone())
}

/// Reads a filter that is at fault and returns what is said.
fn fault(of: ListOf, text: &str) -> String {
    let error = ListFilter::parse(text, of, NOW_MS).expect_err(text);
    assert_eq!(error.kind(), Kind::Invalid);
    assert_eq!(error.fields()[0].field, "filter");
    error.message().to_owned()
}

#[test]
fn words_are_looked_for_in_any_text_and_fields_by_their_beginning() {
    let contains = |text: &str| ListTest::Contains(text.to_owned());
    let begins = |text: &str| ListTest::StartsWith(text.to_owned());
    for (text, key, test) in [
        ("ada", None, contains("ada")),
        ("\"two words\"", None, contains("two words")),
        ("/two words/", None, contains("two words")),
        ("/^a.a$/", None, ListTest::Matches("^a.a$".to_owned())),
        (
            "email:/@(a|b)/",
            Some("email"),
            ListTest::Matches("@(a|b)".to_owned()),
        ),
        ("10:30", None, contains("10:30")),
        ("a/b", None, contains("a/b")),
        ("email:ada", Some("email"), begins("ada")),
        ("email:/example/", Some("email"), contains("example")),
        ("email:\"a b\"", Some("email"), begins("a b")),
        (
            "email:=ada@example.com",
            Some("email"),
            ListTest::Is("ada@example.com".to_owned()),
        ),
        ("company:-", Some("company"), ListTest::Missing),
        ("status:active", Some("state"), begins("active")),
        ("user:ada", Some("email"), begins("ada")),
    ] {
        assert_eq!(term(ListOf::Users, text), (key, test), "{text}");
    }
}

#[test]
fn terms_are_counted_apart_and_may_be_turned_around() {
    let text = "ada  !role:member state:\"a b\" !\"c d\" email:";
    let filter = ListFilter::parse(text, ListOf::Users, NOW_MS).expect("a filter");
    let negative: Vec<bool> = filter.terms().iter().map(|term| term.is_negative).collect();
    assert_eq!(negative, [false, true, false, true], "{filter:?}");
    for nothing in ["", "  ", "email:", "!", "\"", "/", "\"\""] {
        let filter = ListFilter::parse(nothing, ListOf::Users, NOW_MS).expect("a filter");
        assert!(filter.is_everything(), "{nothing}: {filter:?}");
    }
}

#[test]
fn what_is_no_regular_expression_or_too_large_a_one_is_said() {
    for text in ["/st(/", "email:/[/", "/(a{1000}){1000}/"] {
        let told = fault(ListOf::Users, text);
        assert!(told.contains("is no regular expression"), "{told}");
    }
}

#[test]
fn numbers_lengths_and_ages_are_compared() {
    let within = |from: i64, to: i64| ListTest::Within(from..=to);
    let (least, most) = (i64::MIN, i64::MAX);
    let two_hours_ago = NOW_MS - 2 * HOUR_MS;
    for (of, text, key, test) in [
        (ListOf::Users, "tasks:>3", "tasks", within(4, most)),
        (ListOf::Users, "tasks:>=3", "tasks", within(3, most)),
        (ListOf::Users, "tasks:<3", "tasks", within(least, 2)),
        (ListOf::Users, "tasks:3", "tasks", within(3, 3)),
        (
            ListOf::Executions,
            "took:>2s",
            "duration",
            within(2_001, most),
        ),
        (
            ListOf::Executions,
            "duration:<=250",
            "duration",
            within(least, 250),
        ),
        (
            ListOf::Executions,
            "age:>2h",
            "started_at",
            within(least, two_hours_ago - 1),
        ),
        (
            ListOf::Executions,
            "age:<2h",
            "started_at",
            within(two_hours_ago + 1, most),
        ),
        (
            ListOf::Flows,
            "next:<2h",
            "due_at",
            within(least, NOW_MS + 2 * HOUR_MS - 1),
        ),
        (
            ListOf::Users,
            "age:>0d",
            "created_at",
            within(least, NOW_MS - 1),
        ),
        (ListOf::SshKeys, "is_weak:yes", "is_weak", within(1, 1)),
    ] {
        assert_eq!(term(of, text), (Some(key), test), "{text}");
    }
}

#[test]
fn the_beginning_of_a_date_is_a_stretch_of_time() {
    let day = 24 * HOUR_MS;
    // 2026-03-01T00:00:00Z.
    let first = NOW_MS - 12 * HOUR_MS;
    for (text, range) in [
        ("created:2026-03-01", first..=first + day - 1),
        ("created:2026-03", first..=first + 31 * day - 1),
        ("created:2026", first - 59 * day..=first + 306 * day - 1),
        ("created:2026-03-01T12", NOW_MS..=NOW_MS + HOUR_MS - 1),
        ("created:2026-03-01T12:00", NOW_MS..=NOW_MS + 59_999),
        ("created:2026-03-01T13:00:00+01:00", NOW_MS..=NOW_MS),
        ("created:>=2026-03-01", first..=i64::MAX),
        ("created:<2026-03-01", i64::MIN..=first - 1),
        ("created:>2026-02", first..=i64::MAX),
    ] {
        let found = term(ListOf::Users, text);
        assert_eq!(
            found,
            (Some("created_at"), ListTest::Within(range)),
            "{text}"
        );
    }
}

#[test]
fn a_task_is_found_by_how_it_fares_and_by_whether_it_runs() {
    for (text, key) in [
        ("state:fail", "state"),
        ("state:stop", "state"),
        ("state:s", "state"),
        ("state:inactive", "status"),
        ("state:sus", "status"),
        ("status:active", "status"),
    ] {
        assert_eq!(term(ListOf::Flows, text).0, Some(key), "{text}");
    }
}

#[test]
fn faults_name_the_term_and_what_would_be_right() {
    let told = fault(ListOf::Users, "ada colour:red");
    assert!(told.contains("`colour:red`"), "{told}");
    assert!(told.contains("no field `colour`"), "{told}");
    assert!(told.contains("email, first_name"), "{told}");
    for (of, text, part) in [
        (ListOf::Users, "tasks:many", "a number"),
        (ListOf::Users, "tasks:>", "a number"),
        (ListOf::Users, "created:yesterday", "an age"),
        (ListOf::Users, "created:2026-13", "an age"),
        (ListOf::Users, "created:2026-03-01T25", "an age"),
        (ListOf::Users, "created:>99999999999999999d", "an age"),
        (ListOf::Flows, "next:soon", "a time from now"),
        (ListOf::Executions, "took:-5s", "a length of time"),
        (ListOf::SshKeys, "is_weak:maybe", "yes or no"),
    ] {
        let told = fault(of, text);
        assert!(told.contains(part) && told.contains(text), "{told}");
    }
    let told = fault(ListOf::Users, &"a".repeat(FILTER_MAX_BYTES + 1));
    assert!(told.contains("bytes"), "{told}");
    let told = fault(ListOf::Users, &"a ".repeat(TERMS_MAX + 1));
    assert!(told.contains("terms"), "{told}");
}

#[test]
fn no_text_breaks_the_reader_of_filters() {
    let parts = [
        "!", ":", "/", "\"", " ", ">", "<", "=", "-", "age", "é", "tasks", "2026", "T", "\u{202e}",
        "%", "~", "_", "9", "h", "\0",
    ];
    let mut seed: u64 = 7;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..seed % 9 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(11);
            text.push_str(parts[usize::try_from(seed >> 33).expect("it fits") % parts.len()]);
        }
        seed = seed.wrapping_add(1);
        for of in ListOf::ALL {
            let _ = ListFilter::parse(&text, of, NOW_MS);
        }
    }
}

#[test]
fn a_sort_is_read_and_refused_with_the_fields_that_are_sorted_by() {
    let sort = |text: &str| {
        let sort = ListSort::parse(text, ListOf::Flows).expect(text);
        (ListOf::Flows.columns()[sort.column].key, sort.descending)
    };
    assert_eq!(sort("name"), ("name", false));
    assert_eq!(sort("name:desc"), ("name", true));
    assert_eq!(sort("-next"), ("due_at", true));
    assert_eq!(sort("updated:asc"), ("updated_at", false));
    for wrong in ["colour", "name:up", "-name:desc", "description", ""] {
        let error = ListSort::parse(wrong, ListOf::Flows).expect_err(wrong);
        assert_eq!(error.fields()[0].field, "sort");
        assert!(error.message().contains("due_at"), "{error}");
    }
}

#[test]
fn every_list_has_its_words_its_id_and_its_order() {
    for of in ListOf::ALL {
        assert_eq!(ListOf::parse(of.as_str()).expect("its own word"), of);
        let columns = of.columns();
        assert_eq!(columns[0].key, "id");
        let sort = of.default_sort();
        assert!(columns[sort.column].sortable, "{}", of.as_str());
        for (at, column) in columns.iter().enumerate() {
            assert_eq!(of.column(column.key), Some(at), "{}", column.key);
            let ends_so = column.key.ends_with("_at");
            assert!(
                !ends_so || column.kind == ColumnKind::Time,
                "{}",
                column.key
            );
        }
    }
    assert_eq!(ListOf::parse("task").expect("a word"), ListOf::Flows);
    assert!(ListOf::parse("colours").is_err());
}
