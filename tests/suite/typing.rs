//! The prompt's display while an input is typed.
//!
//! Each screen has its golden file in `tests/data/screens/`; `UPDATE=1` rewrites them.

mod rows;

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::{Daemon, Host, PROMPT, Prompt, Scratch, Terminal, TestHost, virhai};

const PLAIN: &[(&str, &str)] = &[("NO_COLOR", "1")];
const UP: &str = "\x1b[A";
const DOWN: &str = "\x1b[B";
const LEFT: &str = "\x1b[D";
const RIGHT: &str = "\x1b[C";

/// A host with the domains `names`, a network and a pool.
fn host(names: &[&str]) -> TestHost {
    let domain = |name: &&str| {
        format!(
            "<domain type='test'><name>{name}</name><memory>1024</memory>\
             <os><type>hvm</type></os></domain>"
        )
    };
    let domains: String = names.iter().map(domain).collect();
    TestHost::with(&format!(
        "{domains}<network><name>lan</name></network>\
         <pool type='dir'><name>images</name><target><path>/srv/images</path></target>\
         <volume><name>a.img</name><capacity>1</capacity></volume></pool>"
    ))
}

/// A prompt on which `dom` is a domain, and the catalogue has been read.
fn with_domain(env: &[(&str, &str)]) -> Prompt {
    let mut prompt = Prompt::on(host(&["web", "web-2", "db"]), env);
    prompt.answers("let dom = conn.lookup_by_name(\"web\")", "");
    // Hints do not wait until the catalogue is read; Tab does. After `c`, since the complete list
    // would not fit on the screen.
    prompt.terminal.types("c\t");
    prompt.terminal.shows("conn: Connection");
    prompt.drops();
    prompt.clears();
    prompt
}

/// Types `keys` at an empty prompt and compares the screen.
fn screen(prompt: &mut Prompt, keys: &str, name: &str) {
    prompt.drops();
    prompt.clears();
    prompt.terminal.types(keys);
    prompt.terminal.golden(name);
}

#[test]
fn tab_offers_the_members_of_the_receivers_type() {
    let mut prompt = with_domain(PLAIN);
    screen(&mut prompt, "dom.snap\t", "members_of_a_domain");
    let call = "conn.lookup_by_name(\"x\").is_\t";
    screen(&mut prompt, call, "members_of_what_a_call_answers");
    prompt.answers("let list = conn.list_all_domains()", "");
    screen(&mut prompt, "list[0].is_\t", "members_of_what_a_list_holds");
    screen(
        &mut prompt,
        "dom.migrate_to_uri\t",
        "every_way_to_call_a_method",
    );
    screen(&mut prompt, "dom.dumpxml\t", "a_word_of_virsh_completed");
    screen(&mut prompt, "conn.\t", "members_of_a_connection");
}

#[test]
fn tab_evaluates_nothing() {
    let mut prompt = with_domain(PLAIN);
    prompt
        .terminal
        .types("conn.define_xml(dom.xml_desc().destroy().sta\t");
    prompt.terminal.types("dom.destroy().is_\t");
    prompt.drops();
    prompt.answers("dom.is_active()", "true");
}

#[test]
fn tab_offers_names_within_quotes() {
    let mut prompt = with_domain(PLAIN);
    screen(&mut prompt, "conn.lookup_by_name(\"\t", "names_of_domains");
    screen(
        &mut prompt,
        "conn.lookup_by_name(\"d\t",
        "the_only_name_of_a_domain",
    );
    screen(
        &mut prompt,
        "conn.network_lookup_by_name(\"\t",
        "names_of_networks",
    );
    screen(
        &mut prompt,
        "conn.storage_pool_lookup_by_name(\"\t",
        "names_of_pools",
    );
    let volume = "conn.storage_pool_lookup_by_name(\"images\").storage_vol_lookup_by_name(\"\t";
    screen(&mut prompt, volume, "names_of_volumes");
    prompt.answers(
        "dom.snapshot_create_xml(\"<domainsnapshot><name>clean</name></domainsnapshot>\").name",
        "clean",
    );
    screen(
        &mut prompt,
        "dom.snapshot_lookup_by_name(\"\t",
        "names_of_snapshots",
    );
    screen(&mut prompt, "dom.wait(\"s\t", "states_to_wait_for");
}

