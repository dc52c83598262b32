# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins by LDAP: a slapd of our own, in clear, with TLS and StartTLS; wrong, slow, dead, and what is no LDAP.

FEATURES A10.
"""
import contextlib
import os
import socket
import sys
import tempfile

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from authtest import Backends, LATER, NO, Silent, YES  # noqa: E402
from baridtest import Script, free_port, halt, wait_for  # noqa: E402
from slapdtest import BIND, SECRET, Slapd  # noqa: E402

WRONG = "guess-0815"


def simple_bind(s):
    """CONFORMANCE S-35: names with the marks of DNs and filters are values."""
    url = f"ldap://127.0.0.1:{s.port}/ou=people,dc=x"
    with Backends(url) as b:
        b.expect(YES, "alice", SECRET)
        assert b.smtp("o, dd+one", SECRET) == YES
        assert b.smtp("alice@example.test", SECRET) == YES
        # For the server the last three are alice, too: what is counted by name would be counted anew.
        for user, password in (("alice", WRONG), ("alice", ""), ("carol", SECRET), ("none", SECRET), ("*", SECRET),
                               ("*)(uid=*", SECRET), ("alice,ou=people", SECRET), ("alice+cn=Alice", SECRET),
                               ("'--", SECRET), ("%n%n%s", SECRET), ("\\", SECRET), ("(" * 200, SECRET),
                               ("alice ", SECRET), ("  alice", SECRET), ("\uff41lice", SECRET)):
            assert b.smtp(user, password) == NO, user
        b.keeps(SECRET, WRONG)


def search_and_bind(s):
    who = f"bindname=cn=service%2Cdc=x,x-bindpw={BIND}"
    url = f"ldap://127.0.0.1:{s.port}/dc=x??sub?(|(uid=%u)(mail=%u))?{who}"
    with Backends(url) as b:
        b.expect(YES, "alice", SECRET)
        assert b.smtp("a@example.org", SECRET) == YES
        for user, password in (("alice", WRONG), ("carol", SECRET), ("*)(uid=*", SECRET), ("al*", SECRET),
                               ("alice)(uid=*", SECRET), ("none", SECRET)):
            assert b.smtp(user, password) == NO, user
        # Whose would it be?
        assert b.smtp("shared@example.org", SECRET) == LATER
        b.keeps(SECRET, WRONG, BIND)
        b.change(url.replace(BIND, "wrong-4321"))
        assert b.smtp("alice", SECRET) == LATER
        assert "bindname cannot log in: Invalid credentials" in b.log()
        # Who may see nothing finds nobody.
        b.change(f"ldap://127.0.0.1:{s.port}/dc=x???(uid=%u)")
        assert b.smtp("alice", SECRET) in (NO, LATER)


def encrypted(s):
    # By its address, which is in the certificate: for libldap "localhost" is the name of the host.
    safe, start = f"ldaps://127.0.0.1:{s.tls_port}/ou=people,dc=x", f"ldap://127.0.0.1:{s.port}/ou=people,dc=x"
    ca = f"x-ca={s.folder}/localhost.pem"
    for url in (f"{safe}????{ca}", f"{start}????starttls,{ca}"):
        with Backends(url) as b:
            b.expect(YES, "alice", SECRET)
            b.expect(NO, "alice", WRONG)
            # Signed by nobody; then with the name of another.
            b.change(url.replace(ca, "").rstrip("?,"))
            assert b.smtp("alice", SECRET) == LATER
            b.change(url.replace("127.0.0.1:", "127.0.0.2:"))
            assert b.smtp("alice", SECRET) == LATER


def slow_and_dead(s):
    url = f"ldap://127.0.0.1:{s.port}/ou=people,dc=x"
    with Backends(url, "hardcoded://carol:three", auth="timeout = 1s cache = 0s") as b:
        halt(s.process.pid)
        b.expect(LATER, "alice", SECRET)
        b.expect(YES, "carol", "three")
        s.stop()
        b.expect(LATER, "alice", SECRET)
        b.expect(YES, "carol", "three")
        s.start()
        b.change(*b.urls, auth="timeout = 20s cache = 0s")
        b.expect(YES, "alice", SECRET)
        # Of two the second is asked where the first is not there.
        b.change(f"ldap://127.0.0.1:{free_port(['127.0.0.1'])},127.0.0.1:{s.port}/ou=people,dc=x")
        assert b.smtp("alice", SECRET) == YES
        # And where it is there and silent, or as if nobody were.
        b.auth = "timeout = 6s cache = 0s"
        with Silent() as silent, unreachable() as port:
            for first in (silent.port, port):
                b.change(f"ldap://127.0.0.1:{first},127.0.0.1:{s.port}/ou=people,dc=x")
                assert b.smtp("alice", SECRET) == YES, b.log()[-2000:]


@contextlib.contextmanager
def unreachable():
    """A port whose listener has no room left: no packet to it is answered."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            c = stack.enter_context(socket.socket())
            c.setblocking(False)
            c.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


