//! What is done about people, keys, teams and recipes at the console.

use elastane::app::App;
use elastane::clock::Clock;
use elastane::console::overlay::Overlay;
use elastane::domain::user::UserState;
use ratatui::crossterm::event::KeyCode;

use super::given::{Console, NOW_MS, operator};
use crate::support::Installation;

const SIZE: (u16, u16) = (100, 30);

fn installed() -> Installation {
    let at = Installation::with(|options| options.clock = Clock::fixed(NOW_MS));
    at.principal("ada@example.com");
    at
}

/// Types a text into each field of the form, and sends it.
fn fill(console: &mut Console<'_>, fields: &[&str]) {
    for field in fields {
        console.keys(field);
        console.press(KeyCode::Enter);
    }
}

/// Returns the secret that is shown, and closes the dialog for good.
fn shown_once(console: &mut Console<'_>) -> String {
    let Some(Overlay::Secret(secret)) = console.model.overlays.last() else {
        panic!("no secret is shown: {}", console.frame());
    };
    let text = secret.text.expose().to_owned();
    assert!(console.frame().contains(&text[..20]));
    console.press(KeyCode::Esc);
    assert!(
        !console.frame().contains(&text[..20]),
        "it is gone for good"
    );
    let kept = format!("{:?}", console.model);
    assert!(
        !kept.contains(&text),
        "nothing in the model has it any more"
    );
    text
}

fn user_state(app: &App, email: &str) -> UserState {
    app.find_user(&operator(), email).unwrap().state
}

#[test]
fn a_user_is_registered_kept_out_let_in_and_deleted() {
    let at = installed();
    let mut console = Console::open(&at.app, SIZE, "users");
    console.keys("a");
    fill(
        &mut console,
        &["bob", "Bob", "Builder", "", "a long password"],
    );
    console.press(KeyCode::Enter);
    assert!(
        console.frame().contains("! "),
        "a bad address stays in the form: {}",
        console.frame()
    );
    console.press(KeyCode::Esc);
    console.keys("a");
    fill(
        &mut console,
        &["bob@example.com", "Bob", "Builder", "", "a long password"],
    );
    console.press(KeyCode::Enter);
    shown_once(&mut console);
    assert_eq!(user_state(&at.app, "bob@example.com"), UserState::Active);
    while !console.line().contains("bob@") {
        console.keys("j");
    }
    console.keys("Dy");
    assert_eq!(user_state(&at.app, "bob@example.com"), UserState::Disabled);
    console.keys("u");
    assert_eq!(user_state(&at.app, "bob@example.com"), UserState::Active);
    console.keys("d");
    assert!(
        console
            .frame()
            .contains("0 tasks, 1 API keys and 0 SSH keys stop"),
        "{}",
        console.frame()
    );
    console.keys("y");
    console.press(KeyCode::Enter);
    assert_eq!(
        user_state(&at.app, "bob@example.com"),
        UserState::Active,
        "`y` is not the address"
    );
    console.press(KeyCode::Esc);
    console.keys("dbob@example.com");
    console.press(KeyCode::Enter);
    assert!(at.app.find_user(&operator(), "bob@example.com").is_err());
}

#[test]
fn an_api_key_is_made_rotated_and_revoked() {
    let at = installed();
    let mut console = Console::open(&at.app, SIZE, "keys");
    console.keys("a");
    fill(&mut console, &["ada@example.com", "-two"]);
    let first = shown_once(&mut console);
    while !console.line().contains("console-two") {
        console.keys("j");
    }
    console.keys("R");
    assert!(console.frame().contains("keeps working for 24 h"));
    console.press(KeyCode::BackTab).keys("console-two");
    assert!(console.frame().contains("The old key is dead at once."));
    console.press(KeyCode::Enter);
    let second = shown_once(&mut console);
    assert_ne!(first, second);
    while !console.line().contains("console-two") {
        console.keys("j");
    }
    console.keys("Y");
    let copied = format!("{:?}", console.cmds);
    assert!(!copied.contains(&second), "the key is in no copy");
    console.keys("dy");
    assert!(
        console.line().contains("api_secret"),
        "the first key is left"
    );
}

