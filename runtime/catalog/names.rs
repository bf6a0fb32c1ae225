//! The name that a script meant: after a typo, in camelCase, from C, or in virsh's words.

use rhai::{Engine, EvalAltResult};

use crate::advice::{suggest, virsh};
use crate::catalog::{self, Function, elsewhere};
use crate::constants;
use crate::spec::Type;

use super::other_languages::{BUILT_IN, FUNCTIONS, opener, unreached};

/// Advice for a name that does not exist, where `error` is about one; `known` are the names
/// that the script itself defines.
pub fn advice(engine: &Engine, error: &EvalAltResult, known: &[String]) -> Option<String> {
    match error {
        EvalAltResult::ErrorFunctionNotFound(signature, _) => function(engine, signature, known),
        EvalAltResult::ErrorVariableNotFound(name, _) => variable(engine, name, known),
        EvalAltResult::ErrorDotExpr(message, _) => property(engine, message),
        _ => None,
    }
}

fn function(engine: &Engine, signature: &str, known: &[String]) -> Option<String> {
    let (name, arguments) = signature.split_once(" (").unwrap_or((signature, ""));
    let arguments = arguments.strip_suffix(')').unwrap_or(arguments);
    let receiver = arguments.split(',').next().unwrap_or_default().trim();
    let receiver = Some(Type::of_value(receiver)).filter(|_| !receiver.is_empty());
    for_function(&catalog::functions(engine), name, receiver.as_ref(), known)
}

/// Advice for a call of `name` on a value of the type `receiver`, or with one as its first
/// argument, that none of `functions` fits; `known` are the names that the script defines.
pub fn for_function(
    functions: &[Function],
    name: &str,
    receiver: Option<&Type>,
    known: &[String],
) -> Option<String> {
    if !name.starts_with(|letter: char| letter.is_alphabetic() || letter == '_') {
        let is_of_nothing = receiver == Some(&Type::Unit) && ["+", "-", "*"].contains(&name);
        return is_of_nothing.then(|| {
            "the left value is `()`; `list.reduce(closure, 0)` begins with 0, and not with `()`"
                .into()
        });
    }
    if receiver == Some(&Type::Unit) && is_only_method(functions, name) {
        return Some(OF_NOTHING.into());
    }
    let on = |function: &Function| receiver.is_some_and(|receiver| function.is_on(receiver));
    let fitting = |function: &&Function| !function.property && on(function);
    let methods: Vec<&Function> = functions.iter().filter(fitting).collect();

    // A function of Rhai itself with that name for other types does not count.
    let own = || functions.iter().filter(|function| !function.standard);
    let mut same: Vec<&Function> = methods
        .iter()
        .copied()
        .chain(own().filter(|function| !fitting(function)))
        .filter(|function| function.name == name && !function.property)
        .collect();
    // The engine does not order them.
    same.sort_by_cached_key(|function| {
        (
            !fitting(function),
            function.parameters.len(),
            signature_of(function),
        )
    });
    let is_property = |function: &Function| function.property && function.name == name;
    let as_property = || {
        Some(format!(
            "`{name}` is a property: write it without the parentheses"
        ))
    };
    let is_fitting = same.iter().any(fitting);
    if !is_fitting && let Some(advice) = of_kind_elsewhere(receiver, name) {
        return Some(advice.to_owned());
    }
    let only_of_others = !same.is_empty() && !is_fitting;
    if only_of_others
        && functions
            .iter()
            .any(|function| is_property(function) && on(function))
    {
        return as_property();
    }
    // A method of that name which only other values have is not meant where this value has the call.
    if only_of_others && let Some(meant) = by_alias(name, &methods) {
        return Some(format!("did you mean `{meant}`?"));
    }
    if only_of_others && let Some(advice) = unreached(name) {
        return Some(advice.to_owned());
    }
    let same: Vec<String> = same.into_iter().map(signature_of).collect();
    if !same.is_empty() {
        return Some(format!("usage: {}", same.join(", or ")));
    }
    let of_kind = |function: &Function| !function.standard || on(function);
    if functions
        .iter()
        .any(|function| is_property(function) && of_kind(function))
    {
        return as_property();
    }
    if known.iter().any(|own| own == name) {
        return Some(format!(
            "a script's own function is called as `{name}(value, ...)`, not as a method"
        ));
    }
    if let Some(opener) = opener(name) {
        return Some(format!("did you mean `{opener}`?"));
    }
    // Other names are near, and none of them is meant.
    if let Some(advice) = unreached(name) {
        return Some(advice.to_owned());
    }
    // A method of other values cannot be meant.
    let (pool, others): (Vec<&Function>, Vec<&Function>) = match methods.is_empty() {
        true => (functions.iter().collect(), own().collect()),
        false => (
            methods,
            own().filter(|function| !is_method(function)).collect(),
        ),
    };
    if let Some(meant) = by_alias(name, &pool) {
        return Some(format!("did you mean `{meant}`?"));
    }
    if let Some(command) = virsh::find(name) {
        return Some(of_virsh(command));
    }
    meant(name, &pool, known)
        .or_else(|| by_alias(name, &others))
        .or_else(|| nearest(name, &others, known))
        .map(|meant| format!("did you mean `{meant}`?"))
}

