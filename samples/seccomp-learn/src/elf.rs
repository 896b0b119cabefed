// SPDX-License-Identifier: GPL-2.0-only

//! What is asked of ELF files: who they are, and which function is where.

use std::fs;
use std::path::Path;

use gimli::UnwindSection;
use object::{Object, ObjectSection, ObjectSegment, ObjectSymbol, SymbolKind};

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

/// Where an offset into a file is in memory, as the file counts it.
fn address(file: &object::File<'_>, offset: u64) -> Option<u64> {
    file.segments().find_map(|segment| {
        let (start, size) = segment.file_range();
        let within = offset.checked_sub(start)?;
        (within < size).then(|| segment.address().wrapping_add(within))
    })
}

/// How far above the stack pointer that is which a function's caller has after the
/// call, by what the file says for unwinding; behind an offset, of x86-64. Unknown where
/// another register than the stack pointer tells.
pub(crate) fn frame(bytes: &[u8], offset: u64) -> Option<u64> {
    const STACK_POINTER: gimli::Register = gimli::Register(7);
    let file = object::File::parse(bytes).ok()?;
    // What stands behind a call may be in another function.
    let address = address(&file, offset.checked_sub(1)?)?;
    let section = file.section_by_name(".eh_frame")?;
    let mut bases = gimli::BaseAddresses::default().set_eh_frame(section.address());
    if let Some(text) = file.section_by_name(".text") {
        bases = bases.set_text(text.address());
    }
    let frames = gimli::EhFrame::new(section.data().ok()?, gimli::LittleEndian);
    let mut context = gimli::UnwindContext::new();
    let find = gimli::EhFrame::cie_from_offset;
    let row = frames
        .unwind_info_for_address(&bases, &mut context, address, find)
        .ok()?;
    match row.cfa() {
        gimli::CfaRule::RegisterAndOffset { register, offset } if *register == STACK_POINTER => {
            u64::try_from(*offset).ok()
        }
        _ => None,
    }
}

/// The function that an offset into a file is in, and how far in.
pub fn symbol(path: &Path, offset: u64) -> Option<(String, u64)> {
    let bytes = read(path)?;
    let file = object::File::parse(&*bytes).ok()?;
    let address = address(&file, offset)?;
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
