check_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/check/*.c))
