# SPDX-License-Identifier: GPL-3.0-or-later
"""To a smarthost: connections and their reuse, weights, TLS at each level, AUTH."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Names, Sink, body_of, certificate, message, smarthost, spool, wait_for  # noqa: E402

QUICK = "queue { retry = {1s} idle-connection = 200ms }\n"
SLOW = "queue { retry = {1h} idle-connection = 200ms }\n"
SENDER, RCPT = "alice@example.test", "Carol@Far.Example"


# ---- the main road -------------------------------------------------------------

def plain():
    body = ("8-bit: \u00e4\r\n.\r\n..\r\n.x\r\n" + "y" * 990 + "\r\n\r\nend\r\n").encode()
    with Sink("--wire") as s, smarthost(s.port, extra=SLOW) as b:
        b.send("Alice@example.test", [RCPT], message("one", body), mail_options=["BODY=8BITMIME"])
        m = s.messages(1)[0]
        assert m["helo"] == b.hostname, m
        assert m["mail"]["path"] == "Alice@example.test" and "BODY=8BITMIME" in m["mail"]["params"], m
        size = [int(p[5:]) for p in m["mail"]["params"] if p.startswith("SIZE=")]
        assert size == [len(m["text"])], (size, len(m["text"]))
        # RFC 5321 2.4: the case of the local part is not ours to change.
        assert [r["path"] for r in m["rcpts"]] == ["Carol@Far.Example"], m
        assert body_of(m["text"]) == body, m["text"]
        head = m["text"].split(b"\r\n\r\n")[0]
        assert head.startswith(b"Received: from ") and head.count(b"Received: ") == 1, head
        assert b"Return-Path" not in head and b"Delivered-To" not in head, head
        assert m["pipelined"] and not m["dot_alone"] and not m["faults"], m
        b.empty()
        assert re.search(r"status=sent \(250 2\.0\.0 taken\)", b.log())
        c = s.connections(1)[0]
        assert c["end"] == "quit" and c["lines"][-1] == "QUIT", c


def reuse():
    """V7: many messages over few connections, with a limit for each."""
    extra = SLOW + "queue { runners = 1 per-destination = 2 per-connection = 10 }\n"
    with Sink() as s, smarthost(s.port, extra=extra) as b:
        # All are there at once: no connection is idle before the last.
        b.stop()
        spool(b, SENDER, "number%@far.example", 60)
        b.start()
        got = s.messages(60)
        assert len(got) == 60
        assert len({m["rcpts"][0]["path"] for m in got}) == 60
        conns = wait_for("the ends of the connections",
                         lambda: all(c["end"] for c in s.connections()) and s.connections())
        assert 6 <= len(conns) <= 30, len(conns)
        assert max(len(c["messages"]) for c in conns) == 10, [len(c["messages"]) for c in conns]
        assert all(c["end"] == "quit" for c in conns)
    # A server that is tired of a connection is asked again on a fresh one, at once.
    with Sink(rules=["MAIL 2=drop"]) as s, smarthost(s.port, extra=SLOW + "queue { runners = 1 }\n") as b:
        for n in range(4):
            b.send(SENDER, [RCPT], message(f"number {n}"))
        assert len(s.messages(4)) == 4
        b.empty()
        assert "status=deferred" not in b.log()


def large():
    body = bytes((i * 7 + i // 251) % 95 + 32 for i in range(76)) + b"\r\n.\r\n"
    body *= (10 << 20) // len(body)
    with Sink() as s, smarthost(s.port, extra=SLOW) as b:
        b.send(SENDER, [RCPT], message("large", body))
        assert body_of(s.messages(1, 60)[0]["text"]) == body


def many_recipients():
    """V3: recipients of a domain go in one transaction, or as few as there can be."""
    rcpts = [f"r{n}@far.example" for n in range(250)]
    with Sink() as s, smarthost(s.port, extra=SLOW) as b:
        b.send(SENDER, rcpts, message())
        wait_for("all recipients", lambda: sum(len(m["rcpts"]) for m in s.messages()) == 250)
        got = s.messages()
        assert sorted(r["path"] for m in got for r in m["rcpts"]) == sorted(rcpts)
        assert len(got) == 3, "a transaction has 100 recipients, as any server must take"
        b.empty()


def weights():
    """Three to one by connections; the backup gets nothing while they live."""
    extra = SLOW + "queue { runners = 1 per-connection = 1 }\n"
    with Sink("--host", "127.0.0.2") as one, Sink("--host", "127.0.0.3") as two, Sink() as backup:
        servers = (("127.0.0.2", one.port, 'tls = "off" weight = 75'),
                   ("127.0.0.3", two.port, 'tls = "off" weight = 25'),
                   ("127.0.0.1", backup.port, 'tls = "off" backup = true'))
        with smarthost(*servers, extra=extra) as b:
            with b.smtp() as c:
                for _ in range(100):
                    c.sendmail(SENDER, [RCPT], message())
            wait_for("all", lambda: len(one.messages()) + len(two.messages()) == 100)
            b.empty()
            # The mean is 75, and six times the deviation is 26.
            assert 49 < len(one.messages()) < 100, len(one.messages())
            # One of them dies: the other has it all, and then the backup.
            one.process.kill()
            b.send(SENDER, [RCPT], message("second"))
            wait_for("the second", lambda: any(b"Subject: second" in m["text"] for m in two.messages()))
            b.empty()
            two.process.kill()
            b.send(SENDER, [RCPT], message("third"))
            assert b"Subject: third" in backup.messages(1)[0]["text"]
            b.empty()
            assert "status=deferred" not in b.log()


# ---- TLS ----------------------------------------------------------------------

def expired(folder, name, ca):
    """A certificate that was good until yesterday."""
    cert, key = certificate(folder, name, ca)
    csr = f"{folder}/{name}.csr"
    subprocess.run(["openssl", "x509", "-req", "-in", csr, "-CA", ca[0], "-CAkey", ca[1], "-days", "-1",
                    "-copy_extensions", "copy", "-out", cert], check=True, capture_output=True)
    return cert, key


def tls_may():
    """TLS where it is offered, and mail in any case."""
    d = tempfile.mkdtemp()
    tls = ("--tls-cert", *certificate(d)[:1], "--tls-key", d + "/localhost.key")
    may = 'tls = "may"'
    for args, rules, version in (
            (tls, [], "TLSv1.3"),               # self-signed is better than nothing
            ((), [], None),
            (tls, ["STARTTLS=454 4.7.0 not now"], None),
            (tls, ["TLS @1=drop"], None),       # RFC 7435: once more, in clear
            # Plain text behind STARTTLS is no failure of TLS, but a trick: it waits.
            (tls, ["STARTTLS @1=raw 220 go\\r\\nnonsense\\r\\n"], "TLSv1.3")):
        with Sink(*args, rules=rules) as s, smarthost(("127.0.0.1", s.port, may), extra=QUICK) as b:
            b.send(SENDER, [RCPT], message())
            m = s.messages(1)[0]
            assert (m["tls"] or "")[:7] == (version or ""), (rules, m)
            if version:
                # What was said in clear is said again (RFC 3207 4.2).
                assert [l.split(" ")[0] for l in m["lines"][:4]] == ["EHLO", "STARTTLS", "EHLO", "MAIL"], m
    shutil.rmtree(d)


def nothing_in_clear(s, b, words):
    """The mail was deferred for WORDS, and the sink has heard nothing that matters."""
    line = b.deferred(words)
    assert re.search(r"dsn=4\.7\.\d", line), line
    b.stop()
    said = s.said()
    assert s.messages() == [] and said, said
    for line in said:
        assert line.split(" ")[0] in ("EHLO", "HELO", "STARTTLS", "QUIT"), said


def tls_required():
    d = tempfile.mkdtemp()
    cert, key = certificate(d)
    tls = ("--tls-cert", cert, "--tls-key", key)
    login = 'tls = "required" user = "u" password = "secret"'
    auth = ("--auth", "u:secret")
    with Sink(*tls, *auth) as s, smarthost(("127.0.0.1", s.port, login)) as b:
        b.send(SENDER, [RCPT], message())
        m = s.messages(1)[0]
        assert m["tls"] and m["auth"] == "u", m
    for args, rules, words in (
            ((), [], "does not offer it"),
            (tls, ["STARTTLS=454 4.7.0 not now"], "454"),
            (tls, ["STARTTLS=502 5.5.1 what?"], "502"),
            (tls, ["EHLO 1=502 5.5.1 what?"], "does not offer it"),
            (tls, ["TLS=drop"], "TLS handshake failed"),
            (tls, ["STARTTLS=raw 220 go\\r\\n250-injected\\r\\n250 AUTH PLAIN\\r\\n; tls"], "plain text"),
            (tls, ["CONNECT=raw 220 x\\r\\n250-x\\r\\n250 AUTH PLAIN\\r\\n250 x\\r\\n; ok"], "")):
        with Sink(*args, *auth, rules=rules) as s, smarthost(("127.0.0.1", s.port, login)) as b:
            b.send(SENDER, [RCPT], message())
            if words:
                nothing_in_clear(s, b, words)
            else:
                b.deferred("protocol error")
                b.stop()
                assert s.messages() == [] and not any("AUTH" in l or "MAIL" in l for l in s.said())
            for octets in s.said():
                assert "secret" not in octets
    shutil.rmtree(d)


def tls_verified():
    """Name and chain are looked at (S-11); who fails hears neither AUTH nor MAIL."""
    d = tempfile.mkdtemp()
    ca, other, old = d + "/ca", d + "/other", d + "/old"
    os.mkdir(old)
    for folder, name in ((ca, "ca"), (other, "ca")):
        os.mkdir(folder)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", f"/CN={name}", "-keyout", folder + "/ca.key", "-out", folder + "/ca.pem",
                        "-days", "30"], check=True, capture_output=True)
    mine, foreign = (ca + "/ca.pem", ca + "/ca.key"), (other + "/ca.pem", other + "/ca.key")
    options = 'tls = "verified" user = "u" password = "secret"'
    extra = SLOW + f'tls {{ ca = "{mine[0]}" }}\n'
    cases = ((certificate(d, "smtp.isp.test", mine), None),
             (certificate(d, "mail.isp.test", mine), "match"),
             (certificate(other, "smtp.isp.test"), "self"),
             (certificate(d + "/ca", "smtp.isp.test", foreign), "issuer"),
             (expired(old, "smtp.isp.test", mine), "expired"))
    with Names("smtp.isp.test A 127.0.0.1\n") as names:
        for (cert, key), why in cases:
            with Sink("--tls-cert", cert, "--tls-key", key, "--auth", "u:secret") as s, \
                    smarthost(("smtp.isp.test", s.port, options), extra=extra + names.conf) as b:
                b.send(SENDER, [RCPT], message())
                if why:
                    nothing_in_clear(s, b, why)
                    continue
                m = s.messages(1)[0]
                assert m["tls"] and m["sni"] == "smtp.isp.test" and m["auth"] == "u", m
    shutil.rmtree(d)


def auth():
    d = tempfile.mkdtemp()
    cert, key = certificate(d)
    for mech in ("PLAIN", "LOGIN", "CRAM-MD5"):
        with Sink("--tls-cert", cert, "--tls-key", key, "--auth", "us er:pa ss\u00e9", "--require-auth",
                  "--caps", f"PIPELINING,STARTTLS,8BITMIME,AUTH {mech}") as s, \
                smarthost(("127.0.0.1", s.port, 'user = "us er" password = "pa ss\u00e9"')) as b:
            b.send(SENDER, [RCPT], message())
            m = s.messages(1)[0]
            assert m["auth"] == "us er" and m["tls"], m
            assert any(l.startswith("AUTH " + mech) for l in m["lines"]), m["lines"]
    # A wrong password is our fault, not the message's: it waits.
    with Sink("--auth", "u:right", "--require-auth") as s, \
            smarthost(("127.0.0.1", s.port, 'tls = "off" user = "u" password = "wrong"')) as b:
        b.send(SENDER, [RCPT], message())
        assert "535" in b.deferred("AUTH command")
        assert b.mailbox("alice") == []
        assert "wrong" not in b.log().replace("5.7.8 wrong", "")
    # A password does not go out in clear because a peer would like that.
    with Sink("--auth", "u:p", "--caps", "PIPELINING,AUTH PLAIN LOGIN") as s, \
            smarthost(("127.0.0.1", s.port, 'tls = "may" user = "u" password = "p"')) as b:
        b.send(SENDER, [RCPT], message())
        b.deferred("clear")
        b.stop()
        assert not any(l.startswith("AUTH") for l in s.said()), s.said()
    shutil.rmtree(d)


def main():
    for test in (plain, reuse, large, many_recipients, weights, tls_may, tls_required, tls_verified, auth):
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        start = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)


main()
