/* Plans as text: what is understood, in which canonical form, and where and why the rest is not. */
#include "testmain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults/plan/plan.h"

#ifndef TEST_README
#error "TEST_README is the README of the room"
#endif

static fault_plan *parse(const char *text)
{
    fault_plan_error error;
    fault_plan *plan;
    int result = fault_plan_parse(text, strlen(text), &plan, &error);
    if (result != 0) {
        print_error("%s\n%u:%u: %s\n", text, error.line, error.column, error.text);
    }
    assert_int_equal(result, 0);
    return plan;
}

static char *format(const char *text)
{
    fault_plan *plan = parse(text);
    char *formatted = fault_plan_format(plan);
    assert_non_null(formatted);
    fault_plan_free(plan);
    return formatted;
}

/* ---- what is understood ---- */

#define BEGIN "plan 1 seed=0\n"

static const struct form {
    const char *text, *canonical; /* NULL: it is canonical */
} forms[] = {
    {"", BEGIN},
    {"\n  # only a comment\r\n\t\n", BEGIN},
    {"plan 1", BEGIN},
    {"plan 1 seed=18446744073709551615\n", NULL},
    {"plan 1 seed=0x2a # hexadecimal", "plan 1 seed=42\n"},
    {"rule r on write do err=ENOSPC", BEGIN "rule r on write do err=ENOSPC\n"},
    {"# first\nplan 1 seed=7\nrule r on write do crash",
        "plan 1 seed=7\nrule r on write do crash\n"},
    {"  rule\tr  on write   do  crash  # why\r\n", BEGIN "rule r on write do crash\n"},
    {"rule r on write,read do short n=1", BEGIN "rule r on read,write do short n=1\n"},
    {BEGIN "rule r on any do err=EIO\n", NULL},
    {BEGIN "rule r on changes nth=1..20 do crash\n", NULL},
    {BEGIN "root data=/home/env\nrule r on write path=data:**.db do crash\n", NULL},
    {"rule a on write do crash\nroot data=/\nrule b on read path=data:* do stale\n",
        BEGIN "root data=/\nrule a on write do crash\nrule b on read path=data:* do stale\n"},
    {BEGIN "rule r on open path=/home/**/log.?? do err=EMFILE\n", NULL},
    {BEGIN "root my=\"/my home\"\nrule r on open path=\"my:a \\\"b\\\" \\\\ c\\x09\" do err=EIO\n",
        NULL},
    {"rule r on open path=\"/plain\" do err=EIO", BEGIN "rule r on open path=/plain do err=EIO\n"},
    {BEGIN "rule r on write path=/\xc3\xa4#b do crash\n", NULL},
    {BEGIN "rule r on read off=0..4095 do stale\n", NULL},
    {BEGIN "rule r on read off=512 do stale\n", NULL},
    {BEGIN "rule r on read off=512.. do stale\n", NULL},
    {BEGIN "rule r on write space>1048576 do err=ENOSPC until=unlink\n", NULL},
    {"rule r on write space>0x10 until=unlink times=3 do err=ENOSPC",
        BEGIN "rule r on write space>16 do err=ENOSPC times=3 until=unlink\n"},
    {BEGIN "rule r on write nth=7 of=path do err=ENOSPC times=inf\n", NULL},
    {BEGIN "rule r on write nth=7.. of=thread do err=ENOSPC\n", NULL},
    {BEGIN "rule r on write nth=7..7 of=class do err=ENOSPC\n", NULL},
    {"rule r on write nth=7 of=rule do err=EIO times=1",
        BEGIN "rule r on write nth=7 do err=EIO\n"},
    {BEGIN "rule r on sync seq=xxwxW do err=EIO\n", NULL},
    {BEGIN "rule r on sync seq=wX do err=EIO times=5\n", NULL},
    {BEGIN "rule r on read prob=0.001 do err=EINTR\n", NULL},
    {"rule r on read prob=1e-3 do err=EINTR times=inf",
        BEGIN "rule r on read prob=0.001 do err=EINTR\n"},
    {"rule r on read prob=1 do err=EINTR times=1",
        BEGIN "rule r on read prob=1 do err=EINTR times=1\n"},
    {BEGIN "rule r on write phase=\"second half\" nth=3 do crash\n", NULL},
    {BEGIN "rule r on write do torn mask=0x5\n", NULL},
    {"rule r on write do torn mask=10", BEGIN "rule r on write do torn mask=0xa\n"},
    {BEGIN "rule r on rename do lose\n", NULL},
    {BEGIN "rule r on sync,syncdir do lie times=inf\n", NULL},
    {BEGIN "rule r on sync do failsync profile=clean err=EIO\n", NULL},
    {"rule r on sync do failsync err=ENOSPC profile=late",
        BEGIN "rule r on sync do failsync profile=late err=ENOSPC\n"},
    {"rule r on sync do failsync profile=revert",
        BEGIN "rule r on sync do failsync profile=revert err=EIO\n"},
    {BEGIN "rule r on sync do failsync profile=keep err=EDQUOT\n", NULL},
    {"rule r on read do flip bit=9", BEGIN "rule r on read do flip bit=9 layer=read\n"},
    {BEGIN "rule r on read do flip bit=9 layer=medium\n", NULL},
    {BEGIN "rule r on write do misdirect by=+8192\n", NULL},
    {BEGIN "rule r on write do misdirect by=-512\n", NULL},
    {BEGIN "rule r on any do delay ns=1000000\n", NULL},
};

