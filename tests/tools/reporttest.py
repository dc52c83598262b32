# SPDX-License-Identifier: GPL-3.0-or-later
"""reporttest -- reports about mail, in the forms in which others write them; and hostile ones.

Each is of our own composing.  MESSAGES has whole messages by name, each with what is to be found
in it; BROKEN those of which nothing, or not all, can be read.
"""
import base64
import gzip
import io
import json
import zipfile


def record(ip="192.0.2.1", count=1, disposition="none", dkim="pass", spf="pass", header_from="example.test", more=""):
    return (f"<record><row><source_ip>{ip}</source_ip><count>{count}</count><policy_evaluated>"
            f"<disposition>{disposition}</disposition><dkim>{dkim}</dkim><spf>{spf}</spf>{more}</policy_evaluated></row>"
            f"<identifiers><header_from>{header_from}</header_from></identifiers>"
            f"<auth_results><dkim><domain>{header_from}</domain><selector>s1</selector><result>{dkim}</result></dkim>"
            f"<spf><domain>{header_from}</domain><result>{spf}</result></spf></auth_results></record>")


def aggregate(records, org="google.com", head='<?xml version="1.0" encoding="UTF-8" ?>', root="feedback", number="12345678901234567890"):
    close = root.split()[0]
    return (f"{head}\n<{root}>\n <report_metadata>\n  <org_name>{org}</org_name>\n"
            f"  <email>noreply-dmarc-support@{org}</email>\n  <extra_contact_info>https://{org}/help</extra_contact_info>\n"
            f"  <report_id>{number}</report_id>\n  <date_range>\n   <begin>1763596800</begin>\n   <end>1763683199</end>\n"
            "  </date_range>\n </report_metadata>\n <policy_published>\n  <domain>example.test</domain>\n  <adkim>r</adkim>\n"
            "  <aspf>r</aspf>\n  <p>quarantine</p>\n  <sp>reject</sp>\n  <pct>100</pct>\n </policy_published>\n"
            + "".join(records) + f"</{close}>\n")


RECORDS = [record("192.0.2.1", 40), record("2001:db8::7", 3, "quarantine", "fail", "fail"),
           record("198.51.100.9", 2, "none", "fail", "fail", "mail.example.test",
                  "<reason><type>forwarded</type><comment>arc=pass</comment></reason>")]
XML = aggregate(RECORDS)
DMARC = {"kind": "dmarc", "org": "google.com", "report-id": "12345678901234567890", "begin": 1763596800, "end": 1763683199,
         "domain": "example.test", "policy": "quarantine", "messages": 45, "passed": 40, "failed": 5, "quarantined": 3,
         "row-count": 3}


def zipped(name, text, method=zipfile.ZIP_DEFLATED, extra=()):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for other in extra:
            z.writestr(other, "nothing to see here")
        z.writestr(name, text)
    return out.getvalue()


def lines64(data):
    text = base64.b64encode(data).decode()
    return "\r\n".join(text[i:i + 76] for i in range(0, len(text), 76)) + "\r\n"


def mail(head, body):
    """HEAD's fields, the empty line, BODY; lines end with CRLF."""
    text = "\n".join(line for line in head.strip().split("\n")) + "\n\n" + body
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode("utf-8", "surrogateescape")


def parts(*each, boundary="=_b"):
    return "".join(f"--{boundary}\n{head}\n\n{body}\n" for head, body in each) + f"--{boundary}--\n"


SUBJECT = "Report domain: example.test Submitter: google.com Report-ID: 12345678901234567890"

TLSRPT = json.dumps({
    "organization-name": "Google Inc.", "contact-info": "smtp-tls-reporting@google.com", "report-id": "2026-11-20T00:00:00Z_example.test",
    "date-range": {"start-datetime": "2026-11-20T00:00:00Z", "end-datetime": "2026-11-20T23:59:59Z"},
    "policies": [{"policy": {"policy-type": "sts", "policy-string": ["version: STSv1", "mode: enforce"], "policy-domain": "example.test",
                             "mx-host": ["mx.example.test"]},
                  "summary": {"total-successful-session-count": 500, "total-failure-session-count": 3},
                  "failure-details": [{"result-type": "certificate-expired", "sending-mta-ip": "192.0.2.9",
                                       "receiving-mx-hostname": "mx.example.test", "receiving-ip": "203.0.113.5",
                                       "failed-session-count": 3, "failure-reason-code": "X509_V_ERR_CERT_HAS_EXPIRED"}]}]})
