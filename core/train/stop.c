/* SPDX-License-Identifier: MIT */
#include "train/stop.h"
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t wanted; /* process-wide by nature: so are signals */

static void note(int signal_number)
{
    if (wanted) {
        signal(signal_number, SIG_DFL);
        raise(signal_number);
    }
    wanted = 1;
}

void dpcxr_stop_install(void)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    wanted = 0;
}

gboolean dpcxr_stop_wanted(void)
{
    return wanted != 0;
}
