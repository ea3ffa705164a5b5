/* Backups in the way of Domino: a raw copy, before-images, and applying them. */
#include "scenario.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/capture.h"
#include "engine/error.h"

#define RAW "/raw.db"
#define STREAM "/stream"

enum { PIECE = 1024 };

static int prepare(world *w)
{
    int error = world_open(w);
    if (error == 0) {
        error = world_commits(w, 7);
    }
    return error == 0 ? world_close(w) : error;
}

/* ---- copying a file as a program would ---- */

/* Bytes `from` to `to` of one file into another, which is made. */
static int copy_part(ref_vfs *vfs, const char *source, uint64_t from, uint64_t to)
{
    uint8_t piece[PIECE];
    ref_file *in, *out = NULL;
    int error = vfs->open(vfs, source, 0, 0, &in);
    if (error != 0) {
        return error;
    }
    error = vfs->open(vfs, RAW, REF_O_WRITE | REF_O_CREATE, 0600, &out);
    for (uint64_t at = from; error == 0 && at < to; at += PIECE) {
        size_t size = to - at < PIECE ? (size_t)(to - at) : PIECE, done = 0;
        error = ref_read_full(in, piece, size, at, &done);
        if (error == 0) {
            error = ref_write_full(out, piece, done, at);
        }
    }
    if (error == 0) {
        error = vfs->fsync(out);
    }
    if (out != NULL) {
        int close_error = vfs->close(out);
        error = error != 0 ? error : close_error;
    }
    vfs->close(in);
    return error;
}

static int write_stream(world *w, ref_capture *capture)
{
    uint8_t piece[PIECE];
    uint64_t at = 0;
    size_t done = 1;
    ref_file *out;
    int error = w->vfs->open(w->vfs, STREAM, REF_O_WRITE | REF_O_CREATE | REF_O_TRUNC, 0600, &out);
    if (error != 0) {
        return error;
    }
    while (error == 0 && done > 0) {
        error = ref_capture_read(capture, piece, sizeof piece, &done);
        if (error == 0) {
            error = ref_write_full(out, piece, done, at);
            at += done;
        }
    }
    if (error == 0) {
        error = w->vfs->fsync(out);
    }
    int close_error = w->vfs->close(out);
    if (error == 0) {
        error = close_error;
    }
    return error == 0 ? w->vfs->fsync_dir(w->vfs, "/") : error;
}

/* Half before and half after two commits and a checkpoint have written over it. */
static int captured(world *w, ref_capture *capture, uint64_t size)
{
    uint64_t half = size / 2 / PIECE * PIECE;
    int error = copy_part(w->vfs, SWEEP_HOME "/0.db", 0, half);
    if (error == 0) {
        error = world_commits(w, 2);
    }
    if (error == 0) {
        error = ref_checkpoint(w->env, false);
    }
    if (error == 0) {
        error = copy_part(w->vfs, SWEEP_HOME "/0.db", half, size);
    }
    if (error == 0) {
        error = ref_capture_stop(capture);
    }
    return error == 0 ? write_stream(w, capture) : error;
}

static int capture(world *w)
{
    ref_capture_options options = {.memory_limit = 2048}; /* so that images spill */
    ref_capture *running;
    uint64_t size;
    w->least = w->acked;
    int error = ref_capture_start(w->dbs[0], &options, &running, &size);
    if (error != 0) {
        return error;
    }
    error = captured(w, running, size);
    ref_capture_end(running);
    return error;
}

/* ---- applying ---- */

static int apply_stream(world *w, ref_file *stream, uint64_t size)
{
    uint8_t piece[PIECE];
    ref_apply *apply;
    uint64_t at = 0;
    int error = ref_apply_start(w->vfs, RAW, size, &apply);
    if (error != 0) {
        return error;
    }
    while (error == 0 && at < size) {
        size_t done = 0;
        error = ref_read_full(stream, piece, sizeof piece, at, &done);
        if (error == 0) {
            error = ref_apply_next(apply, piece, done);
        }
        at += done;
    }
    int end_error = ref_apply_end(apply, error != 0);
    return error != 0 ? error : end_error;
}

static int apply(world *w)
{
    ref_file *stream;
    ref_stat stat = {0};
    int error = w->vfs->open(w->vfs, STREAM, 0, 0, &stream);
    if (error != 0) {
        return error;
    }
    error = w->vfs->fstat(stream, &stat);
    if (error == 0) {
        error = apply_stream(w, stream, stat.size);
        w->done = error == 0;
    }
    w->vfs->close(stream);
    return error;
}

/* ---- what must hold ---- */

/* A copy that opens is the database at the start of the capture, and one that was reported as made
 * does open. */
static int check(const world *w, ref_vfs *vfs, char *why)
{
    char words[SWEEP_WHY] = "";
    int error = world_check_source(w, vfs, why);
    if (error != 0) {
        return error;
    }
    error = world_look_at_database(vfs, RAW, w->least, words);
    if (error == 0 || (error != SWEEP_WRONG && !w->done)) {
        return 0;
    }
    return world_wrong(why, "the copied database: ", words);
}

static int capture_and_close(world *w)
{
    int error = capture(w);
    return error == 0 ? world_close(w) : error;
}

const scenario sweep_capture = {.name = "capture",
    .about = "a capture with commits and a checkpoint in the middle",
    .prepare = prepare,
    .begin = world_open,
    .act = capture_and_close,
    .check = check};

static int prepare_apply(world *w)
{
    int error = prepare(w);
    if (error == 0) {
        error = world_open(w);
    }
    return error == 0 ? capture_and_close(w) : error;
}

const scenario sweep_apply = {.name = "apply",
    .about = "applying a stream of before-images to a raw copy",
    .prepare = prepare_apply,
    .act = apply,
    .check = check};
