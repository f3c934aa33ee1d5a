#!/usr/bin/env bash
# The screenshots are drawn with Fira Code; without it columns drift.
set -u
fc-list 2>/dev/null | grep -qi "fira code" && exit 0
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo -n"
command -v apt-get >/dev/null && $as_root apt-get install -y -qq fonts-firacode >/dev/null 2>&1
fc-list 2>/dev/null | grep -qi "fira code" || echo "Fira Code is not installed: PNG columns may drift." >&2
exit 0
