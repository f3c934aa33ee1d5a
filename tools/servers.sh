#!/usr/bin/env bash
# Have Debian's docker-registry for the tests; where it cannot be had they fail with that reason.
set -u
command -v docker-registry >/dev/null && exit 0
if command -v apt-get >/dev/null; then
	as_root=""
	[ "$(id -u)" = 0 ] || as_root="sudo -n"
	echo "Installing docker-registry for the tests ..." >&2
	{ $as_root apt-get install -y -qq docker-registry ||
		{ $as_root apt-get update -qq && $as_root apt-get install -y -qq docker-registry; }; } \
		>/dev/null 2>&1
fi
command -v docker-registry >/dev/null ||
	echo "docker-registry is not installed (Debian package docker-registry): tests that need it will fail." >&2
exit 0
