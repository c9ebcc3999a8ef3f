//! Why a text is not accepted as an SSH public key, one variant a mistake.

/// The reason for refusing a text that was sent as a public key.
///
/// Each message is half a sentence about the field (`key is empty: ...`): what is wrong,
/// then what to do. A refusal holds numbers at most and never a part of the text, since
/// that text may be a private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum KeyRefusal {
    /// Nothing but blanks.
    #[error("is empty: paste the one line of a .pub file, such as ~/.ssh/id_ed25519.pub")]
    Empty,
    /// More bytes than any acceptable key has.
    #[error("is longer than {max_bytes} bytes: paste the one line of a single .pub file")]
    TooLong {
        /// The limit.
        max_bytes: usize,
    },

    // Secrets.
    /// A private key in an armoured file: OpenSSH, PKCS#1, PKCS#8, SEC 1, SSH2, PGP.
    #[error(
        "is a private key, which must never leave its machine: treat it as leaked, remove its \
         public key wherever it is trusted, make a new pair with `ssh-keygen -t ed25519`, and \
         paste the new .pub file"
    )]
    PrivateKey,
    /// The inside of an OpenSSH private key, without its BEGIN and END lines.
    #[error(
        "is the inside of a private key file, which must never leave its machine: treat it as \
         leaked, make a new pair with `ssh-keygen -t ed25519`, and paste the new .pub file"
    )]
    PrivateKeyBody,
    /// A PuTTY .ppk file, which holds both halves.
    #[error(
        "is a PuTTY .ppk file, which holds the private key: treat it as leaked, make a new pair \
         with PuTTYgen, and paste the text of its box \"Public key for pasting\""
    )]
    PuttyPrivateKey,
    /// A JSON Web Key with its private part.
    #[error(
        "is a JSON Web Key with its private part: treat it as leaked, make a new pair with \
         `ssh-keygen -t ed25519`, and paste the new .pub file"
    )]
    PrivateJwk,
    /// Bare base64 of a DER file, which may be either half.
    #[error(
        "is base64 of a PEM file without its BEGIN line: if that file is a private key, treat it \
         as leaked; if it is a public one, convert the file with `ssh-keygen -i -m PKCS8 -f FILE`"
    )]
    BareDer,

    // Other files.
    /// The public form of RFC 4716, which `PuTTYgen` saves and `ssh-keygen -e` prints.
    #[error(
        "is in the SSH2 form of RFC 4716, as PuTTYgen saves it: convert it with \
         `ssh-keygen -i -f FILE`, and paste the line that this prints"
    )]
    Rfc4716,
    /// A PEM file with a `SubjectPublicKeyInfo`.
    #[error(
        "is a PEM public key: convert it with `ssh-keygen -i -m PKCS8 -f FILE`, and paste the \
         line that this prints"
    )]
    PemPublicKey,
    /// A PEM file with a bare RSA key of PKCS#1.
    #[error(
        "is a PEM RSA public key: convert it with `ssh-keygen -i -m PEM -f FILE`, and paste the \
         line that this prints"
    )]
    PemRsaPublicKey,
    /// A PEM file with an X.509 certificate or a request for one.
    #[error(
        "is an X.509 certificate, as web servers use it: an SSH key is needed, made with \
         `ssh-keygen -t ed25519`"
    )]
    X509,
    /// A PGP public key.
    #[error(
        "is a PGP key: print its authentication subkey with `gpg --export-ssh-key KEY-ID`, and \
         paste that line"
    )]
    Pgp,
    /// Any other armoured file: parameters, a signature, a message.
    #[error("is a PEM file without a public key in it: paste the one line of a .pub file")]
    OtherPem,
    /// An OpenSSH certificate instead of a key.
    #[error(
        "is an OpenSSH certificate, a key signed by an authority: paste the plain key, the .pub \
         file without `-cert` in its name"
    )]
    Certificate,
    /// A line of `known_hosts`: a host's key.
    #[error(
        "is a line of known_hosts, which names a server's key: paste your own key, the one line \
         of a .pub file"
    )]
    KnownHosts,
    /// A line of `authorized_keys` with options in front.
    #[error(
        "has options in front, as in authorized_keys, which have no effect here: leave them out \
         and start with the key type"
    )]
    Options,
    /// Other words in front of the key type.
    #[error("has words in front of the key type: leave them out and start with the key type")]
    WordsInFront,
    /// A comment line, alone or before the key.
    #[error("starts with `#`, which marks a comment: paste only the line of the key")]
    CommentLine,
    /// A key of SSH protocol 1: three or four decimal numbers.
    #[error(
        "is a key of SSH protocol 1, which is out of use: make a new pair with \
         `ssh-keygen -t ed25519`"
    )]
    Ssh1,
    /// JSON instead of a line.
    #[error("is JSON: send only the key's line, as one string")]
    Json,
    /// XML or HTML instead of a line.
    #[error("is XML or HTML: paste the one line of a .pub file, as plain text")]
    Markup,
    /// Quotation marks around the key.
    #[error("starts with a quotation mark: paste the key without marks around it")]
    Quoted,
    /// A fingerprint instead of the key.
    #[error(
        "is a fingerprint, from which no key can be made: paste the one line of the .pub file \
         itself"
    )]
    Fingerprint,
    /// A file's name instead of its content.
    #[error("is the name of a file: paste its content, as `cat FILE` prints it")]
    FilePath,
    /// A link instead of a key.
    #[error("is a link: open it, and paste the one line of the key")]
    Url,

    // The line.
    /// A byte order mark in front.
    #[error("starts with a byte order mark: save the file as UTF-8 without one, or leave it out")]
    ByteOrderMark,
    /// A control character, or one that hides or reorders what is shown.
    #[error(
        "has a control character or an invisible one, which the text form of a key cannot have: \
         copy the line again from the .pub file"
    )]
    HiddenCharacter,
    /// More than one key, on several lines or on one.
    #[error("has more than one key: add each key on its own")]
    TwoKeys,
    /// One key over several lines.
    #[error(
        "is broken over several lines: join them to one line, without blanks inside the base64 \
         part"
    )]
    BrokenLine,
    /// A letter or dash outside ASCII in the type or the base64 part.
    #[error(
        "has a character outside ASCII before the comment, such as a long dash from a word \
         processor: copy the line again from the .pub file"
    )]
    NotAscii,
    /// Percent signs or plus signs of a web form.
    #[error("is URL-encoded: send it as plain text inside JSON, with its blanks and signs")]
    UrlEncoded,
    /// Base64 alone.
    #[error(
        "has no key type in front: put it there, for example `ssh-ed25519`, or copy the whole \
         line from the .pub file"
    )]
    TypeMissing,
    /// The type in capital letters.
    #[error("has its key type in capital letters: write it in small letters, such as `ssh-rsa`")]
    TypeCase,
    /// The type and the base64 run together.
    #[error("has no blank between the key type and the base64 part: put one there")]
    BlankMissing,
    /// The name of a signature, such as rsa-sha2-512, as a key type.
    #[error(
        "starts with the name of a signature algorithm instead of a key type: an RSA key starts \
         with `ssh-rsa`, a security key's with `sk-`"
    )]
    SignatureAlgorithm,
    /// A type that no accepted key has.
    #[error(
        "does not start with a known key type: use ssh-ed25519, ecdsa-sha2-nistp256, -nistp384 or \
         -nistp521, ssh-rsa, ssh-dss, or their sk- forms for security keys"
    )]
    UnknownType,
    /// A comment over its limit.
    #[error("has a comment longer than {max_chars} characters: shorten what follows the key")]
    CommentTooLong {
        /// The limit.
        max_chars: usize,
    },

    // The base64 part.
    /// The type and nothing else.
    #[error("ends after the key type: the base64 part is missing, copy the whole line")]
    BlobMissing,
    /// Dots where the middle was.
    #[error("is shortened with dots: copy the whole line from the .pub file")]
    Abbreviated,
    /// The URL alphabet of base64.
    #[error("is in base64url, with `-` and `_`: SSH writes `+` and `/`")]
    Base64Url,
    /// Foreign characters, `=` inside, or an impossible length.
    #[error("has broken base64 after the key type: copy the whole line from the .pub file")]
    Base64Broken,
    /// Base64 of something else.
    #[error(
        "has something else than an SSH key after the key type, since a key begins with `AAAA`: \
         copy the whole line from the .pub file"
    )]
    BlobForeign,
    /// The key ends before its last number.
    #[error(
        "is cut short: copy the whole line, in which the base64 part has no blank and no line \
         break"
    )]
    Truncated,
    /// Bytes after the key's last number.
    #[error("has extra bytes after the key in its base64 part: copy the line again")]
    TrailingBytes,
    /// The type in front is not the one inside.
    #[error(
        "says one key type in front and another inside its base64 part: copy the whole line from \
         one .pub file"
    )]
    TypeMismatch,
    /// The curve in the type is not the one inside.
    #[error("says one curve in its type and another inside: make a new pair with `ssh-keygen`")]
    CurveMismatch,
    /// The key cannot be decoded for another reason.
    #[error("is damaged inside its base64 part: copy the whole line from the .pub file")]
    Malformed,

    // The key's numbers.
    /// Zero or a negative number.
    #[error("has a number in it that is not positive: it is no real key, make a new pair")]
    NotPositive,
    /// A number with needless zero bytes, which would give one key two fingerprints.
    #[error("has a number in it that is not in its shortest form: export the key again")]
    NotShortest,
    /// An RSA modulus under the policy's minimum.
    #[error(
        "is an RSA key of {bits} bits, and at least {min_bits} are needed: make a new pair with \
         `ssh-keygen -t ed25519`"
    )]
    RsaTooShort {
        /// Length of the modulus.
        bits: u32,
        /// The policy's minimum.
        min_bits: u32,
    },
    /// An RSA modulus that would cost too much to use.
    #[error(
        "is an RSA key of {bits} bits, and at most {max_bits} are accepted: make a shorter one"
    )]
    RsaTooLong {
        /// Length of the modulus.
        bits: u32,
        /// The limit.
        max_bits: u32,
    },
    /// An RSA modulus with a small factor, two among them.
    #[error(
        "is an RSA key with a modulus that is easy to factor: it is damaged, or it is no real \
         key; make a new pair"
    )]
    RsaWeakModulus,
    /// An RSA exponent that is even or 1.
    #[error(
        "is an RSA key with a wrong exponent, which must be odd and at least 3: make a new pair"
    )]
    RsaExponent,
    /// An RSA exponent that common implementations refuse.
    #[error("is an RSA key with an exponent over {max_bits} bits: make a new pair")]
    RsaExponentTooLong {
        /// The limit.
        max_bits: u32,
    },
    /// A DSA prime of a size that nobody uses.
    #[error(
        "is a DSA key of unusual size: make a new pair with `ssh-keygen -t ed25519`, since DSA is \
         out of use"
    )]
    DsaSize,
    /// DSA numbers that do not fit together.
    #[error(
        "is a DSA key with numbers that do not fit together: make a new pair with \
         `ssh-keygen -t ed25519`"
    )]
    DsaNumbers,
    /// An ECDSA point in compressed form, which SSH does not use.
    #[error("has a compressed curve point, and SSH uses the full form: export the key again")]
    PointCompressed,
    /// An ECDSA point that is not on its curve.
    #[error("has a point that is not on its curve: it is no real key, make a new pair")]
    PointOffCurve,
    /// An Ed25519 key of another length than 32 bytes.
    #[error("is an Ed25519 key of a wrong length, which must be 32 bytes: copy the line again")]
    Ed25519Length,
    /// An Ed25519 key that is no point of the curve.
    #[error("is an Ed25519 key that is no point of its curve: copy the line again")]
    Ed25519OffCurve,
    /// An Ed25519 key of small order, all zeros among them: anybody can sign for it.
    #[error("is an Ed25519 key for which anybody could sign: it is no real key, make a new pair")]
    Ed25519Weak,
    /// A security key's application name that no tool writes.
    #[error(
        "is a security key with a broken application name: make it again with \
         `ssh-keygen -t ed25519-sk`"
    )]
    SkApplication,
}

impl KeyRefusal {
    /// Tells whether the refused text is, or may be, a secret that is now out.
    ///
    /// The caller then drops the request's body from anything that it keeps.
    pub fn is_leak(self) -> bool {
        matches!(
            self,
            Self::PrivateKey
                | Self::PrivateKeyBody
                | Self::PuttyPrivateKey
                | Self::PrivateJwk
                | Self::BareDer
        )
    }
}
