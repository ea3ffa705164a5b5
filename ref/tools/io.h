/*
 * A vfs in front of another one, through which the commands do their work: it counts the bytes that
 * move, keeps to a rate, ends the work when a signal has asked for it, and for commands that only
 * look refuses whatever would change something.
 *
 * WHY A VFS: a signal has to end a backup within a second wherever it is in it, and reading and
 * writing are the two things that it does all the time. A call that fails is what the engine is
 * built for: it gives up, removes what it has made and lets the log go.
 *
 * What may be ended is said by tool_io_stoppable(). Calls that remove or rename are never
 * refused, so that cleaning up works, nor is anything after the marker of an unfinished backup
 * was made: from there it is a matter of renaming, and stopping would leave an older backup in
 * pieces.
 *
 * Output is synced every SYNC_EVERY bytes, so that no sync at a file's end keeps a signal waiting.
 *
 * Threads: one at a time.
 */
#ifndef TOOL_IO_H
#define TOOL_IO_H

#include "engine/vfs.h"
#include "progress.h"

typedef struct tool_io {
    ref_vfs vfs;             /* what the engine is given */
    ref_vfs *next;           /* borrowed */
    bool read_only;          /* opening for writing gives EACCES, changing names EROFS */
    tool_progress *progress; /* told of the bytes that are counted; may be NULL */
    bool count_all;          /* count what is read and written anywhere, not only output */
    const char *stoppable;   /* see tool_io_stoppable() */
    char *output;            /* see tool_io_begin_output() */
    bool past_return;        /* the output's marker was made */
    uint64_t rate;           /* of output, bytes a second; 0: as fast as it goes */
    uint64_t paced_from;     /* when the first byte of output was written */
    uint64_t paced_bytes;
} tool_io;

/* `next` NULL: ref_default_vfs(). */
void tool_io_init(tool_io *io, ref_vfs *next);
void tool_io_free(tool_io *io);

/* Files below the directory are output from here on: counted, paced, synced on the way. The path is
 * as it will be spelled in calls. */
void tool_io_begin_output(tool_io *io, const char *directory, uint64_t rate);
void tool_io_end_output(tool_io *io);

/* Where a signal makes reading, writing and syncing fail with ECANCELED: on files that are opened
 * while it holds and whose path begins with `prefix` ("": all). NULL: nowhere. The string is
 * borrowed, and its address tells one call from another. */
void tool_io_stoppable(tool_io *io, const char *prefix);

/* SIGINT and SIGTERM ask for an end from here on; the second one ends the program as usual. */
void tool_signals_catch(void);
/* The signal that has come; 0: none. */
int tool_signal(void);

#endif
