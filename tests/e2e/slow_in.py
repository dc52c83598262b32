# SPDX-License-Identifier: GPL-3.0-or-later
"""CONFORMANCE S-45: clients that are slow on purpose, by SMTP and POP3, lose; others are served meanwhile.

An octet now and then is no progress: a command has one deadline as a whole, a login one for all that is said
before it, a text and what a client reads of a message a least rate.

FEATURES L14.
"""
import os
import select
import socket
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, PASSWORD, Wire, wait_for  # noqa: E402

COUNT = 12
CONF = f"""auth {{ without-tls = {{"PLAIN", "LOGIN"}} }}
limits {{ connections-per-address = {9 * COUNT} }}
"""
BIG = 8 << 20


class TooSlow(Exception):
    """It was sent away before it could say all that comes first."""


class Slow:
    """A client that has said FIRST, line by line, and says an octet of REST whenever it is asked to."""

    def __init__(self, b, name, *first, rest=b"x", window=0):
        self.sock = socket.socket()
        if window:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.sock.connect(("127.0.0.1", b.port[name]))
        self.sock.settimeout(60)
        self.heard = b""
        for line in (None, *first):
            if line is not None:
                self.say(line)
            while not self.heard.endswith(b"\n"):
                self.hear()
            if self.heard[:1] in (b"4", b"-"):
                raise TooSlow
            self.heard = b""
        self.rest = rest

    def say(self, line):
        try:
            self.sock.sendall(line + b"\r\n")
        except (BrokenPipeError, ConnectionResetError) as e:
            raise TooSlow from e

    def hear(self):
        try:
            got = self.sock.recv(1)
        except ConnectionResetError:
            got = b""
        if not got:
            raise TooSlow
        self.heard += got

    def drip(self):
        """False once the server has hung up."""
        try:
            if self.rest:
                self.sock.send(self.rest)
            while select.select([self.sock], [], [], 0)[0]:
                if not (got := self.sock.recv(4096)):
                    return False
                self.heard += got
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True


def slowly(b, name, *first, last=None, **kw):
    """A Slow that is there; LAST is what it says then, and has no answer.  We may be too slow for it ourselves."""
    while True:
        try:
            s = Slow(b, name, *first, **kw)
            if last:
                s.say(last)
            return s
        except TooSlow:
            pass


class Both(Barid):
    """Who is slow has two seconds, others the usual time."""

    own = {"smtp": "timeout = 2s", "pop": "timeout = 2s"}


def main():
    listen = {"smtp": ("smtp", "starttls"), "pop": ("pop3", "starttls"), "fast": ("smtp", "starttls"),
              "fastpop": ("pop3", "starttls")}
    with Both(extra=CONF, listen=listen) as b:
        b.put("alice", "1.big", b"Subject: x\r\n\r\n" + (b"y" * 70 + b"\r\n") * (BIG // 72))
        mail = (b"HELO x", b"MAIL FROM:<a@b.test>", b"RCPT TO:<alice@example.test>", b"DATA")
        login = (b"USER alice", b"PASS " + PASSWORD.encode())
        slow = []
        for _ in range(COUNT):
            slow += [slowly(b, "smtp"), slowly(b, "smtp", *mail), slowly(b, "pop"), slowly(b, "pop", b"USER alice"),
                     # A whole command each time is no progress either, before the login.
                     slowly(b, "pop", rest=b"CAPA\r\n"), slowly(b, "smtp", *mail[:3], last=b"BDAT 100000"),
                     slowly(b, "pop", last=b"AUTH PLAIN")]
        # One that does not read what it asks for.
        deaf = slowly(b, "pop", *login, b"RETR 1", rest=b"", window=1)  # noqa: F841

        def all_gone():
            slow[:] = [s for s in slow if s.drip()]
            return not slow

        def served_meanwhile():
            slow.append(slowly(b, "smtp"))
            with Wire(b.port["fast"]) as w:
                assert w.reply().startswith(b"220") and w.smtp("HELO x").startswith(b"250")
            return slow[-1].drip()

        wait_for("somebody to be served while one is slow", served_meanwhile)
        wait_for("the end of all that are slow", all_gone)
        # What was not read was not waited for, and the mailbox is free for who reads.
        wait_for("the end of who does not read", lambda: "timeout while sending, user=alice" in b.log())
        wait_for("the end of all sessions", lambda: not b.sessions())
        with Wire(b.port["fastpop"]) as w:
            w.line()
            w.cmd("USER alice")
            assert w.cmd("PASS " + PASSWORD).startswith(b"+OK")
            assert w.cmd("RETR 1").startswith(b"+OK") and len(w.lines()) == BIG // 72 + 2
        log = b.log()
        assert "timeout after DATA (" in log and "timeout after BDAT (" in log and "timeout after CONNECT from" in log
        assert log.count("timeout, user=, ip=[127.0.0.1]") >= 4 * COUNT, log


main()
