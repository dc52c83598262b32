# SPDX-License-Identifier: GPL-3.0-or-later
"""T-09, S-07, S-09, S-12: what no TLS client would send, by raw octets, to SMTP and POP3 over TLS."""
import os
import random
import socket
import ssl
import sys
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, NO_VERIFY, wait_for  # noqa: E402

ALERT, HANDSHAKE, DATA = 21, 22, 23
# With its space: three octets alone come by chance in what is encrypted.
GREETING = {"submissions": b"220 ", "pop3s": b"+OK "}
SEED = int(os.environ.get("SEED", "1"))


def context(version=None, alpn=None):
    c = ssl.create_default_context()
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    if version:
        c.minimum_version = c.maximum_version = version
    if alpn:
        c.set_alpn_protocols(alpn)
    return c


def hello(c=NO_VERIFY):
    """The record in which a client says its first word."""
    out = ssl.MemoryBIO()
    tls = c.wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def record(data, kind=HANDSHAKE, version=b"\x03\x01"):
    return bytes([kind]) + version + len(data).to_bytes(2, "big") + data


def answer(b, name, data, end=True):
    """All that is said to DATA, until the server closes; END: nothing follows it."""
    with socket.create_connection((b.host, b.port[name]), 60) as s:
        got = b""
        try:
            s.sendall(data)
            if end:
                s.shutdown(socket.SHUT_WR)
            while piece := s.recv(65536):
                got += piece
        except (ConnectionResetError, BrokenPipeError):
            pass
        return got


def alert_of(got):
    """The description in the first record, if that is a fatal alert."""
    return got[6] if len(got) >= 7 and got[0] == ALERT and got[5] == 2 else None


def works(b, name):
    with socket.create_connection((b.host, b.port[name]), 60) as s, NO_VERIFY.wrap_socket(s, server_hostname="x") as t:
        assert t.recv(100).startswith(GREETING[name])


def hellos(b, name):
    """A first word with an octet changed, cut, or with a length that is none; clear text never comes back."""
    good, dice = hello(), random.Random(SEED)
    assert answer(b, name, good)[0] == HANDSHAKE
    spoilt = [good[:n] for n in range(0, len(good), 7)]
    for _ in range(250):
        word = bytearray(good)
        for _ in range(dice.choice((1, 1, 1, 2, 8))):
            word[dice.randrange(len(word))] = dice.choice((0, 1, 0x7f, 0x80, 0xff, dice.randrange(256)))
        spoilt.append(bytes(word))
    # The lengths of record, message, session id, suites and extensions.
    for at in (3, 6, 43, 43 + 1 + good[43], len(good) - 2):
        for n in (0, 1, 0xff):
            word = bytearray(good)
            word[at] = n
            spoilt.append(bytes(word))
    for word in spoilt:
        got = answer(b, name, word)
        assert got[:1] in (b"", bytes([ALERT]), bytes([HANDSHAKE])), (word.hex(), got[:40])
        assert GREETING[name] not in got, word.hex()


def no_tls(b, name):
    """S-12: other protocols, and records that are none."""
    sslv2 = bytes.fromhex("802e0100020015000000100100800200800300800400800500800600400700c0") + os.urandom(16)
    for data in (b"EHLO x\r\nQUIT\r\n", b"USER a\r\nQUIT\r\n", b"GET / HTTP/1.0\r\n\r\n", sslv2, b"\0" * 100, b"\xff" * 100,
                 record(b"\x01\0", ALERT), record(b"", DATA), record(b"\x01", 20), record(b"x" * 50, DATA), record(b"x" * 50, 99),
                 record(b"\x01\0\0\x02\x03\x03", version=b"\x05\x00")):
        # What is enough to be refused needs no end.
        got = answer(b, name, data, len(data) < 50)
        assert got[:1] in (b"", bytes([ALERT])) and GREETING[name] not in got, (data[:20], got[:40])
    # An octet more than a record may have: record_overflow, without waiting for it.
    assert alert_of(answer(b, name, bytes([HANDSHAKE]) + b"\x03\x01\x48\x01" + b"x" * 5, False)) == 22
    # RFC 8446 5.1: nothing in a record of a handshake is no record.
    assert answer(b, name, record(b"") * 5000 + hello())[:1] in (b"", bytes([ALERT]))
    # Warnings without an end, and a change of ciphers before there is one (CVE-2014-0224).
    assert alert_of(answer(b, name, record(b"\x01\x5a", ALERT) * 1000, False)) is not None
    assert alert_of(answer(b, name, record(b"\x01", 20) + hello(), False)) == 10


