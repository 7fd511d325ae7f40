#!/bin/bash
# Debian and Ubuntu ship Python without ensurepip, which `python -m venv` needs: install it as root, else say how.
set -euo pipefail

package=$("$1" -c 'import sys; print(f"python{sys.version_info[0]}.{sys.version_info[1]}-venv")')
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "$1 cannot make virtual environments: install $package (apt-get install $package), then run: make setup" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq || true
apt-get install -y -qq --no-install-recommends "$package" </dev/null
