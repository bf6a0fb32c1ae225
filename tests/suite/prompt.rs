//! The prompt, on a terminal of its own.

use crate::support::{PROMPT, Prompt, Scratch};

#[test]
fn variables_functions_constants_and_ans_are_kept() {
    let mut prompt = Prompt::open();
    prompt.answers("let dom = conn.lookup_by_name(\"test\")", "");
    prompt.answers("dom.state()", "running");
    prompt.answers("ans + \"!\"", "running!");
    prompt.answers("fn twice(x) { x * 2 }", "");
    prompt.answers("const HALF = 21", "");
    prompt.answers("twice(HALF)", "42");
    prompt.answers("fn twice(x) { x * 3 }", "");
    prompt.answers("twice(HALF)", "63");
}

#[test]
fn imports_are_kept() {
    let mut prompt = Prompt::open();
    prompt.answers(":confirm off", "");
    prompt.answers("import \"std/guest\" as guest;", "");
    prompt.answers(
        "guest::remove(conn.lookup_by_name(\"test\")); conn.list_all_domains().len()",
        "0",
    );
}

#[test]
fn a_wrong_call_is_corrected_by_the_imports_of_inputs_before() {
    let mut prompt = Prompt::open();
    prompt.answers("import \"std/guest\" as guest;", "");
    prompt.answers("1 + 1", "2");
    prompt.terminal.types("create(conn, #{ name: \"a\" })\r");
    prompt.terminal.shows("= help: write `guest::create(...)`");
    prompt
        .terminal
        .types("guest::creat(conn, #{ name: \"a\" })\r");
    prompt
        .terminal
        .shows("= help: did you mean `guest::create`?");
}

#[test]
fn a_closure_calls_what_was_defined_at_the_prompt() {
    let mut prompt = Prompt::open();
    prompt.home.write(
        "caller.rhai",
        "fn each(list, action) { helper(0); list.map(action) + [helper(1)] } fn helper(x) { `caller ${x}` }",
    );
    prompt.answers("fn helper(x) { `prompt ${x}` }", "");
    prompt.answers("import \"caller\" as caller;", "");
    prompt.answers("caller::each([1], |x| helper(x)).to_string()", "prompt 1");
    prompt.answers("helper(2)", "prompt 2");
}

#[test]
fn an_input_goes_on_until_it_is_whole() {
    let mut prompt = Prompt::open();
    prompt.answers("let total = 0;", "");
    prompt.answers("for n in 1..4 {\r    total += n;\r}", "");
    prompt.answers("total", "6");
}

#[test]
fn domains_are_shown_as_a_table() {
    let mut prompt = Prompt::open();
    prompt.terminal.types("conn.list_all_domains()\r");
    prompt.terminal.shows("Id  Name  State    Memory   Vcpus");
    prompt.terminal.shows("test  running");
}

#[test]
fn ctrl_c_stops_a_loop_and_a_wait_and_keeps_the_session() {
    let mut prompt = Prompt::open();
    prompt.answers("let dom = conn.lookup_by_name(\"test\")", "");
    for endless in ["loop {}", "sleep(\"1h\")", "dom.wait(\"shutoff\", \"1h\")"] {
        prompt.clears();
        prompt
            .terminal
            .types(&format!("print(\"going\"); {endless}\r"));
        prompt.terminal.shows("\ngoing");
        prompt.terminal.types("\x03");
        prompt.terminal.shows("interrupted");
        prompt.terminal.line_is(PROMPT);
        prompt.answers("dom.state()", "running");
    }
}

#[test]
fn ctrl_c_at_the_prompt_drops_the_line_only() {
    let mut prompt = Prompt::open();
    prompt.terminal.types("nonsense that is dropped");
    prompt.terminal.shows("nonsense that is dropped");
    prompt.terminal.types("\x03");
    prompt.terminal.line_is(PROMPT);
    prompt.answers("1 + 1", "2");
}

#[test]
fn errors_look_as_in_the_runner() {
    let mut prompt = Prompt::open();
    prompt.terminal.types("conn.lookup_by_name(\"nemo\")\r");
    prompt
        .terminal
        .shows("error[VIR_ERR_NO_DOMAIN]: cannot look up domain `nemo`");
    prompt.terminal.shows("help:");
    prompt.answers("conn.dumpxml()", "help");
}

#[test]
fn a_failure_inside_an_earlier_function_shows_that_input() {
    let mut prompt = Prompt::open();
    prompt.answers("fn look(c) { c.lookup_by_name(\"nemo\") }", "");
    prompt.answers("look(conn)", "fn look(c) { c.lookup_by_name(\"nemo\") }");
    prompt.terminal.shows("in `look`, called here");
}

#[test]
fn exit_and_ctrl_d_end_the_session() {
    let mut prompt = Prompt::open();
    prompt.terminal.types("\x04");
    assert_eq!(prompt.terminal.ends(), 0);
    let mut prompt = Prompt::open();
    prompt.terminal.types("exit(3)\r");
    assert_eq!(prompt.terminal.ends(), 3);
}

#[test]
fn the_history_outlives_the_session() {
    let home = Scratch::new();
    let mut first = Prompt::terminal("test:///default", &home, &[("NO_COLOR", "1")]);
    first.types("6 * 7\r");
    first.shows("\n42\n");
    first.line_is(PROMPT);
    first.types("\x04");
    assert_eq!(first.ends(), 0);
    let mut second = Prompt::terminal("test:///default", &home, &[("NO_COLOR", "1")]);
    second.types("\x1b[A");
    second.line_is(&format!("{PROMPT}6 * 7"));
}

#[test]
fn the_first_screen_says_what_is_spoken_to() {
    Prompt::open().terminal.golden("first");
}
