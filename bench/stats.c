/* The statistics of the benchmarks: see stats.h. */
#include "stats.h"

#include "../conformance/runner/text.h"

#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

bench_spread bench_spread_of(double *values, size_t count)
{
    if (count == 0) {
        return (bench_spread){0};
    }
    qsort(values, count, sizeof *values, compare);
    double median =
        count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
    return (bench_spread){
        .count = count, .median = median, .least = values[0], .most = values[count - 1]};
}

bench_spread bench_ratios_of(const double *values, const double *bases, size_t count)
{
    double *ratios = hp_allocate(count, sizeof *ratios);
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if (values[i] > 0 && bases[i] > 0) {
            ratios[found++] = values[i] / bases[i];
        }
    }
    bench_spread spread = bench_spread_of(ratios, found);
    free(ratios);
    return spread;
}
