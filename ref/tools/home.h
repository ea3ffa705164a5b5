/*
 * Where an environment's parts lie: its home, data directories and log directory, from the file
 * DB_CONFIG in the home and from options of the command line.
 *
 * Of DB_CONFIG only what says where things lie or how large they grow is used here: add_data_dir,
 * set_data_dir, set_create_dir, set_lg_dir, set_lg_max and set_cachesize. The other parameters
 * concern programs that use the environment through the Berkeley DB interface, which checks them.
 */
#ifndef TOOL_HOME_H
#define TOOL_HOME_H

#include "engine/tree.h"
#include "tool.h"

/* Start from {0}; tool_home_free() when done. */
typedef struct tool_home {
    const char *path; /* borrowed */
    ref_names data_dirs;
    char *create_dir; /* NULL: not said */
    char *log_dir;    /* NULL: the home */
    uint32_t segment_size;
    uint64_t cache_size;
    bool configured; /* DB_CONFIG says where something lies */
} tool_home;

/* Reads path/DB_CONFIG if it is there. 0, or an error with words that name file and line. */
int tool_home_read(ref_vfs *vfs, const char *path, tool_home *out);
void tool_home_free(tool_home *home);

/* From an option; one that is there already is not added again. */
void tool_home_add_data_dir(tool_home *home, const char *dir);
void tool_home_set_log_dir(tool_home *home, const char *dir);

/* Fills in what the home says; the options borrow it. */
void tool_home_options(const tool_home *home, ref_env_options *options);

/* The directory that a configured spelling means ("": the home). malloc'd. */
char *tool_home_dir(const tool_home *home, const char *dir);
/* The log directory. malloc'd. */
char *tool_home_log(const tool_home *home);

/* a/b, or b alone when it is absolute. malloc'd. */
char *tool_join(const char *a, const char *b);

#endif
