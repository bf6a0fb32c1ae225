use std::sync::LazyLock;

use super::{Candidate, Completer, Completion, File, Holder, Surroundings, Variable};
use crate::catalog::Catalog;
use crate::engine::{self, Limits};
use crate::spec::{Key, Spec, Type};
use crate::{Imports, Session, SessionOptions};

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let session = Session::new(SessionOptions::default());
    let engine = engine::build(&session, &Limits::default(), Imports::default());
    Catalog::new(&engine)
});

/// A session with a few variables, and a host with a few names.
struct World;

impl Surroundings for World {
    fn variables(&self) -> Vec<Variable> {
        let variable = |name: &str, ty: Type| Variable {
            name: name.into(),
            kind: ty.known(),
        };
        let object = |name: &str| Type::Object(name.into());
        let keys = ["memory_kib", "vcpus"];
        let info = Spec {
            keys: keys.map(|key| Key::of_result(key, Type::Unknown)).into(),
            ..Spec::default()
        };
        vec![
            variable("conn", object("Connection")),
            variable("dom", object("Domain")),
            variable("pool", object("StoragePool")),
            variable("list", Type::Array(Box::new(object("Domain")))),
            variable("info", Type::Keys(info.into())),
            variable("odd", Type::Unknown),
        ]
    }

    fn modules(&self) -> Vec<(String, String)> {
        vec![
            ("guest".into(), "std/guest".into()),
            ("net".into(), "std/network".into()),
        ]
    }

    fn names(&self, kind: &str, holder: &Holder) -> Vec<String> {
        let shown = match holder {
            Holder::Variable(name) => name.clone(),
            Holder::Found { kind, name, .. } => format!("{kind} {name}"),
            Holder::Unknown => "?".into(),
        };
        vec![format!("{kind} of {shown}")]
    }

    fn files(&self, folder: &str) -> Vec<File> {
        let file = |name: &str, folder| File {
            name: name.into(),
            folder,
        };
        match folder {
            "" => vec![
                file("shared.rhai", false),
                file("lib", true),
                file("notes.txt", false),
            ],
            "lib/" => vec![file("disks.rhai", false)],
            "/srv/" => vec![
                file("iso", true),
                file("a.img", false),
                file(".hidden", false),
            ],
            _ => Vec::new(),
        }
    }
}

/// The completion at the `^` in `text`.
fn at(text: &str) -> Completion {
    let cursor = text.find('^').expect("the text has a cursor");
    let text = text.replace('^', "");
    Completer::default().complete(&CATALOG, &World, &text, cursor)
}

fn inserts(text: &str) -> Vec<String> {
    let candidates = at(text).candidates;
    candidates
        .into_iter()
        .map(|candidate| candidate.insert)
        .collect()
}

fn labels(text: &str) -> Vec<String> {
    let candidates = at(text).candidates;
    candidates
        .into_iter()
        .map(|candidate| candidate.label)
        .collect()
}

#[test]
fn results_of_recipes_have_their_type() {
    for text in [
        "guest::create(conn, #{ name: \"a\" }).man^",
        "let made = guest::ensure(conn, #{ name: \"a\" }); made.domain.man^",
    ] {
        assert!(
            labels(text).contains(&"managed_save([flags])".to_owned()),
            "{text}"
        );
    }
    let keys = labels("guest::ensure(conn, #{ name: \"a\" }).chan^");
    assert_eq!(keys, ["changed", "changes"]);
}

#[test]
fn members_are_those_of_the_receivers_type() {
    for text in [
        "dom.man^",
        "conn.lookup_by_name(\"x\").man^",
        "list[0].man^",
        "conn.list_all_domains()[0].man^",
        "let d = list[1]; d.man^",
        "for d in conn.list_all_domains() { d.man^",
        "for (d, i) in list { print(`${d.man^",
        "list.filter(|d| d.man^",
        "conn.list_all_domains().filter(|d| d.is_active()).for_each(|d| d.man^",
        "parallel(list, 2, |d| d.man^",
        "fn f(d) { dom.man^",
        "let x = 1; if x == 2 { dom.man^",
        "dom /* what */ . man^",
    ] {
        assert_eq!(
            labels(text),
            [
                "managed_save([flags])",
                "managed_save_define_xml(xml, flags)",
                "managed_save_get_xml_desc([flags]) -> string",
                "managed_save_remove([flags])"
            ],
            "{text}"
        );
    }
    assert!(labels("dom.^").len() > 60);
    assert!(labels("dom.^").contains(&"name -> string".to_owned()));
    assert_eq!(
        inserts("conn.list_all_n^"),
        [
            "list_all_networks(",
            "list_all_nw_filter_bindings(",
            "list_all_nw_filters("
        ]
    );
    assert_eq!(inserts("dom.is_act^"), ["is_active()"]);
    assert_eq!(inserts("dom.is_act^()"), ["is_active"]);
    assert_eq!(
        inserts("info.^").iter().take(2).collect::<Vec<_>>(),
        ["memory_kib", "vcpus"]
    );
    assert_eq!(labels("let m = #{ able: 1, b: 2 }; m.ab^"), ["able"]);
    for text in ["dom.info().^", "let i = dom.info(); i.^"] {
        let found = inserts(text);
        assert!(
            found.starts_with(&["state".into(), "max_memory_kib".into()]),
            "{text}: {found:?}"
        );
    }
    assert!(inserts("\"text\".to_up^").contains(&"to_upper()".to_owned()));
    assert_eq!(inserts("try { } catch (e) { e.act^"), ["action"]);
}

