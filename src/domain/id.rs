//! Ids: 24 lower-case hex digits, time first, a newtype a resource.
//!
//! The first eight digits are the seconds since 1970, as in an `ObjectId`, so ids
//! sort by the time of their making and lists can page by them (`v1.md 1.1`).

use std::fmt;
use std::str::FromStr;

/// The digits of an id.
pub const ID_DIGITS: usize = 24;

/// The reason why a text is not an id. The API answers it with 404 (`v1.md 1.1`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id has 24 lower-case hex digits")
    }
}

impl std::error::Error for NotAnId {}

/// Twelve bytes: four of seconds, five of the maker, three of a counter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RawId([u8; ID_DIGITS / 2]);

impl RawId {
    /// Builds an id from the seconds since 1970 and eight bytes that make it unique.
    pub fn from_parts(seconds: u32, unique: [u8; 8]) -> Self {
        let mut bytes = [0; ID_DIGITS / 2];
        bytes[..4].copy_from_slice(&seconds.to_be_bytes());
        bytes[4..].copy_from_slice(&unique);
        Self(bytes)
    }
}

impl FromStr for RawId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let digits = text.as_bytes();
        if digits.len() != ID_DIGITS {
            return Err(NotAnId);
        }
        let mut bytes = [0; ID_DIGITS / 2];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

/// Returns the value of one lower-case hex digit.
fn nibble(digit: u8) -> Result<u8, NotAnId> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(NotAnId),
    }
}

impl fmt::Display for RawId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; ID_DIGITS];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        f.pad(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for RawId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(RawId);

        impl $name {
            /// Wraps an id that is known to belong to this resource.
            pub fn new(raw: RawId) -> Self {
                Self(raw)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl From<RawId> for $name {
            fn from(raw: RawId) -> Self {
                Self(raw)
            }
        }
    )*};
}

ids! {
    /// The id of a user.
    UserId,
    /// The id of an API key, which is not the key.
    ApiKeyId,
    /// The id of a developer team.
    TeamId,
    /// The id of a repository and of the component built from it: they are one (`v2.md 1`).
    ComponentId,
    /// The id of an SSH public key.
    SshKeyId,
    /// The id of a credential, which v1 calls an account.
    CredentialId,
    /// The id of a flow, which v1 calls a task.
    FlowId,
    /// The id of a file in the object storage.
    ObjectId,
    /// The id of a run of a flow, which v2 calls a flow execution.
    ExecutionId,
    /// The id of an organization, which later documents call a workspace.
    OrganizationId,
    /// The id of an invite to an organization.
    InviteId,
    /// The id of a lookup table.
    LookupId,
    /// The id of a call of a component outside of flows.
    ScheduledExecutionId,
    /// The id of a data sample.
    DataSampleId,
}
