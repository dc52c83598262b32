verify_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/verify/*.c))
