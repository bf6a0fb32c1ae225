//! The text below `--help`: examples, exit statuses and environment variables.

pub(crate) const VIRHAI: &str = "\
Examples:
  virhai                                opens a prompt on the default host
  virhai -c qemu+ssh://lab/system       opens a prompt on another host
  virhai nightly.rhai web 3             runs a script with its arguments
  virhai -e 'connect().get_hostname()'  runs a line

Exit status:
  0    done
  1    the script, a test or the command failed
  2    wrong usage
  3    a script does not compile or pass the check
  4    no connection
  124  timed out
  130  interrupted
  `exit(n)` in a script sets another status.

Environment:
  LIBVIRT_DEFAULT_URI  host that `connect()` opens without `-c`
  NO_COLOR             if not empty, virhai uses no colour
  PAGER                program that shows long values at the prompt
  VISUAL, EDITOR       editor for the input of the prompt";

pub(crate) const RUN: &str = "\
Examples:
  virhai run nightly.rhai --help        lists the inputs of the script
  virhai run nightly.rhai --keep 7      sets the input `keep`
  virhai run nightly.rhai web 3         `args` is [\"web\", \"3\"]
  virhai run --timeout 5m nightly.rhai  stops the script after five minutes
  virhai run --rehearse nightly.rhai    prints the changes that it would make
  virhai --json run inventory.rhai      prints its result as JSON
  virhai run --report run.html x.rhai   writes an HTML report of the run";

pub(crate) const TEST: &str = "\
Examples:
  virhai test                         runs all tests below this folder
  virhai test lab -f snapshot         runs tests of `lab` with `snapshot` in the name
  virhai test --watch                 runs them again after each change of a file
  virhai test --junit results.xml -q  writes JUnit for a build server";

pub(crate) const LIST: &str = "\
Examples:
  virhai list                     lists the scripts below this folder
  virhai --json list runbooks     prints JSON, with the inputs of each script";

pub(crate) const TWIN: &str = "\
Examples:
  virhai twin qemu:///system lab.twin          reads the host and writes the file
  virhai run --against lab.twin evacuate.rhai  rehearses a script on this twin";
pub(crate) const RUNS: &str = "\
Examples:
  virhai runs         lists all runs, the newest last
  virhai --json runs  prints the list as JSON";

pub(crate) const SHOW: &str = "\
Examples:
  virhai show                  shows the last run
  virhai show 20261127-1015    shows the run whose name begins like this
  virhai --json show last      prints the last run as JSON
  virhai show --html run.html  writes the last run as an HTML page";

pub(crate) const RESUME: &str = "\
Examples:
  virhai resume                resumes the last run
  virhai resume 20261127-1015  resumes the run whose name begins like this
  virhai resume --changed      resumes the run with a corrected script
  virhai resume --repeat       repeats an interrupted step";

pub(crate) const UNDO: &str = "\
Examples:
  virhai undo                undoes the last run
  virhai undo 20261127-1015  undoes the run whose name begins like this
  virhai --yes undo last     undoes the last run without a question";

pub(crate) const PRUNE: &str = "\
Examples:
  virhai prune                  removes successful runs older than 30 days
  virhai prune --older-than 1d  removes successful runs older than a day
  virhai prune --keep 20        keeps the newest 20 runs
  virhai prune --failed         removes failed and killed runs too";

pub(crate) const TRUST: &str = "\
Examples:
  virhai trust               accepts the permissions of this repo
  virhai trust --remove lab  stops accepting the permissions of the repo `lab`";

pub(crate) const TOP: &str = "\
Examples:
  virhai top                             shows the default host
  virhai top -c qemu+ssh://lab/system    shows another host
  virhai top 'web:&prod'                 shows hosts that are in both groups
  virhai top --inventory hosts.yaml all  shows all hosts of the inventory";

pub(crate) const EVENTS: &str = "\
Examples:
  virhai events                               prints all but QEMU monitor events
  virhai events lifecycle,domain=web          prints starts and stops of one guest
  virhai events lifecycle network_lifecycle   prints events of two kinds
  virhai events --json --reconnect > log      prints JSON; reconnects if needed
  virhai events --timeout 1h                  ends after an hour, with exit status 0

`virhai doc Connection.wait_event` lists the kinds of event and their fields.";

pub(crate) const DOC: &str = "\
Examples:
  virhai doc Domain.migrate             shows one method, with its example
  virhai doc --html reference.html      writes everything on a page with search
  virhai doc runbooks --markdown        prints the docs of a folder's scripts";

pub(crate) const DEFINITIONS: &str = "\
Examples:
  virhai definitions .rhai/definitions  writes files for Rhai's language server";

pub(crate) const LSP: &str = "\
Examples:
  virhai lsp  runs the server on standard input and output; editors start it";

pub(crate) const CHECK: &str = "\
Examples:
  virhai check runbooks                    checks all scripts of a folder
  virhai check --deny-warnings site.rhai   fails after warnings, for a build server
  virhai check --sarif . > findings.sarif  writes SARIF for a code host";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  virhai completions bash > ~/.local/share/bash-completion/completions/virhai
  virhai completions zsh > ~/.zfunc/_virhai
  virhai completions fish > ~/.config/fish/completions/virhai.fish";

pub(crate) const MAN: &str = "\
Examples:
  virhai man | man -l -               shows the manual
  virhai man ~/.local/share/man/man1  installs a page for each command";
