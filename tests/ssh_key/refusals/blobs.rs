//! Keys whose inside is broken: lengths, types, numbers, points.

use elastane::domain::ssh_key::KeyRefusal::{self, *};

use crate::ssh_key::wire::{self, Blob};
use crate::ssh_key::{DSA, LONG_DSA, samples};

/// Every broken blob with what is wrong with it.
pub(super) fn every_broken_blob() -> Vec<(Blob, KeyRefusal)> {
    let kinds = [
        mixed_up_blobs(),
        rsa_blobs(),
        dsa_blobs(),
        almost_dsa_blobs(),
        point_blobs(),
        ed25519_blobs(),
    ];
    kinds.into_iter().flatten().collect()
}

fn mixed_up_blobs() -> Vec<(Blob, KeyRefusal)> {
    let ed25519 = Blob::of_line(&samples().ed25519);
    let p256 = Blob::of_line(&samples().p256);
    let rsa = Blob::of_line(&samples().rsa);
    let p256_as = |curve: &[u8]| Blob::named("ecdsa-sha2-nistp256").string(curve);
    vec![
        (ed25519.clone().raw(&[0]), TrailingBytes),
        (rsa.clone().raw(b"more"), TrailingBytes),
        (p256.clone().string(b"ssh:"), TrailingBytes),
        (ed25519.clone().called("ssh-rsa"), TypeMismatch),
        (rsa.clone().called("ssh-ed25519"), TypeMismatch),
        (p256.clone().called("ecdsa-sha2-nistp384"), TypeMismatch),
        (Blob::named("SSH-RSA").called("ssh-rsa"), TypeMismatch),
        (Blob::named("").called("ssh-rsa"), TypeMismatch),
        (p256_as(b"nistp384").string(p256.field(2)), CurveMismatch),
        (p256_as(b"").string(p256.field(2)), CurveMismatch),
        (Blob::named("ssh-rsa"), Truncated),
        (Blob::named("ssh-rsa").number(&[3]), Truncated),
        (Blob::named("ssh-rsa").raw(&[0xff; 4]), Truncated),
        (ed25519.with_bytes(vec![0, 0, 0]), Truncated),
        (ed25519.with_bytes(vec![0xff; 60]), BlobForeign),
        (p256_as(b"nistp256").string(b""), Malformed),
        (p256_as(b"nistp256").string(&[0]), Malformed),
        (p256_as(b"nistp256").string(&p256.field(2)[..64]), Malformed),
        (
            p256_as(b"nistp256").string(&changed(p256.field(2), 0, 6)),
            Malformed,
        ),
        (
            p256_as(b"nistp256").string(Blob::of_line(&samples().p384).field(2)),
            Malformed,
        ),
    ]
}

fn changed(bytes: &[u8], at: usize, value: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] = value;
    bytes
}

/// The sum of two numbers, without zero bytes in front.
fn sum(a: &[u8], b: &[u8]) -> Vec<u8> {
    let byte = |number: &[u8], at: usize| number.iter().rev().nth(at).copied().unwrap_or(0);
    let mut carry = 0;
    let mut total = Vec::new();
    for at in 0..=a.len().max(b.len()) {
        let [next, low] = (carry + u16::from(byte(a, at)) + u16::from(byte(b, at))).to_be_bytes();
        carry = u16::from(next);
        total.push(low);
    }
    total
        .into_iter()
        .rev()
        .skip_while(|low| *low == 0)
        .collect()
}

/// Three times a number.
fn thrice(n: &[u8]) -> Vec<u8> {
    sum(&sum(n, n), n)
}

