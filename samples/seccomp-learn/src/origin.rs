// SPDX-License-Identifier: GPL-2.0-only

//! Where a call came from when it was made first.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::elf::Files;
use crate::syscalls::Calls;

/// Who made a call first, and from where. What could not be known is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// The program.
    pub exe: Option<String>,
    /// The file that the instruction behind the call is in, and where in it.
    pub place: Option<(String, u64)>,
    /// The function there, and how far in.
    pub symbol: Option<(String, u64)>,
    /// Where the function is called from that made it, outside of the file that it is
    /// in: mostly the C library's caller. Known of x86-64 tasks that wait.
    pub caller: Option<(String, u64)>,
    /// The function there, and how far in.
    pub calling: Option<(String, u64)>,
    /// The arguments, which a listener sees.
    pub args: Option<[u64; 6]>,
}

/// What tasks had mapped to execute when they were looked at, and which program each ran.
#[derive(Default)]
pub(crate) struct Maps(BTreeMap<i32, (String, String)>);

/// So many tasks are kept.
const MAX_TASKS: usize = 64;

impl Maps {
    /// The place of an address, if the task runs this program. What was mapped stays
    /// where it is as a rule, so that the kernel is asked only for what is not known.
    fn place(&mut self, pid: i32, exe: &str, ip: u64) -> Option<(String, u64)> {
        if let Some((known, maps)) = self.0.get(&pid) {
            if let Some(place) = place(maps, ip).filter(|_| known == exe) {
                return Some(place);
            }
        }
        let now = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        if now.to_string_lossy() != exe {
            return None;
        }
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
        let executable = |line: &&str| {
            line.split(' ')
                .nth(1)
                .is_some_and(|bits| bits.contains('x'))
        };
        let maps: Vec<&str> = maps.lines().filter(executable).collect();
        let maps = maps.join("\n");
        let place = place(&maps, ip);
        if self.0.len() >= MAX_TASKS {
            self.0.clear();
        }
        self.0.insert(pid, (exe.to_owned(), maps));
        place
    }
}

/// As much of a stack is looked at; a system call is not made deep in a library.
const STACK: usize = 1 << 14;
/// So many functions of one file may have called each other.
const FRAMES: usize = 32;

impl Origin {
    /// Of a task that waits for its answer.
    pub(crate) fn waiting(task: i32, ip: u64, args: [u64; 6], files: &mut Files) -> Self {
        let exe = fs::read_link(format!("/proc/{task}/exe")).ok();
        let maps = fs::read_to_string(format!("/proc/{task}/maps")).unwrap_or_default();
        Self {
            exe: exe.map(|path| path.to_string_lossy().into_owned()),
            place: place(&maps, ip),
            caller: caller(task, &maps, ip, files),
            args: Some(args),
            ..Self::default()
        }
    }

    /// Of a task that went on, as a record says: the place is known if the task
    /// is still there and runs the same program.
    pub(crate) fn recorded(pid: i32, exe: Option<&str>, ip: u64, maps: &mut Maps) -> Self {
        Self {
            exe: exe.map(str::to_owned),
            place: exe.and_then(|exe| maps.place(pid, exe, ip)),
            ..Self::default()
        }
    }

    /// Looks the functions up in their files.
    fn look_up(&mut self, files: &mut Files) {
        if let (None, Some((path, offset))) = (&self.symbol, &self.place) {
            self.symbol = files.symbol(Path::new(path), *offset);
        }
        if let (None, Some((path, offset))) = (&self.calling, &self.caller) {
            self.calling = files.symbol(Path::new(path), *offset);
        }
    }
}

/// Looks up which functions the calls came from first.
pub fn look_up(calls: &mut Calls) {
    let mut files = Files::default();
    for seen in calls.values_mut() {
        if let Some(origin) = &mut seen.origin {
            origin.look_up(&mut files);
        }
    }
}

/// From where the functions of a file were called that have led to the system call
/// of a task that waits, by what is on its stack.
fn caller(task: i32, maps: &str, ip: u64, files: &mut Files) -> Option<(String, u64)> {
    if !cfg!(target_arch = "x86_64") {
        return None;
    }
    // The number, six arguments, the stack pointer and that of instructions.
    let waiting = fs::read_to_string(format!("/proc/{task}/syscall")).ok()?;
    let pointer = waiting.split_ascii_whitespace().nth(7)?;
    let pointer = u64::from_str_radix(pointer.strip_prefix("0x")?, 16).ok()?;
    let mut stack = vec![0; STACK];
    let memory = File::open(format!("/proc/{task}/mem")).ok()?;
    let length = memory.read_at(&mut stack, pointer).ok()?;
    stack.truncate(length);
    let (path, offset) = place(maps, ip)?;
    unwind(maps, &path, offset, &stack, |offset| {
        files.frame(Path::new(&path), offset)
    })
}