#[test]
fn tab_offers_names_and_options_after_a_command_of_virsh() {
    let mut prompt = with_domain(PLAIN);
    screen(&mut prompt, "start \t", "names_of_domains_for_virsh");
    let mut completes = |keys: &str, line: &str| {
        prompt.drops();
        prompt.terminal.types(keys);
        prompt.terminal.line_is(&format!("{PROMPT}{line}"));
    };
    completes("dumpxml web-\t", "dumpxml web-2");
    completes("net-info l\t", "net-info lan");
    completes("pool-info im\t", "pool-info images");
    completes("start web --pau\t", "start web --paused");
    // This is Rhai.
    completes("start = dom.is_ac\t", "start = dom.is_active()");
}

#[test]
fn names_are_those_that_the_host_has_now() {
    let mut prompt = with_domain(PLAIN);
    prompt.terminal.types("conn.lookup_by_name(\"w\t");
    prompt.terminal.shows("web-2");
    prompt.drops();
    prompt.answers(":confirm off", "");
    prompt.answers(
        "conn.lookup_by_name(\"web-2\").destroy(); conn.lookup_by_name(\"web-2\").undefine()",
        "",
    );
    prompt.terminal.types("conn.lookup_by_name(\"w\t");
    prompt
        .terminal
        .line_is(&format!("{PROMPT}conn.lookup_by_name(\"web\""));
}

#[test]
fn tab_offers_the_constants_and_keys_of_a_parameter() {
    let mut prompt = with_domain(PLAIN);
    screen(&mut prompt, "dom.create(\t", "constants_of_a_parameter");
    let second = "dom.create(VIR_DOMAIN_START_PAUSED | \t";
    screen(&mut prompt, second, "more_constants_of_a_parameter");
    screen(&mut prompt, "VIR_\t", "parts_of_constants");
    screen(&mut prompt, "dom.stop(#{ \t", "keys_of_options");
    prompt.answers("import \"std/guest\" as guest", "");
    screen(
        &mut prompt,
        "guest::create(conn, #{ name: \"x\", m\t",
        "keys_of_a_recipe",
    );
    screen(&mut prompt, "guest::\t", "functions_of_a_module");
}

#[test]
fn tab_offers_files_and_modules() {
    let home = Scratch::new();
    home.write(
        "disks.rhai",
        "/// Makes a disk.\nfn make(pool, name) { 1 }\n",
    );
    home.write("iso/debian.iso", "");
    home.write("iso/fedora.iso", "");
    let mut terminal = Prompt::terminal("test:///default", &home, PLAIN);
    let mut screen = |keys: &str, name: &str| {
        terminal.types("\x05\x15\x0c");
        terminal.until("the screen is empty", |screen| screen.cursor().0 == 0);
        terminal.types(keys);
        terminal.golden(name);
    };
    screen("let path = \"./iso/\t", "files");
    screen("let path = \"./is\t", "a_folder");
    screen("import \"std/b\t", "recipes");
    screen("import \"d\t", "a_script_beside");
    screen(
        "import \"disks\" as disks; disks::\t",
        "functions_of_a_script_beside",
    );
}

#[test]
fn commands_of_the_prompt_are_completed_too() {
    let mut prompt = with_domain(PLAIN);
    screen(&mut prompt, ":\t", "commands");
    screen(&mut prompt, ":conf\t\t", "a_command");
    screen(&mut prompt, ":json dom.is_\t", "an_expression_of_a_command");
    prompt.home.write("runbook.rhai", "");
    screen(&mut prompt, ":load ru\t", "a_file_of_a_command");
    screen(&mut prompt, ":help snapshot_l\t", "a_name_of_a_command");
}

