/* Starting the process in which an engine does something (child.h), and what it reported. */
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum bench_outcome {
    BENCH_DONE,
    BENCH_FAILED, /* the engine failed, died, or did not end in time; or the copy is wrong */
    BENCH_BROKEN  /* it could not be tried */
} bench_outcome;

typedef struct bench_process {
    bench_outcome outcome;
    char *report;      /* its lines */
    char words[1024];  /* of a failure; "" if none */
    uint64_t peak_kib; /* the most memory it had resident */
} bench_process;

/*
 * Runs a command of child.h to its end: `arguments`, NULL at the end. `plain`: in the program
 * without sanitizers. Its standard output and error go to the descriptor `log`. It is killed after
 * ten minutes. Free the result with bench_process_free().
 */
bench_process bench_process_run(bool plain, const char *const *arguments, int log);
void bench_process_free(bench_process *process);

/* The value that was reported under that name: "" or 0 if none was. The text is good until the next
 * call. */
const char *bench_report_text(const bench_process *process, const char *name);
uint64_t bench_report_number(const bench_process *process, const char *name);

#endif
