//! Twins in files: JSON with a format and a version.

use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::host::Host;

const FORMAT: &str = "virhai twin";

/// The version of the format that this program writes, and the only one that it reads.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Saved {
    format: String,
    version: u32,
    host: Host,
}

#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

/// Writes `host` to the file `path`: all or nothing.
///
/// # Errors
///
/// Why the file could not be written.
pub fn save(host: &Host, path: &Path) -> std::io::Result<()> {
    let saved = Saved {
        format: FORMAT.into(),
        version: VERSION,
        host: host.clone(),
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    serde_json::to_writer_pretty(&mut file, &saved)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The host in the text of a file.
///
/// # Errors
///
/// Why the text is not a saved twin.
pub fn open(text: &str) -> Result<Host, String> {
    let head: Head =
        serde_json::from_str(text).map_err(|_| "it is not a saved twin of virhai".to_owned())?;
    if head.format != FORMAT {
        return Err(format!("its format is `{}`, not `{FORMAT}`", head.format));
    }
    if head.version != VERSION {
        return Err(format!(
            "it has version {} of the format, and this virhai reads version {VERSION}: save the twin again with `virhai twin URI FILE`",
            head.version
        ));
    }
    let saved: Saved = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok(saved.host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_twin_is_read_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("twin.json");
        let host = Host {
            uri: "qemu:///system".into(),
            ..Host::default()
        };
        save(&host, &path).expect("it is written");
        let text = std::fs::read_to_string(&path).expect("it is read");
        assert_eq!(open(&text), Ok(host));
    }

    #[test]
    fn other_files_and_versions_are_refused_with_the_reason() {
        let told = |text: &str| open(text).expect_err("it is not a twin");
        assert!(told("[]").contains("not a saved twin"));
        let other = told(r#"{"format": "virhai twin", "version": 7}"#);
        assert!(
            other.contains("version 7") && other.contains("virhai twin URI FILE"),
            "{other}"
        );
        assert!(told(r#"{"format": "other", "version": 1}"#).contains("`other`"));
    }
}
