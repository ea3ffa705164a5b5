/* The utility of Berkeley DB: db_hotbackup, under the name that the distribution gives it. */
#include "utility.h"

const bdb_utility bdb_utility_here = {
    .path = HP_UTILITY,
    .words = {"db5.3_hotbackup"},
    .missing = HP_UTILITY_MISSING,
};
