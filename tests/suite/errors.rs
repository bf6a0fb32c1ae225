//! The output for uncaught errors.
//!
//! Each case has its golden text in `tests/data/errors/`, and some also have the output for programs as `.json`;
//! `UPDATE=1` rewrites existing ones. If the check finds the error before anything runs, `unchecked/` has the output of
//! a run without the check.

mod outside;

use std::path::{Path, PathBuf};

use crate::support::{Host, Outcome, Run, Scratch, TestHost, golden, virhai};

/// A place for scripts, a host, and the texts that differ from run to run.
struct Case {
    scratch: Scratch,
    host: TestHost,
}

impl Case {
    fn new() -> Self {
        Self {
            scratch: Scratch::new(),
            host: TestHost::new(),
        }
    }

    /// Writes a file that the script imports.
    fn with(self, file: &str, text: &str) -> Self {
        self.scratch.write(file, text);
        self
    }

    /// Runs `script` on the test driver and compares.
    fn shows(&self, name: &str, script: &str) {
        let run = virhai().arg("-c").arg(self.host.uri());
        self.shows_of(run, name, script);
    }

    fn shows_of(&self, run: Run, name: &str, script: &str) {
        self.scratch.write("main.rhai", script);
        let main = self.scratch.path("main.rhai");
        let status = self.shows_run(run.clone().arg("run").arg(&main), name);
        // The run finds the errors of the check as well.
        if status == 3 {
            let unchecked = run.arg("--no-check").arg("run").arg(&main).run();
            if unchecked.status != 3 {
                golden(
                    &golden_file(&format!("unchecked/{name}.txt")),
                    &self.plain(&unchecked),
                );
            }
        }
    }

    /// Compares the text output of `run`, and its JSON output if there is a golden file for it;
    /// returns the exit status.
    fn shows_run(&self, run: Run, name: &str) -> i32 {
        let outcome = run.clone().run();
        assert_eq!(
            outcome.stdout, "",
            "nothing of an error goes to standard output"
        );
        golden(&golden_file(&format!("{name}.txt")), &self.plain(&outcome));
        let data = format!("{name}.json");
        if golden_file(&data).exists() {
            let outcome = run.first_arg("--json").run();
            golden(&golden_file(&data), &self.data(&outcome.stdout));
        }
        outcome.status
    }

    /// The output, without parts that differ from run to run.
    fn plain(&self, outcome: &Outcome) -> String {
        let shown = self.without_places(&outcome.stderr);
        format!("{shown}\nexit status {}\n", outcome.status)
    }

    /// The output for programs, one field per line.
    fn data(&self, printed: &str) -> String {
        let printed = self.without_places(printed);
        let data: serde_json::Value = serde_json::from_str(&printed).expect("it is JSON");
        format!("{data:#}\n")
    }

    fn without_places(&self, text: &str) -> String {
        let folder = self.scratch.text("");
        let folder = folder.trim_end_matches('/');
        let text = text
            .replace(&self.host.uri(), "test:///HOST")
            .replace(&format!("{folder}/"), "")
            .replace(folder, "FOLDER")
            // The wording of libvirt before 10.0.
            .replace("(domain_definition):1: Opening", "at line 1: Opening");
        // Lines of recipes change with each change of a recipe.
        let line = regex_lite::Regex::new(r"thrown by (std/\w+\.rhai):\d+").expect("it is valid");
        line.replace_all(&text, "thrown by $1:LINE").into_owned()
    }
}

fn golden_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/errors/{name}"))
}

/// The first place in a golden text, and the carets below it.
fn underlined(golden: &str) -> Option<(&str, &str)> {
    let (_, rest) = golden.split_once("--> ")?;
    let (place, rest) = rest.split_once('\n')?;
    let begin = rest.find('^')?;
    let carets = &rest[begin..];
    let end = carets.find(|letter| letter != '^').unwrap_or(carets.len());
    Some((place, &carets[..end]))
}

