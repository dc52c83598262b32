policy_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/policy/*.c))
