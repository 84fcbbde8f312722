// SPDX-License-Identifier: GPL-2.0
/*
 * C shims for the kernel's inline functions and macros that dm/ needs.
 */
#include <linux/bio.h>
#include <linux/blk-cgroup.h>
#include <linux/blk-integrity.h>
#include <linux/blkdev.h>
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/dm-io.h>
#include <linux/highmem.h>
#include <linux/ioprio.h>
#include <linux/kernel.h>
#include <linux/kernfs.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/sched/mm.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "dm/bindings_helper.h"

void rust_dm_remap(struct bio *bio, struct block_device *bdev, sector_t sector)
{
	bio_set_dev(bio, bdev);
	bio->bi_iter.bi_sector = sector;
	/*
	 * Device-mapper turns a write with PREFLUSH into an empty flush, which
	 * keeps the write's FUA, and the write itself. A disk without FUA would
	 * be flushed once more for each.
	 */
	if (!bio_sectors(bio))
		bio->bi_opf &= ~REQ_FUA;
}

void rust_dm_submit_remapped(struct bio *bio, struct block_device *bdev,
			     sector_t sector)
{
	rust_dm_remap(bio, bdev, sector);
	dm_submit_bio_remap(bio, NULL);
}

u64 rust_dm_bio_cgroup(struct bio *bio)
{
#ifdef CONFIG_BLK_CGROUP
	struct cgroup_subsys_state *css = bio_blkcg_css(bio);

	return css ? cgroup_id(css->cgroup) : 0;
#else
	return 0;
#endif
}

void rust_dm_copy_from_page(void *to, struct page *page, size_t offset,
			    size_t len)
{
	memcpy_from_page(to, page, offset, len);
}

sector_t rust_dm_bdev_sectors(struct block_device *bdev)
{
	return bdev_nr_sectors(bdev);
}

unsigned int rust_dm_bdev_block_size(struct block_device *bdev)
{
	return bdev_logical_block_size(bdev);
}

bool rust_dm_bdev_is_zoned(struct block_device *bdev)
{
	return bdev_is_zoned(bdev);
}

bool rust_dm_bdev_is_read_only(struct block_device *bdev)
{
	return bdev_read_only(bdev);
}

static struct blk_integrity integrity_profile(struct block_device *bdev)
{
	struct request_queue *q = bdev_get_queue(bdev);
	struct blk_integrity profile;

	mutex_lock(&q->limits_lock);
	profile = q->limits.integrity;
	mutex_unlock(&q->limits_lock);
	return profile;
}

/*
 * Whether the tags of one device are valid for the other: compares what
 * queue_limits_stack_integrity() does, and where in the metadata the tags
 * begin. Without metadata there is no integrity.
 */
bool rust_dm_same_integrity(struct block_device *one,
			    struct block_device *other)
{
	struct blk_integrity a = integrity_profile(one);
	struct blk_integrity b = integrity_profile(other);

	if (!a.metadata_size && !b.metadata_size)
		return true;
	return a.metadata_size == b.metadata_size &&
	       a.interval_exp == b.interval_exp && a.tag_size == b.tag_size &&
	       a.csum_type == b.csum_type &&
	       a.pi_tuple_size == b.pi_tuple_size &&
	       a.pi_offset == b.pi_offset &&
	       !((a.flags ^ b.flags) & BLK_INTEGRITY_REF_TAG);
}

void rust_dm_bdev_name(struct block_device *bdev, char *name, size_t size)
{
	snprintf(name, size, "%pg", bdev);
}

/* Zeroes follow the text. Partitions keep their UUID for as long as they exist. */
void rust_dm_bdev_uuid(struct block_device *bdev, char *uuid, size_t size)
{
	const struct partition_meta_info *info = bdev->bd_meta_info;

	strscpy_pad(uuid, info ? info->uuid : "", size);
}

/*
 * The folder of a device's holders, until kobject_put(). It is freed with the
 * disk, which may be unplugged at any time, unless we get the folder first
 * (bd_link_disk_holder() does the same).
 */
static struct kobject *get_holders(struct block_device *bdev)
{
	struct gendisk *disk = bdev->bd_disk;
	struct kobject *folder = NULL;

	mutex_lock(&disk->open_mutex);
	if (disk_live(disk))
		folder = kobject_get(bdev->bd_holder_dir);
	mutex_unlock(&disk->open_mutex);
	return folder;
}

struct rust_dm_holders {
	struct kobject *folder;
	const struct device *ours;
	char *name;
	size_t size;
	unsigned int count;
};

static int rust_dm_count_holder(struct device *disk, void *data)
{
	struct rust_dm_holders *holders = data;
	struct kernfs_node *link;

	if (disk == holders->ours)
		return 0;
	link = kernfs_find_and_get(holders->folder->sd, dev_name(disk));
	if (!link)
		return 0;
	kernfs_put(link);
	if (!holders->count++)
		strscpy(holders->name, dev_name(disk), holders->size);
	return 0;
}

