// SPDX-License-Identifier: GPL-2.0-only

//! What is asked of ELF files: who they are, and which function is where.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use gimli::UnwindSection;
use object::{
    Object, ObjectSection, ObjectSegment, ObjectSymbol, ObjectSymbolTable, ReadCache, ReadRef,
    SymbolIndex, SymbolKind,
};

/// No program that is looked at is larger.
const MAX_FILE: u64 = 1 << 30;

/// A file that may be a program.
fn open(path: &Path) -> Option<File> {
    let meta = fs::metadata(path).ok()?;
    if !meta.is_file() || meta.len() > MAX_FILE {
        return None;
    }
    File::open(path).ok()
}

/// The bytes of a file that may be a program.
pub(crate) fn read(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The build-id of a program, in hexadecimal.
pub fn build_id(path: &Path) -> Option<String> {
    let bytes = read(path)?;
    let file = object::File::parse(&*bytes).ok()?;
    let id = file.build_id().ok()??;
    Some(id.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Where an offset into a file is in memory, as the file counts it.
fn address<'a>(file: &object::File<'a, impl ReadRef<'a>>, offset: u64) -> Option<u64> {
    file.segments().find_map(|segment| {
        let (start, size) = segment.file_range();
        let within = offset.checked_sub(start)?;
        (within < size).then(|| segment.address().wrapping_add(within))
    })
}

/// Files that are asked of again and again: each is opened once, and what is needed of
/// it is read once.
#[derive(Default)]
pub struct Files(BTreeMap<PathBuf, Option<Image>>);

/// A file, and where its functions begin, in order.
struct Image {
    data: ReadCache<File>,
    functions: OnceCell<Vec<Function>>,
}

struct Function {
    address: u64,
    size: u64,
    index: SymbolIndex,
    dynamic: bool,
}

impl Files {
    fn image(&mut self, path: &Path) -> Option<&Image> {
        if !self.0.contains_key(path) {
            let image = open(path).map(|file| Image {
                data: ReadCache::new(file),
                functions: OnceCell::new(),
            });
            self.0.insert(path.to_owned(), image);
        }
        self.0.get(path)?.as_ref()
    }

    /// The function that an offset into a file is in, and how far in.
    pub fn symbol(&mut self, path: &Path, offset: u64) -> Option<(String, u64)> {
        let image = self.image(path)?;
        let file = object::File::parse(&image.data).ok()?;
        let address = address(&file, offset)?;
        let functions = image.functions.get_or_init(|| functions(&file));
        let before = functions.partition_point(|function| function.address <= address);
        let within =
            |function: &&Function| function.size == 0 || address - function.address < function.size;
        let mut there = functions
            .iter()
            .take(before)
            .rev()
            .filter(within)
            .peekable();
        let start = there.peek()?.address;
        let names = there
            .take_while(|function| function.address == start)
            .filter_map(|function| {
                let symbol = match function.dynamic {
                    true => file.dynamic_symbol_table()?.symbol_by_index(function.index),
                    false => file.symbol_by_index(function.index),
                };
                symbol.ok()?.name().ok()
            });
        // Of several names of one place the shortest is the one that people know.
        let name = names
            .min_by_key(|name| name.len())
            .filter(|name| !name.is_empty())?;
        Some((name.to_owned(), address - start))
    }

    /// How far above the stack pointer that is which a function's caller has after
    /// the call, by what the file says for unwinding; behind an offset, of x86-64.
    /// Unknown where another register than the stack pointer tells.
    pub(crate) fn frame(&mut self, path: &Path, offset: u64) -> Option<u64> {
        const STACK_POINTER: gimli::Register = gimli::Register(7);
        let image = self.image(path)?;
        let file = object::File::parse(&image.data).ok()?;
        // What stands behind a call may be in another function.
        let address = address(&file, offset.checked_sub(1)?)?;
        let [frames, index] = [".eh_frame", ".eh_frame_hdr"].map(|name| file.section_by_name(name));
        let (frames, index) = (frames?, index?);
        let mut bases = gimli::BaseAddresses::default()
            .set_eh_frame(frames.address())
            .set_eh_frame_hdr(index.address());
        if let Some(text) = file.section_by_name(".text") {
            bases = bases.set_text(text.address());
        }
        let table = gimli::EhFrameHdr::new(index.data().ok()?, gimli::LittleEndian);
        let table = table.parse(&bases, 8).ok()?;
        let frames = gimli::EhFrame::new(frames.data().ok()?, gimli::LittleEndian);
        let mut context = gimli::UnwindContext::new();
        let find = gimli::EhFrame::cie_from_offset;
        let row = table
            .table()?
            .unwind_info_for_address(&frames, &bases, &mut context, address, find)
            .ok()?;
        match row.cfa() {
            gimli::CfaRule::RegisterAndOffset { register, offset }
                if *register == STACK_POINTER =>
            {
                u64::try_from(*offset).ok()
            }
            _ => None,
        }
    }
}

/// The functions of a file, by their addresses.
fn functions<'a>(file: &object::File<'a, impl ReadRef<'a>>) -> Vec<Function> {
    let both = file
        .symbols()
        .map(|symbol| (symbol, false))
        .chain(file.dynamic_symbols().map(|symbol| (symbol, true)));
    let mut functions: Vec<Function> = both
        .filter(|(symbol, _)| symbol.kind() == SymbolKind::Text && symbol.is_definition())
        .map(|(symbol, dynamic)| Function {
            address: symbol.address(),
            size: symbol.size(),
            index: symbol.index(),
            dynamic,
        })
        .collect();
    functions.sort_by_key(|function| function.address);
    functions
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
        let (name, within) = Files::default().symbol(&exe, origin.1).unwrap();
        assert!(name.contains("a_function_is_found_where_it_is"), "{name}");
        assert_eq!(within, 0);
    }

    #[test]
    fn what_is_no_program_has_nothing() {
        for path in ["/proc/self/maps", "/", "/no/such/file", "/etc/passwd"] {
            assert_eq!(build_id(Path::new(path)), None);
            assert_eq!(Files::default().symbol(Path::new(path), 64), None);
        }
        if let Some(id) = build_id(Path::new("/bin/sh")) {
            assert!(id.len() >= 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
        }
    }
}
