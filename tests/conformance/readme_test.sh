#!/usr/bin/env bash
# tests/readme on README files and records of its own: what is current, out of date, written, and refused.
#
#   readme_test.sh HOTPROOF
#
# Exit status: 0 passed, 1 not.
set -euo pipefail
export LC_ALL=C
readme=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../readme")
hotproof=$(realpath "$1")
scratch=$(mktemp -d "${TMPDIR:-/tmp}/readme_test.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
mkdir -p root/conformance

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
expect() { # exit status, what, arguments of tests/readme
  local wanted=$1 what=$2 status=0
  shift 2
  "$readme" "$1" "$hotproof" "$2" root >said 2>&1 || status=$?
  [ "$status" -eq "$wanted" ] || fail "$what: exit status $status: $(cat said)"
  echo "ok: $what"
}
has() { # file, line
  grep -qxF -e "$2" "$1" || fail "$1 has no line: $2"$'\n'"$(cat "$1")"
}

engine() { # name
  echo '{"engine":"'"$1"'","version":"1","profile":"p","cases":[{"name":"a","clauses":["A"]},{"name":"b","clauses":["B"]}]}'
}
record() { # file, reason of the departure, engines
  local name all="" file=$1 reason=$2
  shift 2
  for name in "$@"; do all=$all${all:+,}$(engine "$name"); done
  {
    echo '{"type":"header","engines":['"$all"'],"clauses":[
      {"id":"A","profile":"p","level":"MUST","source":"documented","page":"one","sentence":"A holds."},
      {"id":"B","profile":"p","level":"MUST","source":"inferred","page":"two","sentence":"B holds."}]}' | tr -d '\n'
    echo
    for name in "$@"; do
      echo '{"type":"result","engine":"'"$name"'","case":"a","result":"PASS","clauses":["A"]}'
      echo '{"type":"result","engine":"'"$name"'","case":"b","result":"XFAIL","raw":"FAIL","clauses":["B"],"blame":"B",
        "reproduce":"x --engine '"$name"' --case b --seed 1","departure":{"reason":"'"$reason"'"}}' | tr -d '\n'
      echo
    done
    echo '{"type":"footer"}'
  } >"$file"
}
record first "does not" ref-x libdb
record second "does\\nnot | at all" ref-x libdb
record third "does not" ref-x

cat >root/README.md <<'END'
Before.
<!-- verdicts: begin (a note) -->
| An old title | ref-x 0 |
|---|---|
| two |
| gone |
<!-- verdicts: end -->
Between.

    ref-x 0: gate passed; old
    libdb 0: gate passed; old

    9 passed, 0 failed
END
cat >root/conformance/README.md <<'END'
Before.
<!-- departures of libdb: begin -->
old
<!-- departures of libdb: end -->
After.
END

expect 1 "old text is out of date" --check first
grep -q 'README.md is out of date; tests/run --refresh-readme' said || fail "$(cat said)"
has root/conformance/README.md old
expect 0 "it is refreshed" --refresh first
expect 0 "then it is current" --check first
cp root/conformance/README.md kept
expect 0 "to refresh once more" --refresh first
cmp kept root/conformance/README.md || fail "a second refresh changes the file"

# shellcheck disable=SC2016
row='`conformance/run --engine libdb --case b` |'
has root/conformance/README.md "| B holds. | MUST, inferred | does not | $row"
has root/conformance/README.md After.
has root/README.md '| two | – · 0/1 · – | – · 0/1 · – |'
has root/README.md '| **All** | 1/1 · 0/1 · – | 1/1 · 0/1 · – |'
has root/README.md '| Promises held: documented MUST · inferred MUST · SHOULD | ref-x 1 | libdb 1 |'
if grep -q '^| gone |' root/README.md; then fail "a page is shown that is no more"; fi
if grep -q '^| one |' root/README.md; then fail "a row that was not shown is shown"; fi
has root/README.md '    libdb 1: gate passed; not conformant; MUST held: 1/1 documented, 0/1 inferred; SHOULD 0/0'
has root/README.md '    9 passed, 0 failed'
has root/README.md Between.
if grep -q old root/README.md; then fail "old lines are left"; fi

expect 1 "another reason makes it out of date" --check second
expect 0 "which a refresh mends" --refresh second
has root/conformance/README.md "| B holds. | MUST, inferred | does<br>not \\| at all | $row"

expect 77 "without Berkeley DB nothing is compared" --check third
expect 2 "and nothing is written" --refresh third
has root/conformance/README.md "| B holds. | MUST, inferred | does<br>not \\| at all | $row"
expect 2 "a record that is none is refused" --check said
sed -i '/verdicts: end/d' root/README.md
cp root/README.md kept
expect 2 "a missing marker is refused" --refresh first
grep -q 'README.md: needs the markers <!-- verdicts' said || fail "$(cat said)"
cmp kept root/README.md || fail "a file without markers was changed"
