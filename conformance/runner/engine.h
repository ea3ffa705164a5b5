/*
 * The engines under test, as the runner sees them: a module's description, not the module. The
 * description comes from a process of its own (`hotproof --describe FILE`), as JSON.
 */
#ifndef HP_ENGINE_H
#define HP_ENGINE_H

#include "options.h"
#include "text.h"

#include <stdbool.h>

#define HP_DESCRIBE "--describe"

/* A row of a module's case tables. */
typedef struct hp_known_case {
    const char *name, *file;
    int line;
    unsigned timeout_s; /* 0: the default */
    const char **clauses;
    size_t clause_count;
} hp_known_case;

typedef struct hp_engine_info {
    char *module;  /* its file */
    json_t *about; /* the description; the strings below belong to it */
    const char *name, *profile, *version, *expect;
    bool real_library;
    hp_known_case *cases;
    size_t case_count;
} hp_engine_info;

/* The engines that the kit has modules for, whether or not they were built here. `package` NULL:
 * not missed if it was not built. Ends with name NULL. */
typedef struct hp_known_engine {
    const char *name, *profile, *what, *package;
} hp_known_engine;
extern const hp_known_engine hp_known_engines[];

/* The file of the module that --engine `name` means: `name` itself if it has a slash, else NAME.so
 * in the module directory beside the program. The caller frees it. */
char *hp_engine_module(const char *name);

/* Describes the module in `file`. Returns 0, or -1 with a message: no such file, not a module,
 * wrong version, entry points from another library, a case without clauses, two cases of one name,
 * a crash while loading. */
int hp_engine_load(const char *file, hp_engine_info *engine, hp_error *error);
void hp_engine_free(hp_engine_info *engine);

/* The case called `name`, or NULL. */
const hp_known_case *hp_engine_find(const hp_engine_info *engine, const char *name);

/* Several engines, and the known ones that are absent. */
typedef struct hp_engine_list {
    hp_engine_info *items;
    size_t count;
    const hp_known_engine **absent;
    size_t absent_count;
} hp_engine_list;

/* Loads the engines that are named (--engine) or, if none is, every known engine that was built;
 * known ones that were are listed in `absent`. A name NAME stands for NAME-PROFILE, too: an
 * engine has one module per profile. Returns 0; or, with a message, -1 if a module is no good
 * and HP_NO_SUCH_ENGINE if a name means none. The list can be freed in each case. */
#define HP_NO_SUCH_ENGINE (-2)
int hp_engine_list_load(const hp_strings *names, hp_engine_list *list, hp_error *error);
void hp_engine_list_free(hp_engine_list *list);

/* Forgets the engines that are not wanted. */
void hp_engine_list_keep(
    hp_engine_list *list, bool (*wanted)(void *context, const hp_engine_info *), void *context);

/* Names of all cases of the engines that assert `clause`, each once; free with hp_names_free(). */
char **hp_cases_of_clause(const hp_engine_list *engines, const char *clause, size_t *count);
void hp_names_free(char **names, size_t count);

/* The other end: prints the description of the module in `file`. Returns an exit status, 3 with a
 * message on standard output if the module is no good. */
int hp_describe_main(const char *file);

/* The command `hotproof engines`. */
int hp_engines_command(int argc, char **argv);

#endif
