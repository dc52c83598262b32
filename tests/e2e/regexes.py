# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that are made to keep a regular expression busy: it gives up, fits nothing, and the session goes on.

FEATURES R3, CONFORMANCE S-35.
"""
import os
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Wire, wait_for  # noqa: E402

# Each backtracks without end on a text that nearly fits.
RULES = r"""
limits { tarpit-delay = 0s errors = 1000 }
recipient '/(a+)+b@example\.test/' { mailbox = "alice" }
recipient '/(([a-z]+)*x)+-([0-9]+)*@example\.test/' { reject = "550 5.1.1 no such number" }
rewrite '/(c|cc)+d@example\.test/' { to = "alice@example.test" what = {"envelope-recipient"} }
route '/((e|ee)+|f)+g@example\.test/' { via = "discard" }
"""


def rcpt(w, address):
    return w.smtp(f"RCPT TO:<{address}>").decode()


def main():
    with Barid(extra=RULES) as b, Wire(b.port["smtp"]) as w:
        w.reply()
        for text in ("EHLO client.test", "MAIL FROM:<carol@far.example>"):
            assert w.smtp(text).startswith(b"250")
        # What is meant fits.
        assert rcpt(w, "aaab@example.test").startswith("250 ")
        assert rcpt(w, "ccd@example.test").startswith("250 ")
        assert rcpt(w, "box-12@example.test").startswith("550 5.1.1 no such number")
        # What is made to last is nobody: as documented it fits nothing, and each answer comes.
        for local in ("a" * 60, "ab" + "a" * 60, "c" * 62, "e" * 63, "a" * 40 + "z", "x" * 50 + "-" + "1" * 12 + "y"):
            for _ in range(5):
                assert rcpt(w, local + "@example.test").startswith("550 "), local
        assert rcpt(w, "bob@example.test").startswith("250 ")
        log = wait_for("what gave up", lambda: b.log() if "it takes too long" in b.log() else "")
        for pattern in ("/(a+)+b@", "/(c|cc)+d@"):
            assert f"the pattern {pattern}" in log, pattern
        # Mail goes on in the same session.
        assert w.smtp("DATA").startswith(b"354")
        assert w.smtp("Subject: x\r\n\r\nhello\r\n.").startswith(b"250 ")
        assert b"hello" in b.mail("bob", 1)[0] and b"hello" in b.mail("alice", 1)[0]


main()
