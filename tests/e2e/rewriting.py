# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that become others: canonical, masquerading and generic, in envelope and header, by listener."""
import os
import re
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Sink, route, upstream, wait_for  # noqa: E402

LISTEN = dict(Barid.LISTEN, inside=("smtp", "off"))
RULES = """
rewrite "root@*.example.test" { }
rewrite "*.example.test" { to = "@example.test" what = {"envelope-sender", "header-sender", "header-recipient"} }
rewrite "old@example.test" { to = "alice@example.test" }
rewrite "tests@*" { to = "bob@example.test" what = {"envelope-recipient"} listener = {"inside"} }
rewrite "alice@example.test" {
  to = "info@shop.example" at = "send"
  what = {"envelope-sender", "header-sender"} keep = "reply-to"
}
rewrite "*@short.example" { to = "*@long.example" at = "send" }
"""


def text(sender, to, size=0):
    return (f"From: \"A. Lice\" <{sender}>\r\nTo: Someone <{to}>,\r\n old@example.test\r\nSubject: {sender}\r\n"
            "Message-ID: <1@client.test>\r\nDate: Fri, 20 Nov 2026 12:00:00 +0000\r\n\r\n"
            f"From: <{sender}>\r\n" + ("x" * 70 + "\r\n") * size).encode()


def header(stored):
    return stored.replace(b"\r\n", b"\n").split(b"\n\n", 1)[0].decode()


def receive(b):
    """By login, by sendmail and by a stranger; the body stays."""
    b.send("alice@pc.example.test", ["bob@example.test"], text("alice@pc.example.test", "bob@pc.example.test"),
           "submissions", "alice")
    b.sendmail("-f", "alice@pc.example.test", "-i", "bob@example.test",
               text=text("alice@pc.example.test", "bob@pc.example.test").decode())
    for stored in b.mail("bob", 2):
        h = header(stored)
        assert "Return-Path: <alice@example.test>" in h, h
        assert 'From: "A. Lice" <alice@example.test>\n' in h and "To: Someone <bob@example.test>,\n alice@example.test\n" in h, h
        assert "Subject: alice@pc.example.test\n" in h and b"From: <alice@pc.example.test>" in stored
    # A stranger's header is not ours to change, but whom it is for is.
    b.send("carol@pc.example.test", ["old@example.test"], text("carol@pc.example.test", "old@example.test"))
    h = header(b.mail("alice", 1)[0])
    assert "Return-Path: <carol@example.test>" in h and "From: \"A. Lice\" <carol@pc.example.test>" in h, h
    assert "Delivered-To: alice@example.test" in h, h
    # The exception, and a file that anybody puts into drop/.
    path = b.dir + "/spool/drop/x.eml"
    with open(path + ".tmp", "wb") as f:
        f.write(b"Return-Path: <root@pc.example.test>\n" + text("root@pc.example.test", "bob@example.test"))
    b.give(path + ".tmp")
    os.rename(path + ".tmp", path)
    h = header(b.mail("bob", 3)[2])
    assert "Return-Path: <root@pc.example.test>" in h and "<root@pc.example.test>" in h, h
    assert "old@example.test" not in h, h


def listeners(b):
    count = len(b.mailbox("bob"))
    with b.smtp() as s:
        assert s.docmd("EHLO x")[0] == s.docmd("MAIL FROM:<c@far.example>")[0] == 250
        assert s.docmd("RCPT TO:<tests@far.example>")[0] == 554
        assert s.docmd("RCPT TO:<tests@example.test>")[0] == 550
    b.send("c@far.example", ["tests@far.example", "tests@other.example"], text("c@far.example", "tests@far.example"),
           "inside")
    h = header(b.mail("bob", count + 1)[-1])
    assert "Delivered-To: bob@example.test" in h and "To: Someone <tests@far.example>" in h, h
    assert len(b.mailbox("bob")) == count + 1


