//! For any URI of a script, the rebuilt URI that libvirt gets names no program, file or socket of
//! the user, as libvirt parses it. The lists here are taken from libvirt, independently of the
//! lists in the rules.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use super::{Need, Reading, Uri};

/// Every scheme in libvirt's sources, with some of former versions and some that never were.
const DRIVERS: [&str; 29] = [
    "qemu",
    "test",
    "lxc",
    "xen",
    "ch",
    "bhyve",
    "vz",
    "parallels",
    "openvz",
    "vbox",
    "esx",
    "gsx",
    "vpx",
    "hyperv",
    "vmwareplayer",
    "vmwarews",
    "vmwarefusion",
    "network",
    "storage",
    "nodedev",
    "secret",
    "interface",
    "nwfilter",
    "remote",
    "phyp",
    "uml",
    "xenapi",
    "kvm",
    "file",
];

/// Drivers that libvirt runs in the process which opens the connection, apart from the test
/// driver's: those that work without a host in the URI, and those that need one.
const LOCAL: [&str; 4] = ["openvz", "vmwareplayer", "vmwarews", "vmwarefusion"];
const CLIENTS: [&str; 4] = ["esx", "gsx", "vpx", "hyperv"];

const TRANSPORTS: [&str; 9] = [
    "", "+unix", "+ssh", "+libssh", "+libssh2", "+tls", "+tcp", "+ext", "+telnet",
];

/// Every parameter that the sources of the remote driver, ESX, Hyper-V and `virauth.c` look for.
const PARAMETERS: [&str; 22] = [
    "name",
    "command",
    "socket",
    "auth",
    "sshauth",
    "netcat",
    "keyfile",
    "pkipath",
    "known_hosts",
    "known_hosts_verify",
    "tls_priority",
    "mode",
    "proxy",
    "no_sanity",
    "no_verify",
    "no_tty",
    "authfile",
    "root",
    "transport",
    "vcenter",
    "auto_answer",
    "nonsense",
];

/// Parameters that name no program, file or socket and change no file of the user's.
const HARMLESS: [&str; 7] = [
    "sshauth",
    "tls_priority",
    "mode",
    "no_sanity",
    "no_verify",
    "no_tty",
    "known_hosts_verify",
];

/// The URI that libvirt gets for the script's `text`, if it needs no permission.
fn let_through(text: &str) -> Option<String> {
    let uri = Uri::parse(text).ok()?;
    uri.need().is_none().then(|| uri.to_string())
}

/// The harm of letting a script open `uri`, by libvirt's own parser.
fn harm(uri: &str) -> Option<String> {
    let Some(reading) = Reading::of(uri) else {
        return Some("it has no scheme".into());
    };
    let (driver, transport) = match reading.scheme.split_once('+') {
        Some((driver, transport)) => (driver, Some(transport)),
        None => (reading.scheme.as_str(), None),
    };
    let options = |text: &Option<String>| text.as_ref().is_some_and(|text| text.starts_with('-'));
    let local = transport.is_none() && reading.server.is_none();
    let harm = if !DRIVERS.contains(&driver) {
        "an unknown driver"
    } else if transport.is_some_and(|name| !TRANSPORTS.contains(&format!("+{name}").as_str())) {
        "an unknown transport"
    } else if transport.is_some_and(|name| name.eq_ignore_ascii_case("ext")) {
        "a program as transport"
    } else if reading.path.eq_ignore_ascii_case("/embed") {
        "a hypervisor in this process"
    } else if driver == "test" && reading.path != "/default" {
        "a file"
    } else if (local && LOCAL.contains(&driver)) || CLIENTS.contains(&driver) {
        "a driver in this process"
    } else if reading.fragment.is_some() {
        "a fragment"
    } else if options(&reading.server) || options(&reading.user) {
        "an option of ssh"
    } else {
        return reading.parameters.iter().find_map(|(name, value)| {
            let stores_keys = match name.as_str() {
                "no_verify" => reading.scheme.ends_with("+ssh") && value != "0",
                "known_hosts_verify" => value != "normal",
                _ => false,
            };
            let odd = value.chars().any(|char| char.is_control() || char == '/');
            let harmless = HARMLESS.contains(&name.as_str()) && !stores_keys && !odd;
            (!harmless).then(|| format!("the parameter {name}={value}"))
        });
    };
    Some(harm.into())
}

