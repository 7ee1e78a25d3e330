#!/usr/bin/env bash
# Installs Debian's Chromium where no browser is found. Without one the tests of pages fail in CI and are skipped elsewhere.
set -euo pipefail

for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null; then exit 0; fi
done
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo "installing chromium, which pages are tested in"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
else
  echo "warning: no chromium found, and installing it needs root and apt-get; the tests of pages will be skipped" >&2
fi