static void every_form_has_one_canonical_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const char *expected = forms[i].canonical != NULL ? forms[i].canonical : forms[i].text;
        char *once = format(forms[i].text);
        char *twice = format(once);
        assert_string_equal(once, expected);
        assert_string_equal(twice, expected);
        free(once);
        free(twice);
    }
}

static void a_plan_knows_its_seed_and_its_rules_with_their_lines(void **state)
{
    (void)state;
    fault_plan *plan = parse("plan 1 seed=42\n\n# two rules\nrule one on write do crash\n"
                             "root r=/r\nrule two on read do stale\n");
    assert_int_equal(fault_plan_seed(plan), 42);
    assert_int_equal(fault_plan_rules(plan), 2);
    assert_string_equal(fault_plan_rule_name(plan, 0), "one");
    assert_string_equal(fault_plan_rule_name(plan, 1), "two");
    assert_int_equal(fault_plan_rule_line(plan, 0), 4);
    assert_int_equal(fault_plan_rule_line(plan, 1), 6);
    fault_plan_free(plan);
}

/* The example in the room's README: its indented lines that begin as lines of plans do. */
static void the_readme_shows_a_plan_that_is_understood(void **state)
{
    (void)state;
    char line[300], text[4096] = "";
    FILE *readme = fopen(TEST_README, "r");
    assert_non_null(readme);
    while (fgets(line, sizeof line, readme) != NULL) {
        if (strncmp(line, "    plan 1", 10) == 0 || strncmp(line, "    root ", 9) == 0 ||
            strncmp(line, "    rule ", 9) == 0) {
            assert_true(strlen(text) + strlen(line) < sizeof text);
            strcat(text, line);
        }
    }
    fclose(readme);
    fault_plan *plan = parse(text);
    assert_true(fault_plan_rules(plan) >= 6);
    assert_int_equal(fault_plan_seed(plan), 42);
    fault_plan_free(plan);
}

/* ---- what is not ---- */

