//! Infers the types of expressions without running them.

use rhai::{Array, Dynamic, Engine, Expr, FnCallExpr, Map, Position};

use super::walker::{Walker, with_keys};
use crate::catalog::Catalog;
use crate::spec::Type;

/// Infers types from the results of functions in the catalogue.
#[derive(Clone, Copy)]
pub struct Inference<'a> {
    catalog: &'a Catalog,
    /// The type of a variable, if it is known.
    variable: &'a dyn Fn(&str) -> Option<Type>,
    /// The type of the result of a function of a module, by the names of both and the number of arguments.
    in_module: Option<&'a InModule<'a>>,
}

/// Returns the result type of a function of a module.
type InModule<'a> = dyn Fn(&str, &str, usize) -> Option<Type> + 'a;

impl<'a> Inference<'a> {
    /// An inference over variables whose types `variable` returns.
    pub fn new(catalog: &'a Catalog, variable: &'a dyn Fn(&str) -> Option<Type>) -> Self {
        Self {
            catalog,
            variable,
            in_module: None,
        }
    }

    /// The same; `in_module` returns the result types of functions of modules.
    #[must_use]
    pub fn with_modules(self, in_module: &'a InModule<'a>) -> Self {
        Self {
            in_module: Some(in_module),
            ..self
        }
    }

    /// The type of `expression`; `None` if it is unknown.
    pub fn kind_of(&self, expression: &Expr) -> Option<Type> {
        let mut walk = *self;
        walk.expression(expression)
    }
}

impl<'e> Walker<'e> for Inference<'_> {
    fn catalog(&self) -> &Catalog {
        self.catalog
    }

    fn variable(&mut self, name: &'e str, _: Position) -> Option<Type> {
        (self.variable)(name)
    }

    fn module_call(&mut self, call: &'e FnCallExpr) -> Option<Type> {
        let in_module = self.in_module?;
        match &call.namespace.path[..] {
            [alias] => in_module(alias.as_str(), &call.name, call.args.len()),
            _ => None,
        }
    }
}

/// The type of a value, with that of its items if they all have the same, and with the keys of a map.
pub fn kind_of_value(engine: &Engine, value: &Dynamic) -> Type {
    let name = |value: &Dynamic| Type::of_value(engine.map_type_name(value.type_name()));
    let of_map = |map: &Map| {
        let entries = map
            .iter()
            .map(|(key, value)| (key.as_str(), Some(name(value))));
        with_keys(entries)
    };
    if let Some(list) = value.read_lock::<Array>() {
        // The other maps of a list are assumed to have the keys of the first.
        let first = list.first().and_then(|first| first.read_lock::<Map>());
        return match first {
            Some(first) if list.iter().all(Dynamic::is_map) => {
                Type::Array(Box::new(of_map(&first)))
            }
            _ => Type::array_of(list.iter().map(|item| name(item).known())),
        };
    }
    match value.read_lock::<Map>() {
        Some(map) => of_map(&map),
        None => name(value),
    }
}

/// The type of an expression that is written out, whatever it holds.
pub fn literal(expression: &Expr) -> Option<Type> {
    Some(match expression {
        Expr::DynamicConstant(value, _) => return Type::of_value(value.type_name()).known(),
        Expr::BoolConstant(..) => Type::Bool,
        Expr::IntegerConstant(..) => Type::Int,
        Expr::FloatConstant(..) => Type::Float,
        Expr::CharConstant(..) => Type::Char,
        Expr::StringConstant(..) | Expr::InterpolatedString(..) => Type::Text,
        Expr::Map(..) => Type::Map,
        Expr::Unit(..) => Type::Unit,
        _ => return None,
    })
}

/// The result type of the operator `name` for operands of these types, if it is built into Rhai;
/// Rhai's metadata does not list such operators.
pub fn operator(name: &str, operands: &[Option<Type>]) -> Option<Type> {
    match name {
        "==" | "!=" | "<" | "<=" | ">" | ">=" | "!" => return Some(Type::Bool),
        ".." => return Some(Type::Object("ExclusiveRange".into())),
        "..=" => return Some(Type::Object("InclusiveRange".into())),
        _ => {}
    }
    match operands {
        [Some(Type::Int)] | [Some(Type::Int), Some(Type::Int)] => Some(Type::Int),
        [Some(Type::Float)]
        | [Some(Type::Float), Some(Type::Float | Type::Int)]
        | [Some(Type::Int), Some(Type::Float)] => Some(Type::Float),
        [Some(text), Some(_)] if text.is_text() && name == "+" => Some(Type::Text),
        [Some(date), Some(other)] if date.is_called("DateTime") && name == "-" => match other {
            other if other.is_called("DateTime") => Some(Type::Float),
            Type::Int | Type::Float | Type::Duration => Some(date.clone()),
            text if text.is_text() => Some(date.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// The type of the value in a value of the type `kind` at an index of the type `index`.
pub fn held(kind: Option<&Type>, index: Option<&Type>) -> Option<Type> {
    // A range takes a part out, and not an element.
    kind?.element().filter(|_| index == Some(&Type::Int))
}

#[cfg(test)]
mod tests {
    use rhai::Stmt;

    use super::Inference;
    use crate::catalog::Catalog;
    use crate::engine::{self, Limits};
    use crate::spec::Type;
    use crate::{Imports, Session, SessionOptions};

    #[test]
    fn types_follow_from_what_functions_answer() {
        let session = Session::new(SessionOptions::default());
        let engine = engine::build(&session, &Limits::default(), Imports::default());
        let catalog = Catalog::new(&engine);
        let connection = || Type::Object("Connection".into());
        let variable = |name: &str| (name == "conn").then(connection);
        let inference = Inference::new(&catalog, &variable);
        for (code, kind) in [
            ("1", Some("int")),
            ("`${1}`", Some("string")),
            ("[1, 2]", Some("array of int")),
            ("#{ a: 1 }", Some("map")),
            ("#{ a: 1 }.a", Some("int")),
            ("#{ a: 1 }.b", None),
            ("1 + 2", Some("int")),
            ("VIR_DOMAIN_START_PAUSED | 2", Some("int")),
            ("connect()", Some("Connection")),
            ("conn.lookup_by_name(\"x\")", Some("Domain")),
            ("conn.lookup_by_name(\"x\").name", Some("string")),
            ("conn.lookup_by_name(\"x\").name.len()", Some("int")),
            ("conn.no_such_property", None),
            ("conn.get_info().cpus", Some("int")),
            ("conn.get_info().no_such_key", None),
            ("1 == 2", Some("bool")),
            ("1 - 2.5", Some("float")),
            ("now() - \"30d\"", Some("DateTime")),
            ("now() - date(\"2026-01-01\")", Some("float")),
            ("conn.list_all_domains()[0].name", Some("string")),
            ("other.anything()", None),
            ("0..5", Some("ExclusiveRange")),
            ("\"text\"[0..2]", None),
            ("|x| x", Some("closure")),
        ] {
            let ast = engine.compile(code).expect(code);
            let Some(Stmt::Expr(expression)) = ast.statements().first() else {
                let Some(Stmt::FnCall(call, place)) = ast.statements().first() else {
                    panic!("{code}: {:?}", ast.statements());
                };
                let expression = rhai::Expr::FnCall(call.clone(), *place);
                let found = inference.kind_of(&expression).map(|ty| ty.to_string());
                assert_eq!(found.as_deref(), kind, "{code}");
                continue;
            };
            let found = inference.kind_of(expression).map(|ty| ty.to_string());
            assert_eq!(found.as_deref(), kind, "{code}");
        }
    }
}
