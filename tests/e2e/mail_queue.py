# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue: steering, lost hints, restarts, broken files, drop/, dead destinations, load."""
import contextlib
import json
import os
import random
import re
import signal
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Sink, route, smarthost, upstream, wait_for  # noqa: E402

RELAY = ("127.0.0.0/8",)
SLOW = "queue { retry = {1h} idle-connection = 200ms }\n"
SENDER = "alice@example.test"


def message(subject="x", body="hello\r\n"):
    return f"From: alice@example.test\r\nTo: you@far.example\r\nSubject: {subject}\r\n\r\n{body}"


def put(b, rcpts, text, c=None):
    """Sends it; its queue id."""
    with b.smtp() if c is None else contextless(c) as c:
        if not c.helo_resp and not c.ehlo_resp:
            c.ehlo()
        assert c.mail(SENDER)[0] == 250
        for r in rcpts:
            assert c.rcpt(r)[0] == 250, r
        code, words = c.data(text)
        assert code == 250, words
        return words.split(b"queued as ")[1].decode()


class contextless:
    def __init__(self, c):
        self.c = c

    def __enter__(self):
        return self.c

    def __exit__(self, *exc):
        pass


def subjects(texts):
    return sorted(re.search(rb"Subject: ([^\r\n]+)", t).group(1).decode() for t in texts)


def place_of(b, ident):
    return next((p for p, n in b.spooled() if n == ident), None)


# ---- steering -------------------------------------------------------------------

def steering():
    """hold, release, flush, delete, bounce: what waits, while other mail goes through."""
    rules = ["RCPT 1 @1=450 4.2.0 not now", "RCPT /^wait/=450 4.2.0 not now"]
    with Sink(rules=rules) as s, smarthost(s.port, extra=SLOW) as b:
        stop, sent = threading.Event(), [0]

        def traffic():
            with b.smtp() as c:
                while not stop.is_set():
                    put(b, ["bob@example.test"], message(f"other {sent[0]}"), c)
                    sent[0] += 1
        other = threading.Thread(target=traffic)
        other.start()
        try:
            ids = [put(b, [f"wait{n}@far.example"], message(f"number {n}")) for n in range(6)]
            wait_for("all deferred", lambda: all(place_of(b, i) == "cur" for i in ids))
            b.ctl("queue", "hold", ids[0], ids[1])
            wait_for("two on hold", lambda: [place_of(b, i) for i in ids[:2]] == ["hold", "hold"])
            listing = [json.loads(line) for line in b.ctl("--json", "queue").stdout.splitlines()]
            assert set(ids) <= {m["queue_id"] for m in listing}, listing
            assert ids[0] + "!" in b.ctl("queue").stdout.replace(" ", ""), b.ctl("queue").stdout
            tries = {i: b.log().count(f"{i}: to=") for i in ids}
            b.ctl("queue", "flush")
            wait_for("another attempt", lambda: all(b.log().count(f"{i}: to=") > tries[i] for i in ids[2:]))
            assert all(b.log().count(f"{i}: to=") == tries[i] for i in ids[:2]), "held means held"
            b.ctl("queue", "release", ids[0])
            wait_for("it to be tried", lambda: b.log().count(f"{ids[0]}: to=") > tries[ids[0]])
            # Deleted: nobody hears of it.  Returned: the sender does.
            b.ctl("queue", "delete", ids[1], ids[2])
            wait_for("two to be gone", lambda: not any(place_of(b, i) for i in ids[1:3]))
            b.ctl("queue", "bounce", ids[3])
            b.ctl("queue", "hold", ids[4])
            wait_for("it on hold", lambda: place_of(b, ids[4]) == "hold")
            b.ctl("queue", "bounce", ids[4])
            got = b.mail("alice", 2)
            for text, n in zip(sorted(got, key=lambda t: b"wait4@" in t), (3, 4)):
                assert f"Final-Recipient: rfc822; wait{n}@far.example" in text.decode() and b"Status: 5.7.0" in text
            # By domain, and what is not there.
            b.ctl("queue", "delete", "--domain", "FAR.example")
            wait_for("far.example to be gone", lambda: not [p for p, _ in b.spooled() if p == "cur"])
            assert b.ctl("queue", "flush", ids[1], check=False).returncode == 65
            assert len(b.mailbox("alice")) == 2 and s.messages() == []
        finally:
            stop.set()
            other.join()
        b.mail("bob", sent[0], 60)
        b.empty()
        assert len(b.mailbox("bob")) == sent[0] > 0


