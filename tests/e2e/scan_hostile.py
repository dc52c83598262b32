# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers of spam and viruses that are dead, slow, mad or hostile; many sessions; barid-check killed amid.

FEATURES S1, CONFORMANCE S-58: mail goes on as on-error says, and a message costs barid-check no memory.
"""
import contextlib
import glob
import json
import os
import re
import smtplib
import sys
import threading

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, sanitized, wait_for  # noqa: E402
from scantest import Scand, message  # noqa: E402

HEAD = b"SPAMD/1.1 0 EX_OK\r\nSpam: False ; 0.5 / 5.0\r\n"
CLEAN = HEAD + b"Content-length: 3\r\n\r\nA\r\n"
VIRUS = b"stream: Bad FOUND\0"
DEFERRED = (451, "4.7.1 The message cannot be checked now")


def check(kind, server, options=""):
    return f'check "{kind}" {{ server = "{server}" {options} }}\n'


def send(b, text=None, sender="a@far.test"):
    try:
        b.send(sender, ["alice@example.test"], text or message())
    except smtplib.SMTPDataError as e:
        return e.smtp_code, e.smtp_error.decode()
    return None


def checker(b):
    return int(re.search(r"helper barid-check 0 pid=(\d+)", b.ctl("status").stdout)[1])


def memory(pid):
    """The most that it ever had, in KiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read())[1])


def whole(heard):
    """All of the question is there: of spamd."""
    head, _, rest = heard.partition(b"\r\n\r\n")
    n = re.search(rb"Content-length: (\d+)", head)
    return n is not None and len(rest) >= int(n[1])


# What it answers, and why that is none.
ANSWERS = [
    (b"", "it closed the connection"),
    (b"SPAMD/1.1 0 EX_OK\r\n", "it closed the connection"),
    (b"220 mx.test ESMTP\r\n\r\n", "it does not speak as spamd does"),
    (b"SPAMD/1.0 74 EX_IOERR\r\n\r\n", "it says that it cannot"),
    (HEAD.replace(b"0.5", b"nan") + b"\r\n", "its answer has no verdict"),
    (HEAD + b"Content-length: 99\r\n\r\nA", "it closed the connection"),
    ([b"X-Long: " + b"x" * 65536] * 200, "the head of its answer is too long"),
    ([HEAD + b"\r\n"] + [b"NAME," * 10000] * 200, "its answer is too long"),
]


def nonsense():
    said = iter(ANSWERS)
    current = []

    def answer(_, heard):
        return current[0] if whole(heard) else None

    with Scand(answer) as s, Barid(extra=check("spam", f"127.0.0.1:{s.port}", 'on-error = "defer"')) as b:
        for octets, why in said:
            current[:] = [octets]
            assert send(b) == DEFERRED, why
            wait_for(why, lambda: b.log().count(f": {why}; deferred") == sum(
                1 for o, w in ANSWERS[:ANSWERS.index((octets, why)) + 1] if w == why))
        current[:] = [HEAD + b"\r\n" + b"EVIL\xff\n\tX: y,\x01B"]
        assert send(b) is None
        got = b.mail("alice", 1)[0]
        assert b"tests=EVIL???X:?y,?B\n" in got, got


def early_and_late():
    """An answer before the question; one octet at a time; none; and a text that is edited into nothing, or too much."""
    mode, end = ["early"], threading.Event()
    octets = [CLEAN[i:i + 1] for i in range(len(CLEAN))]

    def answer(_, heard):
        if mode[0] == "early":
            return CLEAN
        if not whole(heard):
            return None
        if mode[0] == "silent":
            end.wait(60)
        return octets

    with Scand(answer) as s, Barid(extra=check("spam", f"127.0.0.1:{s.port}")) as b:
        assert send(b, message("x\n" * 100000)) is None
        mode[0] = "octets"
        assert send(b) is None
        assert b.log().count("check spam: clean (0.5/5.0) tests=A") == 2, b.log()
    mode[0] = "silent"
    with Scand(answer) as s, Barid(extra=check("spam", f"127.0.0.1:{s.port}", "timeout = 1s")) as b:
        assert send(b) is None
        wait_for("the time", lambda: "it took too long; accepted all the same" in b.log())
        end.set()


