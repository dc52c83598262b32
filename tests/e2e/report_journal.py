# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports that come in are read for the journal, whoever wrote them; what cannot be read is delivered and said (N8)."""
import gzip
import json
import os
import random
import re
import signal
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
import reporttest  # noqa: E402
from baridtest import Barid, Sink, route, upstream, wait_for  # noqa: E402


def events(b, *names):
    found = []
    folder = b.dir + "/spool/journal"
    for file in os.listdir(folder) if os.path.isdir(folder) else []:
        with open(f"{folder}/{file}", encoding="utf-8") as f:
            found += [json.loads(line) for line in f if line.endswith("\n")]
    # Of all runners.
    return sorted((e for e in found if e["event"] in names), key=lambda e: e["time"])


def send(b, sender, text, *to):
    b.send(sender, list(to or ["alice@example.test"]), text)


def the_reports(b, count):
    """COUNT report lines, the latest last."""
    wait_for(f"report {count}", lambda: len(events(b, "report")) >= count)
    found = events(b, "report")
    assert len(found) == count
    return found


def the_report(b, count):
    """The last of them, and its rows."""
    last = the_reports(b, count)[-1]
    return last, rows_of(b, last)


def rows_of(b, line):
    return [e for e in events(b, "report-row") if e["id"] == line["id"]]


def send_all(b, messages, before):
    """Each to an address of its own; its report line by its name."""
    for name, (sender, text) in messages.items():
        send(b, sender, text, f"r-{name}@example.test")
    found = {re.fullmatch(r"r-(.*)@example.test", e["to"])[1]: e for e in the_reports(b, before + len(messages))[before:]}
    assert set(found) == set(messages), (set(found), set(messages))
    return found


def expect(name, found, wanted):
    for key, value in wanted.items():
        assert found.get(key) == value, (name, key, found.get(key), value)


def readable(b):
    """As others write them."""
    found = send_all(b, {name: m[:2] for name, m in reporttest.MESSAGES.items()}, 0)
    for name, (_, _, wanted, row) in reporttest.MESSAGES.items():
        line, rows = found[name], rows_of(b, found[name])
        wanted = dict(wanted)
        if "row-count" in wanted:
            wanted["rows"] = wanted.pop("row-count")
        expect(name, line, wanted)
        assert "reason" not in line, line
        if row is not None:
            expect(name, rows[0], row)
        assert len(rows) == line.get("rows", 0)
    return len(found)


def hostile(b, n):
    """Delivered, and said; and what reads them goes on."""
    mails = len(b.mailbox("alice"))
    # e2e/report_files.py has all of them.
    broken = {name: reporttest.BROKEN[name] for name in ("laughs", "xxe", "bomb", "cut", "garbage", "nothing")}
    for seed in range(5):
        broken[f"chance{seed}"] = reporttest.dmarc_mail(b"\x1f\x8b\x08\x00" + random.Random(seed).randbytes(300)), ""
    found = send_all(b, {name: ("", text) for name, (text, _) in broken.items()}, n)
    n += len(broken)
    for name, (_, why) in broken.items():
        assert why in found[name]["reason"], (name, found[name])
        assert "root:" not in json.dumps(found[name])
    b.mail("alice", mails + len(broken))
    # Facts that would be another line, or other keys, of the journal.
    evil = reporttest.aggregate([], org='x","event":"removed","id":"0123456789ABCDEF012&#10;{"a":1}\\', number="&#x202e;1")
    send(b, "", reporttest.dmarc_mail(evil.encode(), "text/xml"))
    n += 1
    last, _ = the_report(b, n)
    assert last["event"] == "report" and last["org"].startswith('x","event":"removed"') and last["report-id"] == "\\xe2\\x80\\xae1", last
    # Many rows: 20 of them, and the sums.
    text = reporttest.aggregate([reporttest.record(count=2)] * 5000)
    send(b, "", reporttest.dmarc_mail(gzip.compress(text.encode())))
    n += 1
    last, rows = the_report(b, n)
    assert last["rows"] == 5000 and last["messages"] == 10000 and len(rows) == 20, last
    return n


