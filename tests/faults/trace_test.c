/*
 * Traces: what is written is read back, the same run gives the same bytes, and damage is refused
 * with its place or does no harm.
 *
 * GOLDEN_WRITE=DIR writes the golden file there instead of comparing.
 */
#include "testmain.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "faults/trace/format.h"

#ifndef TEST_GOLDEN
#error "TEST_GOLDEN is the directory of the files"
#endif

static const char plan_text[] = "plan 1 seed=42\nrule r on write nth=2 do err=ENOSPC\n";

/* Every field in use; payloads of no, one, and several blocks, of which some are the same. */
static const uint8_t *payload(void)
{
    static uint8_t bytes[3 * FAULT_TRACE_BLOCK + 100];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i < 2 * (size_t)FAULT_TRACE_BLOCK ? 7 : i % 251);
    }
    return bytes;
}

#define PAYLOAD_SIZE (3 * FAULT_TRACE_BLOCK + 100)

static void sample(unsigned index, fault_record *out)
{
    const uint8_t *bytes = payload();
    const fault_record records[] = {
        {.op = {.op = FAULT_OP_CREATE, .path = "/home/a.db", .inode = 2}, .time = 1000},
        {.op = {.op = FAULT_OP_WRITE,
             .path = "/home/a.db",
             .inode = 2,
             .offset = 4096,
             .size = 512,
             .data = bytes},
            .done = 512,
            .time = 2000},
        {.op = {.op = FAULT_OP_WRITE,
             .thread = 1,
             .path = "/home/a.db",
             .inode = 2,
             .size = PAYLOAD_SIZE,
             .data = bytes},
            .action = FAULT_DO_ERROR,
            .rule = 1,
            .result = ENOSPC,
            .time = 3000},
        {.op = {.op = FAULT_OP_RENAME, .path = "/home/a.db", .to = "/home/b\n\"c\"", .inode = 2},
            .time = 4000},
        {.op = {.op = FAULT_OP_SLEEP, .thread = 3, .size = 1000000}, .time = UINT64_MAX},
        {.op = {.op = FAULT_OP_WRITE, .path = "/home/a.db", .inode = 2, .size = 0, .data = bytes}},
        {.op = {.op = FAULT_OP_MARK, .path = "second half"}, .time = 5000},
        {.op = {.op = FAULT_OP_READ,
             .path = "",
             .inode = UINT64_MAX,
             .offset = UINT64_MAX,
             .size = UINT64_MAX},
            .action = FAULT_DO_CRASH,
            .rule = UINT32_MAX,
            .result = 65535,
            .done = UINT64_MAX},
    };
    *out = records[index];
}

#define SAMPLES 8u

static fault_trace *write_samples(const char *plan, bool with_payloads)
{
    fault_trace *trace;
    assert_int_equal(fault_trace_new(plan, 42, with_payloads, &trace), 0);
    for (unsigned i = 0; i < SAMPLES; i++) {
        fault_record record;
        sample(i, &record);
        fault_trace_add(trace, &record);
    }
    assert_int_equal(fault_trace_error(trace), 0);
    assert_int_equal(fault_trace_count(trace), SAMPLES);
    return trace;
}

static uint8_t *sample_bytes(size_t *size)
{
    fault_trace *trace = write_samples(plan_text, true);
    uint8_t *bytes = fault_trace_bytes(trace, size);
    assert_non_null(bytes);
    fault_trace_free(trace);
    return bytes;
}

static fault_traced *open_bytes(const uint8_t *bytes, size_t size)
{
    char why[FAULT_TRACE_WHY];
    fault_traced *trace;
    int result = fault_traced_open(bytes, size, &trace, why);
    if (result != 0) {
        print_error("%s\n", why);
    }
    assert_int_equal(result, 0);
    return trace;
}

/* ---- there and back ---- */

static void expect_text(const char *got, const char *want)
{
    assert_int_equal(got == NULL, want == NULL);
    if (want != NULL) {
        assert_string_equal(got, want);
    }
}

