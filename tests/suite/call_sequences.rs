//! Random sequences of calls over the whole catalogue, on libvirt's test driver: each call gives a value or an error,
//! and none ends the process.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use virhai::catalog::{self, Function};
use virhai::engine::{self, Limits};
use virhai::spec::Type;
use virhai::{Imports, Session, SessionOptions};

use crate::support::virhai;

/// Objects of each type that a sequence begins with.
const OBJECTS: &[(&str, &str)] = &[
    ("Connection", "connect()"),
    ("Connection", "connect_read_only(\"test:///default\")"),
    ("Domain", "o0.lookup_by_name(\"test\")"),
    (
        "Domain",
        "o0.define_xml(\"<domain type='test'><name>other</name><memory>65536</memory><os><type>hvm</type></os><devices><disk type='file'><source file='/x'/><target dev='vda'/></disk><interface type='network'><source network='default'/></interface></devices></domain>\")",
    ),
    (
        "DomainSnapshot",
        "o2.snapshot_create_xml(\"<domainsnapshot><name>s</name></domainsnapshot>\")",
    ),
    (
        "DomainCheckpoint",
        "{ o3.create(); o3.checkpoint_create_xml(\"<domaincheckpoint><name>c</name></domaincheckpoint>\") }",
    ),
    ("Network", "o0.network_lookup_by_name(\"default\")"),
    (
        "StoragePool",
        "o0.storage_pool_lookup_by_name(\"default-pool\")",
    ),
    (
        "StorageVol",
        "o7.create_xml(\"<volume><name>v</name><capacity>1048576</capacity></volume>\")",
    ),
    ("Interface", "o0.interface_lookup_by_name(\"eth1\")"),
    (
        "NodeDevice",
        "o0.node_device_lookup_by_name(\"scsi_host1\")",
    ),
    ("Stream", "o0.new_stream()"),
    ("Xml", "o2.xml()"),
    (
        "Error",
        "{ let caught = (); try { o0.lookup_by_name(\"none\"); } catch (err) { caught = err; } caught }",
    ),
];

/// Functions that end or block a script by design, or reach a host other than the test driver.
const LEFT_OUT: &[&str] = &[
    "exit",
    "connect_auth",
    "connect_admin",
    "set_keep_alive",
    "tcp_answers",
];

/// Functions that wait: the time is an argument, which is kept short.
const WAITS: &[&str] = &["wait", "wait_event", "sleep", "stop"];

/// Functions that the language does not accept as methods.
const BUILT_IN: &[&str] = &["print", "debug", "type_of", "eval", "call", "curry"];

/// Texts that calls take: names, paths, XML of the kinds, words, numbers and nonsense.
const TEXTS: &[&str] = &[
    "test",
    "other",
    "default",
    "default-pool",
    "v",
    "s",
    "c",
    "eth1",
    "vda",
    "computer",
    "scsi_host1",
    "test:///default",
    "/x",
    "10ms",
    "1MiB",
    "running",
    "shutoff",
    "lifecycle",
    "domain/name",
    "//name",
    "name",
    "devices/disk",
    "",
    "a\\x00b",
    "\\u00df",
    "52:54:00:00:00:01",
    "7e1a0000-0000-4000-8000-000000000001",
    "0-3",
    "{\\\"execute\\\": \\\"stop\\\"}",
    "<domain type='test'><name>more</name><memory>65536</memory><os><type>hvm</type></os></domain>",
    "<domain type='test'><name>test</name><memory>1024</memory><os><type>hvm</type></os></domain>",
    "<domainsnapshot><name>t</name></domainsnapshot>",
    "<domainsnapshot/>",
    "<domaincheckpoint><name>d</name></domaincheckpoint>",
    "<network><name>lab</name></network>",
    "<network><name>default</name></network>",
    "<pool type='dir'><name>images</name><target><path>/images</path></target></pool>",
    "<volume><name>w</name><capacity>1048576</capacity></volume>",
    "<interface type='ethernet' name='eth2'/>",
    "<disk type='file' device='disk'><source file='/y'/><target dev='vdb'/></disk>",
    "<disk type='file'><target dev='vda'/></disk>",
    "<interface type='network'><source network='default'/></interface>",
    "<memory unit='KiB'>1024</memory>",
    "<a/>",
    "<",
    "<device><parent>scsi_host1</parent><capability type='scsi_host'><capability type='fc_host'/></capability></device>",
    "<cpu><arch>x86_64</arch><model>qemu64</model></cpu>",
    "<domainbackup/>",
    "<secret/>",
    "<filter name='f'/>",
];

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "4",
    "8",
    "16",
    "64",
    "256",
    "1024",
    "65536",
    "-1",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808 + 0",
];

