# SPDX-License-Identifier: GPL-3.0-or-later
"""FEATURES T6, T7, T8: which keys sign a message: those whose patterns fit its author, those that DNS has, and its own."""
import os
import re
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Names, Sink, need, route, upstream, wait_for  # noqa: E402
from dkimtest import PYTHON, by_python, make_key, section, zone  # noqa: E402

KINDS = {"esp": "ed25519", "a": "rsa", "boss": "ed25519", "now": "ed25519", "long": "ed25519"}
DOMAINS = {"esp": "esp.test"}
TEXT = b"From: %s\r\nTo: u@far.example\r\nSubject: %s\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\nhello \t there\r\n\r\n"


class World:
    """A barid with keys in its folder, whose records are in RECORDS, by selector."""

    def __init__(self):
        self.sink = Sink("--caps", "PIPELINING,8BITMIME,SIZE,CHUNKING")
        self.b = Barid(users=("alice",), start=False)
        self.records = {s: make_key(f"{self.b.dir}/{s}.pem", kind) for s, kind in KINDS.items()}
        self.names = Names(self.zone())
        self.count = 0

    def zone(self, **other):
        """All records, or OTHER ones of some; None is none.  They are good for a second, but for that of "long"."""
        found = {f"{s}._domainkey.{DOMAINS.get(s, 'example.test')}": r for s, r in {**self.records, **other}.items() if r}
        long = {name: r for name, r in found.items() if name.startswith("long.")}
        return zone({name: r for name, r in found.items() if name not in long}, 1) + zone(long)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.b.__exit__(*exc)
        self.sink.stop()
        self.names.stop()

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

    def good(self, texts):
        """Each signature of each is good by another's verifier."""
        paths = [f"{self.b.dir}/t{i}" for i in range(len(texts))]
        for path, text in zip(paths, texts):
            with open(path, "wb") as f:
                f.write(text)
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


def main():
    need(PYTHON, "openssl")
    with World() as w:
        d = w.b.dir
        w.b.write_conf(w.names.conf.replace("timeout", "min-ttl = 0s timeout") + "queue { runners = 1 }\n" + upstream("far", w.sink.port) + route("*", "far") +
                       section("esp.test", "esp", d + "/esp.pem", r'from = {"/^(?!now@|long@).*/"}') +
                       section("example.test", "a", d + "/a.pem", "subdomains = true") +
                       section("example.test", "boss", d + "/boss.pem", r'from = {"boss@example.test", "/^news .*@.*\\.example\\.test$/"}') +
                       section("example.test", "now", d + "/now.pem", 'from = {"now@*"} only-published = true') +
                       section("example.test", "long", d + "/long.pem", 'from = {"long@*"} only-published = true'))
        w.b.start()
        together(w)
        published(w)
        patterns(w)


if __name__ == "__main__":
    main()
