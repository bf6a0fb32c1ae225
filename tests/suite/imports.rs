//! Imports that scripts may use, and the errors of others.

use std::os::unix::fs::symlink;

use crate::support::{Outcome, Scratch, virhai};

/// A folder with a script in it, a module beside it, and one outside.
fn folder() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("outside.rhai", "fn word() { \"outside\" }");
    scratch.write("in/beside.rhai", "fn word() { \"beside\" }");
    scratch.write("in/sub/inner.rhai", "fn word() { \"inner\" }");
    scratch.write(
        "in/sub/outer.rhai",
        "import \"inner\" as inner;\nfn word() { inner::word() + \" through outer\" }",
    );
    scratch
}

/// Runs the script `in/main.rhai` with the text `text`.
fn run(scratch: &Scratch, text: &str) -> Outcome {
    virhai().arg(scratch.write("in/main.rhai", text)).run()
}

fn refused(scratch: &Scratch, path: &str) {
    let outcome = run(scratch, &format!("import \"{path}\" as it;\nit::word()"));
    assert_eq!(outcome.status, 3, "{path}: {outcome}");
    assert!(
        outcome.stderr.contains("--allow-import"),
        "{path}: {outcome}"
    );
    assert!(
        outcome.stderr.contains("main.rhai:1:8"),
        "{path}: {outcome}"
    );
    // A path that is only known at run time is refused as well.
    let outcome = run(
        scratch,
        &format!("let path = \"{path}\";\nimport path as it;\nit::word()"),
    );
    assert_eq!(outcome.status, 1, "{path}: {outcome}");
    assert!(
        outcome.stderr.contains("--allow-import"),
        "{path}: {outcome}"
    );
}

#[test]
fn a_path_may_end_in_rhai_in_the_check_and_at_run_time() {
    let scratch = folder();
    for (path, wrong, right) in [
        ("beside.rhai", "wrod", "word"),
        ("beside", "wrod", "word"),
        ("std/guest.rhai", "craete", "create"),
    ] {
        let script = format!("import \"{path}\" as it;\nif args.len() > 0 {{ it::{wrong}() }}\n");
        let main = scratch.write("in/main.rhai", script);
        let hint = format!("did you mean `it::{right}`?");
        let checked = virhai().arg("check").arg(&main).fails(3);
        assert!(checked.stderr.contains(&hint), "{path}: {checked}");
        let failed = virhai()
            .arg("--no-check")
            .arg("run")
            .arg(&main)
            .arg("x")
            .fails(1);
        assert!(failed.stderr.contains(&hint), "{path}: {failed}");
    }
}

#[test]
fn what_is_beside_the_script_or_below_it_can_be_imported() {
    let scratch = folder();
    for (path, word) in [
        ("beside", "beside"),
        ("beside.rhai", "beside"),
        ("./beside", "beside"),
        ("sub/inner", "inner"),
        ("sub/../beside", "beside"),
        ("sub/outer", "inner through outer"),
    ] {
        let outcome = run(&scratch, &format!("import \"{path}\" as it;\nit::word()"));
        assert_eq!(
            (outcome.stdout, outcome.status),
            (format!("{word}\n"), 0),
            "{path}"
        );
    }
    let computed = "let path = \"sub/\" + \"inner\"; import path as it; it::word()";
    assert_eq!(run(&scratch, computed).stdout, "inner\n");
}

