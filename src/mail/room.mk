mail_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/mail/*.c))
