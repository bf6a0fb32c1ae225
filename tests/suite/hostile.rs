//! Scripts that attack virhai, in `tests/data/hostile`: none of them gets anything.
//!
//! Each script starts with three kinds of `//!` lines: what it tries, `Options:` for virhai
//! (optional) and the exit status that it must end with, such as `Status: 1|3`. Its arguments are
//! the path of a program that leaves a mark when it runs, a secret file whose content must not
//! appear in any output, and an empty folder that must stay empty. In `Options:`, `$PROGRAM`,
//! `$SECRET`, `$EMPTY` and `$SCRATCH` stand for these three and for the folder they are in, which
//! also has a copy of the script.
//!
//! The status of a script shows that the attack reached the code it was meant for: a script that
//! catches each refusal and looks at its error can end with 0.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use virhai::files::scripts_below;

use crate::support::{Scratch, end_qemu, virhai};

/// Time limit for a script, whatever it tries.
const LONGEST: Duration = Duration::from_secs(60);

/// The number of scripts that run at the same time.
const AT_ONCE: usize = 4;

/// The word in each line of the secret file.
const SECRET: &str = "swordfish";

/// The size of the kept end of an output, in bytes.
const KEPT: usize = 4_000;

/// An attack, as its first lines describe it.
struct Attack {
    file: PathBuf,
    options: Vec<String>,
    statuses: Vec<i32>,
}

impl Attack {
    fn read(file: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
        if text.contains(SECRET) {
            return Err(format!("it contains the secret word `{SECRET}` itself"));
        }
        let header: Vec<&str> = text
            .lines()
            .map_while(|line| line.strip_prefix("//!"))
            .map(str::trim)
            .collect();
        let field = |name: &str| header.iter().find_map(|line| line.strip_prefix(name));
        if !header
            .first()
            .is_some_and(|line| line.starts_with("Tries "))
        {
            return Err("its first line does not say `//! Tries to ...`".into());
        }
        let statuses = field("Status:").ok_or("it has no line `//! Status: N`")?;
        let statuses = statuses
            .trim()
            .split('|')
            .map(str::parse)
            .collect::<Result<_, _>>();
        Ok(Self {
            file: file.to_owned(),
            options: field("Options:")
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
            statuses: statuses.map_err(|_| "its status is not a number")?,
        })
    }

    /// Runs the attack; returns its successes, and faults in the way it ended.
    fn offences(&self) -> Vec<String> {
        let prey = Prey::new();
        let ended = self.run(&prey);
        let mut offences = prey.losses();
        for (name, output) in [("output", &ended.stdout), ("error output", &ended.stderr)] {
            if output.has_secret {
                offences.push(format!("the secret is in its {name}"));
            }
        }
        match (ended.timed_out, ended.status.code()) {
            (true, _) => offences.push(format!("it did not end within {LONGEST:?}")),
            (_, None) => {
                let signal = ended.status.signal().unwrap_or_default();
                offences.push(format!("signal {signal} ended it"));
            }
            (_, Some(status)) if !self.statuses.contains(&status) => {
                offences.push(format!("it ended with {status}, not {:?}", self.statuses));
            }
            _ => {}
        }
        if ended
            .stderr
            .tail
            .contains("internal error (please report this)")
        {
            offences.push("virhai reports an internal error".into());
        }
        if !offences.is_empty() {
            let (stdout, stderr) = (ended.stdout.tail, ended.stderr.tail);
            offences.push(format!("\n--- stdout\n{stdout}\n--- stderr\n{stderr}"));
        }
        offences
    }

    fn run(&self, prey: &Prey) -> Ended {
        let copy = prey.scratch.copy(&self.file, "attack.rhai");
        let mut run = virhai().unprivileged().without_grants();
        for option in &self.options {
            run = run.arg(prey.filled_in(option));
        }
        for (name, folder) in FOLDERS {
            run = run.env(name, prey.scratch.path(folder));
        }
        // Words that a script does not use are refused. A script that is not UTF-8 text is refused in any case.
        let text = std::fs::read(&copy).expect("it was copied");
        let uses_arguments = String::from_utf8_lossy(&text).contains("args");
        let run = run.folder(prey.scratch.path("home")).arg("run").arg(copy);
        let run = match uses_arguments {
            true => run.arg(&prey.program).arg(&prey.secret).arg(&prey.empty),
            false => run,
        };
        let mut command = run.command();
        let mut child = command
            .stdin(Stdio::null())
            .spawn()
            .expect("the program can be started");
        let stdout = child.stdout.take().expect("standard output is a pipe");
        let stderr = child.stderr.take().expect("standard error is a pipe");
        std::thread::scope(|scope| {
            let stdout = scope.spawn(|| Output::read(stdout));
            let stderr = scope.spawn(|| Output::read(stderr));
            let until = Instant::now() + LONGEST;
            let mut timed_out = false;
            let status = loop {
                if let Some(status) = child.try_wait().expect("the program can be waited for") {
                    break status;
                }
                if Instant::now() >= until && !timed_out {
                    timed_out = true;
                    let _ = kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL);
                }
                std::thread::sleep(Duration::from_millis(10));
            };
            // A guest that outlives virhai may hold virhai's output open.
            end_qemu(&prey.scratch);
            Ended {
                status,
                timed_out,
                stdout: stdout.join().expect("output can be read"),
                stderr: stderr.join().expect("output can be read"),
            }
        })
    }
}

