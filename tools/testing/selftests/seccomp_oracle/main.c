// SPDX-License-Identifier: GPL-2.0
/*
 * The supervisor: makes the cases of a seed, runs each in a child of its own,
 * and prints a line for each.
 */
#include "oracle.h"
#include "fixed.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/futex.h>

#define LINE_SIZE	32768
#define WATCHDOG	60	/* seconds; a case that needs them is a finding */
#define MASK_FILE	"/proc/sys/kernel/seccomp/actions_logged"
#define CORE_FILE	"/proc/sys/kernel/core_pattern"

bool core_ok;

static bool use_audit = true, raw;
static char scratch[128];
static int pipe_reader = -1;
static volatile sig_atomic_t hung;
static pid_t tracer, listener;

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

void log_add(struct log *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (l->len >= sizeof(l->text) - 1)
		return;
	va_start(ap, fmt);
	n = vsnprintf(l->text + l->len, sizeof(l->text) - l->len, fmt, ap);
	va_end(ap);
	l->len += n;
	if (l->len >= sizeof(l->text))
		l->len = sizeof(l->text) - 1;
}

const char *ip_name(uint64_t ip)
{
	static char buf[16];

	if (ip == (uint64_t)call64_ip)
		return "P";
	if (ip == (uint64_t)call32_ip)
		return "Q";
	if (ip == (uint64_t)callvsys_ip)
		return "W";
	if (ip == (uint64_t)infra_ip)
		return "I";
	if (ip == (uint64_t)restorer_ip)
		return "R";
	if (ip == (uint64_t)restorer)
		return "R0";
	if (ip == (uint64_t)call64_ip - INSN_SIZE)
		return "P0";
	if (ip == (uint64_t)call32_ip - INSN_SIZE)
		return "Q0";
	if (ip - 0xffffffffff600000ULL < 4096) {
		snprintf(buf, sizeof(buf), "V%x", (unsigned int)(ip & 0xfff));
		return buf;
	}
	return ip ? "?" : "0";
}

const char *pid_name(long pid)
{
	static char buf[8];
	int k;

	for (k = 0; k < SHM->plan.threads; k++) {
		if (pid == SHM->tid[k]) {
			snprintf(buf, sizeof(buf), "S%d", k);
			return buf;
		}
	}
	return pid && pid == SHM->forked ? "F" : "?";
}

const char *value_name(long v)
{
	static char buf[24];

	/* The vsyscall page's time(); no case makes such a number otherwise. */
	if (v > 1600000000 && v < 2100000000)
		return "TIME";
	snprintf(buf, sizeof(buf), "%ld", v);
	return buf;
}

/*
 * The register of a call's result, at label ip. Where it is the first argument's as
 * well, it may hold an address if the call is not a probe's.
 */
const char *result_name(long v, const char *ip)
{
#ifdef HAS_COMPAT
	(void)ip;
#else
	if (ip[0] != 'P')
		return "-";
#endif
	return value_name(v);
}

/* An argument of a call at label ip: known of a probe, else perhaps an address or left from before. */
void arg_log(struct log *l, const char *ip, uint64_t arg)
{
	if (ip[0] == 'P' || ip[0] == 'Q' || ip[0] == 'V')
		log_add(l, "%llx,", (unsigned long long)arg);
	else if (ip[0] == 'I')
		log_add(l, arg >> 32 ? "PTR," : "%llx,", (unsigned long long)arg);
	else
		log_add(l, "-,");
}

/* A return value as the caller has it in the register. */
void errno_log(struct log *l, const char *what, long ret)
{
	if (ret < 0 && ret >= -4095)
		log_add(l, "%s=E%ld", what, -ret);
	else
		log_add(l, "%s=%s", what, value_name(ret));
}

