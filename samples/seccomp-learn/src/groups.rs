// SPDX-License-Identifier: GPL-2.0-only

//! Groups of calls by what they do, under the names that systemd gives them.
//!
//! They are for people to read: systemd's own, which change with its version,
//! are asked of it where a drop-in is read or written. A call is in the first
//! that has it, and the most dangerous come first.

/// A group: its name, whether its calls reach beyond the process that makes
/// them, and their names.
pub struct Group {
    /// The name, as `@mount`.
    pub name: &'static str,
    /// Whether `systemd-analyze security` counts it as exposure.
    pub exposes: bool,
    calls: &'static str,
}

const fn exposing(name: &'static str, calls: &'static str) -> Group {
    Group {
        name,
        exposes: true,
        calls,
    }
}

const fn usual(name: &'static str, calls: &'static str) -> Group {
    Group {
        name,
        exposes: false,
        calls,
    }
}

/// Of what is in no group.
pub const OTHER: &str = "@other";

const GROUPS: &[Group] = &[
    exposing("@module", "init_module finit_module delete_module"),
    exposing("@reboot", "kexec_load kexec_file_load reboot"),
    exposing("@raw-io", "iopl ioperm pciconfig_iobase pciconfig_read pciconfig_write s390_pci_mmio_read s390_pci_mmio_write"),
    exposing("@debug", "ptrace process_vm_readv process_vm_writev pidfd_getfd perf_event_open kcmp lookup_dcookie rtas s390_runtime_instr sys_debug_setcontext"),
    exposing("@mount", "mount umount umount2 pivot_root chroot fsopen fsconfig fsmount fspick mount_setattr move_mount open_tree open_tree_attr statmount listmount"),
    exposing("@swap", "swapon swapoff"),
    exposing("@clock", "settimeofday clock_settime clock_settime64 adjtimex clock_adjtime clock_adjtime64 stime"),
    exposing("@cpu-emulation", "modify_ldt vm86 vm86old subpage_prot switch_endian"),
    exposing("@privileged", "bpf open_by_handle_at quotactl quotactl_fd acct capset fanotify_init fanotify_mark nfsservctl \
        setdomainname sethostname vhangup setuid setuid32 setreuid setreuid32 setresuid setresuid32 setfsuid setfsuid32 setgroups setgroups32"),
    usual("@keyring", "add_key keyctl request_key"),
    usual("@sandbox", "seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self"),
    usual("@aio", "io_uring_setup io_uring_enter io_uring_register io_setup io_submit io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64"),
    exposing("@obsolete", "_sysctl sysfs uselib ustat vserver afs_syscall bdflush break create_module ftime get_kernel_syms getpmsg \
        gtty idle lock mpx prof profil putpmsg query_module security sgetmask ssetmask stty tuxcall ulimit"),
    usual("@setuid", "setgid setgid32 setregid setregid32 setresgid setresgid32 setfsgid setfsgid32"),
    usual("@chown", "chown chown32 fchown fchown32 fchownat lchown lchown32"),
    exposing("@resources", "sched_setscheduler sched_setattr sched_setparam sched_setaffinity nice setpriority ioprio_set mbind \
        migrate_pages move_pages set_mempolicy set_mempolicy_home_node"),
    usual("@process", "clone clone3 fork vfork unshare setns execve execveat prctl kill tgkill tkill pidfd_open pidfd_send_signal \
        rt_sigqueueinfo rt_tgsigqueueinfo process_madvise process_mrelease capget getrusage times swapcontext wait4 waitid waitpid \
        exit exit_group personality setpgid setsid setrlimit prlimit64"),
    usual("@network-io", "socket socketpair socketcall bind connect listen accept accept4 setsockopt getsockopt sendto sendmsg sendmmsg \
        recvfrom recvmsg recvmmsg recvmmsg_time64 send recv shutdown getpeername getsockname"),
    usual("@ipc", "ipc shmget shmat shmctl shmdt semget semctl semop semtimedop semtimedop_time64 msgget msgctl msgrcv msgsnd mq_open \
        mq_unlink mq_notify mq_getsetattr mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 memfd_create \
        memfd_secret pipe pipe2"),
    usual("@memory", "userfaultfd mmap mmap2 mprotect pkey_mprotect pkey_alloc pkey_free mremap munmap madvise remap_file_pages brk mlock mlock2 \
        mlockall munlock munlockall mincore membarrier mseal map_shadow_stack"),
    usual("@file-system", "ioctl open openat openat2 creat close close_range access faccessat faccessat2 chdir fchdir chmod fchmod fchmodat fchmodat2 \
        fallocate fcntl fcntl64 flock getcwd getdents getdents64 link linkat symlink symlinkat unlink unlinkat mkdir mkdirat rmdir mknod \
        mknodat rename renameat renameat2 readlink readlinkat stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat oldfstat \
        oldlstat oldstat statx statfs statfs64 fstatfs fstatfs64 truncate truncate64 ftruncate ftruncate64 utime utimes utimensat \
        utimensat_time64 futimesat getxattr fgetxattr lgetxattr listxattr flistxattr llistxattr setxattr fsetxattr lsetxattr \
        removexattr fremovexattr lremovexattr inotify_init inotify_init1 inotify_add_watch inotify_rm_watch name_to_handle_at umask"),
    usual("@io-event", "_newselect select pselect6 pselect6_time64 poll ppoll ppoll_time64 epoll_create epoll_create1 epoll_ctl epoll_ctl_old \
        epoll_wait epoll_wait_old epoll_pwait epoll_pwait2 eventfd eventfd2"),
    usual("@timer", "alarm getitimer setitimer timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime \
        timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64"),
    usual("@signal", "rt_sigaction rt_sigpending rt_sigprocmask rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_sigreturn sigaction \
        sigaltstack signal signalfd signalfd4 sigpending sigprocmask sigsuspend sigreturn"),
    usual("@sync", "fdatasync fsync msync sync sync_file_range sync_file_range2 syncfs"),
    usual("@basic-io", "read readv write writev pread64 preadv preadv2 pwrite64 pwritev pwritev2 lseek _llseek dup dup2 dup3 sendfile sendfile64 \
        splice tee vmsplice copy_file_range readahead fadvise64 fadvise64_64"),
    usual("@default", "arch_prctl cacheflush clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep \
        clock_nanosleep_time64 futex futex_time64 futex_waitv futex_wait futex_wake futex_requeue get_robust_list get_thread_area getcpu \
        getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getpgid getpgrp getpid getppid getrandom getresgid \
        getresgid32 getresuid getresuid32 getrlimit getsid gettid gettimeofday getuid getuid32 nanosleep pause restart_syscall rseq \
        sched_getaffinity sched_yield set_robust_list set_thread_area set_tid_address set_tls time ugetrlimit uname sysinfo"),
];

/// The group of a name, and how dangerous it is: 0 is the most.
pub fn of(name: &str) -> (usize, &'static str) {
    find(name).map_or((GROUPS.len(), OTHER), |(rank, group)| (rank, group.name))
}

/// Whether the group of a name counts as exposure.
pub fn exposes(name: &str) -> bool {
    find(name).is_some_and(|(_, group)| group.exposes)
}

fn find(name: &str) -> Option<(usize, &'static Group)> {
    let has = |group: &&Group| group.calls.split_whitespace().any(|other| other == name);
    let rank = GROUPS.iter().position(|group| has(&group))?;
    Some((rank, GROUPS.get(rank)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_call_is_in_one_group() {
        let mut once = BTreeSet::new();
        for group in GROUPS {
            for name in group.calls.split_whitespace() {
                assert!(once.insert(name), "{name} is in two groups");
            }
        }
        assert_eq!(of("mount").1, "@mount");
        assert_eq!(of("462").1, OTHER);
        assert!(of("init_module").0 < of("socket").0 && of("socket").0 < of("read").0);
        assert!(exposes("bpf") && !exposes("read") && !exposes("462"));
    }
}
