"""The commands that check and tidy up what is here, and set up logins and the shell."""

from __future__ import annotations

from rolldeck.commands.model import Command

KEEPING: tuple[Command, ...] = (
    Command(
        "version.verify",
        "verify",
        "Check every byte of a version, a local target or the library against its digests.",
        cli="verify",
        typed="verify WHAT",
        examples=("rolldeck verify /srv/fraud", "rolldeck verify ghcr.io/acme/fraud:v2.4.0"),
    ),
    Command(
        "registry.doctor",
        "doctor",
        "Check the library, the disk, the settings and a registry, and say what it means.",
        cli="doctor",
        examples=("rolldeck doctor", "rolldeck doctor ghcr.io/acme/fraud"),
    ),
    Command(
        "shell.completion",
        "completion",
        "Print the script with which a shell completes verbs, options and references.",
        cli="completion",
        examples=(
            "rolldeck completion bash > ~/.local/share/bash-completion/completions/rolldeck",
        ),
    ),
    Command(
        "library.gc",
        "collect garbage",
        "Report what in the library nobody needs, or remove it.",
        danger="changes",
        cli="gc",
        examples=("rolldeck gc", "rolldeck gc --apply", "rolldeck gc --apply --spare"),
    ),
    Command(
        "library.use",
        "disk usage",
        "Tell what takes space by repository, version and blob, and how to free it.",
        cli="du",
        examples=("rolldeck du", "rolldeck du --all --json"),
    ),
    Command(
        "registry.login",
        "log in",
        "Try a login at a registry and save it where docker finds it, too.",
        danger="adds",
        cli="login",
        examples=("rolldeck login ghcr.io",),
    ),
    Command(
        "registry.logout",
        "log out",
        "Remove the saved login for a registry.",
        danger="changes",
        cli="logout",
        examples=("rolldeck logout ghcr.io",),
    ),
)
