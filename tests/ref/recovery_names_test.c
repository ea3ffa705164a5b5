/*
 * Recovery of databases that were made, renamed, swapped, removed and made again since the redo
 * point: the files may lie under any name that they had.
 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/error.h"
#include "engine/internal.h"
#include "engine/record.h"

/* Makes a database whose record "name" says how it was first called; its file has content. */
static void make_named(ref_env *env, const char *name)
{
    ref_db *db = db_make(env, name);
    assert_ok(put(db, NULL, "name", name));
    assert_ok(ref_db_close(db));
    assert_ok(ref_checkpoint(env, false));
}

static void expect_named(ref_env *env, const char *name, const char *content)
{
    assert_int_equal(db_exists(env, name), content != NULL);
    if (content != NULL) {
        ref_db *db = db_open(env, name);
        db_verify(db);
        expect(db, NULL, "name", content);
        assert_ok(ref_db_close(db));
    }
}

/* A home in which a.db, b.db, c.db are checkpointed, and the state of its files then, in dir/old. */
static void make_three(fixture *fix, char *old)
{
    env_open(fix);
    make_named(fix->env, "a.db");
    make_named(fix->env, "b.db");
    make_named(fix->env, "c.db");
    snprintf(old, FIXTURE_PATH, "%.900s/old", fix->dir);
    tree_copy(fix->home, old);
}

/* Takes the log of the home into dir/old, whose files know nothing of it yet, crashed or as a copy. */
static void take_log(fixture *fix, const char *old, bool copy)
{
    char path[FIXTURE_PATH];
    env_crash(fix);
    for (uint32_t segment = 1; segment <= last_segment(fix->home); segment++) {
        char name[32];
        snprintf(name, sizeof name, "log.%010u", segment);
        snprintf(path, sizeof path, "%.900s/%s", old, name);
        file_copy(at_home(fix, name), path);
    }
    if (copy) {
        snprintf(path, sizeof path, "%.900s/" REF_CONTROL_NAME, old);
        unlink(path);
    }
    snprintf(fix->home, sizeof fix->home, "%.1000s", old);
    env_open(fix);
}

static void swapped_names_are_swapped_again(void **state)
{
    fixture *fix = *state;
    char old[FIXTURE_PATH];
    for (int copy = 0; copy < 2; copy++) {
        make_three(fix, old);
        ref_txn *txn = begin(fix->env, NULL);
        assert_ok(ref_db_rename(fix->env, txn, "a.db", "t.db"));
        assert_ok(ref_db_rename(fix->env, txn, "b.db", "a.db"));
        assert_ok(ref_db_rename(fix->env, txn, "t.db", "b.db"));
        assert_ok(ref_txn_commit(txn));
        take_log(fix, old, copy == 1);
        expect_named(fix->env, "a.db", "b.db");
        expect_named(fix->env, "b.db", "a.db");
        expect_named(fix->env, "c.db", "c.db");
        env_close(fix);
        tree_remove(old);
        snprintf(fix->home, sizeof fix->home, "%.900s/home", fix->dir);
        tree_remove(fix->home);
        dir_make(fix->home);
    }
}

static void names_rotate_over_several_commits(void **state)
{
    fixture *fix = *state;
    char old[FIXTURE_PATH];
    make_three(fix, old);
    /* twice around */
    for (int i = 0; i < 2; i++) {
        assert_ok(ref_db_rename(fix->env, NULL, "a.db", "t.db"));
        assert_ok(ref_db_rename(fix->env, NULL, "b.db", "a.db"));
        assert_ok(ref_db_rename(fix->env, NULL, "c.db", "b.db"));
        assert_ok(ref_db_rename(fix->env, NULL, "t.db", "c.db"));
    }
    take_log(fix, old, false);
    expect_named(fix->env, "a.db", "c.db");
    expect_named(fix->env, "b.db", "a.db");
    expect_named(fix->env, "c.db", "b.db");
    assert_false(file_exists(at_home(fix, "t.db")));
}

static void a_database_removed_and_made_again_is_the_new_one(void **state)
{
    fixture *fix = *state;
    char old[FIXTURE_PATH];
    make_three(fix, old);
    for (int i = 0; i < 3; i++) {
        assert_ok(ref_db_remove(fix->env, NULL, "b.db"));
        ref_db *db = db_make(fix->env, "b.db");
        assert_ok(put(db, NULL, "name", i == 2 ? "new" : "in between"));
        assert_ok(ref_db_close(db));
    }
    take_log(fix, old, false);
    expect_named(fix->env, "a.db", "a.db");
    expect_named(fix->env, "b.db", "new");
    expect_named(fix->env, "c.db", "c.db");
}

