conf_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/conf/*.c))
