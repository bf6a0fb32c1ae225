//! Keys and words of the values that calls return and accept, and comparisons that are always false.

use std::sync::Arc;

use rhai::{ASTNode, Expr, FnCallExpr, ImmutableString, Position, Stmt};

use super::Code;
use super::event_filter::{is_event, takes_event_filter};
use super::phrases::with_article;
use super::scope::KnownType;
use super::walk::Walk;
use super::written::Written;
use crate::advice::suggest;
use crate::api::dates::FORMAT_HINT;
use crate::catalog::Function;
use crate::spec::{Spec, Type, Words, duration, size};
use crate::syntax::switch_cases;
use crate::vocabulary;

/// The methods of arrays whose closures take the values, one by one, as their first parameter.
const EACH: &[&str] = &["all", "filter", "find", "find_map", "map", "retain", "some"];

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

/// The methods of arrays whose closures return whether.
const PREDICATES: &[&str] = &["all", "filter", "find", "retain", "some"];

impl<'a> Walk<'a> {
    /// The type of the items of a `for` loop over a value of the type `ty`.
    pub(super) fn taken_from(&self, ty: &Type) -> KnownType {
        match ty {
            Type::Object(name) if name == "Subscription" => self.event_type(None),
            ty => ty.element(),
        }
    }

    /// The type of the first parameter of closures that the method `name` of a `receiver` takes with `arguments`.
    pub(super) fn item_of(
        &self,
        receiver: Option<&Type>,
        name: &str,
        arguments: &[Expr],
    ) -> KnownType {
        if name == "on" {
            return self.event_type(arguments.first());
        }
        let list = receiver.filter(|kind| matches!(kind, Type::Array(_)) && EACH.contains(&name));
        list?.element()
    }

    /// The type of the value under the key `key` of a map that a call answered.
    pub(super) fn answered_key(&mut self, spec: &Spec, key: &str, position: Position) -> KnownType {
        match spec.key(key) {
            Some(key) => key.ty.clone().known(),
            None => {
                let keys: Vec<&str> = spec.keys.iter().map(|key| key.name.as_str()).collect();
                // Few kinds of event have other keys; a key that is nearly one of these is a typo.
                let is_typo = || is_event(spec) && suggest::nearest_key(key, &keys).is_some();
                if self.asking > 0 && !spec.open {
                    self.absent_key(spec, key, position);
                } else if !spec.open || is_typo() {
                    self.missing_key(key, &keys, position);
                }
                None
            }
        }
    }

    /// Reports the key `key` of a map of the type `map`, which has other ones, and which the script asks for in a way that
    /// allows a missing key.
    pub(super) fn ask_key(&mut self, map: Option<&Type>, key: &Expr) {
        if let (Some(Type::Keys(spec)), Expr::StringConstant(key, position)) = (map, key)
            && !spec.open
            && !is_event(spec)
            && spec.key(key).is_none()
        {
            self.absent_key(spec, key, *position);
        }
    }

    /// Reports text that is looked for in an error, and is not the name of a key.
    pub(super) fn ask_error(&mut self, error: Option<&Type>, key: &Expr) {
        if let Expr::StringConstant(text, position) = key
            && error.is_some_and(|ty| ty.is_called("Error"))
            && text.contains(char::is_whitespace)
        {
            let message = format!("an error has no key `{text}`");
            self.find(Code::UnknownKey, *position, message).hint =
                Some(format!("write `err.message.contains({text:?})`"));
        }
    }

    /// Reports a key that a map never has, if another one was meant.
    fn absent_key(&mut self, spec: &Spec, key: &str, position: Position) {
        let keys: Vec<&str> = spec.keys.iter().map(|key| key.name.as_str()).collect();
        if let Some(near) = suggest::nearest_key(key, &keys).filter(|_| self.trying == 0) {
            let message = format!("the map never has a key `{key}`");
            self.find(Code::UnknownKey, position, message).hint =
                Some(format!("did you mean `{near}`?"));
        }
    }

    /// Reports the key `key` of a map that was written out with other ones.
    pub(super) fn written_key(&mut self, map: &Written, key: &str, position: Position) {
        if let Some((entries, true)) = map.entries()
            && entries.iter().all(|(known, _)| known != key)
        {
            let known: Vec<&str> = entries.iter().map(|(known, _)| known.as_str()).collect();
            self.missing_key(key, &known, position);
        }
    }

