# SPDX-License-Identifier: GPL-3.0-or-later
"""One runner and more than a thousand slow hosts: it waits for all of them at once, and they delay nobody else."""
import asyncio
import contextlib
import os
import resource
import sys
import threading

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Names, Sink, route, skip, upstream, wait_for  # noqa: E402

COUNT = 1200


class Slow:
    """A server that takes every text and says so when COUNT clients wait for it; or that does not even greet."""

    def __init__(self, mute=False):
        self.waiting, self.taken, self.port, self.mute = 0, 0, None, mute
        threading.Thread(target=lambda: asyncio.run(self.serve()), daemon=True).start()
        wait_for("the server", lambda: self.port)

    async def serve(self):
        self.all, self.loop = asyncio.Event(), asyncio.get_running_loop()
        server = await asyncio.start_server(self.session, "127.0.0.1", 0, backlog=4096)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            await server.serve_forever()

    def greet(self):
        self.loop.call_soon_threadsafe(self.all.set)

    async def text(self, reader):
        while await reader.readline() not in (b".\r\n", b""):
            pass
        self.waiting += not self.mute
        if self.waiting == COUNT:
            self.all.set()
        await self.all.wait()
        self.taken += 1

    async def session(self, reader, writer):
        with contextlib.suppress(ConnectionError):
            await self.dialogue(reader, writer)
        writer.close()

    async def dialogue(self, reader, writer):
        if self.mute:
            self.waiting += 1
            await self.all.wait()
        writer.write(b"220 slow.test ESMTP\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                writer.write(b"354 go\r\n")
                await self.text(reader)
            writer.write({b"EHLO": b"250-slow.test\r\n250 PIPELINING\r\n", b"QUIT": b"221 bye\r\n"}
                         .get(verb, b"250 2.0.0 ok\r\n"))


def setup(slow, limit, idle):
    # Each has a host of its own: those with one host would share its connections.
    zone = "*.slow.test A 127.0.0.1\n" + "".join(f"d{i}.test MX 10 h{i}.slow.test\n" for i in range(COUNT))
    return zone, (f"smtp-port = {slow.port}\nqueue {{ runners = 1 idle-connection = {idle} }}\n"
                  f"limits {{ connections = {2 * COUNT} connections-in = 100 connections-out = {limit} }}\n")


def send_all(b):
    with b.smtp() as c:
        for i in range(COUNT):
            c.sendmail("alice@example.test", [f"x@d{i}.test"], "Subject: x\r\n\r\nhello\r\n")


def many():
    slow = Slow()
    zone, conf = setup(slow, COUNT + 100, "100ms")
    with Names(zone) as names, Barid(extra=names.conf + conf, relay=("127.0.0.0/8",)) as b:
        send_all(b)
        wait_for("connections", lambda: slow.waiting == COUNT, 120)
        b.empty(60)
        assert slow.taken == COUNT
        assert "status=deferred" not in b.log()


def mute():
    """Who waits for a connection takes no place from mail that needs none, nor all that there are."""
    slow = Slow(mute=True)
    zone, conf = setup(slow, 50, "1h")
    with Sink() as good, Names(zone) as names, \
            Barid(extra=names.conf + conf + upstream("good", good.port) + route("good.test", "good") + route("*", "mx"),
                  relay=("127.0.0.0/8",)) as b:
        send_all(b)
        # An eighth is kept for hosts that have taken mail, and for upstreams.
        wait_for("connections", lambda: slow.waiting == 44, 60)
        b.send("a@elsewhere.test", ["bob@example.test"], "Subject: local\r\n\r\nhello\r\n")
        b.mail("bob", 1)
        for n in (1, 2):
            b.send("a@elsewhere.test", ["x@good.test"], "Subject: upstream\r\n\r\nhello\r\n")
            good.messages(n)
        assert slow.waiting == 44 and slow.taken == 0
        # All get their turn, once they are greeted: no connection is kept while others wait.
        slow.greet()
        b.empty(120)
        assert slow.taken == COUNT, slow.taken


def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < 3 * COUNT:
        skip(f"only {hard} descriptors are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    many()
    mute()


main()
