/*
 * Traces: every operation of a run, what it met and what it gave.
 *
 * A trace is a header, records of 64 bytes each, and a section of payloads and paths, stored once
 * each by their content: ../FORMAT.md. It is the same for the disk in memory and for the shim, and
 * two runs that did the same give the same bytes.
 *
 * Threads: a writer may be used by several; records are in the order of the calls.
 */
#ifndef FAULT_TRACE_H
#define FAULT_TRACE_H

#include <stdbool.h>
#include <stdio.h>

#include "../op.h"

typedef struct fault_trace fault_trace;   /* being written */
typedef struct fault_traced fault_traced; /* read back */

/* One operation as it went. */
typedef struct fault_record {
    fault_op op;         /* path, to and data: those of the trace, when read back */
    fault_action action; /* what the plan did to it */
    uint32_t rule;       /* which rule; 0: none */
    int result;          /* 0 or errno; below 65,536 */
    uint64_t done;       /* bytes moved */
    uint64_t time;       /* of the disk's clock, nanoseconds */
} fault_record;

/* In memory. `plan` (may be NULL) and seed go into the header; copied. 0 or ENOMEM. */
int fault_trace_new(const char *plan, uint64_t seed, bool with_payloads, fault_trace **out);
void fault_trace_free(fault_trace *trace);
/* Copies the record with its strings, and what a write wrote when payloads are kept. After a
 * failure for want of memory the trace is marked as cut short: fault_trace_error(). */
void fault_trace_add(fault_trace *trace, const fault_record *record);
int fault_trace_error(const fault_trace *trace);
uint64_t fault_trace_count(const fault_trace *trace);
/* The whole file; while nobody adds. malloc'd; NULL without memory. */
uint8_t *fault_trace_bytes(const fault_trace *trace, size_t *size);

/* Reads a trace from memory, which is copied. 0, ENOMEM, or EINVAL with a reason and offset in
 * `why` (FAULT_TRACE_WHY bytes). *out is NULL on failure. What has been opened may be read by
 * several threads. */
#define FAULT_TRACE_WHY 200
int fault_traced_open(const uint8_t *bytes, size_t size, fault_traced **out, char *why);
void fault_traced_free(fault_traced *trace);
uint64_t fault_traced_count(const fault_traced *trace);
const char *fault_traced_plan(const fault_traced *trace); /* "" when there was none */
uint64_t fault_traced_seed(const fault_traced *trace);
/* The run went on when there was no memory left to write down how. */
bool fault_traced_cut_short(const fault_traced *trace);
/* `index` from 0. What *out points to is valid until the trace is freed. */
void fault_traced_get(const fault_traced *trace, uint64_t index, fault_record *out);
/* One line of text, without a newline; the data of a write as its hash. 0, or EIO when the stream
 * has failed. */
int fault_record_print(const fault_record *record, uint64_t index, FILE *to);

#endif
