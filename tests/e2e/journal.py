# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal, and `baridctl audit` over it: each way that a message goes, by hand and by itself, closes; each hole
that is made is named."""
import glob
import os
import re
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import ROOT, certificate, wait_for  # noqa: E402
from journaltest import MESSAGE, SENDER, World  # noqa: E402

USAGE, DATAERR, NOINPUT, NOPERM = 64, 65, 66, 77


# ---- what is written -----------------------------------------------------------------------------


def lines(w):
    """Every line is JSON, and each event has what barid-journal(5) says."""
    i = w.send("alice@example.test", "ok@far.example", "no@far.example", "wait@far.example")
    for event, n in (("received", 1), ("delivered", 1), ("relayed", 1), ("bounced", 1), ("deferred", 1), ("dsn", 1)):
        found = w.await_line(**({"cause": i} if event == "dsn" else {"id": i}), event=event)
        assert len(found) == n, (event, found)
    e = w.lines(id=i, event="received")[0]
    assert e["rcpts"] == 4 and e["from"] == SENDER and e["proto"] == "ESMTP" and e["listener"] == "smtp", e
    assert "[127.0.0.1]:" in e["client"] and e["helo"] and e["size"] > 100, e
    assert abs(e["time"] - time.time()) < 60 and 0 <= e["time"] - e["arrival"] < 60 and "user" not in e, e
    d = w.lines(id=i, event="delivered")[0]
    assert (d["rcpt"], d["rcpts"], d["to"], d["relay"]) == (0, 4, "alice@example.test", "local"), d
    assert d["from"] == SENDER and d["status"] == "2.0.0" and len(d["delays"]) == 4, d
    r = w.lines(id=i, event="relayed")[0]
    assert r["rcpt"] == 1 and r["relay"] == f"127.0.0.1[127.0.0.1]:{w.sink.port}" and r["status"][0] == "2", r
    assert r["route"] == "far.example" and "far" in r["destination"] and r["reply"].startswith("250"), r
    n = w.lines(id=i, event="bounced")[0]
    assert n["rcpt"] == 2 and n["status"] == "5.1.1" and n["reply"].startswith("550 5.1.1 no \"such"), n
    t = w.lines(id=i, event="deferred")[0]
    assert t["rcpt"] == 3 and t["status"] == "4.2.1" and t["reply"] == "450 4.2.1 not now", t
    dsn = w.lines(cause=i)[0]
    assert dsn["to"] == SENDER and dsn["kind"] == "failed", dsn
    w.await_line(id=dsn["id"], event="removed")
    # What it says as a report may be read later.
    got = [e for e in w.lines(id=dsn["id"]) if e["event"] not in ("dsn", "queued", "report", "report-row")]
    assert [e["event"] for e in got] == ["received", "delivered", "removed"], got
    assert got[-1]["rcpts"] == 1 and w.lines(id=dsn["id"], event="received")[0]["from"] == "<>"
    # A message that is done leaves; this one does not.
    assert not w.lines(id=i, event="removed")
    assert w.ends() == {"delivered": 2, "relayed": 1, "bounced": 1, "queued": 1}
    # By login.
    with w.b.smtp("submission", login="bob") as c:
        c.sendmail("bob@example.test", ["alice@example.test"], MESSAGE)
    e = w.await_line(event="received", user="bob")[0]
    assert e["proto"] == "ESMTPSA" and e["tls"].startswith("TLSv1.") and e["listener"] == "submission", e
    mode = os.stat(w.b.dir + "/spool/journal").st_mode & 0o7777, os.stat(w.files()[0]).st_mode & 0o7777
    assert mode == (0o700, 0o600), mode
    if ROOT:
        assert os.stat(w.files()[0]).st_uid == w.b.uid
        assert w.b.ctl("audit", check=False, user=1).returncode == NOPERM
    w.b.ctl("queue", "delete", i)


def secured():
    """How a session out was secured."""
    folder = tempfile.mkdtemp(prefix="barid-journal-")
    certificate(folder)
    with World(options=("--tls-cert", folder + "/localhost.pem", "--tls-key", folder + "/localhost.key"),
               server='tls = "required"') as w:
        w.gone(w.send("ok@far.example"))
        e = w.await_line(event="relayed")[0]
        assert re.fullmatch(r"TLSv1\.[23] [A-Z0-9_-]+ required", e["tls"]), e
    shutil.rmtree(folder)


def left_from():
    """From which address, where one was chosen; what is thrown away has a line, too."""
    with World(extra='source { addresses = {"127.0.0.77"} }\nroute "thrown.example" { via = "discard" }\n') as w:
        w.gone(w.send("ok@far.example", "no@far.example", "x@thrown.example", "alice@example.test"))
        for event in ("relayed", "bounced"):
            e = w.await_line(event=event)[0]
            assert e["source"] == "127.0.0.77", e
        e = w.await_line(event="discarded")[0]
        assert e["to"] == "x@thrown.example" and e["route"] == "thrown.example", e
        assert "source" not in e and "relay" not in e and "source" not in w.await_line(event="delivered")[0], e
        w.b.empty()
        assert w.ends() == {"delivered": 2, "relayed": 1, "bounced": 1, "discarded": 1}


def put_off(w, i):
    """The message I, when it was tried and waits; behind the line of that its attempt is not over yet."""
    w.await_line(id=i, event="deferred")
    wait_for("the end of the attempt", lambda: i in w.b.ctl("--json", "queue", "list", "--state", "deferred").stdout)
    return i


def by_hand(w):
    """What an administrator does is written down, and closes at every step."""
    def queued(name):
        return put_off(w, w.send(name + "@far.example"))

    ids = [queued("wait" + str(n)) for n in range(6)]
    before = w.ends()
    w.b.ctl("queue", "hold", ids[0], ids[1])
    w.await_line(id=ids[1], event="held")
    assert w.ends()["held"] == 2
    w.b.ctl("queue", "delete", ids[0], ids[2])
    for i in (ids[0], ids[2]):
        assert len(w.lines(id=i, event="deleted")) == 1, w.lines(id=i)
    w.b.ctl("queue", "release", ids[1])
    w.await_line(id=ids[1], event="released")
    w.await_line(2, id=ids[1], event="deferred")
    w.b.ctl("queue", "bounce", ids[3])
    w.await_line(id=ids[3], event="removed")
    w.b.ctl("queue", "move", "--route", "other", ids[4])
    e = w.await_line(id=ids[4], event="changed")[0]
    assert (e["kind"], e["reason"]) == ("route", "other"), e
    w.b.ctl("queue", "retry", "--at", "+1h", ids[5])
    e = w.await_line(id=ids[5], event="changed")[0]
    assert e["kind"] == "time" and 3500 < e["due"] - time.time() < 3700, e
    wait_for("the report", lambda: not [n for p, n in w.b.spooled() if p == "new"])
    after = w.ends()
    assert after["deleted"] == before.get("deleted", 0) + 2 and after["queued"] == before["queued"] - 3, (before, after)
    assert after["bounced"] == before["bounced"] + 1, (before, after)
    assert w.b.ctl("queue", "delete", "0660BF0C3D2A1BF0004", check=False).returncode == DATAERR
    assert not w.lines(id="0660BF0C3D2A1BF0004")
    w.b.ctl("queue", "delete", "--all")
    wait_for("the end of all", lambda: "queued" not in w.ends())


def undeliverable(w):
    """A null sender's message that fails is dead; released, it has another chance."""
    i = w.send("no@far.example", sender="")
    w.await_line(id=i, event="dead")
    assert w.ends()["dead"] == 1
    # It may be on its way there.
    path = f"{w.b.dir}/spool/dead/{i}"
    wait_for("its release", lambda: w.b.ctl("queue", "release", i, check=False).returncode == 0)
    w.await_line(2, id=i, event="dead")
    assert w.ends()["dead"] == 1
    # Who removes it by a shell has lost it.
    wait_for("it in dead/", lambda: os.path.exists(path))
    os.rename(path, w.b.dir + "/aside")
    a = w.audit(code=1)
    assert [f["queue_id"] for f in a["findings"]] == [i] and a["ends"]["lost"] == 1, a
    os.rename(w.b.dir + "/aside", path)
    w.b.ctl("queue", "delete", i)
    assert "dead" not in w.ends()