/// Advice on a method or a property of `()`.
const OF_NOTHING: &str = "the value is `()`: `find`, for example, returns it if it finds nothing; test it with `x != ()`";

/// True if `name` is a method of objects, and no other function.
fn is_only_method(functions: &[Function], name: &str) -> bool {
    let mut named = functions
        .iter()
        .filter(|function| function.name == name && !function.property)
        .peekable();
    named.peek().is_some() && named.all(is_method)
}

/// Advice for a method of other programs on values of the type `kind`.
fn of_kind_elsewhere(kind: Option<&Type>, name: &str) -> Option<&'static str> {
    let name = match name.starts_with("vir") {
        true => name.to_owned(),
        false => snake_case(name),
    };
    elsewhere::method(&kind?.plain().to_string(), &name)
}

/// The counterpart of a command of virsh.
pub fn of_virsh(command: virsh::VirshCommand) -> String {
    let name = command.name;
    match command.has_counterpart() {
        true if command.is_of_the_prompt() => {
            format!(
                "virsh's `{name}` is `{}` at the prompt",
                command.on_variables()
            )
        }
        true => format!("virsh's `{name}` is `{}` here", command.on_variables()),
        false => format!("virsh's `{name}` has no counterpart in scripts"),
    }
}

/// True if `function` is called on a value of virhai, such as a domain.
fn is_method(function: &Function) -> bool {
    function.method && function.is_on_object()
}

/// The functions that `name` of libvirt's C library, of libvirt-python or of virsh stands for. Of a variant, such as
/// `migrateToURI2`, those overloads that make its call.
pub fn of_libvirt<'a>(functions: &'a [Function], name: &str) -> Vec<&'a Function> {
    let own = || functions.iter().filter(|function| !function.standard);
    // libvirt-python registers callbacks; scripts wait for events instead.
    let mut letters = name.chars();
    let capital = letters.next().map(|first| first.to_ascii_uppercase());
    let registers = name.contains("Event") || name.ends_with("Callback");
    let in_c: Vec<String> = ["virConnect", "virStream", "virConnectDomain"]
        .into_iter()
        .filter(|_| registers)
        .map(|prefix| {
            prefix
                .chars()
                .chain(capital)
                .chain(letters.clone())
                .collect()
        })
        .collect();
    let calling: Vec<&Function> = own()
        .filter(|function| {
            let mut calls = function.calls();
            calls.any(|call| call == name || in_c.iter().any(|in_c| in_c == call))
        })
        .collect();
    // A function that calls only this C function comes before those that call several.
    if let Some(fewest) = calling
        .iter()
        .map(|function| function.calls().count())
        .min()
    {
        let alone = |function: &&Function| function.calls().count() == fewest;
        return calling.into_iter().filter(alone).collect();
    }
    let named = |wanted: &str| -> Vec<&Function> {
        own()
            .filter(|function| function.name == wanted && !function.property)
            .collect()
    };
    if let Some(opener) = opener(name) {
        return named(opener);
    }
    if name == "open" {
        return named("connect");
    }
    let snake = snake_case(name);
    let virsh = virsh::find(name)
        .or_else(|| virsh::find(&snake))
        .and_then(virsh::VirshCommand::function);
    let get = format!("get_{snake}");
    let candidates = [
        Some(snake.as_str()),
        Some(without_variant(&snake)),
        virsh,
        Some(&get),
    ];
    let Some(found) = candidates
        .into_iter()
        .flatten()
        .filter(|candidate| *candidate != name)
        .map(named)
        .find(|found| !found.is_empty())
    else {
        return Vec::new();
    };
    let ending = name.to_lowercase();
    let of_variant: Vec<&Function> = found
        .iter()
        .copied()
        .filter(|function| {
            let mut calls = function.calls();
            calls.any(|call| call.to_lowercase().ends_with(&ending))
        })
        .collect();
    match of_variant.is_empty() {
        true => found,
        false => of_variant,
    }
}

