//! Signed URLs: what a stranger with the URL may do, and nobody else.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;

use elastane::app::App;
use elastane::clock::Clock;
use elastane::domain::{Error, Kind};
use elastane::server::ServerOptions;
use serde_json::json;

use crate::support::{Actor, Installation, TestServer};

/// What the clock of these tests shows at first.
const NOW_MS: i64 = 1_700_000_000_000;

/// A server whose clock stands, with a small limit of objects.
fn start() -> (TestServer, Clock) {
    let clock = Clock::fixed(NOW_MS);
    let installation = Installation::with(|options| {
        options.clock = clock.clone();
        options.rules.object_max_bytes = 100_000;
    });
    (
        TestServer::over(installation, ServerOptions::default()),
        clock,
    )
}

/// Asks for the URLs of an object, and returns them as paths.
fn sign(server: &TestServer, actor: &Actor) -> (String, String) {
    let answer = actor
        .send("POST", "/v1/resources/s3/signed-url", &[], "")
        .json(200);
    assert_eq!(answer["expires"], 18_000);
    let path = |name: &str| {
        let url = answer[name].as_str().expect("a URL");
        url.strip_prefix(&server.base)
            .expect("a URL of this server")
            .to_owned()
    };
    (path("put_url"), path("get_url"))
}

