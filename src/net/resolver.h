// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Looks names up, each by itself: one whose name servers are silent keeps nobody waiting but those who want that name.
//
// The system's look-up blocks its thread for as long as it likes, so every name that is being looked up has a thread of
// its own, up to a bound. Answers are kept for a while, as the system does not tell how long they are good for; several
// that want one name share one look-up.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fuseboard/core/clock.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"
#include "net/loop.h"

namespace fuseboard::net {

struct NameAnswer {
  std::vector<boost::asio::ip::address> addresses{};
  std::string error{};  // why there is none
  bool ours = false;    // nobody was asked: we could not
};

// Asks the system, by files and name servers. Blocks.
NameAnswer look_up_by_system(const std::string& name);

struct ResolverOptions {
  // Names that are looked up at once, each on a thread; 1 to 1024. Others wait for one to end, but for those that
  // `hosts_file` knows.
  std::size_t max_threads = 64;
  // Names that wait at once; beyond, a look-up fails at once. 0 to 100 000.
  std::size_t max_waiting = 256;
  // Answers that are kept; at the bound the oldest goes. 1 to 1 000 000.
  std::size_t max_kept = 1024;
  // How long an answer is good; 0 to 1 h.
  Duration keep = std::chrono::seconds(30);
  // The same for a name without an address; 0 to 1 h.
  Duration keep_failure = std::chrono::seconds(1);
  std::string hosts_file = "/etc/hosts";
  // Called on threads of the resolver, several at once; must not throw. It may outlive the resolver.
  std::function<NameAnswer(const std::string&)> look_up = look_up_by_system;

  Problems validate() const;
};

// Thread-safe. Destroying it waits for nobody: threads that hang are left to end by themselves.
class Resolver {
 private:
  struct State;
  struct Party;

 public:
  // Throws InvalidOptions. The clock must outlive the look-ups.
  explicit Resolver(ResolverOptions options = {}, const Clock& clock = SteadyClock::instance());
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  using Done = std::move_only_function<void(const NameAnswer&)>;

  // Somebody who waits for an answer. On its loop's thread. Destroyed, nobody is told any more.
  class [[nodiscard]] Lookup {
   public:
    Lookup() noexcept = default;
    Lookup(Lookup&&) noexcept = default;
    Lookup& operator=(Lookup&& other) noexcept;
    ~Lookup() { cancel(); }

    // Whether the name has not been asked for yet, because others are: no fault of its servers.
    bool waits_for_others() const;

   private:
    friend class Resolver;
    Lookup(std::shared_ptr<State> state, std::shared_ptr<Party> party) noexcept
        : state_(std::move(state)), party_(std::move(party)) {}
    void cancel();

    std::shared_ptr<State> state_;
    std::shared_ptr<Party> party_;
  };

  // An answer that is known and still good.
  std::optional<NameAnswer> known(const std::string& name) const;

  // Calls `done` once on the loop's thread, later. The loop must outlive the look-up, or stop() come first.
  Lookup look_up(Loop& loop, const std::string& name, Done done);

  // Its addresses lead nowhere: they are asked for again next time.
  void forget(const std::string& name);

  // Nobody is told anything from here on. For owners whose loops end before the resolver.
  void stop();

  struct Counters {
    std::size_t threads = 0;  // names being looked up
    std::size_t waiting = 0;  // names that wait for a thread
    std::size_t kept = 0;
  };
  Counters counters() const;

 private:
  const std::shared_ptr<State> state_;
};

}  // namespace fuseboard::net
