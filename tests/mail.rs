//! Mail through a real server: aiosmtpd, which pip installs into the folder of builds.
//!
//! Where Python 3 with venv or `openssl` is missing these tests fail and say so.

#![allow(clippy::unwrap_used, reason = "what a test can't do without stops it")]

mod addresses;
mod flow;
mod invites;

use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use elastane::app::SecretText;
use elastane::app::mail::{MailSecurity, MailServer};
use elastane::domain::mail::{Mail, MailAttachment, addresses};
use elastane::domain::{Error, Kind};
use serde_json::{Value, json};

use crate::support::Installation;

/// The password of the user `ada` of the mail servers.
const PASSWORD: &str = "mail s3cret";

/// A mail server as a process; killed when dropped.
struct Smtp {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Smtp {
    /// Starts a server with this security, which may want a sign-in.
    fn start(security: &str, wants_password: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        run(Command::new("openssl")
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            ])
            .args([
                "-subj",
                "/CN=localhost",
                "-keyout",
                "key.pem",
                "-out",
                "cert.pem",
            ])
            .current_dir(folder.path()));
        let mut command = Command::new(python());
        command.arg(here().join("server.py")).arg(security);
        if security != "none" {
            command.args(["cert.pem", "key.pem"]);
        }
        if wants_password {
            command.env("MAIL_PASSWORD", PASSWORD);
        }
        let mut child = command
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        Self {
            child,
            lines,
            port: u16::try_from(first["port"].as_u64().unwrap()).unwrap(),
            _folder: folder,
        }
    }

    /// Returns the next mail that it took.
    fn taken(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }

    /// Returns the server as a credential names it.
    fn settings(&self, security: MailSecurity) -> MailServer {
        MailServer::new("127.0.0.1", Some(self.port), security)
            .unwrap()
            .with_sender("Shop <shop@example.com>")
            .unwrap()
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the folder with the server.
fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail")
}

/// Runs a program that must succeed.
#[track_caller]
fn run(command: &mut Command) {
    let name = command.get_program().to_string_lossy().into_owned();
    let ended = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("`{name}`, which these tests need: {error}"));
    let words = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "`{name}` failed: {words}");
}

/// Returns a Python that has the server, installed once.
fn python() -> PathBuf {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    let install = || {
        let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mail-server");
        let python = venv.join("bin/python3");
        let is_there = |command: &mut Command| {
            let quiet = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
            quiet.is_ok_and(|status| status.success())
        };
        if !is_there(Command::new(&python).args(["-c", "import aiosmtpd"])) {
            run(Command::new("python3").args(["-m", "venv"]).arg(&venv));
            run(Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "-r"])
                .arg(here().join("requirements.txt")));
        }
        python
    };
    INSTALLED.get_or_init(install).clone()
}

/// An installation that may send to this machine.
fn installation() -> Installation {
    Installation::with(|options| options.rules.allow_private_networks = true)
}

/// A short mail to Ada.
fn mail() -> Mail {
    Mail {
        to: addresses("to", "ada@example.com").unwrap(),
        subject: "Hello".to_owned(),
        text: Some("Hi Ada".to_owned()),
        ..Mail::default()
    }
}

/// Returns kind and message of an error.
#[track_caller]
fn refused<T>(result: Result<T, Error>) -> (Kind, String) {
    match result {
        Ok(_) => panic!("it was accepted"),
        Err(error) => (
            error.kind(),
            format!("{error} {error:?} {}", error.causes()),
        ),
    }
}

#[test]
fn a_mail_arrives_with_all_that_it_has() {
    let mut smtp = Smtp::start("none", false);
    let installation = installation();
    let mail = Mail {
        to: addresses("to", "ada@example.com, \"Doe, J.\" <joe@example.com>").unwrap(),
        cc: addresses("cc", "Zoë <zoe@example.com>").unwrap(),
        bcc: addresses("bcc", "secret@example.com").unwrap(),
        subject: "Größe €".to_owned(),
        text: Some("plain\n.\nwith a dot".to_owned()),
        html: Some("<b>rich</b>".to_owned()),
        reply_to: Some(addresses("replyTo", "back@example.com").unwrap().remove(0)),
        attachments: vec![MailAttachment {
            filename: "ä \"b\".csv".to_owned(),
            content_type: Some("text/csv".to_owned()),
            bytes: b"1,2\n".to_vec(),
        }],
    };
    let sent = installation
        .app
        .send_mail(&mail, Some(&smtp.settings(MailSecurity::None)))
        .unwrap();
    let recipients = [
        "ada@example.com",
        "joe@example.com",
        "zoe@example.com",
        "secret@example.com",
    ];
    assert_eq!(sent.accepted, recipients);
    assert_eq!(sent.rejected, Vec::<String>::new());
    assert!(
        sent.message_id.ends_with("@example.com>"),
        "{}",
        sent.message_id
    );
    let taken = smtp.taken();
    assert_eq!(taken["from"], "shop@example.com");
    assert_eq!(taken["to"], json!(recipients));
    let data = taken["data"].as_str().unwrap();
    for part in [
        &format!("Message-ID: {}\r\n", sent.message_id),
        "From: Shop <shop@example.com>\r\n",
        "=?utf-8?b?RG9lLCBKLg==?= <joe@example.com>",
        "Reply-To: back@example.com\r\n",
        "multipart/mixed",
        "multipart/alternative",
        "plain\r\n.\r\nwith a dot",
        "<b>rich</b>",
        "text/csv",
    ] {
        assert!(data.contains(part), "{part}:\n{data}");
    }
    let head = data.split("\r\n\r\n").next().unwrap();
    assert!(head.is_ascii() && head.contains("=?utf-8?"), "{head}");
    assert!(!data.contains("secret@"), "a blind copy stays blind");
}

