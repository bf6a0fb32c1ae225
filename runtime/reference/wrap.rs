//! Help in the width of a terminal: paragraphs are filled, code stays as it is.

use crate::show::width;

/// The text with lines of at most `columns`. A word that is longer stands alone.
pub fn wrapped(text: &str, columns: Option<usize>) -> String {
    let Some(columns) = columns.filter(|columns| *columns > 20) else {
        return text.to_owned();
    };
    let mut lines: Vec<String> = Vec::new();
    // The words of a paragraph that is still open, behind its indent.
    let mut open: Option<(String, Vec<&str>)> = None;
    for line in text.lines() {
        let indent = &line[..line.len() - line.trim_start().len()];
        // Two blanks stand between columns.
        let is_row = line.trim().contains("  ");
        let is_prose = indent == "  " && !is_row && !line.trim_start().starts_with(['-', '|', '*']);
        match &mut open {
            Some((_, words)) if is_prose => words.extend(line.split_whitespace()),
            _ => {
                close(&mut lines, open.take(), columns);
                if is_prose {
                    open = Some((indent.to_owned(), line.split_whitespace().collect()));
                } else if let Some(second) = second_column(line).filter(|_| width(line) > columns) {
                    // A column continues in the same column of the next row.
                    let (first, rest) = line.split_at(second);
                    let mut words = rest.split_whitespace();
                    let indent = " ".repeat(width(first));
                    let first = format!("{first}{}", words.next().unwrap_or_default());
                    fill(&mut lines, first, &indent, words, columns);
                } else if width(line) > columns && indent.len() < 6 && indent.is_ascii() {
                    // Text that is not prose continues below, indented further.
                    let mut words = line.split_whitespace();
                    let first = format!("{indent}{}", words.next().unwrap_or_default());
                    fill(&mut lines, first, &format!("{indent}    "), words, columns);
                } else {
                    lines.push(line.to_owned());
                }
            }
        }
    }
    close(&mut lines, open, columns);
    lines.join("\n")
}

/// The start of the second column of a row: after two or more blanks.
fn second_column(line: &str) -> Option<usize> {
    let text = line.trim_start();
    let gap = text.find("  ")?;
    let second = text[gap..].trim_start();
    // Code has blanks of its own.
    let is_row = line.starts_with("  ") && !line.starts_with("    ");
    (is_row && !second.is_empty()).then(|| line.len() - second.len())
}

fn close(lines: &mut Vec<String>, paragraph: Option<(String, Vec<&str>)>, columns: usize) {
    let Some((indent, words)) = paragraph else {
        return;
    };
    let mut words = words.into_iter();
    let first = format!("{indent}{}", words.next().unwrap_or_default());
    fill(lines, first, &indent, words, columns);
}

fn fill<'a>(
    lines: &mut Vec<String>,
    mut line: String,
    indent: &str,
    words: impl Iterator<Item = &'a str>,
    columns: usize,
) {
    for word in words {
        if width(&line) + 1 + width(word) > columns {
            lines.push(std::mem::replace(&mut line, format!("{indent}{word}")));
        } else {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines.push(line);
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn paragraphs_are_filled_and_code_stays() {
        let text = "dom.stop()\n\n  Stops the guest for certain: asks\n  it, and pulls the plug.\n\n      let code = that_is_longer_than_the_screen();";
        let shown = "dom.stop()\n\n  Stops the guest for\n  certain: asks it,\n  and pulls the plug.\n\n      let code = that_is_longer_than_the_screen();";
        assert_eq!(wrapped(text, Some(21)), shown);
        assert_eq!(wrapped(text, None), text);
        let row = "  stop()  Stops the guest for certain: asks it";
        let shown = "  stop()  Stops the guest\n          for certain: asks\n          it";
        assert_eq!(wrapped(row, Some(28)), shown);
        let rows = "  a  https://a.example\n  b  https://b.example";
        assert_eq!(wrapped(rows, Some(80)), rows);
    }

    #[test]
    fn a_long_signature_goes_on_further_in() {
        let text = "conn.create(one: string, two: string, three: string)";
        assert_eq!(
            wrapped(text, Some(30)),
            "conn.create(one: string, two:\n    string, three: string)"
        );
    }
}
