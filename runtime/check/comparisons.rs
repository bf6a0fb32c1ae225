//! Comparisons that are always false because of a habit: a call without a value, the name of a type in another
//! language, a size or a duration that is text, an argument that is to be a number.

use rhai::{Expr, FnCallExpr, ImmutableString, Position};

use super::Code;
use super::phrases::with_article;
use super::scope::KnownType;
use super::statements::last_call;
use super::walk::Walk;
use crate::catalog::walker::root;
use crate::spec::{Literal, Type, duration, size};

/// Names of types in other languages, with the one that `type_of` returns.
const TYPE_NAMES: &[(&[&str], &str)] = &[
    (&["int", "integer", "Int", "INT", "i32", "number"], "i64"),
    (&["float", "double", "Float", "FLOAT", "f32"], "f64"),
    (&["boolean", "Bool"], "bool"),
    (&["str", "String", "text", "&str"], "string"),
    (&["list", "Array", "vec", "Vec", "tuple"], "array"),
    (&["dict", "object", "Map", "hash", "Hash"], "map"),
    (&["closure", "function", "fn", "FnPtr"], "Fn"),
    (
        &[
            "unit",
            "null",
            "none",
            "None",
            "NoneType",
            "nil",
            "undefined",
        ],
        "()",
    ),
    (&["date", "datetime"], "DateTime"),
];

impl<'a> Walk<'a> {
    /// Reports, and returns true, if a comparison of two operands has such a fault.
    pub(super) fn compare_habits(
        &mut self,
        call: &'a FnCallExpr,
        kinds: &[KnownType],
        position: Position,
    ) -> bool {
        let ([one, other], [left, right]) = (&call.args[..], kinds) else {
            return false;
        };
        if self.compare_amounts(call, kinds, position) {
            return true;
        }
        [(one, left, other, right), (other, right, one, left)]
            .into_iter()
            .any(|(operand, kind, value, other)| {
                self.compare_no_value(operand, kind, other)
                    || self.compare_type_name(operand, value)
                    || self.compare_amount(operand, other, position)
                    || self.compare_argument(operand, kind, other, position)
            })
    }

    /// A call that returns nothing, and is compared with a value.
    fn compare_no_value(&mut self, operand: &Expr, kind: &KnownType, other: &KnownType) -> bool {
        let Some(other) = other else { return false };
        let has_value = !other.alternatives().iter().any(|ty| ty.takes(&Type::Unit));
        if *kind != Some(Type::Unit) || !has_value || last_call(operand).is_none() {
            return false;
        }
        let other = with_article(&other.plain().to_string());
        self.check_value(kind, operand, || format!("it never equals {other}"));
        true
    }

    /// The name of a type that `type_of` never returns.
    fn compare_type_name(&mut self, operand: &Expr, value: &Expr) -> bool {
        let is_type = matches!(last_call(operand), Some(("type_of", _)));
        let Expr::StringConstant(text, position) = value else {
            return false;
        };
        if !is_type || self.file.functions_named("type_of").next().is_some() {
            return false;
        }
        let known = TYPE_NAMES
            .iter()
            .find(|(names, _)| names.contains(&text.as_str()));
        if let Some((_, name)) = known {
            let message = format!("`type_of` never returns \"{text}\"");
            self.find(Code::UnknownWord, *position, message).hint =
                Some(format!("it returns \"{name}\""));
        }
        known.is_some()
    }