static void expect_record(const fault_record *got, const fault_record *want, bool with_payloads)
{
    assert_int_equal(got->op.op, want->op.op);
    assert_int_equal(got->op.thread, want->op.thread);
    expect_text(got->op.path, want->op.path);
    expect_text(got->op.to, want->op.to);
    assert_true(got->op.inode == want->op.inode);
    assert_true(got->op.offset == want->op.offset);
    assert_true(got->op.size == want->op.size);
    assert_int_equal(got->action, want->action);
    assert_true(got->rule == want->rule);
    assert_int_equal(got->result, want->result);
    assert_true(got->done == want->done);
    assert_true(got->time == want->time);
    if (with_payloads && want->op.data != NULL && want->op.size > 0) {
        assert_non_null(got->op.data);
        assert_memory_equal(got->op.data, want->op.data, want->op.size);
    } else {
        assert_null(got->op.data);
    }
}

static void what_was_written_is_read_back(void **state)
{
    (void)state;
    for (int with_payloads = 0; with_payloads < 2; with_payloads++) {
        size_t size;
        fault_trace *trace = write_samples(plan_text, with_payloads);
        uint8_t *bytes = fault_trace_bytes(trace, &size);
        fault_trace_free(trace);
        fault_traced *back = open_bytes(bytes, size);
        free(bytes);
        assert_string_equal(fault_traced_plan(back), plan_text);
        assert_int_equal(fault_traced_seed(back), 42);
        assert_int_equal(fault_traced_count(back), SAMPLES);
        assert_false(fault_traced_cut_short(back));
        for (unsigned i = 0; i < SAMPLES; i++) {
            fault_record want, got;
            sample(i, &want);
            fault_traced_get(back, i, &got);
            expect_record(&got, &want, with_payloads);
        }
        fault_traced_free(back);
    }
}

static void a_trace_of_nothing_is_a_trace(void **state)
{
    (void)state;
    size_t size;
    fault_trace *trace;
    assert_int_equal(fault_trace_new(NULL, 0, true, &trace), 0);
    uint8_t *bytes = fault_trace_bytes(trace, &size);
    assert_int_equal(size, FAULT_TRACE_HEADER);
    fault_traced *back = open_bytes(bytes, size);
    assert_string_equal(fault_traced_plan(back), "");
    assert_int_equal(fault_traced_count(back), 0);
    fault_traced_free(back);
    fault_trace_free(trace);
    free(bytes);
}

static void the_same_run_gives_the_same_bytes(void **state)
{
    (void)state;
    size_t sizes[2];
    uint8_t *bytes[2] = {sample_bytes(&sizes[0]), sample_bytes(&sizes[1])};
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(bytes[0], bytes[1], sizes[0]);
    free(bytes[0]);
    free(bytes[1]);
}

/* Records of a long random run, whose contents repeat. */
static void random_record(uint64_t *seed, uint8_t *data, char *path, fault_record *out)
{
    snprintf(path, 30, "/home/%u", (unsigned)chance(seed, 500));
    *out = (fault_record){.op = {.op = FAULT_OP_WRITE, .path = path, .data = data}};
    out->op.size = chance(seed, 3 * FAULT_TRACE_BLOCK);
    memset(data, (int)chance(seed, 3), 3 * (size_t)FAULT_TRACE_BLOCK);
    if (chance(seed, 3) == 0) {
        data[chance(seed, 3 * FAULT_TRACE_BLOCK)] = (uint8_t)chance(seed, 256);
    }
}

static void many_records_share_what_they_have_in_common(void **state)
{
    (void)state;
    static uint8_t data[3 * FAULT_TRACE_BLOCK];
    char path[30];
    uint64_t seed = 5, written = 0;
    size_t size;
    fault_trace *trace;
    fault_record want, got;
    assert_int_equal(fault_trace_new(NULL, 0, true, &trace), 0);
    for (unsigned i = 0; i < 3000; i++) {
        random_record(&seed, data, path, &want);
        written += want.op.size;
        fault_trace_add(trace, &want);
    }
    uint8_t *bytes = fault_trace_bytes(trace, &size);
    fault_trace_free(trace);
    fault_traced *back = open_bytes(bytes, size);
    free(bytes);
    assert_int_equal(fault_traced_count(back), 3000);
    assert_true(size < written * 2 / 3);
    seed = 5;
    for (unsigned i = 0; i < 3000; i++) {
        random_record(&seed, data, path, &want);
        fault_traced_get(back, i, &got);
        expect_record(&got, &want, true);
    }
    fault_traced_free(back);
}

