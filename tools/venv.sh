#!/usr/bin/env bash
# Make the virtual environment, and say what is missing where that cannot be done.
set -eu
python=$1 venv=$2
if [ -z "$python" ]; then
	echo "rolldeck needs Python 3.11 or later; none was found (python3.11, python3.12, python3.13, python3)." >&2
	exit 1
fi
if [ -x "$venv/bin/python" ] && "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
	exit 0
fi
if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
	version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
	echo "$python has no venv. On Debian and Ubuntu: apt-get install python$version-venv" >&2
	exit 1
fi
echo "Setting up $venv with $("$python" --version) ..." >&2
rm -rf "$venv"
"$python" -m venv "$venv"
