//! Options as scripts declare and give them.

use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult, Map};

use super::{Literal, Spec};
use crate::engine::{self, Limits};
use crate::script::declarations::{Constants, Sources, declared};
use crate::{Error, Imports, Session, SessionOptions};

/// A file that declares options, as a script gives them to `guest`.
const DECLARATION: &str = r#"
    const DISK = #{
        pool: #{ type: "pool", default: "default" },
        bus: #{ words: ["virtio", "sata", "scsi"] },
        size: #{ type: "size", min: "1MiB" },
    };
    const GUEST = #{
        name: #{ type: "string", required: true, help: "name of the guest" },
        memory: #{ type: "size", unit: "KiB", default: "1GiB" },
        vcpus: #{ type: "int", min: 1, max: 512, default: 1 },
        start: #{ type: "bool", default: true },
        disks: #{ type: ["array", "DISK", "path", "StorageVol", "Xml"] },
        nics: #{ type: ["array", "network"] },
        graphics: #{ type: ["words", "map", "Xml"], words: ["vnc", "spice", "none"] },
        timeout: #{ type: "duration", default: "5m" },
        numa: #{ type: ["array", #{ cpus: #{ type: "string", required: true }, memory: #{ type: "size" } }] },
        up: #{ type: ["string", #{ tcp: #{ type: "int" } }, "()"], default: "login:" },
        edit: #{ type: "function" },
    };
    fn guest(options) { options.checked(global::GUEST) }
"#;

fn given(options: &str) -> Result<Dynamic, Box<EvalAltResult>> {
    let session = Session::new(SessionOptions::default());
    let imports = Imports::default();
    let engine = engine::build(&session, &Limits::default(), imports.clone());
    let script = format!("{DECLARATION}\nguest({options})");
    imports.remember("main.rhai", &script);
    let mut ast = engine.compile(&script)?;
    ast.set_source("main.rhai");
    engine.eval_ast(&ast)
}

/// The first fault of `#{ it: given }`, whose key `it` has the fields `declared`.
fn fault(declared: &str, given: &str) -> Option<String> {
    let script = format!("const IT = #{{ it: #{{ {declared} }} }}; #{{ it: {given} }}.checked(IT)");
    let session = Session::new(SessionOptions::default());
    let engine = engine::build(&session, &Limits::default(), Imports::default());
    let error = engine.eval::<Map>(&script).err()?;
    Some(error.to_string())
}

