#!/bin/sh
# Make a virtual environment if there is no complete one of the same Python.
#   tools/virtual_environment.sh FOLDER [PYTHON]
set -eu
folder=$1
python=${2:-}
here=$(dirname "$0")

# tools/install.py leaves this file if it was interrupted while it installed packages.
unfinished="$folder/unfinished"
made_with() {
    [ -e "$folder/whole" ] || [ -e "$folder/run.stamp" ] || return 1
    [ ! -e "$unfinished" ] || return 1
    "$folder/bin/python" -c 'import pip, sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}
if version=$(made_with); then
    [ -n "$python" ] || exit 0
    named=$("$here/find_python.sh" "$python") || exit 1
    [ "$version" != "$("$named" -c 'import sys; print("%d.%d" % sys.version_info[:2])')" ] || exit 0
fi
# Try to write: root may write everywhere except to a read-only file system.
if ! { mkdir -p "$folder" && touch "$folder/new" && rm "$folder/new"; } 2>/dev/null; then
    echo "error: $(pwd) is not writable; clone the repository into a folder of your own" >&2
    exit 1
fi
python=$("$here/find_python.sh" "$python") || exit 1
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
# On Debian, these two modules are in a separate package.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    case "$python" in
    /usr/bin/*) "$here/debian_packages.sh" "python$version-venv" ;;
    *)
        echo "error: $python has no module venv; install it, or name another Python with: make PYTHON=…" >&2
        exit 1
        ;;
    esac
fi
echo "Python $version: $folder"
if ! said=$("$python" -m venv --clear "$folder" 2>&1); then
    echo "error: no virtual environment in $folder: $(echo "$said" | tail -n 1)" >&2
    exit 1
fi
touch "$folder/whole"