def steering_busy():
    """An order for a message that is being sent takes effect when the attempt is over."""
    with Sink(rules=["DOT=delay 1500; 450 4.2.0 not now"]) as s, smarthost(s.port, extra=SLOW) as b:
        ids = [put(b, [f"{n}@far.example"], message(n)) for n in ("hold", "delete", "bounce", "flush")]
        wait_for("the attempts", lambda: b.log().count("(queue active)") == 4)
        for order, ident in zip(("hold", "delete", "bounce", "flush"), ids):
            b.ctl("queue", order, ident)
        wait_for("it on hold", lambda: place_of(b, ids[0]) == "hold")
        wait_for("it to be gone", lambda: place_of(b, ids[1]) is None)
        assert b"Final-Recipient: rfc822; bounce@far.example" in b.mail("alice", 1)[0]
        wait_for("it to be gone", lambda: place_of(b, ids[2]) is None)
        wait_for("the last in cur/", lambda: place_of(b, ids[3]) == "cur")
        assert len(b.mailbox("alice")) == 1


def steering_together():
    """What was ordered last holds, also of a message that is being sent; orders at the same time lose none."""
    with Sink(rules=["DOT=delay 1000; 450 4.2.0 not now"]) as s, smarthost(s.port, extra=SLOW) as b:
        ident = put(b, ["x@far.example"], message())
        wait_for("the attempt", lambda: "(queue active)" in b.log())
        b.ctl("queue", "hold", ident)
        assert b.ctl("queue", "release", ident).stdout == "1 message\n"
        wait_for("the end of the attempt", lambda: "status=deferred" in b.log())
        wait_for("it in cur/", lambda: place_of(b, ident) == "cur")
        ids = [ident] + [put(b, ["x@far.example"], message()) for _ in range(19)]
        # The first of them may have been released behind its attempt, and have another.
        wait_for("the attempts", lambda: set(ids) <= set(re.findall(r": (\w+): to=.*status=deferred", b.log())))

        def rounds(*order):
            for _ in range(10):
                b.ctl("queue", *order, "--all", check=False)
        orders = [threading.Thread(target=rounds, args=a)
                  for a in (("hold",), ("release",), ("retry", "--at", "+1h"))]
        for t in orders:
            t.start()
        for t in orders:
            t.join()
        b.ctl("queue", "release", "--all")
        assert all(place_of(b, i) == "cur" for i in ids), b.spooled()
        wait_for("all to be known", lambda: json.loads(b.ctl("--json", "top", "--once").stdout)["queued"] == 20)


# ---- what was missed ---------------------------------------------------------------

def helpers(b, name="barid-runner"):
    return [int(p) for p in re.findall(rf"helper {name}.*pid=(\d+)", b.ctl("status").stdout)]


def lost_hints():
    """A hint that finds no room costs a scan, never a message."""
    with Barid() as b:
        b.send(SENDER, ["alice@example.test"], message("first"))
        b.mail("alice", 1)
        pids = helpers(b)
        assert pids
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        with b.smtp() as c:
            for n in range(1500):
                put(b, ["alice@example.test"], message(f"number {n}"), c)
        assert len(b.mailbox("alice")) == 1
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        b.mail("alice", 1501, 90)
        b.empty()
        assert len(set(subjects(b.mail("alice", 1501)))) == 1501
        # Killed: another takes its place, and finds what the first was told of.
        for pid in helpers(b):
            os.kill(pid, signal.SIGKILL)
        for n in range(20):
            b.send(SENDER, ["bob@example.test"], message(f"number {n}"))
        b.mail("bob", 20, 60)
        b.empty()


def restart():
    """What is queued is found again: deferred, new, on hold; nothing comes twice."""
    with Sink(rules=["RCPT=450 4.2.0 not now"]) as busy, contextlib.ExitStack() as later:
        with smarthost(busy.port, extra=SLOW) as b:
            ids = [put(b, [f"r{n}@far.example", "bob@example.test"], message(f"number {n}")) for n in range(30)]
            b.mail("bob", 30)
            wait_for("thirty deferred", lambda: len([p for p, _ in b.spooled() if p == "cur"]) == 30)
            b.ctl("queue", "hold", ids[7])
            wait_for("it on hold", lambda: place_of(b, ids[7]) == "hold")
            assert b.stop() == 0
            for how in (b.stop, b.kill):
                b.start()
                how()
                wait_for("the end of its children", lambda: not b.processes())
            # Without delivery it only waits, and sendmail needs no daemon.
            b.write_conf(b.extra + "queue { deliver = false }\n")
            b.start()
            put(b, ["late@far.example"], message("late"))
            b.stop()
            b.sendmail("-i", "-f", SENDER, "sendmail@far.example", text=message("sendmail"))
            assert sorted({p for p, _ in b.spooled()}) == ["cur", "drop", "hold", "new"]
            b.write_conf(b.extra.replace("deliver = false", "deliver = true"))
            busy.process.kill()
            busy.process.wait()
            s = later.enter_context(Sink("--port", str(busy.port)))
            b.start()
            b.ctl("queue", "flush")
            got = s.messages(31, 60)
            b.ctl("queue", "release", ids[7])
            got = s.messages(32, 60)
            b.empty()
            assert subjects(m["text"] for m in got) == sorted(
                [f"number {n}" for n in range(30)] + ["late", "sendmail"])
            assert len(b.mailbox("bob")) == 30, "who had it does not get it again"


