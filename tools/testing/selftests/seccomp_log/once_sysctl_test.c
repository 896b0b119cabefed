// SPDX-License-Identifier: GPL-2.0
/*
 * actions_logged_once is read and written as actions_logged is: the tests are
 * the same, but for the name, and for that of the change in the audit record.
 */
#define ACTIONS_LOGGED	"/proc/sys/kernel/seccomp/actions_logged_once"
#define LOGGING_OP	"op=seccomp-logging-once "
#include "sysctl_test.c"