#[test]
fn a_function_that_is_written_out_shows_each_way_to_call_it() {
    let ways = labels("dom.migrate_to_uri^");
    assert!(ways.len() > 3, "{ways:?}");
    assert_eq!(ways[0], "migrate_to_uri(uri: string, flags: int)");
}

#[test]
fn an_unknown_receiver_offers_what_any_has_once_a_letter_is_there() {
    assert_eq!(labels("odd.^"), Vec::<String>::new());
    assert_eq!(
        inserts("odd.storage_vol_lookup_by_n^"),
        ["storage_vol_lookup_by_name("]
    );
}

#[test]
fn another_word_for_a_method_becomes_the_method() {
    assert_eq!(inserts("dom.start^"), ["create(", "start_dirty_rate_calc("]);
    assert_eq!(inserts("dom.dumpxml^"), ["xml_desc("]);
    assert_eq!(inserts("conn.lookupByName^"), ["lookup_by_name("]);
}

#[test]
fn names_stand_where_they_fit() {
    for (text, names) in [
        ("conn.lookup_by_name(\"^", "Domain of conn"),
        ("conn.lookup_by_name(\"Dom^\")", "Domain of conn"),
        ("conn.network_lookup_by_name(\"^", "Network of conn"),
        (
            "conn.storage_pool_lookup_by_name(\"^",
            "StoragePool of conn",
        ),
        ("pool.storage_vol_lookup_by_name(\"^", "StorageVol of pool"),
        (
            "conn.storage_pool_lookup_by_name(\"images\").storage_vol_lookup_by_name(\"^",
            "StorageVol of StoragePool images",
        ),
        ("dom.snapshot_lookup_by_name(`^", "DomainSnapshot of dom"),
        ("connect().lookup_by_name(\"^", "Domain of ?"),
        ("guest::find(conn, \"^", "Domain of conn"),
        ("net::find(conn, \"^", "Network of conn"),
        ("guest::create(conn, #{ pool: \"^", "StoragePool of conn"),
        (
            "guest::create(conn, #{ disks: [#{ size: 1, pool: \"^",
            "StoragePool of conn",
        ),
        (
            "guest::create(conn, #{ nics: [#{ network: \"^",
            "Network of conn",
        ),
    ] {
        assert_eq!(labels(text), [names], "{text}");
    }
    assert_eq!(
        labels("conn.storage_vol_lookup_by_path(\"/srv/^"),
        Vec::<String>::new()
    );
    assert_eq!(inserts("conn.lookup_by_name(\"^\")"), ["Domain of conn"]);
    assert_eq!(inserts("conn.lookup_by_name(\"^"), ["Domain of conn\""]);
    assert_eq!(labels("dom.set_user_password(\"^"), Vec::<String>::new());
}

#[test]
fn words_stand_where_they_fit() {
    assert_eq!(inserts("dom.wait(\"sh^"), ["shutdown\"", "shutoff\""]);
    assert_eq!(
        inserts("dom.state() in [\"shutdown\", \"sh^"),
        ["shutdown\"", "shutoff\""]
    );
    assert_eq!(
        inserts("switch dom.state() { \"running\" => 1, \"sh^"),
        ["shutdown\"", "shutoff\""]
    );
    assert_eq!(inserts("dom.stop(#{ shutdown: \"^"), Vec::<String>::new());
    assert_eq!(inserts("dom.set_lifecycle_action(\"cr^"), ["crash\""]);
    assert_eq!(inserts("conn.wait_event(#{ event: \"sta^"), ["started\""]);
    assert_eq!(
        inserts("conn.wait_event(\"network^"),
        ["network_lifecycle\"", "network_metadata_change\""]
    );
    assert_eq!(inserts("connect(\"test^"), ["test:///default\""]);
    assert_eq!(
        inserts("dom.state() == \"shut^"),
        ["shutdown\"", "shutoff\""]
    );
    assert_eq!(inserts("if dom.info().state != \"pa^"), ["paused\""]);
    assert_eq!(inserts("dom.name == \"^"), Vec::<String>::new());
    assert_eq!(
        inserts("guest::create(conn, #{ disks: [#{ bus: \"s^"),
        ["sata\"", "scsi\"", "sd\""]
    );
    assert_eq!(
        inserts("guest::create(conn, #{ graphics: \"s^"),
        ["spice\"", "sdl\""]
    );
    assert_eq!(
        labels("guest::create(conn, #{ nics: [\"^"),
        ["Network of conn", "user"]
    );
}

