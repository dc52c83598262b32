# barid: hand-written GNU make, not recursive.  `make help` lists the targets.
srcdir ?= .
SHELL := /bin/sh
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

# Other arguments than the last time: configured anew.  Who makes in a
# directory that was configured otherwise (asan, fuzzer) has none to give.
ifeq ($(MAKELEVEL)$(if $(CONFIGURE_ARGS),args),0args)
ifneq ($(strip $(file <configure.args)),$(strip $(CONFIGURE_ARGS)))
$(shell rm -f config.mk config.status)
endif
endif

# A fresh checkout configures itself at the first target that needs it.
ifneq ($(filter-out help deps clean distclean,$(or $(MAKECMDGOALS),all)),)
include config.mk
endif

config.mk: $(srcdir)/configure.ac $(srcdir)/src/build/config.mk.in $(srcdir)/src/build/config.h.in
	@$(srcdir)/src/build/deps.sh build
	cd $(srcdir) && { [ configure -nt configure.ac ] || { autoconf && rm -rf autom4te.cache; }; }
	@if [ -x config.status ]; then ./config.status --recheck >/dev/null && ./config.status; \
	else $(srcdir)/configure $(CONFIGURE_ARGS) >configure.log || { cat configure.log; exit 1; }; fi
	$(file >configure.args,$(CONFIGURE_ARGS))

WARN := -Wall -Wextra -Wpedantic -Wformat=2 -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla \
	-Wundef -Wimplicit-fallthrough -Wconversion -Wno-sign-conversion
PATHS = -DSYSCONFDIR='"$(sysconfdir)"' -DBARID_LIBEXECDIR='"$(libexecdir)/barid"'
ALL_CPPFLAGS = -D_GNU_SOURCE -I. -I$(srcdir)/include $(PATHS) $(CPPFLAGS)
ALL_CFLAGS = -std=c11 $(WARN) $(WERROR) $(HARDEN_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(HARDEN_LDFLAGS) -Wl,--as-needed $(LDFLAGS)
# AddressSanitizer has a crypt_r of its own that stands for the library's, which must be there.
CRYPT = -Wl,--push-state,--no-as-needed $(CRYPT_LIBS) -Wl,--pop-state
LIBS = $(OPENSSL_LIBS) $(CARES_LIBS) $(EVENT_LIBS) $(CONFUSE_LIBS) $(JANSSON_LIBS) $(GSASL_LIBS) \
	$(PCRE2_LIBS) $(IDN2_LIBS) -lunistring $(PSL_LIBS) $(ZLIB_LIBS) $(EXPAT_LIBS) -lpthread

# Rooms, highest layer first: the order in which archives are linked.
LIBROOMS := serve report fetch client check policy mailbox queue ipc conf net mail lib
PROGROOMS := master smtpd pop3d auth http spawn verify checkd collect admin runner sign cmd
include $(patsubst %,$(srcdir)/src/%/room.mk,$(LIBROOMS) $(PROGROOMS))

objs = $(patsubst %.c,obj/%.o,$(1))
define archive
obj/$(1).a: $$(call objs,$$($(1)_SRCS))
	@mkdir -p $$(@D) && rm -f $$@ && $$(AR) rcs $$@ $$^
endef
$(foreach r,$(LIBROOMS) $(PROGROOMS),$(eval $(call archive,$(r))))
ARCHIVES := $(patsubst %,obj/%.a,$(LIBROOMS))

# make V=1 shows the commands.
Q := $(if $(V),,@)
say = @$(if $(V),:,echo '  ')
link = $(Q)echo '   LD' $@; $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)

PROGRAMS := barid barid-auth barid-http barid-spawn barid-verify barid-check barid-collect barid-admin barid-runner barid-sign sendmail baridctl

all: $(PROGRAMS)

