/* A record as a line of text. */
#include <errno.h>
#include <inttypes.h>

#include "../quote.h"
#include "format.h"

static void print_op(const fault_op *op, FILE *to)
{
    fprintf(to, "t%u %s", op->thread, fault_op_word(op->op));
    if (op->path != NULL) {
        fputc(' ', to);
        fault_print_quoted(op->path, to);
    }
    if (op->to != NULL) {
        fputs(" to ", to);
        fault_print_quoted(op->to, to);
    }
    if (op->inode != 0) {
        fprintf(to, " inode=%" PRIu64, op->inode);
    }
    if (op->offset != 0 || op->size != 0) {
        fprintf(to, " offset=%" PRIu64 " size=%" PRIu64, op->offset, op->size);
    }
    if (op->data != NULL) {
        fprintf(to, " data=%016" PRIx64, fault_hash(0, op->data, op->size));
    }
}

int fault_record_print(const fault_record *record, uint64_t index, FILE *to)
{
    const char *name = fault_errno_name(record->result);

    fprintf(to, "%" PRIu64 " ", index);
    print_op(&record->op, to);
    if (record->result == 0) {
        fputs(" = ok", to);
    } else if (name != NULL) {
        fprintf(to, " = %s", name);
    } else {
        fprintf(to, " = errno %d", record->result);
    }
    if (record->done != 0) {
        fprintf(to, " done=%" PRIu64, record->done);
    }
    fprintf(to, " time=%" PRIu64, record->time);
    if (record->rule != 0) {
        fprintf(to, " rule=%u", record->rule);
    }
    if (record->action != FAULT_DO_NOTHING) {
        fprintf(to, " do=%s", fault_action_word(record->action));
    }
    return ferror(to) ? EIO : 0;
}
