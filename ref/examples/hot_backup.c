/*
 * Opens an environment, writes to it, backs it up while it is open, recovers the copy, reads it
 * back. Compiles unchanged against this repository's db.h and against Berkeley DB's own.
 *
 *     hot_backup DIRECTORY        an empty directory; leaves home/ and copy/ there
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <db.h>

static void check(int ret, const char *what)
{
    if (ret != 0) {
        fprintf(stderr, "%s: %s\n", what, db_strerror(ret));
        exit(1);
    }
}

static DB *open_database(const char *home, u_int32_t flags, DB_ENV **env)
{
    DB *db;
    check(db_env_create(env, 0), "db_env_create");
    check((*env)->open(*env, home,
              DB_CREATE | DB_INIT_MPOOL | DB_INIT_LOCK | DB_INIT_LOG | DB_INIT_TXN | flags, 0),
        home);
    check(db_create(&db, *env, 0), "db_create");
    check(db->open(db, NULL, "greeting.db", NULL, DB_BTREE, DB_CREATE | DB_AUTO_COMMIT, 0),
        "greeting.db");
    return db;
}

int main(int argc, char **argv)
{
    char key_bytes[] = "greeting", value_bytes[] = "hello, copy";
    DBT key = {.data = key_bytes, .size = 8}, value = {.data = value_bytes, .size = 11}, read = {0};
    DB_ENV *env;

    if (argc != 2 || chdir(argv[1]) != 0 || mkdir("home", 0700) != 0) {
        fprintf(stderr, "usage: %s DIRECTORY, which must exist and be empty\n", argv[0]);
        return 2;
    }
    DB *db = open_database("home", 0, &env);
    check(db->put(db, NULL, &key, &value, 0), "DB->put");
    check(env->backup(env, "copy", DB_CREATE), "DB_ENV->backup");
    check(db->del(db, NULL, &key, 0), "DB->del"); /* after the backup: not in it */
    check(db->close(db, 0), "DB->close");
    check(env->close(env, 0), "DB_ENV->close");

    db = open_database("copy", DB_RECOVER_FATAL, &env);
    check(db->get(db, NULL, &key, &read, 0), "DB->get");
    printf("read from the copy: %.*s\n", (int)read.size, (char *)read.data);
    check(db->close(db, 0), "DB->close");
    check(env->close(env, 0), "DB_ENV->close");
    return 0;
}
