# SPDX-License-Identifier: GPL-3.0-or-later
"""C-01: runners are killed while mailing lists, aliases with programs and files, and answers are under way.

usage: kill_lists.py [SECONDS]
"""
import collections
import contextlib
import email
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Sink, USER, route, upstream, wait_for  # noqa: E402

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 8
CONF = """
aliases = {{"{dir}/aliases"}}
recipients {{ run-as = "{user}" }}
recipient "list@example.test" {{ list = "l" }}
recipient "owner@example.test" {{ mailbox = "owner" }}
list "l" {{ members = "{dir}/members" return-path = "owner@example.test" members-only = false subject-prefix = "[l]" }}
vacation "bob" {{ message = "{dir}/away" }}
queue {{ retry = {{1s}} runners = 2 }}
"""


def text(to, subject):
    return f"From: c@far.example\r\nTo: {to}\r\nSubject: {subject}\r\n\r\ntext\r\n"


def runners(b):
    return [p for p in b.processes() if "barid-runner" in b.read(f"/proc/{p}/cmdline")]


def subjects(messages):
    return collections.Counter(email.message_from_bytes(m)["Subject"].replace("[l] ", "") for m in messages)


def storm(b):
    """Sends, and kills a runner now and then; what was acknowledged, and how many kills."""
    lists, aliases, kills = [], [], 0
    end = time.monotonic() + SECONDS
    while time.monotonic() < end or kills < 3 or len(lists) < 11:
        for _ in range(random.randrange(1, 8)):
            n = len(lists)
            b.send("c@far.example", ["list@example.test"], text("list@example.test", f"list-{n}"))
            lists.append(f"list-{n}")
            b.send(f"c{n}@far.example", ["many@example.test"], text("bob@example.test", f"alias-{n}"))
            aliases.append(f"alias-{n}")
        pids = runners(b)
        if pids:
            # One may end by itself meanwhile: what it was is for another then.
            with contextlib.suppress(ProcessLookupError):
                os.kill(random.choice(pids), signal.SIGKILL)
                kills += 1
    return lists, aliases, kills


def main():
    # As many as one runner has in the pool, and at once with one host.
    in_flight = 120
    with Sink() as sink:
        b = Barid(start=False)
        with open(f"{b.dir}/aliases", "w", encoding="ascii") as f:
            f.write(f'many: bob, y@far.example, {b.dir}/file, "|cat >>{b.dir}/piped"\n')
        with open(f"{b.dir}/members", "w", encoding="ascii") as f:
            f.write("alice@example.test\nbob@example.test\nx@far.example\n")
        with open(f"{b.dir}/away", "w", encoding="ascii") as f:
            f.write("away\n")
        for name in ("file", "piped"):
            with open(f"{b.dir}/{name}", "wb"):
                pass
            b.give(f"{b.dir}/{name}")
        b.write_conf(CONF.format(dir=b.dir, user=USER) + upstream("up", sink.port) + route("*", "up"))
        with b.start():
            lists, aliases, kills = storm(b)
            b.empty(60)
            print(f"{len(lists)} to the list, {len(aliases)} to the alias, {kills} kills")
            assert kills > 2 and len(lists) > 10, (kills, len(lists))
            boxes = {u: subjects(b.mail(u, 0)) for u in ("alice", "bob")}
            far = collections.Counter((m["rcpts"][0]["path"], email.message_from_bytes(m["text"])["Subject"].replace("[l] ", ""))
                                      for m in sink.messages())
            for name in lists:
                # A mailbox knows what it has by its id: two would be two messages of the list.
                assert boxes["alice"][name] == boxes["bob"][name] == 1, (name, boxes["alice"][name], boxes["bob"][name])
                assert far["x@far.example", name] >= 1, name
            file, piped = (b.read(f"{b.dir}/{n}") for n in ("file", "piped"))
            for name in aliases:
                assert boxes["bob"][name] == 1 and far["y@far.example", name] >= 1, (name, boxes["bob"][name])
                for where, found in (("file", file), ("program", piped)):
                    assert f"Subject: {name}\n" in found.replace("\r", ""), (where, name)
            twice = sum(n - 1 for n in far.values()) + sum(
                found.replace("\r", "").count("Subject: alias-") - len(aliases) for found in (file, piped))
            assert twice <= kills * in_flight, (twice, kills)
            # Who was answered was answered once, and most were.
            answers = collections.Counter(to for (to, s) in far.elements() if s.startswith("Auto: "))
            print(f"{twice} twice, {len(answers)} answered")
            assert b.mailbox("owner") == [], b.mail("owner", 0)
            wait_for("the audit to close", lambda: b.ctl("audit", check=False).returncode == 0)


if __name__ == "__main__":
    main()
