/*
 * The fragment of the reference page of NSFBackupStart, as it stands there, in a program that
 * begins a backup of "a.nsf" and gives it up. "=NOTES.INI" is its argument.
 */
#include <stdio.h>
#include <stdlib.h>

#include <nsfdb.h>
#include <osmisc.h>

static void print_api_error(STATUS err)
{
    char text[200];

    OSLoadString(NULLHANDLE, ERR(err), text, sizeof text - 1);
    printf("error 0x%04x: %s\n", ERR(err), text);
}

int main(int argc, char **argv)
{
    STATUS err;
    DBHANDLE hDB;
    DHANDLE BackupContext;
    DWORD FileSizeLow, FileSizeHigh;

    if (NotesInitExtended(argc, argv) != NOERROR || NSFDbOpen("a.nsf", &hDB) != NOERROR) {
        return EXIT_FAILURE;
    }

#pragma GCC diagnostic ignored "-Wparentheses"
    /* clang-format off */
   /* Start recording changes to the file at the NSF level */
   if (err = NSFBackupStart(hDB,
                            0L,
                            &BackupContext,
                            &FileSizeLow,
                            &FileSizeHigh))
   {
      print_api_error (err);
      NSFDbClose(hDB);
      NotesTerm();
      exit (EXIT_FAILURE);
   }
    /* clang-format on */

    printf("backup of %u and %u bytes\n", (unsigned)FileSizeLow, (unsigned)FileSizeHigh);
    NSFBackupEnd(hDB, BackupContext, BACKUPEND_ABORT);
    NSFDbClose(hDB);
    NotesTerm();
    return EXIT_SUCCESS;
}
