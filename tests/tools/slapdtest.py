# SPDX-License-Identifier: GPL-3.0-or-later
"""slapdtest -- a slapd of a test's own, on ports of the kernel's choice, in a folder of its own.

    s = Slapd(folder)       # alice and others below ou=people,dc=x, whose password is SECRET
"""
import os
import signal
import subprocess

from baridtest import certificate, free_port, listening, wait_for

SECRET, BIND = "sesame-4711", "service-1234"

CONF = """include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {d}/slapd.pid
modulepath /usr/lib/ldap
TLSCertificateFile {d}/localhost.pem
TLSCertificateKeyFile {d}/localhost.key
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=service,dc=x" read by * none
database ldif
suffix "dc=x"
rootdn "cn=root,dc=x"
rootpw {bind}
directory {d}/data
"""

PEOPLE = """dn: dc=x
objectClass: dcObject
objectClass: organization
o: x
dc: x

dn: cn=service,dc=x
objectClass: person
cn: service
sn: service
userPassword: {bind}

dn: ou=people,dc=x
objectClass: organizationalUnit
ou: people

dn: uid=alice,ou=people,dc=x
objectClass: inetOrgPerson
uid: alice
cn: Alice
sn: A
mail: a@example.org
mail: shared@example.org
userPassword: {secret}

dn: uid=bob,ou=people,dc=x
objectClass: inetOrgPerson
uid: bob
cn: Bob
sn: B
mail: shared@example.org
userPassword: another-one

dn: uid=none,ou=people,dc=x
objectClass: inetOrgPerson
uid: none
cn: None
sn: N

dn: uid=o\\2C dd\\2Bone,ou=people,dc=x
objectClass: inetOrgPerson
uid: o, dd+one
cn: Odd
sn: O
userPassword: {secret}
"""


class Slapd:
    def __init__(self, folder):
        self.folder = folder
        os.mkdir(folder + "/data", 0o700)
        certificate(folder)
        with open(folder + "/slapd.conf", "w") as f:
            f.write(CONF.format(d=folder, bind=BIND))
        with open(folder + "/people", "w") as f:
            f.write(PEOPLE.format(bind=BIND, secret=SECRET))
        subprocess.run(["/usr/sbin/slapadd", "-f", folder + "/slapd.conf", "-l", folder + "/people"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.port, self.tls_port = free_port(["127.0.0.1", "127.0.0.2"]), free_port(["127.0.0.1", "127.0.0.2"])
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["/usr/sbin/slapd", "-f", self.folder + "/slapd.conf", "-d", "0", "-h",
             " ".join(f"ldap://127.0.0.{i}:{self.port}/ ldaps://127.0.0.{i}:{self.tls_port}/" for i in (1, 2))],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("slapd", lambda: listening(self.port) and listening(self.tls_port))

    def stop(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.wait()
