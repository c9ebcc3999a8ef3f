//! Git over SSH: what a client may ask of the forced command of its key (`runtime.md 6`).
//!
//! The client's words reach this program as a text. One of two programs and one repository
//! are read out of it; everything else is refused with the remote that works.

use std::net::IpAddr;
use std::process::Stdio;
use std::time::Duration;

use super::Git;
use super::tool::{Caller, Running, not_started};
use crate::app::git_server::GitProgram;
use crate::app::repository::PushKey;
use crate::clock::monotonic_ms;
use crate::domain::component::Component;
use crate::domain::id::SshKeyId;
use crate::domain::principal::{Channel, Origin, Principal};
use crate::domain::{Error, Kind, Result};

/// How long one session may take: a build has ten minutes (`settled.md`), and the objects
/// have to come and go.
const SESSION_MAX_MS: u64 = 30 * 60 * 1_000;

/// How often we look whether git has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How long git gets to end by itself once the server is gone: its hook looks, too, and ends
/// its build better than we could.
const ALONE_MAX_MS: u64 = 3_000;

/// The longest command: a path of two slugs is far shorter.
const COMMAND_MAX_BYTES: usize = 1_024;

/// A session, as the SSH server tells of it.
#[derive(Clone, Debug)]
pub struct SshSession {
    /// The key that the client proved to have.
    pub key: SshKeyId,
    /// What the client wants to run; none where it wants a shell.
    pub command: Option<String>,
    /// The system account that it came to.
    pub account: String,
    /// The version of the protocol that its git speaks.
    pub protocol: Option<String>,
    /// Its network address.
    pub address: Option<IpAddr>,
}

/// What a command of a client asks for.
#[derive(Debug, PartialEq, Eq)]
struct Asked<'a> {
    program: GitProgram,
    team: Option<&'a str>,
    repository: &'a str,
}

impl Git {
    /// Serves a session to its end; tells whether git ended well.
    ///
    /// Git speaks to the client by the input and output of this process.
    pub fn serve_ssh(&self, session: &SshSession) -> Result<bool> {
        let origin = Origin {
            channel: Channel::Ssh,
            address: session.address,
            request_id: None,
        };
        let who = self.app.sign_in_by_ssh_key(session.key, origin)?;
        if let Some(message) = self.app.maintenance()? {
            return Err(Error::new(Kind::Unavailable, message));
        }
        let account = &session.account;
        let asked = session.command.as_deref().and_then(asked).ok_or_else(|| {
            let message = format!(
                "git is served here, and nothing else; the remote is \
                 {account}@HOST:TEAM/REPOSITORY.git"
            );
            Error::forbidden(message)
        })?;
        let component = self.repository_asked(&who, &asked, account)?;
        let caller = Caller {
            user: who.require_user()?.id,
            key: Some(PushKey::Ssh(session.key)),
            address: session.address,
        };
        let mut command = self.git_serving(component.id, caller);
        let name = asked.program.as_str();
        command
            .arg(name.strip_prefix("git-").unwrap_or(name))
            .arg(self.app.repository_path(component.id)?)
            .stdin(Stdio::inherit())
            .stdout(Stdio::inherit())
            .stderr(Stdio::inherit());
        if let Some(version) = session.protocol.as_deref().filter(|it| is_protocol(it)) {
            command.env("GIT_PROTOCOL", version);
        }
        let mut running =
            Running::start(&mut command).map_err(|error| not_started("git", error))?;
        let mut ends_ms = monotonic_ms() + SESSION_MAX_MS;
        let mut is_alone = false;
        while monotonic_ms() < ends_ms {
            if let Some(ended) = running.child().try_wait().map_err(Error::internal)? {
                return Ok(ended.success());
            }
            if !is_alone && self.require_server().is_err() {
                is_alone = true;
                ends_ms = ends_ms.min(monotonic_ms() + ALONE_MAX_MS);
            }
            std::thread::sleep(LOOK_EVERY);
        }
        self.require_server()?;
        Err(Error::new(Kind::Unavailable, "this took too long"))
    }

