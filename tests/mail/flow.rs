//! A flow that sends mail, from a call of its webhook to the mail server.

use serde_json::json;

use super::Smtp;
use crate::support::running::{call, started};
use crate::support::{Installation, TestServer};

#[test]
fn a_call_becomes_a_mail_and_is_answered_with_who_took_it() {
    let mut smtp = Smtp::start("none", false);
    let at = Installation::with(|options| options.rules.allow_private_networks = true);
    let server = TestServer::over(at, elastane::server::ServerOptions::default());
    let ada = server.user("ada@example.com");
    let keys = json!({ "smtp": { "host": "127.0.0.1", "port": smtp.port, "security": "none",
        "from": "Shop <shop@example.com>" } });
    let account = json!({ "name": "Mail", "type": "email", "keys": keys });
    let account = ada.post("/v1/accounts", &account).json(200);
    let nodes = json!([
        { "id": "in", "command": "elasticio/webhook:receive" },
        { "id": "mail", "command": "elasticio/email:send", "credentials_id": account["id"] },
        { "id": "out", "command": "elasticio/request-reply:reply" },
    ]);
    let mail = json!({ "to": "to", "subject": "\"Hello \" & name", "textBody": "\"plain words\"" });
    let edges = json!([
        { "source": "in", "target": "mail", "config": { "mapper": mail } },
        { "source": "mail", "target": "out",
            "config": { "mapper": { "responseBody": "accepted" } } },
    ]);
    let flow = started(&ada, &nodes, &edges);
    let sent = json!({ "to": "bob@example.com, eve@example.com", "name": "Bob" });
    let answer = call(&server, &flow, &sent);
    assert_eq!(
        answer.json(200),
        json!(["bob@example.com", "eve@example.com"])
    );
    let taken = smtp.taken().to_string();
    for part in [
        "bob@example.com",
        "eve@example.com",
        "Hello Bob",
        "plain words",
    ] {
        assert!(taken.contains(part), "{part}: {taken}");
    }
}
