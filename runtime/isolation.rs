//! Keeps the functions of one file from being taken for those of another.
//!
//! Rhai looks a name up in whatever runs at the time: where two files each have a helper `find`,
//! the one that was called first would be called by both, and a closure that is handed to another
//! file would call the helpers of that file. So each function and each closure begins with an
//! import that no script can name. It leads to a module with a global function, which gives the
//! calls a memory of their own, and it brings the names of the file that the code was written in.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use rhai::{FuncRegistration, GlobalRuntimeState, Module, Position, Shared};

use crate::lexer::{Class, Piece, pieces};

/// What the path of that import begins with, before the name of the file.
const MARK: &str = "\u{1}";

/// The file that an import by `path` brings the names of.
pub(crate) fn home(path: &str) -> Option<&str> {
    path.strip_prefix(MARK)
}

/// What is put in front of the body of each function of `file`.
fn prefix(file: &str) -> String {
    let file = file.replace('\\', "\\\\").replace('"', "\\\"");
    let file = file.replace('\n', "\\n").replace('\r', "\\r");
    format!("import\"{MARK}{file}\"as own_names;")
}

/// The module that the import leads to: one global function, which no script can name either.
pub(crate) fn module() -> Shared<Module> {
    static MODULE: LazyLock<Shared<Module>> = LazyLock::new(|| {
        let mut module = Module::new();
        FuncRegistration::new(MARK)
            .in_global_namespace()
            .set_into_module(&mut module, || ());
        module.build_index();
        module.into()
    });
    Arc::clone(&MODULE)
}

/// Has the function that runs find the functions in `names`, those in the last first, and what
/// its file imports: for each name, the file that it leads to. It ends with the function.
pub(crate) fn come_home(
    global: &mut GlobalRuntimeState,
    names: Vec<Shared<Module>>,
    imports: &[(String, String)],
) {
    global.lib.extend(names);
    for (alias, file) in imports {
        let found: Vec<_> = global
            .scan_imports_raw()
            .filter(|(name, _)| name.as_str() == alias)
            .map(|(name, module)| (name.clone(), Arc::clone(module)))
            .collect();
        let own = |module: &Shared<Module>| module.id() == Some(file.as_str());
        if found.last().is_some_and(|(_, module)| own(module)) {
            continue;
        }
        if let Some((name, module)) = found.into_iter().find(|(_, module)| own(module)) {
            global.push_import(name, module);
        }
    }
}

/// Where characters were put into a text, in its order.
pub(crate) type Shifts = Vec<Shift>;

/// Characters that were put before a place of a text.
pub(crate) struct Shift {
    line: usize,
    /// From 1.
    column: usize,
    count: usize,
}

/// The text of `file`, made fit to be run beside others, and where it differs.
pub(crate) fn isolated(file: &str, text: &str) -> (String, Shifts) {
    let prefix = prefix(file);
    let mut places = insertions(text, &prefix);
    places.sort_by_key(|(offset, _)| *offset);
    let (mut isolated, mut shifts) = (String::with_capacity(text.len() * 2), Shifts::new());
    let (mut done, mut line, mut column) = (0, 1, 1);
    for (offset, inserted) in places {
        let before = &text[done..offset];
        if let Some(last) = before.rfind('\n') {
            line += before.matches('\n').count();
            column = 1 + before[last + 1..].chars().count();
        } else {
            column += before.chars().count();
        }
        isolated.push_str(before);
        isolated.push_str(&inserted);
        shifts.push(Shift {
            line,
            column,
            count: inserted.chars().count(),
        });
        done = offset;
    }
    isolated.push_str(&text[done..]);
    (isolated, shifts)
}

/// What is put where into `text`, by its offset.
fn insertions(text: &str, prefix: &str) -> Vec<(usize, String)> {
    let pieces: Vec<Piece> = pieces(text)
        .into_iter()
        .filter(|piece| !matches!(piece.class, Class::Comment { .. }))
        .collect();
    let own = Own::of(&pieces, text);
    let of = |index: usize| pieces.get(index).map_or("", |piece| piece.of(text));
    let mut places = Vec::new();
    let mut index = 0;
    while let Some(piece) = pieces.get(index) {
        let body = match piece.of(text) {
            "fn" if piece.class == Class::Keyword => after_parameters(&pieces, text, index),
            "||" if begins_a_value(&pieces, text, index) => index + 1,
            "|" if begins_a_value(&pieces, text, index) => {
                let end = (index + 1..pieces.len()).find(|index| of(*index) == "|");
                end.map_or(pieces.len(), |end| end + 1)
            }
            _ => {
                if let Some((last, call)) = own.reference(&pieces, text, index) {
                    // A name without a call leads Rhai to the main script.
                    let parameters = call.trim_start_matches(|letter| letter != '(');
                    let parameters = parameters.trim_matches(['(', ')']);
                    places.push((piece.span.start, format!("|{parameters}|{{{prefix}")));
                    places.push((pieces[last].span.end, format!("{call}}}")));
                    index = last;
                }
                index += 1;
                continue;
            }
        };
        let Some(first) = pieces.get(body) else { break };
        let end = match first.of(text) {
            "{" => closing_brace(&pieces, body),
            _ => last_of_expression(&pieces, text, body),
        };
        // Imports cost time: what calls nothing of a file's needs none.
        if own.are_called(&pieces[body..=end], text) {
            if first.of(text) == "{" {
                places.push((first.span.end, prefix.to_owned()));
            } else {
                places.push((first.span.start, format!("{{{prefix}")));
                places.push((pieces[end].span.end, "}".to_owned()));
            }
        }
        index = body;
    }
    places
}

