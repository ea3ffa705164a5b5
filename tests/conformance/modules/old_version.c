/* Built for an interface that this kit does not know. */
#include "wrong.h"

static const hp_module module = {.version = 4711};
WRONG_EXPORT(module)
