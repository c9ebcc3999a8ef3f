//! Which route a method and a path lead to.
//!
//! Routes are data of any type; the router knows nothing of it. One trie node a segment, so a look-up
//! costs as many map look-ups as the path has segments, however many routes there are.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use super::head::is_token;
use super::target::Path;

/// Why routes can't be built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouteError {
    /// Two routes have the same method and patterns of the same shape.
    Duplicate {
        /// The method.
        method: String,
        /// The pattern that came second.
        pattern: String,
    },
    /// The pattern is no path of literals, `{name}` and, at its end, `{*name}`.
    Pattern(String),
    /// The method is no token.
    Method(String),
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate { method, pattern } => {
                write!(f, "the route {method} {pattern} is there already")
            }
            Self::Pattern(pattern) => write!(f, "{pattern:?} is no pattern of a path"),
            Self::Method(method) => write!(f, "{method:?} is no method"),
        }
    }
}

impl std::error::Error for RouteError {}

#[derive(Debug, Default)]
struct Node {
    literals: HashMap<String, Node>,
    param: Option<Box<Node>>,
    /// Routes that end here, by method.
    ends: Vec<(String, usize)>,
    /// Routes that take this segment and all that follow.
    tails: Vec<(String, usize)>,
}

#[derive(Debug)]
struct Route<R> {
    method: String,
    pattern: String,
    params: Vec<String>,
    data: R,
}

/// Routes, ready to be looked up.
#[derive(Debug)]
pub struct Router<R> {
    routes: Vec<Route<R>>,
    root: Node,
}

/// What a look-up found.
#[derive(Debug)]
pub enum Match<'r, R> {
    /// A route.
    Found {
        /// The route's data.
        route: &'r R,
        /// What stands in the places of the pattern's parameters.
        params: Params<'r>,
    },
    /// The path is known, but not with this method.
    MethodNotAllowed {
        /// The value for `Allow`: sorted, with HEAD wherever GET is.
        allow: String,
    },
    /// The path is unknown.
    NotFound,
}

/// The parameters of a found route: decoded segments by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params<'r>(Vec<(&'r str, String)>);

