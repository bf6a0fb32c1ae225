//! The runbooks in `scripts/runbooks`: run, killed at their steps, resumed, undone and rehearsed on QEMU.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::sweeps::{script, site};
use crate::support::{Daemon, Host, NetHost, Picture, Run, Terminal, all, micro};

/// A runbook, and the hosts that it runs on.
struct Runbook<H> {
    name: &'static str,
    host: H,
    args: Vec<String>,
    /// The host that the script may connect to besides its own.
    spare: Option<String>,
    /// A script that asserts the end state.
    check: String,
    /// The file that differs after each boot.
    ignored: Option<&'static str>,
    /// Planned changes that only a guest with an operating system makes possible.
    undone: &'static [&'static str],
}

impl<H: Host> Runbook<H> {
    fn started(&self) -> Run {
        self.host
            .virhai()
            .env("XDG_STATE_HOME", self.host.scratch().path("home/state"))
    }

    fn run(&self, options: &[&str]) -> Run {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("scripts/runbooks")
            .join(self.name);
        // Root's daemon may find a KVM that cannot run guests, so the guests are emulated.
        let text = std::fs::read_to_string(&file).expect("it is there");
        let text = text.replace(
            "memory: inputs.memory,",
            "virt_type: \"qemu\", memory: inputs.memory,",
        );
        let copy = self
            .host
            .scratch()
            .write(&format!("home/{}", self.name), text);
        let run = options
            .iter()
            .fold(self.started(), |run, option| run.arg(option));
        let spare = self.spare.iter().flat_map(|uri| ["--allow-connect", uri]);
        let run = spare.fold(run, |run, word| run.arg(word));
        let run = run.arg("run").arg(copy);
        self.args.iter().fold(run, |run, word| run.arg(word))
    }

    fn is_complete(&self) {
        let checked = self.host.run(&self.check);
        assert_eq!(checked.status, 0, "{}: {checked}", self.name);
    }

    /// Undoes the last run; afterwards the host must be as `before`.
    fn undo(&self, before: &Picture, when: &str) {
        let undone = self.started().arg("--yes").arg("undo").run();
        assert_eq!(undone.status, 0, "{} {when}: {undone}", self.name);
        self.is_as(before, &format!("undone {when}: {undone}"));
    }

    fn is_as(&self, before: &Picture, when: &str) {
        let mut difference = before.difference(&Picture::of(&self.host));
        if let Some(name) = self.ignored {
            difference.retain(|line| !line.contains(&format!("{name} changed")));
        }
        assert!(
            difference.is_empty(),
            "{} {when}:\n{}",
            self.name,
            difference.join("\n")
        );
    }

    /// Starts the runbook, and kills it when the step number `step` begins. Returns the title of the step.
    fn killed_at(&self, step: usize) -> Option<String> {
        let mut command = self.run(&[]).command();
        let mut child = command
            .process_group(0)
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let mut titles = lines.map_while(Result::ok).filter_map(|line| {
            let title = line.strip_suffix(": begins")?;
            Some(title.trim().to_owned())
        });
        let title = titles.nth(step);
        if title.is_some() {
            let group = Pid::from_raw(-child.id().cast_signed());
            kill(group, Signal::SIGKILL).expect("it lives");
        }
        child.wait().expect("it ends");
        title
    }

