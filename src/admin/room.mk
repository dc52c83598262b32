admin_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/admin/*.c))