#[test]
fn a_signature_and_the_rest_of_an_earlier_input_are_hinted() {
    let mut prompt = with_domain(&[]);
    screen(&mut prompt, "conn.lookup_by_name(", "signature");
    screen(
        &mut prompt,
        "dom.set_vcpus(2, ",
        "signature_of_the_way_that_fits",
    );
    prompt.answers("let total = 40 + 2", "");
    prompt.clears();
    prompt.terminal.types("let to");
    prompt.terminal.golden_in_color("rest_of_an_earlier_input");
    prompt.terminal.types(RIGHT);
    prompt
        .terminal
        .golden_in_color("rest_of_an_earlier_input_taken");
    screen(&mut prompt, "dom.is_active(", "hint_before_it_goes");
    prompt.terminal.types(")\r");
    prompt.terminal.golden("hint_that_is_gone");
}

#[test]
fn the_language_has_colours() {
    let mut prompt = with_domain(&[]);
    prompt.clears();
    prompt.terminal.types(
        "let x = f(1.5, \"te\\\"xt\", `a ${dom.name} b`) | VIR_DOMAIN_START_PAUSED; /* why */ 'c'",
    );
    prompt.terminal.golden_in_color("colours");
    prompt.drops();
    prompt.clears();
    prompt.terminal.types("dom.snap\t");
    prompt.terminal.golden_in_color("colours_of_a_list");
}

#[test]
fn brackets_that_belong_together_are_marked() {
    let mut prompt = with_domain(&[]);
    prompt.clears();
    prompt.terminal.types("f(\")\", /* ) */ [1])");
    prompt.terminal.golden_in_color("brackets_at_the_end");
    prompt.terminal.types(LEFT);
    prompt.terminal.types(LEFT);
    prompt.terminal.golden_in_color("brackets_at_the_cursor");
    prompt.terminal.types(&LEFT.repeat(6));
    prompt.terminal.golden_in_color("no_brackets_in_a_comment");
    prompt.terminal.types("\r");
    prompt
        .terminal
        .golden_in_color("no_brackets_are_marked_for_good");
}

#[test]
fn an_input_goes_on_over_lines_and_is_edited_over_lines() {
    let mut prompt = with_domain(PLAIN);
    prompt.terminal.types("for n in 1..3 {\r\tprint(n);\r}");
    prompt.terminal.golden("an_input_of_three_lines");
    prompt.terminal.types(UP);
    prompt.terminal.types("\x05 print(\"again\");");
    prompt.terminal.types(&format!("{DOWN}\x05\r"));
    prompt.terminal.golden("an_input_of_three_lines_that_ran");
    prompt.terminal.types(UP);
    prompt.terminal.golden("an_input_of_three_lines_recalled");
}

#[test]
fn the_history_is_searched_by_its_beginnings_and_backwards() {
    let mut prompt = with_domain(PLAIN);
    for line in ["let a = 1", "let b = 2", "40 + 2", "let c = 3"] {
        prompt.answers(line, "");
    }
    prompt.clears();
    let line = |text: &str| format!("{PROMPT}{text}");
    prompt.terminal.types("let");
    prompt.terminal.types(UP);
    prompt.terminal.line_is(&line("let c = 3"));
    prompt.terminal.types(UP);
    prompt.terminal.line_is(&line("let b = 2"));
    prompt.terminal.types(DOWN);
    prompt.terminal.line_is(&line("let c = 3"));
    prompt.terminal.types("\x03");
    prompt.terminal.line_is(PROMPT);
    prompt.terminal.types(&UP.repeat(3));
    prompt.terminal.line_is(&line("let b = 2"));
    prompt.terminal.types(DOWN);
    prompt.terminal.line_is(&line("40 + 2"));
    prompt.terminal.types("\x03");
    prompt.terminal.line_is(PROMPT);
    prompt.clears();
    prompt.terminal.types("\x12= 2");
    prompt.terminal.golden("reverse_search");
    prompt.terminal.types("\r");
    prompt.terminal.line_is(PROMPT);
    prompt.answers("b", "2");
}

