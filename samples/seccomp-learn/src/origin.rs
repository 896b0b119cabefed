// SPDX-License-Identifier: GPL-2.0-only

//! Where a call came from when it was made first.

use std::fs;
use std::path::Path;

use crate::elf;

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
    /// The arguments, which a listener sees.
    pub args: Option<[u64; 6]>,
}

impl Origin {
    /// Of a task that waits for its answer.
    pub(crate) fn waiting(task: i32, ip: u64, args: [u64; 6]) -> Self {
        let exe = fs::read_link(format!("/proc/{task}/exe")).ok();
        let maps = fs::read_to_string(format!("/proc/{task}/maps")).unwrap_or_default();
        Self {
            exe: exe.map(|path| path.to_string_lossy().into_owned()),
            place: place(&maps, ip),
            symbol: None,
            args: Some(args),
        }
    }

    /// Of a task that went on, as a record says: the place is known if the task
    /// is still there and runs the same program.
    pub(crate) fn recorded(pid: i32, exe: Option<&str>, ip: u64) -> Self {
        let mut origin = Self::waiting(pid, ip, [0; 6]);
        origin.args = None;
        if exe.is_none() || origin.exe.as_deref() != exe {
            origin.place = None;
        }
        origin.exe = exe.map(str::to_owned);
        origin
    }

    /// Looks the function up in the file.
    pub fn look_up(&mut self) {
        if let (None, Some((path, offset))) = (&self.symbol, &self.place) {
            self.symbol = elf::symbol(Path::new(path), *offset);
        }
    }
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
    fn a_task_that_is_another_by_now_tells_nothing() {
        let me = std::process::id() as i32;
        let here = place as *const () as usize as u64 + 1;
        let exe = std::env::current_exe().unwrap();
        let exe = exe.to_str().unwrap();
        assert!(Origin::recorded(me, Some(exe), here).place.is_some());
        let other = Origin::recorded(me, Some("/usr/bin/other"), here);
        assert_eq!((other.place, other.args), (None, None));
        assert_eq!(other.exe.as_deref(), Some("/usr/bin/other"));
    }
}
