//! Roles, and for whom somebody acts.

use elastane::domain::organization::{Membership, Role, Scope};

use super::fields_of;

/// Returns a membership of the organization with this last digit.
fn of(digit: u8, role: Role) -> Membership {
    Membership {
        organization: format!("5f000000000000000000000{digit}")
            .parse()
            .expect("an id"),
        role,
    }
}

#[test]
fn roles_are_read_in_any_case_and_nothing_else_is_one() {
    for word in ["admin", "Admin", " ADMIN "] {
        assert_eq!(Role::parse("role", word).unwrap(), Role::Admin);
    }
    assert_eq!(
        Role::parse("role", "integrator").unwrap().as_str(),
        "integrator"
    );
    for word in ["", "owner", "admins"] {
        assert_eq!(fields_of(Role::parse("role", word)), ["role"]);
    }
}

#[test]
fn guests_alone_write_nothing() {
    assert!(!Role::Guest.may_write());
    assert!(Role::Integrator.may_write() && Role::Admin.may_write());
    assert!(Scope::Personal.may_write());
    assert!(!Scope::Organization(of(1, Role::Guest)).may_write());
}

#[test]
fn a_key_decides_else_the_only_membership_else_oneself() {
    let (one, two) = (of(1, Role::Admin), of(2, Role::Guest));
    let decide = |carried: Option<Membership>, memberships: &[Membership]| {
        Scope::decide(carried.map(|one| one.organization), memberships)
    };
    assert_eq!(decide(None, &[]), Scope::Personal);
    assert_eq!(decide(None, &[two]), Scope::Organization(two));
    assert_eq!(decide(None, &[one, two]), Scope::Personal);
    assert_eq!(decide(Some(two), &[one, two]), Scope::Organization(two));
    // Not `two`, though it is the only one left: others there would see what was made.
    assert_eq!(decide(Some(one), &[two]), Scope::Personal);
}