TLS = {"kind": "tls", "org": "Google Inc.", "begin": 1795132800, "end": 1795219199, "passed": 500, "failed": 3, "row-count": 2}

RETURNED = """Received: from client.example (unknown [192.0.2.77])
\tby mail.example.test (barid) with ESMTP id 0123456789ABCDEF012;
\tFri, 20 Nov 2026 12:00:00 +0000
From: alice@example.test
Message-ID: <1@example.test>
Subject: hello
"""

POSTFIX = mail("""From: MAILER-DAEMON@mx.far.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: alice@example.test
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="=_b\"""", parts(
    ("Content-Description: Notification\nContent-Type: text/plain; charset=us-ascii", "I'm sorry to have to inform you.\n"),
    ("Content-Description: Delivery report\nContent-Type: message/delivery-status", """Reporting-MTA: dns; mx.far.example
X-Postfix-Queue-ID: 4XYZ
X-Postfix-Sender: rfc822; alice@example.test
Arrival-Date: Fri, 20 Nov 2026 12:00:01 +0000 (UTC)
Original-Envelope-Id: campaign-7

Final-Recipient: rfc822; nobody@far.example
Original-Recipient: rfc822;nobody@far.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; inner.far.example
Diagnostic-Code: smtp; 550 5.1.1 <nobody@far.example>: Recipient address
    rejected: User unknown

Final-Recipient: rfc822; full@far.example
Action: delayed
Status: 4.2.2
Diagnostic-Code: smtp; 452 4.2.2 mailbox full
Will-Retry-Until: Wed, 25 Nov 2026 12:00:01 +0000 (UTC)
"""),
    ("Content-Description: Undelivered Message Headers\nContent-Type: text/rfc822-headers", RETURNED)))

EXIM = mail("""X-Failed-Recipients: gone@far.example
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@exim.example>
To: alice@example.test
Content-Type: multipart/report; report-type=delivery-status; boundary=1763-eximdsn-1
MIME-Version: 1.0
Subject: Mail delivery failed: returning message to sender""", parts(
    ("Content-type: text/plain; charset=us-ascii", "This message was created automatically.\n"),
    ("Content-type: message/delivery-status", """Reporting-MTA: dns; exim.example

Action: failed
Final-Recipient: rfc822;gone@far.example
Status: 5.0.0
Remote-MTA: dns; mx.far.example
Diagnostic-Code: smtp; 550 no such user
"""),
    ("Content-type: message/rfc822", RETURNED + "\nthe text\n"), boundary="1763-eximdsn-1"))

SENDMAIL = mail("""From: Mail Delivery Subsystem <MAILER-DAEMON@s.example>
To: <alice@example.test>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="sAK.1795/s.example"
Subject: Returned mail: see transcript for details
Auto-Submitted: auto-generated (failure)""", "This is a MIME-encapsulated message\n\n" + parts(
    ("", "The original message was received at Fri, 20 Nov 2026\n"),
    ("Content-Type: message/delivery-status", """
Reporting-MTA: dns; s.example
Received-From-MTA: DNS; client.example
Arrival-Date: Fri, 20 Nov 2026 12:00:00 GMT

Final-Recipient: RFC822; x@far.example
Action: failed
Status: 5.1.2
Remote-MTA: DNS; mx.far.example
Diagnostic-Code: SMTP; 550 host unknown
Last-Attempt-Date: Fri, 20 Nov 2026 12:00:02 GMT
"""),
    ("Content-Type: message/rfc822", RETURNED), boundary="sAK.1795/s.example"))

MDN = mail("""From: bob@far.example
Subject: Read: hello
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification; boundary="=_b\"""", parts(
    ("Content-Type: text/plain", "Your message was displayed."),
    ("Content-Type: message/disposition-notification", """Reporting-UA: far.example; Thunderbird
Final-Recipient: rfc822;bob@far.example
Original-Message-ID: <1@example.test>
Disposition: manual-action/MDN-sent-manually; displayed
""")))

ARF = mail("""From: <feedback@isp.example>
To: abuse@example.test
Subject: FW: Earn money
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report;
\tboundary="=_b\"""", parts(
    ("Content-Type: text/plain; charset=\"US-ASCII\"", "This is an email abuse report."),
    ("Content-Type: message/feedback-report", """Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <alice@example.test>
Original-Rcpt-To: <user@isp.example>
Arrival-Date: Thu, 8 Mar 2025 14:00:00 EDT
Reporting-MTA: dns; mail.isp.example
Source-IP: 192.0.2.1
Authentication-Results: mail.isp.example;
               spf=fail smtp.mail=alice@example.test
Reported-Domain: example.test
Reported-Uri: http://example.test/earn_money.html
Incidents: 3
"""),
    ("Content-Type: message/rfc822\nContent-Disposition: inline", RETURNED + "\nSpam Spam Spam\n")))

