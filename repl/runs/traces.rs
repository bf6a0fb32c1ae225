//! The trace of a run for OpenTelemetry: a span for the run, and in it a span for each step.

/// True if the environment names a place for traces, and this virhai can send them.
pub(super) fn are_wanted() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(feature = "otel")
        && (is_set("OTEL_EXPORTER_OTLP_ENDPOINT") || is_set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"))
}

#[cfg(not(feature = "otel"))]
pub(super) fn send(_: &virhai::runbook::journal::Past) -> Result<(), String> {
    Ok(())
}

#[cfg(feature = "otel")]
pub(super) use sending::send;

#[cfg(feature = "otel")]
mod sending {
    use std::collections::HashMap;
    use std::time::{Duration, SystemTime};

    use bytes::Bytes;
    use opentelemetry::trace::{SpanBuilder, Status, TraceContextExt, Tracer, TracerProvider};
    use opentelemetry::{Context, KeyValue};
    use opentelemetry_http::{HttpClient, HttpError};
    use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
    use opentelemetry_sdk::Resource;
    use opentelemetry_sdk::trace::{
        BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider,
    };
    use ureq::Agent;
    use ureq::http::{Request, Response};
    use ureq::tls::{RootCerts, TlsConfig};
    use virhai::runbook::journal::{Past, Step, StepState};

    /// Time limit for the collector.
    const LONGEST: Duration = Duration::from_secs(5);

    /// The most bytes of an answer that are read.
    const LARGEST_ANSWER: u64 = 64 * 1024;

    /// Sends the trace of the run to the collector that the environment names.
    ///
    /// # Errors
    ///
    /// Why it was not sent.
    pub(in super::super) fn send(past: &Past) -> Result<(), String> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client::new())
            .build()
            .map_err(|error| error.to_string())?;
        // All spans end at once: the queue holds every span, so none is dropped, and only the flush
        // sends them, which reports failures.
        let spans = past.steps.len() + 2;
        let batch = BatchConfigBuilder::default()
            .with_max_queue_size(spans)
            .with_max_export_batch_size(spans)
            .build();
        let processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(batch)
            .build();
        let mut resource = Resource::builder();
        if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name("virhai");
        }
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.build())
            .with_span_processor(processor)
            .build();
        record(&provider.tracer("virhai"), past);
        let sent = provider.force_flush();
        let _ = provider.shutdown_with_timeout(LONGEST);
        sent.map_err(|error| error.to_string())
    }

    /// Records the spans of the run.
    fn record(tracer: &SdkTracer, past: &Past) {
        let header = &past.header;
        let last = past.attempts.last().map(|attempt| attempt.ended);
        let ended = past.end.as_ref().map(|end| end.time).or(last);
        let ended = SystemTime::from(ended.unwrap_or(header.time));
        let mut about = vec![
            KeyValue::new("virhai.script", header.script.clone()),
            KeyValue::new("virhai.run", header.run.clone()),
            KeyValue::new("virhai.version", header.virhai.clone()),
        ];
        let error = past.end.as_ref().filter(|end| end.status != 0).map(|end| {
            about.push(KeyValue::new("virhai.exit_status", i64::from(end.status)));
            end.error.clone().unwrap_or_default()
        });
        let run = tracer
            .span_builder(format!("run {}", header.script))
            .with_start_time(SystemTime::from(header.time))
            .with_attributes(about);
        let run = start(tracer, run, &Context::new());
        let mut contexts: HashMap<u64, Context> = HashMap::new();
        for step in &past.steps {
            let parent = step.parent.and_then(|parent| contexts.get(&parent));
            let span = tracer
                .span_builder(step.title.clone())
                .with_start_time(SystemTime::from(step.began))
                .with_attributes([
                    KeyValue::new("code.file.path", step.at.file.clone()),
                    KeyValue::new("code.line.number", step.at.line as i64),
                    KeyValue::new("virhai.state", step.word(false)),
                ]);
            contexts.insert(step.number, start(tracer, span, parent.unwrap_or(&run)));
        }
        for step in &past.steps {
            if let Some(context) = contexts.get(&step.number) {
                let step_ended = step.ended.map_or(ended, SystemTime::from);
                end(context, failure(step), step_ended);
            }
        }
        end(&run, error, ended);
    }

    /// A context with the span that begins.
    fn start(tracer: &SdkTracer, span: SpanBuilder, parent: &Context) -> Context {
        parent.with_span(span.start_with_context(tracer, parent))
    }

    fn end(context: &Context, error: Option<String>, at: SystemTime) {
        let span = context.span();
        span.set_status(match error {
            Some(error) => Status::error(error),
            None => Status::Ok,
        });
        span.end_with_timestamp(at);
    }

    /// The error of a step that did not succeed.
    fn failure(step: &Step) -> Option<String> {
        match &step.state {
            StepState::Failed(error) => Some(error.clone()),
            StepState::Begun => Some("the run ended during this step".into()),
            StepState::Done { .. } | StepState::Undone => None,
        }
    }

    /// Sends requests to the collector.
    #[derive(Debug)]
    struct Client(Agent);

    impl Client {
        fn new() -> Self {
            let tls = TlsConfig::builder()
                .root_certs(RootCerts::PlatformVerifier)
                .build();
            let config = Agent::config_builder()
                .timeout_global(Some(LONGEST))
                .http_status_as_error(false)
                .tls_config(tls)
                .build();
            Self(config.into())
        }
    }

    #[async_trait::async_trait]
    impl HttpClient for Client {
        async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
            let (parts, body) = request.into_parts();
            let answer = self.0.run(Request::from_parts(parts, &body[..]))?;
            let (parts, mut body) = answer.into_parts();
            let body = body.with_config().limit(LARGEST_ANSWER).read_to_vec()?;
            Ok(Response::from_parts(parts, body.into()))
        }
    }
}