/// The spellings that libvirt takes for `name`, and others near to it; three of them where not
/// all are wanted.
fn spellings(name: &str, all: bool) -> Vec<String> {
    let mut chars = name.chars();
    let capital = chars.next().map_or(String::new(), |first| {
        format!("{}{}", first.to_uppercase(), chars.as_str())
    });
    let encoded = |upper: bool| {
        name.bytes()
            .map(|byte| match upper {
                true => format!("%{byte:02X}"),
                false => format!("%{byte:02x}"),
            })
            .collect::<String>()
    };
    let first_encoded = match name.split_at_checked(1) {
        Some((first, rest)) => format!("%{:02x}{rest}", first.as_bytes()[0]),
        None => String::new(),
    };
    let mut spellings = vec![name.to_owned(), name.to_uppercase(), first_encoded];
    if all {
        spellings.extend([
            capital,
            encoded(true),
            encoded(false),
            format!("{name}%00"),
            format!(" {name}"),
        ]);
    }
    spellings
}

#[test]
fn no_driver_transport_or_parameter_of_libvirt_gets_a_script_anything() {
    let (mut tried, mut through) = (0, 0);
    let mut offenders = Vec::new();
    let mut check = |text: &str| {
        tried += 1;
        let Some(uri) = let_through(text) else { return };
        through += 1;
        if let Some(harm) = harm(&uri) {
            offenders.push(format!("{text} as {uri}: {harm}"));
        }
    };
    // All combinations take minutes; each driver, transport and parameter is tested in any case.
    let all = std::env::var_os("VIRHAI_TEST_ALL").is_some();
    let queries = [
        ("?", ""),
        ("?", "#x"),
        ("?mode=auto&", ""),
        ("?mode=auto;", ""),
        ("?no_tty=1;", "&no_tty=1"),
        ("#?", ""),
        ("??", ""),
        ("?&", ""),
    ];
    let values = ["/x/evil", "1", "auto", "auto%00", "%2Fx", ""];
    let paths = [
        "/system",
        "/default",
        "/embed",
        "/%65mbed",
        "/etc/shadow",
        "",
    ];
    let places = ["://", "://host", ":", "://-oProxyCommand=x@h", "://u@-h"];
    for (driver, transport) in DRIVERS
        .iter()
        .flat_map(|driver| TRANSPORTS.map(|transport| (driver, transport)))
    {
        let whole = all || *driver == "qemu";
        for scheme in spellings(&format!("{driver}{transport}"), whole) {
            for place in &places[..if whole { places.len() } else { 2 }] {
                for path in paths {
                    for end in ["", "#x", "?root=/tmp"] {
                        check(&format!("{scheme}{place}{path}{end}"));
                    }
                }
            }
        }
        for name in PARAMETERS
            .iter()
            .flat_map(|parameter| spellings(parameter, whole))
        {
            for (before, after) in &queries[..if whole { queries.len() } else { 2 }] {
                for value in &values[..if all { 4 } else { 2 }] {
                    for host in ["", "host"] {
                        check(&format!(
                            "{driver}{transport}://{host}/system{before}{name}={value}{after}"
                        ));
                    }
                }
            }
        }
    }
    assert!(offenders.is_empty(), "{}", offenders.join("\n"));
    assert!(tried > 100_000 && through > 300, "{tried} {through}");
}

#[test]
fn ordinary_uris_need_no_permission_and_stay_as_they_are() {
    let ordinary = [
        "test:///default",
        "qemu:///system",
        "qemu:///session",
        "qemu+unix:///session",
        "qemu+unix:///system?mode=direct",
        "qemu+ssh://kvm1/system",
        "qemu+ssh://admin@kvm1.example.org:2222/system?no_tty=1",
        "qemu+ssh://root@[2001:db8::1]:22/session",
        "qemu+libssh2://kvm1/system?sshauth=agent&known_hosts_verify=normal",
        "qemu+tls://kvm1:16514/system?no_verify=1",
        "qemu+tcp://kvm1/system",
        "qemu://kvm1/system",
        "xen:///system",
        "xen://host/",
        "xen+ssh://root@host",
        "lxc:///",
        "lxc:///system",
        "ch:///session",
        "bhyve:///system",
        "vbox+ssh://admin@host/session",
        "network:///system",
        "nodedev:///session",
        "remote+ssh://host/",
    ];
    for uri in ordinary {
        assert_eq!(
            let_through(uri).as_deref(),
            Some(uri),
            "{:?}",
            Uri::parse(uri)
        );
        assert_eq!(harm(uri), None, "{uri}");
    }
}

