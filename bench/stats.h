/* The statistics of the benchmarks: medians, because one disturbed round must not move a result. */
#ifndef BENCH_STATS_H
#define BENCH_STATS_H

#include <stddef.h>

typedef struct bench_spread {
    size_t count; /* 0: the rest means nothing */
    double median, least, most;
} bench_spread;

/* Sorts the values. The median of an even number is the mean of the two in the middle. */
bench_spread bench_spread_of(double *values, size_t count);

/* Of values[i] / bases[i], each pair measured in one round. Pairs of which either is not positive
 * were not measured and are left out. */
bench_spread bench_ratios_of(const double *values, const double *bases, size_t count);

#endif