def restarts(w):
    """A start tells what there is; nothing is counted twice."""
    held, waits = w.send("wait1@far.example"), w.send("wait2@far.example")
    for i in (held, waits):
        put_off(w, i)
    w.b.ctl("queue", "hold", held)
    before = w.ends()
    n = len(w.lines(event="start"))
    w.b.stop()
    assert len(w.lines(event="stop")) >= 2
    assert w.ends() == before
    w.b.start()
    w.await_line(n + 2, event="start")
    for i in (held, waits):
        w.await_line(id=i, event="queued")
    assert w.ends() == before
    # Held before it was ever loaded: received all the same.
    w.b.stop()
    w.b.write_conf(w.conf().replace("queue {", "queue { deliver = false "))
    w.b.start()
    ids = [w.send("ok@far.example") for _ in range(3)]
    assert w.ends()["queued"] == before["queued"] + 3
    wait_for("the runner to know of it", lambda: w.b.ctl("queue", "hold", ids[0], check=False).returncode == 0)
    assert w.lines(id=ids[0], event="received") and w.lines(id=ids[0], event="held")
    assert w.b.ctl("queue", "delete", ids[1], ids[2]).stdout == "2 messages\n"
    assert len(w.lines(id=ids[1])) == 2, w.lines(id=ids[1])
    w.b.stop()
    w.b.write_conf(w.conf())
    w.b.start()
    assert w.ends()["held"] == 2
    w.b.ctl("queue", "release", ids[0])
    w.await_line(id=ids[0], event="removed")
    w.b.ctl("queue", "delete", "--all")
    w.ends()


