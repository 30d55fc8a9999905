// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/retry/retry_budget.h"

#include <algorithm>

#include "retry/bucket_word.h"

namespace fuseboard {

Problems RetryBudgetOptions::validate() const {
  Validator validator;
  validator.in_range("ratio", ratio, 0.0, 10.0);
  validator.in_range<std::uint32_t>("min_per_second", min_per_second, 0, 1'000'000);
  return std::move(validator).take();
}

RetryBudget::RetryBudget(const RetryBudgetOptions& options) : options_(checked(options)) {}

// From 1, so that an untouched word is of no bucket that counts; a clock before its epoch is in the first one.
std::int64_t RetryBudget::bucket_of(TimePoint t) noexcept {
  return std::max<std::int64_t>(t.time_since_epoch() / kBucket, 0) + 1;
}

void RetryBudget::count_call(TimePoint now) noexcept {
  const std::int64_t bucket = bucket_of(now);
  Atomic<std::uint64_t>& place = cells_.mine().buckets[static_cast<std::size_t>(bucket) % kRing];
  std::uint64_t word = place.load(std::memory_order_relaxed);
  if (ThreadSlot::current() != ThreadSlot::kShared) [[likely]] {
    place.store(BucketWord::counted(word, bucket), std::memory_order_relaxed);
  } else {
    while (!place.compare_exchange_weak(word, BucketWord::counted(word, bucket), std::memory_order_relaxed)) {
    }
  }
}

bool RetryBudget::try_retry(TimePoint now) {
  const std::int64_t bucket = bucket_of(now);
  const MutexLock lock(mutex_);
  Retries& place = retries_[static_cast<std::size_t>(bucket) % kRing];
  // A reading so old that its place is taken again: a later one stands for it.
  if (place.bucket > bucket || retries_in_window_locked(bucket) >= allowed_locked(calls_in_window(bucket))) {
    ++refused_;
    return false;
  }
  if (place.bucket != bucket) place = {.bucket = bucket};
  ++place.count;
  ++granted_;
  return true;
}

void RetryBudget::release(TimePoint granted_at) {
  const std::int64_t bucket = bucket_of(granted_at);
  const MutexLock lock(mutex_);
  Retries& place = retries_[static_cast<std::size_t>(bucket) % kRing];
  if (place.bucket != bucket || place.count == 0) return;  // no longer counts
  --place.count;
  --granted_;
}

RetryBudget::Snapshot RetryBudget::snapshot(TimePoint now) const {
  const std::int64_t bucket = bucket_of(now);
  Snapshot snapshot{.calls = calls_in_window(bucket)};
  const MutexLock lock(mutex_);
  snapshot.retries = retries_in_window_locked(bucket);
  snapshot.granted = granted_;
  snapshot.rejected = refused_;
  const std::uint64_t most = allowed_locked(snapshot.calls);
  snapshot.left = most > snapshot.retries ? most - snapshot.retries : 0;
  return snapshot;
}

// Later buckets than the asked one count: threads read the clock before they queue for the mutex, and what was granted
// meanwhile must not be overlooked.
std::uint64_t RetryBudget::calls_in_window(std::int64_t bucket) const noexcept {
  std::uint64_t calls = 0;
  cells_.for_each([&](const Cell& cell) {
    for (const Atomic<std::uint64_t>& place : cell.buckets) {
      const std::uint64_t word = place.load(std::memory_order_relaxed);
      if (BucketWord::bucket_in(word) > bucket - kBuckets) calls += BucketWord::count_in(word);
    }
  });
  return calls;
}

std::uint64_t RetryBudget::retries_in_window_locked(std::int64_t bucket) const {
  std::uint64_t retries = 0;
  for (const Retries& place : retries_) {
    if (place.bucket > bucket - kBuckets) retries += place.count;
  }
  return retries;
}

std::uint64_t RetryBudget::allowed_locked(std::uint64_t calls) const noexcept {
  constexpr std::uint64_t kSeconds = kWindow / std::chrono::seconds(1);
  return static_cast<std::uint64_t>(static_cast<double>(calls) * options_.ratio) +
         std::uint64_t{options_.min_per_second} * kSeconds;
}

void RetryBudget::apply(TimePoint /*now*/, const RetryBudgetOptions& options) {
  throw_if_invalid(options.validate());
  const MutexLock lock(mutex_);
  options_ = options;
}

std::optional<SavedRetryBudget> RetryBudget::save(TimePoint now) const {
  const std::int64_t latest = bucket_of(now);
  std::array<SavedRetryBudget::Second, kBuckets> window{};  // by age
  const auto second_of = [&](std::int64_t bucket) -> SavedRetryBudget::Second* {
    // What a later reading of the clock has counted is of now.
    const std::int64_t age = std::max<std::int64_t>(latest - bucket, 0);
    return age < kBuckets ? &window[static_cast<std::size_t>(age)] : nullptr;
  };
  cells_.for_each([&](const Cell& cell) {
    for (const Atomic<std::uint64_t>& place : cell.buckets) {
      const std::uint64_t word = place.load(std::memory_order_relaxed);
      if (auto* const second = second_of(BucketWord::bucket_in(word))) second->calls += BucketWord::count_in(word);
    }
  });
  {
    const MutexLock lock(mutex_);
    for (const Retries& place : retries_) {
      if (auto* const second = second_of(place.bucket)) second->retries += place.count;
    }
  }
  SavedRetryBudget saved;
  const Duration into_second = std::max(now.time_since_epoch(), Duration::zero()) % kBucket;
  for (std::size_t age = 0; age < window.size(); ++age) {
    SavedRetryBudget::Second& second = window[age];
    if (second.calls == 0 && second.retries == 0) continue;
    second.age = into_second + static_cast<Duration::rep>(age) * kBucket;
    saved.seconds.push_back(second);
  }
  if (saved.seconds.empty()) return std::nullopt;
  return saved;
}

void RetryBudget::restore(TimePoint now, const SavedRetryBudget& saved) noexcept {
  // Of the slot that is nobody's alone: others may count there, too.
  auto& shared = cells_.at(ThreadSlot::kShared).buckets;
  const MutexLock lock(mutex_);
  for (const SavedRetryBudget::Second& second : saved.seconds) {
    if (second.age >= kWindow) continue;
    const Duration oldest = std::max(second.age, Duration::zero());
    const Duration youngest = std::max(oldest - kBucket, Duration::zero());
    const std::int64_t of_calls = bucket_of(saturating_add(now, -oldest));
    Atomic<std::uint64_t>& place = shared[static_cast<std::size_t>(of_calls) % kRing];
    const std::uint64_t calls = std::min(second.calls, BucketWord::kMaxCalls);
    std::uint64_t word = place.load(std::memory_order_relaxed);
    while (!place.compare_exchange_weak(word, BucketWord::counted(word, of_calls, calls), std::memory_order_relaxed)) {
    }
    const std::int64_t of_retries = bucket_of(saturating_add(now, -youngest));
    Retries& retries = retries_[static_cast<std::size_t>(of_retries) % kRing];
    if (retries.bucket < of_retries) retries = {.bucket = of_retries};
    retries.count = std::min(retries.count + std::min(second.retries, BucketWord::kMaxCalls), BucketWord::kMaxCalls);
  }
}

RetryBudgetOptions RetryBudget::options() const {
  const MutexLock lock(mutex_);
  return options_;
}

}  // namespace fuseboard
