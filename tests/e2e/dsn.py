# SPDX-License-Identifier: GPL-3.0-or-later
"""What senders are told (RFC 3461-3464): whom, when, in which form; and what cannot be told."""
import email
import email.policy
import email.utils
import os
import quopri
import random
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Clock, Hosts, Sink, route, run, upstream, wait_for  # noqa: E402

SENDER = "Alice@origin.example"
# What a recipient's name begins with is what becomes of it.
RULES = ["RCPT /^no/=550 5.1.1 no such user", "RCPT /^never/=553 5.1.3 what a name",
         "RCPT /^wait/=450 4.2.1 not now", "RCPT /^odd/=550 5.7.1 first\\n5.7.1 Final-Recipient: rfc822;x@y\\n"
         "5.7.1 " + "--=_boundary " * 60 + "\\n5.7.1 gr\u00fc\u00df \x1b[31m"]
MESSAGE = ("From: Alice@origin.example\r\nTo: you@far.example\r\nSubject: the subject\r\n"
           "Date: Fri, 20 Nov 2026 12:00:00 +0000\r\nMessage-ID: <orig@origin.example>\r\n\r\n"
           "the body\r\n.\r\n--=_boundary\r\n").encode()
# The answer was for the time being; that it is the end is our decision.
EXPIRED = "x-barid; delivery time expired (#4.4.7), last answer: 450 4.2.1 not now"


class World(Hosts):
    """A barid, the peer that recipients are at, and the one that senders read their reports at."""

    def __init__(self, extra="", caps=None, origin_rules=(), far_rules=(), clock=None):
        self.far = Sink(*(("--caps", caps) if caps else ()), rules=[*far_rules, *RULES])
        self.origin = Sink(rules=origin_rules)
        self.around = self.far, self.origin
        self.clock = clock
        self.b = Barid(relay=("127.0.0.0/8",), extra="queue { retry = {1h} idle-connection = 200ms }\n" + extra +
                       upstream("far", self.far.port) + route("far.example", "far") + route("away.example", "far") +
                       upstream("origin", self.origin.port) + route("origin.example", "origin"),
                       **(dict(folder=clock.folder, env=clock.env) if clock else {}))

    def send(self, *rcpts, sender=SENDER, text=MESSAGE, mail=()):
        """RCPTS: addresses, or (address, parameters)."""
        with self.b.smtp() as c:
            c.ehlo()
            assert c.mail(sender, list(mail))[0] == 250
            for r in rcpts:
                r, params = r if isinstance(r, tuple) else (r, [])
                assert c.rcpt(r, params)[0] == 250, r
            assert c.data(text)[0] == 250

    def is_later(self, hours):
        """By the clock: what waits goes along with one that is set while barid runs."""
        self.b.stop()
        self.clock.set(hours * 3600)
        self.b.start()

    def reports(self, count):
        return [Report(m, self.b) for m in self.origin.messages(count)]

    def no_report(self):
        """The spool is at rest, and nobody was told anything."""
        self.b.empty()
        assert self.origin.messages() == [], self.origin.messages()