    /// Sizes or durations that are text, and are put in the order of their letters.
    fn compare_amounts(
        &mut self,
        call: &FnCallExpr,
        kinds: &[KnownType],
        position: Position,
    ) -> bool {
        if ["==", "!="].contains(&call.name.as_str()) {
            return false;
        }
        let texts = call.args.iter().filter_map(|arg| self.text_of(arg));
        let written = Amount::in_texts(texts.collect());
        let declared = kinds
            .iter()
            .find_map(|kind| Amount::of_type(kind.as_ref()?));
        let is_text = |kind: &KnownType| match kind {
            Some(Type::Size { .. } | Type::Duration) => true,
            Some(kind) => kind.is_text(),
            // It is compared with text, so it must be text too.
            None => written.is_some(),
        };
        let Some(amount) = declared.or(written).filter(|_| kinds.iter().all(is_text)) else {
            return false;
        };
        let (amounts, call) = match amount {
            Amount::Size => ("sizes", "`parse_size(text)` is the size in bytes"),
            Amount::Duration => (
                "durations",
                "`parse_duration(text)` is the duration in seconds",
            ),
        };
        let message =
            format!("{amounts} as text are compared letter by letter: \"9\" is more than \"10\"");
        self.find(Code::TextOrder, position, message).hint =
            Some(format!("compare numbers: {call}"));
        true
    }

    /// An input that is text such as `"20GiB"` by default, and is compared with a number.
    fn compare_amount(&mut self, operand: &Expr, other: &KnownType, position: Position) -> bool {
        let Expr::Dot(pair, ..) = operand else {
            return false;
        };
        let (Expr::Variable(variable, ..), Expr::Property(property, _)) = (&pair.lhs, &pair.rhs)
        else {
            return false;
        };
        if !variable.2.is_empty() || !matches!(other, Some(Type::Int | Type::Float)) {
            return false;
        }
        let Some(Type::Keys(spec)) = self.kind_of_variable(&variable.1) else {
            return false;
        };
        let name = property.2.as_str();
        let Some(key) = spec.key(name) else {
            return false;
        };
        let (what, call) = match key.ty {
            Type::Size { .. } => ("size", "parse_size"),
            Type::Duration => ("duration", "parse_duration"),
            _ => return false,
        };
        let Some(Literal::Text(text)) = &key.default else {
            return false;
        };
        let message = format!(
            "the {what} `{name}` is text such as \"{text}\", and is compared with a number"
        );
        let hint = format!("write `{call}({}.{name})`", variable.1);
        self.find(Code::NeverEqual, position, message).hint = Some(hint);
        true
    }

    /// An argument of the script, which is text, and is compared with a number.
    fn compare_argument(
        &mut self,
        operand: &Expr,
        kind: &KnownType,
        other: &KnownType,
        position: Position,
    ) -> bool {
        let is_number = matches!(other, Some(Type::Int | Type::Float));
        let is_argument = matches!(operand, Expr::Index(..)) && root(operand) == Some("args");
        if !is_number || !is_argument || *kind != Some(Type::Text) {
            return false;
        }
        let message = "an argument of a script is text, and is compared with a number";
        self.find(Code::NeverEqual, position, message.into()).hint =
            Some("write `parse_int(args[0])`".into());
        true
    }
}

/// An amount that scripts write as text.
#[derive(Clone, Copy)]
enum Amount {
    Size,
    Duration,
}

impl Amount {
    /// The amount that `texts` are with their units; `5m` can be both, and is a duration beside another one.
    fn in_texts(mut texts: Vec<ImmutableString>) -> Option<Self> {
        let begins = |text: &str| text.starts_with(|letter: char| letter.is_ascii_digit());
        texts.retain(|text| begins(text) && text.ends_with(char::is_alphabetic));
        let is_duration = |text: &ImmutableString| duration::parse(text).is_some();
        if texts.is_empty() {
            return None;
        }
        if texts.iter().all(is_duration) {
            return Some(Self::Duration);
        }
        let is_size = |text: &ImmutableString| size::parse(text, 1).is_ok();
        texts.iter().any(is_size).then_some(Self::Size)
    }

    fn of_type(ty: &Type) -> Option<Self> {
        match ty {
            Type::Size { .. } => Some(Self::Size),
            Type::Duration => Some(Self::Duration),
            _ => None,
        }
    }
}