# ---- too many ---------------------------------------------------------------------------

def full():
    """K3: limits.queued: no more is taken for now when so many wait, but what is handed in here; and again when they are gone."""
    with Barid(extra="queue { deliver = false }\nlimits { queued = 3 }\n") as b:
        def code():
            with b.smtp() as c:
                c.ehlo()
                return c.mail("you@far.example")[0]
        for _ in range(3):
            assert code() == 250
            b.send("you@far.example", ["alice@example.test"], message("one of three"))
        wait_for("the limit", lambda: code() == 452)
        with b.smtp() as c:
            c.ehlo()
            assert c.mail("you@far.example") == (452, b"4.3.1 There is too much mail here now")
            assert c.noop()[0] == 250
        b.sendmail("alice@example.test", text="Subject: by hand\n\nx\n")
        b.write_conf("limits { queued = 3 }\n")
        b.reload()
        b.mail("alice", 4)
        b.empty()
        wait_for("mail to be taken again", lambda: code() == 250)


# ---- broken files -------------------------------------------------------------------

def broken():
    """S-53, C-21, K3: cut short at every octet, and with bits turned: none is delivered, each is put away, said so."""
    with Barid(extra="queue { deliver = false }\n") as b:
        def fill(count):
            with b.smtp() as c:
                ids = [put(b, ["alice@example.test"], message("broken"), c) for _ in range(count)]
            return [f"{b.dir}/spool/new/{i}" for i in ids]
        whole = fill(10)
        length = min(os.path.getsize(p) for p in whole)
        cut, turned = fill(length), fill(300)
        cut_in_cur = fill(5)
        b.stop()
        for n, path in enumerate(cut):
            os.truncate(path, n)
        chance = random.Random(1)
        for path in turned:
            with open(path, "r+b") as f:
                data = bytearray(f.read())
                # A state is one octet that changes in place: no sum can cover it.
                state = data.index(b"\nrcpt: Q") + len(b"\nrcpt: ")
                while (at := chance.randrange(len(data))) == state:
                    pass
                data[at] ^= 1 << chance.randrange(8)
                f.seek(0)
                f.write(data)
        for path in cut_in_cur:
            os.truncate(path, length // 2)
            shard = f"{b.dir}/spool/cur/{os.path.basename(path)[11:13]}"
            os.makedirs(shard, 0o700, exist_ok=True)
            b.give(shard)
            os.rename(path, f"{shard}/{os.path.basename(path)}")
        # And what is no message at all.
        odd = f"{b.dir}/spool/new/"
        os.mkdir(odd + "0" * 19)
        os.mkfifo(odd + "1" * 19)
        os.symlink("/etc/passwd", odd + "2" * 19)
        open(odd + "README", "w").close()
        b.write_conf("")
        b.start()
        got = b.mail("alice", len(whole), 60)
        wait_for("new/ and cur/ to be settled",
                 lambda: {n for p, n in b.spooled() if p in ("new", "cur")} <= {"README", "0" * 19, "1" * 19, "2" * 19},
                 60)
        # A count of delay reports may differ; whatever is delivered is the message.
        body = [t.split(b"\n\n", 1)[1] for t in b.mail("alice", len(got))]
        assert set(body) == {b"hello\n"} and len(body) <= len(whole) + 10, len(body)
        bad = len([p for p, _ in b.spooled() if p == "bad"])
        assert bad + len(body) + b.log().count("never acknowledged is cut short: removed") >= \
            len(whole) + len(cut) + len(turned) + len(cut_in_cur), (bad, len(body))
        assert b.log().count("moved to bad/") >= len(turned) - 10
        assert len(helpers(b)) == b.log().count("started barid-runner") // 2, "no runner died of it"


def orphans():
    """K1: what was begun and never finished goes after a day; what is young may be finished yet."""
    with Barid(start=False) as b:
        b.start()
        b.stop()
        day = time.time() - 90_000
        paths = {}
        for sub, name in (("tmp", "6" * 19), ("drop", "tmp." + "6" * 19), ("tmp", "drop." + "6" * 19)):
            for age in ("old", "young"):
                path = f"{b.dir}/spool/{sub}/{name[:-1]}{'7' if age == 'old' else '8'}"
                with open(path, "w") as f:
                    f.write("half a mess")
                b.give(path)
                if age == "old":
                    os.utime(path, (day, day))
                paths.setdefault(age, []).append(path)
        ready = b.log().count(" runner 0 of ")
        b.start()
        # It has looked for them by then.
        wait_for("the runner", lambda: b.log().count(" runner 0 of ") > ready)
        assert not any(map(os.path.exists, paths["old"])) and all(map(os.path.exists, paths["young"]))


# ---- drop/ ---------------------------------------------------------------------------

def drop_put(b, name, data):
    path = f"{b.dir}/spool/drop/{name}"
    with open(path + ".part", "wb") as f:
        f.write(data.encode() if isinstance(data, str) else data)
    b.give(path + ".part")
    os.rename(path + ".part", path)
    return path


def drop():
    """K16: files are picked up, for those whom To, Cc and Bcc name; what is none is put away."""
    with Sink() as s, smarthost(s.port, extra=SLOW) as b:
        drop_put(b, "one.eml", "From: Alice <alice@example.test>\nTo: bob@example.test,\n you@far.example\n"
                 "Bcc: carol@far.example\nSubject: one\n\nbody\n.\n..x\nlast line")
        drop_put(b, "Two.EML", "Return-Path: <x@y.example>\r\nFrom: alice@example.test\r\nCc: bob@example.test\r\n"
                 "Subject: two\r\n\r\nbody\r\n")
        # An address without a domain is one of ours, as with sendmail.
        drop_put(b, "bare.eml", "From: alice\nTo: bob, bob@example.test, dave@far.example\nSubject: bare\n\nx\n")
        drop_put(b, "three.txt", "not for us")
        drop_put(b, "four.eml", "Subject: no recipient\n\nbody\n")
        drop_put(b, "five.eml", b"")
        m, bare = sorted(s.messages(2), key=lambda m: len(m["rcpts"]), reverse=True)
        assert sorted(r["path"] for r in m["rcpts"]) == ["carol@far.example", "you@far.example"], m
        assert m["mail"]["path"] == bare["mail"]["path"] == "alice@example.test", bare
        assert m["text"].endswith(b"\r\n\r\nbody\r\n.\r\n..x\r\nlast line\r\n") and b"carol" not in m["text"]
        got = b.mail("bob", 3)
        assert sorted(subjects(got)) == ["bare", "one", "two"]
        assert any(t.startswith(b"Return-Path: <x@y.example>\n") for t in got)
        wait_for("what is none in bad/, and the rest gone",
                 lambda: sorted(p for p, _ in b.spooled()) == ["bad", "bad", "drop"])
        wait_for("what is said of it", lambda: "drop/four.eml" in b.log() and "drop/five.eml" in b.log())


def drop_evil():
    """S-52: links, FIFOs and directories are neither followed nor waited for."""
    with tempfile.TemporaryDirectory() as d, Barid() as b:
        os.chmod(d, 0o755)
        secret = d + "/secret"
        text = "From: alice@example.test\nTo: alice@example.test\nSubject: secret\n\nsecret\n"
        with open(secret, "w") as f:
            f.write(text)
        before = os.stat(secret)
        spool = b.dir + "/spool/drop/"
        # Another file system has no hard links here.
        linked = os.stat(d).st_dev == os.stat(spool).st_dev
        ident = put(b, ["bob@example.test"], message("real"))
        b.mail("bob", 1)
        if linked:
            os.link(secret, spool + "hard.eml")
            os.link(secret, spool + ident[:-1] + ("0" if ident[-1] != "0" else "1"))
        os.symlink(secret, spool + "sym.eml")
        os.symlink("/dev/zero", spool + "zero.eml")
        os.symlink("/etc", spool + "etc.eml")
        os.mkfifo(spool + "fifo.eml")
        os.mkfifo(spool + "4" * 19)
        for name in ("dir.eml", "5" * 19):
            os.mkdir(spool + name)
            b.give(spool + name)
        os.symlink("dangling", spool + "a\n\x1b[31mb.eml")
        drop_put(b, "good.eml", "From: alice@example.test\nTo: bob@example.test\nSubject: good\n\ngood\n")
        assert subjects(b.mail("bob", 2)) == ["good", "real"]
        wait_for("all to be put away", lambda: not [n for n in os.listdir(spool) if n != "tmp"], 40)
        wait_for("nothing but bad/", lambda: {p for p, _ in b.spooled()} <= {"bad"})
        assert b.mailbox("alice") == [] and len(b.mailbox("bob")) == 2
        assert "\x1b" not in b.log() and "is now bad/" in b.log()
        after = os.stat(secret)
        assert (before.st_mode, before.st_uid, before.st_size) == (after.st_mode, after.st_uid, after.st_size)
        with open(secret) as f:
            assert f.read() == text
        assert len(os.listdir("/etc")) > 0
        # A name that is one thing now and another a moment later.
        stop = threading.Event()

        def swap():
            n = 0
            while not stop.is_set():
                n += 1
                for make in (lambda p: os.symlink(secret, p), lambda p: os.mkfifo(p)):
                    try:
                        make(f"{spool}x{n % 7}.eml.new")
                        os.rename(f"{spool}x{n % 7}.eml.new", f"{spool}x{n % 7}.eml")
                    except FileExistsError:
                        os.unlink(f"{spool}x{n % 7}.eml.new")
                time.sleep(0.001)
        t = threading.Thread(target=swap)
        t.start()
        for n in range(5):
            drop_put(b, f"real{n}.eml", f"From: a@b.example\nTo: bob@example.test\nSubject: real {n}\n\nx\n")
        b.mail("bob", 7, 60)
        stop.set()
        t.join()
        assert b.mailbox("alice") == []


# ---- load ----------------------------------------------------------------------------

def dead_destination():
    """N-14: who does not answer costs the others nothing."""
    with Sink(rules=["CONNECT=stall"]) as stalled, Sink() as alive, socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        extra = SLOW + upstream("stalled", stalled.port) + route("stalled.example", "stalled") + \
            upstream("hole", hole.getsockname()[1]) + route("hole.example", "hole") + \
            upstream("alive", alive.port) + route("alive.example", "alive")
        with Barid(relay=RELAY, extra=extra) as b:
            with b.smtp() as c:
                for n in range(300):
                    put(b, [f"x@{'stalled' if n % 2 else 'hole'}.example"], message(f"dead {n}"), c)
                for n in range(100):
                    put(b, ["x@alive.example", "bob@example.test"], message(f"alive {n}"), c)
            alive.messages(100, 60)
            b.mail("bob", 100, 60)
            # One time-out for all that go to the same place.
            wait_for("the refused to rest", lambda: len([p for p, _ in b.spooled() if p == "cur"]) == 150, 60)
            assert b.log().count("Connection refused (") < 150 or "suspended" in b.log()
            # What was sent a moment ago may not be off the spool yet.
            wait_for("the stalled to be left alone",
                     lambda: len([p for p, _ in b.spooled() if p == "new"]) == 150, 60)
            wait_for("300 in the queue", lambda: re.search(r"(?m)^runner-queued 300$", b.ctl("status").stdout))
            assert b.stop() == 0, "whoever stalls does not keep it from stopping"


def load(threads=20, each=100):
    """Every message arrives exactly once."""
    with Sink() as s:
        extra = "limits { connections-per-address = 100 }\n" + upstream("far", s.port) + route("far.example", "far")
        with Barid(relay=RELAY, extra=extra) as b:
            errors = []

            def send(t):
                try:
                    with b.smtp() as c:
                        for n in range(each):
                            rcpts = [["alice@example.test"], ["bob@example.test"], ["x@far.example"],
                                     ["alice@example.test", "bob@example.test", "x@far.example"]][n % 4]
                            c.sendmail(SENDER, rcpts, message(f"{t}.{n}"))
                except Exception as e:  # any failure at all is the finding
                    errors.append(repr(e))
            ts = [threading.Thread(target=send, args=(t,)) for t in range(threads)]
            for t in ts:
                t.start()
            for t in ts:
                t.join()
            assert not errors, errors[:3]
            b.empty(90)
            for kind, texts in ((0, b.mail("alice", 1)), (1, b.mail("bob", 1)), (2, [m["text"] for m in s.messages()])):
                want = sorted(f"{t}.{n}" for t in range(threads) for n in range(each) if n % 4 in (kind, 3))
                assert subjects(texts) == want, (kind, len(texts), len(want))


def main():
    for test in (steering, steering_busy, steering_together, lost_hints, restart, full, broken, orphans, drop, drop_evil, dead_destination, load):
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        start = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)


main()
