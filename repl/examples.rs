//! What stands below `--help`: examples, and what can be known of a run from outside.

pub(crate) const VIRHAI: &str = "\
Examples:
  virhai                                a prompt on the default host
  virhai -c qemu+ssh://lab/system       a prompt on another host
  virhai nightly.rhai web 3             runs a script with its arguments
  virhai -e 'connect().get_hostname()'  runs a line

Exit status:
  0    done
  1    the script, a test or what was asked for failed
  2    wrong usage
  3    a script does not compile, or does not pass the check
  4    no connection
  124  the time was up
  130  interrupted
  `exit(n)` in a script sets any other.

Environment:
  LIBVIRT_DEFAULT_URI  what `connect()` opens where there is no `-c`
  NO_COLOR             no colour, where it is not empty
  PAGER                shows long values at the prompt
  VISUAL, EDITOR       edit the input of the prompt";

pub(crate) const RUN: &str = "\
Examples:
  virhai run nightly.rhai --help        lists the inputs of the script
  virhai run nightly.rhai --keep 7      sets its input `keep`
  virhai run nightly.rhai web 3         `args` is [\"web\", \"3\"]
  virhai run --timeout 5m nightly.rhai  stops it after five minutes
  virhai run --rehearse nightly.rhai    prints what it would change, and changes nothing
  virhai --json run inventory.rhai      its result as JSON
  virhai run --report run.html x.rhai   writes a page that says what it did";

pub(crate) const TEST: &str = "\
Examples:
  virhai test                         all tests below this folder
  virhai test lab -f snapshot         those of `lab` with `snapshot` in the name
  virhai test --watch                 again after each change of a file
  virhai test --junit results.xml -q  for a build server";

pub(crate) const LIST: &str = "\
Examples:
  virhai list                     the scripts below this folder
  virhai --json list runbooks     the same as JSON, with the names of their inputs";

pub(crate) const TWIN: &str = "\
Examples:
  virhai twin qemu:///system lab.twin                    reads the host, and writes the file
  virhai run --against lab.twin evacuate.rhai            rehearses a script without the host";
pub(crate) const RUNS: &str = "\
Examples:
  virhai runs         all runs, the newest last
  virhai --json runs  the same as JSON";

pub(crate) const SHOW: &str = "\
Examples:
  virhai show                  the last run
  virhai show 20261127-101500  the run whose name begins so
  virhai --json show last      the same as JSON
  virhai show --html run.html  the same as a page";

pub(crate) const RESUME: &str = "\
Examples:
  virhai resume                     goes on with the last run
  virhai resume 20261127-101500     the run whose name begins so
  virhai resume --changed           the script was mended meanwhile
  virhai resume --repeat            repeats a step that was interrupted";

pub(crate) const UNDO: &str = "\
Examples:
  virhai undo                     takes back the last run
  virhai undo 20261127-101500     the run whose name begins so
  virhai --yes undo last          asks nothing";

pub(crate) const PRUNE: &str = "\
Examples:
  virhai prune                    runs that succeeded, older than 30 days
  virhai prune --older-than 1d    older than a day
  virhai prune --keep 20          but the newest 20 stay
  virhai prune --failed           also runs that failed or were killed";

pub(crate) const TRUST: &str = "\
Examples:
  virhai trust                accept what the virhai.toml of this repo asks for
  virhai trust --remove lab   no longer accept it for the repo `lab`";

pub(crate) const TOP: &str = "\
Examples:
  virhai top                           the default host
  virhai top -c qemu+ssh://lab/system  another host";

pub(crate) const EVENTS: &str = "\
Examples:
  virhai events                               all events except those of QEMU's monitor
  virhai events lifecycle,domain=web          starts, stops and so on of one guest
  virhai events lifecycle network_lifecycle   events of two kinds
  virhai events --json --reconnect > log      one JSON object per line, also after a lost connection
  virhai events --timeout 1h                  ends after an hour, with exit status 0

`virhai doc Connection.wait_event` lists the kinds of event and their fields.";

pub(crate) const DOC: &str = "\
Examples:
  virhai doc Domain.migrate             one method, with its example
  virhai doc --html reference.html      everything on one page with search
  virhai doc runbooks --markdown        the scripts of a folder";

pub(crate) const DEFINITIONS: &str = "\
Examples:
  virhai definitions .rhai/definitions  for the language server of Rhai";

pub(crate) const LSP: &str = "\
Examples:
  virhai lsp  what an editor starts, to talk to over standard input and output";

pub(crate) const CHECK: &str = "\
Examples:
  virhai check runbooks                    all scripts of a folder
  virhai check --deny-warnings site.rhai   warnings fail too, for a build server
  virhai check --sarif . > findings.sarif  for a code host";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  virhai completions bash > ~/.local/share/bash-completion/completions/virhai
  virhai completions zsh > ~/.zfunc/_virhai
  virhai completions fish > ~/.config/fish/completions/virhai.fish";

pub(crate) const MAN: &str = "\
Examples:
  virhai man | man -l -               reads it now
  virhai man ~/.local/share/man/man1  installs a page for each command";
