# SPDX-License-Identifier: GPL-3.0-or-later
"""K17: texts in a store, named by keys: handed in by sendmail and drop/, hostile ones, ones that come late, and ones that go.

FEATURES K17: storage-address with dir://, gzip, storage-ttl, the property "key".
"""
import gzip
import os
import re
import shutil
import sys
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import ROOT, USER, Barid, Sink, route, upstream, wait_for  # noqa: E402

TEXT = b"From: shop@example.test\nSubject: invoice\nBcc: secret@example.test\nx-mq-ip: 192.0.2.9\n\n.\nPay, please.\n"
SENT = b"From: shop@example.test\nSubject: invoice\n\n.\nPay, please.\n"
OLD = time.time() - 86400


class World(Barid):
    """A barid with a store, and the messages that name what is in it."""

    def __init__(self, more="", sink=None, **kw):
        self.count = 0
        self.more = "extract-headers = true\n" + more + (upstream("up", sink.port) + route("*", "up") if sink else "")
        super().__init__(start=False, **kw)
        self.store = self.dir + "/texts"
        os.mkdir(self.store, 0o755)
        if ROOT:
            # It is the daemon's to remove what is old; what is in it may be anybody's.
            shutil.chown(self.store, USER)
        self.write_conf(self.more + f'storage {{ address = "dir://{self.store}" ttl = 1h }}\n')

    def text(self, name, data=TEXT, age=60):
        path = f"{self.store}/{name}"
        with open(path + ".tmp", "wb") as f:
            f.write(data)
        os.utime(path + ".tmp", (time.time() - age,) * 2)
        os.rename(path + ".tmp", path)
        return path

    def eml(self, key, to="bob@example.test", more="", uid=None):
        self.count += 1
        path = f"{self.dir}/spool/drop/{self.count}"
        with open(path, "w", encoding="ascii") as f:
            f.write(f"From: shop@example.test\nTo: {to}\nSubject: not this\nX-Mq-Key: {key}\n{more}\n")
        os.utime(path, (OLD, OLD))
        if uid is not None:
            os.chown(path, uid, -1)
        os.rename(path, path + ".eml")

    def bad(self, words, count=1):
        wait_for(words, lambda: len(re.findall(rf"drop/\S+ of uid \d+ is now bad/\S+: {words}", self.log())) >= count)


def body(data):
    """Without what delivery puts before it."""
    return re.sub(rb"^(Return-Path|Delivered-To|X-Original-To):.*\n", b"", data, flags=re.M)


def taken():
    """By sendmail and as a .eml, plain and gzip, one text for many; and it is not needed any more once it was taken."""
    with Sink() as s, World(sink=s) as b:
        b.text("plain.eml")
        b.text("packed.eml.gz", gzip.compress(TEXT * 300))
        b.start()
        b.sendmail("-t", "-f", "shop@example.test", text="To: bob@example.test\nX-Barid-Key: plain\n")
        b.eml("plain")
        for m in b.mail("bob", 2):
            assert body(m) == SENT, m
        for i in range(50):
            b.eml("packed", f"to{i}@far.test", "x-mq-dsn-notify: NEVER\n")
        want = (SENT + TEXT * 299).replace(b"\n", b"\r\n")
        got = s.messages(50)
        assert {m["rcpts"][0]["path"] for m in got} == {f"to{i}@far.test" for i in range(50)}, got
        assert {m["size"] for m in got} == {len(want)} or all("size" not in m for m in got), (got[0], len(want))
        b.empty()
        # Nobody writes a text of his own beside a key, nor names one by SMTP.
        r = b.sendmail("bob@example.test", text="X-Barid-Key: plain\n\ntext\n", check=False)
        assert r.returncode == 65 and b"a key and a text of its own" in r.stderr, r
        r = b.sendmail("bob@example.test", text="X-Barid-Key: ../spool/new/x\n", check=False)
        assert r.returncode == 65 and b"X-Barid-Key is no key" in r.stderr, r
        with b.smtp("submission", tls=True, login="alice") as c:
            c.mail("alice@example.test")
            c.rcpt("bob@example.test")
            code, words = c.data(b"X-Mq-Key: plain\r\n\r\n")
            assert code == 554 and b"X-Mq-Key is for mail that is left in the drop directory" in words, words
        # What was taken is in the spool, whatever becomes of the store.
        b.write_conf(b.extra + "queue { deliver = false }\n")
        b.reload()
        b.eml("plain", "late@far.test")
        wait_for("the message", lambda: any(p == "new" for p, _ in b.spooled()))
        shutil.rmtree(b.store)
        b.write_conf(b.extra.replace("queue { deliver = false }\n", ""))
        b.reload()
        assert s.messages(51)[-1]["rcpts"][0]["path"] == "late@far.test"
        b.empty()
        wait_for("the audit to close", lambda: b.ctl("audit", check=False).returncode == 0)


