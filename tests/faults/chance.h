/* Random numbers of tests: the same in every run. */
#ifndef TESTS_FAULTS_CHANCE_H
#define TESTS_FAULTS_CHANCE_H

#include "faults/hash.h"

/* Below `below`, from a seed that moves on. */
static inline uint64_t chance(uint64_t *seed, uint64_t below)
{
    return fault_hash_mix(*seed += FAULT_HASH_FACTOR) % below;
}

#endif
