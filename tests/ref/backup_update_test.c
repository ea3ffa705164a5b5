/* Updates: a copy and the log that it lacks are the environment again, or the update is refused. */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "copy_sink.h"
#include "engine/error.h"
#include "engine/label.h"
#include "engine/log.h"
#include "update_chain.h"

/* ---- what an update does ---- */

static void an_update_adds_log_and_changes_no_database(void **state)
{
    fixture *fix = *state;
    chain_open(fix);
    chain_work(fix, 1, 10);
    assert_ok(ref_checkpoint(fix->env, true));
    chain_back_up(fix, 0);
    file_copy(at_dir(fix, "copy/0.db"), at_dir(fix, "as it was"));
    chain_work(fix, 1, 40);
    uint64_t source = tree_hash(fix->home, NULL);
    chain_back_up(fix, REF_BACKUP_UPDATE | REF_BACKUP_FILES);
    assert_true(tree_hash(fix->home, NULL) == source);
    assert_true(file_same(at_dir(fix, "copy/0.db"), at_dir(fix, "as it was")));
    chain_expect_copy(fix, "copy");
    chain_close(fix);
}

static void an_update_with_nothing_new_changes_nothing(void **state)
{
    fixture *fix = *state;
    chain_open(fix);
    chain_work(fix, 2, 20);
    chain_back_up(fix, 0);
    uint64_t before = tree_hash(at_dir(fix, "copy"), NULL);
    chain_back_up(fix, REF_BACKUP_UPDATE);
    assert_true(tree_hash(at_dir(fix, "copy"), NULL) == before);
    chain_work(fix, 2, 20);
    chain_back_up(fix, REF_BACKUP_UPDATE);
    before = tree_hash(at_dir(fix, "copy"), NULL);
    chain_back_up(fix, REF_BACKUP_UPDATE | REF_BACKUP_CLEAN);
    assert_true(tree_hash(at_dir(fix, "copy"), NULL) == before);
    chain_close(fix);
}

static void random_chain(
    fixture *fix, uint64_t seed, unsigned recoveries_of_8, unsigned cleans_of_8)
{
    uint64_t chance = seed;
    chain_open(fix);
    chain_work(fix, seed, 10);
    chain_back_up(fix, 0);
    for (unsigned step = 0; step < 6; step++) {
        bool clean = next_random(&chance) % 8 < cleans_of_8;
        chain_work(fix, seed + step, 1 + next_random(&chance) % 40);
        if (next_random(&chance) % 8 < recoveries_of_8) {
            chain_recover_copy(fix, "copy");
        }
        chain_back_up(fix, REF_BACKUP_UPDATE | (clean ? REF_BACKUP_CLEAN : 0));
    }
    chain_expect_copy(fix, "copy");
    chain_close(fix);
    chain_clear(fix);
}

static void a_chain_of_updates_restores_every_commit_without_recovery_between(void **state)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        random_chain(*state, seed * 7919, 0, 2);
    }
}

static void a_chain_of_updates_restores_every_commit_with_recovery_between(void **state)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        random_chain(*state, seed * 6007, 8, 4);
    }
}

static void a_chain_of_updates_restores_every_commit_with_recovery_now_and_then(void **state)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        random_chain(*state, seed * 5003, 3, 4);
    }
}

static void an_update_goes_where_the_copy_has_its_log(void **state)
{
    fixture *fix = *state;
    fix->options.log_dir = "logs";
    dir_make(at_home(fix, "logs"));
    chain_open(fix);
    chain_back_up(fix, 0);
    chain_work(fix, 3, 30);
    chain_back_up(fix, REF_BACKUP_UPDATE);
    assert_int_equal(last_segment(at_dir(fix, "copy")), 0);
    assert_int_equal(last_segment(at_dir(fix, "copy/logs")), last_segment(at_home(fix, "logs")));
    chain_expect_copy(fix, "copy");
    chain_close(fix);
}

