checkd_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/checkd/*.c))