obj/%.o: $(srcdir)/%.c config.mk
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(ALL_CPPFLAGS) $(EXTRA_CPPFLAGS) -I$(<D) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# What each session runs stands together: each 64 KiB of a program that a child looks
# at for the first time are a fault, and most of them were for a function or two.
# First what a connection needs, then what a message does.
SESSION := $(patsubst %,obj/src/%.o, \
	master/accept master/behind master/lend master/sandbox \
	$(addprefix lib/,proc_fork proc log log_line fmt buf str clock arena mem mem_young stream \
	    stream_fd sys_real ip_range random) \
	net/addr net/wire ipc/score ipc/blocks ipc/marks ipc/userset conf/listener conf/name \
	policy/access policy/blocklist policy/certified mail/command mail/reply queue/tray \
	$(addprefix smtpd/smtpd_,session io log check identity asked scan text misc spf grey tls \
	    extend helo) \
	$(addprefix smtpd/smtpd_,mail rcpt params data store checks found received list verify \
	    quota rate remap dmarc settings attr xclient auth) \
	$(addprefix mail/,path header dot date report encoded) $(addprefix ipc/,frame channel msg) \
	$(addprefix queue/,write envelope id spool) $(addprefix policy/,recipient route source) \
	conf/pattern conf/conf lib/hash check/refusal)
barid: $(SESSION) obj/master.a obj/pop3d.a obj/smtpd.a $(ARCHIVES)
	$(link)
barid-auth: obj/auth.a $(ARCHIVES)
	$(link) $(PAM_LIBS) $(LDAP_LIBS) $(CURL_LIBS) $(CRYPT)
barid-http: obj/http.a $(ARCHIVES)
	$(link) $(CURL_LIBS)
barid-spawn: obj/spawn.a $(ARCHIVES)
	$(link)
barid-verify: obj/verify.a $(ARCHIVES)
	$(link)
barid-check: obj/checkd.a $(ARCHIVES)
	$(link)
barid-collect: obj/collect.a $(ARCHIVES)
	$(link)
barid-admin: obj/admin.a $(ARCHIVES)
	$(link)
barid-runner: obj/runner.a $(ARCHIVES)
	$(link)
barid-sign: obj/sign.a $(ARCHIVES)
	$(link)
sendmail: obj/src/cmd/sendmail.o obj/cmd.a $(ARCHIVES)
	$(link)
baridctl: obj/src/cmd/baridctl.o obj/cmd.a $(ARCHIVES)
	$(link) $(CRYPT)

