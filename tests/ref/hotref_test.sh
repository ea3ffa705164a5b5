#!/usr/bin/env bash
# hotref dump and load against the real db5.3_dump and db5.3_load: the same records, there and back, also through a
# hot backup that another process takes while the database's owner writes.
#
#   hotref_test.sh PROGRAM [RECORDS]
#
# Exit status: 0 passed, 1 not, 77 skipped (the real tools are not installed: apt install db5.3-util).
set -euo pipefail
export LC_ALL=C
unset DB_HOME

program=$(realpath "$1")
records=${2:-200000}
for tool in db5.3_dump db5.3_load; do
  if ! command -v "$tool" >/dev/null; then
    echo "skipped: $tool is not installed (apt install db5.3-util)"
    exit 77
  fi
done

scratch=$(mktemp -d "${TMPDIR:-/tmp}/hotref_test.XXXXXX")
owner=
finish() {
  if [ -n "$owner" ]; then
    touch "$scratch/stop"
    wait "$owner" || true
  fi
  rm -rf "$scratch"
}
trap finish EXIT
cd "$scratch"

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
same() { # what a b
  cmp "$2" "$3" || fail "$1"
  echo "ok: $1"
}
refused() { # what message command...
  local what=$1 message=$2 status=0
  shift 2
  "$@" >said 2>&1 || status=$?
  [ "$status" -eq 1 ] || fail "$what: exit status $status"
  grep -qF -e "$message" said || fail "$what: \"$message\" is not in: $(cat said)"
  echo "ok: $what"
}

# Records with text keys and binary ones (all byte values), empty values, and values up to 100 KB.
awk -v records="$records" '
  function hex(n) { return substr(pool, 1 + int(rand() * (length(pool) - n)), n) }
  BEGIN {
    srand(42)
    for (i = 0; i < 4000; i++) pool = pool sprintf("%06x", int(rand() * 16777216))
    for (i = 0; i < 4; i++) pool = pool substr(pool, 1 + i * 6) # large values repeat themselves
    print "VERSION=3\nformat=bytevalue\ntype=btree\ndb_pagesize=4096\nHEADER=END"
    for (i = 0; i < records; i++) {
      if (i % 2) printf " %02x00%02x0a5c%08x\n", i % 256, (i / 7) % 256, i
      else printf " 6b6579%s\n", hex(2 * (4 + i % 9)) sprintf("%08x", i)
      if (i % 19 == 0) print " "
      else if (i % 5003 == 0) print " " hex(200000)
      else print " " hex(2 * (1 + int(rand() * 120)))
    }
    print "DATA=END"
  }' >records

# ---- there and back ----
db5.3_load -f records real.db
db5.3_dump real.db >real.dump
db5.3_dump -p real.db >real.print
[ "$(wc -l <real.dump)" -eq $((2 * records + 6)) ] || fail "the real tools lost records"

db5.3_dump real.db | "$program" load ours.db
"$program" dump ours.db >ours.dump
same "$records records: db5.3_dump | hotref load, hotref dump" real.dump ours.dump
"$program" dump -p ours.db >ours.print
same "the printable dumps are the same" real.print ours.print
"$program" dump ours.db | db5.3_load back.db
db5.3_dump back.db >back.dump
same "hotref dump | db5.3_load, db5.3_dump" real.dump back.dump
"$program" load -f ours.print again.db
"$program" dump -f again.dump again.db
same "a printable dump is loaded" real.dump again.dump
"$program" dump -p ours.db | db5.3_load again.real.db
db5.3_dump again.real.db >again.dump
same "a printable dump is loaded by db5.3_load" real.dump again.dump

# ---- page sizes ----
for size in 512 1024 65536; do
  awk -v size="$size" 'BEGIN {
    print "VERSION=3\nformat=print\ntype=btree\ndb_pagesize=" size "\nHEADER=END"
    for (i = 0; i < 3000; i++) printf " key%d\\00\\ff\n %0*d\n", i * 7919 % 3001, i % 300, i
    print "DATA=END"
  }' >sized
  db5.3_load -f sized "sized.$size.db"
  db5.3_dump "sized.$size.db" >sized.real
  "$program" load -f sized.real "ours.$size.db"
  "$program" dump "ours.$size.db" >sized.ours
  same "pages of $size bytes" sized.real sized.ours
