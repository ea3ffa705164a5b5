/* Environment handles: configuration, open, DB_CONFIG, messages, close, remove. */
#include "berkeleydb_support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int try_open(const char *home, u_int32_t flags)
{
    DB_ENV *env = new_env();
    int ret = env->open(env, home, flags, 0);

    assert_int_equal(env->close(env, 0), 0);
    return ret;
}

static int try_config(const char *config)
{
    (void)mkdir("home", 0700);
    write_file("home/DB_CONFIG", config);
    return try_open("home", ENV_FLAGS);
}

/* ---- creation and open ---- */

static void a_handle_has_a_null_app_private_and_takes_no_flag(void **state)
{
    DB_ENV *env = new_env();
    DB_ENV *other = env;

    (void)state;
    assert_null(env->app_private);
    close_all(NULL, env);
    assert_int_equal(db_env_create(&other, 1), EINVAL);
    assert_null(other);
}

static void create_without_DB_INIT_TXN_is_refused_by_name(void **state)
{
    (void)state;
    make_dir("home");
    assert_refused(try_open("home", DB_CREATE | DB_INIT_MPOOL), "DB_INIT_TXN");
}

static void unknown_and_missing_open_flags_are_refused(void **state)
{
    (void)state;
    make_dir("home");
    assert_refused(try_open("home", ENV_FLAGS | 0x80000000u), "0x80000000");
    assert_refused(try_open("home", ENV_FLAGS | DB_INIT_REP), "DB_INIT_REP");
    assert_refused(try_open("home", ENV_FLAGS | DB_INIT_CDB), "DB_INIT_CDB");
    assert_refused(try_open("home", ENV_FLAGS | DB_SYSTEM_MEM), "DB_SYSTEM_MEM");
    assert_false(exists("home/log.0000000001"));
}

static void recovery_needs_DB_CREATE_and_one_kind(void **state)
{
    (void)state;
    make_dir("home");
    assert_refused(try_open("home", DB_INIT_TXN | DB_RECOVER), "DB_CREATE");
    assert_refused(
        try_open("home", ENV_FLAGS | DB_RECOVER | DB_RECOVER_FATAL), "exclude one another");
    assert_int_equal(try_open("home", ENV_FLAGS | DB_RECOVER), 0);
    assert_int_equal(try_open("home", ENV_FLAGS | DB_RECOVER_FATAL), 0);
    assert_int_equal(try_open("home", ENV_FLAGS | DB_RECOVER | DB_REGISTER), 0);
}

static void a_missing_home_is_ENOENT_and_is_named(void **state)
{
    (void)state;
    assert_int_equal(try_open("nowhere", ENV_FLAGS), ENOENT);
    assert_non_null(strstr(errors(), "nowhere"));
}

static void join_without_DB_CREATE_needs_an_environment(void **state)
{
    (void)state;
    make_dir("home");
    assert_int_equal(try_open("home", 0), ENOENT);
    close_all(NULL, open_env("home", 0));
    assert_int_equal(try_open("home", 0), 0);
    assert_int_equal(try_open("home", DB_INIT_MPOOL | DB_INIT_TXN), 0);
}

static void open_twice_is_refused_and_harms_nothing(void **state)
{
    DB_ENV *env = open_env("home", 0);

    (void)state;
    assert_refused(env->open(env, "home", ENV_FLAGS, 0), "not after DB_ENV->open");
    DB *db = open_db(env, "a.db");
    assert_int_equal(put(db, NULL, "k", "v"), 0);
    close_all(db, env);
}

static void two_handles_of_one_process_are_one_environment(void **state)
{
    DB_ENV *first = open_env("home", 0), *second = open_env("home", 0);
    DB *db = open_db(first, "a.db");

    (void)state;
    assert_int_equal(put(db, NULL, "k", "v"), 0);
    DB *other = open_db(second, "a.db");
    assert_value(other, NULL, "k", "v");
    close_all(other, second);
    assert_value(db, NULL, "k", "v");
    close_all(db, first);
}

