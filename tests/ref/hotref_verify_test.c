/*
 * hotref verify: what is wrong with a backup or an environment is named, what is right is not, and
 * nothing is changed.
 */
#include "testmain.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cwd.h"
#include "hotref_support.h"

#define FLIPS 97 /* how many places of a file are tried */

/* Two databases, the second renamed, a third removed, over several log segments; some pages of it
 * changed since the last checkpoint, as a backup finds an environment in use. */
static void make_home(const char *home)
{
    ref_env *env = home_open(home, NULL, 0);
    home_put(env, "a.db", 0, 300, false);
    home_put(env, "old.db", 0, 300, true);
    home_put(env, "gone.db", 0, 50, true);
    assert_int_equal(ref_checkpoint(env, true), 0);
    assert_int_equal(ref_db_rename(env, NULL, "old.db", "b.db"), 0);
    assert_int_equal(ref_db_remove(env, NULL, "gone.db"), 0);
    home_put(env, "a.db", 200, 300, false);
    home_put(env, "a.db", 300, 300, false);
    assert_int_equal(ref_env_close(env), 0);
}

/* A backup in "bk", its manifest in "m"; as it was copied, or recovered. The copied one starts at a
 * redo point far behind its end. */
static void make_backup(bool recovered)
{
    ref_env *env = home_open("home", NULL, 0);
    ref_backup_options how = {.target = "bk", .flags = REF_BACKUP_CREATE};
    home_put(env, "a.db", 0, 300, false);
    home_put(env, "old.db", 0, 300, true);
    home_put(env, "gone.db", 0, 50, true);
    assert_int_equal(ref_checkpoint(env, true), 0);
    assert_int_equal(ref_db_rename(env, NULL, "old.db", "b.db"), 0);
    assert_int_equal(ref_db_remove(env, NULL, "gone.db"), 0);
    home_put(env, "a.db", 200, 300, false);
    home_put(env, "a.db", 300, 300, false);
    if (!recovered) {
        assert_int_equal(ref_backup(env, &how), 0);
    } else if (hotref("backup", "-h", "home", "-b", "bk", "-g", "--manifest", "m", NULL) != 0) {
        fail_msg("%s", hotref_said());
    }
    assert_int_equal(ref_env_close(env), 0);
}

static void newest_segment(const char *home, char path[64])
{
    for (unsigned i = 1; i < 100; i++) {
        char next[64];
        snprintf(next, sizeof next, "%s/log.%010u", home, i);
        if (cwd_exists(next)) {
            strcpy(path, next);
        }
    }
}

static void oldest_segment(const char *home, unsigned *number)
{
    for (*number = 1; *number < 100; ++*number) {
        char path[64];
        snprintf(path, sizeof path, "%s/log.%010u", home, *number);
        if (cwd_exists(path)) {
            return;
        }
    }
    fail_msg("%s has no log", home);
}

/* ---- what is right ---- */

static void a_backup_as_copied_is_sound(void **state)
{
    (void)state;
    make_backup(false);
    assert_int_equal(hotref("verify", "-b", "bk", NULL), 0);
    hotref_must_say("databases: 2,");
    hotref_must_say("bk: sound");
    hotref_must_not_say("note:");
}

static void a_recovered_backup_and_its_manifest_are_sound(void **state)
{
    (void)state;
    make_backup(true);
    assert_int_equal(hotref("verify", "-b", "bk", "--manifest", "m", "-v", NULL), 0);
    hotref_must_say("bk/a.db: 600 records");
    hotref_must_say("nothing to replay");
}

static void the_place_that_recovery_reaches_is_the_one_that_verify_says(void **state)
{
    (void)state;
    char reached[64];
    make_backup(false);
    assert_int_equal(hotref("verify", "-b", "bk", NULL), 0);
    const char *at = strstr(hotref_said(), "reaches ");
    assert_non_null(at);
    snprintf(reached, sizeof reached, "recovered to %.*s", (int)strcspn(at + 8, "\n;"), at + 8);
    assert_int_equal(hotref("recover", "-c", "-v", "-h", "bk", NULL), 0);
    hotref_must_say(reached);
}

