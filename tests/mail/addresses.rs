//! What a mail may hold, and what would become a header of its own.

use elastane::domain::Kind;
use elastane::domain::mail::{Mail, MailAttachment, RECIPIENTS_MAX, address, addresses};

use elastane::app::mail::{MailSecurity, MailServer};

#[test]
fn addresses_stand_between_commas_with_or_without_names() {
    let read = |text: &str| -> Vec<(Option<String>, String)> {
        let found = addresses("to", text).unwrap_or_else(|error| panic!("{text}: {error}"));
        found
            .into_iter()
            .map(|one| (one.name, one.email.as_str().to_owned()))
            .collect()
    };
    let bare = |email: &str| (None, email.to_owned());
    let named = |name: &str, email: &str| (Some(name.to_owned()), email.to_owned());
    for (text, expected) in [
        ("", vec![]),
        (" , ,", vec![]),
        ("ada@example.com", vec![bare("ada@example.com")]),
        (
            " a@b.de,c@d.de ; e@f.de,",
            vec![bare("a@b.de"), bare("c@d.de"), bare("e@f.de")],
        ),
        ("Ada L. <a@b.de>", vec![named("Ada L.", "a@b.de")]),
        ("<a@b.de>", vec![bare("a@b.de")]),
        (
            "\"Doe, J.; x\" <a@b.de>, c@d.de",
            vec![named("Doe, J.; x", "a@b.de"), bare("c@d.de")],
        ),
        (
            "Zoë <zoë@müller.example>",
            vec![named("Zoë", "zoë@müller.example")],
        ),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn what_is_no_address_or_would_break_a_header_is_refused() {
    for text in [
        "ada",
        "a@b.de c@d.de",
        "a@b.de\r\nBcc: c@d.de",
        "Ada\r\nBcc: x <a@b.de>",
        "Ada\n<a@b.de>",
        "Ada <a@b.de> x",
        "Ada <a@b.de",
        "<a@b.de><c@d.de>",
        "\"Ada <a@b.de>",
        "Ada <a@b.de\r\n>",
        "a@b.de\0",
    ] {
        let error = addresses("cc", text).expect_err(text);
        assert_eq!(
            (error.kind(), error.fields()[0].field.as_str()),
            (Kind::Invalid, "cc"),
            "{text:?}"
        );
    }
    assert!(address("replyTo", " ").is_err());
    assert!(addresses("to", &"a@b.de,".repeat(RECIPIENTS_MAX + 1)).is_err());
}

#[test]
fn a_mail_is_checked_before_anything_is_sent() {
    let good = Mail {
        to: addresses("to", "a@b.de").unwrap(),
        subject: "x".to_owned(),
        ..Mail::default()
    };
    good.check().unwrap();
    let attached = |filename: &str, bytes: usize| Mail {
        attachments: vec![MailAttachment {
            filename: filename.to_owned(),
            content_type: None,
            bytes: vec![0; bytes],
        }],
        ..good.clone()
    };
    let many = addresses("bcc", &"a@b.de,".repeat(RECIPIENTS_MAX)).unwrap();
    for (field, bad) in [
        (
            "to",
            Mail {
                to: Vec::new(),
                ..good.clone()
            },
        ),
        (
            "to",
            Mail {
                bcc: many,
                ..good.clone()
            },
        ),
        (
            "subject",
            Mail {
                subject: "x\r\nBcc: c@d.de".to_owned(),
                ..good.clone()
            },
        ),
        (
            "subject",
            Mail {
                subject: "x".repeat(999),
                ..good.clone()
            },
        ),
        ("attachments", attached("a\r\nb", 1)),
        ("attachments", attached("", 1)),
        ("attachments", attached("a", 20 * 1024 * 1024 + 1)),
    ] {
        assert_eq!(bad.check().unwrap_err().fields()[0].field, field);
    }
    attached("a", 1_000).check().unwrap();
}

#[test]
fn a_mail_server_is_a_host_with_a_port() {
    let port = |security| {
        MailServer::new("mail.example.com", None, security)
            .unwrap()
            .port()
    };
    assert_eq!(
        [
            MailSecurity::None,
            MailSecurity::StartTls,
            MailSecurity::Tls
        ]
        .map(port),
        [25, 587, 465]
    );
    for host in ["", " ", "a b", "a/b", "a\r\nb", "user@host", "http://x"] {
        assert!(
            MailServer::new(host, None, MailSecurity::Tls).is_err(),
            "{host:?}"
        );
    }
    assert!(MailServer::new("a", Some(0), MailSecurity::Tls).is_err());
    assert!(MailSecurity::parse("security", "ssl").is_err());
}
