// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/route/credentials.h"

#include <algorithm>

namespace fuseboard {
namespace {

const CredentialGateOptions& checked(const CredentialGateOptions& options) {
  throw_if_invalid(options.validate());
  return options;
}

bool parks(const Outcome& outcome) noexcept {
  return !outcome.ok() && kParkingCategories.contains(outcome.failure->category);
}

}  // namespace

Problems CredentialGateOptions::validate() const {
  using std::chrono::hours;
  using std::chrono::seconds;
  Validator validator;
  validator.in_range("park", park, seconds(1), std::max<Duration>(park_max, seconds(1)));
  validator.in_range("park_max", park_max, seconds(1), hours(24));
  validator.in_range("probe_lease", probe_lease, seconds(1), hours(24));
  return std::move(validator).take();
}

void CredentialPass::settle(const Outcome& outcome, TimePoint now) && {
  if (CredentialGate* const gate = std::exchange(gate_, nullptr)) gate->settle(generation_, probe_, outcome, now);
}

void CredentialPass::give_back() noexcept {
  CredentialGate* const gate = std::exchange(gate_, nullptr);
  if (gate != nullptr && probe_ != kNoProbe) gate->give_back(generation_, probe_);
}

CredentialGate::CredentialGate(KeyView name, const CredentialGateOptions& options)
    : options_(checked(options)), name_(to_key_text(name)) {}

std::expected<CredentialPass, Rejection> CredentialGate::pass_while_parked(TimePoint now) {
  const MutexLock lock(mutex_);
  const std::uint64_t word = word_.load(std::memory_order_relaxed);
  // Unparked since the caller looked.
  if ((word & kParked) == 0) return CredentialPass(*this, word, CredentialPass::kNoProbe);
  if (const std::optional<TimePoint> until = closed_until_locked(now)) {
    ++denials_;
    return std::unexpected(refusal_locked(now, *until));
  }
  probe_ = ++probes_;
  lease_ends_ = saturating_add(now, options_.probe_lease);
  return CredentialPass(*this, word, probe_);
}

std::optional<Rejection> CredentialGate::look_while_parked(TimePoint now) const {
  const MutexLock lock(mutex_);
  if ((word_.load(std::memory_order_relaxed) & kParked) == 0) return std::nullopt;
  const std::optional<TimePoint> until = closed_until_locked(now);
  if (!until) return std::nullopt;
  return refusal_locked(now, *until);
}

std::optional<TimePoint> CredentialGate::closed_until_locked(TimePoint now) const {
  if (now < until_) return until_;
  if (probe_ != CredentialPass::kNoProbe && now < lease_ends_) return lease_ends_;
  return std::nullopt;
}

bool CredentialGate::current_locked(std::uint64_t generation, std::uint64_t probe) const {
  if (word_.load(std::memory_order_relaxed) != generation) return false;
  return (generation & kParked) == 0 || probe_ == probe;
}

void CredentialGate::settle(std::uint64_t generation, std::uint64_t probe, const Outcome& outcome, TimePoint now) {
  // The way of every healthy call.
  if (probe == CredentialPass::kNoProbe && !parks(outcome)) return;
  const MutexLock lock(mutex_);
  if (!current_locked(generation, probe)) return;
  probe_ = CredentialPass::kNoProbe;
  if (parks(outcome)) {
    park_locked(*outcome.failure, now);
  } else if (outcome.ok()) {
    unpark_locked();
  }
}

void CredentialGate::give_back(std::uint64_t generation, std::uint64_t probe) noexcept {
  const MutexLock lock(mutex_);
  if (current_locked(generation, probe)) probe_ = CredentialPass::kNoProbe;
}

void CredentialGate::park_locked(const Failure& failure, TimePoint now) {
  const std::uint64_t word = word_.load(std::memory_order_relaxed);
  if ((word & kParked) == 0) parked_since_ = now;
  const Duration hint = failure.retry_after.value_or(Duration::zero());
  until_ = saturating_add(now, hint > Duration::zero() ? std::min(hint, options_.park_max) : options_.park);
  category_ = failure.category;
  ++times_parked_;
  word_.store((word + kGeneration) | kParked, std::memory_order_relaxed);
}

void CredentialGate::unpark_locked() {
  probe_ = CredentialPass::kNoProbe;
  word_.store((word_.load(std::memory_order_relaxed) + kGeneration) & ~kParked, std::memory_order_relaxed);
}

void CredentialGate::unpark() {
  const MutexLock lock(mutex_);
  unpark_locked();
}

CredentialGate::Snapshot CredentialGate::snapshot(TimePoint now) const {
  const MutexLock lock(mutex_);
  Snapshot snapshot{.times_parked = times_parked_, .probes = probes_, .denials = denials_};
  if ((word_.load(std::memory_order_relaxed) & kParked) == 0) return snapshot;
  snapshot.parked = true;
  snapshot.parked_since = parked_since_;
  snapshot.until = until_;
  snapshot.category = category_;
  snapshot.probe_in_flight = probe_ != CredentialPass::kNoProbe && now < lease_ends_;
  return snapshot;
}

Rejection CredentialGate::refusal_locked(TimePoint now, TimePoint until) const {
  return {.reason = RejectionReason::credential_parked,
          .key = name_,
          .retry_after = elapsed(now, until),
          .last_failure = category_};
}

}  // namespace fuseboard
