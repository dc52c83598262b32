spawn_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/spawn/*.c))
