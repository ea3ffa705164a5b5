/* hotfault trace dump: the operations of a run, as lines of text or as JSON. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "../hash.h"
#include "tool.h"

static const char doc[] =
    "Prints the operations of a run, one a line: its number, thread, class, path, what was asked, "
    "= what it gave, bytes done, time of the disk's clock in nanoseconds, and which rule of the "
    "plan "
    "did what to it. The bytes of a write are shown as their hash. Lines with # hold the seed and "
    "the plan."
    "\v"
    "With --json one object, with a member `records'. A number that does not fit in 63 bits is a "
    "string there; in a string that is no UTF-8 the bytes from 0x80 on are \\xNN.\n\n"
    "Exit status: 0 done, 2 wrong usage, 3 the file cannot be read or is damaged.";

static const struct argp_option options[] = {{"json", 'j', NULL, 0, "Print JSON", 0}, {0}};

/* ---- text ---- */

/* A trace can come from anywhere, and a terminal obeys control characters. */
static void print_header(const fault_traced *trace)
{
    bool begin = true;
    printf("# seed %" PRIu64 "\n", fault_traced_seed(trace));
    for (const char *at = fault_traced_plan(trace); *at != '\0'; at++) {
        bool control = ((unsigned char)*at < ' ' && *at != '\n' && *at != '\t') || *at == 0x7f;
        fputs(begin ? "# " : "", stdout);
        printf(control ? "\\x%02x" : "%c", (unsigned char)*at);
        begin = *at == '\n';
    }
    fputs(begin ? "" : "\n", stdout);
    if (fault_traced_cut_short(trace)) {
        puts("# cut short: memory ran out before the run was over");
    }
}

static void print_text(const fault_traced *trace)
{
    print_header(trace);
    for (uint64_t i = 0; i < fault_traced_count(trace); i++) {
        fault_record record;
        fault_traced_get(trace, i, &record);
        fault_record_print(&record, i, stdout);
        putchar('\n');
    }
}

/* ---- JSON ---- */

static json_t *json_number(uint64_t value)
{
    return value <= INT64_MAX ? json_integer((json_int_t)value) : json_sprintf("%" PRIu64, value);
}

/* Paths are bytes of any kind, JSON is not. */
static json_t *json_text(const char *text)
{
    json_t *value = json_string(text);
    char *escaped = NULL;
    size_t size;
    FILE *to = value == NULL ? open_memstream(&escaped, &size) : NULL;

    if (to == NULL) {
        return value;
    }
    for (; *text != '\0'; text++) {
        fprintf(to, (unsigned char)*text < 0x80 ? "%c" : "\\x%02x", (unsigned char)*text);
    }
    if (fclose(to) == 0) {
        value = json_string(escaped);
    }
    free(escaped);
    return value;
}

static json_t *record_json(const fault_record *record, uint64_t index)
{
    const fault_op *op = &record->op;
    const char *error = fault_errno_name(record->result);
    json_t *object = json_object();

    json_object_set_new(object, "index", json_number(index));
    json_object_set_new(object, "thread", json_integer(op->thread));
    json_object_set_new(object, "op", json_string(fault_op_word(op->op)));
    if (op->path != NULL) {
        json_object_set_new(object, "path", json_text(op->path));
    }
    if (op->to != NULL) {
        json_object_set_new(object, "to", json_text(op->to));
    }
    json_object_set_new(object, "inode", json_number(op->inode));
    json_object_set_new(object, "offset", json_number(op->offset));
    json_object_set_new(object, "size", json_number(op->size));
    if (op->data != NULL) {
        json_object_set_new(
            object, "data", json_sprintf("%016" PRIx64, fault_hash(0, op->data, op->size)));
    }
    json_object_set_new(object, "result", json_integer(record->result));
    if (error != NULL) {
        json_object_set_new(object, "error", json_string(error));
    }
    json_object_set_new(object, "done", json_number(record->done));
    json_object_set_new(object, "time", json_number(record->time));
    json_object_set_new(object, "rule", json_integer(record->rule));
    json_object_set_new(object, "action", json_string(fault_action_word(record->action)));
    return object;
}

static int print_value(json_t *value)
{
    int failed = value == NULL || json_dumpf(value, stdout, JSON_COMPACT | JSON_ENCODE_ANY) != 0;
    json_decref(value);
    return failed;
}

/* One record at a time: a trace may be longer than memory is for its JSON. */
static int print_json(const fault_traced *trace)
{
    int failed = 0;
    fputs("{\"seed\": ", stdout);
    failed |= print_value(json_number(fault_traced_seed(trace)));
    fputs(", \"plan\": ", stdout);
    failed |= print_value(json_text(fault_traced_plan(trace)));
    printf(", \"cut_short\": %s, \"records\": [", fault_traced_cut_short(trace) ? "true" : "false");
    for (uint64_t i = 0; i < fault_traced_count(trace) && !failed; i++) {
        fault_record record;
        fault_traced_get(trace, i, &record);
        fputs(i > 0 ? ",\n" : "\n", stdout);
        failed |= print_value(record_json(&record, i));
    }
    puts("\n]}");
    return failed && !ferror(stdout) ? tool_error("out of memory") : TOOL_OK;
}

int tool_trace_dump(int argc, char **argv)
{
    tool_arguments given = {.wanted = 1};
    int status = TOOL_OK;

    tool_parse(argc, argv, options, "FILE", doc, &given);
    fault_traced *trace = tool_open_trace(given.files[0]);
    if (trace == NULL) {
        return TOOL_FAILED;
    }
    if (given.json) {
        status = print_json(trace);
    } else {
        print_text(trace);
    }
    fault_traced_free(trace);
    return status;
}
