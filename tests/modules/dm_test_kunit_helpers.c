// SPDX-License-Identifier: GPL-2.0
/*
 * Bios for the KUnit tests of dm/, and a second copy of its shims: an object file may
 * belong to only one module.
 */
#include "dm/helpers.c"
#include "tests/modules/helpers.h"

/*
 * Two vectors. The first one has 9216 bytes of four pages that are one
 * allocation, from byte 512 on, so it is larger than a page. The second one has
 * 1024 bytes of a page, from byte 3072 on. Byte N of the payload is N & 0xff,
 * plus N >> 8. A discard and similar bios have a size and no vectors.
 */
struct bio *dm_test_bio(blk_opf_t opf)
{
	bool data = opf == REQ_OP_READ || opf == REQ_OP_WRITE;
	struct bio *bio = bio_alloc(NULL, data ? 2 : 0, opf, GFP_KERNEL);
	struct page *large, *small;
	unsigned int i;

	if (!bio)
		return NULL;
	bio->bi_iter.bi_sector = 100;
	if (!data) {
		bio->bi_iter.bi_size = opf == REQ_OP_DISCARD ? 10240 : 0;
		return bio;
	}

	large = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);
	small = alloc_page(GFP_KERNEL);
	if (!large || !small) {
		if (large)
			__free_pages(large, 2);
		if (small)
			__free_page(small);
		bio_put(bio);
		return NULL;
	}
	for (i = 0; i < 9216; i++)
		((u8 *)page_address(large))[512 + i] = i + (i >> 8);
	for (i = 9216; i < 10240; i++)
		((u8 *)page_address(small))[3072 + i - 9216] = i + (i >> 8);
	__bio_add_page(bio, large, 9216, 512);
	__bio_add_page(bio, small, 1024, 3072);
	return bio;
}

/* What a split makes: a clone with the same vectors that begins in the middle of them. */
struct bio *dm_test_bio_tail(struct bio *bio, unsigned int skip,
			     unsigned int size)
{
	struct bio *tail = bio_alloc_clone(NULL, bio, GFP_KERNEL, &fs_bio_set);

	if (tail) {
		bio_advance(tail, skip);
		tail->bi_iter.bi_size = size;
	}
	return tail;
}

void dm_test_bio_put(struct bio *bio)
{
	/* A clone does not own its vectors. */
	if (!bio_flagged(bio, BIO_CLONED) && bio->bi_vcnt) {
		__free_pages(bio->bi_io_vec[0].bv_page, 2);
		__free_page(bio->bi_io_vec[1].bv_page);
	}
	bio_put(bio);
}
