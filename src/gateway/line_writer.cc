// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/line_writer.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <utility>

#include "fuseboard/core/mutex.h"

namespace fuseboard::gateway {
namespace {

// What the system does not take, because nobody will ever read it.
std::string_view write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {  // somebody who shares the descriptor does not want to block
      pollfd ready{.fd = descriptor, .events = POLLOUT, .revents = 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      break;
    }
  }
  return text;
}

}  // namespace

struct LineWriter::State {
  State(int to, LineWriterOptions with) : descriptor(to), options(std::move(with)) {}

  const int descriptor;
  const LineWriterOptions options;
  std::atomic<std::uint64_t> dropped{0};
  Mutex mutex;
  std::condition_variable_any changed;
  std::string waiting FUSEBOARD_GUARDED_BY(mutex);
  std::uint64_t untold FUSEBOARD_GUARDED_BY(mutex) = 0;  // dropped, and no line says so yet
  bool closing FUSEBOARD_GUARDED_BY(mutex) = false;
  bool finished FUSEBOARD_GUARDED_BY(mutex) = false;

  bool take(std::string_view line) {
    const MutexLock lock(mutex);
    if (closing) return false;
    const std::string notice = notice_locked();
    if (notice.size() + line.size() > options.most_waiting - waiting.size()) {
      ++untold;
      dropped.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    waiting.append(notice).append(line);
    untold = 0;
    return true;
  }

  std::string notice_locked() const FUSEBOARD_REQUIRES(mutex) {
    return untold > 0 && options.lost_notice ? options.lost_notice(untold) : std::string();
  }
};

LineWriter::LineWriter(int descriptor, LineWriterOptions options)
    : state_(std::make_shared<State>(descriptor, std::move(options))), thread_([state = state_] { run(*state); }) {}

LineWriter::~LineWriter() { close(Duration::zero()); }

bool LineWriter::write(std::string_view line) {
  const bool taken = state_->take(line);
  state_->changed.notify_all();
  return taken;
}

void LineWriter::run(State& state) {
  std::string taken;
  for (;;) {
    {
      const MutexLock lock(state.mutex);
      while (state.waiting.empty() && state.untold == 0 && !state.closing) state.changed.wait(state.mutex);
      if (state.waiting.empty()) {
        // Nobody has come with a line that could tell it.
        state.waiting = state.notice_locked();
        state.untold = 0;
      }
      if (state.waiting.empty() && state.closing) {
        state.finished = true;
        break;
      }
      taken.clear();
      taken.swap(state.waiting);
    }
    const std::string_view refused = write_all(state.descriptor, taken);
    const auto lines = static_cast<std::uint64_t>(std::ranges::count(refused, '\n'));
    state.dropped.fetch_add(lines, std::memory_order_relaxed);
  }
  state.changed.notify_all();
}

std::uint64_t LineWriter::dropped() const noexcept { return state_->dropped.load(std::memory_order_relaxed); }

bool LineWriter::close(Duration patience) {
  if (!thread_.joinable()) return false;
  State& state = *state_;
  bool finished = false;
  {
    const MutexLock lock(state.mutex);
    state.closing = true;
    state.changed.notify_all();
    state.changed.wait_for(state.mutex, patience,
                           [&state]() FUSEBOARD_REQUIRES(state.mutex) { return state.finished; });
    finished = state.finished;
  }
  if (finished) {
    thread_.join();
  } else {
    thread_.detach();
  }
  return finished;
}

}  // namespace fuseboard::gateway
