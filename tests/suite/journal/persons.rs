//! Persons who are asked by a runbook.

use super::{has, in_folder};
use crate::support::{Scratch, Terminal};

const ASKS: &str = r#"
    confirm("delete all guests?");
    manual("connect the cable");
    print("both are done");"#;

#[test]
fn a_person_confirms_and_does_what_a_runbook_asks() {
    let folder = Scratch::new();
    folder.write("ask.rhai", ASKS);
    let nobody = in_folder(&folder).arg("run").arg("ask.rhai").fails(1);
    has(
        &nobody,
        &["nobody is there to confirm: delete all guests?", "--yes"],
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

    // What only a person can do is done when the run is resumed at a terminal.
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
