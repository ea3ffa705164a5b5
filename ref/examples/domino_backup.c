/*
 * Backs up a database while it is in use, and puts a backup in a database's place.
 *
 *     domino_backup backup DATABASE COPY [=NOTES.INI]
 *     domino_backup restore COPY DATABASE [=NOTES.INI]
 *
 * DATABASE is a path as NSFDbOpen takes it; for restore, one that the operating system takes, too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <global.h>
#include <idtable.h>
#include <misc.h>
#include <nsfdb.h>
#include <nsferr.h>
#include <nsfnote.h>
#include <oserr.h>
#include <osmisc.h>

#define BUFFER_SIZE 32768
#define READS_PER_MARK 10

static char buffer[BUFFER_SIZE];

static STATUS report(STATUS status, const char *what)
{
    char text[256];

    if (status != NOERROR) {
        OSLoadString(NULLHANDLE, ERR(status), text, sizeof text - 1);
        fprintf(stderr, "%s: error 0x%04x: %s\n", what, ERR(status), text);
    }
    return status;
}

/* Copies `left` bytes; with a backup, says now and then how far it is. */
static STATUS copy_file(
    const char *from_path, const char *to_path, size_t left, DBHANDLE db, DHANDLE context)
{
    FILE *from = fopen(from_path, "rb"), *to = fopen(to_path, "wb");
    size_t done = 0, size = 1;

    for (int reads = 1; from != NULL && to != NULL && left > 0 && size > 0; reads++) {
        size = fread(buffer, 1, min(left, BUFFER_SIZE), from);
        done += size;
        left -= size;
        if (context != NULLHANDLE && reads % READS_PER_MARK == 0) {
            NSFBackupSetHighWaterMark(db, context, (DWORD)(done & MAXDWORD), (DWORD)(done >> 32));
        }
        size = fwrite(buffer, 1, size, to);
    }
    if (from == NULL || to == NULL || left > 0 || fclose(from) != 0 || fclose(to) != 0) {
        perror("copying failed");
        return ERR_IOERROR;
    }
    return NOERROR;
}

/* Gives the copy back what was overwritten while it was made. */
static STATUS apply_changes(DBHANDLE db, DHANDLE context, char *copy)
{
    DWORD low, high, filled;
    DHANDLE apply;
    STATUS status = NSFBackupGetChangeInfoSize(db, context, 0, &low, &high);

    if (status != NOERROR) {
        return report(status, "NSFBackupGetChangeInfoSize");
    }
    status = NSFBackupStartApplyChangeInfo(&apply, copy, 0, low, high);
    if (status != NOERROR) {
        return report(status, "NSFBackupStartApplyChangeInfo");
    }
    do {
        status = NSFBackupGetNextChangeInfo(db, context, 0, buffer, BUFFER_SIZE, &filled);
        if (status == NOERROR) {
            status = NSFBackupApplyNextChangeInfo(apply, 0, buffer, filled);
        }
        if (status != NOERROR) {
            NSFBackupEndApplyChangeInfo(apply, APPLYEND_ABORT);
            return report(status, "change information");
        }
    } while (filled > 0);
    return report(NSFBackupEndApplyChangeInfo(apply, 0), "NSFBackupEndApplyChangeInfo");
}

static STATUS backup_open(DBHANDLE db, char *copy)
{
    char path[MAXPATH];
    DHANDLE context;
    DWORD low, high, extent;
    UNID log, instance;
    BOOL logged;
    STATUS status = report(NSFDbPathGet(db, NULL, path), "NSFDbPathGet");

    if (status == NOERROR) {
        status = report(NSFBackupStart(db, 0, &context, &low, &high), "NSFBackupStart");
    }
    if (status != NOERROR) {
        return status;
    }
    status = report(NSFDbGetLogInfo(db, 0, &logged, &log, &instance, &extent), "NSFDbGetLogInfo");
    if (status == NOERROR) {
        printf(logged ? "%s: log from %u on\n" : "%s: not logged\n", path, (unsigned)extent);
        status = copy_file(path, copy, (size_t)high << 32 | low, db, context);
    }
    if (status == NOERROR) {
        status = report(NSFBackupStop(db, context), "NSFBackupStop");
    }
    if (status == NOERROR) {
        status = apply_changes(db, context, copy);
    }
    if (status != NOERROR) {
        remove(copy);
        NSFBackupEnd(db, context, BACKUPEND_ABORT);
        return status;
    }
    return report(NSFBackupEnd(db, context, 0), "NSFBackupEnd");
}

static STATUS backup(const char *database, char *copy)
{
    DBHANDLE db;
    STATUS status = report(NSFDbOpen(database, &db), database);

    if (status == NOERROR) {
        status = backup_open(db, copy);
        NSFDbClose(db);
    }
    return status;
}

static STATUS restore(const char *copy, const char *database)
{
    TIMEDATE always, until;
    DHANDLE notes;
    DBHANDLE db;
    struct stat info;
    STATUS status = NSFDbDelete(database);

    if (status != NOERROR && ERR(status) != ERR_NOEXIST) {
        return report(status, "NSFDbDelete");
    }
    if (stat(copy, &info) != 0) {
        return report(ERR_NOEXIST, copy);
    }
    status = copy_file(copy, database, (size_t)info.st_size, NULLHANDLE, NULLHANDLE);
    if (status == NOERROR) {
        status = report(NSFDbOpen(database, &db), database);
    }
    if (status != NOERROR) {
        return status;
    }
    TimeConstant(TIMEDATE_MINIMUM, &always);
    status = NSFDbGetModifiedNoteTable(db, NOTE_CLASS_ALL, always, &until, &notes);
    if (status == NOERROR || ERR(status) == ERR_NO_MODIFIED_NOTES) {
        printf("%s: %u notes\n", database, (unsigned)IDEntries(notes));
        IDDestroyTable(notes);
        status = NOERROR;
    }
    NSFDbClose(db);
    return report(status, "NSFDbGetModifiedNoteTable");
}

int main(int argc, char **argv)
{
    if (argc < 4 || (strcmp(argv[1], "backup") != 0 && strcmp(argv[1], "restore") != 0)) {
        fprintf(stderr, "usage: %s backup DATABASE COPY [=NOTES.INI]\n", argv[0]);
        fprintf(stderr, "       %s restore COPY DATABASE [=NOTES.INI]\n", argv[0]);
        return EXIT_FAILURE;
    }
    if (report(NotesInitExtended(argc, argv), "NotesInitExtended") != NOERROR) {
        return EXIT_FAILURE;
    }
    STATUS status = argv[1][0] == 'b' ? backup(argv[2], argv[3]) : restore(argv[2], argv[3]);
    NotesTerm();
    return status == NOERROR ? EXIT_SUCCESS : EXIT_FAILURE;
}
