/* Properties of plans, tried on random ones: they survive being printed, globs mean what they say,
 * and no text whatsoever does harm. */
#include "testmain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "faults/plan/rule.h"

/* ---- random plans ---- */

static const char *pick(uint64_t *seed, const char *const *words)
{
    size_t count = 0;
    while (words[count] != NULL) {
        count++;
    }
    return words[chance(seed, count)];
}

#define PICK(seed, ...) pick(seed, (const char *const[]){__VA_ARGS__, NULL})

/* Some of the selectors, each value right by itself; whether they go together is another matter. */
static void put_selectors(FILE *to, uint64_t *seed)
{
    if (chance(seed, 2) == 0) {
        fprintf(to, " path=%s",
            PICK(seed, "home:**.db", "home:*", "/home/**/f?", "all:**", "\"home:with space\"",
                "/home/\xc3\xa4#b", "\"/q\\\"\\\\\\x1f\""));
    }
    if (chance(seed, 4) == 0) {
        fprintf(to, " off=%s", PICK(seed, "0", "0..511", "4096..", "0x10..0xff"));
    }
    if (chance(seed, 5) == 0) {
        fprintf(
            to, " space>%s%s", PICK(seed, "0", "1000", "1048576"), PICK(seed, "", " until=unlink"));
    }
    if (chance(seed, 3) == 0) {
        fprintf(to, " nth=%s", PICK(seed, "1", "2..5", "3..", "2..2"));
        fprintf(
            to, "%s", PICK(seed, "", " of=path", " of=all", " of=class", " of=thread", " of=rule"));
    }
    if (chance(seed, 6) == 0) {
        fprintf(to, " seq=%s", PICK(seed, "x", "xxwxW", "wX", "xwx"));
    }
    if (chance(seed, 5) == 0) {
        fprintf(to, " prob=%.*g", (int)chance(seed, 18), ((double)chance(seed, 1000) + 1) / 1000);
    }
    if (chance(seed, 8) == 0) {
        fprintf(to, " phase=%s", PICK(seed, "late", "\"two words\""));
    }
    if (chance(seed, 3) == 0) {
        fprintf(to, " times=%s", PICK(seed, "1", "2", "inf"));
    }
}

static void put_rule(FILE *to, uint64_t *seed, unsigned number)
{
    fprintf(to, "rule r%u on ", number);
    if (chance(seed, 3) == 0) {
        fprintf(to, "%s", PICK(seed, "any", "changes"));
    } else {
        for (unsigned i = 0, n = 1 + (unsigned)chance(seed, 3); i < n; i++) {
            unsigned op = (unsigned)chance(seed, FAULT_OP_MARK);
            op = chance(seed, 2) == 0 ? FAULT_OP_READ + (unsigned)chance(seed, 3) : op;
            fprintf(to, "%s%s", i > 0 ? "," : "", fault_op_word((fault_op_class)op));
        }
    }
    put_selectors(to, seed);
    fprintf(to, " do %s\n",
        PICK(seed, "err=EIO", "err=ENOSPC", "err=EINTR", "short n=0", "short n=511",
            "torn mask=0x7", "lose", "lie", "failsync profile=clean",
            "failsync profile=keep err=ENOSPC", "flip bit=7", "flip layer=medium bit=0", "stale",
            "misdirect by=-512", "misdirect by=+8192", "delay ns=1", "crash"));
}

static char *random_plan(uint64_t *seed)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    assert_non_null(to);
    fprintf(
        to, "# random\nplan 1 seed=%u\nroot home=/home\nroot all=/\n", (unsigned)chance(seed, 100));
    for (unsigned i = 0, n = (unsigned)chance(seed, 4); i < n; i++) {
        put_rule(to, seed, i);
    }
    assert_int_equal(fclose(to), 0);
    return text;
}

static fault_op random_op(uint64_t *seed)
{
    static const char *const paths[] = {"/home/a.db", "/home/sub/f1", "/home/with space", "/b",
        "/home", "/", "/home/\xc3\xa4#b", "/q\"\\\x1f"};
    fault_op op = {.op = (fault_op_class)chance(seed, FAULT_OP_CLASSES),
        .path = paths[chance(seed, sizeof paths / sizeof *paths)],
        .thread = (uint32_t)chance(seed, 3),
        .offset = chance(seed, 3) * 4096,
        .size = chance(seed, 3) * 600};
    if (chance(seed, 2) == 0) {
        op.op = (fault_op_class)(FAULT_OP_READ + chance(seed, 3));
    }
    if (op.op == FAULT_OP_MARK) {
        op.path = chance(seed, 2) == 0 ? "late" : "two words";
    }
    if (op.op == FAULT_OP_RENAME) {
        op.to = paths[chance(seed, sizeof paths / sizeof *paths)];
    }
    return op;
}

/* The two decide alike; the result says how often they did anything. */
static unsigned compare_decisions(const fault_plan *a, const fault_plan *b, uint64_t seed)
{
    fault_run *runs[2];
    unsigned fired = 0;
    assert_int_equal(fault_run_new(a, &runs[0]), 0);
    assert_int_equal(fault_run_new(b, &runs[1]), 0);
    for (unsigned i = 0; i < 60; i++) {
        fault_op op = random_op(&seed);
        fault_decision got[2];
        fault_run_decide(runs[0], &op, &got[0]);
        fault_run_decide(runs[1], &op, &got[1]);
        assert_int_equal(got[0].action, got[1].action);
        assert_int_equal(got[0].error, got[1].error);
        assert_int_equal(got[0].amount, got[1].amount);
        assert_int_equal(got[0].mask, got[1].mask);
        assert_int_equal(got[0].failure, got[1].failure);
        assert_int_equal(got[0].rule, got[1].rule);
        fired += got[0].rule != 0;
    }
    fault_run_free(runs[0]);
    fault_run_free(runs[1]);
    return fired;
}

