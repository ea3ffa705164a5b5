/* The case tables of the Domino profile, one per file; cases.c strings them together. */
#ifndef DOMINO_CASES_H
#define DOMINO_CASES_H

#include "hp.h"

extern const hp_case dom_start_cases[];
extern const hp_case dom_copy_cases[];
extern const hp_case dom_size_cases[];
extern const hp_case dom_mark_cases[];
extern const hp_case dom_stream_cases[];
extern const hp_case dom_end_cases[];
extern const hp_case dom_apply_cases[];
extern const hp_case dom_corrupt_cases[];
extern const hp_case dom_result_cases[];
extern const hp_case dom_remote_cases[];
extern const hp_case dom_limit_cases[];
extern const hp_case dom_compact_cases[];
extern const hp_case dom_life_cases[];
extern const hp_case dom_sample_cases[];
extern const hp_case dom_promise_cases[];

#endif
