/*
 * The walk through crash states: see crash.h.
 *
 * At a point the disk is crashed again and again. The first verification gets 0 for every answer,
 * "lost"; each further one gets the answers of the one before up to the last that can be another,
 * then that other, then 0 again. When no answer can be another, every way through the verifier has
 * been gone. Questions that a verification never got to stand for two states each.
 */
#include "crash.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BUDGET_DEFAULT 4096u
#define INNER_BUDGET 64u  /* of a point of a verification, of which there are many */
#define FAMILY_MOST 1024u /* members of a family, per point */
#define FAMILY_RANDOM 16u /* random members of the families, per point */
#define DEPTH_MAX 8u

/* Which answer a question gets that the walk has not met before. */
typedef enum family {
    ALL_LOST,
    ALL_KEPT,
    PREFIX,   /* what was done before the change number `member` */
    ONE_KEPT, /* the how-manieth: `member` */
    ONE_LOST,
    BY_CHANCE
} family;

typedef struct answer {
    uint32_t given, possible;
    uint64_t question; /* its hash */
    uint64_t order;    /* of the change that it was about */
} answer;

/* A disk as it was at a barrier. */
typedef struct stop {
    fault_disk *disk;
    void *state;
    uint64_t point;
    size_t asked; /* answers that had been given in the verification that met it */
    struct stop *next;
} stop;

typedef struct stops {
    stop *first, **last;
} stops;

/* One point: the power goes here, in every way. */
typedef struct walk {
    struct fault_crash *crash;
    struct walk *above; /* the walk whose verification is interrupted */
    unsigned depth;
    const void *state;
    uint64_t point;  /* at its level */
    uint64_t within; /* points met in the verification that is running */
    stops inner;     /* of them: to be explored */
    answer *answers;
    size_t count, capacity;
    size_t asked;    /* in the verification that is running */
    size_t repeated; /* so many answers are as in the verification before */
    uint64_t runs;
    bool wayward; /* the verifier asked otherwise than before, or memory failed */
    int error;
    bool systematic;
    family family;
    uint64_t member;
} walk;

struct fault_crash {
    fault_crash_options options;
    fault_crash_report report;
    uint64_t point;
    stops met;
    int error;
};

/* ---- stops ---- */

static int keep_stop(
    stops *list, fault_disk *disk, const void *state, size_t size, uint64_t point, size_t asked)
{
    stop *kept = calloc(1, sizeof *kept);
    int error = kept == NULL ? ENOMEM : fault_disk_clone(disk, &kept->disk);
    if (error == 0 && size > 0) {
        kept->state = malloc(size);
        error = kept->state == NULL ? ENOMEM : 0;
    }
    if (error != 0) {
        if (kept != NULL) {
            fault_disk_free(kept->disk);
        }
        free(kept);
        return error;
    }
    if (size > 0) {
        memcpy(kept->state, state, size);
    }
    kept->point = point;
    kept->asked = asked;
    if (list->last == NULL) {
        list->last = &list->first;
    }
    *list->last = kept;
    list->last = &kept->next;
    return 0;
}

static stop *take_stop(stops *list)
{
    stop *taken = list->first;
    if (taken != NULL) {
        list->first = taken->next;
        list->last = list->first == NULL ? &list->first : list->last;
    }
    return taken;
}

static void free_stop(stop *one)
{
    fault_disk_free(one->disk);
    free(one->state);
    free(one);
}

/* ---- places ---- */

static size_t print_place(const walk *at, char *text, size_t room)
{
    size_t used = at->above != NULL ? print_place(at->above, text, room) : 0;
    if (used < room) {
        used += (size_t)snprintf(text + used, room - used, "%s%llu:", at->above != NULL ? "/" : "",
            (unsigned long long)at->point);
    }
    for (size_t i = 0; i < at->asked && used < room; i++) {
        bool short_one = at->answers[i].possible <= 10;
        used += (size_t)snprintf(
            text + used, room - used, short_one ? "%u" : "(%u)", at->answers[i].given);
    }
    return used < room ? used : room;
}

