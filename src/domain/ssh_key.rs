//! SSH public keys: what a user registers so that git knows who is pushing.
//!
//! The types here are plain facts about a key that was accepted. Reading the text,
//! checking its numbers and computing its fingerprints is `app::ssh_key_policy`.

mod record;
mod refusal;

use std::fmt;

pub use record::SshKey;
pub use refusal::KeyRefusal;

/// The kind of a public key, with its size where a kind has several.
///
/// A closed set: a kind that is not here is refused on entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyAlgorithm {
    /// RSA with a modulus of `bits` bits.
    Rsa {
        /// Length of the modulus.
        bits: u32,
    },
    /// DSA with a prime of `bits` bits; v1 documents it, so it is accepted, as weak.
    Dsa {
        /// Length of the prime `p`.
        bits: u32,
    },
    /// ECDSA on the curve NIST P-256.
    EcdsaP256,
    /// ECDSA on the curve NIST P-384.
    EcdsaP384,
    /// ECDSA on the curve NIST P-521.
    EcdsaP521,
    /// Ed25519.
    Ed25519,
    /// Ed25519 in a FIDO security key.
    SkEd25519,
    /// ECDSA on P-256 in a FIDO security key.
    SkEcdsaP256,
}

impl KeyAlgorithm {
    /// Lists the type names of every accepted kind, as they stand in front of a key.
    pub const NAMES: [&'static str; 8] = [
        "ssh-ed25519",
        "ssh-rsa",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
        "ssh-dss",
    ];

    /// Returns the type name that SSH uses for this kind.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rsa { .. } => "ssh-rsa",
            Self::Dsa { .. } => "ssh-dss",
            Self::EcdsaP256 => "ecdsa-sha2-nistp256",
            Self::EcdsaP384 => "ecdsa-sha2-nistp384",
            Self::EcdsaP521 => "ecdsa-sha2-nistp521",
            Self::Ed25519 => "ssh-ed25519",
            Self::SkEd25519 => "sk-ssh-ed25519@openssh.com",
            Self::SkEcdsaP256 => "sk-ecdsa-sha2-nistp256@openssh.com",
        }
    }

    /// Finds the kind by its type name and size, as a stored row has them.
    ///
    /// None for a name that is not in [`KeyAlgorithm::NAMES`]. `bits` counts for RSA
    /// and DSA alone.
    pub fn of_name(name: &str, bits: u32) -> Option<Self> {
        [
            Self::Ed25519,
            Self::Rsa { bits },
            Self::EcdsaP256,
            Self::EcdsaP384,
            Self::EcdsaP521,
            Self::SkEd25519,
            Self::SkEcdsaP256,
            Self::Dsa { bits },
        ]
        .into_iter()
        .find(|algorithm| algorithm.name() == name)
    }

    /// Returns the size in bits, the first figure that `ssh-keygen -lf` prints.
    pub fn bits(self) -> u32 {
        match self {
            Self::Rsa { bits } | Self::Dsa { bits } => bits,
            Self::EcdsaP384 => 384,
            Self::EcdsaP521 => 521,
            Self::EcdsaP256 | Self::Ed25519 | Self::SkEd25519 | Self::SkEcdsaP256 => 256,
        }
    }

    /// Tells whether a person should be advised to replace a key of this kind.
    ///
    /// True for DSA alone: its signatures use SHA-1 and 160-bit numbers, and current
    /// OpenSSH refuses them. RSA of 2048 to 3071 bits is not weak: it is shorter than
    /// `ssh-keygen` makes today, but no advice of ours would be more than taste. RSA
    /// under the policy's minimum never becomes a [`PublicKey`].
    pub fn is_weak(self) -> bool {
        matches!(self, Self::Dsa { .. })
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A public key that passed the policy, in the one form that is stored and shown.
///
/// It is made from the decoded key, never from the text that a person sent, so equal
/// keys have equal lines but for the comment. It holds nothing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// The kind and size.
    pub algorithm: KeyAlgorithm,
    /// The canonical line, `type base64` or `type base64 comment`, without a line end.
    ///
    /// It has no control characters, so it can stand in an `authorized_keys` file.
    pub line: String,
    /// The comment, possibly empty, at most 255 characters.
    pub comment: String,
    /// SHA-256 of the key's blob: what makes a key unique on the installation.
    pub blob_sha256: [u8; 32],
    /// `SHA256:` and unpadded base64, what `ssh-keygen -lf` prints (v1.md 2.3).
    pub fingerprint: String,
    /// MD5 of the blob as 16 hex bytes between colons, for older clients (v1.md 2.3).
    ///
    /// Only a name for people: uniqueness and access go by `blob_sha256`.
    pub fingerprint_md5: String,
}
