/* What a plan decides about operations, selector by selector and action by action. */
#include "testmain.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "faults/plan/plan.h"

typedef struct scene {
    fault_plan *plan;
    fault_run *run;
} scene;

static scene begin(const char *text)
{
    scene s;
    fault_plan_error error;
    int result = fault_plan_parse(text, strlen(text), &s.plan, &error);
    if (result != 0) {
        print_error("%s\n%u:%u: %s\n", text, error.line, error.column, error.text);
    }
    assert_int_equal(result, 0);
    assert_int_equal(fault_run_new(s.plan, &s.run), 0);
    return s;
}

static void end(scene *s)
{
    fault_run_free(s->run);
    fault_plan_free(s->plan);
}

static fault_op on(fault_op_class op, const char *path)
{
    return (fault_op){.op = op, .path = path, .inode = 1, .size = 4096};
}

/* The rule that decides, 0 for none. */
static unsigned meets(scene *s, fault_op op)
{
    fault_decision decision;
    fault_run_decide(s->run, &op, &decision);
    assert_true((decision.rule == 0) == (decision.action == FAULT_DO_NOTHING));
    return decision.rule;
}

/* 'x' or '.' for each of the operations of one kind, as they are met. */
static void expect_row(scene *s, fault_op op, const char *row)
{
    char got[200];
    size_t length = strlen(row);
    assert_true(length < sizeof got);
    for (size_t i = 0; i < length; i++) {
        got[i] = meets(s, op) != 0 ? 'x' : '.';
    }
    got[length] = '\0';
    assert_string_equal(got, row);
}

/* ---- which operations ---- */

static void a_rule_is_about_the_classes_that_it_names(void **state)
{
    (void)state;
    scene s = begin("rule r on write,sync do err=EIO times=inf");
    assert_int_equal(meets(&s, on(FAULT_OP_WRITE, "/a")), 1);
    assert_int_equal(meets(&s, on(FAULT_OP_SYNC, "/a")), 1);
    assert_int_equal(meets(&s, on(FAULT_OP_READ, "/a")), 0);
    assert_int_equal(meets(&s, on(FAULT_OP_SYNC_DIR, "/a")), 0);
    end(&s);
}

static void any_is_what_can_meet_the_action_and_changes_what_of_it_changes(void **state)
{
    (void)state;
    scene any = begin("rule r on any do err=ENOSPC times=inf");
    scene changes = begin("rule r on changes do crash times=inf");
    for (unsigned i = 0; i < FAULT_OP_MARK; i++) {
        fault_op_class op = (fault_op_class)i;
        size_t count;
        const int *errors = fault_op_errors(op, &count);
        bool can = false;
        for (size_t k = 0; k < count; k++) {
            can = can || errors[k] == ENOSPC;
        }
        assert_int_equal(meets(&any, on(op, "/a")), can);
        assert_int_equal(meets(&changes, on(op, "/a")), fault_op_changes(op));
    }
    end(&any);
    end(&changes);
}

static void a_glob_under_a_root_is_about_what_lies_there(void **state)
{
    (void)state;
    scene s = begin("root data=/home/env\nrule r on write path=data:**.db do err=EIO times=inf");
    assert_int_equal(meets(&s, on(FAULT_OP_WRITE, "/home/env/x.db")), 1);
    assert_int_equal(meets(&s, on(FAULT_OP_WRITE, "/home/env/sub/x.db")), 1);
    assert_int_equal(meets(&s, on(FAULT_OP_WRITE, "/home/env/x.log")), 0);
    assert_int_equal(meets(&s, on(FAULT_OP_WRITE, "/home/env2/x.db")), 0);
    assert_int_equal(meets(&s, on(FAULT_OP_WRITE, "/home/x.db")), 0);
    assert_int_equal(meets(&s, on(FAULT_OP_WRITE, "x.db")), 0);
    end(&s);
}

