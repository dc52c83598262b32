# SPDX-License-Identifier: GPL-3.0-or-later
"""A file of a hundred thousand recipients, as Postfix's virtual(5): what each line does, changed while barid runs.

FEATURES R1, R2, R3, R4, R5, R6, R7, R8, R13, D5, D13.
"""
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import ROOT, Barid, Sink, program, route, run, upstream, wait_for  # noqa: E402

ROWS = 100000
LISTEN = dict(Barid.LISTEN, inside=("smtp", "off"))
FIRST = """info@example.test    alice
sales                bob, dave@far.example,
                     alice@example.test
orders@shop.example  mailbox:orders
old@example.test     reject:551 5.1.6 he is at elsewhere.example
later@example.test   reject:450 4.2.0 not today
noreply              discard
far@example.test     via:up
bob@example.test     bob@example.test, alice
@shop.example        mailbox:rest
"""
CONF = """domains = {{"example.test", "shop.example"}}
recipient "first@example.test" {{ mailbox = "bob" }}
recipient "postmaster@shop.example" {{ sender = {{"noc@*"}} mailbox = "noc" }}
recipient "postmaster@shop.example" {{ mailbox = "boss" }}
recipient "*" {{ table = "{}" }}
recipient "info@example.test" {{ discard = true }}
recipient "*@example.test" {{ mailbox = "lost" }}
"""


def message(subject):
    return f"From: <c@far.example>\r\nTo: x\r\nSubject: {subject}\r\n\r\nhello\r\n".encode()


class Table:
    def __init__(self, b):
        self.b = b
        self.path = b.dir + "/recipients"

    def write(self, last):
        with open(self.path + ".new", "w", encoding="ascii") as f:
            f.write("".join(f"user{n}@example.test  mailbox:all\n" for n in range(ROWS)) + last)
        os.chmod(self.path + ".new", 0o644)
        os.rename(self.path + ".new", self.path)


def code(b, rcpt):
    with b.smtp("inside") as s:
        s.docmd("EHLO x")
        s.docmd("MAIL FROM:<c@far.example>")
        return s.docmd(f"RCPT TO:<{rcpt}>")


def lands(b, rcpt, *users, sender="c@far.example"):
    """Mail to RCPT goes into the mailboxes of USERS, each once."""
    before = {u: len(b.mailbox(u)) for u in users}
    b.send(sender, [rcpt], message(rcpt), "inside")
    for u, n in before.items():
        b.mail(u, n + 1)
    b.empty()
    assert {u: len(b.mailbox(u)) - n for u, n in before.items()} == dict.fromkeys(users, 1), rcpt


def each(b, sink):
    lands(b, "user0@example.test", "all")
    lands(b, f"USER{ROWS - 1}+news@example.test", "all")
    lands(b, "info@example.test", "alice")
    lands(b, "info+x@example.test", "alice")
    lands(b, "orders@shop.example", "orders")
    lands(b, "anybody@shop.example", "rest")
    lands(b, "alice@shop.example", "alice")
    lands(b, "bob@example.test", "bob", "alice")
    lands(b, "first@example.test", "bob")
    lands(b, "somebody@example.test", "lost")
    lands(b, "sales@shop.example", "bob", "alice")
    assert [r["path"] for r in sink.messages(1)[0]["rcpts"]] == ["dave@far.example"]
    lands(b, "far@example.test")
    assert [r["path"] for r in sink.messages(2)[1]["rcpts"]] == ["far@example.test"]
    # A domain's own postmaster, and by who writes to it; that of the others; and never refused.
    lands(b, "postmaster@shop.example", "boss")
    lands(b, "Postmaster@shop.example", "noc", sender="noc@far.example")
    lands(b, "postmaster@example.test", "lost", sender="noc@far.example")
    lands(b, "postmaster", "lost")
    boxes = {u: len(b.mailbox(u)) for u in os.listdir(b.dir + "/mail")}
    lands(b, "noreply@shop.example")
    assert boxes == {u: len(b.mailbox(u)) for u in boxes}
    assert code(b, "old@example.test") == (551, b"5.1.6 he is at elsewhere.example"), code(b, "old@example.test")
    assert code(b, "later@shop.example")[0] == 250, "of another domain"
    assert code(b, "later@example.test")[0] == 450


