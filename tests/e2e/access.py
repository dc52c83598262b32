# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may connect, send and log in, and where: by address, by listener, with TLS and without.

FEATURES A1, A2, A16, A17, A18, A19, A21, C1, C2, C9, L11, L13, L15: a stranger to anybody here and to nobody elsewhere,
an address of access.relay to everybody, the others after a login, which asks for TLS.
"""
import base64
import contextlib
import json
import os
import re
import socket
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, PASSWORD, Wire, free_port, route, upstream, wait_for  # noqa: E402

LISTEN = dict(Barid.LISTEN, strict=("smtp", "required"), proxied=("smtp", "off"))
OURS, STRANGER = "127.0.0.5", "127.0.0.77"



def session(b, name, source=STRANGER, tls=False):
    """A session up to the answer to EHLO, and that answer."""
    w = Wire(b.port[name], b.listen[name][1] == "implicit", source=source)
    banner = w.reply()
    assert banner.startswith(b"220 "), banner
    told = w.smtp("EHLO client.test")
    if tls:
        assert b"250-STARTTLS" in told and w.smtp("STARTTLS").startswith(b"220")
        w.start_tls()
        told = w.smtp("EHLO client.test")
    return w, banner, told


def login(w):
    assert w.smtp("AUTH PLAIN " + base64.b64encode(f"\0alice\0{PASSWORD}".encode()).decode()).startswith(b"235")


def rcpts(w, *names):
    """What is answered for each recipient of a message, nine octets of it."""
    assert w.smtp("MAIL FROM:<alice@example.test>").startswith(b"250")
    return [w.smtp(f"RCPT TO:<{n}>")[:9] for n in names]


def unknown_to_us(b):
    """A19: where a login is asked for, mail to us is taken without one; L15: each listener has its name."""
    w, banner, told = session(b, "smtp")
    with w:
        assert banner.startswith(b"220 in.example.test ") and told.startswith(b"250-in.example.test")
        assert b"AUTH" not in told
        got = rcpts(w, "bob@example.test", "x@far.example", "nobody@example.test", "postmaster", "bob%far.example@example.test")
        assert got == [b"250 2.1.5", b"530 5.7.0", b"550 5.1.1", b"250 2.1.5", b"550 5.1.1"], got
        assert w.smtp("DATA").startswith(b"354")
        assert w.smtp("Subject: from a stranger\r\n\r\nhello\r\n.").startswith(b"250")
    assert b"by in.example.test" in b.mail("bob", 1)[0]
    # The same client, once it has logged in.
    w, _, told = session(b, "smtp", tls=True)
    with w:
        assert b"250-AUTH PLAIN" in told
        login(w)
        assert rcpts(w, "x@far.example", "bob@example.test") == [b"250 2.1.5"] * 2
        assert w.smtp("DATA").startswith(b"354")
        assert w.smtp("Subject: from a user\r\n\r\nhello\r\n.").startswith(b"250")
    # A21: the envelope says who that was, and the Received field that it was somebody.
    queue_id = re.search(r"\]: (\w+): to=<x@far", b.deferred())[1]
    shown = json.loads(b.ctl("--json", "queue", "show", queue_id).stdout)
    assert shown["user"] == "alice" and "with ESMTPSA" in b.mail("bob", 2)[1].decode(), shown
    for name, told in (("smtp", "to a stranger: 530 5.7.0 "), ("strict", "to a stranger: 554 5.7.1 "),
                       ("submission", "to a stranger: 530 5.7.0 Authentication required, to MAIL")):
        said = b.ctl("explain", "--listener", name, "x@far.example").stdout
        assert told in said and "to who has logged in: 250" in said, said
    r = b.ctl("explain", "--listener", "pop3", "x@far.example", check=False)
    assert r.returncode == 64 and "no mail comes in" in r.stderr, r


def by_address(b):
    """A2, C1: networks in any of the forms may send anywhere, but not as a submission."""
    for source, want in ((OURS, b"250 2.1.5"), ("127.0.0.33", b"250 2.1.5"), ("127.0.1.9", b"250 2.1.5"),
                         (STRANGER, b"530 5.7.0"), ("127.0.0.36", b"530 5.7.0")):
        w, _, _ = session(b, "smtp", source)
        with w:
            assert rcpts(w, "x@far.example") == [want], source
    # A18: who submits says who he is, wherever he comes from.
    w, _, _ = session(b, "submissions", OURS)
    with w:
        assert w.smtp("MAIL FROM:<alice@example.test>").startswith(b"530 5.7.0 Authentication required")
        login(w)
        assert rcpts(w, "x@far.example") == [b"250 2.1.5"]


def only_in_tls(b):
    """A16, A17: before TLS there is no login, and where it is demanded nothing of interest."""
    plain = "AUTH PLAIN " + base64.b64encode(f"\0alice\0{PASSWORD}".encode()).decode()
    for name, verbs in (("smtp", (plain,)), ("strict", (plain, "MAIL FROM:<a@b.test>", "VRFY alice")),
                        ("submission", (plain, "MAIL FROM:<a@b.test>"))):
        w, _, told = session(b, name)
        with w:
            assert b"AUTH" not in told
            for verb in verbs:
                assert w.smtp(verb)[:3] in (b"530", b"538"), (name, verb)
    with Wire(b.port["pop3"], source=STRANGER) as w:
        w.line()
        assert w.cmd("USER alice").startswith(b"-ERR")
    w, _, _ = session(b, "strict", tls=True)
    with w:
        assert rcpts(w, "bob@example.test", "x@far.example") == [b"250 2.1.5", b"554 5.7.1"]


def from_afar(b):
    """L11, C1: only networks that may; a proxy says here that the client is elsewhere."""
    for client, welcome in (("192.168.7.7", True), ("10.9.8.7", True), ("192.0.2.1", False), ("11.0.0.1", False)):
        with Wire(b.port["proxied"]) as w:
            w.send(f"PROXY TCP4 {client} 192.0.2.25 4711 25\r\n")
            got = w.reply()
            assert got.startswith(b"220 " if welcome else b"421 4.7.0 ") and (b"may not connect" in got) != welcome, got
    assert "refused a connection from unknown[192.0.2.1], which came by 127.0.0.1: you may not connect here" in b.log()


def total():
    """L13: connections of clients and to other servers are one sum; who is one too many waits, or is told so."""
    silent = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    held = []

    def accepted():
        for s in silent:
            s.settimeout(0)
            with contextlib.suppress(BlockingIOError):
                held.append(s.accept()[0])
        return len(held)
    extra = "limits { connections = 4 connections-in = 3 connections-out = 3 }\nqueue { runners = 2 retry = {1h} }\n"
    for i, s in enumerate(silent):
        extra += upstream(f"up{i}", s.getsockname()[1]) + route(f"d{i}.test", f"up{i}")
    with Barid(extra=extra, relay=("127.0.0.0/8",)) as b:
        def waiting():
            """Deliveries that are not done; unknown where a runner does not answer in time."""
            r = b.ctl("--json", "top", check=False)
            found = json.loads(r.stdout)["destinations"] if r.returncode == 0 else ()
            return sum(d["waiting"] + d["parked"] for d in found)
        clients = [Wire(b.port["smtp"]) for _ in range(3)]
        for w in clients:
            assert w.reply().startswith(b"220 ")
        clients[0].smtp("EHLO c")
        for i in range(3):
            for line in ("MAIL FROM:<a@b.test>", f"RCPT TO:<x@d{i}.test>", "DATA", "Subject: x\r\n\r\nx\r\n."):
                assert clients[0].smtp(line)[:1] in b"23", line
        # The three clients leave room for one.
        wait_for("two that wait", lambda: accepted() == 1 and waiting() == 3)
        assert "\nconnections-out 1\n" in b.ctl("status").stdout, b.ctl("status").stdout
        for w in clients[1:]:
            w.close()
        wait_for("all three", lambda: accepted() == 3)
        with Wire(b.port["smtp"]) as w:
            assert w.reply() == b"421 4.7.0 mx.example.test Error: too many connections"
        # One of them ends, and somebody may come in its place.
        held.pop().close()
        def comes_in():
            with Wire(b.port["smtp"]) as w:
                return w.reply().startswith(b"220 ")
        wait_for("a place", comes_in)
        for x in (clients[0], *held, *silent):
            x.close()


class Dual(Barid):
    """With sockets for IPv6 that take IPv4 as well: systemd hands over such ones."""

    def bind(self, name, port=0):
        s = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=100)
        self.sockets[name], self.port[name] = s, s.getsockname()[1]


def mapped():
    """Who comes by IPv4 to a socket for both is that address, for limits, rights, logs and traces (S-37, S-66)."""
    if not socket.has_dualstack_ipv6():
        print("no IPv6 here: a socket for both was not tried")
        return
    with Dual(extra="limits { connections-per-address = 2 }\n", relay=(OURS,)) as b:
        held = [session(b, "smtp", source)[0] for source in (STRANGER, OURS, STRANGER, OURS)]
        with Wire(b.port["smtp"], source=STRANGER) as w:
            assert w.reply().endswith(b"too many connections from your address")
        assert rcpts(held[0], "x@far.example", "bob@example.test") == [b"554 5.7.1", b"250 2.1.5"]
        assert rcpts(held[1], "x@far.example") == [b"250 2.1.5"]
        assert held[0].smtp("DATA").startswith(b"354") and held[0].smtp("Subject: x\r\n\r\nx\r\n.").startswith(b"250")
        for w in held:
            w.close()
        text = b.mail("bob", 1)[0]
        assert f"(unknown [{STRANGER}])".encode() in text, text
        assert f"connect from unknown[{OURS}]" in b.log() and "::ffff" not in b.log()


def main():
    relay = (OURS, "127.0.0.32-127.0.0.35", "127.0.1.*")
    down = upstream("down", free_port(["127.0.0.1"])) + route("far.example", "down") + "queue { retry = {1h} }\n"
    with Barid(listen=LISTEN, relay=relay, extra=down, start=False) as b:
        # A listener stands once: what is special of two goes into theirs.
        text = b.read(b.conf)
        for name, more in (("smtp", 'auth-required = true hostname = "in.example.test"'),
                           ("proxied", 'proxies = {"127.0.0.1"}')):
            text = text.replace(f'listen "{name}" {{', f'listen "{name}" {{ {more}')
        with open(b.conf, "w", encoding="utf-8") as f:
            f.write(text)
        b.start()
        unknown_to_us(b)
        by_address(b)
        only_in_tls(b)
        from_afar(b)
    total()
    mapped()


main()