class Report:
    """A report that arrived, held against the RFCs."""

    def __init__(self, facts, b):
        self.raw = facts["text"]
        assert facts["mail"]["path"] == "" and not facts["faults"], facts
        assert [r["path"] for r in facts["rcpts"]] == [SENDER], facts
        assert max(map(len, self.raw.split(b"\r\n"))) <= 998
        m = email.message_from_bytes(self.raw, policy=email.policy.default)
        self.message = m
        assert m.get_content_type() == "multipart/report" and m.get_param("report-type") == "delivery-status"
        assert m["Auto-Submitted"] == "auto-replied" and m["MIME-Version"] == "1.0"
        assert m["To"].addresses[0].addr_spec == SENDER and "MAILER-DAEMON@" in m["From"], m.items()
        assert email.utils.parsedate_to_datetime(m["Date"]) and m["Message-ID"].endswith(f"@{b.hostname}>")
        parts = list(m.iter_parts())
        assert len(parts) == 3, [p.get_content_type() for p in parts]
        for p in [m, *parts]:
            assert not p.defects, p.defects
        assert parts[0].get_content_type() == "text/plain"
        assert parts[1].get_content_type() == "message/delivery-status"
        self.words = parts[0].get_content()
        self.about, *groups = parts[1].get_payload()
        self.original = parts[2]
        assert self.about["Reporting-MTA"] == f"dns; {b.hostname}", self.about.items()
        assert email.utils.parsedate_to_datetime(self.about["Arrival-Date"])
        self.rcpts = {}
        for g in groups:
            kind, _, name = g["Final-Recipient"].partition(";")
            assert kind == "rfc822" and name.strip() not in self.rcpts
            assert g["Action"] in ("failed", "delayed", "delivered", "relayed") and g["Status"], g.items()
            assert g["Status"][0] == {"failed": g["Status"][0], "delayed": "4"}.get(g["Action"], "2"), g.items()
            # RFC 3461 4.2: only what the sender gave.
            assert len(g.keys()) == len(set(k.lower() for k in g.keys())), g.keys()
            self.rcpts[name.strip()] = g
        assert all(name in self.words for name in self.rcpts), self.words

    def actions(self):
        return {name: g["Action"] for name, g in self.rcpts.items()}

    def has_body(self):
        return b"the body" in self.original.as_bytes()


# ---- failures ---------------------------------------------------------------------

def failed():
    """N1, N2, N3: who did not get it, why, by whose word."""
    with World() as w:
        # Two that fail here, one there, one that arrives: one report with three.
        w.send("no1@far.example", "yes@far.example", "never@far.example", "no2@away.example")
        r = w.reports(1)[0]
        assert r.actions() == {"no1@far.example": "failed", "never@far.example": "failed",
                               "no2@away.example": "failed"}, r.actions()
        g = r.rcpts["never@far.example"]
        assert g["Status"] == "5.1.3" and g["Diagnostic-Code"] == "smtp; 553 5.1.3 what a name", g.items()
        assert g["Remote-MTA"] == "dns; [127.0.0.1]" and "Original-Recipient" not in g, g.items()
        assert r.about["Received-From-MTA"].endswith("[127.0.0.1])"), r.about.items()
        assert email.utils.parsedate_to_datetime(g["Last-Attempt-Date"])
        assert "Original-Envelope-Id" not in r.about
        # Unsaid: the header alone (dsn.return).
        assert r.original.get_content_type() == "text/rfc822-headers" and not r.has_body()
        assert b"Subject: the subject" in r.original.as_bytes()
        w.b.empty()
        assert len(w.far.messages()) == 1 and len(w.origin.messages()) == 1
        # S-41: what can be refused at once is, and causes no mail.
        with w.b.smtp() as c:
            assert c.docmd("EHLO x")[0] == 250 and c.mail(SENDER)[0] == 250
            code, words = c.rcpt("nobody@example.test")
            assert code == 550 and words.startswith(b"5.1.1"), words
        # Hostile words become neither fields nor parts.
        w.send("odd@far.example")
        r = w.reports(2)[1]
        assert list(r.rcpts) == ["odd@far.example"], r.rcpts
        assert b"\x1b" not in r.raw and b"rfc822;x@y" not in \
            b"".join(l for l in r.raw.split(b"\r\n") if l.startswith(b"Final")), r.raw
        assert "5.7.1" in r.rcpts["odd@far.example"]["Diagnostic-Code"]


