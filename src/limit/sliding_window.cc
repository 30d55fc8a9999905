// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/sliding_window.h"

#include <algorithm>
#include <ranges>
#include <span>
#include <utility>

#include "fuseboard/limit/priority.h"
#include "limit/believed.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

std::size_t room_for(const SlidingWindowOptions& options) noexcept {
  return std::size_t{options.limit} + options.max_reserved;
}

}  // namespace

Problems SlidingWindowOptions::validate() const {
  Validator validator;
  validator.in_range("limit", limit, 1U, kMaxWindowLimit);
  validator.in_range("window", window, 1ms, 31 * 24h);
  validator.in_range("max_reserved", max_reserved, 0U, kMaxWindowLimit);
  return std::move(validator).take();
}

SlidingWindowLimiter::SlidingWindowLimiter(const SlidingWindowOptions& options, KeyView key, std::uint64_t seed)
    : key_(to_key_text(key)), jitter_(seed), options_(checked(options)), log_(room_for(options)) {}

template <typename IsBefore>
std::size_t SlidingWindowLimiter::count_while(IsBefore is_before) const {
  std::size_t least = 0;
  std::size_t most = size_;
  while (least < most) {
    const std::size_t middle = least + (most - least) / 2;
    if (is_before(at(middle))) {
      least = middle + 1;
    } else {
      most = middle;
    }
  }
  return least;
}

std::uint64_t SlidingWindowLimiter::cost_through(std::size_t count) const {
  return count == 0 ? forgotten_ : at(count - 1).through;
}

// Not before any other, so that of all windows only the one that ends then can be too full; and then so many of the
// oldest must be over that the rest leaves room.
TimePoint SlidingWindowLimiter::earliest_locked(TimePoint now, std::uint32_t cost) const {
  TimePoint when = std::max(now, latest_);
  if (size_ == 0) return when;
  when = std::max(when, at(size_ - 1).time);
  const std::uint64_t left = options_.limit - std::max(cost, 1U);
  const std::uint64_t all = cost_through(size_);
  if (all - forgotten_ <= left) return when;
  const std::size_t over = count_while([&](const Entry& entry) { return all - entry.through > left; });
  return std::max(when, saturating_add(at(over).time, options_.window));
}

std::optional<Rejection> SlidingWindowLimiter::rejection_locked(TimePoint now, std::uint32_t cost) const {
  const bool ever_passes = cost <= options_.limit;
  const TimePoint when = ever_passes ? earliest_locked(now, cost) : kNever;
  if (ever_passes && when <= std::max(now, latest_)) return std::nullopt;
  Rejection refused{.reason = RejectionReason::rate_limited, .key = key_};
  if (ever_passes) refused.retry_after = spread_wait(elapsed(now, when), Priority::normal, jitter_);
  return refused;
}

std::expected<WindowGrant, Rejection> SlidingWindowLimiter::try_acquire(TimePoint now, std::uint32_t cost) {
  const MutexLock lock(mutex_);
  if (const auto refused = rejection_locked(now, cost)) return std::unexpected(*refused);
  latest_ = std::max(now, latest_);
  return grant_locked(latest_, cost);
}

std::optional<Rejection> SlidingWindowLimiter::peek_rejection(TimePoint now, std::uint32_t cost) const {
  const MutexLock lock(mutex_);
  return rejection_locked(now, cost);
}

std::expected<Reservation<WindowGrant>, Rejection> SlidingWindowLimiter::reserve(TimePoint now, Duration max_wait,
                                                                                 std::uint32_t cost) {
  const MutexLock lock(mutex_);
  if (cost > options_.limit) return std::unexpected(*rejection_locked(now, cost));
  const TimePoint present = std::max(now, latest_);
  const TimePoint when = earliest_locked(now, cost);
  if (when > present) {
    if (elapsed(now, when) > max_wait) return std::unexpected(*rejection_locked(now, cost));
    const std::size_t granted = count_while([&](const Entry& entry) { return entry.time <= present; });
    if (size_ - granted >= options_.max_reserved) {
      return std::unexpected(Rejection{.reason = RejectionReason::queue_full, .key = key_});
    }
  }
  latest_ = present;
  return Reservation<WindowGrant>{.grant = grant_locked(when, cost), .valid_at = when};
}

