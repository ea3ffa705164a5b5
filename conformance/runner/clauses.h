/* The tables of promises, as text. */
#ifndef HP_CLAUSES_H
#define HP_CLAUSES_H

#include "../hp.h"

#include <jansson.h>

typedef struct hp_clause_row {
    const char *id, *profile, *page, *section, *sentence;
    hp_level level;
    hp_source source;
} hp_clause_row;

/* The row of a clause; `clause` must be below HP_CLAUSE_COUNT. */
const hp_clause_row *hp_clause_text(hp_clause_id clause);

const char *hp_level_name(hp_level level);    /* "MUST" */
const char *hp_source_name(hp_source source); /* "documented" */

/* Number of the clause called `id`, or HP_CLAUSE_COUNT. */
hp_clause_id hp_clause_find(const char *id);

/* All rows as a new JSON array, for the record's header. */
json_t *hp_clauses_json(void);

/* The command `hotproof clauses`: prints the tables; --check looks for clauses without a case. */
int hp_clauses_command(int argc, char **argv);

/* The command `hotproof errors`: documented (function, error) pairs, the cases that produce them,
 * and what each engine did in a record; --check looks for pairs without a case. */
int hp_errors_command(int argc, char **argv);

/* The command `hotproof explain`: all that is known of a promise, with the last results. */
int hp_explain_command(int argc, char **argv);

#endif