/* Sanitizers end a program that asks for too much, unless they are told that it knows. */
#define TELLS_SANITIZERS __attribute__((visibility("default"), used))
TELLS_SANITIZERS const char *__asan_default_options(void);
TELLS_SANITIZERS const char *__tsan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}
const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void a_trace_for_which_there_is_no_memory_says_that_it_was_cut_short(void **state)
{
    (void)state;
    fault_trace *trace = write_samples(plan_text, true);
    size_t size;
    fault_record record;
    sample(1, &record);
    record.op.size = UINT64_C(1) << 62;
    fault_trace_add(trace, &record);
    assert_int_equal(fault_trace_error(trace), ENOMEM);
    sample(1, &record);
    fault_trace_add(trace, &record);
    assert_int_equal(fault_trace_count(trace), SAMPLES);
    uint8_t *bytes = fault_trace_bytes(trace, &size);
    fault_traced *back = open_bytes(bytes, size);
    assert_true(fault_traced_cut_short(back));
    assert_int_equal(fault_traced_count(back), SAMPLES);
    fault_traced_free(back);
    fault_trace_free(trace);
    free(bytes);
}

/* ---- as text ---- */

static void a_record_is_one_line_of_text(void **state)
{
    (void)state;
    static const char *const lines[SAMPLES] = {
        "0 t0 create \"/home/a.db\" inode=2 = ok time=1000",
        "1 t0 write \"/home/a.db\" inode=2 offset=4096 size=512 data=",
        "2 t1 write \"/home/a.db\" inode=2 offset=0 size=12388 data=",
        "3 t0 rename \"/home/a.db\" to \"/home/b\\x0a\\\"c\\\"\" inode=2 = ok time=4000",
        "4 t3 sleep offset=0 size=1000000 = ok time=18446744073709551615",
        "5 t0 write \"/home/a.db\" inode=2 ",
        "6 t0 mark \"second half\" = ok time=5000",
        "7 t0 read \"\" inode=18446744073709551615 offset=18446744073709551615 "
        "size=18446744073709551615 = errno 65535 done=18446744073709551615 time=0 rule=4294967295 "
        "do=crash",
    };
    for (unsigned i = 0; i < SAMPLES; i++) {
        char *text;
        size_t size;
        fault_record record;
        FILE *to = open_memstream(&text, &size);
        sample(i, &record);
        assert_int_equal(fault_record_print(&record, i, to), 0);
        assert_int_equal(fclose(to), 0);
        assert_memory_equal(text, lines[i], strlen(lines[i]));
        assert_null(strchr(text, '\n'));
        if (i == 2) {
            assert_non_null(strstr(text, " = ENOSPC time=3000 rule=1 do=err"));
        }
        free(text);
    }
}

/* ---- the file ---- */

static uint8_t *read_golden(size_t *size)
{
    static uint8_t bytes[65536];
    FILE *file = fopen(TEST_GOLDEN "/small.trace", "rb");
    assert_non_null(file);
    *size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    return bytes;
}

static void a_trace_is_written_as_it_always_was(void **state)
{
    (void)state;
    const char *write_to = getenv("GOLDEN_WRITE");
    size_t size, kept_size;
    uint8_t *bytes = sample_bytes(&size);
    if (write_to != NULL) {
        char path[4096];
        snprintf(path, sizeof path, "%s/small.trace", write_to);
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, size, file), size);
        assert_int_equal(fclose(file), 0);
    } else {
        const uint8_t *kept = read_golden(&kept_size);
        assert_int_equal(size, kept_size);
        assert_memory_equal(bytes, kept, size);
    }
    free(bytes);
}

/* ---- damage ---- */

