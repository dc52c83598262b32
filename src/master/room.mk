master_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/master/*.c))
