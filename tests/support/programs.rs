//! Programs that tests run: with a time limit, and installed by their own package
//! managers where they are not there yet.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

/// How long a package manager may take: a slow network, but not for ever.
const INSTALL_LIMIT: Duration = Duration::from_mins(5);

/// How often a running program is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// One installation at a time, since tests run side by side.
static INSTALLING: Mutex<()> = Mutex::new(());

/// What a program left behind.
pub struct Ended {
    pub success: bool,
    pub stdout: String,
    pub stderr: String,
}

/// Runs a program to its end, or kills it when the limit is over.
#[track_caller]
pub fn run(mut command: Command, limit: Duration) -> Ended {
    let name = command.get_program().to_string_lossy().into_owned();
    // Files take any amount of output; a pipe that nobody reads stops the program.
    let folder = tempfile::tempdir().expect("a folder for the output");
    let (stdout, stderr) = (folder.path().join("stdout"), folder.path().join("stderr"));
    let spawned = command
        .stdin(Stdio::null())
        .stdout(File::create(&stdout).expect("a file"))
        .stderr(File::create(&stderr).expect("a file"))
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            panic!("`{name}` is not installed, and these tests fail without it")
        }
        Err(error) => panic!("`{name}` can't be started: {error}"),
    };
    let mut waited = Duration::ZERO;
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child to wait for") {
            break Some(status);
        }
        if waited > limit {
            child.kill().expect("a child to kill");
            child.wait().expect("a killed child");
            break None;
        }
        sleep(LOOK_EVERY);
        waited += LOOK_EVERY;
    };
    let text = |file: &Path| fs::read_to_string(file).expect("output in UTF-8");
    let (stdout, stderr) = (text(&stdout), text(&stderr));
    let Some(status) = status else {
        panic!("`{name}` did not end within {limit:?}:\n{stdout}{stderr}");
    };
    Ended {
        success: status.success(),
        stdout,
        stderr,
    }
}

/// Installs what the lock file of a folder pins, unless that is done already.
pub fn install_node_modules(folder: &Path) {
    let _alone = INSTALLING.lock();
    let changed = |file: &str| -> Option<SystemTime> {
        fs::metadata(folder.join(file)).ok()?.modified().ok()
    };
    let pinned = changed("package-lock.json").expect("a lock file");
    // npm writes this file when everything else is in place.
    if changed("node_modules/.package-lock.json").is_some_and(|done| done >= pinned) {
        return;
    }
    let mut command = Command::new("npm");
    command
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(folder);
    let ended = run(command, INSTALL_LIMIT);
    let words = format!("{}{}", ended.stdout, ended.stderr);
    assert!(ended.success, "`npm ci` in {}:\n{words}", folder.display());
}

/// Returns a Python of its own that has `module`, installed from a list of requirements
/// where it is not there yet.
pub fn install_python(name: &str, module: &str, requirements: &Path) -> PathBuf {
    let _alone = INSTALLING.lock();
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let python = venv.join("bin/python3");
    let import = format!("import {module}");
    let is_there = Command::new(&python)
        .args(["-c", &import])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !is_there {
        let mut venv_maker = Command::new("python3");
        venv_maker.args(["-m", "venv"]).arg(&venv);
        let made = run(venv_maker, INSTALL_LIMIT);
        assert!(made.success, "python3 -m venv:\n{}", made.stderr);
        let mut install = Command::new(&python);
        install.args(["-m", "pip", "install", "--quiet", "-r"]);
        install.arg(requirements);
        let installed = run(install, INSTALL_LIMIT);
        assert!(installed.success, "pip install:\n{}", installed.stderr);
    }
    python
}