#[test]
fn one_upload_and_many_downloads_need_no_other_credentials() {
    let (server, _) = start();
    let ada = server.user("ada@example.com");
    let (put, get) = sign(&server, &ada);
    assert_ne!(put, get);
    let nobody = server.anonymous();
    assert_eq!(nobody.get(&get).status, 404, "nothing was uploaded yet");
    let csv = [("content-type", "text/csv; charset=utf-8")];
    assert_eq!(nobody.send("PUT", &put, &csv, "a,b\n").json(200), json!({}));
    for _ in 0..3 {
        let answer = nobody.get(&get);
        assert_eq!((answer.status, answer.text.as_str()), (200, "a,b\n"));
        for (name, value) in [
            ("content-type", "text/csv; charset=utf-8"),
            ("content-length", "4"),
            ("content-disposition", "attachment"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
    }
    let head = nobody.send("HEAD", &get, &[], "");
    assert_eq!(
        (
            head.status,
            head.header("content-length"),
            head.text.as_str()
        ),
        (200, Some("4"), "")
    );
    assert_eq!(nobody.send("PUT", &put, &[], "other").status, 409);
    assert_eq!(nobody.get(&get).text, "a,b\n", "the first upload stays");
}

#[test]
fn both_versions_give_the_same_pair() {
    let (server, _) = start();
    let ada = server.user("ada@example.com");
    // What the official client sends.
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for path in [
        "/v1/resources/s3/signed-url",
        "/v2/resources/storage/signed-url",
    ] {
        let answer = ada.send("POST", path, &form, "").json(200);
        let names: Vec<&String> = answer.as_object().unwrap().keys().collect();
        assert_eq!(names, ["put_url", "get_url", "expires"], "{path}");
    }
    assert_eq!(
        server
            .anonymous()
            .post("/v1/resources/s3/signed-url", &json!({}))
            .status,
        401
    );
}

#[test]
fn only_the_right_token_does_the_right_thing() {
    let (server, _) = start();
    let ada = server.user("ada@example.com");
    let (put, get) = sign(&server, &ada);
    let (other_put, other_get) = sign(&server, &ada);
    let token = |path: &str| path.split_once("?token=").unwrap().1.to_owned();
    let stem = put.split_once('?').unwrap().0.to_owned();
    for (method, path) in [
        ("PUT", get.clone()),
        ("PUT", stem.clone()),
        ("PUT", format!("{stem}?token=")),
        ("PUT", format!("{stem}?token={}", token(&other_put))),
        ("PUT", format!("{stem}?token={}0", token(&put))),
        ("PUT", "/storage/x?token=y".to_owned()),
        (
            "PUT",
            format!("/storage/000000000000000000000000?token={}", token(&put)),
        ),
    ] {
        assert_eq!(ada.send(method, &path, &[], "x").status, 404, "{path}");
    }
    assert_eq!(ada.send("PUT", &put, &[], "x").status, 200);
    for path in [
        put.clone(),
        stem.clone(),
        format!("{stem}?token={}", token(&other_get)),
    ] {
        assert_eq!(ada.get(&path).status, 404, "{path}");
    }
    assert_eq!(ada.get(&get).status, 200);
    assert_eq!(
        ada.get(&get).header("content-type"),
        Some("application/octet-stream")
    );
    for method in ["POST", "DELETE", "PATCH"] {
        assert_eq!(ada.send(method, &get, &[], "").status, 405, "{method}");
    }
}

#[test]
fn what_has_expired_is_not_there_and_is_swept() {
    let (server, clock) = start();
    let ada = server.user("ada@example.com");
    let (put, get) = sign(&server, &ada);
    let (late, _) = sign(&server, &ada);
    assert_eq!(ada.send("PUT", &put, &[], "x").status, 200);
    clock.advance(18_000_000 - 1);
    assert_eq!(ada.get(&get).status, 200);
    let app = &server.installation.app;
    assert!(!app.sweep_objects().unwrap());
    assert_eq!(files(&server).len(), 1);
    clock.advance(1);
    assert_eq!(ada.get(&get).status, 404);
    assert_eq!(ada.send("PUT", &late, &[], "x").status, 404);
    assert!(!app.sweep_objects().unwrap(), "no more than one step");
    assert_eq!(files(&server), Vec::<String>::new());
}

#[test]
fn too_much_is_refused_and_leaves_nothing() {
    let (server, _) = start();
    let ada = server.user("ada@example.com");
    let (put, get) = sign(&server, &ada);
    assert_eq!(ada.send("PUT", &put, &[], &"x".repeat(100_001)).status, 413);
    // In chunks nobody knows the length before.
    let mut socket = TcpStream::connect(server.base.strip_prefix("http://").unwrap()).unwrap();
    let head = format!("PUT {put} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = format!("186a1\r\n{}\r\n0\r\n\r\n", "x".repeat(100_001));
    socket.write_all(head.as_bytes()).unwrap();
    // The server may answer and close before it has read everything.
    let _ = socket.write_all(chunk.as_bytes());
    let mut answer = String::new();
    let _ = socket.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(files(&server), Vec::<String>::new());
    assert_eq!(ada.get(&get).status, 404);
    assert_eq!(
        ada.send("PUT", &put, &[], &"x".repeat(100_000)).status,
        200,
        "it may be tried again"
    );
    assert_eq!(ada.get(&get).text.len(), 100_000);
}

#[test]
fn an_upload_that_breaks_off_may_be_repeated() {
    let (server, _) = start();
    let ada = server.user("ada@example.com");
    let (put, get) = sign(&server, &ada);
    let mut socket = TcpStream::connect(server.base.strip_prefix("http://").unwrap()).unwrap();
    let head = format!("PUT {put} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
    socket.write_all(head.as_bytes()).unwrap();
    socket.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    let _ = socket.read_to_string(&mut answer);
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(ada.get(&get).status, 404);
    assert_eq!(files(&server), Vec::<String>::new());
    assert_eq!(ada.send("PUT", &put, &[], "whole").status, 200);
    assert_eq!(ada.get(&get).text, "whole");
}

#[test]
fn files_and_folders_are_for_their_owner_alone_and_the_database_has_no_token() {
    let (server, _) = start();
    let ada = server.user("ada@example.com");
    let (put, get) = sign(&server, &ada);
    assert_eq!(ada.send("PUT", &put, &[], "x").status, 200);
    let folder = server.installation.dir.path().join("elastane.objects");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let file = files(&server).remove(0);
    assert_eq!(
        mode(&folder.join(&file[file.len() - 2..]).join(&file)),
        0o600
    );
    assert!(get.contains(&file), "a file is named as its object");
    let mut database = fs::read(server.installation.database()).unwrap();
    database.extend(
        fs::read(server.installation.dir.path().join("elastane.db-wal")).unwrap_or_default(),
    );
    for path in [put, get] {
        let token = path.split_once("?token=").unwrap().1.as_bytes();
        assert_eq!(token.len(), 64);
        assert!(!database.windows(token.len()).any(|window| window == token));
    }
}

#[test]
fn the_server_stores_and_reads_for_itself() {
    let (server, clock) = start();
    let app = &server.installation.app;
    let bytes: Vec<u8> = (0..=127).cycle().take(70_000).collect();
    let made = app.put_object(&bytes, Some("image/png"), 1_000).unwrap();
    assert_eq!(made.bytes, 70_000);
    let (object, read) = app.read_object(made.id).unwrap();
    assert_eq!(
        (object.content_type.as_deref(), &read),
        (Some("image/png"), &bytes)
    );
    for url in [
        made.get_path.clone(),
        format!("{}{}", server.base, made.get_path),
        format!("https://e.io{}", made.get_path),
    ] {
        assert_eq!(app.read_object_at(&url).unwrap().unwrap().1, bytes, "{url}");
    }
    for url in [
        "",
        "http://x",
        "http://example.com/a.png",
        "/storage/x?token=y",
        &made.get_path[..40],
    ] {
        assert!(app.read_object_at(url).unwrap().is_none(), "{url}");
    }
    let answer = server.anonymous().get(&made.get_path);
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("image/png"))
    );
    let put = server.anonymous().send("PUT", &made.get_path, &[], "x");
    assert_eq!(put.status, 404, "nobody uploads what the server made");
    assert_eq!(
        kind(app.put_object(&vec![0; 100_001], None, 1_000)),
        Kind::TooLarge
    );
    clock.advance(1_000);
    assert_eq!(kind(app.read_object(made.id)), Kind::NotFound);
}

#[test]
fn what_a_crash_has_left_is_swept_a_day_later() {
    let (server, clock) = start();
    let app = &server.installation.app;
    let kept = app.put_object(b"kept", None, i64::from(u32::MAX)).unwrap();
    let lost = app.put_object(b"lost", None, 1_000).unwrap();
    let folder = server.installation.dir.path().join("elastane.objects");
    let name = lost.id.to_string();
    let place = folder.join(&name[22..]).join(&name);
    let saved = fs::read(&place).unwrap();
    clock.advance(1_000);
    app.sweep_objects().unwrap();
    // The row has gone, and the crash came before the file went.
    fs::write(&place, saved).unwrap();
    fs::write(folder.join("new").join(&name), "half").unwrap();
    fs::write(folder.join("new").join("notes.txt"), "somebody's").unwrap();
    sweep_all(app);
    assert_eq!(files(&server).len(), 4, "it may be an upload under way");
    clock.advance(24 * 60 * 60 * 1_000);
    sweep_all(app);
    let mut left = files(&server);
    left.sort();
    let mut expected = vec![kept.id.to_string(), "notes.txt".to_owned()];
    expected.sort();
    assert_eq!(left, expected);
}

#[test]
fn a_file_that_has_gone_is_not_found() {
    let (server, _) = start();
    let app = &server.installation.app;
    let made = app.put_object(b"x", None, 1_000).unwrap();
    fs::remove_dir_all(server.installation.dir.path().join("elastane.objects")).unwrap();
    assert_eq!(server.anonymous().get(&made.get_path).status, 404);
    assert_eq!(
        app.put_object(b"y", None, 1_000).unwrap().bytes,
        1,
        "the folder comes back"
    );
}

/// Goes through all shards.
fn sweep_all(app: &App) {
    let mut next = Some(0);
    while let Some(shard) = next {
        next = app.sweep_leftovers(shard).expect("it can be read");
    }
}

/// Returns the names of all files in the folder of objects.
fn files(server: &TestServer) -> Vec<String> {
    let folder = server.installation.dir.path().join("elastane.objects");
    let Ok(shards) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let shards = shards.map(|shard| shard.expect("it can be read").path());
    let files = shards.flat_map(|shard| fs::read_dir(shard).expect("it can be read"));
    files
        .map(|file| {
            file.expect("it can be read")
                .file_name()
                .into_string()
                .expect("it can be read")
        })
        .collect()
}

/// Returns the kind of an error.
#[track_caller]
fn kind<T>(result: Result<T, Error>) -> Kind {
    match result {
        Ok(_) => panic!("it was accepted"),
        Err(error) => error.kind(),
    }
}
