# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of mail as it comes in: by listener, user, sender and recipient; of what postmasters get; from sendmail.

FEATURES D12, R5.
"""
import email
import os
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Sink, route, upstream, wait_for  # noqa: E402

CONF = """
recipient "keep@example.test" { mailbox = "keep" }
recipient "sent@example.test" { mailbox = "sent" }
recipient "post@example.test" { mailbox = "post" }
recipient "cron@example.test" { mailbox = "cron" }
recipient "full@example.test" { reject = "550 5.2.2 no more" }
archive "in"   { to = {"keep@example.test"} recipient = {"alice@*", "team@*"} }
archive "out"  { to = {"sent@example.test", "copies@far.example"} user = {"alice"} }
archive "post" { to = {"post@example.test"} recipient = {"postmaster@*"} }
archive "cron" { to = {"cron@example.test", "full@example.test"} listener = {"sendmail"} sender = {"root@*"} }
recipient "team@example.test" { forward = {"bob@example.test", "alice@example.test"} }
"""


def text(subject):
    return f"From: a@far.example\r\nTo: x@example.test\r\nSubject: {subject}\r\n\r\ntext\r\n"


def subjects(b, box, count):
    return sorted(email.message_from_bytes(m)["Subject"] for m in b.mail(box, count))


def main():
    with Sink() as sink, Barid(extra=CONF + upstream("up", sink.port) + route("*", "up")) as b:
        b.send("a@far.example", ["bob@example.test"], text("none"))
        b.send("a@far.example", ["alice@example.test", "bob@example.test"], text("both"))
        b.send("a@far.example", ["alice@example.test", "keep@example.test"], text("once"))
        b.send("a@far.example", ["team@example.test"], text("team"))
        for to in ("postmaster", "postmaster@example.test"):
            b.send("a@far.example", [to], text(to))
        b.send("alice@example.test", ["y@far.example"], text("out"), name="submission", login="alice")
        b.send("bob@example.test", ["y@far.example"], text("bob's"), name="submission", login="bob")
        b.sendmail("-f", "root@example.test", "bob@example.test", text="Subject: cron\n\ntext\n")
        b.sendmail("-f", "www@example.test", "bob@example.test", text="Subject: www\n\ntext\n")
        b.mail("bob", 5)
        b.empty()
        assert subjects(b, "keep", 3) == ["both", "once", "team"]
        assert subjects(b, "sent", 1) == ["out"]
        assert subjects(b, "post", 2) == ["postmaster", "postmaster@example.test"]
        assert subjects(b, "cron", 1) == ["cron"]
        # Nobody hears of a copy that nobody takes; nobody reads who else got one.
        assert subjects(b, "bob", 5) == ["both", "cron", "none", "team", "www"]
        for m in b.mail("alice", 3) + b.mail("bob", 5):
            assert b"keep@" not in m and b"cron@" not in m, m
        far = [(m["mail"]["path"], [r["path"] for r in m["rcpts"]]) for m in sink.messages(2)]
        assert sorted(r for _, rcpts in far for r in rcpts) == ["copies@far.example", "y@far.example", "y@far.example"], far
        said = b.ctl("explain", "Alice@example.test").stdout
        assert "<keep@example.test> gets a copy (in)" in said and b.conf + ":" in said, said
        said = b.ctl("explain", "--user", "alice", "--listener", "submission", "y@far.example").stdout
        assert "<copies@far.example> gets a copy (out)" in said and "keep@" not in said, said
        wait_for("the audit to close", lambda: b.ctl("audit", check=False).returncode == 0)


if __name__ == "__main__":
    main()
