/* The directory sink's insides, shared by sink_dir.c (writing) and sink_finish.c (moving). */
#ifndef REF_SINK_DIR_INTERNAL_H
#define REF_SINK_DIR_INTERNAL_H

#include "sink_dir.h"
#include "tree.h"

#define REF_SINK_FILE_MODE 0600u
#define REF_SINK_DIR_MODE 0700u

/* A directory of the copy. */
typedef struct ref_sink_place {
    char *name;  /* relative to the target */
    char *path;  /* where it is now */
    char *final; /* where it will be */
    bool made;   /* by this sink: it holds nothing else */
    bool staged; /* made beside its place, where something lies that CLEAN will remove */
    struct ref_sink_place *next;
} ref_sink_place;

typedef struct ref_sink_file {
    ref_sink_place *dir;
    char *base;      /* its name there */
    bool exclusive;  /* it may not replace another */
    char *temporary; /* its name there until it is moved */
    ref_file *file;  /* NULL when closed */
    bool direct;
    bool failed;
    bool moved;
    struct ref_sink_file *next;
} ref_sink_file;

struct ref_dir_sink {
    ref_sink interface;
    ref_vfs *vfs;
    ref_target target;
    uint64_t device; /* of the target */
    ref_dir_sink_options options;
    ref_sink_place *places; /* the target first, each directory before what is in it */
    ref_sink_place **last_place;
    ref_sink_file *files;
    ref_sink_file **last_file;
    ref_names made;    /* directories, in the order of making */
    size_t made_above; /* the first so many are the target and directories above it */
    ref_file *lock;
    ref_file *owner_lock; /* of an environment in the target; NULL when there is none */
    bool told_cached;     /* that there are no direct writes here */
    bool marker_made;
    bool destroyed; /* something that was there before is gone or replaced */
    bool finished;
};

/* ENOMEM with words. */
int ref_sink_no_memory(const char *what);
/* A visitor for ref_tree_remove(): tells the progress. */
void ref_sink_tell_removing(void *sink, const char *path);
/* The directory of that name, relative to the target; NULL when it is none of the copy's. */
ref_sink_place *ref_sink_find_place(const ref_dir_sink *sink, const char *name);
/* EXCLUSIVE without CLEAN: nothing that is in the target already may go. */
bool ref_sink_removes_nothing(const ref_dir_sink *sink);

#endif
