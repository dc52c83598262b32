client_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/client/*.c))
