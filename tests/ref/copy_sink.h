/*
 * A backup's sink that writes plain files into a directory, and calls the test before each of its
 * calls: whatever a callback of the application may do can be done at each of them.
 */
#ifndef COPY_SINK_H
#define COPY_SINK_H

#include "support.h"

typedef enum copy_call { COPY_OPEN, COPY_WRITE, COPY_CLOSE } copy_call;

typedef struct copy_sink {
    ref_sink sink; /* what the backup gets */
    char dir[FIXTURE_PATH];
    uint32_t calls;
    bool log_begun; /* a log segment has been opened: all databases are read */
    int (*hook)(void *context, uint32_t call, copy_call kind, const char *name);
    void *hook_context;
} copy_sink;

/* Makes the directory, which must not be there. */
void copy_sink_init(copy_sink *sink, const char *dir);

#endif
