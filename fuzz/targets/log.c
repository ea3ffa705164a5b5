/*
 * The log: any bytes as segments, control file, label and database files; scanned, replayed, then
 * opened as an environment, which recovers it.
 *
 * Promises: looking changes nothing; what was refused as damaged is refused again; what was
 * recovered is recovered to the same when it is opened again, and when the power went right after
 * the recovery; an environment that opened can be written to, and has it after the next opening. A
 * copy touches nothing outside its home.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fuzz.h"
#include "engine/log.h"
#include "engine/record.h"

#define SWITCH_FATAL 0x04u
#define SWITCH_WRITE 0x08u
#define SWITCH_CREATE 0x10u
#define SWITCH_CRASH 0xe0u /* not 0: the power goes before this sync of the recovery */
#define SWITCH_CRASH_SHIFT 5

#define HOME "/home"

/* ---- the parsers alone ---- */

typedef struct reading {
    uint64_t records;
    uint8_t *page;
    bool unsound;
} reading;

static int note_file(void *context, const ref_file_record *file)
{
    (void)context;
    fuzz_note(file->dir, strlen(file->dir));
    fuzz_note(file->name, strlen(file->name));
    return 0;
}

static int parse(void *context, const ref_record *record)
{
    reading *in = context;
    ref_page_record page;
    ref_file_record file;
    ref_commit_record commit;
    ref_checkpoint_record checkpoint;
    ref_id id;
    char *strings = malloc((size_t)record->payload_size + 2);
    if (strings == NULL) {
        abort();
    }
    in->records++;
    fuzz_note_number(record->lsn);
    fuzz_note_number(record->type);
    fuzz_note_number(ref_record_file_id(record, &id));
    fuzz_note_number(ref_record_commit(record, &commit));
    fuzz_note_number(ref_record_checkpoint(record, &checkpoint));
    fuzz_note_number((uint64_t)ref_record_catalog(record, strings, note_file, NULL));
    if (ref_record_file(record, strings, &file)) {
        note_file(NULL, &file);
    }
    if (ref_record_page(record, &page)) {
        fuzz_note_number(ref_record_page_apply(record, in->page, REF_PAGE_SIZE_MIN));
        fuzz_note(in->page, REF_PAGE_SIZE_MIN);
    }
    fuzz_note(ref_record_type_name(record->type), 1);
    free(strings);
    return 0;
}

static void look_at_log(fuzz_disk *disk)
{
    ref_vfs *vfs = fuzz_disk_vfs(disk);
    uint64_t before = fuzz_disk_hash(disk, "/");
    ref_log_scan scan;
    reading in = {.page = malloc(REF_PAGE_SIZE_MIN)};
    if (in.page == NULL) {
        abort();
    }
    memset(in.page, 0, REF_PAGE_SIZE_MIN);
    ref_error_clear();
    int error = ref_log_scan_segments(vfs, HOME, 0, 0, &scan);
    if (error != 0) {
        fuzz_check_words(error, "ref_log_scan_segments");
    } else if (scan.newest != 0) {
        fuzz_note_number(scan.end);
        fuzz_note_number(scan.commit);
        error = ref_log_replay(vfs, HOME, scan.oldest, scan.end, parse, &in);
        if (error != 0) {
            FUZZ_FAIL("a log that was scanned is not replayed: %d", error);
        }
    }
    free(in.page);
    if (fuzz_disk_hash(disk, "/") != before) {
        FUZZ_FAIL("looking through the log has changed a file");
    }
}

/* ---- environments ---- */

static int open_home(fuzz_disk *disk, uint8_t switches, ref_env **out)
{
    ref_env_options options = {.vfs = fuzz_disk_vfs(disk),
        .home = HOME,
        .create = (switches & SWITCH_CREATE) != 0,
        .recover_fatal = (switches & SWITCH_FATAL) != 0,
        .segment_size = REF_SEGMENT_SIZE_MIN,
        .cache_size = 65536};
    int error = ref_env_open(&options, out);
    if (error != 0) {
        fuzz_check_words(error, "ref_env_open");
    }
    return error;
}

static void must_close(ref_env *env)
{
    int error = ref_env_close(env);
    if (error != 0) {
        FUZZ_FAIL("an environment does not close: %d", error);
    }
}

/* A number for everything that the environment says it holds. */
static uint64_t content_of(ref_env *env)
{
    uint64_t outer = fuzz_outcome();
    char **names;
    size_t count;
    int error = ref_env_databases(env, &names, &count);
    if (error != 0) {
        FUZZ_FAIL("the databases cannot be listed: %d", error);
    }
    fuzz_outcome_reset();
    for (size_t i = 0; i < count; i++) {
        ref_db_options options = {.read_only = true};
        ref_db *db;
        fuzz_note(names[i], strlen(names[i]));
        error = ref_db_open(env, NULL, names[i], &options, &db);
        if (error != 0) {
            fuzz_check_words(error, "ref_db_open");
        } else {
            fuzz_read_database(db);
            if (ref_db_close(db) != 0) {
                FUZZ_FAIL("a database does not close");
            }
        }
        free(names[i]);
    }
    free(names);
    uint64_t content = fuzz_outcome();
    fuzz_outcome_reset();
    fuzz_note_number(outer);
    fuzz_note_number(content);
    return content;
}

