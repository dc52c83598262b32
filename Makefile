# barid: hand-written GNU make.  `make help` lists the targets.
srcdir ?= .
SHELL := /bin/sh
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

# What needs no configured tree.
FREE_GOALS := help deps dist
NEEDS_CONFIG := $(if $(MAKECMDGOALS),$(filter-out $(FREE_GOALS) clean distclean,$(MAKECMDGOALS)),all)
ifneq ($(NEEDS_CONFIG),)
include config.mk
endif

WARN := -Wall -Wextra -Wpedantic -Wformat=2 -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla \
	-Wundef -Wimplicit-fallthrough -Wconversion -Wno-sign-conversion
ALL_CPPFLAGS = -D_GNU_SOURCE -I. -I$(srcdir)/include $(CPPFLAGS)
ALL_CFLAGS = -std=c11 $(WARN) $(WERROR) $(HARDEN_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(HARDEN_LDFLAGS) -Wl,--as-needed $(LDFLAGS)

# Rooms, highest layer first: the order in which archives are linked.
LIBROOMS := client policy mailbox queue ipc conf net mail lib
PROGROOMS := master smtpd pop3d auth runner cmd
include $(patsubst %,$(srcdir)/src/%/room.mk,$(LIBROOMS) $(PROGROOMS))

objs = $(patsubst $(srcdir)/%.c,obj/%.o,$(addprefix $(srcdir)/,$(1)))
ARCHIVES := $(patsubst %,obj/%.a,$(LIBROOMS))
LIBS = $(OPENSSL_LIBS) $(CARES_LIBS) $(EVENT_LIBS) $(CONFUSE_LIBS) $(JANSSON_LIBS) -lpthread

PROGRAMS := barid barid-auth barid-runner sendmail baridctl

all: $(PROGRAMS)

obj/%.o: $(srcdir)/%.c config.mk
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) -I$(<D) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

define archive
obj/$(1).a: $$(call objs,$$($(1)_SRCS))
	@rm -f $$@
	@$$(AR) rcs $$@ $$^
endef
$(foreach r,$(LIBROOMS),$(eval $(call archive,$(r))))

link = $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)

barid: $(call objs,$(master_SRCS) $(smtpd_SRCS) $(pop3d_SRCS)) $(ARCHIVES)
	$(link)
barid-auth: $(call objs,$(auth_SRCS)) $(ARCHIVES)
	$(link) $(PAM_LIBS) $(CRYPT_LIBS)
barid-runner: $(call objs,$(runner_SRCS)) $(ARCHIVES)
	$(link)
sendmail: $(call objs,$(sendmail_SRCS)) $(ARCHIVES)
	$(link)
baridctl: $(call objs,$(baridctl_SRCS)) $(ARCHIVES)
	$(link) $(CRYPT_LIBS)

# Unit tests: one program for each file, by the same name.
UNIT_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/tests/unit/*/*_test.c))
UNIT_PROGS := $(patsubst tests/unit/%.c,obj/unit/%,$(UNIT_SRCS))
obj/unit/%_test: obj/tests/unit/%_test.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(link) $(CHECK_LIBS) $(CRYPT_LIBS)
obj/tests/unit/%.o: ALL_CPPFLAGS += -I$(srcdir)/tests/unit
unit: $(UNIT_PROGS)

clean:
	rm -rf obj $(PROGRAMS)
distclean: clean
	rm -f config.mk config.h config.status config.log GNUmakefile

-include $(shell find obj -name '*.d' 2>/dev/null)