static void an_update_of_a_flat_copy_goes_into_its_one_directory(void **state)
{
    fixture *fix = *state;
    fix->options.log_dir = "logs";
    dir_make(at_home(fix, "logs"));
    chain_open(fix);
    chain_back_up(fix, REF_BACKUP_SINGLE_DIR);
    chain_work(fix, 3, 30);
    assert_fails(chain_try(fix, "copy", REF_BACKUP_UPDATE), EINVAL, "there is no log in");
    chain_back_up(fix, REF_BACKUP_UPDATE | REF_BACKUP_SINGLE_DIR);
    fix->options.log_dir = NULL;
    chain_expect_copy(fix, "copy");
    chain_close(fix);
}

static void a_segment_that_is_torn_in_the_copy_is_replaced(void **state)
{
    fixture *fix = *state;
    char path[FIXTURE_PATH];
    chain_open(fix);
    chain_back_up(fix, 0);
    snprintf(path, sizeof path, "%.900s/log.%010u", at_dir(fix, "copy"),
        last_segment(at_dir(fix, "copy")));
    size_t size;
    uint8_t *bytes = file_read(path, &size);
    uint8_t *longer = calloc(1, size + 100);
    assert_non_null(longer);
    memcpy(longer, bytes, size);
    memset(longer + size, 0xa5, 100);
    file_write(path, longer, size + 100);
    free(bytes);
    free(longer);
    chain_big_commit(fix); /* goes to the next segment: nothing is missing of this one */
    chain_back_up(fix, REF_BACKUP_UPDATE);
    chain_expect_copy(fix, "copy");
    chain_close(fix);
}

static void log_that_only_follows_is_enough(void **state)
{
    fixture *fix = *state;
    chain_open(fix);
    chain_back_up(fix, 0);
    uint32_t last = last_segment(at_dir(fix, "copy"));
    chain_big_commit(fix);
    chain_remove_log(fix);
    assert_int_equal(chain_oldest_segment(fix), last + 1);
    chain_back_up(fix, REF_BACKUP_UPDATE);
    chain_expect_copy(fix, "copy");
    chain_close(fix);
}

static void a_callers_sink_gets_every_segment_and_the_target_nothing(void **state)
{
    fixture *fix = *state;
    copy_sink sink;
    ref_backup_options options = {.flags = REF_BACKUP_UPDATE, .sink = NULL};
    chain_open(fix);
    chain_back_up(fix, 0);
    chain_work(fix, 4, 30);
    chain_remove_log(fix);
    chain_work(fix, 5, 30);
    uint32_t oldest = chain_oldest_segment(fix);
    copy_sink_init(&sink, at_dir(fix, "handed"));
    options.sink = &sink.sink;
    assert_ok(ref_backup(fix->env, &options));
    for (uint32_t number = oldest; number <= last_segment(fix->home); number++) {
        char name[FIXTURE_PATH];
        snprintf(name, sizeof name, "handed/log.%010u", number);
        assert_true(file_exists(at_dir(fix, name)));
    }
    assert_false(file_exists(at_dir(fix, "handed/0.db")));
    assert_false(file_exists(at_dir(fix, "handed/" REF_LABEL_NAME)));
    chain_close(fix);
}

static void a_copy_on_another_file_system_is_updated_too(void **state)
{
    fixture *fix = *state;
    char other[] = "/dev/shm/hotref.XXXXXX", copy[64];
    struct stat here, there;
    assert_int_equal(stat(fix->dir, &here), 0);
    if (stat("/dev/shm", &there) != 0 || here.st_dev == there.st_dev || mkdtemp(other) == NULL) {
        print_message("there is no other file system to write to\n");
        skip();
    }
    snprintf(copy, sizeof copy, "%s/copy", other);
    chain_open(fix);
    ref_backup_options options = {.target = copy, .flags = REF_BACKUP_CREATE};
    int error = ref_backup(fix->env, &options);
    for (uint64_t step = 0; step < 3 && error == 0; step++) {
        chain_work(fix, 20 + step, 30);
        options.flags = REF_BACKUP_UPDATE;
        error = ref_backup(fix->env, &options);
    }
    if (error == 0) {
        chain_expect_copy_at(fix, copy);
    }
    tree_remove(other);
    assert_ok(error);
    chain_close(fix);
}

/* ---- what is refused, before anything is touched ---- */

