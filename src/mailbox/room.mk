mailbox_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/mailbox/*.c))
