// SPDX-License-Identifier: GPL-2.0-only

//! What is asked of ELF files: who they are, and which function is where.

use std::fs;
use std::path::Path;

use object::{Object, ObjectSegment, ObjectSymbol, SymbolKind};

/// No program that is looked at is larger.
const MAX_FILE: u64 = 1 << 30;

/// The bytes of a file that may be a program.
pub(crate) fn read(path: &Path) -> Option<Vec<u8>> {
    let meta = fs::metadata(path).ok()?;
    if !meta.is_file() || meta.len() > MAX_FILE {
        return None;
    }
    fs::read(path).ok()
}

/// The build-id of a program, in hexadecimal.
pub fn build_id(path: &Path) -> Option<String> {
    let bytes = read(path)?;
    let file = object::File::parse(&*bytes).ok()?;
    let id = file.build_id().ok()??;
    Some(id.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The function that an offset into a file is in, and how far in.
pub fn symbol(path: &Path, offset: u64) -> Option<(String, u64)> {
    let bytes = read(path)?;
    let file = object::File::parse(&*bytes).ok()?;
    let address = file.segments().find_map(|segment| {
        let (start, size) = segment.file_range();
        let within = offset.checked_sub(start)?;
        (within < size).then(|| segment.address().wrapping_add(within))
    })?;
    let best = file
        .symbols()
        .chain(file.dynamic_symbols())
        .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.is_definition())
        .filter(|symbol| symbol.address() <= address)
        .filter(|symbol| symbol.size() == 0 || address - symbol.address() < symbol.size())
        // Of several names of one place the shortest is the one that people know.
        .max_by_key(|symbol| {
            let length = symbol.name().map_or(usize::MAX, str::len);
            (symbol.address(), std::cmp::Reverse(length))
        })?;
    let name = best.name().ok().filter(|name| !name.is_empty())?;
    Some((name.to_owned(), address - best.address()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_found_where_it_is() {
        let exe = std::env::current_exe().unwrap();
        let here = a_function_is_found_where_it_is as *const () as usize as u64;
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let origin = crate::origin::place(&maps, here).unwrap();
        assert_eq!(Path::new(&origin.0), exe);
        let (name, within) = symbol(&exe, origin.1).unwrap();
        assert!(name.contains("a_function_is_found_where_it_is"), "{name}");
        assert_eq!(within, 0);
    }

    #[test]
    fn what_is_no_program_has_nothing() {
        for path in ["/proc/self/maps", "/", "/no/such/file", "/etc/passwd"] {
            assert_eq!(build_id(Path::new(path)), None);
            assert_eq!(symbol(Path::new(path), 64), None);
        }
        if let Some(id) = build_id(Path::new("/bin/sh")) {
            assert!(id.len() >= 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
        }
    }
}