void siginfo_log(struct log *l, const void *siginfo)
{
	const siginfo_t *si = siginfo;

	log_add(l, "sig=%d,err=%d,code=%d", si->si_signo, si->si_errno, si->si_code);
	if (si->si_signo == SIGSYS && si->si_code == SYS_SECCOMP)
		log_add(l, ",at=%s,nr=%x,arch=%x", ip_name((uint64_t)si->si_call_addr), (unsigned int)si->si_syscall, si->si_arch);
}

void futex_wait(volatile int *word, int value)
{
	infra(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL);
}

void futex_wake(volatile int *word)
{
	infra(SYS_futex, word, FUTEX_WAKE, 0x7fffffff, NULL, NULL);
}

static int move_high(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, 200);

	if (high < 0)
		fail("F_DUPFD");
	close(fd);
	return high;
}

static int text_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static ssize_t text_read(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, buf, size - 1);
	close(fd);
	buf[n < 0 ? 0 : n] = 0;
	return n;
}

/* A thread that waits for the subject learns from here that it is gone. */
static void on_child(int sig)
{
	siginfo_t si = { 0 };
	int saved = errno, k;

	(void)sig;
	if (SHM->subject && !waitid(P_PID, SHM->subject, &si, WEXITED | WNOHANG | WNOWAIT) && si.si_pid) {
		SHM->subject_dead = 1;
		for (k = 0; k < MAX_THREADS; k++)
			SHM->turn[k] = TURN_GONE;
	}
	errno = saved;
}

static void on_alarm(int sig)
{
	(void)sig;
	hung = 1;
	if (SHM->forked)
		kill(SHM->forked, SIGKILL);
	if (SHM->subject)
		kill(SHM->subject, SIGKILL);
	if (tracer)
		kill(tracer, SIGKILL);
	if (listener)
		kill(listener, SIGKILL);
}

static void wait_gone(pid_t pid)
{
	if (pid <= 0)
		return;
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
}

static void status_log(struct log *l, const char *path)
{
	static const char *const field[] = { "\nNoNewPrivs:\t", "\nSeccomp:\t", "\nSeccomp_filters:\t", "\nSpeculation_Store_Bypass:\t" };
	char buf[4096], *at, *end;
	unsigned int i;

	if (text_read(path, buf, sizeof(buf)) <= 0) {
		log_add(l, " status=none");
		return;
	}
	for (i = 0; i < 4; i++) {
		at = strstr(buf, field[i]);
		if (!at)
			continue;
		at += strlen(field[i]);
		end = strchr(at, '\n');
		log_add(l, "%s%.*s", i ? "/" : " status=", end ? (int)(end - at) : 0, at);
	}
}

/* What a core file holds of the one who died: registers and siginfo. */
static void core_log(struct log *l, pid_t pid)
{
	static char buf[1 << 16];
	char path[256];
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)buf;
	const Elf64_Phdr *ph;
	bool seen = false;
	size_t at, end;
	ssize_t n;
	int i;

	if (!core_ok || !pid)
		return;
	snprintf(path, sizeof(path), "%s/core.%d", scratch, pid);
	n = text_read(path, buf, sizeof(buf));
	if (n < 0)
		return;
	unlink(path);
	log_add(l, " core[");
	if (n < (ssize_t)sizeof(*eh) || memcmp(eh->e_ident, ELFMAG, SELFMAG)) {
		log_add(l, "?]");
		return;
	}
	for (i = 0; i < eh->e_phnum; i++) {
		ph = (const Elf64_Phdr *)(buf + eh->e_phoff + (size_t)i * eh->e_phentsize);
		if ((const char *)(ph + 1) > buf + n)
			break;
		if (ph->p_type != PT_NOTE)
			continue;
		at = ph->p_offset;
		end = at + ph->p_filesz;
		while (at + sizeof(Elf64_Nhdr) <= end && at + sizeof(Elf64_Nhdr) <= (size_t)n) {
			const Elf64_Nhdr *nh = (const Elf64_Nhdr *)(buf + at);
			const char *desc = buf + at + sizeof(*nh) + ((nh->n_namesz + 3) & ~3U);

			at += sizeof(*nh) + ((nh->n_namesz + 3) & ~3U) + ((nh->n_descsz + 3) & ~3U);
			if (at > (size_t)n)
				break;
			if (nh->n_type == NT_PRSTATUS && !seen) {
				struct elf_prstatus ps;
				call_regs regs;
				unsigned long long nr;
				const char *ip;

				memcpy(&ps, desc, sizeof(ps));
				memcpy(&regs, ps.pr_reg, sizeof(regs));
				seen = true;
				nr = REG_NR(&regs);
				ip = ip_name(REG_IP(&regs));
				log_add(l, "cur=%d,a=%s,o=%llx,ip=%s,", ps.pr_cursig, result_name((long)REG_RET(&regs), ip), nr, ip);
			}
			if (nh->n_type == 0x53494749 /* NT_SIGINFO */) {
				siginfo_t si;

				memcpy(&si, desc, sizeof(si));
				siginfo_log(l, &si);
			}
		}
	}
	log_add(l, "]");
}

