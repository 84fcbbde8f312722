/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What dm_bench_search.rs declares too.
 */
#ifndef BENCH_MODULE_HELPERS_H
#define BENCH_MODULE_HELPERS_H

#include <linux/types.h>

bool bench_has_avx2(void);
void *bench_search_new(const char *algorithm, const void *pattern, size_t len);
size_t bench_search_count(void *search, const void *bytes, size_t len);
void bench_search_free(void *search);

#endif
