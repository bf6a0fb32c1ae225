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
        for options in [""].into_iter().chain(command.options()) {
            let words: Vec<&str> = options.split(' ').collect();
            let code = command.code(&words, &|_| false);
            let code = code.unwrap_or_else(|word| panic!("{} {word}", command.name));
            let (import, code) = match code.split_once("; ") {
                Some((import, code)) => (format!("{import}; "), code),
                None => (String::new(), code.as_str()),
            };
            script.push_str(&format!(
                "if true {{ {import}print(type_of({code})); }} // {} {options}\n",
                command.name
            ));
        }
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
        (
            "list",
            "`conn.list_all_domains(VIR_CONNECT_LIST_DOMAINS_ACTIVE)`",
        ),
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
        (
            "list",
            "conn.list_all_domains(VIR_CONNECT_LIST_DOMAINS_ACTIVE)\n",
        ),
        ("list --all", "conn.list_all_domains()\n"),
        (
            "net-info default",
            "[conn.network_lookup_by_name(\"default\")]",
        ),
        ("domstate --reason test", "state_reason()\n"),
        ("autostart test --disable", ".set_autostart(false)`"),
        (
            "blockcommit test vda --active --pivot",
            "`--pivot` after virsh's `blockcommit` has no translation",
        ),
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
    prompt.answers("destroy test", "Up to edit and run it");
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
fn several_pasted_lines_run_one_after_another() {
    let mut prompt = Prompt::open();
    prompt.answers(":pager off", "");
    let mut pastes = |lines: &[&str], shown: &[&str]| {
        prompt.clears();
        let lines = lines.join("\n");
        prompt
            .terminal
            .types(&format!("\x1b[200~{lines}\x1b[201~\r"));
        for text in shown {
            prompt.terminal.shows(text);
        }
    };
    pastes(
        &["dominfo test", "net-list", "pool-list"],
        &[
            "max_memory_kib",
            "list_all_networks(",
            "list_all_storage_pools(",
        ],
    );
    pastes(&["list", "domstate test"], &["2.0 GiB", "\nrunning\n"]);
    pastes(&["let x = 3", "x + 39"], &["\n42\n"]);
    pastes(
        &["let y = 3", "throw \"no\"", "print(\"ran\")"],
        &["the rest of the input was not run, from `print(\"ran\")` on"],
    );
    pastes(
        &["list", "foo test", "print(\"ran\")"],
        &["unknown command `foo`", "from `print(\"ran\")` on"],
    );
    pastes(
        &["fn f() {", "    41", "}", "", "// the answer", "f() + 1"],
        &["\n42\n"],
    );
    pastes(
        &["domstate test; domid test"],
        &["\nrunning\n", "lookup_by_name(\"test\").id()\n1"],
    );
}

#[test]
fn signs_of_a_shell_and_unknown_words_are_answered() {
    let mut prompt = Prompt::open();
    for (line, shown) in [
        (
            "dumpxml test > /tmp/x.xml",
            "conn.lookup_by_name(\"test\").xml_desc())",
        ),
        ("dumpxml test | grep memory", "line.contains(\"memory\")"),
        ("list --all | grep test", "object.name.contains(\"test\"))`"),
        (
            "list --all | wc -l",
            "'connect().list_all_domains()' | wc -l`",
        ),
        (
            "suspend test; resume test",
            "virsh's `resume` is `conn.lookup_by_name(\"test\").resume()` here",
        ),
        ("sudo virsh domstate test", "\nrunning"),
        ("virsh domstate test", "\nrunning"),
        ("virsh", "this is virhai's prompt"),
        ("virsh -c x list", "`:connect URI`"),
        ("foo test", "unknown command `foo`; `:help` lists"),
        (
            "dumpxlm test",
            "unknown command `dumpxlm`; did you mean `dumpxml`?",
        ),
        ("print test", "a call needs its brackets"),
    ] {
        prompt.answers(line, shown);
    }
}

#[test]
fn a_mistyped_command_is_named() {
    let outcome = virhai().arg("chek").arg("web.rhai").fails(2);
    assert!(
        outcome.stderr.contains("did you mean the command `check`?"),
        "{outcome}"
    );
    for (line, hint) in [
        (
            "start web",
            "virsh's `start` is `virhai -e 'connect().lookup_by_name(\"web\").create()'` here",
        ),
        (
            "net-list",
            "`virhai -e 'connect().list_all_networks(VIR_CONNECT_LIST_NETWORKS_ACTIVE)'`",
        ),
        (
            "list --all",
            "virsh's `list` is `virhai -e 'connect().list_all_domains()'` here",
        ),
        ("ls", "`virhai -e 'connect().list_all_domains()'`"),
        (
            "undefine web --storage vda",
            "`--storage` after virsh's `undefine`",
        ),
        ("event", "did you mean the command `events`?"),
    ] {
        let run = line.split(' ').fold(virhai(), |run, word| run.arg(word));
        let outcome = run.fails(2);
        assert!(outcome.stderr.contains(hint), "{line}: {outcome}");
    }
    for (line, long) in [("help", "--help"), ("version", "--version")] {
        assert_eq!(virhai().arg(line).ok(), virhai().arg(long).ok());
    }
    assert_eq!(
        virhai().arg("help").arg("run").ok(),
        virhai().arg("run").arg("--help").ok()
    );
    let outcome = virhai().arg("chek.rhai").fails(2);
    assert!(!outcome.stderr.contains("the command"), "{outcome}");
}
