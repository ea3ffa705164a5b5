/*
 * What cannot be brought about through documented functions. Each implementation has a table of its
 * own, provoke_NAME.c. A member that is NULL means that there is no way; where a case cannot do
 * without, it is UNSUPPORTED.
 */
#ifndef DOMINO_PROVOKE_H
#define DOMINO_PROVOKE_H

#include <stddef.h>
#include <stdint.h>

/* A range of a database's file. */
typedef struct dom_range {
    uint64_t offset, size;
} dom_range;

typedef struct dom_provoke_table {
    /* Where the recovery marks lie that a backup has beside what the database had at the start. Of
     * size 0: nowhere. */
    dom_range marks;

    /* Writes all updates of a database to its file. Returns a STATUS. Any thread. */
    uint16_t (*flush)(const char *path);

    /* Lines for notes.ini that make the databases below `directory`, absolute, those of the server
     * `server`. */
    void (*serve)(const char *server, const char *directory, char *ini, size_t size);

    /* A line for notes.ini: a backup ends at the memory limit, and does not write a file. */
    const char *no_temporary_file;

    /* Every write of more than `after_bytes` bytes in all to files other than databases and logs
     * fails with this errno value; 0: no more. */
    void (*fail_temporary_files)(int error, uint64_t after_bytes);

    /* Puts the clock forward. */
    void (*pass_time)(unsigned seconds);

    /* Makes NSFDbCompact call `pause` in the middle, at least once, in the thread that compacts;
     * NULL: no more. */
    void (*pause_compaction)(void (*pause)(void *argument), void *argument);
} dom_provoke_table;

extern const dom_provoke_table dom_provoke;

#endif
