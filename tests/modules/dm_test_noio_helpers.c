// SPDX-License-Identifier: GPL-2.0
/*
 * The context in which a callback runs, and a second copy of dm/'s shims: an object
 * file may belong to only one module.
 */
#include <linux/preempt.h>
#include <linux/sched.h>

#include "dm/helpers.c"
#include "tests/modules/helpers.h"

bool dm_test_in_task(void)
{
	return in_task();
}

bool dm_test_in_noio(void)
{
	return current->flags & PF_MEMALLOC_NOIO;
}
