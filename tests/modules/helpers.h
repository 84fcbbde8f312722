/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the C files here provide to the Rust files next to them.
 */
#ifndef DM_TEST_HELPERS_H
#define DM_TEST_HELPERS_H

#include <linux/bio.h>

int dm_test_shift(u32 by);
void dm_test_rcu_dereference(void);

bool dm_test_in_task(void);
bool dm_test_in_noio(void);

struct bio *dm_test_bio(blk_opf_t opf);
struct bio *dm_test_bio_tail(struct bio *bio, unsigned int skip,
			     unsigned int size);
void dm_test_bio_put(struct bio *bio);

#endif
