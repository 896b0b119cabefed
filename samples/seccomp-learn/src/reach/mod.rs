// SPDX-License-Identifier: GPL-2.0-only

//! Which system calls a program and its libraries can reach, as far as reading
//! the files tells: an upper bound to hold beside what was seen.
//!
//! It follows direct calls, addresses that code takes, pointers in the data, and
//! names from file to file. It cannot see code that is made at run time or loaded
//! by `dlopen`, and takes every pointer in the data of a loaded file for one that
//! may be followed. Numbers are found where a constant is put into the register
//! before; where they are not, that is counted.

mod code;
mod libraries;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::syscalls::{Arch, Call};

use code::{File, To};

/// What was found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Reach {
    /// The calls, each with a function that makes it.
    pub calls: BTreeMap<Call, String>,
    /// The files that were read.
    pub files: Vec<PathBuf>,
    /// Libraries that were not found.
    pub missing: Vec<String>,
    /// System calls in reachable code of which the number is not known, and the
    /// functions that make them.
    pub unknown: BTreeMap<String, u32>,
    /// What loads or makes more code, where that is reachable.
    pub blind: BTreeSet<&'static str>,
}

/// What makes code that nobody can read here, by the name of a function.
const BLIND: [&str; 3] = ["dlopen", "dlmopen", "__libc_dlopen_mode"];

/// Reads a program and its libraries.
///
/// # Errors
///
/// If the program is no ELF file for x86-64, or cannot be read.
pub fn reach(program: &Path) -> Result<Reach> {
    let loaded = libraries::load(program)?;
    let files: Vec<File> = loaded
        .files
        .iter()
        .map(|(_, file)| code::read(&file.elf()))
        .collect();
    let mut reach = Reach {
        files: loaded.files.iter().map(|(path, _)| path.clone()).collect(),
        missing: loaded.missing,
        ..Reach::default()
    };
    let mut todo: Vec<(usize, u64)> = Vec::new();
    let mut seen: BTreeSet<(usize, u64)> = BTreeSet::new();
    let find = |from: usize, to: &To| -> Option<(usize, u64)> {
        match to {
            To::Here(address) => Some((from, *address)),
            To::Name(name) => files
                .iter()
                .enumerate()
                .find_map(|(i, file)| Some((i, *file.exports.get(name)?))),
        }
    };
    for (i, file) in files.iter().enumerate() {
        todo.extend(file.roots.iter().filter_map(|to| find(i, to)));
    }
    while let Some((i, address)) = todo.pop() {
        if !seen.insert((i, address)) {
            continue;
        }
        let Some(file) = files.get(i) else { continue };
        let Some(function) = file.functions.get(&address) else {
            continue;
        };
        let path = reach.files.get(i).and_then(|path| path.file_name());
        let path = path.map_or(String::new(), |name| name.to_string_lossy().into_owned());
        let name = match file.names.get(&address) {
            Some(name) => format!("{path}: {name}"),
            None => format!("{path}: {address:#x}"),
        };
        for &nr in &function.numbers {
            let call = Call {
                arch: Arch::X86_64.audit(),
                nr,
            };
            reach.calls.entry(call).or_insert_with(|| name.clone());
        }
        if function.unknown > 0 {
            *reach.unknown.entry(name).or_default() += function.unknown;
        }
        for to in &function.to {
            if let To::Name(name) = to {
                reach
                    .blind
                    .extend(BLIND.iter().filter(|blind| *blind == name));
            }
            todo.extend(find(i, to));
        }
    }
    Ok(reach)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_program_of_this_machine_reaches_what_it_calls() {
        if Arch::NATIVE != Arch::X86_64 || !Path::new("/bin/ls").exists() {
            return;
        }
        let reach = reach(Path::new("/bin/ls")).unwrap();
        assert!(reach.files.len() > 1, "{:?}", reach.files);
        for name in [
            "getdents64",
            "write",
            "mmap",
            "exit_group",
            "openat",
            "brk",
            "execve",
        ] {
            let call = name.parse().unwrap();
            let there = reach.calls.contains_key(&call);
            // It lists directories, and starts nothing.
            assert!(there || name == "execve", "{name}");
        }
        assert!(
            reach.calls.keys().all(|call| call.nr < 1024),
            "{:?}",
            reach.calls
        );
    }

    /// Numbers by the wrapper, by an instruction, through a loop, and one that
    /// comes from outside; and a function that nobody calls.
    const SOURCE: &str = r#"
#include <unistd.h>
#include <sys/syscall.h>
#define CALL(nr, r) __asm__ volatile("syscall" : "=a"(r) : "a"(nr) : "rcx", "r11", "memory")
__attribute__((noinline)) static long by_number(long nr) { long r; CALL(nr, r); return r; }
__attribute__((noinline)) static long by_pointer(int n) { long r; CALL((long)SYS_swapoff, r); return r + n; }
long (*pointer)(int) = by_pointer;
int nobody(void) { long r; CALL((long)SYS_acct, r); return r; }
int main(int c, char **v)
{
	long r = 0;
	if (c > 100)
		return syscall(SYS_kexec_load, 0, 0, 0, 0);
	while (r < c)
		CALL((long)SYS_sethostname, r);
	return c > 50 ? by_number(c) : pointer(c);
}
"#;

    #[test]
    fn numbers_are_found_however_they_are_given() {
        if Arch::NATIVE != Arch::X86_64 {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("a.c"), SOURCE).unwrap();
        for options in [
            &["-O1"][..],
            &["-O2", "-s"],
            &["-O1", "-static"],
            &["-O2", "-no-pie"],
        ] {
            let cc = std::process::Command::new("cc")
                .args(options)
                .args(["-o", "a", "a.c"])
                .current_dir(directory.path())
                .output();
            let Ok(output) = cc else { return };
            if !output.status.success() {
                continue;
            }
            let reach = reach(&at("a")).unwrap();
            let has = |name: &str| reach.calls.contains_key(&name.parse().unwrap());
            for name in ["kexec_load", "swapoff", "sethostname", "exit_group"] {
                assert!(has(name), "{options:?}: {name}");
            }
            assert!(!has("ptrace") && !has("init_module"), "{options:?}");
            // Without symbols what nobody calls is the end of what is before it.
            assert!(options.contains(&"-s") || !has("acct"), "{options:?}");
            let unknown: u32 = reach.unknown.values().sum();
            assert!(unknown > 0, "{options:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn a_file_that_is_broken_is_no_panic(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
            header in prop::collection::vec((0..4096usize, any::<u8>()), 0..4),
            length in any::<prop::sample::Index>(),
            cut in any::<bool>(),
        ) {
            let Ok(mut bytes) = std::fs::read("/bin/true") else { return Ok(()) };
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            for (at, byte) in header {
                bytes[at] = byte;
            }
            if cut {
                bytes.truncate(length.index(bytes.len()));
            }
            let Some(bytes) = libraries::Bytes::new(bytes) else { return Ok(()) };
            let _ = code::read(&bytes.elf());
            let _ = libraries::needs(Path::new("/bin/true"), &bytes);
        }
    }

    #[test]
    fn what_is_no_program_is_an_error() {
        for path in ["/etc/passwd", "/no/such/program", "/"] {
            assert!(reach(Path::new(path)).is_err(), "{path}");
        }
    }
}
