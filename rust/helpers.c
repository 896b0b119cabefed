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

__rust_helper void rust_helper_ptrace_event(int event, unsigned long message)
{
	ptrace_event(event, message);
}

__rust_helper int rust_helper_syscall_get_arch(struct task_struct *task)
{
	return syscall_get_arch(task);
}

/*
 * What filters get to see of a system call of @task that is known to be of the
 * convention @arch_. Told nothing, the compiler makes one function of all
 * conventions, by computing where the arguments are: some 20 instructions more.
 */
#define SECCOMP_DATA_HELPER(name_, arch_)				\
__rust_helper void rust_helper_##name_(struct task_struct *task,	\
				       struct seccomp_data *data)	\
{									\
	struct pt_regs *regs = task_pt_regs(task);			\
	unsigned long args[6];						\
									\
	if (syscall_get_arch(task) != (arch_))				\
		__builtin_unreachable();				\
	syscall_get_arguments(task, regs, args);			\
	data->nr = syscall_get_nr(task, regs);				\
	data->arch = (arch_);						\
	data->instruction_pointer = KSTK_EIP(task);			\
	data->args[0] = args[0];					\
	data->args[1] = args[1];					\
	data->args[2] = args[2];					\
	data->args[3] = args[3];					\
	data->args[4] = args[4];					\
	data->args[5] = args[5];					\
}

SECCOMP_DATA_HELPER(native_seccomp_data, SECCOMP_ARCH_NATIVE)
#ifdef SECCOMP_ARCH_COMPAT
SECCOMP_DATA_HELPER(compat_seccomp_data, SECCOMP_ARCH_COMPAT)
#endif

__rust_helper int rust_helper_task_signal_live(struct task_struct *task)
{
	return atomic_read(&task->signal->live);
}

__rust_helper int rust_helper_task_syscall_nr(struct task_struct *task)
{
	return syscall_get_nr(task, task_pt_regs(task));
}

__rust_helper void rust_helper_task_syscall_rollback(struct task_struct *task)
{
	syscall_rollback(task, task_pt_regs(task));
}

__rust_helper void
rust_helper_task_syscall_set_return_value(struct task_struct *task, int error,
					  long val)
{
	syscall_set_return_value(task, task_pt_regs(task), error, val);
}

__rust_helper bool rust_helper_warn_on_once(bool cond)
{
	return WARN_ON_ONCE(cond);
}
