// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The gateway: breakers, routing, loops and the HTTP server, put together from a configuration.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "config/config.h"
#include "fuseboard/breaker/registry.h"
#include "fuseboard/core/clock.h"
#include "gateway/failures.h"
#include "gateway/metrics_text.h"

namespace fuseboard::gateway {

struct GatewayOptions {
  std::size_t threads = 0;  // event loops; 0: one for each hardware thread, at most 16
  bool demo = false;        // answers say so
  const Clock& clock = SteadyClock::instance();
  const WallClock& wall = SystemWallClock::instance();
  BuildInfo build{};  // for /metrics
  LogSink log{};      // of facts for people, such as calls that failed; empty: nobody reads them
  // Lines of the log that were lost, for /metrics; any thread.
  std::function<std::uint64_t()> log_dropped = [] { return std::uint64_t{0}; };
};

// Start with listen(), end with drain(). All methods from one thread.
class Gateway {
 public:
  // `config` has been checked. Throws InvalidOptions for what only the machine can tell, such as an unreadable CA file.
  Gateway(const config::Config& config, const GatewayOptions& options);
  ~Gateway();  // cuts what is still in flight; drain() first to be polite
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // Serves from here on. The port (of use where the configuration says 0), or why not.
  std::expected<std::uint16_t, std::string> listen();

  // Calls `done`, on a loop's thread, when every request in flight has ended or the configured drain_timeout has
  // passed. New connections are refused from here on and /readyz fails.
  void drain(std::move_only_function<void()> done);

  // Calls that come after it find the providers, models, prices and rules of this configuration; those that run end by
  // what they began with. All else stays as it was. `config` has been checked. Throws InvalidOptions as the constructor
  // does, and then nothing has changed.
  void change_routing(const config::Config& config);

  BreakerRegistry& breakers() noexcept;

  // Why the latest failed attempt on that configured target failed, in words; empty: none did, or its category says
  // all.
  std::string last_cause(std::string_view target) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fuseboard::gateway
