//! Checks the numbers inside a key: what `ssh-key` leaves to its caller.

use p256::elliptic_curve::bigint::modular::runtime_mod::{DynResidue, DynResidueParams};
use p256::elliptic_curve::bigint::{NonZero, U1024, U3072, Uint};
use ssh_key::public::{EcdsaPublicKey, KeyData};

use super::{COMMENT_CHARS_MAX, KeyPolicy, RSA_BITS_MAX, RSA_BITS_MIN, is_hidden};
use crate::domain::ssh_key::{KeyAlgorithm, KeyRefusal};

/// Longest RSA exponent, in bits: OpenSSL refuses a longer one beside a modulus of more
/// than 3072 bits, and its length is what verifying a signature costs.
const RSA_EXPONENT_BITS_MAX: u32 = 64;

/// Primes that no RSA modulus has as a factor: a damaged modulus mostly has one.
const SMALL_PRIMES: [u32; 24] = [
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89,
];

/// Sizes of the DSA prime, in bits: `ssh-keygen` made 1024; other tools went up to the
/// largest of FIPS 186-4.
const DSA_P_BITS: std::ops::RangeInclusive<u32> = 1024..=3072;

/// Size of the DSA group, in bits: the signature form of RFC 4253 6.6 has room for it alone.
const DSA_Q_BITS: u32 = 160;

/// First byte of a curve point in full form, from SEC 1 2.3.3.
const POINT_FULL: u8 = 4;
/// First bytes of a curve point in compressed form.
const POINT_COMPRESSED: [u8; 2] = [2, 3];

/// Decodes `blob`, which was sent under the type `name`, and checks every number in it.
pub(super) fn examine(
    name: &str,
    blob: &[u8],
    policy: KeyPolicy,
) -> Result<(KeyAlgorithm, ssh_key::PublicKey), KeyRefusal> {
    let fields = fields_of(name, blob)?;
    let algorithm = match (name, fields.as_slice()) {
        ("ssh-rsa", [e, n]) => rsa(e, n, policy)?,
        ("ssh-dss", [p, q, g, y]) => dsa(p, q, g, y)?,
        ("ssh-ed25519", [point]) => {
            ed25519(point)?;
            KeyAlgorithm::Ed25519
        }
        ("sk-ssh-ed25519@openssh.com", [point, application]) => {
            ed25519(point)?;
            check_application(application)?;
            KeyAlgorithm::SkEd25519
        }
        ("sk-ecdsa-sha2-nistp256@openssh.com", [curve, point, application]) => {
            check_curve("nistp256", curve, point)?;
            check_application(application)?;
            KeyAlgorithm::SkEcdsaP256
        }
        (_, [curve, point]) => ecdsa(name, curve, point)?,
        _ => return Err(KeyRefusal::Malformed),
    };
    let key = second_opinion(blob)?;
    if !is_on_curve(key.key_data()) {
        return Err(KeyRefusal::PointOffCurve);
    }
    Ok((algorithm, key))
}

/// Lets `ssh-key` decode the same bytes: it has to agree, and to encode them back.
///
/// So one key has one blob and one fingerprint.
fn second_opinion(blob: &[u8]) -> Result<ssh_key::PublicKey, KeyRefusal> {
    let key = ssh_key::PublicKey::from_bytes(blob).map_err(|_| KeyRefusal::Malformed)?;
    match key.to_bytes() {
        Ok(again) if again == blob => Ok(key),
        _ => Err(KeyRefusal::Malformed),
    }
}

/// Takes a blob apart into the fields after its type, which has to be `name`.
fn fields_of<'a>(name: &str, blob: &'a [u8]) -> Result<Vec<&'a [u8]>, KeyRefusal> {
    if !matches!(blob, [0, 0, 0, ..]) {
        return Err(KeyRefusal::BlobForeign);
    }
    let (inner_name, mut rest) = field(blob)?;
    if inner_name != name.as_bytes() {
        return Err(KeyRefusal::TypeMismatch);
    }
    let count = match name {
        "ssh-ed25519" => 1,
        "ssh-dss" => 4,
        "sk-ecdsa-sha2-nistp256@openssh.com" => 3,
        _ => 2,
    };
    let mut fields = Vec::with_capacity(count);
    for _ in 0..count {
        let (value, after) = field(rest)?;
        fields.push(value);
        rest = after;
    }
    if rest.is_empty() {
        Ok(fields)
    } else {
        Err(KeyRefusal::TrailingBytes)
    }
}

