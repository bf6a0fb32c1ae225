//! Values as text and as JSON, of any size and any depth; the text counts against the memory limit
//! while it grows.

use rhai::{Array, Blob, Dynamic, FnPtr, ImmutableString, Map, NativeCallContext};

use super::room::{ensure_room, ensure_running, stop};
use crate::error::Error;
use crate::error::RhaiResultOf;
use crate::run::interrupt::Stop;
use crate::run::resources::stack;
use crate::run::session::Session;
use crate::syntax::key_order::KeyOrder;
use crate::syntax::written_names;

/// `value` as `print` writes it.
pub(crate) fn printed(ctx: &NativeCallContext, value: &Dynamic) -> RhaiResultOf<String> {
    written(ctx, |writer| writer.print(value))
}

/// `array` as a script writes it.
pub(crate) fn array_text(ctx: &NativeCallContext, array: &Array) -> RhaiResultOf<String> {
    written(ctx, |writer| writer.array(array))
}

/// `map` as a script writes it.
pub(crate) fn map_text(ctx: &NativeCallContext, map: &Map) -> RhaiResultOf<String> {
    written(ctx, |writer| writer.map(map))
}

/// The bytes as hexadecimal digits.
pub(crate) fn blob_text(ctx: &NativeCallContext, blob: &[u8]) -> RhaiResultOf<String> {
    written(ctx, |writer| writer.blob(blob))
}

/// `text` in quotes.
pub(crate) fn quoted_text(ctx: &NativeCallContext, text: &str) -> RhaiResultOf<String> {
    written(ctx, |writer| writer.quoted(text))
}

/// The values as `print` writes them, with `separator` between them.
pub(crate) fn joined(
    ctx: &NativeCallContext,
    list: &Array,
    separator: &str,
) -> RhaiResultOf<String> {
    written(ctx, |writer| {
        for (index, value) in list.iter().enumerate() {
            if index > 0 {
                writer.push(separator)?;
            }
            writer.print(value)?;
        }
        Ok(())
    })
}

/// `map` as JSON. Closures become their names, and other values without a form in JSON their text.
pub(crate) fn json(ctx: &NativeCallContext, map: &Map) -> RhaiResultOf<String> {
    written(ctx, |writer| writer.json_map(map))
}

/// `value` as JSON, as [`json`] makes it.
pub(crate) fn json_of(ctx: &NativeCallContext, value: &Dynamic) -> RhaiResultOf<String> {
    written(ctx, |writer| writer.json(value))
}

fn written(
    ctx: &NativeCallContext,
    write: impl FnOnce(&mut Writer) -> RhaiResultOf<()>,
) -> RhaiResultOf<String> {
    let mut writer = Writer {
        ctx,
        text: String::new(),
        within: Vec::new(),
        order: Session::of(ctx).key_order(),
    };
    write(&mut writer)?;
    Ok(writer.text)
}

struct Writer<'a> {
    ctx: &'a NativeCallContext<'a>,
    text: String,
    /// The addresses of the shared values around the one that is being written.
    within: Vec<usize>,
    /// The order of keys in the literals of the script.
    order: KeyOrder,
}