impl<'r> Params<'r> {
    /// Returns a parameter's value.
    ///
    /// That of `{*name}` is the rest of the path, its segments joined by slashes; it may be empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(other, _)| *other == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Iterates over names and values in the pattern's order.
    pub fn iter(&self) -> impl Iterator<Item = (&'r str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

/// One piece of a pattern.
enum Piece<'p> {
    Literal(&'p str),
    Param(&'p str),
    Tail(&'p str),
}

fn pieces(pattern: &str) -> Option<Vec<Piece<'_>>> {
    let inner = pattern.strip_prefix('/')?;
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    if inner.is_empty() && pattern == "/" {
        return Some(Vec::new());
    }
    let segments: Vec<&str> = inner.split('/').collect();
    let mut found = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        let inside = segment
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        found.push(match inside {
            Some(name) => match name.strip_prefix('*') {
                Some(tail) if is_name(tail) && index + 1 == segments.len() => Piece::Tail(tail),
                None if is_name(name) => Piece::Param(name),
                _ => return None,
            },
            None if !segment.is_empty() && !segment.contains(['{', '}', '%']) => {
                Piece::Literal(segment)
            }
            None => return None,
        });
    }
    Some(found)
}

impl<R> Router<R> {
    /// Builds a router from methods, patterns and data.
    ///
    /// A pattern is `/v1/repos/{repo_id}/env`; `{*rest}` at its end takes everything that follows.
    /// A final slash means nothing, in patterns and in paths. A literal wins over a parameter, and
    /// a parameter over a rest. HEAD is answered by GET unless it has a route of its own.
    ///
    /// # Errors
    ///
    /// Returns an error for a malformed method or pattern, and for two routes of the same method
    /// and shape, whatever their parameters are called.
    pub fn new<M, P>(routes: impl IntoIterator<Item = (M, P, R)>) -> Result<Self, RouteError>
    where
        M: Into<String>,
        P: Into<String>,
    {
        let mut built = Self {
            routes: Vec::new(),
            root: Node::default(),
        };
        for (method, pattern, data) in routes {
            built.add(method.into(), pattern.into(), data)?;
        }
        Ok(built)
    }

    fn add(&mut self, method: String, pattern: String, data: R) -> Result<(), RouteError> {
        if method.is_empty() || !method.bytes().all(is_token) {
            return Err(RouteError::Method(method));
        }
        let Some(pieces) = pieces(&pattern) else {
            return Err(RouteError::Pattern(pattern));
        };
        let mut params: Vec<String> = Vec::new();
        let mut node = &mut self.root;
        let mut is_tail = false;
        for piece in &pieces {
            let name = match piece {
                Piece::Literal(text) => {
                    node = node.literals.entry((*text).to_owned()).or_default();
                    continue;
                }
                Piece::Param(name) => {
                    node = node.param.get_or_insert_default();
                    name
                }
                Piece::Tail(name) => {
                    is_tail = true;
                    name
                }
            };
            if params.iter().any(|other| other == name) {
                return Err(RouteError::Pattern(pattern));
            }
            params.push((*name).to_owned());
        }
        let ends = if is_tail {
            &mut node.tails
        } else {
            &mut node.ends
        };
        if ends.iter().any(|(other, _)| *other == method) {
            return Err(RouteError::Duplicate { method, pattern });
        }
        ends.push((method.clone(), self.routes.len()));
        self.routes.push(Route {
            method,
            pattern,
            params,
            data,
        });
        Ok(())
    }

    /// Looks a request up.
    ///
    /// Where a literal path exists with any method, a parameter in its place is not tried for
    /// others: `DELETE /users/me` is not `DELETE /users/{id}`.
    #[must_use]
    pub fn find(&self, method: &str, path: &Path) -> Match<'_, R> {
        let mut taken = Vec::new();
        let Some(ends) = walk(&self.root, path, 0, &mut taken) else {
            return Match::NotFound;
        };
        let by = |method: &str| ends.iter().find(|(other, _)| other == method);
        let found = by(method).or_else(|| by("GET").filter(|_| method == "HEAD"));
        let Some(&(_, index)) = found else {
            return Match::MethodNotAllowed { allow: allow(ends) };
        };
        let route = &self.routes[index];
        let mut params = Vec::with_capacity(route.params.len());
        for (position, name) in route.params.iter().enumerate() {
            let value = match taken.get(position) {
                Some(Taken::One(at)) => path.segment(*at).unwrap_or("").to_owned(),
                Some(Taken::From(at)) => path.segments().skip(*at).collect::<Vec<_>>().join("/"),
                None => String::new(),
            };
            params.push((name.as_str(), value));
        }
        Match::Found {
            route: &route.data,
            params: Params(params),
        }
    }

    /// Iterates over all routes in the order of their addition: method, pattern and data.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &str, &R)> {
        self.routes
            .iter()
            .map(|route| (route.method.as_str(), route.pattern.as_str(), &route.data))
    }
}

/// Which segments of a path a parameter takes.
enum Taken {
    One(usize),
    From(usize),
}

/// Finds the most literal node that ends the path. Its depth is that of the patterns, not of the path.
fn walk<'n>(
    node: &'n Node,
    path: &Path,
    at: usize,
    taken: &mut Vec<Taken>,
) -> Option<&'n [(String, usize)]> {
    let Some(segment) = path.segment(at) else {
        if !node.ends.is_empty() {
            return Some(&node.ends);
        }
        return tail(node, at, taken);
    };
    if let Some(next) = node.literals.get(segment)
        && let Some(ends) = walk(next, path, at + 1, taken)
    {
        return Some(ends);
    }
    // An empty segment is no value: `/users//x` names nobody.
    if let Some(next) = &node.param
        && !segment.is_empty()
    {
        taken.push(Taken::One(at));
        if let Some(ends) = walk(next, path, at + 1, taken) {
            return Some(ends);
        }
        taken.pop();
    }
    tail(node, at, taken)
}