static void an_environment_that_another_process_has_open_is_EAGAIN(void **state)
{
    int status = 0, ready[2];
    char byte = 0;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork(); /* before the parent opens it: so that they share nothing but the disk */
    assert_true(child >= 0);
    if (child == 0) {
        DB_ENV *other = NULL;
        int ret = read(ready[0], &byte, 1) == 1 ? db_env_create(&other, 0) : EIO;

        if (ret == 0) {
            other->set_errfile(other, NULL);
            ret = other->open(other, "home", ENV_FLAGS, 0);
        }
        _exit(ret);
    }
    DB_ENV *env = open_env("home", 0);
    assert_int_equal(write(ready[1], &byte, 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EAGAIN);
    (void)close(ready[0]);
    (void)close(ready[1]);
    close_all(NULL, env);
}

static void created_files_have_the_mode_that_open_was_given(void **state)
{
    DB_ENV *env = new_env();
    struct stat info;

    (void)state;
    make_dir("home");
    mode_t mask = umask(0);
    assert_int_equal(env->open(env, "home", ENV_FLAGS, 0640), 0);
    DB *db = open_db(env, "a.db");
    assert_int_equal(put(db, NULL, "k", "v"), 0);
    (void)umask(mask);
    assert_int_equal(stat("home/log.0000000001", &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    close_all(db, env);
}

/* ---- the home's name ---- */

static void DB_HOME_counts_only_with_DB_USE_ENVIRON(void **state)
{
    const char *home = NULL;
    DB_ENV *env = new_env();

    (void)state;
    make_dir("variable");
    assert_int_equal(setenv("DB_HOME", "variable", 1), 0);
    assert_int_equal(env->open(env, NULL, ENV_FLAGS | DB_USE_ENVIRON, 0), 0);
    assert_int_equal(env->get_home(env, &home), 0);
    assert_string_equal(home, "variable");
    close_all(NULL, env);
    env = new_env();
    assert_int_equal(env->open(env, NULL, ENV_FLAGS, 0), 0);
    assert_true(exists("log.0000000001"));
    close_all(NULL, env);
    assert_int_equal(unsetenv("DB_HOME"), 0);
}

static void a_home_that_is_given_beats_DB_HOME(void **state)
{
    const char *home = NULL;
    DB_ENV *env = new_env();

    (void)state;
    make_dir("home");
    assert_int_equal(setenv("DB_HOME", "variable", 1), 0);
    assert_int_equal(env->open(env, "home", ENV_FLAGS | DB_USE_ENVIRON, 0), 0);
    assert_int_equal(env->get_home(env, &home), 0);
    assert_string_equal(home, "home");
    close_all(NULL, env);
    assert_int_equal(unsetenv("DB_HOME"), 0);
}

static void an_empty_DB_HOME_or_home_is_refused(void **state)
{
    (void)state;
    assert_int_equal(setenv("DB_HOME", "", 1), 0);
    assert_refused(try_open(NULL, ENV_FLAGS | DB_USE_ENVIRON), "DB_HOME");
    assert_int_equal(unsetenv("DB_HOME"), 0);
    assert_refused(try_open("", ENV_FLAGS), "empty");
}

static void before_open_there_is_no_home_and_there_are_no_open_flags(void **state)
{
    DB_ENV *env = new_env();
    const char *home = "";
    u_int32_t flags = 1;

    (void)state;
    assert_int_equal(env->get_home(env, &home), 0);
    assert_null(home);
    assert_refused(env->get_open_flags(env, &flags), "only after DB_ENV->open");
    assert_int_equal(flags, 0);
    close_all(NULL, env);
    env = open_env("home", DB_THREAD);
    assert_int_equal(env->get_open_flags(env, &flags), 0);
    assert_int_equal(flags, ENV_FLAGS | DB_THREAD);
    close_all(NULL, env);
}

/* ---- directories ---- */

static void data_dirs_are_listed_in_order_and_once(void **state)
{
    DB_ENV *env = new_env();
    const char **dirs = NULL;

    (void)state;
    assert_int_equal(env->get_data_dirs(env, &dirs), 0);
    assert_non_null(dirs);
    assert_null(dirs[0]);
    assert_int_equal(env->add_data_dir(env, "d1"), 0);
    assert_int_equal(env->set_data_dir(env, "d2"), 0);
    assert_int_equal(env->add_data_dir(env, "d1"), 0);
    assert_int_equal(env->get_data_dirs(env, &dirs), 0);
    assert_string_equal(dirs[0], "d1");
    assert_string_equal(dirs[1], "d2");
    assert_null(dirs[2]);
    assert_refused(env->add_data_dir(env, ""), "empty");
    assert_refused(env->add_data_dir(env, NULL), "NULL");
    close_all(NULL, env);
}

static void databases_are_made_in_the_first_data_dir_or_in_the_create_dir(void **state)
{
    (void)state;
    make_dir("home");
    make_dir("home/d1");
    make_dir("home/d2");
    for (int i = 0; i < 2; i++) {
        DB_ENV *env = new_env();

        assert_int_equal(env->add_data_dir(env, "d1"), 0);
        assert_int_equal(env->add_data_dir(env, "d2"), 0);
        if (i == 1) {
            assert_int_equal(env->set_create_dir(env, "d2"), 0);
        }
        assert_int_equal(env->open(env, "home", ENV_FLAGS, 0), 0);
        DB *db = open_db(env, i == 0 ? "a.db" : "b.db");
        assert_int_equal(put(db, NULL, "k", "v"), 0);
        close_all(db, env);
    }
    assert_true(exists("home/d1/a.db"));
    assert_true(exists("home/d2/b.db"));
}

static void a_create_dir_that_is_no_data_dir_is_refused_by_name(void **state)
{
    DB_ENV *env = new_env();
    DB *db = NULL;

    (void)state;
    assert_refused(env->set_create_dir(env, "elsewhere"), "elsewhere");
    assert_int_equal(db_create(&db, env, 0), 0);
    assert_refused(db->set_create_dir(db, "elsewhere"), "elsewhere");
    close_all(db, env);
}

static void one_name_in_two_data_dirs_is_two_databases(void **state)
{
    DB_ENV *env = new_env();
    DB *db[2] = {NULL, NULL};
    static const char *const dirs[] = {"d1", "d2"};

    (void)state;
    make_dir("home");
    for (int i = 0; i < 2; i++) {
        char path[16];

        snprintf(path, sizeof path, "home/%s", dirs[i]);
        make_dir(path);
        assert_int_equal(env->add_data_dir(env, dirs[i]), 0);
    }
    assert_int_equal(env->open(env, "home", ENV_FLAGS, 0), 0);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 2; i++) {
            assert_int_equal(db_create(&db[i], env, 0), 0);
            assert_int_equal(db[i]->set_create_dir(db[i], dirs[i]), 0);
            assert_int_equal(db[i]->open(db[i], NULL, "same.db", NULL, DB_BTREE,
                                 round == 0 ? DB_CREATE | DB_AUTO_COMMIT : DB_AUTO_COMMIT, 0),
                0);
            if (round == 0) {
                assert_int_equal(put(db[i], NULL, "dir", dirs[i]), 0);
            }
        }
        for (int i = 0; i < 2; i++) {
            assert_value(db[i], NULL, "dir", dirs[i]);
            close_all(db[i], NULL);
        }
    }
    close_all(NULL, env);
    assert_true(exists("home/d1/same.db"));
    assert_true(exists("home/d2/same.db"));
}

static void the_log_lies_in_its_directory(void **state)
{
    DB_ENV *env = new_env();
    const char *dir = "";

    (void)state;
    make_dir("home");
    make_dir("home/logs");
    assert_int_equal(env->get_lg_dir(env, &dir), 0);
    assert_null(dir);
    assert_int_equal(env->set_lg_dir(env, "logs"), 0);
    assert_int_equal(env->get_lg_dir(env, &dir), 0);
    assert_string_equal(dir, "logs");
    assert_int_equal(env->open(env, "home", ENV_FLAGS, 0), 0);
    DB *db = open_db(env, "a.db");
    assert_int_equal(put(db, NULL, "k", "v"), 0);
    assert_true(exists("home/logs/log.0000000001"));
    assert_false(exists("home/log.0000000001"));
    close_all(db, env);
}

static void what_places_files_is_refused_after_open(void **state)
{
    DB_ENV *env = open_env("home", 0);

    (void)state;
    assert_refused(env->add_data_dir(env, "d"), "DB_ENV->add_data_dir: not after DB_ENV->open");
    assert_refused(env->set_data_dir(env, "d"), "DB_ENV->set_data_dir: not after");
    assert_refused(env->set_create_dir(env, "d"), "DB_ENV->set_create_dir: not after");
    assert_refused(env->set_lg_dir(env, "d"), "DB_ENV->set_lg_dir: not after");
    close_all(NULL, env);
}

static void sizes_may_be_set_at_any_time(void **state)
{
    DB_ENV *env = open_env("home", 0);

    (void)state;
    assert_int_equal(env->set_lg_max(env, 1u << 20), 0);
    assert_int_equal(env->set_cachesize(env, 0, 1u << 20, 1), 0);
    assert_refused(env->set_lg_max(env, 1000), "1000");
    close_all(NULL, env);
}

static void sizes_that_are_too_small_are_refused(void **state)
{
    DB_ENV *env = new_env();

    (void)state;
    assert_refused(env->set_lg_max(env, 1000), "1000");
    assert_refused(env->set_cachesize(env, 0, 1000, 1), "1000");
    assert_int_equal(env->set_lg_max(env, 0), 0);
    assert_int_equal(env->set_cachesize(env, 1, 1u << 20, 3), 0);
    close_all(NULL, env);
}

/* ---- switches ---- */

static void flags_are_set_cleared_and_reported(void **state)
{
    DB_ENV *env = new_env();
    u_int32_t flags = 0;

    (void)state;
    assert_int_equal(env->set_flags(env, DB_AUTO_COMMIT | DB_TXN_NOSYNC, 1), 0);
    assert_int_equal(env->set_flags(env, DB_TXN_WRITE_NOSYNC, 1), 0);
    assert_int_equal(env->get_flags(env, &flags), 0);
    assert_int_equal(flags, DB_AUTO_COMMIT | DB_TXN_WRITE_NOSYNC);
    assert_int_equal(env->set_flags(env, DB_AUTO_COMMIT, 0), 0);
    assert_int_equal(env->get_flags(env, &flags), 0);
    assert_int_equal(flags, DB_TXN_WRITE_NOSYNC);
    assert_refused(env->set_flags(env, 0x40000000u, 1), "0x40000000");
    assert_refused(env->set_flags(env, DB_PANIC_ENVIRONMENT, 1), "DB_PANIC_ENVIRONMENT");
    assert_int_equal(env->set_flags(env, DB_DIRECT_DB, 0), 0);
    close_all(NULL, env);
}

static void the_hot_backup_flag_counts_over_all_handles(void **state)
{
    DB_ENV *env = new_env();
    u_int32_t flags = 0;

    (void)state;
    assert_refused(env->set_flags(env, DB_HOTBACKUP_IN_PROGRESS, 1), "only after DB_ENV->open");
    close_all(NULL, env);
    env = open_env("home", 0);
    DB_ENV *other = open_env("home", 0);
    assert_int_equal(env->set_flags(env, DB_HOTBACKUP_IN_PROGRESS, 1), 0);
    assert_int_equal(other->set_flags(other, DB_HOTBACKUP_IN_PROGRESS, 1), 0);
    assert_int_equal(env->set_flags(env, DB_HOTBACKUP_IN_PROGRESS, 0), 0);
    assert_int_equal(other->get_flags(other, &flags), 0);
    assert_int_equal(flags, DB_HOTBACKUP_IN_PROGRESS);
    assert_int_equal(env->set_flags(env, DB_HOTBACKUP_IN_PROGRESS, 0), 0);
    assert_int_equal(other->get_flags(other, &flags), 0);
    assert_int_equal(flags, 0);
    assert_refused(env->set_flags(env, DB_HOTBACKUP_IN_PROGRESS, 0), "more often");
    close_all(NULL, env);
    close_all(NULL, other);
}

static void verbose_policy_timeout_and_log_settings_are_checked(void **state)
{
    DB_ENV *env = new_env();
    int rejected = 7;

    (void)state;
    assert_int_equal(env->set_verbose(env, DB_VERB_BACKUP, 1), 0);
    assert_int_equal(env->set_verbose(env, DB_VERB_DEADLOCK, 1), 0);
    assert_refused(env->set_verbose(env, 0x40000000u, 1), "0x40000000");
    assert_int_equal(env->set_lk_detect(env, DB_LOCK_DEFAULT), 0);
    assert_refused(env->set_lk_detect(env, 55), "55");
    assert_int_equal(env->set_timeout(env, 1000, DB_SET_LOCK_TIMEOUT), 0);
    assert_int_equal(env->set_timeout(env, 1000, DB_SET_TXN_TIMEOUT), 0);
    assert_refused(env->set_timeout(env, 1000, 0), "DB_ENV->set_timeout");
    assert_int_equal(env->log_set_config(env, DB_LOG_AUTO_REMOVE, 1), 0);
    assert_refused(env->log_set_config(env, DB_LOG_IN_MEMORY, 1), "DB_LOG_IN_MEMORY");
    assert_refused(env->lock_detect(env, 0, DB_LOCK_DEFAULT, &rejected), "only after");
    assert_int_equal(rejected, 0);
    close_all(NULL, env);

    env = open_env("home", 0);
    rejected = 7;
    assert_int_equal(env->lock_detect(env, 0, DB_LOCK_YOUNGEST, &rejected), 0);
    assert_int_equal(rejected, 0);
    assert_refused(env->lock_detect(env, 0, 77, NULL), "77");
    assert_refused(env->lock_detect(env, 1, DB_LOCK_DEFAULT, NULL), "0x1");
    assert_int_equal(env->set_lk_detect(env, DB_LOCK_OLDEST), 0);
    assert_refused(env->set_lk_detect(env, DB_LOCK_YOUNGEST), "another policy");
    close_all(NULL, env);
}

/* ---- DB_CONFIG ---- */

static void DB_CONFIG_overrules_the_program(void **state)
{
    DB_ENV *env = new_env();
    const char **dirs = NULL, *log_dir = NULL;
    u_int32_t flags = 0;

    (void)state;
    make_dir("home");
    make_dir("home/data");
    make_dir("home/more");
    make_dir("home/logs");
    write_file("home/DB_CONFIG", "# a comment\n\n set_lg_dir ignored\nadd_data_dir data\n"
                                 "set_data_dir\tmore  \nset_create_dir more\nset_lg_dir logs\n"
                                 "set_lg_max 100000\nset_cachesize 0 1048576 1\n"
                                 "set_flags DB_TXN_NOSYNC on\nset_flags DB_AUTO_COMMIT\n"
                                 "set_verbose DB_VERB_RECOVERY off\nset_lk_detect DB_LOCK_OLDEST\n"
                                 "set_lock_timeout 5000000\nset_txn_timeout 5000000\n"
                                 "set_reg_timeout 5\nlog_set_config DB_LOG_AUTO_REMOVE on\n"
                                 "set_open_flags DB_THREAD\nset_lk_max_locks 5000");
    assert_int_equal(env->set_lg_dir(env, "nowhere"), 0);
    assert_int_equal(env->open(env, "home", ENV_FLAGS, 0), 0);
    assert_int_equal(env->get_data_dirs(env, &dirs), 0);
    assert_string_equal(dirs[0], "data");
    assert_string_equal(dirs[1], "more");
    assert_int_equal(env->get_lg_dir(env, &log_dir), 0);
    assert_string_equal(log_dir, "logs");
    assert_int_equal(env->get_flags(env, &flags), 0);
    assert_int_equal(flags, DB_TXN_NOSYNC | DB_AUTO_COMMIT);
    assert_int_equal(env->get_open_flags(env, &flags), 0);
    assert_int_equal(flags, ENV_FLAGS | DB_THREAD);
    DB *db = open_db(env, "a.db");
    assert_int_equal(put(db, NULL, "k", "v"), 0);
    assert_true(exists("home/more/a.db"));
    close_all(db, env);
}

static void a_wrong_line_of_DB_CONFIG_is_refused_by_file_and_line(void **state)
{
    (void)state;
    assert_refused(try_config("\nset_nonsense 5\n"), "home/DB_CONFIG: line 2: the parameter "
                                                     "\"set_nonsense\"");
    assert_refused(try_config("set_lg_max\n"), "line 1: \"set_lg_max\": a name and a value");
    assert_refused(try_config("set_lg_max many\n"), "not a number");
    assert_refused(try_config("set_lg_max 5\n"), "at least");
    assert_refused(try_config("set_lg_max 100000 2\n"), "one number");
    assert_refused(try_config("set_lg_max 99999999999\n"), "32 bits");
    assert_refused(try_config("set_cachesize 0 5000000\n"), "three numbers");
    assert_refused(try_config("set_flags DB_NONSENSE\n"), "unknown flag");
    assert_refused(try_config("set_flags DB_AUTO_COMMIT maybe\n"), "\"on\" or \"off\"");
    assert_refused(try_config("set_flags DB_CDB_ALLDB\n"), "DB_CDB_ALLDB");
    assert_refused(try_config("set_open_flags DB_INIT_REP\n"), "DB_INIT_REP");
    assert_refused(try_config("set_lk_detect DB_LOCK_NONSENSE\n"), "unknown flag");
    assert_refused(try_config("set_create_dir nowhere\n"), "nowhere");
    assert_int_equal(try_config("set_lk_max_lockers 2000\n#\n"), 0);
}

/* ---- messages ---- */

static void messages_have_the_prefix_and_go_to_callback_and_stream(void **state)
{
    DB_ENV *env = new_env();
    char *line = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&line, &size);

    (void)state;
    assert_non_null(stream);
    env->set_errpfx(env, "me");
    env->set_errfile(env, stream);
    env->err(env, ENOENT, "looking for %d", 42);
    env->errx(env, "only %s", "words");
    env->err(env, DB_NOTFOUND, NULL);
    assert_int_equal(env->set_lk_detect(env, 99), EINVAL);
    (void)fflush(stream);
    assert_ptr_equal(strstr(line, "me: looking for 42: No such file or directory\nme: only words\n"
                                  "me: DB_NOTFOUND: "),
        line);
    assert_non_null(strstr(line, "me: DB_ENV->set_lk_detect: unknown policy 99\n"));
    assert_ptr_equal(
        strstr(errors(), "[me] looking for 42: No such file or directory\n"), errors());
    assert_non_null(strstr(errors(), "[me] DB_ENV->set_lk_detect: unknown policy 99\n"));
    close_all(NULL, env);
    (void)fclose(stream);
    free(line);
}

