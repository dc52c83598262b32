# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages for administrators: who sees them, by which password, and what is no request.

CONFORMANCE S-39, S-62, S-63, S-09.
"""
import base64
import html
import os
import re
import select
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.parse

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from authtest import Backends, LATER, NO, Silent, YES  # noqa: E402
from baridtest import Barid, NO_VERIFY, PASSWORD, Sink, route, upstream, wait_for  # noqa: E402
from slapdtest import SECRET, Slapd  # noqa: E402

WRONG = "guess-0815"
ADMIN = 'admin { users = {"alice"} }\n'


class Pages(Barid):
    LISTEN = {"smtp": ("smtp", "starttls"), "submission": ("submission", "required"), "pop3": ("pop3", "required"),
              "admin": ("admin", "implicit")}

    def raw(self, octets, source=None, ctx=NO_VERIFY):
        """What is answered to OCTETS, up to its end."""
        s = socket.create_connection((self.host, self.port["admin"]), 60, (source, 0) if source else None)
        with s, ctx.wrap_socket(s, server_hostname="localhost") as tls:
            tls.sendall(octets)
            got = b""
            while True:
                try:
                    part = tls.recv(65536)
                except (ConnectionResetError, ssl.SSLError):
                    break
                if not part:
                    break
                got += part
        return got

    def ask(self, method, path, source=None, body=None, **fields):
        fields = {"Host": f"localhost:{self.port['admin']}", **{k.replace("_", "-"): v for k, v in fields.items()}}
        if body is not None:
            body = urllib.parse.urlencode(body)
            fields = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": len(body), **fields}
        head = "".join(f"{k}: {v}\r\n" for k, v in fields.items())
        return Answer(self.raw(f"{method} {path} HTTP/1.1\r\n{head}\r\n{body or ''}".encode(), source))

    def basic(self, user, password, path="/", **kw):
        return self.ask("GET", path, Authorization="Basic " + base64.b64encode(f"{user}:{password}".encode()).decode(),
                        **kw)

    def log_in(self, user="alice", password=PASSWORD, source=None, **kw):
        page = self.ask("GET", "/login", source)
        assert page.status == 200, page
        return self.ask("POST", "/login", source, {"user": user, "password": password, "token": token_of(page)}, **kw)


class Answer:
    def __init__(self, octets):
        head, _, self.body = octets.decode().partition("\r\n\r\n")
        lines = head.split("\r\n")
        assert lines[0].startswith("HTTP/1.1 "), octets[:500]
        self.status = int(lines[0].split()[1])
        self.fields = [tuple(line.split(": ", 1)) for line in lines[1:]]

    def field(self, name):
        return next((v for k, v in self.fields if k.lower() == name.lower()), None)

    def __repr__(self):
        return f"{self.status} {self.fields} {self.body[:2000]}"


def token_of(page):
    return re.search(r'name="token" value="([^"]+)"', page.body)[1]


def cookie_of(answer):
    return answer.field("Set-Cookie").partition(";")[0]


def by_page(b):
    """A cookie that only this site gets, until the logout; a form of another site does nothing."""
    to = b.ask("GET", "/", Accept="text/html,*/*")
    assert (to.status, to.field("Location")) == (303, "/login"), to
    done = b.log_in()
    assert (done.status, done.field("Location")) == (303, "/"), done
    set_cookie = done.field("Set-Cookie")
    assert re.fullmatch(r"__Host-barid=[0-9a-f]{32}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure",
                        set_cookie), set_cookie
    cookie = cookie_of(done)
    page = b.ask("GET", "/", Cookie=f"a=b; {cookie}")
    assert page.status == 200 and "alice" in page.body and "Messages accepted" in page.body, page
    for name, want in (("Content-Security-Policy", "default-src 'none'"), ("X-Frame-Options", "DENY"),
                       ("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store")):
        assert page.field(name).startswith(want), page
    # Another cookie is nobody's, and so is a part of one.
    for wrong in ("__Host-barid=" + "0" * 32, cookie[:-1], cookie.replace("__Host-", ""), "__Host-barid="):
        assert b.ask("GET", "/", Cookie=wrong).status == 401, wrong
    # S-62: without the token, with another's, and as browsers mark what another site sends.
    token, other = token_of(page), token_of(b.ask("GET", "/", Cookie=cookie_of(b.log_in())))
    for form in ({}, {"token": "x"}, {"token": other}):
        assert b.ask("POST", "/logout", Cookie=cookie, body=form).status == 403, form
    host = f"localhost:{b.port['admin']}"
    for fields in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": f"https://{host}.evil.example"},
                   {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}):
        assert b.ask("POST", "/logout", Cookie=cookie, body={"token": token}, **fields).status == 403, fields
        assert b.log_in(**fields).status == 403, fields
    assert b.ask("POST", "/logout", Cookie=cookie, body={"token": token}, Content_Type="text/plain").status == 415
    assert b.ask("GET", "/logout", Cookie=cookie).status == 405
    assert b.ask("GET", "/", Cookie=cookie).status == 200
    out = b.ask("POST", "/logout", Cookie=cookie, body={"token": token}, Origin=f"https://{host}")
    assert (out.status, out.field("Location")) == (303, "/login"), out
    assert b.ask("GET", "/", Cookie=cookie).status == 401
    # A password that a browser knows is not enough for a form: it sends it unasked.
    auth = "Basic " + base64.b64encode(f"alice:{PASSWORD}".encode()).decode()
    assert b.ask("POST", "/logout", body={}, Authorization=auth, Referer="https://evil.example/").status == 403
    assert b.ask("POST", "/logout", body={}, Authorization=auth).status == 303


def by_password(b):
    assert b.basic("alice", PASSWORD).status == 200
    assert b.basic("alice@example.test", PASSWORD).status == 200
    refused = b.basic("alice", WRONG)
    assert refused.status == 401 and refused.field("WWW-Authenticate").startswith("Basic "), refused
    # The right password of somebody else; nobody; what is no authorization.
    assert b.basic("bob", PASSWORD).status == 403
    assert "LOGIN refused, user=bob, ip=[127.0.0.1]: admin.users has no such account" in b.log()
    for user, password in (("carol", PASSWORD), ("", ""), ("alice", ""), ("a\nb", "x"), ("a" * 300, "x")):
        assert b.basic(user, password).status == 401, user
    for auth in ("Basic", "Basic !", "Bearer x", "Basic " + base64.b64encode(b"alice").decode()):
        assert b.ask("GET", "/", Authorization=auth).status == 400, auth
    wrong = b.log_in(password=WRONG)
    assert wrong.status == 401 and "wrong" in wrong.body and wrong.field("Set-Cookie") is None, wrong
    assert b.log_in(user="bob").status == 403
    assert WRONG not in b.log() and cookie_of(b.log_in()).partition("=")[2] not in b.log()
    # With a client that we did not write.
    url = f"https://localhost:{b.port['admin']}"
    for args, want in ((["-u", f"alice:{PASSWORD}"], "200"), (["-u", "alice:x"], "401"), ([], "401"),
                       (["-I", "-u", f"alice:{PASSWORD}"], "200")):
        r = subprocess.run(["curl", "-s", "--cacert", b.dir + "/localhost.pem", "-o", "/dev/null", "-w", "%{http_code}",
                            *args, url + "/"], capture_output=True, text=True, timeout=60)
        assert r.stdout == want, (args, r)


def metrics(b):
    """For who logs in, and for listed clients."""
    assert b.ask("GET", "/metrics").status == 401
    page = b.basic("alice", PASSWORD, "/metrics")
    assert page.status == 200 and page.field("Content-Type").startswith("text/plain; version=0.0.4"), page
    values = {}
    for line in page.body.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+=\"[^\"]*\"\})? \d+", line), line
        if line[0] != "#":
            values[line.rpartition(" ")[0]] = int(line.rpartition(" ")[2])
    assert values["barid_up"] == 1
    b.send("x@y.example", ["alice@example.test"], "Subject: x\r\n\r\nhello\r\n")
    b.mail("alice", 1)
    wait_for("the counter", lambda: f"barid_messages_received_total {values['barid_messages_received_total'] + 1}\n" in
             b.basic("alice", PASSWORD, "/metrics").body)


HOST = b"Host: localhost\r\n"
HOSTILE = (
    # S-63: whose is the body, and what is behind it.
    (501, b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
    (400, b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n"),
    (200, b"GET /health HTTP/1.1\r\n" + HOST + b"\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n"),
    (400, b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n"),
    (400, b"GET / HTTP/1.1\n" + HOST + b"\r\n"), (400, b"GET /\r\n\r\n"), (400, b"\x16\x03\x01\r\n\r\n"),
    (400, b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n"),
    (400, b"GET /../../etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n"),
    (404, b"GET /etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n"),
    (405, b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n"), (405, b"PUT / HTTP/1.1\r\n" + HOST + b"\r\n"),
    (405, b"CONNECT localhost:25 HTTP/1.1\r\n" + HOST + b"\r\n"),
    (505, b"GET / HTTP/3.0\r\n" + HOST + b"\r\n"),
    (431, b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * (1 << 20) + b"\r\n\r\n"),
    (431, b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 100000 + b"\r\n"),
    (414, b"GET /" + b"a" * (1 << 20) + b" HTTP/1.1\r\n" + HOST + b"\r\n"),
    (413, b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Type: application/x-www-form-urlencoded\r\n"
          b"Content-Length: 10000000\r\n\r\n" + b"a" * (1 << 20)),
    # Splitting; another site's name that leads here.
    (400, b"GET /?a=%00 HTTP/1.1\r\n" + HOST + b"\r\n"),
    (404, b"GET /x?a=%0d%0aSet-Cookie:%20x=1 HTTP/1.1\r\n" + HOST + b"\r\n"),
    (421, b"GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n"), (421, b"GET / HTTP/1.1\r\nHost: evil@localhost\r\n\r\n"),
    (200, b"GET /health HTTP/1.1\r\nHost: MX.example.test.:2580\r\n\r\n"),
    (200, b"GET /health HTTP/1.1\r\nHost: [::1]:1\r\n\r\n"), (200, b"GET /health HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n"),
)


def hostile(b):
    for status, octets in HOSTILE:
        got = b.raw(octets)
        assert got.startswith(b"HTTP/1.1 %d " % status), (octets[:200], got[:300])
        # One answer, and nothing of theirs in it.
        assert got.count(b"HTTP/1.1 ") == 1 and b"Set-Cookie" not in got and b"root:" not in got, octets[:200]
    # S-09: who offers another protocol means another server.
    for offer, fine in ((["http/1.1"], True), (["h2", "http/1.1"], True), (["smtp"], False), (["pop3"], False)):
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
        ctx.set_alpn_protocols(offer)
        try:
            got = b.raw(b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n", ctx=ctx).startswith(b"HTTP/1.1 200 ")
        except ssl.SSLError:
            got = False
        assert got == fine, offer
    assert "died of" not in b.log(), b.log()


def slow(b):
    """Who says nothing, or not all, keeps nobody waiting; more than one address may have are turned away."""
    idle = []
    for n in range(16):
        s = socket.create_connection((b.host, b.port["admin"]), 60, ("127.0.0.5", 0))
        idle.append(s)
    wait_for("who are served", lambda: b.ask("GET", "/health").status == 200)
    with socket.create_connection((b.host, b.port["admin"]), 60, ("127.0.0.5", 0)) as s:
        assert s.recv(1) == b""
    assert "refused a connection from unknown[127.0.0.5]: too many connections from your address" in b.log()
    assert b.ask("GET", "/health").status == 200
    for s in idle:
        s.close()
    wait_for("their ends", lambda: try_from(b, "127.0.0.5"))


def try_from(b, source):
    try:
        return b.ask("GET", "/health", source).status == 200
    except (OSError, AssertionError):
        return False


SVG = "<svg/onload=alert(1)>"


def queue(b):
    """What waits and why, searched; an order is carried out and named in the log.  S-62: what strangers wrote is text."""
    with Sink(rules=[f"RCPT=450 4.3.2 later {SVG}"]) as server:
        b.write_conf(ADMIN + upstream("there", server.port) + route("far.example", "there") +
                     'queue { retry = {1h} }\n')
        b.reload()
        with b.smtp("submission", login="alice") as c:
            for n in range(60):
                c.sendmail("s@y.example", [f"x{n}@far.example"], "Subject: x\r\n\r\nhello\r\n")
            c.sendmail('"<svg/onload=alert(2)>"@y.example', ['"<svg/onload=alert(1)>"@far.example'],
                       f"Subject: {SVG}\r\n\r\nhello\r\n")
        wait_for("the attempts", lambda: b.ctl("queue", "list", "--state", "deferred", "--count").stdout.strip() == "61")
    cookie = cookie_of(b.log_in())

    def page(path):
        got = b.ask("GET", path, Cookie=cookie)
        assert got.status == 200, (path, got)
        assert "<svg" not in got.body, path
        return got
    first, second = page("/queue"), page("/queue?page=1&state=deferred")
    ids = [re.findall(r'/message\?id=([^"]+)"', x.body) for x in (first, second)]
    assert len(ids[0]) == 50 and len(ids[1]) == 11 and not set(ids[0]) & set(ids[1]), ids
    assert "Next" in first.body and "Before" not in first.body and "Next" not in second.body
    assert f"later {html.escape(SVG)}" in first.body, first
    found = page("/queue?by=recipient&q=x7@far.example")
    one, = re.findall(r'/message\?id=([^"]+)"', found.body)
    for nothing in ("/queue?state=hold", "/queue?by=sender&q=zzz", "/queue?by=recipient&q=" + "nobody"):
        assert "There is none." in page(nothing).body, nothing
    shown = page(f"/message?id={one}")
    for text in ("x7@far.example", "s@y.example", "450 4.3.2 later", "Next attempt", "deferred"):
        assert text in shown.body, (text, shown)
    for wrong in ("", "x", "../" + one, one + "x", "%00"):
        assert b.ask("GET", f"/message?id={wrong}", Cookie=cookie).status in (400, 404), wrong
    # Held and let go, by who has a form of ours.
    order = {"token": token_of(shown), "id": one}
    assert b.ask("POST", "/message", Cookie=cookie, body={"id": one, "do": "hold"}).status == 403
    assert b.ask("POST", "/message", Cookie=cookie, body={**order, "do": "delete"}).status == 400
    done = b.ask("POST", "/message", Cookie=cookie, body={**order, "do": "hold"})
    assert (done.status, done.field("Location")) == (303, f"/message?id={one}"), done
    assert f"order: hold {one}: done, user=alice, ip=[127.0.0.1]" in b.log()
    assert one in page("/queue?state=hold").body and "Let go" in page(f"/message?id={one}").body
    assert b.ask("POST", "/message", Cookie=cookie, body={**order, "do": "release"}).status == 303
    assert "There is none." in page("/queue?state=hold").body
    assert b.ask("POST", "/message", Cookie=cookie, body={**order, "do": "flush"}).status == 303
    dests = page("/destinations")
    assert "there" in dests.body and "61 messages in the queue" in dests.body, dests
    wait_for("all put off", lambda: re.search(r'deferred</th><td class="t">61<', page("/").body))


def blocked_and_logins(b):
    """A block by hand, and away again; what each backend says."""
    cookie = cookie_of(b.log_in())
    token = token_of(b.ask("GET", "/blocks", Cookie=cookie))

    def order(path, **form):
        return b.ask("POST", path, Cookie=cookie, body={"token": token, **form})
    assert order("/blocks", net="192.0.2.0/24", why=f"a {SVG}", do="block", **{"for": "3600"}).status == 303
    page = b.ask("GET", "/blocks", Cookie=cookie)
    assert "192.0.2.0/24" in page.body and "<svg" not in page.body and re.search("(59|60) min", page.body), page
    assert "192.0.2.0/24" in b.ctl("blocks").stdout
    for wrong in ({"net": "x", "do": "block"}, {"net": "192.0.2.1", "do": "x"},
                  {"net": "192.0.2.1\n10.0.0.0/8", "do": "block"}, {"net": "198.51.100.1", "do": "unblock"}):
        assert order("/blocks", **wrong).status == 400, wrong
    assert order("/blocks", net="192.0.2.0/24", do="unblock").status == 303
    assert "192.0.2.0/24" not in b.ask("GET", "/blocks", Cookie=cookie).body
    assert "order: unblock 192.0.2.0/24: done, user=alice" in b.log()
    page = b.ask("GET", "/logins", Cookie=cookie)
    assert f"file://{b.dir}/users" in page.body, page
    for password, said in ((PASSWORD, "yes"), (WRONG, "no")):
        page = order("/logins", user="bob", password=password)
        assert page.status == 200 and f"file://{b.dir}/users</td><td>{said}<" in page.body, page
    assert WRONG not in b.log()


def nobody(b):
    """As long as admin.users is empty the log and the page say so."""
    b.write_conf("")
    b.reload()
    wait_for("the new pages", lambda: "admin.users is empty" in b.log() and try_from(b, "127.0.0.1"))
    assert "Nobody is an administrator" in b.ask("GET", "/login").body
    refused = b.basic("alice", PASSWORD)
    assert refused.status == 403 and "nobody is an administrator" in refused.body, refused
    assert "nobody is an administrator, expected admin" in b.log()


def blocks():
    """S-39: guesses count together with those by POP3, and so does the block."""
    conf = ADMIN + "auth { failures-to-block = 4  failure-delay = 1ms  block-time = 1h }\n"
    with Pages(extra=conf, listen=dict(Pages.LISTEN, clear=("pop3", "off"))) as b:
        # They come from an address that is not trusted.
        guesser = "127.0.0.9"
        for n in range(2):
            assert b.basic("alice", f"guess{n}", source=guesser).status == 401
        assert b.log_in(password="guess", source=guesser).status == 401
        blocked = b.basic("alice", "guess", source=guesser)
        assert blocked.status == 429 and 3500 < int(blocked.field("Retry-After")) <= 3600, blocked
        # Not even with the right one, nor the page; but others.
        assert b.basic("alice", PASSWORD, source=guesser).status == 429
        assert b.ask("GET", "/login", source=guesser).status == 429
        assert b.ask("GET", "/health", source=guesser).status == 200
        assert b.basic("alice", PASSWORD).status == 200
        with socket.create_connection((b.host, b.port["clear"]), 60, (guesser, 0)) as s:
            assert b"too many wrong passwords" in s.recv(1000)
        assert "127.0.0.9" in b.ctl("blocks").stdout
        assert b.ctl("unblock", guesser).returncode == 0
        assert b.basic("alice", PASSWORD, source=guesser).status == 200
        assert b.ctl("block", guesser, "--why", "test").returncode == 0
        assert b.basic("alice", PASSWORD, source=guesser).status == 403
        assert len(re.findall(r"LOGIN FAILED, user=alice, ip=\[127.0.0.9\]", b.log())) == 4


def paused():
    """Who says no more after a wrong password, but hears, waits as others do."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    # Nothing is to be read after the handshake but the answer: no tickets.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with Pages(extra=ADMIN + "auth { failure-delay = 1m }\n") as b:
        word = base64.b64encode(b"alice:no").decode()
        with socket.create_connection((b.host, b.port["admin"]), 60) as raw:
            with context.wrap_socket(raw, server_hostname="localhost") as s:
                s.sendall(f"GET / HTTP/1.1\r\nHost: localhost:{b.port['admin']}\r\n"
                          f"Authorization: Basic {word}\r\n\r\n".encode())
                socket.socket.shutdown(s, socket.SHUT_WR)
                wait_for("the failure", lambda: "LOGIN FAILED, user=alice" in b.log())
                assert b.basic("alice", PASSWORD).status == 200
                assert not select.select([s], [], [], 0)[0]