void SlidingWindowLimiter::forget_locked() {
  while (size_ > 0 && saturating_add(at(0).time, options_.window) <= latest_) {
    forgotten_ = at(0).through;
    first_ = (first_ + 1) % log_.size();
    --size_;
  }
}

WindowGrant SlidingWindowLimiter::grant_locked(TimePoint when, std::uint32_t cost) {
  if (cost == 0) return WindowGrant(0);
  forget_locked();
  const std::uint64_t before = cost_through(size_);
  at(size_) = {.time = when, .number = ++last_number_, .through = before + cost, .cost = cost};
  ++size_;
  return WindowGrant(last_number_);
}

void SlidingWindowLimiter::release(TimePoint now, const WindowGrant& grant) noexcept {
  const MutexLock lock(mutex_);
  latest_ = std::max(latest_, now);
  forget_locked();
  std::size_t index = count_while([&](const Entry& entry) { return entry.number < grant.number_; });
  if (index == size_ || at(index).number != grant.number_) return;
  const std::uint32_t cost = at(index).cost;
  for (; index + 1 < size_; ++index) {
    at(index) = at(index + 1);
    at(index).through -= cost;
  }
  --size_;
}

void SlidingWindowLimiter::apply(TimePoint now, const SlidingWindowOptions& options) {
  throw_if_invalid(options.validate());
  const MutexLock lock(mutex_);
  // Beside what is in it now, which may be more than the new limit.
  std::vector<Entry> log(room_for(options) + size_);
  for (std::size_t i = 0; i < size_; ++i) log[i] = at(i);
  log_ = std::move(log);
  first_ = 0;
  options_ = options;
  latest_ = std::max(latest_, now);
  forget_locked();
}

std::optional<SavedSlidingWindow> SlidingWindowLimiter::save(TimePoint now) const {
  const MutexLock lock(mutex_);
  const TimePoint present = std::max(now, latest_);
  SavedSlidingWindow saved;
  for (std::size_t i = 0; i < size_; ++i) {
    const Entry& entry = at(i);
    if (saturating_add(entry.time, options_.window) <= present) continue;
    if (entry.time > present) break;
    saved.uses.push_back({.ago = elapsed(entry.time, present), .cost = entry.cost});
  }
  if (saved.uses.empty()) return std::nullopt;
  return saved;
}

void SlidingWindowLimiter::restore(TimePoint now, const SavedSlidingWindow& saved) {
  const MutexLock lock(mutex_);
  const TimePoint present = std::max(now, latest_);
  const std::size_t known = std::min<std::size_t>(saved.uses.size(), options_.limit);
  std::vector<Entry> all;
  all.reserve(known + size_);
  for (const SavedSlidingWindow::Use& use : std::span(saved.uses).last(known)) {
    const Duration ago = believed(use.ago, options_.window);
    all.push_back({.time = saturating_add(present, -ago), .cost = std::clamp(use.cost, 1U, options_.limit)});
  }
  for (std::size_t i = 0; i < size_; ++i) all.push_back(at(i));
  std::ranges::sort(all, {}, &Entry::time);
  // As many of the latest as make up the limit: while they count nobody passes, and the rest is over before they are.
  std::uint64_t counted = 0;
  std::size_t kept = 0;
  for (const Entry& entry : std::views::reverse(all)) {
    if (counted >= options_.limit) break;
    if (entry.time <= present) counted += entry.cost;
    ++kept;
  }
  first_ = size_ = 0;
  latest_ = present;
  for (const Entry& entry : std::span(all).last(kept)) (void)grant_locked(entry.time, entry.cost);
}

void SlidingWindowLimiter::reset() noexcept {
  const MutexLock lock(mutex_);
  first_ = size_ = 0;
}

std::uint32_t SlidingWindowLimiter::used(TimePoint now) const {
  const MutexLock lock(mutex_);
  const TimePoint present = std::max(now, latest_);
  const Duration window = options_.window;
  const std::size_t over =
      count_while([&](const Entry& entry) { return saturating_add(entry.time, window) <= present; });
  const std::size_t granted = count_while([&](const Entry& entry) { return entry.time <= present; });
  return static_cast<std::uint32_t>(cost_through(granted) - cost_through(over));
}

SlidingWindowOptions SlidingWindowLimiter::options() const {
  const MutexLock lock(mutex_);
  return options_;
}

}  // namespace fuseboard