# What is no LDAP; a bind that succeeds with another number; a length without an end; a referral.
ANSWERS = (
    b"\x00\xff" * 4096, b"HTTP/1.1 200 OK\r\n\r\n", b"\x30\x0c\x02\x01\x63\x61\x07\x0a\x01\x00\x04\x00\x04\x00",
    b"\x30\x84\x7f\xff\xff\xff\x02\x01\x01", b"\x30\x80", b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01", b"",
    b"\x30\x1f\x02\x01\x01\x61\x1a\x0a\x01\x0a\x04\x00\x04\x00\xa3\x11\x04\x0fldap://127.0.0.",
    b"\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\x00\x04\x00\x04\x00",
    b"\x30\x84\x00\x0f\xff\xff\x02\x01\x01\x61\x84\x00\x0f\xff\xf0\x0a\x01\x00\x04\x84\x00\x0f\xff\x00" + b"x" * 0xfff00,
)


ENTRY = b"\x30\x0e\x02\x01\x01\x64\x09\x04\x05uid=a\x30\x00"
DONE = b"\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\x00\x04\x00\x04\x00"
# To a search: an entry without a name, two, one and no end, one and another's end, and what is no LDAP.
TO_SEARCH = (b"\x30\x09\x02\x01\x01\x64\x04\x04\x00\x30\x00" + DONE, ENTRY + ENTRY + DONE, ENTRY,
             ENTRY + DONE[:4] + b"\x63" + DONE[5:], b"\x00\xff" * 4096)
# To StartTLS (RFC 4511 4.14): refused, granted and then no TLS, another's success, a referral, nothing.
TO_STARTTLS = (
    b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00",
    b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\x00\x04\x00",
    b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00" + b"\x00" * 4096,
    b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00",
    b"\x30\x0c\x02\x01\x63\x78\x07\x0a\x01\x00\x04\x00\x04\x00",
    b"",
)


class Liar(Script):
    """A server that answers everything with ANSWER, and keeps what it was told."""

    serial = True
    answer, told = b"", b""

    def serve(self, c):
        self.told += c.recv(4096)
        c.sendall(self.answer)
        c.settimeout(5)
        while self.answer and (more := c.recv(4096)):
            self.told += more


def hostile():
    """Whatever it sends, it is no yes; and one that is silent is none."""
    def lied():
        """Its answer is no yes; and it was asked, before the time was over."""
        told = len(liar.told)
        got = b.smtp("alice", SECRET)
        assert got == LATER, (b.urls, liar.answer[:40], got)
        return len(liar.told) > told

    liar = Liar()
    base = f"ldap://127.0.0.1:{liar.port}/dc=x"
    with Backends(base, auth="timeout = 1s cache = 0s") as b:
        for url, answers in ((base, ANSWERS), (base + "??sub?(uid=%u)", TO_SEARCH)):
            b.change(url)
            for liar.answer in answers:
                wait_for("a lie", lied)
        # Without TLS that is asked for nothing is said that anybody may not hear.
        b.change(base + "????starttls")
        liar.told = b""
        for liar.answer in TO_STARTTLS:
            wait_for("a lie", lied)
        assert b"1.3.6.1.4.1.1466.20037" in liar.told and SECRET.encode() not in liar.told and b"alice" not in liar.told
        with Silent() as silent:
            for url in (f"ldaps://127.0.0.1:{silent.port}/dc=x", f"ldap://127.0.0.1:{silent.port}/dc=x????starttls"):
                b.change(url)
                assert b.smtp("alice", SECRET) == LATER
        assert "died of signal" not in b.log()
    liar.close()


def main():
    with tempfile.TemporaryDirectory(prefix="barid-ldap-") as folder:
        os.chmod(folder, 0o755)
        s = Slapd(folder)
        try:
            simple_bind(s)
            search_and_bind(s)
            encrypted(s)
            slow_and_dead(s)
        finally:
            s.stop()
    hostile()


main()