static void refused(fixture *fix, const char *name, unsigned flags, int error, const char *words)
{
    bool there = file_exists(at_dir(fix, name));
    uint64_t target = there ? tree_hash(at_dir(fix, name), NULL) : 0;
    uint64_t source = tree_hash(fix->home, NULL);
    assert_fails(chain_try(fix, name, REF_BACKUP_UPDATE | flags), error, words);
    assert_int_equal(file_exists(at_dir(fix, name)), there);
    assert_true(!there || tree_hash(at_dir(fix, name), NULL) == target);
    assert_true(tree_hash(fix->home, NULL) == source);
}

static void a_target_without_a_copy_is_refused(void **state)
{
    fixture *fix = *state;
    chain_open(fix);
    refused(fix, "missing", 0, ENOENT, "missing");
    refused(fix, "missing", REF_BACKUP_CREATE, EINVAL, "it is not there");
    dir_make(at_dir(fix, "empty"));
    refused(fix, "empty", 0, EINVAL, "there is no log in");
    refused(fix, "empty", REF_BACKUP_CREATE | REF_BACKUP_CLEAN, EINVAL, "there is no log in");
    assert_ok(chain_try(fix, "bare", REF_BACKUP_CREATE | REF_BACKUP_NO_LOGS));
    refused(fix, "bare", 0, EINVAL, "there is no log in");
    file_write(at_dir(fix, "file"), "x", 1);
    assert_fails(chain_try(fix, "file", REF_BACKUP_UPDATE), ENOTDIR, "file");
    chain_close(fix);
}

static void an_update_without_logs_is_refused(void **state)
{
    fixture *fix = *state;
    chain_open(fix);
    chain_back_up(fix, 0);
    refused(fix, "copy", REF_BACKUP_NO_LOGS, EINVAL, "none is to be copied");
    chain_close(fix);
}

static void a_copy_of_another_environment_is_refused(void **state)
{
    fixture *fix = *state;
    char home[FIXTURE_PATH];
    ref_env *other;
    chain_open(fix);
    snprintf(home, sizeof home, "%.900s/other", fix->dir);
    dir_make(home);
    assert_ok(env_open_at(fix, home, &other));
    ref_backup_options options = {.target = at_dir(fix, "copy"), .flags = REF_BACKUP_CREATE};
    assert_ok(ref_backup(other, &options));
    assert_ok(ref_env_close(other));
    refused(fix, "copy", 0, EINVAL, "a copy of another environment");
    chain_close(fix);
}

static void a_copy_that_was_written_to_is_refused(void **state)
{
    fixture *fix = *state;
    ref_env *copy;
    chain_open(fix);
    chain_back_up(fix, 0);
    assert_ok(env_open_at(fix, at_dir(fix, "copy"), &copy));
    ref_db *db = db_open(copy, "0.db");
    assert_ok(put(db, NULL, "of the copy", "alone"));
    assert_ok(ref_db_close(db));
    assert_ok(ref_env_close(copy));
    chain_work(fix, 6, 20);
    refused(fix, "copy", 0, EINVAL, "written to since");
    chain_close(fix);
}

/* Its control file still says that it was only recovered: its log does not. */
static void a_copy_that_crashed_after_its_first_write_is_refused(void **state)
{
    fixture *fix = *state;
    ref_env *copy;
    chain_open(fix);
    chain_back_up(fix, 0);
    assert_ok(env_open_at(fix, at_dir(fix, "copy"), &copy));
    ref_db *db = db_open(copy, "0.db");
    assert_ok(put(db, NULL, "of the copy", "alone"));
    fault_rule dark = {.kinds = FAULT_CHANGES, .nth = 1, .error = EIO, .manner = FAULT_POWER_CUT};
    fault_set(&fix->vfs, &dark);
    ref_db_close(db);
    ref_env_close(copy);
    fault_heal(&fix->vfs);
    chain_work(fix, 6, 20);
    refused(fix, "copy", 0, EINVAL, "no base for an update");
    chain_close(fix);
}

