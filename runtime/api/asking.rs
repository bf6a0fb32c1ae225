//! Rhai's functions that need several times the memory of their arguments. Each checks the memory
//! limit first, and then calls Rhai's own function.

use std::any::TypeId;
use std::ops::{Range, RangeInclusive};
use std::sync::LazyLock;

use rhai::{
    Array, Blob, Dynamic, Engine, FnPtr, FuncRegistration, ImmutableString, Map, Module,
    NativeCallContext, RhaiFunc, Shared,
};

use super::room::{ensure_room, ensure_running};
pub(crate) use crate::error::plain::MARK;

/// A function that asks for room.
struct Asking {
    name: &'static str,
    parameters: &'static [ParameterType],
    /// True if the call changes its first argument.
    changes: bool,
    /// The bytes that it needs.
    needs: fn(&[&mut Dynamic]) -> usize,
}

/// The type of a parameter.
#[derive(Clone, Copy)]
enum ParameterType {
    Text,
    Char,
    Int,
    Blob,
    Range,
    RangeInclusive,
}

use ParameterType::{Char, Int, Text};

/// Every function that asks for room.
const ASKING: &[Asking] = &[
    changing("replace", &[Text, Text, Text], replaced),
    changing("replace", &[Text, Text, Char], replaced),
    changing("replace", &[Text, Char, Text], replaced),
    changing("replace", &[Text, Char, Char], replaced),
    reading("split", &[Text], words),
    reading("split", &[Text, Text], split),
    reading("split", &[Text, Char], split),
    reading("split", &[Text, Text, Int], split),
    reading("split", &[Text, Char, Int], split),
    reading("split_rev", &[Text, Text], split),
    reading("split_rev", &[Text, Char], split),
    reading("split_rev", &[Text, Text, Int], split),
    reading("split_rev", &[Text, Char, Int], split),
    reading("to_chars", &[Text], |args| times(args, 2 * VALUE)),
    reading("chars", &[Text], letters),
    reading("chars", &[Text, Int], letters),
    reading("chars", &[Text, Int, Int], letters),
    reading("chars", &[Text, ParameterType::Range], letters),
    reading("chars", &[Text, ParameterType::RangeInclusive], letters),
    reading("get$chars", &[Text], letters),
    reading("sub_string", &[Text, Int], letters),
    reading("sub_string", &[Text, Int, Int], letters),
    reading("sub_string", &[Text, ParameterType::Range], letters),
    reading(
        "sub_string",
        &[Text, ParameterType::RangeInclusive],
        letters,
    ),
    changing("crop", &[Text, Int], letters),
    changing("crop", &[Text, Int, Int], letters),
    changing("crop", &[Text, ParameterType::Range], letters),
    changing("crop", &[Text, ParameterType::RangeInclusive], letters),
    changing("pop", &[Text, Int], letters),
    reading("index_of", &[Text, Text, Int], letters),
    reading("index_of", &[Text, Char, Int], letters),
    reading("to_upper", &[Text], cases),
    reading("to_lower", &[Text], cases),
    changing("make_upper", &[Text], cases),
    changing("make_lower", &[Text], cases),
    reading("to_array", &[ParameterType::Blob], |args| {
        times(args, VALUE)
    }),
    reading("as_string", &[ParameterType::Blob], lossy),
    changing("append", &[Text, ParameterType::Blob], lossy),
    changing("+=", &[Text, ParameterType::Blob], lossy),
    reading("+", &[Text, ParameterType::Blob], lossy),
    reading("+", &[ParameterType::Blob, Text], lossy),
];

/// The bytes of a value in an array.
const VALUE: usize = size_of::<Dynamic>();

/// The bytes of a piece of text as a value, besides its letters.
const PIECE: usize = 96;

const fn reading(
    name: &'static str,
    parameters: &'static [ParameterType],
    needs: fn(&[&mut Dynamic]) -> usize,
) -> Asking {
    Asking {
        name,
        parameters,
        changes: false,
        needs,
    }
}

const fn changing(
    name: &'static str,
    parameters: &'static [ParameterType],
    needs: fn(&[&mut Dynamic]) -> usize,
) -> Asking {
    Asking {
        name,
        parameters,
        changes: true,
        needs,
    }
}

/// An engine that has Rhai's own functions alone.
static RHAI: LazyLock<Engine> = LazyLock::new(Engine::new);

pub(crate) fn register(engine: &mut Engine) {
    let mut module = Module::new();
    for asking in ASKING {
        let registration = FuncRegistration::new(asking.name)
            .in_global_namespace()
            .with_comments([MARK]);
        let types: Vec<TypeId> = asking
            .parameters
            .iter()
            .map(|kind| kind.type_id())
            .collect();
        module.set_fn_raw_with_options(registration, types, function(asking));
    }
    // Rhai's own iterator copies all letters first, four bytes for each.
    module.set_iter(TypeId::of::<ImmutableString>(), |text| {
        Box::new(Letters {
            text: text.cast(),
            next: 0,
        })
    });
    engine.register_global_module(module.into());
}