/// Splits off one string of RFC 4251 5: a 32-bit length and as many bytes.
fn field(bytes: &[u8]) -> Result<(&[u8], &[u8]), KeyRefusal> {
    let (length, rest) = bytes
        .split_first_chunk::<4>()
        .ok_or(KeyRefusal::Truncated)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    rest.split_at_checked(length).ok_or(KeyRefusal::Truncated)
}

/// Reads a positive `mpint` of RFC 4251 5 and returns its bytes without the sign byte.
fn number(field: &[u8]) -> Result<&[u8], KeyRefusal> {
    match field {
        [] | [0x80..=0xff, ..] => Err(KeyRefusal::NotPositive),
        [0, rest @ ..] if rest.iter().all(|byte| *byte == 0) => Err(KeyRefusal::NotPositive),
        [0, 0x80..=0xff, ..] => Ok(&field[1..]),
        [0, ..] => Err(KeyRefusal::NotShortest),
        _ => Ok(field),
    }
}

/// Counts the bits of a number that `number` returned.
fn bits(number: &[u8]) -> u32 {
    let length = u32::try_from(number.len()).unwrap_or(u32::MAX);
    let unused = number.first().map_or(0, |byte| byte.leading_zeros());
    length.saturating_mul(8).saturating_sub(unused)
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|byte| byte % 2 == 1)
}

fn rsa(e: &[u8], n: &[u8], policy: KeyPolicy) -> Result<KeyAlgorithm, KeyRefusal> {
    let (e, n) = (number(e)?, number(n)?);
    let min_bits = policy.min_rsa_bits.max(RSA_BITS_MIN);
    let bits_of_n = bits(n);
    if bits_of_n > RSA_BITS_MAX {
        return Err(KeyRefusal::RsaTooLong {
            bits: bits_of_n,
            max_bits: RSA_BITS_MAX,
        });
    }
    if bits_of_n < min_bits {
        return Err(KeyRefusal::RsaTooShort {
            bits: bits_of_n,
            min_bits,
        });
    }
    if !is_odd(e) || e == [1] {
        return Err(KeyRefusal::RsaExponent);
    }
    if bits(e) > RSA_EXPONENT_BITS_MAX {
        return Err(KeyRefusal::RsaExponentTooLong {
            max_bits: RSA_EXPONENT_BITS_MAX,
        });
    }
    if SMALL_PRIMES.iter().any(|prime| remainder(n, *prime) == 0) {
        return Err(KeyRefusal::RsaWeakModulus);
    }
    Ok(KeyAlgorithm::Rsa { bits: bits_of_n })
}

fn remainder(number: &[u8], divisor: u32) -> u32 {
    number
        .iter()
        .fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % divisor)
}

fn dsa(p: &[u8], q: &[u8], g: &[u8], y: &[u8]) -> Result<KeyAlgorithm, KeyRefusal> {
    let (p, q, g, y) = (number(p)?, number(q)?, number(g)?, number(y)?);
    let bits_of_p = bits(p);
    if !DSA_P_BITS.contains(&bits_of_p) || bits(q) != DSA_Q_BITS {
        return Err(KeyRefusal::DsaSize);
    }
    // Arithmetic on 3072 bits is nine times as slow, and few keys need it.
    let is_group = if bits_of_p <= 1024 {
        is_dsa_group::<{ U1024::LIMBS }>
    } else {
        is_dsa_group::<{ U3072::LIMBS }>
    };
    if !is_odd(p) || !is_odd(q) || !is_group(p, q, &[g, y]) {
        return Err(KeyRefusal::DsaNumbers);
    }
    Ok(KeyAlgorithm::Dsa { bits: bits_of_p })
}

/// Tells whether `q` divides `p - 1` and each member lies in the subgroup of order `q`,
/// outside 1: FIPS 186-4 A.2.2 for the base, SP 800-56A 5.6.2.3.1 for the key.
///
/// `p` has to be odd.
fn is_dsa_group<const LIMBS: usize>(p: &[u8], q: &[u8], members: &[&[u8]]) -> bool {
    let (Some(p), Some(q)) = (wide::<LIMBS>(p), wide::<LIMBS>(q)) else {
        return false;
    };
    let Some(divisor) = Option::<NonZero<Uint<LIMBS>>>::from(NonZero::new(q)) else {
        return false;
    };
    if p.wrapping_sub(&Uint::ONE).rem(&divisor) != Uint::ZERO {
        return false;
    }
    let params = DynResidueParams::new(&p);
    let q_bits = usize::try_from(DSA_Q_BITS).unwrap_or(Uint::<LIMBS>::BITS);
    members.iter().all(|member| {
        wide(member).is_some_and(|member| {
            let power = || DynResidue::new(&member, params).pow_bounded_exp(&q, q_bits);
            member > Uint::ONE && member < p && power().retrieve() == Uint::ONE
        })
    })
}

