# SPDX-License-Identifier: GPL-3.0-or-later
"""FEATURES T6, T7, T8: which keys sign a message: those whose patterns fit its author, those that DNS has, and its own."""
import base64
import glob
import json
import os
import re
import smtplib
import subprocess
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Hosts, Names, Sink, need, route, spool_file, upstream, wait_for  # noqa: E402
from dkimtest import PYTHON, by_python, chains_by_python, make_key, section, zone  # noqa: E402

KINDS = {"esp": "ed25519", "a": "rsa", "boss": "ed25519", "now": "ed25519", "long": "ed25519",
         "bring": "rsa", "bringe": "ed25519"}
DOMAINS = {"esp": "esp.test", "bring": "brand.test", "bringe": "brand.test"}
TEXT = b"From: %s\r\nTo: u@far.example\r\nSubject: %s\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\nhello \t there\r\n\r\n"


class World(Hosts):
    """A barid with keys in its folder, whose records are in RECORDS, by selector."""

    def __init__(self):
        self.sink = Sink("--caps", "PIPELINING,8BITMIME,SIZE,CHUNKING", rules=["RCPT /^wait@/=450 4.2.1 not now"])
        self.b = Barid(users=("alice",), start=False)
        self.records = {s: make_key(f"{self.b.dir}/{s}.pem", kind) for s, kind in KINDS.items()}
        self.names = Names(self.zone())
        self.around = self.sink, self.names
        self.count = 0

    def zone(self, **other):
        """All records, or OTHER ones of some; None is none.  They are good for a second, but for that of "long"."""
        found = {f"{s}._domainkey.{DOMAINS.get(s, 'example.test')}": r for s, r in {**self.records, **other}.items() if r}
        long = {name: r for name, r in found.items() if name.startswith("long.")}
        return zone({name: r for name, r in found.items() if name not in long}, 1) + zone(long)

    def arrives(self, subject):
        """What the host got of it."""
        def look():
            found = [m["text"] for m in self.sink.messages() if b"\r\nSubject: " + subject + b"\r\n" in m["text"]]
            return found[0] if found else None
        return wait_for(f"the message {subject}", look)

    def send(self, author):
        """A message of its own, as it arrives."""
        self.count += 1
        with self.b.smtp("submission", login="alice") as s:
            s.sendmail("alice@example.test", ["u@far.example"], TEXT % (author, b"n%d" % self.count))
        return self.arrives(b"n%d" % self.count)

    def pem(self, selector):
        with open(f"{self.b.dir}/{selector}.pem", encoding="ascii") as f:
            return f.read()

    def drop(self, keys, subject, rcpt="u@far.example", author=b"alice@example.test", more=b"", body=b""):
        """A message with keys of its own, left as a plain file."""
        field = keys if isinstance(keys, str) else json.dumps(keys)
        path = f"{self.b.dir}/spool/drop/tmp.{subject.decode()}"
        with open(path, "wb") as f:
            f.write(b"X-Barid-Dkim: " + field.replace(", ", ",\r\n ").encode() + b"\r\n" + more +
                    (TEXT % (author, subject)).replace(b"u@far.example", rcpt.encode()) + body)
        os.chmod(path, 0o644)
        os.utime(path, (1, 1))
        os.rename(path, f"{self.b.dir}/spool/drop/{subject.decode()}.eml")

    def drop_envelope(self, keys, subject):
        """The same with an envelope, as the spool has it (barid-spool(5))."""
        text = TEXT % (b"alice@example.test", subject)
        number = "0651F0C3D2A1BF00042"
        env = (f"id: {number}\nfrom: <alice@example.test>\ntime: 1795305600000000\ndelays: 00\ndkim: {json.dumps(keys)}\n"
               "rcpt: Q <u@far.example>\n\n").encode()
        path = f"{self.b.dir}/spool/drop/tmp.{number}"
        with open(path, "wb") as f:
            f.write(spool_file(env, text))
        os.chmod(path, 0o644)
        os.rename(path, f"{self.b.dir}/spool/drop/{number}")

    def store(self, texts):
        paths = [f"{self.b.dir}/t{i}" for i in range(len(texts))]
        for path, text in zip(paths, texts):
            with open(path, "wb") as f:
                f.write(text)
        return paths

    def good(self, texts):
        """Each signature of each is good by another's verifier."""
        paths = self.store(texts)
        for found, text in zip(by_python(self.names, paths), texts):
            assert found == [True] * len(signers(text)), (found, text)


def signers(text):
    """The selectors of its signatures, the first first."""
    head = text.split(b"\r\n\r\n")[0] + b"\r\n"
    return [re.search(rb"s=([a-z]+);", f)[1].decode() for f in re.findall(rb"(?m)^DKIM-Signature: (?:.*\r\n)(?:[ \t].*\r\n)*", head)]