/* Reads all that there is to read. */
static void use(const fault_traced *trace)
{
    FILE *nowhere = fopen("/dev/null", "w");
    assert_non_null(nowhere);
    fputs(fault_traced_plan(trace), nowhere);
    for (uint64_t i = 0; i < fault_traced_count(trace); i++) {
        fault_record record;
        fault_traced_get(trace, i, &record);
        assert_int_equal(fault_record_print(&record, i, nowhere), 0);
    }
    fclose(nowhere);
}

/* Whether it is refused; if not, it is used. */
static bool is_refused(const uint8_t *bytes, size_t size)
{
    char why[FAULT_TRACE_WHY];
    fault_traced *trace;
    uint8_t *exact = malloc(size > 0 ? size : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, size);
    int result = fault_traced_open(exact, size, &trace, why);
    free(exact);
    if (result == 0) {
        use(trace);
        fault_traced_free(trace);
        return false;
    }
    assert_int_equal(result, EINVAL);
    assert_null(trace);
    assert_memory_equal(why, "offset ", 7);
    return true;
}

static void every_byte_that_is_turned_over_is_refused_or_read(void **state)
{
    (void)state;
    size_t size;
    uint8_t *bytes = sample_bytes(&size);
    size_t records = FAULT_TRACE_HEADER + FAULT_PADDED(sizeof plan_text - 1);
    size_t contents = records + SAMPLES * FAULT_TRACE_RECORD;
    unsigned refused = 0;
    for (size_t i = 0; i < size; i++) {
        for (unsigned bit = 0; bit < 8; bit += 1 + (i >= contents) * 3u) {
            bytes[i] ^= (uint8_t)(1u << bit);
            bool is = is_refused(bytes, size);
            refused += is;
            /* all contents have their hash; of the header the seed means nothing */
            assert_true(is || i < contents);
            assert_true(is || i >= FAULT_TRACE_HEADER || i == FAULT_AT_FLAGS ||
                        (i >= FAULT_AT_SEED && i < FAULT_AT_SEED + 8));
            bytes[i] ^= (uint8_t)(1u << bit);
        }
    }
    assert_true(refused > 1000);
    assert_false(is_refused(bytes, size));
    free(bytes);
}

static void a_trace_that_is_cut_or_longer_is_refused(void **state)
{
    (void)state;
    size_t size;
    uint8_t *bytes = sample_bytes(&size);
    for (size_t i = 0; i < size; i++) {
        assert_true(is_refused(bytes, i));
    }
    uint8_t *longer = calloc(1, size + 8);
    memcpy(longer, bytes, size);
    assert_true(is_refused(longer, size + 8));
    free(longer);
    free(bytes);
}

static void random_damage_does_no_harm(void **state)
{
    (void)state;
    uint64_t seed = 7;
    size_t size;
    uint8_t *bytes = sample_bytes(&size), *damaged = malloc(size);
    assert_non_null(damaged);
    size_t contents =
        FAULT_TRACE_HEADER + FAULT_PADDED(sizeof plan_text - 1) + SAMPLES * FAULT_TRACE_RECORD;
    for (unsigned i = 0; i < 20000; i++) {
        memcpy(damaged, bytes, size);
        for (uint64_t n = 1 + chance(&seed, 3); n > 0; n--) {
            damaged[chance(&seed, contents)] = (uint8_t)chance(&seed, 256);
        }
        is_refused(damaged, size);
    }
    free(damaged);
    free(bytes);
}

typedef struct damage {
    size_t at;
    uint8_t value;
    const char *words;
} damage;

static void expect_refusals(const damage *damages, size_t count)
{
    size_t size, wrong = 0;
    uint8_t *bytes = sample_bytes(&size);
    for (size_t i = 0; i < count; i++) {
        char why[FAULT_TRACE_WHY];
        fault_traced *trace;
        uint8_t kept = bytes[damages[i].at];
        bytes[damages[i].at] = damages[i].value;
        int result = fault_traced_open(bytes, size, &trace, why);
        if (result != EINVAL || strcmp(why, damages[i].words) != 0) {
            print_error("%d, %s\nis not\n%s\n", result, why, damages[i].words);
            wrong++;
        }
        fault_traced_free(trace);
        bytes[damages[i].at] = kept;
    }
    free(bytes);
    assert_int_equal(wrong, 0);
}