#[test]
fn constants_are_those_of_the_parameter() {
    for (text, constants) in [
        ("dom.abort_job(^", vec!["VIR_DOMAIN_ABORT_JOB_POSTCOPY"]),
        (
            "dom.reboot(VIR_DOMAIN_REBOOT_G^",
            vec!["VIR_DOMAIN_REBOOT_GUEST_AGENT"],
        ),
        (
            "dom.create(VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_A^",
            vec!["VIR_DOMAIN_START_AUTODESTROY"],
        ),
        (
            "dom.create(VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_P^",
            vec![],
        ),
        (
            "dom.interface_addresses(VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_A^",
            vec![
                "VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT",
                "VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP",
            ],
        ),
        (
            "let x = VIR_DOMAIN_RUNN^",
            vec!["VIR_DOMAIN_RUNNING", "VIR_DOMAIN_RUNNING_BOOTED"],
        ),
    ] {
        let found = inserts(text);
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        match constants[..] {
            [] => assert!(
                !found.contains(&"VIR_DOMAIN_START_PAUSED"),
                "{text}: {found:?}"
            ),
            _ => assert!(found.starts_with(&constants), "{text}: {found:?}"),
        }
    }
    // Too many to be listed are offered part by part.
    assert!(inserts("VIR_^").contains(&"VIR_NETWORK_".to_owned()));
}

#[test]
fn numbers_that_are_no_flags_have_their_constants_too() {
    for (text, constant) in [
        ("dom.send_key(^", "VIR_KEYCODE_SET_LINUX"),
        ("dom.guest_info(^", "VIR_DOMAIN_GUEST_INFO_USERS"),
        ("dom.metadata(^", "VIR_DOMAIN_METADATA_TITLE"),
        (
            "dom.core_dump_with_format(\"/x\", ^",
            "VIR_DOMAIN_CORE_DUMP_FORMAT_RAW",
        ),
        (
            "dom.pm_suspend_for_duration(^",
            "VIR_NODE_SUSPEND_TARGET_MEM",
        ),
        (
            "for n in conn.list_all_networks() { n.update(^",
            "VIR_NETWORK_UPDATE_COMMAND_MODIFY",
        ),
        (
            "for n in conn.list_all_networks() { n.update(1, ^",
            "VIR_NETWORK_SECTION_DNS_HOST",
        ),
    ] {
        let found = inserts(text);
        assert!(found.contains(&constant.to_owned()), "{text}: {found:?}");
    }
}

#[test]
fn keys_are_those_that_the_function_knows() {
    assert_eq!(
        inserts("dom.stop(#{ ^"),
        ["shutdown: ", "agent: ", "destroy: ", "force: "]
    );
    assert_eq!(
        inserts("dom.stop(#{ agent: 1, ^ })"),
        ["shutdown: ", "destroy: ", "force: "]
    );
    assert_eq!(inserts("connect(\"x\", #{ ti^"), ["timeout: "]);
    assert!(inserts("dom.migrate(conn, #{ ^").contains(&"bandwidth: ".to_owned()));
    assert!(inserts("guest::create(conn, #{ mem^").contains(&"memory: ".to_owned()));
    assert_eq!(inserts("guest::create(conn, #{ sta^"), ["start: "]);
    assert_eq!(inserts("net::create(conn, #{ na^"), ["name: "]);
    assert_eq!(
        inserts("import \"std/pool\" as p; p::ensure(conn, #{ na^"),
        ["name: "]
    );
    assert_eq!(
        inserts("import \"std/ready\" as r; r::wait_for(dom, #{ co^"),
        ["console: "]
    );
    assert_eq!(
        inserts("guest::create(conn, #{ disks: [#{ siz^"),
        ["size: "]
    );
    assert_eq!(
        inserts("guest::create(conn, #{ nics: [#{ netw^"),
        ["network: "]
    );
    assert_eq!(
        inserts("guest::create(conn, #{ name: [#{ ^"),
        Vec::<String>::new()
    );
    assert_eq!(inserts("conn.wait_event(#{ det^"), ["detail: "]);
    let memory = at("guest::create(conn, #{ mem^").candidates;
    let memory = memory.iter().find(|one| one.insert == "memory: ");
    let docs = &memory.expect("it is an option").docs;
    assert!(docs.starts_with("size"), "{docs}");
}