/// Goes up the stack until the file is another: `frame` says how much of it a
/// function has.
fn unwind(
    maps: &str,
    path: &str,
    mut offset: u64,
    stack: &[u8],
    mut frame: impl FnMut(u64) -> Option<u64>,
) -> Option<(String, u64)> {
    let mut at: usize = 0;
    for _ in 0..FRAMES {
        let size = usize::try_from(frame(offset)?).ok()?;
        // The address behind the call is what the call itself has put there.
        let end = at.checked_add(size)?;
        let word = stack.get(end.checked_sub(8)?..end)?;
        let (file, within) = place(maps, u64::from_le_bytes(word.try_into().ok()?))?;
        if file != path {
            return Some((file, within));
        }
        (at, offset) = (end, within);
    }
    None
}

/// The file, and the offset in it, that an address is mapped from.
pub(crate) fn place(maps: &str, ip: u64) -> Option<(String, u64)> {
    maps.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let hex = |text| u64::from_str_radix(text, 16).ok();
        let (start, end) = (hex(start)?, hex(end)?);
        // The instruction after the call may be the first of another mapping.
        let call = ip.saturating_sub(1);
        if !(start..end).contains(&call) {
            return None;
        }
        let offset = hex(words.nth(1)?)?;
        let path = line.find('/').map(|at| &line[at..])?;
        Some((path.to_owned(), offset + (ip - start)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
555500000000-555500001000 r--p 00000000 fe:01 12 /usr/bin/a b
555500001000-555500002000 r-xp 00001000 fe:01 12 /usr/bin/a b
7fff00000000-7fff00002000 r-xp 00000000 00:00 0  [vdso]
7f0000000000-7f0000001000 rwxp 00000000 00:00 0
";

    #[test]
    fn an_address_has_a_place_in_a_file() {
        assert_eq!(
            place(MAPS, 0x5555_0000_1010),
            Some(("/usr/bin/a b".to_owned(), 0x1010))
        );
        assert_eq!(place(MAPS, 0x5555_0000_2000).unwrap().1, 0x2000);
        for nowhere in [0x7fff_0000_0010, 0x7f00_0000_0010, 1, 0, u64::MAX] {
            assert_eq!(place(MAPS, nowhere), None);
        }
    }

    #[test]
    fn the_stack_leads_out_of_the_file() {
        let maps =
            "1000-2000 r-xp 00000000 00:00 1 /lib/c\n5000-6000 r-xp 00001000 00:00 2 /bin/a\n";
        // 24 bytes, 16 bytes, then the program.
        let words: [u64; 6] = [9, 9, 0x1800, 9, 0x5010, 0x1700];
        let stack: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let frame = |offset| match offset {
            0x10 => Some(24),
            0x800 => Some(16),
            _ => None,
        };
        let program = Some(("/bin/a".to_owned(), 0x1010));
        assert_eq!(unwind(maps, "/lib/c", 0x10, &stack, frame), program);
        // Not far enough, nobody knows how far, nothing there, always the same.
        assert_eq!(unwind(maps, "/lib/c", 0x10, &stack[..32], frame), None);
        assert_eq!(unwind(maps, "/lib/c", 0x11, &stack, frame), None);
        assert_eq!(unwind(maps, "/lib/c", 0x10, &[0; 64], frame), None);
        let turning = 0x1800u64.to_le_bytes().repeat(64);
        assert_eq!(unwind(maps, "/lib/c", 0x800, &turning, |_| Some(8)), None);
        assert_eq!(unwind(maps, "/lib/c", 0x800, &turning, |_| Some(0)), None);
        assert_eq!(
            unwind(maps, "/lib/c", 0x800, &turning, |_| Some(u64::MAX)),
            None
        );
    }

    #[test]
    fn a_task_that_is_another_by_now_tells_nothing() {
        let me = std::process::id() as i32;
        let here = place as *const () as usize as u64 + 1;
        let exe = std::env::current_exe().unwrap();
        let exe = exe.to_str().unwrap();
        let mut maps = Maps::default();
        for _ in 0..2 {
            assert!(Origin::recorded(me, Some(exe), here, &mut maps)
                .place
                .is_some());
        }
        assert_eq!(Origin::recorded(me, Some(exe), 1, &mut maps).place, None);
        let other = Origin::recorded(me, Some("/usr/bin/other"), here, &mut maps);
        assert_eq!((other.place, other.args), (None, None));
        assert_eq!(other.exe.as_deref(), Some("/usr/bin/other"));
    }
}