static void a_root_can_be_the_root_directory_and_everything_below_a_root_has_the_root_in_it(
    void **state)
{
    (void)state;
    scene s = begin("root all=/\nrule r on list path=all:** do err=EIO times=inf");
    assert_int_equal(meets(&s, on(FAULT_OP_LIST, "/")), 1);
    assert_int_equal(meets(&s, on(FAULT_OP_LIST, "/a/b")), 1);
    end(&s);
    s = begin("root a=/a\nrule r on list path=a:** do err=EIO times=inf");
    assert_int_equal(meets(&s, on(FAULT_OP_LIST, "/a")), 1);
    assert_int_equal(meets(&s, on(FAULT_OP_LIST, "/ab")), 0);
    end(&s);
}

static void a_rename_is_about_both_of_its_paths(void **state)
{
    (void)state;
    scene s = begin("rule r on rename path=/d/new do err=EIO times=inf");
    fault_op op = on(FAULT_OP_RENAME, "/d/tmp");
    op.to = "/d/new";
    assert_int_equal(meets(&s, op), 1);
    op.to = "/d/other";
    assert_int_equal(meets(&s, op), 0);
    end(&s);
}

static void an_offset_range_is_touched_by_its_first_and_its_last_byte(void **state)
{
    (void)state;
    scene s = begin("rule r on read,truncate off=100..199 do err=EIO times=inf");
    fault_op op = {.op = FAULT_OP_TRUNCATE, .path = "/a"};
    assert_int_equal(meets(&s, op), 0);
    op.size = 4096; /* says nothing of a truncate */
    assert_int_equal(meets(&s, op), 0);
    op.offset = 199;
    assert_int_equal(meets(&s, op), 1);
    end(&s);
    s = begin("rule r on read off=100..199 do err=EIO times=inf");
    static const struct {
        uint64_t offset, size;
        unsigned met;
    } reads[] = {{0, 100, 0}, {0, 101, 1}, {150, 1, 1}, {199, 1, 1}, {200, 50, 0}, {0, 9999, 1},
        {100, 0, 1}, {UINT64_MAX, 2, 0}, {50, UINT64_MAX, 1}};
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
        op = on(FAULT_OP_READ, "/a");
        op.offset = reads[i].offset;
        op.size = reads[i].size;
        assert_int_equal(meets(&s, op), reads[i].met);
    }
    end(&s);
}

/* ---- which of them ---- */