#[test]
fn the_functions_of_a_module_follow_its_name() {
    assert_eq!(
        labels("guest::re^"),
        ["remove(dom)", "remove_with_volumes(dom)"]
    );
    assert_eq!(
        inserts("import \"std/witness\" as w;\nw::is_b^"),
        ["is_blank("]
    );
    assert_eq!(inserts("nowhere::^"), Vec::<String>::new());
}

#[test]
fn modules_and_files_stand_where_they_fit() {
    assert_eq!(inserts("import \"std/sa^"), ["std/save_file\""]);
    assert_eq!(
        inserts("import \"s^").last().map(String::as_str),
        Some("shared\"")
    );
    assert_eq!(inserts("import \"lib/^"), ["disks\""]);
    assert_eq!(inserts("let x = \"/srv/^\""), ["a.img", "iso/"]);
    assert_eq!(inserts("conn.restore(\"/srv/a^"), ["a.img\""]);
    let at = at("dom.save(\"/srv/a^\")");
    assert_eq!(
        at.replaced,
        "dom.save(\"/srv/".len().."dom.save(\"/srv/a".len()
    );
}

#[test]
fn values_are_variables_functions_and_words() {
    let found = labels("^");
    for label in [
        "conn: Connection",
        "list: array of Domain",
        "guest:: std/guest",
    ] {
        assert!(found.contains(&label.to_owned()), "{found:?}");
    }
    assert!(inserts("^").contains(&"connect(".to_owned()));
    assert!(!inserts("^").contains(&"lookup_by_name(".to_owned()));
    assert_eq!(inserts("wh^"), ["while"]);
    assert_eq!(inserts("f(wh^"), Vec::<String>::new());
    assert_eq!(labels("fn twice(x) { x * 2 }\ntwi^"), ["twice(x)"]);
    assert_eq!(inserts("let total = 1; tot^"), ["total"]);
    assert_eq!(inserts("let na^"), Vec::<String>::new());
    assert_eq!(inserts("// do^"), Vec::<String>::new());
}

#[test]
fn a_call_shows_its_signature_and_the_number_of_the_argument() {
    let completer = Completer::default();
    for (text, signature, number) in [
        (
            "conn.lookup_by_name(",
            "lookup_by_name(name: string) -> Domain",
            Some(0),
        ),
        (
            "conn.lookup_by_name(\"te",
            "lookup_by_name(name: string) -> Domain",
            Some(0),
        ),
        (
            "conn.lookup_by_name",
            "lookup_by_name(name: string) -> Domain",
            None,
        ),
        ("guest::keep(", "keep(dom: Domain) -> Domain", Some(0)),
        ("fn f(a, b) { }; f(1, ", "f(a, b)", Some(1)),
        (
            "dom.send_key(1, 2",
            "send_key(codeset: int, hold_ms: int, keys: array)",
            Some(1),
        ),
    ] {
        let (ways, found) = completer.signatures(&CATALOG, &World, text).expect(text);
        assert_eq!(ways[0].to_string(), signature, "{text}");
        assert_eq!(found, number, "{text}");
    }
    assert!(completer.signatures(&CATALOG, &World, "1 + 1").is_none());
}

#[test]
fn every_candidate_begins_with_the_word_or_replaces_it() {
    let Completion {
        replaced,
        candidates,
    } = at("let x = dom.sta^");
    assert_eq!(replaced, 12..15);
    let begins = |candidate: &Candidate| candidate.insert.starts_with("sta");
    assert!(candidates.iter().all(begins));
}

#[test]
fn nothing_that_is_half_written_is_too_much() {
    let completer = Completer::default();
    let broken =
        "let x = f(\"a`${b}\", #{ k: [1, |d| d.m( ] }; /* ü */ é.`${`${ a::b(#\"x\"#, 'c' ))) }";
    let recipe = crate::script::imports::embedded("guest")
        .expect("it is there")
        .text;
    for (text, step) in [(broken, 1), (recipe.as_str(), 97)] {
        for cursor in (0..=text.len()).step_by(step) {
            let _ = completer.complete(&CATALOG, &World, text, cursor);
            let before = text.get(..cursor).unwrap_or_default();
            let _ = completer.signatures(&CATALOG, &World, before);
        }
    }
}
