// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's textsearch, for dm_bench_search.
 */
#include <linux/textsearch.h>

#include <asm/cpufeature.h>

#include "bench/module/helpers.h"

bool bench_has_avx2(void)
{
	return boot_cpu_has(X86_FEATURE_AVX2);
}

void *bench_search_new(const char *algorithm, const void *pattern, size_t len)
{
	struct ts_config *search;

	search = textsearch_prepare(algorithm, pattern, len, GFP_KERNEL, 0);
	return IS_ERR(search) ? NULL : search;
}

size_t bench_search_count(void *search, const void *bytes, size_t len)
{
	struct ts_state state = {};
	size_t count = 0;
	unsigned int at;

	at = textsearch_find_continuous(search, &state, bytes, len);
	while (at != UINT_MAX) {
		count++;
		/* Boyer-Moore does not go on by itself. */
		state.offset = at + 1;
		at = textsearch_next(search, &state);
	}
	return count;
}

void bench_search_free(void *search)
{
	textsearch_destroy(search);
}
