#!/bin/bash
# Make sure that the tests of pages have a browser; safe to run again and again.
#
# Debian or Ubuntu as root: installs chromium where no Chromium or Chrome is. Elsewhere it says in one line what to do.
# Exit 0 either way: without a browser only the tests marked `browser` fail, and say why.
set -euo pipefail

for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null 2>&1 && exit 0
done
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; then
  echo "browser: installing chromium"
  export DEBIAN_FRONTEND=noninteractive
  # An index that cannot be fetched in part (a foreign repository that is down) is no reason to stop.
  apt-get update -qq || echo "browser: apt-get update reported problems; going on"
  apt-get install -y -qq --no-install-recommends chromium </dev/null || echo "browser: chromium cannot be installed"
else
  echo "browser: install Chromium, or leave its tests out: pytest -m 'not browser'"
fi