def pieces(b, name):
    """RFC 8446 5.1: a message in many records is one."""
    word = hello()[5:]
    for n in (1, 7, 100):
        got = answer(b, name, b"".join(record(word[i:i + n]) for i in range(0, len(word), n)))
        assert got[0] == HANDSHAKE, (n, got[:20])


def versions(b, name):
    """What is too old has a word for it, and what is not known yet is 1.3 or 1.2."""
    word = bytearray(hello(context(ssl.TLSVersion.TLSv1_2)))
    for version in (b"\x03\x00", b"\x03\x01", b"\x03\x02"):
        word[9:11] = version
        got = answer(b, name, bytes(word), False)
        # SSL 3.0 has no word for it but handshake_failure.
        assert alert_of(got) == (40 if version == b"\x03\x00" else 70), (version, got)
    word[9:11] = b"\x03\x09"
    assert answer(b, name, bytes(word))[0] == HANDSHAKE
    # S-09: another protocol than ours.
    for alpn in ([b"http/1.1"], [b"imap", b"h2"], [b"x" * 255]):
        alpn = [a.decode() for a in alpn]
        assert alert_of(answer(b, name, hello(context(alpn=alpn)), False)) == 120, alpn


def within(b, name):
    """Under way: a record that is false, clear text, and one that is too long end it without a word."""
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        for data in (b"QUIT\r\n" * 10, record(b"QUIT\r\n" + b"x" * 40, DATA, b"\x03\x03"),
                     bytes([DATA]) + b"\x03\x03\x48\x01" + b"x" * 20, record(b"\x01\x00", ALERT, b"\x03\x03"),
                     record(hello()[5:], HANDSHAKE, b"\x03\x03")):
            into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = context(version).wrap_bio(into, out)
            with socket.create_connection((b.host, b.port[name]), 60) as s:
                def turn(step):
                    while True:
                        try:
                            return step()
                        except ssl.SSLWantReadError:
                            s.sendall(out.read())
                            into.write(s.recv(65536))
                turn(tls.do_handshake)
                s.sendall(out.read())
                assert turn(lambda: tls.read(200)).startswith(GREETING[name])
                s.sendall(data)
                got = b""
                try:
                    while piece := s.recv(65536):
                        got += piece
                except ConnectionResetError:
                    pass
                # An alert, and nothing that is an answer.
                assert len(got) < 80 and b"221" not in got and b"+OK" not in got, (version, data[:10], got)


def tickets(b):
    """S-07: one of another service, and one that was changed, mean a full handshake."""
    c = context(ssl.TLSVersion.TLSv1_2)

    def session(name, old=None):
        with socket.create_connection((b.host, b.port[name]), 60) as s, c.wrap_socket(s, session=old) as t:
            assert t.recv(100).startswith(GREETING[name])
            return t.session, t.session_reused
    first, _ = session("submissions")
    assert session("submissions", first)[1]
    assert not session("pop3s", first)[1]
    other, _ = session("pop3s")
    assert session("pop3s", other)[1] and not session("submissions", other)[1]


with Barid(extra='limits { connections-per-address = 200 }\n') as server:
    for test in (hellos, no_tls, pieces, versions, within):
        start = time.monotonic()
        for listener in GREETING:
            test(server, listener)
            works(server, listener)
        print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)
    tickets(server)
    wait_for("the end of all sessions", lambda: not server.sessions())
    assert "died of signal" not in server.log() and "were started anew after a crashed" not in server.log()
