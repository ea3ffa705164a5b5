/* Backup from another process of files that are torn, cut or damaged. */
#include "owner.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/internal.h"

#define PAGE 512u

/* An owner whose accounts fill some pages. With `image`, every page of them has changed since the
 * redo point, so that the log has a whole image; else none has. It is dead, the guest is open. */
static ref_env *begin_damage(fixture *fix, bool image)
{
    owner who;
    owner_start(&who, fix);
    owner_do(&who, "grow 60");
    owner_do(&who, "move 100");
    if (!image) {
        owner_do(&who, "checkpoint");
    }
    ref_env *guest = guest_open(fix);
    if (image) {
        /* The file is written, but the control file, the last step, is not. */
        owner_do(&who, "die write __db.control");
        assert_int_equal(owner_tell(&who, "checkpoint"), -1);
        owner_await(&who);
    } else {
        owner_kill(&who);
    }
    assert_true(file_size(at_home(fix, "a.db")) > 12 * PAGE);
    return guest;
}

/* What a write that did not come to its end may leave. (In page 0 there is a slot behind these
 * bytes that is written by itself.) */
static void tear(fixture *fix, const char *name, uint32_t pgno)
{
    for (uint64_t at = REF_META_AT_SLOT / 2; at < REF_META_AT_SLOT; at += 7) {
        file_flip(at_home(fix, name), (uint64_t)pgno * PAGE + at, 0x55);
    }
}

static void a_torn_page_of_a_dead_owner_is_mended_by_the_log(void **state)
{
    static const uint32_t pages[] = {0, 1, 2, 7, 11};
    fixture *fix = *state;

    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        tree_remove(fix->home);
        dir_make(fix->home);
        ref_env *guest = begin_damage(fix, true);
        tear(fix, "a.db", pages[i]);
        tear(fix, "b.db", 3);
        assert_ok(guest_backup(fix, guest, "copy", REF_BACKUP_CLEAN));
        assert_ok(ref_env_close(guest));
        books_check(fix, "copy", false, 100);
        /* And so it is for whoever owns the home next. */
        env_open(fix);
        books_check_in(fix->env, 100);
        env_close(fix);
    }
}

static void a_torn_page_is_mended_in_copies_without_logs_too(void **state)
{
    fixture *fix = *state;
    ref_env *guest = begin_damage(fix, true);

    tear(fix, "a.db", 5);
    tear(fix, "b.db", 0);
    assert_ok(guest_backup(fix, guest, "copy", REF_BACKUP_NO_LOGS));
    assert_ok(ref_env_close(guest));
    books_check(fix, "copy", true, 100);
}

static void a_file_that_lost_its_end_is_mended_by_the_log(void **state)
{
    fixture *fix = *state;
    ref_env *guest = begin_damage(fix, true);

    file_cut(at_home(fix, "a.db"), 5 * PAGE + 100);
    file_cut(at_home(fix, "b.db"), 0);
    assert_ok(guest_backup(fix, guest, "copy", 0));
    assert_ok(ref_env_close(guest));
    books_check(fix, "copy", false, 100);
}

/* It is damaged: nothing is left in the target, and the words say where. */
static void is_named(fixture *fix, ref_env *guest, const char *words)
{
    int error = guest_backup(fix, guest, "copy", 0);
    assert_fails(error, REF_CORRUPT, words);
    assert_fails(error, REF_CORRUPT, "/home/a.db");
    assert_false(file_exists(at_dir(fix, "copy")));
    assert_ok(ref_env_close(guest));
}

static void a_damaged_page_that_the_log_does_not_have_is_named(void **state)
{
    fixture *fix = *state;
    ref_env *guest = begin_damage(fix, false);

    tear(fix, "a.db", 4);
    is_named(fix, guest, "a.db: page 4: offset 2048: ");
}

static void a_damaged_first_page_that_the_log_does_not_have_is_named(void **state)
{
    fixture *fix = *state;
    ref_env *guest = begin_damage(fix, false);

    tear(fix, "a.db", 0);
    is_named(fix, guest, "a.db: page 0: ");
}

static void a_lost_end_that_the_log_does_not_have_is_named(void **state)
{
    fixture *fix = *state;
    ref_env *guest = begin_damage(fix, false);

    file_cut(at_home(fix, "a.db"), 6 * PAGE);
    is_named(fix, guest, "a.db: page 6: offset 3072: beyond the end");
}

static void a_database_that_is_gone_is_named(void **state)
{
    fixture *fix = *state;
    ref_env *guest = begin_damage(fix, false);

    tree_remove(at_home(fix, "a.db"));
    assert_fails(guest_backup(fix, guest, "copy", 0), ENOENT, "/home/a.db");
    assert_false(file_exists(at_dir(fix, "copy")));
    assert_ok(ref_env_close(guest));
}

static void a_damaged_page_is_named_by_copies_without_logs_too(void **state)
{
    fixture *fix = *state;
    ref_env *guest = begin_damage(fix, false);

    tear(fix, "a.db", 4);
    assert_fails(
        guest_backup(fix, guest, "copy", REF_BACKUP_NO_LOGS), REF_CORRUPT, "home/a.db: page 4");
    assert_false(file_exists(at_dir(fix, "copy")));
    assert_ok(ref_env_close(guest));
}

