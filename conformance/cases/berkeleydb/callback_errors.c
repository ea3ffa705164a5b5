/* What a backup callback returns is what the caller of the backup gets. */
#include "bdb_cases.h"
#include "bdb_sink.h"
#include "bdb_support.h"

#include <errno.h>
#include <string.h>
#include <db.h>

enum { DATABASE_ERROR = 71, CLOSE_ERROR = 72 };

/* An errno, a number of the application's own, and a negative one. */
static const int some_errors[] = {EIO, 12345, -7};

/* Two that the library has a use for itself. */
static const int its_own_errors[] = {EINVAL, ENOENT};

/* Ordinary files are in the backup where they are what fails: with DB_BACKUP_FILES a library may
 * come to a database in another way. */
static uint32_t flags_for(const char *file)
{
    return strcmp(file, "notes.txt") == 0 ? DB_BACKUP_FILES : 0;
}

/* A backup in which `op` fails for the file, once for each value. */
static void assert_returned(
    bdb_sink_op op, const char *file, const int *values, size_t count, hp_clause_id clause)
{
    bdb_sample *s = bdb_sink_sample();

    for (size_t i = 0; i < count; i++) {
        bdb_sink_reset();
        bdb_sink_fail(op, file, values[i]);

        int ret = bdb_backup(s, "bk", flags_for(file));

        hp_promise(clause);
        hp_log("%s: error %d, the backup returns %d", file, values[i], ret);
        assert_int_equal(ret, values[i]);
        bdb_assert_only_changed(s, "sink");
    }
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* The caller learns why its destination could not be opened. */
static void an_error_of_open_func_for_a_database_is_returned(void **state)
{
    (void)state;
    assert_returned(
        BDB_SINK_OPEN, "a.db", some_errors, COUNT(some_errors), HP_BDB_CALLBACKS_OPEN_ERROR);
}

/* Even if the library would say the same of a file that is no database. */
static void EINVAL_or_ENOENT_of_open_func_for_a_database_is_returned(void **state)
{
    (void)state;
    assert_returned(
        BDB_SINK_OPEN, "a.db", its_own_errors, COUNT(its_own_errors), HP_BDB_CALLBACKS_OPEN_ERROR);
}

/* The caller learns that the log has no place. */
static void an_error_of_open_func_for_a_log_is_returned(void **state)
{
    (void)state;
    assert_returned(
        BDB_SINK_OPEN, BDB_LOGS, some_errors, COUNT(some_errors), HP_BDB_CALLBACKS_OPEN_ERROR);
}

/* Nor is a log left out for such a reason. */
static void EINVAL_or_ENOENT_of_open_func_for_a_log_is_returned(void **state)
{
    (void)state;
    assert_returned(BDB_SINK_OPEN, BDB_LOGS, its_own_errors, COUNT(its_own_errors),
        HP_BDB_CALLBACKS_OPEN_ERROR);
}

/* The caller learns that an ordinary file has no place. */
static void an_error_of_open_func_for_an_ordinary_file_is_returned(void **state)
{
    (void)state;
    assert_returned(
        BDB_SINK_OPEN, "notes.txt", some_errors, COUNT(some_errors), HP_BDB_CALLBACKS_OPEN_ERROR);
}

/* Nor is an ordinary file. */
static void EINVAL_or_ENOENT_of_open_func_for_an_ordinary_file_is_returned(void **state)
{
    (void)state;
    assert_returned(BDB_SINK_OPEN, "notes.txt", its_own_errors, COUNT(its_own_errors),
        HP_BDB_CALLBACKS_OPEN_ERROR);
}

/* What was never opened has no handle to write to or to close. */
static void assert_left_alone_after_failed_open(const char *file)
{
    bdb_sample *s = bdb_sink_sample();
    bdb_sink_fail(BDB_SINK_OPEN, file, EIO);

    (void)bdb_backup(s, "bk", flags_for(file));

    hp_promise(HP_BDB_CALLBACKS_FAILED_OPEN);
    assert_int_equal(bdb_sink_count(BDB_SINK_OPEN, file), 1);
    assert_int_equal(bdb_sink_count(BDB_SINK_WRITE, ""), 0);
    assert_in_range(bdb_sink_count(BDB_SINK_CLOSE, file), 0, 1);
    bdb_sample_end(s);
}

/* A database that was not opened is not written, and closed at most once. */
static void a_database_that_was_not_opened_is_left_alone(void **state)
{
    (void)state;
    assert_left_alone_after_failed_open("a.db");
}

/* A log that was not opened is not written, and closed at most once. */
static void a_log_that_was_not_opened_is_left_alone(void **state)
{
    (void)state;
    assert_left_alone_after_failed_open(BDB_LOGS);
}

/* An ordinary file that was not opened is not written, and closed at most once. */
static void an_ordinary_file_that_was_not_opened_is_left_alone(void **state)
{
    (void)state;
    assert_left_alone_after_failed_open("notes.txt");
}

/* The caller learns why a database could not be written. */
static void an_error_of_write_func_for_a_database_is_returned(void **state)
{
    (void)state;
    assert_returned(
        BDB_SINK_WRITE, "a.db", some_errors, COUNT(some_errors), HP_BDB_CALLBACKS_WRITE_ERROR);
}

/* A database that is cut short is not a backup, whatever the error was called. */
static void EINVAL_or_ENOENT_of_write_func_for_a_database_is_returned(void **state)
{
    (void)state;
    assert_returned(BDB_SINK_WRITE, "a.db", its_own_errors, COUNT(its_own_errors),
        HP_BDB_CALLBACKS_WRITE_ERROR);
}

/* The caller learns why a log could not be written. */
static void an_error_of_write_func_for_a_log_is_returned(void **state)
{
    (void)state;
    assert_returned(
        BDB_SINK_WRITE, BDB_LOGS, some_errors, COUNT(some_errors), HP_BDB_CALLBACKS_WRITE_ERROR);
}

/* Nor is a log left out for such a reason. */
static void EINVAL_or_ENOENT_of_write_func_for_a_log_is_returned(void **state)
{
    (void)state;
    assert_returned(BDB_SINK_WRITE, BDB_LOGS, its_own_errors, COUNT(its_own_errors),
        HP_BDB_CALLBACKS_WRITE_ERROR);
}

/* The caller learns why an ordinary file could not be written. */
static void an_error_of_write_func_for_an_ordinary_file_is_returned(void **state)
{
    (void)state;
    assert_returned(
        BDB_SINK_WRITE, "notes.txt", some_errors, COUNT(some_errors), HP_BDB_CALLBACKS_WRITE_ERROR);
}

/* Nor is an ordinary file. */
static void EINVAL_or_ENOENT_of_write_func_for_an_ordinary_file_is_returned(void **state)
{
    (void)state;
    assert_returned(BDB_SINK_WRITE, "notes.txt", its_own_errors, COUNT(its_own_errors),
        HP_BDB_CALLBACKS_WRITE_ERROR);
}

/* A failed write ends the file and the backup, and gives the handle back once. */
static void a_file_whose_write_failed_is_closed_once_and_is_the_last(void **state)
{
    (void)state;
    static const char *const files[] = {"a.db", BDB_LOGS, "notes.txt"};
    bdb_sample *s = bdb_sink_sample();

    for (size_t i = 0; i < COUNT(files); i++) {
        bdb_sink_reset();
        bdb_sink_fail(BDB_SINK_WRITE, files[i], EIO);

        (void)bdb_backup(s, "bk", flags_for(files[i]));

        hp_promise(HP_BDB_CALLBACKS_WRITE_ERROR);
        bdb_sink_assert_protocol();
        assert_int_equal(bdb_sink_count(BDB_SINK_WRITE, files[i]), 1);
        assert_int_equal(bdb_sink_count(BDB_SINK_CLOSE, files[i]), 1);
        const bdb_sink_call *last = bdb_sink_call_at(bdb_sink_call_count() - 1);
        assert_true(last->op == BDB_SINK_CLOSE && bdb_sink_count(BDB_SINK_OPEN, last->name) == 1);
    }
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* Closing is when many destinations first learn that they failed. */
static void an_error_of_close_func_for_a_database_is_returned(void **state)
{
    (void)state;
    assert_returned(
        BDB_SINK_CLOSE, "a.db", some_errors, COUNT(some_errors), HP_BDB_CALLBACKS_CLOSE_ERROR);
}

/* A database that could not be closed is not a backup, whatever the error was called. */
static void EINVAL_or_ENOENT_of_close_func_for_a_database_is_returned(void **state)
{
    (void)state;
    assert_returned(BDB_SINK_CLOSE, "a.db", its_own_errors, COUNT(its_own_errors),
        HP_BDB_CALLBACKS_CLOSE_ERROR);
}

/* A log that could not be closed is not a backup. */
static void an_error_of_close_func_for_a_log_is_returned(void **state)
{
    (void)state;
    assert_returned(
        BDB_SINK_CLOSE, BDB_LOGS, some_errors, COUNT(some_errors), HP_BDB_CALLBACKS_CLOSE_ERROR);
}

/* Nor is a log left out for such a reason. */
static void EINVAL_or_ENOENT_of_close_func_for_a_log_is_returned(void **state)
{
    (void)state;
    assert_returned(BDB_SINK_CLOSE, BDB_LOGS, its_own_errors, COUNT(its_own_errors),
        HP_BDB_CALLBACKS_CLOSE_ERROR);
}

/* Nor is an ordinary file. */
static void an_error_of_close_func_for_an_ordinary_file_is_returned(void **state)
{
    (void)state;
    assert_returned(
        BDB_SINK_CLOSE, "notes.txt", some_errors, COUNT(some_errors), HP_BDB_CALLBACKS_CLOSE_ERROR);
}

/* Nor is an ordinary file. */
static void EINVAL_or_ENOENT_of_close_func_for_an_ordinary_file_is_returned(void **state)
{
    (void)state;
    assert_returned(BDB_SINK_CLOSE, "notes.txt", its_own_errors, COUNT(its_own_errors),
        HP_BDB_CALLBACKS_CLOSE_ERROR);
}

/* The first error is the cause, the second its consequence. */
static void assert_write_error_wins(const char *file)
{
    bdb_sample *s = bdb_sink_sample();
    bdb_sink_fail(BDB_SINK_WRITE, file, DATABASE_ERROR);
    bdb_sink_fail(BDB_SINK_CLOSE, file, CLOSE_ERROR);

    int ret = bdb_backup(s, "bk", flags_for(file));

    hp_promise(HP_BDB_CALLBACKS_FIRST_ERROR);
    assert_int_equal(ret, DATABASE_ERROR);
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* If a database's write and its close fail, the write is at fault. */
static void the_write_error_of_a_database_wins_over_its_close_error(void **state)
{
    (void)state;
    assert_write_error_wins("a.db");
}

/* If a log's write and its close fail, the write is at fault. */
static void the_write_error_of_a_log_wins_over_its_close_error(void **state)
{
    (void)state;
    assert_write_error_wins(BDB_LOGS);
}

/* If an ordinary file's write and its close fail, the write is at fault. */
static void the_write_error_of_an_ordinary_file_wins_over_its_close_error(void **state)
{
    (void)state;
    assert_write_error_wins("notes.txt");
}

const hp_case bdb_callback_error_cases[] = {
    HP_CASE(an_error_of_open_func_for_a_database_is_returned, HP_BDB_CALLBACKS_OPEN_ERROR),
    HP_CASE(EINVAL_or_ENOENT_of_open_func_for_a_database_is_returned, HP_BDB_CALLBACKS_OPEN_ERROR),
    HP_CASE(an_error_of_open_func_for_a_log_is_returned, HP_BDB_CALLBACKS_OPEN_ERROR),
    HP_CASE(EINVAL_or_ENOENT_of_open_func_for_a_log_is_returned, HP_BDB_CALLBACKS_OPEN_ERROR),
    HP_CASE(an_error_of_open_func_for_an_ordinary_file_is_returned, HP_BDB_CALLBACKS_OPEN_ERROR),
    HP_CASE(EINVAL_or_ENOENT_of_open_func_for_an_ordinary_file_is_returned,
        HP_BDB_CALLBACKS_OPEN_ERROR),
    HP_CASE(a_database_that_was_not_opened_is_left_alone, HP_BDB_CALLBACKS_FAILED_OPEN),
    HP_CASE(a_log_that_was_not_opened_is_left_alone, HP_BDB_CALLBACKS_FAILED_OPEN),
    HP_CASE(an_ordinary_file_that_was_not_opened_is_left_alone, HP_BDB_CALLBACKS_FAILED_OPEN),
    HP_CASE(an_error_of_write_func_for_a_database_is_returned, HP_BDB_CALLBACKS_WRITE_ERROR),
    HP_CASE(
        EINVAL_or_ENOENT_of_write_func_for_a_database_is_returned, HP_BDB_CALLBACKS_WRITE_ERROR),
    HP_CASE(an_error_of_write_func_for_a_log_is_returned, HP_BDB_CALLBACKS_WRITE_ERROR),
    HP_CASE(EINVAL_or_ENOENT_of_write_func_for_a_log_is_returned, HP_BDB_CALLBACKS_WRITE_ERROR),
    HP_CASE(an_error_of_write_func_for_an_ordinary_file_is_returned, HP_BDB_CALLBACKS_WRITE_ERROR),
    HP_CASE(EINVAL_or_ENOENT_of_write_func_for_an_ordinary_file_is_returned,
        HP_BDB_CALLBACKS_WRITE_ERROR),
    HP_CASE(a_file_whose_write_failed_is_closed_once_and_is_the_last, HP_BDB_CALLBACKS_WRITE_ERROR),
    HP_CASE(an_error_of_close_func_for_a_database_is_returned, HP_BDB_CALLBACKS_CLOSE_ERROR),
    HP_CASE(
        EINVAL_or_ENOENT_of_close_func_for_a_database_is_returned, HP_BDB_CALLBACKS_CLOSE_ERROR),
    HP_CASE(an_error_of_close_func_for_a_log_is_returned, HP_BDB_CALLBACKS_CLOSE_ERROR),
    HP_CASE(EINVAL_or_ENOENT_of_close_func_for_a_log_is_returned, HP_BDB_CALLBACKS_CLOSE_ERROR),
    HP_CASE(an_error_of_close_func_for_an_ordinary_file_is_returned, HP_BDB_CALLBACKS_CLOSE_ERROR),
    HP_CASE(EINVAL_or_ENOENT_of_close_func_for_an_ordinary_file_is_returned,
        HP_BDB_CALLBACKS_CLOSE_ERROR),
    HP_CASE(the_write_error_of_a_database_wins_over_its_close_error, HP_BDB_CALLBACKS_FIRST_ERROR),
    HP_CASE(the_write_error_of_a_log_wins_over_its_close_error, HP_BDB_CALLBACKS_FIRST_ERROR),
    HP_CASE(the_write_error_of_an_ordinary_file_wins_over_its_close_error,
        HP_BDB_CALLBACKS_FIRST_ERROR),
    HP_CASE_END,
};
