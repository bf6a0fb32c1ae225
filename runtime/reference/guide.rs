//! The chapters of the guide, in the order in which they are read.

use super::Part;

/// The group of the chapters.
pub(super) const GUIDE: &str = "Guide";

macro_rules! chapters {
    ($($name:literal)*) => {
        /// The name of the file of each chapter, without its ending, and its text.
        const CHAPTERS: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../docs/", $name, ".md")))),*
        ];
    };
}
chapters! {
    "rhai" "from-virsh" "calls" "recipes" "backups" "events"
    "runbooks" "steps" "reports" "files" "rehearsal" "fleets"
    "running" "remote" "safety" "prompt" "checking" "differences"
}

/// The guide; the list of all calls in `docs/objects.md` is left out, since the reference has them.
pub(super) fn guide() -> impl Iterator<Item = Part> {
    CHAPTERS.iter().map(|(_, text)| {
        let (title, docs) = title_and_text(text);
        Part {
            group: GUIDE,
            name: title.to_owned(),
            docs: docs.to_owned(),
            entries: Vec::new(),
            tables: Vec::new(),
        }
    })
}

/// The title of the chapter that the link `steps.md` or `safety.md#limits` leads to.
pub(super) fn linked(link: &str) -> Option<&'static str> {
    let file = link.split('#').next()?.strip_suffix(".md")?;
    let (_, text) = CHAPTERS.iter().find(|(name, _)| *name == file)?;
    Some(title_and_text(text).0)
}

fn title_and_text(text: &str) -> (&str, &str) {
    let (title, docs) = text.split_once('\n').unwrap_or((text, ""));
    (title.trim_start_matches("# "), docs.trim())
}

#[cfg(test)]
mod tests {
    use super::CHAPTERS;

    #[test]
    fn every_chapter_is_in_the_guide() {
        let files = std::fs::read_dir("docs").expect("the folder of the guide");
        let mut files: Vec<String> = files
            .map(|file| {
                file.expect("a file of it")
                    .file_name()
                    .display()
                    .to_string()
            })
            .filter(|name| name.ends_with(".md") && name != "objects.md")
            .collect();
        files.sort();
        let mut chapters: Vec<String> = CHAPTERS
            .iter()
            .map(|(name, _)| format!("{name}.md"))
            .collect();
        chapters.sort();
        assert_eq!(chapters, files);
    }
}