#[test]
fn what_was_typed_is_undone_and_brought_back() {
    let mut prompt = with_domain(PLAIN);
    prompt.terminal.types("dom.state() + \"x\"");
    prompt.terminal.types("\x17");
    prompt.terminal.line_is(&format!("{PROMPT}dom.state() +"));
    prompt.terminal.types("\x1f");
    prompt
        .terminal
        .line_is(&format!("{PROMPT}dom.state() + \"x\""));
    prompt.terminal.types("\x15");
    prompt.terminal.line_is(PROMPT);
    prompt.terminal.types("\x19\r");
    prompt.terminal.shows("runningx");
}

#[test]
fn the_keys_of_vi_are_there_for_those_who_ask() {
    let edits = |mut terminal: Terminal| {
        terminal.types("1 + 2");
        terminal.line_is(&format!("{PROMPT}1 + 2"));
        terminal.types("\x1b");
        terminal.types("0x");
        terminal.line_is(&format!("{PROMPT} + 2"));
        terminal.types("i41\r");
        terminal.shows("\n43");
    };
    let home = Scratch::new();
    edits(Prompt::started(
        virhai().arg("--vi").arg("-c").arg("test:///default"),
        "test:///default",
        &home,
        PLAIN,
    ));
    home.write(".inputrc", "set editing-mode vi\n");
    edits(Prompt::terminal("test:///default", &home, PLAIN));
}

#[test]
fn what_is_pasted_is_one_input() {
    let mut prompt = with_domain(PLAIN);
    prompt
        .terminal
        .types("\x1b[200~let a = 20;\nlet b = 22;\na + b\x1b[201~");
    prompt.terminal.golden("pasted");
    prompt.terminal.types("\r");
    prompt.terminal.shows("\n42\n");
}

#[test]
fn lines_that_are_pasted_one_by_one_are_one_input_while_a_bracket_is_open() {
    let mut prompt = with_domain(PLAIN);
    prompt.terminal.types("fn twice(n) {\r    let m = n;\r\r");
    prompt
        .terminal
        .shows("`{` of line 1 is not closed; Ctrl-C clears the input");
    prompt
        .terminal
        .types("\r    // why\r    m * 2\r}\rtwice(21)\r");
    prompt.terminal.shows("\n42\n");
    prompt.clears();
    // The lines after a mistake are not run separately either.
    prompt
        .terminal
        .types("fn wrong() {\r    let 5 = 1;\r\r    print(\"ran\");\r\r}\r`the ${\"end\"}`\r");
    prompt.terminal.shows("\nthe end\n");
    let text = prompt.terminal.screen().text();
    assert_eq!(text.matches("error[").count(), 1, "{text}");
    assert!(!text.contains("\nran\n"), "{text}");
    prompt.terminal.types("let text = `a\r\rb`; text.len()\r");
    prompt.terminal.shows("\n4\n");
    prompt.terminal.types("f(\r\r");
    prompt.terminal.shows("`(` of line 1 is not closed");
    prompt.terminal.types("\x03");
    prompt.terminal.line_is(PROMPT);
}

#[test]
fn what_is_typed_ahead_is_not_lost() {
    let mut prompt = with_domain(PLAIN);
    prompt
        .terminal
        .types("print(\"begun\"); sleep(0.3); print(\"done\")\r");
    prompt.terminal.shows("\nbegun");
    prompt
        .terminal
        .types("let ahead = 6 * 7\rahead\rprint(`${ahead} is not lo");
    prompt.terminal.shows("\n42\n");
    prompt.terminal.types("st`)\r");
    prompt.terminal.shows("\n42 is not lost");
}

