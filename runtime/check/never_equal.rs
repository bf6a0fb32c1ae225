//! Comparisons of values that are never equal.

use rhai::{Expr, FnCallExpr, Position};

use super::Code;
use super::classes::{class, named_class, of_class};
use super::scope::KnownType;
use super::walk::Walk;
use crate::spec::{Type, duration, size};
use crate::vocabulary;

/// The type of the result of the method `name` of XML with a path and a default.
pub(super) fn text_or_default(kinds: &[KnownType], name: &str) -> KnownType {
    match (name, kinds) {
        ("get", [Some(xml), _, Some(default)]) if xml.is_called("Xml") => {
            Some(Type::one_of([Type::Text, default.clone()]))
        }
        _ => None,
    }
}

/// The default in a call `xml.get(path, default)` that ends `expression`.
fn default_in(expression: &Expr) -> Option<&Expr> {
    match expression {
        Expr::Dot(pair, ..) => default_in(&pair.rhs),
        Expr::MethodCall(call, _) if call.name == "get" => call.args.get(1),
        _ => None,
    }
}

impl<'a> Walk<'a> {
    /// Values that are never equal, or words that no call returns.
    pub(super) fn compare(
        &mut self,
        call: &'a FnCallExpr,
        kinds: &[KnownType],
        position: Position,
    ) {
        let [one, other] = &call.args[..] else { return };
        if self.compare_habits(call, kinds, position) {
            return;
        }
        let equality = ["==", "!="].contains(&call.name.as_str());
        for (kind, literal) in kinds.iter().zip([other, one]) {
            if let Some(words) = kind.as_ref().and_then(Type::vocabulary)
                && equality
                && let Some(text) = self.text_of(literal)
            {
                self.word_of(words, literal, &text);
            }
        }
        let [Some(left), Some(right)] = kinds else {
            return;
        };
        if equality && self.compare_code([left, right], call, position) {
            return;
        }
        for (kind, operand, other) in [(left, one, right), (right, other, left)] {
            self.compare_default(kind, operand, other, position);
            if call.name == "==" && *other == Type::Unit && matches!(kind, Type::Object(_)) {
                self.never_unit(kind, position);
            }
        }
        let (Some(one_class), Some(other_class)) = (class(left), class(right)) else {
            return;
        };
        if one_class == other_class || self.compares(&call.name, left, right) {
            return;
        }
        let named = call.args.iter().find_map(constant);
        let word = named.and_then(vocabulary::of_constant);
        let hint = amount_meant([left, right], &call.args).unwrap_or_else(|| match word {
            _ if is_date([left, right]) => {
                "a date is compared with another date: `date(\"2026-01-31\")`, `now() - \"30days\"`".into()
            }
            Some(word) if left.is_text() || right.is_text() => {
                format!("the word for it is \"{word}\"")
            }
            _ if equality => self
                .part_meant([left, right], &call.args)
                .unwrap_or_else(|| format!("{} never equals {}", named_class(left), named_class(right))),
            _ if left.is_text() || right.is_text() => {
                "the result is always false; `parse_int()` and `parse_float()` convert text to a number".into()
            }
            _ => "the result is always false".into(),
        });
        let message = format!(
            "{} is compared with {}",
            named_class(left),
            named_class(right)
        );
        self.find(Code::NeverEqual, position, message).hint = Some(hint);
    }

    /// Reports a comparison of `operand`, a call `xml.get(path, default)` of the type `kind`, with a value of the type
    /// `other`: the text that the call finds never equals it.
    fn compare_default(&mut self, kind: &Type, operand: &Expr, other: &Type, position: Position) {
        let (Type::OneOf(types), Some(_), Some(other_class)) =
            (kind, default_in(operand), class(other))
        else {
            return;
        };
        if types.first() != Some(&Type::Text) || other_class == "text" || class(kind).is_some() {
            return;
        }
        let message = format!("text is compared with {}", named_class(other));
        let hint = match other_class {
            "number" => {
                "`get` returns the text that it finds, also with a default that is a number: `parse_int(xml.get(path, \"0\"))`"
            }
            _ => "`get` returns the text that it finds, whatever the default is",
        };
        self.find(Code::NeverEqual, position, message).hint = Some(hint.into());
    }

    /// Reports that an object of libvirt is compared with `()`, which stands for "not found" in other languages.
    fn never_unit(&mut self, object: &Type, position: Position) {
        let message = format!("{} is compared with `()`", named_class(object));
        let hint = "a call that finds no object throws an error: `try { ... } catch (err) { ... }` catches it, and `err.code` is a word such as \"VIR_ERR_NO_DOMAIN\"";
        self.find(Code::NeverEqual, position, message).hint = Some(hint.into());
    }

    /// Reports, and returns true, if the code of an error is compared with the number of one.
    fn compare_code(&mut self, kinds: [&Type; 2], call: &FnCallExpr, position: Position) -> bool {
        let named = call.args.iter().find_map(constant);
        let words = kinds.iter().find_map(|kind| kind.vocabulary());
        let is_number = call
            .args
            .iter()
            .any(|arg| matches!(arg, Expr::IntegerConstant(..)));
        if let Some(words) = words
            && !words.begin.is_empty()
            && is_number
            && !self.files.may_be_key("code")
        {
            let message = "the code of an error is text, and is compared with a number";
            self.find(Code::NeverEqual, position, message.into()).hint = Some(
                "write a name such as \"VIR_ERR_NO_DOMAIN\", or compare the `number` of the error"
                    .into(),
            );
            return true;
        }
        let (Some(named), Some(words)) = (named, words) else {
            return false;
        };
        // A script that throws maps with a `code` may give them numbers.
        let is_number =
            words.list.iter().any(|word| word == named) && !self.files.may_be_key("code");
        if is_number {
            let message = format!("`{named}` is a number, and the code of an error is text");
            let hint = format!("write \"{named}\", or compare the `number` of the error");
            self.find(Code::NeverEqual, position, message).hint = Some(hint);
        }
        is_number
    }

