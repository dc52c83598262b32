# SPDX-License-Identifier: GPL-3.0-or-later
"""A message in by SMTP, submission and sendmail; into a mailbox; out by POP3, byte for byte.

FEATURES D1, D2, D3, O5.
"""
import os
import poplib
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, NO_VERIFY, PASSWORD, body_of  # noqa: E402

BODY = ("8-bit: \u00e4\u00f6\u00fc \u0645\u0631\u062d\u0628\u0627\r\n"
        ".\r\n..\r\n. leading dots\r\n" + "x" * 990 + "\r\n\r\nend\r\n").encode()


def message(subject, body=BODY):
    return f"From: alice@example.test\r\nTo: bob@example.test\r\nSubject: {subject}\r\n" \
        "Date: Fri, 20 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.test>\r\n\r\n".encode() + body


def fetch(b, user):
    c = poplib.POP3_SSL(b.host, b.port["pop3s"], context=NO_VERIFY, timeout=30)
    c.user(user)
    c.pass_(PASSWORD)
    count, total = c.stat()
    got = []
    for i in range(1, count + 1):
        _, lines, octets = c.retr(i)
        text = b"\r\n".join(lines) + b"\r\n"
        # The size in octets is what LIST said, and what came.
        assert octets == len(text) == int(c.list(i).split()[2]), (octets, len(text))
        got.append(text)
    assert total == sum(map(len, got))
    for i in range(1, count + 1):
        c.dele(i)
    c.quit()
    return got


def main():
    with Barid() as b:
        b.send("x@elsewhere.example", ["bob@example.test"], message("smtp"))
        b.send("alice@example.test", ["bob@example.test"], message("submission"), "submission", "alice")
        b.send("alice@example.test", ["bob@example.test"], message("submissions"), "submissions", "alice")
        big = bytes((i * 7 + i // 251) % 95 + 32 for i in range(76)) + b"\r\n"
        b.send("x@elsewhere.example", ["bob@example.test"], message("large", big * (10 << 20 >> 6)))
        b.sendmail("-i", "bob@example.test", text=message("sendmail"))
        b.mail("bob", 5)
        b.empty()
        got = {t.split(b"Subject: ")[1].split(b"\r\n")[0].decode(): t for t in fetch(b, "bob")}
        assert set(got) == {"smtp", "submission", "submissions", "large", "sendmail"}, got.keys()
        for name, text in got.items():
            assert body_of(text) == (big * (10 << 20 >> 6) if name == "large" else BODY), name
            head = text.split(b"\r\n\r\n", 1)[0]
            assert head.startswith(b"Return-Path: <"), head
            assert head.count(b"\r\nDelivered-To: bob@example.test") == 1, head
            assert head.count(b"Received: ") == 1, head
        assert b"with ESMTPSA id" in got["submission"] and b"TLSv1." in got["submission"]
        assert b"with ESMTP id" in got["smtp"]
        assert fetch(b, "bob") == [] and b.mailbox("bob") == []
        # A second start finds what the first left.
        b.send("x@elsewhere.example", ["alice@example.test"], message("kept"))
        b.mail("alice", 1)
        assert b.stop() == 0
        b.start()
        assert len(fetch(b, "alice")) == 1


main()
