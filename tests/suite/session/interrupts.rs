//! What runs is stopped, and what is typed for others is not taken for a stop.

use crate::support::{PROMPT, Prompt, TestHost, virhai};

#[test]
fn ctrl_c_in_a_pager_is_the_pagers() {
    let pager = "cat >/dev/null; trap 'echo caught; exit 0' INT; echo paging; sleep 20 & wait";
    let mut prompt = Prompt::on(TestHost::new(), &[("PAGER", pager), ("NO_COLOR", "1")]);
    prompt
        .terminal
        .types("let list = []; for n in 0..100 { list.push(n) } list\r");
    prompt.terminal.shows("\npaging");
    prompt.terminal.types("\x03");
    prompt.terminal.shows("caught");
    prompt.terminal.line_is(PROMPT);
    assert!(!prompt.terminal.screen().text().contains("stopping"));
    prompt.answers("1 + 1", "2");
}

#[test]
fn piped_input_is_one_script_with_a_scripts_status() {
    let host = TestHost::new();
    let piped = |script: &str| {
        virhai()
            .arg("-c")
            .arg(host.uri())
            .arg("-")
            .script(script)
            .run()
    };
    let good = piped(
        "let conn = connect();\nlet dom = conn.lookup_by_name(\"test\");\ndom.destroy();\ndom.state()",
    );
    assert_eq!(
        (good.status, good.stdout.as_str()),
        (0, "shutoff\n"),
        "nothing is asked: {good}"
    );
    assert_eq!(piped("1;\nnosuch(2);\n3").status, 1);
    assert_eq!(piped("let = 5").status, 3);
    assert_eq!(piped("exit(7)").status, 7);
}