#[test]
fn an_input_is_written_in_an_editor() {
    let home = Scratch::new();
    let editor = home.write("editor", "#!/bin/sh\nsed -i 's/1/40/; $a + 2' \"$2\"\n");
    let editor = format!("sh {} --wait", editor.display());
    let env = [
        ("NO_COLOR", "1"),
        ("EDITOR", editor.as_str()),
        ("VISUAL", ""),
    ];
    let mut terminal = Prompt::terminal("test:///default", &home, &env);
    terminal.types("1");
    terminal.types("\x18\x05");
    terminal.line_is("+ 2");
    terminal.golden("edited");
    terminal.types("\r");
    terminal.shows("\n42\n");
    let run = virhai().arg("--vi").arg("-c").arg("test:///default");
    let mut terminal = Prompt::started(run, "test:///default", &home, &env);
    terminal.types("1");
    terminal.line_is(&format!("{PROMPT}1"));
    terminal.types("\x1bv");
    terminal.line_is("+ 2");
    terminal.types("\r");
    terminal.shows("\n42\n");
}

#[test]
fn a_terminal_that_can_nothing_will_do() {
    for term in ["dumb", ""] {
        let home = Scratch::new();
        let env = [("TERM", term)];
        let mut terminal = Prompt::terminal("test:///default", &home, &env);
        terminal.types("for n in 1..3 {\n");
        terminal.line_is(&format!("{:>width$}", "...", width = PROMPT.len() - 1));
        terminal.types("print(n);\n");
        terminal.until("another line is asked for", |screen| {
            usize::from(screen.cursor().1) == PROMPT.len() && screen.cursor().0 == 4
        });
        terminal.types("}\n");
        terminal.line_is(PROMPT);
        terminal.types("\"the end\"\n");
        terminal.shows("\nthe end");
        terminal.line_is(PROMPT);
        terminal.golden("a_dumb_terminal");
        terminal.types("\x04");
        assert_eq!(terminal.ends(), 0);
    }
}

#[test]
fn an_open_input_is_left_on_a_terminal_that_can_nothing() {
    let home = Scratch::new();
    let mut terminal = Prompt::terminal("test:///default", &home, &[("TERM", "dumb")]);
    let goes_on = format!("{:>width$}", "...", width = PROMPT.len() - 1);
    terminal.types("print([1,\n\n");
    terminal.until("it goes on after an empty line", |screen| {
        screen.text().matches(&goes_on).count() == 2
    });
    terminal.types("\x04");
    terminal.line_is(PROMPT);
    terminal.types("print([1,\n");
    terminal.until("it goes on", |screen| {
        screen.text().matches(&goes_on).count() == 3
    });
    terminal.types("\x03");
    terminal.shows("^C");
    terminal.types("print(40 + 2)\n");
    terminal.shows("\n42\n");
}

#[test]
fn no_color_is_no_colour() {
    let mut prompt = with_domain(PLAIN);
    prompt.terminal.types("let x = \"text\" + 1; f(");
    prompt
        .terminal
        .line_is(&format!("{PROMPT}let x = \"text\" + 1; f("));
    let screen = prompt.terminal.screen();
    for text in [PROMPT.trim(), "let", "text", "1", "f("] {
        assert_eq!(screen.style_of(text), "", "{text}");
    }
}

#[test]
fn a_host_that_does_not_answer_keeps_nobody_from_typing() {
    let host = Daemon::start();
    let home = Scratch::new();
    let mut terminal = Prompt::started(host.virhai(), &host.uri(), &home, PLAIN);
    terminal.types("conn.look\t");
    terminal.shows("lookup_by_name(name)");
    terminal.types("\x05\x15");
    host.signal(Signal::SIGSTOP);
    let began = Instant::now();
    for _ in 0..3 {
        terminal.types("conn.lookup_by_name(\"\t\t\x15");
    }
    terminal.types("let x = 1");
    terminal.line_is("qemu:session> let x = 1");
    let took = began.elapsed();
    host.signal(Signal::SIGCONT);
    assert!(took < Duration::from_secs(3), "{took:?}");
}