static void a_rule_fires_once_unless_it_says_how_often(void **state)
{
    (void)state;
    static const struct {
        const char *text, *row;
    } rows[] = {
        {"rule r on write do err=EIO", "x....."},
        {"rule r on write do err=EIO times=3", "xxx..."},
        {"rule r on write do err=EIO times=inf", "xxxxxx"},
        {"rule r on write nth=3 do err=EIO", "..x..."},
        {"rule r on write nth=3 do err=EIO times=2", "..xx.."},
        {"rule r on write nth=3 do err=EIO times=inf", "..xxxx"},
        {"rule r on write nth=3.. do err=EIO", "..xxxx"},
        {"rule r on write nth=2..4 do err=EIO", ".xxx.."},
        {"rule r on write nth=2..4 do err=EIO times=2", ".xx..."},
        {"rule r on write seq=xxwxW do err=EIO", "xx.x.."},
        {"rule r on write seq=wwX do err=EIO", "..xxxx"},
        {"rule r on write seq=xwx do err=EIO", "x.x..."},
        {"rule r on write seq=X do err=EIO times=4", "xxxx.."},
        {"rule r on write prob=1 do err=EIO", "xxxxxx"},
        {"rule r on write prob=1 do err=EIO times=1", "x....."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scene s = begin(rows[i].text);
        expect_row(&s, on(FAULT_OP_WRITE, "/a"), rows[i].row);
        fault_run_reset(s.run);
        expect_row(&s, on(FAULT_OP_WRITE, "/a"), rows[i].row);
        end(&s);
    }
}

static void nth_counts_what_the_rule_is_about_or_what_of_says(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned met; /* which operation, from 0 */
    } plans[] = {
        {"rule r on write path=/b nth=2 do err=EIO", 7},
        {"rule r on write nth=6..6 of=all do err=EIO", 5},
        {"rule r on write nth=3..3 of=class do err=EIO", 5},
        {"rule r on write path=/a nth=3..3 of=path do err=EIO", 4},
        {"rule r on write path=/b nth=3..3 of=thread do err=EIO", 7},
    };
    static const fault_op ops[] = {
        {.op = FAULT_OP_OPEN, .path = "/a", .thread = 0},
        {.op = FAULT_OP_READ, .path = "/a", .thread = 0},
        {.op = FAULT_OP_OPEN, .path = "/b", .thread = 1},
        {.op = FAULT_OP_WRITE, .path = "/b", .thread = 1},
        {.op = FAULT_OP_WRITE, .path = "/a", .thread = 0},
        {.op = FAULT_OP_WRITE, .path = "/c", .thread = 0},
        {.op = FAULT_OP_READ, .path = "/c", .thread = 2},
        {.op = FAULT_OP_WRITE, .path = "/b", .thread = 1},
    };
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        scene s = begin(plans[i].text);
        for (unsigned k = 0; k < sizeof ops / sizeof *ops; k++) {
            assert_int_equal(meets(&s, ops[k]), k == plans[i].met);
        }
        assert_int_equal(fault_run_count(s.run), 8);
        assert_int_equal(fault_run_fired(s.run, 0), 1);
        assert_int_equal(fault_run_overflow(s.run), 0);
        end(&s);
    }
}

static void the_first_rule_that_fires_decides_and_all_count(void **state)
{
    (void)state;
    scene s = begin("rule late on write nth=3 do err=EIO\n"
                    "rule all on write do err=ENOSPC times=inf\n"
                    "rule never on write nth=2 do err=EDQUOT\n"
                    "rule other on write path=/b nth=2 do crash");
    fault_op op = on(FAULT_OP_WRITE, "/b");
    assert_int_equal(meets(&s, op), 2);
    assert_int_equal(meets(&s, op), 2);
    assert_int_equal(meets(&s, op), 1);
    assert_int_equal(meets(&s, op), 2);
    assert_int_equal(fault_run_fired(s.run, 0), 1);
    assert_int_equal(fault_run_fired(s.run, 1), 3);
    assert_int_equal(fault_run_fired(s.run, 2), 0);
    assert_int_equal(fault_run_fired(s.run, 3), 0);
    end(&s);
}

static void a_phase_begins_with_the_mark_of_its_words(void **state)
{
    (void)state;
    scene s = begin("rule r on write phase=\"second half\" nth=2 do err=EIO");
    expect_row(&s, on(FAULT_OP_WRITE, "/a"), "....");
    assert_int_equal(meets(&s, on(FAULT_OP_MARK, "first half")), 0);
    expect_row(&s, on(FAULT_OP_WRITE, "/a"), "....");
    assert_int_equal(meets(&s, on(FAULT_OP_MARK, "second half")), 0);
    expect_row(&s, on(FAULT_OP_WRITE, "/a"), ".x..");
    assert_int_equal(fault_run_count(s.run), 12);
    fault_run_reset(s.run);
    expect_row(&s, on(FAULT_OP_WRITE, "/a"), "....");
    end(&s);
}

/* ---- chance ---- */

static void draw(scene *s, uint32_t thread, char *row, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fault_op op = on(FAULT_OP_READ, "/a");
        op.thread = thread;
        row[i] = meets(s, op) != 0 ? 'x' : '.';
    }
    row[count] = '\0';
}

static size_t hits(const char *row)
{
    size_t count = 0;
    for (; *row != '\0'; row++) {
        count += *row == 'x';
    }
    return count;
}

