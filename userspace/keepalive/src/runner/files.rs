//! The files that say what is to be kept alive.

use std::fs;
use std::path::{Path, PathBuf};

use crate::config::{Config, Mistake, Mistakes, World};

/// Reads all `*.toml` of a folder, in the order of their names, or one file, as one
/// configuration.
///
/// # Errors
/// Everything that is wrong with any of them.
pub fn load(path: &Path, world: &dyn World) -> Result<Config, Mistakes> {
    let files = list(path).map_err(|error| unreadable(path, &error))?;
    let mut texts = Vec::new();
    let mut mistakes = Vec::new();
    for file in files {
        match fs::read_to_string(&file) {
            Ok(text) => texts.push((file, text)),
            Err(error) => mistakes.extend(unreadable(&file, &error).0),
        }
    }
    if !mistakes.is_empty() {
        return Err(Mistakes(mistakes));
    }
    let texts = texts
        .iter()
        .map(|(file, text)| (file.as_path(), text.as_str()));
    Config::read(texts, world)
}

fn list(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let file = entry?.path();
        // Editors leave `.web.toml.swp` and `web.toml~` behind.
        let hidden = file
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        if !hidden && file.extension().is_some_and(|ext| ext == "toml") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn unreadable(file: &Path, error: &std::io::Error) -> Mistakes {
    Mistakes(vec![Mistake {
        file: file.to_owned(),
        line: 1,
        message: format!("it can't be read: {error}"),
    }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::System;

    #[test]
    fn all_files_are_one_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        let system = System {
            nodes: Vec::new(),
            cvips: Vec::new(),
        };
        put(
            "b.toml",
            "[[process]]\nname = \"b\"\npath = \"/bin/sh\"\nafter = [\"a\"]",
        );
        put("a.toml", "[[process]]\nname = \"a\"\npath = \"/bin/sh\"");
        put(".c.toml", "no toml");
        put("c.toml~", "no toml");
        let config = load(folder.path(), &system).unwrap();
        let names: Vec<&str> = config.process.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        put(
            "a.toml",
            "[[process]]\nname = \"a\"\npath = \"/bin/none\"\nuser = \"nobody-is-called-so\"",
        );
        let error = load(folder.path(), &system).unwrap_err().to_string();
        let shown = folder.path().join("a.toml");
        let shown = shown.display();
        assert_eq!(
            error,
            format!(
                "{shown}:3: /bin/none: No such file or directory (os error 2)\n\
                 {shown}:4: there is no user \"nobody-is-called-so\" on this node"
            )
        );
        let error = load(&folder.path().join("d.toml"), &system).unwrap_err();
        assert!(
            error.to_string().contains("d.toml:1: it can't be read"),
            "{error}"
        );
    }
}
