/* Running again what a record calls a surprise. */
#ifndef HP_RERUN_H
#define HP_RERUN_H

#include "../report/model.h"
#include "engine.h"

typedef struct hp_rerun {
    hp_model model;
    hp_strings engines; /* those with surprises, as --engine names them; owned */
    uint64_t seed;
} hp_rerun;

/* Reads the record. Returns 0, or -1 with a message. */
int hp_rerun_load(const char *record, hp_rerun *rerun, hp_error *error);
void hp_rerun_free(hp_rerun *rerun);

/* Whether the case was a surprise, in one of its repetitions at least. */
bool hp_rerun_wants(const hp_rerun *rerun, const char *engine, const char *name);

/* Says on standard error which of those cases the engines no longer have. */
void hp_rerun_report_missing(const hp_rerun *rerun, const hp_engine_list *engines);

#endif
