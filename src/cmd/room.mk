cmd_SRCS := $(filter-out src/cmd/sendmail.c src/cmd/baridctl.c,$(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/cmd/*.c)))
