#!/bin/sh
# run.sh: the whole system in the foreground, for trying it out (`make run`).
# Everything stands under run/ in the build directory; nothing outside is touched.
set -eu
run=$BARID_BUILD/run
conf=$run/barid.conf
export BARID_LIBEXEC="$BARID_BUILD"

mkdir -p "$run/tls"
if [ ! -s "$run/tls/cert.pem" ]; then
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
	    -subj /CN=localhost -addext subjectAltName=DNS:localhost,DNS:mx.example.test,IP:127.0.0.1 \
	    -keyout "$run/tls/key.pem" -out "$run/tls/cert.pem" 2>/dev/null
fi
# Root gives its sessions to nobody; anybody else stays who they are.
if [ "$(id -u)" = 0 ]; then user=nobody; else user=$(id -un); fi
cat >"$conf" <<EOF
# Written by "make run"; changes here do not last.
hostname = "mx.example.test"
domains = {"example.test"}
postmaster = "alice@example.test"
user = "$user"
spool = "$run/spool"
mailboxes = "$run/mail"
run = "$run"
tls { certificate = "$run/tls/cert.pem"  key = "$run/tls/key.pem" }
auth { backends = {"file://$run/users"} }
listen "smtp"        { service = "smtp"       address = {"127.0.0.1"} port = "2525" tls = "starttls" }
listen "submission"  { service = "submission" address = {"127.0.0.1"} port = "2587" tls = "required" }
listen "submissions" { service = "submission" address = {"127.0.0.1"} port = "2465" tls = "implicit" }
listen "pop3"        { service = "pop3"       address = {"127.0.0.1"} port = "2110" tls = "required" }
listen "pop3s"       { service = "pop3"       address = {"127.0.0.1"} port = "2995" tls = "implicit" }
listen "admin"       { service = "admin"      address = {"127.0.0.1"} port = "2580" tls = "implicit" }
admin { users = {"alice"} }
log { to = {"stderr"} }
EOF
if [ ! -e "$run/users" ]; then
	for name in alice bob; do
		printf 'barid\n' | "$BARID_BUILD/baridctl" -c "$conf" passwd "$name" >/dev/null
	done
fi

cat <<EOF
barid runs on 127.0.0.1: SMTP 2525, submission 2587 and 2465, POP3 2110 and 2995, pages 2580.
Mailboxes alice and bob at example.test, password "barid".  State is in $run.

To send:
  swaks -s 127.0.0.1:2587 -tls -au alice -ap barid -f alice@example.test -t bob@example.test
  printf 'Subject: hello\\r\\n\\r\\nhello\\r\\n' | curl -k --ssl-reqd smtp://127.0.0.1:2587 -u alice:barid \\
       --mail-from alice@example.test --mail-rcpt bob@example.test -T -
  echo hello | $BARID_BUILD/sendmail -C $conf bob@example.test
To read:
  curl -k -u bob:barid pop3s://127.0.0.1:2995/1
  MAILDIR=$run/mail/bob mutt -f $run/mail/bob
To look: $BARID_BUILD/baridctl -c $conf status
  https://127.0.0.1:2580/ as alice   (Ctrl-C stops)

EOF
exec "$BARID_BUILD/barid" -f -c "$conf"
