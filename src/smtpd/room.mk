smtpd_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/smtpd/*.c))
