// SPDX-License-Identifier: GPL-2.0
/*
 * The mistakes that need C, and a second copy of dm/'s shims: an object file may
 * belong to only one module.
 */
#include <linux/rcupdate.h>

#include "dm/helpers.c"
#include "tests/modules/helpers.h"

int dm_test_shift(u32 by)
{
	return 1 << by;
}

static int __rcu *nothing;

void dm_test_rcu_dereference(void)
{
	/* Not under RCU. */
	(void)rcu_dereference(nothing);
}
