// SPDX-License-Identifier: GPL-2.0-only

//! The files that the dynamic linker would load with a program.

use std::fs;
use std::path::{Path, PathBuf};

use object::elf;
use object::read::elf::{Dyn, FileHeader};
use object::{Endianness, Object};

use super::code::Elf;
use crate::elf::read;
use crate::error::{Error, Result};

/// Where the dynamic linker looks when nothing says otherwise.
const DIRECTORIES: [&str; 6] = [
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
];

/// The bytes of a file that was found to be an ELF file for x86-64.
pub struct Bytes(Vec<u8>);

impl Bytes {
    /// The file, if it is one.
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        let elf = Elf::parse(bytes.as_slice()).ok()?;
        let right = elf.architecture() == object::Architecture::X86_64;
        right.then_some(())?;
        Some(Self(bytes))
    }

    /// The file.
    pub fn elf(&self) -> Elf<'_> {
        match Elf::parse(self.0.as_slice()) {
            Ok(elf) => elf,
            Err(_) => unreachable!("it was parsed before"),
        }
    }
}

/// What would be loaded.
pub struct Loaded {
    /// The program first.
    pub files: Vec<(PathBuf, Bytes)>,
    /// Libraries that are nowhere.
    pub missing: Vec<String>,
}

/// Finds all that a program needs.
pub fn load(program: &Path) -> Result<Loaded> {
    let path = fs::canonicalize(program).unwrap_or_else(|_| program.to_owned());
    let bytes = read(&path).and_then(Bytes::new).ok_or_else(|| {
        Error::Unfit(format!(
            "{} is no ELF file for x86-64, which is all that can be read",
            program.display()
        ))
    })?;
    let mut loaded = Loaded {
        files: vec![(path, bytes)],
        missing: Vec::new(),
    };
    let mut next = 0;
    while let Some((path, bytes)) = loaded.files.get(next) {
        next += 1;
        let (needed, places) = needs(path, bytes);
        for name in needed {
            let places = places.iter().map(String::as_str).chain(DIRECTORIES);
            let found = if name.contains('/') {
                open(Path::new(&name))
            } else {
                places
                    .map(|place| Path::new(place).join(&name))
                    .find_map(|path| open(&path))
            };
            match found {
                Some((path, bytes)) => {
                    if !loaded.files.iter().any(|(there, _)| *there == path) {
                        loaded.files.push((path, bytes));
                    }
                }
                None => loaded.missing.push(name),
            }
        }
    }
    Ok(loaded)
}

fn open(path: &Path) -> Option<(PathBuf, Bytes)> {
    let path = fs::canonicalize(path).ok()?;
    let bytes = read(&path).and_then(Bytes::new)?;
    Some((path, bytes))
}

/// The names that a file needs, its interpreter among them, and where it says
/// that they are.
pub fn needs(path: &Path, bytes: &Bytes) -> (Vec<String>, Vec<String>) {
    let elf = bytes.elf();
    let endian = Endianness::Little;
    let (mut needed, mut places) = (Vec::new(), Vec::new());
    let header = elf.elf_header();
    let data = bytes.0.as_slice();
    let origin = path
        .parent()
        .map_or(String::new(), |p| p.to_string_lossy().into_owned());
    let segments = header.program_headers(endian, data).unwrap_or_default();
    for segment in segments {
        use object::read::elf::ProgramHeader;
        if let Ok(Some(interpreter)) = segment.interpreter(endian, data) {
            needed.push(String::from_utf8_lossy(interpreter).into_owned());
        }
    }
    let Ok(sections) = header.sections(endian, data) else {
        return (needed, places);
    };
    if let Ok(Some((dynamic, link))) = sections.dynamic(endian, data) {
        let strings = sections.strings(endian, data, link).unwrap_or_default();
        for entry in dynamic {
            let tag = entry.tag(endian);
            let text = entry
                .val32(endian)
                .and_then(|offset| strings.get(offset).ok())
                .map(|text| String::from_utf8_lossy(text).into_owned());
            match (tag, text) {
                (elf::DT_NEEDED, Some(text)) => needed.push(text),
                (elf::DT_RUNPATH | elf::DT_RPATH, Some(text)) => {
                    let text = text
                        .replace("${ORIGIN}", "$ORIGIN")
                        .replace("$ORIGIN", &origin);
                    places.extend(text.split(':').map(str::to_owned));
                }
                _ => {}
            }
        }
    }
    (needed, places)
}