static const struct refusal {
    const char *text;
    unsigned line, column;
    const char *words;
} refusals[] = {
    /* lines */
    {"plan 2", 1, 6, "version of the language"},
    {"plan", 1, 5, "version of the language"},
    {"plan 1 sed=4", 1, 8, "\"sed=4\" is not understood"},
    {"plan 1 seed=4 more", 1, 15, "\"more\" is too much"},
    {"plan 1\nplan 1", 2, 1, "in front of everything, once"},
    {"rule r on read do stale\nplan 1", 2, 1, "in front of everything, once"},
    {"role r on read do stale", 1, 1, "\"role\" begins no line"},
    {"\n\n   bad", 3, 4, "\"bad\" begins no line"},
    {"rule r on read do stale\001", 1, 24, "control character (byte 0x01)"},
    {"rule r on read path=\"/a do stale", 1, 21, "does not end"},
    /* names and roots */
    {"rule", 1, 5, "a name is missing"},
    {"rule a:b on read do stale", 1, 7, "a name is made of"},
    {"rule a234567890123456789012345678901234567890123456789012345678901234 on read do stale", 1, 6,
        "longer than 63"},
    {"rule r on read do stale\nrule r on write do crash", 2, 6, "called r already, on line 1"},
    {"root", 1, 5, "NAME=/path is expected"},
    {"root data", 1, 6, "NAME=/path is expected"},
    {"root data=relative", 1, 11, "absolute path"},
    {"root data=/a/", 1, 11, "absolute path"},
    {"root data=/a//b", 1, 11, "absolute path"},
    {"root data=/a/../b", 1, 11, "absolute path"},
    {"root data=", 1, 11, "a value is missing"},
    {"root data=\"\"", 1, 11, "the value is empty"},
    {"root a=/a\nroot a=/b", 2, 6, "called a already"},
    {"root a=/a more", 1, 11, "\"more\" is too much"},
    /* classes */
    {"rule r read", 1, 8, "`on' is expected"},
    {"rule r on", 1, 10, "a class of operations is missing"},
    {"rule r on pread do stale", 1, 11, "\"pread\" is no class"},
    {"rule r on read,, do stale", 1, 16, "\"\" is no class"},
    {"rule r on read,read do stale", 1, 16, "read is named twice"},
    {"rule r on read,any do stale", 1, 16, "\"any\" is no class"},
    {"rule r on mark do crash", 1, 11, "a mark is no operation"},
    /* selectors */
    {"rule r on read nth do stale", 1, 16, "\"nth\" is not understood"},
    {"rule r on read path:/a do stale", 1, 16, "\"path:/a\" is not understood"},
    {"rule r on read size=4 do stale", 1, 16, "\"size\" is not understood"},
    {"rule r on read nth=1 nth=2 do stale", 1, 22, "nth is said twice"},
    {"rule r on read space=4 do stale", 1, 16, "\"space\" is not understood"},
    {"rule r on read path=a do stale", 1, 21, "neither NAME:GLOB nor absolute"},
    {"rule r on read path=a:* do stale", 1, 21, "no root is called \"a\" so far"},
    {"root a=/a\nrule r on read path=a:/b do stale", 2, 21, "a glob below it"},
    {"root a=/a\nrule r on read path=a: do stale", 2, 21, "a glob below it"},
    {"rule r on read path=/a\"b\" do stale", 1, 23, "encloses the whole value"},
    {"rule r on read path=\"/a\"b do stale", 1, 24, "encloses the whole value"},
    {"rule r on read path=\"/a\\n\" do stale", 1, 24, "are known in quotes"},
    {"rule r on read path=\"/a\\x0\" do stale", 1, 24, "are known in quotes"},
    {"rule r on read path=\"/a\\x00\" do stale", 1, 24, "are known in quotes"},
    {"rule r on read off=9..4 do stale", 1, 20, "ends before it begins"},
    {"rule r on read off=..4 do stale", 1, 20, "a number is missing"},
    {"rule r on read off=4k do stale", 1, 20, "\"4k\" is no number"},
    {"rule r on read off=-4 do stale", 1, 20, "\"-4\" is no number"},
    {"rule r on read off=18446744073709551616 do stale", 1, 20, "does not fit in 64 bits"},
    {"rule r on read nth=0 do stale", 1, 20, "0 is out of range"},
    {"rule r on read nth= do stale", 1, 20, "a number is missing"},
    {"rule r on read nth=1 of=file do stale", 1, 25, "\"file\" is none of rule, all"},
    {"rule r on read of=path do stale", 1, 11, "there is no nth="},
    {"rule r on read seq=xXw do stale", 1, 21, "a capital only as the last"},
    {"rule r on read seq=xyz do stale", 1, 21, "x and w are expected"},
    {"rule r on read seq=wwW do stale", 1, 20, "without an x"},
    {"rule r on read seq= do stale", 1, 20, "without an x"},
    {"rule r on read seq=x nth=3 do stale", 1, 11, "nth and seq both"},
    {"rule r on read seq=x prob=0.5 do stale", 1, 11, "seq and prob both"},
    {"rule r on read prob=0 do stale", 1, 21, "0 is out of range"},
    {"rule r on read prob=1.5 do stale", 1, 21, "1.5 is out of range"},
    {"rule r on read prob=nan do stale", 1, 21, "\"nan\" is no number"},
    {"rule r on read prob=0x1p-3 do stale", 1, 21, "is no number"},
    {"rule r on read prob= do stale", 1, 21, "is no number"},
    {"rule r on read phase= do stale", 1, 22, "a value is missing"},
    {"rule r on read times=0 do stale", 1, 22, "0 is out of range"},
    {"rule r on read times=often do stale", 1, 22, "\"often\" is no number"},
    {"rule r on read times=2 do stale times=3", 1, 33, "times is said twice"},
    {"rule r on read until=unlink do stale", 1, 11, "there is no space>"},
    {"rule r on write space>4 until=rmdir do err=ENOSPC", 1, 31, "\"rmdir\" is not unlink"},
    /* actions */
    {"rule r on read", 1, 15, "`do' and an action are missing"},
    {"rule r on read do", 1, 18, "an action are missing"},
    {"rule r on read do explode", 1, 19, "\"explode\" is no action"},
    {"rule r on read do err=EWHAT", 1, 23, "\"EWHAT\" is no errno"},
    {"rule r on read do err", 1, 19, "\"err\" is no action"},
    {"rule r on read do stale stale", 1, 25, "\"stale\" is not understood"},
    {"rule r on read do stale n=4", 1, 25, "n: no value of stale"},
    {"rule r on read do err=EIO err=EINTR", 1, 27, "err is said twice"},
    {"rule r on read do stale what=4", 1, 25, "\"what\" is not understood"},
    {"rule r on read do short", 1, 24, "short needs n="},
    {"rule r on read do short n=9223372036854775808", 1, 27, "less than 2^63"},
    {"rule r on read do short n=1 n=2", 1, 29, "n is said twice"},
    {"rule r on write do torn", 1, 24, "torn needs mask="},
    {"rule r on write do torn mask=0xffffffffffffffff", 1, 30, "is not torn"},
    {"rule r on sync do failsync err=EIO", 1, 35, "failsync needs profile="},
    {"rule r on sync do failsync profile=ext4", 1, 36, "\"ext4\" is none of clean"},
    {"rule r on read do flip layer=disk bit=1", 1, 30, "neither read nor medium"},
    {"rule r on read do flip", 1, 23, "flip needs bit="},
    {"rule r on write do misdirect by=512", 1, 33, "a sign is missing"},
    {"rule r on write do misdirect by=+0", 1, 33, "where it should"},
    {"rule r on write do delay ns=0", 1, 29, "a delay of nothing"},
    /* classes that cannot meet it */
    {"rule r on read do torn mask=1", 1, 11, "read cannot meet torn"},
    {"rule r on write,read do misdirect by=+1", 1, 11, "read cannot meet misdirect"},
    {"rule r on sync do short n=1", 1, 11, "sync cannot meet short"},
    {"rule r on create do lose", 1, 11, "create cannot meet lose"},
    {"rule r on write do lie", 1, 11, "write cannot meet lie"},
    {"rule r on syncdir do failsync profile=clean", 1, 11, "syncdir cannot"},
    {"rule r on sync do failsync profile=clean err=EROFS", 1, 11, "sync cannot give EROFS"},
    {"rule r on read do err=ENOSPC", 1, 11, "read cannot give ENOSPC"},
    {"rule r on any do err=ENOENT", 1, 11, "cannot give ENOENT"},
    {"rule r on changes do stale", 1, 11, "cannot meet stale"},
    {"rule r on sleep path=/a do crash", 1, 11, "sleep has no path"},
    {"rule r on random nth=1 of=path do crash", 1, 11, "random has no path"},
    {"rule r on unlink off=4 do crash", 1, 11, "unlink has no offset"},
};

