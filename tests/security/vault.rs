//! The vault: what is sealed for one place opens there and nowhere else.

use elastane::app::key_file::KeyRing;
use elastane::app::random::Random;
use elastane::app::vault::{MAX_PLAIN_BYTES, Place, Sealed, Vault};
use elastane::domain::error::Kind;

const PLACE: Place<'static> = Place {
    table: "credential",
    row: "5e5a3c0d2f4b1a0011223344",
    field: "fields",
};

fn vault(seed: u64) -> Vault {
    Vault::new(KeyRing::generate(&Random::seeded(seed)), Random::system())
}

#[test]
fn a_sealed_value_opens_again() {
    let vault = vault(1);
    for plain in [b"".as_slice(), b"x", "pässwörd".as_bytes(), &[0; 5000]] {
        let sealed = vault.seal(&PLACE, plain).unwrap();
        assert_eq!(sealed.blob.len(), 24 + plain.len() + 16);
        assert_eq!(vault.open(&PLACE, &sealed).unwrap().as_slice(), plain);
    }
}

#[test]
fn the_same_value_is_never_sealed_the_same_way_twice() {
    let vault = vault(1);
    let (one, two) = (
        vault.seal(&PLACE, b"same").unwrap(),
        vault.seal(&PLACE, b"same").unwrap(),
    );
    assert_ne!(one.blob, two.blob);
    assert_ne!(one.blob[..24], two.blob[..24]);
}

#[test]
fn a_value_that_is_moved_to_another_place_does_not_open() {
    let vault = vault(1);
    let sealed = vault.seal(&PLACE, b"secret").unwrap();
    let elsewhere = [
        Place {
            row: "5e5a3c0d2f4b1a0011223345",
            ..PLACE
        },
        Place {
            table: "flow",
            ..PLACE
        },
        Place {
            field: "other",
            ..PLACE
        },
        // The same letters with the borders moved.
        Place {
            table: "credentia",
            row: "l5e5a3c0d2f4b1a0011223344",
            ..PLACE
        },
        Place {
            row: "5e5a3c0d2f4b1a0011223344f",
            field: "ields",
            ..PLACE
        },
        Place {
            row: "",
            field: "",
            ..PLACE
        },
    ];
    for place in elsewhere {
        let error = vault.open(&place, &sealed).unwrap_err();
        assert_eq!(error.kind(), Kind::Internal, "{place:?}");
        assert!(!format!("{error:?}").contains("secret"));
    }
}

#[test]
fn a_value_with_any_bit_changed_or_cut_does_not_open() {
    let vault = vault(1);
    let sealed = vault.seal(&PLACE, b"secret").unwrap();
    for bit in 0..sealed.blob.len() * 8 {
        let mut forged = sealed.clone();
        forged.blob[bit / 8] ^= 1 << (bit % 8);
        assert!(vault.open(&PLACE, &forged).is_err(), "bit {bit}");
    }
    for length in 0..sealed.blob.len() {
        let forged = Sealed {
            blob: sealed.blob[..length].to_vec(),
            ..sealed
        };
        assert!(vault.open(&PLACE, &forged).is_err(), "length {length}");
    }
}

#[test]
fn a_version_that_the_key_file_lacks_is_named_in_the_log_alone() {
    let vault = vault(1);
    let sealed = vault.seal(&PLACE, b"secret").unwrap();
    let error = vault
        .open(
            &PLACE,
            &Sealed {
                key_version: 2,
                ..sealed
            },
        )
        .unwrap_err();
    assert_eq!(error.message(), "internal error");
    assert!(error.causes().contains("key v2"), "{}", error.causes());
}

#[test]
fn the_check_value_knows_its_key_file() {
    let check = vault(1).check_value().unwrap();
    vault(1).verify_check(&check).unwrap();
    let error = vault(2).verify_check(&check).unwrap_err();
    assert!(
        error
            .message()
            .starts_with("key_file does not belong to this database"),
        "{error}"
    );
    let newer = Sealed {
        key_version: 4,
        ..check
    };
    let error = vault(1).verify_check(&newer).unwrap_err();
    assert!(
        error.message().starts_with("key_file has no key v4"),
        "{error}"
    );
}

#[test]
fn a_secret_longer_than_a_body_is_refused() {
    let error = vault(1)
        .seal(&PLACE, &vec![0; MAX_PLAIN_BYTES + 1])
        .unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge);
    vault(1).seal(&PLACE, &vec![0; MAX_PLAIN_BYTES]).unwrap();
}

#[test]
fn nothing_prints_what_the_vault_holds() {
    let vault = vault(1);
    assert_eq!(format!("{vault:?}"), "Vault(***)");
    let sealed = vault.seal(&PLACE, b"secret").unwrap();
    assert_eq!(format!("{sealed:?}"), "Sealed(v1, 46 bytes)");
}
