//! `virhai twin`: saves a twin of a host to a file.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use virhai::read_twin;
use virhai::runbook::twin;

use crate::args::Options;
use crate::diagnostic::Diagnostic;
use crate::exit_status::{DONE, FAILED, NO_CONNECTION};
use crate::session::session;

/// The options of `virhai twin`.
#[derive(Debug, Args)]
pub(crate) struct Twin {
    /// The host
    #[arg(value_name = "URI")]
    uri: String,

    /// The file to write
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
}

/// Reads the host and writes the file. Returns the exit status.
pub(crate) fn save(options: &Options, wanted: &Twin) -> u8 {
    let host = match read_twin(&session(options), &wanted.uri) {
        Ok(host) => host,
        Err(why) => {
            Diagnostic::plain(format!(
                "cannot read {}: {why}",
                virhai::redact::hide_uri(&wanted.uri)
            ))
            .report_plain(options);
            return NO_CONNECTION;
        }
    };
    if let Err(error) = twin::save(&host, &wanted.file) {
        Diagnostic::plain(format!("cannot write {}: {error}", wanted.file.display()))
            .report_plain(options);
        return FAILED;
    }
    if !options.quiet {
        for kind in &host.unread {
            eprintln!("cannot read the {kind} of the host: the twin has none");
        }
        eprintln!(
            "{}: {} domains, {} networks, {} storage pools of {}",
            wanted.file.display(),
            host.domains.len(),
            host.networks.len(),
            host.pools.len(),
            virhai::redact::hide_uri(&host.uri)
        );
    }
    DONE
}
