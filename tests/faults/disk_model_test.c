/*
 * The disk against the crash model in its plainest form: random programs; every sequence of answers
 * to every question of the disk; and the states so reached are those of the model, no more and no
 * fewer. Programs go on after a power cut, and the power goes again.
 */
#include "disk_support.h"

#include <errno.h>
#include <stdio.h>

#include "chance.h"
#include "disk_model.h"

enum { STEPS = 10, LEAVES = 20000, EXPECTED = 40000 };

typedef struct program {
    step steps[STEPS];
    size_t count;
} program;

typedef struct image_set {
    uint64_t *at;
    size_t count, room;
} image_set;

/* ---- sets of images ---- */

static int compare(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, two = *(const uint64_t *)b;
    return (one > two) - (one < two);
}

static void set_add(image_set *set, uint64_t image)
{
    if (set->count == set->room) {
        set->room = set->room * 2 + 64;
        set->at = realloc(set->at, set->room * sizeof *set->at);
        assert_non_null(set->at);
    }
    set->at[set->count++] = image;
}

static void set_order(image_set *set)
{
    size_t kept = 0;
    qsort(set->at, set->count, sizeof *set->at, compare);
    for (size_t i = 0; i < set->count; i++) {
        if (kept == 0 || set->at[kept - 1] != set->at[i]) {
            set->at[kept++] = set->at[i];
        }
    }
    set->count = kept;
}

/* ---- programs ---- */

static void random_program(program *p, uint64_t *seed, size_t unit, size_t steps)
{
    static const size_t for_sectors[] = {0, 0, 100, 450, 512, 700, 1024};
    static const size_t for_pages[] = {0, 0, 100, 4000, 4096, 4200, 5000};
    static const size_t sizes[] = {1, 50, 200, 600};
    const size_t *offsets = unit == 512 ? for_sectors : for_pages;
    p->count = steps;
    for (size_t i = 0; i < steps; i++) {
        step *s = &p->steps[i];
        uint64_t kind = chance(seed, 12);
        *s = (step){
            .kind = kind < 5 ? STEP_WRITE : (step_kind)(STEP_WRITE + 1 + chance(seed, 5)),
            .dir = chance(seed, 4) == 0,
            .name = (int)chance(seed, chance(seed, 2) == 0 ? 1 : MODEL_NAMES),
            .to_dir = chance(seed, 4) == 0,
            .to_name = (int)chance(seed, MODEL_NAMES),
            .offset = offsets[chance(seed, 7)],
            .size = sizes[chance(seed, 4)],
            .byte = (uint8_t)('A' + chance(seed, 2)),
        };
        if (s->kind == STEP_TRUNCATE) {
            s->size = offsets[chance(seed, 7)];
        }
    }
}

static const char *path_of(int dir, int name)
{
    static const char *const paths[MODEL_DIRS][MODEL_NAMES] = {
        {"/a", "/b", "/c"}, {"/d/a", "/d/b", "/d/c"}};
    return paths[dir][name];
}

static void disk_file_step(fault_disk *disk, const step *s)
{
    static uint8_t bytes[MODEL_BYTES];
    ref_vfs *vfs = fault_disk_vfs(disk);
    unsigned flags = REF_O_WRITE | (s->kind == STEP_WRITE ? REF_O_CREATE : 0);
    ref_file *file;
    if (vfs->open(vfs, path_of(s->dir, s->name), flags, 0600, &file) != 0) {
        return;
    }
    if (s->kind == STEP_WRITE) {
        memset(bytes, s->byte, s->size);
        assert_int_equal(ref_write_full(file, bytes, s->size, s->offset), 0);
    } else if (s->kind == STEP_TRUNCATE) {
        assert_int_equal(vfs->truncate(file, s->size), 0);
    } else {
        assert_int_equal(vfs->fsync(file), 0);
    }
    disk_close(file);
}