static void nothing_is_changed(void **state)
{
    (void)state;
    make_backup(false);
    uint64_t before = tree_state("bk");
    assert_int_equal(hotref("verify", "-b", "bk", NULL), 0);
    assert_int_equal(hotref("verify", "-h", "bk", NULL), 0);
    assert_int_equal(hotref("printlog", "-h", "bk", NULL), 0);
    assert_true(tree_state("bk") == before);
    before = tree_state("home");
    assert_int_equal(hotref("verify", "-h", "home", NULL), 0);
    assert_int_equal(hotref("printlog", "-h", "home", NULL), 0);
    assert_true(tree_state("home") == before);
}

static void data_directories_of_a_backup_are_found(void **state)
{
    (void)state;
    const char *const dirs[] = {"d1", "d2"};
    ref_env *env = home_open("home", dirs, 2);
    home_put(env, "a.db", 0, 100, true);
    assert_int_equal(ref_env_close(env), 0);
    cwd_file("home/DB_CONFIG", "add_data_dir d1\nadd_data_dir d2\n");
    assert_int_equal(hotref("backup", "-D", "-h", "home", "-b", "kept", NULL), 0);
    assert_int_equal(hotref("backup", "-h", "home", "-b", "flat", NULL), 0);
    assert_true(cwd_exists("kept/d1/a.db") && cwd_exists("kept/d2"));
    assert_true(cwd_exists("flat/a.db") && !cwd_exists("flat/DB_CONFIG"));
    assert_int_equal(hotref("verify", "-b", "kept", NULL), 0);
    assert_int_equal(hotref("verify", "-b", "flat", NULL), 0);
    unlink("kept/DB_CONFIG");
    assert_int_equal(hotref("verify", "-b", "kept", NULL), 0);
    assert_int_equal(rename("kept/d1/a.db", "kept/d2/a.db"), 0);
    assert_int_equal(hotref("verify", "-b", "kept", NULL), 1);
    hotref_must_say("kept/d1/a.db: this database of the environment is missing");
    hotref_must_say("kept/d2/a.db: the database d1/a.db, where recovery does not look for it");
}

/* ---- what is wrong ---- */

static void a_missing_database_is_named(void **state)
{
    (void)state;
    for (int recovered = 0; recovered < 2; recovered++) {
        make_backup(recovered != 0);
        unlink("bk/b.db");
        unlink("bk/old.db");
        assert_int_equal(hotref("verify", "-b", "bk", NULL), 1);
        hotref_must_say("bk/b.db: this database of the environment is missing");
        assert_int_equal(system("rm -rf home bk"), 0);
    }
}

static void a_missing_middle_segment_is_named(void **state)
{
    (void)state;
    char path[64], message[128];
    unsigned first;
    for (int recovered = 0; recovered < 2; recovered++) {
        make_backup(recovered != 0);
        oldest_segment("bk", &first);
        snprintf(path, sizeof path, "bk/log.%010u", first + 1);
        unlink(path);
        assert_int_equal(hotref("verify", "-b", "bk", NULL), 1);
        snprintf(message, sizeof message, "%s: this log segment is missing", path);
        hotref_must_say(message);
        assert_int_equal(hotref("printlog", "-h", "bk", NULL), 1);
        hotref_must_say(message);
        assert_int_equal(system("rm -rf home bk"), 0);
    }
}

static void a_missing_segment_without_which_nothing_can_be_recovered_is_named(void **state)
{
    (void)state;
    char path[64];
    make_home("home");
    newest_segment("home", path);
    unlink(path);
    assert_int_equal(hotref("verify", "-h", "home", NULL), 1);
    hotref_must_say("recovery would fail");
}

/* Every place is tried with one bit, whichever comes next. */
static void flips_are_found(const char *path, const char *word)
{
    uint64_t size = file_size(path);
    for (unsigned i = 0; i < FLIPS; i++) {
        uint64_t offset = i * (size - 1) / (FLIPS - 1);
        unsigned char bit = (unsigned char)(1u << i % 8);
        file_flip(path, offset, bit);
        if (hotref("verify", "-b", "bk", NULL) != 1) {
            fail_msg("%s: a flipped bit at offset %llu is not found: %s", path,
                (unsigned long long)offset, hotref_said());
        }
        hotref_must_say(word);
        file_flip(path, offset, bit);
    }
    assert_int_equal(hotref("verify", "-b", "bk", NULL), 0);
}