static void what_is_not_understood_is_refused_with_its_place_and_the_reason(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *want = &refusals[i];
        fault_plan_error error;
        fault_plan *plan;
        int result = fault_plan_parse(want->text, strlen(want->text), &plan, &error);
        if (result != EINVAL || plan != NULL || error.line != want->line ||
            error.column != want->column || strstr(error.text, want->words) == NULL) {
            print_error("%s\ngives %d, %u:%u: %s\n", want->text, result, error.line, error.column,
                error.text);
            wrong++;
        }
        fault_plan_free(plan);
    }
    assert_int_equal(wrong, 0);
}

static void a_long_token_is_cut_in_the_message(void **state)
{
    (void)state;
    char text[3000] = "rule r on read do ";
    fault_plan_error error;
    fault_plan *plan;
    memset(text + strlen(text), 'x', sizeof text - strlen(text) - 1);
    assert_int_equal(fault_plan_parse(text, sizeof text - 1, &plan, &error), EINVAL);
    assert_non_null(strstr(error.text, "xxx\" is no action"));
}

static void a_zero_byte_is_refused(void **state)
{
    (void)state;
    static const char text[] = "rule r on read do stale\0 more";
    fault_plan_error error;
    fault_plan *plan;
    assert_int_equal(fault_plan_parse(text, sizeof text - 1, &plan, &error), EINVAL);
    assert_int_equal(error.column, 24);
    assert_non_null(strstr(error.text, "byte 0x00"));
}

