#!/bin/sh
# Tests the arm64 engines where no such processor is: the package's own tests under QEMU, on a processor of ARMv8.0 and on
# one with everything QEMU knows, and the words in their assembly with the binutils. Installs Debian's packages for that
# where it needs no password. Without them it says so and tests nothing; with QUANTLAB_REQUIRE_QEMU set, that is a failure.
set -eu
cd "$(dirname "$0")"

packages='qemu-user binutils-aarch64-linux-gnu'
missing() { ! command -v qemu-aarch64 >/dev/null 2>&1 || ! command -v aarch64-linux-gnu-objdump >/dev/null 2>&1; }

if missing && command -v apt-get >/dev/null 2>&1; then
  root=
  [ "$(id -u)" = 0 ] || root='sudo -n'
  if $root true 2>/dev/null; then
    echo "arm64: installing $packages"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086 # a list of packages
    $root apt-get update -qq && $root apt-get install -y -qq --no-install-recommends $packages >/dev/null || true
  fi
fi
if missing; then
  echo "arm64: not tested, for want of $packages"
  [ -z "${QUANTLAB_REQUIRE_QEMU:-}" ]
  exit
fi

(cd _neon && go vet . && go test -count=1 .)

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export CGO_ENABLED=0 GOOS=linux GOARCH=arm64
go vet .
go test -c -o "$tmp/kernel.test" .

run() { qemu-aarch64 -cpu "$1" "$tmp/kernel.test" -test.short -test.v >"$tmp/$1" 2>&1; }

report() {
  if [ "$2" != 0 ]; then
    cat "$tmp/$1"
    echo "arm64: FAILED on QEMU's $1"
    exit 1
  fi
  engines=$(sed -n 's/.*kernel engines tested: //p' "$tmp/$1")
  echo "arm64: $(grep -c '^--- PASS' "$tmp/$1") tests passed on QEMU's $1, on the engines $engines"
}

run cortex-a57 &
old=$!
new=0
run max || new=$?
wait "$old" && old=0 || old=$?
report cortex-a57 "$old"
report max "$new"
