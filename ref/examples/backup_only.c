/*
 * Backs up an environment that another process has open and goes on writing to.
 * Compiles unchanged against this repository's db.h and against Berkeley DB's own.
 *
 *     backup_only HOME TARGET       TARGET is made, or its old content replaced
 */
#include <stdio.h>
#include <stdlib.h>
#include <db.h>

static void check(int ret, const char *what)
{
    if (ret != 0) {
        fprintf(stderr, "%s: %s\n", what, db_strerror(ret));
        exit(1);
    }
}

int main(int argc, char **argv)
{
    DB_ENV *env;

    if (argc != 3) {
        fprintf(stderr, "usage: %s HOME TARGET\n", argv[0]);
        return 2;
    }
    check(db_env_create(&env, 0), "db_env_create");
    env->set_errfile(env, stderr);

    /* No DB_CREATE: joins what the other process has made. No DB_INIT_...: with the subsystems that
     * it has. (Berkeley DB needs its region files for that: it must not have used DB_PRIVATE.) */
    check(env->open(env, argv[1], 0, 0), argv[1]);
    check(env->backup(env, argv[2], DB_CREATE | DB_BACKUP_CLEAN), argv[2]);
    check(env->close(env, 0), "DB_ENV->close");

    /* Whoever needs the copy opens it with DB_CREATE | DB_RECOVER_FATAL, as hot_backup.c does. */
    return 0;
}
