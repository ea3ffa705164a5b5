/* The label of a copy: a backup that has lost an end of its log is refused, not taken for an
 * older one. */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/error.h"
#include "engine/internal.h"
#include "engine/label.h"
#include "engine/log.h"
#include "log_map.h"

static const char *at(const char *target, const char *name)
{
    static char path[FIXTURE_PATH];
    snprintf(path, sizeof path, "%.900s/%s", target, name);
    return path;
}

/* A backup whose log has several segments, in dir/copy. */
static const char *make_backup(fixture *fix, unsigned flags)
{
    static char target[FIXTURE_PATH];
    snprintf(target, sizeof target, "%.900s/copy", fix->dir);
    fix->options.segment_size = REF_SEGMENT_SIZE_MIN;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    assert_ok(ref_checkpoint(fix->env, true));
    for (uint32_t i = 0; i < 300; i++) {
        assert_ok(put_number(db, NULL, i, i, 200));
    }
    ref_backup_options options = {.target = target, .flags = REF_BACKUP_CREATE | flags};
    assert_ok(ref_backup(fix->env, &options));
    assert_ok(ref_db_close(db));
    env_close(fix);
    return target;
}

static int open_copy(const char *target, ref_env **env)
{
    ref_env_options options = {.home = target};
    return ref_env_open(&options, env);
}

static void a_copy_is_labelled_until_it_is_recovered(void **state)
{
    fixture *fix = *state;
    const char *target = make_backup(fix, 0);
    ref_env *env;
    ref_label label;
    assert_ok(ref_label_read(ref_vfs_posix(), target, &label));
    assert_true(label.redo < label.end);
    assert_ok(open_copy(target, &env));
    assert_ok(ref_env_close(env));
    assert_int_equal(ref_label_read(ref_vfs_posix(), target, &label), ENOENT);
}

static void a_copy_without_its_oldest_segment_is_refused(void **state)
{
    fixture *fix = *state;
    const char *target = make_backup(fix, 0);
    ref_env *env;
    ref_label label;
    char path[FIXTURE_PATH];
    assert_ok(ref_label_read(ref_vfs_posix(), target, &label));
    assert_int_equal(unlink(segment_path(target, REF_LSN_SEGMENT(label.redo), path)), 0);
    assert_fails(open_copy(target, &env), REF_CORRUPT, "of the backup is missing");
}

static void a_copy_without_any_log_is_no_place_for_a_new_environment(void **state)
{
    fixture *fix = *state;
    const char *target = make_backup(fix, 0);
    ref_env *env;
    char path[FIXTURE_PATH];
    for (uint32_t i = last_segment(target); i > 0; i--) {
        unlink(segment_path(target, i, path));
    }
    fix->options.create = true;
    assert_fails(env_open_at(fix, target, &env), REF_CORRUPT, "of the backup is missing");
    assert_int_equal(last_segment(target), 0);
}

static void a_copy_without_the_end_of_its_log_is_refused(void **state)
{
    fixture *fix = *state;
    const char *target = make_backup(fix, 0);
    ref_env *env;
    ref_label label;
    char path[FIXTURE_PATH];
    assert_ok(ref_label_read(ref_vfs_posix(), target, &label));
    assert_int_equal(unlink(segment_path(target, REF_LSN_SEGMENT(label.end), path)), 0);
    assert_fails(open_copy(target, &env), REF_CORRUPT, "was durable up to segment");
}

static void a_damaged_label_is_named(void **state)
{
    fixture *fix = *state;
    const char *target = make_backup(fix, 0);
    ref_env *env;
    assert_int_equal(truncate(at(target, REF_LABEL_NAME), 40), 0);
    assert_fails(open_copy(target, &env), REF_CORRUPT, REF_LABEL_NAME);
}

static void a_label_of_another_environment_is_refused(void **state)
{
    fixture *fix = *state;
    const char *target = make_backup(fix, 0);
    ref_env *env;
    ref_label label;
    uint8_t bytes[REF_LABEL_SIZE];
    assert_ok(ref_label_read(ref_vfs_posix(), target, &label));
    label.environment.bytes[0] ^= 1;
    ref_label_write(bytes, &label);
    FILE *file = fopen(at(target, REF_LABEL_NAME), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, sizeof bytes, file), sizeof bytes);
    assert_int_equal(fclose(file), 0);
    assert_fails(open_copy(target, &env), REF_CORRUPT, "another environment");
}

static void a_copy_without_logs_leaves_no_label_of_an_older_one(void **state)
{
    fixture *fix = *state;
    const char *target = make_backup(fix, 0);
    ref_label label;
    env_open(fix);
    ref_backup_options options = {.target = target, .flags = REF_BACKUP_NO_LOGS};
    assert_ok(ref_backup(fix->env, &options));
    env_close(fix);
    assert_int_equal(ref_label_read(ref_vfs_posix(), target, &label), ENOENT);
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(a_copy_is_labelled_until_it_is_recovered),
    SCRATCH_TEST(a_copy_without_its_oldest_segment_is_refused),
    SCRATCH_TEST(a_copy_without_any_log_is_no_place_for_a_new_environment),
    SCRATCH_TEST(a_copy_without_the_end_of_its_log_is_refused),
    SCRATCH_TEST(a_damaged_label_is_named),
    SCRATCH_TEST(a_label_of_another_environment_is_refused),
    SCRATCH_TEST(a_copy_without_logs_leaves_no_label_of_an_older_one),
};

TEST_MAIN(tests)
