ipc_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/ipc/*.c))
