//! Tables, lists in order, dates, and lists by a key.

use crate::support::{Host, Prompt, TestHost, skip, virhai};

/// A host with these domains, of which only the first runs.
fn host(names: &[&str]) -> TestHost {
    let domains: String = names
        .iter()
        .map(|name| {
            format!(
                "<domain type='test'><name>{name}</name><memory>1024</memory><os><type>hvm</type></os></domain>"
            )
        })
        .collect();
    TestHost::with(&domains)
}

#[test]
fn a_table_has_the_columns_that_were_asked_for_in_that_order() {
    let host = TestHost::new();
    let printed = host.ok(
        r#"let rows = [#{ name: "web", cpus: 2, memory_kib: 2097152 }, #{ name: "db", state: "off" }];
        table(rows);
        table(rows, ["memory_kib", "name"]);
        table(connect().list_all_domains(), ["name", "State"]);
        table([["a", 1], ["b"]], ["key", "count"]);
        table([], ["nothing"]);
        table([]);"#,
    );
    assert_eq!(
        printed,
        "name  cpus  memory_kib         state\n\
         web   2     2097152 (2.0 GiB)\n\
         db                             off\n\
         memory_kib         name\n\
         2097152 (2.0 GiB)  web\n\
         \u{20}                  db\n\
         name  State\n\
         test  running\n\
         key  count\n\
         a    1\n\
         b\n\
         nothing\n"
    );
    for (script, message) in [
        (r#"table([#{ name: 1 }], ["nmae"])"#, "did you mean `name`?"),
        ("table([1])", "row 0 must be a map or an object, not `1`"),
        ("table([[1]])", "`table(rows, [\"name\", \"count\"])`"),
        (
            "table([#{ a: 1 }, connect().list_all_domains()[0]])",
            "the rows are of different kinds",
        ),
        (
            "table([[1, 2]], [\"a\"])",
            "row 0 has 2 values, and the table 1 columns",
        ),
    ] {
        let failed = host.run(script);
        assert!(failed.stderr.contains(message), "{script}: {failed}");
        assert_eq!(failed.status, 1, "{script}: {failed}");
    }
    // A report and an exit status do not exclude each other.
    let failed = host.run("table([#{ name: \"web\" }]); exit(3)");
    assert_eq!((failed.status, failed.stdout.as_str()), (3, "name\nweb\n"));
}

#[test]
fn domains_are_listed_as_virsh_lists_them() {
    let host = host(&["nc-10", "nc-2", "db", "Web"]);
    let listed = host.ok("let conn = connect();
        for dom in conn.list_all_domains() { dom.destroy(); }
        print(conn.list_all_domains().map(|dom| dom.name).join(\" \"));
        conn.lookup_by_name(\"Web\").create();
        conn.lookup_by_name(\"nc-2\").create();
        print(conn.list_all_domains().map(|dom| dom.name).join(\" \"));");
    assert_eq!(listed, "db nc-2 nc-10 Web\nWeb nc-2 db nc-10\n");
}

#[test]
fn json_of_a_domain_has_what_its_table_has() {
    let host = TestHost::new();
    let json = virhai()
        .arg("--json")
        .arg("-c")
        .arg(host.uri())
        .arg("-e")
        .arg("connect().list_all_domains()")
        .ok();
    let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    let domain = &json[0];
    assert_eq!(domain["name"], "test");
    assert_eq!(domain["state"], "running");
    assert_eq!(domain["id"], 1);
    assert!(domain["memory_kib"].is_u64(), "{json}");
    assert!(domain["vcpus"].is_u64(), "{json}");
    assert!(domain["uuid"].is_string(), "{json}");
}

#[test]
fn a_value_that_is_too_wide_is_cut_in_its_cell_at_the_prompt() {
    let long = "n".repeat(95);
    let mut prompt = Prompt::on(host(&[&long, "web"]), &[("NO_COLOR", "1")]);
    prompt.answers("conn.list_all_domains()", "…  running");
    prompt.answers("[#{ name: \"web\", age: 5 }]", "name  age\nweb   5");
    prompt.answers("#{ name: \"web\", age: 5 }", "name  web\nage   5");
    prompt.answers("let m = #{ z: 1, a: 2 }; m.b = 3; m", "z  1\na  2\nb  3");
    prompt.answers(
        "[#{ name: \"web\" }, #{ name: \"db\", age: 5 }]",
        "name  age\nweb\ndb    5",
    );
    prompt.answers("print(\"a\", 1, true)", "a 1 true");
    prompt.answers("table([#{ n: \"x\".repeat(200) }])", "xxx…");
}

#[test]
fn lists_are_sorted_grouped_and_summed_by_a_key() {
    let host = TestHost::new();
    host.ok(r#"fn names(list) { list.map(|x| x.n).join("") }
        let list = [#{ n: "b", v: 2 }, #{ n: "a", v: 2.5 }, #{ n: "c", v: 1 }];
        assert_eq(names(list.sort_by(|x| x.v)), "cba");
        assert_eq(names(list.sort_by(|x| [x.v > 1, x.n])), "cab");
        assert_eq(names(list.sort_by(|x| -x.v)), "abc");
        assert_eq(names(list), "bac");
        assert_eq([3, 1, 2].sort_by(|x| x), [1, 2, 3]);
        assert_eq([].sort_by(|x| x), []);
        let groups = list.group_by(|x| if x.v > 1 { "many" } else { "one" });
        assert_eq(names(groups.many), "ba");
        assert_eq(names(groups.one), "c");
        assert_eq([].group_by(|x| x), #{});
        assert_eq(list.sum(|x| x.v), 5.5);
        assert_eq([].sum(), 0);
        assert_eq(list.min_by(|x| x.v).n, "c");
        assert_eq(list.max_by(|x| x.v).n, "a");
        assert_eq([].max_by(|x| x), ());
        assert_eq([date("2026-01-02"), date("2026-01-01")].sort_by(|d| d)[0].day, 1);"#);
    for (script, message) in [
        (
            "[1, \"a\"].sort_by(|x| x)",
            "cannot be compared with one of type",
        ),
        (
            "[#{}, #{}].sort_by(|x| x)",
            "keys of type map have no order",
        ),
        ("[1, \"a\"].sum()", "`a` is not a number"),
        (
            "[9223372036854775807, 1].sum()",
            "larger than a whole number can be",
        ),
        ("[1, 2].max_by(|x| throw \"no\")", "no"),
    ] {
        let failed = host.run(script);
        assert!(failed.stderr.contains(message), "{script}: {failed}");
        assert_eq!(failed.status, 1, "{script}: {failed}");
    }
}

#[test]
fn dates_are_in_the_time_zone_of_the_user() {
    if !std::path::Path::new("/usr/share/zoneinfo/Europe/Berlin").exists() {
        return skip("no time zones are installed");
    }
    for (zone, expected) in [("Europe/Berlin", 1_782_900_000), ("UTC", 1_782_907_200)] {
        let run = virhai().env("TZ", zone);
        let told = run.script("print(date(\"2026-07-01 12:00\").unix)").ok();
        assert_eq!(told.trim(), expected.to_string(), "{zone}");
    }
}

#[test]
fn dates_are_read_written_compared_and_moved() {
    let host = TestHost::new();
    host.ok(r##"let start = now();
        let noon = date("2026-03-01T12:00:00+02:00");
        assert_eq(noon.to_string(), "2026-03-01T12:00:00+02:00");
        assert_eq(noon.utc().to_string(), "2026-03-01T10:00:00+00:00");
        assert_eq(noon, date(noon.unix));
        assert_eq(noon.format("%d.%m.%Y %H:%M"), "01.03.2026 12:00");
        assert_eq(date("2026-03-01T10:00:00Z") - noon, 0.0);
        assert_eq((noon + "90m") - noon, 5400.0);
        assert_eq((noon + -60) - noon, -60.0);
        assert_eq(noon - 60, noon - "1m");
        assert(noon < now() || noon > now());
        assert(now() >= start);
        assert_eq(date("31/12/25 23:59", "%d/%m/%y %H:%M").weekday, "wednesday");
        assert_eq(date("2026-03-01 10:20:30").second, 30);
        assert_eq(type_of(noon), "DateTime");
        assert_eq(#{ at: noon }.to_string(), "#{\"at\": 2026-03-01T12:00:00+02:00}");"##);
    for (script, message) in [
        ("date(\"yesterday\")", "`yesterday` is not a date"),
        ("date(\"2026-02-30\")", "is not a date"),
        (
            "date(\"x\", \"%Y\")",
            "`x` is not a date in the format `%Y`",
        ),
        ("date(9223372036854775807)", "milliseconds"),
        ("now().format(\"%!\")", "is not a format of dates"),
        ("now() + \"soon\"", "`soon` is not a duration"),
        ("now() + 9223372036854775807", "a date is between the years"),
    ] {
        let failed = host.run(script);
        assert!(failed.stderr.contains(message), "{script}: {failed}");
        assert_eq!(failed.status, 1, "{script}: {failed}");
    }
    let json = virhai().arg("--json").arg("-e").arg("date(0).utc()").ok();
    assert_eq!(json, "\"1970-01-01T00:00:00+00:00\"\n");
}