/// Recipes are imported by the first block that needs them; scripts must not notice that.
#[test]
fn a_script_finds_its_recipes_wherever_it_calls_them() {
    let scratch = folder();
    let everywhere = r#"
        import "std/size" as size;
        import "beside" as beside;
        import "std/size" as twice;
        fn in_a_function() { size::memory("1MiB", "m") }
        fn by_a_name_that_is_used_twice() { import "beside" as twice; twice::word() }
        assert_eq([in_a_function(), by_a_name_that_is_used_twice()], [1024, "beside"]);
        assert_eq([twice::memory("2MiB", "m"), beside::word()], [2048, "beside"]);
        let seen = [];
        for number in 3..5 { seen.push(size::memory(`${number}MiB`, "m")); }
        if seen.len() == 2 { seen.push(size::memory("5MiB", "m")); } else { seen.clear(); }
        let in_a_closure = |text| size::memory(text, "m");
        seen += ["6MiB"].map(in_a_closure);
        seen += parallel(["7MiB"], 1, in_a_closure);
        try { size::memory("1 cow", "m"); } catch (err) { seen.push(size::memory("8MiB", "m")); }
        assert_eq(seen, [3072, 4096, 5120, 6144, 7168, 8192]);
    "#;
    let of_a_text = r#"
        import "std/size" as size;
        assert_eq(eval(`size::memory("1MiB", "m")`), 1024);
    "#;
    for text in [everywhere, of_a_text] {
        let outcome = run(&scratch, text);
        assert_eq!(outcome.status, 0, "{outcome}");
    }
}

#[test]
fn imports_are_found_beside_the_script_wherever_it_is_run() {
    let scratch = folder();
    scratch.write("in/main.rhai", "import \"beside\" as it; it::word()");
    assert_eq!(
        virhai().folder(scratch.path("")).arg("in/main.rhai").ok(),
        "beside\n"
    );
    assert_eq!(
        virhai().folder(scratch.path("in")).arg("main.rhai").ok(),
        "beside\n"
    );
    assert_eq!(
        virhai()
            .folder(scratch.path("in/sub"))
            .arg("../main.rhai")
            .ok(),
        "beside\n"
    );
}

#[test]
fn what_leaves_the_folder_of_the_script_is_refused() {
    let scratch = folder();
    symlink(scratch.path("outside.rhai"), scratch.path("in/link.rhai")).expect("links can be made");
    symlink(scratch.path(""), scratch.path("in/up")).expect("links can be made");
    refused(&scratch, "../outside");
    refused(&scratch, "sub/../../outside");
    refused(&scratch, "../no-such-file");
    refused(&scratch, &scratch.text("outside"));
    refused(&scratch, "/etc/passwd");
    refused(&scratch, "link");
    refused(&scratch, "up/outside");
}

#[test]
fn a_folder_that_was_allowed_can_be_imported_from() {
    let scratch = folder();
    let script = scratch.write("in/main.rhai", "import \"../outside\" as it;\nit::word()");
    let allowed = virhai()
        .arg("--allow-import")
        .arg(scratch.path(""))
        .arg(&script);
    assert_eq!(allowed.ok(), "outside\n");
    let other = virhai()
        .arg("--allow-import")
        .arg(scratch.path("in/sub"))
        .arg(&script)
        .run();
    assert_eq!(other.status, 3, "{other}");
}

#[test]
fn a_cycle_of_imports_is_told_with_its_way() {
    let scratch = folder();
    scratch.write("in/one.rhai", "import \"two\" as two;");
    scratch.write("in/two.rhai", "\nimport \"one\" as one;");
    let outcome = run(&scratch, "import \"one\" as one;");
    assert_eq!(outcome.status, 3, "{outcome}");
    for part in [
        "imports itself",
        "two.rhai:2:8",
        "one.rhai:1:8",
        "main.rhai:1:8",
    ] {
        assert!(outcome.stderr.contains(part), "{part}: {outcome}");
    }
    let outcome = run(&scratch, "import \"main\" as main;");
    assert_eq!(outcome.status, 3, "{outcome}");
    // A cycle that only arises at run time is stopped as well.
    scratch.write("in/one.rhai", "let next = \"two\"; import next as two;");
    scratch.write("in/two.rhai", "let next = \"one\"; import next as one;");
    let outcome = run(&scratch, "import \"one\" as one;");
    assert_eq!(outcome.status, 1, "{outcome}");
    assert!(outcome.stderr.contains("imports itself"), "{outcome}");
}

