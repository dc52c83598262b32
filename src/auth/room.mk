auth_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/auth/*.c))
