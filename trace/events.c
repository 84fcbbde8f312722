// SPDX-License-Identifier: GPL-2.0
/*
 * The trace events: who listens, and the functions that trace/sys/events.rs calls to emit them.
 */
#include <linux/cgroup.h>
#include <linux/compiler.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/unaligned.h>

/* The task's own cgroup in the unified hierarchy, as bpf_get_current_cgroup_id() returns it. */
static inline u64 imgrement_cgroup(void)
{
	u64 id = 0;

#ifdef CONFIG_CGROUPS
	rcu_read_lock();
	id = cgroup_id(task_dfl_cgroup(current));
	rcu_read_unlock();
#endif
	return id;
}

/* User-mode Linux renames errno everywhere: the field would have another name there. */
#undef errno

#define CREATE_TRACE_POINTS
#include "trace/events.h"

/*
 * A bit for each event with a listener. All requests read it. It is written only when that
 * changes, by one task at a time: the kernel holds tracepoints_mutex meanwhile.
 */
unsigned int imgrement_listeners __read_mostly;

static void listen_to(unsigned int event)
{
	WRITE_ONCE(imgrement_listeners, imgrement_listeners | event);
}

static void unlisten_to(unsigned int event)
{
	WRITE_ONCE(imgrement_listeners, imgrement_listeners & ~event);
}

int imgrement_listen_to_request(void)
{
	listen_to(IMGREMENT_REQUEST);
	return 0;
}

void imgrement_unlisten_to_request(void)
{
	unlisten_to(IMGREMENT_REQUEST);
}

int imgrement_listen_to_complete(void)
{
	listen_to(IMGREMENT_COMPLETE);
	return 0;
}

void imgrement_unlisten_to_complete(void)
{
	unlisten_to(IMGREMENT_COMPLETE);
}

int imgrement_listen_to_delta(void)
{
	listen_to(IMGREMENT_DELTA);
	return 0;
}

void imgrement_unlisten_to_delta(void)
{
	unlisten_to(IMGREMENT_DELTA);
}

int imgrement_listen_to_match(void)
{
	listen_to(IMGREMENT_MATCH);
	return 0;
}

void imgrement_unlisten_to_match(void)
{
	unlisten_to(IMGREMENT_MATCH);
}

void imgrement_trace_request(u32 device,
			     const struct imgrement_request *request,
			     const struct imgrement_hits *hits)
{
	trace_request(device, request, hits);
}

void imgrement_trace_complete(u32 device,
			      const struct imgrement_request *request,
			      int error, u64 latency)
{
	trace_complete(device, request, error, latency);
}

void imgrement_trace_delta(u32 device, u64 id, u32 index, u32 length,
			   u32 offset, u64 sector, u32 hits)
{
	trace_delta(device, id, index, length, offset, sector, hits);
}

void imgrement_trace_match(u32 device, u64 id, const char *pattern, u8 where,
			   u64 sector, u32 byte)
{
	trace_match(device, id, pattern, where, sector, byte);
}

void imgrement_trace_mark(u32 device, const char *text)
{
	trace_mark(device, text);
}

bool imgrement_table_is_traced(void)
{
	return trace_table_enabled();
}

void imgrement_trace_table(u32 device, const char *name, u32 lower,
			   const char *line, u8 why)
{
	trace_table(device, name, lower, line, why);
}

/* The top bit of each of eight bytes that is neither printable ASCII nor a NUL. */
static u64 unprintable(u64 bytes)
{
	const u64 top = 0x8080808080808080;
	u64 low = bytes & ~top;
	/* The top bit of each byte: from 0x20 on; not 0; 0x7f. */
	u64 from_space = (bytes | top) - 0x2020202020202020;
	u64 some = low + ~top;
	u64 delete = low + 0x0101010101010101;

	return (bytes | (~from_space & some) | delete) & top;
}

static void replace_unprintable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

/*
 * The name of the task, as programs see it, with a '?' for each byte that is not
 * printable ASCII: an escape would have no room. Another task may change it meanwhile.
 *
 * It is handled in whole words. A CPU that loads a word of which it has just stored
 * single bytes waits for the stores, for as long as all the rest of this takes.
 */
void imgrement_command(u64 *to)
{
	const u64 but_the_last_byte = cpu_to_le64(~0ULL >> 8);
	const u64 *name = (const u64 *)current->comm;
	u64 first = get_unaligned(name);
	u64 second = get_unaligned(name + 1) & but_the_last_byte;

	static_assert(TASK_COMM_LEN == IMGREMENT_COMMAND);
	to[0] = first;
	to[1] = second;
	if (unlikely(unprintable(first) | unprintable(second)))
		replace_unprintable((char *)to);
}
