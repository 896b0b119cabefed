// SPDX-License-Identifier: GPL-2.0
/*
 * C that Rust cannot call as it is, macros and inline functions, for the Rust of
 * kernel/seccomp/. Included into rust/helpers/helpers.c, so that the compilers
 * can inline it into the crate (CONFIG_RUST_INLINE_HELPERS).
 *
 * Sorted alphabetically.
 */

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/compat.h>
#include <linux/compiler.h>
#include <linux/cred.h>
#include <linux/filter.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include <asm/barrier.h>
#include <asm/syscall.h>
#ifdef CONFIG_X86
#include <asm/tsc.h>
#endif

#include "seccomp.h"

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

#ifdef CONFIG_SECCOMP_LOG_ONCE
/* Of its own: by the one of actions_logged nobody could tell which was changed. */
__rust_helper void
rust_helper_audit_seccomp_actions_logged_once(const char *names,
					      const char *old_names, int res)
{
	audit_log(audit_context(), GFP_KERNEL, AUDIT_CONFIG_CHANGE,
		  "op=seccomp-logging-once actions=%s old-actions=%s res=%d",
		  names, old_names, res);
}
#endif

#ifdef CONFIG_SECCOMP_FILTER
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

__rust_helper u32 rust_helper_bpf_prog_run_pin_on_cpu(const struct bpf_prog *prog,
						      const void *ctx)
{
	u32 ret;

	migrate_disable();
	ret = rust_helper_bpf_prog_run(prog, ctx);
	migrate_enable();
	return ret;
}
#endif

#ifndef CONFIG_MULTIUSER
__rust_helper bool rust_helper_capable(int cap)
{
	return capable(cap);
}

__rust_helper bool rust_helper_ns_capable_noaudit(struct user_namespace *ns,
						  int cap)
{
	return ns_capable_noaudit(ns, cap);
}
#endif

__rust_helper int rust_helper_copy_struct_from_user(void *dst, size_t ksize,
						    const void __user *src,
						    size_t usize)
{
	return copy_struct_from_user(dst, ksize, src, usize);
}

/* Nothing where the architecture cannot forbid it. */
__rust_helper void rust_helper_disable_TSC(void)
{
#ifdef TIF_NOTSC
	disable_TSC();
#endif
}

__rust_helper int rust_helper_fatal_signal_pending(struct task_struct *task)
{
	return fatal_signal_pending(task);
}

#ifdef CONFIG_COMPAT
__rust_helper const int *rust_helper_get_compat_mode1_syscalls(void)
{
	return get_compat_mode1_syscalls();
}
#endif

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

__rust_helper void rust_helper_list_add(struct list_head *entry,
					struct list_head *head)
{
	list_add(entry, head);
}

__rust_helper void rust_helper_list_del_init(struct list_head *entry)
{
	list_del_init(entry);
}

/* Macros where lockdep watches. */
__rust_helper int rust_helper_mutex_lock_interruptible(struct mutex *lock)
{
	return mutex_lock_interruptible(lock);
}

__rust_helper int rust_helper_mutex_lock_killable(struct mutex *lock)
{
	return mutex_lock_killable(lock);
}

__rust_helper void rust_helper_ptrace_event(int event, unsigned long message)
{
	ptrace_event(event, message);
}

/*
 * One call where each helper is one. What was stored before the flag that the entry
 * code has seen, mode and filter, is seen behind the barrier.
 */
__rust_helper struct task_struct *
rust_helper_seccomp_syscall_state(struct seccomp_syscall_state *state)
{
	struct task_struct *task = current;

	smp_rmb();
	state->mode = READ_ONCE(task->seccomp.mode);
	state->filter = READ_ONCE(task->seccomp.filter);
	state->nr = syscall_get_nr(task, task_pt_regs(task));
	/* Where this is inlined, who asks for it finds it: one instruction with its test. */
	state->arch = IS_ENABLED(CONFIG_RUST_INLINE_HELPERS) ? 0 : syscall_get_arch(task);
	return task;
}

__rust_helper void rust_helper_set_task_syscall_work_seccomp(struct task_struct *task)
{
	set_task_syscall_work(task, SECCOMP);
}

