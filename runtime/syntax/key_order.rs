//! The order of keys in map literals. Rhai keeps a map sorted by its keys, so only the text of the script has it.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rhai::{AST, ASTNode, Expr, Map};

/// The most keys of a map that is shown in the order of a literal.
const MOST_KEYS: usize = 200;

/// The orders in which the literals of a session write their keys.
#[derive(Debug, Clone, Default)]
pub struct KeyOrder(Arc<Mutex<HashMap<Vec<String>, Vec<String>>>>);

impl KeyOrder {
    /// Learns the literals of a script. Of two literals with the same keys, the later one counts.
    pub fn learn(&self, ast: &AST) {
        let mut orders = self.0.lock();
        ast.walk(&mut |nodes: &[ASTNode]| {
            if let Some(ASTNode::Expr(Expr::Map(literal, _))) = nodes.last() {
                let keys: Vec<String> = literal
                    .0
                    .iter()
                    .map(|(key, _)| key.name.to_string())
                    .collect();
                let mut sorted = keys.clone();
                sorted.sort();
                if keys.len() > 1 {
                    match keys == sorted {
                        true => orders.remove(&sorted),
                        false => orders.insert(sorted, keys),
                    };
                }
            }
            true
        });
    }

    /// Puts these keys first in maps that have all of them.
    pub fn prefer<'a>(&self, keys: impl Iterator<Item = &'a str>) {
        let keys: Vec<String> = keys.map(str::to_owned).collect();
        let mut sorted = keys.clone();
        sorted.sort();
        let mut orders = self.0.lock();
        orders.insert(sorted, keys);
    }

    /// The keys of `map` in the order of the literal that has the same ones, or else the most of them; keys that no
    /// literal has come last. Sorted where there is no such literal.
    pub fn keys(&self, map: &Map) -> Vec<String> {
        let sorted = || map.keys().map(ToString::to_string).collect();
        self.written(map).unwrap_or_else(sorted)
    }

    /// The same, but nothing where the keys are sorted, and for a map that is larger than literals are.
    pub fn written(&self, map: &Map) -> Option<Vec<String>> {
        let orders = self.0.lock();
        if orders.is_empty() || map.len() > MOST_KEYS {
            return None;
        }
        let sorted: Vec<String> = map.keys().map(ToString::to_string).collect();
        if let Some(order) = orders.get(&sorted) {
            return Some(order.clone());
        }
        let within = |order: &&Vec<String>| order.iter().all(|key| map.contains_key(key.as_str()));
        let nearest = orders
            .values()
            .filter(within)
            .max_by(|one, other| one.len().cmp(&other.len()).then_with(|| other.cmp(one)))?;
        let rest = sorted.into_iter().filter(|key| !nearest.contains(key));
        Some(nearest.iter().cloned().chain(rest).collect())
    }
}

#[cfg(test)]
mod tests {
    use rhai::{Engine, Map, OptimizationLevel};

    use super::KeyOrder;

    #[test]
    fn keys_come_in_the_order_of_their_literal() {
        let mut engine = Engine::new();
        engine.set_optimization_level(OptimizationLevel::None);
        let order = KeyOrder::default();
        let keys = |code: &str| {
            order.learn(&engine.compile(code).expect(code));
            order.keys(&engine.eval::<Map>(code).expect(code)).join(" ")
        };
        assert_eq!(keys("#{ name: 1, age: 2 }"), "name age");
        assert_eq!(keys("fn f() { #{ z: 1, b: #{ y: 1, x: 2 } } } f()"), "z b");
        assert_eq!(keys("f(); fn f() {} #{ x: 1, y: 2 }"), "x y");
        assert_eq!(
            keys("let m = #{ name: 1, age: 2 }; m.extra = 3; m"),
            "name age extra"
        );
        assert_eq!(keys("let m = #{}; m.b = 1; m.a = 2; m"), "a b");
    }
}