static void damage_is_refused_with_its_place_and_the_reason(void **state)
{
    (void)state;
    /* header 64, plan 51 padded to 56, records from 120 on, contents from 632 on */
    const size_t records = 120, contents = 632;
    const damage damages[] = {
        {0, 'x', "offset 0: no trace: it does not begin with HOTTRACE"},
        {8, 2, "offset 8: version 2; this program knows 1"},
        {12, 8, "offset 12: unknown flags 0x8"},
        {60, 1, "offset 60: a byte that has to be 0 is 0x01"},
        {32, 52, "offset 115: a zero byte in the plan"},
        {115, 9, "offset 115: a byte that has to be 0 is 0x09"},
        {38, 1, "offset 32: a plan of 281474976710707 bytes; 9592 are left"},
        {31, 1, "offset 24: 72057594037927944 records; 9536 bytes are left"},
        {24, 7, "offset 40: contents of 9024 bytes; 9088 are left"},
        {48, 8, "offset 48: 8 contents are not those that follow"},
        {51, 1, "offset 48: 16777225 contents; 9024 bytes are left"},
        {records + 4, 21, "offset 124: unknown class of operations 21"},
        {records + 5, 13, "offset 125: unknown action 13"},
        {records + 48, 99, "offset 168: content 99 is no string"},
        {records + 48, 2, "offset 168: content 2 is no string"},
        {records + 64 + 56, 1, "offset 240: content 1 is not what this write of 512 bytes wrote"},
        {records + 64 + 25, 4, "offset 240: content 2 is not what this write of 1024 bytes wrote"},
        {records + 56, 2, "offset 176: content 2 is not what this create of 0 bytes wrote"},
        {contents, 0, "offset 632: the hash is not that of the content"},
        {contents + 8, 0, "offset 640: a content of kind 1 has no 0 bytes"},
        {contents + 11, 1, "offset 632: the file ends in content 1"},
        {contents + 12, 4, "offset 644: unknown kind of content 4"},
        {contents + 13, 1, "offset 645: a byte that has to be 0 is 0x01"},
    };
    expect_refusals(damages, sizeof damages / sizeof *damages);
}

/* The sample's list in its bytes: where its content begins. */
static size_t place_of_list(const uint8_t *bytes, size_t size)
{
    size_t place = 632; /* contents: path, block of 512, full ones, the rest, list */
    while (bytes[place + FAULT_AT_KIND] != FAULT_CONTENT_LIST) {
        place += FAULT_CONTENT_HEADER + FAULT_PADDED(fault_get32(bytes + place + FAULT_AT_BYTES));
        assert_true(place < size);
    }
    assert_int_equal(fault_get32(bytes + place + FAULT_AT_BYTES), 16);
    return place;
}

/* Gives the content the hash that fits, so that only what was changed in it is wrong. */
static void expect_refusal(uint8_t *bytes, size_t size, size_t place, const char *words)
{
    char why[FAULT_TRACE_WHY];
    fault_traced *trace;
    uint8_t *content = bytes + place;
    fault_put64(content, fault_hash(content[FAULT_AT_KIND], content + FAULT_CONTENT_HEADER,
                             fault_get32(content + FAULT_AT_BYTES)));
    assert_int_equal(fault_traced_open(bytes, size, &trace, why), EINVAL);
    if (strstr(why, words) == NULL) {
        print_error("%s\nis not\n%s\n", why, words);
        fail();
    }
}

