/* Direct writes: they are, where the file system takes them, and otherwise the caller is told. */
#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/error.h"
#include "update_chain.h"

/* What was seen of the files that the backup writes to. */
typedef struct eye {
    unsigned direct, cached;
    unsigned notices;
    char notice[FIXTURE_PATH];
} eye;

/* Looks whether the file that is about to be written to is open for direct writes. */
static void look(void *context, fault_kind kind, const char *path)
{
    eye *seen = context;
    if (kind != FAULT_WRITE || path == NULL || strstr(path, "0.db.__backup.tmp") == NULL) {
        return;
    }
    for (int fd = 3; fd < 200; fd++) {
        char link[64], name[FIXTURE_PATH] = "";
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        if (readlink(link, name, sizeof name - 1) > 0 && strstr(name, "0.db.__backup.tmp")) {
            bool direct = (fcntl(fd, F_GETFL) & O_DIRECT) != 0;
            seen->direct += direct;
            seen->cached += !direct;
        }
    }
}

static void note(void *context, const char *line)
{
    eye *seen = context;
    seen->notices++;
    snprintf(seen->notice, sizeof seen->notice, "%s", line);
}

/* A backup with direct writes, which must be a good one. */
static eye back_up(fixture *fix, const fault_rule *rule)
{
    eye seen = {0};
    ref_backup_options options = {.target = at_dir(fix, "copy"),
        .flags = REF_BACKUP_CREATE,
        .direct = true,
        .notice = note,
        .progress_context = &seen};
    chain_open(fix);
    chain_work(fix, 1, 40);
    assert_ok(ref_checkpoint(fix->env, true));
    fix->vfs.before = look;
    fix->vfs.before_context = &seen;
    if (rule != NULL) {
        fault_set(&fix->vfs, rule);
    }
    assert_ok(ref_backup(fix->env, &options));
    assert_true(rule == NULL || fault_injected(&fix->vfs) > 0);
    fix->vfs.before = NULL;
    fault_heal(&fix->vfs);
    chain_expect_copy(fix, "copy");
    chain_close(fix);
    return seen;
}

static bool takes_direct_writes(const fixture *fix)
{
    int fd = open(at_dir(fix, "probe"), O_WRONLY | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static void a_direct_backup_writes_past_the_page_cache(void **state)
{
    fixture *fix = *state;
    if (!takes_direct_writes(fix)) {
        print_message("the file system takes no direct writes\n");
        skip();
    }
    eye seen = back_up(fix, NULL);
    assert_true(seen.direct > 0);
    assert_int_equal(seen.notices, 0);
}

static void where_none_can_be_opened_the_caller_is_told_once(void **state)
{
    fault_rule refuse = {.kinds = FAULT_BIT(FAULT_CREATE),
        .path = "0.db.__backup.tmp",
        .nth = 1,
        .error = EINVAL,
        .manner = FAULT_ONCE};
    eye seen = back_up(*state, &refuse);
    assert_int_equal(seen.direct, 0);
    assert_true(seen.cached > 0);
    assert_int_equal(seen.notices, 1);
    assert_non_null(strstr(seen.notice, "/copy: the file system takes no direct writes"));
}

static void where_none_can_be_written_the_caller_is_told_once(void **state)
{
    fixture *fix = *state;
    fault_rule refuse = {.kinds = FAULT_BIT(FAULT_WRITE),
        .path = "0.db.__backup.tmp",
        .nth = 1,
        .error = EINVAL,
        .manner = FAULT_ONCE};
    if (!takes_direct_writes(fix)) {
        print_message("the file system takes no direct writes\n");
        skip();
    }
    eye seen = back_up(fix, &refuse);
    assert_true(seen.cached > 0);
    assert_int_equal(seen.notices, 1);
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(a_direct_backup_writes_past_the_page_cache),
    SCRATCH_TEST(where_none_can_be_opened_the_caller_is_told_once),
    SCRATCH_TEST(where_none_can_be_written_the_caller_is_told_once),
};

TEST_MAIN(tests)