#[test]
fn the_check_and_the_run_underline_the_same_width_at_the_same_place() {
    let mut compared = 0;
    for entry in std::fs::read_dir(golden_file("unchecked")).expect("the folder is there") {
        let name = entry.expect("an entry of it").file_name();
        let read = |path: PathBuf| std::fs::read_to_string(path).expect("both are there");
        let found = read(golden_file("").join(&name));
        let failed = read(golden_file("unchecked").join(&name));
        if let (Some(one), Some(other)) = (underlined(&found), underlined(&failed))
            && one.0 == other.0
        {
            assert_eq!(one, other, "{}", name.display());
            compared += 1;
        }
    }
    assert!(compared > 20, "{compared} places");
}

/// A test for each case: its name is that of the golden file.
macro_rules! cases {
    ($($name:ident: $script:expr;)*) => {
        $(#[test]
        fn $name() {
            Case::new().shows(stringify!($name), $script);
        })*
    };
}

cases! {
    no_such_domain: "let conn = connect();\nlet dom = conn.lookup_by_name(\"web\");\ndom.create();\n";
    a_name_nearly_right: "let dom = connect().lookup_by_name(\"test\");\ndom.shutdwon();\n";
    a_name_in_camel_case: "let dom = connect().lookupByName(\"test\");\n";
    a_name_of_c: "let dom = connect().lookup_by_name(\"test\");\nvirDomainDestroy(dom);\n";
    a_name_of_c_as_method: "connect().lookup_by_name(\"test\").virDomainShutdownFlags(0);\n";
    a_word_of_virsh: "let dom = connect().lookup_by_name(\"test\");\nprint(dom.dumpxml());\n";
    a_domain_nearly_right: "connect().lookup_by_name(\"tset\");\n";
    a_network_nearly_right: "connect(\"test:///default\").network_lookup_by_name(\"defualt\");\n";
    a_network_that_does_not_exist: "connect().network_lookup_by_name(\"lab\");\n";
    a_network_that_is_up: "connect(\"test:///default\").network_lookup_by_name(\"default\").create();\n";
    a_network_without_a_name: "connect().network_define_xml(\"<network/>\");\n";
    a_word_of_virsh_about_networks: "connect().net_define(\"<network/>\");\n";
    a_word_of_virsh_about_devices: "connect().lookup_by_name(\"test\").attach_disk(\"/var/lib/a.img\", \"vdb\");\n";
    a_word_of_virsh_about_addresses: "connect().lookup_by_name(\"test\").domifaddr();\n";
    a_kind_of_event_nearly_right: "connect().wait_event(\"network_livecycle\", 1);\n";
    an_event_in_vain: "connect().wait_event(#{ network: \"lab\", event: \"started\" }, \"10ms\");\n";
    an_option_of_a_program_nearly_right: "connect().lookup_by_name(\"test\").agent_exec([\"/bin/true\"], #{ timout: 1 });\n";
    a_pool_nearly_right: "connect(\"test:///default\").storage_pool_lookup_by_name(\"defualt-pool\");\n";
    a_volume_nearly_right: "let pool = connect(\"test:///default\").storage_pool_lookup_by_name(\"default-pool\");\npool.create_xml(\"<volume><name>web.img</name><capacity>512</capacity></volume>\");\npool.storage_vol_lookup_by_name(\"wbe.img\");\n";
    a_pool_that_is_not_started: "let pool = connect(\"test:///default\").storage_pool_lookup_by_name(\"default-pool\");\npool.destroy();\npool.list_volumes();\n";
    a_pool_that_is_started: "let pool = connect(\"test:///default\").storage_pool_lookup_by_name(\"default-pool\");\npool.undefine();\n";
    a_word_of_virsh_about_pools: "let pool = connect(\"test:///default\").storage_pool_lookup_by_name(\"default-pool\");\npool.pool_start();\n";
    a_word_of_virsh_about_volumes: "let pool = connect(\"test:///default\").storage_pool_lookup_by_name(\"default-pool\");\npool.vol_create_as(\"web.img\", \"20GiB\");\n";
    a_stream_that_leads_nowhere: "connect().new_stream().send(\"hello\");\n";
    a_file_that_was_not_granted: "let pool = connect(\"test:///default\").storage_pool_lookup_by_name(\"default-pool\");\nlet vol = pool.create_xml(\"<volume><name>web.img</name><capacity>512</capacity></volume>\");\nvol.upload_file(\"/etc/passwd\");\n";
    another_word_of_virsh: "connect().lookup_by_name(\"test\").start();\n";
    a_name_of_libvirt_python_with_flags: "connect().lookup_by_name(\"test\").create_with_flags(0);\n";
    a_connection_opened_as_in_python: "let conn = libvirt.open(\"test:///default\");\n";
    a_connection_opened_by_its_bare_name: "let conn = open(\"test:///default\");\nconn.createXML(\"<domain/>\", 0);\n";
    a_value_of_python: "let name = None;\n";
    an_argument_with_its_name: "connect().lookup_by_name(\"test\").create(flags=0);\n";
    an_undo_that_is_added: "all_or_nothing(|undo| { undo.add(|| print(\"undone\")); });\n";
    a_constant_nearly_right: "connect().lookup_by_name(\"test\").create(VIR_DOMAIN_START_PAUSE);\n";
    a_variable_nearly_right: "let domain = connect().lookup_by_name(\"test\");\ndomian.create();\n";
    a_function_without_parentheses: "let conn = connect;\n";
    a_method_without_parentheses: "let dom = connect().lookup_by_name(\"test\");\nprint(dom.state);\n";
    a_property_with_parentheses: "print(connect().uri());\n";
    too_many_arguments: "connect().lookup_by_name(\"test\").resume(1, 2);\n";
    an_argument_of_the_wrong_type: "connect().lookup_by_name(42);\n";
    a_size_of_the_wrong_type: "connect().lookup_by_name(\"test\").set_memory([]);\n";
    a_size_without_sense: "connect().lookup_by_name(\"test\").set_memory(\"lots\");\n";
    a_relative_path: "connect().lookup_by_name(\"test\").save(\"web.save\");\n";
    text_with_a_nul: "connect().lookup_by_name(\"a\\x00b\");\n";
    flags_out_of_range: "connect().lookup_by_name(\"test\").create(-1);\n";
    an_unknown_option:
        "let conn = connect();\nlet dom = conn.lookup_by_name(\"test\");\ndom.migrate(conn, 0, #{ bandwith: 10 });\n";
    a_state_that_does_not_exist: "connect().lookup_by_name(\"test\").wait(\"shut off\", 1);\n";
    a_wait_in_vain: "connect().lookup_by_name(\"test\").wait(\"shutoff\", \"50ms\");\n";
    in_a_function:
        "fn start(conn, name) {\n    let dom = conn.lookup_by_name(name);\n    dom.create();\n}\n\nlet conn = connect();\nstart(conn, \"test\");\n";
    in_a_closure: "let names = [\"test\", \"web\"];\nlet conn = connect();\nnames.map(|name| conn.lookup_by_name(name));\n";
    thrown_again:
        "let conn = connect();\ntry {\n    conn.lookup_by_name(\"web\");\n} catch (err) {\n    print_nothing(err);\n    throw err;\n}\nfn print_nothing(err) { }\n";
    in_parallel: "let conn = connect();\nparallel([\"test\", \"web\"], 2, |name| conn.lookup_by_name(name));\n";
    a_connection_that_was_closed:
        "let conn = connect();\nlet dom = conn.lookup_by_name(\"test\");\nconn.close();\ndom.state();\n";
    an_operation_in_the_wrong_state: "let dom = connect().lookup_by_name(\"test\");\ndom.create();\n";
    xml_that_is_malformed: "connect().define_xml(\"<domain><name>web</domain>\");\n";
    xml_that_lacks_what_it_needs: "connect().define_xml(\"<domain type='test'><memory>1</memory></domain>\");\n";
    xml_that_is_cut_short: "let text = `<domain>\n  <name>web</name>\n  <devices>\n`;\nlet xml = parse_xml(text);\n";
    xml_with_an_unknown_entity: "parse_xml(\"<name>web&nbsp;1</name>\");\n";
    a_path_that_leads_nowhere: "let dom = connect().lookup_by_name(\"test\");\nprint(dom.xml().get(\"os/type/@arhc\"));\n";
    a_path_that_is_wrong: "connect().lookup_by_name(\"test\").xml().get(\"devices/disk[@device=cdrom]\");\n";
    xml_that_the_schema_refuses: "let xml = `<domain type='test'>\n  <name>web</name>\n  <memory unit='MiB'>64</memory>\n  <os>\n    <type>hvm</type>\n  </os>\n  <colour>red</colour>\n</domain>\n`;\nconnect().define_xml(xml, VIR_DOMAIN_DEFINE_VALIDATE);\n";
    a_value_that_the_schema_refuses: "let xml = `<domain type='test'>\n  <name>web</name>\n  <memory unit='MiB'>64</memory>\n  <os>\n    <type>hvm</type>\n  </os>\n  <devices>\n    <disk type='fiile' device='disk'>\n      <source file='/a.img'/>\n      <target dev='vda' bus='virtio'/>\n    </disk>\n  </devices>\n</domain>\n`;\nconnect().define_xml(xml, VIR_DOMAIN_DEFINE_VALIDATE);\n";
    a_device_that_the_schema_refuses: "let xml = `<domain type='test'>\n  <name>web</name>\n  <memory unit='MiB'>64</memory>\n  <os>\n    <type>hvm</type>\n  </os>\n  <devices>\n    <disk type='file' device='disk'>\n      <source file='/a.img'/>\n      <target dev='vda' bus='virtio'/>\n    </disk>\n    <dsik type='file'/>\n  </devices>\n</domain>\n`;\nconnect().define_xml(xml, VIR_DOMAIN_DEFINE_VALIDATE);\n";
    a_value_that_libvirt_refuses: "let xml = `<domain type='test'>\n  <name>web</name>\n  <memory unit='MiB'>64</memory>\n  <os>\n    <type>hvm</type>\n  </os>\n  <devices>\n    <disk type='fiile' device='disk'>\n      <source file='/a.img'/>\n    </disk>\n  </devices>\n</domain>\n`;\nconnect().define_xml(xml);\n";
    an_edit_that_the_schema_refuses: "let dom = connect().lookup_by_name(\"test\");\ndom.edit(|xml| xml.set(\"vcpu\", \"two\"));\n";
    a_call_of_libvirt_in_a_closure_of_a_recipe: "import \"std/guest\" as guest;\nguest::create(connect(), #{ name: \"web\", memory: \"64MiB\",\n    edit: |xml| {\n        connect().lookup_by_name(\"none\");\n    },\n});\n";
    a_pool_without_a_path: "import \"std/pool\" as pool;\npool::create(connect(), #{ name: \"images\" });\n";
    a_pool_with_a_relative_path: "import \"std/pool\" as pool;\npool::ensure(connect(), #{ name: \"images\", path: \"images\" });\n";
    a_cpu_mode_that_is_misspelled: "import \"std/guest\" as guest;\nguest::create(connect(), #{ name: \"web\", cpu: \"host-passthru\" });\n";
    a_network_card_that_is_misspelled: "import \"std/guest\" as guest;\nguest::create(connect(), #{ name: \"web\", nics: [#{ user: true, model: \"virtoi\" }] });\n";
    a_case_that_is_a_variable: "let a = 1;\nlet b = 1;\nswitch a { b => print(1) }\n";
    a_network_that_the_schema_refuses: "let xml = `<network>\n  <name>lab</name>\n  <brigde name='virbr7'/>\n</network>\n`;\nconnect().network_define_xml(xml, VIR_NETWORK_DEFINE_VALIDATE);\n";
    a_domain_that_is_off: "let dom = connect().lookup_by_name(\"test\");\ndom.destroy();\ndom.suspend();\n";
    a_domain_that_is_paused: "let dom = connect().lookup_by_name(\"test\");\ndom.suspend();\ndom.suspend();\n";
    a_name_nearly_right_found_late: "fn stop(dom) {\n    dom.shutdwon();\n}\nstop(connect().lookup_by_name(\"test\"));\n";
    too_few_arguments_found_late: "fn move(dom) {\n    dom.set_memory();\n}\nmove(connect().lookup_by_name(\"test\"));\n";
    an_argument_of_the_wrong_type_found_late: "fn find(conn, what) {\n    conn.lookup_by_name(what)\n}\nfind(connect(), 42);\n";
    an_option_nearly_right_found_late: "fn leave(dom, options) {\n    dom.migrate(dom.connect(), 0, options);\n}\nlet options = #{};\noptions[\"bandwith\"] = 10;\nleave(connect().lookup_by_name(\"test\"), options);\n";
    a_property_found_late: "fn what(dom) {\n    dom.nmae\n}\nwhat(connect().lookup_by_name(\"test\"));\n";
    a_recipe_refuses: "import \"std/guest\" as guest;\nlet conn = connect();\nguest::create(conn, #{ name: \"test\", memory: \"64MiB\" });\n";
    a_recipe_meets_an_error_of_libvirt: "import \"std/guest\" as guest;\nfn make(name) {\n    guest::create(connect(), #{ name: name, disks: [#{ size: \"1GiB\" }] })\n}\nmake(\"web\");\n";
    several_in_parallel: "let conn = connect();\nfn find(conn, name) {\n    conn.lookup_by_name(name)\n}\nparallel([\"web\", \"test\", \"db\"], 1, |name| find(conn, name));\n";
    a_failure_in_undo: "let conn = connect();\nall_or_nothing(|undo| {\n    let dom = conn.lookup_by_name(\"test\");\n    dom.suspend();\n    undo.push(|| dom.create());\n    conn.lookup_by_name(\"web\");\n});\n";
    xml_of_the_wrong_type: "connect().define_xml(#{ name: \"web\" });\n";
    a_scheme_that_does_not_exist: "connect(\"nonsense:///system\");\n";
    a_uri_that_is_no_uri: "connect(\"my host\");\n";
    a_socket_in_a_uri: "connect(\"qemu+unix:///session?socket=/nonexistent/sock\");\n";
    thrown_text: "throw \"the disk is full\";\n";
    a_recipe_nearly_right: "import \"std/guest\" as guest;\nguest::creat(connect(), #{});\n";
    a_recipe_that_is_not_there: "import \"std/save_file\" as file;\nfile::frobnicate();\n";
    an_option_of_a_recipe_nearly_right: "import \"std/guest\" as guest;\nguest::create(connect(), #{ name: \"web\", memry: \"1GiB\" });\n";
    a_description_of_a_test_host_that_was_not_granted: "connect(\"test:///etc/passwd\");\n";
    an_embedded_hypervisor_that_was_not_granted: "connect(\"qemu:///embed?root=/srv/host\");\n";
    a_parameter_in_capitals: "connect(\"qemu+ssh://kvm1/system?Keyfile=/x\");\n";
    a_program_in_a_uri: "connect(\"qemu+ext:///system?command=/bin/false\");\n";
    a_thrown_map_with_a_message: "throw #{ message: \"the disk is full\", hint: \"make it larger\", free: 0 };\n";
    a_closure_over_what_its_call_holds:
        "let dom = connect().lookup_by_name(\"test\");\ndom.connect().wait_event(#{ event: \"stopped\" }, 5, || dom.destroy());\n";
    a_thrown_map: "throw #{ reason: \"full\", free: 0 };\n";
    an_assertion: "let dom = connect().lookup_by_name(\"test\");\nassert_eq(dom.state(), \"shutoff\");\n";
    an_index_out_of_bounds: "let list = connect().list_all_domains();\nlist[5].create();\n";
    an_argument_that_was_not_given: "print(args[0]);\n";
    a_loop_over_nothing: "let count = 3;\nfor n in args.len() { print(n); }\n";
    a_division_by_zero: "let n = 0;\nprint(1 / n);\n";
    syntax: "let conn = connect();\nlet dom = conn.lookup_by_name(\"test\";\n";
    a_text_without_end: "let name = \"test;\nconnect();\n";
    a_reserved_word: "let new = 1;\n";
    a_key_that_is_a_reserved_word: "let net = #{ match: #{ name: \"en*\" } };\n";
    a_statement_without_its_end: "let conn = connect()\nprint(conn.uri);\n";
    a_function_in_python: "def names(conn):\n    return conn.list_all_domains()\n";
    a_word_of_another_language: "print(\"abc\".length());\n";
    a_program_of_the_machine: "system(\"virsh list\");\n";
    a_domain_for_a_condition: "let conn = connect();\nif conn.lookup_by_name(\"test\") { print(\"there\"); }\n";
    a_recipe_without_quotes: "import std/guest;\n";
    a_recipe_without_its_folder: "import \"guest\" as guest;\n";
    a_recursion_without_end: "fn climb(n) {\n    climb(n + 1)\n}\nclimb(0);\n";
    letters_beyond_ascii: "let text = \"ä€𝄞\"; throw text + unknown;\n";
    a_recipe_that_does_not_exist: "import \"std/gest\" as guest;\n";
    an_import_that_leaves: "import \"../secret\" as secret;\n";
}

