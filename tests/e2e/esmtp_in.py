# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client says by the parameters of MAIL and RCPT, and what becomes of it on the way out."""
import contextlib
import email
import os
import re
import sys
import tempfile
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Names, Sink, certificate, Wire, route, smarthost, upstream, wait_for  # noqa: E402

SLOW = "queue { runners = 1 retry = {1s} idle-connection = 1s delay-notice = {4h} }\n"
SENDER = "alice@example.test"
CAPS = "PIPELINING,SIZE 50000000,8BITMIME,ENHANCEDSTATUSCODES,DSN"
ALL = CAPS + ",SMTPUTF8,CHUNKING,BINARYMIME,REQUIRETLS,MT-PRIORITY,DELIVERBY"
TEXT = "Subject: x\r\n\r\nhello\r\n"


def params(m):
    """Those of MAIL that are not about the text."""
    return sorted(p for p in m["mail"]["params"] if not p.startswith(("SIZE=", "BODY=")))


def outcome(b, rcpt, words="status="):
    return wait_for(f"an outcome for {rcpt}", lambda: next(
        (line for line in b.log().split("\n") if f"to=<{rcpt}>" in line and words in line), None))


def report(b, n=1):
    """The N-th report in alice's mailbox."""
    return email.message_from_bytes(b.mail("alice", n)[n - 1])


def as_alice(b, rcpts, options=(), text=TEXT, sender=SENDER):
    with b.smtp("submission", login="alice") as c:
        c.ehlo("client.test")
        c.sendmail(sender, rcpts, text, mail_options=list(options))


# ---- SMTPUTF8 ----------------------------------------------------------------------

def utf8():
    """RFC 6531 01 to 06: one domain in both forms, the trace, and where it goes on to."""
    conf = 'domains = {"example.test", "gr\u00fc\u00dfe.test"}\n' + SLOW
    with Sink("--caps", CAPS + ",SMTPUTF8") as s, Sink("--caps", CAPS) as old:
        ways = upstream("new", s.port) + route("new.example", "new") + upstream("old", old.port) + route("*", "old")
        with Barid(extra=conf + ways, relay=("127.0.0.0/8",)) as b:
            with b.smtp(tls=True) as c:
                c.ehlo("client.test")
                assert c.has_extn("smtputf8") and c.has_extn("8bitmime")
                text = "From: j\u00fcrgen@example.test\r\nSubject: Gr\u00fc\u00dfe\r\n\r\n\u00e4\r\n".encode()
                c.sendmail("alice+\u00fc@gr\u00fc\u00dfe.test", ["alice@gr\u00fc\u00dfe.test", "bob@xn--gre-6ka8l.test", "kl\u00e4rchen@new.example",
                                                  "x@old.example"], text, ["SMTPUTF8", "BODY=8BITMIME"])
            got = b.mail("alice", 1)[0]
            assert re.search(rb"by mx.example.test \(barid\) with UTF8SMTPS id ", got), got
            assert "Gr\u00fc\u00dfe".encode() in got and b"Delivered-To: alice@xn--gre-6ka8l.test" in got, got
            assert "Return-Path: <alice+\u00fc@xn--gre-6ka8l.test>".encode() in got, got
            b.mail("bob", 1)
            m = s.messages(1)[0]
            assert m["rcpts"][0]["path"] == "kl\u00e4rchen@new.example" and "SMTPUTF8" in params(m), m
            # A host without it gets nothing, whatever the recipient's address is like.
            assert "dsn=5.6.7" in outcome(b, "x@old.example") and old.messages() == []
            b.empty()


# ---- BDAT --------------------------------------------------------------------------