    fn missing_key(&mut self, key: &str, known: &[&str], position: Position) {
        // Reading a missing key throws, and a script may rely on that.
        if self.asking > 0 || self.trying > 0 {
            return;
        }
        let is_method = |function: &Function| {
            !function.property && function.parameters.len() == 1 && function.is_on(&Type::Map)
        };
        let hint = match suggest::nearest_key(key, known) {
            _ if self.checker.catalog.named(key).any(is_method) => {
                format!("`{key}` is a method: call it as `{key}()`")
            }
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "the map is empty".to_owned(),
            None => format!("its keys are {}", known.join(", ")),
        };
        let message = format!("the map has no key `{key}`");
        self.find(Code::UnknownKey, position, message).hint = Some(hint);
    }

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

    /// Words by which a `switch` over a value of the type `kind` is split.
    pub(super) fn check_cases(&mut self, kind: &KnownType, position: Position) {
        let Some(words) = kind.as_ref().and_then(Type::vocabulary) else {
            return;
        };
        let text = &self.file.text;
        let begin = text.byte_at(position).unwrap_or(text.len());
        for (word, bytes) in switch_cases::texts(text, begin) {
            self.word(words, &word, self.file.text.position(bytes.start));
        }
    }

    /// Words in a list that something which a call answered is looked for in.
    pub(super) fn look_up(&mut self, list: &'a Expr, kind: &KnownType) {
        if let Some(words) = kind.as_ref().and_then(Type::vocabulary) {
            self.each_word(words, list);
        }
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

    /// The text that `expression` certainly is, also through a constant or a variable.
    fn text_of(&self, expression: &Expr) -> Option<ImmutableString> {
        match expression {
            Expr::StringConstant(text, _) => Some(text.clone()),
            Expr::Variable(..) => self.value_of(expression)?.text(),
            _ => None,
        }
    }

    fn each_word(&mut self, words: &Words, expression: &'a Expr) {
        match expression {
            Expr::StringConstant(text, position) => self.word(words, text, *position),
            Expr::Array(items, _) => {
                for item in items.iter() {
                    self.each_word(words, item);
                }
            }
            Expr::DynamicConstant(value, position) => {
                let Some(list) = value.read_lock::<rhai::Array>() else {
                    return;
                };
                for item in list.iter().filter(|item| item.is_string()) {
                    self.word(words, &item.to_string(), *position);
                }
            }
            Expr::Variable(..) => {
                if let Some(text) = self.text_of(expression) {
                    self.word_of(words, expression, &text);
                }
            }
            _ => {}
        }
    }

    /// The text that `expression` is, as a word. A variable with text that the script asks for, such as "any", may have
    /// that for another purpose.
    fn word_of(&mut self, words: &Words, expression: &Expr, text: &str) {
        let is_sure = matches!(expression, Expr::StringConstant(..))
            || words.has(text)
            || (!text.is_empty() && self.times_written(text) == 1);
        if is_sure {
            self.word(words, text, expression.start_position());
        }
    }

    /// The number of places where the file has the text `wanted`.
    fn times_written(&self, wanted: &str) -> usize {
        let mut times = 0;
        self.file.each_node(&mut |node| {
            if let ASTNode::Expr(Expr::StringConstant(text, _)) = node
                && text == wanted
            {
                times += 1;
            }
        });
        times
    }

    fn word(&mut self, words: &Words, text: &str, position: Position) {
        if !words.has(text) {
            let message = format!("\"{text}\" is not a possible value here");
            let hint = words.hint(text);
            self.find(Code::UnknownWord, position, message).hint = Some(hint);
        }
    }

    /// Words and durations in the argument for the parameter number `index` of `taken`.
    pub(super) fn check_words(&mut self, taken: &[&Function], index: usize, argument: &'a Expr) {
        let mut parameters = taken
            .iter()
            .filter_map(|function| function.parameters.get(index));
        if parameters.next().is_none() {
            return;
        }
        // If several functions may be meant, all of them must accept the word.
        let words = taken.iter().map(|function| {
            let (_, ty) = function.parameters.get(index)?;
            ty.vocabulary()
        });
        let words: Option<Vec<&Arc<Words>>> = words.collect();
        if let Some([words, ..]) = words.as_deref() {
            self.each_word(words, argument);
        }
        self.check_amount(taken, index, argument);
        let is_filter = index == 1
            && taken
                .iter()
                .all(|function| takes_event_filter(&function.name));
        if is_filter {
            self.event(argument);
        }
    }

    /// Text that is to be a duration or a size.
    fn check_amount(&mut self, taken: &[&Function], index: usize, argument: &'a Expr) {
        let Expr::StringConstant(text, position) = argument else {
            return;
        };
        let types = taken
            .iter()
            .filter_map(|function| function.parameters.get(index));
        let types: Vec<&Type> = types.map(|(_, ty)| ty).collect();
        let Some((first, others)) = types.split_first() else {
            return;
        };
        if others.iter().any(|other| other != first) {
            return;
        }
        if let Some((message, hint)) = first.wrong_amount(text) {
            self.find(Code::UnknownWord, *position, message).hint = Some(hint);
        }
    }

    /// A format of a date that writes no part of it.
    pub(super) fn check_date_format(&mut self, receiver: Option<&Type>, call: &FnCallExpr) {
        let is_date = receiver.is_some_and(|ty| ty.is_called("DateTime"));
        if let ("format", [Expr::StringConstant(text, position)]) =
            (call.name.as_str(), &call.args[..])
            && is_date
            && !text.contains('%')
        {
            let message = format!("`{text}` is not a format of dates");
            self.find(Code::UnknownWord, *position, message).hint = Some(FORMAT_HINT.into());
        }
    }

    /// The value of the closure that the method `name` of an array takes, if it is of a type that Rhai would
    /// take for `false` or for "equal".
    pub(super) fn check_closure(&mut self, name: &str, arguments: &'a [Expr], answer: &KnownType) {
        let [argument] = arguments else { return };
        let Some(answer) = answer.as_ref() else {
            return;
        };
        let Some(closure) = self.closure_in(argument) else {
            return;
        };
        let (wanted, hint) = match name {
            "sort" if class(answer) == Some("number") => return,
            "sort" => (
                "a number",
                "return a negative number if `a` comes first: `|a, b| a - b`; `sort()` sorts numbers and text",
            ),
            _ if PREDICATES.contains(&name) && *answer != Type::Bool => {
                ("a bool", "compare it, for example `x != ()` or `x > 0`")
            }
            _ => return,
        };
        let position = closure
            .definition
            .body
            .last()
            .map_or(argument.position(), Stmt::position);
        let message = format!(
            "the closure of `{name}` must return {wanted}, not {}",
            answer.plain()
        );
        self.find(Code::WrongType, position, message).hint = Some(hint.into());
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

/// The class of types that a type can be compared with.
fn class(ty: &Type) -> Option<&str> {
    match ty {
        Type::Int | Type::Float => Some("number"),
        Type::Char => Some("text"),
        Type::Bool => Some("bool"),
        Type::Array(_) => Some("list"),
        text if text.is_text() => Some("text"),
        map if map.is_map() => Some("map"),
        Type::OneOf(types) => {
            let mut classes = types.iter().filter(|ty| **ty != Type::Unit).map(class);
            let first = classes.next()?;
            first.filter(|_| classes.all(|other| other == first))
        }
        other => other.object(),
    }
}

/// A type as a comparison sees it, for messages.
fn named_class(ty: &Type) -> String {
    match class(ty) {
        Some("number") => "a number".into(),
        Some("bool") => "a bool".into(),
        Some("list") => "a list".into(),
        Some("map") => "a map".into(),
        Some("text") | None => "text".into(),
        Some(object) => with_article(object),
    }
}

/// The items of a list, as a comparison sees them, for messages.
fn of_class(ty: &Type) -> String {
    match class(ty) {
        Some("number") => "numbers".into(),
        Some("bool") => "bools".into(),
        Some("list") => "lists".into(),
        Some("map") => "maps".into(),
        Some("text") | None => "texts".into(),
        Some(object) => format!("of type {object}"),
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