/// Advice for a call of `name`, which exists, with the wrong arguments of these `types`, if it is a usual mistake.
pub fn for_arguments(name: &str, types: &[Option<Type>]) -> Option<&'static str> {
    match (name, types) {
        ("append", [Some(Type::Array(_)), _]) => Some("`list.push(item)` adds one item"),
        ("max", [Some(Type::Array(_))]) => Some(
            "`list.max_by(|item| item)` returns the largest item, and `max(a, b)` the larger of two values",
        ),
        ("min", [Some(Type::Array(_))]) => Some(
            "`list.min_by(|item| item)` returns the smallest item, and `min(a, b)` the smaller of two values",
        ),
        ("range", [Some(Type::Int)]) => Some("write `0..3` for 0, 1, 2"),
        ("int" | "to_int", [Some(text)]) if text.is_text() => {
            Some("`parse_int(text)` reads a number")
        }
        ("float" | "to_float", [Some(text)]) if text.is_text() => {
            Some("`parse_float(text)` reads a number")
        }
        _ => None,
    }
}

/// The function among `pool` that `name` stands for: in virsh's words, in C, in camelCase, with other words around, or
/// after a typo.
pub fn meant(name: &str, pool: &[&Function], known: &[String]) -> Option<String> {
    by_alias(name, pool)
        .or_else(|| {
            let names = pool.iter().map(|function| function.name.as_str());
            suggest::with_words_of(&snake_case(name), names).map(str::to_owned)
        })
        .or_else(|| nearest(name, pool, known))
}

/// The function among `pool`, or the one of `known`, that `name` is after a typo.
fn nearest(name: &str, pool: &[&Function], known: &[String]) -> Option<String> {
    let names = pool
        .iter()
        .map(|function| function.name.as_str())
        .chain(known.iter().map(String::as_str))
        .chain(BUILT_IN)
        // Operators are functions too.
        .filter(|name| name.starts_with(|letter: char| letter.is_alphabetic() || letter == '_'));
    suggest::nearest_name(&snake_case(name), names).map(str::to_owned)
}

/// The function among `pool` that another program or language calls `name`.
fn by_alias(name: &str, pool: &[&Function]) -> Option<String> {
    let has = |wanted: &str| {
        BUILT_IN.contains(&wanted) || pool.iter().any(|function| function.name == wanted)
    };
    // A function that calls only this C function comes before those that call several.
    if let Some(function) = pool
        .iter()
        .filter(|function| function.calls().any(|call| call == name))
        .min_by_key(|function| function.calls().count())
    {
        return Some(function.name.clone());
    }
    let snake = snake_case(name);
    // virsh puts the kind of object before the command; here it is the receiver.
    let command = ["pool_", "vol_"]
        .iter()
        .find_map(|kind| snake.strip_prefix(kind))
        .unwrap_or(&snake);
    let words = [snake.as_str(), name, command];
    let of_virsh = words
        .iter()
        .filter_map(|word| virsh::find(word)?.function())
        .find(|meant| has(meant));
    let elsewhere = FUNCTIONS
        .iter()
        .find(|(word, meant)| words.contains(word) && has(meant))
        .map(|(_, meant)| *meant);
    if let Some(meant) = of_virsh.or(elsewhere) {
        return Some(meant.to_owned());
    }
    let get = format!("get_{snake}");
    let bare = snake.strip_prefix("get_").unwrap_or(&snake);
    let candidates = [
        snake.as_str(),
        without_variant(&snake),
        command,
        get.as_str(),
        bare,
    ];
    let candidate = candidates
        .into_iter()
        .find(|candidate| *candidate != name && has(candidate))?;
    Some(candidate.to_owned())
}

