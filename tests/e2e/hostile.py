# SPDX-License-Identifier: GPL-3.0-or-later
"""A hostile peer plays every line of hostile.tbl: N-01 to N-10, S-02, S-04, S-55.

All peers live in this process, each at a port of its own; a domain leads to
each, so that one barid meets all of them at once, in clear text and by TLS.
Compared are: what the log says of each recipient, what each peer took, what
stands in the queue after it, and what came back to the sender.
"""
import argparse
import importlib.machinery
import importlib.util
import json
import os
import re
import socket
import sys
import threading
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, TOOLS, certificate, route, upstream, wait_for  # noqa: E402

TABLE = os.path.dirname(os.path.abspath(__file__)) + "/hostile.tbl"
SENDER = "alice@example.test"
CONF = "queue { retry = {1h} idle-connection = 200ms per-destination = 1 }\nlimits { connections-out = 400 }\n"
LINE = "z" * 70 + "\r\n"


def load(name):
    loader = importlib.machinery.SourceFileLoader(name, f"{TOOLS}/{name}")
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


sinkd = load("sinkd")


class Case:
    """A line of the table, in clear text or by TLS."""

    def __init__(self, number, line, tls):
        ident, options, rules, outcomes, stored = [f.strip() for f in line.split("|")]
        self.line, self.tls = f"line {number}{' by TLS' if tls else ''}: {line}", tls
        self.ident, self.stored = ident, int(stored)
        self.domain = f"{'t' if tls else 'c'}{number}.example"
        before, found, caps = options.partition("caps=")
        self.caps = caps if found else None
        self.words = set(before.split())
        rules = re.sub(r"\{(.)\*(\d+)\}", lambda m: m.group(1) * int(m.group(2)), rules)
        self.rules = [r.strip() for r in rules.split(";;") if r.strip()]
        self.want = dict(o.split("=") for o in outcomes.split())

    def plays(self):
        return not ({"tls", "clear"} & self.words) or ("tls" in self.words) == self.tls

    def peer(self, out, cert):
        """Starts it; SELF.port."""
        opts = argparse.Namespace(
            port=0, host="127.0.0.1", unix=None, lmtp=False, name="sink.test", implicit_tls=False, auth=None,
            require_auth=False, caps=self.caps, rule=self.rules, script=[], wire=False, verbose=False,
            tls_cert=cert[0] if self.tls else None, tls_key=cert[1] if self.tls else None,
            rcvbuf=4096 if "rcvbuf" in self.words else None, out=f"{out}/{self.domain}")
        if self.tls and self.caps is not None and "bare" not in self.words:
            opts.caps += ",STARTTLS"
        os.makedirs(opts.out)
        self.out, self.sink = opts.out, sinkd.Sink(opts)
        listener = sinkd.listen(opts)
        self.port = listener.getsockname()[1]
        threading.Thread(target=self.accept, args=(listener,), daemon=True).start()

    def accept(self, listener):
        while True:
            conn, peer = listener.accept()
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=sinkd.Session(self.sink, conn, peer).run, daemon=True).start()

    def address(self, name):
        return f"{name}@{self.domain}"

    def send(self, c):
        body = "hello\r\n"
        if "big" in self.words:
            body = LINE * 7000
        if "8bit" in self.words:
            body = "gr\u00fc\u00dfe\r\n"
        text = (f"From: {SENDER}\r\nSubject: {self.domain}\r\nDate: Fri, 20 Nov 2026 12:00:00 +0000\r\n"
                f"Message-ID: <{self.domain}@example.test>\r\nMIME-Version: 1.0\r\n"
                f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{body}")
        c.sendmail(SENDER, [self.address(n) for n in self.want], text.encode(), mail_options=["BODY=8BITMIME"])

    def status(self, log):
        """What the log says of each recipient, last: {name: (dsn, status)}."""
        found = {}
        for m in re.finditer(rf"to=<(\S*)@{re.escape(self.domain)}>.*? dsn=([\d.]+), status=(\w+)", log):
            name = next(n for n in self.want if m.group(1).endswith(n))
            found[name] = m.groups()[1:]
        return found

    def taken(self):
        return sorted(n for n in os.listdir(self.out) if re.fullmatch(r"\d+\.json", n))

    def rcpts(self):
        got = []
        for n in self.taken():
            with open(f"{self.out}/{n}", encoding="utf-8") as f:
                got += [r["path"].split("@")[0] for r in json.load(f)["rcpts"]]
        return got

    def wrong(self, log, queued, returned):
        """What is not as it should be, in words; "" for nothing."""
        got = self.status(log)
        words = {"2": "sent", "4": "deferred", "5": "bounced"}
        for name, want in self.want.items():
            dsn, status = got[name]
            if not (dsn == want or dsn.startswith(want + ".")) or status != words[want[0]]:
                return f"{name}: {dsn} {status}, not {want}"
            address = self.address(name)
            if (address in queued) != (want[0] == "4"):
                return f"{name} is {'' if address in queued else 'not '}in the queue"
            if returned.count(address) != (want[0] == "5"):
                return f"{name}: {returned.count(address)} reports"
        if len(self.taken()) != self.stored:
            return f"{len(self.taken())} messages taken, not {self.stored}"
        if self.stored:
            sent = [n for n, want in self.want.items() if want[0] == "2"]
            for name in sent:
                if self.rcpts().count(name) != 1:
                    return f"{name} was sent {self.rcpts().count(name)} times"
        return ""


def cases():
    with open(TABLE, encoding="utf-8") as f:
        lines = [(n, line.rstrip("\n")) for n, line in enumerate(f, 1) if line.strip() and not line.startswith("#")]
    only = sys.argv[1:]
    found = [Case(n, line, tls) for n, line in lines for tls in (False, True)]
    return [c for c in found if c.plays() and (not only or c.domain.split(".")[0] in only or c.ident in only)]


def reports(b):
    """The recipients of all reports of failure that came back."""
    found = []
    for path in b.mailbox("alice"):
        with open(path, "rb") as f:
            text = f.read().decode("utf-8", "replace")
        assert text.count("Content-Type: multipart/report") == 1, text
        assert "\x1b" not in text and not re.search("^Status: 2", text, re.M), text
        found += re.findall(r"^Final-Recipient: (?:rfc822|utf-8); *(\S+)$", text.replace("\r", ""), re.M)
    return found


def queue(b):
    """The recipients that wait."""
    found = []
    for m in map(json.loads, b.ctl("queue", "list", "--json").stdout.splitlines()):
        found += [r["address"] for r in m["recipients"] if r["state"] == "queued"]
    return found


def again(b, some):
    """What was put off for a reason that is over goes at the next attempt."""
    b.ctl("queue", "flush")
    for case in some:
        for name, want in case.want.items():
            if want[0] == "4":
                wait_for(f"{name} of {case.line}", lambda: name in case.rcpts(), 60)


def main():
    table = cases()
    with Barid(extra=CONF, relay=("127.0.0.0/8",), start=False) as b:
        cert = certificate(b.dir, "sink.test")
        for case in table:
            case.peer(b.dir + "/peers", cert)
        b.write_conf(CONF + "".join(
            upstream(f"u{c.domain}", ("127.0.0.1", c.port, f'tls = "{"required" if c.tls else "off"}"')) +
            route(c.domain, f"u{c.domain}") for c in table))
        b.start()
        with b.smtp() as c:
            for case in table:
                case.send(c)

        def open_ones():
            log = b.log()
            return [c.line for c in table if c.status(log).keys() != c.want.keys()]
        try:
            wait_for("outcomes", lambda: not open_ones(), 90)
        except AssertionError:
            raise AssertionError("no outcome: " + "\n".join(open_ones())) from None
        bounced = sum(w[0] == "5" for c in table for w in c.want.values())
        wait_for("the reports", lambda: len(reports(b)) >= bounced, 60)
        wait_for("the rest to be put off", lambda: all(p == "cur" for p, _ in b.spooled()), 60)
        log, queued, returned = b.log(), queue(b), reports(b)
        wrong = [f"{why}: {c.line}" for c in table if (why := c.wrong(log, queued, returned))]
        assert not wrong, "\n" + "\n".join(wrong)
        assert "\x1b" not in log
        again(b, [c for c in table if "wait" in c.words])
        print(f"{len(table)} cases")


main()