def explained(b, t):
    said = b.ctl("explain", f"user{ROWS - 1}@example.test").stdout
    assert f"{t.path}:{ROWS}" in said and 'recipient "*", by its table' in said and "all" in said, said
    said = b.ctl("--from", "noc@x.example", "explain", "postmaster@shop.example").stdout
    assert "mail/noc" in said and 'recipient "postmaster@shop.example"' in said, said
    said = b.ctl("explain", "sales@example.test").stdout
    assert f"{t.path}:{ROWS + 2}" in said and "dave@far.example" in said, said
    said = b.ctl("explain", "x@shop.example").stdout
    assert f"{t.path}:{ROWS + 10}" in said and "a catch-all" in said, said
    r = b.sendmail("-bv", "old@example.test", "user1@example.test", check=False)
    assert f"551 5.1.6 he is at elsewhere.example ({t.path}:{ROWS + 5})".encode() in r.stdout, r
    assert f"mailbox all ({t.path}:2)".encode() in r.stdout and r.returncode == 67, r
    # As many addresses as may stand in a command.
    r = b.sendmail("-bv", *["sales@example.test"] * 4000, check=False)
    assert r.returncode == 0 and r.stdout.count(b"\n") == 4000, r.stderr


def listed(b):
    """A way that stands in a line is what the queue is asked for, by who can read it and who has to ask."""
    b.write_conf(b.extra + "queue { deliver = false }\n")
    b.reload()
    b.send("c@far.example", ["far@example.test"], message("waits"), "inside")
    stranger = ["setpriv", "--reuid=1", "--regid=1", "--clear-groups"]
    for who in ([], stranger) if ROOT else ([],):
        for way, n in (("up", b"1\n"), ("local", b"0\n")):
            assert run(*who, program("baridctl"), "-c", b.conf, "queue", "--route", way, "--count") == n, (who, way)
    b.write_conf(b.extra.replace("deliver = false", "deliver = true"))
    b.reload()
    b.empty()


def changed(b, t):
    t.write("new@example.test mailbox:new\n")
    wait_for("the new table", lambda: "tables of addresses were read again" in b.log())
    wait_for("what it says", lambda: "mailbox that a section gives" in b.ctl("explain", "new@example.test").stdout)
    wait_for("the runners", lambda: code(b, "anybody@shop.example")[0] == 550)
    lands(b, "new@example.test", "new")
    lands(b, "later@example.test", "lost")
    t.write("new@example.test |/bin/sh\n")
    wait_for("the refusal", lambda: "new table refused" in b.log())
    assert f'{t.path}:{ROWS + 1}: "|/bin/sh" has "|/bin/sh", which is no address' in b.log()
    lands(b, "new@example.test", "new")
    r = b.ctl("config", "check", check=False)
    assert r.returncode == 78 and f"{t.path}:{ROWS + 1}: " in r.stderr, r
    refused_for_all(b)


def refused_for_all(b):
    """Who is started again has what was read last, too, and not that file without its bad line."""
    said = "acceptors were started anew"
    before = b.log().count(said)
    b.process.send_signal(signal.SIGUSR1)
    wait_for("other acceptors", lambda: b.log().count(said) > before)
    ready = b.log().count(" is ready: ")
    old = b.runners()
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    wait_for("other runners", lambda: b.log().count(" is ready: ") >= ready + len(old))
    lands(b, "new@example.test", "new")
    # Nor does a start begin with it.
    b.stop()
    r = subprocess.run([program("barid"), "-f", "-c", b.conf], capture_output=True, text=True, timeout=60)
    assert r.returncode == 78 and f":{ROWS + 1}: " in r.stderr, r


def main():
    with Sink() as sink, Barid(listen=LISTEN, extra=upstream("up", sink.port) + route("*", "up")) as b:
        t = Table(b)
        t.write(FIRST)
        b.write_conf(b.extra + CONF.format(t.path))
        b.reload()
        wait_for("the table", lambda: code(b, "later@example.test")[0] == 450)
        each(b, sink)
        explained(b, t)
        listed(b)
        changed(b, t)


main()