static void messages_go_to_stderr_until_a_way_is_chosen(void **state)
{
    char line[256] = "";
    DB_ENV *env = NULL;
    DB *none = NULL;
    int saved = dup(STDERR_FILENO);

    (void)state;
    assert_non_null(freopen("words", "w", stderr));
    assert_int_equal(db_env_create(&env, 0), 0);
    assert_int_equal(env->set_lk_detect(env, 98), EINVAL);
    env->set_errfile(env, NULL);
    assert_int_equal(env->set_lk_detect(env, 99), EINVAL); /* silent: the way is "nowhere" */
    env->errx(env, "the program's own");
    assert_int_equal(db_create(&none, NULL, 77), EINVAL);
    (void)fflush(stderr);
    assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    (void)close(saved);
    close_all(NULL, env);

    FILE *words = fopen("words", "r");
    assert_non_null(words);
    assert_non_null(fgets(line, sizeof line, words));
    assert_non_null(strstr(line, "98"));
    assert_non_null(fgets(line, sizeof line, words));
    assert_string_equal(line, "the program's own\n");
    assert_non_null(fgets(line, sizeof line, words));
    assert_non_null(strstr(line, "db_create"));
    assert_null(fgets(line, sizeof line, words));
    (void)fclose(words);
}

static void a_database_of_an_environment_sends_as_the_environment_does(void **state)
{
    DB_ENV *env = new_env();
    DB *db = NULL;

    (void)state;
    assert_int_equal(db_create(&db, env, 0), 0);
    db->set_errpfx(db, "db");
    db->err(db, EIO, "broken");
    db->errx(db, "%d", 5);
    env->errx(env, "env");
    assert_string_equal(errors(), "[db] broken: Input/output error\n[db] 5\n[db] env\n");
    close_all(db, env);
}