static void chance_falls_as_often_as_it_says_and_alike_in_every_run(void **state)
{
    (void)state;
    static char first[10001], second[10001], other[10001];
    scene s = begin("plan 1 seed=42\nrule r on read prob=0.1 do err=EIO");
    draw(&s, 0, first, 10000);
    fault_run_reset(s.run);
    draw(&s, 0, second, 10000);
    end(&s);
    s = begin("plan 1 seed=43\nrule r on read prob=0.1 do err=EIO");
    draw(&s, 0, other, 10000);
    end(&s);
    assert_string_equal(first, second);
    assert_true(strcmp(first, other) != 0);
    assert_in_range(hits(first), 850, 1150);
    assert_in_range(hits(other), 850, 1150);
}

static void what_another_thread_does_does_not_change_a_threads_luck(void **state)
{
    (void)state;
    static char alone[201], among[201], other[201];
    scene s = begin("plan 1 seed=9\nrule r on read prob=0.5 do err=EIO");
    draw(&s, 1, alone, 200);
    fault_run_reset(s.run);
    for (size_t i = 0; i < 200; i++) {
        draw(&s, 2, other, i % 5);
        draw(&s, 1, among + i, 1);
    }
    assert_string_equal(alone, among);
    fault_run_reset(s.run);
    draw(&s, 2, other, 200);
    assert_true(strcmp(alone, other) != 0);
    end(&s);
}

static void another_rule_in_front_does_not_change_a_rules_luck(void **state)
{
    (void)state;
    static char one[201], two[201];
    scene s = begin("rule r on read prob=0.5 do err=EIO");
    draw(&s, 0, one, 200);
    end(&s);
    s = begin("rule new on write do crash\nrule r on read prob=0.5 do err=EIO");
    draw(&s, 0, two, 200);
    end(&s);
    assert_string_equal(one, two);
}

static void two_rules_have_each_their_own_luck(void **state)
{
    (void)state;
    scene s = begin("rule a on read path=/a prob=0.5 do err=EIO\n"
                    "rule b on read path=/b prob=0.5 do err=EIO");
    scene again = begin("rule a on read path=/b prob=0.5 do err=EIO\n"
                        "rule b on read path=/a prob=0.5 do err=EIO");
    unsigned different = 0;
    for (unsigned i = 0; i < 200; i++) {
        different += (meets(&s, on(FAULT_OP_READ, "/a")) != 0) !=
                     (meets(&again, on(FAULT_OP_READ, "/a")) != 0);
    }
    assert_in_range(different, 50, 150);
    end(&s);
    end(&again);
}

/* ---- space ---- */

static unsigned write_bytes(scene *s, const char *path, uint64_t size)
{
    fault_op op = on(FAULT_OP_WRITE, path);
    op.size = size;
    return meets(s, op);
}

static void a_budget_is_used_up_by_writes_that_get_through(void **state)
{
    (void)state;
    scene s = begin("rule r on write,create path=/d/* space>1000 do err=ENOSPC");
    assert_int_equal(write_bytes(&s, "/d/a", 600), 0);
    assert_int_equal(write_bytes(&s, "/e/a", 9000), 0);
    assert_int_equal(write_bytes(&s, "/d/b", 401), 1);
    assert_int_equal(write_bytes(&s, "/d/b", 400), 0);
    assert_int_equal(write_bytes(&s, "/d/b", 1), 1);
    assert_int_equal(write_bytes(&s, "/d/b", 1), 1);
    assert_int_equal(write_bytes(&s, "/e/b", 1), 0);
    end(&s);
}

static void what_is_not_a_write_is_met_when_more_than_the_budget_has_been_written(void **state)
{
    (void)state;
    scene s = begin("rule r on create space>1000 do err=ENOSPC");
    assert_int_equal(write_bytes(&s, "/a", 1000), 0);
    assert_int_equal(meets(&s, on(FAULT_OP_CREATE, "/b")), 0);
    assert_int_equal(write_bytes(&s, "/a", 1), 0);
    assert_int_equal(meets(&s, on(FAULT_OP_CREATE, "/b")), 1);
    end(&s);
}

