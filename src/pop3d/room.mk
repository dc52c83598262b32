pop3d_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/pop3d/*.c))
