/*
 * Who is measured. A peer is a row of the table in peers.c: an engine, reached through its module
 * (conformance/hp_engine.h) and nothing else, or the program cp.
 */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include "../conformance/runner/arguments.h"
#include "../conformance/runner/text.h"

#include <stdbool.h>

typedef struct bench_known_peer {
    const char *name;    /* --peer */
    const char *what;    /* for people */
    bool is_program;     /* cp: it copies the files of another peer's environment */
    const char *package; /* Debian package that brings it; "": we do */
} bench_known_peer;

/* Ends with name NULL. The order is that of the reports, and of the first round. */
extern const bench_known_peer bench_known_peers[];

/* A peer as it is here. */
typedef struct bench_peer {
    char *name, *what;
    char *module;      /* its file; NULL: a program */
    char *version;     /* "" if there is none */
    char *build;       /* the library's long version string, "" if there is none */
    char *absent;      /* why it cannot be measured, NULL: it can */
    bool real_library; /* runs without sanitizers */
    bool syncs;        /* its backup syncs by itself, always */
    bool selected;     /* else it is here because its files are copied */
} bench_peer;

typedef struct bench_peers {
    bench_peer *items;
    size_t count;
} bench_peers;

/*
 * Finds the peers: all known ones and, of `names`, those that are files of modules. Selected are
 * those that are named, or all if none is. Returns 0 or, with a message, BENCH_NO_SUCH_PEER when a
 * name means none, -1 when a module is no good. Free in each case.
 */
#define BENCH_NO_SUCH_PEER (-2)
int bench_peers_find(const hp_strings *names, bench_peers *peers, hp_error *error);
void bench_peers_free(bench_peers *peers);

/* The peer whose files `program` copies: the first engine that is measured, the reference engine
 * for choice; else any. NULL: there is none. */
const bench_peer *bench_peers_source(const bench_peers *peers);

/* Whether it is to be measured, and can be. */
bool bench_peer_runs(const bench_peer *peer);

/* Whether its process is hotbench-child: a real library's always, ours in builds without sanitizers,
 * so that their memory compares. */
bool bench_peer_is_plain(const bench_peer *peer);

#endif
