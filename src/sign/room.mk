sign_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/sign/*.c))
