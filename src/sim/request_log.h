// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the provider has received, for assertions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "fuseboard/core/time.h"

namespace fuseboard::sim {

// Not thread-safe. Keeps the last kMaxEntries requests, and totals of kMaxModels names; further names are counted
// together under kOthers. Paths and names are kept to 200 bytes.
class RequestLog {
 public:
  static constexpr std::size_t kMaxEntries = 10'000;
  static constexpr std::size_t kMaxModels = 1000;
  static constexpr std::string_view kOthers = "(others)";
  static constexpr std::string_view kNone = "(none)";  // requests that name no model

  explicit RequestLog(TimePoint began) : began_(began) {}

  // Names one request; of no use after clear().
  struct Ticket {
    std::uint64_t ordinal = 0;  // from 1 since the last clear()
    std::uint64_t nth = 0;      // requests of the same model before it; together for all beyond the bound
    std::uint64_t epoch = 0;
  };
  struct Arrival {
    std::string_view method;
    std::string_view path;
    std::string_view model;
    bool stream = false;
  };
  Ticket arrived(TimePoint now, const Arrival& arrival);

  // What was decided, with the status that the client gets; 0: none at all.
  void decided(const Ticket& ticket, std::string_view behaviour, int status);
  // The end of it: all sent, cut as decided, or left by the client.
  void ended(const Ticket& ticket, bool client_left);

  void clear(TimePoint now);
  Duration since_clear(TimePoint now) const { return elapsed(began_, now); }

  // {"received", "dropped", "requests": [...], "totals": {model: {"requests", "client_left", "status": {...}}}}
  std::string json() const;

 private:
  struct Entry {
    std::string method;
    std::string path;
    std::string model;
    std::string behaviour;
    Duration at{};
    int status = 0;
    bool stream = false;
    bool ended = false;
    bool client_left = false;
  };
  struct Totals {
    std::uint64_t requests = 0;
    std::uint64_t client_left = 0;
    std::map<int, std::uint64_t> status;
  };

  Entry* find(const Ticket& ticket);
  Totals& totals_of(std::string_view model);

  TimePoint began_;
  std::uint64_t epoch_ = 0;
  std::uint64_t received_ = 0;
  std::deque<Entry> entries_;  // the last ones; the newest has the ordinal received_
  std::map<std::string, Totals, std::less<>> totals_;
};

}  // namespace fuseboard::sim
