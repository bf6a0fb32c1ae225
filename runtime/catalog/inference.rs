//! The types of expressions, found out without running them.

use rhai::{ASTFlags, Array, Dynamic, Engine, Expr, FnCallExpr};

use crate::catalog::{Catalog, element};
use crate::vocabulary::record_of;

/// Finds types by what the catalogue says that functions answer.
pub struct Inference<'a> {
    catalog: &'a Catalog,
    /// The type of a variable, where it is known.
    variable: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> Inference<'a> {
    /// An inference over variables whose types `variable` tells.
    pub fn new(catalog: &'a Catalog, variable: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { catalog, variable }
    }

    /// The type of `expression`; nothing where it is unknown.
    pub fn kind_of(&self, expression: &Expr) -> Option<String> {
        if let Some(kind) = literal(expression) {
            return Some(kind);
        }
        let kind = match expression {
            Expr::And(..) | Expr::Or(..) => "bool",
            Expr::Array(items, _) => return Some(self.array(items)),
            Expr::Variable(variable, ..) if variable.2.is_empty() => {
                return constant(&variable.1).or_else(|| (self.variable)(&variable.1));
            }
            Expr::FnCall(call, _) => return self.call(call),
            Expr::Dot(pair, ..) => return self.after_dot(self.kind_of(&pair.lhs), &pair.rhs),
            Expr::Index(pair, flags, _) => {
                return self.after_index(self.kind_of(&pair.lhs), &pair.rhs, *flags);
            }
            _ => return None,
        };
        Some(kind.to_owned())
    }

    /// The type of what a method or function answers for a receiver, where it has one, and the
    /// arguments of `call`.
    fn answer(&self, receiver: Option<Option<String>>, call: &FnCallExpr) -> Option<String> {
        let arguments = call.args.iter().map(|argument| self.kind_of(argument));
        let arguments: Vec<_> = receiver.into_iter().chain(arguments).collect();
        self.catalog
            .returns(&call.name, &arguments)
            .map(str::to_owned)
    }

    fn call(&self, call: &FnCallExpr) -> Option<String> {
        if !call.namespace.is_empty() {
            return None;
        }
        if call.op_token.is_some() {
            let kinds: Vec<_> = call
                .args
                .iter()
                .map(|operand| self.kind_of(operand))
                .collect();
            if let Some(kind) = operator(&call.name, &kinds) {
                return Some(kind.to_owned());
            }
        }
        self.answer(None, call)
    }

    fn array(&self, items: &[Expr]) -> String {
        let mut kinds = items.iter().map(|item| self.kind_of(item));
        match kinds.next().flatten() {
            Some(first) if kinds.all(|other| other.as_ref() == Some(&first)) => {
                format!("array of {first}")
            }
            _ => "array".into(),
        }
    }

    /// The type of `kind.rest`; Rhai nests a chain to the right.
    fn after_dot(&self, kind: Option<String>, rest: &Expr) -> Option<String> {
        match rest {
            Expr::Property(property, _) => {
                let kind = kind?;
                let found = match record_of(&kind) {
                    Some(record) => record.kind(&property.2).filter(|kind| *kind != "?"),
                    None => self.catalog.property(&kind, &property.2),
                };
                found.map(str::to_owned)
            }
            Expr::MethodCall(call, _) => self.answer(Some(kind), call),
            Expr::Dot(pair, ..) => self.after_dot(self.after_dot(kind, &pair.lhs), &pair.rhs),
            Expr::Index(pair, flags, _) => {
                self.after_index(self.after_dot(kind, &pair.lhs), &pair.rhs, *flags)
            }
            _ => None,
        }
    }

    /// The type of `kind[rest`, where the chain goes on behind the index unless it breaks.
    fn after_index(&self, kind: Option<String>, rest: &Expr, flags: ASTFlags) -> Option<String> {
        let index = match rest {
            _ if flags.intersects(ASTFlags::BREAK) => rest,
            Expr::Dot(pair, ..) | Expr::Index(pair, ..) => &pair.lhs,
            _ => rest,
        };
        let held = held(kind.as_deref(), self.kind_of(index).as_deref()).map(str::to_owned);
        match rest {
            _ if flags.intersects(ASTFlags::BREAK) => held,
            Expr::Dot(pair, ..) => self.after_dot(held, &pair.rhs),
            Expr::Index(pair, flags, _) => self.after_index(held, &pair.rhs, *flags),
            _ => held,
        }
    }
}

