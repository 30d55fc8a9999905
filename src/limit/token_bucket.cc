// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/token_bucket.h"

#include <cmath>

#include "limit/believed.h"

namespace fuseboard {
namespace {

constexpr double kMaxRateWithWeights = 1e6;
constexpr double kNanoseconds = 1e9;
constexpr int kFinestScale = 40;
constexpr Duration kLongestReservation = std::chrono::hours(24);

// The finest unit of which less than two are refilled in a nanosecond and less than 2^60 fit into the bucket.
int scale_for(double rate, double burst) noexcept {
  int scale = 0;
  while (scale < kFinestScale && std::ldexp(rate, scale + 1) < 2.0 * kNanoseconds &&
         std::ldexp(burst, scale + 1) <= 0x1p60) {
    ++scale;
  }
  return scale;
}

// `units` of the scale before, in those of the scale after. Rounded up, against the caller; saturates above any bucket.
std::uint64_t rescaled(std::uint64_t units, int before, int after) noexcept {
  return static_cast<std::uint64_t>(
      std::ceil(std::min(std::ldexp(static_cast<double>(units), after - before), 0x1p61)));
}

}  // namespace

Problems TokenBucketOptions::validate() const {
  Validator validator;
  const bool weighted = priorities && priorities->mode == PriorityMode::weighted_cost;
  validator.in_range("rate", rate, kMinRate, weighted ? kMaxRateWithWeights : kMaxTokens);
  // A call that a full bucket cannot pay would starve: that is a mistake of the configuration [LIM-2].
  const double dearest = weighted ? *std::max_element(priorities->weights.begin(), priorities->weights.end()) : 1.0;
  validator.in_range("burst", burst, std::clamp(dearest, 1.0, kMaxTokens), kMaxTokens);
  if (priorities) validator.merge("priorities", priorities->validate());
  return std::move(validator).take();
}

TokenBucket::TokenBucket(const TokenBucketOptions& options, KeyView key, std::uint64_t seed)
    : key_(to_key_text(key)), jitter_(seed), options_(checked(options)) {
  terms_[0].set(options, 0, 0);
}

// Rounded against the caller throughout, so that the bound holds.
void TokenBucket::Terms::set(const TokenBucketOptions& options, Units new_base, Duration::rep new_start) noexcept {
  constexpr auto kOrder = std::memory_order_release;
  const int new_scale = scale_for(options.rate, options.burst);
  const auto all = static_cast<Units>(std::ldexp(options.burst, new_scale));
  const bool weighted = options.priorities && options.priorities->mode == PriorityMode::weighted_cost;
  const bool reserving = options.priorities && options.priorities->mode == PriorityMode::reserve;
  base.store(new_base, kOrder);
  start.store(new_start, kOrder);
  rate.store(static_cast<Units>(std::ldexp(options.rate / kNanoseconds, new_scale + kRateShift)), kOrder);
  capacity.store(all, kOrder);
  scale.store(new_scale, kOrder);
  for (std::size_t i = 0; i < kPriorityCount; ++i) {
    const double weight = weighted ? options.priorities->weights[i] : 1.0;
    unit_costs[i].store(static_cast<Units>(std::ceil(std::ldexp(weight, new_scale))), kOrder);
    const double share = reserving ? options.priorities->reserves[i] : 0.0;
    const auto reserve = static_cast<Units>(static_cast<double>(all) * share);
    reserves[i].store(std::min(reserve, all), kOrder);
  }
}

// Once A(t) has grown by as much as the word would be too high.
TimePoint TokenBucket::Terms::passes_at(const Asked& asked, Units full_at) const noexcept {
  const Units units_a_nanosecond = rate.load(std::memory_order_acquire);
  const Wide needed =
      static_cast<Wide>(full_at) + asked.units - asked.most + asked.refilled - base.load(std::memory_order_acquire);
  const Wide after = ((needed << kRateShift) + units_a_nanosecond - 1) / units_a_nanosecond;
  const auto most = static_cast<Wide>(Duration::max().count());
  const TimePoint from{Duration(start.load(std::memory_order_acquire))};
  return saturating_add(from, Duration(static_cast<Duration::rep>(std::min(after, most))));
}

std::optional<Rejection> TokenBucket::peek_rejection(TimePoint now, std::uint64_t cost, Priority priority) const {
  auto rejection = look([&](const Terms& terms, Units full_at) -> std::optional<Rejection> {
    const Asked asked = terms.ask(now, cost, priority);
    if (std::max(full_at, asked.refilled) + asked.units <= asked.most) return std::nullopt;
    Rejection refused{.reason = RejectionReason::rate_limited, .key = key_};
    if (asked.most == 0) return refused;
    refused.retry_after = elapsed(now, terms.passes_at(asked, full_at));
    return refused;
  });
  if (rejection && rejection->retry_after) {
    rejection->retry_after = spread_wait(*rejection->retry_after, priority, jitter_);
  }
  return rejection;
}

std::expected<Reservation<TokenGrant>, Rejection> TokenBucket::reserve(TimePoint now, Duration max_wait,
                                                                       std::uint64_t cost, Priority priority) {
  const std::uint32_t era = era_.load(std::memory_order_acquire);
  Units full_at = full_at_.load(std::memory_order_acquire);
  while (true) {
    const Terms& terms = terms_of(full_at);
    const Asked asked = terms.ask(now, cost, priority);
    const Units after = std::max(full_at, asked.refilled) + asked.units;
    TimePoint valid_at = now;
    if (after > asked.most && asked.most != 0) valid_at = std::max(now, terms.passes_at(asked, full_at));
    const bool is_too_late = valid_at > now && elapsed(now, valid_at) > std::min(max_wait, kLongestReservation);
    if (asked.most == 0 || is_too_late) {
      // Only of terms and a word that belong together.
      const Units since = full_at_.load(std::memory_order_acquire);
      if (since == full_at) {
        if (const auto refused = peek_rejection(now, cost, priority)) return std::unexpected(*refused);
      }
      full_at = full_at_.load(std::memory_order_acquire);
      continue;
    }
    if (valid_at > now) {
      // Before the word: a release that sees the reservation there knows that it waits.
      const Duration::rep until = valid_at.time_since_epoch().count();
      Duration::rep known = reserved_until_.load(std::memory_order_relaxed);
      while (known < until && !reserved_until_.compare_exchange_weak(known, until, std::memory_order_release,
                                                                     std::memory_order_relaxed)) {
      }
    }
    const Units lacked = after - asked.units - asked.refilled + released_.load(std::memory_order_relaxed);
    if (full_at_.compare_exchange_weak(full_at, after, std::memory_order_acq_rel, std::memory_order_acquire)) {
      return Reservation<TokenGrant>{.grant = TokenGrant(asked.units, asked.refilled + asked.units, lacked, era),
                                     .valid_at = valid_at};
    }
  }
}

bool TokenBucket::can_ever_admit(std::uint64_t cost, Priority priority) const noexcept {
  return look([&](const Terms& terms, Units) {
    return terms.cost_of(cost, priority) <= terms.capacity.load(std::memory_order_acquire);
  });
}

// Who waits has a time that counted on this call. If the call gave its tokens back and the bucket filled up before that
// time, what is refilled until then would be lost, though it is counted on. The level is at most a reserve (low's is
// the largest) while anybody waits, so all is well as long as that, what is given back and what waits fit into the
// bucket. What waits is at most all that was taken since: by how much the word has grown, and was lowered by releases.
TokenBucket::Units TokenBucket::left_by_later(const TokenGrant& grant, Units full_at, Units released) const noexcept {
  const Terms& terms = terms_[0];
  const auto since = static_cast<std::int64_t>(full_at + released - grant.lacked_ - grant.full_at_alone_);
  const Units room = terms.capacity.load(std::memory_order_relaxed) - terms.reserves[0].load(std::memory_order_relaxed);
  const Units most = std::min(grant.units_, room);
  const Units later = since > 0 ? static_cast<Units>(since) : 0;
  return most - std::min(most, later);
}

// Compare the bucket with one in which this call never was. The two lack the same but for `units`, until the other one
// is full: from then on it only catches up by what is refilled while it stays full. So what may come back is
//   units, less all that was refilled since beyond what the other one lacked,
// and that one lacked at least what was lacking when the grant was made, less what others have been given back since.
// Releases of later grants are subtracted with the rest, though they need not be: that errs on the caller's side of
// LIM-1.
void TokenBucket::release(TimePoint now, const TokenGrant& grant) noexcept {
  const MutexLock lock(changes_);
  if (era_.load(std::memory_order_relaxed) != grant.era_) return;
  const Units released = released_.load(std::memory_order_relaxed);
  const auto lacked_still = static_cast<std::int64_t>(grant.lacked_ - released);
  const Units other_full_at = grant.full_at_alone_ + (lacked_still > 0 ? static_cast<Units>(lacked_still) : 0);
  const Terms& terms = terms_[0];
  const Units refilled = terms.refilled_at(now);
  const Units base = terms.base.load(std::memory_order_relaxed);
  const Units units = std::min(grant.units_, other_full_at - std::min(other_full_at, refilled));
  Units full_at = full_at_.load(std::memory_order_acquire);
  Units counted = released;
  Units given = 0;
  do {
    // Counted again for each try, so that a call that got in between two of them sees the later one as a release since.
    given = units;
    if (now.time_since_epoch().count() < reserved_until_.load(std::memory_order_acquire)) {
      given = std::min(given, left_by_later(grant, full_at, released));
    }
    counted += given;
    released_.store(counted, std::memory_order_relaxed);
    // Below A(now) the word means "full", so nothing more than the burst can come back. Never below A of all times,
    // which is above the words of earlier terms: a call that holds one of those must not meet it again.
  } while (!full_at_.compare_exchange_weak(full_at, full_at - std::min(given, full_at - base),
                                           std::memory_order_acq_rel, std::memory_order_acquire));
}

void TokenBucket::reset() noexcept {
  const MutexLock lock(changes_);
  reserved_until_.store(Duration::min().count(), std::memory_order_release);
  // In this order: who sees the new number sees the full bucket.
  full_at_.store(terms_[0].base.load(std::memory_order_relaxed), std::memory_order_relaxed);
  era_.fetch_add(1, std::memory_order_release);
}

// From the old terms to the second copy, which nobody reads yet, and on to the first, which nobody reads any more.
//
// The new A begins one above the old one, so each new word is above the old one that it comes from, and no call that
// holds an old word can meet it again. Where the unit grows it could, but only if it slept through all of this and then
// woke beside the very number.
void TokenBucket::apply(TimePoint now, const TokenBucketOptions& options) {
  throw_if_invalid(options.validate());
  const MutexLock lock(changes_);
  options_ = options;
  const Terms& before = terms_[0];
  const int scale_before = before.scale.load(std::memory_order_relaxed);
  const Units capacity_before = before.capacity.load(std::memory_order_relaxed);
  const Units base = before.refilled_at(now) + 1;
  const Duration::rep start =
      std::clamp(now.time_since_epoch().count(), before.start.load(std::memory_order_relaxed), kLastTime);
  Terms& meanwhile = terms_[1];
  meanwhile.set(options, kSecondCopy + base, start);
  const Units capacity = meanwhile.capacity.load(std::memory_order_relaxed);
  const int scale = meanwhile.scale.load(std::memory_order_relaxed);
  Units full_at = full_at_.load(std::memory_order_acquire);
  Units moved = 0;
  do {
    const Units missing = before.missing(now, full_at);
    // What somebody reserved is still to be sent, so none of it is forgiven, though it may be within the burst: a call
    // waits for its reserve, too. Which part of what is missing that is, nobody knows. Without that there is more
    // missing than the burst only where others know a later time: what is refilled until then has gone to them.
    const bool somebody_waits = now.time_since_epoch().count() < reserved_until_.load(std::memory_order_acquire);
    const Units of_burst = somebody_waits ? 0 : std::min(missing, capacity_before);
    moved = kSecondCopy + base + std::min(rescaled(of_burst, scale_before, scale), capacity) +
            std::min(rescaled(missing - of_burst, scale_before, scale), kMaxDebt);
  } while (!full_at_.compare_exchange_weak(full_at, moved, std::memory_order_acq_rel, std::memory_order_acquire));
  terms_[0].set(options, base, start);
  full_at_.fetch_sub(kSecondCopy, std::memory_order_acq_rel);
  // Last: what was taken by the second copy is of the old era, too.
  era_.fetch_add(1, std::memory_order_release);
}

std::optional<SavedTokenBucket> TokenBucket::save(TimePoint now) const noexcept {
  const double missing = look([&](const Terms& terms, Units full_at) {
    const Units all = terms.capacity.load(std::memory_order_acquire);
    const Units spent = std::min(terms.missing(now, full_at), all);
    return std::ldexp(static_cast<double>(spent), -terms.scale.load(std::memory_order_acquire));
  });
  if (missing <= 0.0) return std::nullopt;
  return SavedTokenBucket{.missing = missing};
}

void TokenBucket::restore(TimePoint now, const SavedTokenBucket& saved) noexcept {
  const MutexLock lock(changes_);
  const Terms& terms = terms_[0];
  const double missing = believed(saved.missing, 0.0, options_.burst);
  const auto units = static_cast<Units>(std::ceil(std::ldexp(missing, terms.scale.load(std::memory_order_relaxed))));
  const Units lacking = terms.refilled_at(now) + std::min(units, terms.capacity.load(std::memory_order_relaxed));
  Units full_at = full_at_.load(std::memory_order_acquire);
  while (full_at < lacking &&
         !full_at_.compare_exchange_weak(full_at, lacking, std::memory_order_acq_rel, std::memory_order_acquire)) {
  }
  era_.fetch_add(1, std::memory_order_release);
}

TokenBucketOptions TokenBucket::options() const {
  const MutexLock lock(changes_);
  return options_;
}

bool TokenBucket::full(TimePoint now) const noexcept {
  return look([&](const Terms& terms, Units full_at) { return terms.missing(now, full_at) == 0; });
}

double TokenBucket::available(TimePoint now) const noexcept {
  return look([&](const Terms& terms, Units full_at) {
    const Units all = terms.capacity.load(std::memory_order_acquire);
    const Units left = all - std::min(terms.missing(now, full_at), all);
    return std::ldexp(static_cast<double>(left), -terms.scale.load(std::memory_order_acquire));
  });
}

}  // namespace fuseboard