static void a_flipped_bit_anywhere_in_a_database_is_found(void **state)
{
    (void)state;
    make_backup(false);
    flips_are_found("bk/a.db", "bk/a.db");
    file_flip("bk/a.db", 3 * 1024 + 77, 4);
    assert_int_equal(hotref("verify", "-b", "bk", NULL), 1);
    hotref_must_say("bk/a.db: page 3: offset 3072: bad checksum");
}

static void a_flipped_bit_in_page_0_is_found_wherever_it_is(void **state)
{
    (void)state;
    make_backup(true);
    for (unsigned offset = 0; offset < 1024; offset += 5) {
        file_flip("bk/a.db", offset, (unsigned char)(1u << offset % 8));
        assert_int_equal(hotref("verify", "-b", "bk", NULL), 1);
        file_flip("bk/a.db", offset, (unsigned char)(1u << offset % 8));
    }
    assert_int_equal(hotref("verify", "-b", "bk", NULL), 0);
}

static void a_flipped_bit_anywhere_in_the_log_is_found(void **state)
{
    (void)state;
    char path[64];
    make_backup(false);
    newest_segment("bk", path);
    flips_are_found(path, "log.");
    unsigned first;
    oldest_segment("bk", &first);
    snprintf(path, sizeof path, "bk/log.%010u", first);
    flips_are_found(path, path + 3);
}

static void a_database_that_is_cut_anywhere_is_named(void **state)
{
    (void)state;
    make_backup(true);
    file_copy("bk/a.db", "whole");
    uint64_t size = file_size("whole");
    for (uint64_t cut = 1; cut < 2100; cut += cut < 4 ? 1 : 300) {
        file_copy("whole", "bk/a.db");
        file_cut("bk/a.db", size - cut);
        assert_int_equal(hotref("verify", "-b", "bk", NULL), 1);
        hotref_must_say("bk/a.db: short");
    }
    file_cut("bk/a.db", 0);
    assert_int_equal(hotref("verify", "-b", "bk", NULL), 1);
    hotref_must_say("bk/a.db: this database of the environment is missing: a file of its name is "
                    "empty");
    file_copy("whole", "bk/a.db");
    assert_int_equal(hotref("verify", "-b", "bk", "--manifest", "m", NULL), 0);
}

static void a_log_that_is_cut_in_a_record_is_named(void **state)
{
    (void)state;
    char path[64];
    make_backup(false);
    newest_segment("bk", path);
    file_cut(path, file_size(path) - 9);
    assert_int_equal(hotref("verify", "-b", "bk", NULL), 1);
    hotref_must_say(path);
    hotref_must_say("the log was durable beyond this place");
    unlink("bk/__backup.label"); /* then nothing says how far the log went */
    (void)hotref("verify", "-b", "bk", NULL);
    hotref_must_say("no whole record from here to the end");
}

/* All of one database's changes since the checkpoint are in the oldest segment, which goes: replay
 * has nothing to complain of. */
static void a_copy_that_has_lost_its_oldest_segment_is_named_or_without_label_doubted(void **state)
{
    (void)state;
    char path[64];
    unsigned first;
    ref_env *env = home_open("home", NULL, 0);
    ref_backup_options how = {.target = "bk", .flags = REF_BACKUP_CREATE};
    home_put(env, "a.db", 0, 300, true);
    home_put(env, "b.db", 0, 300, true);
    assert_int_equal(ref_checkpoint(env, true), 0);
    home_put(env, "b.db", 300, 300, true);
    home_put(env, "a.db", 300, 300, false);
    assert_int_equal(ref_backup(env, &how), 0);
    assert_int_equal(ref_env_close(env), 0);
    assert_int_equal(hotref("verify", "-b", "bk", NULL), 0);
    hotref_must_not_say("no checkpoint says");
    oldest_segment("bk", &first);
    snprintf(path, sizeof path, "bk/log.%010u", first);
    unlink(path);
    assert_int_equal(hotref("verify", "-b", "bk", NULL), 1);
    hotref_must_say(path);
    unlink("bk/__backup.label"); /* then nothing says where the log began */
    (void)hotref("verify", "-b", "bk", NULL);
    hotref_must_say("no checkpoint says that replay may begin with this segment");
}

