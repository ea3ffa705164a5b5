/* hotfault trace diff: where two runs parted. */
#include <inttypes.h>
#include <string.h>

#include "tool.h"

enum { AROUND = 3 }; /* records that are shown before and behind the difference */

static const char doc[] =
    "Says where two runs first differ: in which record and in what of it, with the records around "
    "it. A line with - is of the first trace, with + of the second. Seeds and plans are compared, "
    "too, and a difference in these alone is told and is none of the runs."
    "\v"
    "Exit status: 0 the records are the same, 1 they differ, 2 wrong usage, 3 a file cannot be "
    "read "
    "or is damaged.";

typedef struct traces {
    const char *names[2];
    fault_traced *traces[2];
} traces;

static int same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Only one of them may have been kept with its payloads: then there is nothing to compare. */
static int same_data(const fault_op *a, const fault_op *b)
{
    return a->data == NULL || b->data == NULL || a->size != b->size ||
           memcmp(a->data, b->data, a->size) == 0;
}

/* The names of what is not the same, into `out`; their number. */
static int compare(const fault_record *a, const fault_record *b, char out[static 200])
{
    const struct {
        const char *name;
        int same;
    } fields[] = {
        {"thread", a->op.thread == b->op.thread},
        {"class", a->op.op == b->op.op},
        {"path", same_text(a->op.path, b->op.path)},
        {"second path", same_text(a->op.to, b->op.to)},
        {"inode", a->op.inode == b->op.inode},
        {"offset", a->op.offset == b->op.offset},
        {"size", a->op.size == b->op.size},
        {"data", same_data(&a->op, &b->op)},
        {"result", a->result == b->result},
        {"bytes done", a->done == b->done},
        {"time", a->time == b->time},
        {"rule", a->rule == b->rule},
        {"action", a->action == b->action},
    };
    int count = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (!fields[i].same) {
            strcat(out, count++ > 0 ? ", " : "");
            strcat(out, fields[i].name);
        }
    }
    return count;
}

/* Both records; 0 when one of the traces has ended. */
static int get_both(const traces *given, uint64_t index, fault_record out[2])
{
    for (unsigned i = 0; i < 2; i++) {
        if (index >= fault_traced_count(given->traces[i])) {
            return 0;
        }
        fault_traced_get(given->traces[i], index, &out[i]);
    }
    return 1;
}

static void print_one(const traces *given, unsigned which, uint64_t index, char sign)
{
    fault_record record;
    if (index < fault_traced_count(given->traces[which])) {
        fault_traced_get(given->traces[which], index, &record);
        printf("%c ", sign);
        fault_record_print(&record, index, stdout);
        putchar('\n');
    }
}

static void print_around(const traces *given, uint64_t index)
{
    char words[200];
    for (uint64_t i = index > AROUND ? index - AROUND : 0; i <= index + AROUND; i++) {
        fault_record both[2];
        if (get_both(given, i, both) && compare(&both[0], &both[1], words) == 0) {
            print_one(given, 0, i, ' ');
        } else {
            print_one(given, 0, i, '-');
            print_one(given, 1, i, '+');
        }
    }
}

static void compare_headers(const traces *given)
{
    uint64_t seeds[2] = {fault_traced_seed(given->traces[0]), fault_traced_seed(given->traces[1])};
    if (seeds[0] != seeds[1]) {
        printf("the seeds differ: %" PRIu64 " and %" PRIu64 "\n", seeds[0], seeds[1]);
    }
    if (strcmp(fault_traced_plan(given->traces[0]), fault_traced_plan(given->traces[1])) != 0) {
        puts("the plans differ");
    }
    for (unsigned i = 0; i < 2; i++) {
        if (fault_traced_cut_short(given->traces[i])) {
            printf("%s was cut short\n", given->names[i]);
        }
    }
}

static int compare_records(const traces *given)
{
    char words[200];
    fault_record both[2];
    uint64_t index = 0;

    while (get_both(given, index, both) && compare(&both[0], &both[1], words) == 0) {
        index++;
    }
    if (get_both(given, index, both)) {
        printf("record %" PRIu64 " differs in %s\n", index, words);
    } else {
        uint64_t counts[2] = {
            fault_traced_count(given->traces[0]), fault_traced_count(given->traces[1])};
        if (counts[0] == counts[1]) {
            printf("no difference; records: %" PRIu64 "\n", index);
            return TOOL_OK;
        }
        printf("%s ends at record %" PRIu64 ", the other goes on\n",
            given->names[counts[0] < counts[1] ? 0 : 1], index);
    }
    print_around(given, index);
    return TOOL_FOUND;
}

int tool_trace_diff(int argc, char **argv)
{
    tool_arguments given = {.wanted = 2};
    tool_parse(argc, argv, NULL, "FILE FILE", doc, &given);
    traces both = {.names = {given.files[0], given.files[1]}};
    int status = TOOL_FAILED;

    both.traces[0] = tool_open_trace(both.names[0]);
    both.traces[1] = both.traces[0] != NULL ? tool_open_trace(both.names[1]) : NULL;
    if (both.traces[1] != NULL) {
        compare_headers(&both);
        status = compare_records(&both);
    }
    fault_traced_free(both.traces[0]);
    fault_traced_free(both.traces[1]);
    return status;
}
