queue_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/queue/*.c))