static void of_a_write_that_meets_another_fault_only_what_gets_through_counts(void **state)
{
    (void)state;
    static const struct {
        const char *fault;
        uint64_t left; /* of 1,000 bytes, after a write of 600 */
    } faults[] = {
        {"short n=100", 900},
        {"err=EIO", 1000},
        {"lose", 1000},
        {"crash", 1000},
        {"torn mask=1", 400},
        {"misdirect by=+512", 400},
        {"delay ns=1", 400},
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        char text[200];
        snprintf(text, sizeof text,
            "rule other on write do %s\nrule full on write space>1000 do err=ENOSPC",
            faults[i].fault);
        scene s = begin(text);
        assert_int_equal(write_bytes(&s, "/a", 600), 1);
        assert_int_equal(write_bytes(&s, "/a", faults[i].left + 1), 2);
        assert_int_equal(write_bytes(&s, "/a", faults[i].left), 0);
        end(&s);
    }
}

static void a_full_budget_stays_full_unless_it_says_until(void **state)
{
    (void)state;
    scene s = begin("rule r on write space>1000 do err=ENOSPC");
    assert_int_equal(write_bytes(&s, "/a", 1000), 0);
    assert_int_equal(meets(&s, on(FAULT_OP_UNLINK, "/a")), 0);
    assert_int_equal(write_bytes(&s, "/a", 1), 1);
    end(&s);
}

static void unlinking_and_cutting_give_space_back(void **state)
{
    (void)state;
    scene s = begin("rule r on write space>1000 do err=ENOSPC until=unlink");
    fault_op cut = {.op = FAULT_OP_TRUNCATE, .path = "/b", .offset = 100};
    assert_int_equal(write_bytes(&s, "/a", 500), 0);
    assert_int_equal(write_bytes(&s, "/b", 500), 0);
    assert_int_equal(write_bytes(&s, "/a", 1), 1);
    assert_int_equal(meets(&s, cut), 0);
    assert_int_equal(write_bytes(&s, "/a", 400), 0);
    assert_int_equal(write_bytes(&s, "/a", 1), 1);
    assert_int_equal(meets(&s, on(FAULT_OP_UNLINK, "/a")), 0);
    assert_int_equal(write_bytes(&s, "/c", 900), 0);
    assert_int_equal(write_bytes(&s, "/c", 1), 1);
    end(&s);
}

static void renaming_takes_the_bytes_along_and_gives_back_those_it_replaces(void **state)
{
    (void)state;
    scene s = begin("rule r on write path=/d/* space>1000 do err=ENOSPC until=unlink");
    fault_op move = on(FAULT_OP_RENAME, "/d/a");
    move.to = "/d/b";
    assert_int_equal(write_bytes(&s, "/d/a", 600), 0);
    assert_int_equal(write_bytes(&s, "/d/b", 400), 0);
    assert_int_equal(meets(&s, move), 0);
    assert_int_equal(write_bytes(&s, "/d/c", 401), 1);
    assert_int_equal(write_bytes(&s, "/d/c", 400), 0);
    move.path = "/d/b";
    move.to = "/elsewhere";
    assert_int_equal(meets(&s, move), 0);
    assert_int_equal(write_bytes(&s, "/d/c", 600), 0);
    move.path = "/elsewhere";
    move.to = "/d/b";
    assert_int_equal(meets(&s, move), 0);
    assert_int_equal(write_bytes(&s, "/d/c", 1), 1);
    end(&s);
}