def cut_off():
    """S-06: TLS that ends within a chunk ends the session; what follows in the clear is nobody's."""
    with Barid() as b:
        with Wire(b.port["smtp"]) as w:
            w.reply()
            w.smtp("EHLO client.test")
            w.smtp("STARTTLS")
            w.start_tls()
            for line in ("EHLO client.test", "MAIL FROM:<a@b.example>", "RCPT TO:<alice@example.test>"):
                assert w.smtp(line).startswith(b"250")
            w.send(b"BDAT 1000\r\n0123456789")
            raw = w.sock.unwrap()
            raw.sendall(b"xQUIT\r\n")
            raw.settimeout(60)
            with contextlib.suppress(ConnectionResetError):
                assert raw.recv(100) == b""
        wait_for("the end", lambda: "lost connection after BDAT (10 bytes)" in b.log())
        assert not b.spooled()
        # S-21: a text in chunks of an octet is a text, and costs no memory.
        text = b"Subject: x\r\n\r\n" + b"0123456789abcd\r\n" * 4000
        with Wire(b.port["smtp"]) as w:
            w.reply()
            for line in ("EHLO client.test", "MAIL FROM:<a@b.example>", "RCPT TO:<alice@example.test>"):
                assert w.smtp(line).startswith(b"250")
            session, = wait_for("one session", lambda: len(b.sessions()) == 1 and b.sessions())
            was = b.peak(session)
            for at in range(0, len(text), 1000):
                w.send(b"".join(b"BDAT 1\r\n%c" % octet for octet in text[at:at + 1000]))
                for _ in text[at:at + 1000]:
                    assert w.line().startswith(b"250 ")
            now = b.peak(session)
            assert now < was + (16 << 20), f"a session took {now - was} octets for {len(text)} chunks"
            w.send(b"BDAT 0 LAST\r\n")
            assert w.line().startswith(b"250 2.0.0 Ok: queued")
        assert b.mail("alice", 1)[0].endswith(text.replace(b"\r\n", b"\n"))


# ---- what a user wishes ------------------------------------------------------------

def wishes():
    """MT-PRIORITY, DELIVERBY, REQUIRETLS and AUTH go on to a server that knows them and us."""
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o755)
        pem, key = certificate(d, "hub.test")
        tls = ("--tls-cert", pem, "--tls-key", key, "--auth", "us:secret")
        caps = ",STARTTLS,AUTH PLAIN"
        with Sink("--caps", ALL + caps, *tls) as s, Sink("--caps", CAPS + caps, *tls) as old:
            login = 'tls = "verified" user = "us" password = "secret"'
            conf = f'tls {{ ca = "{pem}" }}\ndns-override "hub.test" {{ addresses = {{"127.0.0.1"}} }}\n' + SLOW
            conf += upstream("new", ("hub.test", s.port, login)) + route("new.example", "new")
            conf += upstream("old", ("hub.test", old.port, login)) + route("*", "old")
            with Barid(extra=conf, relay=("127.0.0.0/8",)) as b:
                as_alice(b, ["x@new.example"], ["MT-PRIORITY=-4", "BY=600;NT", "REQUIRETLS", "AUTH=e+3Dmc2@example.com"])
                got = params(s.messages(1)[0])
                assert got[0] == "AUTH=e+3Dmc2@example.com" and got[2:] == ["MT-PRIORITY=-4", "REQUIRETLS"], got
                left = re.fullmatch(r"BY=(\d+);NT", got[1])
                assert left and 0 < int(left[1]) <= 600, got
                # RFC 2852: it is traced.
                assert "Action: relayed" in report(b).get_payload()[1].as_string()
                # Of a client that is not trusted AUTH is nobody's; nothing that was not said is said.
                b.send("x@elsewhere.example", ["bob@example.test"], TEXT, mail_options=["AUTH=x@y.example"])
                as_alice(b, ["y@new.example"])
                assert params(s.messages(2)[1]) == []
                # To a host that knows nothing of it goes what may; and that the time ends there is reported.
                as_alice(b, ["y@old.example"], ["MT-PRIORITY=3", "BY=600;N", "AUTH=<>"])
                assert params(old.messages(1)[0]) == ["AUTH=<>"]
                assert "Action: relayed" in report(b, 2).get_payload()[1].as_string()
                as_alice(b, ["z@old.example"], ["REQUIRETLS"])
                assert "dsn=5.7.30" in outcome(b, "z@old.example") and len(old.messages()) == 1
                # RFC 2852 4.1.4: what is to be returned goes to nobody who would not.
                as_alice(b, ["t@old.example", "t@new.example"], ["BY=600;R"])
                assert "dsn=5.3.3" in outcome(b, "t@old.example") and "status=sent" in outcome(b, "t@new.example")
                assert len(old.messages()) == 1 and re.fullmatch(r"BY=\d+;R", params(s.messages(3)[2])[0])
                parts = report(b, 4).get_payload()[1].as_string()
                assert "Action: failed" in parts and "Status: 5.3.3" in parts and "t@old.example" in parts, parts
                b.empty()


