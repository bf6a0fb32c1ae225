//! The reference: in a terminal, as Markdown, as a page, and for editors.

use virhai::catalog::{self, Catalog};
use virhai::engine::{self, Limits};
use virhai::reference::{self, Reference};
use virhai::{Imports, Session, SessionOptions};

use super::constants::{api, attribute};
use crate::support::{Browser, Scratch, virhai};

fn doc(args: &[&str]) -> String {
    args.iter()
        .fold(virhai().arg("doc"), |run, arg| run.arg(arg))
        .ok()
}

fn catalog() -> Catalog {
    let session = Session::new(SessionOptions::default());
    Catalog::new(&engine::build(
        &session,
        &Limits::default(),
        Imports::default(),
    ))
}

#[test]
fn a_method_is_shown_with_its_overloads_its_example_and_libvirts_page() {
    let shown = doc(&["Domain.create"]);
    for part in [
        "dom.create()",
        "dom.create(flags: int)",
        "Boots this domain",
        "      dom.create(VIR_DOMAIN_START_PAUSED);",
        "virDomainCreate  https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainCreate",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    assert!(!shown.contains("pool.create"), "{shown}");
    assert!(doc(&["create"]).contains("pool.create()"));
}

#[test]
fn options_and_results_of_a_function_are_shown_with_type_default_and_help() {
    for (name, parts) in [
        (
            "Domain.stop",
            &[
                "dom.stop(options: StopOptions) -> Stopped",
                "\n  shutdown: duration, default \"1m\"\n      Time for the guest",
                "\n  by: \"shutdown\" | \"agent\" | \"destroy\" | \"nothing\"\n",
            ][..],
        ),
        (
            "DomainInfo",
            &["\n  memory_kib: int\n", "returned by Domain.info"],
        ),
        (
            "StopOptions",
            &["\n  force: bool, default false\n", "taken by Domain.stop"],
        ),
        (
            "Domain.set_memory_parameters",
            &["\n  hard_limit: size (KiB)\n      the maximum memory the guest can use\n"],
        ),
        (
            "network::ensure",
            &["\nENSURED: keys of the result\n  network: Network\n"],
        ),
    ] {
        let shown = doc(&[name]);
        for part in parts {
            assert!(shown.contains(part), "{name}: {part}\n{shown}");
        }
    }
    let markdown = doc(&["--markdown"]);
    for row in [
        "| `shutdown` | duration | `\"1m\"` | Time for the guest",
        "| `vcpus` | int | Number of virtual CPUs |",
    ] {
        assert!(markdown.contains(row), "{row}");
    }
}

#[test]
fn types_recipes_constants_and_the_languages_own_functions_are_found() {
    for (name, part) in [
        ("StoragePool", "\n  refresh()                     "),
        ("StoragePool", "`virhai doc StoragePool.autostart`"),
        (
            "std/guest",
            "\n  guest::create(conn: Connection, options: GUEST) -> Domain\n      ",
        ),
        ("guest::create", "All or nothing"),
        ("VIR_DOMAIN_START_PAUSED", "one of virDomainCreateFlags"),
        ("virDomainCreateFlags", "VIR_DOMAIN_START_PAUSED = 1"),
        ("std/guest", "\n  memory: size (KiB), default \"1GiB\""),
        (
            "std/guest",
            "\ndevices::DISK: options of a disk\n  path: path, not with `block`, `pool` or `volume`\n",
        ),
        ("std/guest", "\n  bus: \"virtio\" | \"sata\" |"),
        (
            "std/guest",
            "\ndevices::NIC: options of a NIC\n  network: network name, not with `bridge`, `direct` or `user`\n",
        ),
        ("network::ensure", "\n  ip: string, required\n"),
        ("string.to_upper", "to_upper"),
        ("Domain.name", "dom.name: string"),
    ] {
        let shown = doc(&[name]);
        assert!(shown.contains(part), "{name}\n{shown}");
    }
}

#[test]
fn a_name_that_does_not_exist_is_answered_with_the_nearest() {
    let outcome = virhai().arg("doc").arg("Domain.craete").fails(1);
    assert_eq!(
        outcome.stderr,
        "error: virhai has no function, type, constant or recipe called `Domain.craete`\n |\n = help: did you mean `create`?\n"
    );
}

#[test]
fn every_function_of_libvirt_is_linked_to_the_page_that_has_it() {
    let declared = api("libvirt");
    let mut wrong = Vec::new();
    for function in catalog().functions() {
        for call in function.calls() {
            let named = format!("<function name='{call}'");
            let element = declared.find(&named).map(|at| &declared[at + 1..]);
            let Some(file) = element.and_then(|element| attribute(element, "file")) else {
                continue;
            };
            let page = format!("libvirt-{file}.html#{call}");
            if !reference::link(call).ends_with(&format!("/{page}")) {
                wrong.push(format!("{call}: {}", reference::link(call)));
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_markdown_and_the_page_have_all_that_scripts_can_call() {
    let catalog = catalog();
    let reference = Reference::of(&catalog);
    let (markdown, html) = (reference::markdown(&reference), reference::html(&reference));
    let printed = doc(&["--markdown"]);
    assert!(
        printed.trim_end() == markdown.trim_end(),
        "it is the same each time"
    );
    let own = catalog.functions().iter().filter(|function| {
        !function.standard
            && function
                .name
                .starts_with(|letter: char| letter.is_alphabetic())
    });
    for function in
        own.filter(|function| !["to_string", "to_debug"].contains(&function.name.as_str()))
    {
        let way = catalog::Signature::as_called(function);
        assert!(markdown.contains(&format!("\n    {way}\n")), "{way}");
        let escaped = way.replace('>', "&gt;");
        assert!(html.contains(&format!(">{escaped}</pre>")), "{way}");
    }
    for recipe in catalog.recipes() {
        assert!(markdown.contains(&format!("\n### {}\n", recipe.path)));
    }
    let functions = catalog.recipes().iter().flat_map(|recipe| {
        let functions = recipe.functions.iter();
        functions.map(move |function| (recipe, function))
    });
    for (recipe, function) in functions {
        let name = format!("{}::{}", recipe.path, function.name);
        assert!(!function.docs.trim().is_empty(), "{name} has no comment");
    }
    // Functions that only other recipes call are not listed.
    let guest = doc(&["std/guest"]);
    assert!(guest.contains("guest::ensure") && !guest.contains("guest::unplug"));
    assert!(!html.contains("src=") && !html.contains("<link"));
    // The page's own content policy forbids a browser to load anything.
    assert_eq!(html.matches("http-equiv").count(), 1);
    assert!(html.contains("default-src 'none'"));
}

#[test]
fn the_scripts_of_a_folder_are_described_by_their_own_comments() {
    let folder = Scratch::new();
    folder.write(
        "web/lab.rhai",
        "//! The lab's guests: <b>all</b> of them.\n\n/// Starts the lab on `conn`.\nfn start(conn) {}\n\nprivate fn hidden() {}\n",
    );
    folder.write("broken.rhai", "fn (");
    let page = folder.path("page.html");
    let outcome = virhai()
        .arg("doc")
        .arg(folder.path(""))
        .arg("--html")
        .arg(&page)
        .fails(1);
    assert!(outcome.stderr.contains("broken.rhai: "), "{outcome}");
    let page = std::fs::read_to_string(page).expect("it was written");
    assert!(page.contains("<h3>web/lab</h3>"), "{page}");
    assert!(page.contains("lab::start(conn)"), "{page}");
    assert!(page.contains("&lt;b&gt;all"), "markup is text: {page}");
    assert!(!page.contains("hidden()"), "{page}");
}

#[test]
fn definitions_are_written_for_functions_constants_and_recipes() {
    let folder = Scratch::new();
    virhai().arg("definitions").arg(folder.path("defs")).ok();
    let read = |name: &str| {
        let path = folder.path("defs").join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let functions = read("virhai.d.rhai");
    for line in [
        "module static;",
        "fn create(dom: Domain, flags: int) -> ();",
        "fn get name(dom: Domain) -> string;",
        "fn list_all_domains(conn: Connection) -> array;",
    ] {
        assert!(functions.contains(&format!("{line}\n")), "{line}");
    }
    for line in functions.lines().filter(|line| line.starts_with("fn ")) {
        assert!(
            !line.contains("<") && !line.contains('&'),
            "types are the language's own: {line}"
        );
    }
    assert!(read("constants.d.rhai").contains("const VIR_DOMAIN_START_PAUSED: int;\n"));
    assert!(read("std/guest.d.rhai").contains("module guest;\n"));
}

#[test]
fn the_page_searches_itself_in_a_browser() {
    let scratch = Scratch::new();
    let Some(browser) = Browser::find(&scratch) else {
        return;
    };
    let page = scratch.path("page.html");
    virhai().arg("doc").arg("--html").arg(&page).ok();
    let dom = |search: &str| browser.dom(&format!("file://{}{search}", page.display()));
    let whole = dom("");
    assert!(whole.matches("<article ").count() > 1_500);
    assert!(
        whole.contains("<div id=\"all\">") && whole.contains("<ol id=\"results\" hidden=\"\">")
    );
    // The guide comes first, and no group has a heading that its only part repeats.
    let (guide, functions) = (
        whole.find(">Ten minutes of Rhai</h3>"),
        whole.find(">Functions</h3>"),
    );
    assert!(guide.is_some() && guide < functions);
    assert!(!whole.contains("<h2>Functions</h2>"));
    assert!(
        whole.contains("<a href=\"#Domain.shutdown\">shutdown</a>"),
        "an index of methods"
    );
    let found = dom("#search=create");
    let results = found
        .split("<ol id=\"results\">")
        .nth(1)
        .expect("the results are shown");
    let first = results.split("</li>").next().unwrap_or_default();
    assert!(
        first.contains(".create\">"),
        "the name itself comes first: {first}"
    );
    assert!(found.contains("<div id=\"all\" hidden=\"\">"));
    let found = dom("#search=managed_save%20remove");
    let items = found.matches("<li><a href=\"#").count();
    assert!(
        found.contains(">") && (1..20).contains(&items),
        "{items} are found"
    );
    assert!(found.contains(&format!(">{items} found</p>")));
    // A script that gets into the page all the same does not run.
    let text = std::fs::read_to_string(&page).expect("it was written");
    let foreign = "<script>document.body.id = 'taken'</script></body>";
    let page = scratch.write("foreign.html", text.replace("</body>", foreign));
    let dom = browser.dom(&format!("file://{}#search=create", page.display()));
    assert!(dom.contains("found</p>") && !dom.contains("id=\"taken\""));
}

#[test]
fn a_name_of_libvirt_or_of_its_python_is_answered_with_what_makes_that_call() {
    let session = virhai::Session::new(virhai::SessionOptions::default());
    let engine = virhai::engine::build(
        &session,
        &virhai::engine::Limits::default(),
        virhai::Imports::default(),
    );
    let catalog = virhai::catalog::Catalog::new(&engine);
    let help = |name: &str| virhai::reference::help(&catalog, name).unwrap_or_default();
    let names = include_str!("../data/libvirt_python.txt").lines();
    let mut offenders = Vec::new();
    for line in names.filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (python, c) = line.split_once(' ').expect("a line has two names");
        let (_, python) = python.split_once('.').expect("a method has a class");
        let made = |function: &virhai::catalog::Function| function.calls().any(|call| call == c);
        let snake = virhai::names::snake_case(python);
        let here = |name: &str| virhai::names::of_libvirt(catalog.functions(), name);
        let called = catalog.functions().iter().any(made);
        if called && !here(c).into_iter().all(made) {
            offenders.push(c);
        }
        // A name that is the same in scripts is found by itself.
        if called && snake != python && here(python).is_empty() {
            offenders.push(python);
        }
    }
    assert_eq!(offenders, [""; 0], "{offenders:#?}");
    for (name, wanted) in [
        ("createXML", "virDomainCreateXML "),
        ("virDomainRestore", "conn.restore(path"),
        ("defineXMLFlags", "virDomainDefineXMLFlags "),
        ("createXMLFlags", "create_xml"),
        ("saveFlags", "virDomainSaveFlags "),
        ("restoreFlags", "virDomainRestoreFlags "),
        ("shutdownFlags", "virDomainShutdownFlags "),
        ("destroyFlags", "virDomainDestroyFlags "),
        ("migrateToURI", "virDomainMigrateToURI "),
        ("migrateToURI2", "virDomainMigrateToURI2 "),
        ("migrateToURI3", "virDomainMigrateToURI3 "),
        ("XMLDesc", "virDomainGetXMLDesc "),
        ("virConnectOpenReadOnly", "connect_read_only("),
        ("openAuth", "connect_auth("),
        ("open", "connect(uri"),
        ("define", "define_xml"),
        ("dumpxml", "xml_desc"),
        ("net-list", "list_all_networks"),
        ("of", "clone::of("),
        ("disks", "`disks` is one of the options of a guest"),
        ("virDomainFree", "which scripts cannot call"),
    ] {
        assert!(help(name).contains(wanted), "{name}: {}", help(name));
    }
    // For a variant, the overloads of the others are left out.
    assert!(!help("migrateToURI2").contains("virDomainMigrateToURI3 "));
    assert_eq!(help("no_such_name"), "");
}

#[test]
fn a_constant_is_shown_with_libvirts_own_sentence() {
    let told = virhai().arg("doc").arg("VIR_DOMAIN_START_PAUSED").ok();
    assert_eq!(
        told,
        "VIR_DOMAIN_START_PAUSED = 1\n\n  Launch guest in paused state\n\n  one of virDomainCreateFlags\n"
    );
    let told = virhai().arg("doc").arg("virDomainCreateFlags").ok();
    assert!(told.contains("Avoid file system cache pollution"), "{told}");
}
