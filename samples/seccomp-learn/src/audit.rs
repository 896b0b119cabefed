// SPDX-License-Identifier: GPL-2.0-only

//! The kernel's audit subsystem, over netlink.
//!
//! Two sockets: one for requests, one that is a member of AUDIT_NLGRP_READLOG
//! and gets every record before printk's rate limit. The few messages that are
//! needed are built here: the crates that know audit's protocol bring an
//! asynchronous run-time with them.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::socket::{
    bind, recv, send, setsockopt, socket, sockopt, AddressFamily, MsgFlags, NetlinkAddr, SockFlag,
    SockProtocol, SockType,
};
use nix::sys::time::TimeVal;

use crate::error::{Result, Tried};
use crate::rules::Exclude;

/// The type of a record that a login or a new session makes.
pub const AUDIT_LOGIN: u16 = 1006;
/// The type of a record that says that a setting was changed.
pub const AUDIT_CONFIG_CHANGE: u16 = 1305;
/// The type of the record that [`Control::write_marker`] writes.
pub const AUDIT_TRUSTED_APP: u16 = 1121;
/// The type of a record that seccomp makes.
pub const AUDIT_SECCOMP: u16 = 1326;

const AUDIT_GET: u16 = 1000;
const AUDIT_SET: u16 = 1001;
const AUDIT_LIST_RULES: u16 = 1013;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLMSG_HDRLEN: usize = 16;
/// AUDIT_NLGRP_READLOG is group 1, so bit 0 of the address's group mask.
const READLOG_MASK: u32 = 1;
/// What the socket counts for a record, the kernel's overhead included.
const RECORD: usize = 2 << 10;
/// Records that may wait to be read: a burst of some seconds.
const WAITING: u32 = 64 << 10;
/// How long the kernel may take to answer; it answers at once.
const ANSWER_WAIT: i64 = 10;

/// The settings of `struct audit_status` that matter here, each with its bit in
/// the mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// 0 off, 1 on, 2 locked until the next boot.
    pub enabled: u32,
    /// The process of auditd, 0 if there is none.
    pub pid: u32,
    /// Records a second, 0 for no limit.
    pub rate_limit: u32,
    /// Records that may wait in the kernel, 0 for no limit.
    pub backlog_limit: u32,
    /// Records that the kernel has dropped since it was started.
    pub lost: u32,
    /// How long a task that logs waits for room in the backlog, in ticks; then
    /// its record is dropped.
    pub wait_limit: u32,
    /// How long tasks have waited so, all of them, in ticks; `None` before
    /// Linux 5.9.
    pub waited: Option<u32>,
}

impl Status {
    /// How many records may have been dropped, since `before`, on their way to
    /// the readers of the log.
    ///
    /// The kernel's counter has others beside: those that went to the readers
    /// and were dropped behind them, as nobody, or no auditd in time, took them
    /// (`kauditd_hold_skb()`: with `audit=1` and no auditd that is every one).
    /// What is dropped before is dropped by `audit_log_start()`, for want of
    /// room, and by then its task has waited for the whole of the limit. That
    /// function allocates a few hundred bytes as well, with GFP_KERNEL, which
    /// fails for a task that is being killed only. A rate limit drops behind it,
    /// but before the readers.
    pub fn lost_since(&self, before: &Self) -> u32 {
        let lost = self.lost.wrapping_sub(before.lost);
        let limit = self.wait_limit.min(before.wait_limit);
        match (before.waited, self.waited) {
            (Some(before), Some(now))
                if now >= before && now - before < limit && self.rate_limit == 0 =>
            {
                0
            }
            _ => lost,
        }
    }
}

const STATUS_ENABLED: u32 = 0x1;
const STATUS_RATE_LIMIT: u32 = 0x8;
const STATUS_BACKLOG_LIMIT: u32 = 0x10;

/// A socket for requests to the audit subsystem.
pub struct Control {
    fd: OwnedFd,
    seq: u32,
}

impl Control {
    /// Opens the socket.
    ///
    /// # Errors
    ///
    /// Fails where the kernel has no audit.
    pub fn open() -> Result<Self> {
        let fd = netlink(0).tried("the kernel has no audit subsystem (CONFIG_AUDIT)")?;
        setsockopt(&fd, sockopt::ReceiveTimeout, &TimeVal::new(ANSWER_WAIT, 0))
            .tried("cannot limit the time for an answer")?;
        Ok(Self { fd, seq: 0 })
    }

