// SPDX-License-Identifier: GPL-2.0-only

//! Calls from a log that somebody has kept: audit.log, ausearch (raw or
//! interpreted), dmesg, journalctl.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, BufRead};

use crate::bpf::{ACTION_MASK, RET_LOG};
use crate::evidence::Evidence;
use crate::origin::Origin;
use crate::record::Seccomp;
use crate::run::{Loss, CANARY};
use crate::syscalls::{Call, Calls};

/// A longer line is no audit record: the kernel's are at most 8970 bytes.
const MAX_LINE: usize = 64 << 10;
/// Distinct calls and programs that are kept.
const MAX_DISTINCT: usize = 1 << 16;
const MAX_PROGRAMS: usize = 1 << 12;

/// Which records to take.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Those of this audit session.
    pub session: Option<u32>,
    /// Those of this process.
    pub pid: Option<i32>,
    /// Those of tasks of this name.
    pub comm: Option<OsString>,
    /// Those of this executable.
    pub exe: Option<OsString>,
    /// Those of other actions than SECCOMP_RET_LOG as well.
    pub any_action: bool,
}

/// What a log holds.
#[derive(Debug, Default)]
pub struct Found {
    /// The calls.
    pub calls: Calls,
    /// Records that were taken.
    pub records: u64,
    /// Records of the same actions that are of another session, process, name or
    /// executable than was chosen.
    pub others: u64,
    /// Why the list may not be whole.
    pub losses: Vec<Loss>,
    /// The executables that the records are of, and how many of each.
    pub programs: BTreeMap<OsString, u64>,
    /// The same as evidence, by the kernels that the log names: auditd does when it
    /// starts, and so does a kernel.
    pub evidence: Vec<Evidence>,
    /// The first record that cannot be read: its line and column, from 1.
    pub unreadable: Option<(u64, usize)>,
}

/// Reads a log to its end, however long, in bounded memory.
///
/// # Errors
///
/// Fails if reading does. A record that cannot be read is no error but a loss.
pub fn read(mut log: impl BufRead, choice: &Choice) -> io::Result<Found> {
    let mut found = Found::default();
    let mut unreadable = 0;
    let mut suppressed = 0;
    let mut printk = Serials::default();
    let mut lost = 0;
    let mut too_many = false;
    let mut kernel = String::new();
    let mut by_kernel: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut number = 0;
    let mut line = Vec::new();
    while next_line(&mut log, &mut line)? {
        number += 1;
        let text = String::from_utf8_lossy(&line);
        printk.line(&text);
        let Some(start) = record_start(&text) else {
            if let Some(named) = kernel_of(&text) {
                kernel = named.to_owned();
            }
            suppressed += word_before(&text, " callbacks suppressed")
                .filter(|_| text.contains("kauditd_printk_skb"))
                .unwrap_or(0);
            lost = lost.max(number_after(&text, "audit_lost=").unwrap_or(0));
            continue;
        };
        // auditd puts names behind a group separator, for people.
        let record = text[start..]
            .split('\x1d')
            .next()
            .unwrap_or_default()
            .trim_end();
        let Some(record) = Seccomp::parse(record) else {
            unreadable += 1;
            found.unreadable.get_or_insert((number, start + 1));
            continue;
        };
        if record.nr == CANARY || !choice.takes_action(&record) {
            continue;
        }
        if !choice.takes_task(&record) {
            found.others += 1;
            continue;
        }
        found.records += 1;
        if let Some(exe) = &record.exe {
            if let Some(records) = found.programs.get_mut(exe) {
                *records += 1;
            } else if found.programs.len() < MAX_PROGRAMS {
                found.programs.insert(exe.clone(), 1);
            }
            let key = (exe.to_string_lossy().into_owned(), kernel.clone());
            if let Some(records) = by_kernel.get_mut(&key) {
                *records += 1;
            } else if by_kernel.len() < MAX_PROGRAMS {
                by_kernel.insert(key, 1);
            }
        }
        let call = Call {
            arch: record.arch,
            nr: record.nr,
        };
        if found.calls.len() >= MAX_DISTINCT && !found.calls.contains_key(&call) {
            too_many = true;
            continue;
        }
        let seen = found.calls.entry(call).or_default();
        seen.count += 1;
        if seen.count == 1 {
            seen.first = Some(record.comm.to_string_lossy().into_owned());
            let exe = record.exe.as_ref();
            seen.origin = Some(Origin {
                exe: exe.map(|exe| exe.to_string_lossy().into_owned()),
                ..Origin::default()
            });
        }
    }
    found.evidence = by_kernel
        .iter()
        .map(|((exe, kernel), &records)| Evidence::logged(exe, kernel, records))
        .collect();
    if unreadable > 0 {
        found.losses.push(Loss::Unreadable(unreadable));
    }
    // Both count the same ones; neither has those after the last line.
    suppressed = suppressed.max(printk.missing);
    if suppressed > 0 {
        found.losses.push(Loss::Suppressed(suppressed));
    } else if printk.last.is_some() {
        found.losses.push(Loss::Printk);
    }
    if lost > 0 {
        found.losses.push(Loss::Counted(lost));
    }
    if too_many {
        found.losses.push(Loss::TooMany);
    }
    Ok(found)
}

