/* A sink that writes plain files: see copy_sink.h. */
#include "copy_sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct copy_file {
    FILE *stream;
    char name[256];
    uint64_t size;
} copy_file;

static int call_hook(copy_sink *self, copy_call kind, const char *name)
{
    uint32_t call = self->calls++;
    return self->hook != NULL ? self->hook(self->hook_context, call, kind, name) : 0;
}

static int open_file(void *context, const char *name, void **file)
{
    copy_sink *self = context;
    char path[FIXTURE_PATH];
    *file = NULL;
    self->log_begun = self->log_begun || strncmp(name, "log.", 4) == 0;
    int error = call_hook(self, COPY_OPEN, name);
    if (error != 0) {
        return error;
    }
    copy_file *mine = calloc(1, sizeof *mine);
    if (mine == NULL) {
        return ENOMEM;
    }
    snprintf(mine->name, sizeof mine->name, "%s", name);
    snprintf(path, sizeof path, "%.700s/%.300s", self->dir, name);
    mine->stream = fopen(path, "wbx");
    if (mine->stream == NULL) {
        free(mine);
        return EIO;
    }
    *file = mine;
    return 0;
}

static int write_file(void *context, void *file, uint64_t offset, const void *data, size_t size)
{
    copy_sink *self = context;
    copy_file *mine = file;
    int error = call_hook(self, COPY_WRITE, mine->name);
    if (error == 0 && offset != mine->size) {
        error = ESPIPE;
    }
    if (error == 0 && fwrite(data, 1, size, mine->stream) != size) {
        error = EIO;
    }
    mine->size += size;
    return error;
}

static int close_file(void *context, const char *name, void *file)
{
    copy_sink *self = context;
    copy_file *mine = file;
    int error = call_hook(self, COPY_CLOSE, name);
    fclose(mine->stream);
    free(mine);
    return error;
}

void copy_sink_init(copy_sink *sink, const char *dir)
{
    memset(sink, 0, sizeof *sink);
    sink->sink =
        (ref_sink){.context = sink, .open = open_file, .write = write_file, .close = close_file};
    snprintf(sink->dir, sizeof sink->dir, "%s", dir);
    dir_make(dir);
}
