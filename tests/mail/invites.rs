//! Invites to organizations by mail (`v2.md 4.6`).

use elastane::app::mail::MailSecurity;
use elastane::domain::Kind;
use elastane::domain::organization::{NewInvite, Role};
use elastane::domain::principal::{Channel, Principal};
use elastane::domain::text::Email;

use super::Smtp;
use crate::support::Installation;

/// What stands before the token in a link.
const URL: &str = "https://elastane.example/v2/invites/";

/// An invite as a guest.
fn new() -> NewInvite {
    NewInvite {
        email: Email::parse("email", "nina@example.com").unwrap(),
        role: Role::Guest,
    }
}

#[test]
fn an_invite_is_mailed_and_its_link_is_nowhere_else() {
    let mut smtp = Smtp::start("none", false);
    let server = smtp.settings(MailSecurity::None);
    let at = Installation::with(|options| {
        options.rules.allow_private_networks = true;
        options.mail_server = Some(server);
    });
    let operator = Principal::operator(Channel::Cli);
    let company = at.app.create_organization(&operator, "Company").unwrap().id;
    let made = at
        .app
        .invite_member(&operator, company, new(), Some(URL))
        .unwrap();
    assert!(made.token.is_none(), "the mail has it");
    let mail = smtp.taken().to_string();
    let token: String = mail
        .split(URL)
        .nth(1)
        .expect("a link")
        .chars()
        .take(36)
        .collect();
    let (found, organization) = at.app.invite_of_token(&token).unwrap();
    assert_eq!((found.id, organization.id), (made.invite.id, company));
    let bob = at.principal("bob@example.com");
    assert_eq!(
        at.app.accept_invite(&bob, &token).unwrap().role,
        Role::Guest
    );
}

#[test]
fn without_a_public_url_nothing_is_mailed_and_the_link_is_shown() {
    let smtp = Smtp::start("none", false);
    let server = smtp.settings(MailSecurity::None);
    let at = Installation::with(|options| options.mail_server = Some(server));
    let operator = Principal::operator(Channel::Cli);
    let company = at.app.create_organization(&operator, "Company").unwrap().id;
    let made = at
        .app
        .invite_member(&operator, company, new(), None)
        .unwrap();
    let token = made.token.expect("a token");
    let (found, _) = at.app.invite_of_token(token.expose()).unwrap();
    assert_eq!(found.id, made.invite.id);
    let wrong = at
        .app
        .invite_of_token("0f8fad5b-d9cb-469f-a165-70867728950e");
    assert_eq!(wrong.unwrap_err().kind(), Kind::NotFound);
}
