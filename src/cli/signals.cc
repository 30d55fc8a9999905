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
  return set;
}

}  // namespace

EndSignals::EndSignals() {
  const sigset_t set = end_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

EndSignals::Wake EndSignals::wait() const {
  const sigset_t set = end_signals();
  int signal = 0;
  while (sigwait(&set, &signal) != 0) {
  }
  return signal == SIGUSR1 ? Wake::notified : Wake::terminate;
}

void EndSignals::notify() const { kill(getpid(), SIGUSR1); }

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);  // at worst the limit stays as it was, and accept() pauses when it is reached
}

}  // namespace fuseboard::cli
