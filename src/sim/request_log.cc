// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/request_log.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "fuseboard/core/bounded_text.h"
#include "sim/json_text.h"

namespace fuseboard::sim {
namespace {

using nlohmann::ordered_json;

std::string bounded(std::string_view text) { return std::string(BoundedText<200>(text).view()); }

}  // namespace

RequestLog::Totals& RequestLog::totals_of(std::string_view model) {
  const std::string name = model.empty() ? std::string(kNone) : bounded(model);
  if (const auto it = totals_.find(name); it != totals_.end()) return it->second;
  return totals_.size() < kMaxModels ? totals_[name] : totals_[std::string(kOthers)];
}

RequestLog::Ticket RequestLog::arrived(TimePoint now, const Arrival& arrival) {
  Totals& totals = totals_of(arrival.model);
  const Ticket ticket = {.ordinal = ++received_, .nth = totals.requests++, .epoch = epoch_};
  if (entries_.size() == kMaxEntries) entries_.pop_front();
  entries_.push_back({.method = bounded(arrival.method),
                      .path = bounded(arrival.path),
                      .model = bounded(arrival.model),
                      .at = since_clear(now),
                      .stream = arrival.stream});
  return ticket;
}

RequestLog::Entry* RequestLog::find(const Ticket& ticket) {
  const std::uint64_t dropped = received_ - entries_.size();
  if (ticket.epoch != epoch_ || ticket.ordinal <= dropped) return nullptr;
  return &entries_[ticket.ordinal - dropped - 1];
}

void RequestLog::decided(const Ticket& ticket, std::string_view behaviour, int status) {
  Entry* entry = find(ticket);
  if (entry == nullptr) return;
  entry->behaviour = bounded(behaviour);
  entry->status = status;
  ++totals_of(entry->model).status[status];
}

void RequestLog::ended(const Ticket& ticket, bool client_left) {
  Entry* entry = find(ticket);
  if (entry == nullptr) return;
  entry->ended = true;
  entry->client_left = client_left;
  if (client_left) ++totals_of(entry->model).client_left;
}

void RequestLog::clear(TimePoint now) {
  began_ = now;
  ++epoch_;
  received_ = 0;
  entries_.clear();
  totals_.clear();
}

std::string RequestLog::json() const {
  const std::uint64_t dropped = received_ - entries_.size();
  ordered_json requests = ordered_json::array();
  std::uint64_t ordinal = dropped;
  for (const Entry& entry : entries_) {
    const auto t_ms = std::chrono::duration_cast<std::chrono::milliseconds>(entry.at).count();
    requests.push_back({{"ordinal", ++ordinal},
                        {"t_ms", t_ms},
                        {"method", entry.method},
                        {"path", entry.path},
                        {"model", entry.model},
                        {"stream", entry.stream},
                        {"behaviour", entry.behaviour},
                        {"status", entry.status == 0 ? ordered_json(nullptr) : ordered_json(entry.status)},
                        {"ended", entry.ended},
                        {"client_left", entry.client_left}});
  }
  ordered_json totals = ordered_json::object();
  for (const auto& [model, total] : totals_) {
    ordered_json statuses = ordered_json::object();
    for (const auto& [status, count] : total.status) statuses[status == 0 ? "none" : std::to_string(status)] = count;
    totals[model] = {{"requests", total.requests}, {"client_left", total.client_left}, {"status", std::move(statuses)}};
  }
  return json_text(ordered_json{
      {"received", received_}, {"dropped", dropped}, {"requests", std::move(requests)}, {"totals", std::move(totals)}});
}

}  // namespace fuseboard::sim