fn rsa_blobs() -> Vec<(Blob, KeyRefusal)> {
    let good = Blob::of_line(&samples().rsa);
    let n = &good.field(2)[1..];
    let rsa = |e: &[u8], n: &[u8]| Blob::named("ssh-rsa").number(e).number(n);
    let raw = |e: &[u8], n: &[u8]| Blob::named("ssh-rsa").string(e).string(n);
    let short = |bits| RsaTooShort {
        bits,
        min_bits: 2048,
    };
    let long = |bits| RsaTooLong {
        bits,
        max_bits: 16_384,
    };
    let thrice = thrice(n);
    vec![
        (rsa(&[1, 0, 1], &[0x80]), short(8)),
        (wire::rsa_of(512), short(512)),
        (wire::rsa_of(1024), short(1024)),
        (wire::rsa_of(2047), short(2047)),
        (rsa(&[1, 0, 1], &[0x81; 2049]), long(16_392)),
        (rsa(&[1, 0, 1], &[1; 8000]), long(63_993)),
        (rsa(&[1], n), RsaExponent),
        (rsa(&[2], n), RsaExponent),
        (rsa(&[1, 0, 0], n), RsaExponent),
        (
            rsa(&[1, 0, 0, 0, 0, 0, 0, 0, 1], n),
            RsaExponentTooLong { max_bits: 64 },
        ),
        (rsa(n, n), RsaExponentTooLong { max_bits: 64 }),
        (rsa(&[3], &changed(n, n.len() - 1, 4)), RsaWeakModulus),
        (rsa(&[3], &thrice), RsaWeakModulus),
        (rsa(&[3], &[0xff; 256]), RsaWeakModulus),
        (raw(&[3], &[]), NotPositive),
        (raw(&[3], &[0]), NotPositive),
        (raw(&[3], &[0; 256]), NotPositive),
        (raw(&[3], n), NotPositive),
        (raw(&[0xff], good.field(2)), NotPositive),
        (raw(&[], good.field(2)), NotPositive),
        (raw(&[0, 3], good.field(2)), NotShortest),
        (raw(&[3], &[&[0], good.field(2)].concat()), NotShortest),
    ]
}

fn dsa_blobs() -> Vec<(Blob, KeyRefusal)> {
    let good = Blob::of_line(DSA);
    let [p, q, g, y] = [1, 2, 3, 4].map(|index| good.field(index).to_vec());
    let dsa = |p: &[u8], q: &[u8], g: &[u8], y: &[u8]| {
        let blob = Blob::named("ssh-dss").string(p).string(q);
        blob.string(g).string(y)
    };
    let minus_one = changed(&p, p.len() - 1, p[p.len() - 1] - 1);
    let long = Blob::of_line(LONG_DSA);
    let long = (long.field(1), long.field(2));
    vec![
        (dsa(&p[1..], &q, &g, &y), NotPositive),
        (dsa(&p, &q, &[], &y), NotPositive),
        (dsa(&changed(&p[1..], 0, 0x40), &q, &g, &y), DsaSize),
        (dsa(&p, &q[..20], &g, &y), DsaSize),
        (dsa(&p, &[&[0], q.as_slice()].concat(), &g, &y), NotShortest),
        (dsa(&p, &changed(&q[1..], 0, 0x6e), &g, &y), DsaSize),
        (dsa(&p, &p, &g, &y), DsaSize),
        (
            dsa(&[&[0], [0x81; 385].as_slice()].concat(), &q, &g, &y),
            DsaSize,
        ),
        (dsa(&changed(&p, 9, p[9] ^ 1), &q, &g, &y), DsaNumbers),
        (dsa(&minus_one, &q, &g, &y), DsaNumbers),
        (dsa(&p, &changed(&q, 20, q[20] ^ 1), &g, &y), DsaNumbers),
        (dsa(&p, &changed(&q, 9, q[9] ^ 1), &g, &y), DsaNumbers),
        (dsa(&p, &q, &[1], &y), DsaNumbers),
        (dsa(&p, &q, &[2], &y), DsaNumbers),
        (dsa(&p, &q, &minus_one, &y), DsaNumbers),
        (dsa(&p, &q, &p, &y), DsaNumbers),
        (dsa(&p, &q, &g, &[1]), DsaNumbers),
        (dsa(&p, &q, &g, &p), DsaNumbers),
        (dsa(&p, &q, &g, &changed(&y, 9, y[9] ^ 1)), DsaNumbers),
        (dsa(&p, &q, &g, &[1; 8000]), DsaNumbers),
        (dsa(long.0, long.1, &[2], &[2]), DsaNumbers),
    ]
}

