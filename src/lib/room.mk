lib_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/lib/*.c))