def parameters():
    """ENVID and ORCPT come back as they were meant, RET is obeyed."""
    with World() as w:
        orcpt = "ORCPT=rfc822;Bob+2Btag@orig.example"
        w.send(("no@far.example", [orcpt]), ("no2@far.example", []), mail=["RET=FULL", "ENVID=QQ+2B314+20x"])
        r = w.reports(1)[0]
        assert r.about["Original-Envelope-Id"] == "QQ+314 x", r.about.items()
        assert r.rcpts["no@far.example"]["Original-Recipient"] == "rfc822; Bob+tag@orig.example" or \
            r.rcpts["no@far.example"]["Original-Recipient"] == "rfc822;Bob+tag@orig.example", r.rcpts
        assert "Original-Recipient" not in r.rcpts["no2@far.example"]
        assert r.original.get_content_type() == "message/rfc822"
        returned = r.raw.split(b"Content-Type: message/rfc822")[1].split(b"\r\n\r\n", 1)[1]
        assert MESSAGE.split(b"\r\n\r\n", 1)[1] in returned, returned
        w.send("no@far.example", mail=["RET=HDRS"])
        r = w.reports(2)[1]
        assert r.original.get_content_type() == "text/rfc822-headers" and not r.has_body()
        # A large one is returned by its header, whatever was wished.
        w.send("no@far.example", text=MESSAGE + b"z" * 70 + b"\r\n" * 1000 + b"y" * 60_000 + b"\r\n", mail=["RET=FULL"])
        r = w.reports(3)[2]
        assert not r.has_body() and len(r.raw) < 10_000
        # 8-bit in the original: declared, and kept.
        w.send("no@far.example", text=MESSAGE + "gr\u00fc\u00df\r\n".encode(), mail=["RET=FULL", "BODY=8BITMIME"])
        r = w.reports(4)[3]
        assert "gr\u00fc\u00df".encode() in r.raw and r.message["Content-Transfer-Encoding"] == "8bit"
    with World("dsn { return = \"full\" }\n") as w:
        w.send("no@far.example")
        assert w.reports(1)[0].has_body()


def notify():
    """N6: who wants to hear what."""
    with World() as w:
        w.send(("no@far.example", ["NOTIFY=NEVER"]))
        w.no_report()
        w.send(("no@far.example", ["NOTIFY=SUCCESS,DELAY"]))
        w.no_report()
        w.send(("no@far.example", ["NOTIFY=NEVER"]), ("no2@far.example", ["NOTIFY=FAILURE"]))
        r = w.reports(1)[0]
        assert r.actions() == {"no2@far.example": "failed"}, r.actions()
        w.b.empty()
        assert len(w.origin.messages()) == 1


def unsaid():
    """N6: dsn.notify, for who did not say; it is no wish that is passed on."""
    with World("dsn { notify = {success} }\n") as w:
        w.send("no@far.example")
        w.no_report()
        w.send("yes@far.example", "alice@example.test", ("no2@far.example", ["NOTIFY=FAILURE"]))
        r = w.reports(1)[0]
        assert r.actions() == {"yes@far.example": "relayed", "alice@example.test": "delivered", "no2@far.example": "failed"}
        assert w.far.messages(1)[0]["rcpts"][0]["params"] == [], w.far.messages()
        w.b.empty()
    with World("dsn { notify = {never} }\n") as w:
        w.send("no@far.example", "yes@far.example", "wait@far.example", text=b"x-barid-max-attempts: 1\r\n" + MESSAGE)
        w.far.messages(1)
        w.b.deferred()
        # Another attempt: what the first one led to is in the spool, or has arrived.
        wait_for("the next", lambda: w.b.log().count("to=<wait@") > 1 or not w.b.ctl("queue", "flush"))
        wait_for("it to wait", lambda: [p for p, _ in w.b.spooled()] == ["cur"])
        assert w.origin.messages() == []