/* The part of a place that belongs to a depth: "17:0110". NULL when there is none. */
static const char *place_at(const char *place, unsigned depth)
{
    for (unsigned i = 1; place != NULL && i < depth; i++) {
        place = strchr(place, '/');
        place = place != NULL ? place + 1 : NULL;
    }
    return place;
}

static bool is_place(const char *place)
{
    return place[strspn(place, "0123456789:/()")] == '\0' && strchr(place, ':') != NULL;
}

/* ---- answers ---- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    a ^= b + 0x9e3779b97f4a7c15u + (a << 6) + (a >> 2);
    a *= 0xff51afd7ed558ccdu;
    return a ^ a >> 33;
}

static uint64_t hash_of(const fault_question *question)
{
    uint64_t hash = mix(question->kind, question->answers);
    return mix(mix(hash, question->inode), question->offset);
}

static uint32_t fresh_answer(const walk *at, const fault_question *question)
{
    uint32_t most = question->answers - 1;
    switch (at->systematic ? ALL_LOST : at->family) {
    case ALL_KEPT:
        return most;
    case PREFIX:
        return question->order < at->member ? most : 0;
    case ONE_KEPT:
        return at->asked == at->member ? most : 0;
    case ONE_LOST:
        return at->asked == at->member ? 0 : most;
    case BY_CHANCE:
        return (
            uint32_t)(mix(mix(at->crash->options.seed, at->member), at->asked) % question->answers);
    case ALL_LOST:
        break;
    }
    return 0;
}

static int push(walk *at, answer given)
{
    if (at->count == at->capacity) {
        size_t capacity = at->capacity == 0 ? 64 : at->capacity * 2;
        answer *grown = realloc(at->answers, capacity * sizeof *grown);
        if (grown == NULL) {
            return ENOMEM;
        }
        at->answers = grown;
        at->capacity = capacity;
    }
    at->answers[at->count++] = given;
    return 0;
}

static uint32_t answer_question(void *context, const fault_question *question)
{
    walk *at = context;
    uint64_t hash = hash_of(question);

    if (at->asked < at->count) {
        answer *known = &at->answers[at->asked++];
        at->wayward = at->wayward || (known->question != 0 && known->question != hash) ||
                      known->given >= question->answers;
        known->question = hash;
        known->possible = question->answers;
        return at->wayward ? 0 : known->given;
    }
    answer given = {.given = fresh_answer(at, question),
        .possible = question->answers,
        .question = hash,
        .order = question->order};
    if (push(at, given) != 0) {
        at->error = ENOMEM;
        return 0;
    }
    at->asked++;
    return given.given;
}

/* To the next way through the verifier. False when all have been gone. */
static bool advance(walk *at)
{
    at->count = at->asked;
    while (at->count > 0 &&
           at->answers[at->count - 1].given + 1 == at->answers[at->count - 1].possible) {
        at->count--;
    }
    if (at->count == 0) {
        return false;
    }
    at->answers[at->count - 1].given++;
    at->repeated = at->count - 1;
    return true;
}

/* ---- one verification ---- */

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void explore(struct fault_crash *crash, const stop *at, walk *above, unsigned depth);

/* A barrier of a verification. Up to the first answer that is new all went as in the one before,
 * and was kept then. */
static void on_inner_barrier(void *context, fault_disk *disk)
{
    walk *at = context;
    bool replaying = at->crash->options.replay != NULL;
    at->within++;
    if (!replaying && (!at->systematic || (at->runs > 0 && at->asked <= at->repeated))) {
        return;
    }
    if (at->error == 0) {
        at->error = keep_stop(&at->inner, disk, NULL, 0, at->within, at->asked);
    }
}

/* Interrupts the verification that just was, wherever it can be. */
static void explore_inner(walk *at)
{
    size_t asked = at->asked;
    for (stop *one = take_stop(&at->inner); one != NULL; one = take_stop(&at->inner)) {
        at->asked = one->asked;
        explore(at->crash, one, at, at->depth + 1);
        free_stop(one);
    }
    at->asked = asked;
}

