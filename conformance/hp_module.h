/*
 * What an engine module is.
 *
 * A module is a shared object that holds the cases of one profile, compiled against one
 * implementation and linked with it. It exports one symbol, hp_module_v1(), and is opened RTLD_NOW
 * | RTLD_LOCAL by the process of each case. The program that runs the cases links no engine and
 * exports nothing, so that two engines cannot meet.
 *
 * Lifecycle, in the process of a case: hp_module_v1(), a look at `version` and at `entry_points`,
 * prepare(), the isolation (another user, Landlock), run_case(), exit().
 */
#ifndef HP_MODULE_H
#define HP_MODULE_H

#include <stddef.h>
#include <stdint.h>

#define HP_MODULE_VERSION 1u
#define HP_MODULE_SYMBOL "hp_module_v1"

struct hp_case;
struct hp_case_run;
struct hp_engine; /* hp_engine.h */

/* The implementation is a library of somebody else: its cases run without sanitizers and leak
 * checks. */
#define HP_MODULE_REAL_LIBRARY 0x1u

/*
 * A function of the implementation, and the file it must come from. A module whose entry points
 * come from elsewhere would judge the wrong library; it is refused. Ends with name NULL.
 */
typedef struct hp_entry_point {
    const char *name;
    void (*address)(void);
    const char *library; /* its file if it begins with a slash, links aside; else a part of its
                            file's path; NULL: the module itself */
} hp_entry_point;

typedef struct hp_module {
    uint32_t version;    /* HP_MODULE_VERSION */
    uint32_t flags;      /* HP_MODULE_... */
    const char *engine;  /* column title and --engine name: "libdb" */
    const char *profile; /* table of clauses that its cases stand on: "berkeleydb" */
    const char *expect;  /* expect/NAME.expect lists known departures; NULL: none */
    const char *(*library_version)(void); /* of the library as loaded: "5.3.28" */
    const char *(*library_build)(void);   /* its long version string, date included; may be NULL */
    const hp_entry_point *entry_points;
    const struct hp_case *const *tables; /* NULL-terminated; each table ends with HP_CASE_END */
    const char *const *capabilities;     /* NULL-terminated, may be NULL */
    /* The engine itself, for the core profile and for benchmarks; NULL: only its API's cases. */
    const struct hp_engine *operations;
    /* Called once in the process of a case, with the rights of the user who started the run, before
     * the isolation; the current directory is the case's. Returns 0, or an errno value: the case is
     * then an ERROR. May be NULL. */
    int (*prepare)(void);
    /* hp_case_run_one() of hp_case.h, which every module links. */
    int (*run_case)(const struct hp_case *one, const struct hp_case_run *run);
} hp_module;

typedef const hp_module *(*hp_module_function)(void);

/* The one exported symbol. The table is static and constant. */
const hp_module *hp_module_v1(void);

#endif