/*
 * How many disks other than that of this table use an open block device, and
 * the name of one of them. The block layer keeps them only as links in sysfs
 * (/sys/block/sdb/holders), not as a list. So each existing disk is looked up
 * there.
 */
unsigned int rust_dm_other_holders(struct block_device *bdev,
				   struct dm_table *table, char *name,
				   size_t size)
{
	struct gendisk *disk = bdev->bd_disk;
	struct rust_dm_holders holders = {
		.ours = disk_to_dev(dm_disk(dm_table_get_md(table))),
		.name = name,
		.size = size,
	};

	holders.folder = get_holders(bdev);
	if (!holders.folder)
		return 0;

	/* Without sysfs, there are no links. */
	if (holders.folder->sd)
		class_for_each_device(disk_to_dev(disk)->class, NULL, &holders,
				      rust_dm_count_holder);
	kobject_put(holders.folder);
	return holders.count;
}

/* Deeper stacks than this are not followed. */
#define RUST_DM_LAYERS 8

struct rust_dm_layer {
	struct gendisk *wanted;
	struct kobject *folder;
	struct gendisk *found;
	unsigned int layers;
};

static bool disk_is_above(struct gendisk *wanted, struct block_device *bdev,
			  unsigned int layers);

static int look_above_disk(struct device *dev, void *data)
{
	struct rust_dm_layer *layer = data;
	struct block_device *bdev = dev_to_bdev(dev);

	if (bdev->bd_disk != layer->found)
		return 0;
	return disk_is_above(layer->wanted, bdev, layer->layers);
}

static int look_above(struct device *dev, void *data)
{
	struct rust_dm_layer *layer = data;
	struct kernfs_node *link;

	link = kernfs_find_and_get(layer->folder->sd, dev_name(dev));
	if (!link)
		return 0;
	kernfs_put(link);
	layer->found = dev_to_disk(dev);
	if (layer->found == layer->wanted)
		return 1;
	/* The disk and each of its partitions may be used further up. */
	return class_for_each_device(dev->class, NULL, layer, look_above_disk);
}

/* Whether the disk uses the device, at most so many layers further up. */
static bool disk_is_above(struct gendisk *wanted, struct block_device *bdev,
			  unsigned int layers)
{
	struct rust_dm_layer layer = {
		.wanted = wanted,
	};
	bool found = false;

	if (!layers)
		return false;
	layer.layers = layers - 1;
	layer.folder = get_holders(bdev);
	if (!layer.folder)
		return false;
	if (layer.folder->sd)
		found = class_for_each_device(disk_to_dev(bdev->bd_disk)->class,
					      NULL, &layer, look_above);
	kobject_put(layer.folder);
	return found;
}

/* Whether one is below the other. */
bool rust_dm_bdevs_stacked(struct block_device *one, struct block_device *other)
{
	return disk_is_above(one->bd_disk, other, RUST_DM_LAYERS) ||
	       disk_is_above(other->bd_disk, one, RUST_DM_LAYERS);
}

/*
 * Opens a device as dm_get_device() does, but does not put it on the table's
 * list, which has no lock. All of device-mapper's claims have the same holder,
 * which only a device that is claimed shows us.
 */
struct file *rust_dm_open_later(struct dm_target *ti,
				struct block_device *claimed, const char *path,
				struct dm_dev *dev)
{
	struct gendisk *disk = dm_disk(dm_table_get_md(ti->table));
	const struct cred *creds;
	struct file *file;
	dev_t number;
	int r;

	dev->mode = dm_table_get_mode(ti->table);
	r = dm_devt_from_path(path, &number);
	if (r)
		return ERR_PTR(r);
	if (number == disk_devt(disk))
		return ERR_PTR(-EINVAL);

	/* The file must not keep the caller's credentials. */
	creds = override_creds(kernel_cred());
	file = bdev_file_open_by_dev(number, dev->mode, claimed->bd_holder,
				     NULL);
	revert_creds(creds);
	if (IS_ERR(file))
		return file;
	r = bd_link_disk_holder(file_bdev(file), disk);
	if (r) {
		bdev_fput(file);
		return ERR_PTR(r);
	}
	dev->bdev = file_bdev(file);
	format_dev_t(dev->name, number);
	return file;
}

void rust_dm_close_later(struct dm_target *ti, struct file *file)
{
	bd_unlink_disk_holder(file_bdev(file),
			      dm_disk(dm_table_get_md(ti->table)));
	bdev_fput(file);
}

/*
 * False while the module is being unloaded, when its count is -1. Built-in code (null) counts no
 * users, so it is always in use.
 */
bool rust_dm_module_is_used(struct module *module)
{
	return !module || module_refcount(module) > 0;
}

