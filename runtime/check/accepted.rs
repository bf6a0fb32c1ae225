//! Which keys a script's function accepts in a map of options, read from what it does with it.
//!
//! A function that lets its options go through `with_defaults`, or hands them to one that does,
//! throws at any other key. What is on no certain way to that is not known.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use rhai::{ASTFlags, ASTNode, Expr, FnCallExpr, FnPtr, Stmt};

use super::definitions::Definition;
use super::facts::{CHANGING, root};
use super::files::{File, Files};

/// The accepted keys; nothing where they are not known.
pub(super) type Accepted = Option<Rc<BTreeSet<String>>>;

/// A file, a function of it with its number of parameters, and one of these.
type Parameter = (String, String, usize, usize);

/// What was found out already.
pub(super) type Memory = HashMap<Parameter, Accepted>;

impl Files {
    /// The keys that `definition` of `file` accepts in the map that is its parameter `index`.
    pub(super) fn accepted_keys(
        &self,
        file: &File,
        definition: &Definition,
        index: usize,
    ) -> Accepted {
        let parameters = &definition.parameters;
        let parameter = (
            file.name.clone(),
            definition.name.clone(),
            parameters.len(),
            index,
        );
        if let Some(known) = self.accepted.borrow().get(&parameter) {
            return known.clone();
        }
        if let Some(spec) = self.declared(file, definition, index) {
            let keys = spec.keys.iter().map(|key| key.name.clone()).collect();
            let accepted = Some(Rc::new(keys));
            self.accepted
                .borrow_mut()
                .insert(parameter, accepted.clone());
            return accepted;
        }
        // A recursion learns nothing from itself.
        self.accepted.borrow_mut().insert(parameter.clone(), None);
        let name = parameters.get(index)?;
        let mut search = Search {
            files: self,
            file,
            names: HashSet::from([name.clone()]),
            taken: BTreeSet::new(),
            locals: HashMap::new(),
        };
        let accepted = match search.statements(&definition.body) {
            Step::Closed(mut keys) => {
                keys.append(&mut search.taken);
                Some(Rc::new(keys))
            }
            Step::Open | Step::Unknown => None,
        };
        self.accepted
            .borrow_mut()
            .insert(parameter, accepted.clone());
        accepted
    }
}

/// How far one has come.
enum Step {
    /// Any key may still be right.
    Open,
    /// These and those taken before are all.
    Closed(BTreeSet<String>),
    /// It cannot be told.
    Unknown,
}

struct Search<'a> {
    files: &'a Files,
    file: &'a File,
    /// The variables that hold the map.
    names: HashSet<String>,
    /// The keys that were taken out.
    taken: BTreeSet<String>,
    /// The maps that are written out in the function.
    locals: HashMap<String, &'a Expr>,
}

/// Goes on while the way is open.
macro_rules! open {
    ($step:expr) => {
        match $step {
            Step::Open => {}
            done => return done,
        }
    };
}

impl<'a> Search<'a> {
    fn statements(&mut self, statements: &'a [Stmt]) -> Step {
        for statement in statements {
            open!(self.statement(statement));
        }
        Step::Open
    }

    fn statement(&mut self, statement: &'a Stmt) -> Step {
        match statement {
            Stmt::Var(parts, ..) => {
                let (name, value, _) = &**parts;
                open!(self.expression(value));
                let name = name.name.to_string();
                match value {
                    value if self.holds(value) => {
                        self.names.insert(name);
                    }
                    _ => {
                        self.names.remove(&name);
                        if matches!(value, Expr::Map(..)) {
                            self.locals.insert(name, value);
                        }
                    }
                }
                if self.names.is_empty() {
                    return Step::Unknown;
                }
                Step::Open
            }
            Stmt::Expr(expression) => self.expression(expression),
            Stmt::FnCall(call, _) => self.call(call),
            Stmt::Block(block) => self.statements(block.statements()),
            Stmt::Assignment(parts) => {
                if self.holds(&parts.1.lhs) {
                    return Step::Unknown;
                }
                self.expression(&parts.1.rhs)
            }
            Stmt::Return(value, flags, _) => {
                if let Some(value) = value {
                    open!(self.expression(value));
                }
                match flags.intersects(ASTFlags::BREAK) {
                    true => Step::Open,
                    false => Step::Unknown,
                }
            }
            Stmt::For(parts, _) => {
                let (item, _, flow) = &**parts;
                open!(self.expression(&flow.expr));
                let keys = self.listed(&flow.expr);
                self.sometimes(flow.body.statements(), Some((&item.name, keys)))
            }
            Stmt::If(flow, _) => {
                open!(self.expression(&flow.expr));
                open!(self.sometimes(flow.body.statements(), None));
                self.sometimes(flow.branch.statements(), None)
            }
            Stmt::Noop(_) | Stmt::Share(_) => Step::Open,
            other => self.sometimes(std::slice::from_ref(other), None),
        }
    }