static void disk_step(fault_disk *disk, const step *s)
{
    ref_vfs *vfs = fault_disk_vfs(disk);
    const char *path = path_of(s->dir, s->name);
    int error = 0;
    switch (s->kind) {
    case STEP_RENAME:
        error = vfs->rename(vfs, path, path_of(s->to_dir, s->to_name), false);
        break;
    case STEP_UNLINK:
        error = vfs->unlink(vfs, path);
        break;
    case STEP_SYNC_DIR:
        error = vfs->fsync_dir(vfs, s->dir == 0 ? "/" : "/d");
        break;
    default:
        disk_file_step(disk, s);
        break;
    }
    assert_true(error == 0 || error == ENOENT);
}

/* ---- images of disks ---- */

static int ignore_entry(void *context, const char *name)
{
    (void)context;
    (void)name;
    return 0;
}

/* Reads a file from its end to its beginning and asks for its size last, or the other way round:
 * whatever way it is looked at, it must be the same. */
static uint64_t read_file(ref_file *file, int dir, int name, bool backwards)
{
    static uint8_t bytes[MODEL_BYTES];
    const size_t part = 300;
    ref_stat stat = {0};
    size_t done, end = 0;
    if (!backwards) {
        assert_int_equal(file->vfs->fstat(file, &stat), 0);
    }
    for (size_t i = 0; i <= MODEL_BYTES / part; i++) {
        size_t at = (backwards ? MODEL_BYTES / part - i : i) * part;
        size_t size = at + part <= MODEL_BYTES ? part : MODEL_BYTES - at;
        assert_int_equal(file->vfs->pread(file, bytes + at, size, at, &done), 0);
        end = done > 0 && at + done > end ? at + done : end;
    }
    assert_int_equal(file->vfs->fstat(file, &stat), 0);
    assert_int_equal(stat.size, end);
    return image_of_file(dir, name, bytes, end);
}

static uint64_t disk_image(fault_disk *disk, bool backwards)
{
    ref_vfs *vfs = fault_disk_vfs(disk);
    uint64_t sum = 0;
    if (!backwards) {
        assert_int_equal(vfs->list(vfs, "/", ignore_entry, NULL), 0);
    }
    for (int i = 0; i < MODEL_DIRS * MODEL_NAMES; i++) {
        int at = backwards ? MODEL_DIRS * MODEL_NAMES - 1 - i : i;
        int dir = at / MODEL_NAMES, name = at % MODEL_NAMES;
        ref_file *file;
        int error = vfs->open(vfs, path_of(dir, name), 0, 0, &file);
        if (error == 0) {
            sum += read_file(file, dir, name, backwards);
            disk_close(file);
        } else {
            assert_int_equal(error, ENOENT);
        }
    }
    return sum;
}

/* ---- one trial ---- */

typedef struct trial {
    program programs[2];
    size_t count;
    image_set expected, found;
    bool too_many;
    size_t leaves;
} trial;

typedef struct branch {
    trial *t;
    size_t next;
} branch;

static void expect_after(void *context, const model *after)
{
    branch *b = context;
    if (b->next == b->t->count) {
        set_add(&b->t->expected, model_image(after));
        return;
    }
    model *m = malloc(sizeof *m);
    assert_non_null(m);
    *m = *after;
    const program *p = &b->t->programs[b->next];
    for (size_t i = 0; i < p->count; i++) {
        model_step(m, &p->steps[i]);
    }
    branch below = {b->t, b->next + 1};
    if (b->t->expected.count > EXPECTED || !model_crash(m, expect_after, &below)) {
        b->t->too_many = true;
    }
    free(m);
}

static void run(fault_disk *disk, const program *p)
{
    for (size_t i = 0; i < p->count; i++) {
        disk_step(disk, &p->steps[i]);
    }
}

static void explore(trial *t, fault_disk *disk, bool backwards)
{
    chooser c = {.count = 0};
    do {
        fault_disk *at = disk_crashed_by(disk, &c);
        for (size_t i = 1; i < t->count; i++) {
            run(at, &t->programs[i]);
            fault_disk *next = disk_crashed_by(at, &c);
            fault_disk_free(at);
            at = next;
        }
        uint64_t image = disk_image(at, backwards);
        assert_int_equal(fault_disk_pending(at), 0);
        assert_int_equal(disk_image(at, !backwards), image);
        set_add(&t->found, image);
        fault_disk_free(at);
        t->leaves++;
    } while (chooser_step(&c) && t->leaves < LEAVES);
    t->too_many = t->too_many || t->leaves == LEAVES;
}