def success():
    """N7: what the next hop reports, it is asked to report."""
    with World(caps="PIPELINING,SIZE 50000000") as w:
        # The peer does not know DSN: handed on, which is all that we know.
        w.send(("yes@far.example", ["NOTIFY=SUCCESS", "ORCPT=rfc822;you@x.example"]), ("yes2@far.example", []),
               ("alice@example.test", ["NOTIFY=SUCCESS,FAILURE"]), ("no@far.example", ["NOTIFY=SUCCESS,FAILURE"]),
               mail=["ENVID=e1", "RET=FULL"])
        m = w.far.messages(1)[0]
        assert m["mail"]["params"][0].startswith("SIZE=") and len(m["mail"]["params"]) == 1, m
        assert all(r["params"] == [] for r in m["rcpts"]), m
        r = w.reports(1)[0]
        assert r.actions() == {"yes@far.example": "relayed", "alice@example.test": "delivered",
                               "no@far.example": "failed"}, r.actions()
        assert r.about["Original-Envelope-Id"] == "e1"
        w.send(("alice@example.test", ["NOTIFY=SUCCESS"]), mail=["RET=FULL"])
        r = w.reports(2)[1]
        assert r.actions() == {"alice@example.test": "delivered"}
        assert not r.has_body(), "RFC 3461 4.3: the whole comes back with failures only"
        w.b.empty()
    with World() as w:
        # It does: then it is the peer's to report, with what the sender said.
        w.send(("yes@far.example", ["NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;you+2B1@x.example"]),
               ("yes2@far.example", ["NOTIFY=NEVER"]), ("yes3@far.example", []), mail=["ENVID=e+2B2", "RET=HDRS"])
        m = w.far.messages(1)[0]
        assert {"RET=HDRS", "ENVID=e+2B2"} <= set(m["mail"]["params"]), m
        params = {r["path"]: r["params"] for r in m["rcpts"]}
        assert sorted(params["yes@far.example"]) == ["NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;you+2B1@x.example"], params
        assert params["yes2@far.example"] == ["NOTIFY=NEVER"] and params["yes3@far.example"] == [], params
        w.no_report()


def from_sendmail():
    with World() as w:
        w.b.sendmail("-i", "-f", SENDER, "-N", "failure", "-V", "id-7", "nobody@example.test", text=MESSAGE)
        r = w.reports(1)[0]
        g = r.rcpts["nobody@example.test"]
        assert g["Status"] == "5.1.1" and g["Action"] == "failed" and "Remote-MTA" not in g, g.items()
        assert r.about["Original-Envelope-Id"] == "id-7"
        w.b.empty()


# ---- what nobody can be told ---------------------------------------------------------

def dead():
    """S-42, N5: a report about a report is never written; what is left stands in dead/, with an alarm."""
    with World(origin_rules=["RCPT=550 5.1.1 gone"]) as w:
        w.send("no@far.example", sender="")
        wait_for("it in dead/", lambda: [p for p, _ in w.b.spooled()] == ["dead"])
        # And the report to a sender that is none.
        w.send("no@far.example")
        wait_for("two in dead/", lambda: [p for p, _ in w.b.spooled()] == ["dead", "dead"])
        wait_for("two alarms",
                 lambda: w.b.log().count("can neither be delivered nor returned: kept in dead/") == 2)
        assert w.origin.messages() == []
        # Only one of them was a report; the message that it is about is gone.
        listing = w.b.ctl("queue").stdout
        assert listing.count("MAILER-DAEMON") == 2 and SENDER in listing, listing
        w.b.stop()
        w.b.start()
        assert len([p for p, _ in w.b.spooled() if p == "dead"]) == 2
        ids = [name for _, name in w.b.spooled()]
        assert b"the subject" in w.b.ctl("queue", "show", "--text", ids[0]).stdout.encode()
        w.b.ctl("queue", "delete", ids[0])
        wait_for("one in dead/", lambda: len(w.b.spooled()) == 1)
        w.b.ctl("queue", "release", ids[1])
        # It is tried anew, and dies anew.
        wait_for("another alarm", lambda: w.b.log().count("kept in dead/") == 3)
        wait_for("it in dead/", lambda: [p for p, _ in w.b.spooled()] == ["dead"])


