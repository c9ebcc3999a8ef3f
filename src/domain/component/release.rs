//! The rules of a component's version and of its package.json (`runtime.md 1.1, 1.5`).

use std::cmp::Ordering;

use serde_json::Value;

/// The package that makes a folder a component.
pub const SAILOR: &str = "elasticio-sailor-nodejs";

/// A version as semver has it: three numbers and what stands before a release.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Semver {
    numbers: [u64; 3],
    before: Vec<String>,
}

impl Semver {
    /// Reads a version without a leading `v`; what follows a `+` counts for nothing.
    fn parse(text: &str) -> Option<Self> {
        let (text, build) = text.split_once('+').unwrap_or((text, "0"));
        let (core, before) = match text.split_once('-') {
            Some((core, before)) => (core, before.split('.').map(str::to_owned).collect()),
            None => (text, Vec::new()),
        };
        let is_part = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        if !build.split('.').all(is_part) || !before.iter().all(|part: &String| is_part(part)) {
            return None;
        }
        let mut numbers = core.split('.').map(|number| {
            let is_number = number.bytes().all(|digit| digit.is_ascii_digit());
            number.parse::<u64>().ok().filter(|_| is_number)
        });
        let mut next = || numbers.next().flatten();
        let found = [next()?, next()?, next()?];
        numbers.next().is_none().then_some(Self {
            numbers: found,
            before,
        })
    }
}

impl Ord for Semver {
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = self.numbers.cmp(&other.numbers);
        numbers.then_with(|| match (self.before.is_empty(), other.before.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => before(&self.before, &other.before),
        })
    }
}

impl PartialOrd for Semver {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares what stands before a release: numbers as such and under words, more over less.
fn before(one: &[String], other: &[String]) -> Ordering {
    for (one, other) in one.iter().zip(other) {
        let order = match (one.parse::<u64>(), other.parse::<u64>()) {
            (Ok(one), Ok(other)) => one.cmp(&other),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => one.cmp(other),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    one.len().cmp(&other.len())
}

/// Says why a descriptor's version can't follow that of the newest build; `None` where it
/// can. It must be higher, and may be missing only where that one has none.
pub fn version_refusal(descriptor: &Value, previous: Option<&Value>) -> Option<String> {
    let text_of = |descriptor: &Value| {
        let version = descriptor.get("version")?;
        Some(
            version
                .as_str()
                .map_or_else(|| version.to_string(), str::to_owned),
        )
    };
    let before = previous.and_then(text_of);
    let Some(text) = text_of(descriptor) else {
        return before.map(|before| {
            format!("component.json has no version, and the newest build has {before}")
        });
    };
    let Some(version) = Semver::parse(&text) else {
        return Some(format!(
            "component.json has the version {text}: write three numbers, such as 1.0.0"
        ));
    };
    let before = before
        .as_deref()
        .and_then(Semver::parse)
        .zip(before.clone())?;
    (version <= before.0).then(|| {
        format!(
            "component.json has the version {text}, and the newest build has {}: raise it",
            before.1
        )
    })
}

/// Says why a package.json is not that of a component; `None` where it is.
pub fn package_refusal(package: &Value) -> Option<String> {
    let range = package.get("dependencies").and_then(|all| all.get(SAILOR));
    let Some(range) = range.and_then(Value::as_str) else {
        return Some(format!(
            "package.json has no {SAILOR} among its dependencies"
        ));
    };
    let version = range.trim().trim_start_matches('=').trim();
    Semver::parse(version)
        .is_none()
        .then(|| format!("package.json has {SAILOR} {range}: pin one version, such as 2.7.8"))
}

/// Tells whether a package has tests of its own: npm's placeholder is none.
pub fn has_tests(package: &Value) -> bool {
    let script = package.pointer("/scripts/test").and_then(Value::as_str);
    script.is_some_and(|script| {
        !script.trim().is_empty() && !script.contains("Error: no test specified")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn versions_have_an_order() {
        let sorted = [
            "0.9.9",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.1",
            "1.10.0",
            "2.0.0",
        ];
        for pair in sorted.windows(2) {
            let [one, other] = [pair[0], pair[1]].map(|text| Semver::parse(text).unwrap());
            assert!(one < other, "{pair:?}");
        }
        for text in [
            "", "1", "1.0", "v1.0.0", "1.0.0.0", "1.0.x", "1.0.+1", "1.0.0-", "-1.0.0",
        ] {
            assert_eq!(Semver::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_version_must_rise_and_must_not_vanish() {
        let of = |version: &str| json!({ "version": version });
        let none = json!({});
        assert_eq!(version_refusal(&none, None), None);
        assert_eq!(version_refusal(&none, Some(&none)), None);
        assert_eq!(version_refusal(&of("1.0.0"), Some(&none)), None);
        assert_eq!(version_refusal(&of("1.0.1"), Some(&of("1.0.0"))), None);
        for (now, before) in [
            (none.clone(), of("1.0.0")),
            (of("1.0.0"), of("1.0.0")),
            (of("1.0.0+2"), of("1.0.0+1")),
            (of("0.9.0"), of("1.0.0")),
            (of("v2.0.0"), of("1.0.0")),
            (json!({ "version": 2 }), of("1.0.0")),
        ] {
            assert!(
                version_refusal(&now, Some(&before)).is_some(),
                "{now} after {before}"
            );
        }
    }

    #[test]
    fn the_sailor_must_be_pinned() {
        let of = |range: &str| json!({ "dependencies": { SAILOR: range } });
        for range in ["2.7.8", "=2.7.8", "1.3.0"] {
            assert_eq!(package_refusal(&of(range)), None, "{range}");
        }
        for range in ["^2.7.8", "~2.7.8", "*", "latest", "", ">=2.0.0", "2.x"] {
            assert!(package_refusal(&of(range)).is_some(), "{range}");
        }
        assert!(package_refusal(&json!({})).is_some());
    }

    #[test]
    fn the_placeholder_of_npm_is_no_test() {
        let of = |script: &str| json!({ "scripts": { "test": script } });
        assert!(has_tests(&of("mocha spec")));
        assert!(!has_tests(&of(
            "echo \"Error: no test specified\" && exit 1"
        )));
        assert!(!has_tests(&json!({})));
    }
}