def held():
    """RFC 4865: not before its time, and then at once."""
    with Sink("--caps", CAPS) as s, smarthost(s.port, extra=SLOW) as b:
        begun = time.time()
        as_alice(b, ["x@far.example"], ["HOLDFOR=3"])
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begun + 2))
        as_alice(b, ["y@far.example"], [f"HOLDUNTIL={until}"])
        as_alice(b, ["z@far.example"])
        assert {m["rcpts"][0]["path"][0] for m in s.messages(3)} == set("xyz")
        assert time.time() >= begun + 3
        b.empty()


def by_time():
    """RFC 2852: what is not delivered in time is returned, or its sender is told and it is tried on."""
    with Sink("--caps", CAPS + ",DELIVERBY", rules=["RCPT /^slow/=450 4.2.1 later"]) as s, smarthost(s.port, extra=SLOW) as b:
        as_alice(b, ["slow1@far.example"], ["BY=2;R"])
        assert "status=expired" in wait_for("the end", lambda: "status=expired" in b.log() and b.log())
        parts = report(b).get_payload()[1].as_string()
        assert "Action: failed" in parts and "Status: 5.4.7" in parts, parts
        as_alice(b, ["slow2@far.example"], ["BY=2;N"])
        parts = report(b, 2).get_payload()[1].as_string()
        assert "Action: delayed" in parts and "slow2" in parts, parts
        assert b.spooled() and s.messages() == []


# ---- REQUIRETLS --------------------------------------------------------------------

def require_tls():
    """RFC 8689: a host that is known, over TLS, or none; TLS-Required: No is the contrary."""
    with tempfile.TemporaryDirectory() as d, Names("") as names:
        os.chmod(d, 0o755)
        pem, key = certificate(d, "hub.test")
        other, other_key = certificate(d, "other.test")
        good = ("--tls-cert", pem, "--tls-key", key)
        bad = ("--tls-cert", other, "--tls-key", other_key)
        caps = ("--caps", ALL + ",STARTTLS")
        with Sink(*caps, *good) as s, Sink("--caps", ALL) as clear, Sink(*caps, *bad) as wrong, \
                Sink(*caps, rules=("STARTTLS=454 4.7.0 not now",)) as busy:
            conf = f'tls {{ ca = "{pem}" }}\ndns-override "hub.test" {{ addresses = {{"127.0.0.1"}} }}\n' + SLOW + names.conf
            for name, port, tls in (("good", s.port, "may"), ("clear", clear.port, "may"), ("wrong", wrong.port, "may"),
                                    ("busy", busy.port, "may"), ("off", s.port, "off")):
                conf += upstream(name, ("hub.test", port, f'tls = "{tls}"')) + route(f"{name}.example", name)
            conf += f'smtp-port = {s.port}\nroute "*" {{ via = "mx" tls = "dane" }}\n'
            names.change("mx.example MX 10 hub.mx.example\nhub.mx.example A 127.0.0.1\n")
            with Barid(extra=conf, relay=("127.0.0.0/8",)) as b:
                as_alice(b, ["x@good.example"], ["REQUIRETLS"])
                m = s.messages(1)[0]
                assert params(m) == ["REQUIRETLS"] and m["tls"], m
                secret = "Subject: x\r\n\r\nsecret text\r\n"
                for n, name in enumerate(("clear", "wrong", "off", "mx")):
                    with b.smtp("submission", login="alice") as c:
                        c.ehlo("client.test")
                        c.sendmail(SENDER, [f"x@{name}.example"], secret, ["REQUIRETLS", "RET=FULL"])
                    assert "dsn=5.7.10" in outcome(b, f"x@{name}.example", "status=bounced"), b.log()
                    # RFC 8689 5: the report has no more than the header, whatever was asked for.
                    assert "secret text" not in report(b, n + 1).as_string()
                # What passes is waited for: RFC 3207 4, RFC 5321 4.5.4.1.
                as_alice(b, ["x@busy.example"], ["REQUIRETLS"])
                line = outcome(b, "x@busy.example", "status=deferred")
                assert "dsn=4.7.0" in line and "STARTTLS was refused: 454" in line, line
                b.ctl("queue", "delete", line.partition(": to=")[0].split()[-1])
                for sink in (clear, wrong):
                    assert sink.messages() == []
                # What says that it needs none, and what says nothing, go as they always did.
                for n, name in enumerate(("clear", "wrong", "off")):
                    as_alice(b, [f"y@{name}.example"], text="TLS-Required: No\r\n" + TEXT)
                    assert "status=sent" in outcome(b, f"y@{name}.example")
                b.empty()


def main():
    for test in (utf8, cut_off, wishes, held, by_time, require_tls):
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        start = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)


main()