/// The functions that a file defines, by name, with how many parameters each has.
struct Own<'a> {
    functions: HashMap<&'a str, Vec<usize>>,
    variables: HashSet<&'a str>,
}

impl<'a> Own<'a> {
    fn of(pieces: &[Piece], text: &'a str) -> Self {
        let of = |index: usize| pieces.get(index).map_or("", |piece| piece.of(text));
        let mut functions: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut variables = HashSet::new();
        for (index, piece) in pieces.iter().enumerate() {
            match piece.of(text) {
                "fn" if piece.class == Class::Keyword => {
                    let names = (index + 1..pieces.len()).take_while(|index| of(*index) != "(");
                    let open = index + 1 + names.clone().count();
                    let parameters = (open + 1..pieces.len())
                        .take_while(|index| of(*index) != ")")
                        .filter(|index| pieces[*index].class == Class::Name);
                    variables.extend(parameters.clone().map(of));
                    if let Some(name) = names.last() {
                        functions
                            .entry(of(name))
                            .or_default()
                            .push(parameters.count());
                    }
                }
                "let" | "const" | "for" | "as" => {
                    variables.insert(of(index + 1));
                }
                // Parameters of closures and of `catch`, and the second variable of a `for`.
                "|" | "," | "(" if ["|", ",", ")"].contains(&of(index + 2)) => {
                    let of_a_closure = [of(index), of(index + 2)].contains(&"|");
                    let of_catch = index > 0 && of(index - 1) == "catch";
                    let of_for = of(index + 3) == "in";
                    if of_a_closure || of_catch || of_for {
                        variables.insert(of(index + 1));
                    }
                }
                _ => {}
            }
        }
        Self {
            functions,
            variables,
        }
    }

    /// Where a function of the file stands as a value at `index`: the last piece of that, and
    /// how the value is called.
    fn reference(&self, pieces: &[Piece], text: &str, index: usize) -> Option<(usize, String)> {
        let of = |index: usize| pieces.get(index).map_or("", |piece| piece.of(text));
        let before = index.checked_sub(1).map_or("", of);
        let call = |name: &str, method: &str| {
            let [count] = self.functions.get(name)?.as_slice() else {
                return None;
            };
            let names: Vec<String> = (0..*count).map(|number| format!("own_{number}")).collect();
            Some(format!("{method}({})", names.join(",")))
        };
        if of(index) == "Fn" && of(index + 1) == "(" && of(index + 3) == ")" {
            let name = of(index + 2).strip_prefix('"')?.strip_suffix('"')?;
            return Some((index + 3, call(name, ".call")?));
        }
        let name = of(index);
        let named = pieces[index].class == Class::Name
            && !self.variables.contains(name)
            && ![".", "?.", "::", "fn"].contains(&before)
            && !["(", "::", ":", "=", "."].contains(&of(index + 1));
        if !named {
            return None;
        }
        Some((index, call(name, "")?))
    }

    /// Whether `body` calls something by its name, or a function of a module.
    fn are_called(&self, body: &[Piece], text: &str) -> bool {
        let of = |index: usize| body.get(index).map_or("", |piece| piece.of(text));
        body.iter().enumerate().any(|(index, piece)| {
            let name = piece.of(text);
            let before = index.checked_sub(1).map_or("", of);
            match of(index + 1) {
                "::" => piece.class == Class::Name,
                "(" if [".", "?."].contains(&before) => self.functions.contains_key(name),
                "(" => piece.class == Class::Name || ["Fn", "eval", "call"].contains(&name),
                _ => false,
            }
        })
    }
}

/// The index of the brace that opens the body of the function whose `fn` is at `index`.
fn after_parameters(pieces: &[Piece], text: &str, index: usize) -> usize {
    (index..pieces.len())
        .find(|index| pieces[*index].of(text) == "{")
        .unwrap_or(pieces.len())
}

/// Whether the sign at `index` stands where a value begins, and not between two.
fn begins_a_value(pieces: &[Piece], text: &str, index: usize) -> bool {
    let Some(before) = index.checked_sub(1).map(|index| &pieces[index]) else {
        return true;
    };
    match before.class {
        Class::Open | Class::Sign => true,
        Class::Keyword => !["true", "false", "this"].contains(&before.of(text)),
        // After a block a statement begins, unless what follows are no parameters.
        Class::Close if before.of(text) == "}" => {
            let of = |index: usize| pieces.get(index).map_or("", |piece| piece.of(text));
            let mut next = index + 1;
            while pieces
                .get(next)
                .is_some_and(|piece| piece.class == Class::Name)
                && of(next + 1) == ","
            {
                next += 2;
            }
            of(index) == "|" && of(next + 1) == "|"
        }
        _ => false,
    }
}