def all_again():
    """K13: what is dead is listed, and all of it tried again, and nothing else; those who had it do not get it again."""
    with World() as w, Sink() as mended:
        for n in range(3):
            w.send(f"no{n}@far.example", "yes@far.example", sender="")
        w.send("wait@far.example")
        wait_for("three in dead/, one that waits", lambda: sorted(p for p, _ in w.b.spooled()) == ["cur"] + ["dead"] * 3)
        listed = w.b.ctl("queue", "list", "--state", "dead").stdout
        assert listed.count("550 5.1.1 no such user") == 3 and "wait@" not in listed, listed
        assert w.b.ctl("queue", "release", "--all").stdout == "0 messages\n", "all is what is on hold"
        w.b.write_conf(w.b.extra.replace(f" {w.far.port} ", f" {mended.port} "))
        w.b.reload()
        before = w.b.log().count("to=<wait@")
        assert w.b.ctl("queue", "release", "--state", "dead").stdout == "3 messages\n"
        wait_for("the three", lambda: [p for p, _ in w.b.spooled()] == ["cur"])
        assert sorted(r["path"] for m in mended.messages() for r in m["rcpts"]) == \
            [f"no{n}@far.example" for n in range(3)]
        assert w.b.log().count("to=<wait@") == before


# ---- delays, and the end ----------------------------------------------------------------

def delayed():
    """N4: once for each time that was set, to those who want to know; then it arrives."""
    extra = "queue { retry = {500ms} delay-notice = {1h, 4h} }\n"
    with World(extra, clock=Clock()) as w:
        w.send("wait@far.example", ("wait2@far.example", ["NOTIFY=FAILURE"]), ("wait3@far.example", ["NOTIFY=DELAY"]),
               "yes@far.example")
        w.b.deferred("to=<wait@")
        for n, hours in ((1, 2), (2, 5)):
            w.is_later(hours)
            r = w.reports(n)[n - 1]
            assert r.actions() == {"wait@far.example": "delayed", "wait3@far.example": "delayed"}, r.actions()
            g = r.rcpts["wait@far.example"]
            assert g["Status"] == "4.2.1" and g["Diagnostic-Code"] == "smtp; 450 4.2.1 not now", g.items()
            until = email.utils.parsedate_to_datetime(g["Will-Retry-Until"])
            arrival = email.utils.parsedate_to_datetime(r.about["Arrival-Date"])
            assert abs((until - arrival).total_seconds() - 5 * 86400) <= 2, g.items()
            assert not r.has_body()
        # Some attempts later there are still two, also after a restart.
        tries = w.b.log().count("to=<wait@")
        w.b.stop()
        w.b.start()
        wait_for("more attempts", lambda: w.b.log().count("to=<wait@") >= tries + 3)
        assert len(w.origin.messages()) == 2
        assert len(w.far.messages()) == 1, "who had it does not get it again"


def expired():
    extra = "queue { retry = {500ms} lifetime = 2s delay-notice = {} }\n"
    with World(extra) as w:
        w.send("wait@far.example", ("wait2@far.example", ["NOTIFY=NEVER"]), "yes@far.example")
        r = w.reports(1)[0]
        g = r.rcpts["wait@far.example"]
        assert list(r.rcpts) == ["wait@far.example"] and g["Action"] == "failed" and g["Status"] == "4.4.7", g.items()
        assert g["Diagnostic-Code"] == EXPIRED and "not now" in r.words, (g.items(), r.words)
        w.b.empty()
        assert "status=expired, returned to sender" in w.b.log()
        assert len(w.origin.messages()) == 1 and len(w.far.messages()) == 1
        # A report that expires goes where those go that nobody wants.
        w.send("wait@far.example", sender="")
        wait_for("it in dead/", lambda: [p for p, _ in w.b.spooled()] == ["dead"])