/// Reads a number that has at most `LIMBS` limbs.
fn wide<const LIMBS: usize>(number: &[u8]) -> Option<Uint<LIMBS>> {
    let mut padded = vec![0; Uint::<LIMBS>::BYTES];
    let start = padded.len().checked_sub(number.len())?;
    padded[start..].copy_from_slice(number);
    Some(Uint::from_be_slice(&padded))
}

fn ecdsa(name: &str, curve: &[u8], point: &[u8]) -> Result<KeyAlgorithm, KeyRefusal> {
    let algorithm = match name {
        "ecdsa-sha2-nistp256" => KeyAlgorithm::EcdsaP256,
        "ecdsa-sha2-nistp384" => KeyAlgorithm::EcdsaP384,
        "ecdsa-sha2-nistp521" => KeyAlgorithm::EcdsaP521,
        _ => return Err(KeyRefusal::Malformed),
    };
    let expected = name.trim_start_matches("ecdsa-sha2-");
    check_curve(expected, curve, point)?;
    Ok(algorithm)
}

fn check_curve(expected: &str, curve: &[u8], point: &[u8]) -> Result<(), KeyRefusal> {
    if curve != expected.as_bytes() {
        return Err(KeyRefusal::CurveMismatch);
    }
    match point.first() {
        Some(&POINT_FULL) => Ok(()),
        Some(first) if POINT_COMPRESSED.contains(first) => Err(KeyRefusal::PointCompressed),
        _ => Err(KeyRefusal::Malformed),
    }
}

/// Tells whether an ECDSA key is a point of its curve; other keys have no such point.
fn is_on_curve(key: &KeyData) -> bool {
    match key {
        KeyData::Ecdsa(EcdsaPublicKey::NistP256(point)) => {
            p256::PublicKey::from_sec1_bytes(point.as_bytes()).is_ok()
        }
        KeyData::Ecdsa(EcdsaPublicKey::NistP384(point)) => {
            p384::PublicKey::from_sec1_bytes(point.as_bytes()).is_ok()
        }
        KeyData::Ecdsa(EcdsaPublicKey::NistP521(point)) => {
            p521::PublicKey::from_sec1_bytes(point.as_bytes()).is_ok()
        }
        KeyData::SkEcdsaSha2NistP256(key) => {
            p256::PublicKey::from_sec1_bytes(key.ec_point().as_bytes()).is_ok()
        }
        _ => true,
    }
}

fn ed25519(point: &[u8]) -> Result<(), KeyRefusal> {
    let point: &[u8; 32] = point.try_into().map_err(|_| KeyRefusal::Ed25519Length)?;
    if is_unreduced(point) {
        return Err(KeyRefusal::Ed25519OffCurve);
    }
    let key =
        ed25519_dalek::VerifyingKey::from_bytes(point).map_err(|_| KeyRefusal::Ed25519OffCurve)?;
    if key.is_weak() {
        return Err(KeyRefusal::Ed25519Weak);
    }
    Ok(())
}

/// Tells whether the coordinate is 2^255 - 19 or more, a second spelling of a small one
/// that the decoder would let pass.
fn is_unreduced(point: &[u8; 32]) -> bool {
    let [lowest, middle @ .., highest] = point;
    *lowest >= 0xed && middle.iter().all(|byte| *byte == 0xff) && highest & 0x7f == 0x7f
}

/// Checks a security key's application, `ssh:` and a name of the owner's choice.
fn check_application(application: &[u8]) -> Result<(), KeyRefusal> {
    let accepted = std::str::from_utf8(application).is_ok_and(|text| {
        (1..=COMMENT_CHARS_MAX).contains(&text.chars().count()) && !text.contains(is_hidden)
    });
    if accepted {
        Ok(())
    } else {
        Err(KeyRefusal::SkApplication)
    }
}