const ANY: &[&str] = &[
    "()",
    "0",
    "1",
    "true",
    "1.5",
    "\"test\"",
    "\"10ms\"",
    "\"1MiB\"",
    "\"lifecycle\"",
    "[]",
    "[0, 1]",
    "[\"running\"]",
    "#{}",
    "#{ kind: \"lifecycle\" }",
    "|| 1",
    "blob(16)",
    "'x'",
];

/// Pseudo-random numbers from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % most
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

/// The names of the objects that a sequence has, by their types.
type Objects = BTreeMap<String, Vec<String>>;

/// An argument of the type `kind`, mostly a right one.
fn argument(kind: &Type, objects: &Objects, random: &mut Random) -> String {
    if random.below(24) == 0 {
        return random.of(ANY).to_owned();
    }
    if let Some(object) = kind.object() {
        return match objects.get(object) {
            Some(known) => known[random.below(known.len())].clone(),
            None => "()".to_owned(),
        };
    }
    let text = |random: &mut Random| format!("\"{}\"", random.of(TEXTS));
    match kind.plain().to_string().as_str() {
        "int" => random.of(NUMBERS).to_owned(),
        "float" => random.of(&["0.0", "0.01", "-1.5"]).to_owned(),
        "bool" => random.of(&["true", "false"]).to_owned(),
        "char" => "'x'".to_owned(),
        "string" => text(random),
        "array" => match random.below(4) {
            0 => "[]".to_owned(),
            1 => format!("[{}]", text(random)),
            2 => "[1, 2, 3]".to_owned(),
            _ => format!("[{}]", one_object(objects, random)),
        },
        "map" => random
            .of(&[
                "#{}",
                "#{ timeout: \"10ms\" }",
                "#{ shutdown: \"10ms\", agent: 0 }",
                "#{ weight: 5 }",
                "#{ a: 1 }",
                "#{ bandwidth: 1 }",
            ])
            .to_owned(),
        "blob" => random.of(&["blob()", "blob(16)"]).to_owned(),
        "closure" => random.of(&["|| 1", "|x| x", "|x| throw x"]).to_owned(),
        _ => match random.below(4) {
            0 => one_object(objects, random),
            1 => random.of(ANY).to_owned(),
            2 => random.of(NUMBERS).to_owned(),
            _ => text(random),
        },
    }
}

fn one_object(objects: &Objects, random: &mut Random) -> String {
    let kinds: Vec<&Vec<String>> = objects.values().collect();
    let known = kinds[random.below(kinds.len())];
    known[random.below(known.len())].clone()
}

/// A script of `length` calls, which follow from `seed`.
fn sequence(functions: &[&Function], seed: u64, length: usize) -> String {
    let mut random = Random(seed);
    let mut objects = Objects::new();
    let mut script = String::new();
    for (number, (kind, make)) in OBJECTS.iter().enumerate() {
        let _ = writeln!(script, "let o{number} = {make};");
        objects
            .entry((*kind).to_owned())
            .or_default()
            .push(format!("o{number}"));
    }
    for number in 0..length {
        let function = functions[random.below(functions.len())];
        let waits = WAITS.contains(&function.name.as_str());
        let arguments: Vec<String> = function
            .parameters
            .iter()
            .map(|(_, kind)| match kind {
                _ if kind.object().is_some() || !waits => argument(kind, &objects, &mut random),
                Type::Map => "#{ shutdown: \"10ms\", agent: 0 }".to_owned(),
                Type::Words(_) => format!("\"{}\"", random.of(TEXTS)),
                _ => "\"10ms\"".to_owned(),
            })
            .collect();
        let Some(call) = written(function, &arguments) else {
            continue;
        };
        let result = match &function.returns {
            Type::Array(item) => item.object(),
            other => other.object(),
        };
        // The result of a call is used in later calls; if the call throws, an older object is used.
        let known = result.and_then(|kind| objects.get(kind)?.last().cloned());
        let _ = match (result, known) {
            (Some(kind), Some(known)) => {
                objects
                    .entry(kind.to_owned())
                    .or_default()
                    .push(format!("r{number}"));
                writeln!(
                    script,
                    "let r{number} = {known}; try {{ let made = {call}; if type_of(made) == \"array\" {{ made = made.pop(); }} \
                     if type_of(made) == type_of(r{number}) {{ r{number} = made; }} }} catch {{}}"
                )
            }
            _ => writeln!(script, "try {{ {call}; }} catch {{}}"),
        };
    }
    script += "print(\"survived\");";
    script
}