static void an_unlink_that_fails_gives_nothing_back(void **state)
{
    (void)state;
    scene s = begin("rule full on write space>10 do err=ENOSPC until=unlink\n"
                    "rule stuck on unlink do err=EIO");
    assert_int_equal(write_bytes(&s, "/a", 10), 0);
    assert_int_equal(meets(&s, on(FAULT_OP_UNLINK, "/a")), 2);
    assert_int_equal(write_bytes(&s, "/a", 1), 1);
    assert_int_equal(meets(&s, on(FAULT_OP_UNLINK, "/a")), 0);
    assert_int_equal(write_bytes(&s, "/a", 1), 0);
    end(&s);
}

/* ---- what becomes of them ---- */

static void the_decision_carries_what_the_action_says(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        fault_op_class op;
        fault_decision want;
    } actions[] = {
        {"rule r on write do err=ENOSPC", FAULT_OP_WRITE, {FAULT_DO_ERROR, ENOSPC, 0, 0, 0, 1}},
        {"rule r on write do short n=100", FAULT_OP_WRITE, {FAULT_DO_SHORT, 0, 100, 0, 0, 1}},
        {"rule r on write do torn mask=5", FAULT_OP_WRITE, {FAULT_DO_TORN, 0, 0, 5, 0, 1}},
        {"rule r on unlink do lose", FAULT_OP_UNLINK, {FAULT_DO_LOSE, 0, 0, 0, 0, 1}},
        {"rule r on sync do lie", FAULT_OP_SYNC, {FAULT_DO_LIE, 0, 0, 0, 0, 1}},
        {"rule r on sync do failsync profile=revert err=ENOSPC", FAULT_OP_SYNC,
            {FAULT_DO_FAIL_SYNC, ENOSPC, 0, 0, FAULT_SYNC_REVERT, 1}},
        {"rule r on read do flip bit=9", FAULT_OP_READ, {FAULT_DO_FLIP_READ, 0, 9, 0, 0, 1}},
        {"rule r on read do flip bit=9 layer=medium", FAULT_OP_READ,
            {FAULT_DO_FLIP_MEDIUM, 0, 9, 0, 0, 1}},
        {"rule r on read do stale", FAULT_OP_READ, {FAULT_DO_STALE, 0, 0, 0, 0, 1}},
        {"rule r on write do misdirect by=+512", FAULT_OP_WRITE,
            {FAULT_DO_MISDIRECT, 0, 512, 0, 0, 1}},
        {"rule r on sleep do delay ns=1000", FAULT_OP_SLEEP, {FAULT_DO_DELAY, 0, 1000, 0, 0, 1}},
        {"rule r on open do crash", FAULT_OP_OPEN, {FAULT_DO_CRASH, 0, 0, 0, 0, 1}},
    };
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        scene s = begin(actions[i].text);
        fault_op op = on(actions[i].op, "/a");
        fault_decision got;
        fault_run_decide(s.run, &op, &got);
        assert_int_equal(got.action, actions[i].want.action);
        assert_int_equal(got.error, actions[i].want.error);
        assert_int_equal(got.amount, actions[i].want.amount);
        assert_int_equal(got.mask, actions[i].want.mask);
        assert_int_equal(got.failure, actions[i].want.failure);
        assert_int_equal(got.rule, actions[i].want.rule);
        end(&s);
    }
}

static void an_action_that_would_do_nothing_waits_for_one_to_which_it_does(void **state)
{
    (void)state;
    scene s = begin("rule cut on write do short n=100\nrule back on write do misdirect by=-512");
    fault_op small = {.op = FAULT_OP_WRITE, .path = "/a", .size = 100, .offset = 511};
    fault_op larger = small, further = small;
    larger.size = 101;
    further.offset = 512;
    assert_int_equal(meets(&s, small), 0);
    assert_int_equal(meets(&s, larger), 1);
    assert_int_equal(meets(&s, larger), 0);
    assert_int_equal(meets(&s, further), 2);
    end(&s);
}

/* ---- limits ---- */

