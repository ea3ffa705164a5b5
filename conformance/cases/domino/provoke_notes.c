/*
 * HCL's library: nothing but what is documented. Where its recovery marks lie is not public either;
 * until somebody who has the library says so, a backup is compared as a whole. Not tried: no such
 * library was at hand.
 */
#include "hp.h"
#include "domino_provoke.h"

const dom_provoke_table dom_provoke = {.flush = NULL};
