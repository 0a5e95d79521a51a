#!/bin/sh
# Sees to the programs that tests use beside Go: Chromium for the page, npm for the checker of its accessibility, poppler-utils to
# read PDFs back. Takes what is there, or installs the system's package where that needs no password. Tests without their program say
# so and are skipped; with QUANTLAB_REQUIRE_BROWSER or QUANTLAB_REQUIRE_POPPLER set, that is a failure.
has() {
  for name in "$@"; do
    command -v "$name" >/dev/null 2>&1 && return 0
  done
  return 1
}

# get installs a package, whose name differs by system: with apt, with dnf, with apk.
get() {
  root=
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null || return 1
    root=sudo
  fi
  echo "test: installing $1 for the tests"
  if command -v apt-get >/dev/null 2>&1; then
    export DEBIAN_FRONTEND=noninteractive
    $root apt-get update -qq && $root apt-get install -y -qq --no-install-recommends "$1" >/dev/null
  elif command -v dnf >/dev/null 2>&1; then
    $root dnf install -y -q "$2" >/dev/null
  elif command -v apk >/dev/null 2>&1; then
    $root apk add --quiet "$3"
  else
    return 1
  fi
}

missing=0
if ! has "${CHROMIUM:-chromium}" chromium-browser google-chrome google-chrome-stable chrome msedge &&
  [ ! -d /Applications/Chromium.app ] && [ ! -d "/Applications/Google Chrome.app" ] && ! get chromium chromium chromium; then
  echo 'test: no Chromium is here and none could be installed: the browser tests are skipped (install one, or set CHROMIUM to its path)'
  [ -z "${QUANTLAB_REQUIRE_BROWSER:-}" ] || missing=1
fi
if ! has npm && ! get npm npm npm; then
  echo 'test: npm is not here and could not be installed: the accessibility of the page is not checked'
  [ -z "${QUANTLAB_REQUIRE_BROWSER:-}" ] || missing=1
fi
if ! { has pdftotext && has pdffonts; } && ! get poppler-utils poppler-utils poppler-utils; then
  echo 'test: poppler-utils is not here and could not be installed: reports in PDF are not read back'
  [ -z "${QUANTLAB_REQUIRE_POPPLER:-}" ] || missing=1
fi
exit $missing