static void a_removed_database_whose_file_is_still_there_goes(void **state)
{
    fixture *fix = *state;
    char old[FIXTURE_PATH];
    make_three(fix, old);
    ref_db *db = db_open(fix->env, "c.db");
    assert_ok(put(db, NULL, "more", "changes"));
    assert_ok(ref_db_close(db));
    assert_ok(ref_db_rename(fix->env, NULL, "c.db", "d.db"));
    assert_ok(ref_db_remove(fix->env, NULL, "d.db"));
    take_log(fix, old, true);
    expect_named(fix->env, "c.db", NULL);
    expect_named(fix->env, "d.db", NULL);
    assert_false(file_exists(at_home(fix, "c.db")));
    expect_named(fix->env, "a.db", "a.db");
}

static void changes_before_and_after_a_renaming_are_redone(void **state)
{
    fixture *fix = *state;
    char old[FIXTURE_PATH];
    uint32_t value;
    make_three(fix, old);
    ref_db *db = db_open(fix->env, "a.db");
    assert_ok(put_number(db, NULL, 1, 11, 40));
    assert_ok(ref_db_close(db));
    assert_ok(ref_db_rename(fix->env, NULL, "a.db", "z.db"));
    db = db_open(fix->env, "z.db");
    assert_ok(put_number(db, NULL, 2, 22, 4000));
    assert_ok(ref_db_close(db));
    take_log(fix, old, false);
    db = db_open(fix->env, "z.db");
    expect(db, NULL, "name", "a.db");
    assert_ok(get_number(db, NULL, 1, &value));
    assert_int_equal(value, 11);
    assert_ok(get_number(db, NULL, 2, &value));
    assert_int_equal(value, 22);
    assert_ok(ref_db_close(db));
    assert_false(db_exists(fix->env, "a.db"));
}

static void files_in_subdirectories_keep_their_places(void **state)
{
    fixture *fix = *state;
    char old[FIXTURE_PATH];
    dir_make(at_home(fix, "one"));
    dir_make(at_home(fix, "two"));
    env_open(fix);
    make_named(fix->env, "one/a.db");
    make_named(fix->env, "two/a.db");
    snprintf(old, sizeof old, "%.900s/old", fix->dir);
    tree_copy(fix->home, old);
    assert_ok(ref_db_rename(fix->env, NULL, "one/a.db", "two/b.db"));
    make_named(fix->env, "one/c.db");
    take_log(fix, old, false);
    expect_named(fix->env, "two/a.db", "two/a.db");
    expect_named(fix->env, "two/b.db", "one/a.db");
    expect_named(fix->env, "one/c.db", "one/c.db");
    expect_named(fix->env, "one/a.db", NULL);
}

/* A checkpoint of another thread while a commit renames its files: it must wait, or the catalog of
 * the segment that it may begin, and the redo point, would be wrong. */
typedef struct rival {
    ref_env *env;
    pthread_t thread;
    bool started;
    int error;
} rival;

static void log_of(fixture *fix, const ref_file_record *files, size_t count)
{
    ref_segment_header header = {.number = 1, .environment = {{1}}, .incarnation = 2};
    uint8_t bytes[4096];
    ref_group catalog = {0}, group = {0};
    uint64_t start = (uint64_t)1 << 32 | REF_SEGMENT_HEADER;
    ref_segment_header_write(bytes, &header);
    ref_group_catalog(&catalog, NULL, 0);
    ref_group_place(&catalog, start);
    for (size_t i = 0; i < count; i++) {
        ref_group_file(&group, REF_RECORD_CREATE, &files[i]);
    }
    ref_group_commit(&group, &(ref_commit_record){.number = 1});
    ref_group_place(&group, start + catalog.size);
    assert_true(REF_SEGMENT_HEADER + catalog.size + group.size <= sizeof bytes);
    memcpy(bytes + REF_SEGMENT_HEADER, catalog.bytes, catalog.size);
    memcpy(bytes + REF_SEGMENT_HEADER + catalog.size, group.bytes, group.size);
    file_write(
        at_home(fix, "log.0000000001"), bytes, REF_SEGMENT_HEADER + catalog.size + group.size);
    ref_group_free(&catalog);
    ref_group_free(&group);
}