static void every_value_has_a_sentence(void **state)
{
    (void)state;
    assert_non_null(strstr(db_strerror(DB_NOTFOUND), "DB_NOTFOUND"));
    assert_non_null(strstr(db_strerror(DB_LOCK_DEADLOCK), "DB_LOCK_DEADLOCK"));
    assert_non_null(strstr(db_strerror(DB_VERSION_MISMATCH), "DB_VERSION_MISMATCH"));
    assert_string_equal(db_strerror(ENOENT), strerror(ENOENT));
    assert_non_null(strstr(db_strerror(-12345), "-12345"));
    assert_true(strlen(db_strerror(0)) > 0);
}

static void the_version_is_that_of_the_interface(void **state)
{
    int family, release, major, minor, patch;

    (void)state;
    assert_non_null(strstr(db_version(&major, &minor, &patch), "5.3.28"));
    assert_int_equal(major, 5);
    assert_int_equal(minor, 3);
    assert_int_equal(patch, 28);
    assert_non_null(db_full_version(&family, &release, NULL, NULL, NULL));
    assert_int_equal(family, 11);
    assert_int_equal(release, 2);
    assert_string_equal(db_version(NULL, NULL, NULL), DB_VERSION_STRING);
}

/* ---- close and remove ---- */

static void close_ends_databases_and_cursors(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db"), *unopened = NULL;
    DBC *cursor = NULL;

    (void)state;
    assert_int_equal(db_create(&unopened, env, 0), 0);
    assert_int_equal(put(db, NULL, "k", "v"), 0);
    assert_int_equal(db->cursor(db, NULL, &cursor, 0), 0);
    assert_int_equal(env->close(env, DB_FORCESYNC), 0);
    env = open_env("home", 0);
    db = open_db(env, "a.db");
    assert_value(db, NULL, "k", "v");
    close_all(db, env);
}