static void show(const trial *t, uint64_t seed)
{
    static const char *const words[] = {
        "write", "truncate", "rename", "unlink", "sync", "syncdir"};
    print_error("seed %llu: %zu states expected, %zu found\n", (unsigned long long)seed,
        t->expected.count, t->found.count);
    for (size_t i = 0; i < t->count; i++) {
        for (size_t j = 0; j < t->programs[i].count; j++) {
            const step *s = &t->programs[i].steps[j];
            print_error("  %s %s to %s offset %zu size %zu byte %c\n", words[s->kind],
                path_of(s->dir, s->name), path_of(s->to_dir, s->to_name), s->offset, s->size,
                s->byte);
        }
        print_error("  power cut\n");
    }
}

/* True when the sets could be compared. */
static bool try_one(fault_profile profile, uint64_t seed, size_t cuts, size_t *leaves, size_t *states)
{
    static trial t;
    static model m;
    uint64_t random = seed * 7919 + cuts;
    image_set expected = t.expected, found = t.found;
    t = (trial){.count = cuts, .expected = expected, .found = found};
    t.expected.count = t.found.count = 0;
    model_init(&m, profile);
    for (size_t i = 0; i < cuts; i++) {
        random_program(&t.programs[i], &random, m.unit, cuts == 1 ? 4 + chance(&random, 5) : 2 + chance(&random, 3));
    }
    branch first = {&t, 0};
    expect_after(&first, &m);
    if (t.too_many) {
        return false;
    }
    fault_disk *disk = disk_new(profile);
    disk_mkdir(disk, "/d");
    fault_disk_settle(disk);
    run(disk, &t.programs[0]);
    explore(&t, disk, seed % 2 == 0);
    fault_disk_free(disk);
    if (t.too_many) {
        return false;
    }
    set_order(&t.expected);
    set_order(&t.found);
    if (t.expected.count != t.found.count ||
        memcmp(t.expected.at, t.found.at, t.found.count * sizeof t.found.at[0]) != 0) {
        show(&t, seed);
        fail();
    }
    *leaves += t.leaves;
    *states += t.found.count;
    return true;
}

static void try_many(fault_profile profile, size_t trials, size_t cuts)
{
    size_t done = 0, leaves = 0, states = 0;
    for (uint64_t seed = 1; seed <= trials; seed++) {
        done += try_one(profile, seed, cuts, &leaves, &states);
    }
    print_message("%s: %zu programs of %zu, %zu states by %zu ways\n", fault_profile_name(profile),
        done, trials, states, leaves);
    assert_true(done > trials / 3);
    assert_true(states > done * 2);
}

static void posix_weak_leaves_exactly_the_states_of_the_model(void **state)
{
    (void)state;
    try_many(FAULT_POSIX_WEAK, 400, 1);
    try_many(FAULT_POSIX_WEAK, 100, 2);
}

static void ext4_ordered_leaves_exactly_the_states_of_the_model(void **state)
{
    (void)state;
    try_many(FAULT_EXT4_ORDERED, 400, 1);
    try_many(FAULT_EXT4_ORDERED, 100, 2);
}

static void sequential_leaves_exactly_the_states_of_the_model(void **state)
{
    (void)state;
    try_many(FAULT_SEQUENTIAL, 400, 1);
    try_many(FAULT_SEQUENTIAL, 100, 2);
}

static void atomic_page_leaves_exactly_the_states_of_the_model(void **state)
{
    (void)state;
    try_many(FAULT_ATOMIC_PAGE, 200, 1);
    try_many(FAULT_ATOMIC_PAGE, 60, 2);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(posix_weak_leaves_exactly_the_states_of_the_model),
    cmocka_unit_test(ext4_ordered_leaves_exactly_the_states_of_the_model),
    cmocka_unit_test(sequential_leaves_exactly_the_states_of_the_model),
    cmocka_unit_test(atomic_page_leaves_exactly_the_states_of_the_model),
};
TEST_MAIN(tests)
