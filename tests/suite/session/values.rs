//! Display of values.

use super::quiet;
use crate::support::{PROMPT, Prompt, TestHost};

#[test]
fn values_of_earlier_inputs_can_be_used_again() {
    let mut prompt = quiet();
    prompt.answers("6 * 7", "42");
    prompt.answers("\"text\"", "text");
    prompt.answers("out(1) + 1", "43");
    prompt.answers("`${out(2)} ${ans}`", "text 43");
    prompt.answers("out(99)", "input 99 has no value");
}

#[test]
fn maps_are_aligned_and_figures_are_readable() {
    let mut prompt = quiet();
    prompt
        .terminal
        .types("conn.lookup_by_name(\"test\").info()\r");
    prompt.terminal.shows("vcpus");
    prompt.terminal.line_is(PROMPT);
    prompt.answers(
        "#{ memory_kib: 2097152, os: #{ type: \"hvm\" }, disks: [#{ t: \"vda\", n: 1 }, #{ t: \"vdb\", n: 2 }] }",
        "os",
    );
    prompt.terminal.golden("maps");
}

#[test]
fn values_are_shown_as_json_and_xml_on_demand() {
    let mut prompt = quiet();
    prompt.answers(
        "let dom = conn.lookup_by_name(\"test\"); dom",
        "state       running",
    );
    prompt.answers(
        ":json",
        "\"uuid\": \"6695eb01-f6a4-8304-79aa-97f2502e193f\"",
    );
    prompt.answers(":json dom.info()", "\"memory_kib\": 2097152");
    prompt.answers(":pager off", "");
    prompt.answers(":xml dom", "</domain>");
    prompt.answers(":time dom.state()", "took ");
    prompt.answers("out(4)", "running");
    let guest = "connect(\"test:///default\").lookup_by_name(\"test\")";
    prompt.answers(guest, "vda     /guest/diskimage1");
    prompt.answers("ans", "aa:bb:cc:dd:ee:ff  default  192.168.122.3");
}

#[test]
fn xml_has_colours_where_there_are_any() {
    let mut prompt = Prompt::on(TestHost::new(), &[]);
    prompt.terminal.types("\x0c");
    prompt
        .terminal
        .types("parse_xml(\"<a b='1'><!-- c --><d>text</d></a>\")\r");
    prompt
        .terminal
        .shows("<a b='1'><!-- c --><d>text</d></a>\n");
    let screen = prompt.terminal.screen();
    assert_eq!(screen.style_of("<a"), "cyan");
    assert_eq!(screen.style_of(" b="), "yellow");
    assert_eq!(screen.style_of("'1'"), "green");
    assert_eq!(screen.style_of("<!-- c -->"), "dim");
    assert_eq!(screen.style_of("text"), "");
}

#[test]
fn long_output_goes_through_the_pager() {
    let mut prompt = Prompt::on(
        TestHost::new(),
        &[
            ("PAGER", "tail -n 3 | sed 's/^/page: /'"),
            ("NO_COLOR", "1"),
        ],
    );
    let long = "let list = []; for n in 0..100 { list.push(n) } list";
    prompt.answers(long, "page: 97\npage: 98\npage: 99\n");
    prompt.answers("[1, 2]", "1\n2\n");
    prompt.answers(":pager off", "");
    prompt.answers(long, "\n98\n99\n");
}

#[test]
fn a_pager_that_does_not_exist_is_no_loss() {
    let mut prompt = Prompt::on(
        TestHost::new(),
        &[("PAGER", "/no/such/pager"), ("NO_COLOR", "1")],
    );
    prompt.answers(
        "let list = []; for n in 0..100 { list.push(n) } list",
        "\n98\n99\n",
    );
}
