"""The API of Pi-hole 6, as far as groups, lists and clients go. [I/O]

No redirect is followed and no proxy asked, so that the password goes to the Pi-hole alone.
"""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from aidns.errors import EnvironmentFault, UsageError
from aidns.names import printable
from aidns.pihole.plan import Client, Group, Present, Step, Subscribed

_MOST = 1 << 24
"""Octets of an answer that are read."""
_TIMEOUT = 30.0
_GRAVITY_TIMEOUT = 600.0
_PATHS = {"group": "groups", "list": "lists", "client": "clients"}


class _Groups(msgspec.Struct):
    groups: tuple[Group, ...]


class _Lists(msgspec.Struct):
    lists: tuple[Subscribed, ...]


class _Clients(msgspec.Struct):
    clients: tuple[Client, ...]


class PiHole:
    """A session with one Pi-hole, while the `with` block runs. Raises EnvironmentFault where it does not answer.

    `url` is http:// or https://, host and port; without a password none is sent.
    """

    def __init__(self, url: str, password: str = "") -> None:
        self._connection = _connection(url)
        self._url, self._password = printable(url, 100), password
        self._session = ""

    def __enter__(self) -> PiHole:
        if self._password:
            answer = self._ask("POST", "auth", {"password": self._password})
            session = answer.get("session")
            self._session = str(session.get("sid") or "") if isinstance(session, dict) else ""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session:  # a Pi-hole keeps few sessions
            with suppress(EnvironmentFault):
                self._request("DELETE", "auth", None)

    def present(self) -> Present:
        """Return its groups, lists and clients."""
        return Present(
            self._read("groups", _Groups).groups,
            self._read("lists", _Lists).lists,
            self._read("clients", _Clients).clients,
        )

    def carry_out(self, steps: Sequence[Step]) -> None:
        """Carry out the steps, groups first. Raises EnvironmentFault at the first that is refused."""
        for step in (step for step in steps if step.kind == "group"):
            self._change(step, {"name": step.item, "enabled": True})
        ids = {group.name: group.id for group in self._read("groups", _Groups).groups}
        for step in (step for step in steps if step.kind != "group"):
            if step.join and step.join not in ids:  # a list in an unknown group would block nobody
                raise EnvironmentFault(f"{self._url} did not create group {step.join}")
            groups = [*step.keep, *([ids[step.join]] if step.join else [])]
            key = "address" if step.kind == "list" else "client"
            enabled = {"enabled": True} if step.kind == "list" else {}
            self._change(step, {**({} if step.exists else {key: step.item}), **enabled, "groups": groups})

    def update_gravity(self) -> None:
        """Have it fetch its lists; takes as long as that takes."""
        self._request("POST", "action/gravity", None, _GRAVITY_TIMEOUT)

    def _change(self, step: Step, body: dict[str, object]) -> None:
        path = _PATHS[step.kind] + (f"/{quote(step.item, safe='')}" if step.exists else "")
        # The type is a parameter of the address: in the body alone it is refused.
        path += f"?type={step.type}" if step.type else ""
        answer = self._ask("PUT" if step.exists else "POST", path, body | {"comment": step.comment})
        processed = answer.get("processed")
        errors = processed.get("errors") if isinstance(processed, dict) else None
        if errors:  # under a status of 201
            raise EnvironmentFault(f"{self._url} refused to {step.says}: {printable(str(errors), 300)}")

    def _read(self, path: str, kind: type[Any]) -> Any:
        try:
            return msgspec.json.decode(self._request("GET", path, None), type=kind)
        except msgspec.DecodeError as error:
            raise _no_pihole(self._url, printable(str(error))) from None

    def _ask(self, method: str, path: str, body: dict[str, object]) -> dict[str, object]:
        answer = self._request(method, path, body)
        try:
            return msgspec.json.decode(answer, type=dict[str, object])
        except msgspec.DecodeError as error:
            raise _no_pihole(self._url, printable(str(error))) from None

    def _request(self, method: str, path: str, body: object, timeout: float = _TIMEOUT) -> bytes:
        headers = {"X-FTL-SID": self._session} if self._session else {}
        data = None if body is None else msgspec.json.encode(body)
        try:
            self._connection.timeout = timeout
            self._connection.request(method, f"/api/{path}", data, headers | {"Content-Type": "application/json"})
            response = self._connection.getresponse()
            answer = response.read(_MOST)
        except (OSError, http.client.HTTPException) as error:
            own = "certificate" in str(error).lower()
            signed = "name the authority that signed it: SSL_CERT_FILE=/etc/pihole/tls_ca.crt"
            tip = signed if own else "give the address under which a browser here shows its pages"
            raise EnvironmentFault(f"{self._url}: {printable(str(error))}", tip=tip) from None
        finally:
            self._connection.close()  # a new one each time: gravity takes longer than an idle one is kept
        if response.status == 401:
            raise EnvironmentFault(
                f"{self._url} wants a password, or another one", tip="set PIHOLE_PASSWORD; an app password will do"
            )
        if not 200 <= response.status < 300:
            why = printable(answer[:300].decode("utf-8", "replace"))
            raise _no_pihole(self._url, f"{method} {path.partition('?')[0]} was answered {response.status}: {why}")
        return answer


def _connection(url: str) -> http.client.HTTPConnection:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if parts.scheme not in ("http", "https") or not host or parts.path.strip("/") or parts.query or "@" in parts.netloc:
        raise UsageError(f"{printable(url, 100)!r} is no Pi-hole", tip="write http://pi.hole or https://10.0.0.53:8443")
    secure = parts.scheme == "https"
    return (http.client.HTTPSConnection if secure else http.client.HTTPConnection)(host, port, timeout=_TIMEOUT)


def _no_pihole(url: str, why: str) -> EnvironmentFault:
    return EnvironmentFault(f"{url} does not answer as Pi-hole 6 does: {why}")