def edits():
    text = [b""]

    def answer(_, heard):
        return HEAD + b"\r\n" + text[0] if whole(heard) else None

    with Scand(answer) as s, Barid(extra=check("spam", f"127.0.0.1:{s.port}", 'action = "edit"')) as b:
        for count, (edited, why) in enumerate([
                (b"", "it sends no text back"), (b"\r\nno header", "has no header"), (b"X: \0\r\n\r\n", "octets that no"),
                (b"X: 1\r\n\r\n" + b"x" * 70 + b"\r\n" * 200000, "is too long")]):
            text[0] = edited
            assert send(b, message(f"as it was {count}")) is None, why
            assert f"as it was {count}".encode() in b.mail("alice", count + 1)[count]
            wait_for(why, lambda w=why: re.search(f"{w}.*; accepted all the same", b.log()))
        text[0] = b"X-Edited: 1\nReceived: from other\n\n.\nnew\rtext\n"
        assert send(b, message("as it was")) is None
        got = b.mail("alice", 5)[4]
        assert got.endswith(b"\nX-Edited: 1\nReceived: from other\n\n.\nnew\ntext\n"), got
        assert b"Received: from client.test" in got.split(b"X-Edited")[0] and b"as it was" not in got


def many():
    """50 sessions with a megabyte each, and one of 20: streamed, not held."""
    held = threading.Event()

    def answer(_, heard):
        if not heard.endswith(b"\0\0\0\0"):
            return None
        held.wait(60)
        return VIRUS if b"a bad one" in heard else b"stream: OK\0"

    with Scand(answer) as s, Barid(extra=check("virus", f"127.0.0.1:{s.port}") +
                                   "limits { connections-per-address = 100 }\n") as b:
        pid, said = checker(b), {}
        was = memory(pid)

        def one(i):
            said[i] = send(b, message(("a bad one" if i % 5 == 0 else "fine") + "\n" + "y" * 70 + "\n" * 500000))

        threads = [threading.Thread(target=one, args=(i,)) for i in range(50)]
        for t in threads:
            t.start()
        # So many at once; the others wait for these.
        wait_for("32 messages that were heard", lambda: sum(h.endswith(b"\0\0\0\0") for h in s.heard) == 32)
        assert len(s.heard) == 32
        held.set()
        for t in threads:
            t.join()
        assert [i for i in range(50) if said[i] is not None] == list(range(0, 50, 5)), said
        assert said[0] == (554, "5.7.1 The message has a virus: Bad"), said[0]
        assert send(b, message("z" * 70 + "\n" * 10000000)) is None
        assert len(b.mail("alice", 41)) == 41
        grown = memory(pid) - was
        assert sanitized() or grown < 16 << 10, f"barid-check has {grown} KiB more"
        assert checker(b) == pid


def killed():
    """Amid: it is asked once more, by whoever comes then."""
    dead = threading.Event()

    def answer(number, heard):
        if whole(heard) and number == 0:
            dead.wait(60)
        return CLEAN if whole(heard) else None

    with Scand(answer) as s, Barid(extra=check("spam", f"127.0.0.1:{s.port}", 'on-error = "defer"')) as b:
        old, said = checker(b), []
        t = threading.Thread(target=lambda: said.append(send(b)))
        t.start()
        wait_for("the question", lambda: s.heard and whole(s.heard[0]))
        os.kill(old, 9)
        t.join()
        dead.set()
        assert said == [None], said
        assert b"X-Spam-Status: No" in b.mail("alice", 1)[0]


def by_unix():
    with Barid(start=False) as b:
        path = b.dir + "/spamd"
        with Scand(lambda _, heard: CLEAN if whole(heard) else None, path):
            b.write_conf(check("spam", "unix:" + path))
            b.start()
            assert send(b) is None
            assert b"X-Spam-Score: 0.5" in b.mail("alice", 1)[0]
            # What waits has it as JSON, too (FEATURES S1), and no field that says nothing.
            b.write_conf(check("spam", "unix:" + path) + 'route "far.test" { via = "wait" }\n' +
                         'upstream "wait" { server "127.0.0.1" { port = 9 tls = "off" } }\n' +
                         'recipient "wait@example.test" { forward = {"u@far.test"} }\n')
            b.reload()
            b.send("a@far.test", ["wait@example.test"], message())
            text = wait_for("it", lambda: next(
                (t for place, name in b.spooled() for t in [spool_text(b, name)] if b"\nchecks: " in t), None))
            checks = json.loads(re.search(rb"\nchecks: (.*)\n", text)[1])
            assert checks == [{"spam": "no", "score": "0.5", "required": "5.0", "tests": "A"}], checks
            assert b"Authentication-Results" not in text


def spool_text(b, name):
    """The file NAME of the spool, or the tray that has it; empty if it has just moved."""
    for path in glob.glob(f"{b.dir}/spool/**", recursive=True):
        with contextlib.suppress(OSError), open(path, "rb") as f:
            text = f.read()
            if f"\nid: {name}\n".encode() in text:
                return text
    return b""


def main():
    nonsense()
    early_and_late()
    edits()
    many()
    killed()
    by_unix()


if __name__ == "__main__":
    main()