static void an_extra_file_is_named_and_a_finding_if_there_is_a_manifest(void **state)
{
    (void)state;
    make_backup(true);
    cwd_file("bk/notes.txt", "x");
    assert_int_equal(hotref("verify", "-b", "bk", NULL), 0);
    hotref_must_say("note: bk/notes.txt: extra");
    assert_int_equal(hotref("verify", "-b", "bk", "--manifest", "m", NULL), 1);
    hotref_must_say("bk/notes.txt: extra: not in the manifest");
}

static void a_stray_segment_or_database_is_a_finding_without_a_manifest(void **state)
{
    (void)state;
    char path[64];
    make_backup(true);
    newest_segment("bk", path);
    cwd_dir("bk/sub");
    file_copy(path, "bk/sub/log.0000000001");
    file_copy("bk/a.db", "bk/sub/copy.db");
    assert_int_equal(hotref("verify", "-b", "bk", NULL), 1);
    hotref_must_say("bk/sub/log.0000000001: extra: a log segment");
    hotref_must_say("bk/sub/copy.db: extra: a second file of the database a.db");
    hotref_must_say("bk: 2 findings");
}

static void a_segment_of_another_environment_is_a_finding(void **state)
{
    (void)state;
    char path[64];
    make_backup(false);
    ref_env *env = home_open("other", NULL, 0);
    assert_int_equal(ref_env_close(env), 0);
    newest_segment("bk", path);
    unsigned number = (unsigned)strtoul(path + 7, NULL, 10);
    snprintf(path, sizeof path, "bk/log.%010u", number + 1);
    file_copy("other/log.0000000001", path);
    assert_int_equal(hotref("verify", "-b", "bk", NULL), 1);
    hotref_must_say(path);
}

static void what_the_manifest_knows_is_compared(void **state)
{
    (void)state;
    char path[64];
    make_backup(true);
    newest_segment("bk", path);
    /* A whole group less: the log alone cannot show it. */
    file_append("bk/b.db", "tail", 4);
    unlink(path);
    assert_int_equal(hotref("verify", "-b", "bk", "--manifest", "m", NULL), 1);
    hotref_must_say("bk/b.db: long");
    hotref_must_say("missing: the manifest has it");
    file_flip("m", 60, 1);
    assert_int_equal(hotref("verify", "-b", "bk", "--manifest", "m", NULL), 1);
    hotref_must_say("m: line ");
}

static void a_file_of_an_older_backup_does_not_fit(void **state)
{
    (void)state;
    make_home("home");
    assert_int_equal(hotref("backup", "-h", "home", "-b", "older", NULL), 0);
    ref_env *env = home_open("home", NULL, 0);
    home_put(env, "a.db", 600, 400, true);
    assert_int_equal(ref_checkpoint(env, true), 0);
    home_put(env, "a.db", 1000, 100, false);
    ref_backup_options how = {.target = "bk", .flags = REF_BACKUP_CREATE};
    assert_int_equal(ref_backup(env, &how), 0);
    assert_int_equal(ref_env_close(env), 0);
    assert_int_equal(hotref("verify", "-b", "bk", NULL), 0);
    file_copy("bk/a.db", "older/a.db");
    assert_int_equal(hotref("verify", "-b", "older", NULL), 1);
    hotref_must_say("older/a.db");
    hotref_must_say("lies beyond the log's end");
}

static void an_unfinished_backup_is_a_finding(void **state)
{
    (void)state;
    make_backup(false);
    cwd_file("bk/__backup.incomplete", "x");
    assert_int_equal(hotref("verify", "-b", "bk", NULL), 1);
    hotref_must_say("bk/__backup.incomplete: the backup into this directory was not finished");
}

/* ---- environments in use, and after a crash ---- */