/// The index of what closes the brace at `from`.
fn closing_brace(pieces: &[Piece], from: usize) -> usize {
    let mut depth = 0_usize;
    for (index, piece) in pieces.iter().enumerate().skip(from) {
        match piece.class {
            Class::Open => depth += 1,
            Class::Close if depth == 1 => return index,
            Class::Close => depth -= 1,
            _ => {}
        }
    }
    pieces.len() - 1
}

/// The index of the last piece of the expression that begins at `from`.
fn last_of_expression(pieces: &[Piece], text: &str, from: usize) -> usize {
    let mut depth = 0_usize;
    for (index, piece) in pieces.iter().enumerate().skip(from) {
        match piece.class {
            Class::Open => depth += 1,
            Class::Close if depth == 0 => return index - 1,
            Class::Close => depth -= 1,
            Class::Sign if depth == 0 && [",", ";"].contains(&piece.of(text)) => return index - 1,
            _ => {}
        }
    }
    pieces.len() - 1
}

/// The place in the file as it was written that `position` is in the isolated one.
pub(crate) fn as_written(shifts: &Shifts, position: Position) -> Position {
    let (Some(line), Some(column)) = (position.line(), position.position()) else {
        return position;
    };
    // Columns of the isolated text, from 1.
    let (mut column, mut added) = (column, 0);
    for shift in shifts.iter().filter(|shift| shift.line == line) {
        let begin = shift.column + added;
        if column < begin {
            break;
        }
        column = column.max(begin + shift.count);
        added += shift.count;
    }
    column -= added;
    match (u16::try_from(line), u16::try_from(column)) {
        (Ok(line), Ok(column)) => Position::new(line, column),
        _ => position,
    }
}

#[cfg(test)]
mod tests {
    use rhai::{Engine, Position};

    use super::{as_written, isolated};

    const CODE: [&str; 6] = [
        "fn f(x) { x } fn g(x) { x + f(x) }\nfn h() {\n    #{ a: |x| { x } }\n}",
        "let f = |x| f(x) | 1; let g = || g(); [|a, b| a || b, |a| |b| a]",
        "list.map(|x| if x { 1 } else { f(x, [2]) }, 3); `a${|| b}c ${x | y}`",
        "undo.push(|| throw `no ${f(name)} ä`); let e = |a| f(a) + 'ä'; // |x| f(y)",
        "switch x { 1 => |y| f(y), _ => || { g(2) } }\n#{ a: |x| x.b, c: true | false }",
        "[1, 2].map(|x| helper(\n    x,\n    |y| y\n)).len()",
    ];

    #[test]
    fn what_is_put_in_leaves_the_code_as_it_is() {
        for code in CODE {
            let (text, _) = isolated("a \"file\"\\", code);
            let again = Engine::new().compile(&text).expect(&text);
            let ast = Engine::new().compile(code).expect(code);
            assert_eq!(
                ast.iter_functions().count(),
                again.iter_functions().count(),
                "{text}"
            );
        }
    }

    #[test]
    fn what_calls_by_name_gets_names_of_its_own() {
        for (code, many) in [
            ("|x| f(x)", 1),
            (
                "[|x| x.f(x), |x| x.f(g(x)), |x| m::f(x), |x| { let y = x; f(y) }]",
                3,
            ),
            ("fn f(x) { x + 1 } fn g(x) { f(x) } g(|| f(1)); a | f(b)", 2),
            ("|x| |y| f(x, y)", 2),
            ("let s = `${[1].map(|x| f(x))}`", 1),
        ] {
            let (text, _) = isolated("file", code);
            assert_eq!(text.matches("import").count(), many, "{text}");
        }
    }

    #[test]
    fn places_are_told_as_they_were_written() {
        for code in CODE {
            let (text, shifts) = isolated("f", code);
            for (number, (line, written)) in text.lines().zip(code.lines()).enumerate() {
                let mut last = 0;
                for (column, letter) in line.chars().enumerate() {
                    let at = Position::new(number as u16 + 1, column as u16 + 1);
                    let place = as_written(&shifts, at).position().expect("a column");
                    // What was put in is told as what follows it; the rest as what it is.
                    assert!(place == last || place == last + 1, "{line} at {column}");
                    if place == last + 1 && written.chars().nth(place).is_some() {
                        assert!(
                            written.chars().nth(place - 1) == Some(letter)
                                || line
                                    .chars()
                                    .skip(column)
                                    .take(8)
                                    .collect::<String>()
                                    .contains("import")
                                || letter == '}',
                            "{line} at {column}"
                        );
                    }
                    last = place;
                }
                assert_eq!(last, written.chars().count(), "{line}");
            }
        }
    }
}
