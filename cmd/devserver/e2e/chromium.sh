#!/bin/sh
# Sees to a Chromium for the browser tests: takes the one that is there, or installs the system's package where that needs no
# password. Without one the browser tests say so and are skipped; with QUANTLAB_REQUIRE_BROWSER set, that is a failure.
for name in "${CHROMIUM:-chromium}" chromium-browser google-chrome google-chrome-stable chrome msedge; do
  command -v "$name" >/dev/null 2>&1 && exit 0
done
[ -d /Applications/Chromium.app ] || [ -d "/Applications/Google Chrome.app" ] && exit 0

root=
[ "$(id -u)" = 0 ] || { command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null && root=sudo; }
if [ "$(id -u)" = 0 ] || [ -n "$root" ]; then
  echo 'test: installing Chromium for the browser tests'
  if command -v apt-get >/dev/null 2>&1; then
    export DEBIAN_FRONTEND=noninteractive
    $root apt-get update -qq && $root apt-get install -y -qq --no-install-recommends chromium >/dev/null && exit 0
  elif command -v dnf >/dev/null 2>&1; then
    $root dnf install -y -q chromium >/dev/null && exit 0
  elif command -v apk >/dev/null 2>&1; then
    $root apk add --quiet chromium && exit 0
  fi
fi
echo 'test: no Chromium is here and none could be installed: the browser tests are skipped (install one, or set CHROMIUM to its path)'
[ -z "${QUANTLAB_REQUIRE_BROWSER:-}" ]
