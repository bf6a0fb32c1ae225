//! Questions of runbooks to persons.

use super::{has, in_folder};
use crate::support::{Scratch, Terminal};

const ASKS: &str = r#"
    confirm("delete all guests?");
    manual("connect the cable");
    print("both are done");"#;

#[test]
fn a_person_confirms_and_does_the_tasks_of_a_runbook() {
    let folder = Scratch::new();
    folder.write("ask.rhai", ASKS);
    let nobody = in_folder(&folder).arg("run").arg("ask.rhai").fails(1);
    has(
        &nobody,
        &["no terminal to confirm: delete all guests?", "--yes"],
    );
    let nobody = in_folder(&folder)
        .arg("--yes")
        .arg("run")
        .arg("ask.rhai")
        .fails(1);
    has(
        &nobody,
        &["a person must do this: connect the cable", "virhai resume"],
    );

    // A rehearsal asks nobody.
    let rehearsed = in_folder(&folder)
        .arg("--rehearse")
        .arg("run")
        .arg("ask.rhai")
        .run();
    assert_eq!(rehearsed.status, 0, "{rehearsed}");
    has(
        &rehearsed,
        &[
            "both are done",
            "assumed: a person confirms: delete all guests?",
            "assumed: a person does this: connect the cable",
        ],
    );

    // A task for a person is done when the run is resumed on a terminal.
    let mut terminal = Terminal::start(&in_folder(&folder).arg("resume").command());
    terminal.shows("connect the cable (Enter when it is done, `no` to stop):");
    terminal.types("\r");
    terminal.shows("both are done");
    assert_eq!(terminal.ends(), 0);
    let shown = in_folder(&folder).arg("show").ok();
    assert!(shown.contains("connect the cable: done in"), "{shown}");
    assert!(
        shown.contains("connect the cable (Enter when it is done"),
        "{shown}"
    );

    let run = || in_folder(&folder).arg("run").arg("ask.rhai").command();
    let mut terminal = Terminal::start(&run());
    terminal.shows("delete all guests? (yes or no):");
    terminal.types("no\r");
    terminal.shows("not confirmed: delete all");
    assert_eq!(terminal.ends(), 1);
    let mut terminal = Terminal::start(&run());
    terminal.shows("(yes or no):");
    terminal.types("\x03");
    assert_eq!(terminal.ends(), 130);
}

#[test]
fn a_run_that_succeeded_is_undone_at_a_terminal_only_after_a_yes() {
    let folder = Scratch::new();
    folder.write(
        "push.rhai",
        "all_or_nothing(|undo| undo.push(|| print(\"taken back\")))",
    );
    in_folder(&folder).arg("run").arg("push.rhai").ok();
    let undo = || {
        let mut terminal = Terminal::start(&in_folder(&folder).arg("undo").command());
        terminal.shows("Undo its 1 change? (yes or no):");
        terminal
    };
    // Ctrl-D counts as a refusal.
    for refusal in ["no\r", "\x04"] {
        let mut terminal = undo();
        terminal.types(refusal);
        terminal.shows("nothing was undone");
        assert_eq!(terminal.ends(), 1);
    }
    let mut terminal = undo();
    terminal.types("Yes\r");
    terminal.shows("taken back");
    assert_eq!(terminal.ends(), 0);
}