static void paths_and_threads_beyond_the_tables_are_told(void **state)
{
    (void)state;
    scene s = begin("rule r on write nth=2 of=path do err=EIO times=inf");
    char path[20];
    for (unsigned round = 1; round <= 2; round++) {
        for (unsigned i = 0; i < 5000; i++) {
            snprintf(path, sizeof path, "/%u", i);
            meets(&s, on(FAULT_OP_WRITE, path));
        }
    }
    uint64_t lost = fault_run_overflow(s.run);
    assert_in_range(lost, 2 * (5000 - 4096), 2 * 5000 - 2 * 3000);
    assert_int_equal(fault_run_fired(s.run, 0), (10000 - lost) / 2);
    end(&s);
    s = begin("rule r on write nth=1 of=thread do err=EIO times=inf");
    fault_op op = on(FAULT_OP_WRITE, "/a");
    op.thread = 1023;
    assert_int_equal(meets(&s, op), 1);
    op.thread = 1024;
    assert_int_equal(meets(&s, op), 0);
    assert_int_equal(fault_run_overflow(s.run), 1);
    end(&s);
}

/* ---- threads ---- */

enum { THREADS = 4, EACH = 20000 };

typedef struct worker {
    scene *scene;
    uint32_t number;
    unsigned met[4]; /* by rule */
    unsigned luck;   /* hash of the thread's own dice */
} worker;

static void *work(void *argument)
{
    worker *w = argument;
    char path[20];
    snprintf(path, sizeof path, "/d/%u", w->number);
    for (unsigned i = 0; i < EACH; i++) {
        fault_op op = {.op = i % 2 ? FAULT_OP_WRITE : FAULT_OP_READ,
            .path = i % 4 ? path : "/d/all",
            .thread = w->number,
            .size = 10};
        fault_decision decision;
        fault_run_decide(w->scene->run, &op, &decision);
        w->met[decision.rule]++;
        w->luck = w->luck * 31 + (decision.rule == 3);
    }
    return NULL;
}

static void run_workers(scene *s, worker *workers)
{
    pthread_t threads[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i] = (worker){.scene = s, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void several_threads_share_the_numbers_and_lose_none(void **state)
{
    (void)state;
    scene s = begin("rule once on write nth=5000 do err=EIO\n"
                    "rule some on write path=/d/** nth=100..299 do err=ENOSPC\n"
                    "rule dice on read prob=0.25 do err=EINTR");
    worker first[THREADS], second[THREADS];
    unsigned met[4] = {0};
    run_workers(&s, first);
    for (unsigned i = 0; i < THREADS; i++) {
        for (unsigned rule = 0; rule < 4; rule++) {
            met[rule] += first[i].met[rule];
        }
    }
    assert_int_equal(met[1], 1);
    assert_int_equal(met[2], 200);
    assert_int_equal(fault_run_fired(s.run, 0), 1);
    assert_int_equal(fault_run_fired(s.run, 1), 200);
    assert_int_equal(fault_run_fired(s.run, 2), met[3]);
    assert_int_equal(fault_run_count(s.run), THREADS * EACH);
    fault_run_reset(s.run);
    run_workers(&s, second);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(first[i].luck, second[i].luck);
    }
    end(&s);
}

static void a_budget_that_threads_share_is_whole_again_when_all_is_given_back(void **state)
{
    (void)state;
    scene s = begin("rule full on write space>1000000 do err=ENOSPC until=unlink");
    static const char *const paths[] = {"/d/0", "/d/1", "/d/2", "/d/3", "/d/all"};
    worker workers[THREADS];
    run_workers(&s, workers);
    assert_int_equal(fault_run_fired(s.run, 0), 0);
    assert_int_equal(write_bytes(&s, "/new", 1000000), 1);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        assert_int_equal(meets(&s, on(FAULT_OP_UNLINK, paths[i])), 0);
    }
    assert_int_equal(write_bytes(&s, "/new", 1000000), 0);
    assert_int_equal(write_bytes(&s, "/new", 1), 1);
    end(&s);
}

