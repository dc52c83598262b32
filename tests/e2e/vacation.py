# SPDX-License-Identifier: GPL-3.0-or-later
"""Mailboxes that answer by themselves: whom, once, with what, and no two that answer each other."""
import email
import email.policy
import os
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Sink, route, upstream, wait_for  # noqa: E402

CONF = """
recipient "info@example.test" {{ mailbox = "alice" }}
recipient "all@example.test" {{ forward = {{"alice@example.test", "bob@example.test"}} }}
vacation "*" {{ message = "{dir}/away/*" }}
queue {{ retry = {{1s}} }}
"""


def text(to, subject="hello", more=""):
    return f"From: c@far.example\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <1@far.example>\r\n{more}\r\ntext\r\n"


def away(b, who, content):
    with open(f"{b.dir}/away/{who}", "w", encoding="utf-8") as f:
        f.write(content)


def delivered(b, user, count):
    """All of it was delivered, and what was answered is on its way."""
    b.mail(user, count)
    b.empty()


def main():
    with Sink() as sink:
        b = Barid(start=False)
        b.write_conf(CONF.format(dir=b.dir) + upstream("up", sink.port) + route("*", "up"))
        os.mkdir(f"{b.dir}/away")
        with b.start():
            b.send("c@far.example", ["alice@example.test"], text("alice@example.test"))
            delivered(b, "alice", 1)
            assert sink.messages() == []
            away(b, "alice", "Subject: Nicht da\n\nBin im Grünen.\n")
            b.send("c@far.example", ["alice@example.test"], text("Alice@example.test"))
            m = sink.messages(1)[0]
            assert (m["mail"]["path"], [r["path"] for r in m["rcpts"]]) == ("", ["c@far.example"]), m
            got = email.message_from_bytes(m["text"], policy=email.policy.default)
            assert got["Auto-Submitted"] == "auto-replied" and got["In-Reply-To"] == "<1@far.example>"
            assert got["Subject"] == "Nicht da" and got.get_content().strip() == "Bin im Grünen.", got
            assert [got[n].strip("<>") for n in ("From", "To")] == ["alice@example.test", "c@far.example"], got
            # Once; and not who did not write to her, or is none to be answered.
            for sender, to, rcpt, more in (
                    ("c@far.example", "alice@example.test", "alice@example.test", ""),
                    ("d@far.example", "dev@far.example", "alice@example.test", ""),
                    ("d@far.example", "all@example.test", "all@example.test", ""),
                    ("d@far.example", "alice@example.test", "alice@example.test", "List-Id: <x>\r\n"),
                    ("d@far.example", "alice@example.test", "alice@example.test", "Auto-Submitted: auto-generated\r\n"),
                    ("dev-request@far.example", "alice@example.test", "alice@example.test", ""),
                    ("", "alice@example.test", "alice@example.test", "")):
                b.send(sender, [rcpt], text(to, more=more))
            delivered(b, "alice", 9)
            assert len(sink.messages()) == 1
            # It is remembered over a restart; another address of hers, another sender.
            b.stop()
            b.start()
            b.send("c@far.example", ["info@example.test"], text("info@example.test"))
            b.send("e@far.example", ["info@example.test"], text("info@example.test"))
            delivered(b, "alice", 11)
            got = email.message_from_bytes(sink.messages(2)[1]["text"])
            assert got["From"].strip("<>") == "info@example.test" and len(sink.messages()) == 2
            # Two who are both away: one answer, to which there is none.
            away(b, "bob", "away, too\n")
            b.send("alice@example.test", ["bob@example.test"], text("bob@example.test").replace("c@far", "alice@far"))
            delivered(b, "alice", 12)
            assert len(b.mailbox("bob")) == 2 and len(b.mailbox("alice")) == 12
            assert email.message_from_bytes(b.mail("alice", 12)[-1])["Subject"] == "Auto: hello"
            assert b.log().count(", answered by ") == 3
            assert "it answers the sender if there is a file" in b.ctl("explain", "alice@example.test").stdout
            wait_for("the audit to close", lambda: b.ctl("audit", check=False).returncode == 0)


if __name__ == "__main__":
    main()
