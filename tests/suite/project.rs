//! `virhai.toml`: the permissions and rules that a repo's own file sets, and their acceptance by
//! the user.

use std::os::unix::fs::PermissionsExt;

use crate::support::{Run, Scratch, Terminal, virhai};

const FILE: &str = "
[grants]
read = ['data']
run = ['echo']

[rules]
deny = ['destroy:test']
";

const SCRIPT: &str = "
print(read_text(args[0]) + run([\"echo\", \"ran\"]).stdout);
connect(\"test:///default\").lookup_by_name(\"test\").destroy();
";

/// A repo with a script in a folder of its own.
fn repo(file: &str) -> Scratch {
    let scratch = Scratch::new();
    for folder in ["home", "repo/data", "repo/scripts"] {
        scratch.folder(folder);
    }
    scratch.write("repo/data/a", "content ");
    scratch.write("repo/virhai.toml", file);
    scratch.write("repo/scripts/a.rhai", SCRIPT);
    scratch
}

fn run(repo: &Scratch, options: &[&str]) -> Run {
    let run = virhai()
        .unprivileged()
        .without_grants()
        .env("HOME", repo.path("home"))
        .env("XDG_STATE_HOME", "")
        .env("NO_COLOR", "1");
    options.iter().fold(run, |run, option| run.arg(option))
}

fn script(repo: &Scratch, options: &[&str]) -> Run {
    let script = run(repo, options)
        .arg("run")
        .arg(repo.path("repo/scripts/a.rhai"));
    script.arg(repo.path("repo/data/a"))
}

#[test]
fn permissions_need_the_users_consent_and_rules_are_valid_at_once() {
    let repo = repo(FILE);
    let asked = script(&repo, &[]).fails(2);
    let words = "needs permissions that you have not accepted: read data; run the program echo";
    assert!(asked.stderr.contains(words), "{asked}");
    assert_eq!(asked.stdout, "", "nothing has run");
    let denied = "of REPO/virhai.toml denies it".replace("REPO", &repo.text("repo"));
    let once = script(&repo, &["--trust", "-v"]).fails(1);
    assert_eq!(once.stdout, "content ran\n\n", "{once}");
    assert!(
        once.stderr.contains("virhai.toml allows: read data"),
        "{once}"
    );
    assert!(
        once.stderr.contains("virhai.toml denies: destroy:test"),
        "{once}"
    );
    assert!(once.stderr.contains(&denied), "{once}");
    let none = script(&repo, &["--no-config"]).fails(1);
    assert!(none.stderr.contains("may not read"), "{none}");
    let told = run(&repo, &["trust"]).arg(repo.path("repo/scripts")).ok();
    assert!(
        told.contains("is accepted until it changes\n  read data\n"),
        "{told}"
    );
    let known = script(&repo, &[]).fails(1);
    assert!(known.stderr.contains(&denied), "{known}");
    // Changed content must be accepted again.
    repo.write("repo/virhai.toml", FILE.replace("'data'", "'data', '/'"));
    script(&repo, &[]).fails(2);
    repo.write("repo/virhai.toml", FILE);
    run(&repo, &["trust", "--remove"])
        .arg(repo.path("repo"))
        .ok();
    script(&repo, &[]).fails(2);
    // Rules need no consent.
    repo.write("repo/virhai.toml", "[rules]\ndeny = ['destroy']");
    let ruled = script(
        &repo,
        &["--allow-read", "/", "--allow-run", "echo", "--allow", "*"],
    )
    .fails(1);
    assert!(ruled.stderr.contains("denies it"), "{ruled}");
    repo.write("repo/virhai.toml", "[rules]\nallow = ['destroy:other']");
    let ruled = script(
        &repo,
        &["--allow-read", "/", "--allow-run", "echo", "--allow", "*"],
    )
    .fails(1);
    assert!(ruled.stderr.contains("virhai.toml allows it"), "{ruled}");
}

#[test]
fn a_wrong_file_or_one_that_other_users_can_write_is_refused() {
    let repo = repo(FILE);
    let refused = |words: &str| {
        let refused = script(&repo, &["--trust"]).fails(2);
        assert!(refused.stderr.contains(words), "{refused}");
    };
    let mode = |name: &str, mode: u32| {
        std::fs::set_permissions(repo.path(name), PermissionsExt::from_mode(mode)).expect("ours");
    };
    mode("repo/virhai.toml", 0o666);
    refused("other users can write to it");
    mode("repo/virhai.toml", 0o644);
    mode("repo", 0o777);
    refused("other users can write to its folder");
    mode("repo", 0o755);
    for (text, words) in [
        ("[grants]\nraed = []", "unknown field `raed`"),
        ("[grants]\nread = 'data'", "expected a sequence"),
        (
            "[rules]\ndeny = ['destory:x']",
            "no call is called `destory`",
        ),
        ("[grants", "line 1"),
    ] {
        repo.write("repo/virhai.toml", text);
        refused(words);
    }
}

#[test]
fn a_terminal_is_asked_once_and_shows_no_control_characters() {
    let repo = repo("[grants]\nread = ['data', \"a\\u001b[2Jb\"]\nrun = ['echo']");
    let start = || Terminal::start(&script(&repo, &[]).command());
    let mut no = start();
    no.shows("needs these permissions:");
    no.shows("read a\u{241b}[2Jb");
    no.types("n\r");
    no.shows("the script asks to read");
    no.types("n\r");
    assert_eq!(no.ends(), 1);
    let mut always = start();
    always.shows("allow them?");
    always.types("a\r");
    always.shows("content ran");
    assert_eq!(always.ends(), 0);
    script(&repo, &[]).ok();
}
