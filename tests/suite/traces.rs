//! Traces of runs, as a collector of OpenTelemetry gets them.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::support::{Scratch, virhai};

/// A field of a message of Protocol Buffers: its number and its bytes, or its value in little endian.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (first, rest) = bytes.split_first().expect("the number is complete");
            *bytes = rest;
            value |= u64::from(first & 0x7f) << shift;
            if first & 0x80 == 0 {
                break;
            }
        }
        value
    }
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let length = match tag & 7 {
            0 => {
                all.push((tag >> 3, varint(&mut bytes).to_le_bytes().to_vec()));
                continue;
            }
            1 => 8,
            2 => usize::try_from(varint(&mut bytes)).expect("it fits"),
            _ => 4,
        };
        let (value, rest) = bytes.split_at(length);
        all.push((tag >> 3, value.to_vec()));
        bytes = rest;
    }
    all
}

/// The values of the fields with that number.
fn all(message: &[u8], number: u64) -> Vec<Vec<u8>> {
    let found = fields(message).into_iter();
    found
        .filter(|(known, _)| *known == number)
        .map(|(_, value)| value)
        .collect()
}

fn one(message: &[u8], number: u64) -> Vec<u8> {
    all(message, number).pop().unwrap_or_default()
}

fn text(message: &[u8], number: u64) -> String {
    String::from_utf8(one(message, number)).expect("it is text")
}

/// Answers one request with status 200, and returns its head and its body.
fn collected(listener: &TcpListener) -> (String, Vec<u8>) {
    let (mut stream, _) = listener.accept().expect("a request comes");
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).expect("it can be read");
        request.extend_from_slice(&buffer[..count]);
        let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or(0);
        if request.len() >= end + 4 + length {
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream
                .write_all(answer.as_bytes())
                .expect("it can be written");
            return (head, request.split_off(end + 4));
        }
    }
}

#[test]
fn a_run_is_a_trace_with_a_span_for_each_step() {
    let folder = Scratch::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    let collector = std::thread::spawn(move || collected(&listener));
    folder.write(
        "run.rhai",
        "step(\"outer\", || { step(\"inner\", || 1); step(\"fails\", || throw \"no luck\"); })",
    );
    let run = || {
        virhai()
            .folder(folder.path(""))
            .env("XDG_STATE_HOME", folder.path("state"))
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{address}"))
            .arg("run.rhai")
    };
    let failed = run().fails(1);
    assert!(!failed.stderr.contains("cannot send"), "{failed}");
    let (head, body) = collector.join().expect("the request is complete");
    assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
    assert!(
        head.contains("content-type: application/x-protobuf"),
        "{head}"
    );

    // ExportTraceServiceRequest, ResourceSpans, ScopeSpans, Span.
    let resource = one(&body, 1);
    assert!(String::from_utf8_lossy(&one(&resource, 1)).contains("virhai"));
    let spans = all(&one(&resource, 2), 2);
    let span = |name: &str| {
        let found = spans.iter().find(|span| text(span, 5) == name);
        found.unwrap_or_else(|| panic!("there is no span `{name}`"))
    };
    assert_eq!(spans.len(), 4);
    let (run_span, outer) = (span("run run.rhai"), span("outer"));
    let parents = [
        (outer, run_span),
        (span("inner"), outer),
        (span("fails"), outer),
    ];
    for (child, parent) in parents {
        assert_eq!(one(child, 1), one(parent, 1), "one trace");
        assert_eq!(one(child, 4), one(parent, 2), "the parent");
        let time = |span: &[u8], field| {
            let bytes = one(span, field).try_into().expect("it has 8 bytes");
            u64::from_le_bytes(bytes)
        };
        assert!(time(parent, 7) <= time(child, 7) && time(child, 7) <= time(child, 8));
        assert!(time(child, 8) <= time(parent, 8));
    }
    // The status: 1 is ok, 2 is an error.
    let status = |span: &[u8]| {
        let status = one(span, 15);
        (one(&status, 3).first().copied(), text(&status, 2))
    };
    assert_eq!(status(span("inner")), (Some(1), String::new()));
    let (code, message) = status(span("fails"));
    assert_eq!(code, Some(2));
    assert!(message.contains("no luck"), "{message}");
    assert_eq!(status(run_span).0, Some(2));

    // Without a collector, the run still has its own result.
    let failed = run().fails(1);
    assert!(
        failed.stderr.contains("cannot send the trace of the run"),
        "{failed}"
    );
}
