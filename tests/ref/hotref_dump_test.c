/* hotref dump and load: the format, what is refused and where. (That the real db_dump and db_load
 * agree is tested by hotref_test.sh.) */
#include "testmain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cwd.h"
#include "hotref_support.h"

#define HEADER "VERSION=3\nformat=bytevalue\ntype=btree\nHEADER=END\n"
#define PRINT "VERSION=3\nformat=print\ntype=btree\nHEADER=END\n"

static int load(const char *text)
{
    cwd_file("in", text);
    return hotref("load", "-f", "in", "x.db", NULL);
}

static void what_was_loaded_is_dumped(void **state)
{
    (void)state;
    assert_int_equal(load(HEADER " 6B31\n 00ff\n 6b\n \n \n 61\nDATA=END\n"), 0);
    assert_int_equal(hotref("dump", "x.db", NULL), 0);
    assert_string_equal(hotref_said(),
        "VERSION=3\nformat=bytevalue\ntype=btree\ndb_pagesize=4096\nHEADER=END\n"
        " \n 61\n 6b\n \n 6b31\n 00ff\nDATA=END\n");
    assert_int_equal(hotref("dump", "-p", "-f", "out", "x.db", NULL), 0);
    cwd_is("out", "VERSION=3\nformat=print\ntype=btree\ndb_pagesize=4096\nHEADER=END\n"
                  " \n a\n k\n \n k1\n \\00\\ff\nDATA=END\n");
}

static void a_printable_dump_is_read(void **state)
{
    (void)state;
    assert_int_equal(load(PRINT " a\\\\b\n c\\0ad \\5c\nDATA=END\n"), 0);
    assert_int_equal(hotref("dump", "x.db", NULL), 0);
    hotref_must_say(" 615c62\n 630a64205c\nDATA=END\n");
}

static void what_cannot_be_loaded_is_refused_by_name_and_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {"", "in: line 1: the input is empty"},
        {"hello\n", "in: line 1: no dump"},
        {"VERSION=2\n", "in: line 1: only version 3"},
        {"VERSION=3\nformat=octal\n", "in: line 2: the format"},
        {"VERSION=3\ntype=recno\n", "in: line 2: type=recno: not supported"},
        {"VERSION=3\ntype=hash\nHEADER=END\nDATA=END\n", "in: line 2: type=hash"},
        {"VERSION=3\ntype=btree\nduplicates=1\n", "in: line 3: duplicates=1: not supported"},
        {"VERSION=3\ntype=btree\ndupsort=1\n", "in: line 3: dupsort=1: not supported"},
        {"VERSION=3\ntype=btree\nrecnum=1\n", "in: line 3: recnum=1: not supported"},
        {"VERSION=3\ntype=btree\nkeys=0\n", "in: line 3: keys=0: not supported"},
        {"VERSION=3\nformat=print\ndatabase=one\n", "in: line 3: database=one: not supported"},
        {"VERSION=3\nsubdatabase=one\n", "in: line 2: subdatabase=one: not supported"},
        {"VERSION=3\nre_len=7\n", "in: line 2: re_len=7: not supported"},
        {"VERSION=3\nmagic=7\n", "in: line 2: \"magic=7\": this keyword is unknown"},
        {"VERSION=3\nnonsense\n", "in: line 2: \"nonsense\": NAME=VALUE"},
        {"VERSION=3\ndb_pagesize=1000\n", "in: line 2: db_pagesize=1000: a page size is"},
        {"VERSION=3\ndb_pagesize=131072\n", "in: line 2: db_pagesize=131072: a page size is"},
        {"VERSION=3\nbt_minkey=-1\n", "in: line 2: \"bt_minkey=-1\": a number"},
        {"VERSION=3\nHEADER=END\n", "in: line 2: the header has no type"},
        {"VERSION=3\ntype=btree\n", "in: line 3: the input ends before HEADER=END"},
        {HEADER "61\n 62\nDATA=END\n", "in: line 5: a space is expected"},
        {HEADER " 6\n 62\nDATA=END\n", "in: line 5: column 2: two hexadecimal digits"},
        {HEADER " 61\n 6x\nDATA=END\n", "in: line 6: column 2: two hexadecimal digits"},
        {PRINT " a\\6\n b\nDATA=END\n", "in: line 5: column 3: two hexadecimal digits"},
        {HEADER " 61\nDATA=END\n", "in: line 6: a key without a value"},
        {HEADER " 61\n 62\n", "in: line 7: the input ends before DATA=END"},
        {HEADER " 61\n", "in: line 6: the input ends before DATA=END"},
        {HEADER "DATA=END\nmore\n", "in: line 6: something follows"},
        {HEADER "DATA=END\n" HEADER, "in: line 6: a second database"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(load(wrong[i].text), 1);
        hotref_must_say(wrong[i].message);
    }
}