# ---- tests -----------------------------------------------------------------------
# Unit tests: a program for each file.  Fault tests: the same with another sys.
# Fuzz targets: replayed over their corpora here, run by libFuzzer in `make fuzz`.
sources = $(patsubst $(srcdir)/%.c,%,$(wildcard $(srcdir)/$(1)))
UNIT := $(patsubst tests/%,obj/%,$(call sources,tests/unit/*/*_test.c))
FAULT := $(patsubst tests/%,obj/%,$(call sources,tests/fault/*_test.c))
FUZZ := $(patsubst tests/%,obj/%,$(call sources,tests/fuzz/*_fuzz.c))
TEST_ARCHIVES := obj/master.a obj/pop3d.a obj/smtpd.a obj/runner.a obj/auth.a obj/http.a \
	obj/spawn.a obj/verify.a obj/checkd.a obj/collect.a obj/admin.a obj/sign.a obj/cmd.a $(ARCHIVES)
# Asked for when it is needed: the library may have come after configure.
TEST_LIBS = $(shell $(PKG_CONFIG) --libs check) $(PAM_LIBS) $(LDAP_LIBS) $(CURL_LIBS) $(CRYPT)

obj/tests/%.o: EXTRA_CPPFLAGS = -I$(srcdir)/tests/unit -I$(srcdir)/src
$(UNIT): obj/unit/%: obj/tests/unit/%.o $(TEST_ARCHIVES)
	@mkdir -p $(@D)
	$(link) $(TEST_LIBS)
$(FAULT): obj/fault/%: obj/tests/fault/%.o obj/tests/fault/sys_fault.o $(TEST_ARCHIVES)
	@mkdir -p $(@D)
	$(link) $(TEST_LIBS)
$(FUZZ): obj/fuzz/%: obj/tests/fuzz/%.o obj/tests/fuzz/replay.o $(TEST_ARCHIVES)
	@mkdir -p $(@D)
	$(link) $(PAM_LIBS) $(LDAP_LIBS) $(CURL_LIBS) $(CRYPT)
obj/fault/powercut_load: obj/tests/fault/powercut_load.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(link)
obj/tools/%: obj/tests/tools/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(link)
TOOLS := $(patsubst tests/%,obj/%,$(call sources,tests/fault/powercut_load.c) $(call sources,tests/tools/*.c))

unit: $(UNIT)
tests: all $(UNIT) $(FAULT) $(FUZZ) $(TOOLS) stage

# The programs installed where the tests run them.
STAGE := $(CURDIR)/obj/stage
stage: all
	@$(MAKE) -s --no-print-directory install DESTDIR=$(STAGE) >/dev/null

CHECK = BARID_STAGE=$(STAGE) BARID_PREFIX=$(prefix) BARID_OBJ=$(CURDIR)/obj BARID_SRC=$(abspath $(srcdir)) \
	CC='$(CC)' python3 $(srcdir)/tests/tools/check
check: deps
	@$(MAKE) --no-print-directory -j2 tests
	@$(CHECK) $(ONLY)
lint:
	@$(CHECK) lint

check-asan: deps
	@mkdir -p obj/asan
	@[ -e obj/asan/config.mk ] || (cd obj/asan && $(abspath $(srcdir))/configure --enable-sanitizers CC='$(CC)' CFLAGS='-g -O1' >configure.log)
	@$(MAKE) --no-print-directory -C obj/asan -j2 tests
	@CHECK_LINT=no $(MAKE) --no-print-directory -C obj/asan check-built
check-built:
	@$(CHECK) $(ONLY)

FUZZ_TIME ?= 60
fuzz: deps
	@mkdir -p obj/fuzzer
	@[ -e obj/fuzzer/config.mk ] || (cd obj/fuzzer && $(abspath $(srcdir))/configure --disable-hardening CC=clang \
	  CFLAGS='-g -O1 -fsanitize=fuzzer-no-link,address,undefined' LDFLAGS='-fsanitize=address,undefined' >configure.log)
	@$(MAKE) --no-print-directory -C obj/fuzzer -j2 fuzz-run FUZZ_TIME=$(FUZZ_TIME)
FUZZERS := $(patsubst obj/fuzz/%,obj/fuzzers/%,$(FUZZ))
$(FUZZERS): obj/fuzzers/%: obj/tests/fuzz/%.o $(TEST_ARCHIVES)
	@mkdir -p $(@D)
	$(link) $(PAM_LIBS) $(LDAP_LIBS) $(CURL_LIBS) $(CRYPT) -fsanitize=fuzzer
fuzz-run: $(FUZZERS)
	@for f in $(FUZZERS); do n=$$(basename $$f _fuzz); echo "fuzz $$n"; \
	  mkdir -p obj/corpus/$$n; \
	  d=$(srcdir)/tests/fuzz/$$n.dict; [ ! -e $$d ] || dict="-dict=$$d"; \
	  $$f -max_total_time=$(FUZZ_TIME) -rss_limit_mb=4096 $${dict:-} obj/corpus/$$n $(srcdir)/tests/fuzz/corpus/$$n >obj/corpus/$$n.log 2>&1 || { tail -30 obj/corpus/$$n.log; exit 1; }; \
	  tail -2 obj/corpus/$$n.log; unset dict; done

# What the seeds come to.  ARGS='-l smtpd': of this target, and which lines they do not.
fuzz-coverage: deps
	@mkdir -p obj/coverage
	@[ -e obj/coverage/config.mk ] || (cd obj/coverage && $(abspath $(srcdir))/configure --enable-coverage --disable-hardening \
	  CC=gcc CFLAGS=-g >configure.log)
	@$(MAKE) --no-print-directory -C obj/coverage -j2 fuzz-targets
	@$(srcdir)/tests/fuzz/coverage obj/coverage/obj $(ARGS)
fuzz-targets: $(FUZZ)

# ARGS='testssl': one of them alone.
interop: all stage
	@$(srcdir)/src/build/deps.sh interop
	@BARID_STAGE=$(STAGE) BARID_PREFIX=$(prefix) BARID_OBJ=$(CURDIR)/obj BARID_SRC=$(abspath $(srcdir)) \
	  python3 $(srcdir)/tests/interop/run $(ARGS)
timing: all stage
	@BARID_STAGE=$(STAGE) BARID_PREFIX=$(prefix) BARID_OBJ=$(CURDIR)/obj BARID_SRC=$(abspath $(srcdir)) \
	  python3 -W ignore::DeprecationWarning $(srcdir)/tests/interop/timing

bench: all stage $(TOOLS)
	@BARID_STAGE=$(STAGE) BARID_PREFIX=$(prefix) BARID_OBJ=$(CURDIR)/obj BARID_SRC=$(abspath $(srcdir)) $(srcdir)/tests/bench/run
bench-checks bench-counts bench-growth bench-profile: all stage $(TOOLS)
	@BARID_STAGE=$(STAGE) BARID_PREFIX=$(prefix) BARID_OBJ=$(CURDIR)/obj BARID_SRC=$(abspath $(srcdir)) \
	  $(srcdir)/tests/bench/$(@:bench-%=%) $(ARGS)

analyze:
	cppcheck --quiet --enable=warning,portability --inline-suppr -I$(srcdir)/include $(srcdir)/src
format:
	clang-format -i $(srcdir)/src/*/*.[ch] $(srcdir)/include/*/*.h

# ---- for people ---------------------------------------------------------------------
deps:
	@$(srcdir)/src/build/deps.sh test

run: all
	@BARID_BUILD=$(CURDIR) BARID_SRC=$(abspath $(srcdir)) $(srcdir)/src/build/run.sh

help:
	@sed -n 's/^#@ //p' $(srcdir)/Makefile
#@ all          build the programs (the default)
#@ run          start everything in the foreground on 127.0.0.1, and say how to use it
#@ check        run every test; ONLY=NAME runs those whose name contains NAME
#@ check-asan   the same under AddressSanitizer and UBSan
#@ lint         only the checks of the source itself
#@ fuzz         run the fuzz targets, FUZZ_TIME seconds each
#@ fuzz-coverage  how much of each parser the fuzz targets' seeds run
#@ interop      sslscan, testssl.sh, nmap, swaks and postal against it; takes minutes
#@ timing       whether the time of an answer says which users there are; takes a minute or two
#@ bench        measure, beside other servers where they are installed
#@ bench-counts what a message costs in system calls, flushes, context switches and time
#@ bench-checks what it costs to have a message looked at
#@ bench-growth how cost grows; bench-profile ARGS='ROW': where time goes
#@ analyze      cppcheck; format: clang-format
#@ deps         install the packages that building and testing need
#@ install      into DESTDIR, prefix and sysconfdir; uninstall takes it away again
#@ dist         a tar file of this version
#@ clean        remove what was built; distclean: and what was configured

# ---- installation --------------------------------------------------------------------
INSTALL := install
D = $(DESTDIR)
COMPLETIONS := $(datarootdir)/bash-completion/completions
MAN8 := barid.8 barid-auth.8 barid-http.8 barid-spawn.8 barid-verify.8 barid-check.8 barid-collect.8 barid-admin.8 barid-runner.8 barid-sign.8 baridctl.8 sendmail.8
MAN5 := barid.conf.5 barid-journal.5 barid-spool.5
MAN1 := mailq.1 newaliases.1
# Beside the documentation: etc/examples/X as X, the rest as it stands in etc/.
EXAMPLES = $(notdir $(wildcard $(srcdir)/etc/examples/* $(srcdir)/etc/barid*.socket)) barid.init barid.service \
	$(patsubst $(srcdir)/etc/%,%,$(wildcard $(srcdir)/etc/fail2ban/*/* $(srcdir)/etc/logrotate.d/*))
install: all
	$(INSTALL) -d $(D)$(sbindir) $(D)$(bindir) $(D)$(libexecdir)/barid $(D)$(sysconfdir)/barid \
	  $(D)$(sysconfdir)/pam.d $(D)$(mandir)/man1 $(D)$(mandir)/man5 $(D)$(mandir)/man8 $(D)$(docdir)/examples
	$(INSTALL) barid baridctl sendmail $(D)$(sbindir)
	$(INSTALL) barid-auth barid-http barid-spawn barid-verify barid-check barid-collect barid-admin barid-runner barid-sign $(D)$(libexecdir)/barid
	ln -sfr $(D)$(sbindir)/sendmail $(D)$(bindir)/mailq
	ln -sfr $(D)$(sbindir)/sendmail $(D)$(bindir)/newaliases
	$(INSTALL) -m 644 $(addprefix $(srcdir)/man/,$(MAN1)) $(D)$(mandir)/man1
	$(INSTALL) -m 644 $(addprefix $(srcdir)/man/,$(MAN5)) $(D)$(mandir)/man5
	$(INSTALL) -m 644 $(addprefix $(srcdir)/man/,$(MAN8)) $(D)$(mandir)/man8
	$(INSTALL) -m 644 $(srcdir)/README $(srcdir)/CHANGES $(srcdir)/COPYING $(D)$(docdir)
	$(INSTALL) -m 644 $(wildcard $(srcdir)/etc/examples/* $(srcdir)/etc/barid*.socket) \
	  $(srcdir)/etc/barid.init $(srcdir)/etc/barid.service $(D)$(docdir)/examples
	cd $(srcdir)/etc && for f in fail2ban/*/* logrotate.d/*; do \
	  $(INSTALL) -D -m 644 $$f $(D)$(docdir)/examples/$$f; done
	$(INSTALL) -d $(D)$(COMPLETIONS)
	$(INSTALL) -m 644 $(srcdir)/etc/completion/baridctl $(D)$(COMPLETIONS)
	[ -e $(D)$(sysconfdir)/barid/barid.conf ] || $(INSTALL) -m 640 $(srcdir)/etc/barid.conf $(D)$(sysconfdir)/barid
	[ -e $(D)$(sysconfdir)/pam.d/barid ] || $(INSTALL) -m 644 $(srcdir)/etc/pam.d/barid $(D)$(sysconfdir)/pam.d
uninstall:
	rm -f $(addprefix $(D)$(sbindir)/,barid baridctl sendmail) $(addprefix $(D)$(bindir)/,mailq newaliases)
	rm -f $(addprefix $(D)$(libexecdir)/barid/,barid-auth barid-http barid-spawn barid-verify barid-check barid-collect barid-admin barid-runner barid-sign)
	rm -f $(addprefix $(D)$(docdir)/,README CHANGES COPYING $(addprefix examples/,$(EXAMPLES)))
	rm -f $(D)$(COMPLETIONS)/baridctl
	rm -f $(addprefix $(D)$(mandir)/man1/,$(MAN1)) $(addprefix $(D)$(mandir)/man5/,$(MAN5)) \
	  $(addprefix $(D)$(mandir)/man8/,$(MAN8))
	cmp -s $(srcdir)/etc/pam.d/barid $(D)$(sysconfdir)/pam.d/barid && rm -f $(D)$(sysconfdir)/pam.d/barid || :
	cmp -s $(srcdir)/etc/barid.conf $(D)$(sysconfdir)/barid/barid.conf && rm -f $(D)$(sysconfdir)/barid/barid.conf || :
	for d in $(D)$(docdir)/examples/fail2ban/* $(addprefix $(D)$(docdir)/,examples/fail2ban examples/logrotate.d examples) \
	  $(D)$(docdir) $(D)$(libexecdir)/barid $(D)$(sysconfdir)/barid; do rmdir $$d 2>/dev/null || :; done

dist: config.mk
	cd $(srcdir) && git archive --prefix=barid-$(VERSION)/ -o barid-$(VERSION).tar.gz HEAD
clean:
	rm -rf obj $(PROGRAMS)
distclean: clean
	rm -f config.mk config.h config.status config.log configure.log configure.args GNUmakefile
	cd $(srcdir) && rm -rf configure autom4te.cache
.PHONY: all unit tests stage check check-asan check-built lint fuzz fuzz-run fuzz-coverage fuzz-targets interop timing bench bench-checks bench-counts \
  bench-growth bench-profile analyze format deps run help \
	install uninstall dist clean distclean

# Not those of a build within: their paths are others.
-include $(shell find obj -path 'obj/*/obj' -prune -o -type f -name '*.d' -print 2>/dev/null)
