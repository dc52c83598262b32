# SPDX-License-Identifier: GPL-3.0-or-later
"""What is found out about a message before 250: signatures of others' software, the author's policy, and who is told.

FEATURES T2, T3, T4: checks, their results as JSON in the envelope and in Authentication-Results; those of strangers in our name are taken out.
"""
import base64
import contextlib
import email
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Names, Wire, route, run, upstream, wait_for  # noqa: E402

# Debian's own, which has dkim.
PYTHON = "/usr/bin/python3"
SIGN = r"""
import dkim, sys
key, domain, algorithm, canon = open(sys.argv[1], "rb").read(), *(a.encode() for a in sys.argv[2:5])
if algorithm == b"ed25519-sha256":
    import nacl.signing, nacl.encoding
a, b = canon.split(b"/")
sys.stdout.buffer.write(dkim.sign(sys.stdin.buffer.read(), b"sel", domain, key, canonicalize=(a, b), signature_algorithm=algorithm))
"""
RELAYED = 'access { connect = {"0.0.0.0/0", "::/0"} relay = {"198.51.100.7"} xclient = {"127.0.0.1"} }\n'
# What is for somebody elsewhere stays in the spool.
WAITS = upstream("u", 1) + route("far.example", "u") + 'recipient "wait@example.test" { forward = {"u@far.example"} }\n'
CHECKS = 'check "dkim" { }\ncheck "dmarc" { exempt = {"192.0.2.77"} }\ncheck "arc" { }\ncheck "spf" { }\n'
HEAD = b"From: A <a@%s>\r\nTo: alice@example.test\r\nSubject: %s\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n"


def key_of(folder):
    path = folder + "/key"
    run("openssl", "genrsa", "-traditional", "-out", path, "2048")
    der = subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout
    v = "v=DKIM1; k=rsa; p=" + base64.b64encode(der).decode()
    return path, " ".join(f'"{v[i:i + 255]}"' for i in range(0, len(v), 255))


def signed(path, domain, message, canon="relaxed/simple"):
    field = subprocess.run([PYTHON, "-c", SIGN, path, domain, "rsa-sha256", canon], input=message, check=True, capture_output=True).stdout
    return field + message


def zone(key):
    # Keys that are nothing but large.
    large = "".join(f"s{n}._domainkey.evil.test TXT " + " ".join(['"' + "x" * 240 + '"'] * (34 if n < 4 else 16)) + ' "%s"\n' % ("x" * (32 if n < 4 else 0))
                    for n in range(8))
    large += "_dmarc.large.test TXT " + " ".join(['"' + "x" * 240 + '"'] * 17) + "\n_dmarc.large.test TXT \"v=DMARC1; p=reject\"\n"
    large += "".join(f"s._domainkey.a.b.c.{'x' * 63}.{'y' * 63}.{'z' * 62}{n}.late.test SERVFAIL\n" for n in range(8))
    return large + "".join(f"sel._domainkey.{d} TXT {key}\n" for d in ("good.test", "mail.good.test", "other.test", "strict.test")) + """
spf.test TXT "v=spf1 ip4:192.0.2.0/24 -all"
mail.spf.test TXT "v=spf1 ip4:192.0.2.0/24 -all"
_dmarc.spf.test TXT "v=DMARC1; p=reject"
_dmarc.good.test TXT "v=DMARC1; p=reject; sp=quarantine"
_dmarc.strict.test TXT "v=DMARC1; p=reject; adkim=s"
_dmarc.soft.test TXT "v=DMARC1; p=quarantine"
_dmarc.testing.test TXT "v=DMARC1; p=reject; t=y"
_dmarc.silent.test DROP
_dmarc.late.test TXT "v=DMARC1; p=reject"
*.chain.test DROP
_dmarc.np.test TXT "v=DMARC1; p=none; np=reject"
there.np.test A 192.0.2.1
silent.test A 192.0.2.1
"""