/// Numbers that pass every check of a DSA group but one.
fn almost_dsa_blobs() -> Vec<(Blob, KeyRefusal)> {
    let dsa = |p: &[u8], q: &[u8], g: &[u8], y: &[u8]| {
        let blob = Blob::named("ssh-dss").number(p).string(q);
        blob.number(g).number(y)
    };
    let long = Blob::of_line(LONG_DSA);
    let [p, q, g, y] = [1, 2, 3, 4].map(|index| long.field(index));
    // The prime times three: g and y have the order q in it, but q does not divide it
    // less one. Of a member, it + p and it + 2p, one leaves 1 over when divided by three.
    let one_mod_three = |member: &[u8]| {
        let mut member = sum(member, &[]);
        while member.iter().map(|byte| u32::from(*byte)).sum::<u32>() % 3 != 1 {
            member = sum(&member, p);
        }
        member
    };
    vec![
        // The same key under another fingerprint.
        (dsa(&sum(p, &[]), q, &sum(g, &[]), &sum(y, p)), DsaNumbers),
        (dsa(&sum(p, &[]), q, &sum(g, p), &sum(y, &[])), DsaNumbers),
        (
            dsa(&thrice(p), q, &one_mod_three(g), &one_mod_three(y)),
            DsaNumbers,
        ),
    ]
}

fn point_blobs() -> Vec<(Blob, KeyRefusal)> {
    let mut cases = Vec::new();
    for (bits, line) in [
        (256, &samples().p256),
        (384, &samples().p384),
        (521, &samples().p521),
    ] {
        let point = Blob::of_line(line).field(2).to_vec();
        let curve = format!("nistp{bits}");
        let ecdsa = Blob::named(&format!("ecdsa-sha2-{curve}")).string(curve.as_bytes());
        let last = point.len() - 1;
        let off = changed(&point, last, point[last] ^ 1);
        let compressed = changed(&point[..=point.len() / 2], 0, 2 + point[last] % 2);
        let zero = changed(&vec![0; point.len()], 0, 4);
        let huge = changed(&vec![0xff; point.len()], 0, 4);
        cases.push((ecdsa.clone().string(&off), PointOffCurve));
        cases.push((ecdsa.clone().string(&zero), PointOffCurve));
        cases.push((ecdsa.clone().string(&huge), PointOffCurve));
        cases.push((ecdsa.clone().string(&compressed), PointCompressed));
    }
    let good = Blob::of_line(&samples().p256);
    let point = good.field(2);
    let off = changed(point, 64, point[64] ^ 1);
    let sk = |curve: &[u8]| Blob::named("sk-ecdsa-sha2-nistp256@openssh.com").string(curve);
    cases.push((sk(b"nistp256").string(&off).string(b"ssh:"), PointOffCurve));
    cases.push((sk(b"nistp384").string(point).string(b"ssh:"), CurveMismatch));
    cases.push((sk(b"nistp256").string(point).string(b""), SkApplication));
    cases.push((sk(b"nistp256").string(point), Truncated));
    cases
}

fn ed25519_blobs() -> Vec<(Blob, KeyRefusal)> {
    let good = Blob::of_line(&samples().ed25519);
    let point = good.field(1);
    let plain = |point: &[u8]| Blob::named("ssh-ed25519").string(point);
    let sk = |point: &[u8], application: &[u8]| {
        let blob = Blob::named("sk-ssh-ed25519@openssh.com").string(point);
        blob.string(application)
    };
    // y = 1 and y = -1: the points of order 1 and 2. y = 2 is on no point of the curve.
    let one = changed(&[0; 32], 0, 1);
    let minus_one = changed(&changed(&[0xff; 32], 0, 0xec), 31, 0x7f);
    let no_point = changed(&[0; 32], 0, 2);
    // y = 3 + p, a second spelling of 3, which is on a point.
    let unreduced = changed(&changed(&[0xff; 32], 0, 0xf0), 31, 0x7f);
    vec![
        (plain(&[0; 32]), Ed25519Weak),
        (plain(&one), Ed25519Weak),
        (plain(&minus_one), Ed25519Weak),
        (plain(&no_point), Ed25519OffCurve),
        (plain(&unreduced), Ed25519OffCurve),
        (plain(&[0xff; 32]), Ed25519OffCurve),
        (plain(&point[..31]), Ed25519Length),
        (plain(&[point, &[0]].concat()), Ed25519Length),
        (plain(&[]), Ed25519Length),
        (sk(&[0; 32], b"ssh:"), Ed25519Weak),
        (sk(&no_point, b"ssh:"), Ed25519OffCurve),
        (sk(&point[..31], b"ssh:"), Ed25519Length),
        (sk(point, b""), SkApplication),
        (sk(point, b"ssh:\nroot"), SkApplication),
        (sk(point, &[0xff, 0xfe]), SkApplication),
        (sk(point, &[b'a'; 256]), SkApplication),
        (sk(point, b"ssh:").raw(&[0]), TrailingBytes),
    ]
}
