//! Downloads of scripts, with a permission for each host.

use std::io::Write;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::support::{Daemon, Host, Run, WebServer, virhai, web_answer};

fn granted(hosts: &[String], script: &str) -> Run {
    let run = virhai().without_grants().env("NO_PROXY", "*");
    let run = hosts
        .iter()
        .fold(run, |run, host| run.arg("--allow-net").arg(host));
    run.script(script)
}

#[test]
fn http_get_returns_the_answer_and_each_redirection_needs_a_permission() {
    let other = WebServer::start(|request, stream| {
        let told = request.header("authorization").unwrap_or("none").to_owned();
        web_answer(stream, "200 OK", "", told.as_bytes());
    });
    let there = other.url("there").replace("127.0.0.1", "localhost");
    let elsewhere = there.clone();
    let server = WebServer::start(move |request, stream| match request.path.as_str() {
        "/away" => web_answer(
            stream,
            "302 Found",
            &format!("Location: {elsewhere}\r\n"),
            b"",
        ),
        "/here" => web_answer(stream, "302 Found", "Location: text\r\n", b""),
        "/round" => web_answer(stream, "302 Found", "Location: /round\r\n", b""),
        "/file" => web_answer(stream, "302 Found", "Location: file:///etc/passwd\r\n", b""),
        "/text" => web_answer(stream, "200 OK", "X-Own: yes\r\n", "ü".as_bytes()),
        "/bytes" => web_answer(stream, "200 OK", "", &[255, 0]),
        "/large" => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            while stream.write_all(&[0; 65536]).is_ok() {}
        }
        "/silent" => std::thread::sleep(Duration::from_secs(20)),
        _ => web_answer(stream, "404 Not Found", "", b"no"),
    });
    let here = format!("127.0.0.1:{}", server.port());
    let base = server.url("");
    let script = format!(
        r#"
        let base = "{base}";
        let text = http_get(base + "text");
        assert_eq([text.status, text.body, text.headers["x-own"], text.url], [200, "ü", "yes", base + "text"]);
        assert_eq(http_get(base + "here").url, base + "text");
        assert_eq(http_get(base + "bytes").body, blob(1, 255) + blob(1));
        assert_eq(http_get(base + "none", #{{ check: false }}).status, 404);
        fn fails(base, path, words) {{
            try {{ http_get(base + path, #{{ timeout: "1s", headers: #{{ authorization: "secret" }} }}); }} catch (err) {{
                assert(err.message.contains(words), `${{path}}: ${{err}}`);
                return;
            }}
            throw path;
        }}
        fails(base, "none", "status 404");
        fails(base, "away", "may not connect to localhost");
        fails(base, "round", "more than 10 times");
        fails(base, "file", "it redirects to `file:///etc/passwd`");
        fails(base, "large", "16 MiB");
        fails(base, "silent", "");
        fails("http://user@127.0.0.1/", "", "contains a user name");
        fails("ftp://127.0.0.1/", "", "not an http or https URL");
        fails("file:///etc/passwd", "", "not a URL");
        fails("http://127.0.0.1:1/", "", "may not connect");
        "#
    );
    granted(std::slice::from_ref(&here), &script).ok();
    assert!(other.seen().is_empty(), "the other host was not asked");
    let both = [here, format!("localhost:{}", other.port())];
    let script = format!(
        "print(http_get(\"{base}away\", #{{ headers: #{{ Authorization: \"secret\" }} }}).body)"
    );
    assert_eq!(granted(&both, &script).ok(), "none\n");
    let script = format!("http_get(\"{base}silent\")");
    granted(&both, &script)
        .arg("--timeout")
        .arg("500ms")
        .fails(124);
}

#[test]
fn a_broken_download_continues_and_a_wrong_one_leaves_no_volume() {
    let data: Vec<u8> = (0..700_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    let sum: String = Sha256::digest(&data)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let whole = data.clone();
    let server = WebServer::start(move |request, stream| {
        let from = request.header("range").and_then(|range| {
            range
                .strip_prefix("bytes=")?
                .strip_suffix('-')?
                .parse::<usize>()
                .ok()
        });
        let path = request.path.split('?').next().unwrap_or_default();
        match (path, from) {
            ("/short.img", None) => {
                // The connection breaks after a third of the data.
                let head = format!(
                    "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: {}\r\n\r\n",
                    whole.len()
                );
                let _ = stream.write_all(head.as_bytes());
                let _ = stream.write_all(&whole[..whole.len() / 3]);
            }
            ("/short.img", Some(from)) => {
                web_answer(stream, "206 Partial Content", "", &whole[from..])
            }
            ("/whole.img", _) => web_answer(stream, "200 OK", "", &whole),
            ("/empty.img", _) => web_answer(stream, "200 OK", "", b""),
            ("/stuck.img", _) => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nabc");
                std::thread::sleep(Duration::from_secs(20));
            }
            _ => web_answer(stream, "404 Not Found", "", b"no"),
        }
    });
    let host = Daemon::start();
    let folder = host.scratch().folder("images");
    let base = server.url("");
    let script = format!(
        r#"
        let conn = connect();
        let pool = conn.storage_pool_define_xml("<pool type='dir'><name>images</name><target><path>{folder}</path></target></pool>");
        pool.create();
        let seen = [];
        let vol = pool.http_download("{base}short.img", #{{ sha256: "{sum}", progress: |done, total| seen.push([done, total]) }});
        assert_eq([vol.name, seen[seen.len() - 1]], ["short.img", [700000, 700000]]);
        assert_eq(pool.http_download("{base}whole.img?x=1", #{{ name: "b.img" }}).name, "b.img");
        assert_eq(pool.http_download("{base}empty.img").info().capacity_bytes, 0);
        fn fails(pool, url, options, words) {{
            try {{ pool.http_download(url, options); }} catch (err) {{
                assert(err.message.contains(words), `${{url}}: ${{err}}`);
                return;
            }}
            throw url;
        }}
        fails(pool, "{base}whole.img", #{{ sha256: "0".repeat(64) }}, "its SHA-256 is {sum}");
        fails(pool, "{base}whole.img", #{{ sha256: "x" }}, "64 hexadecimal digits");
        fails(pool, "{base}none.img", #{{}}, "status 404");
        fails(pool, "{base}", #{{}}, "does not end in a name for the volume");
        fails(pool, "{base}whole.img", #{{ name: "b.img" }}, "exists");
        fails(pool, "http://127.0.0.1:1/a", #{{}}, "may not connect");
        let names = pool.list_volumes();
        names.sort();
        print(names.join(" "));
        pool.http_download("{base}stuck.img");
        "#,
        folder = folder.display()
    );
    let ended = host
        .virhai()
        .arg("--allow-net")
        .arg(format!("127.0.0.1:{}", server.port()))
        .arg("--timeout")
        .arg("8s")
        .script(script)
        .fails(124);
    assert_eq!(ended.stdout, "b.img empty.img short.img\n", "{ended}");
    let file = |name: &str| std::fs::read(folder.join(name)).ok();
    assert_eq!(file("short.img").as_ref(), Some(&data));
    assert_eq!(file("b.img").as_ref(), Some(&data));
    assert_eq!(
        file("stuck.img"),
        None,
        "a stopped download leaves no volume"
    );
    assert_eq!(file("whole.img"), None);
}
