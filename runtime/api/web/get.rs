//! Gets a URL.

use std::time::Duration;

use rhai::plugin::*;
use rhai::{Dynamic, Map, NativeCallContext};

use super::client::{Read1, Request, failed, headers};
use crate::api::arguments::RhaiResultOf;
use crate::api::room::{MOST, ensure_room};
use crate::run::exit::terminated;
use crate::run::session::Session;
use crate::run::waiting::Waiting;
use crate::vocabulary::{OptionsOf, Output, RecordOf, options, record};

options! {
    /// Headers and time limit of a request.
    pub(super) struct HttpOptions {
        /// Headers of the request: names with their values.
        headers: Option<Map>,
        /// Time limit for the beginning of the answer, and for each pause in the answer.
        timeout: Duration = "30s",
        /// True if a status of 400 or more throws.
        check: bool = true,
    }
}

record! {
    /// Answer of a server.
    pub(super) struct HttpResponse {
        /// Status of the answer, such as 200.
        status: i64,
        /// Headers of the answer: names in lower case with their values.
        headers: Map,
        /// Body of the answer: text, or a blob if it is not UTF-8.
        body: Output,
        /// URL that answered, after all redirections.
        url: String,
    }
}

fn get(ctx: &NativeCallContext, url: &str, options: &Map) -> RhaiResultOf<Map> {
    let options = HttpOptions::read(ctx, options)?;
    let session = Session::of(ctx);
    let _waiting = Waiting::new(&session, || format!("an answer of {url}"));
    let request = Request {
        url,
        headers: headers(ctx, options.headers.as_ref())?,
        timeout: options.timeout,
    };
    let answer = request.send(ctx)?;
    let (status, place) = (answer.status, answer.url.clone());
    if options.check && status >= 400 {
        return Err(failed(
            ctx,
            url,
            format!("the server answered with status {status}"),
        ));
    }
    let answered: Map = answer
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().into(), value.to_str().ok()?.into())))
        .collect();
    let (reading, stop) = answer
        .read()
        .map_err(|error| failed(ctx, url, error.to_string()))?;
    let interrupt = session.interrupt();
    let _guard = interrupt.on_stop(move || stop.stop());
    let mut body = Vec::new();
    loop {
        match reading.next(options.timeout, &|| interrupt.stopping().is_some()) {
            Read1::Bytes(bytes) => {
                if body.len() + bytes.len() > MOST {
                    return Err(failed(ctx, url, "the answer exceeds the limit of 16 MiB"));
                }
                ensure_room(ctx, 2 * (body.len() + bytes.len()))?;
                body.extend(bytes);
            }
            Read1::End => break,
            Read1::Failed(why) => return Err(failed(ctx, url, why)),
            Read1::Stopped => return Err(terminated(ctx)),
        }
    }
    let body = String::from_utf8(body).map_or_else(
        |error| Dynamic::from_blob(error.into_bytes()),
        Dynamic::from,
    );
    let response = HttpResponse {
        status: status.into(),
        headers: answered,
        body: Output(body),
        url: place,
    };
    Ok(response.into_map())
}

#[export_module]
pub(super) mod functions {
    /// Gets the http or https URL `url`, at most 16 MiB, and returns the answer.
    ///
    /// Needs `--allow-net HOST`, also for the target of a redirection. Throws if the status is 400 or more. The proxy is from
    /// the environment (`https_proxy`), and the certificate authorities are from the system.
    ///
    /// ```rhai
    /// try {
    ///     print(parse_json(http_get("https://example.com/news.json").body));
    /// } catch (err) {
    ///     assert(err.hint.contains("--allow-net"));
    /// }
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "http_get", volatile, return_raw)]
    pub fn http_get(ctx: NativeCallContext, url: &str) -> RhaiResultOf<RecordOf<HttpResponse>> {
        get(&ctx, url, &Map::new())
    }

    /// Gets `url` with options: `headers` of the request, `timeout`, and `check: false` to return answers with any status.
    ///
    /// ```rhai
    /// try {
    ///     http_get("https://example.com/", #{ headers: #{ accept: "text/html" }, timeout: "5s", check: false });
    /// } catch (err) {
    ///     assert(err.hint.contains("--allow-net"));
    /// }
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "http_get", volatile, return_raw)]
    pub fn http_get_with_options(
        ctx: NativeCallContext,
        url: &str,
        options: OptionsOf<HttpOptions>,
    ) -> RhaiResultOf<RecordOf<HttpResponse>> {
        get(&ctx, url, &options)
    }
}