/* ---- operations and errors by name ---- */

static void every_class_is_found_by_its_word_and_names_its_errors(void **state)
{
    (void)state;
    for (unsigned op = 0; op < FAULT_OP_CLASSES; op++) {
        const char *word = fault_op_word((fault_op_class)op);
        size_t count;
        const int *errors = fault_op_errors((fault_op_class)op, &count);
        assert_int_equal(fault_op_of_word(word, strlen(word)), op);
        for (size_t i = 0; i < count; i++) {
            const char *name = fault_errno_name(errors[i]);
            assert_non_null(name);
            assert_int_equal(fault_errno_of_name(name, strlen(name)), errors[i]);
        }
    }
    size_t count;
    assert_int_equal(*fault_op_errors(FAULT_OP_READ, &count), EINTR);
    assert_int_equal(count, 2);
    fault_op_errors(FAULT_OP_SLEEP, &count);
    assert_int_equal(count, 0);
    assert_true(fault_op_changes(FAULT_OP_SYNC));
    assert_false(fault_op_changes(FAULT_OP_READ));
}

static void unknown_names_are_no_class_and_no_error(void **state)
{
    (void)state;
    assert_int_equal(fault_op_of_word("writer", 6), FAULT_OP_CLASSES);
    assert_int_equal(fault_op_of_word("writer", 5), FAULT_OP_WRITE);
    assert_string_equal(fault_op_word(FAULT_OP_CLASSES), "?");
    assert_int_equal(fault_errno_of_name("EIOX", 4), 0);
    assert_int_equal(fault_errno_of_name("EIOX", 3), EIO);
    assert_null(fault_errno_name(0));
    assert_null(fault_errno_name(4095));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_form_has_one_canonical_text),
    cmocka_unit_test(a_plan_knows_its_seed_and_its_rules_with_their_lines),
    cmocka_unit_test(the_readme_shows_a_plan_that_is_understood),
    cmocka_unit_test(what_is_not_understood_is_refused_with_its_place_and_the_reason),
    cmocka_unit_test(a_long_token_is_cut_in_the_message),
    cmocka_unit_test(a_zero_byte_is_refused),
    cmocka_unit_test(every_class_is_found_by_its_word_and_names_its_errors),
    cmocka_unit_test(unknown_names_are_no_class_and_no_error),
};

TEST_MAIN(tests)