    /// Asks for the settings and counters (AUDIT_GET).
    ///
    /// # Errors
    ///
    /// EPERM without CAP_AUDIT_CONTROL, ECONNREFUSED in another user namespace.
    pub fn status(&mut self) -> Result<Status> {
        self.request(AUDIT_GET, NLM_F_REQUEST, &[])?;
        let mut buffer = [0; 1024];
        loop {
            let (kind, payload) = receive(self.fd.as_fd(), &mut buffer)?;
            match kind {
                NLMSG_ERROR => error(payload).tried("AUDIT_GET")?,
                AUDIT_GET => {
                    let word = |i: usize| {
                        payload
                            .get(i * 4..i * 4 + 4)
                            .and_then(|b| Some(u32::from_ne_bytes(b.try_into().ok()?)))
                            .ok_or(Errno::EBADMSG)
                            .tried("AUDIT_GET: short answer")
                    };
                    // mask, enabled, failure, pid, rate limit, backlog limit,
                    // lost, backlog, features, wait time, actual wait time
                    return Ok(Status {
                        enabled: word(1)?,
                        pid: word(3)?,
                        rate_limit: word(4)?,
                        backlog_limit: word(5)?,
                        lost: word(6)?,
                        wait_limit: word(9).unwrap_or(0),
                        waited: word(10).ok(),
                    });
                }
                _ => {}
            }
        }
    }

    /// Changes the settings that differ between `from` and `to` (AUDIT_SET).
    ///
    /// # Errors
    ///
    /// EPERM without CAP_AUDIT_CONTROL, or where the settings are locked.
    pub fn change(&mut self, from: &Status, to: &Status) -> Result<()> {
        let mut mask = 0;
        if from.enabled != to.enabled {
            mask |= STATUS_ENABLED;
        }
        if from.rate_limit != to.rate_limit {
            mask |= STATUS_RATE_LIMIT;
        }
        if from.backlog_limit != to.backlog_limit {
            mask |= STATUS_BACKLOG_LIMIT;
        }
        if mask == 0 {
            return Ok(());
        }
        let words = [
            mask,
            to.enabled,
            0,
            0,
            to.rate_limit,
            to.backlog_limit,
            0,
            0,
            0,
            0,
            0,
        ];
        let payload: Vec<u8> = words.iter().flat_map(|w| w.to_ne_bytes()).collect();
        self.acked(AUDIT_SET, &payload).tried("AUDIT_SET")
    }

    /// The rules of the exclude list, and whether there is any rule at all
    /// (AUDIT_LIST_RULES).
    ///
    /// # Errors
    ///
    /// EPERM without CAP_AUDIT_CONTROL.
    pub fn rules(&mut self) -> Result<(Vec<Exclude>, bool)> {
        self.request(AUDIT_LIST_RULES, NLM_F_REQUEST, &[])?;
        let mut buffer = [0; 16 << 10];
        let mut excludes = Vec::new();
        let mut any = false;
        loop {
            let (kind, payload) = receive(self.fd.as_fd(), &mut buffer)?;
            match kind {
                NLMSG_ERROR => error(payload).tried("AUDIT_LIST_RULES")?,
                AUDIT_LIST_RULES => {
                    any = true;
                    excludes.extend(Exclude::parse(payload));
                }
                NLMSG_DONE => return Ok((excludes, any)),
                _ => {}
            }
        }
    }

    /// Writes a record of user space. It takes its turn behind the records that
    /// the kernel has already queued, so reading it means having read those.
    ///
    /// # Errors
    ///
    /// EPERM without CAP_AUDIT_WRITE.
    pub fn write_marker(&mut self, text: &str) -> Result<()> {
        let mut payload = text.as_bytes().to_vec();
        payload.push(0);
        self.acked(AUDIT_TRUSTED_APP, &payload)
            .tried("cannot write an audit record")
    }

    fn acked(&mut self, kind: u16, payload: &[u8]) -> io::Result<()> {
        self.request(kind, NLM_F_REQUEST | NLM_F_ACK, payload)
            .map_err(io::Error::other)?;
        let mut buffer = [0; 1024];
        loop {
            let (kind, payload) =
                receive(self.fd.as_fd(), &mut buffer).map_err(io::Error::other)?;
            if kind == NLMSG_ERROR {
                return error(payload);
            }
        }
    }

    fn request(&mut self, kind: u16, flags: u16, payload: &[u8]) -> Result<()> {
        self.seq += 1;
        let len = NLMSG_HDRLEN + payload.len();
        let mut message = Vec::with_capacity(len.next_multiple_of(4));
        message.extend((len as u32).to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend(flags.to_ne_bytes());
        message.extend(self.seq.to_ne_bytes());
        message.extend(0u32.to_ne_bytes());
        message.extend(payload);
        message.resize(len.next_multiple_of(4), 0);
        send(self.fd.as_raw_fd(), &message, MsgFlags::empty())
            .tried("cannot ask the audit subsystem")?;
        Ok(())
    }
}

/// What reading the log gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A record: its type and its text.
    Record(u16, &'a str),
    /// The socket ran over: records were dropped, nobody knows how many.
    Overrun,
    /// Nothing waits to be read.
    Empty,
}

/// A member of the multicast group that gets every record.
pub struct Log {
    fd: OwnedFd,
    buffer: Vec<u8>,
}

impl Log {
    /// Joins AUDIT_NLGRP_READLOG; records count from here on. About `waiting` of
    /// them may wait to be read.
    ///
    /// # Errors
    ///
    /// EPERM without CAP_AUDIT_READ.
    pub fn open(waiting: Option<u32>) -> Result<Self> {
        let fd =
            netlink(READLOG_MASK).tried("cannot read the audit log (it needs CAP_AUDIT_READ)")?;
        let size = waiting.unwrap_or(WAITING) as usize * RECORD;
        // Past the system's limit where that is allowed, up to it otherwise; an
        // overrun is seen in either case.
        if setsockopt(&fd, sockopt::RcvBufForce, &size).is_err() {
            let _ = setsockopt(&fd, sockopt::RcvBuf, &size);
        }
        Ok(Self {
            fd,
            buffer: vec![0; 16 << 10],
        })
    }
}

/// Where records come from, in their order.
pub trait Source {
    /// Takes the next record without waiting for it.
    ///
    /// # Errors
    ///
    /// Fails if the source does.
    fn take(&mut self) -> Result<Event<'_>>;

