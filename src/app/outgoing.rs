//! The one client for requests that leave: the callback of a registration, and
//! later the HTTP steps of flows.
//!
//! Others choose where it goes, so it must not become their way into the network
//! behind this machine. A name is looked up once, private addresses are struck
//! out, and only what is left is connected to (`reliability.md 3.3`).

mod request;

use std::fmt;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use ureq::http::{Response, StatusCode, Uri, header};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body, config::Config};
use zeroize::Zeroizing;

pub use request::{
    DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS, SendError, SendFault, StepRequest, StepResponse,
};

use crate::clock::monotonic_ms;
use crate::domain::error::{Error, Kind, Result};

/// The time for everything: lookup, all hops, the answer. A v1 client itself gives
/// up after 15 s (`v1.md 1.5`).
const TOTAL_MS: u64 = 10_000;

/// The most of an answer that is read, so that an endless one ends.
pub const MAX_RESPONSE_BYTES: u64 = 10 * 1024 * 1024;

/// Twice what common servers send; ureq's own limit is four times as much.
const MAX_RESPONSE_HEAD_BYTES: usize = 16 * 1024;

/// The most redirects that are followed; an honest target needs one or two.
const MAX_REDIRECTS: usize = 5;

/// The longest URL that is taken: the length that every client and server bears.
const MAX_URL_BYTES: usize = 2048;

/// The longest URL of a step: queries that expressions build are longer than links, and
/// common servers take heads of this size.
pub const MAX_STEP_URL_BYTES: usize = 16 * 1024;

/// The longest name in DNS.
const MAX_HOST_BYTES: usize = 253;

/// The networks of IPv4 that are nobody's public server, with their prefix lengths
/// (IANA's special-purpose registry).
const PRIVATE_V4: [([u8; 4], u32); 15] = [
    ([0, 0, 0, 0], 8),       // this network; 0.0.0.0 connects to this machine
    ([10, 0, 0, 0], 8),      // private
    ([100, 64, 0, 0], 10),   // shared by carriers; some clouds' metadata
    ([127, 0, 0, 0], 8),     // loopback
    ([169, 254, 0, 0], 16),  // link-local; clouds' metadata
    ([172, 16, 0, 0], 12),   // private
    ([192, 0, 0, 0], 24),    // protocol assignments
    ([192, 0, 2, 0], 24),    // documentation
    ([192, 88, 99, 0], 24),  // relays of 6to4
    ([192, 168, 0, 0], 16),  // private
    ([198, 18, 0, 0], 15),   // benchmarks
    ([198, 51, 100, 0], 24), // documentation
    ([203, 0, 113, 0], 24),  // documentation
    ([224, 0, 0, 0], 4),     // multicast
    ([240, 0, 0, 0], 4),     // reserved, and broadcast
];

/// The networks within IPv6's public range (`2000::/3`) that are not public servers.
/// Everything outside of that range is refused without a list: `::`, `::1`, `::/96`,
/// `fc00::/7`, `fe80::/10`, multicast and all that is not assigned yet.
const PRIVATE_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // Teredo, benchmarks and other protocols
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4: holds any IPv4 address
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// The well-known prefix of NAT64 (RFC 6052), which holds an IPv4 address.
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// Tells whether an address is one of the public internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => {
            if let Some(v4) = v6.to_ipv4_mapped() {
                return is_public_v4(v4);
            }
            let [.., a, b, c, d] = v6.octets();
            if is_within_v6(v6, NAT64) {
                return is_public_v4(Ipv4Addr::new(a, b, c, d));
            }
            let global = v6.segments()[0] & 0xe000 == 0x2000;
            global && !PRIVATE_V6.iter().any(|net| is_within_v6(v6, *net))
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within = |(net, bits): &([u8; 4], u32)| {
        (address.to_bits() ^ u32::from_be_bytes(*net)) >> (32 - bits) == 0
    };
    !PRIVATE_V4.iter().any(within)
}

fn is_within_v6(address: Ipv6Addr, (net, bits): (Ipv6Addr, u32)) -> bool {
    (address.to_bits() ^ net.to_bits()) >> (128 - bits) == 0
}

/// A URL that a request may be sent to, as far as its text tells.
#[derive(Clone, PartialEq, Eq)]
pub struct TargetUrl {
    uri: Uri,
    host: Host,
}

/// The host of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    Name(String),
}