    /// True if there is an operator `name` for values of these types.
    fn compares(&self, name: &str, left: &Type, right: &Type) -> bool {
        let kinds = [Some(left.clone()), Some(right.clone())];
        let mut operators = self.checker.catalog.named(name);
        operators.any(|function| {
            let certain = function
                .parameters
                .iter()
                .all(|(_, ty)| *ty != Type::Unknown);
            certain && !function.standard && function.takes(&kinds)
        })
    }

    /// The property or the key that was meant, if an object or a map is compared with text.
    fn part_meant(&self, types: [&Type; 2], operands: &[Expr]) -> Option<String> {
        let text = operands.iter().find_map(text_in);
        let whole = types.into_iter().find(|ty| ty.is_object() || ty.is_map())?;
        if !types.into_iter().any(Type::is_text) {
            return None;
        }
        let part = self.part_with(whole, text)?;
        let text = text.map_or_else(String::new, |text| format!(" == {text:?}"));
        Some(format!("compare its `{part}`: `.{part}{text}`"))
    }

    /// The comparison of a property or a key of `whole`, an object or a map, with `operand`, which is text.
    fn part_of(&self, whole: &Type, other: &Type, operand: &Expr) -> Option<String> {
        if !other.is_text() || !(whole.is_object() || whole.is_map()) {
            return None;
        }
        let text = text_in(operand);
        let part = self.part_with(whole, text)?;
        let text = text.map_or_else(|| "...".to_owned(), |text| format!("{text:?}"));
        Some(format!("{part} == {text}"))
    }

    /// The property or the key of `whole`, an object or a map, that can be `text`.
    fn part_with(&self, whole: &Type, text: Option<&str>) -> Option<String> {
        Some(match whole.keys() {
            Some(spec) => {
                let word = |ty: &Type| {
                    let words = ty.vocabulary();
                    words.is_some_and(|words| text.is_none_or(|text| words.has(text)))
                };
                let key = spec.keys.iter().find(|key| word(&key.ty))?;
                key.name.clone()
            }
            None => {
                self.checker.catalog.property(whole, "name")?;
                "name".into()
            }
        })
    }

    /// Reports a value that is looked for in a list whose items never equal it; `wanted` is its expression.
    pub(super) fn look_up_kind(
        &mut self,
        [items, value]: [&KnownType; 2],
        wanted: &Expr,
        position: Position,
    ) {
        let (Some(Type::Array(item)), Some(value)) = (items, value) else {
            return;
        };
        let (Some(item_class), Some(value_class)) = (class(item), class(value)) else {
            return;
        };
        if item_class == value_class || self.compares("==", item, value) {
            return;
        }
        let message = format!(
            "a list whose items are {} never contains {}",
            of_class(item),
            named_class(value)
        );
        let hint = self
            .part_of(item, value, wanted)
            .map(|part| format!("write `.some(|item| item.{part})`"));
        self.find(Code::NeverEqual, position, message).hint = hint;
    }
}

/// The hint for a number that is compared with the text of a size or a duration.
fn amount_meant(types: [&Type; 2], operands: &[Expr]) -> Option<String> {
    let is_number = |ty: &&Type| class(ty) == Some("number");
    types.iter().find(|ty| is_number(ty))?;
    let text = operands.iter().find_map(text_in)?;
    // A number alone is one for `parse_int`.
    if !text.ends_with(char::is_alphabetic) {
        return None;
    }
    let mut ways = Vec::new();
    if size::parse(text, 1).is_ok() {
        let bytes = format!("`parse_size({text:?})` is the size in bytes");
        let is_kib = operands
            .iter()
            .any(|operand| last_name(operand).ends_with("_kib"));
        ways.push(match is_kib {
            true => format!("{bytes}: write `parse_size({text:?}) / 1024` for KiB"),
            false => bytes,
        });
    }
    if duration::parse(text).is_some() {
        ways.push(format!(
            "`parse_duration({text:?})` is the duration in seconds"
        ));
    }
    (!ways.is_empty()).then(|| ways.join(", "))
}

/// True if a date is compared with text.
fn is_date(types: [&Type; 2]) -> bool {
    let is_any = |is: fn(&Type) -> bool| types.into_iter().any(is);
    is_any(|ty| ty.is_called("DateTime")) && is_any(Type::is_text)
}

/// The last property or method in a chain; empty for other expressions.
fn last_name(expression: &Expr) -> &str {
    match expression {
        Expr::Dot(pair, ..) => last_name(&pair.rhs),
        Expr::Property(property, _) => property.2.as_str(),
        Expr::MethodCall(call, _) => call.name.as_str(),
        _ => "",
    }
}

/// The text that `expression` is.
fn text_in(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::StringConstant(text, _) => Some(text.as_str()),
        _ => None,
    }
}

/// The name of the constant of libvirt's that `expression` is.
fn constant(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Variable(variable, ..) if variable.2.is_empty() && variable.1.starts_with("VIR_") => {
            Some(variable.1.as_str())
        }
        _ => None,
    }
}
