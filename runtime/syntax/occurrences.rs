//! The places of one name of a script: of a function in the whole file, of a variable in the function that it is in.

use std::ops::Range;

use crate::syntax::bindings::{Binding, bindings};
use crate::syntax::lexer::{self, Token, TokenClass};
use crate::syntax::outline::Outline;

/// The places of the name at the byte `byte` that `text` defines itself, in the order of the text; nothing for a name
/// that it does not define, such as a function of libvirt's. Two variables of one name in one function count as one.
pub fn occurrences(text: &str, byte: usize) -> Option<Vec<Range<usize>>> {
    let code = lexer::code(text);
    let at = code.iter().position(|token| {
        token.class == TokenClass::Name && token.span.start <= byte && byte <= token.span.end
    })?;
    let name = code[at].of(text);
    let functions = Outline::of(text).functions;
    let function_around = |place: usize| {
        let around = |function: &&crate::syntax::outline::Function| function.span.contains(&place);
        functions.iter().find(around).map(|function| &function.span)
    };
    let role = role(text, &code, at)?;
    let is_function = functions.iter().any(|function| function.name == name);
    let whole_file = is_function || role == Role::Global;
    if !is_function && !defines(text, name) {
        return None;
    }
    let region = function_around(code[at].span.start);
    // A variable outside of functions, which functions can read as `global::name` if it is a constant.
    let outside = !is_function && (role == Role::Global || region.is_none());
    let is_wanted = |index: usize| {
        let token = &code[index];
        if token.class != TokenClass::Name || token.of(text) != name {
            return false;
        }
        let around = function_around(token.span.start);
        match self::role(text, &code, index) {
            None => false,
            Some(Role::Global) => outside,
            Some(Role::Plain) if outside => around.is_none(),
            Some(Role::Plain) => whole_file || around == region,
        }
    };
    let found = (0..code.len()).filter(|index| is_wanted(*index));
    Some(found.map(|index| code[index].span.clone()).collect())
}

/// The form of a name in the text.
#[derive(PartialEq, Eq)]
enum Role {
    /// By itself.
    Plain,
    /// Behind `global::`.
    Global,
}

/// The form of the name at `index`; nothing for a member, a function of a module and a key of a map.
fn role(text: &str, code: &[Token], index: usize) -> Option<Role> {
    let word = |index: Option<usize>| {
        let token = index.and_then(|index| code.get(index));
        token.map_or("", |token| token.of(text))
    };
    match word(index.checked_sub(1)) {
        "." | "?." => None,
        "::" => (word(index.checked_sub(2)) == "global").then_some(Role::Global),
        "#{" | "," if word(Some(index + 1)) == ":" => None,
        _ => Some(Role::Plain),
    }
}

/// True if the script gives something the name `name`.
fn defines(text: &str, name: &str) -> bool {
    bindings(text).into_iter().any(|binding| match binding {
        Binding::Variable { name: own, .. } | Binding::Caught { name: own } => own == name,
        Binding::Loop { names, .. } => names.contains(&name),
        Binding::Import { alias, .. } => alias == name,
        Binding::Function {
            name: own,
            parameters,
        } => own == name || parameters.contains(&name),
        Binding::Closure { parameters, .. } => parameters.contains(&name),
    })
}

#[cfg(test)]
mod tests {
    use super::occurrences;

    const TEXT: &str = "const SIZE = 1;\nlet dom = 2; // dom\nfn f(dom) { let x = dom.dom + global::SIZE; `${dom}` }\nprint(dom, #{ dom: dom }, f(dom), SIZE);\nlib::f(1);\n";

    fn places(behind: &str) -> Option<Vec<usize>> {
        let byte = TEXT.find(behind).expect(behind) + behind.len();
        let found = occurrences(TEXT, byte)?;
        Some(found.into_iter().map(|place| place.start).collect())
    }

    #[test]
    fn a_name_is_found_where_it_means_the_same() {
        let starts = |parts: &[(&str, usize)]| -> Option<Vec<usize>> {
            let start = |(part, skipped): &(&str, usize)| TEXT.find(part).expect(part) + skipped;
            Some(parts.iter().map(start).collect())
        };
        let outside = [
            ("dom = 2", 0),
            ("dom, #", 0),
            ("dom }, f", 0),
            ("dom), SIZE", 0),
        ];
        assert_eq!(places("let dom"), starts(&outside));
        assert_eq!(
            places("fn f(dom"),
            starts(&[("dom) {", 0), ("dom.dom", 0), ("dom}`", 0)])
        );
        assert_eq!(
            places("global::SIZE"),
            starts(&[("SIZE = 1", 0), ("SIZE; `", 0), ("SIZE);", 0)])
        );
        assert_eq!(places("fn f"), starts(&[("f(dom) {", 0), ("f(dom), S", 0)]));
        assert_eq!(places("prin"), None);
        assert_eq!(places("#{ do"), None);
    }
}