done

# ---- what is not supported ----
printf 'VERSION=3\nformat=print\ntype=btree\nduplicates=1\nHEADER=END\n a\n 1\n a\n 2\nDATA=END\n' | db5.3_load dup.db
db5.3_dump dup.db >dup.dump
refused "duplicates are refused by name" "dup.dump: line 4: duplicates=1: not supported" "$program" load -f dup.dump x.db
for name in one two; do
  printf 'VERSION=3\nformat=print\ndatabase=%s\ntype=btree\nHEADER=END\n a\n 1\nDATA=END\n' "$name"
done | db5.3_load many.db
db5.3_dump many.db >many.dump
refused "several databases in a file are refused by name" "many.dump: line 3: database=" "$program" load -f many.dump x.db
printf 'one\ntwo\n' | db5.3_load -T -t recno recno.db
db5.3_dump recno.db >recno.dump
refused "recno is refused by name" "type=recno: not supported" "$program" load -f recno.dump x.db
printf 'b\n1\na\n2\n' | db5.3_load -T -t hash hash.db
db5.3_dump hash.db >hash.dump
refused "hash is refused unless asked for" "-t btree" "$program" load -f hash.dump x.db
"$program" load -t btree -f hash.dump hash.ours.db
grep '^ ' hash.dump | paste - - | sort >hash.real
"$program" dump hash.ours.db | grep '^ ' | paste - - >hash.ours
same "a hash dump loaded as btree" hash.real hash.ours

# ---- -n ----
"$program" dump hash.ours.db >two.dump
db5.3_load -f two.dump two.db
status=0
db5.3_load -n -f two.dump two.db 2>/dev/null || status=$?
[ "$status" -eq 1 ] || fail "db5.3_load -n: exit status $status"
refused "-n leaves what is there and exits with 1, as db5.3_load does" "the key exists already" \
  "$program" load -n -f two.dump hash.ours.db

# ---- through a hot backup under writers ----
mkdir home
"$program" load --create -h home -f real.dump x.db
{
  printf 'VERSION=3\nformat=print\ntype=btree\nHEADER=END\n'
  round=0
  while [ ! -e stop ]; do
    round=$((round + 1))
    awk -v round="$round" 'BEGIN {
      for (i = 0; i < 6000; i++) {
        for (value = ""; length(value) < 150; ) value = value round * 1000003 + i
        printf " key%06d\n %s\n", i, value
      }
    }'
    sleep 0.2
  done
  echo DATA=END
} | "$program" load -h home busy.db &
owner=$!
log_bytes() { cat home/log.* | wc -c; }
begun=$(log_bytes)
for _ in $(seq 300); do
  [ "$(log_bytes)" -gt $((begun + 1000000)) ] && break
  sleep 0.1
done
"$program" recover -h home 2>said && fail "the owner does not own the home"
grep -q "another process" said || fail "$(cat said)"
before=$(log_bytes)
rate=$(($(stat -c %s home/x.db) / 3))
"$program" backup -h home -b bk --manifest manifest -g --max-rate $((rate > 3000000 ? rate : 3000000))
after=$(log_bytes)
[ "$after" -gt "$before" ] || fail "the owner wrote nothing while the backup ran"
"$program" verify -b bk --manifest manifest >said || fail "$(cat said)"
echo "ok: a backup while the owner wrote $((after - before)) bytes of log"
touch stop
wait "$owner" || fail "the owner failed"
owner=
"$program" recover -c -h bk
"$program" dump -h bk x.db >copy.dump
same "the same records in the recovered copy" real.dump copy.dump
db5.3_load -f copy.dump copy.real.db
db5.3_dump copy.real.db >copy.again
same "and in the real library" real.dump copy.again
"$program" dump -h bk busy.db >busy.dump
[ "$(wc -l <busy.dump)" -gt 6 ] || fail "the database that was written to is empty"
"$program" verify -h home >said || fail "$(cat said)"
"$program" dump -h home busy.db | db5.3_load busy.real.db
echo "ok: hotref and the real tools agree"
