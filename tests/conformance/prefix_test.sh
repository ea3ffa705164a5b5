#!/usr/bin/env bash
# HOTPROOF_BDB_PREFIX: a Berkeley DB in a place and under a file name that are not Debian's is found, loaded and judged,
# and nothing else is taken for it.
#
#   prefix_test.sh HOTPROOF SCRATCH [HEADER LIBRARY]
#
# HEADER and LIBRARY are those of Debian's, which the prefix gets copies of. SCRATCH is made; what is built in it is left
# for the next time. Exit status: 0 passed, 1 not, 77 skipped (no libdb5.3-dev).
set -euo pipefail
export LC_ALL=C
unset LD_LIBRARY_PATH
source=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
hotproof=$(realpath "$1")
scratch=$2
if [ ! -f "${3:-}" ] || [ ! -f "${4:-}" ]; then
  echo "skipped: Berkeley DB is not installed (apt install libdb5.3-dev)"
  exit 77
fi
header=$(realpath "$3")
library=$(realpath "$4")

mkdir -p "$scratch"
scratch=$(realpath "$scratch")
cd "$scratch"
prefix="$scratch/a prefix"
rm -rf "$prefix" header_only library_only foreign out expect
mkdir -p "$prefix/include" "$prefix/lib" header_only/include header_only/lib library_only/lib foreign/include foreign/lib expect
cp -p "$header" "$prefix/include/db.h"
cp -p "$library" "$prefix/lib/libdb.so"
cp -p "$header" header_only/include/db.h
cp -p "$library" library_only/lib/libdb.so
cp -p "$library" foreign/lib/libdb.so
echo '#define DB_VERSION 1' >foreign/include/db.h
# A static library is no library that a case could be shown to come from.
touch header_only/lib/libdb.a

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
configure() { # prefix
  cmake -S "$source" -B build -G Ninja -D BUILD_TESTING=OFF -D HOTPROOF_BDB_PREFIX="$1" >said 2>&1
}
says() { # what, text...
  local what=$1 text
  shift
  # CMake breaks long lines.
  for text in "$@"; do
    tr -s ' \n' '  ' <said | grep -qF -e "$text" || fail "$what: \"$text\" is not in: $(cat said)"
  done
  echo "ok: $what"
}
refused() { # what, prefix, text...
  local what=$1
  if configure "$2"; then fail "$what: it was configured"; fi
  shift 2
  says "$what" "$@"
}
check() { # exit status, arguments of hotproof check
  local wanted=$1 status=0
  shift
  "$hotproof" check --engine "$scratch/build/lib/hotproof/libdb-prefix.so" --out "$scratch/out" --jobs 2 \
    --timeout-scale 4 "$@" >said 2>&1 || status=$?
  [ "$status" -eq "$wanted" ] || fail "hotproof check $*: exit status $status: $(cat said)"
}
loaded() { # the file that the last record's engine came from
  grep -m 1 -o '"function":"db_env_create","file":"[^"]*"' out/latest/record.ndjson | sed 's/.*"file":"//;s/"$//'
}

# ---- what is no Berkeley DB ----
refused "a prefix that is not there names both places" "$scratch/nowhere" \
  "header: $scratch/nowhere/include/db.h: missing" "in $scratch/nowhere/lib or $scratch/nowhere/lib64 or"
refused "a prefix without a library does not fall back to Debian's" "$scratch/header_only" \
  "header: $scratch/header_only/include/db.h: version 5.3" "libdb-5.3.so or libdb-5.so or libdb.so in" ": missing"
refused "nor one without a header" "$scratch/library_only" "header: $scratch/library_only/include/db.h: missing" \
  "$scratch/library_only/lib/libdb.so"
refused "a header of another database is refused" "$scratch/foreign" "db.h: not Berkeley DB's"

# ---- what is one ----
utility=$(command -v db5.3_hotbackup || true)
if [ -n "$utility" ]; then
  mkdir "$prefix/bin"
  cp "$utility" "$prefix/bin/db_hotbackup"
  configure "$prefix" || fail "$(cat said)"
  says "a utility that uses Debian's library is left out" "$prefix/bin/db_hotbackup uses $library: not tested"
fi
configure "$prefix" || fail "$(cat said)"
says "it is found" "engine libdb-prefix: $prefix/lib/libdb.so"
cmake --build build -j 2 --target hotproof_module_libdb-prefix >said 2>&1 || fail "$(tail -n 30 said)"

sample=(--case backup_recovers_to_every_committed_row --case backup_into_a_missing_directory_returns_ENOENT
  --case EXCL_over_a_database_returns_EEXIST --case the_utility_makes_a_missing_target_directory)
check 0 "${sample[@]}"
[ "$(loaded)" = "$prefix/lib/libdb.so" ] || fail "the library is $(loaded)"
echo "ok: the library that is judged is the file in the prefix"
says "it stands under its own name" "libdb-prefix 5.3." "gate passed"
grep -q '"result":"XFAIL"' out/latest/record.ndjson || fail "no known departure in the record"
grep '"case":"the_utility_' out/latest/record.ndjson | grep -q '"result":"UNSUPPORTED"' || fail "the utility was found"
echo "ok: a utility that the prefix lacks is not taken from elsewhere"
LD_LIBRARY_PATH=$(dirname "$library") check 0 "${sample[0]}" "${sample[1]}"
[ "$(loaded)" = "$prefix/lib/libdb.so" ] || fail "with LD_LIBRARY_PATH the library is $(loaded)"
echo "ok: whatever LD_LIBRARY_PATH says"
check 1 --expect "$scratch/expect" --case backup_into_a_missing_directory_returns_ENOENT
says "without an expectation file it says so" "no $scratch/expect/libdb-5.3.expect: every departure is a surprise"

# ---- another library in its place ----
mv "$prefix/lib/libdb.so" "$prefix/lib/kept"
check 3 "${sample[@]}"
echo "ok: Debian's library in its place is refused: $(head -n 1 said)"
mv "$prefix/lib/kept" "$prefix/lib/libdb.so"
configure "" || fail "$(cat said)"
[ ! -e build/lib/hotproof/libdb-prefix.so ] || fail "the module outlives the prefix"
echo "ok: without the prefix the module is gone"
