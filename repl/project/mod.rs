//! The repo of a script: its `virhai.toml`, and whether the user accepts the permissions in it.
//!
//! A repo must not give its own scripts permissions on the machine of a user who cloned it. So the permissions are valid
//! after the user accepts the present content of the file. The rules are valid at once, because they only limit.

mod file;
mod inventory;
mod trust;

use std::path::{Path, PathBuf};

use clap::Args;
use virhai::{Consent, Fleet, Grants};

use crate::args::Options;
use crate::diagnostic::Diagnostic;
use crate::exit_status::{DONE, FAILED, WRONG_USAGE};
use crate::output::print_line;
use crate::{permissions, terminal};

/// The permissions, rules and hosts that the file of a repo adds to a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Project {
    /// The permissions that the user has accepted, and the rules.
    pub(crate) grants: Grants,
    /// The folders to import from.
    pub(crate) imports: Vec<PathBuf>,
    /// The hosts by their names.
    pub(crate) fleet: Fleet,
    /// The URIs that the user's own inventory names, which need no permission.
    pub(crate) given: Vec<String>,
}

/// The options of `virhai trust`.
#[derive(Debug, Args)]
pub(crate) struct Trust {
    /// The repo, or a folder in it
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,

    /// Stop accepting the permissions of the repo
    #[arg(long)]
    remove: bool,
}

/// A file that was read.
struct Found {
    path: PathBuf,
    text: String,
    settings: file::Settings,
}

impl Found {
    /// The file of the repo that `folder` is in, if it has one.
    fn of(folder: &Path) -> Result<Option<Self>, Box<Diagnostic>> {
        let Some(path) = file::find(folder) else {
            return Ok(None);
        };
        let wrong = |why: String| {
            let message = format!("cannot use {}: {why}", path.display());
            Diagnostic::wrong_usage(message).with_hint("`--no-config` runs without the file")
        };
        let text = file::read(&path).map_err(wrong)?;
        let settings = file::Settings::parse(&text).map_err(wrong)?;
        Ok(Some(Self {
            path,
            text,
            settings,
        }))
    }

    /// The inventory that the file names, if it is in the repo.
    fn inventory(&self) -> Result<Option<PathBuf>, String> {
        let Some(name) = &self.settings.inventory else {
            return Ok(None);
        };
        let wrong = |why: String| format!("cannot read the inventory {}: {why}", name.display());
        let path = self.root().join(name).canonicalize();
        let path = path.map_err(|error| wrong(virhai::files::reason(&error)))?;
        let root = self.root().canonicalize().unwrap_or_default();
        match path.starts_with(root) {
            true => Ok(Some(path)),
            false => Err(wrong("it is not in the repo".into())),
        }
    }

    /// The permissions that the user has to accept, one per line.
    fn asks_for(&self) -> Vec<String> {
        let mut lines = self.settings.grants.lines();
        let program = self.inventory().ok().flatten();
        if let Some(program) = program.filter(|program| inventory::is_program(program)) {
            lines.push(format!(
                "run the program {} to list the hosts",
                program.display()
            ));
        }
        lines
    }

    fn root(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    /// True if the user accepts the permissions; fails if virhai cannot ask.
    fn is_accepted(&self, options: &Options) -> Result<bool, Box<Diagnostic>> {
        let wanted = self.asks_for();
        if wanted.is_empty() || options.trust || trust::is_given(&self.path, &self.text) {
            return Ok(true);
        }
        if !permissions::may_ask(options) {
            let message = format!(
                "{} needs permissions that you have not accepted: {}",
                self.path.display(),
                wanted.join("; ")
            );
            let hint = "`virhai trust` accepts them, `--trust` for one run; `--no-config` runs without the file";
            return Err(Diagnostic::wrong_usage(terminal::visible(&message))
                .with_hint(hint)
                .into());
        }
        let mut question = vec![format!("{} needs these permissions:", self.path.display())];
        question.extend(wanted.iter().map(|line| format!("  {line}")));
        question
            .push("allow them? y: yes, this time; a: yes, until the file changes; n: no".into());
        match permissions::ask(&question, || false) {
            Consent::Once => Ok(true),
            Consent::Always => {
                if let Err(error) = trust::give(&self.path, &self.text) {
                    eprintln!("note: the answer could not be saved: {error}");
                }
                Ok(true)
            }
            Consent::No => Ok(false),
        }
    }
}

impl Project {
    /// The permissions, rules and hosts that the repo of `folder` adds to a run.
    ///
    /// # Errors
    ///
    /// The file is wrong, or needs permissions and virhai cannot ask the user.
    pub(crate) fn load(options: &Options, folder: &Path) -> Result<Self, Box<Diagnostic>> {
        let mut project = Self::of_repo(options, folder)?;
        if let Some(path) = &options.inventory {
            let own = inventory::read(options, path).map_err(Diagnostic::wrong_usage)?;
            for host in own.hosts() {
                project.given.push(host.uri.clone());
                project.fleet.add(host.clone());
            }
            own.groups().for_each(|name| project.fleet.add_group(name));
        }
        Ok(project)
    }

