# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes first of the mail for one destination: by priority, reports among it, and nothing waits for ever (K14, N9)."""
import email
import json
import os
import re
import socketserver
import sys
import threading

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Sink, route, smarthost, upstream, wait_for  # noqa: E402

# One connection, and room for few messages in its line.
SETTINGS = "extract-headers = true\nqueue { runners = 1 per-destination = 1 retry = {1s} }\n"
FLOOD, FEW = 120, 5
# As many may stand in the line of one connection, whatever comes behind them.
LINE = 60


class Held:
    """A peer that has one message, and answers when all others stand in line; then it takes them, in their order."""

    def __init__(self):
        self.order, self.released = [], threading.Event()
        peer = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self):
                self.wfile.write(b"220 held.test\r\n")
                while verb := self.rfile.readline()[:4].upper():
                    if verb == b"DATA":
                        self.wfile.write(b"354 go\r\n")
                        peer.take(b"".join(iter(self.rfile.readline, b".\r\n")))
                    self.wfile.write({b"EHLO": b"250 held.test\r\n", b"QUIT": b"221 bye\r\n"}.get(verb, b"250 2.0.0 ok\r\n"))

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, text):
        m = email.message_from_bytes(text)
        self.order.append("report" if m.get_content_type() == "multipart/report" else m["Subject"])
        self.released.wait()

    def in_line(self, b, count):
        """COUNT messages are at this peer, or behind the one that it has."""
        def standing():
            found = json.loads(b.ctl("--json", "top", "--once").stdout)["destinations"]
            return 1 + sum(d["waiting"] + d["parked"] for d in found if d["name"] == "up")
        wait_for("the first", lambda: self.order)
        wait_for(f"{count} in line", lambda: standing() == count, 60)
        assert len(self.order) == 1, self.order

    def all(self, count):
        self.released.set()
        wait_for("all", lambda: len(self.order) >= count, 60)
        assert len(self.order) == count, self.order
        return self.order

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


def world(port, wrong=None):
    """A barid that sends all to PORT but what is for wrong.example, which goes to WRONG."""
    first = upstream("wrong", wrong) + route("wrong.example", "wrong") if wrong else ""
    return Barid(relay=("127.0.0.0/8",), extra=SETTINGS + first + upstream("up", port) + route("*", "up"))


def send(b, subject, count, priority=0, to="a@far.example", sender="s@far.example"):
    field = f"x-barid-priority: {priority}\r\n" if priority else ""
    with b.smtp() as s:
        for i in range(count):
            s.sendmail(sender, to, f"{field}Subject: {subject} {i}\r\n\r\nx\r\n")


def last(order, word):
    return max(i for i, s in enumerate(order) if s.startswith(word))


def by_priority():
    """What came last and is urgent goes first; bulk does not wait for the end of all other mail."""
    with Held() as peer, world(peer.port) as b:
        send(b, "bulk", FLOOD, -5)
        send(b, "mail", FLOOD)
        send(b, "urgent", FEW, 9)
        peer.in_line(b, 2 * FLOOD + FEW)
        order = peer.all(2 * FLOOD + FEW)
        assert len(set(order)) == 2 * FLOOD + FEW, order
        # Behind those that were in the line already, and the turns of others.
        assert last(order, "urgent") < LINE + 2 * FEW, order
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
    with Sink(rules=["RCPT=550 5.1.1 nobody"]) as wrong:
        with Held() as peer, world(peer.port, wrong.port) as b:
            send(b, "mail", 2 * FLOOD)
            peer.in_line(b, 2 * FLOOD)
            send(b, "wrong", 1, to="x@wrong.example")
            peer.in_line(b, 2 * FLOOD + 1)
            assert last(peer.all(2 * FLOOD + 1), "report") <= LINE, peer.order
        with Held() as peer, world(peer.port, wrong.port) as b:
            send(b, "wrong", FLOOD, to="x@wrong.example")
            peer.in_line(b, FLOOD)
            send(b, "mail", FEW)
            peer.in_line(b, FLOOD + FEW)
            # Every fourth turn goes round: there are two priorities, and the mail has every other of these turns.
            assert last(peer.all(FLOOD + FEW), "mail") <= LINE + 2 * 4 * FEW, peer.order


def way_of_their_own():
    """N9: reports have a transmitter of their own by a route."""
    with Sink(rules=["RCPT /^<?wrong/=550 5.1.1 nobody"]) as sink, Sink() as own:
        text = f'route "*" {{ via = "smtp:127.0.0.1:{own.port}" sender = {{"<>"}} }}\n'
        with smarthost(sink.port, extra=SETTINGS) as b:
            b.write_conf(text + b.extra)
            b.reload()
            send(b, "wrong", 1, to="wrong@far.example")
            report = own.messages(1)[0]
            assert b"multipart/report" in report["text"]
            wait_for("the spool to be empty", lambda: not b.spooled())
            assert not sink.messages()


def refused():
    """A priority that is none refuses the message."""
    with Sink() as sink, smarthost(sink.port, extra=SETTINGS) as b:
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