__rust_helper void rust_helper_smp_mb__before_atomic(void)
{
	smp_mb__before_atomic();
}

__rust_helper void rust_helper_spin_lock_irq(spinlock_t *lock)
{
	spin_lock_irq(lock);
}

__rust_helper void rust_helper_spin_unlock_irq(spinlock_t *lock)
{
	spin_unlock_irq(lock);
}

#ifdef SECCOMP_ARCH_COMPAT_NAME
__rust_helper const char *rust_helper_syscall_compat_name(void)
{
	return SECCOMP_ARCH_COMPAT_NAME;
}
#else
__rust_helper const char *rust_helper_syscall_compat_name(void)
{
	return "";
}
#endif

#ifdef SECCOMP_ARCH_NATIVE_NAME
__rust_helper const char *rust_helper_syscall_native_name(void)
{
	return SECCOMP_ARCH_NATIVE_NAME;
}
#else
__rust_helper const char *rust_helper_syscall_native_name(void)
{
	return "";
}
#endif

__rust_helper int rust_helper_syscall_get_arch(struct task_struct *task)
{
	return syscall_get_arch(task);
}

__rust_helper unsigned long rust_helper_task_kstk_eip(struct task_struct *task)
{
	return KSTK_EIP(task);
}

__rust_helper bool rust_helper_task_no_new_privs(struct task_struct *task)
{
	return task_no_new_privs(task);
}

__rust_helper pid_t rust_helper_task_pid_vnr(struct task_struct *task)
{
	return task_pid_vnr(task);
}

__rust_helper void rust_helper_task_set_no_new_privs(struct task_struct *task)
{
	task_set_no_new_privs(task);
}

__rust_helper int rust_helper_task_signal_live(struct task_struct *task)
{
	return atomic_read(&task->signal->live);
}

__rust_helper void
rust_helper_task_syscall_arguments(struct task_struct *task, unsigned long *args)
{
	syscall_get_arguments(task, task_pt_regs(task), args);
}

static __always_inline unsigned int
seccomp_syscall_data(struct task_struct *task, struct seccomp_data *data)
{
	struct pt_regs *regs = task_pt_regs(task);
	struct seccomp_data sd;
	unsigned long args[6];

	/* All is read before any is stored: for all the compiler knows, data is in task. */
	sd.nr = syscall_get_nr(task, regs);
	sd.arch = syscall_get_arch(task);
	sd.instruction_pointer = KSTK_EIP(task);
	syscall_get_arguments(task, regs, args);
	sd.args[0] = args[0];
	sd.args[1] = args[1];
	sd.args[2] = args[2];
	sd.args[3] = args[3];
	sd.args[4] = args[4];
	sd.args[5] = args[5];
	*data = sd;
	return READ_ONCE(task->ptrace);
}

/*
 * Each convention apart: of one code for all the compiler makes one that computes where
 * the arguments are, some 20 instructions more.
 */
#ifdef SECCOMP_ARCH_COMPAT
noinline __cold unsigned int
rust_helper_task_syscall_data_any(struct task_struct *task, struct seccomp_data *data)
{
	return seccomp_syscall_data(task, data);
}

noinline unsigned int
rust_helper_task_syscall_data_compat(struct task_struct *task, struct seccomp_data *data)
{
	if (syscall_get_arch(task) != SECCOMP_ARCH_COMPAT)
		return rust_helper_task_syscall_data_any(task, data);
	return seccomp_syscall_data(task, data);
}
#endif

/*
 * All that there is to know of the call, where each helper is one, and what a tracer
 * has set for the task.
 */
__rust_helper unsigned int rust_helper_task_syscall_data(struct task_struct *task,
							 struct seccomp_data *data)
{
#ifdef SECCOMP_ARCH_COMPAT
	if (syscall_get_arch(task) != SECCOMP_ARCH_NATIVE)
		return rust_helper_task_syscall_data_compat(task, data);
#endif
	return seccomp_syscall_data(task, data);
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

__rust_helper void rust_helper_unlock_task_sighand(struct task_struct *task,
						   unsigned long *flags)
{
	unlock_task_sighand(task, flags);
}

__rust_helper int rust_helper_waitqueue_active(struct wait_queue_head *wq_head)
{
	return waitqueue_active(wq_head);
}