    /// Waits until there may be one, no longer than `limit`.
    ///
    /// # Errors
    ///
    /// Fails if the source does.
    fn wait(&mut self, limit: Duration) -> Result<()>;
}

impl Source for Log {
    fn take(&mut self) -> Result<Event<'_>> {
        loop {
            match recv(
                self.fd.as_raw_fd(),
                &mut self.buffer,
                MsgFlags::MSG_DONTWAIT,
            ) {
                Ok(len) if len >= NLMSG_HDRLEN => {
                    let kind = u16::from_ne_bytes([self.buffer[4], self.buffer[5]]);
                    // One record a datagram; the length in the header is not to
                    // be trusted, it has left out the header itself.
                    let payload = &self.buffer[NLMSG_HDRLEN..len];
                    let end = payload.iter().position(|&b| b == 0);
                    let text = &payload[..end.unwrap_or(payload.len())];
                    return Ok(Event::Record(
                        kind,
                        std::str::from_utf8(text).unwrap_or_default(),
                    ));
                }
                Ok(_) => {}
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Ok(Event::Empty),
                Err(Errno::ENOBUFS) => return Ok(Event::Overrun),
                Err(e) => return Err(e).tried("cannot read the audit log"),
            }
        }
    }

    fn wait(&mut self, limit: Duration) -> Result<()> {
        let mut fds = [PollFd::new(self.fd.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(limit.as_millis().max(1)).unwrap_or(PollTimeout::MAX);
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(e) => Err(e).tried("cannot wait for the audit log"),
        }
    }
}

impl AsFd for Log {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn netlink(groups: u32) -> nix::Result<OwnedFd> {
    let fd = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkAudit,
    )?;
    bind(fd.as_raw_fd(), &NetlinkAddr::new(0, groups))?;
    Ok(fd)
}

fn receive<'a>(fd: BorrowedFd<'_>, buffer: &'a mut [u8]) -> Result<(u16, &'a [u8])> {
    let len = loop {
        match recv(fd.as_raw_fd(), buffer, MsgFlags::empty()) {
            Err(Errno::EINTR) => {}
            result => break result.tried("cannot read the audit subsystem's answer")?,
        }
    };
    if len < NLMSG_HDRLEN {
        return Err(Errno::EBADMSG).tried(format!("the audit subsystem sent {len} bytes"));
    }
    let kind = u16::from_ne_bytes([buffer[4], buffer[5]]);
    Ok((kind, &buffer[NLMSG_HDRLEN..len]))
}

/// The result that an NLMSG_ERROR message carries; 0 is the acknowledgement.
fn error(payload: &[u8]) -> io::Result<()> {
    let code = payload
        .get(..4)
        .and_then(|b| Some(i32::from_ne_bytes(b.try_into().ok()?)))
        .unwrap_or(0);
    if code == 0 {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(-code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_behind_the_readers_is_no_loss() {
        let before = Status {
            enabled: 1,
            pid: 0,
            rate_limit: 0,
            backlog_limit: 64,
            lost: 5,
            wait_limit: 15_000,
            waited: Some(100),
        };
        let after = |lost, waited| Status {
            lost,
            waited,
            ..before
        };
        assert_eq!(after(9, Some(15_099)).lost_since(&before), 0);
        // One record has waited for the whole of the limit.
        assert_eq!(after(9, Some(15_100)).lost_since(&before), 4);
        // Somebody has set the counter to 0; or there is none.
        assert_eq!(after(9, Some(99)).lost_since(&before), 4);
        assert_eq!(after(9, None).lost_since(&before), 4);
        // Nobody waits.
        let hasty = Status {
            wait_limit: 0,
            ..before
        };
        assert_eq!(after(9, Some(100)).lost_since(&hasty), 4);
        let limited = Status {
            rate_limit: 1,
            ..after(9, Some(100))
        };
        assert_eq!(limited.lost_since(&before), 4);
        assert_eq!(after(5, None).lost_since(&before), 0);
    }
}
