# SPDX-License-Identifier: GPL-3.0-or-later
"""Recipients that somebody else is asked about: a program, a line protocol, accounts, a server of SMTP; and who fails.

FEATURES C7, R9, R10, R11, R14.
"""
import base64
import contextlib
import os
import pwd
import socket
import sys
import threading

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, PASSWORD, Script, Sink, Wire, unix_listener, wait_for  # noqa: E402

PROGRAM = """#!/bin/sh
echo "$#|$*" >>"${0%/*}/asked"
case $1 in
alice@*|bob@*) exit 0;;
nick@*) echo; echo alice; exit 0;;
away@*) echo; echo dave@elsewhere.example; exit 1;;
lost@*) echo; echo nobody-at-all; exit 0;;
odd@*) echo; echo '<>@'; exit 0;;
later@*) echo try tomorrow; exit 3;;
abort@*) exit 100;;
dies@*) kill -9 $$;;
slow@*) sleep 60;;
flood@*) yes;;
*) echo unheard of; echo said the program; exit 2;;
esac
"""


def conf(what, more="", timeout="60s"):
    return f'recipients {{ verify = "{what}" verify-timeout = {timeout} {more} }}\n' \
        'auth { failure-delay = 1ms without-tls = {"PLAIN"} }\nlimits { tarpit-delay = 0s }\naccess { relay = {} }\n'


@contextlib.contextmanager
def client(b, params="", login=None):
    w = Wire(b.port["smtp"])
    w.reply()
    assert w.smtp("EHLO client.test").startswith(b"250")
    if login is not None:
        said = w.smtp("AUTH PLAIN " + base64.b64encode(login).decode())
        assert said.startswith(b"235" if login.endswith(PASSWORD.encode()) else b"535"), said
    assert w.smtp("MAIL FROM:<carol@far.example>" + params).startswith(b"250")
    yield w
    w.close()


def answers(b, want, params=""):
    """Each in one session, so that one is no harm to the next."""
    with client(b, params) as w:
        for name, start in want:
            got = w.smtp(f"RCPT TO:<{name}@example.test>".encode()).decode()
            assert got.startswith(start), (name, got)


def verifiers(b):
    return [p for p in b.processes() if "barid-verify" in b.read(f"/proc/{p}/cmdline").split("\0")[0]]


def set_conf(b, text):
    """With a barid-verify that knows of it."""
    before = verifiers(b)
    b.write_conf(text)
    b.reload()
    wait_for("another barid-verify", lambda: [p for p in verifiers(b) if p not in before])
    wait_for("the end of the one before", lambda: not set(before) & set(verifiers(b)))


def program(b):
    path = b.dir + "/known"
    with open(path, "w") as f:
        f.write(PROGRAM)
    os.chmod(path, 0o755)
    open(b.dir + "/asked", "w").close()
    b.give(b.dir + "/asked")
    set_conf(b, conf(f"exec:{path}"))
    answers(b, [("alice", "250"), ("nick", "250"), ("away", "250"), ("lost", "451 4.3.5"), ("odd", "451 4.3.5"),
                ("later", "451 4.4.3 Recipient address rejected: try tomorrow"), ("dies", "451 4.4.3"),
                ("bob", "250"), ("-x", "550 5.1.1"),
                ("who", "550 5.1.1 Recipient address rejected: unheard of"), ("postmaster", "250"),
                ("abort", "421 4.7.0")])
    asked = b.read(b.dir + "/asked").splitlines()
    assert asked[0].startswith("6|alice@example.test carol@far.example 127.0.0.1:"), asked
    assert asked[0].endswith(" mx.example.test none "), asked
    assert not any("postmaster" in a or "|-x" in a for a in asked), asked
    # A login that failed is none.
    with client(b, login=b"\0alice\0wrong") as w:
        assert w.smtp("RCPT TO:<alice@example.test>").startswith(b"250")
    with client(b, login=b"\0alice\0" + PASSWORD.encode()) as w:
        assert w.smtp("RCPT TO:<alice@example.test>").startswith(b"250")
    asked = b.read(b.dir + "/asked").splitlines()
    assert asked[-2].endswith(" mx.example.test none ") and asked[-1].endswith(" mx.example.test PLAIN alice"), asked[-2:]
    # Strangers' mail for others is not asked about, and where it goes is who was named.
    with client(b) as w:
        assert w.smtp("RCPT TO:<x@far.example>").startswith(b"554")
    b.send("carol@far.example", ["nick@example.test"], "Subject: x\r\n\r\nx\r\n")
    assert b"Delivered-To: alice@example.test" in b.mail("alice", 1)[0]
    assert "the program died of signal 9" in b.log() and "is nobody: said the program" in b.log()
    said = b.ctl("explain", "bob@example.test").stdout
    assert f"exec:{path} is asked" in said and "barid.conf:" in said, said
    # Each asks its own of these, so that none that is good has so little time.
    set_conf(b, conf(f"exec:{path}", timeout="2s"))
    answers(b, [("slow", "451 4.4.3"), ("flood", "451 4.4.3")])
    assert "the program took too long" in b.log()