static void a_header_that_is_refused_makes_no_database(void **state)
{
    (void)state;
    assert_int_equal(load("VERSION=3\ntype=btree\nduplicates=1\nHEADER=END\nDATA=END\n"), 1);
    assert_false(cwd_exists("x.db"));
}

static void keywords_of_layout_are_passed_over(void **state)
{
    (void)state;
    assert_int_equal(load("VERSION=3\nformat=print\ntype=btree\nchksum=1\nbt_minkey=4\n"
                          "db_lorder=4321\nduplicates=0\nkeys=1\ndb_pagesize=512\nHEADER=END\n"
                          "DATA=END\n"),
        0);
    assert_int_equal(hotref("dump", "x.db", NULL), 0);
    hotref_must_say("db_pagesize=512\n");
}

static void a_hash_dump_is_loaded_when_a_btree_is_asked_for(void **state)
{
    (void)state;
    cwd_file("in", "VERSION=3\nformat=print\ntype=hash\nh_nelem=2\nHEADER=END\n b\n 1\n a\n 2\n"
                   "DATA=END\n");
    assert_int_equal(hotref("load", "-t", "hash", "-f", "in", "x.db", NULL), 2);
    assert_int_equal(hotref("load", "-t", "btree", "-f", "in", "x.db", NULL), 0);
    assert_int_equal(hotref("dump", "-p", "x.db", NULL), 0);
    hotref_must_say(" a\n 2\n b\n 1\n");
}

static void n_keeps_what_is_there_and_gives_1(void **state)
{
    (void)state;
    assert_int_equal(load(PRINT " a\n 1\nDATA=END\n"), 0);
    cwd_file("in", PRINT " a\n 2\n b\n 2\nDATA=END\n");
    assert_int_equal(hotref("load", "-n", "-f", "in", "x.db", NULL), 1);
    hotref_must_say("in: line 5: the key exists already");
    hotref_must_say("1 records loaded, 1 not");
    assert_int_equal(hotref("dump", "-p", "x.db", NULL), 0);
    hotref_must_say(" a\n 1\n b\n 2\n");
    assert_int_equal(hotref("load", "-f", "in", "x.db", NULL), 0);
    assert_int_equal(hotref("dump", "-p", "x.db", NULL), 0);
    hotref_must_say(" a\n 2\n");
}

static void a_key_that_does_not_fit_says_so_and_c_gives_larger_pages(void **state)
{
    (void)state;
    FILE *file = fopen("in", "w");
    assert_non_null(file);
    fprintf(file, PRINT " a\n 1\n %01500d\n 2\nDATA=END\n", 7);
    fclose(file);
    assert_int_equal(hotref("load", "-f", "in", "x.db", NULL), 1);
    hotref_must_say("in: line 8: ");
    hotref_must_say("records were loaded before that");
    assert_int_equal(hotref("load", "-c", "db_pagesize=8192", "-f", "in", "y.db", NULL), 0);
    assert_int_equal(hotref("load", "-c", "duplicates=1", "-f", "in", "z.db", NULL), 1);
    hotref_must_say("option -c: duplicates=1: not supported");
}

static void the_largest_value_goes_there_and_back(void **state)
{
    (void)state;
    FILE *file = fopen("in", "w");
    assert_non_null(file);
    fputs(HEADER " 61\n ", file);
    for (size_t i = 0; i < REF_VALUE_MAX; i++) {
        fprintf(file, "%02zx", (i * 131 + i / 256) % 256);
    }
    fputs("\nDATA=END\n", file);
    fclose(file);
    assert_int_equal(hotref("load", "-f", "in", "x.db", NULL), 0);
    assert_int_equal(hotref("dump", "-f", "out", "x.db", NULL), 0);
    assert_int_equal(system("grep -v db_pagesize= out | cmp - in"), 0);
}