    /// Finds the repository, by the team in the path, by the account as the team's name as
    /// the platform has it, or as the only one of that name; refused where `who` lacks the
    /// right, with the remote that was meant.
    fn repository_asked(
        &self,
        who: &Principal,
        asked: &Asked<'_>,
        account: &str,
    ) -> Result<Component> {
        let right = asked.program.right();
        let find = |team: &str| {
            let found = self
                .app
                .repository_for_git(who, team, asked.repository, right);
            found.map_err(|error| {
                let remote = format!("{account}@HOST:{team}/{}.git", asked.repository);
                Error::new(error.kind(), format!("{error}: {remote}")).caused_by(error)
            })
        };
        if let Some(team) = asked.team {
            return find(team);
        }
        match self
            .app
            .repository_for_git(who, account, asked.repository, right)
        {
            Err(error) if error.kind() == Kind::NotFound => {}
            other => return other,
        }
        match self.app.repository_called(who, asked.repository) {
            Ok(component) => find(component.team.as_str()),
            Err(error) => {
                let message = format!("{error}; the remote is {account}@HOST:TEAM/REPOSITORY.git");
                Err(Error::new(error.kind(), message).caused_by(error))
            }
        }
    }
}

/// Reads what a client wants to run: `git-upload-pack 'team/repository.git'` and its like.
fn asked(command: &str) -> Option<Asked<'_>> {
    if command.len() > COMMAND_MAX_BYTES {
        return None;
    }
    let (program, rest) = match command.strip_prefix("git ") {
        Some(rest) => rest.split_once(' ')?,
        None => command.strip_prefix("git-")?.split_once(' ')?,
    };
    let program = match program {
        "upload-pack" => GitProgram::UploadPack,
        "receive-pack" => GitProgram::ReceivePack,
        _ => return None,
    };
    let path = rest.trim();
    let path = path
        .strip_prefix('\'')
        .and_then(|path| path.strip_suffix('\''))
        .unwrap_or(path);
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let path = path.strip_suffix(".git").unwrap_or(path);
    let (team, repository) = match path.split_once('/') {
        Some((team, repository)) => (Some(team), repository),
        None => (None, path),
    };
    let is_plain = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    (team.is_none_or(is_plain) && is_plain(repository)).then_some(Asked {
        program,
        team,
        repository,
    })
}

/// Tells whether a version of git's protocol is one that git understands: `version=2`, with
/// other keys after colons.
pub(super) fn is_protocol(text: &str) -> bool {
    text.len() <= 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"=:.-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_of_git_are_read() {
        let of = |program, team, repository| {
            Some(Asked {
                program,
                team,
                repository,
            })
        };
        let (up, down) = (GitProgram::ReceivePack, GitProgram::UploadPack);
        assert_eq!(asked("git-receive-pack 'a/b.git'"), of(up, Some("a"), "b"));
        assert_eq!(
            asked("git-upload-pack '/a/b.git/'"),
            of(down, Some("a"), "b")
        );
        assert_eq!(asked("git upload-pack 'b.git'"), of(down, None, "b"));
        assert_eq!(asked("git-upload-pack b"), of(down, None, "b"));
    }

    #[test]
    fn nothing_else_is() {
        for command in [
            "",
            "ls",
            "git-upload-pack",
            "git-upload-pack ",
            "git-upload-archive 'a/b.git'",
            "git-upload-pack 'a/b.git' 'c'",
            "git-upload-pack 'a/b.git'; id",
            "git-upload-pack '../b.git'",
            "git-upload-pack '/etc/a/b.git'",
            "git-upload-pack 'a/$(id).git'",
            "git-upload-pack --upload-pack=id 'a/b.git'",
            "git-upload-pack 'a\n/b.git'",
            "git -c core.x=y upload-pack 'a/b.git'",
        ] {
            assert_eq!(asked(command), None, "{command}");
        }
    }
}