static void violate(walk *at, const char *why)
{
    fault_crash_report *report = &at->crash->report;
    if (report->violations++ == 0) {
        print_place(at, report->first, sizeof report->first);
        snprintf(report->why, sizeof report->why, "%s", why);
    }
}

/* Crashes and verifies once. 0 or ENOMEM. */
static int verify_once(walk *at, fault_disk *disk, double *states)
{
    fault_crash *crash = at->crash;
    fault_disk *image;
    char why[FAULT_WHY] = "";

    at->asked = 0;
    at->within = 0;
    int error = fault_disk_crash(disk, answer_question, at, &image);
    if (error != 0) {
        return error;
    }
    bool interrupted = at->depth < crash->options.depth;
    uint64_t start = now();
    fault_disk_on_barrier(image, interrupted ? on_inner_barrier : NULL, at);
    int verdict = crash->options.verify(crash->options.context, at->state, image, at->depth, why);
    fault_disk_on_barrier(image, NULL, NULL);
    crash->report.nanoseconds += now() - start;
    crash->report.verified++;
    crash->report.nested += at->depth > 1;
    *states += exp2((double)fault_disk_undecided(image));
    if (at->wayward || (at->asked < at->count && at->error == 0)) {
        violate(at, "the verifier is not deterministic: it looked at other things than before");
    } else if (verdict != 0) {
        violate(at, why);
    }
    fault_disk_free(image);
    at->runs++;
    explore_inner(at);
    return at->error;
}

/* ---- one point ---- */

/* The next larger number of a change that was asked about; 0: there is none. */
static uint64_t next_order(const walk *at, uint64_t after)
{
    uint64_t next = 0;
    for (size_t i = 0; i < at->count; i++) {
        uint64_t order = at->answers[i].order;
        next = order > after && (next == 0 || order < next) ? order : next;
    }
    return next;
}

/* The first member of a family, and the next one after a verification; false at the end. */
static bool next_member(walk *at, bool first)
{
    switch (at->family) {
    case PREFIX:
        at->member = next_order(at, first ? 0 : at->member);
        return at->member != 0;
    case ONE_KEPT:
    case ONE_LOST:
        at->member = first ? 0 : at->member + 1;
        return first || at->member < at->asked;
    case BY_CHANCE:
        at->member = first ? 0 : at->member + 1;
        return at->member < FAMILY_RANDOM;
    case ALL_LOST:
    case ALL_KEPT:
        break;
    }
    return first;
}

static int explore_families(walk *at, fault_disk *disk, double *states)
{
    at->systematic = false;
    int error = 0;
    for (int kind = ALL_LOST; kind <= BY_CHANCE && error == 0; kind++) {
        at->family = (family)kind;
        uint64_t tried = 0;
        for (bool more = next_member(at, true); more && error == 0 && tried < FAMILY_MOST;
             more = next_member(at, false)) {
            at->count = 0;
            error = verify_once(at, disk, states);
            tried++;
        }
    }
    return error;
}

static int explore_all(walk *at, fault_disk *disk, double *states, bool *exhausted)
{
    uint64_t budget = at->crash->options.budget;
    if (at->depth > 1 && budget > INNER_BUDGET) {
        budget = INNER_BUDGET;
    }
    int error = verify_once(at, disk, states);
    *exhausted = true;
    while (error == 0 && !at->wayward && advance(at)) {
        if (at->runs >= budget) {
            *exhausted = false;
            return explore_families(at, disk, states);
        }
        error = verify_once(at, disk, states);
    }
    return error;
}

/* Takes the answers of a place over, then verifies once. */
static int replay_point(walk *at, fault_disk *disk, const char *place)
{
    double states = 0;
    int error = 0;
    for (const char *digit = strchr(place, ':') + 1;
         *digit != '\0' && *digit != '/' && error == 0;) {
        bool in_brackets = *digit == '(';
        answer given = {.given = (uint32_t)(in_brackets ? strtoul(digit + 1, NULL, 10)
                                                        : (unsigned long)(*digit - '0'))};
        error = push(at, given);
        digit += in_brackets ? strcspn(digit, ")") : 0;
        digit += *digit != '\0';
    }
    return error == 0 ? verify_once(at, disk, &states) : error;
}

