#!/bin/sh
# Print the path of a supported Python: the named one, or the first that is found.
#   tools/find_python.sh [PYTHON]
# Searches the path and pyenv's folder; a Python that does not start is skipped.
set -u
NEEDED="Python 3.11, 3.12 or 3.13 (CPython)"

# Print "<major>.<minor> <path>" of a Python command; fail for any other command.
version_of() {
    "$1" -c '
import sys
name = getattr(getattr(sys, "implementation", None), "name", "cpython")
print("%d.%d %s" % (sys.version_info[0], sys.version_info[1], sys.executable if name == "cpython" else ""))
' 2>/dev/null </dev/null
}

is_supported() {
    case "$1" in
    "3.11 "?* | "3.12 "?* | "3.13 "?*) return 0 ;;
    esac
    return 1
}

if [ -n "${1:-}" ]; then
    found=$(version_of "$1") || found=
    if is_supported "$found"; then
        echo "${found#* }"
        exit 0
    fi
    echo "error: $1 is ${found:+Python ${found%% *}, }not a supported Python; name one with: make PYTHON=…; needed: $NEEDED" >&2
    exit 1
fi

others=
for names in "python3.13 python3.12 python3.11" "python3 python"; do
    for name in $names; do
        # Search the folders of the path one by one: pyenv's shims come first and may not start.
        old_ifs=$IFS
        IFS=:
        for folder in $PATH; do
            IFS=$old_ifs
            [ -x "$folder/$name" ] || continue
            found=$(version_of "$folder/$name") || continue
            if is_supported "$found"; then
                echo "${found#* }"
                exit 0
            fi
            case ", $others," in *", ${found%% *},"*) ;; *) others="${others:+$others, }${found%% *}" ;; esac
        done
        IFS=$old_ifs
    done
done
for version in 3.13 3.12 3.11; do
    for python in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version".*/bin/python; do
        if [ -x "$python" ] && found=$(version_of "$python") && is_supported "$found"; then
            echo "${found#* }"
            exit 0
        fi
    done
done
echo "error: no supported Python found${others:+ (there is $others)}; install $NEEDED, or name it with: make PYTHON=…" >&2
exit 1
