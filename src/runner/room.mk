runner_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/runner/*.c))