FAILURE = mail("""From: opendmarc@isp.example
Subject: FW: hello
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="=_b\"""", parts(
    ("Content-Type: text/plain", "This is an authentication failure report."),
    ("Content-Type: message/feedback-report", """Feedback-Type: auth-failure
Version: 1
User-Agent: OpenDMARC-Filter/1.4.2
Auth-Failure: dmarc
Authentication-Results: isp.example; dmarc=fail header.from=example.test
Original-Envelope-Id: 4XYZ
Original-Mail-From: alice@example.test
Source-IP: 192.0.2.66 (bad.example)
Reported-Domain: example.test
Identity-Alignment: none
"""),
    ("Content-Type: text/rfc822-headers", RETURNED)))

# name: (sender, message, what is found of it, what is found in its first row)
MESSAGES = {
    "google": ("noreply-dmarc-support@google.com", mail(f"""From: noreply-dmarc-support@google.com
Subject: {SUBJECT}
MIME-Version: 1.0
Content-Type: application/zip; name="google.com!example.test!1763596800!1763683199.zip"
Content-Disposition: attachment
Content-Transfer-Encoding: base64""", lines64(zipped("google.com!example.test!1763596800!1763683199.xml", XML))), DMARC,
               {"source-ip": "192.0.2.1", "messages": 40, "disposition": "none", "dkim": "pass", "spf": "pass",
                "header-from": "example.test", "auth-dkim": "example.test/s1=pass", "auth-spf": "example.test=pass"}),
    "microsoft": ("dmarcreport@microsoft.com", mail("""From: "DMARC Aggregate Report" <dmarcreport@microsoft.com>
Subject: [Preview] Report Domain: example.test Submitter: enterprise.protection.outlook.com Report-ID: abc
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="_mpm_x"
""",
        parts(("Content-Type: multipart/related; boundary=\"_rv_y\"", parts(
            ("Content-Type: text/html; charset=us-ascii", "<div>This is a DMARC aggregate report</div>"), boundary="_rv_y")),
              ("Content-Type: application/gzip\nContent-Transfer-Encoding: base64\nContent-ID: <x>\n"
               "Content-Disposition: attachment; filename=\"x.xml.gz\"",
               lines64(gzip.compress(aggregate(
                   RECORDS, org="Enterprise Outlook", head='<?xml version="1.0"?>',
                   root='feedback xmlns:xsd="http://www.w3.org/2001/XMLSchema"').encode()))), boundary="_mpm_x")),
                  {"kind": "dmarc", "org": "Enterprise Outlook", "messages": 45}, {"source-ip": "192.0.2.1"}),
    "yahoo": ("noreply@dmarc.yahoo.com", mail("""From: noreply@dmarc.yahoo.com
Subject: Report Domain: example.test Submitter: mail.yahoo.com Report-ID: <1763.2>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=_b\"""", parts(
        ("Content-Type: text/plain", "This is an aggregate report from Yahoo."),
        ("Content-Type: application/octet-stream; name=\"y.xml.gz\"\nContent-Transfer-Encoding: base64",
         lines64(gzip.compress(aggregate(RECORDS, org="Yahoo", head="<?xml version=\"1.0\"?>").encode()))))),
              {"kind": "dmarc", "org": "Yahoo", "failed": 5}, {"dkim": "pass"}),
    "dmarc2": ("r@new.example", mail("""From: r@new.example
Subject: Report Domain: example.test Submitter: new.example Report-ID: <n>
MIME-Version: 1.0
Content-Type: text/xml; charset=utf-8
Content-Transfer-Encoding: quoted-printable""", aggregate(
        RECORDS, org="new.example", root='feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0"')
        .replace("=", "=3D").replace("</adkim>", "</a=\ndkim>")),
               {"kind": "dmarc", "org": "new.example", "messages": 45}, {"header-from": "example.test"}),
    "tls": ("smtp-tls-reporting@google.com", mail("""From: smtp-tls-reporting@google.com
Subject: Report Domain: example.test Submitter: google.com Report-ID: <2026@google.com>
TLS-Report-Domain: example.test
TLS-Report-Submitter: google.com
MIME-Version: 1.0
Content-Type: multipart/report; report-type="tlsrpt"; boundary="=_b\"""", parts(
        ("Content-Type: text/plain", "This is an aggregate TLS report from google.com"),
        ("Content-Type: application/tlsrpt+gzip; name=\"g.json.gz\"\nContent-Transfer-Encoding: base64",
         lines64(gzip.compress(TLSRPT.encode()))))), TLS, {"policy-type": "sts", "passed": 500, "failed": 3}),
    "postfix": ("", POSTFIX, {"kind": "dsn", "reporting-mta": "mx.far.example", "envid": "campaign-7", "row-count": 2,
                              "message-id": "<1@example.test>", "about": "0123456789ABCDEF012"},
                {"recipient": "nobody@far.example", "action": "failed", "status": "5.1.1", "remote-mta": "inner.far.example",
                 "diagnostic": "550 5.1.1 <nobody@far.example>: Recipient address rejected: User unknown"}),
    "exim": ("", EXIM, {"kind": "dsn", "reporting-mta": "exim.example", "message-id": "<1@example.test>"},
             {"recipient": "gone@far.example", "status": "5.0.0"}),
    "sendmail": ("", SENDMAIL, {"kind": "dsn", "reporting-mta": "s.example", "about": "0123456789ABCDEF012"},
                 {"recipient": "x@far.example", "diagnostic": "550 host unknown"}),
    "mdn": ("", MDN, {"kind": "mdn", "recipient": "bob@far.example", "message-id": "<1@example.test>",
                      "disposition": "manual-action/MDN-sent-manually; displayed"}, None),
    "arf": ("feedback@isp.example", ARF,
            {"kind": "abuse", "feedback-type": "abuse", "original-from": "<alice@example.test>", "source-ip": "192.0.2.1",
             "reported-domain": "example.test", "agent": "SomeGenerator/1.0", "incidents": 3,
             "original-to": "<user@isp.example>", "arrived": "Thu, 8 Mar 2025 14:00:00 EDT", "about": "0123456789ABCDEF012"}, None),
    "failure": ("opendmarc@isp.example", FAILURE, {"kind": "abuse", "feedback-type": "auth-failure", "auth-failure": "dmarc",
                                                   "source-ip": "192.0.2.66", "envid": "4XYZ"}, None),
}