impl TargetUrl {
    /// Reads the value of `field`: an http or https URL with a host and no user.
    ///
    /// An IPv4 address may be written in any way that the system would understand
    /// (`0x7f.1`, `2130706433`, `0177.0.0.1`); it becomes the address that it is.
    /// Unless `allow_private` is set, an address that is not public and the name
    /// `localhost` are refused. Other names may lead anywhere by the time they are
    /// used, so what they lead to is checked then, by [`Outgoing`].
    pub fn parse(field: &str, text: &str, allow_private: bool) -> Result<Self> {
        let target = Self::read(text).map_err(|fault| Error::invalid(field, fault))?;
        target.guarded(field, allow_private)
    }

    /// Refuses what leads to this machine or its network, as far as the text tells.
    fn guarded(self, field: &str, allow_private: bool) -> Result<Self> {
        let private = match &self.host {
            Host::Address(address) => !is_public(*address),
            Host::Name(name) => is_local_name(name),
        };
        if private && !allow_private {
            return Err(Error::invalid(
                field,
                "must not lead to a private or local address",
            ));
        }
        Ok(self)
    }

    /// Reads a URL as steps make them, of at most [`MAX_STEP_URL_BYTES`].
    ///
    /// Behind the host, what a URL can't hold is percent-encoded, as other clients do it:
    /// expressions put texts together and encode nothing. Private addresses are refused
    /// as [`TargetUrl::parse`] does it.
    pub fn of_step(field: &str, text: &str, allow_private: bool) -> Result<Self> {
        if text.len() > MAX_STEP_URL_BYTES {
            let message = format!("must be at most {MAX_STEP_URL_BYTES} bytes long");
            return Err(Error::invalid(field, message));
        }
        let encoded = encoded(text.trim());
        let target = Self::read_any(&encoded).map_err(|fault| Error::invalid(field, fault))?;
        target.guarded(field, allow_private)
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        if text.len() > MAX_URL_BYTES {
            return Err("must be at most 2048 bytes long");
        }
        Self::read_any(text)
    }

    fn read_any(text: &str) -> Result<Self, &'static str> {
        if !text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        {
            return Err("must be a URL in ASCII, with other characters percent-encoded");
        }
        let uri: Uri = text.parse().map_err(|_| "must be a URL")?;
        let scheme = uri.scheme_str().unwrap_or_default();
        let (Some(authority), "http" | "https") = (uri.authority(), scheme) else {
            return Err("must be a URL that begins with http:// or https://");
        };
        if authority.as_str().contains('@') {
            return Err("must not hold a user name or password");
        }
        let (name, port) = split_port(authority.as_str())?;
        let host = Host::parse(name)?;
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let uri = format!("{scheme}://{host}{port}{path}");
        let uri = uri.parse().map_err(|_| "must be a URL")?;
        Ok(Self { uri, host })
    }

    /// Returns the URL as text, for the database; it may hold a token of its owner.
    pub fn as_text(&self) -> String {
        self.uri.to_string()
    }

    /// Returns where a `Location` of this target's answer leads.
    fn redirected(&self, location: &str) -> Result<Self, &'static str> {
        let scheme = self.uri.scheme_str().unwrap_or_default();
        let authority = self
            .uri
            .authority()
            .map_or("", |authority| authority.as_str());
        let has_scheme = location
            .split_once("://")
            .is_some_and(|(before, _)| !before.contains(['/', '?', '#']));
        let absolute = if has_scheme {
            location.to_owned()
        } else if location.starts_with("//") {
            format!("{scheme}:{location}")
        } else if location.starts_with('/') {
            format!("{scheme}://{authority}{location}")
        } else {
            let path = self.uri.path();
            let directory = path.rfind('/').map_or("/", |end| &path[..=end]);
            format!("{scheme}://{authority}{directory}{location}")
        };
        if absolute.len() > MAX_STEP_URL_BYTES {
            return Err("is too long");
        }
        let next = Self::read_any(&absolute)?;
        if scheme == "https" && next.uri.scheme_str() != Some("https") {
            return Err("leads from https to http");
        }
        Ok(next)
    }
}

impl fmt::Debug for TargetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TargetUrl({})", self.host)
    }
}