def patterns(w):
    """T6: all keys whose patterns fit sign, in the order of the file."""
    cases = ((b"Alice <alice@example.test>", ["esp", "a"]), (b"Boss@example.test", ["esp", "a", "boss"]),
             (b"\"news letter\"@eu.example.test", ["esp", "a", "boss"]), (b"u@x.other.test, boss@example.test", ["esp"]))
    texts = [w.send(author) for author, _ in cases]
    for (author, keys), text in zip(cases, texts):
        assert signers(text) == keys, (author, text)
    assert b"d=esp.test" in texts[3] and b"d=example.test" in texts[0]
    w.good(texts)


def published(w):
    """T6: a key that signs only while DNS has it: there, gone, another's, no answer, there again; the log says each once."""
    def signs(how):
        wait_for(f"how it signs {how}", lambda: signers(w.send(b"now@example.test")) == ["a"] + ["now"] * how)

    name = "now._domainkey.example.test"
    signs(True)
    for other, said in (({"now": None}, "there is no record"), ({"now": w.records["boss"]}, "the record is that of another key"),
                        ({}, None), ({"now": "v=DKIM1; k=rsa; p=AAAA"}, "the record is for a key of another kind")):
        w.names.change(w.zone(**({"esp": None} | other)))
        signs(said is None)
        check = w.b.ctl("dkim", "check", "example.test", check=False).stdout
        assert f"{name}: {said}; it does not sign until then (only-published)\n" in check if said else f"{name}: ok\n" in check, check
        told = w.b.ctl("explain", "--from", "now@example.test", "u@far.example").stdout
        assert re.search(r"signature +as example\.test by a ", told), told
        assert (f"as example.test by now: {said} (only-published)" if said else "as example.test by now, which DNS has") in told, told
    w.names.change(w.zone(now=None) + name + " SERVFAIL\n")
    wait_for("no answer", lambda: w.send(b"now@example.test") and f"{name}: DNS gives no answer: " in w.b.log())
    w.names.change(w.zone())
    signs(True)
    w.good([w.send(b"now@example.test")])
    log = w.b.log()
    assert log.count(f"{name}: there is no record: dkim-sign \"example.test\" does not sign") == 1, log
    assert log.count(f"{name} is in DNS: dkim-sign \"example.test\" signs") == 2, log


def together(w):
    """T6: one question for all messages, and none for keys that sign in any case."""
    with w.b.smtp("submission", login="alice") as s:
        for i in range(20):
            s.sendmail("alice@example.test", ["u@far.example"], TEXT % (b"long@example.test", b"t%d" % i))
    for i in range(20):
        assert signers(w.arrives(b"t%d" % i)) == ["a", "long"]
    asked = w.names.asked()
    assert sum("long._domainkey.example.test" in line for line in asked) == 1, asked
    assert not any("boss._domainkey" in line or " esp._domainkey" in line for line in asked), asked


def brought(w):
    """T6, T7, T8: a message brings its keys; they sign beside ours or alone, whoever it is from."""
    rsa = {"domain": "brand.test", "selector": "bring", "key": w.pem("bring"), "expire": "+7d", "headers": ["Feedback-ID", "X-None"],
           "report": True, "protocols": ["dkim", "arc"]}
    ed = {"domain": "brand.test", "selector": "bringe", "key": "".join(w.pem("bringe").split("\n")[1:-2]), "canonicalization": "simple/simple"}
    w.drop([rsa, ed], b"both", more=b"Feedback-ID: 1:2:3\r\n")
    w.drop({**ed, "alone": True}, b"alone")
    w.drop({**rsa, "protocols": ["arc"]}, b"sealed", author=b"u@else.test")
    w.drop(ed, b"other", author=b"u@else.test")
    w.drop(rsa, b"chained", more=b"ARC-Seal: i=1; a=rsa-sha256; cv=none; d=x.test; s=a; b=\r\nARC-Message-Signature: i=1; a=rsa-sha256; d=x.test;"
           b" s=a; h=from; bh=; b=\r\nARC-Authentication-Results: i=1; x.test; none\r\n")
    w.drop_envelope(rsa, b"block")
    # A large one is hashed before it is sent, in both forms.
    w.drop([rsa, ed], b"large", author=b"now@example.test", body=b"a line \t of text  \r\n" * 60000 + b"\r\n\r\n")
    names = (b"both", b"alone", b"sealed", b"other", b"block", b"chained", b"large")
    text = dict(zip(names, (w.arrives(s) for s in names)))
    esp = ["esp"]
    assert {s: signers(t) for s, t in text.items()} == {
        b"both": ["bring", "bringe"] + esp + ["a"], b"alone": ["bringe"], b"sealed": esp, b"other": ["bringe"] + esp,
        b"block": ["bring"] + esp + ["a"], b"chained": ["bring"] + esp + ["a"],
        b"large": ["bring", "bringe", "a", "now"]}, {s: t[:3000] for s, t in text.items()}
    head = text[b"both"][:3000]
    assert b"c=relaxed/simple;\r\n\td=brand.test;" in head and b"c=simple/simple;" in head and b" r=y;" in head, head
    made, ends = (int(re.search(rb" %s=(\d+);" % t, head[head.index(b"DKIM-Signature"):])[1]) for t in (b"t", b"x"))
    assert abs(ends - made - 7 * 86400) < 60 and b"Feedback-ID" in head.split(b"DKIM-Signature", 1)[1].split(b"bh=")[0], head
    assert all(b"X-Barid-Dkim" not in t and b"PRIVATE" not in t for t in text.values())
    w.good([text[s] for s in names])
    seals = [text[s] for s in (b"both", b"sealed", b"block", b"large", b"alone")]
    assert chains_by_python(w.names, w.store(seals)) == ["pass"] * 4 + ["none"], [t[:3000] for t in seals]
    assert b"ARC-Authentication-Results: i=1; mx.example.test; none\r\n" in seals[0] and text[b"chained"].count(b"ARC-Seal:") == 1
    assert "not sealed: nobody here found its seals good" in w.b.log()


