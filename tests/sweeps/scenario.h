/*
 * What the sweeps disturb: one piece of work each, and what must hold whatever becomes of it.
 */
#ifndef SWEEP_SCENARIO_H
#define SWEEP_SCENARIO_H

#include "world.h"

typedef struct scenario {
    const char *name;
    const char *about; /* a line */
    /* Makes the disk as it is before; nothing fails. */
    int (*prepare)(world *w);
    /* What comes before the work in the same process; nothing fails. May be NULL. */
    int (*begin)(world *w);
    /* The work. Stops at the first error, which it returns; may leave the environment open. */
    int (*act)(world *w);
    /* What must hold on this vfs: of the disk itself when all is healed, or of what a power cut has
     * left. 0, or SWEEP_WRONG with words in `why` (SWEEP_WHY bytes). */
    int (*check)(const world *w, ref_vfs *vfs, char *why);
} scenario;

extern const scenario *const sweep_scenarios[]; /* ends with NULL */

extern const scenario sweep_commit, sweep_checkpoint, sweep_log_switch, sweep_open, sweep_recovery,
    sweep_unsynced, sweep_compact;
extern const scenario sweep_backup, sweep_backup_again, sweep_backup_clean, sweep_update,
    sweep_database, sweep_callbacks, sweep_restore;
extern const scenario sweep_capture, sweep_apply;

const scenario *sweep_find(const char *name); /* NULL when there is none */

#endif