impl Host {
    /// Reads the host of a URL as the system will, so that no notation hides an address.
    fn parse(text: &str) -> Result<Self, &'static str> {
        if let Some(inner) = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            let address = inner
                .parse()
                .map_err(|_| "must have an IPv6 address between [ and ]")?;
            return Ok(Self::Address(IpAddr::V6(address)));
        }
        let name = text.to_ascii_lowercase();
        let labels = name.strip_suffix('.').unwrap_or(&name);
        if labels.is_empty() || labels.len() > MAX_HOST_BYTES {
            return Err("must have a host of 1 to 253 characters");
        }
        let of_a_label = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let good = |label: &str| !label.is_empty() && label.bytes().all(of_a_label);
        if !labels.split('.').all(good) {
            return Err("must have a host of letters, digits, hyphens and dots");
        }
        let last = labels.rsplit('.').next().unwrap_or_default();
        let hex = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        if last.bytes().all(|digit| digit.is_ascii_digit())
            || last.strip_prefix("0x").is_some_and(hex)
        {
            let address =
                any_ipv4(labels).ok_or("must have a host that is a name or an address")?;
            return Ok(Self::Address(IpAddr::V4(address)));
        }
        Ok(Self::Name(name))
    }
}

/// Tells whether a name means this machine on every system (RFC 6761).
fn is_local_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// Percent-encodes what stands behind the host and can't be part of a URL.
fn encoded(text: &str) -> String {
    let host_begins = text.find("://").map_or(0, |at| at + 3);
    let host_length = text[host_begins..].find(['/', '?', '#']);
    let Some(host_length) = host_length else {
        return text.to_owned();
    };
    let (start, rest) = text.split_at(host_begins + host_length);
    let mut whole = start.to_owned();
    for byte in rest.bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte) {
            whole.push(char::from(byte));
        } else {
            // A line break or a tab is a slip of a template; encoded it splits nothing.
            whole.push('%');
            whole.extend(
                [byte >> 4, byte & 15]
                    .map(|digit| char::from(b"0123456789ABCDEF"[usize::from(digit)])),
            );
        }
    }
    whole
}

/// Splits an authority without a user into host and port.
fn split_port(authority: &str) -> Result<(&str, Option<u16>), &'static str> {
    let host_end = match authority.rfind(']') {
        Some(bracket) => bracket + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at(host_end);
    if rest.is_empty() {
        return Ok((host, None));
    }
    let digits = rest.strip_prefix(':').unwrap_or_default();
    let port = digits
        .parse()
        .ok()
        .filter(|port| *port != 0 && !digits.starts_with('+'));
    Ok((host, Some(port.ok_or("must have a port from 1 to 65535")?)))
}

/// Reads an IPv4 address of one to four numbers, each decimal, octal or hex, where
/// the last one fills all bytes that are left: what `inet_aton` understands.
fn any_ipv4(text: &str) -> Option<Ipv4Addr> {
    let numbers = text.split('.').map(number).collect::<Option<Vec<u32>>>()?;
    let (last, bytes) = numbers.split_last()?;
    let left = 4_usize.checked_sub(bytes.len()).filter(|left| *left > 0)?;
    let mut address = 0;
    for byte in bytes {
        address = address << 8 | u32::from(u8::try_from(*byte).ok()?);
    }
    let last_bits = u32::try_from(left).ok()? * 8;
    if last_bits == 32 {
        return Some(Ipv4Addr::from_bits(*last));
    }
    (*last >> last_bits == 0).then(|| Ipv4Addr::from_bits(address << last_bits | last))
}

/// Reads one number of an IPv4 address: `0x` is hex, `0` is octal.
fn number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.strip_prefix("0x") {
        Some("") => return Some(0),
        Some(hex) => (hex, 16),
        None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        None => (text, 10),
    };
    u32::from_str_radix(digits, radix)
        .ok()
        .filter(|_| !digits.starts_with('+'))
}

/// Which addresses may be connected to.
#[derive(Clone, Debug, Default)]
struct AddressRule {
    allow_private: bool,
    allowed: Vec<IpAddr>,
}

impl AddressRule {
    fn allows(&self, address: IpAddr) -> bool {
        self.allow_private || is_public(address) || self.allowed.contains(&address)
    }
}

/// Looks names up and strikes out what the rule forbids. The client connects to
/// what this returns and asks nobody again, so a name can't change its mind in
/// between.
#[derive(Debug)]
struct VettedResolver {
    lookup: DefaultResolver,
    rule: AddressRule,
}

/// The error inside of ureq's when every address of a host is private.
#[derive(Debug, thiserror::Error)]
#[error("the host has private addresses only")]
struct PrivateAddress;

impl Resolver for VettedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.lookup.resolve(uri, config, timeout)?;
        let mut vetted = self.empty();
        for address in found
            .iter()
            .filter(|address| self.rule.allows(address.ip()))
        {
            vetted.push(*address);
        }
        if vetted.is_empty() {
            return Err(ureq::Error::Other(Box::new(PrivateAddress)));
        }
        Ok(vetted)
    }
}

