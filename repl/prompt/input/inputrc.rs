//! The user's settings in `~/.inputrc`.

use std::path::PathBuf;

/// True if `$INPUTRC`, or `~/.inputrc`, selects the keys of vi.
pub(super) fn wants_vi() -> bool {
    let named = std::env::var_os("INPUTRC").map(PathBuf::from);
    let usual = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".inputrc"));
    let text = named
        .or_else(usual)
        .and_then(|file| virhai::files::read_script(&file).ok());
    text.is_some_and(|text| chooses_vi(&text))
}

fn chooses_vi(text: &str) -> bool {
    let mut modes = text.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["set", "editing-mode", mode, ..] => Some(mode),
            _ => None,
        }
    });
    modes.next_back() == Some("vi")
}

#[cfg(test)]
mod tests {
    use super::chooses_vi;

    #[test]
    fn the_last_choice_counts() {
        assert!(chooses_vi(
            "# mine\nset bell-style none\n set editing-mode vi # yes\n"
        ));
        assert!(!chooses_vi("set editing-mode vi\nset editing-mode emacs\n"));
        assert!(!chooses_vi("#set editing-mode vi\n"));
    }
}