fn tail<'n>(node: &'n Node, at: usize, taken: &mut Vec<Taken>) -> Option<&'n [(String, usize)]> {
    if node.tails.is_empty() {
        return None;
    }
    taken.push(Taken::From(at));
    Some(&node.tails)
}

fn allow(ends: &[(String, usize)]) -> String {
    let mut methods: BTreeSet<&str> = ends.iter().map(|(method, _)| method.as_str()).collect();
    if methods.contains("GET") {
        methods.insert("HEAD");
    }
    methods.into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router() -> Router<u8> {
        Router::new([
            ("GET", "/", 0),
            ("GET", "/users/{user_id}", 1),
            ("DELETE", "/users/{id}/", 2),
            ("GET", "/users/me", 3),
            ("GET", "/users/{user_id}/keys/{key_id}", 4),
            ("GET", "/users/me/mail", 5),
            ("POST", "/hook/{flow}/{*rest}", 6),
            ("GET", "/hook/{flow}/log", 7),
        ])
        .unwrap()
    }

    fn look(method: &str, path: &str) -> String {
        let router = router();
        match router.find(method, &Path::parse(path).unwrap()) {
            Match::Found { route, params } => {
                let params: Vec<String> = params
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                format!("{route} {}", params.join(" "))
            }
            Match::MethodNotAllowed { allow } => format!("405 {allow}"),
            Match::NotFound => "404".to_owned(),
        }
    }

    #[test]
    fn literals_win_and_both_slash_forms_match() {
        for (method, path, expected) in [
            ("GET", "/", "0 "),
            ("GET", "/users/7", "1 user_id=7"),
            ("HEAD", "/users/7/", "1 user_id=7"),
            ("DELETE", "/users/7", "2 id=7"),
            ("GET", "/users/me/", "3 "),
            ("GET", "/users/me/mail", "5 "),
            ("GET", "/users/me/keys/a%2Fb", "4 user_id=me key_id=a/b"),
            ("POST", "/hook/f/a/b%20c/", "6 flow=f rest=a/b c"),
            ("POST", "/hook/f", "6 flow=f rest="),
            ("GET", "/hook/f/log", "7 flow=f"),
            ("POST", "/hook/f/log/x", "6 flow=f rest=log/x"),
            ("PUT", "/users/7", "405 DELETE, GET, HEAD"),
            ("DELETE", "/users/me", "405 GET, HEAD"),
            ("get", "/users/me", "405 GET, HEAD"),
            ("GET", "/users", "404"),
            ("GET", "/users//", "404"),
            ("GET", "/users/7//", "404"),
            ("GET", "//users/7", "404"),
            ("GET", "/users/7/keys", "404"),
            ("GET", "/users%2F7", "404"),
        ] {
            assert_eq!(look(method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn bad_routes_are_refused() {
        let build = |routes: &[(&str, &str)]| {
            Router::new(
                routes
                    .iter()
                    .map(|&(method, pattern)| (method, pattern, ())),
            )
            .map(|_| ())
        };
        assert!(matches!(
            build(&[("GET", "/a/{b}"), ("GET", "/a/{c}/")]),
            Err(RouteError::Duplicate { .. })
        ));
        assert_eq!(
            build(&[("GET", "/a/{b}"), ("PUT", "/a/{c}"), ("GET", "/a/b")]),
            Ok(())
        );
        assert!(matches!(
            build(&[("G T", "/a")]),
            Err(RouteError::Method(_))
        ));
        for pattern in [
            "", "a", "//", "/a//b", "/{}", "/{a", "/a}b", "/{a}{b}", "/{*a}/b", "/{a}/{a}",
            "/{a-b}", "/%41",
        ] {
            assert!(
                matches!(build(&[("GET", pattern)]), Err(RouteError::Pattern(_))),
                "{pattern}"
            );
        }
    }

    #[test]
    fn all_routes_can_be_listed() {
        let router = router();
        assert_eq!(router.routes().count(), 8);
        assert_eq!(router.routes().nth(2), Some(("DELETE", "/users/{id}/", &2)));
    }
}
