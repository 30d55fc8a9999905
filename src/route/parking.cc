// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/route/parking.h"

#include <algorithm>

namespace fuseboard {
namespace {

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

void ParkingPass::settle(TimePoint now, const Outcome& outcome) && {
  if (ParkingGate* const gate = gate_.take()) gate->settle(now, generation_, probe_, outcome);
}

void ParkingPass::accepted() {
  if (!gate_ || probe_ == kNoProbe) return;
  generation_ = gate_->prove(generation_);
  probe_ = kNoProbe;
}

void ParkingPass::release() noexcept {
  ParkingGate* const gate = gate_.take();
  if (gate != nullptr && probe_ != kNoProbe) gate->release(generation_, probe_);
}

ParkingGate::ParkingGate(KeyView name, const CredentialGateOptions& options)
    : name_(to_key_text(name)), options_(checked(options)) {}

std::expected<ParkingPass, Rejection> ParkingGate::pass_while_parked(TimePoint now) {
  const MutexLock lock(mutex_);
  const std::uint64_t word = word_.load(std::memory_order_relaxed);
  // Unparked since the caller looked.
  if ((word & kParked) == 0) return ParkingPass(*this, word, ParkingPass::kNoProbe);
  if (const std::optional<TimePoint> until = closed_until_locked(now)) {
    ++denials_;
    return std::unexpected(rejection_locked(now, *until));
  }
  probe_ = ++probes_;
  lease_ends_ = saturating_add(now, options_.probe_lease);
  return ParkingPass(*this, word, probe_);
}

std::optional<Rejection> ParkingGate::peek_while_parked(TimePoint now) const {
  const MutexLock lock(mutex_);
  if ((word_.load(std::memory_order_relaxed) & kParked) == 0) return std::nullopt;
  const std::optional<TimePoint> until = closed_until_locked(now);
  if (!until) return std::nullopt;
  return rejection_locked(now, *until);
}

std::optional<TimePoint> ParkingGate::closed_until_locked(TimePoint now) const {
  if (now < until_) return until_;
  if (probe_ != ParkingPass::kNoProbe && now < lease_ends_) return lease_ends_;
  return std::nullopt;
}

bool ParkingGate::current_locked(std::uint64_t generation, std::uint64_t probe) const {
  if (word_.load(std::memory_order_relaxed) != generation) return false;
  return (generation & kParked) == 0 || probe_ == probe;
}

void ParkingGate::settle(TimePoint now, std::uint64_t generation, std::uint64_t probe, const Outcome& outcome) {
  // The way of every healthy call.
  if (probe == ParkingPass::kNoProbe && !parks(outcome)) return;
  if (outcome.ok()) {
    // Also of a probe whose lease is over: answers may take longer than that, and each would come too late.
    prove(generation);
    return;
  }
  const MutexLock lock(mutex_);
  if (!current_locked(generation, probe)) return;
  probe_ = ParkingPass::kNoProbe;
  if (parks(outcome)) park_locked(now, *outcome.failure);
}

std::uint64_t ParkingGate::prove(std::uint64_t generation) {
  const MutexLock lock(mutex_);
  if (word_.load(std::memory_order_relaxed) != generation) return generation;
  unpark_locked();
  return word_.load(std::memory_order_relaxed);
}

void ParkingGate::release(std::uint64_t generation, std::uint64_t probe) noexcept {
  const MutexLock lock(mutex_);
  if (current_locked(generation, probe)) probe_ = ParkingPass::kNoProbe;
}

void ParkingGate::park_locked(TimePoint now, const Failure& failure) {
  if ((word_.load(std::memory_order_relaxed) & kParked) == 0) parked_since_ = now;
  const Duration hint = failure.retry_after.value_or(Duration::zero());
  const Duration rest = hint > Duration::zero() ? std::min(hint, options_.park_max) : options_.park;
  park_until_locked(saturating_add(now, rest), failure.category);
  ++times_parked_;
}

void ParkingGate::park_until_locked(TimePoint until, Category category) {
  until_ = until;
  category_ = category;
  word_.store((word_.load(std::memory_order_relaxed) + kGeneration) | kParked, std::memory_order_relaxed);
}

void ParkingGate::unpark_locked() {
  probe_ = ParkingPass::kNoProbe;
  word_.store((word_.load(std::memory_order_relaxed) + kGeneration) & ~kParked, std::memory_order_relaxed);
}

void ParkingGate::unpark() {
  const MutexLock lock(mutex_);
  unpark_locked();
}

void ParkingGate::apply(TimePoint now, const CredentialGateOptions& options) {
  throw_if_invalid(options.validate());
  const MutexLock lock(mutex_);
  options_ = options;
  until_ = std::min(until_, saturating_add(now, options.park_max));
  lease_ends_ = std::min(lease_ends_, saturating_add(now, options.probe_lease));
}

std::optional<SavedParkingGate> ParkingGate::save(TimePoint now) const {
  const MutexLock lock(mutex_);
  if ((word_.load(std::memory_order_relaxed) & kParked) == 0) return std::nullopt;
  return SavedParkingGate{.remaining = elapsed(now, until_),
                          .parked_for = elapsed(parked_since_, now),
                          .category = category_,
                          .times_parked = times_parked_};
}

void ParkingGate::restore(TimePoint now, const SavedParkingGate& saved) {
  const MutexLock lock(mutex_);
  if ((word_.load(std::memory_order_relaxed) & kParked) != 0) return;
  parked_since_ = saturating_add(now, -std::max(saved.parked_for, Duration::zero()));
  times_parked_ += saved.times_parked;
  const Duration remaining = std::clamp(saved.remaining, Duration::zero(), options_.park_max);
  // As a number it may be anything.
  const bool known =
      static_cast<std::size_t>(saved.category) < kCategoryCount && kParkingCategories.contains(saved.category);
  park_until_locked(saturating_add(now, remaining), known ? saved.category : Category::authentication);
}

CredentialGateOptions ParkingGate::options() const {
  const MutexLock lock(mutex_);
  return options_;
}

ParkingGate::Snapshot ParkingGate::snapshot(TimePoint now) const {
  const MutexLock lock(mutex_);
  Snapshot snapshot{.times_parked = times_parked_, .probes = probes_, .denials = denials_};
  if ((word_.load(std::memory_order_relaxed) & kParked) == 0) return snapshot;
  snapshot.parked = true;
  snapshot.parked_since = parked_since_;
  snapshot.until = until_;
  snapshot.category = category_;
  snapshot.probe_in_flight = probe_ != ParkingPass::kNoProbe && now < lease_ends_;
  return snapshot;
}

Rejection ParkingGate::rejection_locked(TimePoint now, TimePoint until) const {
  return {.reason = RejectionReason::credential_parked,
          .key = name_,
          .retry_after = elapsed(now, until),
          .last_failure = category_};
}

}  // namespace fuseboard
