/* What every operation has before and after it: the mutex, the clock, the plan, the trace. */
#include "internal.h"

#include <errno.h>

#define TICK 1000u /* nanoseconds of the disk's clock per operation */

uint64_t fault_next_random(uint64_t *state)
{
    return fault_hash_mix(*state += FAULT_HASH_FACTOR);
}

/* Threads are numbered by their first operations on the disk: addresses and system numbers are not
 * the same in two runs. */
static uint32_t thread_number(fault_disk *disk)
{
    static _Atomic uint64_t last_serial;
    static _Thread_local uint64_t serial;
    if (serial == 0) {
        serial = atomic_fetch_add(&last_serial, 1) + 1;
    }
    for (uint32_t i = 0; i < disk->thread_count; i++) {
        if (disk->threads[i].serial == serial) {
            return i;
        }
    }
    disk->threads =
        fault_grow(disk->threads, disk->thread_count, &disk->thread_room, sizeof *disk->threads);
    disk->threads[disk->thread_count] = (fault_thread){serial};
    return disk->thread_count++;
}

bool fault_enter(fault_disk *disk)
{
    pthread_mutex_lock(&disk->mutex);
    if (disk->dead) {
        return false;
    }
    if (disk->fresh) {
        fault_look_prefix(disk);
    }
    return true;
}

bool fault_decide(fault_call *call, int *error)
{
    fault_disk *disk = call->disk;
    call->op.thread = thread_number(disk);
    *error = EIO;
    if (disk->dead) {
        return false;
    }
    disk->clock += TICK;
    if (disk->options.run != NULL) {
        fault_run_decide(disk->options.run, &call->op, &call->decision);
    }
    switch (call->decision.action) {
    case FAULT_DO_ERROR:
        *error = call->decision.error;
        return false;
    case FAULT_DO_CRASH:
        disk->dead = true;
        return false;
    case FAULT_DO_DELAY:
        disk->clock += (uint64_t)call->decision.amount;
        break;
    default:
        break;
    }
    *error = 0;
    return true;
}

bool fault_begin(fault_call *call, int *error)
{
    fault_enter(call->disk);
    return fault_decide(call, error);
}

int fault_end(fault_call *call, int error)
{
    fault_disk *disk = call->disk;
    if (disk->options.trace != NULL) {
        fault_record record = {
            .op = call->op,
            .action = call->decision.action,
            .rule = call->decision.rule,
            .result = error,
            .done = call->done,
            .time = disk->clock,
        };
        fault_trace_add(disk->options.trace, &record);
    }
    pthread_mutex_unlock(&disk->mutex);
    return error;
}

void fault_disk_mark(fault_disk *disk, const char *words)
{
    fault_call call = {.disk = disk, .op = {.op = FAULT_OP_MARK, .path = words}};
    int error;
    fault_begin(&call, &error);
    fault_end(&call, error);
}

/* ---- syncs ---- */

void fault_barrier(fault_disk *disk)
{
    pthread_mutex_lock(&disk->mutex);
    fault_barrier_fn call = disk->dead ? NULL : disk->barrier;
    pthread_mutex_unlock(&disk->mutex);
    if (call != NULL) {
        call(disk->barrier_context, disk);
    }
}

int fault_sync_decided(fault_call *call, fault_inode *inode)
{
    const fault_decision *decision = &call->decision;
    int error = inode->late;
    if (decision->action == FAULT_DO_LIE || decision->action == FAULT_DO_LOSE) {
        return 0;
    }
    if (decision->action == FAULT_DO_FAIL_SYNC) {
        fault_settle_failed(call->disk, inode, decision->failure);
        if (decision->failure != FAULT_SYNC_LATE) {
            return decision->error;
        }
        inode->late = decision->error;
        return 0;
    }
    inode->late = 0;
    fault_settle_synced(call->disk, inode);
    return error;
}