/// Folders of a user that an attack runs as.
const FOLDERS: [(&str, &str); 6] = [
    ("HOME", "home"),
    ("XDG_RUNTIME_DIR", "run"),
    ("XDG_CONFIG_HOME", "config"),
    ("XDG_CACHE_HOME", "cache"),
    ("XDG_DATA_HOME", "data"),
    ("XDG_STATE_HOME", "state"),
];

/// A file of the user that no attack may change.
const PROFILE: (&str, &str) = ("home/.profile", "# the user's own\n");

/// The targets of an attack.
struct Prey {
    scratch: Scratch,
    program: PathBuf,
    secret: PathBuf,
    empty: PathBuf,
}

impl Prey {
    fn new() -> Self {
        let scratch = Scratch::new();
        for (_, folder) in FOLDERS {
            scratch.folder(folder);
        }
        scratch.folder("mark");
        let mark = scratch.text("mark/it-ran");
        let program = scratch.write("program.sh", format!("#!/bin/sh\n: > '{mark}'\n"));
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&program, executable).expect("the file is ours");
        scratch.write(PROFILE.0, PROFILE.1);
        let secret = scratch.write("secret", secret());
        let empty = scratch.folder("empty");
        Self {
            scratch,
            program,
            secret,
            empty,
        }
    }

    fn filled_in(&self, option: &str) -> String {
        let text = |path: &Path| path.to_str().expect("paths of tests are text").to_owned();
        option
            .replace("$PROGRAM", &text(&self.program))
            .replace("$SECRET", &text(&self.secret))
            .replace("$EMPTY", &text(&self.empty))
            .replace("$SCRATCH", self.scratch.text("").trim_end_matches('/'))
    }

    fn losses(&self) -> Vec<String> {
        let mut losses = Vec::new();
        if self.scratch.path("mark/it-ran").exists() {
            losses.push("the program ran".to_owned());
        }
        let files: Vec<String> = std::fs::read_dir(&self.empty)
            .expect("the folder is there")
            .flatten()
            .map(|file| file.file_name().to_string_lossy().into_owned())
            .collect();
        if !files.is_empty() {
            losses.push(format!("the empty folder holds {}", files.join(", ")));
        }
        let is = |name: &str| std::fs::read_to_string(self.scratch.path(name));
        if is(PROFILE.0).ok().as_deref() != Some(PROFILE.1) {
            losses.push("~/.profile has changed".into());
        }
        if is("secret").ok() != Some(secret()) {
            losses.push("the secret file has changed".into());
        }
        losses
    }
}

/// The content of a file that no script may read; it works as text, as XML and as a list of users.
fn secret() -> String {
    format!("root:{SECRET}:19000:\n<{SECRET} {SECRET}='{SECRET}'>{SECRET}</{SECRET}>\n{SECRET}\n")
}

struct Ended {
    status: ExitStatus,
    timed_out: bool,
    stdout: Output,
    stderr: Output,
}

/// The output, of which only the end is kept.
struct Output {
    has_secret: bool,
    tail: String,
}

impl Output {
    fn read(mut from: impl Read) -> Self {
        let mut has_secret = false;
        let mut kept: Vec<u8> = Vec::new();
        let mut chunk = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from.read(&mut chunk) {
            // The kept part and the chunk together contain a secret that the chunk boundary splits.
            kept.extend(&chunk[..length]);
            has_secret |= kept
                .windows(SECRET.len())
                .any(|part| part == SECRET.as_bytes());
            kept.drain(..kept.len().saturating_sub(KEPT));
        }
        Self {
            has_secret,
            tail: String::from_utf8_lossy(&kept).into_owned(),
        }
    }
}

