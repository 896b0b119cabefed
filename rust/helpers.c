// SPDX-License-Identifier: GPL-2.0
/*
 * C that Rust cannot call as it is, macros and inline functions, for the Rust of
 * kernel/seccomp/. Included into rust/helpers/helpers.c, so that the compilers
 * can inline it into the crate (CONFIG_RUST_INLINE_HELPERS).
 *
 * Sorted alphabetically.
 */

#include <linux/audit.h>
#include <linux/compat.h>
#include <linux/filter.h>
#include <linux/nospec.h>
#include <linux/preempt.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>

#include <asm/syscall.h>

__rust_helper unsigned long
rust_helper_array_index_nospec(unsigned long index, unsigned long size)
{
	return array_index_nospec(index, size);
}

/* A variable or a macro, by configuration. */
__rust_helper bool rust_helper_audit_is_enabled(void)
{
	return audit_enabled;
}

#ifndef CONFIG_AUDITSYSCALL
__rust_helper void rust_helper_audit_seccomp(unsigned long syscall, long signr,
					     int code)
{
	audit_seccomp(syscall, signr, code);
}

__rust_helper void
rust_helper_audit_seccomp_actions_logged(const char *names,
					 const char *old_names, int res)
{
	audit_seccomp_actions_logged(names, old_names, res);
}
#endif

/*
 * Where the programs are counted. Apart, because it keeps values across calls,
 * in registers that all who run a program would then have to save.
 */
noinline __cold u32
rust_helper_bpf_prog_run_counted(const struct bpf_prog *prog, const void *ctx)
{
	return bpf_prog_run(prog, ctx);
}

__rust_helper u32 rust_helper_bpf_prog_run(const struct bpf_prog *prog,
					   const void *ctx)
{
	if (static_branch_unlikely(&bpf_stats_enabled_key))
		return rust_helper_bpf_prog_run_counted(prog, ctx);

	cant_migrate();
	return bpf_dispatcher_nop_func(ctx, prog->insnsi, prog->bpf_func);
}

__rust_helper int rust_helper_fatal_signal_pending(struct task_struct *task)
{
	return fatal_signal_pending(task);
}

__rust_helper bool rust_helper_in_compat_syscall(void)
{
	return in_compat_syscall();
}

/*
 * bindgen takes the out-of-line migrate_disable() and migrate_enable() of
 * modules for the ones to call, hence the names.
 */
__rust_helper void rust_helper_inline_migrate_disable(void)
{
	migrate_disable();
}

__rust_helper void rust_helper_inline_migrate_enable(void)
{
	migrate_enable();
}

__rust_helper unsigned long rust_helper_kstk_eip(struct task_struct *task)
{
	return KSTK_EIP(task);
}

__rust_helper void rust_helper_ptrace_event(int event, unsigned long message)
{
	ptrace_event(event, message);
}

__rust_helper bool rust_helper_ptrace_event_enabled(struct task_struct *task,
						    int event)
{
	return ptrace_event_enabled(task, event);
}

__rust_helper int rust_helper_syscall_get_arch(struct task_struct *task)
{
	return syscall_get_arch(task);
}

__rust_helper void rust_helper_syscall_get_arguments(struct task_struct *task,
						     struct pt_regs *regs,
						     unsigned long *args)
{
	syscall_get_arguments(task, regs, args);
}

#ifdef SECCOMP_ARCH_COMPAT
/*
 * In a compat system call, and no other. Told nothing, the compiler makes one of
 * the two conventions, by computing where the arguments are: some 20
 * instructions more.
 */
__rust_helper void
rust_helper_syscall_get_compat_arguments(struct task_struct *task,
					 struct pt_regs *regs,
					 unsigned long *args)
{
	if (syscall_get_arch(task) == SECCOMP_ARCH_NATIVE)
		__builtin_unreachable();
	syscall_get_arguments(task, regs, args);
}
#endif

__rust_helper int rust_helper_syscall_get_nr(struct task_struct *task,
					     struct pt_regs *regs)
{
	return syscall_get_nr(task, regs);
}

__rust_helper void rust_helper_syscall_rollback(struct task_struct *task,
						struct pt_regs *regs)
{
	syscall_rollback(task, regs);
}

__rust_helper void
rust_helper_syscall_set_return_value(struct task_struct *task,
				     struct pt_regs *regs, int error, long val)
{
	syscall_set_return_value(task, regs, error, val);
}

__rust_helper struct pt_regs *
rust_helper_task_pt_regs(struct task_struct *task)
{
	return task_pt_regs(task);
}

/*
 * Where the fields of struct task_struct lie, Rust must not ask bindgen: it
 * loses the alignment of an empty structure, which sched_statistics is without
 * CONFIG_SCHEDSTATS, and all that stands behind that one moves.
 */
__rust_helper unsigned int rust_helper_task_ptrace(struct task_struct *task)
{
	return READ_ONCE(task->ptrace);
}

__rust_helper struct seccomp *
rust_helper_task_seccomp(struct task_struct *task)
{
	return &task->seccomp;
}

__rust_helper int rust_helper_task_signal_live(struct task_struct *task)
{
	return atomic_read(&task->signal->live);
}

__rust_helper bool rust_helper_warn_on_once(bool cond)
{
	return WARN_ON_ONCE(cond);
}
