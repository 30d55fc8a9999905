// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// One thing that can be parked [FBK-6]: a credential, or a credential with one model or at one endpoint. CredentialGate
// is what callers use; it has as many of these as may be parked apart.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <optional>

#include "fuseboard/core/bounded_text.h"
#include "fuseboard/core/category.h"
#include "fuseboard/core/issuer.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"

namespace fuseboard {

// What parks a credential. permission_denied does not: the same credential may do other things.
inline constexpr CategorySet kParkingCategories = {Category::authentication, Category::quota_exhausted};

struct CredentialGateOptions {
  // How long a refused credential rests when the failure names no time; 1 s to `park_max`.
  Duration park = std::chrono::seconds(60);
  // The longest that a failure's own hint is obeyed; 1 s to 24 h.
  Duration park_max = std::chrono::hours(1);
  // A probe that has not been settled after this long is given up and the next attempt probes; 1 s to 24 h. Longer than
  // the longest wait for a first content or a plain answer.
  Duration probe_lease = std::chrono::seconds(65);

  Problems validate() const;
};

// What of a parked gate outlives its process [FBK-6.15].
struct SavedParkingGate {
  Duration remaining = Duration::zero();         // until a probe is let through; up to park_max
  Duration parked_for = Duration::zero();        // since it was parked first
  Category category = Category::authentication;  // of the failure that parked it last; one of kParkingCategories
  std::uint64_t times_parked = 0;                // ever
};

class ParkingGate;

// Leave to use what a gate guards, once. Moved, settled at most once, safe to forget; not thread-safe, but may end on
// another thread. Its gate must outlive it.
class [[nodiscard]] ParkingPass {
 public:
  // Of nothing.
  ParkingPass() noexcept = default;
  ParkingPass(ParkingPass&&) noexcept = default;
  ParkingPass& operator=(ParkingPass&& other) noexcept { return replace_permit(*this, other); }
  ~ParkingPass() {
    if (gate_) [[unlikely]] {
      release();
    }
  }

  // Where the gate has moved on since the pass was granted (parked by another attempt, unparked, the probe given up),
  // this changes nothing.
  void settle(TimePoint now, const Outcome& outcome) &&;
  // An answer has begun: what a probe was to find out is known, however long the answer takes.
  void accepted();

  bool is_probe() const noexcept { return gate_ && probe_ != kNoProbe; }

 private:
  friend class ParkingGate;
  static constexpr std::uint64_t kNoProbe = 0;
  ParkingPass(ParkingGate& gate, std::uint64_t generation, std::uint64_t probe) noexcept
      : gate_(gate), generation_(generation), probe_(probe) {}
  void release() noexcept;

  Issuer<ParkingGate> gate_{};
  std::uint64_t generation_ = 0;
  std::uint64_t probe_ = kNoProbe;
};

// Thread-safe, never allocates. What is not parked costs one relaxed load, a success of it nothing more; the rest takes
// a mutex.
class ParkingGate {
 public:
  // Throws InvalidOptions. `name` is what rejections carry: the provider's name, say.
  explicit ParkingGate(KeyView name, const CredentialGateOptions& options = {});
  ParkingGate(const ParkingGate&) = delete;
  ParkingGate& operator=(const ParkingGate&) = delete;

  // A pass, or `credential_parked` with the time after which a probe is let through: the end of the parking, or of the
  // running probe's lease.
  [[nodiscard]] std::expected<ParkingPass, Rejection> try_pass(TimePoint now) {
    const std::uint64_t word = word_.load(std::memory_order_relaxed);
    if ((word & kParked) == 0) [[likely]]
      return ParkingPass(*this, word, ParkingPass::kNoProbe);
    return pass_while_parked(now);
  }

  // What try_pass would refuse with, without any effect; nullopt where it would let pass.
  std::optional<Rejection> peek_rejection(TimePoint now) const {
    if ((word_.load(std::memory_order_relaxed) & kParked) == 0) [[likely]]
      return std::nullopt;
    return peek_while_parked(now);
  }

  // A reload or an operator: as if nothing had happened. Passes from before teach nothing any more.
  void unpark();

  // New options from here on [FBK-6.14]. What is parked stays parked, but for no longer than they allow. Throws
  // InvalidOptions, with nothing changed.
  void apply(TimePoint now, const CredentialGateOptions& options);

  // What is parked, to outlive the process, a probe in flight aside; nullopt: nothing is.
  std::optional<SavedParkingGate> save(TimePoint now) const;
  // Parks as it was, for no longer than the options allow. One that is parked already knows better, and stays. Passes
  // from before it teach nothing any more.
  void restore(TimePoint now, const SavedParkingGate& saved);

  struct Snapshot {
    bool parked = false;
    std::optional<TimePoint> parked_since{};  // the first time, however often it was parked again
    std::optional<TimePoint> until{};         // when a probe is let through
    std::optional<Category> category{};       // of the failure that parked it last
    bool probe_in_flight = false;             // and its lease is not over
    std::uint64_t times_parked = 0;           // ever, again included
    std::uint64_t probes = 0;                 // ever
    std::uint64_t denials = 0;                // ever
  };
  Snapshot snapshot(TimePoint now) const;

  const KeyText& name() const noexcept { return name_; }
  CredentialGateOptions options() const;

 private:
  friend class ParkingPass;

  // word_: a number of the generation above, whether it is parked below. Parking and unparking begin a generation.
  static constexpr std::uint64_t kParked = 1;
  static constexpr std::uint64_t kGeneration = 2;

  std::expected<ParkingPass, Rejection> pass_while_parked(TimePoint now);
  std::optional<Rejection> peek_while_parked(TimePoint now) const;
  void settle(TimePoint now, std::uint64_t generation, std::uint64_t probe, const Outcome& outcome);
  void release(std::uint64_t generation, std::uint64_t probe) noexcept;
  // Unparks, if that is still the generation. The one that it is afterwards.
  std::uint64_t prove(std::uint64_t generation);

  // Whether a pass granted as (generation, probe) still has a say.
  bool current_locked(std::uint64_t generation, std::uint64_t probe) const FUSEBOARD_REQUIRES(mutex_);
  std::optional<TimePoint> closed_until_locked(TimePoint now) const FUSEBOARD_REQUIRES(mutex_);
  void park_locked(TimePoint now, const Failure& failure) FUSEBOARD_REQUIRES(mutex_);
  void park_until_locked(TimePoint until, Category category) FUSEBOARD_REQUIRES(mutex_);
  void unpark_locked() FUSEBOARD_REQUIRES(mutex_);
  Rejection rejection_locked(TimePoint now, TimePoint until) const FUSEBOARD_REQUIRES(mutex_);

  const KeyText name_;
  std::atomic<std::uint64_t> word_{0};  // written under the mutex
  mutable Mutex mutex_;
  CredentialGateOptions options_ FUSEBOARD_GUARDED_BY(mutex_);
  TimePoint parked_since_ FUSEBOARD_GUARDED_BY(mutex_){};
  TimePoint until_ FUSEBOARD_GUARDED_BY(mutex_){};
  TimePoint lease_ends_ FUSEBOARD_GUARDED_BY(mutex_){};
  Category category_ FUSEBOARD_GUARDED_BY(mutex_) = Category::authentication;
  std::uint64_t probe_ FUSEBOARD_GUARDED_BY(mutex_) = ParkingPass::kNoProbe;  // number of the running one
  std::uint64_t times_parked_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  std::uint64_t probes_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  std::uint64_t denials_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
};

}  // namespace fuseboard