def hostile():
    """Links, pipes, bombs, what is too large, what is another's: kept as bad, said why, and nothing else is held up."""
    with World("limits { message-size = 2MB }\n") as b:
        os.symlink("/etc/passwd", b.store + "/link.eml")
        os.mkfifo(b.store + "/fifo.eml")
        os.mkdir(b.store + "/folder.eml")
        os.link(b.text("one.eml"), b.store + "/two.eml")
        b.text("large.eml", b"a: b\n\n" + b"x" * 2100000)
        b.text("bomb.eml.gz", gzip.compress(b"a: b\n\n" + b"x" * (1 << 30 >> 5)))
        b.text("cut.eml.gz", gzip.compress(TEXT * 300)[:-9])
        b.text("good.eml")
        b.start()
        keys = ("link", "fifo", "folder", "one", "two", "large", "bomb", "cut", "/etc/passwd", "..", "a/b")
        for key in keys:
            b.eml(key)
        b.eml("good")
        assert body(b.mail("bob", 1)[0]) == SENT
        b.bad("its text is not a plain file with one name", 5)
        b.bad(r"its text is larger than limits\.message-size")
        b.bad("its text unpacks to more than is believable")
        b.bad("its text is gzip that is cut short")
        b.bad("X-Mq-Key is no key", 3)
        # The good one is in its box a moment before it is gone from here.
        wait_for("the others", lambda: sorted(p for p, _ in b.spooled()) == ["bad"] * len(keys))
        if ROOT:
            # Another user may name his own text, and not that of others; root names all.
            os.chown(b.text("his.eml"), 65534, 65534)
            b.eml("good", uid=65534)
            b.eml("his", uid=65534)
            b.eml("his")
            b.bad("its text belongs to somebody else")
            b.mail("bob", 3)
            os.chmod(b.text("secret.eml"), 0)
            b.eml("secret")
            b.bad("its text may not be read")


def late():
    """A text that is not there, or is being written, is waited for; so is a store."""
    with World() as b:
        os.rename(b.store, b.store + ".away")
        b.start()
        wait_for("the warning", lambda: f"storage.address: {b.store}: No such file or directory" in b.log())
        b.eml("first")
        wait_for("the store to be missed", lambda: re.search(
            r"mail waits for the text that its key names: 1, the first is drop/\S+ of uid \d+: the store .* fails", b.log()))
        os.rename(b.store + ".away", b.store)
        b.eml("second")
        wait_for("the texts to be missed", lambda: re.search(r"key names: 2, .*: its text is not in the store", b.log()))
        b.text("first.eml", age=0)
        b.text("second.eml.gz", gzip.compress(TEXT))
        assert [body(m) for m in b.mail("bob", 2, 40)] == [SENT, SENT]
        b.empty()


def gone():
    """storage.ttl: what is old is removed, if it has the name of a text; nothing is, without it."""
    with World() as b:
        old, kept = ("a.eml", "b.eml.gz"), ("c.txt", "d.eml.orig", "README")
        for name in old + kept:
            b.text(name, age=7200)
        b.text("young.eml", age=3000)
        with open(b.conf, encoding="utf-8") as f:
            with_ttl = f.read()
        with open(b.conf, "w", encoding="utf-8") as f:
            f.write(with_ttl.replace(" ttl = 1h", ""))
        b.start()
        b.eml("a")
        b.mail("bob", 1)
        assert "a.eml" in os.listdir(b.store)
        with open(b.conf, "w", encoding="utf-8") as f:
            f.write(with_ttl)
        b.reload()
        wait_for("what is old to go", lambda: sorted(os.listdir(b.store)) == sorted(kept + ("young.eml",)))
        wait_for("the word of it", lambda: f"removed 2 texts from the store {b.store}" in b.log())


def main():
    for test in (taken, hostile, late, gone):
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        start = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)


main()