#[test]
fn a_recipe_that_does_not_exist_is_refused_before_anything_runs() {
    let outcome = virhai()
        .script("print(1);\nimport \"std/no-such-recipe\" as it;")
        .run();
    assert_eq!(
        (outcome.status, outcome.stdout.as_str()),
        (3, ""),
        "{outcome}"
    );
    assert!(
        outcome
            .stderr
            .contains("standard library has no `std/no-such-recipe`"),
        "{outcome}"
    );
}

#[test]
fn an_import_that_is_a_folder_or_no_text_is_refused() {
    let scratch = folder();
    scratch.folder("in/dir.rhai");
    scratch.write("in/bytes.rhai", [0xff, 0xfe, 0x00]);
    for (path, part) in [
        ("dir", "directory"),
        ("bytes", "UTF-8"),
        ("none", "there is no file"),
    ] {
        let outcome = run(&scratch, &format!("import \"{path}\" as it;"));
        assert_eq!(outcome.status, 3, "{outcome}");
        assert!(outcome.stderr.contains(part), "{outcome}");
    }
}

#[test]
fn functions_of_one_name_in_several_files_are_kept_apart() {
    let scratch = Scratch::new();
    for name in ["one", "two"] {
        scratch.write(
            &format!("{name}.rhai"),
            format!(
                "fn helper(x) {{ `${{x}} of {name}` }} fn call_it(x) {{ helper(x) }}\n\
                 fn mapped(x) {{ [x].map(|x| helper(x))[0] }}\n\
                 fn undone(x) {{ all_or_nothing(|undo| call_it(x)) }}\n\
                 fn fails() {{ helper(1); no_such(2) }}\n"
            ),
        );
    }
    let main = scratch.write(
        "main.rhai",
        r#"import "one" as one; import "two" as two;
           fn helper(x) { `${x} of main` }
           for n in 0..4 {
               assert_eq([helper(n), one::call_it(n), two::call_it(n)], [`${n} of main`, `${n} of one`, `${n} of two`]);
               assert_eq([one::mapped(n), two::mapped(n), one::undone(n), two::undone(n)],
                   [`${n} of one`, `${n} of two`, `${n} of one`, `${n} of two`]);
           }
           two::fails();"#,
    );
    let checked = virhai().arg("run").arg(&main).fails(3);
    assert!(checked.stderr.contains("two.rhai:4:25"), "{checked}");
    let outcome = virhai().arg("--no-check").arg("run").arg(main).fails(1);
    assert!(outcome.stderr.contains("two.rhai:4:25"), "{outcome}");
    assert!(
        outcome
            .stderr
            .contains("fn fails() { helper(1); no_such(2) }"),
        "{outcome}"
    );
}

/// A file that calls the functions it is given, and has names that other files have as well.
const CALLER: &str = r#"
    import "sub/theirs" as words;
    fn each(list, action) { let out = []; for x in list { out.push(action.call(x)); } out + [helper(0)] }
    fn mapped(list, action) { helper(0); list.map(action) }
    fn nested(list, action) { each(list, |x| each([x], action)) }
    fn by_name(list) { list.map(helper) }
    fn the_same_text() { each([1],     |x| helper(x)) }
    fn method() { `caller method ${this}` }
    private fn helper(x) { `caller ${x} ${words::word()}` }
"#;

