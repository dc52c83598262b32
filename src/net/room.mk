net_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/net/*.c))
