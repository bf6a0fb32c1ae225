//! Keeps the functions of one file from being taken for those of another.
//!
//! Rhai remembers which function a name leads to, and does not tell apart in which file: where two
//! files each have a helper `find`, the one that was called first would be called by both. What
//! gives a call a memory of its own is the `import` of a module with global functions. So each
//! function of a file that is imported begins with one.

use std::sync::{Arc, LazyLock};

use rhai::{AST, FuncRegistration, Module, Position, Shared};

/// The path of that import, which no script can name.
pub(crate) const PATH: &str = "\u{1}";

/// What is put in front of the body of each function.
const PREFIX: &str = "import\"\u{1}\"as own_names;";

/// The module that the import leads to: one global function, which no script can name either.
pub(crate) fn module() -> Shared<Module> {
    static MODULE: LazyLock<Shared<Module>> = LazyLock::new(|| {
        let mut module = Module::new();
        FuncRegistration::new(PATH)
            .in_global_namespace()
            .set_into_module(&mut module, || ());
        module.build_index();
        module.into()
    });
    Arc::clone(&MODULE)
}

/// A file's text whose functions call each other and nobody else, and where it differs.
pub(crate) struct Isolated {
    pub(crate) text: String,
    pub(crate) shifts: Vec<Position>,
}

/// The text of a file that was compiled to `ast`, made fit to be imported.
pub(crate) fn isolated(text: &str, ast: &AST) -> Isolated {
    let mut shifts: Vec<Position> = ast
        .iter_fn_def()
        .map(|function| function.body.start_position())
        .filter(|position| !position.is_none())
        .collect();
    shifts.sort();
    shifts.dedup();
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    // From the end, so that a line's earlier places stay where they are.
    shifts.reverse();
    shifts.retain(|position| {
        let (Some(line), Some(column)) = (position.line(), position.position()) else {
            return false;
        };
        let Some(line) = lines.get_mut(line - 1) else {
            return false;
        };
        let Some((place, '{')) = line.char_indices().nth(column - 1) else {
            return false;
        };
        line.insert_str(place + 1, PREFIX);
        true
    });
    shifts.reverse();
    Isolated {
        text: lines.join("\n"),
        shifts,
    }
}

/// The place in the file as it was written that `position` is in the isolated one.
pub(crate) fn as_written(shifts: &[Position], position: Position) -> Position {
    let (Some(line), Some(column)) = (position.line(), position.position()) else {
        return position;
    };
    let mut column = column;
    for brace in shifts.iter().filter(|brace| brace.line() == Some(line)) {
        if brace.position().is_some_and(|brace| column > brace) {
            column = column.saturating_sub(PREFIX.chars().count());
        }
    }
    match (u16::try_from(line), u16::try_from(column)) {
        (Ok(line), Ok(column)) => Position::new(line, column),
        _ => position,
    }
}

#[cfg(test)]
mod tests {
    use rhai::{Engine, Position};

    use super::{PREFIX, as_written, isolated};

    #[test]
    fn places_are_told_as_they_were_written() {
        let text = "fn f(x) { x } fn g(x) { x + f(x) }\nfn h() {\n    #{ a: |x| { x } }\n}";
        let ast = Engine::new().compile(text).expect("it compiles");
        let isolated = isolated(text, &ast);
        let again = Engine::new()
            .compile(&isolated.text)
            .expect("it still compiles");
        assert_eq!(ast.iter_functions().count(), again.iter_functions().count());
        for (number, line) in isolated.text.lines().enumerate() {
            let written = text.lines().nth(number).expect("no line is added");
            for (column, letter) in line.char_indices() {
                let put_in = line[..column].rfind(PREFIX.as_bytes()[0] as char);
                if put_in.is_some_and(|from| {
                    line[from..].starts_with(PREFIX) && column < from + PREFIX.len()
                }) || line[column..].starts_with(PREFIX)
                {
                    continue;
                }
                let at = Position::new(number as u16 + 1, column as u16 + 1);
                let place = as_written(&isolated.shifts, at)
                    .position()
                    .expect("a column");
                assert_eq!(
                    written.chars().nth(place - 1),
                    Some(letter),
                    "{line} at {column}"
                );
            }
        }
    }
}
