#!/bin/sh
# Make a virtual environment, unless a whole one of the same Python is there.
#   tools/virtual_environment.sh FOLDER [PYTHON]
set -eu
folder=$1
python=${2:-}
here=$(dirname "$0")

# tools/install.py leaves this file where it was interrupted while packages were put in place.
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
# The superuser may write anywhere but to a file system that is read-only: trying tells.
if ! { mkdir -p "$folder" && touch "$folder/new" && rm "$folder/new"; } 2>/dev/null; then
    echo "error: $(pwd) cannot be written to; clone the repository into a folder of your own" >&2
    exit 1
fi
python=$("$here/find_python.sh" "$python") || exit 1
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
# Debian has these two in a package of their own.
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
