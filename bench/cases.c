/* What is measured: see cases.h. */
#include "cases.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

const bench_case *const bench_cases[] = {&bench_case_full, NULL};

static volatile sig_atomic_t interrupted;

void bench_run_measured(bench_run *run, const bench_measurement *measurement)
{
    bench_results_add(&run->results, measurement);
    run->record(run->context, measurement, NULL);
}

void bench_run_verified(bench_run *run, const bench_verification *verification)
{
    bench_results_add_verification(&run->results, verification);
    run->record(run->context, NULL, verification);
}

void bench_progress(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

bool bench_interrupted(void)
{
    return interrupted != 0;
}

void bench_interrupt(void)
{
    interrupted = 1;
}