def give(b, message, address="192.0.2.9", to=("alice@example.test",), sender="bounce@far.test"):
    """A stranger's message; the answer to its end."""
    with Wire(b.port["smtp"]) as w:
        assert w.reply().startswith(b"220")
        w.smtp("EHLO proxy.test")
        assert w.smtp(f"XCLIENT ADDR={address}").startswith(b"220")
        w.smtp("EHLO client.test")
        assert w.smtp(f"MAIL FROM:<{sender}>").startswith(b"250")
        for one in to:
            assert w.smtp(f"RCPT TO:<{one}>").startswith(b"250")
        assert w.smtp("DATA").startswith(b"354")
        w.send(message + b".\r\n")
        return w.reply().decode().strip()


def message(domain="good.test", subject=b"x", body=b"hello\r\n", more=b""):
    return HEAD % (domain.encode(), subject) + more + b"\r\n" + body


def newest(b, subject):
    """The delivered message with that subject."""
    def look():
        found = [m for m in (open(p, "rb").read() for p in b.mailbox("alice")) if b"Subject: " + subject + b"\r\n" in m or
                 b"Subject: " + subject + b"\n" in m]
        return found[0] if found else None
    return email.message_from_bytes(wait_for(f"the message {subject}", look))


def results(m):
    fields = m.get_all("Authentication-Results", [])
    assert len(fields) == 1, m.as_string()
    assert m.keys()[:3].index("Authentication-Results") < m.keys().index("Received"), m.keys()
    return re.sub(r"\s+", " ", fields[0])


def good(b, path):
    for i, canon in enumerate(("relaxed/simple", "simple/simple", "relaxed/relaxed")):
        for size in (1, 2000, 20000):
            subject = b"good %d %d" % (i, size)
            said = give(b, signed(path, "good.test", message(subject=subject, body=b"a line of text \r\n" * size), canon))
            assert said.startswith("250"), said
            m = newest(b, subject)
            found = results(m)
            assert found.startswith("mx.example.test; spf=none smtp.mailfrom=bounce@far.test; spf=none smtp.helo=client.test; dmarc=pass header.from=good.test; arc=none; dkim=pass header.d=good.test "), found
            assert "header.s=sel header.a=rsa-sha256" in found, found
            assert len(m.get_payload().replace("\r", "")) == 16 * size, "the text itself"
    log = b.log()
    assert re.search(r"cleanup|smtpd\[\d+\]: [0-9A-F]{19}: checks: spf=none \(bounce@far.test\), spf=none \(client.test\), dmarc=pass \(good.test\), arc=none, dkim=pass \(good.test\)", log), log


def aligned(b, path):
    assert give(b, signed(path, "good.test", message("mail.good.test", b"below"))).startswith("250")
    assert "dmarc=pass header.from=mail.good.test" in results(newest(b, b"below"))
    said = give(b, signed(path, "other.test", message("good.test", b"other")))
    assert said.startswith("550 5.7.1 Refused by the policy of good.test (DMARC)"), said
    assert give(b, signed(path, "mail.good.test", message("strict.test"))).startswith("550 5.7.1")
    assert give(b, signed(path, "strict.test", message("strict.test"))).startswith("250")


def bad(b, path):
    said = give(b, signed(path, "good.test", message()).replace(b"hello", b"hallo"))
    assert said.startswith("550 5.7.1 Refused by the policy of good.test"), said
    assert give(b, message()).startswith("550 5.7.1"), "no signature at all"
    assert give(b, message(), to=("postmaster@example.test",)).startswith("250"), "the postmaster hears of it"
    assert give(b, message(subject=b"second MX"), address="192.0.2.77").startswith("250")
    assert "dmarc=fail header.from=good.test policy.dmarc=reject" in results(newest(b, b"second MX"))
    # Nobody's, or several people's.
    for head in (b"", b"From: a@good.test\r\nFrom: a@good.test\r\n", b"From: a@good.test, b@other.test\r\n"):
        said = give(b, head + b"Subject: x\r\n\r\nx\r\n")
        assert said.startswith("550 5.7.1 The message cannot be said to be anybody's (DMARC): it"), said
    # A line that is no field ends no header for those who read mail.
    said = give(b, b"From: x@unknown.test\r\njunk\r\nFrom: ceo@good.test\r\n\r\nx\r\n")
    assert said.startswith("550 5.7.1 The message cannot be said to be anybody's (DMARC): it has more than one From"), said
    # No trace of any of them.
    assert not os.listdir(b.dir + "/spool/tmp")