def dmarc_mail(data, kind="application/gzip"):
    return mail(f"From: x@evil.example\nSubject: {SUBJECT}\nMIME-Version: 1.0\nContent-Type: {kind}\n"
                "Content-Transfer-Encoding: base64", lines64(data))


LAUGHS = ('<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">' + "".join(
    f'<!ENTITY lol{i} "{("&lol%s;" % (i - 1 or "")) * 10}">' for i in range(1, 10)) + "]><feedback><report_metadata>"
    "<org_name>&lol9;</org_name></report_metadata></feedback>")
XXE = ('<?xml version="1.0"?><!DOCTYPE f [<!ENTITY x SYSTEM "file:///etc/passwd">]><feedback><report_metadata>'
       "<org_name>&x;</org_name></report_metadata></feedback>")

# name: (message, a word of why)
BROKEN = {
    "laughs": (dmarc_mail(gzip.compress(LAUGHS.encode())), "document type"),
    "xxe": (dmarc_mail(gzip.compress(XXE.encode())), "document type"),
    "bomb": (dmarc_mail(gzip.compress(b"<feedback>" + b" " * (200 << 20))), "unpacks to more"),
    "token": (dmarc_mail(gzip.compress(b"<feedback><" + b"a" * (20 << 20))), "too long"),
    "deep": (dmarc_mail(gzip.compress(b"<feedback>" + b"<a>" * 100000)), "nested too deeply"),
    "cut": (dmarc_mail(gzip.compress(XML.encode())[:-40]), "cut short"),
    "cutxml": (dmarc_mail(gzip.compress(XML[:-30].encode())), "cut short"),
    "cutzip": (dmarc_mail(zipped("a.xml", XML)[:-30], "application/zip"), "zip is broken"),
    "garbage": (dmarc_mail(b"\x1f\x8b" + b"\xff" * 100), "broken"),
    "html": (dmarc_mail(b"<html><body>hello</body></html>", "text/xml"), "no report of DMARC"),
    "json": (dmarc_mail(b"{\"a\": [1, 2", "application/json"), "JSON"),
    "nothing": (mail(f"Subject: {SUBJECT}\nContent-Type: text/plain", "see attachment\n"), "nothing in it"),
}
