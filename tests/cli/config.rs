//! Settings: precedence, sources, and mistakes that are named.

use serde_json::Value;

use super::Place;
use elastane::config::SETTINGS;

/// Returns value and source of a setting.
fn setting(place: &Place, variables: &[(&str, &str)], args: &[&str], key: &str) -> (Value, String) {
    let all = [&["config", "show", "--json"], args].concat();
    let shown = place.run_with(&all, variables, "").json();
    let rows = shown.as_array().expect("an array");
    let row = rows.iter().find(|row| row["id"] == key).expect("a setting");
    let source = row["source"].as_str().expect("a text").to_owned();
    (row["value"].clone(), source)
}

#[test]
fn flag_goes_before_variable_before_file_before_default() {
    let place = Place::empty();
    let read = |variables: &[(&str, &str)], args: &[&str]| setting(&place, variables, args, "db");
    assert_eq!(read(&[], &[]), ("elastane.db".into(), "default".into()));
    place.write("settings.toml", "# Ours.\ndb = \"data/file.db\"\n");
    let in_file = [("ELASTANE_CONFIG", "settings.toml")];
    let (value, source) = read(&in_file, &[]);
    assert_eq!(
        (value, source.as_str()),
        ("data/file.db".into(), "file settings.toml line 2")
    );
    let both = [
        ("ELASTANE_CONFIG", "settings.toml"),
        ("ELASTANE_DB", "env.db"),
    ];
    let (value, source) = read(&both, &[]);
    assert_eq!(
        (value, source.as_str()),
        ("env.db".into(), "environment ELASTANE_DB")
    );
    let (value, source) = read(&both, &["--db", "flag.db"]);
    assert_eq!((value, source.as_str()), ("flag.db".into(), "flag --db"));
}

#[test]
fn the_file_beside_the_database_is_read_and_its_paths_begin_there() {
    let place = Place::empty();
    std::fs::create_dir(place.path("data")).expect("a folder");
    place.write(
        "data/elastane.toml",
        "key_file = \"secret/key\"\naudit_days = 1_000\n",
    );
    let at = ["--db", "data/elastane.db"];
    let (value, _) = setting(&place, &[], &at, "key_file");
    assert_eq!(value, "data/secret/key");
    let (value, source) = setting(&place, &[], &at, "audit_days");
    assert_eq!(
        (value, source.as_str()),
        ("1000".into(), "file data/elastane.toml line 2")
    );
    let (value, _) = setting(&place, &[("ELASTANE_AUDIT_DAYS", "")], &at, "audit_days");
    assert_eq!(value, "1000", "an empty variable sets nothing");
}

#[test]
fn an_unknown_key_is_refused_with_what_was_meant() {
    let place = Place::empty();
    place.write("elastane.toml", "\nlistn = \"127.0.0.1:1\"\n");
    let told = place.run(&["config", "show"]).fails(3);
    let error = "error: elastane.toml line 2: unknown setting `listn`: did you mean `listen`?";
    assert!(told.starts_with(error), "{told}");
    place.write("elastane.toml", "zebra = 1\n");
    let told = place.run(&["user", "list"]).fails(3);
    assert!(told.contains("unknown setting `zebra`\n"), "{told}");
}

#[test]
fn an_unknown_variable_is_a_warning_for_containers_set_such() {
    let place = Place::empty();
    let variables = [
        ("ELASTANE_LISTN", "x"),
        ("ELASTANE_SERVICE_HOST", "10.0.0.1"),
    ];
    let (_, told) = place.run_with(&["config", "show"], &variables, "").ends(0);
    assert!(
        told.contains("ELASTANE_LISTN is not known and ignored: did you mean ELASTANE_LISTEN?"),
        "{told}"
    );
    assert!(
        told.contains("ELASTANE_SERVICE_HOST is not known and ignored\n"),
        "{told}"
    );
}

