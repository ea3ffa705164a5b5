/* Who is measured: see peers.h. */
#include "peers.h"

#include "../conformance/runner/engine.h"
#include "process.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const bench_known_peer bench_known_peers[] = {
    {"cp", "the real cp -r, of a measured engine's files", true, "coreutils"},
    {"libdb", "Berkeley DB, DB_ENV->backup with its defaults", false, "libdb5.3-dev"},
    {"ref", "the reference engine, DB_ENV->backup with its defaults", false, ""},
    {NULL, NULL, false, NULL},
};

static char *absent_text(const bench_known_peer *known)
{
    return known->package[0] != '\0' ? hp_format("not installed: apt install %s", known->package)
                                     : hp_format("not built");
}

/* Asks the module in `file` who it is. */
static int describe(const char *file, bench_peer *peer, hp_error *error)
{
    const char *const arguments[] = {"describe", file, NULL};
    bench_process process = bench_process_run(false, arguments, STDERR_FILENO);
    int status = 0;
    if (process.outcome != BENCH_DONE) {
        status = hp_fail(error, "%s: %s", file, process.words);
    } else {
        peer->module = realpath(file, NULL);
        peer->version = hp_format("%s", bench_report_text(&process, "version"));
        peer->build = hp_format("%s", bench_report_text(&process, "build"));
        peer->real_library = bench_report_number(&process, "real_library") != 0;
        peer->syncs = bench_report_number(&process, "syncs") != 0;
        if (peer->name == NULL) {
            peer->name = hp_format("%s", bench_report_text(&process, "engine"));
        }
        if (bench_report_number(&process, "operations") == 0) {
            peer->absent = hp_format("its module has no operations (hp_engine.h)");
        }
    }
    bench_process_free(&process);
    return status;
}

static bool on_path(const char *program)
{
    char *command = hp_format("command -v %s >/dev/null 2>&1", program);
    bool found = system(command) == 0;
    free(command);
    return found;
}

static int find_known(const bench_known_peer *known, bench_peer *peer, hp_error *error)
{
    peer->name = hp_format("%s", known->name);
    peer->what = hp_format("%s", known->what);
    if (known->is_program) {
        peer->absent = on_path(known->name) ? NULL : absent_text(known);
        return 0;
    }
    char *file = hp_engine_module(known->name);
    int status = 0;
    if (access(file, F_OK) == 0) {
        status = describe(file, peer, error);
    } else {
        peer->absent = absent_text(known);
    }
    free(file);
    return status;
}

static int select_known(bench_peers *peers, const char *name, hp_error *error)
{
    for (size_t i = 0; i < peers->count; i++) {
        if (strcmp(peers->items[i].name, name) == 0) {
            peers->items[i].selected = true;
            return 0;
        }
    }
    hp_fail(error, "no peer is called %s (--list prints them; the file of a module needs a slash)",
        name);
    return BENCH_NO_SUCH_PEER;
}

static int add_file(bench_peers *peers, const char *file, hp_error *error)
{
    bench_peer *peer = &peers->items[peers->count++];
    *peer = (bench_peer){.what = hp_format("%s", file), .selected = true};
    if (access(file, F_OK) != 0) {
        peer->name = hp_format("%s", file);
        hp_fail(error, "%s: no such module", file);
        return BENCH_NO_SUCH_PEER;
    }
    if (describe(file, peer, error) != 0) {
        return -1;
    }
    for (size_t i = 0; i + 1 < peers->count; i++) {
        if (strcmp(peers->items[i].name, peer->name) == 0) {
            hp_fail(error, "%s: a peer is called %s already", file, peer->name);
            return BENCH_NO_SUCH_PEER;
        }
    }
    return 0;
}

int bench_peers_find(const hp_strings *names, bench_peers *peers, hp_error *error)
{
    size_t known = sizeof bench_known_peers / sizeof bench_known_peers[0] - 1;
    int status = 0;
    *peers = (bench_peers){.items = hp_allocate(known + names->count, sizeof *peers->items)};
    while (peers->count < known && status == 0) {
        bench_peer *peer = &peers->items[peers->count];
        status = find_known(&bench_known_peers[peers->count++], peer, error);
        peer->selected = names->count == 0;
    }
    for (size_t i = 0; i < names->count && status == 0; i++) {
        const char *name = names->items[i];
        status = strchr(name, '/') != NULL ? add_file(peers, name, error)
                                           : select_known(peers, name, error);
    }
    for (size_t i = 0; i < peers->count; i++) {
        peers->items[i].version =
            peers->items[i].version != NULL ? peers->items[i].version : hp_format("%s", "");
        peers->items[i].build =
            peers->items[i].build != NULL ? peers->items[i].build : hp_format("%s", "");
    }
    return status;
}

void bench_peers_free(bench_peers *peers)
{
    for (size_t i = 0; i < peers->count; i++) {
        free(peers->items[i].name);
        free(peers->items[i].what);
        free(peers->items[i].module);
        free(peers->items[i].version);
        free(peers->items[i].build);
        free(peers->items[i].absent);
    }
    free(peers->items);
    *peers = (bench_peers){0};
}

bool bench_peer_runs(const bench_peer *peer)
{
    return peer->selected && peer->absent == NULL;
}

const bench_peer *bench_peers_source(const bench_peers *peers)
{
    const bench_peer *best = NULL;
    int best_rank = 0;
    for (size_t i = 0; i < peers->count; i++) {
        const bench_peer *peer = &peers->items[i];
        int rank = (peer->selected ? 2 : 0) + (strcmp(peer->name, "ref") == 0 ? 2 : 1);
        if (peer->module != NULL && peer->absent == NULL && rank > best_rank) {
            best = peer;
            best_rank = rank;
        }
    }
    return best;
}

bool bench_peer_is_plain(const bench_peer *peer)
{
    return peer->real_library || BENCH_OURS_IS_PLAIN;
}
