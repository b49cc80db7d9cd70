"""A stand-in for the API of Pi-hole 6: groups, lists, clients, sessions and gravity, as FTL 6.4.1 was seen to behave.

Traps of the real one are kept: what fails is answered 201 with `processed.errors`; a list's type counts as a parameter
of the address alone; a repeated address is an error; what is put into a group that does not exist is in none; whatever
names no groups is in Default. No Pi-hole runs in the tests.
"""

from __future__ import annotations

import http.server
import ipaddress
import json
import secrets
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Row = dict[str, Any]


class PiHole:
    """A Pi-hole on a free port of 127.0.0.1, while the `with` block runs."""

    def __init__(self, password: str = "", unreachable: Iterable[str] = ()) -> None:
        self.password, self.unreachable = password, set(unreachable)
        self.groups: list[Row] = [{"id": 0, "name": "Default", "enabled": True, "comment": "The default group"}]
        self.lists: list[Row] = []
        self.clients: list[Row] = []
        self.sessions: set[str] = set()
        self.writes: list[tuple[str, str]] = []
        """Method and path of every request that changes something, sessions aside."""
        self.deaf = False
        """Says yes to changes and carries none out."""
        pihole = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                sent = self.rfile.read(length)
                status, answer = pihole.answer(self.command, self.path, sent, self.headers.get("X-FTL-SID", ""))
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 - the base class looks for these names

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> PiHole:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, path: str, sent: bytes, session: str) -> tuple[int, Any]:
        """Return status and document (or text) of one request."""
        parts = urlsplit(path)
        what, _, item = parts.path.removeprefix("/api/").partition("/")
        body = json.loads(sent) if sent else {}
        if what == "auth":
            return self._auth(method, body, session)
        if self.password and session not in self.sessions:
            return 401, {"error": {"key": "unauthorized", "message": "Unauthorized", "hint": None}}
        if method != "GET":
            self.writes.append((method, path))
        if (method, parts.path) == ("POST", "/api/action/gravity"):
            return 200, self._gravity()
        table = {"groups": self.groups, "lists": self.lists, "clients": self.clients}[what]
        if method == "GET":
            return 200, {what: table, "took": 0.001}
        kind = parse_qs(parts.query).get("type", [""])[0]
        if what == "lists" and kind not in ("block", "allow"):
            return 400, {"error": {"key": "bad_request", "message": "Invalid request: Specify list type"}}
        error = "" if self.deaf else self._change(what, table, unquote(item), body, kind)
        name = unquote(item) or body.get("address") or body.get("client") or body.get("name")
        done = {"success": [], "errors": [{"item": name, "error": error}]} if error else {"success": [{"item": name}]}
        return (200 if method == "PUT" else 201), {what: table, "processed": {"errors": [], **done}}

    def _auth(self, method: str, body: Row, session: str) -> tuple[int, Any]:
        if method == "DELETE":
            self.sessions.discard(session)
            return 204, b""
        if body.get("password") != self.password:
            return 401, {"session": {"valid": False, "sid": None, "message": "password incorrect"}}
        self.sessions.add(sid := secrets.token_hex(8))
        return 200, {"session": {"valid": True, "totp": False, "sid": sid, "validity": 1800}}

    def _change(self, what: str, table: list[Row], item: str, body: Row, kind: str) -> str:
        key = {"groups": "name", "lists": "address", "clients": "client"}[what]
        name = item or body[key]
        if what == "lists" and " " in name:
            return "Invalid characters in address"
        same = {"type": kind} if what == "lists" else {}
        found = next((row for row in table if {key: name, **same}.items() <= row.items()), None)
        if found and not item:
            return f"UNIQUE constraint failed: {what}.{key}"
        row: Row = {key: name, "comment": body.get("comment"), **same}
        if what != "clients":
            row["enabled"] = body.get("enabled", True)
        if what != "groups":
            known = {group["id"] for group in self.groups}
            row["groups"] = [number for number in body.get("groups", [0]) if number in known]
        row["id"] = found["id"] if found else max((old["id"] for old in table), default=-1) + 1
        if what == "lists":
            row |= {"number": 0, "invalid_domains": 0, "abp_entries": 0, "status": 0}
        if found:
            table[table.index(found)] = row
        else:
            table.append(row)
        return ""

    def _gravity(self) -> bytes:
        for row in self.lists:
            row["status"] = 4 if row["address"] in self.unreachable else 1
        return b"  [i] Neutrino emissions detected...\n  [\xe2\x9c\x93] Done.\n"

    def subscribed(self, client: str) -> dict[str, set[str]]:
        """Return the addresses of the block and allow lists that hold for a client: by its narrowest entry's groups."""
        address = ipaddress.ip_address(client)
        around = [(net, row) for row in self.clients if address in (net := ipaddress.ip_network(row["client"]))]
        entry = max(around, key=lambda pair: pair[0].prefixlen, default=None)
        mine = set(entry[1]["groups"]) if entry else {0}
        mine &= {group["id"] for group in self.groups if group["enabled"]}
        lists = [row for row in self.lists if row["enabled"] and mine.intersection(row["groups"])]
        return {kind: {row["address"] for row in lists if row["type"] == kind} for kind in ("block", "allow")}