static void a_log_with_files_that_cannot_be_is_refused_before_any_is_made(void **state)
{
    fixture *fix = *state;
    ref_env *env;
    ref_file_record twins[] = {{.id = {{1}}, .page_size = 512, .dir = "", .name = "a.db"},
        {.id = {{2}}, .page_size = 512, .dir = "", .name = "a.db"}};
    log_of(fix, twins, 2);
    assert_fails(
        env_open_at(fix, fix->home, &env), REF_CORRUPT, "two databases have the name a.db");
    twins[1].name = "";
    log_of(fix, twins, 2);
    assert_fails(env_open_at(fix, fix->home, &env), REF_CORRUPT, "a database without a name");
    twins[1].name = "b.db";
    twins[1].page_size = 511;
    log_of(fix, twins, 2);
    assert_fails(env_open_at(fix, fix->home, &env), REF_CORRUPT, "an impossible page size");
    assert_false(file_exists(at_home(fix, "a.db")));
    assert_false(file_exists(at_home(fix, "a.db" REF_RECOVERY_SUFFIX)));
}

/* A copy beside its source would write into the source's file. */
static void a_copy_follows_no_name_that_leads_out_of_it(void **state)
{
    fixture *fix = *state;
    char old[FIXTURE_PATH];
    env_open(fix);
    make_named(fix->env, "../beside.db");
    file_copy(at_dir(fix, "beside.db"), at_dir(fix, "was"));
    ref_db *db = db_open(fix->env, "../beside.db");
    assert_ok(put(db, NULL, "name", "later"));
    assert_ok(ref_db_close(db));
    snprintf(old, sizeof old, "%.900s/old", fix->dir);
    dir_make(old);
    take_log(fix, old, true);
    assert_true(file_same(at_dir(fix, "beside.db"), at_dir(fix, "was")));
    expect_named(fix->env, "beside.db", "later");
}

static void *checkpoint_a_lot(void *context)
{
    rival *who = context;
    for (int i = 0; i < 400 && who->error == 0; i++) {
        who->error = ref_checkpoint(who->env, true);
    }
    return NULL;
}

static void start_rival(void *context, fault_kind kind, const char *path)
{
    rival *who = context;
    (void)path;
    if (kind == FAULT_RENAME && !who->started) {
        who->started = true;
        assert_int_equal(pthread_create(&who->thread, NULL, checkpoint_a_lot, who), 0);
        ref_vfs_posix()->sleep(ref_vfs_posix(), 20000000);
    }
}

static void a_segment_begun_while_a_renaming_is_finishing_knows_the_new_name(void **state)
{
    fixture *fix = *state;
    uint32_t *numbers;
    size_t count;
    env_open(fix);
    make_named(fix->env, "a.db");
    rival who = {.env = fix->env};
    fix->vfs.before_context = &who;
    fix->vfs.before = start_rival;
    int error = ref_db_rename(fix->env, NULL, "a.db", "b.db");
    pthread_join(who.thread, NULL);
    fix->vfs.before = NULL;
    assert_ok(error);
    assert_ok(who.error);
    assert_true(last_segment(fix->home) >= 2);
    assert_ok(ref_log_archive(fix->env, REF_ARCHIVE_REMOVE, &numbers, &count));
    env_crash(fix);
    assert_int_equal(unlink(at_home(fix, REF_CONTROL_NAME)), 0);
    env_open(fix);
    expect_named(fix->env, "b.db", "a.db");
    expect_named(fix->env, "a.db", NULL);
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(swapped_names_are_swapped_again),
    SCRATCH_TEST(names_rotate_over_several_commits),
    SCRATCH_TEST(a_database_removed_and_made_again_is_the_new_one),
    SCRATCH_TEST(a_removed_database_whose_file_is_still_there_goes),
    SCRATCH_TEST(changes_before_and_after_a_renaming_are_redone),
    SCRATCH_TEST(files_in_subdirectories_keep_their_places),
    SCRATCH_TEST(a_log_with_files_that_cannot_be_is_refused_before_any_is_made),
    SCRATCH_TEST(a_copy_follows_no_name_that_leads_out_of_it),
    SCRATCH_TEST(a_segment_begun_while_a_renaming_is_finishing_knows_the_new_name),
};

TEST_MAIN(tests)
