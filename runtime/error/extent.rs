//! The size of a value's text.

use rhai::{Array, Blob, Dynamic, FnPtr, ImmutableString, Map};

use crate::redact;
use crate::run::resources::{memory, stack};
use crate::xml::Xml;

/// The size and depth of a value's text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Extent {
    /// Bytes of text, at most.
    text: usize,
    /// The values in it.
    values: usize,
    /// The number of nested levels.
    levels: usize,
}

/// The deepest value that is shown. Deeper values would be indented too far and written by too many calls.
const MOST_LEVELS: usize = 2_000;

/// The deepest and longest value that a message quotes.
const SHORT_LEVELS: usize = 100;
const SHORT: usize = 64 * 1024;

/// The bytes of text for a value that is neither text nor a container.
const ATOM: usize = 256;

/// True if there is enough memory to show `value`, in lines, in a table or as JSON.
pub fn can_be_shown(value: &Dynamic) -> bool {
    let Some(extent) = measure(value, MOST_LEVELS) else {
        return false;
    };
    let indents = extent
        .values
        .saturating_mul(extent.levels)
        .saturating_mul(4);
    let needed = extent.text.saturating_mul(8).saturating_add(indents);
    needed <= memory::room()
}

/// True if `value` is short enough for a message.
pub fn is_short(value: &Dynamic) -> bool {
    is_within(value, SHORT)
}

/// True if `value` does not nest deeply and takes at most `bytes` as text.
pub(crate) fn is_within(value: &Dynamic, bytes: usize) -> bool {
    measure(value, SHORT_LEVELS).is_some_and(|extent| extent.text <= bytes)
}

/// The maximum bytes of `value` as text; `None` if it nests more than `levels` deep.
pub(crate) fn text_at_most(value: &Dynamic, levels: usize) -> Option<usize> {
    measure(value, levels).map(|extent| extent.text)
}

/// The extent of `value`; `None` if it nests more than `levels` deep.
fn measure(value: &Dynamic, levels: usize) -> Option<Extent> {
    if stack::is_used_up() {
        return None;
    }
    if value.is_shared() {
        let inner = value.read_lock::<Dynamic>()?;
        return measure(&inner, levels.checked_sub(1)?);
    }
    if let Some(array) = value.read_lock::<Array>() {
        return together(array.iter().map(|value| (8, value)), levels);
    }
    if let Some(map) = value.read_lock::<Map>() {
        let fields = map.iter().map(|(key, value)| (key.len() * 4 + 8, value));
        return together(fields, levels);
    }
    let text = if let Some(text) = value.read_lock::<ImmutableString>() {
        text.len().saturating_mul(2)
    } else if let Some(blob) = value.read_lock::<Blob>() {
        blob.len().saturating_mul(4)
    } else if let Some(xml) = value.read_lock::<Xml>() {
        xml.size().saturating_mul(2)
    } else if let Some(closure) = value.read_lock::<FnPtr>() {
        closure.fn_name().len() + 8
    } else {
        ATOM
    };
    Some(Extent {
        text,
        values: 1,
        levels: 0,
    })
}

/// The extent of a list of values, each with the bytes that it takes besides its own.
fn together<'a>(
    values: impl Iterator<Item = (usize, &'a Dynamic)>,
    levels: usize,
) -> Option<Extent> {
    let levels = levels.checked_sub(1)?;
    let mut whole = Extent {
        text: 8,
        ..Extent::default()
    };
    for (besides, value) in values {
        let part = measure(value, levels)?;
        whole.text = whole.text.saturating_add(part.text).saturating_add(besides);
        whole.values = whole.values.saturating_add(part.values);
        whole.levels = whole.levels.max(part.levels);
    }
    whole.levels += 1;
    whole.values += 1;
    Some(whole)
}

/// `text`, cut if it is too long for a message.
pub fn shortened(text: String) -> String {
    const MOST: usize = 16 * 1024;
    if text.len() <= MOST {
        return text;
    }
    // A secret that is cut is not recognised.
    let text = redact::hide(&text);
    let end = (0..=MOST / 2).rev().find(|at| text.is_char_boundary(*at));
    let end = end.unwrap_or(0);
    format!("{}... ({} bytes in all)", &text[..end], text.len())
}

#[cfg(test)]
mod tests {
    use rhai::{Dynamic, Engine};

    use super::{can_be_shown, is_short, shortened};

    fn value(code: &str) -> Dynamic {
        let mut engine = Engine::new();
        engine.set_max_expr_depths(0, 0);
        engine.eval(code).expect("a value")
    }

    #[test]
    fn long_and_deep_values_are_not_for_messages() {
        assert!(is_short(&value("[1, #{ a: `text` }]")));
        assert!(!is_short(&value("let s = `x`; s.pad(70000, 'x'); [s]")));
        let deep = value("let a = []; for i in 0..150 { a = [a]; } a");
        assert!(!is_short(&deep));
        assert!(can_be_shown(&deep));
    }

    #[test]
    fn long_text_is_cut_between_letters() {
        assert_eq!(shortened("short".into()), "short");
        let cut = shortened("ß".repeat(20_000));
        assert!(cut.ends_with("ß... (40000 bytes in all)"), "{cut}");
        assert!(cut.len() < 10_000);
    }
}
