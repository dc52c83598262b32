# SPDX-License-Identifier: GPL-3.0-or-later
"""barid, for a side-by-side run: by the contract of the harness's servers/README.

BARID_STAGE and BARID_PREFIX say where it was installed (make bench sets them);
without them it is /usr/local.
"""
import crypt
import importlib.util
import os
import subprocess

CAPS = {"hold", "relay", "maildir", "tls", "pop3", "backlog"}
DURABLE = True          # the message is synced, name and content, before 250

STAGE = os.environ.get("BARID_STAGE", "")
PREFIX = os.environ.get("BARID_PREFIX", "/usr/local")

CONF = """\
hostname = "mx.%(domain)s"
domains = {%(local)s}
user = "%(user)s"
spool = "%(dir)s/spool"
mailboxes = "%(mail)s"
run = "%(dir)s/run"
log { to = {"file:%(dir)s/mail.log"} }
access { relay = {"127.0.0.0/8"} }
limits {
  connections = %(conn)d
  connections-in = %(conn)d
  connections-per-address = %(conn)d
  message-size = 100MB
}
recipients { mailboxes = {"any"} }
auth { backends = {"file://%(dir)s/users"}  without-tls = {"PLAIN", "LOGIN"} }
"""


def sbin(name):
    return "%s%s/sbin/%s" % (STAGE, PREFIX, name)


def conf(c):
    return c.dir + "/barid.conf"


def configure(c, mode, tls=False, maxconn=0, boxes=1, backlog=False):
    text = CONF % {"domain": c.domain, "dir": c.dir, "mail": c.mail, "user": c.mail_user,
                   "conn": max(400, maxconn + 100),
                   "local": '"%s"' % c.domain if mode in ("maildir", "pop3") else ""}
    if tls:
        text += 'tls { certificate = "%s"  key = "%s" }\n' % (c.cert, c.key)
    if mode == "pop3":
        text += 'listen "pop3" { service = "pop3" address = {"%s"} port = "%d" tls = "off" }\n' % (
            c.host, c.pop_port)
    else:
        text += 'listen "smtp" { service = "smtp" address = {"%s"} port = "%d" tls = "%s" }\n' % (
            c.host, c.smtp_port, "starttls" if tls else "off")
    if mode == "hold":
        text += "queue { deliver = false }\n"
    if mode == "relay":
        text += 'upstream "sink" { server "%s" { port = %d  tls = "off" } }\nroute "*" { via = "sink" }\n' % (
            c.host, c.sink_port)
    c.write("users", "u1:%s\n" % crypt.crypt("secret", crypt.mksalt(crypt.METHOD_SHA512, rounds=1000)), 0o600)
    c.write("barid.conf", text)


def start(c):
    c.spawn([sbin("barid"), "-f", "-c", conf(c)])


def stop(c):
    for p in c.procs:
        p.terminate()


def version(c):
    return subprocess.check_output([sbin("barid"), "-V"]).decode().split()[1]


def mailq(c):
    return [sbin("baridctl"), "-c", conf(c), "queue"]


def flush(c):
    c.call([sbin("baridctl"), "-c", conf(c), "queue", "flush"])


def fill(c, user, n):
    """The harness's own way of filling a Maildir."""
    here = os.path.dirname(os.path.abspath(importlib.util.find_spec("_util").origin))
    spec = importlib.util.spec_from_file_location("_util", here + "/_util.py")
    util = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(util)
    util.maildir_fill(c, user, n)