def crowded(b, path):
    """Of all that an answer of barid-check holds a stranger's keys leave enough for the policy of who is said to be the author."""
    field = b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=evil.test; s=s%d; h=from; bh=" + base64.b64encode(b"x" * 32) + b"; b=eHg=\r\n"
    said = give(b, b"".join(field % n for n in range(8)) + message())
    assert said.startswith("550 5.7.1 Refused by the policy of good.test"), said
    # Many names that are long, all of one organization, and DNS does not say what is signed there.
    long = "a.b.c." + ".".join(c * 63 for c in "xyz")
    bh = base64.b64encode(hashlib.sha256(b"hello\r\n").digest())
    field = b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=s; h=from; bh=" + bh + b"; b=eHg=\r\n"
    said = give(b, b"".join(field % f"{long[:-1]}{n}.late.test".encode() for n in range(8)) + message(long + ".late.test"),
                sender=f"x@{long[:-1]}9.late.test")
    assert said.startswith("451 4.7.1 DNS does not say now whether this is mail of late.test"), said


def by_spf(b):
    """DMARC goes by SPF as well, of the organization's domains; and a message that has both has both results."""
    assert give(b, message("spf.test", b"by spf"), sender="x@mail.spf.test").startswith("250")
    found = results(newest(b, b"by spf"))
    assert "spf=pass smtp.mailfrom=x@mail.spf.test" in found and "dmarc=pass header.from=spf.test" in found, found
    assert give(b, message("spf.test"), sender="x@far.test").startswith("550 5.7.1 Refused by the policy of spf.test")


def apart(b):
    for domain, subject in (("soft.test", b"soft"), ("x.good.test", b"subdomain"), ("testing.test", b"testing")):
        assert give(b, message(domain, subject, more=b"X-Quarantine: no\r\n")).startswith("250")
        m = newest(b, subject)
        assert m.get_all("X-Quarantine") == ["DMARC"], m.as_string()
        assert "policy.dmarc=quarantine" in results(m)
    # What is not there, below a domain that has a policy for that.
    assert give(b, message("missing.np.test")).startswith("550 5.7.1 Refused by the policy of np.test")
    assert give(b, message("there.np.test")).startswith("250")
    # DNS has more than is looked at, or nothing, or (below) does not answer: never a refusal, nor set apart.
    let_in(b, "large.test", "temperror")
    let_in(b, "unknown.test", "none")


def silent(b):
    let_in(b, "silent.test", "temperror")


def chained(b, names):
    """A chain with a hundred keys that DNS does not answer for: all of them together have the time of one."""
    bh = base64.b64encode(hashlib.sha256(b"hello\r\n").digest()).decode()
    sets = "".join(
        f"ARC-Seal: i={n}; a=rsa-sha256; cv={'pass' if n > 1 else 'none'}; d=a{n}.chain.test; s=s; b=AAAA\r\n"
        f"ARC-Message-Signature: i={n}; a=rsa-sha256; d=m{n}.chain.test; s=s; h=from; bh={bh}; b=AAAA\r\n"
        f"ARC-Authentication-Results: i={n}; a{n}.chain.test; none\r\n" for n in range(50, 0, -1))
    said = give(b, message("none.test", b"chained", more=sets.encode()))
    assert said.startswith("250"), said
    assert "arc=fail" in results(newest(b, b"chained"))
    # The first question, another that is sent when that has its answer, and one more if a timer was early by a little.
    asked = {line for line in names.asked() if "chain.test" in line}
    assert 16 <= len(asked) <= 3 * 16, len(asked)


def let_in(b, domain, result):
    assert give(b, message(domain, domain.encode(), more=b"X-Quarantine: DMARC\r\n")).startswith("250")
    m = newest(b, domain.encode())
    assert m["X-Quarantine"] is None and f"dmarc={result} header.from={domain}" in results(m), m.as_string()


