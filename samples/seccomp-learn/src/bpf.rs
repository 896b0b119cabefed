// SPDX-License-Identifier: GPL-2.0

//! Building and installing seccomp filters.

use std::io;

/// SECCOMP_RET_LOG: the call goes through and is recorded.
pub const RET_LOG: u32 = 0x7ffc_0000;

const BPF_RET_K: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// A seccomp filter, ready to be installed.
#[derive(Clone)]
pub struct Filter(Vec<libc::sock_filter>);

impl Filter {
    /// A filter that records every call.
    pub fn log_all() -> Self {
        Self(vec![libc::sock_filter {
            code: BPF_RET_K,
            jt: 0,
            jf: 0,
            k: RET_LOG,
        }])
    }

    /// Puts the calling thread, and what it will start, under this filter.
    ///
    /// Makes system calls and nothing else, so that it may be called between
    /// fork and exec.
    ///
    /// # Errors
    ///
    /// EACCES without CAP_SYS_ADMIN if `no_new_privs` is not set, EINVAL where
    /// the kernel has no seccomp filters.
    pub fn install(&self, no_new_privs: bool) -> io::Result<()> {
        let prog = libc::sock_fprog {
            len: self.0.len() as u16,
            filter: self.0.as_ptr().cast_mut(),
        };
        // SAFETY: PR_SET_NO_NEW_PRIVS takes four integers.
        if no_new_privs && unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: `prog` describes the instructions that `self` owns; the
        // kernel copies them and does not write to them.
        let ret = unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                0,
                &raw const prog,
            )
        };
        if ret == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }
}
