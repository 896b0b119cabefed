/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tracepoint of seccomp in Rust. It is declared by C's macros, made by
 * trace.c, and called from rust/abstractions/trace.rs.
 */
#undef TRACE_SYSTEM
#undef TRACE_INCLUDE_FILE
#undef TRACE_INCLUDE_PATH
#define TRACE_SYSTEM seccomp
#define TRACE_INCLUDE_FILE trace
#define TRACE_INCLUDE_PATH ../kernel/seccomp/rust

#if !defined(_KERNEL_SECCOMP_RUST_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _KERNEL_SECCOMP_RUST_TRACE_H

#include <linux/seccomp.h>
#include <linux/tracepoint.h>

/*
 * Seccomp has decided about a system call, other than to allow it: @action and
 * @data are the halves of what the filter returned, @logged whether audit
 * was given a record of it now. @args are six.
 */
TRACE_EVENT(seccomp_verdict,
	TP_PROTO(int nr, u32 arch, u32 action, u16 data, bool logged,
		 const unsigned long *args),
	TP_ARGS(nr, arch, action, data, logged, args),

	TP_STRUCT__entry(
		__field(int, nr)
		__field(u32, arch)
		__field(u32, action)
		__field(u16, data)
		__field(bool, logged)
		__array(unsigned long, args, 6)
	),
	TP_fast_assign(
		__entry->nr = nr;
		__entry->arch = arch;
		__entry->action = action;
		__entry->data = data;
		__entry->logged = logged;
		memcpy(__entry->args, args, sizeof(__entry->args));
	),
	TP_printk("nr=%d arch=%x action=0x%x (%s) data=%u logged=%d args=(%lx, %lx, %lx, %lx, %lx, %lx)",
		  __entry->nr, __entry->arch, __entry->action,
		  __print_symbolic(__entry->action,
				   { SECCOMP_RET_KILL_PROCESS, "kill_process" },
				   { SECCOMP_RET_KILL_THREAD, "kill_thread" },
				   { SECCOMP_RET_TRAP, "trap" },
				   { SECCOMP_RET_ERRNO, "errno" },
				   { SECCOMP_RET_USER_NOTIF, "user_notif" },
				   { SECCOMP_RET_TRACE, "trace" },
				   { SECCOMP_RET_LOG, "log" }),
		  __entry->data, __entry->logged,
		  __entry->args[0], __entry->args[1], __entry->args[2],
		  __entry->args[3], __entry->args[4], __entry->args[5])
);

#endif /* _KERNEL_SECCOMP_RUST_TRACE_H */

#include <trace/define_trace.h>
