/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What dm/ uses from C: device-mapper's own header, and shims for its inline
 * functions and macros. bindgen reads this file. dm/helpers.c includes it, so
 * the compiler checks each prototype.
 */
#ifndef DM_BINDINGS_HELPER_H
#define DM_BINDINGS_HELPER_H

#include <linux/device-mapper.h>
#include <linux/dm-ioctl.h>
#include <linux/workqueue.h>

#ifdef __BINDGEN__
/*
 * Macros for which bindgen makes no constants by itself: they contain a cast,
 * or are defined in another header.
 */
const unsigned int DM_REQ_OP_MASK = REQ_OP_MASK;
const unsigned int DM_TYPE_NAME_SIZE = DM_MAX_TYPE_NAME;
const unsigned int DM_NAME_SIZE = DM_NAME_LEN;
const blk_status_t DM_STS_REQUEUE = BLK_STS_DM_REQUEUE;
const blk_status_t DM_STS_IOERR = BLK_STS_IOERR;
const unsigned int DM_FEAT_STABLE_WRITES = BLK_FEAT_STABLE_WRITES;
#endif

void rust_dm_remap(struct bio *bio, struct block_device *bdev, sector_t sector);
void rust_dm_submit_remapped(struct bio *bio, struct block_device *bdev,
			     sector_t sector);
u64 rust_dm_bio_cgroup(struct bio *bio);
void rust_dm_copy_from_page(void *to, struct page *page, size_t offset,
			    size_t len);

sector_t rust_dm_bdev_sectors(struct block_device *bdev);
unsigned int rust_dm_bdev_block_size(struct block_device *bdev);
bool rust_dm_bdev_is_zoned(struct block_device *bdev);
bool rust_dm_bdev_is_read_only(struct block_device *bdev);
bool rust_dm_bdevs_stacked(struct block_device *one,
			   struct block_device *other);
bool rust_dm_same_integrity(struct block_device *one,
			    struct block_device *other);
void rust_dm_bdev_name(struct block_device *bdev, char *name, size_t size);
void rust_dm_bdev_uuid(struct block_device *bdev, char *uuid, size_t size);
unsigned int rust_dm_other_holders(struct block_device *bdev,
				   struct dm_table *table, char *name,
				   size_t size);

struct file *rust_dm_open_later(struct dm_target *ti,
				struct block_device *claimed, const char *path,
				struct dm_dev *dev);
void rust_dm_close_later(struct dm_target *ti, struct file *file);

bool rust_dm_module_is_used(struct module *module);

bool rust_dm_in_task(void);

unsigned int rust_dm_noio_save(void);
void rust_dm_noio_restore(unsigned int saved);

void rust_dm_non_block_start(void);
void rust_dm_non_block_end(void);

struct workqueue_struct *rust_dm_alloc_workqueue(const char *name);
struct workqueue_struct *rust_dm_alloc_reads_queue(const char *name,
						   const char *device);
struct workqueue_struct *rust_dm_alloc_io_queue(const char *name,
						const char *device);
void rust_dm_queue_new_work(struct workqueue_struct *wq,
			    struct work_struct *work, work_func_t function);
void rust_dm_destroy_workqueue(struct workqueue_struct *wq);
void rust_dm_init_work(struct delayed_work *work, work_func_t function);

struct dm_io_client;

struct dm_io_client *rust_dm_io_client_create(void);
void rust_dm_io_client_destroy(struct dm_io_client *client);
void rust_dm_io_read(struct dm_io_client *client, struct block_device *bdev,
		     sector_t sector, void *memory, size_t len,
		     void (*ended)(unsigned long error,
				   unsigned long unsupported, void *context),
		     void *context);
void rust_dm_io_write(struct dm_io_client *client, struct block_device *bdev,
		      sector_t sector, void *memory, size_t len, bool preflush,
		      bool fua,
		      void (*ended)(unsigned long error,
				    unsigned long unsupported, void *context),
		      void *context);
int rust_dm_io_flush(struct dm_io_client *client, struct block_device *bdev);
void *rust_dm_alloc_io_memory(size_t len);
void rust_dm_free_io_memory(void *memory);

#endif