bool rust_dm_in_task(void)
{
	return in_task();
}

unsigned int rust_dm_noio_save(void)
{
	return memalloc_noio_save();
}

void rust_dm_noio_restore(unsigned int saved)
{
	memalloc_noio_restore(saved);
}

/* A no-op unless CONFIG_DEBUG_ATOMIC_SLEEP is set. */
void rust_dm_non_block_start(void)
{
	non_block_start();
}

void rust_dm_non_block_end(void)
{
	non_block_end();
}

struct workqueue_struct *rust_dm_alloc_workqueue(const char *name)
{
	return alloc_ordered_workqueue("%s", 0, name);
}

/*
 * For work that I/O waits for. As many items run at once as there are CPUs now,
 * and each takes a thread. CPUs that could be plugged in do not count, because
 * a virtual machine may have hundreds of those.
 */
struct workqueue_struct *rust_dm_alloc_reads_queue(const char *name,
						   const char *device)
{
	return alloc_workqueue("%s/%s", WQ_MEM_RECLAIM | WQ_UNBOUND,
			       num_online_cpus(), name, device);
}

/*
 * For work that the bios of one instance wait for. Its thread goes before
 * ordinary tasks, or those that keep a CPU busy would delay the bios.
 */
struct workqueue_struct *rust_dm_alloc_io_queue(const char *name,
						const char *device)
{
	return alloc_ordered_workqueue("%s-io/%s", WQ_MEM_RECLAIM | WQ_HIGHPRI,
				       name, device);
}

void rust_dm_queue_new_work(struct workqueue_struct *wq,
			    struct work_struct *work, work_func_t function)
{
	INIT_WORK(work, function);
	queue_work(wq, work);
}

void rust_dm_destroy_workqueue(struct workqueue_struct *wq)
{
	destroy_workqueue(wq);
}

void rust_dm_init_work(struct delayed_work *work, work_func_t function)
{
	INIT_DELAYED_WORK(work, function);
}

struct dm_io_client *rust_dm_io_client_create(void)
{
	struct dm_io_client *client = dm_io_client_create();

	return IS_ERR(client) ? NULL : client;
}

void rust_dm_io_client_destroy(struct dm_io_client *client)
{
	dm_io_client_destroy(client);
}

static void start_io(struct dm_io_client *client, blk_opf_t opf,
		     struct block_device *bdev, sector_t sector, void *memory,
		     size_t len, io_notify_fn ended, void *context)
{
	struct dm_io_request request = {
		.bi_opf = opf,
		.mem.type = DM_IO_VMA,
		.mem.ptr.vma = memory,
		.notify.fn = ended,
		.notify.context = context,
		.client = client,
	};
	struct dm_io_region region = {
		.bdev = bdev,
		.sector = sector,
		.count = to_sector(len),
	};

	/* It only fails for a type of memory that it does not know. */
	dm_io(&request, 1, &region, NULL, NULL, IOPRIO_DEFAULT);
}

void rust_dm_io_read(struct dm_io_client *client, struct block_device *bdev,
		     sector_t sector, void *memory, size_t len,
		     void (*ended)(unsigned long error,
				   unsigned long unsupported, void *context),
		     void *context)
{
	start_io(client, REQ_OP_READ | REQ_SYNC, bdev, sector, memory, len,
		 ended, context);
}

/* REQ_SYNC and REQ_IDLE as for direct I/O: these writes are not held back in favour of others. */
void rust_dm_io_write(struct dm_io_client *client, struct block_device *bdev,
		      sector_t sector, void *memory, size_t len, bool preflush,
		      bool fua,
		      void (*ended)(unsigned long error,
				    unsigned long unsupported, void *context),
		      void *context)
{
	blk_opf_t opf = REQ_OP_WRITE | REQ_SYNC | REQ_IDLE;

	if (preflush)
		opf |= REQ_PREFLUSH;
	if (fua)
		opf |= REQ_FUA;
	start_io(client, opf, bdev, sector, memory, len, ended, context);
}

int rust_dm_io_flush(struct dm_io_client *client, struct block_device *bdev)
{
	struct dm_io_request request = {
		.bi_opf = REQ_OP_WRITE | REQ_PREFLUSH | REQ_SYNC,
		.mem.type = DM_IO_KMEM,
		.client = client,
	};
	struct dm_io_region region = {
		.bdev = bdev,
	};

	return dm_io(&request, 1, &region, NULL, NULL, IOPRIO_DEFAULT);
}

/* It tries hard, and then fails, instead of ending other programs. */
void *rust_dm_alloc_io_memory(size_t len)
{
	return len ? __vmalloc(len, GFP_KERNEL | __GFP_ZERO |
					    __GFP_RETRY_MAYFAIL |
					    __GFP_NOWARN) :
		     NULL;
}

void rust_dm_free_io_memory(void *memory)
{
	vfree(memory);
}