/// The serial numbers of what audit wrote by printk: without auditd all events
/// go there, so that a gap is a loss.
#[derive(Default)]
struct Serials {
    last: Option<u64>,
    missing: u64,
}

impl Serials {
    fn line(&mut self, line: &str) {
        let Some(at) = line.find("audit: type=") else {
            return;
        };
        let serial = line[at..]
            .split_once(" audit(")
            .and_then(|(_, stamp)| stamp.split_once(')'))
            .and_then(|(stamp, _)| stamp.rsplit_once(':'))
            .and_then(|(_, serial)| serial.parse::<u64>().ok());
        let Some(serial) = serial else { return };
        // A smaller one is another boot's.
        if let Some(between) = self.last.and_then(|last| serial.checked_sub(last + 1)) {
            self.missing += between;
        }
        self.last = Some(serial);
    }
}

impl Choice {
    fn takes_action(&self, record: &Seccomp) -> bool {
        self.any_action || record.code & ACTION_MASK == RET_LOG
    }

    fn takes_task(&self, record: &Seccomp) -> bool {
        self.session.is_none_or(|session| session == record.session)
            && self.pid.is_none_or(|pid| pid == record.pid)
            && self.comm.as_ref().is_none_or(|comm| *comm == record.comm)
            && self
                .exe
                .as_ref()
                .is_none_or(|exe| Some(exe) == record.exe.as_ref())
    }
}

/// The release of the kernel that a line says has started, or that auditd says has
/// when it starts itself.
fn kernel_of(line: &str) -> Option<&str> {
    let word = |rest: &'_ str| rest.find(' ').unwrap_or(rest.len());
    if let Some(at) = line.find("type=DAEMON_START ") {
        let rest = line[at..].split_once(" kernel=")?.1;
        return Some(&rest[..word(rest)]);
    }
    let (before, rest) = line.split_once("Linux version ")?;
    let said = before.ends_with("] ") || before.ends_with(" kernel: ");
    said.then(|| &rest[..word(rest)])
}

/// Where the fields of an AUDIT_SECCOMP record begin in a line that has one.
fn record_start(line: &str) -> Option<usize> {
    // Names in records are quoted and hold no space, so that none of these can
    // come from one.
    let after = |needle: &str| line.find(needle).map(|at| at + needle.len());
    if let Some(start) = after("type=SECCOMP ").or_else(|| after("type=1326 ")) {
        return Some(line[start..].find("): ").map_or(start, |at| start + at + 3));
    }
    // journald's own reader of the audit group: "audit[99]: SECCOMP auid=…"
    after("]: SECCOMP ")
}

fn word_before(line: &str, needle: &str) -> Option<u64> {
    line[..line.find(needle)?]
        .split_whitespace()
        .next_back()?
        .parse()
        .ok()
}