static void case_reset(const struct plan *p)
{
	struct log *logs[] = { &SHM->forked_log, &SHM->tracer_log, &SHM->listener_log };
	char drain[4096];
	unsigned int k;

	SHM->plan = *p;
	SHM->ready = SHM->tracer_ready = SHM->tracer_gone = SHM->subject_dead = SHM->usr1_count = SHM->running = 0;
	SHM->listener_fd = -1;
	SHM->subject = SHM->forked = 0;
	for (k = 0; k < MAX_THREADS; k++) {
		SHM->turn[k] = TURN_IDLE;
		SHM->tid[k] = 0;
		SHM->subject_log[k].len = SHM->tracer_exit[k].len = 0;
		SHM->subject_log[k].text[0] = SHM->tracer_exit[k].text[0] = 0;
	}
	for (k = 0; k < 3; k++) {
		logs[k]->len = 0;
		logs[k]->text[0] = 0;
	}
	for (k = 0; k < sizeof(SHM->data); k++)
		SHM->data[k] = (unsigned char)k;
	memset(SHM->out, 0, sizeof(SHM->out));
	if (ftruncate(FD_MEM, 512) || lseek(FD_MEM, 0, SEEK_SET))
		fail("memfd");
	while (read(pipe_reader, drain, sizeof(drain)) > 0)
		;
}

