#!/bin/sh
# Install the Python packages of a lock and Debian packages; as root, both at the same time.
#   tools/packages.sh PYTHON LOCK PACKAGE…
set -eu
python=$1
lock=$2
shift 2
here=$(dirname "$0")

# sudo may ask for a password.
if [ "$(id -u)" != 0 ]; then
    "$here/debian_packages.sh" "$@"
    exec "$python" "$here/install.py" "$lock"
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"$here/debian_packages.sh" "$@" >"$log" 2>&1 &
debian=$!
trap 'wait "$debian"; exit 130' INT TERM
status=0
"$python" "$here/install.py" "$lock" || status=$?
wait "$debian" || status=$?
cat "$log" >&2
exit "$status"
