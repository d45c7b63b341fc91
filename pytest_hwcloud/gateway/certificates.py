"""Certificates for cloud hosts, from an authority that lives as long as the process. Its key is never in a file.

trustme makes them (extra `gateway`).
"""

from __future__ import annotations

import shutil
import ssl
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from pytest_hwcloud import texts

PASSWORD = "changeit"  # of the PKCS12 file, as every JVM has it
_LIFETIME = timedelta(days=90)  # some platforms refuse certificates that are valid for years


class MissingExtra(RuntimeError):
    """The extra `gateway` is not installed. The message gives the command."""


def require() -> None:
    """MissingExtra if the packages of the extra are not installed."""
    if find_spec("trustme") is None:
        raise MissingExtra(texts.say("gateway.missing_extra"))


class Authority:
    """A throwaway certificate authority, and the files by which clients trust it."""

    def __init__(self) -> None:
        require()
        import trustme

        self._authority = trustme.CA(organization_name="pytest-hwcloud", organization_unit_name="throwaway")
        self._folder = Path(tempfile.mkdtemp(prefix="hwcloud-"))
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    @cached_property
    def ca(self) -> Path:
        """The authority's certificate alone, PEM. A client that loads it with the system's takes ten times as long."""
        file = self._folder / "ca.pem"
        file.write_bytes(self._authority.cert_pem.bytes())
        return file

    @cached_property
    def truststore(self) -> Path:
        """The same for a JVM: PKCS12, password `changeit`."""
        from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
        from cryptography.x509 import load_pem_x509_certificate

        certificate = load_pem_x509_certificate(self._authority.cert_pem.bytes())
        entry = pkcs12.PKCS12Certificate(certificate, b"hwcloud")
        file = self._folder / "truststore.p12"
        file.write_bytes(pkcs12.serialize_java_truststore([entry], BestAvailableEncryption(PASSWORD.encode())))
        return file

    def context(self, host: str) -> ssl.SSLContext:
        """The server's side of TLS for exactly this host."""
        with self._lock:
            if host not in self._contexts:
                self._contexts[host] = _context(self._authority, host)
            return self._contexts[host]

    @cached_property
    def distrusted(self) -> ssl.SSLContext:
        """The server's side of TLS with a certificate that no client trusts: the recorded fault `tls`."""
        import trustme

        return _context(trustme.CA(), "127.0.0.1")

    def close(self) -> None:
        """Remove the files."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _context(authority: object, host: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    end = datetime.now(UTC) + _LIFETIME
    authority.issue_cert(host, not_after=end).configure_cert(context)  # type: ignore[attr-defined]
    return context