/// Runs all attacks and lists the offences of each.
fn offenders(files: &[PathBuf]) -> Vec<String> {
    let (next, offenders) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let offences = match Attack::read(file) {
                Ok(attack) => attack.offences(),
                Err(wrong) => vec![wrong],
            };
            if !offences.is_empty() {
                let name = file.file_name().unwrap_or_default().display();
                let line = format!("{name}: {}", offences.join("; "));
                offenders.lock().expect("no thread panicked").push(line);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    offenders.into_inner().expect("no thread panicked")
}

#[test]
fn hostile_scripts_gain_no_access() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hostile");
    let found = scripts_below(&folder).map(|found| found.expect("scripts can be listed"));
    let mut files: Vec<PathBuf> = found.collect();
    // `HOSTILE` selects single scripts, for debugging.
    if let Ok(only) = std::env::var("HOSTILE") {
        files.retain(|file| file.to_string_lossy().contains(&only));
    }
    assert!(!files.is_empty(), "there are no scripts");
    let offenders = offenders(&files);
    println!(
        "{} hostile scripts, {} got something",
        files.len(),
        offenders.len()
    );
    assert!(offenders.is_empty(), "{}", offenders.join("\n\n"));
}

/// The harness detects each kind of loss: attacks that have the permission are reported.
#[test]
fn the_harness_detects_a_successful_attack() {
    let scratch = Scratch::new();
    let found = |options: &str, status: &str, script: &str| {
        let header =
            format!("//! Tries to be seen.\n//! Options: {options}\n//! Status: {status}\n");
        let file = scratch.write("seen.rhai", format!("{header}{script}"));
        offenders(&[file]).join("\n")
    };
    let granted = "--allow-read $SECRET --allow-write $SCRATCH";
    let volume =
        "let pool = connect(\"test:///default\").storage_pool_lookup_by_name(\"default-pool\");";
    assert_eq!(found("", "0", volume), "");
    let cases = [
        ("", "0", "exit(3);", "ended with 3, not [0]"),
        (
            "",
            "0",
            "print(\"sword\" + \"fish\");",
            "the secret is in its output",
        ),
        (
            "",
            "1",
            "throw \"sword\" + \"fish\";",
            "the secret is in its error output",
        ),
        (
            granted,
            "0",
            "connect(\"test:///default\").lookup_by_name(\"test\").save(args[2] + \"/image\");",
            "the empty folder holds image",
        ),
        (
            granted,
            "0",
            "connect(\"test:///default\").lookup_by_name(\"test\").save(args[1]);",
            "the secret file has changed",
        ),
    ];
    for (options, status, script, seen) in cases {
        let found = found(options, status, script);
        assert!(found.contains(seen), "{script}: {found}");
    }
    // A program that runs, here because the user's own URI names it.
    let script = "try { connect(); } catch {}";
    let found = found("-c qemu+ext:///system?command=$PROGRAM", "0", script);
    assert!(found.contains("the program ran"), "{found}");
}

/// A file that a test host's description includes needs a permission like the description itself.
#[test]
fn a_test_host_includes_only_files_that_the_script_may_read() {
    let scratch = Scratch::new();
    let guest = "<domain type='test'><name>kept</name><memory>1024</memory><os><type>hvm</type></os></domain>";
    scratch.write("host/guest.xml", guest);
    scratch.write("guest.xml", guest);
    let open = |name: &str, description: &[u8]| {
        let file = scratch.write(&format!("host/{name}.xml"), description);
        let script = format!(
            "connect(\"test://{}\").list_all_domains().len()",
            file.display()
        );
        virhai()
            .without_grants()
            .arg("--allow-read")
            .arg(scratch.path("host"))
            .script(script)
            .run()
    };
    let node = |inner: &str| format!("<node>{inner}</node>").into_bytes();
    let outside = scratch.text("guest.xml");
    let good = open("good", &node("<domain file='guest.xml'/>"));
    assert_eq!((good.status, good.stdout.trim()), (0, "1"), "{good}");
    let wide: Vec<u8> = "<node><domain file='../guest.xml'/></node>"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let entity =
        "<!DOCTYPE node [<!ENTITY there '../guest.xml'>]><node><domain file='&there;'/></node>";
    let seven = "<?xml version='1.0' encoding='UTF-7'?><node/>";
    let cases: [(&str, Vec<u8>, &str); 7] = [
        (
            "absolute",
            node(&format!("<domain file='{outside}'/>")),
            "may not read",
        ),
        (
            "relative",
            node("<domain file='../guest.xml'/>"),
            "may not read",
        ),
        (
            "encoded",
            node("<domain file='&#46;./guest.xml'/>"),
            "may not read",
        ),
        (
            "volume",
            node("<pool type='dir'><volume file='../guest.xml'/></pool>"),
            "may not read",
        ),
        ("wide", [vec![0xff, 0xfe], wide].concat(), "not UTF-8"),
        ("entity", entity.into(), "document type declaration"),
        ("seven", seven.into(), "encoding is not UTF-8"),
    ];
    for (name, description, words) in cases {
        let refused = open(name, &description);
        assert_eq!(refused.status, 1, "{name}: {refused}");
        assert!(refused.stderr.contains(words), "{name}: {refused}");
    }
}
