"""What an encrypted connection trusts, and what it shows of us."""

from __future__ import annotations

import ssl
from pathlib import Path

from rolldeck.errors import UsageError


def tls_context(
    ca_file: Path | None, client_cert: Path | None = None, client_key: Path | None = None
) -> ssl.SSLContext:
    """Return a verifying TLS context: the system's authorities, and those in ``ca_file``.

    With ``client_cert`` it proves who asks. Raises UsageError when a file is not what it should be.
    """
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file.expanduser())
        except (OSError, RuntimeError):
            raise UsageError(
                f"Not a file of certificates: {ca_file}",
                reference=str(ca_file),
                hint="ca_file is a readable file of PEM certificates.",
            ) from None
    if client_cert is not None:
        try:
            # Without a password of ours OpenSSL would ask for one on the terminal.
            key = client_key.expanduser() if client_key else None
            context.load_cert_chain(client_cert.expanduser(), key, password="")
        except (OSError, RuntimeError):
            raise UsageError(
                f"Not a client certificate with its key: {client_cert}",
                reference=str(client_cert),
                hint="client_cert and client_key are readable PEM files that belong together; the"
                " key is not encrypted.",
            ) from None
    elif client_key is not None:
        raise UsageError(
            f"A client_key without its client_cert: {client_key}",
            reference=str(client_key),
            hint="Name the certificate as client_cert.",
        )
    return context
