// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/breaker/scopes.h"

#include <algorithm>
#include <utility>

#include "fuseboard/core/check.h"

namespace fuseboard {
namespace {

// Neutral for every breaker, whatever its options: to abandon a permit may count as a failure.
Outcome no_evidence() {
  Failure failure = Failure::of(Category::cancelled);
  failure.evidence = Evidence::does_not_count;
  return Outcome::failed(failure);
}

}  // namespace

void ScopedPermit::settle(const Outcome& outcome, std::size_t scope) && {
  const std::size_t size = std::exchange(size_, 0);
  const bool concerns_all = outcome.ok() || outcome.failure->category == Category::cancelled;
  const std::size_t concerned = size == 0 ? 0 : std::min(scope, size - 1);
  // From the inside out: the reverse of admission.
  for (std::size_t i = size; i-- > 0;) {
    if (concerns_all || i == concerned) {
      std::move(permits_[i]).settle(outcome);
    } else {
      std::move(permits_[i]).settle(i < concerned ? Outcome::success(outcome.latency) : no_evidence());
    }
  }
}

void ScopedPermit::release() && noexcept {
  for (std::size_t i = std::exchange(size_, 0); i-- > 0;) std::move(permits_[i]).settle(no_evidence());
}

void ScopedPermit::abandon() noexcept {
  const std::size_t size = std::exchange(size_, 0);
  if (size == 0) return;
  permits_[size - 1] = BreakerPermit();
  for (std::size_t i = size - 1; i-- > 0;) std::move(permits_[i]).release();
}

void ScopedPermit::first_content(Duration latency) {
  for (std::size_t i = 0; i < size_; ++i) permits_[i].first_content(latency);
}

void ScopedPermit::answered() {
  if (size_ > 0) permits_[size_ - 1].answered();
}

void ScopedPermit::overtaken() && {
  const std::size_t size = std::exchange(size_, 0);
  for (std::size_t i = size; i-- > 0;) {
    if (i + 1 == size) {
      std::move(permits_[i]).overtaken();
    } else {
      std::move(permits_[i]).settle(no_evidence());
    }
  }
}

bool ScopedPermit::is_probe() const noexcept {
  return std::any_of(permits_.begin(), permits_.begin() + static_cast<std::ptrdiff_t>(size_),
                     [](const BreakerPermit& permit) { return permit.is_probe(); });
}

BreakerScopes::BreakerScopes(std::initializer_list<BreakerHandle> scopes) : scopes_(scopes) {
  check_invariant(!scopes_.empty() && scopes_.size() <= kMaxScopes, "an attempt has one to four breaker scopes");
}

std::expected<ScopedPermit, Rejection> BreakerScopes::acquire(std::optional<Duration> probe_lease) const {
  const auto ask = [&](const BreakerHandle& scope) {
    return probe_lease ? scope.try_acquire(*probe_lease) : scope.try_acquire();
  };
  // Whoever looks as if it refuses is asked by itself first: an inner scope that does should not make an outer one
  // half-open for nothing.
  for (const BreakerHandle& scope : scopes_) {
    if (!scope.peek_rejection()) continue;
    auto permit = ask(scope);
    if (!permit) return std::unexpected(permit.error());
    std::move(*permit).settle(no_evidence());  // it has changed its mind
  }
  ScopedPermit all;
  for (const BreakerHandle& scope : scopes_) {
    auto permit = ask(scope);
    if (!permit) {
      std::move(all).release();
      return std::unexpected(permit.error());
    }
    all.permits_[all.size_++] = std::move(*permit);
  }
  return all;
}

std::optional<Rejection> BreakerScopes::reject_if_open() const {
  for (const BreakerHandle& scope : scopes_) {
    if (auto rejection = scope.reject_if_open()) return rejection;
  }
  return std::nullopt;
}

std::optional<Rejection> BreakerScopes::peek_rejection() const {
  for (const BreakerHandle& scope : scopes_) {
    if (auto rejection = scope.peek_rejection()) return rejection;
  }
  return std::nullopt;
}

}  // namespace fuseboard
