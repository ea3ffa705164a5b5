/* Dies while it is loaded. */
#include "wrong.h"

#include <signal.h>

__attribute__((constructor)) static void crash(void)
{
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
}

static const hp_module module = {.version = HP_MODULE_VERSION};
WRONG_EXPORT(module)
