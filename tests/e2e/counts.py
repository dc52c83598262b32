# SPDX-License-Identifier: GPL-3.0-or-later
"""What a message costs in system calls and flushes does not grow unnoticed.

One message after the other, counted by strace (tests/bench/counts shows who
makes which).  The bounds stand some 15 % above what was measured; whoever
makes a call fewer lowers them, whoever needs one more says why in raising
them.  Flushes are exact: one for each message that is accepted, one more for
each delivery into a mailbox, and for removals one a second.
"""
import os
import sys
import time

# What is counted is traced, and LeakSanitizer cannot work then.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
sys.path[:0] = [os.environ["BARID_SRC"] + "/tests/tools", os.environ["BARID_SRC"] + "/tests/bench"]
from baridtest import program, skip  # noqa: E402
from measure import FLUSHES, Measured, may_trace  # noqa: E402

N = 40
# Mode, how the load is sent, then at most: calls, flushes in sessions, flushes elsewhere; a part of one is for removals.
BOUNDS = (
    ("hold", ("rate", "-s", 1), 50, 0, 0),
    ("hold", ("send", "-s", 1), 79, 1, 0),
    ("hold", ("send", "-s", 1, "-d"), 27, 1, 0),
    ("relay", ("send", "-s", 1), 109, 1, 0.3),
    ("relay", ("send", "-s", 1, "-d"), 57, 1, 0.3),
    ("maildir", ("send", "-s", 1), 132, 1, 1.3),
    ("maildir", ("send", "-s", 1, "-d"), 80, 1, 1.3),
    # What came into a tray and cannot be delivered leaves it, with two flushes.
    ("dead", ("send", "-s", 1, "-d"), 60, 1, 2),
    # Fetched and deleted, all of them with one flush.
    ("pop3", ("pop3",), 20, 1 / N, 0),
)


def sanitized():
    """Sanitizers make calls of their own."""
    with open(program("barid"), "rb") as f:
        return b"__asan_init" in f.read()


def measure(b, how):
    """Calls, flushes in sessions, flushes elsewhere, and how many seconds it took for each message."""
    begun = time.monotonic()
    calls = b.trace(*how, "-n", N)
    took = time.monotonic() - begun
    inside = sum(v for (who, call), v in calls.items() if call in FLUSHES and who == "session")
    every = sum(v for (_, call), v in calls.items() if call in FLUSHES)
    return sum(calls.values()) / N, inside, (every - inside) / N, took / N


def main():
    why = may_trace()
    if why:
        skip(why)
    failed, only_flushes = 0, sanitized()
    for mode, how, most, flushes, elsewhere in BOUNDS:
        with Measured(mode, traced=True, boxes=1) as b:
            b.load(*how, "-n", 5)
            b.settle()
            # What happens beside on a busy machine only ever adds calls; and what ends late is not seen.
            for _ in range(3):
                calls, inside, outside, took = measure(b, how)
                most_outside = elsewhere if elsewhere == int(elsewhere) else max(elsewhere, int(elsewhere) + took)
                right = inside == round(flushes * N) and outside <= most_outside
                if right and (only_flushes or calls <= most):
                    break
        print(f"{mode:8} {' '.join(map(str, how)):14} {calls:6.1f} calls, "
              f"{inside / N:.2f} + {outside:.2f} flushes")
        if not only_flushes and calls > most:
            print(f"         that is more than {most} calls")
            failed = 1
        if not right:
            print(f"         not {flushes:g} flush for each in the session, and {most_outside} elsewhere")
            failed = 1
    return failed


sys.exit(main())