    fn of_repo(options: &Options, folder: &Path) -> Result<Self, Box<Diagnostic>> {
        if options.no_config {
            return Ok(Self::default());
        }
        let Some(found) = Found::of(folder)? else {
            return Ok(Self::default());
        };
        let name = found.path.display().to_string();
        let rules = found
            .settings
            .rules(&name)
            .map_err(|why| Diagnostic::wrong_usage(format!("cannot use {name}: {why}")))?;
        let wanted = &found.settings.grants;
        let mut project = Self::default();
        let wrong = |why: String| Diagnostic::wrong_usage(format!("cannot use {name}: {why}"));
        let accepted = found.is_accepted(options)?;
        let inventory = found.inventory().map_err(wrong)?;
        if let Some(path) = inventory.filter(|path| accepted || !inventory::is_program(path)) {
            project.fleet = inventory::read(options, &path).map_err(wrong)?;
        }
        found
            .settings
            .add_hosts(&mut project.fleet)
            .map_err(wrong)?;
        if accepted {
            project.grants = wanted.grants(found.root());
            project.imports = wanted.imports(found.root());
            if options.verbose {
                for line in wanted.lines() {
                    eprintln!("{name} allows: {}", terminal::visible_line(&line));
                }
            }
        }
        if options.verbose {
            for rule in &rules.allow {
                eprintln!("{name} allows only: {rule}");
            }
            for rule in &rules.deny {
                eprintln!("{name} denies: {rule}");
            }
        }
        project.grants.rules.push(rules);
        Ok(project)
    }
}

impl Project {
    /// The folders that scripts in `folder` may import from: those that the user has accepted before.
    pub(crate) fn known_imports(options: &Options, folder: &Path) -> Vec<PathBuf> {
        let Ok(Some(found)) = Found::of(folder) else {
            return Vec::new();
        };
        let known = options.trust || trust::is_given(&found.path, &found.text);
        match known && !options.no_config {
            true => found.settings.grants.imports(found.root()),
            false => Vec::new(),
        }
    }
}

/// `virhai trust`: shows the permissions of a repo and accepts them, or stops accepting them; returns the exit status.
pub(crate) fn trust(options: &Options, trust: &Trust) -> u8 {
    let found = match Found::of(&trust.folder) {
        Ok(Some(found)) => found,
        Ok(None) => {
            let message = format!(
                "no {} in {} or above it",
                file::NAME,
                trust.folder.display()
            );
            Diagnostic::wrong_usage(message).report_plain(options);
            return WRONG_USAGE;
        }
        Err(wrong) => {
            wrong.report_plain(options);
            return WRONG_USAGE;
        }
    };
    let done = match trust.remove {
        true => trust::take_back(&found.path, &found.text).map(|was| match was {
            true => "is no longer accepted",
            false => "was not accepted",
        }),
        false => trust::give(&found.path, &found.text).map(|()| "is accepted until it changes"),
    };
    match done {
        Ok(what) => {
            if !options.quiet {
                print_line(&format!("{} {what}", found.path.display()));
                for line in found.asks_for() {
                    print_line(&format!("  {line}"));
                }
            }
            DONE
        }
        Err(error) => {
            let message = format!("cannot record that you accept the file: {error}");
            Diagnostic::plain(message).report_plain(options);
            FAILED
        }
    }
}
