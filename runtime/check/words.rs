//! Words, sizes, durations and formats that no call returns or accepts.

use std::sync::Arc;

use rhai::{ASTNode, Expr, FnCallExpr, ImmutableString, Position};

use super::Code;
use super::event_filter::takes_event_filter;
use super::scope::KnownType;
use super::walk::Walk;
use crate::api::dates::FORMAT_HINT;
use crate::catalog::Function;
use crate::spec::{Type, Words};
use crate::syntax::switch_cases;

impl<'a> Walk<'a> {
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

    /// The text that `expression` certainly is, also through a constant or a variable.
    pub(super) fn text_of(&self, expression: &Expr) -> Option<ImmutableString> {
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
    pub(super) fn word_of(&mut self, words: &Words, expression: &Expr, text: &str) {
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
}