    /// Runs the runbook to its end and undoes it; then kills it at each step, and resumes or undoes it.
    fn lives_through_everything(&self) {
        let before = Picture::of(&self.host);
        let rehearsed = self.run(&["--rehearse"]).run();
        assert_eq!(rehearsed.status, 0, "{}: {rehearsed}", self.name);
        self.is_as(&before, &format!("rehearsed: {rehearsed}"));
        let done = self.run(&[]).done_like_plan(self.undone);
        self.is_complete();
        self.undo(&before, "after it was done");
        // The rehearsal before the run has the same steps.
        let steps = done.stderr.matches(": begins").count() / 2;
        let some = if all() {
            0..steps
        } else {
            steps / 2..steps / 2 + 1
        };
        for step in some {
            let title = self.killed_at(step).expect("it has so many steps");
            let resumed = self.started().arg("resume").arg("--repeat").run();
            assert_eq!(resumed.status, 0, "{} after {title}: {resumed}", self.name);
            self.is_complete();
            self.undo(
                &before,
                &format!("after it was killed at {title} and resumed"),
            );
            self.killed_at(step).expect("it has so many steps");
            self.undo(&before, &format!("after it was killed at {title}"));
        }
        println!("{}: {steps} steps", self.name);
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// A host with networks, and the image `counter.img` in the pool `images`.
fn with_networks() -> Option<NetHost> {
    let host = NetHost::start()?;
    let folder = host.scratch().folder("images");
    host.scratch()
        .copy(&micro("counter.img"), "images/counter.img");
    host.ok(&script(&format!(
        "pool::create(conn, #{{ name: \"images\", path: \"{}\", autostart: false }})",
        folder.display()
    )));
    Some(host)
}

#[test]
fn the_runbook_of_web_guests() {
    let Some(host) = with_networks() else { return };
    let image = host.path("images/counter.img");
    Runbook {
        name: "web_tier.rhai",
        spare: None,
        args: words(&[
            "--image", &image, "--pool", "images", "--count", "2", "--memory", "32MiB", "--up", "MG:up",
        ]),
        check: script(
            r#"for number in 1..=2 { assert_eq(conn.lookup_by_name(`web-${number}`).state(), "running"); }
               let hosts = conn.network_lookup_by_name("web").xml().select("ip/dhcp/host/@ip");
               assert_eq(hosts, ["192.168.160.11", "192.168.160.12"])"#,
        ),
        ignored: None,
        // It does not release the disk with its configuration, whose image is emptied instead.
        undone: &[
            "changed domain web-",
            "-seed.img in images",
            "done, not planned: done wipe the volume `web-",
        ],
        host,
    }
    .lives_through_everything();
}

#[test]
fn the_runbook_of_a_lab() {
    let Some(host) = with_networks() else { return };
    let image = host.path("images/counter.img");
    Runbook {
        name: "lab.rhai",
        spare: None,
        args: words(&[
            "--image", &image, "--pool", "images", "--guests", "2", "--memory", "32MiB", "--up", "MG:c=",
        ]),
        check: script(
            r#"for number in 1..=2 {
                   let dom = conn.lookup_by_name(`lab-${number}`);
                   assert(!dom.is_persistent());
                   assert_eq(dom.xml().select("devices/interface/source/@network"), ["lab-front", "lab-back"]);
               }"#,
        ),
        ignored: None,
        undone: &[],
        host,
    }
    .lives_through_everything();
}

#[test]
fn the_runbook_of_nightly_backups() {
    let host = site(&["qcow2"], false);
    let folder = host.scratch().folder("backups").display().to_string();
    Runbook {
        name: "nightly_backup.rhai",
        spare: None,
        args: words(&["--folder", &folder, "--keep", "2"]),
        check: format!(
            "import \"std/backup\" as backup; let points = backup::list(connect(), #{{ folder: \"{folder}\" }}); \
             assert_eq(points.map(|point| point.guest), [\"web\"]);"
        ),
        // The dirty bitmap in this file comes and goes.
        ignored: Some("web-0.qcow2"),
        undone: &[],
        host,
    }
    .lives_through_everything();
}

#[test]
fn the_runbook_of_a_template() {
    let host = Daemon::start();
    let folder = host.scratch().folder("images");
    let iso = host
        .scratch()
        .copy(&micro("installer.iso"), "installer.iso");
    host.ok(&script(&format!(
        "pool::create(conn, #{{ name: \"images\", path: \"{}\", autostart: false }})",
        folder.display()
    )));
    let iso = iso.display().to_string();
    Runbook {
        name: "template_from_iso.rhai",
        spare: None,
        args: words(&[
            "--name",
            "base",
            "--iso",
            &iso,
            "--pool",
            "images",
            "--size",
            "1MiB",
            "--format",
            "raw",
            "--memory",
            "32MiB",
            "--up",
            "MG:up",
            "--timeout",
            "2m",
        ]),
        check: script(
            r#"assert_eq(conn.list_all_domains(), []);
               let images = conn.storage_pool_lookup_by_name("images"); images.refresh();
               assert_eq(images.list_volumes(), ["base.template"])"#,
        ),
        ignored: None,
        undone: &[],
        host,
    }
    .lives_through_everything();
}

#[test]
fn the_runbook_of_patches_puts_back_a_guest_that_does_not_come_up() {
    let host = site(&["raw"], true);
    let mut book = Runbook {
        name: "patch_in_order.rhai",
        spare: None,
        args: words(&["--guests", "web", "--up", "MG:up", "--timeout", "1m"]),
        check: script(
            r#"assert_eq(conn.lookup_by_name("web").state(), "running");
               assert_eq(restore_point::list(conn.lookup_by_name("web")), [])"#,
        ),
        ignored: None,
        undone: &[],
        host,
    };
    book.run(&[]).done_with_plan();
    book.is_complete();
    // A guest that does not come up is restored, also if virhai is killed meanwhile.
    book.args = words(&["--guests", "web", "--up", "never", "--timeout", "5s"]);
    let failed = book.run(&[]).fails(1);
    assert!(
        failed
            .stderr
            .contains("web is restored to its state before the patch"),
        "{failed}"
    );
    book.is_complete();
    book.args = words(&["--guests", "web", "--up", "never", "--timeout", "10m"]);
    book.killed_at(0).expect("it has a step");
    let undone = book.started().arg("undo").run();
    assert_eq!(undone.status, 0, "{undone}");
    book.is_complete();
}

#[test]
fn the_runbook_of_host_maintenance_waits_for_a_person() {
    let (host, spare) = (site(&["raw"], true), Daemon::start());
    let uri = spare.uri();
    let book = Runbook {
        name: "host_maintenance.rhai",
        spare: Some(uri.clone()),
        args: words(&[
            "--spare",
            &uri,
            "--shared-storage",
            "--accept",
            "host",
            "--accept",
            "disk",
            "--accept",
            "cache",
        ]),
        check: script(r#"assert_eq(conn.lookup_by_name("web").state(), "running")"#),
        ignored: None,
        undone: &[],
        host,
    };
    let before = Picture::of(&book.host);
    // At a terminal: after its plan, which it must follow.
    let planned = book.run(&["--plan-first"]);
    let mut terminal = Terminal::sized(&planned.command(), 60, 200);
    terminal.shows("[y/N]");
    terminal.types("y\r");
    terminal.shows("(Enter when it is done");
    terminal.types("\r");
    terminal.shows("The run made the planned changes.");
    assert_eq!(terminal.ends(), 0);
    book.is_complete();
    book.undo(&before, "after it was done");
    book.killed_at(2).expect("it moves a guest");
    book.undo(&before, "after it was killed while it moved a guest");
    // Without a terminal it waits.
    let waits = book.run(&[]).fails(1);
    assert!(
        waits
            .stderr
            .contains("a person must do this: maintain the host"),
        "{waits}"
    );
    spare.ok(r#"assert_eq(connect().lookup_by_name("web").state(), "running")"#);
    book.host.ok("assert_eq(connect().list_all_domains(), [])");
    // A person resumes the run.
    let mut terminal = Terminal::start(&book.started().arg("resume").command());
    terminal.shows("(Enter when it is done");
    terminal.types("\r");
    assert_eq!(terminal.ends(), 0);
    book.is_complete();
    spare.ok("assert_eq(connect().list_all_domains(), [])");
}
