#!/usr/bin/env bash
# The screenshots are drawn by Chromium with Fira Code; without them columns drift.
set -u
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo -n"
install() { command -v apt-get >/dev/null && $as_root apt-get install -y -qq "$1" >/dev/null 2>&1; }
fc-list 2>/dev/null | grep -qi "fira code" || install fonts-firacode
command -v chromium >/dev/null || install chromium
fc-list 2>/dev/null | grep -qi "fira code" || echo "Fira Code is not installed: columns may drift." >&2
command -v chromium >/dev/null || echo "Chromium is not installed: cairosvg draws the PNG files." >&2
exit 0