# ---- holes ---------------------------------------------------------------------------------------


def holes(w):
    """A file that is gone, and a line that is: each is named, in words and for programs."""
    i = w.send("wait9@far.example")
    w.await_line(id=i, event="deferred")
    w.b.stop()
    w.audit()
    path = next(p for p in glob.glob(f"{w.b.dir}/spool/cur/*/{i}"))
    os.rename(path, w.b.dir + "/aside")
    a = w.audit(code=1)
    assert a["wrong"] == 1 and a["findings"] == [{"kind": "missing", "wrong": True, "queue_id": i}], a
    text = w.b.ctl("audit", check=False)
    assert text.returncode == 1 and f"{i}: neither in the queue nor dealt with\n" in text.stdout, text
    assert text.stdout.endswith("\nThe sum does not close.\n") and re.search(r"(?m)^lost +1$", text.stdout), text
    # Older than what is asked for.
    assert w.audit("--since", "+1h")["messages"] == 0
    assert w.audit("--since", "1h", code=1)["wrong"] == 1
    os.rename(w.b.dir + "/aside", path)
    text = w.b.ctl("audit").stdout
    assert text.endswith("\nThe sum closes.\n"), text
    # A line that is missing, whole and in part.
    n, starts = len(w.lines(id=i, event="queued")), len(w.lines(event="start"))
    w.b.start()
    w.await_line(n + 1, id=i, event="queued")
    w.await_line(starts + 2, event="start")
    # What is there when all is listed needs no line of its own.
    for name in ("ok1", "ok2"):
        j = w.send(name + "@far.example")
        w.gone(j)
    w.await_line(id=j, event="removed")
    w.b.stop()
    path = next(p for p in w.files() if f'"removed","id":"{j}"' in open(p).read())
    good = open(path, "rb").read()
    whole = good.split(b"\n")
    relayed = next(n for n, line in enumerate(whole) if b'"relayed","id":"' + j.encode() in line)
    removed = next(n for n, line in enumerate(whole) if b'"removed","id":"' + j.encode() in line)
    received = next(n for n, line in enumerate(whole) if b'"received","id":"' + j.encode() in line)
    for missing, kind in ((relayed, "no-outcome"), (removed, "no-removed"), (received, "no-received")):
        with open(path, "wb") as f:
            f.write(b"\n".join(whole[:missing] + whole[missing + 1:]))
        a = w.audit(code=1)
        assert [(f["kind"], f["queue_id"]) for f in a["findings"]] == [(kind, j)], a
    # Cut off there: the next runner ends the line, and goes on.
    at = len(b"\n".join(whole[:relayed + 1]))
    with open(path, "wb") as f:
        f.write(good[:at - 30])
    a = w.audit(code=1)
    assert [(f["kind"], f["queue_id"]) for f in a["findings"]] == [("missing", j)], a
    w.b.start()
    wait_for("the line's end", lambda: any(f["kind"] == "broken-line" for f in w.audit(code=1)["findings"]))
    w.b.stop()
    with open(path, "wb") as f:
        f.write(good)
    w.b.start()
    w.ends()
    assert w.b.ctl("audit", "x", check=False).returncode == USAGE
    assert w.b.ctl("audit", "--since", "soon", check=False).returncode == USAGE


def off():
    """Without a journal there is nothing to be held against the queue, and audit says so."""
    with World("journal { enabled = false }\n") as w:
        i = w.send("alice@example.test")
        w.gone(i)
        assert not os.path.exists(w.b.dir + "/spool/journal")
        r = w.b.ctl("audit", check=False)
        assert r.returncode == NOINPUT and "journal" in r.stderr, r


def main():
    with World() as w:
        for test in (lines, by_hand, undeliverable, restarts, holes):
            begun = time.monotonic()
            test(w)
            print(f"{test.__name__}: {time.monotonic() - begun:.1f} s", flush=True)
    off()
    secured()
    left_from()


main()