def hidden(w):
    """T6: nobody is shown the key of a message that waits."""
    w.drop({"domain": "brand.test", "selector": "bring", "key": w.pem("bring")}, b"waits", rcpt="wait@far.example")
    path = wait_for("it to wait", lambda: glob.glob(w.b.dir + "/spool/cur/*/*"))[0]
    with open(path, encoding="ascii") as f:
        secret = w.pem("bring").split("\n")[3]
        assert secret in f.read()
    number = os.path.basename(path)
    told = [w.b.ctl(*words).stdout for words in (("queue", "list"), ("queue", "show", number), ("--json", "queue", "list"),
                                                 ("explain", number), ("--json", "explain", number))]
    assert "\ndkim: ********\n" in told[1], told[1]
    assert "as brand.test by bring, rsa of 2048 bits: a signature\n" in told[3] and "as example.test by a" in told[3], told[3]
    for text in told + [w.b.log()] + [open(p, encoding="utf-8", errors="replace").read() for p in glob.glob(w.b.dir + "/journal*")]:
        assert secret not in text and "PRIVATE" not in text, text
    w.b.ctl("queue", "bounce", number)
    report = wait_for("the report", lambda: glob.glob(w.b.dir + "/mail/alice/new/*"))[0]
    with open(report, encoding="utf-8") as f:
        text = f.read()
    assert secret not in text and "Subject: waits" in text, text


def refused(w):
    """T6: what is no key goes to bad/, with the reason and without the key; by SMTP none is taken."""
    small = subprocess.run(["openssl", "genpkey", "-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:1000"], check=True, capture_output=True).stdout
    locked = subprocess.run(["openssl", "pkey", "-in", w.b.dir + "/bring.pem", "-aes128", "-passout", "pass:x"], check=True,
                            capture_output=True).stdout
    key = {"domain": "brand.test", "selector": "bring"}
    cases = (({**key, "key": small.decode()}, "is an RSA key of less than 1024 bits"), ({**key, "key": locked.decode()}, "is encrypted"),
             ({**key, "key": "SECRET" * 10}, "holds no private key"), ("{", "its dkim is no JSON"), ({**key, "key": "x" * 70000}, "its dkim is too long"))
    for i, (keys, why) in enumerate(cases):
        w.drop(keys, b"bad%d" % i)
        wait_for(why, lambda i=i, why=why: re.search(rf"drop/bad{i}\.eml of uid \d+ is now bad/\w+: .*{why}", w.b.log()))
    assert "SECRETSECRET" not in w.b.log() and base64.b64encode(b"SECRET").decode() not in w.b.log()
    try:
        with w.b.smtp("submission", login="alice") as s:
            s.sendmail("alice@example.test", ["u@far.example"], b"X-Barid-Dkim: {}\r\n" + TEXT % (b"alice@example.test", b"smtp"))
        raise AssertionError("taken")
    except smtplib.SMTPDataError as e:
        assert e.smtp_code == 554 and b"drop directory" in e.smtp_error, e


def main():
    need(PYTHON, "openssl")
    with World() as w:
        d = w.b.dir
        w.b.write_conf(w.names.conf.replace("timeout", "min-ttl = 0s timeout") + "queue { runners = 1 }\nextract-headers = true\n" + upstream("far", w.sink.port) + route("*", "far") +
                       section("esp.test", "esp", d + "/esp.pem", r'from = {"/^(?!now@|long@).*/"}') +
                       section("example.test", "a", d + "/a.pem", "subdomains = true") +
                       section("example.test", "boss", d + "/boss.pem", r'from = {"boss@example.test", "/^news .*@.*\\.example\\.test$/"}') +
                       section("example.test", "now", d + "/now.pem", 'from = {"now@*"} only-published = true') +
                       section("example.test", "long", d + "/long.pem", 'from = {"long@*"} only-published = true'))
        w.b.start()
        together(w)
        published(w)
        patterns(w)
        brought(w)
        hidden(w)
        refused(w)


if __name__ == "__main__":
    main()
