#!/bin/sh
# Install missing Debian or Ubuntu packages: as root, else with sudo, else print their names.
#   tools/debian_packages.sh PACKAGE…
# "a|b": the first package that exists. A "?" at the end: skipped if no such package exists.
set -eu
if ! command -v dpkg-query >/dev/null; then
    echo "not a Debian system; install the equivalents of these packages: $*" >&2
    exit 0
fi

is_installed() {
    [ "$(dpkg-query -W -f '${Status}' "$1" 2>/dev/null || true)" = "install ok installed" ]
}

# Succeed if apt can install a package. Ubuntu's chromium is an empty package for another installer.
exists() {
    candidate=$(apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: //p')
    case "$candidate" in "" | "(none)" | *snap*) return 1 ;; esac
}

missing=
for entry in "$@"; do
    installed=
    for package in $(echo "${entry%\?}" | tr '|' ' '); do
        if is_installed "$package"; then installed=yes; fi
    done
    [ -n "$installed" ] || missing="$missing $entry"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then as_root=
elif command -v sudo >/dev/null; then as_root=sudo
else
    echo "error: Debian packages are missing; as root, run: apt-get install$(echo "$missing" | sed 's/|[^ ]*//g; s/?//g')" >&2
    exit 1
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
refuse() {
    echo "error: apt-get could not $1 ($(grep -m 1 '^E:' "$log" || echo 'E: unknown')); check the network and run make again" >&2
    exit 1
}
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get -q update >"$log" 2>&1 || refuse "read the lists of packages"
chosen=
for entry in $missing; do
    first=
    for package in $(echo "${entry%\?}" | tr '|' ' '); do
        if [ -z "$first" ] && exists "$package"; then first=$package; fi
    done
    case "$first$entry" in
    *\?) if [ -z "$first" ]; then echo "skipped, this system has no such package: ${entry%\?}" >&2; fi ;;
    *) first=${first:-${entry%%|*}} ;;
    esac
    chosen="$chosen $first"
done
[ -n "$(echo "$chosen" | tr -d ' ')" ] || exit 0
echo "Debian packages:$(echo "$chosen" | tr -s ' ')"
# shellcheck disable=SC2086  # one word per package
$as_root apt-get -q install --no-install-recommends -y $chosen >"$log" 2>&1 || refuse "install$chosen"