/// Sends requests out, to public addresses unless the settings allow others.
#[derive(Clone, Debug)]
pub struct Outgoing {
    agent: Agent,
    rule: AddressRule,
}

impl Outgoing {
    /// Makes the client; `allow_private` lifts the rule about addresses, for an
    /// installation whose targets are inside its network.
    pub fn new(allow_private: bool) -> Self {
        Self::with_rule(AddressRule {
            allow_private,
            allowed: Vec::new(),
        })
    }

    /// Returns a client that may connect to these addresses as well, and to no
    /// other private ones. Targets are then to be parsed with `allow_private`, since
    /// the connection decides.
    #[must_use]
    pub fn allowing(&self, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        let mut rule = self.rule.clone();
        rule.allowed.extend(addresses);
        Self::with_rule(rule)
    }

    fn with_rule(rule: AddressRule) -> Self {
        let config = Agent::config_builder()
            // A proxy named by the environment would do its own lookup.
            .proxy(None)
            // The client's own way to follow turns a POST into a GET, or fails.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .max_response_header_size(MAX_RESPONSE_HEAD_BYTES)
            // No connection is kept, so each request is vetted.
            .max_idle_connections(0)
            .user_agent(concat!("elastane/", env!("CARGO_PKG_VERSION")))
            .build();
        let resolver = VettedResolver {
            lookup: DefaultResolver::default(),
            rule: rule.clone(),
        };
        Self {
            agent: Agent::with_parts(config, DefaultConnector::default(), resolver),
            rule,
        }
    }

    /// Posts `body` as JSON and returns the status of the answer.
    ///
    /// Redirects 307 and 308 are followed, at most five, with the body. Others would
    /// drop the body, so their status is returned like any other. The answer's body
    /// is read to its end or [`MAX_RESPONSE_BYTES`] and thrown away. No error holds
    /// the body or the URL's path.
    pub fn post_json(&self, url: &TargetUrl, body: &serde_json::Value) -> Result<u16> {
        let body = serde_json::to_vec(body).map_err(Error::internal)?;
        let body = Zeroizing::new(body);
        let deadline_ms = monotonic_ms() + TOTAL_MS;
        let mut target = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let left_ms = deadline_ms.saturating_sub(monotonic_ms());
            if left_ms == 0 {
                return Err(too_slow());
            }
            let answer = self.post_once(&target, &body, Duration::from_millis(left_ms))?;
            let Some(location) = location_of(&answer) else {
                let status = answer.status().as_u16();
                drain(answer);
                return Ok(status);
            };
            target = target.redirected(&location).map_err(bad_redirect)?;
        }
        Err(bad_redirect("is one of too many"))
    }

    fn post_once(&self, target: &TargetUrl, body: &[u8], time: Duration) -> Result<Response<Body>> {
        self.agent
            .post(&target.uri)
            .config()
            .timeout_global(Some(time))
            .build()
            .header(header::CONTENT_TYPE, "application/json")
            .send(body)
            .map_err(told)
    }
}

/// Returns where a redirect that keeps the method and the body leads.
fn location_of(answer: &Response<Body>) -> Option<String> {
    let keeps_body = [
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ];
    let location = answer.headers().get(header::LOCATION)?;
    let location = location.to_str().ok()?;
    keeps_body
        .contains(&answer.status())
        .then(|| location.to_owned())
}

/// Reads the rest of the answer, so that the other side need not see a reset.
fn drain(answer: Response<Body>) {
    let reader = answer.into_body().into_reader();
    // The status has come; what happens to the rest changes nothing.
    let _ = io::copy(&mut reader.take(MAX_RESPONSE_BYTES), &mut io::sink());
}

/// Turns ureq's error into ours; the source, for the log, holds no body.
fn told(error: ureq::Error) -> Error {
    match &error {
        ureq::Error::Other(inner) if inner.is::<PrivateAddress>() => Error::forbidden(
            "the target has a private or local address, which the settings don't allow",
        ),
        ureq::Error::Timeout(_) => too_slow(),
        ureq::Error::HostNotFound => {
            Error::new(Kind::Unavailable, "the target's host is not known")
        }
        _ => Error::new(Kind::Unavailable, "the target can't be reached").caused_by(error),
    }
}

fn too_slow() -> Error {
    Error::new(
        Kind::Unavailable,
        "the target did not answer within 10 seconds",
    )
}

fn bad_redirect(fault: &str) -> Error {
    Error::new(
        Kind::Unavailable,
        format!("the target's redirect can't be followed: it {fault}"),
    )
}
