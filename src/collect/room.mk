collect_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/collect/*.c))