def of_our_own(b, n):
    """A report that is returned to who sent here leads to the message that it is about."""
    b.send("alice@example.test", ["x@far.example"], "Subject: mine\r\nMessage-ID: <mine@example.test>\r\n\r\nx\r\n")
    n += 1
    last, rows = the_report(b, n)
    original, = [e for e in events(b, "received") if e["from"] == "alice@example.test"]
    dsn, = events(b, "dsn")
    assert last["id"] == dsn["id"] and dsn["cause"] == original["id"], (last, dsn)
    expect("ours", last, {"kind": "dsn", "about": original["id"], "message-id": "<mine@example.test>", "rows": 1})
    expect("ours", rows[0], {"recipient": "x@far.example", "action": "failed", "status": "5.1.1"})
    return n


def once(b, n):
    """To several it is one report; to a program it is one, too; a plain message is none."""
    send(b, "", reporttest.POSTFIX, "alice@example.test", "bob@example.test")
    n += 1
    the_report(b, n)
    send(b, "", reporttest.POSTFIX, "prog@example.test")
    n += 1
    last, _ = the_report(b, n)
    assert last["to"] == "prog@example.test"
    b.send("a@far.example", ["alice@example.test"], "Subject: plain\r\n\r\nx\r\n")
    wait_for("it", lambda: "Subject: plain" in "".join(t.decode() for t in b.mail("alice", 1)))
    the_report(b, n)
    return n


def reader_lost(b, n):
    """Whoever reads is killed: the mail is delivered, and the next is read again."""
    pid = int(re.search(r"helper barid-check 0 pid=(\d+)", b.ctl("status").stdout)[1])
    os.kill(pid, signal.SIGSTOP)
    mails = len(b.mailbox("alice"))
    send(b, "", reporttest.ARF)
    b.mail("alice", mails + 1)
    os.kill(pid, signal.SIGKILL)
    n += 1
    the_report(b, n)
    wait_for("another", lambda: int(re.search(r"helper barid-check 0 pid=(\d+)", b.ctl("status").stdout)[1]) not in (0, pid))
    send(b, "", reporttest.ARF)
    n += 1
    last, _ = the_report(b, n)
    assert last["feedback-type"] == "abuse", last
    return n


def main():
    with Sink(rules=["RCPT=550 5.1.1 nobody"]) as sink, \
            Barid(hostname="mail.example.test", relay=("127.0.0.0/8",), extra=upstream("up", sink.port) + route("far.example", "up") +
                  'recipient "r-*@example.test" { mailbox = "alice" }\nrecipient "prog@example.test" { via = "pipe:/bin/cat" }\n') as b:
        n = readable(b)
        n = hostile(b, n)
        n = of_our_own(b, n)
        n = once(b, n)
        n = reader_lost(b, n)
        assert "report (dmarc) for r-google@example.test, from google.com, rows 3" in b.log()
        assert "cannot be read: what it is packed in is broken" in b.log()
        audit = b.ctl("audit")
        # A runner that is told to stop waits for what is being read.
        b.stop()
        assert len(events(b, "report")) == n
        assert audit.returncode == 0 and "not a line" not in audit.stdout, audit.stdout
    with Barid(relay=("127.0.0.0/8",), extra='journal { report-recipients = { "dmarc@*" }\nreport-rows = 1 }\n'
               'recipient "dmarc@example.test" { mailbox = "bob" }\n') as b:
        send(b, "", reporttest.POSTFIX)
        send(b, "", reporttest.POSTFIX, "dmarc@example.test")
        last, rows = the_report(b, 1)
        assert last["rows"] == 2 and len(rows) == 1 and last["to"] == "dmarc@example.test", last
        b.mail("alice", 1)
        b.stop()
        assert len(events(b, "report")) == 1
    with Barid(relay=("127.0.0.0/8",), extra="journal { reports = false }\n") as b:
        send(b, "", reporttest.POSTFIX)
        b.mail("alice", 1)
        assert "helper barid-check 0 pid=0" in b.ctl("status").stdout
        b.stop()
        assert not events(b, "report")


main()