def given_up():
    """The end by attempts, and what the report tells of them; the settings come in the header."""
    with World("extract-headers = true\nqueue { delay-notice = {} }\n") as w:
        w.send("wait@far.example", text=b"x-mq-maxattempts: 3\r\nx-barid-retry: 1s\r\n" + MESSAGE)
        r = w.reports(1)[0]
        g = r.rcpts["wait@far.example"]
        assert (g["Action"], g["Status"]) == ("failed", "4.4.7"), g.items()
        assert g["Diagnostic-Code"] == EXPIRED and g["Remote-MTA"] == "dns; [127.0.0.1]", g.items()
        words = " ".join(r.words.split())
        assert "is given up now" in words and "It was tried 3 times" in words, words
        assert f"127.0.0.1[127.0.0.1]:{w.far.port} on " in words, words
        w.b.empty()


# ---- SMTPUTF8 ---------------------------------------------------------------------------

def global_forms():
    """RFC 6531-07 (RFC 6533): raw for who has such an address, encoded for who has not."""
    with World(caps="PIPELINING,SIZE 50000000,8BITMIME,SMTPUTF8") as w:
        for name, sender in (("raw", "\u00e4lice@origin.example"), ("encoded", SENDER)):
            with open(f"{w.b.dir}/spool/drop/{name}.eml", "w", encoding="utf-8") as f:
                f.write(f"Return-Path: <{sender}>\nFrom: {sender}\nTo: no-\u00fc@far.example\n"
                        "Subject: \u00e9\n\nthe body\n")
            os.utime(f.name, (1, 1))
        found = {m["rcpts"][0]["path"]: m for m in w.origin.messages(2)}
        raw, encoded = found["\u00e4lice@origin.example"], found[SENDER]
        assert "SMTPUTF8" in raw["mail"]["params"] and "SMTPUTF8" not in encoded["mail"]["params"], found
        # Faults are those of the connection, and both may have gone by one.
        before = raw["faults"] if raw["conn"] == encoded["conn"] else []
        assert encoded["text"].isascii() and set(encoded["faults"]) <= set(before), encoded
        for m in (raw, encoded):
            boundary = email.message_from_bytes(m["text"]).get_boundary().encode()
            parts = [p.split(b"\r\n\r\n", 1) for p in m["text"].split(b"--" + boundary)[1:-1]]
            heads = [email.message_from_bytes(h.lstrip(b"\r\n") + b"\r\n\r\n") for h, _ in parts]
            assert [h.get_content_type() for h in heads] == \
                ["text/plain", "message/global-delivery-status", "message/global-headers"], heads
            for h in heads:
                assert h["Content-Transfer-Encoding"] == ("8bit" if m is raw else "quoted-printable"), h.items()
            words, status, header = ((b if m is raw else quopri.decodestring(b)).decode("utf-8") for _, b in parts)
            status = status.replace("\r\n", "\n")
            assert "Final-Recipient: utf-8; no-\u00fc@far.example\nAction: failed\nStatus: 5.1.1" in status, status
            assert "no-\u00fc@far.example" in words and "Subject: \u00e9" in header, (words, header)
            assert "the body" not in header
            top = email.message_from_bytes(m["text"])
            assert top.get_param("report-type") == "global-delivery-status", top["Content-Type"]
            # As an email program does that knows no more of it than that it is a message: the first fields are its header.
            first = top.get_payload()[1].get_payload()
            assert m is encoded or first[0]["Reporting-MTA"] == f"dns; {w.b.hostname}", first
        w.b.empty()
        # What the others find in them (tests/README): a day when this fails is a good one.
        with tempfile.TemporaryDirectory() as d:
            for name, m in (("raw.eml", raw), ("encoded.eml", encoded)):
                with open(f"{d}/{name}", "wb") as f:
                    f.write(m["text"].replace(b"\r\n", b"\n"))
            for command in (("perl", "-e", SISIMAI), ("perl", "-e", BOUNCE_PARSER), ("/usr/bin/python3", "-c", FLUFL)):
                assert read_by(command, d, ["raw.eml", "encoded.eml"]) == [], command


# ---- hostile peers ------------------------------------------------------------------------

