//! The hint on a failure because an input of a runbook was not given.

use rhai::{EvalAltResult, Position};
use virhai::Imports;
use virhai::runbook::inputs::{Inputs, hint_on_missing};
use virhai::syntax::lexer::{self, Token, TokenClass};
use virhai::syntax::text::Text;

/// The hint on `error` in `file`, if it is about `()` and an input beside its place may be missing.
pub(super) fn hint(imports: &Imports, file: &str, error: &EvalAltResult) -> Option<String> {
    if !is_about_nothing(error) {
        return None;
    }
    let text = imports.text(file)?;
    let inputs = Inputs::of(imports, file, &text).ok()??;
    let may_be_missing = |name| {
        let key = inputs.key(name);
        key.is_some_and(|key| !key.required && key.default.is_none())
    };
    let near = properties_at(&text, error.position())?;
    let (variable, name) = near.into_iter().find(|(_, name)| may_be_missing(name))?;
    let hint = hint_on_missing(variable, name);
    Some(format!("the input `{name}` was not given: {hint}"))
}

fn is_about_nothing(error: &EvalAltResult) -> bool {
    match error {
        EvalAltResult::ErrorFunctionNotFound(signature, _) => {
            let (_, arguments) = signature.split_once(" (").unwrap_or_default();
            arguments.contains("()")
        }
        EvalAltResult::ErrorMismatchDataType(_, found, _) => found == "()",
        EvalAltResult::ErrorDotExpr(message, _) => message.contains("()"),
        EvalAltResult::ErrorIndexingType(kind, _) => kind.contains("()"),
        EvalAltResult::ErrorFor(_) => true,
        _ => false,
    }
}

/// Each `variable.name` that ends before `position`, or begins there or within the brackets that follow.
fn properties_at(text: &Text, position: Position) -> Option<Vec<(&str, &str)>> {
    let offset = text.byte_at(position)?;
    let tokens = lexer::code(text);
    let at = tokens.partition_point(|token| token.span.end <= offset);
    // The last token before may be the dot of a method.
    let near = tokens.get(at.saturating_sub(4)..end_of_operand(text, &tokens, at))?;
    Some(
        near.windows(3)
            .filter_map(|three| property(text, three))
            .collect(),
    )
}

/// The end of the operand, or of the arguments, that follow the token number `at`.
fn end_of_operand(text: &str, tokens: &[Token], at: usize) -> usize {
    let opens = tokens
        .get(at + 1)
        .is_some_and(|token| token.of(text) == "(");
    if !opens {
        return tokens.len().min(at + 4);
    }
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(at + 1) {
        match token.class {
            TokenClass::Open => depth += 1,
            TokenClass::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }
    tokens.len()
}

fn property<'t>(text: &'t str, tokens: &[Token]) -> Option<(&'t str, &'t str)> {
    let [variable, dot, name] = tokens else {
        return None;
    };
    let is_name = |token: &Token| token.class == TokenClass::Name;
    (is_name(variable) && dot.of(text) == "." && is_name(name))
        .then(|| (variable.of(text), name.of(text)))
}
