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

void ParkingPass::settle(const Outcome& outcome, TimePoint now) && {
  if (ParkingGate* const gate = std::exchange(gate_, nullptr)) gate->settle(generation_, probe_, outcome, now);
}

void ParkingPass::accepted() {
  if (gate_ == nullptr || probe_ == kNoProbe) return;
  generation_ = gate_->prove(generation_);
  probe_ = kNoProbe;
}

void ParkingPass::release() noexcept {
  ParkingGate* const gate = std::exchange(gate_, nullptr);
  if (gate != nullptr && probe_ != kNoProbe) gate->release(generation_, probe_);
}

ParkingGate::ParkingGate(KeyView name, const CredentialGateOptions& options)
    : options_(checked(options)), name_(to_key_text(name)) {}

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

void ParkingGate::settle(std::uint64_t generation, std::uint64_t probe, const Outcome& outcome, TimePoint now) {
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
  if (parks(outcome)) park_locked(*outcome.failure, now);
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

void ParkingGate::park_locked(const Failure& failure, TimePoint now) {
  const std::uint64_t word = word_.load(std::memory_order_relaxed);
  if ((word & kParked) == 0) parked_since_ = now;
  const Duration hint = failure.retry_after.value_or(Duration::zero());
  until_ = saturating_add(now, hint > Duration::zero() ? std::min(hint, options_.park_max) : options_.park);
  category_ = failure.category;
  ++times_parked_;
  word_.store((word + kGeneration) | kParked, std::memory_order_relaxed);
}

void ParkingGate::unpark_locked() {
  probe_ = ParkingPass::kNoProbe;
  word_.store((word_.load(std::memory_order_relaxed) + kGeneration) & ~kParked, std::memory_order_relaxed);
}

void ParkingGate::unpark() {
  const MutexLock lock(mutex_);
  unpark_locked();
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
