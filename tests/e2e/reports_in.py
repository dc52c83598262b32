# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports about other mail that come in for people here are recognised: log, journal and count (N8)."""
import json
import os
import re
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Sink, route, upstream, wait_for  # noqa: E402

HEADS = {
    "dsn": ("", "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\nSubject: Undelivered"),
    "mdn": ("", "Content-Type: multipart/report;\r\n report-type=\"disposition-notification\"; boundary=b\r\nSubject: Read"),
    "dmarc": ("noreply@google.example", "Subject: Report domain: example.test Submitter: google.example Report-ID: 1\r\n"
              "Content-Type: application/gzip"),
    "other": ("", "X-Failed-Recipients: x@far.example\r\nSubject: Mail delivery failed"),
    None: ("s@far.example", "Subject: plain\r\nContent-Type: multipart/mixed; boundary=b"),
}


def events(b, name):
    found = []
    for file in os.listdir(b.dir + "/spool/journal"):
        with open(f"{b.dir}/spool/journal/{file}", encoding="utf-8") as f:
            found += [json.loads(line) for line in f if line.endswith("\n")]
    return [e for e in found if e["event"] == name]


def main():
    with Sink(rules=["RCPT=550 5.1.1 nobody"]) as sink, \
            Barid(relay=("127.0.0.0/8",), extra=upstream("up", sink.port) + route("*", "up")) as b:
        for kind, (sender, head) in HEADS.items():
            b.send(sender, ["alice@example.test"], head + "\r\n\r\nx\r\n")
            text = f", a report ({kind})" if kind else "delivered to mailbox alice)"
            wait_for(f"the log of {kind}", lambda: text in b.log())
        # Our own reports are reports, too.
        b.send("bob@example.test", ["x@far.example"], "Subject: x\r\n\r\nx\r\n")
        assert b"5.1.1" in b.mail("bob", 1)[0]
        # What passes through is for whoever gets it.
        b.send("", ["x@far.example"], HEADS["dsn"][1] + "\r\n\r\nx\r\n")
        wait_for("the end of all", lambda: len(events(b, "delivered")) == 6)
        kinds = sorted((e["to"], e.get("kind", "")) for e in events(b, "delivered"))
        assert kinds == sorted([("alice@example.test", k or "") for k in HEADS] + [("bob@example.test", "dsn")]), kinds
        wait_for("the count", lambda: re.search(r"reports-in\W+5\b", b.ctl("status").stdout))
        assert b.ctl("audit").returncode == 0


main()