/// The name in libvirt-python's camelCase or C as scripts write it.
pub fn snake_case(name: &str) -> String {
    let name = match name.starts_with("vir") {
        true => constants::method_of(name),
        false => name,
    };
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::with_capacity(name.len() + 4);
    for (index, letter) in letters.iter().enumerate() {
        if letter.is_uppercase() && index > 0 {
            let after_lower = !letters[index - 1].is_uppercase() && letters[index - 1] != '_';
            let ends_acronym = letters[index - 1].is_uppercase()
                && letters
                    .get(index + 1)
                    .is_some_and(|next| next.is_lowercase());
            // A leading single letter belongs to its acronym: `fSInfo` and `pMWakeup`.
            let leading = index == 1 && letters.get(2).is_some_and(|next| next.is_uppercase());
            if (after_lower && !leading) || ends_acronym {
                snake.push('_');
            }
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// The name without the ending by which libvirt numbers its variants.
pub fn without_variant(name: &str) -> &str {
    ["_with_flags", "_flags", "_ext", "2", "3"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name)
}

fn variable(engine: &Engine, name: &str, known: &[String]) -> Option<String> {
    for_variable(&catalog::functions(engine), name, known)
}

/// Advice for a variable `name` that does not exist; `known` are the names that do.
pub fn for_variable(functions: &[Function], name: &str, known: &[String]) -> Option<String> {
    let advice = match name {
        "libvirt" | "libvirt_qemu" => Some(
            "libvirt's calls and constants need no prefix: `connect(uri)` opens a hypervisor, and `VIR_...` is written as it is",
        ),
        "console" => Some("`print(value)` prints a line"),
        "time" => Some("`sleep(\"5s\")` pauses the script"),
        "json" | "JSON" => Some("`parse_json(text)` reads JSON, and `map.to_json()` writes it"),
        "requests" | "urllib" => Some("`http_get(url)` gets a URL, with `--allow-net`"),
        "sys" | "process" => Some(
            "`args` has the arguments of a script, `env(name)` reads an environment variable, and `exit(1)` ends the script with that status",
        ),
        "os" => Some(
            "`env(name)` reads an environment variable, `glob(path)` finds files, and `run([\"program\", \"argument\"])` runs a program",
        ),
        "pass" => Some("a block can be empty: `{ }`"),
        "args" => Some(
            "only the main script has `args`; pass values to the functions of an imported file as arguments",
        ),
        "None" | "nullptr" | "Null" | "NULL" | "Nil" | "undefined" | "none" => {
            Some("`()` stands for no value")
        }
        "True" | "TRUE" | "yes" => Some("did you mean `true`?"),
        "False" | "FALSE" | "no" => Some("did you mean `false`?"),
        _ => None,
    };
    if let Some(advice) = advice {
        return Some(advice.into());
    }
    if name.starts_with("VIR_") {
        let near = suggest::nearest(name, constants::all().map(|constant| constant.name))?;
        return Some(format!("did you mean `{near}`?"));
    }
    if known.iter().any(|known| known == name) {
        return Some(format!(
            "a function does not see the variables of the script: pass `{name}` to it as an argument"
        ));
    }
    if name == "conn" {
        return Some(
            "`let conn = connect();` opens the host that `-c` or LIBVIRT_DEFAULT_URI names".into(),
        );
    }
    if let Some(near) = suggest::nearest(name, known.iter().map(String::as_str)) {
        return Some(format!("did you mean `{near}`?"));
    }
    if name == "std" {
        return Some("`import \"std/guest\" as guest;` imports a recipe".into());
    }
    let called: Vec<&Function> = functions
        .iter()
        .filter(|function| function.name == name && !function.property)
        .collect();
    if called.iter().any(|function| !is_method(function)) {
        return Some(format!("`{name}` is a function: call it as `{name}(...)`"));
    }
    if let Some(method) = called.first() {
        let usage = signature_of(method);
        return Some(format!("`{name}` is a method; usage: {usage}"));
    }
    virsh::find(name).map(of_virsh)
}

/// Advice for an assignment to a variable `name` that does not exist.
pub fn for_undeclared(name: &str) -> String {
    format!("declare it with `let {name} = ...`")
}

/// Advice on Rhai's "Unknown property 'x' - a getter is not registered for type 'T'", and on the same of a setter.
fn property(engine: &Engine, message: &str) -> Option<String> {
    let mut quoted = message.split('\'').skip(1).step_by(2);
    let (name, kind) = (quoted.next()?, quoted.next()?);
    let (functions, kind) = (catalog::functions(engine), Type::of_value(kind));
    match message.contains("setter") {
        true => for_assignment(&functions, name, &kind),
        false => for_property(&functions, name, &kind),
    }
}

/// Advice for an assignment to `name` of a value of the type `kind`, which has no such property.
pub fn for_assignment(functions: &[Function], name: &str, kind: &Type) -> Option<String> {
    let set = format!("set_{name}");
    let has_it = |function: &Function| function.name == set && function.is_on(kind);
    functions
        .iter()
        .any(has_it)
        .then(|| format!("call `{set}(...)`"))
}

/// Advice for a property `name` that values of the type `kind` do not have.
pub fn for_property(functions: &[Function], name: &str, kind: &Type) -> Option<String> {
    if *kind == Type::Unit {
        return Some(OF_NOTHING.into());
    }
    let own: Vec<&Function> = functions
        .iter()
        .filter(|function| function.is_on(kind))
        .collect();
    if own
        .iter()
        .any(|function| !function.property && function.name == name)
    {
        return Some(format!("`{name}` is a method: call it as `{name}()`"));
    }
    let properties: Vec<&str> = own
        .iter()
        .filter(|function| function.property)
        .map(|function| function.name.as_str())
        .collect();
    suggest::nearest(name, properties.iter().copied())
        .map(str::to_owned)
        .or_else(|| meant(name, &own, &[]).map(|meant| format!("{meant}()")))
        .map(|near| format!("did you mean `{near}`?"))
        .or_else(|| {
            let (call, key) = in_result(name, &own)?;
            Some(format!("use `{call}().{key}`"))
        })
        .or_else(|| of_kind_elsewhere(Some(kind), name).map(str::to_owned))
        .or_else(|| unreached(name).map(str::to_owned))
        .or_else(|| {
            (!properties.is_empty()).then(|| format!("{kind} has {}", properties.join(", ")))
        })
}

/// The method of `own` without arguments whose result has the key `name`, in any unit, and that key.
fn in_result<'a>(name: &str, own: &[&'a Function]) -> Option<(&'a str, &'a str)> {
    let units = ["_kib", "_bytes", "_ns", "_s"].map(|unit| format!("{name}{unit}"));
    let is_meant = |key: &str| key == name || units.iter().any(|unit| unit == key);
    let calls = own.iter().copied();
    let calls = calls.filter(|function| !function.property && function.parameters.len() == 1);
    let mut found: Vec<(&str, &str)> = calls
        .filter_map(|function| {
            let keys = &function.returns.keys()?.keys;
            let key = keys.iter().find(|key| is_meant(&key.name))?;
            Some((function.name.as_str(), key.name.as_str()))
        })
        .collect();
    // The engine does not order functions.
    found.sort_by_key(|(call, key)| (*call != "info", call.len(), *call, *key));
    found.into_iter().next()
}

fn signature_of(function: &Function) -> String {
    let receiver = function.parameters.first().filter(|(_, ty)| ty.is_object());
    let parameters: Vec<String> = function
        .parameters
        .iter()
        .skip(usize::from(receiver.is_some()))
        .map(|(name, ty)| ty.of_parameter(name))
        .collect();
    let on = receiver.map_or_else(String::new, |(name, _)| format!("{name}."));
    format!("`{on}{}({})`", function.name, parameters.join(", "))
}
