/* The fences around a case: see isolate.h. */
#include "isolate.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of newer kernels than the headers of Debian 12 know. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

/* Above the largest file of any case (one of more than 1 GiB, with holes), below what hurts. */
static const rlim_t largest_file = (rlim_t)8 << 30;

static const uint64_t write_rights = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                                     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                                     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                                     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

static int landlock_version(void)
{
    long version =
        syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);
    return version > 0 ? (int)version : 0;
}

hp_isolation hp_isolation_probe(void)
{
    return (hp_isolation){.landlock = landlock_version(), .user_drop = geteuid() == 0};
}

void hp_isolation_text(hp_isolation isolation, char *text, size_t size)
{
    char landlock[32] = "no Landlock";
    if (isolation.landlock > 0) {
        snprintf(landlock, sizeof landlock, "Landlock %d", isolation.landlock);
    }
    snprintf(text, size, "%s, %s", landlock,
        isolation.user_drop ? "another user (65534)" : "the user who started the run");
}

static int allow_below(int ruleset, const char *path, uint64_t rights)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = rights};
    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0) {
        return -1;
    }
    long status =
        syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, (uint32_t)0);
    int error = errno;
    close(rule.parent_fd);
    errno = error;
    return status == 0 ? 0 : -1;
}

static int allow_devices(int ruleset, uint64_t handled)
{
    static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full"};
    uint64_t rights =
        handled & (LANDLOCK_ACCESS_FS_WRITE_FILE | (uint64_t)LANDLOCK_ACCESS_FS_TRUNCATE);
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        if (allow_below(ruleset, devices[i], rights) != 0 && errno != ENOENT) {
            return -1;
        }
    }
    return 0;
}

static int restrict_writes(int version, const char *directory, const char *also)
{
    struct landlock_ruleset_attr attributes = {.handled_access_fs = write_rights};
    attributes.handled_access_fs |= version >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0;
    attributes.handled_access_fs |= version >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE : 0;
    uint64_t all = attributes.handled_access_fs;
    int ruleset =
        (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, (uint32_t)0);
    if (ruleset < 0) {
        return -1;
    }
    int status = allow_below(ruleset, directory, all);
    if (status == 0 && also != NULL) {
        status = allow_below(ruleset, also, all);
    }
    if (status == 0) {
        status = allow_devices(ruleset, all);
    }
    if (status == 0) {
        status = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    }
    if (status == 0) {
        status = (int)syscall(SYS_landlock_restrict_self, ruleset, (uint32_t)0);
    }
    int error = errno;
    close(ruleset);
    errno = error;
    return status;
}

static int drop_user(void)
{
    if (setgroups(0, NULL) != 0 || setresgid(HP_CASE_USER, HP_CASE_USER, HP_CASE_USER) != 0 ||
        setresuid(HP_CASE_USER, HP_CASE_USER, HP_CASE_USER) != 0) {
        return -1;
    }
    /* The change of user took both away: the leak checker attaches to the process, and a runner
     * that is killed must take its cases along. */
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0
               ? -1
               : 0;
}

int hp_isolate(const char *directory, const char *also, char *why, size_t size)
{
    hp_isolation possible = hp_isolation_probe();
    struct rlimit none = {0, 0}, file = {largest_file, largest_file};
    umask(022);
    if (setrlimit(RLIMIT_CORE, &none) != 0 || setrlimit(RLIMIT_FSIZE, &file) != 0) {
        snprintf(why, size, "cannot set limits: %s", strerror(errno));
        return -1;
    }
    if (possible.landlock > 0 && restrict_writes(possible.landlock, directory, also) != 0) {
        snprintf(why, size, "cannot restrict writes to %s: %s", directory, strerror(errno));
        return -1;
    }
    if (possible.user_drop && drop_user() != 0) {
        snprintf(why, size, "cannot become user %u: %s", HP_CASE_USER, strerror(errno));
        return -1;
    }
    if (access(directory, R_OK | W_OK | X_OK) != 0) {
        snprintf(why, size, "user %u cannot reach %s (%s): choose another --work", HP_CASE_USER,
            directory, strerror(errno));
        return -1;
    }
    return 0;
}