#[test]
fn the_type_decides_whether_a_limit_is_a_size_or_a_duration() {
    for (declared, given, allowed) in [
        (r#"type: "duration", max: "1m""#, r#""1h""#, false),
        (r#"type: "duration", max: "1m""#, r#""60s""#, true),
        (r#"type: "duration", min: "1m""#, r#""2d""#, true),
        (r#"type: "duration", min: "1m""#, "59", false),
        (r#"type: "size", max: "1m""#, r#""1MiB""#, true),
        (r#"type: "size", max: "1m""#, r#""2MiB""#, false),
        (r#"type: ["string", "int"], min: 7"#, r#""5s""#, true),
    ] {
        let fault = fault(declared, given);
        assert_eq!(fault.is_none(), allowed, "{declared}: {given}: {fault:?}");
    }
}

/// The faults of a script's map, whose declaration has the entries `declared`, and the hints.
fn conditions(declared: &str, given: &str) -> Vec<String> {
    let texts = [("a", format!("const IT = #{{ {declared} }};"))];
    let spec = declared_in(&texts, "IT").expect("the declaration is right");
    let session = Session::new(SessionOptions::default());
    let engine = engine::build(&session, &Limits::default(), Imports::default());
    let map = engine
        .eval::<Map>(&format!("#{{ {given} }}"))
        .expect("a map");
    let faults = spec.faults_of(&engine, &map).into_iter();
    let told = faults.map(|fault| {
        let hint = fault.hint.clone().unwrap_or_default();
        format!("{}: {}; {hint}", fault.written_path(), fault.message)
    });
    told.collect()
}

fn declared_in(texts: &[(&str, String)], name: &str) -> Result<Arc<Spec>, String> {
    let (file, text) = &texts[0];
    let ast = engine::parser().compile(text).expect("it compiles");
    let constants = Arc::new(Constants::of(&ast));
    struct One(Arc<Constants>);
    impl Sources for One {
        fn constants(&self, _file: &str) -> Option<Arc<Constants>> {
            Some(Arc::clone(&self.0))
        }
        fn imported(&self, _file: &str, _path: &str) -> Option<String> {
            None
        }
    }
    declared(&One(constants), file, name)
}

#[test]
fn options_that_contradict_each_other_are_refused_with_both_names() {
    let types = r#"
        kernel: #{ type: "path" }, initrd: #{ type: "path", needs: "kernel" },
        size: #{ type: "size" }, backing: #{ type: "path" },
        allocation: #{ type: "size", needs: ["size", "backing"] },
        firmware: #{ words: ["efi", "bios"] }, secure: #{ type: "bool", default: false, not_with: #{ firmware: "bios" } },
        type: #{ words: ["pty", "unix", "tcp"], default: "pty" },
        mode: #{ type: "string", needs: #{ type: ["unix", "tcp"] } },
        bridge: #{ type: "string" }, network: #{ type: "network", not_with: ["bridge", "kernel"] },
        dhcp: #{ type: "bool", default: true }, hosts: #{ type: "array", not_with: #{ dhcp: false } },
    "#;
    for (given, told) in [
        (
            "initrd: \"/i\"",
            "initrd: `initrd` needs `kernel`; give `kernel`, or leave `initrd` out",
        ),
        ("initrd: \"/i\", kernel: \"/k\"", ""),
        ("initrd: \"\"", ""),
        ("initrd: (), kernel: ()", ""),
        (
            "allocation: 5",
            "allocation: `allocation` needs `size` or `backing`; give `size` or `backing`, or leave `allocation` out",
        ),
        ("allocation: 5, backing: \"/b\"", ""),
        (
            "secure: true, firmware: \"bios\"",
            "secure: `secure` cannot be combined with `firmware: \"bios\"`; leave one of the two out",
        ),
        ("secure: false, firmware: \"bios\"", ""),
        ("secure: true, firmware: \"efi\"", ""),
        ("mode: \"bind\", type: \"tcp\"", ""),
        (
            "mode: \"bind\", type: \"pty\"",
            "mode: `mode` needs `type: \"unix\"` or `type: \"tcp\"`; give `type: \"unix\"` or `type: \"tcp\"`, or leave `mode` out",
        ),
        // The default counts.
        (
            "mode: \"bind\"",
            "mode: `mode` needs `type: \"unix\"` or `type: \"tcp\"`; give `type: \"unix\"` or `type: \"tcp\"`, or leave `mode` out",
        ),
        (
            "network: \"lan\", bridge: \"br0\"",
            "network: `network` cannot be combined with `bridge`; leave one of the two out",
        ),
        ("network: \"lan\", bridge: ()", ""),
        (
            "hosts: [1], dhcp: false",
            "hosts: `hosts` cannot be combined with `dhcp: false`; leave one of the two out",
        ),
        ("hosts: [], dhcp: false", ""),
    ] {
        assert_eq!(conditions(types, given).concat(), told, "{given}");
    }
    // What is not given may have a value already.
    let partial = format!("partial: true, {types}");
    for (given, faults) in [
        ("initrd: \"/i\", mode: \"bind\", allocation: 5", 0),
        ("mode: \"bind\", type: \"pty\"", 1),
        ("network: \"lan\", bridge: \"br0\"", 1),
    ] {
        assert_eq!(conditions(&partial, given).len(), faults, "{given}");
    }
}

#[test]
fn a_map_needs_one_of_some_options_and_the_maps_of_a_list_differ() {
    let place = r#"one_of: ["pool", "folder"], called: "a backup", pool: #{ type: "string" }, folder: #{ type: "bool" }"#;
    assert_eq!(
        conditions(place, ""),
        [": a backup needs `pool` or `folder`; "]
    );
    assert_eq!(conditions(place, "folder: false").len(), 1);
    assert!(conditions(place, "folder: true").is_empty());
    let within = r#"up: #{ type: #{ one_of: ["tcp"], tcp: #{ type: "int" } } }"#;
    assert_eq!(conditions(within, "up: #{}"), ["up: `up` needs `tcp`; "]);
    let list =
        r#"nics: #{ type: ["array", "string", #{ mac: #{ type: "string", unique: true } }] }"#;
    assert_eq!(
        conditions(
            list,
            r#"nics: [#{ mac: "aa" }, "x", #{ mac: "AA" }, #{}, #{}]"#
        ),
        [
            "nics[2].mac: `nics[0].mac` and `nics[2].mac` are both \"AA\"; give them different values, or leave one out"
        ]
    );
}

#[test]
fn no_message_shows_the_value_of_a_secret() {
    for (declared, given) in [
        (r#"type: "secret""#, "48151623"),
        (r#"type: "secret""#, "4815.1623"),
        (r#"type: "secret""#, "true"),
        (r#"type: "secret""#, r#"["48151623"]"#),
        (r#"type: "secret""#, "#{ a: 48151623 }"),
        (r#"type: "secret", pattern: "[a-z]+""#, r#""48151623""#),
        (r#"type: ["array", "secret"]"#, r#""48151623""#),
        (r#"type: ["array", "secret"]"#, "[48151623]"),
        (r#"type: ["secret", "int"], max: 9"#, "48151623"),
        (
            r#"type: ["secret", #{ a: #{ type: "size" } }]"#,
            r#"#{ a: "48151623x" }"#,
        ),
    ] {
        let fault = fault(declared, given).expect(given);
        let shown = ["4815", "not true,"]
            .iter()
            .any(|part| fault.contains(part));
        assert!(!shown, "{declared}: {given}: {fault}");
    }
}

#[test]
fn a_value_of_the_type_float_has_a_fraction() {
    let script = r#"
        const IT = #{
            one: #{ type: "float" }, two: #{ type: "float", default: 2 }, list: #{ type: ["array", "float"], default: [3] },
            both: #{ type: ["float", "int"] }, maps: #{ type: ["array", #{ x: #{ type: "float" } }] },
        };
        const DONE = #{ seconds: #{ type: ["float", "()"] } };
        let it = #{ one: 1, both: 4, maps: [#{ x: 5 }] }.checked(IT);
        [it.one, it.two, it.list[0], it.both, it.maps[0].x, #{ seconds: 6 }.as_declared(DONE).seconds]
    "#;
    let session = Session::new(SessionOptions::default());
    let engine = engine::build(&session, &Limits::default(), Imports::default());
    let told = engine.eval::<Dynamic>(script).expect("it is right");
    assert_eq!(told.to_string(), "[1.0, 2.0, 3.0, 4, 5.0, 6.0]");
}

#[test]
fn options_that_are_not_given_have_their_defaults() {
    let options = given(
        r#"#{ name: "web", memory: (), disks: [#{ bus: "sata" }, "/a.img"], numa: [#{ cpus: "0" }], up: () }"#,
    );
    let options: Map = options.expect("they are right").cast();
    let options = Literal::of_map(&options).expect("it is written out");
    assert_eq!(
        options.to_string(),
        concat!(
            r##"#{ disks: [#{ bus: "sata", pool: "default", size: () }, "/a.img"], edit: (), graphics: (), memory: "1GiB", "##,
            r##"name: "web", nics: (), numa: [#{ cpus: "0", memory: () }], start: true, timeout: "5m", up: (), vcpus: 1 }"##,
        )
    );
}

#[test]
fn each_mistake_is_told_in_the_words_of_the_option() {
    for (options, message, hint) in [
        (
            r#"#{ name: "a", disks: [#{}, #{ pol: "x" }] }"#,
            "`disks[1]`: a disk has no option `pol`",
            "did you mean `pool`?",
        ),
        (
            r#"#{ nmae: "a" }"#,
            "a guest has no option `nmae`",
            "did you mean `name`?",
        ),
        (
            r#"#{ vcpus: 2 }"#,
            "a guest needs the option `name`",
            "`name`: name of the guest",
        ),
        (
            r#"#{ name: "a", memory: "2 gigs" }"#,
            "`memory`: `2 gigs` is not a size: there is no unit `gigs`",
            "write it as",
        ),
        (
            r#"#{ name: "a", vcpus: "2" }"#,
            "`vcpus` must be a number, not the text \"2\"",
            "",
        ),
        (
            r#"#{ name: "a", vcpus: 2.5 }"#,
            "`vcpus` must be a whole number, not 2.5",
            "",
        ),
        (
            r#"#{ name: "a", vcpus: 0 }"#,
            "`vcpus` must be 1 or more, not 0",
            "",
        ),
        (
            r#"#{ name: "a", vcpus: 513 }"#,
            "`vcpus` must be 512 or less, not 513",
            "",
        ),
        (
            r#"#{ name: "a", start: "no" }"#,
            "`start` must be true or false, not the text \"no\"",
            "",
        ),
        (
            r#"#{ name: "a", nics: "default" }"#,
            "`nics` must be a list, not the text \"default\"",
            "write [\"default\"]",
        ),
        (
            r#"#{ name: "a", disks: [5] }"#,
            "`disks[0]` must be a map, a path, a volume or XML, not 5",
            "",
        ),
        (
            r#"#{ name: "a", disks: [#{ bus: "virtoi" }] }"#,
            "`disks[0].bus` must be \"virtio\", \"sata\" or \"scsi\", not \"virtoi\"",
            "did you mean \"virtio\"?",
        ),
        (
            r#"#{ name: "a", disks: [#{ size: "1KiB" }] }"#,
            "`disks[0].size` must be 1MiB or more, not 1KiB",
            "",
        ),
        (
            r#"#{ name: "a", graphics: "vcn" }"#,
            "`graphics` must be \"vnc\", \"spice\", \"none\", a map or XML, not \"vcn\"",
            "did you mean \"vnc\"?",
        ),
        (
            r#"#{ name: "a", timeout: "soon" }"#,
            "`timeout`: `soon` is not a duration",
            "write it as",
        ),
        (
            r#"#{ name: "a", numa: [#{ memory: 1 }] }"#,
            "`numa[0]` needs the key `cpus`",
            "",
        ),
        (
            r#"#{ name: "a", up: #{ tpc: 22 } }"#,
            "`up` has no key `tpc`",
            "did you mean `tcp`?",
        ),
        (
            r#"#{ name: "a", edit: 5 }"#,
            "`edit` must be a closure, not 5",
            "",
        ),
    ] {
        let thrown = given(options).expect_err(options);
        let EvalAltResult::ErrorRuntime(value, _) = thrown.unwrap_inner() else {
            panic!("{options}: {thrown}");
        };
        let error: Error = value.clone().try_cast().expect(options);
        assert_eq!(error.to_string(), message);
        assert!(
            error.hint().unwrap_or_default().contains(hint),
            "{options}: {:?}",
            error.hint()
        );
    }
}

/// Files by their names, which are also the paths that import them.
struct Texts(&'static [(&'static str, &'static str)]);

impl Sources for Texts {
    fn constants(&self, file: &str) -> Option<std::sync::Arc<Constants>> {
        let (_, text) = self.0.iter().find(|(name, _)| *name == file)?;
        let ast = engine::parser().compile(text).expect("it compiles");
        Some(Constants::of(&ast).into())
    }

    fn imported(&self, _file: &str, path: &str) -> Option<String> {
        Some(path.to_owned())
    }
}

#[test]
fn a_declaration_takes_over_those_of_other_files() {
    let texts = Texts(&[
        (
            "a",
            r#"
                import "b" as b;
                const MORE = #{
                    two: #{ words: ["x"] },
                    include: "b::ALL",
                    start: #{ type: "bool", default: true },
                    three: (),
                };
                const LETTERS = #{ a: "b" };
            "#,
        ),
        (
            "b",
            r#"
                const ALL = #{ one: #{ type: ["array", "PART"] }, two: #{ type: "int" }, three: #{ type: "any" } };
                const PART = #{ first: #{ type: "string" } };
            "#,
        ),
    ]);
    let spec = declared(&texts, "a", "MORE").expect("it is right");
    let keys: Vec<String> = spec
        .keys
        .iter()
        .map(|key| format!("{}: {}", key.name, key.ty))
        .collect();
    assert_eq!(keys, ["two: \"x\"", "one: array of PART", "start: bool"]);
    assert_eq!(spec.nested()[0].file, "b");
    assert!(declared(&texts, "a", "b::PART").is_ok());
    let constants = texts.constants("a").expect("it is there");
    assert_eq!(constants.specs().collect::<Vec<_>>(), ["MORE"]);
}

#[test]
fn short_and_several_accept_one_value_for_a_map_or_a_list() {
    let texts = Texts(&[(
        "a",
        r#"
            const PART = #{ model: #{ words: ["x", "y"], xml: "@model" }, size: #{ type: "int", xml: "@size" } };
            const ALL = #{ one: #{ type: ["bool", "PART"], short: "model", several: true, xml: "part", help: "parts" } };
        "#,
    )]);
    let spec = declared(&texts, "a", "ALL").expect("it is right");
    let key = spec.key("one").expect("it is declared");
    assert_eq!(
        key.ty.to_string(),
        "\"x\" | \"y\" | bool | PART | array of (\"x\" | \"y\" | bool | PART)"
    );
    let place = key.xml.as_ref().expect("it has a place");
    assert_eq!(
        (place.path.as_str(), place.short.as_str()),
        ("part", "model")
    );
}

#[test]
fn text_with_words_is_one_of_the_words() {
    let texts = Texts(&[(
        "a",
        r#"const ALL = #{ one: #{ type: "string", words: ["x", "y"] } };"#,
    )]);
    let spec = declared(&texts, "a", "ALL").expect("it is right");
    let key = spec.key("one").expect("it is declared");
    assert_eq!(key.ty.to_string(), "\"x\" | \"y\"");
}

#[test]
fn a_wrong_declaration_says_what_is_wrong() {
    let texts = Texts(&[(
        "a",
        r#"
            const TYPE = #{ one: #{ type: "strng" } };
            const FIELD = #{ one: #{ type: "string", defualt: 1 } };
            const NONE = #{ one: #{ help: "one" }, two: #{ type: "int" } };
            const SELF = #{ one: #{ type: ["array", "SELF"] } };
            const OTHER = #{ one: #{ type: "OHTER" } };
            const PART = #{ model: #{ words: ["a"], xml: "@model" } };
            const SHORT = #{ one: #{ type: "PART", short: "modle", xml: "part" } };
            const PLACE = #{ one: #{ type: "PART", short: "model" } };
            const WRITTEN = #{ one: #{ type: "bool", xml: "@one", written: "on" } };
            const WORDS = #{ one: #{ type: "array", words: ["a"] } };
            const EMPTY = #{ one: #{ words: [] } };
            const BOUNDS = #{ one: #{ type: "string", min: 1 } };
            const RANGE = #{ one: #{ type: "size", min: "2GiB", max: "1GiB" } };
            const PATTERN = #{ one: #{ type: "int", pattern: "[a-z]+" } };
            const UNIT = #{ one: #{ type: "size", unit: "gigs" } };
            const REQUIRED = #{ one: #{ type: "int", required: true, default: 1 } };
            const DEFAULT = #{ one: #{ type: "int", default: "1" } };
            const AMOUNT = #{ one: #{ type: "duration", max: "1MiB" } };
            const COUNT = #{ one: #{ type: "int", max: "1m" } };
            const RANGED = #{ one: #{ type: "size", max: "1GiB", default: "2GiB" } };
            const CHOSEN = #{ one: #{ words: ["a", "b"], default: "c" } };
            const NEEDS = #{ one: #{ type: "int", needs: "two" } };
            const VALUES = #{ one: #{ type: "int", not_with: #{ two: "c" } }, two: #{ words: ["a", "b"] } };
            const CHOICE = #{ one_of: ["two"], one: #{ type: "int" } };
            const NESTED = #{ one: #{ type: ["array", #{ two: #{ type: "int" } }], default: [#{ tow: 1 }] } };
        "#,
    )]);
    for (name, why) in [
        (
            "TYPE",
            "the declaration of `one` is wrong: the type \"strng\" does not exist; did you mean \"string\"?",
        ),
        (
            "FIELD",
            "it has no field `defualt`; did you mean `default`?",
        ),
        ("NONE", "it has neither `type` nor `words`"),
        ("SELF", "`SELF` contains itself"),
        (
            "OTHER",
            "there is no constant `OHTER` that declares options",
        ),
        ("MISSING", "there is no constant `MISSING`"),
        (
            "SHORT",
            "`short` is `modle`, but the map does not have this key",
        ),
        ("PLACE", "`short` needs `xml`"),
        (
            "WRITTEN",
            "`written` must be a list of two texts, not \"on\"",
        ),
        ("WORDS", "`words` needs \"words\" in `type`, as in"),
        ("EMPTY", "`words` is empty"),
        (
            "BOUNDS",
            "`min` and `max` need a number, a size or a duration as `type`",
        ),
        ("RANGE", "`min` (2GiB) is greater than `max` (1GiB)"),
        ("PATTERN", "`pattern` needs text as `type`"),
        ("UNIT", "`unit` is \"gigs\", which is not a unit of sizes"),
        ("REQUIRED", "a required option has no `default`"),
        (
            "DEFAULT",
            "its `default` does not fit: `one` must be a number, not the text \"1\"",
        ),
        (
            "AMOUNT",
            "`max` must be a duration such as \"90s\", not \"1MiB\"",
        ),
        ("COUNT", "`max` must be a number, not \"1m\""),
        (
            "RANGED",
            "its `default` does not fit: `one` must be 1GiB or less, not 2GiB",
        ),
        (
            "CHOSEN",
            "its `default` does not fit: `one` must be \"a\" or \"b\", not \"c\"",
        ),
        (
            "NEEDS",
            "the declaration of `one` is wrong: `needs`: there is no option `two`",
        ),
        (
            "VALUES",
            "the declaration of `one` is wrong: `not_with`: `two` must be \"a\" or \"b\", not \"c\"",
        ),
        ("CHOICE", "`one_of`: there is no option `two`"),
        (
            "NESTED",
            "its `default` does not fit: `one[0]` has no key `tow`",
        ),
    ] {
        let error = declared(&texts, "a", name).expect_err(name);
        assert!(error.contains(why), "{name}: {error}");
    }
}