static void explore(struct fault_crash *crash, const stop *here, walk *above, unsigned depth)
{
    walk at = {.crash = crash,
        .above = above,
        .depth = depth,
        .state = above != NULL ? above->state : here->state,
        .point = here->point,
        .systematic = true};
    double states = 0;
    bool exhausted = false;
    int error = 0;

    if (crash->options.replay != NULL) {
        const char *place = place_at(crash->options.replay, depth);
        if (place != NULL && strtoull(place, NULL, 10) == here->point) {
            error = replay_point(&at, here->disk, place);
        }
    } else {
        double legal = exp2((double)fault_disk_pending(here->disk));
        error = explore_all(&at, here->disk, &states, &exhausted);
        crash->report.points++;
        crash->report.exhausted += exhausted;
        crash->report.states += states;
        crash->report.left += exhausted || states > legal ? 0 : legal - states;
    }
    crash->error = crash->error == 0 ? error : crash->error;
    free(at.answers);
}

/* ---- the run that is watched ---- */

static void on_barrier(void *context, fault_disk *disk)
{
    fault_crash *crash = context;
    const fault_crash_options *options = &crash->options;
    uint64_t point = ++crash->point;
    bool mine = options->replay != NULL
                    ? strtoull(options->replay, NULL, 10) == point
                    : options->shards == 0 || point % options->shards == options->shard;
    if (mine && crash->error == 0) {
        crash->error = keep_stop(&crash->met, disk, options->state, options->state_size, point, 0);
    }
}

int fault_crash_new(const fault_crash_options *options, fault_crash **out)
{
    *out = NULL;
    if ((options->replay != NULL && !is_place(options->replay)) || options->depth > DEPTH_MAX ||
        (options->shards != 0 && options->shard >= options->shards)) {
        return EINVAL;
    }
    *out = calloc(1, sizeof **out);
    if (*out == NULL) {
        return ENOMEM;
    }
    (*out)->options = *options;
    if (options->budget == 0) {
        (*out)->options.budget = BUDGET_DEFAULT;
    }
    return 0;
}

void fault_crash_free(fault_crash *crash)
{
    for (stop *one = crash != NULL ? take_stop(&crash->met) : NULL; one != NULL;
         one = take_stop(&crash->met)) {
        free_stop(one);
    }
    free(crash);
}

void fault_crash_watch(fault_crash *crash, fault_disk *disk)
{
    fault_disk_on_barrier(disk, on_barrier, crash);
}

int fault_crash_finish(fault_crash *crash, fault_disk *disk)
{
    on_barrier(crash, disk);
    fault_disk_on_barrier(disk, NULL, NULL);
    for (stop *one = take_stop(&crash->met); one != NULL; one = take_stop(&crash->met)) {
        explore(crash, one, NULL, 1);
        free_stop(one);
    }
    return crash->error;
}

const fault_crash_report *fault_crash_result(const fault_crash *crash)
{
    return &crash->report;
}

void fault_crash_print(const fault_crash_report *report, FILE *to)
{
    double seconds = (double)report->nanoseconds / 1e9;
    fprintf(to,
        "%llu points, %llu exhausted (%.1f %%); %.0f states by %llu verifications (%llu of them of "
        "interrupted ones); %.0f states and %.0f verifications per second",
        (unsigned long long)report->points, (unsigned long long)report->exhausted,
        report->points == 0 ? 100.0 : 100.0 * (double)report->exhausted / (double)report->points,
        report->states, (unsigned long long)report->verified, (unsigned long long)report->nested,
        seconds > 0 ? report->states / seconds : 0,
        seconds > 0 ? (double)report->verified / seconds : 0);
    if (report->left > 0) {
        fprintf(to, "; %.3g states of the other points were not looked at", report->left);
    }
    fprintf(to, "; %llu violations\n", (unsigned long long)report->violations);
}
