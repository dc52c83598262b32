#!/bin/sh
# deps.sh [build|test|interop]: installs what is missing on a Debian system, and says
# what.  Of servers that cannot be installed beside each other a test unpacks
# the package, which is left in obj/peers of the directory where this runs.  As root with apt-get, else through sudo; where neither works it
# prints the command that does it, and fails.
set -eu

build="gcc make autoconf pkg-config libc6-dev libssl-dev libc-ares-dev libevent-dev
libconfuse-dev libpam0g-dev libcrypt-dev libjansson-dev libcurl4-openssl-dev libldap-dev libgsasl-dev libpcre2-dev
libidn2-dev libunistring-dev libpsl-dev zlib1g-dev libexpat1-dev libseccomp-dev openssl"
# Clients and servers that the tests use: programs that we did not write.
tests="check mold nsd unbound ldnsutils libsubunit-dev clang libclang-rt-14-dev mandoc python3 curl swaks
libnet-ssleay-perl libio-socket-ssl-perl libauthen-sasl-perl msmtp gsasl mpop fetchmail getmail6 s-nail
dovecot-core dovecot-submissiond dovecot-pop3d mutt claws-mail xvfb dbus-daemon git-email libmailtools-perl php-cli strace xfsprogs e2fsprogs btrfs-progs mount procps
microsocks dante-server tinyproxy-bin iproute2 maildrop procmail dovecot-core dovecot-lmtpd pflogsumm fail2ban libpam-modules libpam-wrapper
haproxy faketime libsisimai-perl libmail-deliverystatus-bounceparser-perl python3-flufl.bounce slapd freeradius
opendkim opendkim-tools libxml2-utils python3-dkim python3-authres python3-dnspython libmail-dkim-perl
spamassassin spamd rspamd clamav-daemon"
# Scanners and loads, for make interop alone.
interop="python3 openssl sslscan testssl.sh nmap swaks postal"
peers="opensmtpd postsrsd"

case ${1:-test} in
build) want=$build ;;
test) want="$build $tests" ;;
interop) want="$build $interop" ;;
*) echo "usage: deps.sh [build|test|interop]" >&2; exit 64 ;;
esac

if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "This is not a Debian system; barid needs what these packages hold:" >&2
	echo $want >&2
	exit 0
fi

fetch() {
	[ "$1" = test ] && command -v apt-get >/dev/null 2>&1 || return 0
	mkdir -p obj/peers
	for p in $peers; do
		# Without it a test says that it was skipped.
		ls obj/peers/"$p"_*.deb >/dev/null 2>&1 ||
		(cd obj/peers && apt-get download -qq "$p" 2>/dev/null) ||
			echo "cannot fetch the package $p"
	done
}

missing=
for p in $want; do
	s=$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || :)
	# An architecture-qualified list ("installedinstalled") counts too.
	case $s in installed*) ;; *) missing="$missing $p" ;; esac
done
[ -n "$missing" ] || { fetch "${1:-test}"; exit 0; }

install="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" = 0 ]; then
	as_root=
elif command -v sudo >/dev/null 2>&1; then
	as_root="sudo "
else
	as_root=
fi
# Where it cannot be done here: the command, to be copied as it stands.
give_up() {
	echo "Missing packages:$missing" >&2
	who=
	[ -n "$as_root" ] || [ "$(id -u)" = 0 ] || who=" as root"
	echo "Please run$who:  ${as_root}apt-get update && $as_root$install" >&2
	exit 1
}
# A password is for a person to give: sudo is not to wait for it here.
[ "$(id -u)" = 0 ] || { [ -n "$as_root" ] && sudo -n true 2>/dev/null; } || give_up
echo "Installing:$missing"
${as_root}apt-get update -qq || give_up
# No daemon of the test clients' packages is to start here.
${as_root}env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 $install >/dev/null || give_up
fetch "${1:-test}"
