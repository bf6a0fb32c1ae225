//! The connections of a session: the variables with a connection; `conn` is the current one.

use rhai::Scope;
use virhai::Connection;

/// The connection that `conn` is.
pub(super) fn current(scope: &Scope) -> Option<Connection> {
    scope.get_value("conn")
}

/// Every connection by the name of a variable: `conn` if it has no other.
pub(super) fn all(scope: &Scope) -> Vec<(String, Connection)> {
    let mut found: Vec<(String, Connection)> = Vec::new();
    // The latest variable of a name hides those before it, and is the first here.
    let mut seen: Vec<&str> = Vec::new();
    for (name, _, value) in scope.iter_raw() {
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        let Some(connection) = value.read_lock::<Connection>() else {
            continue;
        };
        let weak = |name: &str| ["conn", "ans"].contains(&name);
        match found.iter_mut().find(|(_, known)| *known == *connection) {
            Some((known, _))
                if weak(known) && known != "conn" || known == "conn" && !weak(name) =>
            {
                name.clone_into(known);
            }
            Some(_) => {}
            None => found.push((name.to_owned(), connection.clone())),
        }
    }
    found.retain(|(name, _)| name != "ans");
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

/// The state of a connection, in a word, without asking its host.
pub(super) fn state(connection: &Connection) -> &'static str {
    match (connection.is_closed(), connection.is_lost()) {
        (true, _) => "closed",
        (_, true) => "lost",
        _ => "open",
    }
}

/// The first names that connections can be given, and no variable has.
pub(super) fn free_names(scope: &Scope) -> impl Iterator<Item = String> {
    (1..)
        .map(|number| format!("conn{number}"))
        .filter(|name| !scope.contains(name))
}

#[cfg(test)]
mod tests {
    use rhai::Scope;

    use super::free_names;

    #[test]
    fn a_new_connection_takes_the_first_free_name() {
        let mut scope = Scope::new();
        scope.push("conn1", 0).push("conn3", 0);
        let names: Vec<String> = free_names(&scope).take(2).collect();
        assert_eq!(names, ["conn2", "conn4"]);
    }
}