static void a_gap_is_refused(void **state)
{
    fixture *fix = *state;
    chain_open(fix);
    chain_back_up(fix, 0);
    chain_big_commit(fix);
    chain_big_commit(fix);
    chain_remove_log(fix);
    refused(fix, "copy", 0, EINVAL, "the environment no longer has what follows");
    refused(fix, "copy", REF_BACKUP_CLEAN, EINVAL, "take a full backup");
    chain_close(fix);
}

static void an_unfinished_backup_is_no_base(void **state)
{
    fixture *fix = *state;
    chain_open(fix);
    chain_back_up(fix, 0);
    file_write(at_dir(fix, "copy/" REF_MARKER_NAME), "x", 1);
    refused(fix, "copy", 0, EINVAL, "was not finished");
    chain_close(fix);
}

static void a_copy_with_a_damaged_log_is_no_base(void **state)
{
    fixture *fix = *state;
    char name[64];
    chain_open(fix);
    chain_work(fix, 7, 20);
    chain_back_up(fix, 0);
    snprintf(name, sizeof name, "copy/log.%010u", last_segment(at_dir(fix, "copy")));
    file_flip(at_dir(fix, name), file_size(at_dir(fix, name)) - 9, 0x10);
    chain_work(fix, 8, 20);
    refused(fix, "copy", 0, EINVAL, "log.");
    assert_non_null(strstr(ref_error_text(), "offset"));
    chain_close(fix);
}

/* The environment was restored from an older copy than the base. */
static void open_with_a_copy_of_its_future(fixture *fix)
{
    chain_open(fix);
    assert_ok(chain_try(fix, "older", REF_BACKUP_CREATE));
    chain_work(fix, 9, 10);
    chain_back_up(fix, 0);
    chain_close(fix);
    snprintf(fix->home, sizeof fix->home, "%.900s/older", fix->dir);
    chain_open(fix);
}

static void a_copy_that_is_ahead_of_the_environment_is_refused(void **state)
{
    fixture *fix = *state;
    open_with_a_copy_of_its_future(fix);
    refused(fix, "copy", 0, EINVAL, "beyond the environment's");
    chain_close(fix);
}

/* It has gone on by itself until its log is longer. */
static void a_copy_with_another_history_is_refused(void **state)
{
    fixture *fix = *state;
    open_with_a_copy_of_its_future(fix);
    for (int i = 0; i < 4; i++) {
        chain_big_commit(fix);
    }
    refused(fix, "copy", 0, EINVAL, "not what the environment's log has there");
    chain_close(fix);
}

static void a_restored_environment_updates_the_copies_of_its_past(void **state)
{
    fixture *fix = *state;
    chain_open(fix);
    chain_back_up(fix, 0);
    chain_big_commit(fix);
    assert_ok(chain_try(fix, "later", REF_BACKUP_CREATE));
    chain_close(fix);
    snprintf(fix->home, sizeof fix->home, "%.900s/later", fix->dir);
    chain_open(fix);
    chain_work(fix, 12, 30);
    chain_back_up(fix, REF_BACKUP_UPDATE);
    chain_expect_copy(fix, "copy");
    chain_close(fix);
}

/* The pages of a file that was brought in are in no log. */
static void an_adopted_database_asks_for_a_full_backup(void **state)
{
    fixture *fix = *state;
    ref_db *alone;
    ref_db_options options = {.create = true};
    chain_open(fix);
    chain_back_up(fix, 0);
    assert_ok(ref_db_open_alone(&fix->vfs.vfs, at_home(fix, "came.db"), &options, &alone));
    assert_ok(put(alone, NULL, "k", "v"));
    assert_ok(ref_db_close(alone));
    assert_ok(ref_db_close(db_open(fix->env, "came.db")));
    refused(fix, "copy", 0, EINVAL, "its pages are in no log");
    assert_ok(chain_try(fix, "full", REF_BACKUP_CREATE));
    chain_work(fix, 13, 10);
    assert_ok(chain_try(fix, "full", REF_BACKUP_UPDATE));
    chain_expect_copy(fix, "full");
    chain_close(fix);
}

