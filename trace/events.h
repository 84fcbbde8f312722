/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The trace events of the system imgrement. docs/events.md describes them. Names, fields
 * and units never change, and new fields go at the end.
 *
 * No event has a byte of a payload.
 */
/* Definitions of events look like this in the kernel, too. */
/* clang-format off */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM imgrement

#if !defined(IMGREMENT_EVENTS_H) || defined(TRACE_HEADER_MULTI_READ)
#define IMGREMENT_EVENTS_H

#include <linux/kdev_t.h>
#include <linux/tracepoint.h>

#include "trace/bindings_helper.h"

#ifndef IMGREMENT_EVENTS_ONCE
#define IMGREMENT_EVENTS_ONCE

/* The numbers of ops and the bits of flags are those of core's record. */
#define imgrement_op_name(op)				\
	__print_symbolic(op,				\
			 { 0, "read" },			\
			 { 1, "write" },		\
			 { 2, "flush" },		\
			 { 3, "discard" },		\
			 { 4, "secure-erase" },		\
			 { 5, "write-zeroes" },		\
			 { 6, "zone-append" },		\
			 { 7, "zone-reset" },		\
			 { 8, "zone-reset-all" },	\
			 { 9, "zone-open" },		\
			 { 10, "zone-close" },		\
			 { 11, "zone-finish" },		\
			 { 12, "other" })

/* The letters of blktrace, as in blk_fill_rwbs(): these three, one after another. */
#define imgrement_preflush_letter(flags)		\
	__print_flags((flags) & 2, "", { 2, "F" })

#define imgrement_op_letters(op)			\
	__print_symbolic(op,				\
			 { 0, "R" },			\
			 { 1, "W" },			\
			 { 2, "W" },			\
			 { 3, "D" },			\
			 { 4, "DE" },			\
			 { 5, "WZ" },			\
			 { 6, "ZA" },			\
			 { 7, "ZR" },			\
			 { 8, "ZRA" },			\
			 { 9, "ZO" },			\
			 { 10, "ZC" },			\
			 { 11, "ZF" },			\
			 { 12, "N" })

#define imgrement_flag_letters(flags)			\
	__print_flags((flags) & 0x6d, "",		\
		      { 1, "F" },			\
		      { 64, "A" },			\
		      { 8, "S" },			\
		      { 4, "M" },			\
		      { 32, "U" })

int imgrement_listen_to_request(void);
void imgrement_unlisten_to_request(void);
int imgrement_listen_to_complete(void);
void imgrement_unlisten_to_complete(void);
int imgrement_listen_to_delta(void);
void imgrement_unlisten_to_delta(void);
int imgrement_listen_to_match(void);
void imgrement_unlisten_to_match(void);

#endif /* IMGREMENT_EVENTS_ONCE */

/* A request is on its way to the disk. Whatever was to be searched has been searched. */
TRACE_EVENT_FN(request,

	TP_PROTO(u32 device, const struct imgrement_request *request,
		 const struct imgrement_hits *hits),

	TP_ARGS(device, request, hits),

	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u8, op)
		__field(u64, id)
		__field(u64, sector)
		__field(u32, bytes)
		__field(u32, flags)
		__field(u32, deltas)
		__field(u32, hits)
		__field(u32, page)
		__field(u32, copy)
		__field(u32, across)
		__array(char, command, IMGREMENT_COMMAND)
		__field(u64, cgroup)
	),

	TP_fast_assign(
		__entry->dev = device;
		__entry->op = request->op;
		__entry->id = request->id;
		__entry->sector = request->sector;
		__entry->bytes = request->bytes;
		__entry->flags = request->flags;
		__entry->deltas = hits->deltas;
		__entry->hits = hits->hits;
		__entry->page = hits->page;
		__entry->copy = hits->copy;
		__entry->across = hits->across;
		memcpy(__entry->command, request->command, IMGREMENT_COMMAND);
		__entry->cgroup = imgrement_cgroup();
	),

	TP_printk("%d,%d %s %s%s%s sector=%llu bytes=%u id=%llu deltas=%u hits=%u page=%u copy=%u across=%u cgroup=%llu [%s]",
		  MAJOR(__entry->dev), MINOR(__entry->dev),
		  imgrement_op_name(__entry->op),
		  imgrement_preflush_letter(__entry->flags),
		  imgrement_op_letters(__entry->op),
		  imgrement_flag_letters(__entry->flags),
		  __entry->sector, __entry->bytes, __entry->id,
		  __entry->deltas, __entry->hits, __entry->page, __entry->copy,
		  __entry->across, __entry->cgroup, __entry->command),

	imgrement_listen_to_request, imgrement_unlisten_to_request
);