/// The call as a script writes it.
fn written(function: &Function, arguments: &[String]) -> Option<String> {
    let name = &function.name;
    let is_word = name.starts_with(char::is_alphabetic);
    Some(match arguments {
        _ if name.contains('$') => return None,
        [object] if function.property => format!("{object}.{name}"),
        [object] if !is_word => format!("{name}{object}"),
        [one, other] if !is_word => format!("{one} {name} {other}"),
        _ if !is_word => return None,
        [object, rest @ ..]
            if function.method
                && !object.starts_with(['|', '-'])
                && !BUILT_IN.contains(&name.as_str()) =>
        {
            format!("{object}.{name}({})", rest.join(", "))
        }
        all => format!("{name}({})", all.join(", ")),
    })
}

#[test]
fn no_sequence_of_calls_ends_the_process() {
    let session = Session::new(SessionOptions::default());
    let engine = engine::build(&session, &Limits::default(), Imports::default());
    let all = catalog::functions(&engine);
    // `connect` with a text opens any host that the text names.
    let reaches_out = |function: &Function| {
        function.name.starts_with("connect") && !function.parameters.is_empty() && !function.method
    };
    let has = |kind: &str| OBJECTS.iter().any(|(known, _)| *known == kind);
    let left_out = |function: &Function| {
        let object = function.receiver().and_then(Type::object);
        let is_missing = object.is_some_and(|object| !has(object));
        // `stop` without options waits with its default time limits, which are long.
        let waits_long = function.name == "stop" && function.parameters.len() == 1;
        let listed = LEFT_OUT.contains(&function.name.as_str());
        listed || waits_long || is_missing || reaches_out(function)
    };
    let functions: Vec<&Function> = all.iter().filter(|function| !left_out(function)).collect();
    assert!(functions.len() > 700, "{}", functions.len());
    let (seconds, seed) = match std::env::var("VIRHAI_TEST_ALL") {
        Ok(seconds) => {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            let seed = now.expect("the clock is past 1970").as_nanos() & 0xffff_ffff;
            // `VIRHAI_TEST_ALL=3600` is an hour.
            let seconds: u64 = seconds.parse().unwrap_or(1);
            (seconds.max(20), u64::try_from(seed).expect("32 bits"))
        }
        Err(_) => (0, 1),
    };
    let until = Instant::now() + Duration::from_secs(seconds);
    let (mut made, mut timed_out) = (0, 0);
    for seed in seed.. {
        let script = sequence(&functions, seed, 150);
        let outcome = virhai()
            .unprivileged()
            .without_grants()
            .arg("-c")
            .arg("test:///default")
            .arg("--no-check")
            .arg("--quiet")
            .arg("--timeout")
            .arg("10s")
            .arg("--max-memory")
            .arg("256MiB")
            .arg("-")
            .first_arg("run")
            .script(script.clone())
            .run();
        let told = format!("seed {seed}\n{script}\n{outcome}");
        assert!(!outcome.stderr.contains("panicked"), "{told}");
        assert!(!outcome.stderr.contains("internal error (please"), "{told}");
        // A script that waits too long or takes too much memory is stopped.
        assert!([0, 1, 124].contains(&outcome.status), "{told}");
        assert!(
            outcome.status != 0 || outcome.stdout.contains("survived"),
            "{told}"
        );
        made += 1;
        timed_out += usize::from(outcome.status == 124);
        if made >= 8 && Instant::now() >= until {
            break;
        }
    }
    assert!(
        timed_out * 4 <= made,
        "{timed_out} of {made} were stopped by the clock"
    );
    eprintln!("{made} sequences, {timed_out} of them stopped by the clock");
}