#[test]
fn in_an_imported_function() {
    let module = "// Guests.\nfn start(conn, name) {\n    conn.lookup_by_name(name).create();\n}\n";
    let script = "import \"lib/guests\" as guests;\n\nlet conn = connect();\nguests::start(conn, \"web\");\n";
    let case = Case::new().with("lib/guests.rhai", module);
    case.shows("in_an_imported_function", script);
}

#[test]
fn in_a_closure_of_a_module() {
    let module = "fn starter(conn) {\n    |name| conn.lookup_by_name(name).create()\n}\n";
    let script = "import \"guests\" as guests;\nlet start = guests::starter(connect());\nstart.call(\"web\");\n";
    let case = Case::new().with("guests.rhai", module);
    case.shows("in_a_closure_of_a_module", script);
}

#[test]
fn thrown_again_by_a_module() {
    let module = "fn start(conn, name) {\n    try {\n        conn.lookup_by_name(name).create();\n    } catch (err) {\n        throw err;\n    }\n}\n";
    let script = "import \"guests\" as guests;\nguests::start(connect(), \"web\");\n";
    let case = Case::new().with("guests.rhai", module);
    case.shows("thrown_again_by_a_module", script);
}

#[test]
fn syntax_in_an_imported_file() {
    let case = Case::new()
        .with("one.rhai", "import \"two\" as two;\n")
        .with("two.rhai", "fn f() {\n    let = 1;\n}\n");
    case.shows("syntax_in_an_imported_file", "import \"one\" as one;\n");
}