/* A request has completed, and is passed up. */
TRACE_EVENT_FN(complete,

	TP_PROTO(u32 device, const struct imgrement_request *request, int error,
		 u64 latency),

	TP_ARGS(device, request, error, latency),

	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u8, op)
		__field(u64, id)
		__field(u64, sector)
		__field(u32, bytes)
		__field(u32, flags)
		__field(int, errno)
		__field(u64, latency)
		__array(char, command, IMGREMENT_COMMAND)
	),

	TP_fast_assign(
		__entry->dev = device;
		__entry->op = request->op;
		__entry->id = request->id;
		__entry->sector = request->sector;
		__entry->bytes = request->bytes;
		__entry->flags = request->flags;
		__entry->errno = error;
		__entry->latency = latency;
		memcpy(__entry->command, request->command, IMGREMENT_COMMAND);
	),

	TP_printk("%d,%d %s %s%s%s sector=%llu bytes=%u id=%llu errno=%d latency=%llu [%s]",
		  MAJOR(__entry->dev), MINOR(__entry->dev),
		  imgrement_op_name(__entry->op),
		  imgrement_preflush_letter(__entry->flags),
		  imgrement_op_letters(__entry->op),
		  imgrement_flag_letters(__entry->flags),
		  __entry->sector, __entry->bytes, __entry->id, __entry->errno,
		  __entry->latency, __entry->command),

	imgrement_listen_to_complete, imgrement_unlisten_to_complete
);

/* A segment of a request. If it is to be searched, it has been. */
TRACE_EVENT_FN(delta,

	TP_PROTO(u32 device, u64 id, u32 index, u32 length, u32 offset,
		 u64 sector, u32 hits),

	TP_ARGS(device, id, index, length, offset, sector, hits),

	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u32, index)
		__field(u64, id)
		__field(u32, length)
		__field(u32, offset)
		__field(u64, sector)
		__field(u32, hits)
	),

	TP_fast_assign(
		__entry->dev = device;
		__entry->index = index;
		__entry->id = id;
		__entry->length = length;
		__entry->offset = offset;
		__entry->sector = sector;
		__entry->hits = hits;
	),

	TP_printk("%d,%d id=%llu index=%u length=%u offset=%u sector=%llu hits=%u",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->id,
		  __entry->index, __entry->length, __entry->offset,
		  __entry->sector, __entry->hits),

	imgrement_listen_to_delta, imgrement_unlisten_to_delta
);

/* An occurrence of a pattern. */
TRACE_EVENT_FN(match,

	TP_PROTO(u32 device, u64 id, const char *pattern, u8 where, u64 sector,
		 u32 byte),

	TP_ARGS(device, id, pattern, where, sector, byte),

	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u8, where)
		__field(u64, id)
		__field(u64, sector)
		__field(u32, byte)
		__string(pattern, pattern)
	),

	TP_fast_assign(
		__entry->dev = device;
		__entry->where = where;
		__entry->id = id;
		__entry->sector = sector;
		__entry->byte = byte;
		__assign_str(pattern);
	),

	TP_printk("%d,%d id=%llu %s sector=%llu byte=%u pattern=%s",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->id,
		  __print_symbolic(__entry->where,
				   { 0, "page" },
				   { 1, "across" },
				   { 2, "requests" },
				   { 3, "read" }),
		  __entry->sector, __entry->byte, __get_str(pattern)),

	imgrement_listen_to_match, imgrement_unlisten_to_match
);

/* The message mark. */
TRACE_EVENT(mark,

	TP_PROTO(u32 device, const char *text),

	TP_ARGS(device, text),

	TP_STRUCT__entry(
		__field(dev_t, dev)
		__string(text, text)
	),

	TP_fast_assign(
		__entry->dev = device;
		__assign_str(text);
	),

	TP_printk("%d,%d text=%s",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __get_str(text))
);

/* A line of a table, when its state has changed. */
TRACE_EVENT(table,

	TP_PROTO(u32 device, const char *name, u32 lower, const char *line,
		 u8 why),

	TP_ARGS(device, name, lower, line, why),

	TP_STRUCT__entry(
		__field(dev_t, dev)
		__string(name, name)
		__field(dev_t, lower)
		__string(line, line)
		__field(u8, why)
	),

	TP_fast_assign(
		__entry->dev = device;
		__assign_str(name);
		__entry->lower = lower;
		__assign_str(line);
		__entry->why = why;
	),

	TP_printk("%d,%d %s name=%s lower=%d,%d line=%s",
		  MAJOR(__entry->dev), MINOR(__entry->dev),
		  __print_symbolic(__entry->why,
				   { 0, "loaded" },
				   { 1, "resumed" },
				   { 2, "changed" },
				   { 3, "reset" },
				   { 4, "suspended" },
				   { 5, "removed" }),
		  __get_str(name),
		  MAJOR(__entry->lower), MINOR(__entry->lower),
		  __get_str(line))
);

#endif /* IMGREMENT_EVENTS_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH trace
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE events
#include <trace/define_trace.h>