/* ---- the log ---- */

static void a_damaged_log_is_named(void **state)
{
    fixture *fix = *state;
    ref_env *guest = begin_damage(fix, true);
    uint32_t last = last_segment(fix->home);
    char name[32];

    assert_true(last > 2);
    snprintf(name, sizeof name, "log.%010u", last - 1);
    file_flip(at_home(fix, name), 5000, 1);
    assert_fails(guest_backup(fix, guest, "copy", 0), REF_CORRUPT, name);
    assert_false(file_exists(at_dir(fix, "copy")));
    assert_ok(ref_env_close(guest));
}

static void a_missing_segment_is_named(void **state)
{
    fixture *fix = *state;
    ref_env *guest = begin_damage(fix, true);
    char name[32];

    snprintf(name, sizeof name, "log.%010u", last_segment(fix->home) - 1);
    tree_remove(at_home(fix, name));
    assert_fails(guest_backup(fix, guest, "copy", 0), REF_CORRUPT, name);
    assert_false(file_exists(at_dir(fix, "copy")));
    assert_ok(ref_env_close(guest));
}

/* An owner that was killed leaves the last bytes of its log in the middle of a record. */
static void a_torn_tail_is_no_part_of_the_copy(void **state)
{
    fixture *fix = *state;
    ref_env *guest = begin_damage(fix, false);
    char name[32];

    snprintf(name, sizeof name, "log.%010u", last_segment(fix->home));
    uint64_t size = file_size(at_home(fix, name));
    FILE *log = fopen(at_home(fix, name), "ab");
    assert_non_null(log);
    assert_int_equal(fwrite("half of a record", 1, 16, log), 16);
    assert_int_equal(fclose(log), 0);
    assert_ok(guest_backup(fix, guest, "copy", 0));
    char copied[64];
    snprintf(copied, sizeof copied, "copy/%s", name);
    assert_int_equal(file_size(at_dir(fix, copied)), size);
    assert_ok(ref_env_close(guest));
    books_check(fix, "copy", false, 100);
}

/* A segment that was just begun has no whole header yet. */
static void a_segment_without_a_header_is_no_part_of_the_copy(void **state)
{
    fixture *fix = *state;
    ref_env *guest = begin_damage(fix, false);
    char name[32], copied[64];

    snprintf(name, sizeof name, "log.%010u", last_segment(fix->home) + 1);
    file_write(at_home(fix, name), "HOT", 3);
    assert_ok(guest_backup(fix, guest, "copy", 0));
    snprintf(copied, sizeof copied, "copy/%s", name);
    assert_false(file_exists(at_dir(fix, copied)));
    assert_ok(ref_env_close(guest));
    books_check(fix, "copy", false, 100);
}

/* One of the two slots of the control file is being written, whenever somebody looks. */
static void a_torn_slot_of_the_control_file_leaves_the_other(void **state)
{
    fixture *fix = *state;
    ref_env *guest = begin_damage(fix, false);

    file_flip(at_home(fix, "__db.control"), 100, 0xff);
    assert_ok(guest_backup(fix, guest, "copy", 0));
    books_check(fix, "copy", false, 100);
    file_flip(at_home(fix, "__db.control"), 100, 0xff);
    file_flip(at_home(fix, "__db.control"), 4096 + 100, 0xff);
    assert_ok(guest_backup(fix, guest, "copy", REF_BACKUP_CLEAN));
    books_check(fix, "copy", false, 100);
    file_flip(at_home(fix, "__db.control"), 100, 0xff);
    assert_fails(guest_backup(fix, guest, "copy", 0), REF_CORRUPT, "__db.control");
    assert_ok(ref_env_close(guest));
}

static const struct CMUnitTest tests[] = {
    OWNER_TEST(a_torn_page_of_a_dead_owner_is_mended_by_the_log),
    OWNER_TEST(a_torn_page_is_mended_in_copies_without_logs_too),
    OWNER_TEST(a_file_that_lost_its_end_is_mended_by_the_log),
    OWNER_TEST(a_damaged_page_that_the_log_does_not_have_is_named),
    OWNER_TEST(a_damaged_first_page_that_the_log_does_not_have_is_named),
    OWNER_TEST(a_lost_end_that_the_log_does_not_have_is_named),
    OWNER_TEST(a_database_that_is_gone_is_named),
    OWNER_TEST(a_damaged_page_is_named_by_copies_without_logs_too),
    OWNER_TEST(a_damaged_log_is_named),
    OWNER_TEST(a_missing_segment_is_named),
    OWNER_TEST(a_torn_tail_is_no_part_of_the_copy),
    OWNER_TEST(a_segment_without_a_header_is_no_part_of_the_copy),
    OWNER_TEST(a_torn_slot_of_the_control_file_leaves_the_other),
};

OWNER_TEST_MAIN(tests)
