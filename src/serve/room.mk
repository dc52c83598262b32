serve_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/serve/*.c))
