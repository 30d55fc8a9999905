// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/playback.h"

#include "net/http.h"
#include "net/loop.h"

namespace fuseboard::sim {
namespace {

net::ResponseHead head_of(const Reply& reply) {
  net::ResponseHead head;
  head.status = reply.status;
  for (const auto& [name, value] : reply.headers) head.headers.add(name, value);
  return head;
}

// One reply on its way. The timer is what a leaving client cancels: every wait, begun or to come, then ends at once.
class Player {
 public:
  Player(net::ServerExchange& exchange, const Reply& reply, Duration max_silence)
      : exchange_(exchange), reply_(reply), max_silence_(max_silence), timer_(exchange.loop()) {
    exchange_.on_gone([this] { timer_.cancel(); });
  }
  // The exchange outlives the player and must not call it any more.
  ~Player() {
    exchange_.on_gone([] {});
  }
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;

  // False: the client is gone, or the loop is stopping.
  net::Task<bool> run() {
    if (reply_.opening == Reply::Opening::kSilence) co_return co_await fall_silent();
    const bool in_time = co_await pause(reply_.wait);
    if (!in_time) co_return false;
    if (reply_.opening == Reply::Opening::kReset) {
      exchange_.abort();
      co_return true;
    }
    if (!reply_.streamed && reply_.ending == Reply::Ending::kComplete) {
      const bool taken = co_await exchange_.respond(head_of(reply_), reply_.body());
      co_return taken;
    }
    const bool sent = co_await send_steps();
    if (!sent) co_return false;
    co_return co_await end();
  }

 private:
  net::Task<bool> pause(Duration wait) {
    if (wait <= Duration::zero()) co_return true;
    co_return co_await timer_.wait_until(saturating_add(exchange_.loop().now(), wait));
  }

  // Bounded, should the client be as patient as we are.
  net::Task<bool> fall_silent() {
    const bool outlasted = co_await pause(max_silence_);
    exchange_.abort();
    co_return outlasted;
  }

  net::Task<bool> send_steps() {
    const bool started = co_await exchange_.start(head_of(reply_));
    if (!started) co_return false;
    for (const Step& step : reply_.steps) {
      const bool in_time = co_await pause(step.wait);
      if (!in_time) co_return false;
      const bool written = co_await exchange_.write(step.bytes);
      if (!written) co_return false;
    }
    co_return true;
  }

  net::Task<bool> end() {
    if (reply_.ending == Reply::Ending::kStall) co_return co_await fall_silent();
    if (reply_.ending == Reply::Ending::kCut) {
      exchange_.abort();
      co_return true;
    }
    co_return co_await exchange_.finish();
  }

  net::ServerExchange& exchange_;
  const Reply& reply_;
  const Duration max_silence_;
  net::Timer timer_;
};

}  // namespace

net::Task<bool> play(net::ServerExchange& exchange, const Reply& reply, Duration max_silence) {
  Player player(exchange, reply, max_silence);
  const bool completed = co_await player.run();
  co_return !completed;
}

}  // namespace fuseboard::sim