class Lines(Script):
    """A server of the line protocol that answers as it is told, by recipient; ONE: it closes behind each answer."""

    SAYS = {"alice": b"0|alice|Alice\n", "nick": b"1|bob@example.test\n", "who": b"2|unheard of|because\n",
            "later": b"3|tomorrow\n", "abort": b"100\n", "junk": b"\x00\xff\n", "long": b"x" * 70000 + b"\n",
            "empty": b"\n", "half": b"0|ali", "silent": None, "chatty": b"1|alice\n2|nobody|again\n", "ends": b""}

    def __init__(self, path, one=False):
        self.heard, self.connections, self.open, self.one = [], 0, set(), one
        self.held = threading.Event()
        self.held.set()
        super().__init__(unix_listener(path))

    def accepted(self, c):
        self.connections += 1
        self.open.add(c)
        return (c,)

    def serve(self, c):
        for line in c.makefile("rb"):
            self.heard.append(line)
            self.held.wait()
            name = line.split(b"@")[0].decode()
            said = self.SAYS[name]
            if said is None:
                continue
            with contextlib.suppress(OSError):
                c.sendall(said)
            if self.one or name in ("half", "ends"):
                break
        self.hang_up(c)

    def hang_up(self, *which):
        for c in which or list(self.open):
            self.open.discard(c)
            with contextlib.suppress(OSError):
                c.shutdown(socket.SHUT_RDWR)
                c.close()

    def close(self):
        super().close()
        self.hang_up()


def lines(b):
    """FEATURES R10."""
    path = b.dir + "/lines"
    good = [("alice", "250"), ("nick", "250"), ("who", "550 5.1.1 Recipient address rejected: unheard of"),
            ("later", "451 4.4.3 Recipient address rejected: tomorrow")]
    bad = [(name, "451") for name in ("junk", "long", "empty", "half", "ends")]
    for one in (True, False):
        server = Lines(path, one)
        set_conf(b, conf(f"net:unix:{path}"))
        answers(b, good + bad + good + [("abort", "421")])
        assert server.heard[0].startswith(b"alice@example.test|carol@far.example|127.0.0.1:"), server.heard
        assert server.heard[0].endswith(b"|mx.example.test|none|\n"), server.heard
        # One after the other on one connection, that is made anew for the question after one that was no answer.
        assert server.connections == len(server.heard) if one else server.connections < len(server.heard) - len(good)
        if one:
            server.close()
            os.unlink(path)
    server.hang_up()
    server.connections = 0
    answers(b, 3 * good)
    # Who has answered may not have said yet that he is free when the next question comes: then there are two of them.
    assert server.connections <= 2 and len(server.open) == server.connections, server.connections
    # What was not asked for is no answer to what is asked next.
    answers(b, [("chatty", "250"), ("alice", "250"), ("who", "550"), ("alice", "250")])
    # It hangs up while nobody asks, or in place of an answer: that one is asked again, once.
    server.hang_up()
    answers(b, good)
    heard = len(server.heard)
    answers(b, [("ends", "451")])
    assert len(server.heard) == heard + 2, server.heard[heard:]
    # Several at once have a connection each, and keep them.
    answers(b, good)
    server.connections = len(server.open)
    server.held.clear()
    before = len(server.heard)
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(client(b)) for _ in range(8)]
        for w in wires:
            w.send("RCPT TO:<alice@example.test>\r\n")
        wait_for("all to be asked", lambda: len(server.heard) == before + len(wires))
        server.held.set()
        assert all(w.reply().startswith(b"250") for w in wires)
        assert server.connections == len(wires)
        for w in wires:
            assert w.smtp("RCPT TO:<nick@example.test>").startswith(b"250")
        # P-03: who hears a server has no way to barid-spawn.
        main, = [p for p in verifiers(b) if f"\nPPid:\t{b.process.pid}\n" in b.read(f"/proc/{p}/status")]
        way = os.readlink(f"/proc/{main}/fd/6")
        workers = [p for p in verifiers(b) if p != main]
        assert len(workers) == len(wires) and way.startswith("socket:"), (workers, way)
        for p in workers:
            assert way not in [os.readlink(f"/proc/{p}/fd/{fd}") for fd in os.listdir(f"/proc/{p}/fd")], p
    assert server.connections == len(wires)
    # Another server in its place is asked as soon as it is there.
    server.close()
    os.unlink(path)
    answers(b, [("alice", "451")])
    server = Lines(path)
    answers(b, good)
    # One that says nothing has its time, and is no harm to whoever is asked about next, who may be late as well.
    set_conf(b, conf(f"net:unix:{path}", timeout="2s"))
    answers(b, [("silent", "451")])

    def taken():
        with client(b) as w:
            return w.smtp("RCPT TO:<alice@example.test>").startswith(b"250")

    wait_for("an answer", taken)
    server.close()
    os.unlink(path)
    answers(b, [("alice", "451")])


