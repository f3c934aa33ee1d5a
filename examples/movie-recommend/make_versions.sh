#!/bin/sh
# Rebuild the versions that `rolldeck demo` packs: all three, or only those named.
#
#   ./make_versions.sh                 # 1.0.0 1.1.0 2.0.0
#   OUT=/some/dir ./make_versions.sh 1.1.0
#
# 1.x is trained with $PYTHON_V1 (3.11) and requirements-v1.txt,
# 2.x with $PYTHON_V2 (3.13) and requirements-v2.txt, each in a temporary environment.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=${OUT:-$here/../../src/rolldeck/demo/movie_recommend}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

export OMP_NUM_THREADS=1 PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1

# Print the interpreter of the environment for a major version, creating it when first asked.
environment() {
    if [ ! -d "$work/env$1" ]; then
        "$2" -m venv "$work/env$1"
        "$work/env$1/bin/python" -m pip --disable-pip-version-check --quiet install \
            --requirement "$here/requirements-v$1.txt"
    fi
    echo "$work/env$1/bin/python"
}

mkdir -p "$out"
for version in ${*:-1.0.0 1.1.0 2.0.0}; do
    case $version in
        1.*) python=$(environment 1 "${PYTHON_V1:-python3.11}") ;;
        *) python=$(environment 2 "${PYTHON_V2:-python3.13}") ;;
    esac
    "$python" "$here/make_version.py" "$version" "$out/v$version"
    echo "built $version"
done
"$python" "$here/metrics_table.py" "$out"/v*
