/* Which cases of which engines are to run. */
#ifndef HP_SELECT_H
#define HP_SELECT_H

#include "schedule.h"

/* The cases that the options select, engine by engine in the order of the tables, each `repeat`
 * times. The caller frees the array. */
hp_task *hp_select(const hp_check_options *options, const hp_engine_list *engines,
    const hp_expectations *expectations, size_t *count);

/* Prints them, one line each: engine, case, clauses. */
void hp_select_print(const hp_task *tasks, size_t count);

#endif