static void a_database_of_an_environment_is_loaded_through_it(void **state)
{
    (void)state;
    cwd_file("in", PRINT " a\n 1\nDATA=END\n");
    cwd_dir("home");
    assert_int_equal(hotref("load", "-h", "home", "-f", "in", "x.db", NULL), 1);
    hotref_must_say("--create makes one");
    assert_int_equal(hotref("load", "--create", "-h", "home", "-f", "in", "x.db", NULL), 0);
    assert_int_equal(hotref("load", "-f", "in", "home/x.db", NULL), 1);
    hotref_must_say("home/x.db: this database belongs to an environment: use -h HOME");
    assert_int_equal(hotref("dump", "-p", "home/x.db", NULL), 0);
    hotref_must_say("this database belongs to an environment");
    hotref_must_say(" a\n 1\n");
    assert_int_equal(hotref("dump", "-h", "home", "none.db", NULL), 1);
    hotref_must_say("none.db");
}

static void DB_CONFIG_says_where_a_database_goes(void **state)
{
    (void)state;
    cwd_file("in", PRINT " a\n 1\nDATA=END\n");
    cwd_dir("home");
    cwd_dir("home/data");
    cwd_dir("home/logs");
    cwd_file("home/DB_CONFIG", "# comment\nset_data_dir data\nset_lg_dir logs\nset_lg_max 20000\n");
    assert_int_equal(hotref("load", "--create", "-h", "home", "-f", "in", "x.db", NULL), 0);
    assert_true(cwd_exists("home/data/x.db") && cwd_exists("home/logs/log.0000000001"));
    assert_int_equal(hotref("verify", "-h", "home", NULL), 0);
    cwd_file("home/DB_CONFIG", "set_data_dir data\nset_lg_max many\n");
    assert_int_equal(hotref("verify", "-h", "home", NULL), 1);
    hotref_must_say("home/DB_CONFIG: line 2: set_lg_max \"many\"");
}

static void a_dump_that_cannot_be_written_fails(void **state)
{
    (void)state;
    assert_int_equal(load(PRINT " a\n 1\nDATA=END\n"), 0);
    assert_int_equal(hotref("dump", "-f", "no/such", "x.db", NULL), 1);
    hotref_must_say("no/such: ");
    assert_int_equal(hotref("dump", "-f", "/dev/full", "x.db", NULL), 1);
    hotref_must_say("/dev/full: write: No space left");
    assert_int_equal(system(HOTREF " dump x.db > /dev/full 2> said"), 1 << 8);
}

static void a_dump_changes_no_file(void **state)
{
    (void)state;
    assert_int_equal(load(PRINT " a\n 1\nDATA=END\n"), 0);
    cwd_dir("d");
    assert_int_equal(rename("x.db", "d/x.db"), 0);
    uint64_t before = tree_state("d");
    assert_int_equal(hotref("dump", "d/x.db", NULL), 0);
    assert_true(tree_state("d") == before);
    file_flip("d/x.db", 4096 + 4000, 1);
    assert_int_equal(hotref("dump", "d/x.db", NULL), 1);
    hotref_must_say("d/x.db: page 1");
    hotref_must_not_say("DATA=END");
}

static int clean(void **state)
{
    (void)state;
    unsetenv("DB_HOME");
    return cwd_setup(state);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, clean, cwd_teardown)

static const struct CMUnitTest tests[] = {
    CASE(what_was_loaded_is_dumped),
    CASE(a_printable_dump_is_read),
    CASE(what_cannot_be_loaded_is_refused_by_name_and_line),
    CASE(a_header_that_is_refused_makes_no_database),
    CASE(keywords_of_layout_are_passed_over),
    CASE(a_hash_dump_is_loaded_when_a_btree_is_asked_for),
    CASE(n_keeps_what_is_there_and_gives_1),
    CASE(a_key_that_does_not_fit_says_so_and_c_gives_larger_pages),
    CASE(the_largest_value_goes_there_and_back),
    CASE(a_database_of_an_environment_is_loaded_through_it),
    CASE(DB_CONFIG_says_where_a_database_goes),
    CASE(a_dump_that_cannot_be_written_fails),
    CASE(a_dump_changes_no_file),
};

TEST_MAIN(tests)
