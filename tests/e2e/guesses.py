# SPDX-License-Identifier: GPL-3.0-or-later
"""Ten thousand guesses at one password from a thousand addresses, by SMTP and POP3 at once.

CONFORMANCE S-39 and S-66 played whole: each guess is answered and none is right, each address is blocked by
the guesses of both protocols together, whoever has the password is let in from elsewhere all the while, and
neither the tables nor the processes grow with the addresses.  How long a guess waits is in policy/guess_test.c.

FEATURES A27.
"""
import base64
import json
import os
import re
import select
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, PASSWORD, Wire, program, sanitized, wait_for  # noqa: E402

HONEST = "127.9.9.9"
ADDRESSES = [f"127.1.{n // 250}.{n % 250 + 1}" for n in range(1000)]
BY_EACH = 5
CONF = f"""auth {{ failure-delay = 1ms  failures-to-block = {2 * BY_EACH}  block-time = 1d  without-tls = {{"PLAIN"}} }}
limits {{ connections = 200 }}
"""


def connect(b, name, source):
    w = Wire.__new__(Wire)
    w.sock, w.data = socket.create_connection(("127.0.0.1", b.port[name]), 60, (source, 0)), b""
    return w, w.line()


def by_smtp(b, source, passwords):
    w, banner = connect(b, "clear", source)
    with w:
        if not banner.startswith(b"220"):
            return [banner]
        w.smtp("EHLO client.test")
        return [w.smtp("AUTH PLAIN " + base64.b64encode(f"\0alice\0{p}".encode()).decode()) for p in passwords]


def by_pop3(b, source, passwords):
    w, banner = connect(b, "pop", source)
    with w:
        if not banner.startswith(b"+OK"):
            return [banner]
        answers = []
        for p in passwords:
            assert w.cmd("USER alice").startswith(b"+OK")
            answers.append(w.cmd("PASS " + p))
        return answers


def guess(b, n):
    """What address N is told: the one protocol, then the other, and then with the right password."""
    told = []
    for turn in range(2):
        passwords = [f"no{n}.{turn}.{i}" for i in range(BY_EACH)]
        told += (by_smtp if (n + turn) % 2 else by_pop3)(b, ADDRESSES[n], passwords)
    right = (by_smtp if n % 2 else by_pop3)(b, ADDRESSES[n], [PASSWORD])
    return told, right


def fits(told, right):
    refused = (b"535 5.7.8", b"-ERR [AUTH]")
    return len(told) == 2 * BY_EACH and all(t.startswith(refused) for t in told[:-1]) \
        and told[-1].startswith((b"421 4.7.0", b"-ERR [SYS/TEMP]", b"-ERR [AUTH]")) \
        and len(right) == 1 and right[0].startswith((b"421 4.7.0", b"-ERR [SYS/TEMP]"))


def memory(b):
    """Kilobytes of the processes that last; of what they share each has its part."""
    with open(f"/proc/{b.process.pid}/task/{b.process.pid}/children", encoding="ascii") as f:
        pids = [str(b.process.pid)] + f.read().split()
    found = [re.search(r"(?m)^Pss:\s+(\d+)", b.read(f"/proc/{pid}/smaps_rollup")) for pid in pids]
    return sum(int(m.group(1)) for m in found if m)


def honest(b):
    """Who has the password is let in."""
    assert by_smtp(b, HONEST, [PASSWORD])[0].startswith(b"235")
    assert by_pop3(b, HONEST, [PASSWORD])[0].startswith(b"+OK")


def all_of(b, told):
    """What each address is told, by sixteen at a time; who has the password comes in between."""
    left = list(range(len(ADDRESSES)))

    def work():
        while left:
            n = left.pop()
            try:
                told[n] = guess(b, n)
            except (OSError, AssertionError) as e:
                told[n] = [repr(e)], []

    threads = [threading.Thread(target=work) for _ in range(16)]
    for t in threads:
        t.start()
    while any(t.is_alive() for t in threads):
        honest(b)
        threads[0].join(0.2)
    for t in threads:
        t.join()


def paused(listen):
    """Who says no more after a wrong password, but hears, waits as others do."""
    with Barid(extra="auth { failure-delay = 1m  without-tls = {\"PLAIN\"} }\n", listen=listen) as b:
        for name, login in (("pop", ("USER alice", "PASS no")),
                            ("clear", ("EHLO client.test", "AUTH PLAIN " + base64.b64encode(b"\0alice\0no").decode()))):
            w, _ = connect(b, name, "127.0.0.8")
            with w:
                said = w.cmd(login[0]) if name == "pop" else w.smtp(login[0])
                assert said.startswith((b"+OK", b"250"))
                failed = b.log().count("127.0.0.8")
                w.send(login[1].encode() + b"\r\n")
                w.sock.shutdown(socket.SHUT_WR)
                wait_for("the failure", lambda n=failed: b.log().count("127.0.0.8") > n)
                honest(b)
                assert not select.select([w.sock], [], [], 0)[0], f"{name}: {w.line()}"
        b.stop()


def main():
    listen = dict(Barid.LISTEN, clear=("submission", "starttls"), pop=("pop3", "starttls"))
    paused(listen)
    with Barid(extra=CONF, listen=listen) as b:
        honest(b)
        wait_for("no session", lambda: not b.sessions())
        before, told = memory(b), {}
        all_of(b, told)
        wrong = [(ADDRESSES[n], *got) for n, got in sorted(told.items()) if not fits(*got)]
        assert len(told) == len(ADDRESSES) and not wrong, (len(wrong), wrong[:3])
        honest(b)
        wait_for("no session", lambda: not b.sessions())
        after = memory(b)
        # The tables have their size from the start; what of them is used by now has pages.
        assert after - before < (65536 if sanitized() else 4096), (before, after)
        blocks = json.loads(subprocess.run([program("baridctl"), "-c", b.conf, "--json", "blocks"],
                                           capture_output=True, check=True).stdout)
        assert {x["network"] for x in blocks} == set(ADDRESSES), len(blocks)
        assert b.log().count("too many wrong passwords: blocked for 86400 s") == len(ADDRESSES)
        print(f"{2 * BY_EACH * len(ADDRESSES)} guesses, {after - before} KB")


main()
