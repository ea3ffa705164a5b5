/* Recovery of a copy that was recovered and then updated: no image in its log mends a page that is
 * torn meanwhile, so pages are written twice. */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/error.h"
#include "update_chain.h"

#define PAGES "copy/__db.pages.__recovery"

/* An environment whose copy was recovered, and then updated by changes to pages that the copy's log
 * has no whole image of. */
static void updated_copy(fixture *fix)
{
    chain_open(fix);
    ref_db *db = db_open(fix->env, "0.db");
    for (uint32_t i = 0; i < 40; i++) {
        assert_ok(put_number(db, NULL, i, 1, 100));
    }
    chain_back_up(fix, 0);
    chain_recover_copy(fix, "copy");
    for (uint32_t i = 0; i < 40; i++) {
        assert_ok(put_number(db, NULL, i, 2, 100));
    }
    assert_ok(ref_db_close(db));
    chain_back_up(fix, REF_BACKUP_UPDATE);
}

/* A recovery whose `nth` write to the database stops half way; whether it came to that. */
static bool tear(fixture *fix, uint64_t nth)
{
    ref_env *copy;
    fault_rule half = {.kinds = FAULT_BIT(FAULT_WRITE),
        .path = "copy/0.db",
        .nth = nth,
        .error = EIO,
        .manner = FAULT_SHORT};
    fault_set(&fix->vfs, &half);
    int error = env_open_at(fix, at_dir(fix, "copy"), &copy);
    bool torn = fault_injected(&fix->vfs) > 0;
    fault_heal(&fix->vfs);
    if (error == 0) {
        assert_ok(ref_env_close(copy));
    }
    return torn;
}

static void a_page_that_was_torn_while_an_update_was_replayed_is_mended(void **state)
{
    fixture *fix = *state;
    uint64_t nth = 1;
    updated_copy(fix);
    tree_copy(at_dir(fix, "copy"), at_dir(fix, "master"));
    while (tear(fix, nth)) {
        chain_expect_copy(fix, "copy");
        assert_false(file_exists(at_dir(fix, PAGES)));
        tree_remove(at_dir(fix, "copy"));
        tree_copy(at_dir(fix, "master"), at_dir(fix, "copy"));
        nth++;
    }
    assert_true(nth > 3);
    chain_close(fix);
}

static void a_recovery_may_be_torn_again_and_again(void **state)
{
    fixture *fix = *state;
    updated_copy(fix);
    for (uint64_t nth = 4; nth > 0; nth--) {
        assert_true(tear(fix, nth));
        assert_true(file_exists(at_dir(fix, PAGES)));
    }
    chain_expect_copy(fix, "copy");
    chain_close(fix);
}

static void an_update_after_a_torn_replay_is_restored_too(void **state)
{
    fixture *fix = *state;
    updated_copy(fix);
    assert_true(tear(fix, 2));
    chain_work(fix, 7, 30);
    chain_back_up(fix, REF_BACKUP_UPDATE);
    chain_expect_copy(fix, "copy");
    chain_close(fix);
}

/* Its writing was interrupted before anything went into its place. */
static void pages_that_are_not_whole_are_not_relied_on(void **state)
{
    fixture *fix = *state;
    updated_copy(fix);
    assert_true(tear(fix, 1));
    uint64_t size = file_size(at_dir(fix, PAGES));
    tree_copy(at_dir(fix, "copy"), at_dir(fix, "master"));
    for (uint64_t cut = 1; cut < size; cut += 1 + size / 40) {
        file_copy(at_dir(fix, "copy/0.db"), at_dir(fix, "torn"));
        file_cut(at_dir(fix, PAGES), size - cut);
        ref_env *copy;
        int error = env_open_at(fix, at_dir(fix, "copy"), &copy);
        if (error == 0) {
            assert_ok(ref_env_close(copy));
            chain_expect_copy(fix, "copy");
        } else {
            assert_int_equal(error, REF_CORRUPT); /* the torn page is what was cut off */
        }
        tree_remove(at_dir(fix, "copy"));
        tree_copy(at_dir(fix, "master"), at_dir(fix, "copy"));
    }
    chain_close(fix);
}

static void pages_of_another_format_are_refused(void **state)
{
    fixture *fix = *state;
    ref_env *copy;
    size_t size;
    updated_copy(fix);
    assert_true(tear(fix, 1));
    uint8_t *bytes = file_read(at_dir(fix, PAGES), &size);
    ref_put32(bytes + 8, 2);
    ref_put32(bytes + 60, ref_crc32c(0, bytes, 60));
    file_write(at_dir(fix, PAGES), bytes, size);
    free(bytes);
    assert_fails(env_open_at(fix, at_dir(fix, "copy"), &copy), REF_VERSION, "format version 2");
    chain_close(fix);
}

static void pages_of_another_environment_are_as_good_as_none(void **state)
{
    fixture *fix = *state;
    uint8_t junk[3000];
    memset(junk, 0x5a, sizeof junk);
    updated_copy(fix);
    file_write(at_dir(fix, PAGES), junk, sizeof junk);
    chain_expect_copy(fix, "copy");
    assert_false(file_exists(at_dir(fix, PAGES)));
    chain_close(fix);
}

/* In an environment of its own a page has its image: nothing is written twice, and what lies there
 * goes. */
static void an_environment_of_its_own_removes_what_lies_there(void **state)
{
    fixture *fix = *state;
    ref_env *copy;
    updated_copy(fix);
    chain_recover_copy(fix, "copy");
    assert_ok(env_open_at(fix, at_dir(fix, "copy"), &copy));
    ref_db *db = db_open(copy, "0.db");
    assert_ok(put(db, NULL, "own", "life"));
    assert_ok(ref_db_close(db));
    assert_ok(ref_env_close(copy));
    file_write(at_dir(fix, PAGES), "x", 1);
    chain_recover_copy(fix, "copy");
    assert_false(file_exists(at_dir(fix, PAGES)));
    chain_close(fix);
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(a_page_that_was_torn_while_an_update_was_replayed_is_mended),
    SCRATCH_TEST(a_recovery_may_be_torn_again_and_again),
    SCRATCH_TEST(an_update_after_a_torn_replay_is_restored_too),
    SCRATCH_TEST(pages_that_are_not_whole_are_not_relied_on),
    SCRATCH_TEST(pages_of_another_format_are_refused),
    SCRATCH_TEST(pages_of_another_environment_are_as_good_as_none),
    SCRATCH_TEST(an_environment_of_its_own_removes_what_lies_there),
};

TEST_MAIN(tests)
