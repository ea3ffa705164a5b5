/* Seeds of the log: environments that were closed, that crashed, and copies, whole and not. */
#include <string.h>

#include "engine/internal.h"
#include "engine/label.h"
#include "input.h"

#define ALL "123cltam"
#define COPY "123lta"

enum { FATAL = 0x04, WRITE = 0x08, CREATE = 0x10, CRASH = 0x20 /* times the number of the sync */ };

static ref_env *open_home(fuzz_disk *disk)
{
    ref_env *env;
    ref_env_options options = {.vfs = fuzz_disk_vfs(disk),
        .home = "/home",
        .create = true,
        .segment_size = REF_SEGMENT_SIZE_MIN};
    MUST(ref_env_open(&options, &env));
    return env;
}

static ref_db *open_db(ref_env *env, const char *name)
{
    ref_db_options options = {.create = true, .page_size = REF_PAGE_SIZE_MIN};
    ref_db *db;
    MUST(ref_db_open(env, NULL, name, &options, &db));
    return db;
}

static void write_disk(
    fuzz_disk *disk, uint8_t switches, const char *names, const char *dir, const char *name)
{
    input in = input_begin(switches);
    input_add_disk(&in, disk, names);
    input_write(&in, dir, "log", name);
}

/* Records of every kind in two segments. The environment stays open. */
static ref_env *live(fuzz_disk *disk)
{
    ref_env *env = open_home(disk);
    ref_db *db = open_db(env, "made.db");
    for (unsigned i = 0; i < 5; i++) {
        seed_put(db, i, 60);
    }
    seed_put(db, 20, 500);
    MUST(ref_checkpoint(env, false));
    env->segment_size = 2000; /* the next commit begins a segment */
    MUST(ref_db_del(db, NULL, (ref_slice){"k20", 3}));
    MUST(ref_db_close(db));
    MUST(ref_db_rename(env, NULL, "made.db", "tree.db"));
    MUST(ref_db_close(open_db(env, "gone.db")));
    MUST(ref_db_remove(env, NULL, "gone.db"));
    env->segment_size = REF_SEGMENT_SIZE_MIN;
    db = open_db(env, "tree.db");
    seed_put(db, 1, 30);
    MUST(ref_db_close(db));
    return env;
}

static void small(const char *dir)
{
    fuzz_disk *disk = fuzz_disk_new(FUZZ_SEED_OF_SEEDS);
    write_disk(disk, CREATE | WRITE, ALL, dir, "good-nothing-there");
    write_disk(disk, 0, ALL, dir, "bad-nothing-there");
    ref_env *env = open_home(disk);
    write_disk(disk, WRITE, ALL, dir, "good-new");
    MUST(ref_env_close(env));
    write_disk(disk, FUZZ_REPAIR | FUZZ_CHAIN | WRITE, ALL, dir, "good-empty");
    env = open_home(disk);
    ref_db *db = open_db(env, "tree.db");
    write_disk(disk, FUZZ_REPAIR | FUZZ_CHAIN, "123c", dir, "good-create-only");
    seed_put(db, 1, 10);
    write_disk(disk, 0, "123c", dir, "good-one-record");
    write_disk(disk, FUZZ_REPAIR | FUZZ_CHAIN | WRITE, "1", dir, "good-one-record-log-alone");
    MUST(ref_db_close(db));
    MUST(ref_env_close(env));
    fuzz_disk_free(disk);
}

static void adopted(const char *dir)
{
    fuzz_disk *disk = fuzz_disk_new(FUZZ_SEED_OF_SEEDS);
    ref_db_options options = {.create = true, .page_size = REF_PAGE_SIZE_MIN};
    ref_db *db;
    MUST(ref_db_open_alone(fuzz_disk_vfs(disk), "/home/alone.db", &options, &db));
    seed_put(db, 1, 10);
    MUST(ref_db_close(db));
    ref_env *env = open_home(disk);
    db = open_db(env, "alone.db");
    seed_put(db, 2, 10);
    write_disk(disk, FUZZ_REPAIR | WRITE, ALL, dir, "good-adopted");
    MUST(ref_db_close(db));
    MUST(ref_env_close(env));
    fuzz_disk_free(disk);
}

static void broken(fuzz_disk *disk, const char *dir)
{
    size_t size;
    input in = input_begin(0);
    input_add_disk(&in, disk, ALL);
    input_find(&in, '2', &size);
    input_cut(&in, '2', size - 20);
    input_write(&in, dir, "log", "good-torn-tail");

    in = input_begin(FUZZ_REPAIR);
    input_add_disk(&in, disk, ALL);
    input_cut(&in, '2', 60);
    input_write(&in, dir, "log", "good-torn-header");

    in = input_begin(0);
    input_add_disk(&in, disk, ALL);
    input_find(&in, '1', &size)[400] ^= 1;
    input_write(&in, dir, "log", "bad-damaged-record");

    in = input_begin(0);
    input_add_disk(&in, disk, ALL);
    input_find(&in, '2', &size)[124] ^= 1;
    input_find(&in, 'c', &size)[500] ^= 1;
    input_write(&in, dir, "log", "bad-damaged-header-and-control");

    in = input_begin(0);
    input_add_disk(&in, disk, ALL);
    input_add(&in, 'i', "", 0);
    input_write(&in, dir, "log", "bad-unfinished");

    in = input_begin(FUZZ_REPAIR);
    input_add_disk(&in, disk, "2ta");
    input_write(&in, dir, "log", "good-first-segment-gone");
}

/* A copy whose label says that its log goes to `end`. */
static void labelled(ref_env *env, fuzz_disk *disk, uint64_t end, const char *dir, const char *name)
{
    uint8_t bytes[REF_LABEL_SIZE];
    ref_label label = {.environment = env->id, .redo = (uint64_t)1 << 32 | 128, .end = end};
    input in = input_begin(FUZZ_REPAIR | WRITE);
    input_add_disk(&in, disk, "123ta");
    ref_label_write(bytes, &label);
    input_add(&in, 'l', bytes, sizeof bytes);
    input_write(&in, dir, "log", name);
}

void seeds_log(const char *dir)
{
    small(dir);
    adopted(dir);
    fuzz_disk *disk = fuzz_disk_new(FUZZ_SEED_OF_SEEDS);
    ref_env *env = live(disk);
    write_disk(disk, 2 * CRASH, ALL, dir, "good-crashed");
    write_disk(disk, FUZZ_REPAIR, ALL, dir, "good-crashed-repaired");
    write_disk(disk, FUZZ_REPAIR | FATAL | WRITE, ALL, dir, "good-fatal");
    write_disk(disk, 4 * CRASH, COPY, dir, "good-copy");
    write_disk(disk, FUZZ_REPAIR | WRITE, COPY, dir, "good-copy-repaired");
    write_disk(disk, FUZZ_REPAIR | FUZZ_CHAIN, "12", dir, "good-log-alone");
    labelled(env, disk, env->redo, dir, "good-labelled");
    labelled(env, disk, (uint64_t)9 << 32, dir, "bad-label-says-more");
    broken(disk, dir);
    MUST(ref_env_close(env));
    write_disk(disk, WRITE, ALL, dir, "good-closed");
    fuzz_disk_free(disk);

    input in = input_begin(WRITE);
    input_add_golden(&in, '1', "log.0000000001");
    input_add_golden(&in, '2', "log.0000000002");
    input_add_golden(&in, 't', "tree.db");
    input_add_golden(&in, 'c', "__db.control");
    input_write(&in, dir, "log", "good-golden");
}