static void a_target_in_use_is_refused(void **state)
{
    fixture *fix = *state;
    ref_env *copy;
    chain_open(fix);
    chain_back_up(fix, 0);
    assert_ok(env_open_at(fix, at_dir(fix, "copy"), &copy));
    chain_work(fix, 14, 5);
    assert_fails(chain_try(fix, "copy", REF_BACKUP_UPDATE), EBUSY, "the environment in the target");
    assert_ok(ref_env_close(copy));
    chain_back_up(fix, REF_BACKUP_UPDATE);
    chain_expect_copy(fix, "copy");
    chain_close(fix);
}

/* ---- EXCLUSIVE and CLEAN ---- */

static void EXCLUSIVE_lets_a_segment_grow(void **state)
{
    fixture *fix = *state;
    chain_open(fix);
    chain_back_up(fix, 0);
    for (uint64_t step = 0; step < 3; step++) {
        chain_work(fix, 15 + step, 30);
        chain_back_up(fix, REF_BACKUP_UPDATE | REF_BACKUP_EXCLUSIVE);
    }
    chain_expect_copy(fix, "copy");
    chain_close(fix);
}

static void EXCLUSIVE_minds_what_lies_in_the_place_of_a_new_segment(void **state)
{
    fixture *fix = *state;
    char name[64];
    chain_open(fix);
    chain_back_up(fix, 0);
    chain_big_commit(fix);
    snprintf(name, sizeof name, "copy/log.%010u", last_segment(at_dir(fix, "copy")) + 1);
    file_write(at_dir(fix, name), "torn", 4);
    refused(fix, "copy", REF_BACKUP_EXCLUSIVE, EEXIST, "log.");
    chain_back_up(fix, REF_BACKUP_UPDATE);
    chain_expect_copy(fix, "copy");
    chain_close(fix);
}

static void CLEAN_removes_only_segments_that_were_replayed(void **state)
{
    fixture *fix = *state;
    chain_open(fix);
    chain_back_up(fix, 0);
    file_write(at_dir(fix, "copy/notes.txt"), "mine", 4);
    uint32_t first = chain_oldest_segment_in(fix, "copy");
    chain_big_commit(fix);
    chain_back_up(fix, REF_BACKUP_UPDATE | REF_BACKUP_CLEAN);
    assert_int_equal(chain_oldest_segment_in(fix, "copy"), first);
    chain_recover_copy(fix, "copy");
    chain_big_commit(fix);
    uint32_t replayed = last_segment(at_dir(fix, "copy"));
    chain_back_up(fix, REF_BACKUP_UPDATE | REF_BACKUP_CLEAN);
    assert_int_equal(chain_oldest_segment_in(fix, "copy"), replayed);
    assert_true(file_exists(at_dir(fix, "copy/notes.txt")));
    assert_true(file_exists(at_dir(fix, "copy/0.db")));
    chain_expect_copy(fix, "copy");
    chain_close(fix);
}

/* ---- what an updated copy knows of itself ---- */

static void lose_the_last_segment(fixture *fix, bool recovered)
{
    char name[64];
    ref_env *copy;
    chain_open(fix);
    chain_back_up(fix, 0);
    if (recovered) {
        chain_recover_copy(fix, "copy");
    }
    chain_big_commit(fix);
    chain_back_up(fix, REF_BACKUP_UPDATE);
    snprintf(name, sizeof name, "copy/log.%010u", last_segment(at_dir(fix, "copy")));
    tree_remove(at_dir(fix, name));
    assert_fails(env_open_at(fix, at_dir(fix, "copy"), &copy), REF_CORRUPT, "durable");
    chain_close(fix);
}

static void an_update_that_is_lost_again_is_noticed(void **state)
{
    lose_the_last_segment(*state, false);
}

static void an_update_of_a_recovered_copy_that_is_lost_again_is_noticed(void **state)
{
    lose_the_last_segment(*state, true);
}

/* ---- log that somebody wants to remove meanwhile ---- */

typedef struct remover {
    fixture *fix;
    bool inside;
    unsigned rounds;
} remover;

static void remove_log_meanwhile(void *context, fault_kind kind, const char *path)
{
    remover *who = context;
    if (who->inside || kind != FAULT_READ || path == NULL || strstr(path, "home/log.") == NULL) {
        return;
    }
    who->inside = true;
    chain_remove_log(who->fix);
    who->rounds++;
    who->inside = false;
}

