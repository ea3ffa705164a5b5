/* The utility of the reference engine: a command of hotref. */
#include "utility.h"

const bdb_utility bdb_utility_here = {
    .path = HP_UTILITY,
    .words = {"hotref", "backup"},
    .missing = "hotref is not there: build the target hotref",
};
