/* hotbench: finds the peers, runs the cases, writes the record, prints the table. */
#include "cases.h"
#include "child.h"
#include "machine.h"
#include "ndjson.h"
#include "table.h"

#include "../conformance/runner/directory.h"
#include "../conformance/runner/record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int complain(int exit_status, const hp_error *error)
{
    fprintf(stderr, "hotbench: %s\n", error->text);
    return exit_status;
}

static void list(const bench_peers *peers)
{
    printf("Peers\n");
    for (size_t i = 0; i < peers->count; i++) {
        const bench_peer *peer = &peers->items[i];
        printf("  %-10s %s %s\n", peer->name, peer->what,
            peer->absent != NULL ? peer->absent : peer->version);
    }
    printf("Cases\n");
    for (const bench_case *const *one = bench_cases; *one != NULL; one++) {
        printf("  %-10s %s\n", (*one)->name, (*one)->what);
    }
}

static void write_line(
    void *context, const bench_measurement *measurement, const bench_verification *verification)
{
    hp_record_write(context, measurement != NULL ? bench_json_measurement(measurement)
                                                 : bench_json_verification(verification));
}

static void write_summaries(hp_record *record, const bench_run *run)
{
    for (const bench_case *const *one = bench_cases; *one != NULL; one++) {
        for (size_t i = 0; i < run->options->size_count; i++) {
            for (size_t k = 0; k < run->peers->count; k++) {
                const bench_peer *peer = &run->peers->items[k];
                for (int durable = 1; durable >= 0 && bench_peer_runs(peer); durable--) {
                    bench_selection selection = {.scenario = (*one)->name,
                        .size_mib = run->options->sizes[i],
                        .durable = durable != 0};
                    hp_record_write(
                        record, bench_json_summary(&run->results, run->peers, &selection, peer));
                }
            }
        }
    }
}

static int check_room(const bench_run *run, hp_error *error)
{
    struct statvfs about;
    if (statvfs(run->options->dir, &about) != 0) {
        return hp_fail(error, "%s: %s", run->options->dir, strerror(errno));
    }
    uint64_t there = (uint64_t)about.f_bavail * about.f_frsize;
    for (const bench_case *const *one = bench_cases; *one != NULL; one++) {
        uint64_t needed = (*one)->room(run);
        if (needed > there) {
            return hp_fail(error,
                "%s: %" PRIu64 " MiB are free, the case %s needs %" PRIu64
                " (--dir, --size choose others)",
                run->options->dir, there >> 20, (*one)->name, needed >> 20);
        }
    }
    return 0;
}

static void interrupt(int signal)
{
    (void)signal;
    bench_interrupt();
}

/* So that the directory with the databases is removed whatever happens. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

static int run_cases(bench_run *run, hp_record *record)
{
    hp_error error;
    int status = 0;
    for (const bench_case *const *one = bench_cases; *one != NULL && status == 0; one++) {
        status = (*one)->run(run, &error);
    }
    write_summaries(record, run);
    if (bench_interrupted()) {
        hp_fail(&error, "interrupted");
        return complain(BENCH_EXIT_BROKEN, &error);
    }
    if (status != 0) {
        return complain(BENCH_EXIT_BROKEN, &error);
    }
    return bench_any_failed(&run->results) ? BENCH_EXIT_FAILED : BENCH_EXIT_MEASURED;
}

/* The run, with its directory and its record open. */
static int run_recorded(bench_run *run, hp_record *record)
{
    json_t *machine = bench_machine_json(run->work);
    char *line = bench_machine_line(machine);
    hp_record_write(record, bench_json_header(run->options, run->peers, machine));
    for (size_t i = 0; i < run->peers->count; i++) {
        const bench_peer *peer = &run->peers->items[i];
        if (peer->selected && peer->absent != NULL) {
            hp_record_write(record, bench_json_absent(peer));
        }
    }
    run->record = write_line;
    run->context = record;
    int exit_status = run_cases(run, record);
    hp_record_write(record, bench_json_footer(exit_status));
    for (const bench_case *const *one = bench_cases; *one != NULL; one++) {
        bench_table_print(stdout, (*one)->name, line, run->options, run->peers, &run->results);
    }
    printf("\nRecord: %s\n", record->path);
    free(line);
    return exit_status;
}

static int measure(bench_run *run)
{
    hp_error error;
    hp_record record = {0};
    char *work = NULL, *log = NULL;
    int exit_status = BENCH_EXIT_BROKEN;
    if (check_room(run, &error) != 0 ||
        (work = hp_directory_temporary(run->options->dir, &error)) == NULL) {
        return complain(BENCH_EXIT_BROKEN, &error);
    }
    if (hp_record_open(run->options->out, &record, &error) != 0) {
        complain(BENCH_EXIT_BROKEN, &error);
    } else {
        log = hp_format("%s/engines.log", record.logs);
        run->log = open(log, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0644);
        run->work = work;
        catch_signals();
        exit_status = run_recorded(run, &record);
        close(run->log);
        free(log);
    }
    if (hp_record_close(&record, &error) != 0) {
        exit_status = complain(BENCH_EXIT_BROKEN, &error);
    }
    bench_results_free(&run->results);
    hp_directory_remove(work);
    free(work);
    return exit_status;
}

static int start(const bench_options *options)
{
    hp_error error;
    bench_peers peers;
    int exit_status = BENCH_EXIT_MEASURED;
    int status = bench_peers_find(&options->peers, &peers, &error);
    size_t found = 0;
    for (size_t i = 0; i < peers.count; i++) {
        found += bench_peer_runs(&peers.items[i]);
    }
    if (status != 0) {
        exit_status =
            complain(status == BENCH_NO_SUCH_PEER ? BENCH_EXIT_USAGE : BENCH_EXIT_BROKEN, &error);
    } else if (options->list) {
        list(&peers);
    } else if (found == 0 || bench_peers_source(&peers) == NULL) {
        hp_fail(&error, "there is nothing to measure: %s",
            found == 0 ? "no peer that was asked for is here" : "no engine can make a database");
        exit_status = complain(BENCH_EXIT_NOTHING, &error);
    } else {
        bench_run run = {.options = options, .peers = &peers};
        exit_status = measure(&run);
    }
    bench_peers_free(&peers);
    return exit_status;
}

int main(int argc, char **argv)
{
    bench_options options;
    if (argc > 1 && strcmp(argv[1], BENCH_CHILD) == 0) {
        return bench_child_main(argc - 2, argv + 2);
    }
    bench_options_parse(argc, argv, &options);
    int exit_status = start(&options);
    bench_options_free(&options);
    return exit_status;
}
