/* Which cases of which engines are to run. */
#ifndef HP_SELECT_H
#define HP_SELECT_H

#include "rerun.h"
#include "schedule.h"

/* Forgets the engines that have no selected case, such as those of another profile, unless that
 * is so of all; and the absent ones of a profile that is not selected. */
void hp_select_engines(
    const hp_check_options *options, const hp_rerun *rerun, hp_engine_list *engines);

/* The cases that the options select, engine by engine in the order of the tables, each `repeat`
 * times, or shuffled; of those only the ones that `rerun` wants (NULL: all). The caller frees the
 * array. */
hp_task *hp_select(const hp_check_options *options, const hp_engine_list *engines,
    const hp_expectations *expectations, const hp_rerun *rerun, size_t *count);

/* Puts the tasks into the order that the seed draws: the same on every machine. */
void hp_select_shuffle(hp_task *tasks, size_t count, uint64_t seed);

/* Prints them, one line each: engine, case, clauses. */
void hp_select_print(const hp_task *tasks, size_t count);

#endif