#[test]
fn what_names_something_needs_the_permission_for_it() {
    let need = |text: &str| {
        Uri::parse(text)
            .unwrap_or_else(|why| panic!("{text}: {why:?}"))
            .need()
    };
    for (text, named) in [
        ("qemu+ext:///system?command=/x", "ext"),
        ("qemu+ssh://h/system?command=/x", "command"),
        ("qemu+ssh://h/system?netcat=/x", "netcat"),
        ("qemu+ssh://h/system?proxy=netcat", "proxy"),
        ("qemu+ssh://h/system?keyfile=/x", "keyfile"),
        ("qemu+ssh://h/system?no_verify=1", "no_verify"),
        ("qemu+libssh://h/system?known_hosts=/x", "known_hosts"),
        (
            "qemu+libssh://h/system?known_hosts_verify=auto",
            "known_hosts_verify",
        ),
        ("qemu+tls://h/system?pkipath=/x", "pkipath"),
        ("qemu+unix:///system?socket=/x", "socket"),
        ("qemu:///system?name=qemu:///session", "name"),
        ("qemu+tcp://h/system?auth=sasl", "auth"),
        ("qemu+tcp://h/system?authfile=/x", "authfile"),
        ("openvz:///system", "openvz"),
        ("vmwarews:///session", "vmwarews"),
        ("esx://host/?no_verify=1", "esx"),
        ("vpx://host/dc/cluster/esx1", "vpx"),
        ("hyperv://host/?transport=http", "hyperv"),
        ("test+unix:///etc/shadow", "file"),
    ] {
        match need(text) {
            Some(Need::Connect(why)) => assert!(why.contains(named), "{text}: {why}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert_eq!(
        need("qemu:///embed?root=/srv/my%20vm"),
        Some(Need::Embed("/srv/my vm".into()))
    );
    assert_eq!(
        need("secret:///embed?root=/srv"),
        Some(Need::Embed("/srv".into()))
    );
    for path in ["/etc/shadow", "/Default", "//default", "/default/"] {
        assert_eq!(
            need(&format!("test://{path}")),
            Some(Need::Read(path.into()))
        );
    }
}

#[test]
fn a_refusal_names_the_fault_and_suggests_a_correction() {
    let hint = |text: &str| {
        let refused = Uri::parse(text).expect_err(text);
        format!("{}; {}", refused.why, refused.hint.unwrap_or_default())
    };
    for (text, words) in [
        ("qemu+unix:///system?sokcet=/x", "did you mean `socket`?"),
        ("qemu+ssh://h/system?Command=/x", "did you mean `command`?"),
        ("QEMU:///system", "did you mean `qemu`?"),
        ("qemu+SSH://h/system", "did you mean `ssh`?"),
        ("qmeu:///system", "did you mean `qemu`?"),
        ("qemu:///sytem", "did you mean `/system`?"),
        ("qemu:///system?", "parameter ``"),
        ("qemu+ssh://h/system?no_tty=1&no_tty=0", "given twice"),
        (
            "qemu+ssh://h/system?no_tty=yes",
            "must be 0 or 1, not `yes`",
        ),
        (
            "qemu+ssh://h/system?a=1;b=2",
            "separate parameters with `&`",
        ),
        ("qemu:///system#x", "fragment"),
        ("qemu+unix://host/system", "has no host"),
        ("qemu+tls://h/system?keyfile=/x", "`keyfile` has no effect"),
        ("qemu+ssh://-oProxyCommand=x/system", "begins with `-`"),
        ("qemu+ssh://-l@h/system", "the user begins with `-`"),
        ("qemu+ssh://h%20x/system", "is not allowed in the host"),
        ("qemu+ssh://h:0/system", "not a port"),
        ("qemu+ssh://h:65536/system", "not a port"),
        ("lxc:///embed?root=/x", "cannot be embedded"),
        ("test:///embed?root=/x", "cannot be embedded"),
        ("esx://h/embed?root=/x", "has no transport and no host"),
        ("qemu:///embed", "needs the parameter `root`"),
        ("qemu:///embed?root=x", "absolute"),
        ("qemu:///system?root=/x", "no effect"),
        ("test:///default?x=1", "libvirt has no parameter `x`"),
        ("test:///a%0ab", "control character"),
        ("test:///a%zz", "hexadecimal"),
        ("test:///", "needs a path"),
        ("qemu:/system", "no `://`"),
        ("esx+ssh://h/", "has no transport"),
        ("esx:///", "needs a host"),
        ("qemu:///system\u{202e}", "percent-encode"),
    ] {
        let told = hint(text);
        assert!(told.contains(words), "{text}: {told}");
    }
}

/// A word with some letters in the other case, and some of them encoded.
fn respelled(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    let changes = proptest::collection::vec(0_u8..80, 0..24);
    (select(words), changes).prop_map(|(word, changes)| {
        word.chars()
            .enumerate()
            .map(|(index, char)| match changes.get(index) {
                Some(0) => char.to_ascii_uppercase().to_string(),
                Some(1) => format!("%{:02x}", u32::from(char)),
                _ => char.to_string(),
            })
            .collect()
    })
}

/// URIs of libvirt's own words in all spellings, with mistakes of all kinds.
fn uris() -> impl Strategy<Value = String> {
    let hosts: &[&str] = &[
        "",
        "host",
        "u@host:22",
        "-oX=y@h",
        "-h",
        "[::1]",
        "u:p@h",
        "a@b@c",
        "h:",
    ];
    let paths: &[&str] = &[
        "/system",
        "/session",
        "/default",
        "/embed",
        "/",
        "",
        "/etc/shadow",
        "/../embed",
    ];
    let values: &[&str] = &[
        "/x/evil", "1", "0", "auto", "normal", "agent", "netcat", "%2Fx", "a&b", "\n", "",
    ];
    let separators = select(vec!["?", "&", ";", "#", "&&", "=", "?&"]);
    let pair = (separators, respelled(&PARAMETERS), select(values))
        .prop_map(|(separator, name, value)| format!("{separator}{name}={value}"));
    let pairs = proptest::collection::vec(pair, 0..4).prop_map(|pairs| pairs.concat());
    let built = (
        respelled(&DRIVERS),
        respelled(&TRANSPORTS),
        select(vec!["://", "://", "://", ":/", ":", "//", ":///"]),
        select(hosts),
        respelled(paths),
        pairs,
    )
        .prop_map(|(driver, transport, between, host, path, pairs)| {
            format!("{driver}{transport}{between}{host}{path}{pairs}")
        });
    let broken = (
        uris_alone(),
        any::<proptest::sample::Index>(),
        any::<char>(),
    )
        .prop_map(|(text, index, char): (String, _, _)| {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            match places.is_empty() {
                true => text,
                false => {
                    let at = places[index.index(places.len())];
                    format!("{}{char}{}", &text[..at], &text[at..])
                }
            }
        });
    prop_oneof![6 => built, 2 => broken, 1 => ".{0,60}"]
}

fn uris_alone() -> impl Strategy<Value = String> {
    select(vec![
        "qemu+ssh://admin@kvm1:22/system?no_tty=1",
        "qemu:///embed?root=/tmp/x",
        "test:///default",
        "qemu+tls://h/system?no_verify=1&tls_priority=NORMAL",
        "qemu+unix:///session?mode=auto",
    ])
    .prop_map(str::to_owned)
}

#[test]
fn whatever_a_script_gives_what_libvirt_gets_names_nothing_of_the_users() {
    let all = std::env::var_os("VIRHAI_TEST_ALL").is_some();
    let cases = if all { 1_000_000 } else { 40_000 };
    let config = Config {
        failure_persistence: None,
        ..Config::with_cases(cases)
    };
    let through = std::cell::Cell::new(0_u32);
    let result = TestRunner::new(config).run(&uris(), |text| {
        let parsed = Uri::parse(&text);
        if let Ok(uri) = &parsed {
            // The canonical form is a fixed point, and libvirt reads the same parts in it.
            let canonical = uri.to_string();
            prop_assert_eq!(&Uri::parse(&canonical), &parsed);
            let reading = Reading::of(&canonical).expect("it has a scheme");
            prop_assert_eq!(&reading.path, &uri.path);
            prop_assert_eq!(&reading.server, &uri.host);
            prop_assert_eq!(&reading.user, &uri.user);
            let known: Vec<(String, String)> = uri
                .parameters
                .iter()
                .map(|(parameter, value)| (parameter.name.to_owned(), value.clone()))
                .collect();
            prop_assert_eq!(&reading.parameters, &known);
        }
        if let Some(uri) = let_through(&text) {
            through.set(through.get() + 1);
            prop_assert_eq!(harm(&uri), None, "{}", uri);
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(
        through.get() > cases / 1_000,
        "the URIs are not near enough to real ones"
    );
}