class PagesOf(Backends, Pages):
    LISTEN = dict(Backends.LISTEN, admin=("admin", "implicit"))

    def page(self, user, password):
        status = self.basic(user, password).status
        return {200: YES, 401: NO, 503: LATER}.get(status, status)

    def everywhere(self, want, user, password):
        """The same by SMTP, POP3 and the pages, and each asks the same backends in the same order."""
        self.expect(want, user, password)
        got = self.page(user, password)
        assert got == want, (user, got)
        asked = {service: re.findall(rf"service={service}, .*user={user}: .*? ms \((.*)\)", self.log())[-1]
                 for service in ("submission", "pop3", "admin")}
        assert len(set(asked.values())) == 1, asked
        return asked["admin"]


def same_list(folder):
    """One list serves SMTP, POP3 and the pages: a file, a slapd, and one that hangs."""
    slapd = Slapd(folder)
    ldap = f"ldap://127.0.0.1:{slapd.port}/ou=people,dc=x"
    extra = 'admin { users = {"*"} }\nlimits { connections-per-address = 1000 }\n'
    try:
        with Silent() as silent, PagesOf("file://USERS", ldap, users=("dave",), extra=extra) as b:
            assert "ldap" not in b.everywhere(YES, "dave", PASSWORD)
            assert re.match("file.*: no; ldap.*: yes$", b.everywhere(YES, "alice", SECRET))
            assert re.match("file.*: no; ldap.*: no$", b.everywhere(NO, "alice", WRONG))
            b.change(ldap, "file://USERS")
            assert re.match("ldap.*: yes$", b.everywhere(YES, "alice", SECRET))
            # One that hangs keeps waiting who needs it; others go on meanwhile.
            b.change("file://USERS", f"ldap://127.0.0.1:{silent.port}/dc=x", auth="timeout = 20s cache = 0s")
            wait_for("the pages", lambda: try_from(b, "127.0.0.1"))
            answers = []
            hung = [threading.Thread(target=lambda: answers.append(b.basic("alice", SECRET))) for n in range(8)]
            for t in hung:
                t.start()
            wait_for("who waits", lambda: len(visits_of(b)) >= len(hung))
            assert b.page("dave", PASSWORD) == YES and b.ask("GET", "/health").status == 200
            assert not answers
            for t in hung:
                t.join()
            assert [a.status for a in answers] == [503] * len(hung) and answers[0].field("Retry-After"), answers
            # A list of their own: whoever is on it, by the pages alone.
            b.auth = "timeout = 2s cache = 0s"
            b.write_conf(extra + 'admin { auth = {"hardcoded://root:only-pages-11"} }\n')
            b.reload()
            wait_for("the pages", lambda: b.page("root", "only-pages-11") == YES)
            b.expect(LATER, "root", "only-pages-11")
            assert b.page("dave", PASSWORD) == NO
            b.expect(YES, "dave", PASSWORD)
            b.keeps(SECRET, WRONG, "only-pages-11")
            assert "died of" not in b.log()
    finally:
        slapd.stop()


def visits_of(b):
    """The processes that serve somebody."""
    admin = re.search(r"helper barid-admin 0 pid=(\d+)", b.ctl("status").stdout)[1]
    return b.read(f"/proc/{admin}/task/{admin}/children").split()


for case in (by_page, by_password, metrics, queue, blocked_and_logins, hostile, slow, nobody):
    print(case.__name__, flush=True)
    with Pages(extra=ADMIN) as barid:
        case(barid)
print("blocks", flush=True)
blocks()
print("paused", flush=True)
paused()
print("same_list", flush=True)
with tempfile.TemporaryDirectory(prefix="barid-admin-") as place:
    os.chmod(place, 0o755)
    same_list(place)