static void a_list_of_what_are_no_blocks_is_refused(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint32_t value;
        const char *words;
    } lists[] = {
        {FAULT_CONTENT_HEADER, 0, "content 0 is no block"},
        {FAULT_CONTENT_HEADER + 4, 1, "content 1 is no block"},
        {FAULT_CONTENT_HEADER + 4, 1000, "content 1000 is no block"},
        {FAULT_CONTENT_HEADER, 2, "block 2 is not full and not the last"},
        {FAULT_AT_BYTES, 15, "a content of kind 3 has no 15 bytes"},
        {FAULT_AT_BYTES, 4, "a content of kind 3 has no 4 bytes"},
        {FAULT_AT_KIND, 0, "unknown kind of content 0"},
        {FAULT_AT_KIND, FAULT_CONTENT_STRING, "a string that ends at another place"},
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        size_t size;
        uint8_t *bytes = sample_bytes(&size);
        size_t place = place_of_list(bytes, size);
        fault_put32(bytes + place + lists[i].at, lists[i].value);
        expect_refusal(bytes, size, place, lists[i].words);
        free(bytes);
    }
}

static void a_plan_larger_than_numbers_go_is_refused(void **state)
{
    (void)state;
    size_t size;
    char why[FAULT_TRACE_WHY];
    fault_traced *trace;
    uint8_t *bytes = sample_bytes(&size);
    fault_put64(bytes + FAULT_AT_PLAN_SIZE, UINT64_MAX);
    assert_int_equal(fault_traced_open(bytes, size, &trace, why), EINVAL);
    assert_non_null(strstr(why, "offset 32: a plan of 18446744073709551615 bytes"));
    free(bytes);
}

/* ---- threads ---- */

enum { THREADS = 4, EACH = 2000 };

typedef struct worker {
    fault_trace *trace;
    uint32_t number;
} worker;

static void *work(void *argument)
{
    worker *w = argument;
    char path[20];
    uint32_t data[200];
    snprintf(path, sizeof path, "/%u", w->number);
    for (uint32_t i = 0; i < EACH; i++) {
        fault_record record = {.op = {.op = FAULT_OP_WRITE,
                                   .thread = w->number,
                                   .path = path,
                                   .offset = i,
                                   .size = sizeof data,
                                   .data = data}};
        for (size_t k = 0; k < 200; k++) {
            data[k] = i % 50;
        }
        fault_trace_add(w->trace, &record);
    }
    return NULL;
}

static void several_threads_lose_no_record_and_keep_each_their_order(void **state)
{
    (void)state;
    fault_trace *trace;
    pthread_t threads[THREADS];
    worker workers[THREADS];
    uint64_t next[THREADS] = {0};
    size_t size;
    assert_int_equal(fault_trace_new(NULL, 0, true, &trace), 0);
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i] = (worker){trace, i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    uint8_t *bytes = fault_trace_bytes(trace, &size);
    fault_traced *back = open_bytes(bytes, size);
    assert_int_equal(fault_traced_count(back), THREADS * EACH);
    for (uint64_t i = 0; i < THREADS * EACH; i++) {
        fault_record record;
        fault_traced_get(back, i, &record);
        assert_true(record.op.offset == next[record.op.thread]++);
        assert_int_equal(((const uint8_t *)record.op.data)[0], record.op.offset % 50);
    }
    fault_traced_free(back);
    fault_trace_free(trace);
    free(bytes);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_was_written_is_read_back),
    cmocka_unit_test(a_trace_of_nothing_is_a_trace),
    cmocka_unit_test(the_same_run_gives_the_same_bytes),
    cmocka_unit_test(many_records_share_what_they_have_in_common),
    cmocka_unit_test(a_trace_for_which_there_is_no_memory_says_that_it_was_cut_short),
    cmocka_unit_test(a_record_is_one_line_of_text),
    cmocka_unit_test(a_trace_is_written_as_it_always_was),
    cmocka_unit_test(every_byte_that_is_turned_over_is_refused_or_read),
    cmocka_unit_test(a_trace_that_is_cut_or_longer_is_refused),
    cmocka_unit_test(random_damage_does_no_harm),
    cmocka_unit_test(damage_is_refused_with_its_place_and_the_reason),
    cmocka_unit_test(a_list_of_what_are_no_blocks_is_refused),
    cmocka_unit_test(a_plan_larger_than_numbers_go_is_refused),
    cmocka_unit_test(several_threads_lose_no_record_and_keep_each_their_order),
};

TEST_MAIN(tests)