#[test]
fn a_rotated_key_works_as_long_as_was_chosen_and_both_are_in_the_list() {
    let at = installed();
    let mut console = Console::open(&at.app, SIZE, "keys");
    let key = {
        let ada = at.app.find_user(&operator(), "ada@example.com").unwrap();
        let keys = at.app.api_keys_of(&operator(), ada.id, None, 10).unwrap();
        keys[0].clone()
    };
    console
        .keys(&format!("R{}", key.name))
        .press(KeyCode::Enter);
    shown_once(&mut console);
    let old = at.app.api_key(&operator(), key.id).unwrap();
    assert_eq!(old.expires_at_ms, Some(NOW_MS + 24 * 60 * 60 * 1_000));
    let keys = at.app.api_keys_of(&operator(), key.user_id, None, 10);
    let keys = keys.unwrap();
    assert_eq!(keys.len(), 2);
    let new = keys.iter().find(|other| other.id != key.id).unwrap();
    assert_eq!((&new.name, new.expires_at_ms), (&key.name, None));
    // A second rotation may end the old key sooner, and never later.
    let made = at.app.rotate_api_key(&operator(), key.id, Some(1_000));
    assert_eq!(made.unwrap().key.expires_at_ms, old.expires_at_ms);
    let old = at.app.api_key(&operator(), key.id).unwrap();
    assert_eq!(old.expires_at_ms, Some(NOW_MS + 1_000));
    let month_ms = 31 * 24 * 60 * 60 * 1_000;
    for grace_ms in [0, month_ms] {
        let refused = at.app.rotate_api_key(&operator(), key.id, Some(grace_ms));
        assert_eq!(refused.err().unwrap().fields()[0].field, "grace");
    }
}

#[test]
fn what_was_done_has_an_id_that_the_audit_log_has_too() {
    let at = installed();
    let mut console = Console::open(&at.app, SIZE, "users");
    console.keys("Dy");
    let told = console.model.messages.all().next().unwrap().clone();
    let id = told.request_id.expect("a deed has an id");
    console.keys("!");
    assert!(console.frame().contains(&format!("request {id}")));
    console
        .press(KeyCode::Esc)
        .keys("0")
        .keys(&format!("/request_id:={id}"));
    assert!(
        console.frame().contains("user.disable"),
        "{}",
        console.frame()
    );
    assert!(console.frame().contains("1 of "), "{}", console.frame());
}

#[test]
fn members_are_put_in_and_taken_out_where_the_team_is_open() {
    let at = installed();
    let bob = at.principal("bob@example.com").user_id().unwrap();
    let cleo = at.principal("cleo@example.com").user_id().unwrap();
    let ada = at.app.find_user(&operator(), "ada@example.com").unwrap().id;
    let team = at
        .app
        .create_team(&operator(), ada, Some("core"))
        .unwrap()
        .id;
    let members = || at.app.team(&operator(), team).unwrap().members;
    let mut console = Console::open(&at.app, SIZE, "teams");
    console
        .keys("/core")
        .press(KeyCode::Enter)
        .press(KeyCode::Enter);
    console.press(KeyCode::Tab).press(KeyCode::Tab);
    assert!(
        console.frame().contains("[Members 1]"),
        "{}",
        console.frame()
    );
    for email in ["bob@example.com", "cleo@example.com"] {
        console.keys("m");
        fill(&mut console, &[email]);
    }
    assert_eq!(members(), [ada, bob, cleo]);
    while !console.line().contains("bob@") {
        console.keys("j");
    }
    console.keys("x");
    assert!(
        console
            .frame()
            .contains("Take bob@example.com out of core?"),
        "{}",
        console.frame()
    );
    console.press(KeyCode::Enter);
    assert_eq!(members().len(), 3, "Enter alone takes nobody out");
    console.keys("y");
    assert_eq!(members(), [ada, cleo]);
    console.keys("u");
    assert_eq!(members().len(), 3);
    console.keys("g  xy");
    assert_eq!(members().len(), 1, "two that are marked go together");
    // Nobody is deleted from here: that is done where users are.
    console.keys("d");
    assert!(console.model.overlays.is_empty());
}

#[test]
fn a_team_is_given_another_name_and_its_old_one_back() {
    let at = installed();
    let ada = at.app.find_user(&operator(), "ada@example.com").unwrap().id;
    let team = at
        .app
        .create_team(&operator(), ada, Some("core"))
        .unwrap()
        .id;
    let name = || at.app.team(&operator(), team).unwrap().name;
    let mut console = Console::open(&at.app, SIZE, "teams");
    console.keys("/core").press(KeyCode::Enter).keys("e");
    fill(&mut console, &["-two"]);
    assert_eq!(name(), "core-two");
    console.keys("u");
    assert_eq!(name(), "core");
}