#[test]
fn every_bad_value_names_setting_source_and_rule() {
    let cases = [
        ("LISTEN", "8080", "must be HOST:PORT"),
        ("LISTEN", "example.com:80", "must be HOST:PORT"),
        ("INSECURE", "yes", "must be true or false"),
        ("AUDIT_DAYS", "0", "a whole number from 1 to 36500"),
        ("AUDIT_DAYS", "-1", "a whole number"),
        ("PASSWORD_POLICY", "weak", "must be one of basic, strict"),
        ("REGISTRATION", "nobody", "must be one of anyone, admins"),
        ("MIN_RSA_BITS", "512", "from 1024 to 16384"),
        ("MAX_CONNECTIONS", "1e3", "a whole number"),
        ("MAX_BODY_BYTES", "99999999999", "from 1024"),
        ("TRUSTED_PROXIES", "10.0.0.1,proxy", "IP addresses"),
        ("LOG_FORMAT", "xml", "one of auto, text, json"),
        ("LOG_LEVEL", "loud", "one of error, warn"),
        ("PUBLIC_URL", "api.example.com", "scheme and host"),
        ("PUBLIC_URL", "https://example.com/api", "scheme and host"),
        (
            "ALLOWED_ORIGINS",
            "https://a.example,ftp://b",
            "scheme and host",
        ),
        ("METRICS_TOKEN", "short", "at least 16"),
    ];
    let place = Place::empty();
    for (name, value, rule) in cases {
        let variable = format!("ELASTANE_{name}");
        let told = place
            .run_with(&["config", "show"], &[(&variable, value)], "")
            .fails(3);
        let key = name.to_lowercase();
        assert!(
            told.contains(&format!("`{key}` (environment {variable})")),
            "{told}"
        );
        assert!(told.contains(rule), "{name}={value}: {told}");
    }
}

#[test]
fn a_value_of_the_wrong_form_in_the_file_is_named_with_its_line() {
    let place = Place::empty();
    for (line, rule) in [
        ("insecure = \"true\"", "`insecure` must be true or false"),
        ("audit_days = \"9\"", "`audit_days` must be a whole number"),
        ("listen = 8080", "`listen` must be a text in quotes"),
        (
            "trusted_proxies = \"10.0.0.1\"",
            "`trusted_proxies` must be a list",
        ),
        ("listen = ", "elastane.toml line 1: "),
    ] {
        place.write("elastane.toml", line);
        let told = place.run(&["config", "show"]).fails(3);
        assert!(
            told.contains("elastane.toml line 1: ") && told.contains(rule),
            "{told}"
        );
    }
    place.write("elastane.toml", "trusted_proxies = [\"10.0.0.1\", \"::1\"]");
    let (value, _) = setting(&place, &[], &[], "trusted_proxies");
    assert_eq!(value, "10.0.0.1,::1");
}

#[test]
fn a_secret_is_never_shown() {
    let place = Place::empty();
    let token = "0123456789abcdef-token";
    let variables = [("ELASTANE_METRICS_TOKEN", token)];
    let text = place
        .run_with(&["config", "show"], &variables, "")
        .succeeds();
    assert!(
        text.contains("metrics_token") && !text.contains(token),
        "{text}"
    );
    let bad = [("ELASTANE_METRICS_TOKEN", "secret with blanks")];
    let told = place.run_with(&["config", "show"], &bad, "").fails(3);
    assert!(!told.contains("secret with"), "{told}");
}

#[test]
fn a_named_file_must_be_there() {
    let place = Place::empty();
    let told = place
        .run(&["config", "show", "--config", "gone.toml"])
        .fails(3);
    assert!(told.contains("gone.toml can't be read"), "{told}");
}

#[test]
fn the_reference_has_every_setting() {
    let place = Place::empty();
    let text = place.run(&["config", "reference"]).succeeds();
    for setting in SETTINGS {
        let row = format!("| `{}` | `{}` |", setting.key, setting.variable());
        assert!(text.contains(&row), "{row}");
    }
    assert_eq!(text.lines().count(), SETTINGS.len() + 2);
}
