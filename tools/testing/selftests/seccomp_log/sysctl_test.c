// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include "seccomp_log.h"

FIXTURE(sysctl)
{
	struct saved saved;
	struct audit_reader reader;
};

FIXTURE_SETUP(sysctl)
{
	ASSERT_EQ(0, save_settings(&self->saved));
}

FIXTURE_TEARDOWN_PARENT(sysctl)
{
	EXPECT_EQ(0, restore_settings(&self->saved));
}

TEST_F(sysctl, actions_avail)
{
	char text[256];

	ASSERT_EQ(strlen(AVAIL_TEXT), read_text(ACTIONS_AVAIL, text, sizeof(text)));
	EXPECT_STREQ(AVAIL_TEXT, text);
}

int main(int argc, char **argv)
{
	save_at_start();
	return test_harness_run(argc, argv);
}
