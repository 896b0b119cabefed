// SPDX-License-Identifier: GPL-2.0-only

//! Writing files whole or not at all.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};

use super::say::print_all;

/// Where a result goes.
#[derive(Clone, Debug)]
pub enum Output {
    /// Standard output.
    Standard,
    /// A file, which may replace one that is there.
    File(PathBuf, bool),
}

impl Output {
    /// Refuses a file that could not be written afterwards.
    ///
    /// # Errors
    ///
    /// Fails if the file is there and must not be replaced, or its directory is
    /// not.
    pub fn check(&self) -> Result<()> {
        let Self::File(path, force) = self else {
            return Ok(());
        };
        match fs::metadata(path) {
            Ok(meta) if meta.is_dir() => bail!("{} is a directory", path.display()),
            Ok(meta) if meta.is_file() && !force => {
                bail!("{} is there already; --force replaces it", path.display())
            }
            Ok(_) => Ok(()),
            Err(_) => {
                let directory = directory(path);
                if directory.is_dir() {
                    Ok(())
                } else {
                    bail!("{} is no directory", directory.display())
                }
            }
        }
    }

    /// Writes `text`; a file appears with all of it or stays as it was.
    ///
    /// # Errors
    ///
    /// Fails as [`Output::check`] does, or if writing does.
    pub fn write(&self, text: &str) -> Result<()> {
        let Self::File(path, force) = self else {
            print_all(text.as_bytes())?;
            return Ok(());
        };
        self.check()?;
        write_file(path, text, *force).with_context(|| format!("cannot write {}", path.display()))
    }
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn write_file(path: &Path, text: &str, force: bool) -> io::Result<()> {
    // A device or a pipe takes the text as it comes.
    if fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
        let written = OpenOptions::new()
            .write(true)
            .open(path)?
            .write_all(text.as_bytes());
        return match written {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        };
    }
    // Replace what a link points to, not the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut file = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(directory(&path))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    if force {
        file.persist(&path)?;
    } else {
        file.persist_noclobber(&path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("list");
        let careful = Output::File(path.clone(), false);
        careful.write("one\n").unwrap();
        assert!(careful.check().is_err());
        assert!(careful.write("two\n").is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\n");
        Output::File(path.clone(), true).write("two\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
        // Nothing is left beside it.
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_written_is_found_before() {
        let directory = tempfile::tempdir().unwrap();
        let into = |name: &str| Output::File(directory.path().join(name), true).check();
        assert!(into("no/list").is_err());
        assert!(into("").is_err());
        assert!(into("list").is_ok());
        assert!(Output::File("/dev/null".into(), false).write("x").is_ok());
    }
}
