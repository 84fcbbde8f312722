/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What trace/sys/ uses from C. bindgen reads this file. The C files of trace/ include it, so the
 * compiler checks each prototype.
 */
#ifndef TRACE_BINDINGS_HELPER_H
#define TRACE_BINDINGS_HELPER_H

#include <linux/srcu.h>
#include <linux/types.h>

bool imgrement_avx2_begin(void);
void imgrement_avx2_end(void);

long imgrement_read_key(const char *description, void *to, size_t room);

int imgrement_srcu_init(struct srcu_struct *srcu);
void *imgrement_srcu_read_lock(struct srcu_struct *srcu);
void imgrement_srcu_read_unlock(struct srcu_struct *srcu, void *counter);

struct imgrement_ids *imgrement_ids_get(u32 device);
void imgrement_ids_put(struct imgrement_ids *ids);
u64 imgrement_ids_next(struct imgrement_ids *ids);

/* Active listeners: bits of imgrement_listeners. They differ from those of trace/settings.rs. */
#define IMGREMENT_REQUEST 0x10
#define IMGREMENT_COMPLETE 0x20
#define IMGREMENT_DELTA 0x40
#define IMGREMENT_MATCH 0x80

/* The size of a task's name, with a NUL. */
#define IMGREMENT_COMMAND 16

/* The fields of all events about a request. The command is text, in whole words. */
struct imgrement_request {
	u64 id;
	u64 sector;
	u64 command[IMGREMENT_COMMAND / sizeof(u64)];
	u32 bytes;
	u32 flags;
	u8 op;
};

/* What was found in it, before it was sent on. */
struct imgrement_hits {
	u32 deltas;
	u32 hits;
	u32 page;
	u32 copy;
	u32 across;
};

extern unsigned int imgrement_listeners;

void imgrement_command(u64 *to);
void imgrement_trace_request(u32 device,
			     const struct imgrement_request *request,
			     const struct imgrement_hits *hits);
void imgrement_trace_complete(u32 device,
			      const struct imgrement_request *request,
			      int error, u64 latency);
void imgrement_trace_delta(u32 device, u64 id, u32 index, u32 length,
			   u32 offset, u64 sector, u32 hits);
void imgrement_trace_match(u32 device, u64 id, const char *pattern, u8 where,
			   u64 sector, u32 byte);
void imgrement_trace_mark(u32 device, const char *text);
bool imgrement_table_is_traced(void);
void imgrement_trace_table(u32 device, const char *name, u32 lower,
			   const char *line, u8 why);

#endif
