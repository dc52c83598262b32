# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes first of the mail for one destination: by priority, reports among it, and nothing waits for ever (K14, N9)."""
import email
import os
import re
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Sink, smarthost, wait_for  # noqa: E402

# One connection, and room for few messages in its line.
SETTINGS = "extract-headers = true\nqueue {{ runners = 1 per-destination = 1 retry = {{1s}} deliver = {} }}\n"
FLOOD, FEW = 120, 5


def subjects(sink, count):
    """Of all messages, in the order in which they came."""
    found = sorted(sink.messages(count, 60), key=lambda m: m["number"])
    parsed = [email.message_from_bytes(m["text"]) for m in found]
    return ["report" if m.get_content_type() == "multipart/report" else m["Subject"] for m in parsed]


def send(b, subject, count, priority=0, to="a@far.example", sender="s@far.example"):
    field = f"x-barid-priority: {priority}\r\n" if priority else ""
    with b.smtp() as s:
        for i in range(count):
            s.sendmail(sender, to, f"{field}Subject: {subject} {i}\r\n\r\nx\r\n")


def release(b):
    b.write_conf(b.extra.replace("deliver = false", "deliver = true"))
    b.reload()


def last(order, word):
    return max(i for i, s in enumerate(order) if s.startswith(word))


def first(order, word):
    return min(i for i, s in enumerate(order) if s.startswith(word))


def by_priority():
    """What came last and is urgent goes first; bulk does not wait for the end of all other mail."""
    with Sink() as sink, smarthost(sink.port, extra=SETTINGS.format("false")) as b:
        send(b, "bulk", FLOOD, -5)
        send(b, "mail", FLOOD)
        send(b, "urgent", FEW, 9)
        release(b)
        order = subjects(sink, 2 * FLOOD + FEW)
        assert len(order) == len(set(order)) == 2 * FLOOD + FEW, order
        # Behind those that were in the line already, and the turns of others.
        assert last(order, "urgent") < 60 + 2 * FEW, order
        mail = [i for i, s in enumerate(order) if s.startswith("mail")]
        bulk = [i for i, s in enumerate(order) if s.startswith("bulk")]
        assert sum(mail) / len(mail) < sum(bulk) / len(bulk), order
        # A part of the bulk went while there was other mail.
        assert len([i for i in bulk if i < mail[-1]]) > FLOOD // 8, order
        # Each kind in its order.
        for word in ("bulk", "mail", "urgent"):
            numbers = [int(s.split()[1]) for s in order if s.startswith(word)]
            assert numbers == sorted(numbers), (word, numbers)


def reports():
    """N9: a flood of mail does not hold up a report, nor a flood of reports the mail."""
    rules = ["RCPT /^<?wrong/=550 5.1.1 nobody"]
    with Sink(rules=rules) as sink, smarthost(sink.port, extra=SETTINGS.format("false")) as b:
        send(b, "wrong", 1, 9, to="wrong@far.example")
        send(b, "mail", 2 * FLOOD)
        release(b)
        order = subjects(sink, 2 * FLOOD + 1)
        assert first(order, "report") < FLOOD, order
    with Sink(rules=rules) as sink, smarthost(sink.port, extra=SETTINGS.format("false")) as b:
        send(b, "wrong", FLOOD, to="wrong@far.example")
        send(b, "mail", FEW)
        release(b)
        order = subjects(sink, FLOOD + FEW)
        # The reports come to be while the mail waits: it is not behind all of them.
        assert first(order, "mail") < FLOOD, order


def way_of_their_own():
    """N9: reports have a transmitter of their own by a route."""
    with Sink(rules=["RCPT /^<?wrong/=550 5.1.1 nobody"]) as sink, Sink() as own:
        text = f'route "*" {{ via = "smtp:127.0.0.1:{own.port}" sender = {{"<>"}} }}\n'
        with smarthost(sink.port, extra=SETTINGS.format("true")) as b:
            b.write_conf(text + b.extra)
            b.reload()
            send(b, "wrong", 1, to="wrong@far.example")
            report = own.messages(1)[0]
            assert b"multipart/report" in report["text"]
            wait_for("the spool to be empty", lambda: not b.spooled())
            assert not sink.messages()


def refused():
    """A priority that is none refuses the message."""
    with Sink() as sink, smarthost(sink.port, extra=SETTINGS.format("true")) as b:
        with b.smtp() as s:
            s.ehlo()
            s.mail("s@far.example")
            s.rcpt("a@far.example")
            code, words = s.data("x-mq-priority: high\r\nSubject: x\r\n\r\nx\r\n")
            assert code == 554 and re.search(rb"5\.6\.0 .*priority", words), words


def main():
    for test in (by_priority, reports, way_of_their_own, refused):
        test()
        print(test.__name__, "ok", flush=True)


main()