#[test]
fn syntax_three_imports_deep() {
    let case = Case::new()
        .with("lib/one.rhai", "import \"two\" as two;\n")
        .with(
            "lib/two.rhai",
            "// Nothing else.\nimport \"three\" as three;\n",
        )
        .with("lib/three.rhai", "fn f() {\n    let a = [1, 2;\n}\n");
    case.shows("syntax_three_imports_deep", "import \"lib/one\" as one;\n");
}

#[test]
fn a_name_nearly_right_three_imports_deep() {
    let case = Case::new()
        .with(
            "lib/one.rhai",
            "import \"two\" as two;\nfn f() { two::f() }\n",
        )
        .with(
            "lib/two.rhai",
            "import \"three\" as three;\nfn f() { three::f() }\n",
        )
        .with(
            "lib/three.rhai",
            "fn f() {\n    conect().list_all_domains()\n}\n",
        );
    let script = "import \"lib/one\" as one;\none::f();\n";
    case.shows("a_name_nearly_right_three_imports_deep", script);
}

#[test]
fn a_failure_of_an_imported_file() {
    let case = Case::new().with("lib/one.rhai", "// Nothing else.\nlet first = [][0];\n");
    case.shows(
        "a_failure_of_an_imported_file",
        "import \"lib/one\" as one;\n",
    );
}

#[test]
fn arguments_in_an_imported_file() {
    let case = Case::new().with("lib/one.rhai", "fn f() { args[0] }\n");
    case.shows(
        "arguments_in_an_imported_file",
        "import \"lib/one\" as one;\none::f();\n",
    );
}
