/* Every case of the Domino profile, in the order in which they are run. */
#include "domino_cases.h"

extern const hp_case *const hp_domino_tables[];

const hp_case *const hp_domino_tables[] = {
    dom_start_cases,
    dom_copy_cases,
    dom_size_cases,
    dom_mark_cases,
    dom_stream_cases,
    dom_end_cases,
    dom_apply_cases,
    dom_corrupt_cases,
    dom_result_cases,
    dom_remote_cases,
    dom_limit_cases,
    dom_compact_cases,
    dom_life_cases,
    dom_sample_cases,
    dom_promise_cases,
    NULL,
};