/* An update while each of its reads of the log lets somebody remove what he can. */
static void update_while_log_is_removed(fixture *fix)
{
    remover who = {.fix = fix};
    assert_ok(ref_checkpoint(fix->env, true)); /* recovery needs none of it any more */
    fix->vfs.before_context = &who;
    fix->vfs.before = remove_log_meanwhile;
    int error = chain_try(fix, "copy", REF_BACKUP_UPDATE);
    fix->vfs.before = NULL;
    assert_ok(error);
    assert_true(who.rounds > 4);
    chain_remove_log(fix);
    assert_true(chain_oldest_segment(fix) > chain_oldest_segment_in(fix, "copy"));
    chain_expect_copy(fix, "copy");
}

static void an_update_keeps_the_log_that_it_needs(void **state)
{
    fixture *fix = *state;
    chain_open(fix);
    chain_back_up(fix, 0);
    for (int i = 0; i < 4; i++) {
        chain_big_commit(fix);
    }
    update_while_log_is_removed(fix);
    chain_close(fix);
}

static void an_update_keeps_the_log_that_it_compares(void **state)
{
    fixture *fix = *state;
    chain_open(fix);
    for (int i = 0; i < 4; i++) {
        chain_big_commit(fix);
    }
    chain_back_up(fix, 0);
    chain_big_commit(fix);
    update_while_log_is_removed(fix);
    chain_close(fix);
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(an_update_adds_log_and_changes_no_database),
    SCRATCH_TEST(an_update_with_nothing_new_changes_nothing),
    SCRATCH_TEST(a_chain_of_updates_restores_every_commit_without_recovery_between),
    SCRATCH_TEST(a_chain_of_updates_restores_every_commit_with_recovery_between),
    SCRATCH_TEST(a_chain_of_updates_restores_every_commit_with_recovery_now_and_then),
    SCRATCH_TEST(an_update_goes_where_the_copy_has_its_log),
    SCRATCH_TEST(an_update_of_a_flat_copy_goes_into_its_one_directory),
    SCRATCH_TEST(a_segment_that_is_torn_in_the_copy_is_replaced),
    SCRATCH_TEST(log_that_only_follows_is_enough),
    SCRATCH_TEST(a_callers_sink_gets_every_segment_and_the_target_nothing),
    SCRATCH_TEST(a_copy_on_another_file_system_is_updated_too),
    SCRATCH_TEST(a_target_without_a_copy_is_refused),
    SCRATCH_TEST(an_update_without_logs_is_refused),
    SCRATCH_TEST(a_copy_of_another_environment_is_refused),
    SCRATCH_TEST(a_copy_that_was_written_to_is_refused),
    SCRATCH_TEST(a_copy_that_crashed_after_its_first_write_is_refused),
    SCRATCH_TEST(a_gap_is_refused),
    SCRATCH_TEST(an_unfinished_backup_is_no_base),
    SCRATCH_TEST(a_copy_with_a_damaged_log_is_no_base),
    SCRATCH_TEST(a_copy_that_is_ahead_of_the_environment_is_refused),
    SCRATCH_TEST(a_copy_with_another_history_is_refused),
    SCRATCH_TEST(a_restored_environment_updates_the_copies_of_its_past),
    SCRATCH_TEST(an_adopted_database_asks_for_a_full_backup),
    SCRATCH_TEST(a_target_in_use_is_refused),
    SCRATCH_TEST(EXCLUSIVE_lets_a_segment_grow),
    SCRATCH_TEST(EXCLUSIVE_minds_what_lies_in_the_place_of_a_new_segment),
    SCRATCH_TEST(CLEAN_removes_only_segments_that_were_replayed),
    SCRATCH_TEST(an_update_that_is_lost_again_is_noticed),
    SCRATCH_TEST(an_update_of_a_recovered_copy_that_is_lost_again_is_noticed),
    SCRATCH_TEST(an_update_keeps_the_log_that_it_needs),
    SCRATCH_TEST(an_update_keeps_the_log_that_it_compares),
};

TEST_MAIN(tests)