def many(b):
    """Who asks the server ends after so many questions, while others come: none of them is lost with him."""
    path = b.dir + "/lines"
    server = Lines(path)
    set_conf(b, conf(f"net:unix:{path}"))
    wrong = []

    def ask():
        with client(b) as w:
            for _ in range(40):
                w.send("RCPT TO:<alice@example.test>\r\n" * 50)
                wrong.extend(said for said in [w.reply() for _ in range(50)] if not said.startswith(b"250"))
                w.smtp("RSET")
                w.smtp("MAIL FROM:<carol@far.example>")
    threads = [threading.Thread(target=ask) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong and server.connections >= 12, (wrong[:3], len(wrong), server.connections)
    server.close()
    os.unlink(path)


def accounts(b):
    me = pwd.getpwuid(b.uid)
    set_conf(b, conf(f"account:{me.pw_uid};lower", 'mailboxes = {"any"}'))
    answers(b, [(me.pw_name, "250"), (me.pw_name.upper(), "250"), ("no-such-account", "550 5.1.1")])
    set_conf(b, conf(f"account:{me.pw_uid + 1};check", 'mailboxes = {"any"}'))
    answers(b, [(me.pw_name, "250"), ("no-such-account", "250")])
    set_conf(b, conf(f"account:{me.pw_uid + 1}", 'mailboxes = {"any"}'))
    answers(b, [(me.pw_name, "550 5.1.1")])


def call_out(b):
    rules = ["RCPT /^who@/=550 5.1.1 no such user", "RCPT /^later@/=450 4.2.1 not now"]
    with Sink(rules=rules) as sink:
        set_conf(b, conf(f"smtp:127.0.0.1:{sink.port}", "mailboxes = {any} verify-cache = 1h"))
        want = [("alice", "250"), ("who", "550 5.1.1"), ("later", "451 4.4.3")]
        answers(b, want)
        count = len(sink.connections(3))
        assert sink.said()[1:4] == ["MAIL FROM:<>", "RCPT TO:<alice@example.test>", "QUIT"], sink.said()
        # A yes and a no are known; what was no answer is asked again.
        answers(b, want)
        wait_for("one more call", lambda: len(sink.connections()) == count + 1)
    # The server is gone: who is known is known, and nobody else.
    answers(b, [("alice", "250"), ("who", "550 5.1.1"), ("new", "451 4.4.3")])
    with Sink(rules=["MAIL=550 5.7.1 not you"]) as sink:
        set_conf(b, conf(f"smtp:127.0.0.1:{sink.port}", "mailboxes = {any}"))
        answers(b, [("alice", "451")])
    assert "says 550" in b.log()
    # RFC 6531 3.2: an address in UTF-8 is for a server that knows of it; what another would say is no word about it.
    name = "jos\u00e9"
    with Sink("--caps", "8BITMIME") as sink:
        set_conf(b, conf(f"smtp:127.0.0.1:{sink.port}", "mailboxes = {any} verify-cache = 1h"))
        answers(b, [(name, "451 4.4.3"), ("alice", "250")], " SMTPUTF8")
        said = [c["lines"] for c in sink.connections(2)]
        assert ["MAIL" in " ".join(lines) for lines in said] == [False, True], said
        assert not any(c["faults"] for c in sink.connections()) and "does not offer SMTPUTF8" in b.log()
    with Sink() as sink:
        set_conf(b, conf(f"smtp:127.0.0.1:{sink.port}", "mailboxes = {any}"))
        # A yes; and then there is no mailbox of that name.
        answers(b, [(name, "451 4.3.5")], " SMTPUTF8")
        sink.connections(1)
        assert sink.said()[1:3] == ["MAIL FROM:<> SMTPUTF8", f"RCPT TO:<{name}@example.test>"], sink.said()


def helper_is_lost(b):
    """Killed, it is back; meanwhile there is no answer but 451."""
    pid = verifiers(b)[0]
    os.kill(pid, 9)
    wait_for("another one", lambda: [p for p in verifiers(b) if p != pid])
    answers(b, [("alice", "451")])


def main():
    with Barid() as b:
        for test in (program, lines, many, accounts, call_out, helper_is_lost):
            test(b)


main()
