//! Makes control characters visible.
//!
//! Guests, hosts and scripts choose names, titles and text. Written to a terminal as they are, control characters
//! would set the clipboard, clear the screen or reorder a line; on a page they would reorder or hide text.

use std::borrow::Cow;

/// The colours that virhai itself uses, as the parameters between `ESC [` and `m`: no hidden text, no background.
const COLORS: [&str; 9] = ["", "0", "1", "2", "3", "4", "7", "22", "39"];

/// `text` with control characters made visible, except line feeds and tabs.
///
/// A control character becomes its picture (`␛`), an invisible character its number (`<U+202E>`).
pub fn visible(text: &str) -> Cow<'_, str> {
    shown(text, false)
}

/// The same for text that must stay in one row, such as a name in a table or a question.
pub fn visible_line(text: &str) -> Cow<'_, str> {
    match text.contains(['\n', '\t', '\r']) {
        false => shown(text, false),
        true => Cow::Owned(
            text.chars()
                .map(|letter| sign(letter).unwrap_or_else(|| letter.into()))
                .collect(),
        ),
    }
}

/// The same as [`visible`] for text that has virhai's own colours.
pub fn with_colors(text: &str) -> Cow<'_, str> {
    shown(text, true)
}

fn shown(text: &str, colors: bool) -> Cow<'_, str> {
    let passes = |letter: char| matches!(letter, '\n' | '\t') || !is_hidden(letter);
    if text.chars().all(passes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let color = if colors { color(rest) } else { 0 };
        let taken = match color {
            0 => letter.len_utf8(),
            length => length,
        };
        let (piece, after) = rest.split_at(taken);
        // A carriage return before a line feed moves nothing.
        if color > 0 || passes(letter) || letter == '\r' && after.starts_with('\n') {
            out.push_str(piece);
        } else {
            out.extend(sign(letter));
        }
        rest = after;
    }
    Cow::Owned(out)
}

/// The length of the colour that `text` begins with, 0 if it begins with none.
fn color(text: &str) -> usize {
    let Some(parameters) = text.strip_prefix("\x1b[") else {
        return 0;
    };
    let Some(end) = parameters.find(|letter: char| !letter.is_ascii_digit() && letter != ';')
    else {
        return 0;
    };
    let known = |parameter: &str| {
        let number = parameter.parse::<u8>().unwrap_or(0);
        COLORS.contains(&parameter) || matches!(number, 31..=37 | 90..=97)
    };
    match parameters[end..].starts_with('m') && parameters[..end].split(';').all(known) {
        true => "\x1b[".len() + end + 1,
        false => 0,
    }
}

/// The visible replacement of a character that cannot be shown.
fn sign(letter: char) -> Option<String> {
    if !is_hidden(letter) {
        return None;
    }
    let number = u32::from(letter);
    Some(match letter {
        '\0'..='\x1f' => char::from_u32(0x2400 + number).map_or_else(String::new, String::from),
        '\x7f' => "\u{2421}".into(),
        _ => format!("<U+{number:04X}>"),
    })
}

/// True if a terminal acts on `letter`, or does not show it.
fn is_hidden(letter: char) -> bool {
    match letter {
        ' '..='~' => false,
        _ if letter.is_control() => true,
        // Soft hyphen, joiners, Arabic letter mark, Hangul fillers, Mongolian separator.
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}'
        | '\u{ffa0}' => true,
        // Zero width, directions, line and paragraph separators, invisible operators.
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        // Byte order mark, interlinear annotations, tags.
        '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        // XML forbids them.
        '\u{fffe}' | '\u{ffff}' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{shown, visible, visible_line};

    #[test]
    fn control_characters_become_visible() {
        for (text, expected) in [
            ("plain\ttext\nüñ漢", "plain\ttext\nüñ漢"),
            ("\x1b]52;c;AAAA\x07", "␛]52;c;AAAA␇"),
            ("\x1b[2J\x1b[31m", "␛[2J␛[31m"),
            ("\u{9b}2J\u{9d}0;t\u{9c}", "<U+009B>2J<U+009D>0;t<U+009C>"),
            (
                "a\u{202e}b\u{2066}c\u{200f}\u{61c}",
                "a<U+202E>b<U+2066>c<U+200F><U+061C>",
            ),
            ("\u{200b}\u{feff}\u{2028}", "<U+200B><U+FEFF><U+2028>"),
            ("\u{fffe}\u{ffff}", "<U+FFFE><U+FFFF>"),
            ("\x7f\0\x08", "␡␀␈"),
            ("over\rwritten", "over␍written"),
            ("line\r\n", "line\r\n"),
        ] {
            assert_eq!(visible(text), expected, "{text:?}");
        }
        assert_eq!(visible_line("a\nb\tc\x1b"), "a␊b␉c␛");
    }

    #[test]
    fn only_own_colours_pass() {
        assert_eq!(shown("\x1b[1;31mred\x1b[0m", true), "\x1b[1;31mred\x1b[0m");
        for hostile in [
            "\x1b[8m",
            "\x1b[2J",
            "\x1b[30;40m",
            "\x1b[38;5;0m",
            "\x1b]0;t\x07",
            "\x1b[31",
            "\x1b[1;",
        ] {
            assert!(!shown(hostile, true).contains('\x1b'), "{hostile:?}");
        }
    }

    #[test]
    fn no_character_that_a_terminal_acts_on_passes() {
        let every: String = (0..=0x10_ffff).filter_map(char::from_u32).collect();
        let bad = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\t');
        assert_eq!(visible(&every).chars().find(|letter| bad(*letter)), None);
    }
}
