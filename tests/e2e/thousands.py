# SPDX-License-Identifier: GPL-3.0-or-later
"""One runner holds more than a thousand connections, to as many slow hosts, at once."""
import asyncio
import os
import resource
import sys
import threading

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Names, skip, wait_for  # noqa: E402

COUNT = 1200


class Slow:
    """A server that takes every text and says so when COUNT clients wait for it."""

    def __init__(self):
        self.waiting, self.taken, self.port = 0, 0, None
        threading.Thread(target=lambda: asyncio.run(self.serve()), daemon=True).start()
        wait_for("the server", lambda: self.port)

    async def serve(self):
        self.all = asyncio.Event()
        server = await asyncio.start_server(self.session, "127.0.0.1", 0, backlog=4096)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            await server.serve_forever()

    async def text(self, reader):
        while await reader.readline() not in (b".\r\n", b""):
            pass
        self.waiting += 1
        if self.waiting == COUNT:
            self.all.set()
        await self.all.wait()
        self.taken += 1

    async def session(self, reader, writer):
        writer.write(b"220 slow.test ESMTP\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                writer.write(b"354 go\r\n")
                await self.text(reader)
            writer.write({b"EHLO": b"250-slow.test\r\n250 PIPELINING\r\n", b"QUIT": b"221 bye\r\n"}
                         .get(verb, b"250 2.0.0 ok\r\n"))
        writer.close()


def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < 3 * COUNT:
        skip(f"only {hard} descriptors are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    slow = Slow()
    zone = "slow.test A 127.0.0.1\n" + "".join(f"d{i}.test MX 10 slow.test\n" for i in range(COUNT))
    conf = (f"smtp-port = {slow.port}\nqueue {{ runners = 1 idle-connection = 100ms }}\n"
            f"limits {{ connections = {2 * COUNT} connections-in = 100 connections-out = {COUNT + 100} }}\n")
    with Names(zone) as names, Barid(extra=names.conf + conf, relay=("127.0.0.0/8",)) as b:
        with b.smtp() as c:
            for i in range(COUNT):
                c.sendmail("alice@example.test", [f"x@d{i}.test"], "Subject: x\r\n\r\nhello\r\n")
        wait_for("connections", lambda: slow.waiting == COUNT, 120)
        b.empty(60)
        assert slow.taken == COUNT
        assert "status=deferred" not in b.log()


main()