impl Writer<'_> {
    /// Makes room for `more` bytes of text; while the text is moved, it is held twice.
    fn reserve(&mut self, more: usize) -> RhaiResultOf<()> {
        let length = self.text.len().saturating_add(more);
        if length > self.text.capacity() {
            ensure_running(self.ctx)?;
            let capacity = length.max(self.text.capacity().saturating_mul(2));
            ensure_room(self.ctx, capacity)?;
            self.text.reserve_exact(capacity - self.text.len());
        }
        Ok(())
    }

    fn push(&mut self, text: &str) -> RhaiResultOf<()> {
        self.reserve(text.len())?;
        self.text.push_str(text);
        Ok(())
    }

    /// Fails if the stack is used up.
    fn ensure_stack(&self) -> RhaiResultOf<()> {
        match stack::is_used_up() {
            true => Err(stop(self.ctx, Stop::NestsTooDeep)),
            false => Ok(()),
        }
    }

    fn print(&mut self, value: &Dynamic) -> RhaiResultOf<()> {
        match value.read_lock::<ImmutableString>() {
            Some(text) => self.push(&text),
            None if value.is_unit() => Ok(()),
            None => self.debug(value),
        }
    }

    fn array(&mut self, array: &Array) -> RhaiResultOf<()> {
        self.list("[", array.iter(), Self::debug)
    }

    fn list<'v>(
        &mut self,
        open: &str,
        values: impl Iterator<Item = &'v Dynamic>,
        write: fn(&mut Self, &Dynamic) -> RhaiResultOf<()>,
    ) -> RhaiResultOf<()> {
        self.push(open)?;
        for (index, value) in values.enumerate() {
            if index > 0 {
                self.push(", ")?;
            }
            write(self, value)?;
        }
        self.push("]")
    }

    fn map(&mut self, map: &Map) -> RhaiResultOf<()> {
        self.push("#{")?;
        match self.order.written(map) {
            Some(keys) => {
                let values = keys.iter().map(|key| (key, &map[key.as_str()]));
                for (index, (key, value)) in values.enumerate() {
                    self.field(index, key, value)?;
                }
            }
            None => {
                for (index, (key, value)) in map.iter().enumerate() {
                    self.field(index, key, value)?;
                }
            }
        }
        self.push("}")
    }

    /// Writes the field `index` of a map.
    fn field(&mut self, index: usize, key: &str, value: &Dynamic) -> RhaiResultOf<()> {
        if index > 0 {
            self.push(", ")?;
        }
        self.quoted(key)?;
        self.push(": ")?;
        self.debug(value)
    }

    fn debug(&mut self, value: &Dynamic) -> RhaiResultOf<()> {
        self.ensure_stack()?;
        if value.is_shared() {
            return self.within_shared(value, "[...]", Self::debug);
        }
        if let Some(text) = value.read_lock::<ImmutableString>() {
            return self.quoted(&text);
        }
        if let Some(array) = value.read_lock::<Array>() {
            return self.array(&array);
        }
        if let Some(map) = value.read_lock::<Map>() {
            return self.map(&map);
        }
        if let Some(blob) = value.read_lock::<Blob>() {
            return self.blob(&blob);
        }
        if value.is_int() || value.is_float() || value.is_bool() || value.is_unit() {
            return self.push(&format!("{value:?}"));
        }
        let text = self.text_of(value)?;
        self.push(&text)
    }

    /// The text of a value that is neither data nor a number: a letter, a closure without its captured values, or an
    /// object.
    fn text_of(&self, value: &Dynamic) -> RhaiResultOf<String> {
        if let Some(closure) = value.read_lock::<FnPtr>() {
            return Ok(written_names::as_written(&closure.to_string()).into_owned());
        }
        if let Ok(character) = value.as_char() {
            return Ok(character.to_string());
        }
        // A type of libvirt's or virhai's has a function for it.
        let mut value = value.clone();
        let text = self
            .ctx
            .call_native_fn_raw("to_debug", true, &mut [&mut value])?;
        Ok(match text.read_lock::<ImmutableString>() {
            Some(text) => text.to_string(),
            None => text.type_name().to_owned(),
        })
    }

    fn quoted(&mut self, text: &str) -> RhaiResultOf<()> {
        use std::fmt::Write;
        self.reserve(escaped_at_most(text))?;
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{text:?}");
        Ok(())
    }

    fn blob(&mut self, blob: &[u8]) -> RhaiResultOf<()> {
        use std::fmt::Write;
        self.reserve(blob.len().saturating_mul(3).saturating_add(2))?;
        self.text.push('[');
        for (index, byte) in blob.iter().enumerate() {
            let separator = if index > 0 && index % 8 == 0 { " " } else { "" };
            let _ = write!(self.text, "{separator}{byte:02x}");
        }
        self.text.push(']');
        Ok(())
    }

    fn json_map(&mut self, map: &Map) -> RhaiResultOf<()> {
        self.push("{")?;
        for (index, (key, value)) in map.iter().enumerate() {
            if index > 0 {
                self.push(",")?;
            }
            self.json_text(key)?;
            self.push(":")?;
            self.json(value)?;
        }
        self.push("}")
    }

    fn json_list<'v>(&mut self, values: impl Iterator<Item = &'v Dynamic>) -> RhaiResultOf<()> {
        for (index, value) in values.enumerate() {
            if index > 0 {
                self.push(",")?;
            }
            self.json(value)?;
        }
        self.push("]")
    }

    fn json(&mut self, value: &Dynamic) -> RhaiResultOf<()> {
        self.ensure_stack()?;
        if value.is_shared() {
            return self.within_shared(value, "", Self::json);
        }
        if let Some(text) = value.read_lock::<ImmutableString>() {
            return self.json_text(&text);
        }
        if let Some(array) = value.read_lock::<Array>() {
            self.push("[")?;
            return self.json_list(array.iter());
        }
        if let Some(map) = value.read_lock::<Map>() {
            return self.json_map(&map);
        }
        if let Some(blob) = value.read_lock::<Blob>() {
            self.reserve(blob.len().saturating_mul(4))?;
            let bytes = blob.iter().map(ToString::to_string);
            for (index, byte) in bytes.enumerate() {
                self.push(if index > 0 { "," } else { "[" })?;
                self.push(&byte)?;
            }
            return self.push(if blob.is_empty() { "[]" } else { "]" });
        }
        if value.is_int() || value.is_float() || value.is_bool() || value.is_unit() {
            // Infinity and the like are no JSON.
            return self.push(&serde_json::to_string(value).unwrap_or_else(|_| "null".into()));
        }
        let text = self.text_of(value)?;
        self.json_text(&text)
    }

    fn json_text(&mut self, text: &str) -> RhaiResultOf<()> {
        self.reserve(escaped_at_most(text))?;
        let quoted = serde_json::to_string(text).unwrap_or_default();
        self.push(&quoted)
    }

    /// Writes the content of the shared `value`, or `again` if the value contains itself.
    fn within_shared(
        &mut self,
        value: &Dynamic,
        again: &str,
        write: fn(&mut Self, &Dynamic) -> RhaiResultOf<()>,
    ) -> RhaiResultOf<()> {
        // The call locks the value that it is called on.
        let inner = value.read_lock::<Dynamic>();
        let address = inner
            .as_deref()
            .map(|value| std::ptr::from_ref(value).addr());
        let (Some(value), Some(address)) = (
            inner,
            address.filter(|address| !self.within.contains(address)),
        ) else {
            if again.is_empty() {
                return Error::refuse(
                    self.ctx,
                    "the value contains itself",
                    "a closure in it captured the variable that holds the value, which JSON cannot express",
                );
            }
            return self.push(again);
        };
        self.within.push(address);
        let written = write(self, &value);
        self.within.pop();
        written
    }
}

/// The most bytes that `text` takes in quotes with its special characters escaped.
fn escaped_at_most(text: &str) -> usize {
    let sizes = text.bytes().map(|byte| match byte {
        b'"' | b'\\' => 2,
        b' '..=b'~' => 1,
        // `\u{7f}`; of other letters each byte is at most a part of `\u{10ffff}`.
        _ => 6,
    });
    sizes.fold(2, usize::saturating_add)
}