HOSTILE = [r"550 5.1.1 a\r\nBcc: evil@x\r\n", r"550-5.1.1 a\r\n550-\r\n550-Bcc: evil@x\r\n550 \r\n", r"550 \x00nul\x00\r\n",
           r"550 \x1b[2J\x1b]0;title\x07\r\n", r"550 \xe2\x80\xaeRTL \xc2\x85\xff\r\n", r"550 --=_boundary--\r\n",
           r"550 5.1.1 a\rBcc: evil@x\r\n", r"550 Content-Type: text/html\r\n", r"550 =?utf-8?q?=0ABcc:_x?=\r\n",
           r"550 \t\r\n", r"2\r\n", r"xyz\r\n", r"250-a\r\n550 b\r\n"]


def hostile():
    """S-55: whatever a peer says stays in its field and its paragraph."""
    rules = [f"RCPT /^h{n}@/=raw {r}" for n, r in enumerate(HOSTILE)]
    rules += ["RCPT /^long@/=raw 550 " + "x" * 100_000 + r"\r\n",
              "RCPT /^many@/=raw " + r"550-5.1.1 --=_x\r\n" * 300 + r"550 5.1.1 end\r\n"]
    extra = "queue { lifetime = 1s retry = {500ms} delay-notice = {} }\n"
    with World(extra, far_rules=rules) as w:
        names = [f"h{n}@far.example" for n in range(len(HOSTILE))] + ["long@far.example", "many@far.example"]
        for name in names:
            w.send(name)
        reports = w.reports(len(names))
        found = sorted(name for r in reports for name in r.rcpts)
        assert found == sorted(names), set(names) ^ set(found)
        for r in reports:
            assert set(r.message.keys()) <= TOP, r.message.keys()
            assert r.raw.isascii() and not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", r.raw), r.raw
            assert len(r.raw) < 8000, len(r.raw)


TOP = {"Date", "From", "To", "Subject", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
       "MIME-Version", "Content-Type", "Content-Transfer-Encoding"}


def oracle():
    """F-05: reports about anything, read by a parser that is not ours: three parts, no field of others."""
    rng = random.Random(5)
    corpus = os.environ["BARID_SRC"] + "/tests/fuzz/corpus/dsn"
    seeds = [open(f"{corpus}/{name}", "rb").read() for name in sorted(os.listdir(corpus))]
    evil = [b"\r\n", b"\n", b"\r", b"\0", b"\x1b", b"--=_idmxexample_0", b"--", b"\r\n\r\n", b"Bcc: x@y", b"\xfe", b"\xc3\xbc",
            b"\xe2\x80\xae", b"=?utf-8?q?=0A?=", b"Content-Type: text/html\r\n", b":", b";", b"z" * 1200]
    with tempfile.TemporaryDirectory() as d:
        for n in range(400):
            s = bytearray(rng.choice(seeds))
            for _ in range(rng.randrange(1, 12)):
                at = rng.randrange(len(s) + 1)
                s[at:at + rng.choice((0, 0, 1, 4))] = rng.choice(evil)
            with open(f"{d}/{n:03}", "wb") as f:
                f.write(s)
        out = d + ".out"
        subprocess.run([os.environ["BARID_OBJ"] + "/fuzz/dsn_fuzz", d], check=True, stdout=subprocess.DEVNULL,
                       env=dict(os.environ, DSN_FUZZ_OUT=out))
        with open(out, "rb") as f:
            reports = f.read().split(b"\0")[:-1]
        os.unlink(out)
    assert len(reports) >= 390, len(reports)
    for raw in reports:
        m = email.message_from_bytes(raw)
        assert m.get_content_type() == "multipart/report" and set(m.keys()) <= TOP, raw
        parts = m.get_payload()
        assert len(parts) == 3 and not m.defects, raw
        kinds = [p.get_content_type() for p in parts]
        assert kinds[0] == "text/plain" and kinds[1] in ("message/delivery-status", "message/global-delivery-status") and \
            kinds[2] in ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"), kinds
        for p in parts:
            assert set(p.keys()) <= {"Content-Type", "Content-Description", "Content-Transfer-Encoding"}, raw


