# SPDX-License-Identifier: GPL-3.0-or-later
"""A peer that takes its time: N-02, N-06, N-08, N-15, RFC 5321 4.5.3.2.

The runners' clock goes twenty times as fast (libfaketime), so that a minute of
theirs is three seconds of the peers'.  What is said below in minutes is as the
runners see it.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, program, route, Sink, upstream, wait_for  # noqa: E402

FAKETIME = subprocess.run(["sh", "-c", "ls /usr/lib/*/faketime/libfaketimeMT.so.1"],
                          capture_output=True, text=True).stdout.strip()
SENDER = "alice@example.test"
QUEUE = "queue { retry = {12h} lifetime = 30d delay-notice = {20d} idle-connection = 1m }\n"
BODY = ("z" * 70 + "\r\n") * 30000
ENDLESS = "x" * 50000

# The peer's rules, what becomes of the recipient, messages that it took.
CASES = (
    ("DOT=delay 15000", "sent", 1),                       # N-02: five minutes, and eight
    ("DOT=delay 24000", "sent", 1),
    ("DOT=delay 39000", "deferred", 1),                  # longer than a client must wait: it may come twice
    ("CONNECT=delay 10500", "sent", 1),                   # N-06: before five minutes, and after
    ("CONNECT=delay 21000", "deferred", 0),
    ("CONNECT=stall", "deferred", 0),                    # N-08: half-open
    ("EHLO=stall", "deferred", 0),
    ("MAIL=stall", "deferred", 0),
    ("RCPT=stall", "deferred", 0),
    ("DATA=stall", "deferred", 0),
    ("TEXT 0=stall", "deferred", 0),                     # N-03: a window that does not open
    ("DOT=stall", "deferred", 0),
    ("DOT=store; stall", "deferred", 1),
    ("QUIT=stall", "sent", 1),
    ("CONNECT=slow 30; ok", "sent", 1),                  # N-15: an octet in half a second
    ("CONNECT=slow 3000; ok", "deferred", 0),            # an octet a minute: each in time, all too late
    ("CONNECT=slow 3000; ok", "deferred", 0),            # the same, and each reply has two minutes
    ("QUIT=slow 150; raw " + ENDLESS, "sent", 1),         # an octet every three seconds, which are nobody's reply
    ("DOT=store; raw 250 ok\\r\\n; slow 900; raw " + ENDLESS, "sent", 1),
)
# What has a reply-timeout, and what must be over.
REPLY = 16
DRIPS = [n for n, (rule, _, _) in enumerate(CASES) if ENDLESS in rule]


def fast_runner(folder):
    """A libexec whose runner has the fast clock."""
    libexec = folder + "/libexec"
    os.makedirs(libexec)
    real = os.path.dirname(program("barid-runner"))
    for name in os.listdir(real):
        if name != "barid-runner":
            os.symlink(f"{real}/{name}", f"{libexec}/{name}")
    with open(libexec + "/barid-runner", "w", encoding="utf-8") as f:
        f.write(f'#!/bin/sh\nASAN_OPTIONS="$ASAN_OPTIONS:verify_asan_link_order=0"\nexport ASAN_OPTIONS\n'
                f'LD_PRELOAD={FAKETIME} FAKETIME="+0 x20" FAKETIME_NO_CACHE=1 exec {real}/barid-runner "$@"\n')
    os.chmod(libexec + "/barid-runner", 0o755)
    os.chmod(libexec, 0o755)
    return libexec


def main():
    if not FAKETIME:
        raise SystemExit("faketime is missing: run `make deps`")
    sinks = [Sink("--rcvbuf", "4096", rules=[rule]) for rule, _, _ in CASES]
    extra = QUEUE + "".join(upstream(f"u{n}", s.port) + route(f"d{n}.example", f"u{n}") for n, s in enumerate(sinks))
    extra += f'destination "u{REPLY}" {{ reply-timeout = 2m }}\n'
    with Barid(extra=extra, relay=("127.0.0.0/8",), start=False) as b:
        b.env["BARID_LIBEXEC"] = fast_runner(b.dir)
        b.start()
        with b.smtp() as c:
            for n in range(len(CASES)):
                c.sendmail(SENDER, [f"one@d{n}.example"], f"Subject: {n}\r\n\r\n{BODY}")
        for n, (rule, want, stored) in enumerate(CASES):
            line = wait_for(f"an outcome of {rule}", lambda: next(
                (x for x in b.log().split("\n") if f"to=<one@d{n}.example>" in x and "status=" in x), None), 90)
            assert f"status={want}" in line, (rule, line)
            wait_for(f"{stored} messages by {rule}", lambda: len(sinks[n].messages()) == stored, 30)
        left = {f"one@d{n}.example" for n, (_, want, _) in enumerate(CASES) if want == "deferred"}
        wait_for("only what was put off", lambda: len(b.spooled()) == len(left))
        for n in DRIPS:
            sinks[n].connections(1)
        assert b.mailbox("alice") == []
    for s in sinks:
        s.stop()


main()