/* A process that writes for ever. */
static pid_t start_writer(void)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        ref_env *env = home_open("home", NULL, 0);
        for (unsigned i = 0;; i++) {
            home_put(env, "a.db", i * 100 % 3000, 100, i % 2 == 0);
            if (i % 3 == 0) {
                ref_checkpoint(env, true);
            }
            if (i == 3) {
                cwd_file("ready", "");
            }
        }
    }
    while (!cwd_exists("ready")) {
        usleep(1000);
    }
    return child;
}

static void end_writer(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void an_environment_in_use_is_sound(void **state)
{
    (void)state;
    pid_t writer = start_writer();
    for (int i = 0; i < 20; i++) {
        int status = hotref("verify", "-h", "home", NULL);
        if (status != 0) {
            end_writer(writer);
            fail_msg("%d: %s", i, hotref_said());
        }
    }
    end_writer(writer);
}

static void an_environment_whose_owner_was_killed_is_sound(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        pid_t writer = start_writer();
        end_writer(writer);
        unlink("ready");
        uint64_t before = tree_state("home");
        if (hotref("verify", "-h", "home", NULL) != 0) {
            fail_msg("%s", hotref_said());
        }
        assert_true(tree_state("home") == before);
    }
    assert_int_equal(hotref("recover", "-h", "home", NULL), 0);
    assert_int_equal(hotref("verify", "-h", "home", NULL), 0);
    hotref_must_say("nothing to replay");
}

static void a_torn_page_that_the_log_mends_is_a_note_in_an_environment(void **state)
{
    (void)state;
    pid_t writer = start_writer();
    end_writer(writer);
    assert_int_equal(hotref("recover", "-h", "home", NULL), 0);
    /* Replay begins at the oldest record without the control file. */
    unlink("home/__db.control");
    file_flip("home/a.db", 2 * 1024 + 100, 1);
    assert_int_equal(hotref("verify", "-h", "home", NULL), 0);
    hotref_must_say(
        "note: home/a.db: page 2: offset 2048: bad checksum; the log has a whole image");
    assert_int_equal(hotref("verify", "-b", "home", NULL), 1);
    hotref_must_not_say("note:");
    hotref_must_say("home/a.db: page 2: offset 2048: bad checksum; the log has a whole image");
}

static void where_there_is_no_environment_that_is_said(void **state)
{
    (void)state;
    cwd_dir("empty");
    assert_int_equal(hotref("verify", "-h", "empty", NULL), 1);
    hotref_must_say("there is no environment here");
    assert_int_equal(hotref("verify", "-b", "missing", NULL), 1);
    hotref_must_say("missing");
}

static int clean(void **state)
{
    (void)state;
    unsetenv("DB_HOME");
    return cwd_setup(state);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, clean, cwd_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_backup_as_copied_is_sound),
    CASE(a_recovered_backup_and_its_manifest_are_sound),
    CASE(the_place_that_recovery_reaches_is_the_one_that_verify_says),
    CASE(nothing_is_changed),
    CASE(data_directories_of_a_backup_are_found),
    CASE(a_missing_database_is_named),
    CASE(a_missing_middle_segment_is_named),
    CASE(a_missing_segment_without_which_nothing_can_be_recovered_is_named),
    CASE(a_flipped_bit_anywhere_in_a_database_is_found),
    CASE(a_flipped_bit_in_page_0_is_found_wherever_it_is),
    CASE(a_flipped_bit_anywhere_in_the_log_is_found),
    CASE(a_database_that_is_cut_anywhere_is_named),
    CASE(a_log_that_is_cut_in_a_record_is_named),
    CASE(a_copy_that_has_lost_its_oldest_segment_is_named_or_without_label_doubted),
    CASE(an_extra_file_is_named_and_a_finding_if_there_is_a_manifest),
    CASE(a_stray_segment_or_database_is_a_finding_without_a_manifest),
    CASE(a_segment_of_another_environment_is_a_finding),
    CASE(what_the_manifest_knows_is_compared),
    CASE(a_file_of_an_older_backup_does_not_fit),
    CASE(an_unfinished_backup_is_a_finding),
    CASE(an_environment_in_use_is_sound),
    CASE(an_environment_whose_owner_was_killed_is_sound),
    CASE(a_torn_page_that_the_log_mends_is_a_note_in_an_environment),
    CASE(where_there_is_no_environment_that_is_said),
};

TEST_MAIN(tests)
