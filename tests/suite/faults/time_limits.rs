//! Calls that get no answer: they have a time limit, and do not block the script.

use std::time::{Duration, Instant};

use super::daemon::Dialogue;
use super::guest::{Frozen, qemu};
use crate::support::{Daemon, Deaf, Host};

#[test]
fn a_call_to_a_frozen_guest_fails_at_the_time_limit_and_reads_go_on() {
    let host = Daemon::start();
    let (frozen, well) = (host.micro("hang", "frozen"), host.micro("counter", "well"));
    host.ok(&format!(
        "let conn = connect(); conn.create_xml(`{frozen}`); conn.create_xml(`{well}`);"
    ));
    let _still = Frozen::new(qemu(&host, "frozen"));
    let began = Instant::now();
    let said = host
        .virhai()
        .arg("--call-timeout")
        .arg("8s")
        .script(
            r#"
            let conn = connect();
            let frozen = conn.lookup_by_name("frozen");
            let found = parallel([1, 2, 3, 4, 5, "reads"], 6, |what| {
                if what == "reads" {
                    sleep("1s");
                    let began = timestamp();
                    let seen = [
                        conn.list_all_domains().len(),
                        conn.lookup_by_name("well").state(),
                        frozen.state(),
                        frozen.info().vcpus,
                    ];
                    // Well before the calls that get no answer are given up.
                    assert(began.elapsed < 5.0, `reads took ${began.elapsed} s`);
                    return seen;
                }
                try { frozen.suspend(); "no error" } catch (err) { return [err.code, err.message] }
            });
            print(found[5]);
            for index in 0..5 { print(found[index][0]); }
            print(found.map(|it| it[1]).filter(|it| type_of(it) == "string" && it.contains("outcome is unknown")).len());
            print(found.map(|it| it[1]).filter(|it| type_of(it) == "string" && it.contains("other calls")).len());
            "#,
        )
        .ok();
    let timed_out = "VIR_ERR_OPERATION_TIMEOUT\n".repeat(5);
    // Three calls are under way, two wait for a permit.
    let expected = format!("[2, \"running\", \"running\", 1]\n{timed_out}3\n2\n");
    assert_eq!(said, expected);
    // Neither the end of the script nor that of its connection waits for the calls.
    assert!(
        began.elapsed() < Duration::from_secs(40),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn a_call_that_the_daemon_does_not_answer_fails_at_the_time_limit() {
    let host = Deaf::start();
    let xml = host.micro("counter", "web");
    host.ok(&format!("connect().define_xml(`{xml}`);"));
    let run = host.virhai().arg("--call-timeout").arg("2s");
    let run = run.arg("--connect-timeout").arg("3s");
    let mut script = Dialogue::of(
        run,
        r#"
        let conn = connect();
        let dom = conn.lookup_by_name("web");
        print("connected");
        let began = timestamp();
        loop {
            try { dom.state(); sleep("20ms"); began = timestamp(); }
            catch (err) {
                assert_eq(err.code, "VIR_ERR_OPERATION_TIMEOUT");
                assert(err.hint.contains("--call-timeout"), err.hint);
                break;
            }
        }
        assert(began.elapsed < 20.0);
        for call in [|| dom.undefine(), || conn.list_all_domains(), || dom.wait("running", "1s")] {
            try { call.call(); print("no error"); } catch (err) { print(err.code); }
        }
        conn.close();
        print("closed");
        "#,
    );
    script.says("connected");
    let began = Instant::now();
    host.turn_deaf();
    for _ in 0..2 {
        script.says("VIR_ERR_OPERATION_TIMEOUT");
    }
    let _ = script.line();
    script.says("closed");
    let (status, errors) = script.ends();
    assert_eq!(status, Some(0), "{errors}");
    assert!(
        began.elapsed() < Duration::from_secs(60),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn a_stop_abandons_an_unanswered_call_and_undoes() {
    let host = Deaf::start();
    let run = host.virhai().arg("--timeout").arg("3s");
    let mut script = Dialogue::of(
        run,
        r#"
        let conn = connect();
        all_or_nothing(|undo| {
            undo.push(|| print("undone"));
            print("connected");
            loop { conn.list_all_domains(); sleep("20ms"); }
        });
        "#,
    );
    script.says("connected");
    host.turn_deaf();
    script.says("undone");
    let (status, errors) = script.ends();
    assert_eq!(status, Some(124), "{errors}");
    assert!(
        !errors.contains("a libvirt call did not return"),
        "{errors}"
    );
}
