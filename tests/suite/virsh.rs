//! The commands of virsh, and their counterparts in virhai.

use std::collections::BTreeSet;
use std::process::Command;

use virhai::advice::virsh;
use virhai::catalog::Catalog;
use virhai::engine::{self, Limits};
use virhai::reference;
use virhai::{Imports, Session, SessionOptions};

use crate::support::{Prompt, Scratch, virhai};

/// Every command that `virsh help` of libvirt 11.3 lists.
const LISTED: &str = include_str!("../data/virsh_commands.txt");

/// The commands that the installed virsh has, if there is one.
fn installed() -> Option<BTreeSet<String>> {
    let output = Command::new("virsh")
        .args(["-q", "-c", "test:///default", "help"])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).expect("virsh writes UTF-8");
    let names = text
        .lines()
        .filter_map(|line| line.strip_prefix("    ")?.split_whitespace().next());
    let names: BTreeSet<String> = names.map(str::to_owned).collect();
    assert!(
        names.contains("dumpxml"),
        "virsh lists its commands: {text}"
    );
    Some(names)
}

#[test]
fn every_command_of_virsh_is_known() {
    let known: BTreeSet<String> = virsh::all()
        .map(|command| command.name.to_owned())
        .collect();
    let listed: BTreeSet<String> = LISTED.lines().map(str::to_owned).collect();
    assert_eq!(known, listed);
    // A command that is newer than the list must be added to it.
    let installed = installed().unwrap_or_default();
    let unknown: Vec<&String> = installed.difference(&known).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn the_code_for_every_command_passes_the_check() {
    let scratch = Scratch::new();
    let mut script = String::from(
        "let conn = connect();\nlet xml = \"<a/>\";\n\
         let volume = conn.storage_vol_lookup_by_path(\"/srv/a.img\");\n",
    );
    let codes =
        virsh::all().filter(|command| command.has_counterpart() && !command.is_of_the_prompt());
    for command in codes {
        let code = command.code(&[], &|_| false);
        script.push_str(&format!("print(type_of({code})); // {}\n", command.name));
    }
    let file = scratch.write("commands.rhai", script);
    let checked = virhai().arg("check").arg(file).run();
    assert_eq!(checked.status, 0, "{checked}");
}

#[test]
fn a_command_of_virsh_is_explained_by_doc_and_by_errors() {
    let session = Session::new(SessionOptions::default());
    let engine = engine::build(&session, &Limits::default(), Imports::default());
    let catalog = Catalog::new(&engine);
    for command in virsh::all() {
        let said = reference::help(&catalog, command.name);
        let said = said.unwrap_or_else(|| panic!("{} is explained", command.name));
        assert!(said.contains(command.name), "{}: {said}", command.name);
    }
    let failed = virhai().arg("-e").arg("start web").run();
    assert_eq!(failed.status, 3);
    assert!(
        failed
            .stderr
            .contains("`conn.lookup_by_name(\"web\").create()`"),
        "{failed}"
    );
    for (script, hint) in [
        (
            "connect().lookup_by_name(\"test\").domiflist()",
            "`dom.xml().select(\"devices/interface\")`",
        ),
        ("connect().domstats()", "`get_all_domain_stats`"),
        (
            "connect().lookup_by_name(\"test\").domstats()",
            "`conn.get_all_domain_stats()`",
        ),
        ("connect().lookup_by_name(\"test\").vcpupin()", "`pin_vcpu`"),
        ("list", "`conn.list_all_domains()`"),
        ("conn.list_all_domains()", "`let conn = connect();`"),
        (
            "let vol = connect().storage_pool_lookup_by_name(\"p\").list_all_volumes()[0]; vol.remove()",
            "`delete`",
        ),
        (
            "let dom = connect().lookup_by_name(\"test\"); type(dom)",
            "`type_of`",
        ),
        ("dir(1)", "`virhai doc Domain`"),
        (
            "fn f() { disks } let disks = []; f(); disks",
            "pass `disks`",
        ),
    ] {
        let failed = virhai()
            .arg("-c")
            .arg("test:///default")
            .arg("-e")
            .arg(script)
            .run();
        assert!(failed.stderr.contains(hint), "{script}: {failed}");
        assert_eq!(failed.status, 3, "{script}: {failed}");
    }
}

#[test]
fn doc_finds_what_other_programs_and_plain_words_mean() {
    for (name, found) in [
        ("createXML", "conn.create_xml(xml"),
        ("virDomainRestore", "conn.restore(path: string)"),
        ("domstats", "conn.get_all_domain_stats()"),
        ("Domain::create", "dom.create()"),
        ("Domain.create", "dom.create()"),
        ("domain", "\n  create()  "),
        ("snapshot", "dom.snapshot_create_xml("),
        ("time", "dom.get_time()"),
        ("start", "virsh's `start` is `dom.create()` here"),
    ] {
        let said = virhai().arg("doc").arg(name).ok();
        assert!(said.contains(found), "{name}: {said}");
    }
    assert_eq!(virhai().arg("doc").arg("xyzzy").run().status, 1);
}

#[test]
fn the_first_words_at_the_prompt_are_done_or_answered() {
    let mut prompt = Prompt::open();
    for (line, shown) in [
        (":pager off", ""),
        ("list", "conn.list_all_domains()\n"),
        ("list --all", "running"),
        ("dumpxml test", "</domain>"),
        ("domiflist test", "xml().select(\"devices/interface\")\n[]"),
        ("vncdisplay test", "no node matches"),
        ("help", ":history"),
        ("start test", "`conn.lookup_by_name(\"test\").create()`"),
        ("!ls", "Ctrl-Z"),
        ("\\d", "`conn.list_all_domains()`"),
        ("%time 1 + 1", "took"),
        ("open(\"x\")", "`connect(uri)`"),
        ("None", "`()`"),
        ("True", "`true`"),
        ("import libvirt", "need no prefix"),
        ("import libvirt;", "need no prefix"),
        ("dir(conn)", "storage_vol_lookup_by_path"),
        ("type(conn)", "`type_of`"),
    ] {
        prompt.answers(line, shown);
    }
    // Up recalls the suggested code.
    prompt.answers("destroy test", "Up to edit and run that");
    prompt.clears();
    prompt.terminal.types("\x1b[A");
    prompt
        .terminal
        .shows("conn.lookup_by_name(\"test\").destroy()");
    prompt.drops();
    prompt.answers("conn.lookup_by_name(\"test\").is_active()", "true");
    // Names of the session stay its own.
    prompt.answers("let list = 6", "");
    prompt.answers("list", "6");
    prompt.answers("fn help(x) { x * 7 }", "");
    prompt.answers("help(list)", "42");
    prompt.terminal.types("clear\r");
    prompt
        .terminal
        .until("the screen is empty", |screen| screen.cursor().0 == 0);
    prompt.terminal.types("quit\r");
    assert_eq!(prompt.terminal.ends(), 0);
}

#[test]
fn a_mistyped_command_is_named() {
    let outcome = virhai().arg("chek").arg("web.rhai").fails(2);
    assert!(
        outcome.stderr.contains("did you mean the command `check`?"),
        "{outcome}"
    );
    let outcome = virhai().arg("chek.rhai").fails(2);
    assert!(!outcome.stderr.contains("the command"), "{outcome}");
}
