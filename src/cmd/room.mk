sendmail_SRCS := src/cmd/sendmail.c
baridctl_SRCS := src/cmd/baridctl.c
