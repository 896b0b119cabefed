# SPDX-License-Identifier: GPL-2.0
#
# For the oracles: flags of programs at fixed addresses and without libraries, and
# what all of them are made of besides their own files in $(ORACLE)/.
# KSRC gives the kernel's own user headers where they have been installed.

FIXED_CFLAGS := -std=gnu11 -Wall -Wextra -static -fno-pie
ifneq ($(filter x86_64%,$(shell $(CC) -dumpmachine)),)
FIXED_CFLAGS += -no-pie -fcf-protection=none
endif
ifneq ($(wildcard $(KSRC)/usr/include/linux/seccomp.h),)
FIXED_CFLAGS += -isystem $(KSRC)/usr/include
endif

FIXED_HEADERS := $(addprefix $(ORACLE)/,call.h machine.h fixed.h rng.h fixed.mk) \
		 $(ORACLE)/../seccomp_log/call_regs.h $(wildcard $(ORACLE)/probe_*.S)