/* Gives a thread its turn; false when it did not come back from it. */
static bool turn_give(unsigned int k, const struct step *s)
{
	int idle = TURN_IDLE;

	SHM->current[k] = *s;
	SHM->running = (int)k;
	if (!__atomic_compare_exchange_n(&SHM->turn[k], &idle, TURN_GO, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return false;
	futex_wake(&SHM->turn[k]);
	while (SHM->turn[k] == TURN_GO)
		futex_wait(&SHM->turn[k], TURN_GO);
	/* What the tracer reads as the status of a dead thread changes when the process ends. */
	while (SHM->plan.tracer && k && SHM->turn[k] == TURN_DEAD && !SHM->tracer_exit[k].len && !SHM->tracer_gone &&
	       !SHM->subject_dead && !hung)
		usleep(50);
	return SHM->turn[k] == TURN_IDLE;
}

static void threads_run(const struct plan *p, struct log *end)
{
	const struct step ping = { STEP_PING, 0, 0, 0 }, leave = { STEP_EXIT, 0, 0, 0 };
	bool alive[MAX_THREADS];
	unsigned int i;
	char path[64];
	int k;

	for (;;) {
		int now = SHM->ready;

		if (now >= p->threads && (!p->tracer || SHM->tracer_ready))
			break;
		if (hung)
			return;
		if (now < p->threads)
			futex_wait(&SHM->ready, now);
		else
			futex_wait(&SHM->tracer_ready, 0);
	}
	for (i = 0; i < p->n_steps; i++)
		turn_give(p->step[i].thread, &p->step[i]);
	for (k = 0; k < p->threads; k++)
		alive[k] = turn_give((unsigned int)k, &ping);
	for (k = 0; k < p->threads; k++) {
		log_add(end, " t%d=%s", k, alive[k] ? "up" : "gone");
		if (!alive[k])
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%d/status", SHM->subject, SHM->tid[k]);
		status_log(end, path);
	}
	for (k = p->threads - 1; k >= 0; k--)
		turn_give((unsigned int)k, &leave);
}

static pid_t role_start(void (*role)(void))
{
	long pid = syscall(SYS_clone, CLONE_ARGS(SIGCHLD, 0L), 0, 0, 0);

	if (pid < 0)
		fail("clone");
	if (pid == 0)
		role();
	return (pid_t)pid;
}

static void subject_role(void)
{
	subject_main();
}

static void case_run(const struct plan *p, char *line, size_t size)
{
	static struct log end, records;
	const struct itimerval on = { .it_value.tv_sec = WATCHDOG }, off = { 0 };
	unsigned char drain[4096];
	siginfo_t si = { 0 };
	struct stat st;
	char path[64];
	size_t n = 0;
	ssize_t got;
	int status = -1, k;
	pid_t subject;

	case_reset(p);
	end.len = records.len = 0;
	end.text[0] = records.text[0] = 0;
	hung = 0;
	tracer = listener = 0;
	setitimer(ITIMER_REAL, &on, NULL);
	if (p->listener)
		listener = role_start(listener_main);
	else
		role_start(subject_role);
	if (p->tracer)
		tracer = role_start(tracer_main);
	while (!SHM->ready && !hung)
		futex_wait(&SHM->ready, 0);
	subject = SHM->subject;
	while (!subject && !hung) {	/* a thread was first */
		sched_yield();
		subject = SHM->subject;
	}
	if (p->threads > 1)
		threads_run(p, &end);
	while (waitid(P_PID, subject, &si, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	SHM->subject_dead = 1;
	snprintf(path, sizeof(path), "/proc/%d/status", subject);
	status_log(&end, path);
	while (waitpid(subject, &status, __WALL) < 0 && errno == EINTR)
		;
	wait_gone(tracer);
	wait_gone(listener);
	while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR)
		;
	setitimer(ITIMER_REAL, &off, NULL);

	if (WIFEXITED(status))
		log_add(&end, " exit=%d", WEXITSTATUS(status));
	else
		log_add(&end, " signal=%d%s", WTERMSIG(status), WCOREDUMP(status) ? "+core" : "");
	core_log(&end, subject);
	core_log(&end, SHM->forked);
	if (fstat(FD_MEM, &st))
		fail("fstat");
	log_add(&end, " mem=%lld@%lld", (long long)st.st_size, (long long)lseek(FD_MEM, 0, SEEK_CUR));
	log_add(&end, " pipe=");
	while ((got = read(pipe_reader, drain, sizeof(drain))) > 0)
		log_add(&end, "%zd:%x,", got, drain[0]);
	log_add(&end, " out=%d", SHM->out[0] != 0);
	audit_collect(&records, subject, SHM->forked, false);

#define OUT(...) (n += n < size ? (size_t)snprintf(line + n, size - n, __VA_ARGS__) : 0)
	OUT("%llu ", (unsigned long long)p->number);
	if (n < size)
		n += (size_t)plan_print(p, line + n, size - n);
	for (k = 0; k < p->threads; k++) {
		OUT(" | S%d:%s", k, SHM->subject_log[k].text);
		if (p->tracer)
			OUT(" | X%d:%s", k, SHM->tracer_exit[k].text);
	}
	if (SHM->forked)
		OUT(" | F:%s", SHM->forked_log.text);
	if (p->tracer)
		OUT(" | T:%s", SHM->tracer_log.text);
	if (p->listener)
		OUT(" | L:%s", SHM->listener_log.text);
	OUT(" | A:%s | E:%s%s", records.text, end.text, hung ? " HUNG" : "");
#undef OUT
}

static void mask_text(unsigned int mask, char *buf, size_t size)
{
	static const char *const name[] = { "kill_process", "kill_thread", "trap", "errno", "trace", "log", "user_notif" };
	size_t n = 0;
	unsigned int i;

	buf[0] = 0;
	for (i = 0; i < 7; i++)
		if (mask & (1U << i) && n < size)
			n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? " " : "", name[i]);
	if (!n)
		snprintf(buf, size, "\n");
}

/* Sets what the cases of a batch share, and tells what the kernel made of it. */
static void batch_start(const struct batch *b, uint64_t number, char *line, size_t size)
{
	static struct log records;
	char names[128], back[256] = "";
	int ret;

	if (!use_audit) {
		line[0] = 0;
		return;
	}
	records.len = 0;
	records.text[0] = 0;
	if (audit_open(true))
		exit(2);
	audit_enable(b->audit);
	mask_text(b->mask, names, sizeof(names));
	ret = text_write(MASK_FILE, names);
	text_read(MASK_FILE, back, sizeof(back));
	back[strcspn(back, "\n")] = 0;
	audit_collect(&records, 0, 0, true);
	audit_close();
	snprintf(line, size, "# batch %llu mask=%x audit=%d write=%d read=%s |%s", (unsigned long long)number, b->mask,
		 b->audit, ret, back, records.text);
	/* The record of the first change in a run tells what was set before it. */
	if (!raw) {
		char *at = strstr(line, " old-actions=");

		if (at) {
			size_t len = strcspn(at + 1, " ") + 1;

			memmove(at, at + len, strlen(at + len) + 1);
		}
	}
}

/* What each worker has for itself: the shared page, the descriptors of the cases, an audit socket. */
static void worker_start(void)
{
	struct sigaction child = { .sa_handler = on_child, .sa_flags = SA_NOCLDSTOP }, alarm = { .sa_handler = on_alarm };
	int fd[2], mem;

	if (mmap((void *)SHM_ADDR, sizeof(struct shm), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		 -1, 0) != (void *)SHM_ADDR)
		fail("mmap");
	mem = memfd_create("oracle", 0);
	if (mem < 0 || pipe2(fd, O_NONBLOCK))
		fail("memfd, pipe");
	if (dup2(mem, FD_MEM) < 0 || dup2(fd[1], FD_PIPE) < 0)
		fail("dup2");
	pipe_reader = move_high(fd[0]);
	close(mem);
	close(fd[1]);
	sigaction(SIGCHLD, &child, NULL);
	sigaction(SIGALRM, &alarm, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (use_audit)
		audit_open(true);
}

static void usage(void)
{
	fprintf(stderr,
		"usage: seccomp_oracle --seed S (--case N | --cases N [--first N]) [--jobs J]\n"
		"                      [--no-audit] [--list] [--watch]\n"
		"  --case N     run that case alone\n"
		"  --cases N    run cases first .. first + N - 1\n"
		"  --jobs J     run J cases side by side\n"
		"  --no-audit   touch nothing that is the machine's: no records, masks, core files\n"
		"  --list       print the cases, run none\n");
	exit(2);
}

static uint64_t number(const char *s)
{
	char *end;
	uint64_t v;

	errno = 0;
	v = strtoull(s, &end, 0);
	if (errno || end == s || *end || *s == '-')
		usage();
	return v;
}

int main(int argc, char **argv)
{
	static const struct option opts[] = {
		{ "seed", 1, NULL, 's' }, { "case", 1, NULL, 'c' }, { "cases", 1, NULL, 'n' }, { "first", 1, NULL, 'f' },
		{ "jobs", 1, NULL, 'j' }, { "no-audit", 0, NULL, 'a' }, { "list", 0, NULL, 'l' }, { 0 },
	};
	uint64_t seed = 0, first = 0, count = 0, jobs = 1, at, end;
	bool list = false, have_seed = false;
	char exe[256] = "", old_mask[256] = "", old_core[256] = "", line[LINE_SIZE];
	char *results;
	const char *comm;
	struct plan plan;
	int c, status, bad = 0;

	addresses_fix(argv);
	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		switch (c) {
		case 's':
			seed = number(optarg);
			have_seed = true;
			break;
		case 'c':
			first = number(optarg);
			count = 1;
			break;
		case 'n':
			count = number(optarg);
			break;
		case 'f':
			first = number(optarg);
			break;
		case 'j':
			jobs = number(optarg);
			break;
		case 'a':
			use_audit = false;
			break;
		case 'l':
			list = true;
			break;
		default:
			usage();
		}
	}
	if (!have_seed || !count || !jobs || jobs > 64 || optind != argc)
		usage();
	end = first + count;
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	if (list) {
		for (at = first; at < end; at++) {
			plan_make(&plan, seed, at);
			plan_print(&plan, line, sizeof(line));
			printf("%llu %s\n", (unsigned long long)at, line);
		}
		return 0;
	}

	while ((c = open("/dev/null", O_RDWR)) < 3)
		if (c < 0)
			fail("/dev/null");
	/* What is inherited beyond the standard three would change the numbers that dup gives. */
	if (syscall(SYS_close_range, 3, ~0U, 0))
		for (c = 3; c < 1024; c++)
			close(c);
	if (chdir("/proc"))
		fail("/proc");
	umask(022);
	if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0)
		fail("/proc/self/exe");
	comm = strrchr(exe, '/') ? strrchr(exe, '/') + 1 : exe;
	snprintf(line, 16, "%s", comm);
	audit_exe(exe, line);
	if (use_audit) {
		snprintf(scratch, sizeof(scratch), "/tmp/seccomp_oracle.XXXXXX");
		if (!mkdtemp(scratch))
			fail("mkdtemp");
		text_read(MASK_FILE, old_mask, sizeof(old_mask));
		text_read(CORE_FILE, old_core, sizeof(old_core));
		snprintf(line, sizeof(line), "%s/core.%%p", scratch);
		core_ok = !text_write(CORE_FILE, line) && !text_write("/proc/self/coredump_filter", "0");
		if (!core_ok)
			fprintf(stderr, "seccomp_oracle: no core files: %s\n", CORE_FILE);
	}
	results = mmap(NULL, (size_t)BATCH * LINE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (results == MAP_FAILED)
		fail("mmap");

	for (at = first; at < end && !bad;) {
		uint64_t batch = at / BATCH, stop = (batch + 1) * BATCH, i, j;
		struct batch b;
		pid_t pids[64];

		if (stop > end)
			stop = end;
		batch_make(&b, seed, batch);
		batch_start(&b, batch, line, sizeof(line));
		if (line[0])
			printf("%s\n", line);
		fflush(stdout);
		for (j = 0; j < jobs; j++) {
			pids[j] = fork();
			if (pids[j] < 0)
				fail("fork");
			if (pids[j])
				continue;
			worker_start();
			for (i = at + j; i < stop; i += jobs) {
				plan_make(&plan, seed, i);
				case_run(&plan, results + (i - at) * LINE_SIZE, LINE_SIZE);
			}
			_exit(0);
		}
		for (j = 0; j < jobs; j++)
			if (waitpid(pids[j], &status, 0) < 0 || status)
				bad = 1;
		for (i = at; i < stop; i++) {
			char *text = results + (i - at) * LINE_SIZE;

			if (text[0])
				printf("%s\n", text);
			text[0] = 0;
		}
		fflush(stdout);
		at = stop;
	}
	if (use_audit) {
		if (core_ok) {
			old_core[strcspn(old_core, "\n")] = 0;
			text_write(CORE_FILE, old_core);
		}
		text_write(MASK_FILE, old_mask);
		rmdir(scratch);
	}
	if (bad)
		fprintf(stderr, "seccomp_oracle: a worker failed\n");
	return bad ? 2 : 0;
}
