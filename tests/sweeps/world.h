/*
 * A small world on a disk in memory, and what must be left of it.
 *
 * Commits are numbered. Commit i writes to two databases at once, and makes or removes a third; so
 * the number alone says what an environment holds, and an environment that holds anything else is
 * wrong. A world counts which commits were acknowledged and which were tried; between the two lies
 * what may be found after a fault.
 */
#ifndef SWEEP_WORLD_H
#define SWEEP_WORLD_H

#include <stdbool.h>

#include "disk/disk.h"
#include "engine/engine.h"

#define SWEEP_HOME "/home"
#define SWEEP_COPY "/copy"
#define SWEEP_WHY 400

/* The result of a look at what must not be; no errno value and no result of the engine. */
#define SWEEP_WRONG (-10000)

typedef struct world {
    fault_disk *disk;
    ref_vfs *vfs;
    ref_env *env; /* NULL: not open */
    ref_db *dbs[2];
    bool large;          /* commits fill a good part of a log segment */
    const char *log_dir; /* below the home, and in the copies; NULL: the home itself */
    uint32_t acked, tried;

    /* a backup, as the scenarios that make one use these */
    bool done;       /* it was reported as made */
    uint32_t before; /* what an older one in its place holds; 0: there is none */
    uint32_t least;  /* commits that it must hold */
    uint32_t most;   /* that it may hold; 0: those tried by now */
} world;

/* A world on an empty disk, or on a clone of another's disk with its counts. 0 or ENOMEM. */
int world_new(world *w, fault_profile profile, uint64_t seed);
int world_again(world *w, const world *from);
/* Closes what is open, whatever that gives, and frees the disk. */
void world_free(world *w);

/* Opens environment and databases, making them when they are not there; what is found is
 * acknowledged from then on. SWEEP_WRONG when that is no commit that may be found. */
int world_open(world *w);
int world_close(world *w);
/* As if the process had been killed: the files stay as they are. */
void world_kill(world *w);

/* The next commit: counted as tried, and as acknowledged if it gives 0. */
int world_commit(world *w);
int world_commits(world *w, unsigned count);

/*
 * Opens an environment like the world's at `home` on this vfs and sees that it holds exactly what one commit from
 * `least` to `most` left. *found (may be NULL) is that commit. 0; an error of opening or reading as
 * it is; SWEEP_WRONG when it holds something else. Words go into `why` (SWEEP_WHY bytes, empty before).
 */
int world_look(const world *w, ref_vfs *vfs, const char *home, uint32_t least, uint32_t most,
    uint32_t *found, char *why);

/* Sees that a database alone holds exactly what the first database held after this commit. Results
 * as above. */
int world_look_at_database(ref_vfs *vfs, const char *path, uint32_t commit, char *why);

/* SWEEP_WRONG; the words go into `why`, as far as there is room. */
int world_wrong(char *why, const char *words, const char *detail);

/* The source: it opens, with all that was acknowledged. 0 or SWEEP_WRONG with words. */
int world_check_source(const world *w, ref_vfs *vfs, char *why);

#endif