fn number_after(line: &str, needle: &str) -> Option<u64> {
    let rest = &line[line.find(needle)? + needle.len()..];
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// Reads a line, or the beginning of one that is too long. False at the end.
fn next_line(log: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let chunk = match log.fill_buf() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            result => result?,
        };
        if chunk.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = chunk.iter().position(|&b| b == b'\n');
        let part = &chunk[..end.unwrap_or(chunk.len())];
        let room = MAX_LINE - line.len();
        line.extend_from_slice(&part[..part.len().min(room)]);
        let used = end.map_or(chunk.len(), |end| end + 1);
        log.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIELDS: &str = "auid=0 uid=0 gid=0 ses=7 pid=99 comm=\"ls\" exe=\"/usr/bin/ls\" sig=0 \
                          arch=c000003e syscall=257 compat=0 ip=0x7f00 code=0x7ffc0000";

    fn names(log: &str) -> Vec<String> {
        let found = read(log.as_bytes(), &Choice::default()).unwrap();
        let printk = log.contains("audit: type=");
        assert_eq!(found.losses.is_empty(), !printk, "{:?}", found.losses);
        found.calls.keys().map(|call| call.label()).collect()
    }

    #[test]
    fn every_kind_of_log_is_read() {
        for log in [
            format!("type=SECCOMP msg=audit(1.2:3): {FIELDS}\n"),
            format!("type=SECCOMP msg=audit(1.2:3): {FIELDS}\x1dARCH=x86_64 SYSCALL=openat\n"),
            format!("node=a type=SECCOMP msg=audit(1.2:3): {FIELDS}"),
            format!("[   12.345678] audit: type=1326 audit(1.2:3): {FIELDS}\r\n"),
            format!("Nov 24 08:00:00 host kernel: audit: type=1326 audit(1.2:3): {FIELDS}\n"),
            format!("Nov 24 08:00:00 host audit[99]: SECCOMP {FIELDS}\n"),
            format!("type=SECCOMP msg=audit(11/24/26 08:00:00.123:3) : {FIELDS}\n"),
        ] {
            assert_eq!(names(&log), ["openat"], "{log}");
        }
    }

    #[test]
    fn other_lines_are_left_alone() {
        assert_eq!(
            names("type=SYSCALL msg=audit(1.2:3): arch=c000003e syscall=1 comm=\"type=SECCOMP\"\n"),
            Vec::<String>::new()
        );
        assert_eq!(names("\n\n\0\n"), Vec::<String>::new());
    }

    #[test]
    fn what_the_log_says_is_missing_is_a_loss() {
        let log = format!(
            "audit: type=1326 audit(1.2:3): {FIELDS}\n\
             [1.0] kauditd_printk_skb: 17 callbacks suppressed\n\
             [2.0] audit: audit_lost=5 audit_rate_limit=0 audit_backlog_limit=64\n\
             audit: type=1326 audit(1.2:4): auid=0 uid=0 ses=1 sysc\n"
        );
        let found = read(log.as_bytes(), &Choice::default()).unwrap();
        assert_eq!(found.unreadable, Some((4, 32)));
        assert_eq!(
            found.losses,
            [Loss::Unreadable(1), Loss::Suppressed(17), Loss::Counted(5)]
        );
    }

    #[test]
    fn a_log_says_of_which_program_and_kernel_it_is() {
        let record = format!("type=SECCOMP msg=audit(1.2:3): {FIELDS}\n");
        let start = "type=DAEMON_START msg=audit(1.2:1): op=start ver=3.0.9 format=enriched \
                     kernel=6.1.0-13-amd64 auid=4294967295 res=success\n";
        let boot = "[    0.000000] Linux version 6.12.3 (builder@host) (gcc 12)\n";
        let forged = "type=USER msg=audit(1.2:2): msg='Linux version 9 '\n";
        let other = record.replace("bin/ls", "bin/cat");
        let log = format!("{record}{start}{record}{record}{other}{forged}{boot}{record}");
        let found = read(log.as_bytes(), &Choice::default()).unwrap();
        let told: Vec<String> = found
            .evidence
            .iter()
            .map(|of| {
                format!(
                    "{} on {}: {}, {}",
                    of.program,
                    of.place(),
                    of.extent(),
                    of.records
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                "/usr/bin/cat on 6.1.0-13-amd64: 1 log, 1",
                "/usr/bin/ls on an unknown kernel: 1 log, 1",
                "/usr/bin/ls on 6.1.0-13-amd64: 1 log, 2",
                "/usr/bin/ls on 6.12.3: 1 log, 1",
            ]
        );
    }

    #[test]
    fn a_gap_in_what_printk_kept_is_a_loss() {
        let line = |serial: &u64| format!("[1.0] audit: type=1326 audit(1.2:{serial}): {FIELDS}\n");
        let losses = |serials: &[u64]| {
            let log: String = serials.iter().map(line).collect();
            read(log.as_bytes(), &Choice::default()).unwrap().losses
        };
        assert_eq!(losses(&[3, 4, 9]), [Loss::Suppressed(4)]);
        assert_eq!(losses(&[3, 4, 1]), [Loss::Printk]);
    }

    #[test]
    fn records_are_chosen() {
        let other = FIELDS
            .replace("ses=7", "ses=8")
            .replace("syscall=257", "syscall=1");
        let killed = FIELDS
            .replace("code=0x7ffc0000", "code=0x80000000")
            .replace("syscall=257", "syscall=2");
        let log = [FIELDS, &other, &killed]
            .map(|fields| format!("type=SECCOMP msg=audit(1.2:3): {fields}\n"))
            .concat();
        let count = |choice| read(log.as_bytes(), &choice).unwrap().calls.len();
        let all = Choice::default();
        assert_eq!(count(all.clone()), 2);
        assert_eq!(
            count(Choice {
                session: Some(8),
                ..all.clone()
            }),
            1
        );
        assert_eq!(
            count(Choice {
                comm: Some("cat".into()),
                ..all.clone()
            }),
            0
        );
        assert_eq!(
            count(Choice {
                any_action: true,
                ..all
            }),
            3
        );
    }

    #[test]
    fn a_line_without_end_takes_bounded_memory() {
        let log = io::BufReader::new(io::Read::take(io::repeat(b'x'), 1 << 26));
        assert_eq!(read(log, &Choice::default()).unwrap().records, 0);
    }

    proptest! {
        #[test]
        fn no_input_is_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut log = b"type=SECCOMP msg=audit(1.2:3): ".to_vec();
            log.extend(&bytes);
            read(log.as_slice(), &Choice::default()).unwrap();
            read(bytes.as_slice(), &Choice::default()).unwrap();
        }

        #[test]
        fn a_cut_log_is_never_a_longer_list(at in 0..400usize) {
            let log = format!("type=SECCOMP msg=audit(1.2:3): {FIELDS}\n").repeat(2);
            let cut = &log[..at.min(log.len())];
            let found = read(cut.as_bytes(), &Choice::default()).unwrap();
            prop_assert!(found.calls.len() <= 1);
        }
    }
}
