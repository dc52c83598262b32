# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal when runners are killed, and when its disk is full: `baridctl audit` closes, or names the gap."""
import contextlib
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import ROOT, alone_with_mounts, skip, wait_for  # noqa: E402
from journaltest import World  # noqa: E402
import inject  # noqa: E402


# ---- kills ---------------------------------------------------------------------------------------


def kills():
    """Killed at any call that writes, marks or removes: the audit closes, and names what was done twice."""
    with World(rules=["RCPT /^wait/=450 4.2.1 not now", "RCPT /^no/=550 5.1.1 no"]) as w:
        b = w.b
        b.stop()
        b.write_conf(w.conf().replace("runners = 2", "runners = 1").replace("1h", "1s"))
        b.start()
        twice = 0
        for call, most in (("pwrite64", 5), ("unlinkat", 2), ("fdatasync", 1), ("renameat2", 2)):
            for n in range(1, most + 1):
                pid = wait_for("the runner", b.runner)
                with inject.Inject([pid], call, "signal=KILL", n) as i:
                    for rcpts in (["alice@example.test", "ok@far.example"], ["no@far.example", "ok@far.example"],
                                  ["ok@far.example"]):
                        w.send(*rcpts)
                    end = time.monotonic() + 3
                    while time.monotonic() < end and not i.fired() and b.spooled():
                        time.sleep(0.01)
                if i.happened:
                    wait_for("its end", lambda: b.runner() != pid)
                    b.kill()
                    b.start()
                b.empty()
                a = w.audit()
                assert a["wrong"] == 0 and a["ends"]["queued"] == 0, (call, n, a)
                twice = sum(f["kind"] == "twice" for f in a["findings"])
        print(f"kills: {twice} recipients were dealt with twice")


# ---- a full disk ---------------------------------------------------------------------------------


def fill(place):
    with open(place + "/filler", "wb") as f, contextlib.suppress(OSError):
        while True:
            os.write(f.fileno(), b"x" * 4096)


def full():
    """The journal's disk is full: mail goes on; what was lost is counted, and told."""
    with World() as w:
        b, place = w.b, w.b.dir + "/spool/journal"
        wait_for("the journal", lambda: os.path.isdir(place))
        b.stop()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs", place], check=True)
        try:
            b.give(place)
            b.start()
            w.ends()
            fill(place)
            # In what is left of a page of the file there is room for some.
            n = 0
            while "error: the journal cannot be written: No space left" not in b.log():
                w.gone(w.send("alice@example.test"))
                n += 1
                assert n < 40, "lines of more than two pages"
            assert len(b.mailbox("alice")) == n
            # What waits is written when there is room.
            os.unlink(place + "/filler")
            wait_for("the lines", lambda: len(w.lines(event="delivered")) == n)
            wait_for("the all-clear", lambda: "the journal can be written again" in b.log())
            assert w.ends() == {"delivered": n}
            # More than can wait.
            fill(place)
            def lost_lines():
                w.gone(w.send(*(f"ok{k}@far.example" for k in range(900))))
                return json.loads(b.ctl("--json", "status").stdout)["journal-lost"]
            wait_for("lines to be lost", lost_lines, 60)
            lost = json.loads(b.ctl("--json", "status").stdout)["journal-lost"]
            os.unlink(place + "/filler")
            subprocess.run(["mount", "-o", "remount,size=16m", place], check=True)
            wait_for("the gap", lambda: w.lines(event="gap"))
            a = w.audit(code=1)
            gaps = [f for f in a["findings"] if f["kind"] == "gap"]
            assert sum(g["lines"] for g in gaps) == lost and gaps[0]["from"] < gaps[0]["to"], (gaps, lost)
            w.gone(w.send("alice@example.test"))
        finally:
            b.stop()
            subprocess.run(["umount", "-l", place], check=True)


def main():
    if not ROOT:
        skip("a runner lets nobody but root trace it, or make a small file system")
    why = inject.possible()
    if why:
        skip(why)
    alone_with_mounts()
    for test in (full, kills):
        begun = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - begun:.1f} s", flush=True)


main()
