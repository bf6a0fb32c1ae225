//! The rows of the screen while an input is typed: the rows above it must stay.

use super::{PLAIN, RIGHT, UP, with_domain};
use crate::support::{PROMPT, Prompt};

/// The rows of the screens here.
const ROWS: u16 = 9;

/// The start of a call whose usage is shown below it.
const CALL: &str = "conn.lookup_by_name(\"";

/// Makes the screen `columns` wide, and fills it with the rows `row 0` to `row 19` above a prompt
/// in the last one.
fn fill(prompt: &mut Prompt, columns: u16) {
    prompt.drops();
    prompt.terminal.resize(ROWS, columns);
    prompt.clears();
    prompt
        .terminal
        .types("for n in 0..20 { print(`row ${n}`) }\r");
    prompt
        .terminal
        .until("the prompt is below the rows", |screen| {
            screen
                .text()
                .ends_with(&format!("row 19\n{}", PROMPT.trim()))
                && screen.cursor().0 == ROWS - 1
        });
}

/// Waits until the screen shows `input`, below it a row that begins with `below`, and above it the
/// remaining rows of `fill`.
fn shows_input(prompt: &mut Prompt, input: &str, below: Option<&str>, columns: u16) {
    let line: Vec<char> = format!("{PROMPT}{input}").chars().collect();
    let width = usize::from(columns);
    let mut expected: Vec<String> = line.chunks(width).map(String::from_iter).collect();
    // A full row is followed by the row with the cursor.
    if line.len().is_multiple_of(width) {
        expected.push(String::new());
    }
    let what = format!("{columns} columns show {input:?} below what was there");
    prompt.terminal.until(&what, |screen| {
        let text = screen.text();
        let shown: Vec<&str> = text.lines().collect();
        let Some(first) = shown.iter().position(|row| row.starts_with(PROMPT.trim())) else {
            return false;
        };
        let above = shown[..first].iter().rev().zip((0..20).rev());
        let rows = expected.len();
        let own = shown.iter().skip(first).take(rows);
        above.clone().count() == first
            && above.into_iter().all(|(row, n)| *row == format!("row {n}"))
            && own
                .map(|row| row.trim_end())
                .eq(expected.iter().map(|row| row.trim_end()))
            && below.is_none_or(|below| {
                let last = shown.get(first + rows);
                last.is_some_and(|row| row.starts_with(below)) && shown.len() == first + rows + 1
            })
    });
}

#[test]
fn a_call_that_wraps_leaves_the_rows_above_it_alone() {
    for env in [PLAIN, &[]] {
        let mut prompt = with_domain(env);
        for (columns, rows) in [(21, 3), (40, 2), (57, 2), (80, 2), (132, 1)] {
            fill(&mut prompt, columns);
            let longest = usize::from(columns * rows) + 2 - PROMPT.len();
            let mut input = CALL.to_owned();
            prompt.terminal.types(CALL);
            while input.len() < longest {
                prompt.terminal.types("x");
                input.push('x');
                // Only columns near the edge are tested; all others behave alike.
                let column = (PROMPT.len() + input.len()) % usize::from(columns);
                if column < 2 || column + 1 == usize::from(columns) {
                    shows_input(&mut prompt, &input, Some("lookup_by_name(name"), columns);
                }
            }
            while input.len() > CALL.len() {
                prompt.terminal.types("\x7f");
                input.pop();
            }
            shows_input(&mut prompt, &input, Some("lookup_by_name(name"), columns);
        }
    }
}

#[test]
fn the_cursor_behind_a_full_row_of_several_lines_leaves_the_rows_above_it_alone() {
    for env in [PLAIN, &[]] {
        let mut prompt = with_domain(env);
        let columns = 40;
        fill(&mut prompt, columns);
        let first = format!("if true {{ /*{}*/", "x".repeat(40 - PROMPT.len() - 14));
        prompt.terminal.types(&format!("{first}\r1 }}"));
        prompt.terminal.line_is("1 }");
        prompt.terminal.types(UP);
        prompt.terminal.types("\x05");
        let is_whole = |screen: &crate::support::Screen| {
            let text = screen.text();
            text.contains("row 18\nrow 19\n") && text.contains(&format!("{PROMPT}{first}\n"))
        };
        prompt
            .terminal
            .until("the cursor is behind the full row", |screen| {
                is_whole(screen) && screen.cursor().1 == 0 && screen.text().ends_with("\n1 }")
            });
        prompt.terminal.types("\x02");
        prompt
            .terminal
            .until("the cursor is in the full row", |screen| {
                is_whole(screen) && screen.cursor().1 == columns - 1
            });
        prompt.terminal.types("\x06\r\r");
        prompt.terminal.types("\x1b[B\x05\r");
        prompt.terminal.shows("\n1\n");
        assert!(prompt.terminal.screen().text().contains("row 19\n"));
    }
}

#[test]
fn the_rest_of_a_long_earlier_input_takes_one_row() {
    let mut prompt = with_domain(&[]);
    let columns = 60;
    let long = format!("let long = \"{}\"", "y".repeat(3000));
    prompt
        .terminal
        .types(&format!("\x1b[200~{long};\x1b[201~\r"));
    prompt.terminal.until("it ran", |screen| {
        screen.text().contains("yyy") && screen.cursor_line() == PROMPT.trim()
    });
    prompt.answers(&format!("let wide = \"{}\"", "z".repeat(90)), "");
    fill(&mut prompt, columns);
    prompt.terminal.types("let l");
    let ghost = format!("ong = \"{}…", "y".repeat(60 - PROMPT.len() - 14));
    shows_input(&mut prompt, &format!("let l{ghost}"), None, columns);
    prompt.drops();
    prompt.terminal.types("let w");
    prompt.terminal.shows("z…");
    prompt.terminal.types(RIGHT);
    let wide = format!("let wide = \"{}\"", "z".repeat(90));
    shows_input(&mut prompt, &wide, None, columns);
}