static void random_plans_are_refused_or_survive_being_printed(void **state)
{
    (void)state;
    uint64_t seed = 1;
    unsigned accepted = 0, with_rules = 0, fired = 0;
    for (unsigned i = 0; i < 4000; i++) {
        char *text = random_plan(&seed);
        fault_plan_error error;
        fault_plan *plan, *again;
        int result = fault_plan_parse(text, strlen(text), &plan, &error);
        if (result == 0) {
            char *once = fault_plan_format(plan);
            assert_int_equal(fault_plan_parse(once, strlen(once), &again, &error), 0);
            char *twice = fault_plan_format(again);
            assert_string_equal(once, twice);
            fired += compare_decisions(plan, again, i);
            accepted++;
            with_rules += fault_plan_rules(plan) > 0;
            free(once);
            free(twice);
            fault_plan_free(again);
        } else {
            assert_int_equal(result, EINVAL);
            assert_true(error.line > 4 && error.column > 1 && error.text[0] != '\0');
        }
        fault_plan_free(plan);
        free(text);
    }
    /* the test would be none if everything were refused, or nothing ever fired */
    assert_true(accepted > 1000 && accepted < 4000 && with_rules > 300);
    assert_true(fired > 1000);
}

static void a_plan_with_any_byte_changed_or_cut_is_refused_or_read(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (unsigned i = 0; i < 3000; i++) {
        char *text = random_plan(&seed);
        size_t size = strlen(text);
        fault_plan_error error;
        fault_plan *plan;
        for (uint64_t n = chance(&seed, 4); n > 0; n--) {
            text[chance(&seed, size)] = (char)chance(&seed, 256);
        }
        size -= chance(&seed, 3) == 0 ? chance(&seed, size) : 0;
        /* exactly as large as it says: whoever reads behind it is noticed */
        char *exact = malloc(size);
        assert_non_null(exact);
        memcpy(exact, text, size);
        int result = fault_plan_parse(exact, size, &plan, &error);
        assert_true(result == 0 || (result == EINVAL && error.line > 0 && error.column > 0));
        fault_plan_free(plan);
        free(exact);
        free(text);
    }
}

/* ---- globs ---- */

/* What a glob means, said in the plainest way; exponential. */
static bool means(const char *begin, const char *glob, const char *path)
{
    if (glob[0] == '*' && glob[1] == '*') {
        bool components = (glob == begin || glob[-1] == '/') && glob[2] == '/';
        const char *rest = glob + (components ? 3 : 2);
        if (means(begin, rest, path)) {
            return true;
        }
        for (const char *at = path; *at != '\0'; at++) {
            if ((!components || *at == '/') && means(begin, rest, at + 1)) {
                return true;
            }
        }
        return false;
    }
    if (glob[0] == '*') {
        return means(begin, glob + 1, path) ||
               (*path != '\0' && *path != '/' && means(begin, glob, path + 1));
    }
    if (*glob == '\0' || *path == '\0') {
        return *glob == *path;
    }
    return (*glob == *path || (*glob == '?' && *path != '/')) && means(begin, glob + 1, path + 1);
}

static void globs_match_what_they_mean(void **state)
{
    (void)state;
    uint64_t seed = 3;
    unsigned matched = 0;
    for (unsigned i = 0; i < 200000; i++) {
        char glob[9], path[9];
        size_t glob_length = chance(&seed, sizeof glob), path_length = chance(&seed, sizeof path);
        for (size_t k = 0; k < glob_length; k++) {
            glob[k] = "ab//***?"[chance(&seed, 8)];
        }
        for (size_t k = 0; k < path_length; k++) {
            path[k] = "ab/"[chance(&seed, 3)];
        }
        glob[glob_length] = path[path_length] = '\0';
        bool expected = means(glob, glob, path);
        if (fault_glob_match(glob, path) != expected) {
            print_error("%s on %s\n", glob, path);
            fail();
        }
        matched += expected;
    }
    assert_true(matched > 5000);
}

static void globs_mean_what_the_readme_says(void **state)
{
    (void)state;
    assert_true(fault_glob_match("**.db", "a/b/x.db"));
    assert_true(fault_glob_match("**.db", "x.db"));
    assert_false(fault_glob_match("*.db", "a/x.db"));
    assert_true(fault_glob_match("**/x.db", "x.db"));
    assert_true(fault_glob_match("**/x.db", "a/b/x.db"));
    assert_false(fault_glob_match("**/x.db", "a/yx.db"));
    assert_true(fault_glob_match("log.??", "log.01"));
    assert_false(fault_glob_match("a?b", "a/b"));
    assert_true(fault_glob_match("**", ""));
}

static void a_glob_of_many_stars_does_not_take_for_ever(void **state)
{
    (void)state;
    char glob[201], path[2001];
    for (size_t i = 0; i < 200; i += 4) {
        memcpy(glob + i, "**a*", 4);
    }
    glob[199] = 'b';
    glob[200] = '\0';
    memset(path, 'a', 2000);
    path[2000] = '\0';
    assert_false(fault_glob_match(glob, path));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(random_plans_are_refused_or_survive_being_printed),
    cmocka_unit_test(a_plan_with_any_byte_changed_or_cut_is_refused_or_read),
    cmocka_unit_test(globs_match_what_they_mean),
    cmocka_unit_test(globs_mean_what_the_readme_says),
    cmocka_unit_test(a_glob_of_many_stars_does_not_take_for_ever),
};

TEST_MAIN(tests)