#[test]
fn a_team_is_made_gets_a_member_and_goes() {
    let at = installed();
    at.principal("bob@example.com");
    let mut console = Console::open(&at.app, SIZE, "teams");
    console.keys("a");
    fill(&mut console, &["nobody@example.com", "core"]);
    assert!(
        console.frame().contains("is no user's address or id"),
        "{}",
        console.frame()
    );
    console.press(KeyCode::Esc);
    console.keys("a");
    fill(&mut console, &["ada@example.com", "core"]);
    let teams = || {
        let mut all = at.app.teams(&operator(), None, 10).unwrap();
        all.retain(|team| team.name == "core");
        all
    };
    assert_eq!(teams().len(), 1);
    console.keys("/core");
    console.press(KeyCode::Enter);
    assert!(console.line().contains("core"), "{}", console.frame());
    console.keys("m");
    fill(&mut console, &["bob@example.com"]);
    assert_eq!(teams()[0].members.len(), 2);
    console.keys("u");
    assert_eq!(teams()[0].members.len(), 1);
    console.keys("dcore");
    console.press(KeyCode::Enter);
    assert!(teams().is_empty());
}

#[test]
fn a_recipe_is_activated_through_the_form_of_its_accounts() {
    let at = installed();
    let mut console = Console::open(&at.app, (120, 40), "recipes");
    while !console.line().contains("Amazon") {
        console.keys("j");
    }
    console.press(KeyCode::Enter);
    insta::assert_snapshot!("recipe_120x40", console.frame());
    console.press(KeyCode::Esc);
    console.keys("a");
    let frame = console.frame();
    assert!(frame.contains("shopware: Your Password"), "{frame}");
    let typed = [
        "ada@example.com",
        "seller",
        "",
        "token",
        "http://shop",
        "ann",
        "s3cret",
    ];
    fill(&mut console, &typed);
    assert!(!console.frame().contains("s3cret"));
    let ada = at.app.find_user(&operator(), "ada@example.com").unwrap();
    let flows = at.app.flows(&operator(), None, 10).unwrap();
    assert!(!flows.is_empty(), "{}", console.frame());
    assert!(flows.iter().all(|flow| flow.user_id == ada.id));
    assert!(
        console.status().contains("not started yet"),
        "{}",
        console.status()
    );
}

#[test]
fn a_user_has_tabs_for_what_belongs_to_the_user() {
    let at = installed();
    for size in [(80, 24), (120, 40)] {
        let mut console = Console::open(&at.app, size, "users");
        console.press(KeyCode::Enter);
        let titles = [
            "Tasks", "Teams", "API keys", "SSH keys", "Creds", "Acts", "Audit", "JSON",
        ];
        assert!(console.frame().contains("[Summary]"));
        for title in titles {
            console.press(KeyCode::Tab);
            let frame = console.frame();
            assert!(frame.contains(&format!("[{title}")), "{title}: {frame}");
        }
        assert!(
            console.frame().contains("\"email\": \"ada@example.com\""),
            "{}",
            console.frame()
        );
        console.press(KeyCode::BackTab);
        assert!(
            console.frame().contains("user.create"),
            "{}",
            console.frame()
        );
        console.press(KeyCode::Esc);
        assert_eq!(console.model.pages.len(), 1);
    }
}

#[test]
fn several_users_are_kept_out_together_and_let_in_again_by_one_key() {
    let at = installed();
    at.principal("bob@example.com");
    let mut console = Console::open(&at.app, SIZE, "users");
    console.keys("  D");
    assert!(
        console.frame().contains("All these 2?"),
        "{}",
        console.frame()
    );
    console.keys("y");
    assert_eq!(
        console.frame().matches("disabled").count(),
        2,
        "{}",
        console.frame()
    );
    console.keys("u");
    assert_eq!(
        console.frame().matches("disabled").count(),
        0,
        "{}",
        console.frame()
    );
    console.keys("d2");
    console.press(KeyCode::Esc);
    console.keys("P");
    assert!(
        console.status().contains("one at a time"),
        "{}",
        console.frame()
    );
    console.keys("d");
    assert!(
        console.frame().contains("Type 2 to confirm"),
        "{}",
        console.frame()
    );
}