# ---- programs that read reports --------------------------------------------------------------

SISIMAI = """use Sisimai; for my $f (@ARGV) { my $v = Sisimai->make($f, "delivered" => 1) || [];
print join(" ", $f, $_->recipient->address, $_->action, $_->deliverystatus), "\\n" for @$v; }"""
BOUNCE_PARSER = """use Mail::DeliveryStatus::BounceParser; for my $f (@ARGV) { local $/; open my $h, "<", $f; my $t = <$h>;
my $b = Mail::DeliveryStatus::BounceParser->new($t); next unless $b->is_bounce;
print join(" ", $f, map { $_ // "" } $_->get("email"), $_->get("action"), $_->get("status")), "\\n" for $b->reports; }"""
FLUFL = """import email, sys
from flufl.bounce import all_failures
for f in sys.argv[1:]:
    with open(f, "rb") as m:
        for kind, found in zip(("delayed", "failed"), all_failures(email.message_from_binary_file(m))):
            for a in sorted(found):
                print(f, a.decode(), kind)
"""


def read_by(command, folder, files):
    lines = run(*command, *files, folder=folder).decode().split("\n")
    return sorted({tuple(line.split()) for line in lines if len(line.split()) > 1})


def parsers():
    """RFC 3461-13: programs that we did not write find the recipients, what was done, and why."""
    with World("queue { retry = {500ms} lifetime = 3h delay-notice = {1h} }\n", clock=Clock()) as w:
        w.send("no1@far.example", "never@far.example", ("yes@far.example", ["NOTIFY=NEVER"]))
        w.send(("alice@example.test", ["NOTIFY=SUCCESS"]), ("no3@far.example", ["NOTIFY=FAILURE"]))
        w.b.sendmail("-i", "-f", SENDER, "nobody@example.test", text=MESSAGE)
        w.send(("alice+x@example.test", ["NOTIFY=SUCCESS"]))
        w.send("odd@far.example")
        w.send("no2@far.example", mail=["RET=FULL"])
        w.reports(6)
        w.send("wait@far.example")
        w.b.deferred("to=<wait@")
        w.is_later(2)
        w.reports(7)
        w.is_later(4)
        reports = w.reports(8)
    with World(caps="PIPELINING") as w:
        w.send(("yes@far.example", ["NOTIFY=SUCCESS"]))
        reports += w.reports(1)
    with tempfile.TemporaryDirectory() as d:
        wanted = set()
        for n, r in enumerate(reports):
            name = f"{n}.eml"
            # As it stands in a mailbox.
            with open(f"{d}/{name}", "wb") as f:
                f.write(r.raw.replace(b"\r\n", b"\n"))
            wanted |= {(name, rcpt, g["Action"], g["Status"]) for rcpt, g in r.rcpts.items()}
        assert {w[2] for w in wanted} == {"failed", "delayed", "delivered", "relayed"}, wanted
        files = [f"{n}.eml" for n in range(len(reports))]
        assert "4.4.7" in {w[3] for w in wanted}, wanted
        got = read_by(("perl", "-e", SISIMAI), d, files)
        assert got == sorted(wanted), (got, sorted(wanted))
        # These two look for failures (and delays) only; to the first, a report that has a success too is no bounce.
        mixed = {w[0] for w in wanted if w[2] == "delivered"}
        failures = sorted(w for w in wanted if w[2] == "failed" and w[0] not in mixed)
        got = [g for g in read_by(("perl", "-e", BOUNCE_PARSER), d, files) if g[2] == "failed"]
        assert got == failures, (got, failures)
        got = read_by(("/usr/bin/python3", "-c", FLUFL), d, files)
        assert got == sorted(w[:3] for w in wanted if w[2] in ("failed", "delayed")), (got, sorted(wanted))


def main():
    for test in (failed, parameters, notify, unsaid, success, from_sendmail, dead, all_again, delayed, expired, given_up, global_forms, hostile,
                 oracle, parsers):
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        start = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)


main()