def send(b, sink):
    """Small and large, by SMTP; what is kept here is as it was."""
    for size in (0, 1000):
        count = len(b.mailbox("bob"))
        b.send("alice@example.test", ["dave@short.example", "bob@example.test"],
               text("alice@example.test", "dave@short.example", size), "submissions", "alice")
        h = header(b.mail("bob", count + 1)[-1])
        assert "Return-Path: <alice@example.test>" in h and "Reply-To" not in h, h
        m = sink.messages(1 + (size > 0))[-1]
        assert m["mail"]["path"] == "info@shop.example", m
        assert [r["path"] for r in m["rcpts"]] == ["dave@long.example"], m
        h = header(m["text"])
        assert 'From: "A. Lice" <info@shop.example>\nReply-To: "A. Lice" <alice@example.test>\n' in h, h
        assert "To: Someone <dave@long.example>" in h, h
        assert m["text"].endswith(b"From: <alice@example.test>\r\n" + (b"x" * 70 + b"\r\n") * size), m["text"][-200:]
    # One that is nothing but a header, without a blank line.
    b.send("alice@example.test", ["dave@short.example"], b"From: <alice@example.test>\r\n", "submissions", "alice")
    assert "From: <info@shop.example>\n" in header(sink.messages(3)[-1]["text"]), sink.messages()[-1]["text"]
    line = next(x for x in b.log().split("\n") if "to=<dave@short.example>" in x)
    assert "status=sent" in line, line


def tables(b):
    """A file of many lines, changed while barid runs; a mistake in it changes nothing."""
    path = b.dir + "/canonical"

    def write(last):
        with open(path + ".new", "w", encoding="ascii") as f:
            f.write("# canonical\n" + "".join(f"user{n}@far.example  alice@example.test\n" for n in range(100000)) + last)
        os.chmod(path + ".new", 0o644)
        os.rename(path + ".new", path)

    def lands(sender, user):
        """For whom the mail to SENDER is."""
        with b.smtp("inside") as s:
            s.docmd("EHLO x")
            s.docmd("MAIL FROM:<c@far.example>")
            return s.docmd(f"RCPT TO:<{sender}>")[0] == 250

    write("team@far.example\n  bob@example.test\nhelp  bob\n")
    b.write_conf(b.extra + f'rewrite "*" {{ table = "{path}" what = {{"envelope-recipient"}} }}\n')
    b.reload()
    count = len(b.mailbox("bob"))
    wait_for("the table", lambda: lands("team@far.example", "bob"))
    b.send("c@far.example", ["team@far.example", "help+me@example.test"], text("c@far.example", "x@y.example"), "inside")
    b.mail("bob", count + 1)
    said = b.ctl("explain", "user99999@far.example").stdout
    assert f"{path}:100001" in said and "the recipient is <alice@example.test>" in said, said
    assert "bob+me@example.test" in b.ctl("explain", "help+me@example.test").stdout
    assert not lands("new@far.example", "bob")
    with b.without_descriptors():
        write("new@far.example bob@example.test\n")
        wait_for("the refusal", lambda: re.search("new table refused, the old one stays: .*: Too many open files", b.log()))
    wait_for("the new table", lambda: "tables of addresses were read again" in b.log())
    wait_for("what it says", lambda: lands("new@far.example", "bob"))
    write("new@far.example\n")
    wait_for("the refusal", lambda: "has nothing behind it" in b.log())
    assert f'{path}:100002: "new@far.example" has nothing behind it' in b.log()
    assert lands("new@far.example", "bob")
    r = b.ctl("config", "check", check=False)
    assert r.returncode == 78 and f"{path}:100002: " in r.stderr, r


def explained(b):
    said = b.ctl("--from", "alice@pc.example.test", "--listener", "inside", "explain", "tests@far.example").stdout
    assert "the sender is <alice@example.test>" in said and "the recipient is <bob@example.test>" in said, said
    assert "barid.conf:" in said
    said = b.ctl("--from", "alice@example.test", "explain", "dave@short.example").stdout
    assert "the sender is <info@shop.example> for the host that gets it" in said, said
    assert "the recipient is <dave@long.example> for the host" in said, said


def main():
    with Sink() as sink, Barid(listen=LISTEN, extra=upstream("up", sink.port) + route("*", "up") + RULES) as b:
        receive(b)
        listeners(b)
        send(b, sink)
        explained(b)
        tables(b)
        b.empty()
        wait_for("the audit", lambda: b.ctl("audit", check=False).returncode == 0)


main()
