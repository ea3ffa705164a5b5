/*
 * The directory sink: a backup's files in a directory, all of them or none.
 *
 * Files are written under temporary names beside their places and synced. Finishing puts a marker
 * into the target, makes it durable, removes what must not stay, moves every file into its place,
 * syncs every directory and removes the marker. So at any crash the target holds what it held
 * before, or the new copy, or the marker, with which an environment does not open.
 *
 * What must not stay: with CLEAN everything else below the target (links are removed, not followed;
 * other file systems mounted below are left alone). Otherwise the log segments of an older copy,
 * because they would be replayed, and its control file, because it would say that there is nothing
 * to replay.
 *
 * An update goes without a marker, since the copy that it extends is whole at every moment: the
 * files move into their places one after the other, in the order in which they were opened, each
 * name durable before the next; so after a crash the copy's log is as long as it was, or longer.
 *
 * A lock file keeps two backups from writing to one target at a time. Temporaries that an earlier,
 * interrupted backup left in directories of this one are removed.
 *
 * Results: 0, or what the vfs gave, with words that name the path. Threads: one sink is used by one
 * thread.
 */
#ifndef REF_SINK_DIR_H
#define REF_SINK_DIR_H

#include "backup_target.h"

typedef struct ref_dir_sink ref_dir_sink;

/* May be filled in after the beginning, until the first file is opened. */
typedef struct ref_sink_update {
    const char *extends;  /* the file that continues one of its name: EXCLUSIVE lets it pass */
    uint32_t needed_from; /* CLEAN removes the segments before it, at the end; 0: none */
} ref_sink_update;

typedef struct ref_dir_sink_options {
    const char *log_dir; /* where the copy's log lies, relative to the target; NULL: the files are
                            no environment, they are moved without marker, and nothing is removed */
    const ref_sink_update
        *update; /* the files are log that goes on where the target's ends; NULL: they are not */
    bool direct; /* write past the page cache where the file system can */
    void (*progress)(void *context, const char *line); /* "removing PATH"; may be NULL */
    void (*notice)(void *context, const char *line);   /* direct and cannot; once; may be NULL */
    void *progress_context;
} ref_dir_sink_options;

/*
 * Begins to write into a target that ref_target_check() has passed. Makes it if it is not there.
 * *out is NULL on failure, and then nothing was made: EBUSY when another backup is writing to it
 * or an environment in it is open, or what making directories gave. The target's strings and the
 * options' are borrowed until the end.
 */
int ref_dir_sink_begin(
    const ref_target *target, const ref_dir_sink_options *options, ref_dir_sink **out);

/* The interface for writing files, valid until the end. open() makes the directories that a name
 * needs; its errors are those of ref_target_check_file(). Every file is on the disk when close()
 * returns 0. A name is opened once. */
const ref_sink *ref_dir_sink_interface(ref_dir_sink *sink);

/* A directory that the copy has even when no file goes there: made with CREATE, else only noticed
 * when it is there. */
int ref_dir_sink_add_dir(ref_dir_sink *sink, const char *name);

/* Puts everything in its place. All files are closed. After a failure only the end is left. */
int ref_dir_sink_finish(ref_dir_sink *sink);

/*
 * Ends the sink, also when begin was the only call. Without a finish that succeeded it removes what
 * the sink made: temporaries, directories, and, when EXCLUSIVE kept it from replacing anything,
 * files that were in their places already. Where older files were removed or replaced the marker
 * stays. Of an update it removes temporaries only. Leaves the words of the failure as they are.
 */
void ref_dir_sink_end(ref_dir_sink *sink);

#endif
