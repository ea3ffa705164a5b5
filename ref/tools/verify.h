/*
 * What the parts of `hotref verify` share.
 *
 * verify.c        the command; the log as a whole; the report
 * verify_files.c  is every database there, and what else is
 * verify_pages.c  is every page sound, and would recovery bring the files to the log's end
 *
 * Whatever is wrong is a finding, named with its file; what is only worth knowing is a note. Both
 * are kept until the end, because an environment that is in use changes while it is looked at: then
 * all is looked at again.
 */
#ifndef TOOL_VERIFY_H
#define TOOL_VERIFY_H

#include "home.h"
#include "inspect.h"
#include "io.h"
#include "manifest.h"
#include "progress.h"

/* A page that is not sound as it lies in its file. */
typedef struct tool_bad_page {
    uint32_t pgno;
    ref_page_health health;
} tool_bad_page;

/* What is known of one database. */
typedef struct tool_check {
    const tool_database *database;
    char *path;             /* where it lies; NULL: nowhere */
    uint64_t device, inode; /* of the file, or of an empty file of its name */
    bool empty;             /* there is only that */
    uint64_t *pages;        /* per page what is known of it (verify_pages.c) */
    uint64_t count;         /* of pages there, in the file or in the log */
    uint64_t in_file;       /* whole pages in the file */
    uint64_t stated;        /* pages that there are by what page 0 says */
    tool_bad_page *bad;
    size_t bad_count, bad_capacity;
} tool_check;

typedef struct tool_verification {
    tool_io *io;
    ref_vfs *vfs;
    tool_home home;
    bool backup; /* a backup: stands still, and was checked when it was made */
    bool verbose;
    tool_manifest *manifest; /* NULL: none */
    tool_log log;
    bool whole;     /* the log is whole, and recovery would get to its end */
    uint64_t start; /* LSN at which recovery begins; 0: with the oldest record */
    bool begun;     /* a checkpoint in the log has its redo point in the oldest segment */
    tool_databases databases;
    tool_check *checks; /* by tool_database.index */
    uint64_t applied;   /* changes that replay would make */
    uint64_t pages;     /* sound ones */
    uint64_t living;    /* databases that are not removed */
    uint64_t findings;
    FILE *report; /* findings and notes */
    tool_progress progress;
} tool_verification;

void tool_finding(tool_verification *v, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void tool_note(tool_verification *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A finding with the words of the engine's call that failed. */
void tool_finding_words(tool_verification *v, int error);

/* verify_files.c: looks for each database where recovery would, and at what else is there. */
void tool_verify_locate(tool_verification *v);
void tool_verify_strays(tool_verification *v);
/* Compares every file with the manifest. */
void tool_verify_manifest(tool_verification *v);

/* verify_pages.c: reads every page; runs the replay on page numbers and LSNs alone; where there is
 * nothing to replay, checks the trees, too. */
void tool_verify_pages(tool_verification *v);
void tool_verify_replay(tool_verification *v);
void tool_verify_trees(tool_verification *v);

#endif