fn function(asking: &'static Asking) -> RhaiFunc {
    let func = move |ctx: Option<NativeCallContext>, args: &mut [&mut Dynamic]| {
        let ctx = ctx.expect("a function that takes its context gets it");
        ensure_running(&ctx)?;
        ensure_room(&ctx, (asking.needs)(args))?;
        let own = NativeCallContext::new_with_all_fields(
            &RHAI,
            asking.name,
            ctx.fn_source(),
            ctx.global_runtime_state(),
            ctx.call_position(),
        );
        own.call_native_fn_raw(asking.name, asking.changes, args)
    };
    match asking.changes {
        true => RhaiFunc::Method {
            func: Shared::new(func),
            has_context: true,
            is_pure: false,
            is_volatile: false,
        },
        false => RhaiFunc::Pure {
            func: Shared::new(func),
            has_context: true,
            is_pure: true,
            is_volatile: false,
        },
    }
}

impl ParameterType {
    fn type_id(self) -> TypeId {
        match self {
            Self::Text => TypeId::of::<ImmutableString>(),
            Self::Char => TypeId::of::<char>(),
            Self::Int => TypeId::of::<i64>(),
            Self::Blob => TypeId::of::<Blob>(),
            Self::Range => TypeId::of::<Range<i64>>(),
            Self::RangeInclusive => TypeId::of::<RangeInclusive<i64>>(),
        }
    }
}

/// The letters of a text, one after the other.
struct Letters {
    text: ImmutableString,
    next: usize,
}

impl Iterator for Letters {
    type Item = Dynamic;

    fn next(&mut self) -> Option<Dynamic> {
        let letter = self.text[self.next..].chars().next()?;
        self.next += letter.len_utf8();
        Some(letter.into())
    }
}

/// The bytes of a copy of `value` that shares no values itself.
pub(crate) fn flat_size(value: &Dynamic) -> usize {
    match value.is_shared() {
        true => value.read_lock::<Dynamic>().map_or(0, |value| size(&value)),
        false => size(value),
    }
}

/// The bytes of a copy of `value`; shared parts are not copied.
pub(crate) fn size(value: &Dynamic) -> usize {
    let list = |values: &mut dyn Iterator<Item = &Dynamic>, each: usize| {
        values.fold(64_usize, |sum, value| {
            sum.saturating_add(size(value)).saturating_add(each)
        })
    };
    if value.is_shared() || value.is_string() {
        return 0;
    }
    if let Some(array) = value.read_lock::<Array>() {
        return list(&mut array.iter(), VALUE);
    }
    if let Some(map) = value.read_lock::<Map>() {
        return list(&mut map.values(), 4 * VALUE);
    }
    if let Some(closure) = value.read_lock::<FnPtr>() {
        return list(&mut closure.iter_curry(), VALUE).saturating_add(64);
    }
    value.read_lock::<Blob>().map_or(0, |blob| blob.len())
}

/// The bytes of the first argument, a text or a blob, `factor` times.
fn times(args: &[&mut Dynamic], factor: usize) -> usize {
    let bytes = args.first().map_or(0, |arg| match arg.read_lock::<Blob>() {
        Some(blob) => blob.len(),
        None => with_text(arg, str::len),
    });
    bytes.saturating_mul(factor)
}

/// The result of `read` for a text, and for an empty text if the value is not a text.
fn with_text(value: &Dynamic, read: impl FnOnce(&str) -> usize) -> usize {
    match value.read_lock::<ImmutableString>() {
        Some(text) => read(&text),
        None => match value.as_char() {
            Ok(letter) => read(letter.encode_utf8(&mut [0; 4])),
            Err(_) => read(""),
        },
    }
}

/// A text whose letters are copied, four bytes each, into a list that grows.
fn letters(args: &[&mut Dynamic]) -> usize {
    times(args, 8)
}

/// A text whose case changes: some letters then take three times the bytes.
fn cases(args: &[&mut Dynamic]) -> usize {
    times(args, 4)
}

/// A blob that becomes text: a byte that is no letter takes three bytes.
fn lossy(args: &[&mut Dynamic]) -> usize {
    let bytes = args.iter().map(|arg| match arg.read_lock::<Blob>() {
        Some(blob) => blob.len().saturating_mul(3),
        None => with_text(arg, str::len),
    });
    bytes.fold(0, usize::saturating_add).saturating_mul(2)
}

fn replaced(args: &[&mut Dynamic]) -> usize {
    let [text, old, new] = args else { return 0 };
    let new = with_text(new, str::len);
    with_text(text, |text| {
        let places = with_text(old, |old| text.matches(old).count());
        places
            .saturating_mul(new)
            .saturating_add(text.len())
            .saturating_mul(2)
    })
}

/// The pieces of the first argument between white space.
fn words(args: &[&mut Dynamic]) -> usize {
    args.first().map_or(0, |text| {
        with_text(text, |text| {
            let words = text.split_whitespace().count();
            words.saturating_mul(PIECE).saturating_add(text.len())
        })
    })
}

fn split(args: &[&mut Dynamic]) -> usize {
    args.get(1).map_or(0, |separator| {
        match separator.read_lock::<ImmutableString>() {
            Some(separator) => pieces(args, &separator),
            None => match separator.as_char() {
                Ok(separator) => pieces(args, separator.encode_utf8(&mut [0; 4])),
                Err(_) => 0,
            },
        }
    })
}

/// The pieces of the first argument between the `separator`s.
fn pieces(args: &[&mut Dynamic], separator: &str) -> usize {
    args.first().map_or(0, |text| {
        with_text(text, |text| {
            let pieces = text.matches(separator).count() + 2;
            pieces.saturating_mul(PIECE).saturating_add(text.len())
        })
    })
}
