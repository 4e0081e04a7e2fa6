#!/bin/sh
# Install the given Debian packages where they are missing: as root, else with sudo, else say what to install.
set -eu
if ! command -v dpkg-query >/dev/null; then
    echo "not a Debian system: make sure that what these packages bring is there: $*" >&2
    exit 0
fi
missing=
for package in "$@"; do
    status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
    [ "$status" = "install ok installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ]; then as_root=
elif command -v sudo >/dev/null; then as_root=sudo
else
    echo "needs Debian packages; as root, run: apt-get install$missing" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get -qq update
# shellcheck disable=SC2086  # one word per package
$as_root apt-get -qq install --no-install-recommends -y $missing >/dev/null