/// The type of a value as scripts name it, with that of its items where they all have the same.
pub fn kind_of_value(engine: &Engine, value: &Dynamic) -> String {
    let name = |value: &Dynamic| {
        let name = engine.map_type_name(value.type_name());
        plain_value(name).unwrap_or_else(|| name.to_owned())
    };
    let Some(list) = value.read_lock::<Array>() else {
        return name(value);
    };
    let mut kinds = list.iter().map(name);
    match kinds.next() {
        Some(first) if kinds.all(|other| other == first) => format!("array of {first}"),
        _ => "array".into(),
    }
}

/// The type of an expression that is written out, whatever it holds.
pub fn literal(expression: &Expr) -> Option<String> {
    let kind = match expression {
        Expr::DynamicConstant(value, _) => return plain_value(value.type_name()),
        Expr::BoolConstant(..) => "bool",
        Expr::IntegerConstant(..) => "int",
        Expr::FloatConstant(..) => "float",
        Expr::CharConstant(..) => "char",
        Expr::StringConstant(..) | Expr::InterpolatedString(..) => "string",
        Expr::Map(..) => "map",
        Expr::Unit(..) => "()",
        _ => return None,
    };
    Some(kind.to_owned())
}

/// The type of what the operator `name` answers for operands of these types, where Rhai keeps
/// that to itself.
pub fn operator(name: &str, operands: &[Option<String>]) -> Option<&'static str> {
    match name {
        "==" | "!=" | "<" | "<=" | ">" | ">=" | "!" => return Some("bool"),
        ".." => return Some("ExclusiveRange"),
        "..=" => return Some("InclusiveRange"),
        _ => {}
    }
    let kinds: Option<Vec<&str>> = operands.iter().map(Option::as_deref).collect();
    match kinds?[..] {
        ["int"] | ["int", "int"] => Some("int"),
        ["float"] | ["float", "float" | "int"] | ["int", "float"] => Some("float"),
        ["string", _] if name == "+" => Some("string"),
        _ => None,
    }
}

/// The type of what is found in a value of the type `kind` at an index of the type `index`.
pub fn held<'a>(kind: Option<&'a str>, index: Option<&str>) -> Option<&'a str> {
    // A range takes a part out, and not an element.
    kind.and_then(element).filter(|_| index == Some("int"))
}

/// The type of the constant `name` of libvirt's.
pub fn constant(name: &str) -> Option<String> {
    let constant = crate::constants::lookup(name)?;
    plain_value(constant.type_name())
}

/// The type of a value as scripts name it, from Rhai's name for it.
fn plain_value(name: &str) -> Option<String> {
    Some(match name {
        "i64" => "int".into(),
        "f64" => "float".into(),
        "rhai::Array" => "array".into(),
        "rhai::Map" => "map".into(),
        other => other.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use rhai::Stmt;

    use super::Inference;
    use crate::catalog::Catalog;
    use crate::engine::{self, Limits};
    use crate::{Imports, Session, SessionOptions};

    #[test]
    fn types_follow_from_what_functions_answer() {
        let session = Session::new(SessionOptions::default());
        let engine = engine::build(&session, &Limits::default(), Imports::default());
        let catalog = Catalog::new(&engine);
        let variable = |name: &str| (name == "conn").then(|| "Connection".to_owned());
        let inference = Inference::new(&catalog, &variable);
        for (code, kind) in [
            ("1", Some("int")),
            ("`${1}`", Some("string")),
            ("[1, 2]", Some("array of int")),
            ("#{ a: 1 }", Some("map")),
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
            ("conn.list_all_domains()[0].name", Some("string")),
            ("other.anything()", None),
            ("0..5", Some("ExclusiveRange")),
            ("\"text\"[0..2]", None),
            ("|x| x", Some("Fn")),
        ] {
            let ast = engine.compile(code).expect(code);
            let Some(Stmt::Expr(expression)) = ast.statements().first() else {
                let Some(Stmt::FnCall(call, place)) = ast.statements().first() else {
                    panic!("{code}: {:?}", ast.statements());
                };
                let expression = rhai::Expr::FnCall(call.clone(), *place);
                assert_eq!(inference.kind_of(&expression).as_deref(), kind, "{code}");
                continue;
            };
            assert_eq!(inference.kind_of(expression).as_deref(), kind, "{code}");
        }
    }
}