/* ---- what it costs; nothing here is asserted ---- */

static double cost(const char *text)
{
    enum { COUNT = 200000 };
    struct timespec from, to;
    scene s = begin(text);
    fault_op op = on(FAULT_OP_WRITE, "/home/environment/accounts.db");
    fault_decision decision;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (unsigned i = 0; i < COUNT; i++) {
        fault_run_decide(s.run, &op, &decision);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    end(&s);
    return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / COUNT;
}

static void the_price_of_a_decision_is_printed(void **state)
{
    (void)state;
    char ten[2000] = "root h=/home\n";
    for (unsigned i = 0; i < 10; i++) {
        snprintf(ten + strlen(ten), sizeof ten - strlen(ten),
            "rule r%u on write path=h:**/account%u.db nth=1000000000 do err=EIO\n", i, i);
    }
    print_message(
        "ns per decision: no rule %.1f, of another class %.1f, nth %.1f, nth of=path %.1f, "
        "prob %.1f, path %.1f, ten paths %.1f\n",
        cost(""), cost("rule r on read do stale"), cost("rule r on write nth=1000000000 do crash"),
        cost("rule r on write nth=1000000000 of=path do crash"),
        cost("rule r on write prob=0.000001 do err=EIO"),
        cost("root h=/home\nrule r on write path=h:**.db nth=1000000000 do crash"), cost(ten));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_rule_is_about_the_classes_that_it_names),
    cmocka_unit_test(any_is_what_can_meet_the_action_and_changes_what_of_it_changes),
    cmocka_unit_test(a_glob_under_a_root_is_about_what_lies_there),
    cmocka_unit_test(
        a_root_can_be_the_root_directory_and_everything_below_a_root_has_the_root_in_it),
    cmocka_unit_test(a_rename_is_about_both_of_its_paths),
    cmocka_unit_test(an_offset_range_is_touched_by_its_first_and_its_last_byte),
    cmocka_unit_test(a_rule_fires_once_unless_it_says_how_often),
    cmocka_unit_test(nth_counts_what_the_rule_is_about_or_what_of_says),
    cmocka_unit_test(the_first_rule_that_fires_decides_and_all_count),
    cmocka_unit_test(a_phase_begins_with_the_mark_of_its_words),
    cmocka_unit_test(chance_falls_as_often_as_it_says_and_alike_in_every_run),
    cmocka_unit_test(what_another_thread_does_does_not_change_a_threads_luck),
    cmocka_unit_test(another_rule_in_front_does_not_change_a_rules_luck),
    cmocka_unit_test(two_rules_have_each_their_own_luck),
    cmocka_unit_test(a_budget_is_used_up_by_writes_that_get_through),
    cmocka_unit_test(what_is_not_a_write_is_met_when_more_than_the_budget_has_been_written),
    cmocka_unit_test(of_a_write_that_meets_another_fault_only_what_gets_through_counts),
    cmocka_unit_test(a_full_budget_stays_full_unless_it_says_until),
    cmocka_unit_test(unlinking_and_cutting_give_space_back),
    cmocka_unit_test(renaming_takes_the_bytes_along_and_gives_back_those_it_replaces),
    cmocka_unit_test(an_unlink_that_fails_gives_nothing_back),
    cmocka_unit_test(the_decision_carries_what_the_action_says),
    cmocka_unit_test(an_action_that_would_do_nothing_waits_for_one_to_which_it_does),
    cmocka_unit_test(paths_and_threads_beyond_the_tables_are_told),
    cmocka_unit_test(several_threads_share_the_numbers_and_lose_none),
    cmocka_unit_test(a_budget_that_threads_share_is_whole_again_when_all_is_given_back),
    cmocka_unit_test(the_price_of_a_decision_is_printed),
};

TEST_MAIN(tests)
