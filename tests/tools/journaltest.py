# SPDX-License-Identifier: GPL-3.0-or-later
"""journaltest -- a barid whose journal and audit are looked at."""
import glob
import json
import re

from baridtest import Barid, Hosts, Sink, route, upstream, wait_for

RULES = ["RCPT /^no/=550 5.1.1 no \"such\\n5.1.1 us\u00e9r\\", "RCPT /^wait/=450 4.2.1 not now"]
SENDER = "alice@example.test"
MESSAGE = "From: alice@example.test\r\nSubject: x\r\n\r\ntext\r\n"


class World(Hosts):
    def __init__(self, extra="", rules=RULES, options=(), server='tls = "off"', **kw):
        self.sink = Sink(*options, rules=rules)
        self.around = (self.sink,)
        self.extra, self.server = extra, server
        self.b = Barid(relay=("127.0.0.0/8",), extra=self.conf(), **kw)

    def conf(self):
        return ("queue { retry = {1h} runners = 2 idle-connection = 100ms }\n" + self.extra +
                upstream("far", ("127.0.0.1", self.sink.port, self.server)) + upstream("other", self.sink.port) + route("far.example", "far"))

    def send(self, *rcpts, sender=SENDER):
        """The queue id."""
        with self.b.smtp() as c:
            c.ehlo()
            assert c.mail(sender)[0] == 250
            for r in rcpts:
                assert c.rcpt(r)[0] == 250, r
            code, words = c.data(MESSAGE)
            assert code == 250, words
            return re.search(rb"[0-9A-F]{19}", words).group().decode()

    def files(self):
        return sorted(glob.glob(self.b.dir + "/spool/journal/*"))

    def lines(self, **want):
        """The lines of the journal that have all of this."""
        found = []
        for path in self.files():
            with open(path, encoding="utf-8") as f:
                for line in f:
                    if line.endswith("\n") and line != "\n":
                        found.append(json.loads(line))
        return [e for e in found if all(e.get(k) == v for k, v in want.items())]

    def await_line(self, count=1, **want):
        return wait_for(f"the line {want}", lambda: len(self.lines(**want)) >= count and self.lines(**want))

    def audit(self, *args, code=0):
        r = self.b.ctl("--json", "audit", *args, check=False)
        assert r.returncode == code, (r.stdout[-3000:], r.stderr)
        a = json.loads(r.stdout)
        assert sum(a["ends"].values()) == a["received"] and a["closes"] == (code == 0), a
        return a

    def ends(self, *args):
        return {k: v for k, v in self.audit(*args)["ends"].items() if v}

    def gone(self, queue_id):
        wait_for("the message to be gone", lambda: queue_id not in [n for _, n in self.b.spooled()])
