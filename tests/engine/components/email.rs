//! Mail of a step, through a small server that speaks as much SMTP as a mail needs; a
//! real server is behind the tests of the client itself (`tests/mail.rs`).

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use super::bench::{Bench, call, faults};

/// A mail server that takes what is not for `no-…`, and tells what it was sent.
struct Smtp {
    port: u16,
    seen: Receiver<String>,
}

impl Smtp {
    /// Starts a server for so many connections.
    fn start(connections: usize) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (sender, seen) = channel();
        let serve = move || {
            for _ in 0..connections {
                let Ok((stream, _)) = listener.accept() else {
                    return;
                };
                let _ = sender.send(talk(stream));
            }
        };
        elastane::thread::spawn("test-smtp", None, serve).expect("a thread");
        Self { port, seen }
    }

    /// Returns a credential that names it.
    fn keys(&self) -> Value {
        json!({
            "host": "127.0.0.1", "port": self.port.to_string(), "security": "none",
            "from": "Shop <shop@example.com>",
        })
    }

    /// Returns everything that a connection was sent.
    #[track_caller]
    fn sent(&self) -> String {
        self.seen.recv().expect("a connection")
    }
}

/// Answers one connection; returns what it was sent.
fn talk(stream: TcpStream) -> String {
    let mut answers = stream.try_clone().expect("a second handle");
    let mut say = |text: &str| {
        let _ = write!(answers, "{text}\r\n");
    };
    say("220 mail.example.com");
    let mut seen = String::new();
    let mut is_data = false;
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else {
            break;
        };
        seen.push_str(&line);
        seen.push('\n');
        let word = line.split([' ', ':']).next().unwrap_or_default();
        match word.to_ascii_uppercase().as_str() {
            _ if is_data => {
                if line == "." {
                    is_data = false;
                    say("250 taken");
                }
            }
            "EHLO" => say("250-mail.example.com\r\n250 8BITMIME"),
            "RCPT" if line.contains("<no-") => say("550 there is nobody of that name"),
            "DATA" => {
                is_data = true;
                say("354 go on");
            }
            "QUIT" => {
                say("221 bye");
                break;
            }
            _ => say("250 OK"),
        }
    }
    seen
}

#[test]
fn a_mail_is_sent_with_its_files_through_the_server_of_the_credential() {
    let bench = Bench::new();
    let server = Smtp::start(2);
    let stored = bench
        .here
        .app
        .put_object(b"file text", Some("text/plain"), 60_000)
        .unwrap();
    let body = json!({
        "to": "ada@example.com, \"B, C\" <ben@example.com>", "cc": "carl@example.com",
        "bcc": "dan@example.com", "subject": "Hello", "textBody": "plain words",
        "htmlBody": "<p>words</p>", "replyTo": "desk@example.com",
        "attachments": [{ "url": stored.get_path, "filename": "a.txt" }],
    });
    // As an object, and as the text of a text area.
    for smtp in [server.keys(), json!(server.keys().to_string())] {
        let cfg = json!({ "smtp": smtp });
        assert_eq!(faults("email:send", &cfg), Vec::<String>::new());
        let bodies = bench.bodies("email:send", cfg, body.clone());
        let addresses = json!([
            "ada@example.com",
            "ben@example.com",
            "carl@example.com",
            "dan@example.com"
        ]);
        assert_eq!(bodies[0]["accepted"], addresses);
        assert_eq!(bodies[0]["rejected"], json!([]));
        let id = bodies[0]["messageId"].as_str().unwrap();
        let sent = server.sent();
        for part in [
            id,
            "MAIL FROM:<shop@example.com>",
            "RCPT TO:<dan@example.com>",
            "Subject: Hello",
            "Reply-To: desk@example.com",
            "plain words",
            "<p>words</p>",
            "a.txt",
        ] {
            assert!(sent.contains(part), "{part}: {sent}");
        }
        assert!(!sent.to_lowercase().contains("\nbcc:"), "{sent}");
    }
}

#[test]
fn refused_addresses_are_told_and_a_mail_that_nobody_takes_is_an_error() {
    let bench = Bench::new();
    let server = Smtp::start(3);
    let run = |to: &str, flag: bool| {
        let cfg = json!({ "smtp": server.keys(), "dontThrowErrorFlg": flag });
        bench.run(&call(
            "email:send",
            cfg,
            json!({ "to": to, "subject": "s", "textBody": "t" }),
        ))
    };
    let some = run("ada@example.com, no-one@example.com", false).bodies();
    assert_eq!(some[0]["accepted"], json!(["ada@example.com"]));
    assert_eq!(some[0]["rejected"], json!(["no-one@example.com"]));
    let failure = run("no-one@example.com", false).failure.unwrap();
    assert!(failure.message.contains("550"), "{}", failure.message);
    let told = run("no-one@example.com", true).bodies();
    assert_eq!(told[0]["accepted"], json!([]));
    assert_eq!(told[0]["rejected"], json!(["no-one@example.com"]));
    assert!(told[0]["errorMessage"].as_str().unwrap().contains("550"));
}

#[test]
fn a_mail_that_can_not_be_sent_is_refused_with_its_field() {
    let bench = Bench::new();
    let server = Smtp::start(0);
    let good = json!({ "to": "ada@example.com", "subject": "s", "textBody": "t" });
    for (member, value) in [
        ("to", json!("")),
        ("to", json!("ada")),
        ("to", json!("ada@example.com\r\nBcc: x@example.com")),
        ("to", json!(5)),
        ("cc", json!("x")),
        ("replyTo", json!("x")),
        ("subject", json!("a\nb")),
        ("subject", Value::Null),
        ("textBody", json!({})),
        ("attachments", json!("x")),
        ("attachments", json!([{ "filename": "a" }])),
        (
            "attachments",
            json!([{ "url": "http://127.0.0.1:1/", "filename": "a" }]),
        ),
    ] {
        let mut body = good.clone();
        body[member] = value;
        // The flag is for what the mail server says, not for a message that is no mail.
        let cfg = json!({ "smtp": server.keys(), "dontThrowErrorFlg": true });
        let failure = bench.failure("email:send", cfg, body);
        assert!(failure.contains(member), "{member}: {failure}");
    }
    let failure = bench.failure("email:send", json!({}), good);
    assert!(failure.contains("smtp"), "{failure}");
}

#[test]
fn a_credential_is_verified_by_connecting() {
    let bench = Bench::new();
    let server = Smtp::start(1);
    let verdict = bench.verify("email", &json!({ "smtp": server.keys() }));
    assert_eq!(verdict, json!({ "verified": true }));
    assert!(server.sent().contains("QUIT"));
    let closed = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap();
    for (smtp, word) in [
        (
            json!({ "host": "127.0.0.1", "port": closed.port(), "security": "none" }),
            "mail server",
        ),
        (json!({ "security": "none" }), "smtp.host"),
        (json!({ "host": "h", "security": "maybe" }), "smtp.security"),
        (json!({ "host": "h", "port": "x" }), "smtp.port"),
        (json!({ "host": "h", "from": "x" }), "smtp.from"),
        (json!("p4ssword"), "smtp"),
        (Value::Null, "smtp"),
    ] {
        let verdict = bench.verify("email", &json!({ "smtp": smtp }));
        assert_eq!(verdict["verified"], false, "{verdict}");
        let reason = verdict["reason"].as_str().unwrap();
        assert!(
            reason.contains(word) && !reason.contains("p4ssword"),
            "{reason}"
        );
        if word.starts_with("smtp.") {
            assert_eq!(faults("email:send", &json!({ "smtp": smtp })).len(), 1);
        }
    }
}
