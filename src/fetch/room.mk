fetch_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/fetch/*.c))