#[test]
fn a_closure_calls_the_functions_of_the_file_that_it_was_written_in() {
    let scratch = folder();
    scratch.write("in/caller.rhai", CALLER);
    scratch.write("in/sub/theirs.rhai", "fn word() { \"theirs\" }");
    scratch.write(
        "in/middle.rhai",
        r#"import "caller" as caller; import "sub/inner" as words;
           fn helper(x) { `middle ${x} ${words::word()}` }
           fn went() { caller::each([1], |x| helper(x) + words::word()) }
           fn both(action) { caller::each([1], |x| [helper(x), action.call(x)]) }


    fn same_text() { caller::each([1], |x| helper(x)) }"#,
    );
    scratch.write(
        "in/sub/inside.rhai",
        "fn each(list, action) { list.map(|x| action.call(x)) }",
    );
    for (code, told) in [
        (
            "caller::each([1], |x| helper(x))",
            r#"["main 1 beside", "caller 0 theirs"]"#,
        ),
        (
            "caller::each([1], |x| { let y = x; helper(y) })",
            r#"["main 1 beside", "caller 0 theirs"]"#,
        ),
        ("caller::mapped([1], |x| helper(x))", r#"["main 1 beside"]"#),
        ("caller::mapped([1], |x| words::word())", r#"["beside"]"#),
        ("caller::mapped([1], helper)", r#"["main 1 beside"]"#),
        (
            "caller::nested([1], |x| helper(x))",
            r#"[["main 1 beside", "caller 0 theirs"], "caller 0 theirs"]"#,
        ),
        (
            "middle::went()",
            r#"["middle 1 innerinner", "caller 0 theirs"]"#,
        ),
        (
            "middle::both(|x| helper(x))",
            r#"[["middle 1 inner", "main 1 beside"], "caller 0 theirs"]"#,
        ),
        // Called as a method, by its name alone, from text, and as the last value of a block.
        (
            "caller::mapped([1], |x| x.method())",
            r#"["main method 1"]"#,
        ),
        ("caller::by_name([1])", r#"["caller 1 theirs"]"#),
        (
            "caller::mapped([1], Fn(\"helper\"))",
            r#"["main 1 beside"]"#,
        ),
        (
            "caller::mapped([1], |x| eval(\"helper(x)\"))",
            r#"["main 1 beside"]"#,
        ),
        ("caller::mapped([1], guarded(1))", r#"["main 1 beside"]"#),
        (
            "let name = \"hel\" + \"per\"; caller::mapped([1], Fn(name))",
            r#"["main 1 beside"]"#,
        ),
        (
            "caller::mapped([1], |x| [x].map(helper)[0])",
            r#"["main 1 beside"]"#,
        ),
        (
            "caller::mapped([1], |x| eval(\"[x].map(helper) + [Fn(`helper`).call(2)]\"))",
            r#"[["main 1 beside", "main 2 beside"]]"#,
        ),
        // A captured variable takes precedence over a function with the same name.
        ("let later = 5; caller::mapped([1], |x| x + later)", "[6]"),
        ("later(7)", "[8]"),
        // Two closures with the same text at the same position of two files.
        (
            "middle::same_text()",
            r#"["middle 1 inner", "caller 0 theirs"]"#,
        ),
        // An import within a closure is found beside the file that contains the closure.
        (
            "inside::each([1], |x| { import \"beside\" as late; late::word() })",
            r#"["beside"]"#,
        ),
        // The imports of a file can be called through it, and its internal names are not visible.
        ("caller::words::word()", "theirs"),
        ("[Fn(\"helper\")].to_string()", "[Fn(helper)]"),
        // Afterwards each file still uses its own names.
        ("caller::each([1], |x| x); helper(2)", r#""main 2 beside""#),
    ] {
        let outcome = run(
            &scratch,
            &format!(
                "import \"caller\" as caller; import \"middle\" as middle; import \"beside\" as words;
                 import \"sub/inside\" as inside;
                 fn helper(x) {{ `main ${{x}} ${{words::word()}}` }}
                 fn method() {{ `main method ${{this}}` }}
                 fn guarded(x) {{ if x < 1 {{ throw x }} |x| helper(x) }}
                 let result = {{ {code} }}; print(result.to_debug());
                 fn later(later) {{ [1].map(|x| x + later) }}"
            ),
        );
        assert_eq!(outcome.status, 0, "{code}: {outcome}");
        assert!(outcome.stdout.contains(told), "{code}: {outcome}");
    }
}

#[test]
fn an_error_tells_names_as_the_script_has_them() {
    let scratch = folder();
    scratch.write("in/caller.rhai", CALLER);
    scratch.write("in/sub/theirs.rhai", "fn word() { \"theirs\" }");
    for (code, told) in [
        ("caller::mapped([1], Fn(\"three\"))", "three(int, int)"),
        (
            "caller::mapped([1], |x| fails(x))",
            "in `fails`, called here",
        ),
        (
            "caller::mapped([1], |x| caller::words::none())",
            "caller::words::none()",
        ),
        (
            "try { caller::mapped([1], three) } catch (err) { print(err) }",
            "three(int, int)",
        ),
    ] {
        let text = format!(
            "import \"caller\" as caller;\nfn three(a, b, c) {{ a + b + c }}\nfn fails(x) {{ throw \"no\" }}\n{code};"
        );
        let outcome = virhai()
            .arg("--no-check")
            .arg("run")
            .arg(scratch.write("in/main.rhai", text))
            .run();
        let whole = outcome.to_string();
        assert!(whole.contains(told), "{code}: {outcome}");
        assert!(!whole.contains("__in_file_"), "{code}: {outcome}");
    }
}

#[test]
fn functions_of_a_script_take_the_place_of_no_method_in_another_file() {
    let scratch = folder();
    // Each has the name of a method that the other file calls, and as many parameters.
    let library = r#"
        fn shadowed(xml) { xml.set("a", "1"); xml.remove("b"); [1, 2].map(|x| x.to_string()).join("-") + xml.get("a") + xml.select("*").len() }
    "#;
    scratch.write("in/library.rhai", library);
    let caller = "fn remove(path) { throw `remove of the caller: ${path}` } fn called(xml, action) { action.call(xml); xml }";
    scratch.write("in/caller.rhai", caller);
    let functions = r#"
        fn set(a, b) { throw "set of the script" }
        fn get(a) { throw "get of the script" }
        fn select(a) { throw "select of the script" }
        fn to_string() { throw "to_string of the script" }
        fn join(a) { throw "join of the script" }
        fn remove(a) { throw "remove of the script" }
        fn is_active() { throw "is_active of the script" }
        fn xml_desc(flags) { throw "xml_desc of the script" }
        fn metadata(a, b, c) { throw "metadata of the script" }
        fn find(a, b) { throw "find of the script" }
        fn stop() { throw "stop of the script" }
        fn destroy() { throw "destroy of the script" }
    "#;
    let script = format!(
        r#"import "library" as library; import "std/guest" as guest;
        {functions}
        fn main() {{
            assert_eq(library::shadowed(parse_xml("<x><b/></x>")), "1-211");
            let dom = connect("test:///default").lookup_by_name("test");
            assert_eq(guest::find(dom.connect(), "test").name, "test");
            guest::remove(dom);
            assert_eq(guest::find(connect("test:///default"), "test"), ());
        }}
        main();"#
    );
    let outcome = run(&scratch, &script);
    assert_eq!(outcome.status, 0, "{outcome}");
    // A closure of the script does not find functions of the file that calls it.
    let outcome = run(
        &scratch,
        r#"import "caller" as caller;
        let xml = parse_xml("<x><b/><c/></x>");
        assert_eq(caller::called(xml, |xml| xml.remove("c")).to_string(), "<x><b/></x>");"#,
    );
    assert_eq!(outcome.status, 0, "{outcome}");
}

#[test]
fn an_error_in_a_closure_that_another_file_calls_tells_its_place() {
    let scratch = folder();
    scratch.write("in/caller.rhai", CALLER);
    scratch.write("in/sub/theirs.rhai", "fn word() { \"theirs\" }");
    let outcome = run(
        &scratch,
        "import \"caller\" as caller;\nfn fail(x) { throw \"no\" }\ncaller::each([1], |x| 1 + fail(x));",
    );
    assert_eq!(outcome.status, 1, "{outcome}");
    assert!(outcome.stderr.contains("main.rhai:2:14"), "{outcome}");
    assert!(outcome.stderr.contains("main.rhai:3:27"), "{outcome}");
}

#[test]
fn an_import_whose_path_is_computed_keeps_names_apart_too() {
    let scratch = folder();
    scratch.write("in/caller.rhai", CALLER);
    scratch.write("in/sub/theirs.rhai", "fn word() { \"theirs\" }");
    let outcome = run(
        &scratch,
        "fn helper(x) { `main ${x}` } let path = \"caller\"; import path as caller; let call = 6;\n\
         [call | 1, caller::mapped([1], |x| helper(x))].to_string()",
    );
    assert_eq!(outcome.stdout, "[7, [\"main 1\"]]\n", "{outcome}");
}

#[test]
fn an_import_within_a_function_is_found_beside_its_file() {
    let scratch = folder();
    scratch.write(
        "in/sub/late.rhai",
        "fn word() { import \"inner\" as inner; inner::word() + \" late\" }",
    );
    let outcome = run(&scratch, "import \"sub/late\" as late;\nlate::word()");
    assert_eq!(outcome.stdout, "inner late\n", "{outcome}");
}

#[test]
fn a_closure_that_another_file_calls_sees_the_names_of_its_own_file() {
    let scratch = folder();
    scratch.write(
        "in/caller.rhai",
        "const NAMES = \"the caller's\"; fn act(action) { action.call(1) } fn plan(o) { \"the caller's\" }",
    );
    scratch.write(
        "in/maker.rhai",
        r#"import "caller" as caller;
        const NAMES = #{ own: "own", list: [1, 2] };
        fn constant() { caller::act(|n| global::NAMES.own) }
        fn through_a_function() { caller::act(|n| second()) }
        private fn second() { global::NAMES.list[1] }
        fn parameter(plan) { caller::act(|n| plan.x + n) }
        fn variable() { let plan = #{ x: 5 }; caller::act(|n| plan.x + n) }"#,
    );
    let outcome = run(
        &scratch,
        r#"import "maker" as maker;
        print([maker::constant(), maker::through_a_function(), maker::parameter(#{ x: 7 }), maker::variable()]);"#,
    );
    assert_eq!(outcome.stdout, "[\"own\", 2, 8, 6]\n", "{outcome}");
}

#[test]
fn a_call_in_a_closure_fails_at_its_own_line_whichever_file_runs_it() {
    let scratch = Scratch::new();
    scratch.write(
        "lib.rhai",
        "\n\n\nfn each(list, action) { parallel(list, 2, |item| action.call(item)) }\nfn one(action) { action.call(1) }\n",
    );
    let closure = "|n| {\n    connect(\"test:///default\").lookup_by_name(\"none\");\n}";
    for (call, failure) in [
        ("lib::each([1], ", "err.value[0].error"),
        ("lib::one(", "err"),
    ] {
        scratch.write(
            "main.rhai",
            format!("import \"lib\" as lib;\n{call}{closure});\n"),
        );
        let run = virhai().folder(scratch.path("")).arg("run");
        let failed = run.arg("main.rhai").fails(1);
        assert!(failed.stderr.contains("main.rhai:3:32"), "{failed}");
        assert!(!failed.stderr.contains("lib.rhai:3"), "{failed}");
        scratch.write(
            "caught.rhai",
            format!(
                "import \"lib\" as lib;\ntry {{ {call}{closure}); }} catch (err) {{\n    let one = {failure};\n    print(`${{one.file}} ${{one.line}}`);\n}}\n"
            ),
        );
        let run = virhai().folder(scratch.path("")).arg("run");
        assert_eq!(run.arg("caught.rhai").ok(), "caught.rhai 3\n", "{call}");
    }
}
