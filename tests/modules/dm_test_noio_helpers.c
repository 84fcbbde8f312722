// SPDX-License-Identifier: GPL-2.0
/*
 * In which context a callback runs, and the shims of dm/ once more: an object
 * file may belong to one module only.
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
