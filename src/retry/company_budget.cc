// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/retry/company_budget.h"

#include <algorithm>

#include "retry/bucket_word.h"

namespace fuseboard {

Problems CompanyOptions::validate() const {
  Validator validator;
  validator.in_range("ratio", ratio, 0.0, 1.0);
  validator.in_range("min_per_second", min_per_second, 0.0, 1000.0);
  return std::move(validator).take();
}

CompanyBudget::CompanyBudget(const CompanyOptions& options) : options_(checked(options)) {}

void CompanyBudget::apply(const CompanyOptions& options) {
  throw_if_invalid(options.validate());
  const MutexLock lock(mutex_);
  options_ = options;
}

// From 1, so that an untouched word is of no bucket that counts; a clock before its epoch is in the first one.
std::int64_t CompanyBudget::bucket_of(TimePoint t) noexcept {
  return std::max<std::int64_t>(t.time_since_epoch() / kBucket, 0) + 1;
}

void CompanyBudget::count_call(TimePoint now) noexcept {
  const std::int64_t bucket = bucket_of(now);
  Atomic<std::uint64_t>& place = calls_[static_cast<std::size_t>(bucket) % kRing];
  std::uint64_t word = place.load(std::memory_order_relaxed);
  while (!place.compare_exchange_weak(word, BucketWord::counted(word, bucket), std::memory_order_relaxed)) {
  }
}

std::optional<CompanyBudget::Grant> CompanyBudget::try_take(TimePoint now) {
  const std::int64_t bucket = bucket_of(now);
  const MutexLock lock(mutex_);
  Granted& place = granted_[static_cast<std::size_t>(bucket) % kRing];
  if (place.bucket < bucket) place = {.bucket = bucket};
  const double share = static_cast<double>(calls_in_window(bucket)) * options_.ratio;
  if (static_cast<double>(granted_in_window_locked(bucket) + 1) <= share) {
    ++place.count;
    return Grant{.at = now, .of_share = true};
  }
  if (options_.min_per_second <= 0.0 || now < next_besides_) return std::nullopt;
  next_besides_ = saturating_add(now, saturating_scale(std::chrono::seconds(1), 1.0 / options_.min_per_second));
  return Grant{.at = now};
}

void CompanyBudget::release(const Grant& grant) {
  const std::int64_t bucket = bucket_of(grant.at);
  const MutexLock lock(mutex_);
  if (!grant.of_share) {
    next_besides_ = std::min(next_besides_, grant.at);
    return;
  }
  Granted& place = granted_[static_cast<std::size_t>(bucket) % kRing];
  if (place.bucket == bucket && place.count > 0) --place.count;
}

std::uint64_t CompanyBudget::calls_in_window(std::int64_t bucket) const noexcept {
  std::uint64_t calls = 0;
  for (const Atomic<std::uint64_t>& place : calls_) {
    const std::uint64_t word = place.load(std::memory_order_relaxed);
    if (BucketWord::bucket_in(word) > bucket - kBuckets) calls += BucketWord::count_in(word);
  }
  return calls;
}

std::uint64_t CompanyBudget::granted_in_window_locked(std::int64_t bucket) const {
  std::uint64_t granted = 0;
  for (const Granted& place : granted_) {
    if (place.bucket > bucket - kBuckets) granted += place.count;
  }
  return granted;
}

}  // namespace fuseboard