#[test]
fn refused_recipients_are_told_apart() {
    let mut smtp = Smtp::start("none", false);
    let installation = installation();
    let server = smtp.settings(MailSecurity::None);
    let mut mail = mail();
    mail.cc = addresses("cc", "no-one@example.com, bob@example.com").unwrap();
    let sent = installation.app.send_mail(&mail, Some(&server)).unwrap();
    assert_eq!(sent.accepted, ["ada@example.com", "bob@example.com"]);
    assert_eq!(sent.rejected, ["no-one@example.com"]);
    assert_eq!(smtp.taken()["to"], json!(sent.accepted));
    mail.cc.clear();
    for (to, kind, words) in [
        ("no-one@example.com", Kind::Invalid, "550: there is nobody"),
        ("later-on@example.com", Kind::Unavailable, "451: come again"),
    ] {
        mail.to = addresses("to", to).unwrap();
        let (found, message) = refused(installation.app.send_mail(&mail, Some(&server)));
        assert_eq!(found, kind, "{message}");
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn each_security_signs_in_and_a_wrong_password_is_refused() {
    for (name, security) in [
        ("none", MailSecurity::None),
        ("starttls", MailSecurity::StartTls),
        ("tls", MailSecurity::Tls),
    ] {
        let mut smtp = Smtp::start(name, true);
        let installation = installation();
        let app = &installation.app;
        let plain = smtp.settings(security).with_any_certificate();
        let right = plain
            .clone()
            .with_credentials("ada", SecretText::new(PASSWORD))
            .unwrap();
        app.verify_mail_server(Some(&right))
            .unwrap_or_else(|error| panic!("{name}: {error} {}", error.causes()));
        app.send_mail(&mail(), Some(&right)).unwrap();
        let taken = smtp.taken();
        assert_eq!(
            (&taken["user"], &taken["tls"]),
            (&json!("ada"), &json!(name != "none")),
            "{name}"
        );
        let wrong = plain
            .clone()
            .with_credentials("ada", SecretText::new("wr0ng"))
            .unwrap();
        for refusal in [
            refused(app.verify_mail_server(Some(&wrong))),
            refused(app.send_mail(&mail(), Some(&wrong)).map(|_| ())),
        ] {
            assert_eq!(refusal.0, Kind::Invalid, "{name}: {}", refusal.1);
            assert!(
                refusal.1.contains("user or the password") && !refusal.1.contains("wr0ng"),
                "{}",
                refusal.1
            );
        }
        let (kind, message) = refused(app.send_mail(&mail(), Some(&plain)));
        assert_eq!(kind, Kind::Invalid, "without credentials: {message}");
        assert!(!format!("{right:?}").contains(PASSWORD));
        if name != "none" {
            let strict = smtp.settings(security);
            let (kind, message) = refused(app.verify_mail_server(Some(&strict)));
            assert_eq!(kind, Kind::Unavailable);
            assert!(
                message.contains("TLS"),
                "a certificate that proves nothing: {message}"
            );
        }
    }
}

#[test]
fn a_server_without_tls_is_not_used_in_clear() {
    let smtp = Smtp::start("none", false);
    let installation = installation();
    let server = smtp
        .settings(MailSecurity::StartTls)
        .with_credentials("ada", SecretText::new(PASSWORD))
        .unwrap();
    let (kind, message) = refused(installation.app.send_mail(&mail(), Some(&server)));
    assert_eq!(kind, Kind::Unavailable, "{message}");
    assert!(!message.contains(PASSWORD));
}

#[test]
fn a_private_server_is_for_the_operator_alone() {
    let mut smtp = Smtp::start("none", false);
    let server = smtp.settings(MailSecurity::None);
    let own = server.clone();
    let installation = Installation::with(|options| options.mail_server = Some(own));
    let app = &installation.app;
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "0x7f.1",
        "::ffff:127.0.0.1",
    ] {
        let named = MailServer::new(host, Some(smtp.port), MailSecurity::None).unwrap();
        let (kind, _) = refused(app.verify_mail_server(Some(&named)));
        assert_eq!(kind, Kind::Forbidden, "{host}");
    }
    app.send_mail(&mail(), None).unwrap();
    assert_eq!(smtp.taken()["to"], json!(["ada@example.com"]));
    app.verify_mail_server(None).unwrap();
}

#[test]
fn without_any_server_the_error_says_what_to_do() {
    let installation = installation();
    let (kind, message) = refused(installation.app.send_mail(&mail(), None));
    assert_eq!(kind, Kind::Invalid);
    assert!(message.contains("smtp_host"), "{message}");
    let closed = MailServer::new("127.0.0.1", Some(1), MailSecurity::None)
        .unwrap()
        .with_sender("a@b.de")
        .unwrap();
    assert_eq!(
        refused(installation.app.send_mail(&mail(), Some(&closed))).0,
        Kind::Unavailable
    );
    let silent = MailServer::new("127.0.0.1", Some(1), MailSecurity::None).unwrap();
    assert!(
        refused(installation.app.send_mail(&mail(), Some(&silent)))
            .1
            .contains("from")
    );
}