static void close_aborts_unresolved_transactions_and_says_so(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db");
    DB_TXN *txn = begin(env, 0);

    (void)state;
    assert_int_equal(put(db, NULL, "before", "v"), 0);
    assert_int_equal(put(db, txn, "k", "v"), 0);
    assert_refused(env->close(env, 0), "1 transactions were not resolved");
    env = open_env("home", 0);
    db = open_db(env, "a.db");
    assert_records(db, NULL, "before=v");
    close_all(db, env);
}

static void close_with_a_wrong_flag_is_refused_and_closes(void **state)
{
    DB_ENV *env = open_env("home", 0);

    (void)state;
    assert_refused(env->close(env, 0x40u), "0x40");
    close_all(NULL, open_env("home", 0));
}

static void remove_leaves_databases_and_log(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db");

    (void)state;
    assert_int_equal(put(db, NULL, "k", "v"), 0);
    close_all(db, env);
    env = new_env();
    assert_int_equal(env->remove(env, "home", 0), 0);
    assert_true(exists("home/a.db"));
    assert_true(exists("home/log.0000000001"));
    env = open_env("home", 0);
    db = open_db(env, "a.db");
    assert_value(db, NULL, "k", "v");
    close_all(db, env);
}

static void remove_of_an_environment_in_use_is_EBUSY(void **state)
{
    DB_ENV *env = open_env("home", 0), *other = new_env();

    (void)state;
    assert_int_equal(other->remove(other, "home", 0), EBUSY);
    other = new_env();
    assert_int_equal(other->remove(other, "home", DB_FORCE), EBUSY);
    DB *db = open_db(env, "a.db");
    assert_int_equal(put(db, NULL, "k", "v"), 0);
    close_all(db, NULL);
    assert_refused(env->remove(env, "home", 0), "not after DB_ENV->open");
    other = new_env();
    assert_int_equal(other->remove(other, "home", 0), 0);
}

