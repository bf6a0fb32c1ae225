//! The frames of the protocol's messages: headers, an empty line, JSON.
//!
//! Messages are read here and not by `lsp-server`, which allocates any length that a header names,
//! and ends at the first message that is not JSON.

use std::io::{BufRead, ErrorKind, Read};

use lsp_server::{ErrorCode, Message};
use serde_json::{Value, json};

/// The longest message, in bytes.
const LONGEST: u64 = 64 * 1024 * 1024;

/// The longest headers, in bytes.
const LONGEST_HEADERS: u64 = 8 * 1024;

/// One frame of the input, or the reason why there is none.
#[derive(Debug)]
pub(super) enum Frame {
    /// A message.
    Message(Box<Message>),
    /// An invalid message, with the answer to send. Its length still tells where the next one begins.
    Refused(Value),
    /// The input has ended between two messages.
    End,
    /// The beginning of the next message is unknown.
    Broken(String),
}

/// Reads the next message of `input`.
pub(super) fn read(input: &mut impl BufRead) -> Frame {
    let length = match length(input) {
        Ok(Some(length)) => length,
        Ok(None) => return Frame::End,
        Err(why) => return Frame::Broken(why),
    };
    if length > LONGEST {
        return Frame::Broken(format!(
            "the message has {length} bytes, more than the limit of {LONGEST} bytes"
        ));
    }
    let mut bytes = Vec::new();
    match input.by_ref().take(length).read_to_end(&mut bytes) {
        Ok(count) if count as u64 == length => parse(&bytes),
        Ok(_) => Frame::Broken("the input ends within a message".into()),
        Err(error) => Frame::Broken(format!("cannot read the input: {error}")),
    }
}

/// The length of the next message, or `None` at the end of the input.
fn length(input: &mut impl BufRead) -> Result<Option<u64>, String> {
    let mut headers = input.by_ref().take(LONGEST_HEADERS);
    let mut length = None;
    let mut first = true;
    loop {
        let mut line = Vec::new();
        match headers.read_until(b'\n', &mut line) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(format!("cannot read the input: {error}")),
        }
        if !line.ends_with(b"\n") {
            return match (line.is_empty() && first, headers.limit()) {
                (true, _) => Ok(None),
                (_, 0) => Err(format!("the headers exceed {LONGEST_HEADERS} bytes")),
                _ => Err("the input ends within the headers of a message".into()),
            };
        }
        first = false;
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            return match length {
                Some(length) => Ok(Some(length)),
                None => Err("a message has no `Content-Length`".into()),
            };
        }
        let Some((name, value)) = line.split_once(':') else {
            return Err(format!("`{}` is not a header", shortened(line)));
        };
        if name.trim().eq_ignore_ascii_case("content-length") {
            let value = value.trim();
            // A sign is not part of a length.
            let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
            match value.parse::<u64>() {
                Ok(number) if digits => length = Some(number),
                _ => {
                    return Err(format!(
                        "`Content-Length: {}` is not a length",
                        shortened(value)
                    ));
                }
            }
        }
    }
}

fn parse(bytes: &[u8]) -> Frame {
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(error) => {
            let message = format!("the message is not JSON: {error}");
            return Frame::Refused(refusal(&Value::Null, ErrorCode::ParseError, &message));
        }
    };
    let id = match value.get("id") {
        Some(id @ (Value::Number(_) | Value::String(_))) => id.clone(),
        _ => Value::Null,
    };
    match serde_json::from_value(value) {
        Ok(message) => Frame::Message(Box::new(message)),
        Err(_) => {
            let message = "the message is neither a request, a notification nor a response";
            Frame::Refused(refusal(&id, ErrorCode::InvalidRequest, message))
        }
    }
}

/// An error response with the reason; `id` is null if the request is unknown.
pub(super) fn refusal(id: &Value, code: ErrorCode, message: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code as i32, "message": message } })
}

/// `value` as it is sent.
pub(super) fn framed(value: &Value) -> String {
    let text = value.to_string();
    format!("Content-Length: {}\r\n\r\n{text}", text.len())
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::{Frame, read};

    fn first(bytes: &[u8]) -> Frame {
        read(&mut &bytes[..])
    }

    #[test]
    fn lengths_that_cannot_be_end_the_input() {
        for header in [
            "Content-Length: 18446744073709551615\r\n\r\n{}",
            "Content-Length: 99999999999\r\n\r\n{}",
            "Content-Length: 99999999999999999999999999\r\n\r\n{}",
            "Content-Length: -1\r\n\r\n{}",
            "Content-Length: +2\r\n\r\n{}",
            "Content-Length: \r\n\r\n{}",
            "Content-Length: 9\r\n\r\n{}",
            "Content-Type: x\r\n\r\n{}",
            "no header\r\n\r\n{}",
            "Content-Length: 2\r\n",
            "\r\n",
        ] {
            assert!(
                matches!(first(header.as_bytes()), Frame::Broken(_)),
                "{header:?}"
            );
        }
        let endless = vec![b'x'; 1 << 20];
        assert!(matches!(first(&endless), Frame::Broken(_)));
        assert!(matches!(first(b""), Frame::End));
    }

    #[test]
    fn a_message_that_is_none_is_refused_and_the_next_is_read() {
        let mut input = &b"Content-Length: 5\r\n\r\n{\"a\":content-length:3\n\n[1]Content-Length: 54\r\nX: y\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{\"a\":1}}"[..];
        assert!(
            matches!(read(&mut input), Frame::Refused(answer) if answer["error"]["code"] == -32700)
        );
        assert!(
            matches!(read(&mut input), Frame::Refused(answer) if answer["error"]["code"] == -32600)
        );
        assert!(matches!(read(&mut input), Frame::Message(_)), "{input:?}");
        assert!(matches!(read(&mut input), Frame::End));
    }
}
