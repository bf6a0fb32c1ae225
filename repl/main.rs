//! virhai: scripts and a prompt for libvirt.

mod args;
mod diagnostic;
mod prompt;
mod run;
mod show;
mod signals;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Source};

fn main() -> ExitCode {
    virhai::warm_up();
    let args = Args::parse();
    if args.version {
        let versions = virhai::versions();
        println!("virhai {}", versions.virhai);
        println!(
            "libvirt {} (built with {})",
            versions.libvirt_running, versions.libvirt_compiled
        );
        return ExitCode::SUCCESS;
    }
    let status = match args.source() {
        Ok(Source::Prompt) => prompt::start(&args),
        Ok(source) => run::run(&args, source),
        Err(message) => {
            eprintln!("error: {message}");
            run::WRONG_USAGE
        }
    };
    ExitCode::from(status)
}
