// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "cli/signals.h"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

namespace fuseboard::cli {
namespace {

sigset_t end_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

EndSignals::EndSignals() {
  const sigset_t set = end_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

EndSignals::Wake EndSignals::wait() const {
  const sigset_t set = end_signals();
  for (;;) {
    int signal = 0;
    if (sigwait(&set, &signal) != 0) continue;
    if (signal == SIGHUP) return Wake::hangup;
    if (signal != SIGUSR1) return Wake::terminate;
    // SIGUSR1 from elsewhere, as log rotation sends it, means nothing here.
    if (notified_.exchange(false)) return Wake::notified;
  }
}

void EndSignals::notify() const {
  notified_.store(true);
  kill(getpid(), SIGUSR1);
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);  // at worst the limit stays as it was, and accept() pauses when it is reached
}

}  // namespace fuseboard::cli