def claimed(b, path):
    """T4: what others wrote in our name is taken out; what they wrote in theirs stays, and nothing that is signed breaks."""
    mine = b"Authentication-Results: mx.EXAMPLE.test (really) 1;\r\n\tdmarc=pass header.from=bank.test\r\n"
    other = b"Authentication-Results: mx.other.test; spf=pass\r\n"
    text = signed(path, "good.test", message(subject=b"claimed"))
    assert give(b, mine + other + mine + text).startswith("250")
    m = newest(b, b"claimed")
    fields = m.get_all("Authentication-Results")
    assert len(fields) == 2 and "mx.other.test; spf=pass" in fields[1] and "dmarc=pass header.from=good.test" in fields[0], fields
    # Behind a line that is no field, too: whose mail is taken all the same, as of a second MX.
    said = give(b, b"Subject: behind\r\njunk\r\n" + mine + b"X-Quarantine: no\r\nX-Kept: 1\r\n\r\n" + mine, address="192.0.2.77")
    assert said.startswith("250"), said
    text = newest(b, b"behind").as_bytes().replace(b"\r", b"")
    head, body = text.split(b"\njunk\n")[1].split(b"\n\n", 1)
    assert head == b"X-Kept: 1" and b"bank.test" in body and b"dmarc=permerror" in text, text


def in_spool(b, path):
    """T3: of what waits, as JSON."""
    assert give(b, signed(path, "good.test", message(subject=b"waits")), to=("wait@example.test",)).startswith("250")
    spool = b.dir + "/spool"

    def found():
        for folder, _, names in os.walk(spool):
            for name in names:
                text = b""
                with contextlib.suppress(FileNotFoundError), open(f"{folder}/{name}", "rb") as f:
                    text = f.read()
                if b"Subject: waits" in text and b"\nchecks: " in text:
                    return text
        return None
    text = wait_for("it", found)
    checks = json.loads(re.search(rb"\nchecks: (.*)\n", text)[1])
    assert checks[0] == {"spf": "none", "smtp.mailfrom": "bounce@far.test"} and checks[2] == {"dmarc": "pass", "header.from": "good.test"}, checks
    assert checks[4]["dkim"] == "pass" and checks[4]["domain"] == "good.test" and checks[4]["selector"] == "sel", checks
    assert b"Authentication-Results: mx.example.test;" in text


def others(b):
    """Who may send anywhere is not checked, nor told on."""
    assert give(b, message(subject=b"relay"), address="198.51.100.7").startswith("250")
    assert newest(b, b"relay")["Authentication-Results"] is None
    with b.smtp("submission", login="alice") as c:
        c.sendmail("alice@example.test", ["alice@example.test"], b"Subject: login\r\n\r\nx\r\n")
        c.sendmail("alice@example.test", ["u@far.example"], b"Subject: login out\r\n\r\nx\r\n")
    assert results(newest(b, b"login")) == "mx.example.test; auth=pass smtp.auth=alice"


def killed(b, path):
    """Without barid-check nothing is lost, and nothing refused."""
    pid = int(re.search(r"helper barid-check 0 pid=(\d+)", b.ctl("status").stdout)[1])
    os.kill(pid, 19)
    os.kill(pid, 9)
    said = give(b, signed(path, "good.test", message(subject=b"alone")))
    assert said.startswith("250"), said
    assert re.search("dmarc=(pass|temperror)", results(newest(b, b"alone")))


def main():
    folder = tempfile.mkdtemp(prefix="barid-checks-")
    path, key = key_of(folder)
    names = Names(zone(key))
    try:
        with Barid(extra=names.conf + RELAYED + CHECKS + WAITS) as b:
            for case in (good, aligned, bad, crowded, claimed, in_spool, killed):
                print(case.__name__, flush=True)
                case(b, path)
            for case in (by_spf, apart, others):
                print(case.__name__, flush=True)
                case(b)
        with Barid(extra=names.within("30s") + RELAYED + CHECKS.replace('"dkim" { ', '"dkim" { timeout = 1s ')) as b:
            chained(b, names)
        with Barid(extra=names.within("1s") + RELAYED + CHECKS) as b:
            silent(b)
    finally:
        names.stop()


main()