    /// Statements that may not run: they can only spoil what is known.
    fn sometimes(
        &mut self,
        statements: &[Stmt],
        looped: Option<(&str, Option<BTreeSet<String>>)>,
    ) -> Step {
        let mut unknown = false;
        let mut taken = BTreeSet::new();
        for statement in statements {
            statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
                match path.last() {
                    Some(ASTNode::Stmt(Stmt::Return(_, flags, _))) => {
                        unknown |= !flags.intersects(ASTFlags::BREAK);
                    }
                    Some(ASTNode::Stmt(Stmt::Assignment(parts))) => {
                        unknown |= self.holds(&parts.1.lhs);
                    }
                    Some(ASTNode::Expr(Expr::Dot(pair, ..))) if self.holds(&pair.lhs) => {
                        if let Some(call) = first_call(&pair.rhs) {
                            match (call.name.as_str(), call.args.first(), &looped) {
                                ("take" | "remove", Some(Expr::StringConstant(key, _)), _) => {
                                    taken.insert(key.to_string());
                                }
                                (
                                    "take" | "remove",
                                    Some(Expr::Variable(variable, ..)),
                                    Some((name, Some(keys))),
                                ) if variable.1 == *name => taken.extend(keys.iter().cloned()),
                                (changing, ..) => unknown |= CHANGING.contains(&changing),
                            }
                        }
                    }
                    _ => {}
                }
                !unknown
            });
        }
        self.taken.append(&mut taken);
        if unknown { Step::Unknown } else { Step::Open }
    }

    /// What is certainly evaluated with `expression`.
    fn expression(&mut self, expression: &'a Expr) -> Step {
        match expression {
            Expr::FnCall(call, _) => self.call(call),
            Expr::Dot(pair, ..) | Expr::Index(pair, ..) => {
                if self.holds(&pair.lhs)
                    && let Some(call) = first_call(&pair.rhs)
                {
                    open!(self.method(call));
                } else {
                    open!(self.expression(&pair.lhs));
                }
                self.expression(&pair.rhs)
            }
            Expr::MethodCall(call, _) => self.all(&call.args),
            Expr::Array(items, _) | Expr::InterpolatedString(items, _) => self.all(items),
            Expr::Map(map, _) => {
                for (_, value) in &map.0 {
                    open!(self.expression(value));
                }
                Step::Open
            }
            Expr::And(parts, _) | Expr::Or(parts, _) | Expr::Coalesce(parts, _) => {
                match parts.first() {
                    Some(first) => self.expression(first),
                    None => Step::Open,
                }
            }
            Expr::Stmt(block) => match block.statements() {
                [Stmt::Share(_), ..] => Step::Open,
                [Stmt::If(..) | Stmt::Switch(..)] => match &block.statements()[0] {
                    Stmt::If(flow, _) => {
                        open!(self.expression(&flow.expr));
                        open!(self.sometimes(flow.body.statements(), None));
                        self.sometimes(flow.branch.statements(), None)
                    }
                    other => self.sometimes(std::slice::from_ref(other), None),
                },
                statements => self.statements(statements),
            },
            _ => Step::Open,
        }
    }

    fn all(&mut self, expressions: &'a [Expr]) -> Step {
        for expression in expressions {
            open!(self.expression(expression));
        }
        Step::Open
    }

    /// A method of the map itself.
    fn method(&mut self, call: &'a FnCallExpr) -> Step {
        match (call.name.as_str(), call.args.first()) {
            ("with_defaults", Some(defaults)) => match self.keys_of(defaults) {
                Some(keys) => Step::Closed(keys),
                None => Step::Unknown,
            },
            ("take" | "remove", Some(Expr::StringConstant(key, _))) => {
                self.taken.insert(key.to_string());
                Step::Open
            }
            (name, _) if CHANGING.contains(&name) => Step::Unknown,
            // A script's own function may do anything to `this`.
            (name, _) if self.file.functions_named(name).next().is_some() => Step::Unknown,
            _ => Step::Open,
        }
    }

    fn call(&mut self, call: &'a FnCallExpr) -> Step {
        open!(self.all(&call.args));
        if call.namespace.is_empty() && call.name == "all_or_nothing" {
            return match call
                .args
                .first()
                .and_then(|argument| self.closure(argument))
            {
                Some(closure) => self.statements(&closure.body),
                None => Step::Open,
            };
        }
        for (index, argument) in call.args.iter().enumerate() {
            if !self.holds(argument) {
                continue;
            }
            let Some((file, definition)) = self.called(call) else {
                continue;
            };
            if let Some(keys) = self.files.accepted_keys(file, definition, index) {
                return Step::Closed((*keys).clone());
            }
        }
        Step::Open
    }

    /// The script's function that a call leads to.
    fn called(&self, call: &FnCallExpr) -> Option<(&'a File, &'a Definition)> {
        let mut file = self.file;
        for part in &call.namespace.path {
            let [target] = file.imported_as(&part.name)?[..] else {
                return None;
            };
            file = self.files.get(target)?;
        }
        Some((file, file.function(&call.name, call.args.len())?))
    }

    fn closure(&self, argument: &Expr) -> Option<&'a Definition> {
        let pointer = |expression: &Expr| match expression {
            Expr::DynamicConstant(value, _) => {
                let pointer = value.read_lock::<FnPtr>()?;
                self.file.closure(pointer.fn_name())
            }
            _ => None,
        };
        match argument {
            Expr::Stmt(block) => match block.statements() {
                [Stmt::Share(_), Stmt::Expr(curried)] => match &**curried {
                    Expr::FnCall(call, _) => call.args.first().and_then(pointer),
                    _ => None,
                },
                _ => None,
            },
            other => pointer(other),
        }
    }

    /// Whether `expression` is the map itself.
    fn holds(&self, expression: &Expr) -> bool {
        matches!(expression, Expr::Variable(..))
            && root(expression).is_some_and(|name| self.names.contains(name))
    }

    /// The keys of a map that is written out.
    fn keys_of(&self, expression: &Expr) -> Option<BTreeSet<String>> {
        let map = match expression {
            Expr::Map(..) => expression,
            Expr::Variable(variable, ..) if variable.2.root_is("global") => {
                self.file.global(&variable.1)?
            }
            Expr::Variable(variable, ..) if variable.2.is_empty() => {
                self.locals.get(variable.1.as_str())?
            }
            _ => return None,
        };
        let Expr::Map(map, _) = map else { return None };
        Some(map.0.iter().map(|(key, _)| key.name.to_string()).collect())
    }

    /// The texts that a loop goes through: a list that is written out, or the keys of a map.
    fn listed(&self, expression: &Expr) -> Option<BTreeSet<String>> {
        match expression {
            Expr::Array(items, _) => items
                .iter()
                .map(|item| match item {
                    Expr::StringConstant(text, _) => Some(text.to_string()),
                    _ => None,
                })
                .collect(),
            Expr::Dot(pair, ..)
                if first_call(&pair.rhs).is_some_and(|call| call.name == "keys") =>
            {
                self.keys_of(&pair.lhs)
            }
            _ => None,
        }
    }
}

trait RootIs {
    fn root_is(&self, name: &str) -> bool;
}

impl RootIs for rhai::Namespace {
    fn root_is(&self, name: &str) -> bool {
        !self.is_empty() && self.path.len() == 1 && self.root() == name
    }
}

/// The method that a chain calls first.
fn first_call(rest: &Expr) -> Option<&FnCallExpr> {
    match rest {
        Expr::MethodCall(call, _) => Some(call),
        Expr::Dot(pair, ..) | Expr::Index(pair, ..) => first_call(&pair.lhs),
        _ => None,
    }
}