/* Segments whose checksums are right, and that contradict each other, come from no engine: recovery
 * from the second one may then give something else than from the first, and need only have words. */
static bool may_contradict(const uint8_t *data, size_t size)
{
    fuzz_file file;
    unsigned segments = 0;
    for (size_t at = 1; fuzz_next_file(data, size, &at, &file);) {
        segments += file.name >= '1' && file.name <= '3';
    }
    return (data[0] & FUZZ_REPAIR) != 0 && segments > 1;
}

static void expect_same(
    fuzz_disk *disk, uint8_t switches, uint64_t content, const char *when, bool loose)
{
    ref_env *env;
    int error = open_home(disk, switches, &env);
    if (error != 0 && loose) {
        return;
    }
    if (error != 0) {
        FUZZ_FAIL("a recovered environment does not open %s: %d", when, error);
    }
    if (content_of(env) != content && !loose) {
        FUZZ_FAIL("a recovered environment holds something else %s", when);
    }
    must_close(env);
}

static void write_and_open_again(fuzz_disk *disk)
{
    ref_env *env;
    ref_db *db;
    ref_buffer value = {0};
    ref_db_options options = {.create = true, .page_size = REF_PAGE_SIZE_MIN};
    if (open_home(disk, 0, &env) != 0) {
        FUZZ_FAIL("it does not open any more");
    }
    int error = ref_db_open(env, NULL, "written.db", &options, &db);
    if (error == 0) {
        error = ref_db_put(db, NULL, (ref_slice){"key", 3}, (ref_slice){"value", 5}, false);
        ref_db_close(db);
    }
    if (error != 0) {
        fuzz_check_words(error, "writing");
        FUZZ_FAIL("a recovered environment takes no record: %d", error);
    }
    fuzz_disk *after = fuzz_disk_crash(disk); /* without the checkpoint of closing */
    must_close(env);
    if (open_home(after, 0, &env) != 0 || ref_db_open(env, NULL, "written.db", NULL, &db) != 0) {
        FUZZ_FAIL("what was committed after a recovery cannot be opened");
    }
    error = ref_db_get(db, NULL, (ref_slice){"key", 3}, false, &value);
    if (error != 0 || value.size != 5) {
        FUZZ_FAIL("what was committed after a recovery is gone: %d", error);
    }
    ref_buffer_free(&value);
    ref_db_close(db);
    must_close(env);
    fuzz_disk_free(after);
}

/* What was refused as damaged is not taken the next time. */
static void expect_refused(fuzz_disk *disk, uint8_t switches, int error, bool loose)
{
    ref_env *env;
    int again = open_home(disk, switches, &env);
    if (again == 0) {
        must_close(env);
    }
    if (error < 0 && (loose ? again == 0 : again != error)) {
        FUZZ_FAIL("refused with %d at first, then the result is %d", error, again);
    }
}

static void expect_recovered(
    fuzz_disk *disk, ref_env *env, fuzz_disk *in_recovery, uint8_t switches, bool loose)
{
    uint64_t content = content_of(env);
    fuzz_disk *crashed = fuzz_disk_crash(disk);
    must_close(env);
    expect_same(disk, 0, content, "after it was closed", loose);
    expect_same(crashed, 0, content, "after the power went", loose);
    fuzz_disk_free(crashed);
    if (in_recovery != NULL) {
        expect_same(in_recovery, switches, content, "after the power went in recovery", loose);
    }
    if ((switches & SWITCH_WRITE) != 0 && !loose) {
        write_and_open_again(disk);
    }
}

static void recover(fuzz_disk *disk, const uint8_t *data, size_t size)
{
    uint8_t switches = data[0];
    bool loose = may_contradict(data, size);
    ref_env *env;
    fuzz_disk *in_recovery, *none;
    unsigned sync = (switches & SWITCH_CRASH) >> SWITCH_CRASH_SHIFT;
    fuzz_disk_crash_at(disk, sync, fuzz_hash(0, data, size), &in_recovery);
    int error = open_home(disk, switches, &env);
    fuzz_disk_crash_at(disk, 0, 0, &none);
    if (error != 0) {
        expect_refused(disk, switches, error, loose);
    } else {
        fuzz_note_accepted();
        expect_recovered(disk, env, in_recovery, switches, loose);
    }
    if (in_recovery != NULL) {
        fuzz_disk_free(in_recovery);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > FUZZ_INPUT_MAX) {
        return 0;
    }
    fuzz_disk *disk = fuzz_disk_new(FUZZ_SEED);
    fuzz_disk_put(disk, "/outside/tree.db", "outside", 7);
    fuzz_put_files(disk, data, size);
    uint64_t outside = fuzz_disk_hash(disk, "/outside");
    ref_stat stat;
    bool copy = fuzz_disk_vfs(disk)->stat(fuzz_disk_vfs(disk), HOME "/__db.control", &stat) != 0;
    look_at_log(disk);
    recover(disk, data, size);
    if (copy && fuzz_disk_hash(disk, "/outside") != outside) {
        FUZZ_FAIL("the recovery of a copy has changed what lies outside its home");
    }
    fuzz_disk_free(disk);
    return 0;
}
