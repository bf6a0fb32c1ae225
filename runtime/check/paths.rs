//! XML paths that a script builds from values.

use rhai::Expr;

use super::Code;
use super::walk::Walk;
use crate::catalog::Function;

/// Reports a value between quotes in the path that one of the methods `taken` of `Xml` is given: a
/// quote in the value would end it.
pub(super) fn check<'a>(walk: &mut Walk<'a>, taken: &[&Function], arguments: &'a [Expr]) {
    let takes_path = |function: &&&Function| {
        function
            .receiver()
            .is_some_and(|receiver| receiver.is_called("Xml"))
            && function
                .parameters
                .get(1)
                .is_some_and(|(name, _)| name == "path")
    };
    if !taken.iter().any(|function| takes_path(&function)) {
        return;
    }
    let Some(Expr::InterpolatedString(parts, _)) = arguments.first() else {
        return;
    };
    for pair in parts.windows(2) {
        let [Expr::StringConstant(before, _), value] = pair else {
            continue;
        };
        if matches!(value, Expr::StringConstant(..)) || !opens_value(before) {
            continue;
        }
        let message = "a quote in this value breaks the path".to_owned();
        let finding = walk.find(Code::UnquotedValue, value.position(), message);
        finding.hint = Some("write `${quoted(value)}` without quotes around it".into());
    }
}

/// True if the text of a path ends with the quote that begins a condition's value.
fn opens_value(text: &str) -> bool {
    let path = text.strip_suffix(['\'', '"']).map(str::trim_end);
    path.is_some_and(|path| path.ends_with('='))
}