static const struct CMUnitTest tests[] = {
    TEST(a_handle_has_a_null_app_private_and_takes_no_flag),
    TEST(create_without_DB_INIT_TXN_is_refused_by_name),
    TEST(unknown_and_missing_open_flags_are_refused),
    TEST(recovery_needs_DB_CREATE_and_one_kind),
    TEST(a_missing_home_is_ENOENT_and_is_named),
    TEST(join_without_DB_CREATE_needs_an_environment),
    TEST(open_twice_is_refused_and_harms_nothing),
    TEST(two_handles_of_one_process_are_one_environment),
    TEST(an_environment_that_another_process_has_open_is_EAGAIN),
    TEST(created_files_have_the_mode_that_open_was_given),
    TEST(DB_HOME_counts_only_with_DB_USE_ENVIRON),
    TEST(a_home_that_is_given_beats_DB_HOME),
    TEST(an_empty_DB_HOME_or_home_is_refused),
    TEST(before_open_there_is_no_home_and_there_are_no_open_flags),
    TEST(data_dirs_are_listed_in_order_and_once),
    TEST(databases_are_made_in_the_first_data_dir_or_in_the_create_dir),
    TEST(a_create_dir_that_is_no_data_dir_is_refused_by_name),
    TEST(one_name_in_two_data_dirs_is_two_databases),
    TEST(the_log_lies_in_its_directory),
    TEST(what_places_files_is_refused_after_open),
    TEST(sizes_may_be_set_at_any_time),
    TEST(sizes_that_are_too_small_are_refused),
    TEST(flags_are_set_cleared_and_reported),
    TEST(the_hot_backup_flag_counts_over_all_handles),
    TEST(verbose_policy_timeout_and_log_settings_are_checked),
    TEST(DB_CONFIG_overrules_the_program),
    TEST(a_wrong_line_of_DB_CONFIG_is_refused_by_file_and_line),
    TEST(messages_have_the_prefix_and_go_to_callback_and_stream),
    TEST(messages_go_to_stderr_until_a_way_is_chosen),
    TEST(a_database_of_an_environment_sends_as_the_environment_does),
    TEST(every_value_has_a_sentence),
    TEST(the_version_is_that_of_the_interface),
    TEST(close_ends_databases_and_cursors),
    TEST(close_aborts_unresolved_transactions_and_says_so),
    TEST(close_with_a_wrong_flag_is_refused_and_closes),
    TEST(remove_leaves_databases_and_log),
    TEST(remove_of_an_environment_in_use_is_EBUSY),
};
TEST_MAIN(tests)
