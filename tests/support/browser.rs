//! A browser without a window, for the pages that virhai writes.

use std::path::Path;
use std::process::Command;

use super::{Scratch, skip};

/// The paths of Chromium.
const PROGRAMS: [&str; 2] = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];

/// A browser with a profile of its own.
pub struct Browser<'a> {
    program: &'static str,
    scratch: &'a Scratch,
}

impl<'a> Browser<'a> {
    /// The browser of this machine, with its profile in `scratch`; without one, the test is skipped.
    pub fn find(scratch: &'a Scratch) -> Option<Self> {
        let found = PROGRAMS
            .into_iter()
            .find(|path| Path::new(path).exists())
            .map(|program| Self { program, scratch });
        if found.is_none() {
            skip("there is no Chromium");
        }
        found
    }

    /// The document of the page at `url`, after its scripts ran.
    pub fn dom(&self, url: &str) -> String {
        self.answers("--dump-dom", url)
    }

    /// The number of sheets of paper for the page at `url`.
    pub fn sheets(&self, url: &str) -> usize {
        let file = self.scratch.path("page.pdf");
        self.answers(&format!("--print-to-pdf={}", file.display()), url);
        let printed = std::fs::read(file).expect("it was printed");
        let printed = String::from_utf8_lossy(&printed);
        printed.matches("/Type /Page\n").count()
    }

    /// The output of the browser for the page `url` with the option `task`.
    fn answers(&self, task: &str, url: &str) -> String {
        let output = Command::new(self.program)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-quic",
                "--allow-file-access-from-files",
                task,
            ])
            .arg(format!("--user-data-dir={}", self.scratch.text("profile")))
            .arg(url)
            .output()
            .expect("it runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}
