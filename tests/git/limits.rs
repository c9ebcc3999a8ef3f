//! What a repository, a push and a build may take, and what becomes of larger ones.

use std::fs::{self, File};
use std::process::Stdio;

use elastane::domain::principal::{Channel, Origin, Principal};

use super::build::{assert_nothing, borrowed, component, versions};
use super::given::{House, Said, command, commit, git, wait_for_line};

/// The repository of the tests.
const REPO: &str = "ada-s/hello.git";

/// One mebibyte.
const MIB: u64 = 1024 * 1024;

#[test]
fn a_repository_that_is_full_takes_nothing_more_and_gives_branches_up() {
    let house = House::new();
    let url = house.url(&house.ada, REPO);
    let clone = house.committed("one", "topic", &[("a.txt", "one\n")]);
    git(&clone, &["push", &url, "topic"]).well();
    let data = house.server.installation.dir.path();
    let repository = data.join("elastane.repositories");
    let repository = repository.join(format!("{}.git", house.component));
    // Nothing of it is on the disk, and its length counts.
    let filler = repository.join("objects/filler");
    let file = File::create(&filler).expect("a file of the repository");
    file.set_len(2 * 1024 * MIB).expect("its length");
    commit(&clone, &[("a.txt", "two\n")]);
    let said = git(&clone, &["push", &url, "topic"]).refused();
    assert!(said.contains("a repository has at most"), "{said}");
    git(&clone, &["push", &url, ":topic"]).well();
    fs::remove_file(filler).expect("it was made above");
    git(&clone, &["push", &url, "topic"]).well();
}

#[test]
fn a_revision_whose_files_are_too_large_is_not_built() {
    let house = House::new();
    let url = house.url(&house.ada, REPO);
    let clone = house.committed("one", "master", &borrowed(&component("1.0.0", "true")));
    // One small object under three names: what it unpacks to counts, and not what was sent.
    let zeros = File::create(clone.join("0.bin")).expect("a file");
    zeros.set_len(86 * MIB).expect("its length");
    for name in ["1.bin", "2.bin"] {
        fs::hard_link(clone.join("0.bin"), clone.join(name)).expect("another name");
    }
    commit(&clone, &[]);
    let said = git(&clone, &["push", &url, "master"]).refused();
    assert!(said.contains("its files have 27"), "{said}");
    assert_nothing(&house);
}

#[test]
fn a_push_that_is_too_large_is_cut_off() {
    let house = House::new();
    let url = house.url(&house.ada, REPO);
    let clone = house.committed("one", "topic", &[]);
    // Bytes that nothing packs.
    let mut state = 88_172_645_463_325_252_u64;
    let mut bytes = Vec::with_capacity(usize::try_from(101 * MIB).expect("it fits"));
    while bytes.len() < bytes.capacity() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_ne_bytes());
    }
    fs::write(clone.join("noise.bin"), bytes).expect("a file");
    let unpacked = ["-c", "core.compression=0"];
    git(&clone, &[&unpacked[..], &["add", "-A"]].concat()).well();
    git(&clone, &["commit", "-q", "-m", "large"]).well();
    let push = ["push", &url, "topic"];
    let said = git(&clone, &[&unpacked[..], &push].concat()).refused();
    assert!(said.contains("exceeds maximum allowed size"), "{said}");
    let there = git(house.desk.path(), &["ls-remote", &url]).well();
    assert_eq!(there, "");
}

/// Tests that serve themselves, on every address of the loopback, and reach nobody else;
/// and that get no more memory than a process of a build may have.
const SERVES_ITSELF: &str = "
const http = require('http'), net = require('net');
const GIB = 2 ** 30;
Buffer.allocUnsafeSlow(GIB);
try { Buffer.allocUnsafeSlow(3.5 * GIB); process.exit(4); } catch {}
const foreign = (port) => new Promise((done) => {
    const socket = net.connect(port, '127.0.0.1', () => done(true));
    socket.on('error', () => done(false));
});
const server = http.createServer((request, answer) => answer.end('served'));
server.listen(0, '127.0.0.1', async () => {
    const answer = await fetch(`http://localhost:${server.address().port}/`);
    const isOpen = await foreign(PORT);
    console.log('it is', await answer.text(), isOpen);
    process.exit(isOpen ? 5 : 0);
});
";

#[test]
fn tests_of_a_component_reach_what_they_serve_and_nobody_else() {
    let house = House::new();
    let url = house.url(&house.ada, REPO);
    let port = house.server.base.rsplit(':').next().expect("a port");
    let mut files = component("1.0.0", "node serve.js");
    files.push(("serve.js", SERVES_ITSELF.replace("PORT", port)));
    let clone = house.committed("one", "master", &borrowed(&files));
    let said = git(&clone, &["push", &url, "master"]).well();
    assert!(said.contains("it is served false"), "{said}");
    assert_eq!(versions(&house).len(), 1);
}

#[test]
fn an_api_key_that_is_revoked_during_a_push_pushes_nothing() {
    let house = House::new();
    let url = house.url(&house.ada, REPO);
    let script = "
        console.log('the test waits');
        setInterval(() => { if (require('fs').existsSync('../../npm/go')) process.exit(0); }, 50);";
    let mut files = component("1.0.0", "node wait.js");
    files.push(("wait.js", script.to_owned()));
    let clone = house.committed("one", "master", &borrowed(&files));
    let push = command(&clone)
        .args(["push", &url, "master"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("git");
    let builds = house.server.installation.dir.path();
    let builds = builds.join("elastane.builds").join(&house.component);
    wait_for_line(&builds.join("new/log"), "the test waits");
    let app = &house.server.installation.app;
    let operator = Principal::operator(Channel::Cli);
    let ada = house.ada.user.as_ref().expect("a user").id;
    let keys = app.api_keys_of(&operator, ada, None, 10);
    let keys = keys.expect("the keys");
    assert_eq!(keys.len(), 1);
    app.revoke_api_key(&operator, keys[0].id)
        .expect("the key is there");
    fs::write(builds.join("npm/go"), "").expect("a file");
    let said = Said(push.wait_with_output().expect("its end")).refused();
    assert!(
        said.contains("remote: error: your API key was revoked"),
        "{said}"
    );
    let who = house.ada.user.clone().expect("a user");
    let who = Principal::user(who, Origin::local(Channel::Api));
    let id = house.component.parse().expect("an id");
    let built = app.component_versions(&who, id).expect("a list");
    assert!(built.is_empty());
}
