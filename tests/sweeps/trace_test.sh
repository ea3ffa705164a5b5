#!/usr/bin/env bash
# One seed, one trace: the scenario's work is done a hundred times, and each trace is the same to the byte.
#
#   trace_test.sh ENGINE_SWEEP SCENARIO
set -euo pipefail
sweep=$1
scenario=$2
scratch=$(mktemp -d "${TMPDIR:-/tmp}/trace_test.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

trace() { # $1 file
  "$sweep" --scenario "$scenario" --kind errors --plan 'rule r on read prob=0.02 do short n=7' --seed 7 \
    --trace "$1" >"$scratch/out" || { cat "$scratch/out"; exit 1; }
}

trace "$scratch/first"
[ -s "$scratch/first" ]
for i in $(seq 2 100); do
  trace "$scratch/again"
  cmp "$scratch/first" "$scratch/again"
done
echo "100 of 100 traces are the same"
