/*
 * A short life of an environment, and what must be left of it.
 *
 * Databases are made, filled, renamed, swapped, made again and removed; checkpoints are written and
 * log segments removed. A life that is disturbed goes on until the environment has ended. Each step
 * is a transaction or has no visible effect, so at any moment two states are right at most: with
 * and without the step whose outcome is unknown.
 */
#ifndef LIFE_H
#define LIFE_H

#include "support.h"

enum { LIFE_NAMES = 4, LIFE_KEYS = 12 };

/* What the environment should hold. */
typedef struct life_model {
    bool exists[LIFE_NAMES];
    uint32_t value[LIFE_NAMES][LIFE_KEYS]; /* 0: no record */
} life_model;

/* Lives in the fixture's home until the end of all steps, so many times, or of the environment.
 * *after is what must be there; *perhaps what may be there instead. */
void life_run(fixture *fix, uint32_t times, life_model *after, life_model *perhaps);

/* The first steps of it, none of which may fail; the environment stays open. */
void life_begin(fixture *fix, size_t count, life_model *after);

/* Opens the fixture's home, holds it against what it should be, and sees that life can go on. */
void life_check(fixture *fix, const life_model *after, const life_model *perhaps);

#endif
